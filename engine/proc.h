/* proc.h - what the engine reads in /proc/PID. */
#ifndef LT_PROC_H
#define LT_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lt_proc_status {
  char name[16]; /* what the program calls itself: hostile */
  char state;    /* as in ps(1): R S D T t Z X */
  pid_t tgid, ppid, tracer;
  uid_t uid;
  uint64_t blocked;         /* signal mask, bit per signal from 1 */
  uint64_t ignored, caught; /* the same of dispositions */
  unsigned filters;         /* of seccomp(2); 0 where the kernel does not tell (before 5.9) */
  bool kernel_thread;
};

/* /proc/TID/status. Returns 0 or a negated errno (ESRCH when the thread is gone). */
int lt_proc_status(pid_t tid, struct lt_proc_status *ret);
/* The integer in a file such as /proc/sys/kernel/yama/ptrace_scope; -1 if there is none. */
int lt_proc_sysctl(const char *path);
/* Whether any process at all is traced by us: reads the whole of /proc. */
bool lt_proc_any_tracee(void);

#endif
