/* watchpoints.c - lt_watchpoint_add(): memory whose use is reported.
 *
 * By debug registers, which the processor compares with each access of the program's (not with the
 * kernel's): an area is split into aligned pieces of 8 bytes at most. Or by software: all threads
 * step, and after each instruction the memory is compared with what it was. */
#include "watchpoints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SOFTWARE_MAX 4096

/* ---- Adding and removing ------------------------------------------------------------------ */

/* The largest aligned piece at the beginning of an area. */
static unsigned piece(uint64_t addr, size_t size)
{
  unsigned most = lt_arch_native()->word;
  while (most > 1 && (addr % most || most > size))
    most /= 2;
  return most;
}

static int claim_pieces(lt_process *process, const struct lt_watchpoint *point)
{
  if (point->kind == LT_WATCH_EXECUTE)
    return lt_debug_claim(process, point->addr, LT_WATCH_EXECUTE, 1, point->id);
  for (size_t at = 0; at < point->size;) {
    unsigned size = piece(point->addr + at, point->size - at);
    int error =
        lt_debug_claim(process, point->addr + at, (enum lt_watch_kind)point->kind, size, point->id);
    if (error) {
      lt_debug_release(process, 0, point->id);
      return error;
    }
    at += size;
  }
  return 0;
}

/* Whatever state its threads are in. What cannot be read counts as zeros. */
static void read_bytes(const lt_process *process, uint64_t addr, void *ret, size_t size)
{
  memset(ret, 0, size);
  for (const lt_thread *thread = process->threads; thread; thread = thread->next)
    if (lt_k_vm_read(thread->tid, addr, ret, size) > 0)
      return;
}

static void free_point(struct lt_watchpoint *point)
{
  free(point->bytes);
  free(point);
}

static struct lt_watchpoint *make_point(lt_process *process, const struct lt_watching *what)
{
  struct lt_watchpoint *point = calloc(1, sizeof *point);
  size_t size = what->kind == LT_WATCH_EXECUTE ? 1 : what->size;
  uint8_t *bytes = malloc(size);
  if (!process->space->debug)
    process->space->debug = calloc(1, sizeof *process->space->debug);
  if (!point || !bytes || !process->space->debug) {
    free(point);
    free(bytes);
    lt_fail(process->session, -ENOMEM, "out of memory");
    return NULL;
  }
  *point = (struct lt_watchpoint){.kind = (uint8_t)what->kind,
                                  .software = what->software,
                                  .addr = what->addr,
                                  .size = size,
                                  .bytes = bytes};
  read_bytes(process, point->addr, point->bytes, point->size);
  return point;
}

static int check(lt_process *process, const struct lt_watching *what)
{
  size_t most = what->software ? SOFTWARE_MAX : LT_DEBUG_SLOTS * lt_arch_native()->word;
  if (!process->threads)
    return lt_fail(process->session, -ESRCH, "process %d is gone", (int)process->pid);
  if (what->kind < LT_WATCH_WRITE || what->kind > LT_WATCH_EXECUTE)
    return lt_fail(process->session, -EINVAL, "this is no kind of watchpoint");
  if (what->software && what->kind != LT_WATCH_WRITE)
    return lt_fail(process->session, -EINVAL, "software can watch for changes only (\"w\")");
  if (what->kind != LT_WATCH_EXECUTE && (what->size == 0 || what->size > most))
    return lt_fail(process->session, -EINVAL, "%zu bytes cannot be watched: 1 to %zu can %s",
                   what->size, most, what->software ? "by software" : "by debug registers");
  return 0;
}

int lt_watchpoint_add(lt_process *process, const struct lt_watching *what, uint32_t *ret)
{
  int error = check(process, what);
  struct lt_watchpoint *point = error ? NULL : make_point(process, what);
  if (!point)
    return error ? error : -ENOMEM;
  struct lt_debug *debug = process->space->debug;
  point->id = ++process->session->watch_ids;
  if (!point->software)
    error = claim_pieces(process, point);
  if (error) {
    free_point(point);
    return error;
  }
  point->next = debug->points;
  debug->points = point;
  debug->software += point->software;
  if (point->software)
    for (lt_thread *thread = process->threads; thread; thread = thread->next)
      lt_interrupt_thread(thread); /* it is to step from now on */
  *ret = point->id;
  return 0;
}

