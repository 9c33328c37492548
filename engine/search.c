/* search.c - find bytes in tracee memory, in bounded time and space.
 *
 * Looking at a page that the program never touched makes the kernel provide one, and programs map
 * terabytes that they do not use. /proc/TID/pagemap tells which pages were touched. Elsewhere
 *  - private anonymous memory is zero, so bytes that are not all zero cannot be there;
 *  - a mapping longer than LT_MEM_MAX is not looked at: this is where exactness ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "registers.h"

#define PAGE ((uint64_t)4096)
#define CHUNK ((size_t)256 << 10)
#define ENTRIES ((size_t)4096)      /* of pagemap, looked at together */
#define HOLES_MAX ((size_t)1 << 20) /* unreadable pages in one search */

struct search {
  lt_thread *thread;
  const uint8_t *bytes; /* what is looked for */
  size_t size;
  bool all_zero;
  uint8_t *buffer; /* size - 1 + CHUNK: what may begin a match, then what was just read */
  size_t kept;     /* bytes in the buffer from just below `at` */
  uint64_t at;     /* next address to look at */
  uint64_t until;  /* up to here, something that was touched is near; see next_window() */
  size_t holes;
  int pagemap; /* descriptor, or negative */
  uint64_t entries[ENTRIES];
};

/* How far from a byte of a match the rest of it can be, in whole pages. */
static uint64_t margin(const struct search *search)
{
  return (search->size / PAGE + 2) * PAGE;
}

/* Go on at another address, from which no match reaches back. */
static void jump(struct search *search, uint64_t at)
{
  if (at != search->at)
    search->kept = 0;
  search->at = at;
}

/* The first page that was touched in [from, to), else `to`; `from` is a multiple of a page. Where
 * the kernel does not tell, each page counts as touched. */
static uint64_t touched(struct search *search, uint64_t from, uint64_t to)
{
  for (size_t count = 64; from < to; count = ENTRIES) {
    if ((to - from + PAGE - 1) / PAGE < count)
      count = (size_t)((to - from + PAGE - 1) / PAGE);
    ssize_t got = lt_k_pread(search->pagemap, search->entries, count * 8, from / PAGE * 8);
    if (got < 8)
      return from;
    for (size_t i = 0; i < (size_t)got / 8; i++, from += PAGE)
      if (search->entries[i] >> 62) /* present or swapped */
        return from;
  }
  return to;
}

