/* remote_signal.c - signals around what a thread does for us: none is delivered during a system
 * call, and the one that it had stopped for comes again with the siginfo that it had. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ptrace.h>

#include "proc.h"
#include "remote.h"

int lt_remote_swap_mask(lt_thread *thread, const uint64_t *new, uint64_t *old)
{
  long error = 0;
  if (old)
    error = lt_request(thread, PTRACE_GETSIGMASK, sizeof *old, (uintptr_t)old);
  if (error == 0)
    error = lt_request(thread, PTRACE_SETSIGMASK, sizeof *new, (uintptr_t) new);
  return (int)error;
}

/* Where the kernel would put a mask back after the handler (sigsuspend), blocking all would lose
 * it, and the signal would find itself blocked. */
int lt_remote_keep_signal(lt_thread *thread)
{
  struct lt_proc_status status;
  uint64_t mask = 0;
  if (thread->expects)
    return 0;
  long error = lt_request(thread, PTRACE_GETSIGMASK, sizeof mask, (uintptr_t)&mask);
  if (error == 0)
    error = lt_proc_status(thread->tid, &status);
  if (error == 0 && status.blocked != mask)
    return lt_fail(thread->session, -EBUSY,
                   "thread %d is waiting for this signal (sigsuspend): it cannot make a call for "
                   "us before it is delivered",
                   (int)thread->tid);
  thread->expects = error == 0 ? malloc(sizeof *thread->expects) : NULL;
  if (error == 0 && !thread->expects)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  if (error == 0)
    error = lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)thread->expects);
  return (int)error;
}

void lt_remote_resend(lt_thread *thread)
{
  if (!thread->expects || thread->stop.kind != LT_SIGNAL)
    return;
  siginfo_t info = {.si_signo = thread->inject, .si_code = SI_QUEUE};
  int signo = thread->inject;
  thread->inject = 0;
  int error = signo ? lt_k_sigqueue(thread->process->pid, thread->tid, signo, &info) : 0;
  if (error) /* believed the second time */
    error = lt_k_sigqueue(thread->process->pid, thread->tid, signo, &info);
  if (signo == 0 || error) { /* suppressed, or the thread is gone */
    free(thread->expects);
    thread->expects = NULL;
    return;
  }
  if (thread->expects->si_signo != signo) /* replaced: what was known of the old one is no use */
    *thread->expects = info;
}

bool lt_remote_expected(lt_thread *thread, int signo)
{
  if (!thread->expects || thread->expects->si_signo != signo)
    return false;
  lt_request(thread, PTRACE_SETSIGINFO, 0, (uintptr_t)thread->expects);
  free(thread->expects);
  thread->expects = NULL;
  return true;
}
