/* goroutines.c - functions of Go programs whose return is awaited.
 *
 * A goroutine runs on any thread, and its stack moves when it grows. What stays is its `g`, a struct
 * of Go's runtime that begins with the bounds of the stack, and how far a place on the stack is from
 * the upper one. So a process has a list of pending returns for each g. A goroutine has one stack: all
 * that is deeper than where it stands has been left.
 *
 * A g is used again when its goroutine has ended. All goroutines end in runtime.goexit1, where a site
 * of ours gives up what is pending. */
#include "goroutines.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "engine.h"
#include "module.h"

struct goroutine {
  uint64_t g;
  struct lt_return *list; /* deepest first; `sp` is the distance from the stack's upper end */
  UT_hash_handle hh;
};

struct lt_goroutines {
  struct goroutine *by_g;
  uint64_t end;    /* runtime.goexit1 */
  uint64_t latest; /* number of the return that was asked for last */
};

bool lt_is_go_code(lt_thread *thread, uint64_t addr)
{
  size_t count;
  const struct lt_module *modules = lt_modules_of(thread, &count);
  size_t from = 0;
  while (from < count) {
    size_t middle = from + (count - from) / 2;
    if (addr < modules[middle].from)
      count = middle;
    else if (addr >= modules[middle].to)
      from = middle + 1;
    else
      return lt_file_is_go(modules[middle].file);
  }
  return false;
}

static struct goroutine *find(const struct lt_goroutines *all, uint64_t g)
{
  struct goroutine *one;
  HASH_FIND(hh, all->by_g, &g, sizeof g, one);
  return one;
}

static struct lt_return *take_deepest(lt_process *process, struct goroutine *one)
{
  struct lt_return *entry = one->list;
  DL_DELETE(one->list, entry);
  lt_return_release_site(process, entry->addr);
  lt_return_release_site(process, process->goroutines->end);
  return entry;
}

static void forget_if_empty(struct lt_goroutines *all, struct goroutine *one)
{
  if (one->list)
    return;
  HASH_DEL(all->by_g, one); /* NOLINT(clang-analyzer-unix.Malloc): of another element */
  free(one);
}

/* Left without a return. */
static void lose_deepest(lt_thread *thread, struct goroutine *one)
{
  lt_return_lost(thread, take_deepest(thread->process, one));
}

static void lose_deeper(lt_thread *thread, struct goroutine *one, uint64_t depth)
{
  while (one->list && one->list->sp > depth)
    lose_deepest(thread, one);
}

/* ---- Asking ------------------------------------------------------------------------------- */

static int begin(lt_thread *thread)
{
  struct lt_symbol end;
  if (thread->process->goroutines)
    return 0;
  if (lt_symbol_find(thread, "runtime.goexit1", &end) != 0)
    return lt_fail(
        thread->session, -ENOTSUP,
        "process %d is a Go program without symbols: the ends of goroutines are not known",
        (int)thread->process->pid);
  struct lt_goroutines *all = calloc(1, sizeof *all);
  if (!all)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  all->end = end.addr;
  thread->process->goroutines = all;
  return 0;
}

static struct goroutine *get(struct lt_goroutines *all, uint64_t g)
{
  struct goroutine *one = find(all, g);
  if (one || !(one = calloc(1, sizeof *one)))
    return one;
  one->g = g;
  HASH_ADD(hh, all->by_g, g, sizeof one->g, one);
  return one;
}

static int add(lt_thread *thread, struct goroutine *one, const struct lt_return *call)
{
  lt_process *process = thread->process;
  struct lt_return *entry = malloc(sizeof *entry);
  if (!entry)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  int error = lt_return_need_site(process, call->addr);
  if (error == 0 && (error = lt_return_need_site(process, process->goroutines->end)) != 0)
    lt_return_release_site(process, call->addr);
  if (error) {
    free(entry);
    return error;
  }
  *entry = *call;
  entry->seq = ++thread->session->return_seq;
  DL_PREPEND(one->list, entry);
  return 0;
}

/* At one place there can be several: a function that has ended in a jump to the next, or one that is
 * asked about at several places in it. */
static void lose_same(lt_thread *thread, struct goroutine *one, const struct lt_return *call)
{
  while (
      one->list && one->list->sp == call->sp &&
      (one->list->addr != call->addr || (call->function && one->list->function == call->function)))
    lose_deepest(thread, one);
}

