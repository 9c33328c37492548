/* aggregate_returns.c - functions whose result or duration is counted: keys and values are looked at
 * when they are called, and counted when they return (returns.c). One that is left without a return is
 * not counted. */
#include <errno.h>
#include <stdlib.h>

#include "aggregate.h"
#include "goroutines.h"
#include "returns.h"

/* A return that is to be counted. */
struct lt_awaited {
  uint64_t seq;              /* of lt_return_watch() */
  lt_attachment *attachment; /* NULL: it has been removed */
  const lt_thread *thread;
  pid_t pid;
  bool shared; /* the hook wants to hear of it, too */
  int error;   /* of lt_attachment_look() */
  struct lt_cells cells;
  uint64_t value, from;
  struct lt_awaited *more; /* of the same return */
  UT_hash_handle hh;
};

static struct lt_awaited *find(const lt_session *session, uint64_t seq)
{
  struct lt_awaited *awaited;
  HASH_FIND(hh, session->awaited, &seq, sizeof seq, awaited);
  return awaited;
}

static void free_all(struct lt_awaited *awaited)
{
  while (awaited) {
    struct lt_awaited *more = awaited->more;
    free(awaited);
    awaited = more;
  }
}

/* Once: what is wrong here is likely to be wrong the next time. */
static void complain(lt_attachment *attachment, int error)
{
  lt_session *session = attachment->aggregation->session;
  if (attachment->complained || error == -ESRCH || !session->hooks.warn)
    return;
  attachment->complained = true;
  if (!error)
    lt_fail(session, -ENOMEM, "out of memory");
  session->hooks.warn(session->data, lt_error(session));
}

void lt_aggregate_await(lt_thread *thread, lt_attachment *attachment)
{
  const struct lt_occasion occasion = {.thread = thread, .kind = LT_BREAK};
  lt_session *session = thread->session;
  struct lt_awaited one = {.attachment = attachment, .thread = thread};
  one.error = lt_attachment_look(attachment, &occasion, &one.cells, &one.value);
  if (one.error && one.error != -ENOSPC)
    return;
  int error = lt_return_begin(thread, &one.seq);
  struct lt_awaited *awaited = error ? NULL : malloc(sizeof *awaited);
  if (!awaited) {
    complain(attachment, error);
    return;
  }
  one.pid = thread->process->pid;
  struct lt_awaited *before = find(session, one.seq);
  *awaited = one;
  if (before) {
    awaited->more = before->more;
    before->more = awaited;
  } else {
    HASH_ADD(hh, session->awaited, seq, sizeof awaited->seq, awaited);
  }
  awaited->from = lt_k_now();
}

void lt_aggregate_shared(const lt_session *session, uint64_t seq)
{
  struct lt_awaited *awaited = find(session, seq);
  if (awaited)
    awaited->shared = true;
}

/* ---- Returns ------------------------------------------------------------------------------ */

struct outcome {
  uint64_t ret, time;
};

static void fill_in(const struct lt_operand *operand, const struct outcome *outcome, uint64_t *ret)
{
  if (operand->source == LT_FROM_RET)
    *ret = lt_operand_narrow(operand, outcome->ret);
  else if (operand->source == LT_FROM_TIME)
    *ret = outcome->time;
}

static void count(struct lt_awaited *awaited, uint64_t ret, uint64_t now)
{
  const lt_attachment *attachment = awaited->attachment;
  const struct outcome outcome = {.ret = ret, .time = now - awaited->from};
  fill_in(&attachment->measure.value, &outcome, &awaited->value);
  for (unsigned i = 0; i < attachment->aggregation->shape.keys; i++)
    fill_in(&attachment->measure.key[i], &outcome, &awaited->cells.number[i]);
  lt_attachment_add(attachment, awaited->error, &awaited->cells, awaited->value);
}

bool lt_aggregate_on_return(lt_thread *thread, const struct lt_stop *record)
{
  lt_session *session = thread->session;
  struct lt_awaited *awaited = session->awaited ? find(session, record->u.ret.seq) : NULL;
  const struct lt_regs *regs;
  if (!awaited)
    return false;
  bool shared = awaited->shared;
  uint64_t now = lt_k_now();
  HASH_DEL(session->awaited, awaited);
  if (record->u.ret.error == 0 && lt_regs_general(thread, &regs) == 0) {
    uint64_t ret = (uint64_t)lt_arch_get(lt_arch_of(regs))->integer_result(regs);
    for (struct lt_awaited *one = awaited; one; one = one->more)
      if (one->attachment)
        count(one, ret, now);
  }
  free_all(awaited);
  return !shared;
}

/* ---- The end ------------------------------------------------------------------------------ */

void lt_aggregate_thread_gone(const lt_thread *thread)
{
  struct lt_awaited *awaited, *next;
  if (thread->process && thread->process->goroutines) /* which return on any thread */
    return;
  HASH_ITER(hh, thread->session->awaited, awaited, next) {
    if (awaited->thread == thread) {
      HASH_DEL(thread->session->awaited, awaited);
      free_all(awaited);
    }
  }
}

void lt_aggregate_process_gone(const lt_process *process)
{
  struct lt_awaited *awaited, *next;
  HASH_ITER(hh, process->session->awaited, awaited, next) {
    if (awaited->pid == process->pid) {
      HASH_DEL(process->session->awaited, awaited);
      free_all(awaited);
    }
  }
}

void lt_aggregate_forget_returns(const lt_session *session, const lt_attachment *attachment)
{
  for (struct lt_awaited *head = session->awaited; head; head = head->hh.next)
    for (struct lt_awaited *one = head; one; one = one->more)
      if (one->attachment == attachment)
        one->attachment = NULL;
}

void lt_aggregate_free_returns(lt_session *session)
{
  struct lt_awaited *awaited, *next;
  HASH_ITER(hh, session->awaited, awaited, next) {
    HASH_DEL(session->awaited, awaited);
    free_all(awaited);
  }
}
