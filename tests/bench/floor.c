/* floor.c - the floor: bare ptrace loops around a program, its threads and its children. Nothing is
 * looked at but what the answer needs; what a tracer costs beyond this is its own doing.
 *
 *   floor [-s] [MODE] PROGRAM...
 *
 *   (none)     two stops a system call
 *   -e NUMBER  one stop, at this call: a seccomp filter picks it
 *   -x NUMBER  that one and its exit: two stops
 *   -b         one stop at each breakpoint instruction: its registers are read and the program
 *              counter set, as every breakpoint needs
 *   -t         one stop for each instruction
 *   -s         tracer and program share a CPU
 *
 * Prints the number of stops to standard error. */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum mode { CALLS, ENTRY, EXIT, BREAKS, STEPS };

struct floor {
  enum mode mode;
  unsigned number; /* of the call, for ENTRY and EXIT */
  bool shared;
  long stops;
};

static void share_cpu(void)
{
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(sched_getcpu(), &set);
  sched_setaffinity(0, sizeof set, &set);
}

static void trace_only(unsigned number)
{
  struct sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof steps / sizeof *steps, steps};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The program goes on behind its breakpoint instruction, as one of ours would in its slot. */
static void skip_break(pid_t pid)
{
#if defined(__x86_64__)
  struct user_regs_struct regs;
  ptrace(PTRACE_GETREGS, pid, 0, &regs);
  ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rip), regs.rip);
#else
  (void)pid;
#endif
}

static int restart_of(const struct floor *floor, int status)
{
  if (floor->mode == STEPS)
    return PTRACE_SINGLESTEP;
  bool at_entry = status >> 16 == PTRACE_EVENT_SECCOMP;
  return floor->mode == CALLS || (floor->mode == EXIT && at_entry) ? PTRACE_SYSCALL : PTRACE_CONT;
}

/* Traps and the first stops of newborns are ours; other signals are the program's. */
static void answer(struct floor *floor, pid_t pid, int status)
{
  int signo = WSTOPSIG(status);
  bool ours = status >> 16 || signo == (SIGTRAP | 0x80) || signo == SIGTRAP || signo == SIGSTOP;
  floor->stops++;
  if (floor->mode == BREAKS && status >> 8 == SIGTRAP)
    skip_break(pid);
  ptrace(restart_of(floor, status), pid, 0, ours ? 0 : signo);
}

static int trace(struct floor *floor, pid_t first)
{
  int status, result = 125;
  pid_t pid = waitpid(first, &status, 0);
  long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP |
                 PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
  ptrace(PTRACE_SETOPTIONS, first, 0, options);
  kill(first, SIGCONT);
  while (pid > 0) {
    if (WIFSTOPPED(status))
      answer(floor, pid, status);
    else if (pid == first)
      result = WIFEXITED(status) ? WEXITSTATUS(status) : 125;
    pid = waitpid(-1, &status, __WALL);
  }
  fprintf(stderr, "%ld stops\n", floor->stops);
  return result;
}

static int run(struct floor *floor, char **argv)
{
  if (floor->shared)
    share_cpu();
  pid_t pid = fork();
  if (pid == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP); /* until our options hold */
    if (floor->mode == ENTRY || floor->mode == EXIT)
      trace_only(floor->number);
    execvp(argv[0], argv);
    _exit(127);
  }
  return trace(floor, pid);
}

int main(int argc, char **argv)
{
  struct floor floor = {.mode = CALLS};
  int option;
  while ((option = getopt(argc, argv, "+sbte:x:")) != -1) {
    if (option == 's')
      floor.shared = true;
    else if (option == 'b')
      floor.mode = BREAKS;
    else if (option == 't')
      floor.mode = STEPS;
    else
      floor.mode = option == 'e' ? ENTRY : EXIT;
    if (optarg)
      floor.number = (unsigned)strtoul(optarg, NULL, 10);
  }
  if (optind >= argc) {
    fprintf(stderr, "usage: floor [-s] [-e number | -x number | -b | -t] program [args]\n");
    return 125;
  }
  return run(&floor, argv + optind);
}
