/* resume.c - the only function that restarts a thread, and the requests that stop a running one.
 *
 * A thread runs on in the weakest mode that satisfies all who listen: PTRACE_CONT if nobody wants
 * system calls, PTRACE_SYSCALL otherwise, PTRACE_LISTEN in a group stop. */
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "engine.h"

#define ATTEMPTS 3

static bool wants_calls(const lt_session *session)
{
  const uint32_t both = 1u << LT_SYSCALL_ENTRY | 1u << LT_SYSCALL_EXIT;
  if (session->kinds & both)
    return true;
  for (int abi = 0; abi < LT_ABI_COUNT; abi++)
    if (session->all_calls[abi] || session->call_count[abi])
      return true;
  return false;
}

static bool wants_mode_syscall(const lt_thread *thread)
{
  return thread->want_exit || thread->changed_args || wants_calls(thread->session);
}

static unsigned wanted_options(const lt_thread *thread)
{
  const lt_session *session = thread->session;
  unsigned options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE;
  if (!session->options.no_follow)
    options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE;
  if (session->kinds & 1u << LT_EXITING)
    options |= PTRACE_O_TRACEEXIT;
  if (thread->process->launched)
    options |= PTRACE_O_EXITKILL;
  return options;
}

static int set_options(lt_thread *thread)
{
  unsigned options = wanted_options(thread);
  if (thread->options == options)
    return 0;
  long error = lt_k_ptrace(PTRACE_SETOPTIONS, thread->tid, 0, options);
  if (error)
    return lt_thread_failed(thread, (int)error);
  thread->options = options;
  return 0;
}

/* SIGKILL moves a thread silently from its stop to PTRACE_EVENT_EXIT, and a restart would consume
 * that stop. Only where that stop is asked for: look before each restart. */
static bool was_moved_on(lt_thread *thread)
{
  if (!(thread->options & PTRACE_O_TRACEEXIT))
    return false;
  int status;
  pid_t tid = lt_k_waitpid(thread->tid, &status, __WALL | WNOHANG);
  if (tid <= 0)
    return false;
  thread->state = LT_ST_RUNNING;
  lt_wait_push_front(thread->session, tid, status);
  return true;
}

static int restart(lt_thread *thread)
{
  if (thread->listen_signal)
    return (int)lt_k_ptrace(PTRACE_LISTEN, thread->tid, 0, 0);
  int request = thread->traces_calls ? PTRACE_SYSCALL : PTRACE_CONT;
  return (int)lt_k_ptrace(request, thread->tid, 0, (uintptr_t)thread->inject);
}

/* What the thread's last stop leaves behind when it runs on. */
static void leave_stop(lt_thread *thread)
{
  bool at_exit = thread->stop.kind == LT_SYSCALL_EXIT;
  thread->traces_calls = wants_mode_syscall(thread) && !(at_exit && !wants_calls(thread->session));
  if (at_exit || !thread->traces_calls)
    lt_call_end(thread);
}

void lt_resume(lt_thread *thread)
{
  if (thread->state != LT_ST_STOPPED || was_moved_on(thread))
    return;
  thread->held = false;
  bool letting_go = thread->ignored || thread->process->detaching;
  if (letting_go && !thread->changed_args) {
    lt_detach_stopped(thread);
    return;
  }
  if (thread->session->ending && thread->process->launched)
    lt_process_kill(thread->process); /* born after lt_shutdown began */
  leave_stop(thread);
  for (int i = 0; i < ATTEMPTS && thread->state == LT_ST_STOPPED; i++) {
    if (set_options(thread) || lt_regs_flush(thread))
      continue;
    int error = restart(thread);
    if (error == 0)
      thread->state = thread->listen_signal ? LT_ST_LISTENING : LT_ST_RUNNING;
    else
      lt_thread_failed(thread, error);
  }
  if (thread->state == LT_ST_STOPPED) /* no real kernel refuses three times */
    thread->state = LT_ST_DYING;
}

int lt_interrupt_thread(lt_thread *thread)
{
  if (thread->state != LT_ST_RUNNING && thread->state != LT_ST_LISTENING)
    return 0;
  if (thread->interrupted)
    return 0;
  long error = lt_k_ptrace(PTRACE_INTERRUPT, thread->tid, 0, 0);
  if (error && error != -ESRCH) /* once more; ESRCH: it is dying, its status is on the way */
    error = lt_k_ptrace(PTRACE_INTERRUPT, thread->tid, 0, 0);
  thread->interrupted = error == 0;
  return (int)error;
}

void lt_remode(lt_session *session)
{
  bool calls = wants_calls(session);
  lt_thread *thread, *next;
  HASH_ITER(hh, session->threads, thread, next) {
    if (thread->state != LT_ST_RUNNING || thread->ignored || !thread->process)
      continue;
    if ((calls && !thread->traces_calls) || thread->options != wanted_options(thread))
      lt_interrupt_thread(thread);
  }
}

int lt_thread_interrupt(lt_thread *thread)
{
  thread->interrupt_reported = true;
  int error = lt_interrupt_thread(thread);
  if (error)
    lt_fail(thread->session, error, "thread %d cannot be stopped: it is exiting",
            (int)thread->tid);
  return error;
}

int lt_thread_release(lt_thread *thread)
{
  if (!thread->held)
    return lt_fail(thread->session, -EINVAL, "thread %d is not held", (int)thread->tid);
  thread->held = false;
  if (thread->deferred) {
    lt_wait_push_front(thread->session, thread->tid, thread->deferred);
    thread->deferred = 0;
  } else if (!thread->in_hook) {
    lt_resume(thread);
  }
  return 0;
}
