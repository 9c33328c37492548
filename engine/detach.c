/* detach.c - let processes go, and end a session, leaving nothing behind.
 *
 * A thread can be detached only in a stop. Running ones are interrupted and let go at whatever
 * stop comes first, with the signal of that stop passed on. Nothing waits for one thread: a vfork
 * parent cannot stop before its child has let go of it, and the child is let go independently. */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>

#include <utlist.h>

#include "breaks.h"
#include "cpu.h"
#include "watchpoints.h"

#define SHUTDOWN_NS ((uint64_t)1000 * 1000 * 1000)

void lt_detach_stopped(lt_thread *thread)
{
  lt_call_restore(thread);
  lt_debug_clear(thread);
  lt_cpu_let_go(thread);
  for (int i = 0; i < 3 && thread->state == LT_ST_STOPPED; i++) {
    if (lt_regs_flush(thread))
      continue;
    if (lt_request(thread, PTRACE_DETACH, 0, (uintptr_t)thread->inject) == 0)
      lt_task_free_thread(thread);
    return;
  }
}

/* Detach now if it stands still, else ask it to. */
static void let_go(lt_thread *thread)
{
  if (thread->in_hook)
    return; /* when the hook returns */
  thread->held = false;
  if (thread->state == LT_ST_STOPPED)
    lt_resume(thread);
  else
    lt_interrupt_thread(thread);
}

int lt_process_detach(lt_process *process)
{
  process->detaching = true;
  lt_thread *thread, *next;
  DL_FOREACH_SAFE(process->threads, thread, next)
    let_go(thread);
  return 0;
}

int lt_thread_ignore(lt_thread *thread)
{
  lt_process *process = thread->process;
  if (!process)
    return -ESRCH;
  thread->ignored = true;
  if (process->threads == thread && !thread->next)
    return lt_process_detach(process);
  let_go(thread);
  return 0;
}

int lt_process_kill(lt_process *process)
{
  int error = lt_k_kill(process->pid, SIGKILL);
  if (error)
    lt_fail(process->session, error, "process %d cannot be killed: %s", (int)process->pid,
            lt_errno_text(-error));
  return error;
}

void lt_shutdown(lt_session *session)
{
  session->ending = true;
  uint64_t deadline = lt_k_now() + SHUTDOWN_NS;
  lt_process *process, *next;
  HASH_ITER(hh, session->processes, process, next) {
    if (process->silent)
      continue;
    if (process->launched && lt_process_kill(process) != 0)
      lt_process_kill(process);
    if (!process->launched)
      lt_process_detach(process);
  }
  while (HASH_COUNT(session->threads) > session->silent && lt_k_now() < deadline) {
    session->interrupted = 0;
    int error = lt_step(session, 100);
    if (error < 0 && error != -EINTR)
      break;
  }
  session->ending = false;
}

void lt_emergency(lt_session *session)
{
  /* What was attached to is let go by the kernel when we exit. */
  for (lt_process *process = session->processes; process; process = process->hh.next)
    if (process->launched)
      kill(process->pid, SIGKILL);
    else
      lt_sites_emergency(process);
}