/* The end of the last page in [from, to) that was touched, else 0; at most CHUNK bytes. */
static uint64_t touched_last(struct search *search, uint64_t from, uint64_t to)
{
  uint64_t first = from / PAGE;
  size_t count = (size_t)((to + PAGE - 1) / PAGE - first);
  ssize_t got = lt_k_pread(search->pagemap, search->entries, count * 8, first * 8);
  if (got < 8)
    return to;
  for (size_t i = (size_t)got / 8; i-- > 0;)
    if (search->entries[i] >> 62)
      return (first + i + 1) * PAGE;
  return 0;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

/* Where to stop reading in memory of which only what was touched and what is near that counts.
 * Skips what is not near. A page that we have read counts as touched from then on, so that the
 * kernel is asked before. The ends of a mapping are always looked at: a match may begin or end in
 * the neighbour. */
static uint64_t next_window(struct search *search, uint64_t to)
{
  uint64_t near = margin(search);
  if (search->at >= search->until) {
    uint64_t page = touched(search, search->at / PAGE * PAGE, to);
    uint64_t next = page > near ? page - near : 0;
    if (next > search->at)
      jump(search, next);
    search->until = page + PAGE + near;
  }
  uint64_t chunk = lower(search->at + CHUNK, to);
  uint64_t last = touched_last(search, search->at, chunk);
  if (last && last + near > search->until)
    search->until = last + near;
  return lower(search->until, chunk);
}

/* Look at what the buffer holds and keep what may begin a match. 1 and the address, or 0. */
static int look(struct search *search, size_t got, uint64_t *ret)
{
  size_t have = search->kept + got;
  const uint8_t *found = memmem(search->buffer, have, search->bytes, search->size);
  if (found) {
    *ret = search->at - search->kept + (uint64_t)(found - search->buffer);
    return 1;
  }
  size_t keep = have < search->size - 1 ? have : search->size - 1;
  memmove(search->buffer, search->buffer + have - keep, keep);
  search->kept = keep;
  search->at += got;
  return 0;
}

/* Read up to `to` and look at that; go past the page where it ends at a hole. */
static int step(struct search *search, uint64_t to, uint64_t *ret)
{
  size_t size = (size_t)(to - search->at);
  ssize_t got = lt_mem_read(search->thread, search->at, search->buffer + search->kept, size);
  if (got < 0 && got != -EFAULT)
    return (int)got;
  int found = got > 0 ? look(search, (size_t)got, ret) : 0;
  if (found || got == (ssize_t)size)
    return found;
  if (++search->holes > HOLES_MAX)
    return lt_fail(search->thread->session, -EFAULT,
                   "search given up at 0x%llx: more than %zu unreadable pages",
                   (unsigned long long)search->at, HOLES_MAX);
  jump(search, search->at / PAGE * PAGE + PAGE);
  return 0;
}

static bool is_private_memory(const struct lt_map *map)
{
  if (map->inode || map->perms[3] != 'p')
    return false;
  return !*map->path || strcmp(map->path, "[heap]") == 0 || strcmp(map->path, "[stack]") == 0 ||
         strncmp(map->path, "[anon:", 6) == 0;
}

static int search_map(struct search *search, const struct lt_map *map, uint64_t to, uint64_t *ret)
{
  bool sparse = map->to - map->from > LT_MEM_MAX || (is_private_memory(map) && !search->all_zero);
  int found = 0;
  search->until = search->at + margin(search);
  while (!found && search->at < to) {
    uint64_t end = lower(search->at + CHUNK, to);
    if (sparse && search->pagemap >= 0)
      end = next_window(search, to);
    found = step(search, end, ret);
  }
  return found;
}

static int search_maps(struct search *search, uint64_t from, uint64_t to, uint64_t *ret)
{
  struct lt_map *maps;
  ssize_t count = lt_maps(search->thread, &maps);
  int found = count < 0 ? (int)count : 0;
  for (ssize_t i = 0; i < count && !found; i++) {
    uint64_t first = maps[i].from > from ? maps[i].from : from;
    uint64_t last = maps[i].to < to ? maps[i].to : to;
    if (first >= last || maps[i].perms[0] != 'r')
      continue;
    jump(search, first);
    found = search_map(search, &maps[i], last, ret);
  }
  lt_maps_free(maps, count > 0 ? (size_t)count : 0);
  return found;
}

static bool is_all_zero(const uint8_t *bytes, size_t size)
{
  return !bytes[0] && memcmp(bytes, bytes + 1, size - 1) == 0;
}

int lt_mem_search(lt_thread *thread, uint64_t from, uint64_t to, const void *bytes, size_t size,
                  uint64_t *ret)
{
  int error = lt_touch(thread);
  if (error)
    return error;
  if (!size)
    return lt_fail(thread->session, -EINVAL, "there is nothing to search for");
  if (size > LT_MEM_MAX)
    return lt_fail(thread->session, -E2BIG, "cannot search for %zu bytes: at most %zu", size,
                   LT_MEM_MAX);
  struct search *search = malloc(sizeof *search);
  uint8_t *buffer = malloc(size - 1 + CHUNK);
  int found = -ENOMEM;
  if (search && buffer) {
    *search = (struct search){.thread = thread, .bytes = bytes, .size = size, .buffer = buffer};
    search->all_zero = is_all_zero(bytes, size);
    search->pagemap = lt_k_proc_open(thread->tid, "pagemap", O_RDONLY);
    found = search_maps(search, from, to, ret);
    if (search->pagemap >= 0)
      close(search->pagemap);
  } else {
    lt_fail(thread->session, found, "out of memory");
  }
  free(buffer);
  free(search);
  return found;
}
