/* dispatch.c - one wait status: find its thread, make the record, call the hook, settle. */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "aggregate.h"
#include "breaks.h"
#include "cpu.h"
#include "probe.h"
#include "steps.h"

static bool wanted(const lt_thread *thread, uint16_t kind)
{
  const lt_session *session = thread->session;
  if (thread->ignored || thread->silent || session->ending)
    return false;
  if (thread->process->detaching)
    return kind == LT_PROCESS_EXIT;
  switch (kind) {
  case LT_START:
  case LT_PROCESS_EXIT:
  case LT_SPAWN_FAILED:
  case LT_REMOTE_DONE: /* somebody asked for it */
  case LT_FUNCTION_DONE:
  case LT_STEPPED:
  case LT_RETURN:
    return true;
  case LT_SYSCALL_ENTRY: /* calls.c asked already */
    return true;
  case LT_SYSCALL_EXIT:
    return thread->want_exit || (session->kinds & 1u << kind);
  case LT_INTERRUPT:
    return thread->interrupt_reported || (session->kinds & 1u << kind);
  default:
    return session->kinds & 1u << kind;
  }
}

void lt_record(lt_thread *thread, enum lt_kind kind, int status)
{
  thread->stop = (struct lt_stop){
      .version = LT_STOP_VERSION,
      .kind = (uint16_t)kind,
      .status = status,
      .tid = thread->tid,
      .pid = thread->process ? thread->process->pid : 0,
  };
}

enum lt_verdict lt_report_record(lt_thread *thread, struct lt_stop *record)
{
  lt_session *session = thread->session;
  record->seq = ++session->seq;
  if (record->kind == LT_RETURN && lt_aggregate_on_return(thread, record))
    return LT_RESUME;
  if (!wanted(thread, record->kind))
    return LT_RESUME;
  thread->in_hook = true;
  enum lt_verdict verdict = session->hooks.stop(session->data, thread, record);
  thread->in_hook = false;
  return verdict;
}

enum lt_verdict lt_report(lt_thread *thread)
{
  if (lt_freeze_parks(thread, LT_PARKED_REPORT))
    return LT_HOLD;
  return lt_report_record(thread, &thread->stop);
}

void lt_settle(lt_thread *thread, enum lt_verdict verdict)
{
  if (thread->remote) {
    lt_remote_resume(thread);
    return;
  }
  if (thread->parked) /* goes on when its process thaws */
    return;
  thread->held = verdict == LT_HOLD && thread->stop.kind != LT_EXITING &&
                 !thread->process->detaching && !thread->ignored && !thread->session->ending;
  if (thread->held)
    return;
  if (thread->late_exit) {
    thread->late_exit = false;
    lt_settle(thread, lt_report(thread));
  } else if (thread->deferred) { /* a stop is still to be dealt with */
    lt_remote_resend(thread);
    lt_regs_flush(thread); /* what the hook has changed */
    if (thread->stop.kind == LT_SYSCALL_EXIT)
      lt_call_end(thread);
    lt_wait_push_front(thread->session, thread->tid, thread->deferred);
    thread->deferred = 0;
  } else {
    lt_resume(thread);
  }
}

static void report_and_settle(lt_thread *thread)
{
  lt_settle(thread, lt_report(thread));
}

/* The stops that need nothing but a record. */
static void on_plain_stop(lt_thread *thread, struct lt_class class, int status)
{
  lt_record(thread, class.kind, status);
  thread->interrupt_reported = thread->interrupt_reported && class.kind == LT_INTERRUPT;
  if (class.kind == LT_SIGNAL)
    thread->inject = class.signo;
  if (class.kind == LT_GROUP_STOP)
    thread->listen_signal = class.signo;
  if (class.kind == LT_SIGNAL || class.kind == LT_GROUP_STOP)
    thread->stop.u.signal.signo = class.signo;
  bool ours = thread->process->starting || /* between fork and exec it is still our own code */
              (class.kind == LT_SIGNAL &&
               (lt_remote_expected(thread, class.signo) || lt_resent_arrives(thread, class.signo)));
  if (!ours && class.kind == LT_SIGNAL)
    lt_aggregate_on_signal(thread);
  if (ours)
    lt_resume(thread);
  else
    report_and_settle(thread);
  /* The thread may be gone now. */
}

