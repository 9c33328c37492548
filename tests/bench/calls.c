/* calls.c - the workload: COUNT system calls and nothing else.
 *
 *   calls COUNT [CALL [THREADS [PROCESSES]]]
 *
 * COUNT is for all together; "2s" stands for as many as there are in two seconds, and prints what
 * each thread made. CALL is getppid, getuid, write (one byte to descriptor 3, /dev/null), or work
 * (getppid after some 20 us of computing). The threads begin together. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct work {
  const char *call;
  long count; /* of one thread; 0: until `until` */
  double until;
  pthread_barrier_t together;
};

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void compute(void)
{
  for (volatile int i = 0; i < 10000; i++)
    ;
}

static long limited(const struct work *work)
{
  long left = work->count;
  if (strcmp(work->call, "getuid") == 0)
    for (; left > 0; left--)
      syscall(SYS_getuid);
  else if (strcmp(work->call, "write") == 0)
    for (; left > 0; left--)
      syscall(SYS_write, 3, "", 1);
  else if (strcmp(work->call, "work") == 0)
    for (; left > 0; left--, syscall(SYS_getppid))
      compute();
  else
    for (; left > 0; left--)
      syscall(SYS_getppid);
  return work->count;
}

static void *run(void *data)
{
  struct work *work = data;
  pthread_barrier_wait(&work->together);
  long made = 0;
  if (work->count)
    return (void *)limited(work);
  for (; now() < work->until; made++)
    syscall(SYS_getppid);
  printf("%ld\n", made);
  return (void *)made;
}

static int run_threads(struct work *work, long threads)
{
  pthread_t *all = calloc((size_t)threads, sizeof *all);
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 65536);
  pthread_barrier_init(&work->together, NULL, (unsigned)threads);
  int failed = !all;
  for (long i = 1; i < threads && !failed; i++)
    failed = pthread_create(&all[i], &attr, run, work) != 0;
  if (failed)
    return 1;
  run(work);
  for (long i = 1; i < threads; i++)
    pthread_join(all[i], NULL);
  free(all);
  return 0;
}

int main(int argc, char **argv)
{
  const char *count = argc > 1 ? argv[1] : "100000";
  long threads = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
  long processes = argc > 4 ? strtol(argv[4], NULL, 10) : 1;
  struct work work = {.call = argc > 2 ? argv[2] : "getppid"};
  char *rest;
  work.count = strtol(count, &rest, 10);
  if (*rest == 's') {
    work.until = now() + (double)work.count;
    work.count = 0;
  }
  work.count = work.count / (threads * processes);
  if (dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 3) != 3)
    return 1;
  for (long i = 1; i < processes; i++)
    if (fork() == 0)
      _exit(run_threads(&work, threads));
  int failed = run_threads(&work, threads), status;
  while (wait(&status) > 0)
    failed |= status;
  return failed != 0;
}
