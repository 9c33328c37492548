/* calls.c - the workload: COUNT getppid calls and nothing else. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  long count = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
  while (count-- > 0)
    syscall(SYS_getppid);
  return 0;
}
