/* resume.c - the only function that restarts a thread, and the requests that stop a running one.
 *
 * A thread runs on in the weakest mode that satisfies all who listen: PTRACE_CONT if nobody wants
 * system calls or a filter stops it at the wanted ones (filter.c), PTRACE_SYSCALL otherwise,
 * PTRACE_SYSEMU where the caller answers them (emulate.c), PTRACE_SINGLESTEP where it steps (steps.c),
 * PTRACE_LISTEN in a group stop. */
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "aggregate.h"
#include "breaks.h"
#include "cpu.h"
#include "steps.h"
#include "watchpoints.h"

#define ATTEMPTS 3

/* Somebody is to see the exit of the call that the thread is in; or, from an entry on, whatever else
 * stops it in that call, so that it is not taken for the entry of the next one. */
static bool wants_exit(const lt_thread *thread)
{
  return thread->want_exit || thread->counts_exit || thread->changed_args || thread->function ||
         thread->results.backs || lt_call_became(thread) || lt_break_wants_exit(thread) ||
         thread->guarded || lt_cpu_asks(thread) || (thread->entered && thread->process->filter);
}

static unsigned wanted_options(const lt_thread *thread)
{
  const lt_session *session = thread->session;
  unsigned options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE;
  if (!session->options.no_follow || lt_sites_any(thread->process) ||
      lt_cpu_holds(thread->process)) /* ours must not get away */
    options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE;
  if (session->kinds & 1u << LT_EXITING)
    options |= PTRACE_O_TRACEEXIT;
  if (thread->process->launched)
    options |= PTRACE_O_EXITKILL;
  if (thread->process->filter)
    options |= PTRACE_O_TRACESECCOMP;
  return options;
}

static int set_options(lt_thread *thread)
{
  unsigned options = wanted_options(thread);
  if (thread->options == options)
    return 0;
  long error = lt_request(thread, PTRACE_SETOPTIONS, 0, options);
  if (error == 0)
    thread->options = options;
  return (int)error;
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

void lt_flush_and_restart(lt_thread *thread, int request, int signo)
{
  lt_cpu_settle(thread, request);
  for (int i = 0; i < ATTEMPTS && thread->state == LT_ST_STOPPED; i++)
    if (lt_regs_flush(thread) == 0 && lt_request(thread, request, 0, (uintptr_t)signo) == 0)
      thread->state = request == PTRACE_LISTEN ? LT_ST_LISTENING : LT_ST_RUNNING;
  thread->sites_seen = thread->process ? lt_sites_changes(thread->process) : 0;
  if (thread->state == LT_ST_STOPPED) /* no real kernel refuses so often */
    thread->state = LT_ST_DYING;
}

/* What the thread's last stop leaves behind when it runs on. */
static void leave_stop(lt_thread *thread, enum lt_way way)
{
  bool at_exit = thread->stop.kind == LT_SYSCALL_EXIT;
  bool wanted = way == LT_WAY_CALL || (at_exit ? lt_results_wait(thread) : wants_exit(thread)) ||
                lt_filter_lacks(thread) || lt_cpu_watches(thread);
  thread->emulates = way != LT_WAY_STEP && lt_emulate_wanted(thread);
  thread->traces_calls = way != LT_WAY_STEP && !thread->emulates && wanted;
  lt_steps_prepare(thread, way);
  if (at_exit || !thread->traces_calls || !thread->in_call)
    lt_call_end(thread);
}

static int restart_request(const lt_thread *thread, enum lt_way way)
{
  if (way == LT_WAY_STEP)
    return PTRACE_SINGLESTEP;
  if (thread->emulates)
    return PTRACE_SYSEMU;
  return thread->traces_calls ? PTRACE_SYSCALL : PTRACE_CONT;
}

/* It is to be let go, and can be: nothing of ours is left in it. */
static bool is_let_go(const lt_thread *thread)
{
  lt_process *process = thread->process;
  return (thread->ignored || process->detaching) && !thread->silent && lt_sites_release(process) &&
         !thread->function && !thread->changed_args && !lt_call_became(thread);
}

void lt_resume(lt_thread *thread)
{
  if (thread->state != LT_ST_STOPPED || lt_freeze_parks(thread, LT_PARKED_RESUME) ||
      was_moved_on(thread))
    return;
  thread->held = false;
  if (lt_emulate_settle(thread) || lt_function_settle(thread) || lt_debug_settle(thread) ||
      lt_steps_settle(thread))
    return;
  if (is_let_go(thread)) {
    if (lt_scratch_unmap(thread) || lt_steps_release(thread))
      return;
    if (!thread->process->filter) {
      lt_detach_stopped(thread);
      return;
    }
    lt_silence(thread);
  }
  if (lt_trap_state_settle(thread))
    return;
  enum lt_way way = lt_steps_way(thread);
  bool restarted = lt_break_settle(thread);
  if (lt_steps_at_site(thread, restarted)) {
    lt_resume(thread);
    return;
  }
  if (restarted)
    return;
  lt_remote_resend(thread);
  if (thread->session->ending && thread->process->launched && !thread->silent)
    lt_process_kill(thread->process); /* born after lt_shutdown began */
  leave_stop(thread, way);
  lt_debug_prepare(thread);
  set_options(thread);
  if (thread->listen_signal)
    lt_flush_and_restart(thread, PTRACE_LISTEN, 0);
  else
    lt_flush_and_restart(thread, restart_request(thread, way), thread->inject);
}

int lt_interrupt_thread(lt_thread *thread)
{
  /* Asked again even if it was asked before: the kernel forgets the request at any other stop. */
  if (thread->state != LT_ST_RUNNING && thread->state != LT_ST_LISTENING)
    return 0;
  long error = lt_k_ptrace(PTRACE_INTERRUPT, thread->tid, 0, 0);
  if (error) /* believed the second time, as in lt_thread_failed: it is dying, a status will come */
    error = lt_k_ptrace(PTRACE_INTERRUPT, thread->tid, 0, 0);
  thread->interrupted = error == 0;
  return (int)error;
}

void lt_remode(lt_session *session)
{
  lt_thread *thread, *next;
  HASH_ITER(hh, session->threads, thread, next) {
    bool asked = thread->interrupted; /* many subscriptions often change at once */
    if (thread->state != LT_ST_RUNNING || thread->ignored || !thread->process || asked)
      continue;
    bool weaker = lt_emulate_weaker(thread) ||
                  (!thread->traces_calls && !thread->emulates && lt_filter_lacks(thread));
    if (weaker || thread->options != wanted_options(thread))
      lt_interrupt_thread(thread);
  }
}

int lt_thread_interrupt(lt_thread *thread)
{
  thread->interrupt_reported = true;
  int error = lt_interrupt_thread(thread);
  if (error)
    lt_fail(thread->session, error, "thread %d cannot be stopped: it is exiting", (int)thread->tid);
  return error;
}

int lt_thread_release(lt_thread *thread)
{
  if (!thread->held)
    return lt_fail(thread->session, -EINVAL, "thread %d is not held", (int)thread->tid);
  thread->held = false;
  if (thread->in_hook)
    return 0;
  if (thread->late_exit) { /* no hook is called from here: see lt_freeze_go_on() */
    thread->late_exit = false;
    thread->parked = LT_PARKED_REPORT;
    thread->session->thawed = true;
    return 0;
  }
  lt_settle(thread, LT_RESUME);
  return 0;
}
