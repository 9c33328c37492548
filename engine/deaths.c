/* deaths.c - exec, which ends all threads but one, and exits. */
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <utlist.h>

#include "breaks.h"
#include "cpu.h"
#include "loads.h"
#include "returns.h"
#include "steps.h"

static void set_exit(struct lt_stop *stop, int status, bool known)
{
  stop->status = known ? status : 0;
  stop->u.exit.known = known;
  stop->u.exit.code = known && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  stop->u.exit.signal = known && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  stop->u.exit.core = known && WIFSIGNALED(status) && WCOREDUMP(status);
}

static void report_end(lt_thread *thread, enum lt_kind kind, int status, bool known)
{
  thread->state = LT_ST_DEAD;
  lt_freeze_forget(thread);
  lt_record(thread, kind, status);
  set_exit(&thread->stop, status, known);
  lt_report(thread);
}

/* Threads that ended without a status of their own: after exec, or under a leader that is gone. */
static void end_others(lt_process *process, const lt_thread *survivor)
{
  lt_thread *thread, *next;
  DL_FOREACH_SAFE(process->threads, thread, next) {
    if (thread == survivor)
      continue;
    report_end(thread, LT_THREAD_EXIT, 0, false);
    lt_task_free_thread(thread);
  }
}

/* The process may be freed with its last thread. */
static void on_process_end(lt_thread *thread, int status, bool known)
{
  lt_session *session = thread->session;
  lt_process *process = thread->process;
  pid_t pid = process->pid;
  end_others(process, thread);
  report_end(thread, LT_PROCESS_EXIT, status, known && thread->tid == pid);
  lt_task_free_thread(thread);
  lt_adopt_orphans_of(session, pid);
}

static void on_spawn_failed(lt_thread *thread, int status)
{
  thread->state = LT_ST_DEAD;
  enum lt_spawn_step step;
  int error = lt_spawn_error(thread->process, &step);
  lt_record(thread, LT_SPAWN_FAILED, status);
  thread->stop.u.spawn.error = error ? error : EINTR; /* no word: killed before it could try */
  thread->stop.u.spawn.step = step;
  lt_report(thread);
  lt_task_free_thread(thread);
}

void lt_on_gone(lt_thread *thread, int status)
{
  lt_session *session = thread->session;
  lt_process *process = thread->process;
  if (!process) { /* an orphan: whoever names it finds the stray */
    lt_stray_add(session, thread->tid, status);
    session->orphans--;
    lt_task_free_thread(thread);
    return;
  }
  if (process->starting && thread->tid == process->pid) {
    on_spawn_failed(thread, status);
    return;
  }
  report_end(thread, LT_THREAD_EXIT, status, true);
  bool last = process->threads == thread && thread->next == NULL;
  if (thread->tid == process->pid || last)
    on_process_end(thread, status, true);
  else
    lt_task_free_thread(thread);
}

void lt_on_lost(lt_thread *thread)
{
  report_end(thread, LT_THREAD_EXIT, 0, false);
  on_process_end(thread, 0, false);
}

/* ---- exec --------------------------------------------------------------------------------- */

static void launched_program_runs(lt_thread *thread, int status)
{
  lt_process *process = thread->process;
  enum lt_spawn_step step;
  process->starting = false;
  lt_spawn_error(process, &step); /* closes the pipe */
  lt_settle(thread, lt_announce(thread, status));
}

static void new_space(lt_process *process)
{
  struct lt_space *space = lt_space_new();
  if (!space) { /* no memory: what is known of the old one is forgotten in place */
    lt_fail(process->session, -ENOMEM, "out of memory");
    return;
  }
  struct lt_space *old = process->space->processes > 1 ? process->space : NULL;
  lt_space_leave(process->space);
  process->space = space;
  if (old)
    lt_sites_left(process->session, old);
}

/* The kernel reports exec for the leader's tid; the message is the tid that made the call. That
 * thread now has the leader's tid, and every other one is gone without a word. */
void lt_on_exec_event(lt_session *session, pid_t tid, int status)
{
  unsigned long message = 0;
  lt_thread *leader = lt_task_thread(session, tid);
  long error = lt_k_ptrace(PTRACE_GETEVENTMSG, tid, 0, (uintptr_t)&message);
  lt_thread *caller = error ? leader : lt_task_thread(session, (pid_t)message);
  lt_thread *thread = caller && caller->process ? caller : leader;
  if (!thread || !thread->process) {
    lt_on_unknown_stop(session, tid, status);
    return;
  }
  pid_t former = thread->tid;
  lt_process *process = thread->process;
  end_others(process, thread);
  if (former != tid)
    lt_task_rekey(thread, tid);
  lt_enter_stop(thread, status);
  lt_slot_step_free(thread);
  thread->at_site = (struct lt_at_site){0};
  thread->trap_step = 0;
  process->trap_action.kind = LT_TRAP_DEFAULT; /* looked at when something is planted */
  if (error)
    lt_thread_failed(thread, (int)error);
  lt_mem_forget(process);
  lt_cpu_exec(thread);
  new_space(process);
  thread->debug_version = 0; /* the kernel has cleared them */
  thread->debug_hits = 0;
  lt_function_lost(thread);
  lt_steps_lost(thread);
  lt_returns_lost(thread);

  if (process->starting) {
    launched_program_runs(thread, status);
  } else {
    if (!thread->silent)
      lt_loads_begin(thread);
    lt_record(thread, LT_EXEC, status);
    thread->stop.u.exec.former_tid = former;
    lt_settle(thread, lt_report(thread));
  }
  lt_adopt_orphans_of(session, tid);
}
