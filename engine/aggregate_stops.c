/* aggregate_stops.c - where aggregations are fed: system calls, signals, addresses; and what is
 * counted at which stop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "aggregate.h"
#include "breaks.h"
#include "filter.h"
#include "probe.h"

#define CALLS 512

/* An attachment of a call. Calls that were entered before it was made are not counted. */
struct node {
  lt_attachment *attachment;
  lt_selector *selector; /* that calls have to pass; NULL: none */
  uint64_t born;
  struct node *next;
};

struct lt_feeds {
  struct node *all[LT_ABI_COUNT], *calls[LT_ABI_COUNT][CALLS];
  struct node *signals; /* `born` is the set of them */
  uint64_t births;      /* numbers the nodes */
  size_t call_nodes;
};

struct lt_attached {
  unsigned count;
  lt_attachment *list[];
};

static struct lt_feeds *feeds_of(lt_session *session)
{
  if (!session->feeds)
    session->feeds = calloc(1, sizeof *session->feeds);
  return session->feeds;
}

/* ---- System calls ------------------------------------------------------------------------- */

bool lt_aggregate_any_call(const lt_session *session)
{
  return session->feeds && session->feeds->call_nodes > 0;
}

static const struct node *first_of(const struct lt_feeds *feeds, uint32_t abi, uint64_t nr)
{
  return nr < CALLS ? feeds->calls[abi][nr] : NULL;
}

bool lt_aggregate_wants_whole(const lt_session *session, enum lt_abi abi, int nr)
{
  const struct lt_feeds *feeds = session->feeds;
  const struct node *node = !feeds                  ? NULL
                            : nr == LT_ALL_SYSCALLS ? feeds->all[abi]
                                                    : first_of(feeds, abi, (uint64_t)nr);
  for (; node; node = node->next)
    if (!node->selector)
      return true;
  return false;
}

int lt_aggregate_call(lt_attachment *attachment, enum lt_abi abi, int nr, lt_selector *selector)
{
  lt_session *session = attachment->aggregation->session;
  struct lt_feeds *feeds = feeds_of(session);
  if ((unsigned)abi >= LT_ABI_COUNT || nr < LT_ALL_SYSCALLS || nr >= CALLS)
    return lt_fail(session, -EINVAL, "there is no system call %d", nr);
  struct node *node = feeds ? malloc(sizeof *node) : NULL;
  if (!node)
    return lt_fail(session, -ENOMEM, "out of memory");
  *node = (struct node){.attachment = attachment, .selector = selector, .born = ++feeds->births};
  if (selector)
    lt_selector_count(selector, true);
  if (nr == LT_ALL_SYSCALLS)
    LL_PREPEND(feeds->all[abi], node);
  else
    LL_PREPEND(feeds->calls[abi][nr], node);
  feeds->call_nodes++;
  session->calls_version++;
  lt_remode(session);
  return 0;
}

static bool is_counted(const lt_thread *thread)
{
  return !thread->ignored && !thread->process->detaching && !thread->session->ending;
}

static void enter(lt_thread *thread, const struct node *node)
{
  const struct lt_occasion occasion = {.thread = thread, .kind = LT_SYSCALL_ENTRY};
  for (; node; node = node->next) {
    const lt_attachment *attachment = node->attachment;
    if (node->selector && !lt_selector_passes(node->selector, thread))
      continue;
    if (!attachment->at_exit) {
      lt_attachment_count(attachment, &occasion);
      continue;
    }
    if (attachment->texts || node->selector)
      lt_call_capture(thread);
    thread->counts_exit = true;
  }
}

void lt_aggregate_on_entry(lt_thread *thread)
{
  const struct lt_feeds *feeds = thread->session->feeds;
  const struct lt_call *call = &thread->call;
  if (!feeds || !feeds->call_nodes || !is_counted(thread))
    return;
  enter(thread, feeds->all[call->abi]);
  enter(thread, first_of(feeds, call->abi, call->nr));
  if (!thread->counts_exit)
    return;
  thread->counts_as = feeds->births;
  thread->counts_from = lt_k_now();
}

static void leave(const struct lt_occasion *occasion, const struct node *node)
{
  for (; node; node = node->next)
    if (node->attachment->at_exit && node->born <= occasion->thread->counts_as &&
        (!node->selector || lt_selector_passes(node->selector, occasion->thread)))
      lt_attachment_count(node->attachment, occasion);
}

void lt_aggregate_on_exit(lt_thread *thread)
{
  const struct lt_feeds *feeds = thread->session->feeds;
  const struct lt_occasion occasion = {
      .thread = thread,
      .kind = LT_SYSCALL_EXIT,
      .time = lt_k_now() - thread->counts_from,
  };
  thread->counts_exit = false;
  if (!is_counted(thread))
    return;
  leave(&occasion, feeds->all[thread->call.abi]);
  leave(&occasion, first_of(feeds, thread->call.abi, thread->entered_nr));
}

/* ---- Signals ------------------------------------------------------------------------------ */

int lt_aggregate_signals(lt_attachment *attachment, uint64_t signals)
{
  lt_session *session = attachment->aggregation->session;
  struct lt_feeds *feeds = feeds_of(session);
  struct node *node = feeds ? malloc(sizeof *node) : NULL;
  if (!node)
    return lt_fail(session, -ENOMEM, "out of memory");
  *node = (struct node){.attachment = attachment, .born = signals};
  LL_PREPEND(feeds->signals, node);
  return 0;
}

void lt_aggregate_on_signal(lt_thread *thread)
{
  const struct lt_feeds *feeds = thread->session->feeds;
  const struct lt_occasion occasion = {.thread = thread, .kind = LT_SIGNAL};
  if (!feeds || !feeds->signals || !is_counted(thread))
    return;
  uint64_t bit = (uint64_t)1 << (thread->stop.u.signal.signo - 1);
  for (const struct node *node = feeds->signals; node; node = node->next)
    if (node->born & bit)
      lt_attachment_count(node->attachment, &occasion);
}

