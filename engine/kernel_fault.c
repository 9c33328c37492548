/* kernel_fault.c - the fault injector of test builds: makes one chosen request fail.
 *
 *   LUATRACE_FAULT=K:KIND   the K-th request through the seam (from 1) fails with KIND, an errno
 *                           name; with KIND "vanish" its target is killed just before it instead
 *   LUATRACE_FAULT_READER=KIND:NAME
 *                           the process that reads object files crashes, hangs or sends garbage
 *                           when it is asked about a file of that name
 *   LUATRACE_FAULT_LOG=FILE at exit, append "calls N": how many requests there were
 *
 * The state is the process's, as the environment is: this file is no part of the product. */
#include "kernel_fault.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long calls, chosen;
static int error_of_chosen; /* negated errno; 1 for vanish */
static pid_t last_target;
static pid_t owner;

static int kind_number(const char *kind)
{
  static const struct {
    const char *name;
    int number;
  } kinds[] = {{"ESRCH", -ESRCH}, {"EIO", -EIO},       {"EPERM", -EPERM},   {"EAGAIN", -EAGAIN},
               {"EINTR", -EINTR}, {"ENOMEM", -ENOMEM}, {"EFAULT", -EFAULT}, {"vanish", 1}};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kind, kinds[i].name) == 0)
      return kinds[i].number;
  fprintf(stderr, "LUATRACE_FAULT: unknown kind %s\n", kind);
  _exit(125);
}

static void write_log(void)
{
  const char *name = getenv("LUATRACE_FAULT_LOG");
  if (!name || getpid() != owner)
    return;
  int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd >= 0) {
    dprintf(fd, "calls %lu\n", calls);
    close(fd);
  }
}

__attribute__((constructor)) static void read_choice(void)
{
  owner = getpid();
  atexit(write_log);
  const char *choice = getenv("LUATRACE_FAULT");
  if (!choice)
    return;
  char *colon;
  chosen = strtoul(choice, &colon, 10);
  error_of_chosen = kind_number(*colon == ':' ? colon + 1 : "");
}

static bool is_chosen(void)
{
  return ++calls == chosen;
}

int lt_fault(pid_t tid)
{
  if (tid > 0 && tid != owner) /* what we read about ourselves says nothing of a tracee */
    last_target = tid;
  if (!is_chosen())
    return 0;
  if (error_of_chosen != 1)
    return error_of_chosen;
  if (last_target > 0) {
    kill(last_target, SIGKILL);
    usleep(2000); /* let it get as far as it can */
  }
  return 0;
}

/* waitpid fails with EINTR whatever was chosen: nothing else can happen to it. */
int lt_fault_wait(void)
{
  if (!is_chosen())
    return 0;
  if (error_of_chosen != 1)
    return -EINTR;
  if (last_target > 0)
    kill(last_target, SIGKILL);
  return 0;
}

void lt_fault_reader(const char *name)
{
  const char *choice = getenv("LUATRACE_FAULT_READER"), *slash = strrchr(name, '/');
  const char *wanted = choice ? strchr(choice, ':') : NULL;
  if (!wanted || strcmp(wanted + 1, slash ? slash + 1 : name) != 0)
    return;
  if (strncmp(choice, "crash", 5) == 0)
    raise(SIGSEGV);
  if (strncmp(choice, "hang", 4) == 0)
    for (;;)
      pause();
  for (int i = 0; i < 100; i++)
    dprintf(3, "garbage!");
}
