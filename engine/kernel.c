/* kernel.c - the seam around the kernel: see kernel.h for the contract.
 *
 * In a test build (LT_FAULTS) each request first asks the injector, which may make it fail or
 * kill its target; otherwise the question costs nothing. */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel_fault.h"

static long result(long value)
{
  return value == -1 ? -errno : value;
}

long lt_k_ptrace(int request, pid_t tid, uintptr_t addr, uintptr_t data)
{
  int fault = lt_fault(tid);
  if (fault)
    return fault;
  return result(ptrace(request, tid, addr, data));
}

static int peek(int request, pid_t tid, uintptr_t addr, unsigned long *ret)
{
  int fault = lt_fault(tid);
  if (fault)
    return fault;
  errno = 0; /* the word itself may be -1 */
  long word = ptrace(request, tid, addr, 0);
  if (word == -1 && errno)
    return -errno;
  *ret = (unsigned long)word;
  return 0;
}

int lt_k_peek(pid_t tid, uint64_t addr, unsigned long *ret)
{
  return peek(PTRACE_PEEKDATA, tid, (uintptr_t)addr, ret);
}

int lt_k_peek_user(pid_t tid, size_t offset, unsigned long *ret)
{
  return peek(PTRACE_PEEKUSER, tid, offset, ret);
}

pid_t lt_k_waitpid(pid_t pid, int *status, int options)
{
  int fault = lt_fault_wait();
  if (fault)
    return fault;
  return (pid_t)result(waitpid(pid, status, options));
}

ssize_t lt_k_vm_read(pid_t tid, uint64_t addr, void *ret, size_t size)
{
  int fault = lt_fault(tid);
  if (fault)
    return fault;
  struct iovec here = {ret, size}, there = {(void *)(uintptr_t)addr, size};
  return result(process_vm_readv(tid, &here, 1, &there, 1, 0));
}

ssize_t lt_k_vm_read_two(pid_t tid, const struct lt_k_range range[2])
{
  int fault = lt_fault(tid);
  if (fault)
    return fault;
  struct iovec here[2], there[2];
  for (int i = 0; i < 2; i++) {
    here[i] = (struct iovec){range[i].ret, range[i].size};
    there[i] = (struct iovec){(void *)(uintptr_t)range[i].addr, range[i].size};
  }
  return result(process_vm_readv(tid, here, 2, there, 2, 0));
}

ssize_t lt_k_vm_write(pid_t tid, uint64_t addr, const void *bytes, size_t size)
{
  int fault = lt_fault(tid);
  if (fault)
    return fault;
  struct iovec here = {(void *)(uintptr_t)bytes, size}, there = {(void *)(uintptr_t)addr, size};
  return result(process_vm_writev(tid, &here, 1, &there, 1, 0));
}

int lt_k_kill(pid_t pid, int signo)
{
  int fault = lt_fault(pid);
  if (fault)
    return fault;
  return (int)result(kill(pid, signo));
}

int lt_k_tgkill(pid_t pid, pid_t tid, int signo)
{
  int fault = lt_fault(tid);
  if (fault)
    return fault;
  return (int)result(syscall(SYS_tgkill, pid, tid, signo));
}

int lt_k_sigqueue(pid_t pid, pid_t tid, int signo, void *siginfo)
{
  int fault = lt_fault(tid);
  if (fault)
    return fault;
  return (int)result(syscall(SYS_rt_tgsigqueueinfo, pid, tid, signo, siginfo));
}

int lt_k_sched_setaffinity(pid_t tid, size_t size, const void *mask)
{
  int fault = lt_fault(tid);
  if (fault)
    return fault;
  return (int)result(syscall(SYS_sched_setaffinity, tid, size, mask));
}

int lt_k_sched_getaffinity(pid_t tid, size_t size, void *ret)
{
  int fault = lt_fault(tid);
  if (fault)
    return fault;
  return (int)result(syscall(SYS_sched_getaffinity, tid, size, ret));
}

bool lt_k_sched_is_realtime(pid_t tid)
{
  if (lt_fault(tid))
    return false;
  int policy = sched_getscheduler(tid);
  return policy >= 0 && ((policy & ~SCHED_RESET_ON_FORK) == SCHED_FIFO ||
                         (policy & ~SCHED_RESET_ON_FORK) == SCHED_RR ||
                         (policy & ~SCHED_RESET_ON_FORK) == SCHED_DEADLINE);
}

/* "/proc/PID/name" fits: name is one of ours. */
static const char *proc_path(pid_t pid, const char *name, char path[96])
{
  snprintf(path, 96, "/proc/%d/%s", (int)pid, name);
  return path;
}

int lt_k_proc_open(pid_t pid, const char *name, int flags)
{
  int fault = lt_fault(pid);
  if (fault)
    return fault;
  char path[96];
  return (int)result(open(proc_path(pid, name, path), flags | O_CLOEXEC));
}

/* What the name leads to is the tracee's choice: it is looked at before it is opened. */
int lt_k_proc_open_regular(pid_t pid, const char *name, uint64_t inode)
{
  int fault = lt_fault(pid);
  if (fault)
    return fault;
  char path[PATH_MAX + 64], own[32];
  struct stat info;
  if ((size_t)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name) >= sizeof path)
    return -ENAMETOOLONG;
  int place = (int)result(open(path, O_PATH | O_CLOEXEC));
  if (place < 0)
    return place;
  int fd = -ENOENT;
  if (fstat(place, &info) == 0 && S_ISREG(info.st_mode) && (!inode || info.st_ino == inode)) {
    snprintf(own, sizeof own, "/proc/self/fd/%d", place);
    fd = (int)result(open(own, O_RDONLY | O_CLOEXEC));
  }
  close(place);
  return fd;
}

int lt_k_proc_exists(pid_t pid, const char *name)
{
  int fault = lt_fault(pid);
  if (fault)
    return fault;
  char path[96];
  return (int)result(access(proc_path(pid, name, path), F_OK));
}

ssize_t lt_k_pread(int fd, void *ret, size_t size, uint64_t offset)
{
  int fault = lt_fault(0);
  if (fault)
    return fault;
  return result(pread(fd, ret, size, (off_t)offset));
}

ssize_t lt_k_pwrite(int fd, const void *bytes, size_t size, uint64_t offset)
{
  int fault = lt_fault(0);
  if (fault)
    return fault;
  return result(pwrite(fd, bytes, size, (off_t)offset));
}

ssize_t lt_k_proc_readlink(pid_t pid, const char *name, char *ret, size_t size)
{
  int fault = lt_fault(pid);
  if (fault)
    return fault;
  char path[96];
  ssize_t length = result(readlink(proc_path(pid, name, path), ret, size - 1));
  if (length >= 0)
    ret[length] = '\0';
  return length;
}

pid_t lt_k_fork(void)
{
  int fault = lt_fault(0);
  if (fault)
    return fault;
  return (pid_t)result(fork());
}

uint64_t lt_k_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