/* ---- Addresses ---------------------------------------------------------------------------- */

struct lt_attached *lt_attached_copy(const struct lt_attached *attached)
{
  size_t size = attached ? sizeof *attached + attached->count * sizeof(lt_attachment *) : 0;
  struct lt_attached *copy = attached ? malloc(size) : NULL;
  if (copy)
    memcpy(copy, attached, size);
  return copy;
}

unsigned lt_attached_count(const struct lt_site *site)
{
  return site->attached ? site->attached->count : 0;
}

lt_attachment *lt_attached_at(const struct lt_site *site, unsigned i)
{
  return site->attached->list[i];
}

static bool is_attached(const struct lt_site *site, const lt_attachment *attachment)
{
  for (unsigned i = 0; site->attached && i < site->attached->count; i++)
    if (site->attached->list[i] == attachment)
      return true;
  return false;
}

static int attach_to(lt_session *session, struct lt_site *site, lt_attachment *attachment)
{
  unsigned count = lt_attached_count(site);
  struct lt_attached *more =
      realloc(site->attached, sizeof *more + (count + 1) * sizeof(lt_attachment *));
  if (!more)
    return lt_fail(session, -ENOMEM, "out of memory");
  more->list[count] = attachment;
  more->count = count + 1;
  site->attached = more;
  return 0;
}

static void give_up(lt_process *process, struct lt_site *site)
{
  free(site->attached);
  site->attached = NULL;
  lt_site_disown(process, site->addr, LT_OWNER_AGGREGATE);
}

int lt_aggregate_break(lt_attachment *attachment, lt_process *process, uint64_t addr,
                       unsigned flags)
{
  lt_session *session = process->session;
  int error = lt_site_own(process, addr, LT_OWNER_AGGREGATE);
  struct lt_site *site = error ? NULL : lt_site_find(process, addr);
  if (!site)
    return error;
  if (!is_attached(site, attachment)) {
    lt_probe_clear(process, addr, 1);
    error = attach_to(session, site, attachment);
  }
  if (error && !site->attached)
    give_up(process, site);
  site->checks |= flags & LT_BREAK_CHECK;
  return error;
}

void lt_aggregate_on_break(lt_thread *thread, const struct lt_site *site)
{
  const struct lt_occasion occasion = {.thread = thread, .kind = LT_BREAK};
  for (unsigned i = 0; site->attached && i < site->attached->count && is_counted(thread); i++)
    if (!site->attached->list[i]->at_exit)
      lt_attachment_count(site->attached->list[i], &occasion);
}

bool lt_aggregate_awaits(const struct lt_site *site)
{
  for (unsigned i = 0; site->attached && i < site->attached->count; i++)
    if (site->attached->list[i]->at_exit)
      return true;
  return false;
}

void lt_aggregate_await_at(lt_thread *thread, const struct lt_site *site)
{
  for (unsigned i = 0; site->attached && i < site->attached->count && is_counted(thread); i++)
    if (site->attached->list[i]->at_exit)
      lt_aggregate_await(thread, site->attached->list[i]);
}

void lt_aggregate_unmapped(lt_process *process, uint64_t from, uint64_t to)
{
  const struct lt_sites *sites = process->space->sites;
  for (struct lt_site *site = sites ? sites->by_addr : NULL; site; site = site->hh.next)
    if (site->attached && site->addr >= from && site->addr < to)
      give_up(process, site);
}

/* ---- The end ------------------------------------------------------------------------------ */

static void forget_at(lt_process *process, struct lt_site *site, const lt_attachment *attachment)
{
  struct lt_attached *attached = site->attached;
  for (unsigned i = 0; i < attached->count; i++)
    if (attached->list[i] == attachment) {
      attached->list[i] = attached->list[--attached->count];
      break;
    }
  if (attached->count == 0)
    give_up(process, site);
}

static size_t forget_in(struct node **list, const lt_attachment *attachment)
{
  struct node *node, *next;
  size_t count = 0;
  LL_FOREACH_SAFE(*list, node, next) {
    if (attachment && node->attachment != attachment)
      continue;
    LL_DELETE(*list, node);
    if (node->selector)
      lt_selector_count(node->selector, false);
    free(node);
    count++;
  }
  return count;
}

/* attachment NULL: all. */
static void forget_nodes(struct lt_feeds *feeds, const lt_attachment *attachment)
{
  for (int abi = 0; abi < LT_ABI_COUNT; abi++) {
    feeds->call_nodes -= forget_in(&feeds->all[abi], attachment);
    for (int nr = 0; nr < CALLS; nr++)
      feeds->call_nodes -= forget_in(&feeds->calls[abi][nr], attachment);
  }
  forget_in(&feeds->signals, attachment);
}

void lt_feeds_forget(lt_attachment *attachment)
{
  lt_session *session = attachment->aggregation->session;
  if (session->feeds)
    forget_nodes(session->feeds, attachment);
  session->calls_version++;
  lt_aggregate_forget_returns(session, attachment);
  for (lt_process *process = session->processes; process; process = process->hh.next) {
    lt_probe_forget(process, attachment);
    const struct lt_sites *sites = process->space->sites;
    for (struct lt_site *site = sites ? sites->by_addr : NULL; site; site = site->hh.next)
      if (site->attached)
        forget_at(process, site, attachment);
  }
}

void lt_feeds_free(lt_session *session)
{
  if (session->feeds)
    forget_nodes(session->feeds, NULL);
  free(session->feeds);
  session->feeds = NULL;
}
