/* returns.c - functions whose return is awaited.
 *
 * Nothing in the program's stack is changed, so that unwinders, exceptions and shadow stacks work as
 * ever. A site of ours (breaks.h) stands where the function returns to. Each thread has a list of its
 * pending returns; one that the thread has come back from is known by the stack pointer, which tells
 * the calls of a recursive function apart and those of other threads.
 *
 * A function may be left without a return, by longjmp or an exception. Its entry is given up when
 * that shows: where it kept its return address there is something else now, or a function that called
 * it has been left. A thread may switch stacks (signals, coroutines), so a higher stack pointer alone
 * says nothing. Goroutines are another matter: see goroutines.c. */
#include "returns.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "aggregate.h"
#include "breaks.h"
#include "goroutines.h"
#include "registers.h"

#define PENDING_MAX 1000000 /* of a thread */
#define LOOK_AT 16          /* pending returns that are examined at each call */
#define IDLE_HITS 16        /* of a site that nobody needs any more, before it is taken out */

struct lt_returns {
  struct lt_return *list, *by_sp;
  struct lt_return *lost; /* left without a return, not reported yet; in the order of reports */
  size_t count;
  uint64_t stack_from, stack_to; /* the map that has the stack, as of the last look */
};

/* A site of ours. */
struct lt_return_site {
  uint64_t addr;
  unsigned pending, idle;
  UT_hash_handle hh;
};

/* ---- Sites -------------------------------------------------------------------------------- */

static struct lt_return_site *find_site(const lt_process *process, uint64_t addr)
{
  struct lt_return_site *site;
  HASH_FIND(hh, process->space->return_sites, &addr, sizeof addr, site);
  return site;
}

static void drop_site(lt_process *process, struct lt_return_site *site)
{
  HASH_DEL(process->space->return_sites, site);
  free(site);
}

int lt_return_need_site(lt_process *process, uint64_t addr)
{
  struct lt_return_site *site = find_site(process, addr);
  if (!site) {
    site = calloc(1, sizeof *site);
    if (!site)
      return lt_fail(process->session, -ENOMEM, "out of memory");
    site->addr = addr;
    HASH_ADD(hh, process->space->return_sites, addr, sizeof addr, site);
  }
  /* Code may have been unmapped since, but not while it is to be returned to. */
  int error = site->pending ? 0 : lt_site_own(process, addr, LT_OWNER_RETURN);
  if (error && site->pending == 0)
    drop_site(process, site);
  else if (!error)
    site->pending++;
  return error;
}

void lt_return_release_site(const lt_process *process, uint64_t addr)
{
  struct lt_return_site *site = find_site(process, addr);
  if (site && site->pending > 0)
    site->pending--;
}

/* Nobody awaits this return. The site stays a while: what was called from here is likely to be called
 * again. A forked child has its creator's sites, and awaits nothing at them. */
static void hit_in_vain(lt_process *process, uint64_t addr)
{
  struct lt_return_site *site = find_site(process, addr);
  if (site && (site->pending > 0 || ++site->idle < IDLE_HITS))
    return;
  if (site)
    drop_site(process, site);
  lt_site_disown(process, addr, LT_OWNER_RETURN);
}

void lt_return_sites_free(struct lt_return_site *sites)
{
  struct lt_return_site *site, *next;
  HASH_ITER(hh, sites, site, next) {
    HASH_DEL(sites, site); /* NOLINT(clang-analyzer-unix.Malloc): of another element */
    free(site);
  }
}

/* ---- The list ----------------------------------------------------------------------------- */

static struct lt_return *find(const struct lt_returns *returns, uint64_t sp)
{
  struct lt_return *entry;
  HASH_FIND(hh, returns->by_sp, &sp, sizeof sp, entry);
  return entry;
}

static void add(struct lt_returns *returns, struct lt_return *entry)
{
  entry->under = find(returns, entry->sp);
  if (entry->under)
    HASH_DEL(returns->by_sp, entry->under);
  HASH_ADD(hh, returns->by_sp, sp, sizeof entry->sp, entry);
  DL_PREPEND(returns->list, entry);
  returns->count++;
}

/* Only the newest with its sp can be taken out. */
static void take_out(struct lt_returns *returns, struct lt_return *entry)
{
  HASH_DEL(returns->by_sp, entry);
  if (entry->under)
    HASH_ADD(hh, returns->by_sp, sp, sizeof entry->sp, entry->under);
  DL_DELETE(returns->list, entry);
  returns->count--;
}

/* Whether a place on the stack is in the same map as another one. Asked only about functions that have
 * been left without a return. */
