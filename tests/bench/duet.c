/* duet.c - the workload: THREADS threads that compute for MS milliseconds of their own time each,
 * beside the main thread, which makes CALLS system calls.
 *
 *   duet THREADS CALLS MS */
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long used(void)
{
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* That clock is a system call, which would be traced: it is asked rarely. */
static void *compute(void *ms)
{
  while (used() < (long)ms)
    for (volatile int i = 0; i < 2000000; i++)
      ;
  return NULL;
}

int main(int argc, char **argv)
{
  long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
  long calls = argc > 2 ? strtol(argv[2], NULL, 10) : 10000;
  long ms = argc > 3 ? strtol(argv[3], NULL, 10) : 500;
  pthread_t *threads = calloc((size_t)count + 1, sizeof *threads);
  if (!threads)
    return 1;
  for (long i = 0; i < count; i++)
    if (pthread_create(&threads[i], NULL, compute, (void *)ms) != 0)
      return 1;
  for (; calls > 0; calls--)
    syscall(SYS_getppid);
  for (long i = 0; i < count; i++)
    pthread_join(threads[i], NULL);
  free(threads);
  return 0;
}
