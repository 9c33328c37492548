/* slots.c - room near a program's code from which displaced instructions run.
 *
 * The room is mapped by the program itself (a remote mmap), within reach of a 32-bit displacement of
 * the code that it is for, when the first thread has to run on from a breakpoint there; where that
 * cannot be, it is found in the code's last page (slack.c). A slot stays with its site: threads may
 * be in it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utlist.h>

#include "breaks.h"
#include "proc.h"
#include "remote.h"

#define AREA ((uint64_t)64 * 1024)
#define REACH ((uint64_t)0x70000000)
#define LOWEST ((uint64_t)0x10000) /* vm.mmap_min_addr */
#define ATTEMPTS 3

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

struct lt_slots {
  uint64_t base; /* 0: a mark that room could not be mapped */
  unsigned count, used;
  unsigned failures;
  struct lt_slots *next;
};

static bool reaches(uint64_t from, uint64_t to)
{
  return (from > to ? from - to : to - from) < REACH;
}

struct lt_slots *lt_slots_copy(const struct lt_slots *slots)
{
  struct lt_slots *copy = NULL;
  for (; slots; slots = slots->next) {
    struct lt_slots *one = malloc(sizeof *one);
    if (!one)
      break; /* the child maps its own */
    *one = *slots;
    LL_PREPEND(copy, one);
  }
  return copy;
}

void lt_slots_free(struct lt_slots *slots)
{
  struct lt_slots *one, *next;
  LL_FOREACH_SAFE(slots, one, next)
    free(one);
}

static uint64_t take(const struct lt_sites *sites, uint64_t near)
{
  struct lt_slots *area;
  LL_FOREACH(sites->slots, area)
    if (area->base && reaches(area->base, near) && area->used < area->count)
      return area->base + (uint64_t)area->used++ * LT_SLOT_BYTES;
  return 0;
}

/* ---- Mapping room ------------------------------------------------------------------------- */

/* Where an area fits: below `near` for choice, as the kernel would place it. Above a mapping may be
 * room that it needs to grow: the heap upwards, and the stack downwards. */
static uint64_t find_gap(const struct lt_map *maps, size_t count, uint64_t near)
{
  uint64_t below = 0, above = 0, end = LOWEST;
  for (size_t i = 0; i < count; i++) {
    uint64_t from = maps[i].from;
    bool room = from > end && from - end >= 2 * AREA && strcmp(maps[i].path, "[stack]") != 0;
    if (room && from <= near + AREA && reaches(from - AREA, near))
      below = from - AREA;
    else if (room && !above && reaches(from - AREA, near))
      above = from - AREA;
    if (maps[i].to > end)
      end = maps[i].to;
  }
  return below ? below : above;
}

/* What it may do is the business of its own filter, which may kill. Ours does not count. */
bool lt_slots_barred(const lt_thread *thread)
{
  struct lt_proc_status own, status;
  return lt_proc_status(getpid(), &own) == 0 && lt_proc_status(thread->tid, &status) == 0 &&
         status.filters > own.filters + (thread->process->filter != NULL);
}

static int use_slack(lt_thread *thread, struct lt_sites *sites, uint64_t near)
{
  uint64_t from, to;
  const struct lt_slots *old;
  struct lt_slots *area;
  if (!lt_slack_find(thread, near, &from, &to) || to - from < LT_SLOT_BYTES)
    return -ENOMEM;
  LL_FOREACH(sites->slots, old)
    if (old->base == from)
      return -ENOMEM; /* and it is full */
  area = calloc(1, sizeof *area);
  if (!area)
    return -ENOMEM;
  area->base = from;
  area->count = (unsigned)((to - from) / LT_SLOT_BYTES);
  LL_PREPEND(sites->slots, area);
  return 0;
}

static bool may_not_map(lt_thread *thread)
{
  const struct lt_slots *area;
  LL_FOREACH(thread->process->space->sites->slots, area)
    if (!area->base && area->failures >= ATTEMPTS)
      return true;
  return lt_slots_barred(thread);
}

