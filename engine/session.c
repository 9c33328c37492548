/* session.c - a session's life, its subscriptions, and the loop. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "aggregate.h"
#include "answers.h"
#include "cpu.h"
#include "engine.h"
#include "file.h"
#include "filter.h"
#include "loads.h"
#include "proc.h"

const char *lt_version(void)
{
  return LT_VERSION;
}

int lt_session_create(const struct lt_options *options, const struct lt_hooks *hooks, void *data,
                      lt_session **ret)
{
  lt_session *session = calloc(1, sizeof *session);
  if (!session)
    return -ENOMEM;
  if (options)
    memcpy(&session->options, options,
           options->size < sizeof *options ? options->size : sizeof *options);
  memcpy(&session->hooks, hooks, hooks->size < sizeof *hooks ? hooks->size : sizeof *hooks);
  session->data = data;
  session->is_filtered = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0;
  if (lt_inherit_remember(session) != 0) {
    free(session);
    return -ENOMEM;
  }
  lt_cpu_init(session);
  *ret = session;
  return 0;
}

void lt_session_destroy(lt_session *session)
{
  if (session->threads)
    lt_shutdown(session);
  for (lt_process *process = session->processes; process; process = process->hh.next)
    if (process->silent) /* it needs us */
      lt_process_kill(process);
  lt_task_free_all(session);
  lt_cpu_free(session);
  lt_reader_free(session);
  lt_files_free(session);
  if (session->ignored_signals >> (SIGCHLD - 1) & 1)
    signal(SIGCHLD, SIG_IGN);
  lt_watch_free(session);
  lt_lines_free(session);
  lt_aggregations_free(session);
  while (session->every_selector)
    lt_selector_free(session->every_selector);
  free(session->counters);
  lt_answers_free(session);
  free(session->inherited);
  free(session);
}

/* ---- Subscriptions ------------------------------------------------------------------------ */

int lt_subscribe(lt_session *session, enum lt_kind kind, bool on)
{
  if (kind <= LT_NONE || kind >= LT_KIND_COUNT)
    return lt_fail(session, -EINVAL, "there is no stop kind %d", (int)kind);
  session->kinds = on ? session->kinds | 1u << kind : session->kinds & ~(1u << kind);
  session->calls_version++;
  if (kind == LT_LOAD)
    lt_loads_wanted(session, on);
  lt_remode(session);
  return 0;
}

int lt_subscribe_syscall(lt_session *session, enum lt_abi abi, int nr, bool on)
{
  unsigned max = sizeof session->calls[0] * 8;
  if (abi >= LT_ABI_COUNT || nr < LT_ALL_SYSCALLS || nr >= (int)max)
    return lt_fail(session, -EINVAL, "there is no system call %d", nr);
  if (nr == LT_ALL_SYSCALLS) {
    session->all_calls[abi] = on;
  } else {
    uint64_t *word = &session->calls[abi][nr / 64], bit = (uint64_t)1 << (nr % 64);
    bool was = *word & bit;
    *word = on ? *word | bit : *word & ~bit;
    session->call_count[abi] += (unsigned)on - (unsigned)was;
  }
  session->calls_version++;
  lt_remode(session);
  return 0;
}

/* ---- The loop ----------------------------------------------------------------------------- */

/* Threads that the caller knows of, or will. */
static bool any_seen(const lt_session *session)
{
  return HASH_COUNT(session->threads) > session->silent;
}

/* The table is empty; is a newborn on its way whose creator died before it could name it? Only if
 * there are children at all, and those we were born with do not count. */
static bool nothing_traced(lt_session *session)
{
  if (any_seen(session) || session->queue_from < session->queue_to)
    return false;
  if (session->silent)
    return true;
  int ready = lt_wait_fill(session, 0);
  return ready == -ECHILD || (ready <= 0 && !lt_proc_any_tracee());
}

static uint64_t deadline_of(const lt_session *session, int timeout_ms)
{
  uint64_t orphan = lt_orphan_deadline(session), deadline = UINT64_MAX;
  if (timeout_ms == 0)
    return 0;
  if (timeout_ms > 0)
    deadline = lt_k_now() + (uint64_t)timeout_ms * 1000000u;
  else if (!session->threads) /* see nothing_traced: look again soon */
    deadline = lt_k_now() + (uint64_t)20 * 1000000u;
  return deadline < orphan ? deadline : orphan;
}

static int dispatch_queue(lt_session *session)
{
  int count = 0;
  while (session->queue_from < session->queue_to) {
    struct lt_pending next = session->queue[session->queue_from++];
    if (next.tid == 0) /* overtaken by its thread's death */
      continue;
    lt_dispatch(session, next.tid, next.status);
    count++;
  }
  return count;
}

/* The kernel knows no tracee of ours any more, so the records that are left tell of threads whose
 * end was taken elsewhere. */
static void forget_lost_threads(lt_session *session)
{
  while (session->threads) {
    lt_thread *thread = session->threads;
    if (thread->process)
      lt_on_lost(thread);
    else
      lt_task_free_thread(thread);
  }
  session->orphans = 0;
}

static int step(lt_session *session, int timeout_ms)
{
  int late = lt_freeze_go_on(session);
  if (late > 0)
    return late;
  int ready = lt_wait_fill(session, deadline_of(session, timeout_ms));
  if (ready == -EINTR)
    session->interrupted = 0;
  if (ready == -ECHILD && session->threads) {
    forget_lost_threads(session);
    return 1;
  }
  if (ready < 0)
    return ready;
  int count = dispatch_queue(session);
  lt_watch_dispatch(session);
  lt_adopt_late_orphans(session);
  return count;
}

int lt_step(lt_session *session, int timeout_ms)
{
  if (session->stepping)
    return lt_fail(session, -EBUSY, "lt_step() cannot be called from a hook");
  session->stepping = true;
  int count = nothing_traced(session) ? -ECHILD : step(session, timeout_ms);
  session->stepping = false;
  return count;
}

int lt_watch_wait(lt_session *session, int timeout_ms)
{
  if (!session->threads)
    return lt_watch_alone(session, timeout_ms);
  int count = step(session, timeout_ms);
  return count > 0 || count == -ECHILD ? 0 : count;
}

int lt_linger(lt_session *session)
{
  int count = 0;
  session->ending = true;
  while (session->silent && count >= 0)
    count = step(session, -1);
  session->ending = false;
  return count < 0 && count != -ECHILD ? count : 0;
}

int lt_run(lt_session *session)
{
  int count;
  do
    count = lt_step(session, -1);
  while (count >= 0);
  return count == -ECHILD ? 0 : count;
}

void lt_interrupt(lt_session *session)
{
  session->interrupted = 1;
}
