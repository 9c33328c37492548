/* freeze.c - a process stands still as a whole.
 *
 * Its running threads are interrupted, and each stays at whatever stop comes first. The engine goes
 * through that stop as always (the record is made, a system call begins, a child gets its name),
 * but does not take the last step: the thread is parked before its report or before its restart.
 * After the thaw lt_step() takes that step. Nothing waits for the stops, as some threads cannot
 * stop.
 *
 * A fork's report that is put off must still come before all reports of the child: its process is
 * frozen for so long. */
#include <errno.h>

#include <utlist.h>

#include "breaks.h"
#include "proc.h"

bool lt_freeze_parks(lt_thread *thread, enum lt_parked what)
{
  const lt_process *process = thread->process;
  if (!process || !process->frozen || thread->unfrozen || thread->remote || thread->function ||
      process->starting)
    return false;
  if (process->detaching || thread->ignored || thread->session->ending) {
    lt_freeze_forget(thread);
    return false;
  }
  if (thread->state != LT_ST_STOPPED || thread->stop.kind == LT_EXITING)
    return false;
  if (thread->parked) /* one whose report is due is not done with */
    return true;
  thread->parked = (uint8_t)what;
  thread->parked_stop = thread->stop;
  return true;
}

void lt_process_freeze(lt_process *process, lt_thread *but)
{
  lt_thread *thread;
  process->frozen++;
  if (but)
    but->unfrozen = true;
  DL_FOREACH(process->threads, thread)
    if (thread->state == LT_ST_RUNNING && !thread->unfrozen && !thread->remote)
      lt_interrupt_thread(thread);
}

static void thaw(lt_process *process)
{
  if (process->frozen > 0)
    process->frozen--;
  process->session->thawed = true;
}

void lt_process_thaw(lt_process *process)
{
  lt_thread *thread;
  thaw(process);
  DL_FOREACH(process->threads, thread)
    thread->unfrozen = false;
}

/* It will not run any instruction of the program's before it comes to a stop. */
static bool cannot_stop(lt_thread *thread)
{
  struct lt_proc_status status;
  if (thread->remote || thread->function || thread->unfrozen ||
      lt_proc_status(thread->tid, &status) != 0)
    return true;
  bool sleeps = status.state == 'D', again = thread->sleeps && sleeps; /* not for a page only */
  thread->sleeps = sleeps;
  return again || status.state == 'Z' || status.state == 'X';
}

bool lt_process_still(const lt_process *process)
{
  lt_thread *thread;
  DL_FOREACH(process->threads, thread) {
    bool runs = thread->state == LT_ST_RUNNING || thread->state == LT_ST_NEWBORN;
    if (runs && !cannot_stop(thread))
      return false;
  }
  return true;
}

int lt_thread_hold(lt_thread *thread)
{
  int error = lt_thread_access(thread);
  if (error)
    return lt_fail(thread->session, error, "thread %d is not stopped", (int)thread->tid);
  thread->held |= thread->parked != LT_PARKED_NOT;
  return 0;
}

/* ---- The thaw ----------------------------------------------------------------------------- */

void lt_freeze_keep_child(lt_thread *creator, lt_process *child)
{
  child->frozen++;
  creator->parked_child = child->pid;
}

void lt_freeze_forget(lt_thread *thread)
{
  lt_process *child =
      thread->parked_child ? lt_task_process(thread->session, thread->parked_child) : NULL;
  thread->parked_child = 0;
  thread->parked = LT_PARKED_NOT;
  if (child)
    thaw(child);
}

/* A call for us that began inside a call of the thread's own has moved it on to the exit of that,
 * which is reported in its turn. */
static enum lt_verdict report_parked(lt_thread *thread)
{
  if (thread->stop.kind == LT_BREAK && !thread->late_exit)
    return lt_break_report(thread);
  if (!thread->late_exit || thread->parked_stop.kind == thread->stop.kind)
    return lt_report(thread);
  struct lt_stop record = thread->parked_stop;
  return lt_report_record(thread, &record);
}

static void go_on(lt_thread *thread)
{
  bool report = thread->parked == LT_PARKED_REPORT;
  thread->parked = LT_PARKED_NOT;
  if (report) {
    enum lt_verdict verdict = report_parked(thread);
    lt_freeze_forget(thread);
    lt_settle(thread, verdict);
  } else if (!thread->held) {
    lt_settle(thread, LT_RESUME);
  }
}

static lt_thread *first_due(const lt_session *session)
{
  for (lt_thread *thread = session->threads; thread; thread = thread->hh.next)
    if (thread->parked && !thread->process->frozen)
      return thread;
  return NULL;
}

/* A hook may change the table, so each search starts over. Some may put a status back: the queue
 * must have room. */
int lt_freeze_go_on(lt_session *session)
{
  int count = 0;
  lt_thread *thread = NULL;
  if (!session->thawed)
    return 0;
  session->thawed = false;
  while (session->queue_to < LT_QUEUE / 2 && (thread = first_due(session))) {
    go_on(thread);
    count++;
  }
  session->thawed |= thread != NULL;
  return count;
}
