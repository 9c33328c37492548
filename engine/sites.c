/* sites.c - where breakpoints are planted: the table of an address space, and what accesses to that
 * memory see of it. A record outlives its plant, so that a trap that is still to be reported is known
 * as ours. */
#include <stdlib.h>
#include <string.h>

#include "aggregate.h"
#include "breaks.h"
#include "probe.h"

static const struct lt_arch *arch(void)
{
  return lt_arch_native();
}

/* ---- The table ---------------------------------------------------------------------------- */

struct lt_site *lt_site_find(const lt_process *process, uint64_t addr)
{
  struct lt_site *site = NULL;
  if (process->space->sites)
    HASH_FIND(hh, process->space->sites->by_addr, &addr, sizeof addr, site);
  return site;
}

static void insert(struct lt_sites *sites, struct lt_site *site)
{
  HASH_ADD(hh, sites->by_addr, addr, sizeof site->addr, site);
  if (site->id)
    HASH_ADD(by_id, sites->by_id, id, sizeof site->id, site);
  sites->planted += site->planted;
  sites->stale = true;
}

struct lt_site *lt_site_make(lt_process *process, uint64_t addr)
{
  struct lt_space *space = process->space;
  if (!space->sites)
    space->sites = calloc(1, sizeof *space->sites);
  struct lt_site *site = space->sites ? calloc(1, sizeof *site) : NULL;
  if (!site)
    return NULL;
  site->addr = addr;
  insert(space->sites, site);
  return site;
}

struct lt_sites *lt_sites_copy(const struct lt_sites *sites)
{
  struct lt_sites *copy = sites && sites->by_addr ? calloc(1, sizeof *copy) : NULL;
  if (!copy)
    return NULL;
  for (const struct lt_site *site = sites->by_addr; site; site = site->hh.next) {
    struct lt_site *one = malloc(sizeof *one);
    if (!one)
      continue; /* hits there will look like the program's own */
    *one = *site;
    one->attached = lt_attached_copy(site->attached);
    insert(copy, one);
  }
  copy->slots = lt_slots_copy(sites->slots);
  return copy;
}

void lt_sites_free(struct lt_sites *sites)
{
  struct lt_site *site, *next;
  if (!sites)
    return;
  site = sites->by_addr;
  HASH_CLEAR(by_id, sites->by_id);
  HASH_CLEAR(hh, sites->by_addr);
  for (; site; site = next) {
    next = site->hh.next;
    free(site->attached);
    free(site);
  }
  lt_slots_free(sites->slots);
  free(sites->sorted);
  free(sites);
}

static int by_address(const void *left, const void *right)
{
  const struct lt_site *const *a = left, *const *b = right;
  return ((*a)->addr > (*b)->addr) - ((*a)->addr < (*b)->addr);
}

static void sort(struct lt_sites *sites)
{
  unsigned count = HASH_CNT(hh, sites->by_addr), i = 0;
  const size_t size = sizeof(void *);
  if (!sites->stale || !count)
    return;
  struct lt_site **sorted = realloc(sites->sorted, count * size);
  if (!sorted) /* the old order lacks the newest ones, and is tried again */
    return;
  for (struct lt_site *site = sites->by_addr; site; site = site->hh.next)
    sorted[i++] = site;
  qsort(sorted, count, size, by_address);
  sites->sorted = sorted;
  sites->stale = false;
}

/* The index of the first site in order that may have bytes at or after `addr`. */
static unsigned first_at(const struct lt_sites *sites, uint64_t addr)
{
  uint64_t from = addr < LT_PLANT_BYTES ? 0 : addr - (LT_PLANT_BYTES - 1);
  unsigned low = 0, high = HASH_CNT(hh, sites->by_addr);
  while (low < high) {
    unsigned middle = low + (high - low) / 2;
    if (sites->sorted[middle]->addr < from)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

size_t lt_site_ours(const struct lt_site *site, const uint8_t **ret)
{
  *ret = site->probe ? site->probe->jump : arch()->trap_bytes;
  return site->probe ? sizeof site->probe->jump : arch()->trap_size;
}

/* ---- What memory accesses see --------------------------------------------------------------- */

/* Walks the planted bytes that lie in a range of memory. */
struct overlap {
  struct lt_sites *sites;
  uint64_t addr;
  size_t size;
  unsigned next;
  struct lt_site *site;
  const uint8_t *ours; /* its plant */
  size_t ours_size;
  unsigned byte; /* of the plant */
  size_t at;     /* in the range */
};

static bool overlap_begin(struct overlap *walk, const lt_process *process, uint64_t addr,
                          size_t size)
{
  struct lt_sites *sites = process ? process->space->sites : NULL;
  if (!sites || !sites->planted)
    return false;
  sort(sites);
  if (sites->stale)
    return false;
  *walk = (struct overlap){.sites = sites, .addr = addr, .size = size};
  walk->next = first_at(sites, addr);
  return true;
}

static bool overlap_next(struct overlap *walk)
{
  unsigned count = HASH_CNT(hh, walk->sites->by_addr);
  for (;;) {
    if (!walk->site || ++walk->byte >= walk->ours_size) {
      do {
        if (walk->next >= count)
          return false;
        walk->site = walk->sites->sorted[walk->next++];
      } while (!walk->site->planted);
      walk->ours_size = lt_site_ours(walk->site, &walk->ours);
      walk->byte = 0;
    }
    uint64_t at = walk->site->addr + walk->byte - walk->addr;
    if (walk->site->addr + walk->byte >= walk->addr && at < walk->size) {
      walk->at = (size_t)at;
      return true;
    }
    if (walk->site->addr >= walk->addr && at >= walk->size)
      return false;
  }
}

/* A byte that is not ours any more was rewritten by the program. */
void lt_sites_hide(const lt_process *process, uint64_t addr, void *bytes, size_t size)
{
  struct overlap walk;
  if (!overlap_begin(&walk, process, addr, size))
    return;
  while (overlap_next(&walk)) {
    uint8_t *byte = (uint8_t *)bytes + walk.at;
    if (*byte == walk.ours[walk.byte])
      *byte = walk.site->bytes[walk.byte];
  }
}

uint8_t *lt_sites_cover(const lt_process *process, uint64_t addr, const void *bytes, size_t size)
{
  struct overlap walk;
  if (!overlap_begin(&walk, process, addr, size) || !overlap_next(&walk))
    return NULL;
  uint8_t *copy = malloc(size);
  if (!copy) /* ours are overwritten: a breakpoint is lost, and nothing of the program's */
    return NULL;
  memcpy(copy, bytes, size);
  do
    copy[walk.at] = walk.ours[walk.byte];
  while (overlap_next(&walk));
  return copy;
}

/* Instructions near what was written may be others now: they are translated again, for a new slot,
 * as threads may be in the old one. */
void lt_sites_written(const lt_process *process, uint64_t addr, const void *bytes, size_t size)
{
  struct overlap walk;
  if (!overlap_begin(&walk, process, addr, size))
    return;
  while (overlap_next(&walk))
    walk.site->bytes[walk.byte] = ((const uint8_t *)bytes)[walk.at];
  uint64_t from = addr < LT_INSTRUCTION_BYTES ? 0 : addr - LT_INSTRUCTION_BYTES;
  for (unsigned i = first_at(walk.sites, from);
       i < HASH_CNT(hh, walk.sites->by_addr) && walk.sites->sorted[i]->addr < addr + size; i++) {
    walk.sites->sorted[i]->translated = false;
    walk.sites->sorted[i]->slot = 0;
  }
}
