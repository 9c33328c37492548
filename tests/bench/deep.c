/* deep.c - the workload for backtraces: COUNT getppid calls, DEPTH functions deep. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noinline)) static long go_down(long depth, long count)
{
  long made = 0;
  if (depth > 0)
    made = go_down(depth - 1, count);
  else
    while (count-- > 0)
      made += syscall(SYS_getppid) > 0;
  __asm__ volatile("" : "+r"(made)); /* no tail call */
  return made;
}

int main(int argc, char **argv)
{
  long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
  long depth = argc > 2 ? strtol(argv[2], NULL, 10) : 16;
  return go_down(depth, count) != count;
}
