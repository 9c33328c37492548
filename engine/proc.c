/* proc.c - what the engine reads in /proc/PID: see proc.h. */
#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel.h"

static void parse_line(const char *line, struct lt_proc_status *ret)
{
  int value;
  unsigned number;
  if (strncmp(line, "Name:\t", 6) == 0) /* the kernel escapes newlines in it */
    snprintf(ret->name, sizeof ret->name, "%.15s", line + 6);
  else if (sscanf(line, "State:\t%c", &ret->state) == 1)
    return;
  else if (sscanf(line, "Tgid:\t%d", &value) == 1)
    ret->tgid = value;
  else if (sscanf(line, "PPid:\t%d", &value) == 1)
    ret->ppid = value;
  else if (sscanf(line, "TracerPid:\t%d", &value) == 1)
    ret->tracer = value;
  else if (sscanf(line, "Uid:\t%u", &number) == 1)
    ret->uid = number;
  else if (strncmp(line, "SigBlk:\t", 8) == 0)
    ret->blocked = strtoull(line + 8, NULL, 16);
  else if (strncmp(line, "SigIgn:\t", 8) == 0)
    ret->ignored = strtoull(line + 8, NULL, 16);
  else if (strncmp(line, "SigCgt:\t", 8) == 0)
    ret->caught = strtoull(line + 8, NULL, 16);
  else if (sscanf(line, "Seccomp_filters:\t%u", &number) == 1)
    ret->filters = number;
  else if (sscanf(line, "Kthread:\t%d", &value) == 1)
    ret->kernel_thread = value;
}

int lt_proc_status(pid_t tid, struct lt_proc_status *ret)
{
  memset(ret, 0, sizeof *ret);
  int fd = lt_k_proc_open(tid, "status", O_RDONLY);
  if (fd < 0)
    return fd == -ENOENT ? -ESRCH : fd;
  char text[4096];
  ssize_t size = lt_k_pread(fd, text, sizeof text - 1, 0);
  close(fd);
  if (size < 0)
    return (int)size;
  text[size] = '\0';
  char *rest = text;
  for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
    parse_line(line, ret);
  return 0;
}

int lt_proc_sysctl(const char *path)
{
  FILE *file = fopen(path, "re");
  if (!file)
    return -1;
  int value;
  if (fscanf(file, "%d", &value) != 1)
    value = -1;
  fclose(file);
  return value;
}

/* Whether a thread of this process is traced by the calling thread. */
static bool has_our_tracee(pid_t pid, pid_t tracer)
{
  int fd = lt_k_proc_open(pid, "task", O_RDONLY | O_DIRECTORY);
  DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
  bool found = false;
  for (struct dirent *entry; tasks && !found && (entry = readdir(tasks));) {
    struct lt_proc_status status;
    pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
    found = tid > 0 && lt_proc_status(tid, &status) == 0 && status.tracer == tracer;
  }
  if (tasks)
    closedir(tasks);
  else if (fd >= 0)
    close(fd);
  return found;
}

bool lt_proc_any_tracee(void)
{
  pid_t tracer = (pid_t)syscall(SYS_gettid);
  DIR *proc = opendir("/proc");
  bool found = false;
  for (struct dirent *entry; proc && !found && (entry = readdir(proc));) {
    pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    found = pid > 0 && has_our_tracee(pid, tracer);
  }
  if (proc)
    closedir(proc);
  return found;
}