static bool same_stack(lt_thread *thread, uint64_t a, uint64_t b)
{
  struct lt_returns *returns = thread->returns;
  struct lt_map *maps;
  if (a < returns->stack_from || a >= returns->stack_to) {
    ssize_t count = lt_maps(thread, &maps);
    returns->stack_from = returns->stack_to = 0;
    for (ssize_t i = 0; i < count; i++)
      if (maps[i].from <= a && a < maps[i].to)
        returns->stack_from = maps[i].from, returns->stack_to = maps[i].to;
    if (count >= 0)
      lt_maps_free(maps, (size_t)count);
  }
  return b >= returns->stack_from && b < returns->stack_to;
}

/* It has been left without a return, and those that it ended in a jump to with it. */
static void lose(lt_thread *thread, struct lt_return *entry)
{
  struct lt_returns *returns = thread->returns;
  struct lt_return *newest;
  do {
    newest = find(returns, entry->sp);
    take_out(returns, newest);
    lt_return_release_site(thread->process, newest->addr);
    DL_APPEND(returns->lost, newest);
  } while (newest != entry);
}

/* What the function of `entry` had called, on the same stack, has been left with it. */
static void lose_called(lt_thread *thread, const struct lt_return *entry)
{
  struct lt_return *one = thread->returns->list;
  while (one && one != entry) {
    struct lt_return *next = one->next;
    if (one->slot < entry->slot && same_stack(thread, entry->slot, one->slot)) {
      lose(thread, one);
      next = thread->returns->list;
    }
    one = next;
  }
}

/* Whether what a pending return says is wrong by now, where a function has just been called that
 * keeps its return address in `call->slot`. At the same place there may be a function that has ended
 * in a jump to this one. One that is called again from the same line is taken for left: loops around
 * what throws are more common than functions that end in jumps to each other in turns. */
static bool is_gone(lt_thread *thread, const struct lt_return *entry, const struct lt_return *call)
{
  uint64_t word = 0;
  if (entry->slot > call->slot)
    return false;
  if (entry->slot == call->slot)
    return entry->addr != call->addr || entry->function == call->function;
  size_t size = entry->sp - entry->slot;
  return lt_mem_read(thread, entry->slot, &word, size) != (ssize_t)size || word != entry->addr;
}

static void lose_gone(lt_thread *thread, const struct lt_return *call)
{
  struct lt_return *entry = thread->returns->list;
  for (int i = 0; entry && i < LOOK_AT; i++) {
    if (is_gone(thread, entry, call)) {
      lose_called(thread, entry);
      lose(thread, entry);
      entry = thread->returns->list;
    } else {
      entry = entry->next;
    }
  }
}

void lt_return_lost(lt_thread *thread, struct lt_return *entry)
{
  if (!thread->returns && !(thread->returns = calloc(1, sizeof *thread->returns)))
    free(entry);
  else
    DL_APPEND(thread->returns->lost, entry);
}

/* ---- Asking ------------------------------------------------------------------------------- */

static int watch(lt_thread *thread, struct lt_return call, uint64_t *ret)
{
  lt_session *session = thread->session;
  int error = lt_goroutine_watch(thread, &call, ret);
  if (error <= 0)
    return error;
  if (!thread->returns && !(thread->returns = calloc(1, sizeof *thread->returns)))
    return lt_fail(session, -ENOMEM, "out of memory");
  struct lt_return *entry = find(thread->returns, call.sp);
  if (entry && entry->addr == call.addr && entry->stop_seq == call.stop_seq) {
    *ret = entry->seq; /* asked for already */
    return 0;
  }
  lose_gone(thread, &call);
  if (thread->returns->count >= PENDING_MAX)
    return lt_fail(session, -ENOMEM, "thread %d: too many functions are awaited", (int)thread->tid);
  entry = malloc(sizeof *entry);
  if (!entry)
    return lt_fail(session, -ENOMEM, "out of memory");
  error = lt_return_need_site(thread->process, call.addr);
  if (error) {
    free(entry);
    return error;
  }
  *entry = call;
  entry->seq = *ret = ++session->return_seq;
  add(thread->returns, entry);
  return 0;
}

int lt_return_watch(lt_thread *thread, uint64_t *ret)
{
  int error = lt_return_begin(thread, ret);
  if (error == 0)
    lt_aggregate_shared(thread->session, *ret);
  return error;
}