struct lt_watchpoint *lt_watchpoint_find(const lt_process *process, uint32_t id)
{
  const struct lt_debug *debug = process->space->debug;
  struct lt_watchpoint *point = debug ? debug->points : NULL;
  while (point && point->id != id)
    point = point->next;
  return point;
}

void lt_watchpoint_remove(lt_process *process, uint32_t id)
{
  struct lt_debug *debug = process->space->debug;
  struct lt_watchpoint **at = debug ? &debug->points : NULL;
  while (at && *at && (*at)->id != id)
    at = &(*at)->next;
  if (!at || !*at)
    return;
  struct lt_watchpoint *point = *at;
  *at = point->next;
  debug->software -= point->software;
  if (!point->software)
    lt_debug_release(process, 0, id);
  free_point(point);
}

void lt_debug_free(struct lt_debug *debug)
{
  while (debug && debug->points) {
    struct lt_watchpoint *point = debug->points;
    debug->points = point->next;
    free_point(point);
  }
  free(debug);
}

/* A forked child watches its own copy of the memory, under the same ids. */
void lt_watchpoints_copy(struct lt_debug *to, const struct lt_debug *from)
{
  for (const struct lt_watchpoint *point = from->points; point; point = point->next) {
    struct lt_watchpoint *copy = malloc(sizeof *copy);
    uint8_t *bytes = malloc(point->size);
    if (!copy || !bytes) {
      free(copy);
      free(bytes);
      return;
    }
    *copy = *point;
    copy->bytes = memcpy(bytes, point->bytes, point->size);
    copy->next = to->points;
    to->points = copy;
    to->software += copy->software;
  }
}

/* ---- Hits --------------------------------------------------------------------------------- */

void lt_watchpoint_values(lt_thread *thread, struct lt_watchpoint *point, uint64_t addr,
                          unsigned size, uint64_t *old, uint64_t *new)
{
  uint8_t *known = point->bytes + (addr - point->addr);
  *old = *new = 0;
  memcpy(old, known, size);
  if (lt_mem_read(thread, addr, new, size) == (ssize_t)size)
    memcpy(known, new, size);
  else
    *new = *old;
}

bool lt_watch_by_software(const lt_thread *thread)
{
  const struct lt_debug *debug = thread->process ? thread->process->space->debug : NULL;
  return debug && debug->software && !thread->process->starting;
}

/* Where the area has changed: the 8 bytes, or fewer, from the first changed one on. */
static bool find_change(lt_thread *thread, const struct lt_watchpoint *point, size_t *ret)
{
  uint8_t now[SOFTWARE_MAX];
  if (lt_mem_read(thread, point->addr, now, point->size) != (ssize_t)point->size)
    return false;
  for (size_t at = 0; at < point->size; at++) {
    if (now[at] == point->bytes[at])
      continue;
    *ret = point->size <= 8 ? 0 : at;
    return true;
  }
  return false;
}

static void report(lt_thread *thread, struct lt_watchpoint *point, size_t at)
{
  int status = thread->stop.status;
  unsigned size = point->size - at < 8 ? (unsigned)(point->size - at) : 8;
  uint64_t pc = 0, old, new;
  lt_thread_pc(thread, &pc);
  lt_watchpoint_values(thread, point, point->addr + at, size, &old, &new);
  if (thread->stop.kind == LT_SYSCALL_EXIT)
    lt_call_end(thread);
  lt_record(thread, LT_WATCH, status);
  thread->stop.u.watch.addr = point->addr + at;
  thread->stop.u.watch.pc = pc;
  thread->stop.u.watch.before = old;
  thread->stop.u.watch.after = new;
  thread->stop.u.watch.id = point->id;
  thread->stop.u.watch.size = size;
  lt_settle(thread, lt_report(thread));
}

bool lt_watch_compare(lt_thread *thread)
{
  if (!lt_watch_by_software(thread))
    return false;
  size_t at;
  for (struct lt_watchpoint *point = thread->process->space->debug->points; point;
       point = point->next) {
    if (!point->software || !find_change(thread, point, &at))
      continue;
    report(thread, point, at);
    return true;
  }
  return false;
}
