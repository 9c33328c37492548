/* floor.c - the floor: a bare ptrace loop around a program. Two stops a call, nothing looked at.
 * With -s, tracer and tracee share a CPU. With -b, what every breakpoint needs: one stop at each
 * breakpoint instruction, its registers read and the program counter set. What a tracer costs beyond
 * this is its own doing. */
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void share_cpu(void)
{
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(sched_getcpu(), &set);
  sched_setaffinity(0, sizeof set, &set);
}

/* The program goes on behind its breakpoint instruction, as one of ours would in its slot. */
static void answer_break(pid_t pid)
{
#if defined(__x86_64__)
  struct user_regs_struct regs;
  ptrace(PTRACE_GETREGS, pid, 0, &regs);
  ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rip), regs.rip);
#endif
  ptrace(PTRACE_CONT, pid, 0, 0);
}

/* What a stop is answered with. */
enum mode { CALLS, BREAKS, STEPS };

static void trace(pid_t pid, enum mode mode, int *status)
{
  long stops = 0;
  while (waitpid(pid, status, 0) == pid && WIFSTOPPED(*status)) {
    stops++;
    if (mode == BREAKS)
      answer_break(pid);
    else
      ptrace(mode == STEPS ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, pid, 0, 0);
  }
  fprintf(stderr, "%ld stops\n", stops);
}

int main(int argc, char **argv)
{
  int first = 1;
  enum mode mode = CALLS;
  for (; first < argc && argv[first][0] == '-'; first++) {
    if (strcmp(argv[first], "-s") == 0)
      share_cpu();
    if (strcmp(argv[first], "-b") == 0)
      mode = BREAKS;
    if (strcmp(argv[first], "-t") == 0)
      mode = STEPS;
  }
  if (first >= argc) {
    fprintf(stderr, "usage: floor [-s] [-b | -t] program [args]\n");
    return 125;
  }
  pid_t pid = fork();
  if (pid == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execvp(argv[first], argv + first);
    _exit(127);
  }
  int status = 0;
  trace(pid, mode, &status);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
