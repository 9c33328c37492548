/* loop.c - the workload for stepping: a loop of COUNT rounds, 4 instructions each. */
#include <stdlib.h>

__attribute__((noinline)) long work(long count)
{
  volatile long sum = 0;
  for (long i = 0; i < count; i++)
    sum += i;
  return sum;
}

int main(int argc, char **argv)
{
  return work(argc > 1 ? strtol(argv[1], NULL, 10) : 100000) < 0;
}
