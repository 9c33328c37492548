/* floor.c - the floor: a bare ptrace loop around a program. Two stops a call, nothing looked at.
 * With -s, tracer and tracee share a CPU. What a tracer costs beyond this is its own doing. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static void share_cpu(void)
{
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(sched_getcpu(), &set);
  sched_setaffinity(0, sizeof set, &set);
}

int main(int argc, char **argv)
{
  int first = argc > 1 && strcmp(argv[1], "-s") == 0 ? 2 : 1;
  if (first >= argc) {
    fprintf(stderr, "usage: floor [-s] program [args]\n");
    return 125;
  }
  if (first == 2)
    share_cpu();
  pid_t pid = fork();
  if (pid == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execvp(argv[first], argv + first);
    _exit(127);
  }
  int status;
  long stops = 0;
  while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
    stops++;
    ptrace(PTRACE_SYSCALL, pid, 0, 0);
  }
  fprintf(stderr, "%ld stops\n", stops);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