static int map_room(lt_thread *thread, uint64_t near)
{
  struct lt_map *maps;
  if (may_not_map(thread))
    return -ENOMEM;
  ssize_t count = lt_maps(thread, &maps);
  uint64_t place = count > 0 ? find_gap(maps, (size_t)count, near) : 0;
  lt_maps_free(maps, count > 0 ? (size_t)count : 0);
  if (!place)
    return -ENOMEM;
  const uint64_t args[LT_CALL_ARGS] = {
      place,      AREA, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
      UINT64_MAX, 0};
  thread->grows_slots = place;
  int error = lt_remote_call(thread, lt_arch_get(lt_remote_abi(thread))->mmap_nr, args);
  if (error == 0 && thread->remote)
    thread->remote->silent = true;
  else
    thread->grows_slots = 0;
  return error ? error : -EAGAIN;
}

/* An older kernel takes the address for a wish: such an area may be out of reach, and is not used. */
void lt_slots_grown(lt_thread *thread, const struct lt_call *call)
{
  struct lt_sites *sites = thread->process->space->sites;
  uint64_t place = thread->grows_slots;
  thread->grows_slots = 0;
  struct lt_slots *area = sites ? calloc(1, sizeof *area) : NULL;
  if (!area)
    return;
  bool good = !call->is_error && lt_scratch_adopt(thread, (uint64_t)call->ret, AREA) == 0;
  if (good && reaches((uint64_t)call->ret, place)) {
    area->base = (uint64_t)call->ret;
    area->count = AREA / LT_SLOT_BYTES;
    LL_PREPEND(sites->slots, area);
    return;
  }
  struct lt_slots *mark;
  LL_FOREACH(sites->slots, mark)
    if (!mark->base)
      break;
  if (mark) {
    mark->failures++;
    free(area);
  } else {
    area->failures = 1;
    LL_PREPEND(sites->slots, area);
  }
}

/* ---- Filling slots ------------------------------------------------------------------------ */

/* Code in memory that belongs to no file may be rewritten by the program at any time. */
static bool may_change(lt_thread *thread, uint64_t addr)
{
  struct lt_map *maps;
  ssize_t count = lt_maps(thread, &maps);
  bool changes = true;
  for (ssize_t i = 0; i < count; i++)
    if (maps[i].from <= addr && addr < maps[i].to)
      changes = maps[i].perms[1] == 'w' || (!maps[i].inode && maps[i].path[0] != '[');
  lt_maps_free(maps, count > 0 ? (size_t)count : 0);
  return changes;
}

static int translate(lt_thread *thread, struct lt_site *site, const uint8_t *code, size_t size)
{
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (error)
    return error;
  const struct lt_arch *arch = lt_arch_get(lt_arch_of(regs));
  struct lt_displaced displaced;
  error = arch->displace(code, size, site->addr, site->slot, &displaced);
  if (error)
    return error;
  ssize_t done = lt_mem_raw_write(thread->process, site->slot, displaced.code, displaced.size);
  if (done != displaced.size)
    return done < 0 ? (int)done : -EFAULT;
  site->displaced = displaced;
  return 0;
}

int lt_slot_prepare(lt_thread *thread, struct lt_site *site)
{
  uint8_t code[LT_INSTRUCTION_BYTES];
  struct lt_sites *sites = thread->process->space->sites;
  if (site->translated && !site->changes)
    return 0;
  ssize_t size = lt_site_code(thread->process, site->addr, code, sizeof code);
  if (size <= 0)
    return size < 0 ? (int)size : -EFAULT;
  unsigned length = site->displaced.length;
  if (site->slot && length && size >= (ssize_t)length &&
      memcmp(code, site->displaced.original, length) == 0) {
    site->translated = true;
    return 0;
  }
  uint64_t slot = take(sites, site->addr);
  if (!slot) {
    int error = map_room(thread, site->addr);
    if (error != -ENOMEM || use_slack(thread, sites, site->addr) != 0)
      return error;
    slot = take(sites, site->addr);
  }
  site->slot = slot;
  site->changes = may_change(thread, site->addr);
  int error = translate(thread, site, code, (size_t)size);
  site->translated = error == 0;
  if (error)
    site->slot = 0;
  return error;
}