/* PTRACE_EVENT_EXIT: the last look at the thread. It is never held: SIGKILL would not free it. */
static void on_exiting(lt_thread *thread, int status)
{
  unsigned long message = 0;
  long error = lt_request(thread, PTRACE_GETEVENTMSG, 0, (uintptr_t)&message);
  lt_remote_free(thread); /* a call for us ends with the thread */
  lt_function_free_all(thread);
  lt_record(thread, LT_EXITING, status);
  int code = (int)message;
  thread->stop.u.exit.known = error == 0;
  thread->stop.u.exit.code = error == 0 && WIFEXITED(code) ? WEXITSTATUS(code) : -1;
  thread->stop.u.exit.signal = error == 0 && WIFSIGNALED(code) ? WTERMSIG(code) : 0;
  thread->stop.u.exit.core = error == 0 && WIFSIGNALED(code) && WCOREDUMP(code);
  report_and_settle(thread);
}

void lt_enter_stop(lt_thread *thread, int status)
{
  thread->state = LT_ST_STOPPED;
  thread->inject = 0;
  thread->listen_signal = 0;
  thread->own_info = thread->entered = false;
  if (status >> 16 == PTRACE_EVENT_STOP)
    thread->interrupted = false;
  lt_regs_forget(thread);
  lt_cpu_on_stop(thread, status);
}

static void on_stopped(lt_thread *thread, int status)
{
  enum lt_state before = thread->state;
  struct lt_class class = lt_classify(status, before, thread->interrupted);
  bool second = class.filtered && thread->entered;
  lt_enter_stop(thread, status);
  if (thread->how == LT_HOW_ATTACHED && !thread->pointer)
    lt_probe_note(thread);
  if (second) {
    lt_filter_on_second_stop(thread);
    return;
  }
  if (lt_slot_on_stop(thread, &class, &status))
    return;
  lt_steps_on_stop(thread, class);
  bool for_remote = thread->remote && class.kind != LT_EXITING;
  if (for_remote && !(class.kind == LT_NONE && lt_remote_leaves_call(thread))) {
    lt_remote_on_stop(thread, class, status);
    return;
  }
  if (class.kind == LT_SIGNAL && lt_function_on_signal(thread, class.signo))
    return;
  if (class.kind == LT_SIGNAL && class.signo == SIGTRAP && lt_trap_on_signal(thread, status))
    return;
  if (class.kind == LT_SIGNAL && class.signo == SIGILL && lt_probe_on_illegal(thread, status))
    return;
  if (before == LT_ST_NEWBORN && class.kind != LT_BIRTH && class.kind != LT_EXITING &&
      !lt_on_early_stop(thread, status))
    return;

  switch (class.kind) {
  case LT_NONE:
    lt_on_syscall_stop(thread, status);
    break;
  case LT_CLONE:
    lt_on_clone_event(thread, status, class.how);
    break;
  case LT_EXITING:
    on_exiting(thread, status);
    break;
  case LT_BIRTH:
    thread->listen_signal = class.signo;
    lt_on_first_stop(thread, status);
    break;
  default:
    on_plain_stop(thread, class, status);
  }
}

void lt_dispatch(lt_session *session, pid_t tid, int status)
{
  lt_thread *thread = lt_task_thread(session, tid);
  if (WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_EXEC)
    lt_on_exec_event(session, tid, status); /* reported for the leader, whoever made the call */
  else if (WIFSTOPPED(status) && thread)
    on_stopped(thread, status);
  else if (WIFSTOPPED(status))
    lt_on_unknown_stop(session, tid, status);
  else if (thread)
    lt_on_gone(thread, status);
  else
    lt_stray_add(session, tid, status);
}
