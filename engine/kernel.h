/* kernel.h - the seam: every request that the engine makes about another process goes through
 * here, and so do the clock and /proc. A test build puts a fault injector behind it
 * (kernel_fault.c), so nothing else in engine/ may call ptrace, waitpid, process_vm_*, kill or
 * open below /proc. All return a negated errno on failure. */
#ifndef LT_KERNEL_H
#define LT_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* ptrace(2). PEEK requests are not made through this (their result is ambiguous with an errno):
 * see lt_k_peek. */
long lt_k_ptrace(int request, pid_t tid, uintptr_t addr, uintptr_t data);
/* Read one word (PTRACE_PEEKDATA). */
int lt_k_peek(pid_t tid, uint64_t addr, unsigned long *ret);
/* The same of the thread's struct user (PTRACE_PEEKUSER). */
int lt_k_peek_user(pid_t tid, size_t offset, unsigned long *ret);
/* waitpid(2); 0 with WNOHANG when nothing is ready. Not retried on EINTR. */
pid_t lt_k_waitpid(pid_t pid, int *status, int options);
/* process_vm_readv(2), process_vm_writev(2) with one range on each side. */
ssize_t lt_k_vm_read(pid_t tid, uint64_t addr, void *ret, size_t size);
ssize_t lt_k_vm_write(pid_t tid, uint64_t addr, const void *bytes, size_t size);
/* process_vm_readv(2) of two ranges: the number of bytes of both, the first one's come first. */
struct lt_k_range {
  uint64_t addr;
  void *ret;
  size_t size;
};
ssize_t lt_k_vm_read_two(pid_t tid, const struct lt_k_range range[2]);
/* kill(2), tgkill(2), rt_tgsigqueueinfo(2). */
int lt_k_kill(pid_t pid, int signo);
int lt_k_tgkill(pid_t pid, pid_t tid, int signo);
int lt_k_sigqueue(pid_t pid, pid_t tid, int signo, void *siginfo);

/* sched_setaffinity(2), sched_getaffinity(2): the latter returns how many bytes the kernel has. Whether
 * sched_getscheduler(2) says that it has real-time priority; no where that cannot be told. */
int lt_k_sched_setaffinity(pid_t tid, size_t size, const void *mask);
int lt_k_sched_getaffinity(pid_t tid, size_t size, void *ret);
bool lt_k_sched_is_realtime(pid_t tid);

/* Open a file below /proc/PID, close-on-exec: name is "maps", "mem", "task/12/status", ... */
int lt_k_proc_open(pid_t pid, const char *name, int flags);
/* The same for a file of the tracee's ("root/lib/libc.so.6", "map_files/...") to be read, if it is
 * a regular file with this inode (0: any); else -ENOENT. */
int lt_k_proc_open_regular(pid_t pid, const char *name, uint64_t inode);
/* Whether /proc/PID/name exists: 0, -ENOENT, ... */
int lt_k_proc_exists(pid_t pid, const char *name);
/* pread(2) and pwrite(2) on a descriptor from lt_k_proc_open. */
ssize_t lt_k_pread(int fd, void *ret, size_t size, uint64_t offset);
ssize_t lt_k_pwrite(int fd, const void *bytes, size_t size, uint64_t offset);
/* readlink(2) on /proc/PID/name; the result is terminated. */
ssize_t lt_k_proc_readlink(pid_t pid, const char *name, char *ret, size_t size);

pid_t lt_k_fork(void);
/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t lt_k_now(void);

#endif
