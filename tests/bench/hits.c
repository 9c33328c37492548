/* hits.c - the workload for breakpoints: COUNT calls of probe(), an ordinary small function. With
 * "trap" it calls one that begins with a breakpoint instruction of its own, for floor -b. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) long probe(long a, long b)
{
  static volatile long sum;
  sum += a ^ b;
  return a + b;
}

__attribute__((noinline)) static long trapped(long a, long b)
{
#if defined(__i386__) || defined(__x86_64__)
  __asm__ volatile("int3");
#endif
  return probe(a, b);
}

int main(int argc, char **argv)
{
  long count = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
  long (*volatile function)(long, long) =
      argc > 2 && strcmp(argv[2], "trap") == 0 ? trapped : probe;
  long sum = 0;
  for (long i = 0; i < count; i++)
    sum += function(i, 1);
  printf("%ld\n", sum);
  return 0;
}