int lt_goroutine_watch(lt_thread *thread, const struct lt_return *call, uint64_t *ret)
{
  struct lt_return at = *call;
  const struct lt_regs *regs;
  uint64_t g, top;
  if (lt_regs_general(thread, &regs) != 0)
    return 1;
  const struct lt_arch *arch = lt_arch_get(lt_arch_of(regs));
  if (!lt_is_go_code(thread, arch->pc(regs)) || !arch->goroutine(thread, &g, &top) ||
      call->sp > top)
    return 1;
  int error = begin(thread);
  struct goroutine *one = error ? NULL : get(thread->process->goroutines, g);
  if (!one)
    return error ? error : lt_fail(thread->session, -ENOMEM, "out of memory");
  at.sp = top - call->sp;
  const struct lt_return *same = one->list;
  if (!same || same->sp != at.sp || same->addr != at.addr || same->stop_seq != at.stop_seq) {
    lose_deeper(thread, one, at.sp);
    lose_same(thread, one, &at);
    error = add(thread, one, &at);
  }
  if (error == 0 && one->list)
    thread->process->goroutines->latest = *ret = one->list->seq;
  forget_if_empty(thread->process->goroutines, one);
  return error;
}

bool lt_return_moves(const lt_thread *thread, uint64_t ret)
{
  const lt_process *process = thread->process;
  return process && process->goroutines && process->goroutines->latest == ret;
}

/* ---- Telling ------------------------------------------------------------------------------ */

static enum lt_verdict report(lt_thread *thread, struct lt_return *entry, unsigned more)
{
  lt_record(thread, LT_RETURN, thread->stop.status);
  thread->stop.u.ret.seq = entry->seq;
  thread->stop.u.ret.addr = entry->addr;
  thread->stop.u.ret.more = more;
  thread->stop.u.ret.error = 0;
  free(entry);
  return lt_report_record(thread, &thread->stop);
}

/* All that return to `addr` with this distance. Hooks that run meanwhile may ask for others of the
 * same goroutine, so they are taken out first. */
static bool report_all(lt_thread *thread, struct goroutine *one, uint64_t depth, uint64_t addr,
                       enum lt_verdict *verdict)
{
  struct lt_return *list = NULL, *entry, *next;
  unsigned count = 0;
  while (one->list && one->list->sp == depth && one->list->addr == addr) {
    entry = take_deepest(thread->process, one);
    DL_APPEND(list, entry);
    count++;
  }
  while (count > 0 && one->list && one->list->sp == depth)
    lose_deepest(thread, one);
  forget_if_empty(thread->process->goroutines, one);
  *verdict = lt_returns_tell_lost(thread);
  DL_FOREACH_SAFE(list, entry, next)
    if (report(thread, entry, --count) == LT_HOLD)
      *verdict = LT_HOLD;
  return list != NULL;
}

bool lt_goroutine_returned(lt_thread *thread, enum lt_verdict *verdict)
{
  struct lt_goroutines *all = thread->process->goroutines;
  const struct lt_regs *regs;
  uint64_t g, top;
  if (!all || lt_regs_general(thread, &regs) != 0)
    return false;
  const struct lt_arch *arch = lt_arch_get(lt_arch_of(regs));
  uint64_t pc = arch->pc(regs), sp = arch->sp(regs);
  struct goroutine *one = arch->goroutine(thread, &g, &top) ? find(all, g) : NULL;
  if (!one)
    return false;
  if (pc == all->end) {
    while (one->list)
      lose_deepest(thread, one);
    forget_if_empty(all, one);
    return false;
  }
  lose_deeper(thread, one, top - sp);
  return report_all(thread, one, top - sp, pc, verdict);
}

/* ---- Ends --------------------------------------------------------------------------------- */

void lt_goroutines_lost(lt_thread *thread)
{
  struct lt_goroutines *all = thread->process->goroutines;
  struct goroutine *one, *next;
  if (!all)
    return;
  HASH_ITER(hh, all->by_g, one, next) {
    while (one->list)
      lose_deepest(thread, one);
    forget_if_empty(all, one); /* NOLINT(clang-analyzer-unix.Malloc): of another element */
  }
  lt_goroutines_free(thread->process);
}

void lt_goroutines_free(lt_process *process)
{
  struct lt_goroutines *all = process->goroutines;
  struct goroutine *one, *next;
  struct lt_return *entry, *after;
  if (!all)
    return;
  one = all->by_g;
  HASH_CLEAR(hh, all->by_g); /* NOLINT(clang-analyzer-unix.Malloc): others were freed */
  for (; one; one = next) {
    next = one->hh.next;
    DL_FOREACH_SAFE(one->list, entry, after)
      free(entry);
    free(one);
  }
  free(all);
  process->goroutines = NULL;
}
