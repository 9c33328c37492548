/* kernel_fault.h - the question that the seam asks before each request. */
#ifndef LT_KERNEL_FAULT_H
#define LT_KERNEL_FAULT_H

#include <sys/types.h>

#ifdef LT_FAULTS
/* Count this request; 0 to go on, or the negated errno that it shall fail with. `tid` is its
 * target, 0 if it has none. */
int lt_fault(pid_t tid);
/* The same for waitpid, which has no target and cannot fail with ESRCH. */
int lt_fault_wait(void);
/* In the process that reads object files, before it answers about the file of that name. */
void lt_fault_reader(const char *name);
#else
static inline int lt_fault(pid_t tid)
{
  (void)tid;
  return 0;
}
static inline int lt_fault_wait(void)
{
  return 0;
}
static inline void lt_fault_reader(const char *name)
{
  (void)name;
}
#endif

#endif
