/* probe.c - THREADS threads call a function that does next to nothing, CALLS times altogether. Prints
 * what a call took.
 *
 *   probe [CALLS] [THREADS] [--json] */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS 64

struct work {
  pthread_t id;
  long calls, sum;
  double ns;
};

__attribute__((noinline, noclone)) long probe(long n)
{
  __asm__ volatile("" ::: "memory");
  return n + 1;
}

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void *run(void *argument)
{
  struct work *work = argument;
  double from = now();
  for (long i = 0; i < work->calls; i++)
    work->sum += probe(i);
  work->ns = (now() - from) / (double)(work->calls ? work->calls : 1);
  return NULL;
}

static long number(const char *text, long least, long most)
{
  long value = strtol(text, NULL, 10);
  return value < least ? least : value > most ? most : value;
}

int main(int argc, char **argv)
{
  static struct work work[THREADS];
  int json = argc > 1 && strcmp(argv[argc - 1], "--json") == 0;
  argc -= json;
  long calls = argc > 1 ? number(argv[1], 0, 1L << 50) : 100000000;
  long threads = argc > 2 ? number(argv[2], 1, THREADS) : 1;
  double sum = 0;
  for (long i = 0; i < threads; i++) {
    work[i] = (struct work){.calls = calls / threads};
    if (pthread_create(&work[i].id, NULL, run, &work[i]) != 0)
      return 1;
  }
  for (long i = 0; i < threads; i++) {
    pthread_join(work[i].id, NULL);
    sum += work[i].ns;
  }
  if (json)
    printf("{\"calls\":%ld,\"threads\":%ld,\"ns_per_call\":%.3f}\n", calls, threads,
           sum / (double)threads);
  else
    printf("%ld calls by %ld threads: %.2f ns each\n", calls, threads, sum / (double)threads);
  return 0;
}
