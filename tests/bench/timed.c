/* timed.c - run a command and say what it took: one line to a file,
 *
 *   SECONDS USER SYSTEM PEAK STATUS
 *
 * wall time, the processor time of the command's own process without its children (a tracer without
 * what it traces), and its peak memory in KiB (0 where it was too short to be seen).
 *
 *   timed FILE COMMAND... */
#include <errno.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static FILE *open_proc(pid_t pid, const char *name)
{
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  return fopen(path, "re");
}

static long peak_of(pid_t pid)
{
  long peak = 0;
  char line[256];
  FILE *file = open_proc(pid, "status");
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, "VmHWM:", 6) == 0)
      peak = strtol(line + 6, NULL, 10);
  if (file)
    fclose(file);
  return peak;
}

/* Clock ticks of the process's own, in `ret` as seconds. */
static void processor_time(pid_t pid, double ret[2])
{
  char text[1024] = "";
  FILE *file = open_proc(pid, "stat");
  if (!file)
    return;
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  char *at = strrchr(text, ')');
  for (int field = 2; at && field < 13; field++)
    at = strchr(at + 1, ' ');
  if (!at)
    return;
  ret[0] = (double)strtol(at, &at, 10) / (double)sysconf(_SC_CLK_TCK);
  ret[1] = (double)strtol(at, &at, 10) / (double)sysconf(_SC_CLK_TCK);
}

/* Look now and then: the memory of a process is gone when its end is seen. */
static long wait_for(pid_t pid)
{
  struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
  long peak = 0;
  int left = 20;
  while (poll(&end, 1, left) == 0) {
    long seen = peak_of(pid);
    peak = seen > peak ? seen : peak;
    left = 100;
  }
  close(end.fd);
  return peak;
}

int main(int argc, char **argv)
{
  if (argc < 3) {
    fprintf(stderr, "usage: timed file command [args]\n");
    return 125;
  }
  FILE *out = fopen(argv[1], "we");
  pid_t pid;
  double from = now(), processor[2] = {0, 0};
  if (!out || posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ) != 0) {
    perror(argv[2]);
    return 127;
  }
  long peak = wait_for(pid);
  double wall = now() - from;
  int status = 0;
  processor_time(pid, processor);
  waitpid(pid, &status, 0);
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  fprintf(out, "%.6f %.2f %.2f %ld %d\n", wall, processor[0], processor[1], peak, code);
  fclose(out);
  return code;
}
