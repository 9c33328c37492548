/* resume.c - the only function that restarts a thread, and the requests that stop a running one.
 *
 * A thread runs on in the weakest mode that satisfies all who listen: PTRACE_CONT if nobody wants
 * system calls, PTRACE_SYSCALL otherwise, PTRACE_SYSEMU where the caller answers them (emulate.c),
 * PTRACE_SINGLESTEP where it steps (steps.c), PTRACE_LISTEN in a group stop. */
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "aggregate.h"
#include "breaks.h"
#include "cpu.h"
#include "steps.h"
#include "watchpoints.h"

#define ATTEMPTS 3

static bool wants_calls(const lt_session *session)
{
  const uint32_t both = 1u << LT_SYSCALL_ENTRY | 1u << LT_SYSCALL_EXIT;
  if (session->kinds & both || lt_aggregate_any_call(session))
    return true;
  for (int abi = 0; abi < LT_ABI_COUNT; abi++)
    if (session->all_calls[abi] || session->call_count[abi])
      return true;
  return false;
}

static bool wants_mode_syscall(const lt_thread *thread)
{
  return thread->want_exit || thread->counts_exit || thread->changed_args || thread->function || thread->results.backs ||
         lt_call_became(thread) || lt_break_wants_exit(thread) || wants_calls(thread->session);
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
  bool wanted = way == LT_WAY_CALL ||
                (wants_mode_syscall(thread) && !(at_exit && !wants_calls(thread->session)));
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

void lt_resume(lt_thread *thread)
{
  if (thread->state != LT_ST_STOPPED || lt_freeze_parks(thread, LT_PARKED_RESUME) ||
      was_moved_on(thread))
    return;
  thread->held = false;
  if (lt_emulate_settle(thread) || lt_function_settle(thread) || lt_debug_settle(thread) ||
      lt_steps_settle(thread))
    return;
  bool letting_go =
      (thread->ignored || thread->process->detaching) && lt_sites_release(thread->process);
  if (letting_go && !thread->function && !thread->changed_args && !lt_call_became(thread)) {
    if (!lt_scratch_unmap(thread) && !lt_steps_release(thread))
      lt_detach_stopped(thread);
    return;
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
  if (thread->session->ending && thread->process->launched)
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
  bool calls = wants_calls(session);
  lt_thread *thread, *next;
  HASH_ITER(hh, session->threads, thread, next) {
    bool asked = thread->interrupted; /* many subscriptions often change at once */
    if (thread->state != LT_ST_RUNNING || thread->ignored || !thread->process || asked)
      continue;
    bool weaker =
        lt_emulate_weaker(thread) || (calls && !thread->traces_calls && !thread->emulates);
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