int lt_return_begin(lt_thread *thread, uint64_t *ret)
{
  struct lt_return call = {.stop_seq = thread->stop.seq};
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (error)
    return error;
  const struct lt_arch *arch = lt_arch_get(lt_arch_of(regs));
  error = arch->function_return(thread, &call.addr, &call.sp);
  if (error)
    return lt_fail(thread->session, error, "thread %d: no return address can be read",
                   (int)thread->tid);
  call.function = arch->pc(regs);
  call.slot = call.sp - arch->word;
  return watch(thread, call, ret);
}

int lt_return_watch_at(lt_thread *thread, uint64_t pc, uint64_t sp, uint64_t *ret)
{
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (error)
    return error;
  unsigned word = lt_arch_get(lt_arch_of(regs))->word;
  struct lt_return call = {.stop_seq = thread->stop.seq, .addr = pc, .sp = sp, .slot = sp - word};
  return watch(thread, call, ret);
}

/* ---- Telling ------------------------------------------------------------------------------ */

static void fill(struct lt_stop *record, const struct lt_return *entry, int error)
{
  record->u.ret.seq = entry->seq;
  record->u.ret.addr = entry->addr;
  record->u.ret.more = 0;
  record->u.ret.error = (uint32_t)error;
  for (const struct lt_return *one = entry->under; one && !error; one = one->under)
    record->u.ret.more += one->addr == entry->addr;
}

enum lt_verdict lt_returns_tell_lost(lt_thread *thread)
{
  enum lt_verdict verdict = LT_RESUME;
  struct lt_return *entry;
  while (thread->returns && (entry = thread->returns->lost)) {
    struct lt_stop record = {.version = LT_STOP_VERSION,
                             .kind = LT_RETURN,
                             .tid = thread->tid,
                             .pid = thread->process->pid};
    DL_DELETE(thread->returns->lost, entry);
    entry->under = NULL;
    fill(&record, entry, ECANCELED);
    free(entry);
    if (lt_report_record(thread, &record) == LT_HOLD)
      verdict = LT_HOLD;
  }
  return verdict;
}

/* The newest pending return to `pc` at this stack pointer. Others at this place are gone. */
static struct lt_return *find_at(lt_thread *thread, uint64_t sp, uint64_t pc)
{
  struct lt_return *entry = find(thread->returns, sp), *older = entry;
  while (older && older->addr != pc)
    older = older->under;
  for (; older && entry != older; entry = find(thread->returns, sp))
    lose(thread, entry);
  return older;
}

static struct lt_return *find_returned(lt_thread *thread, const struct lt_regs *regs)
{
  const struct lt_arch *arch = lt_arch_get(lt_arch_of(regs));
  uint64_t sp = arch->sp(regs), pc = arch->pc(regs);
  struct lt_return *entry = thread->returns ? find_at(thread, sp, pc) : NULL;
  for (unsigned popped = arch->word; thread->returns && !entry && popped <= arch->callee_pops;
       popped += arch->word)
    entry = find_at(thread, sp - popped, pc);
  return entry;
}

enum lt_verdict lt_returns_on_break(lt_thread *thread)
{
  const struct lt_regs *regs;
  enum lt_verdict verdict;
  if (lt_goroutine_returned(thread, &verdict))
    return verdict;
  if (lt_regs_general(thread, &regs) != 0)
    return LT_RESUME;
  struct lt_return *entry = find_returned(thread, regs);
  if (!entry) {
    hit_in_vain(thread->process, lt_arch_get(lt_arch_of(regs))->pc(regs));
    return LT_RESUME;
  }
  lose_called(thread, entry);
  verdict = lt_returns_tell_lost(thread);
  uint64_t sp = entry->sp, addr = entry->addr;
  while ((entry = find(thread->returns, sp)) && entry->addr == addr) {
    lt_record(thread, LT_RETURN, thread->stop.status);
    fill(&thread->stop, entry, 0);
    take_out(thread->returns, entry);
    lt_return_release_site(thread->process, addr);
    free(entry);
    if (lt_report_record(thread, &thread->stop) == LT_HOLD)
      verdict = LT_HOLD;
  }
  return verdict;
}

/* ---- Ends --------------------------------------------------------------------------------- */

void lt_returns_lost(lt_thread *thread)
{
  lt_goroutines_lost(thread);
  if (!thread->returns)
    return;
  while (thread->returns->list)
    lose(thread, thread->returns->list);
  lt_returns_tell_lost(thread);
}

void lt_returns_free(lt_thread *thread)
{
  struct lt_return *entry, *next;
  if (!thread->returns)
    return;
  while (thread->returns->list)
    lose(thread, thread->returns->list);
  DL_FOREACH_SAFE(thread->returns->lost, entry, next)
    free(entry);
  free(thread->returns);
  thread->returns = NULL;
}
