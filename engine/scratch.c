/* scratch.c - room in a process for what a script puts there: a path longer than the program's, a
 * buffer for a call made on its behalf.
 *
 * The room is mapped by the process itself (a remote mmap), so that it collides with nothing: no
 * red zone, no neighbour of a small stack, no mapping of the program's own. It is one region of
 * REGION bytes in pages, more if something does not fit. What a thread takes is its own until its
 * call ends. Before the last thread of a space is let go, the regions are unmapped. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <utlist.h>

#include "engine.h"

#define PAGE ((size_t)4096)
#define REGION (256 * (size_t)1024)

struct lt_region {
  uint64_t addr;
  size_t pages;
  struct lt_region *next;
  const void *user[]; /* of each page: a thread or a function that it runs; NULL: free */
};

static struct lt_region *new_region(uint64_t addr, size_t pages)
{
  struct lt_region *region = calloc(1, sizeof *region + pages * sizeof(const lt_thread *));
  if (region) {
    region->addr = addr;
    region->pages = pages;
  }
  return region;
}

struct lt_region *lt_regions_copy(const struct lt_region *regions)
{
  struct lt_region *copy = NULL;
  for (const struct lt_region *region = regions; region; region = region->next) {
    struct lt_region *one = new_region(region->addr, region->pages);
    if (!one) /* the child maps its own */
      continue;
    for (size_t i = 0; i < one->pages && region->user[i] == region; i++)
      one->user[i] = one; /* nobody's to take there either */
    LL_PREPEND(copy, one);
  }
  return copy;
}

void lt_regions_free(struct lt_region *regions)
{
  struct lt_region *region, *next;
  LL_FOREACH_SAFE(regions, region, next)
    free(region);
}

/* First page of `count` free ones in a row; SIZE_MAX if there are none. */
static size_t find_room(const struct lt_region *region, size_t count)
{
  size_t run = 0;
  for (size_t i = 0; i < region->pages; i++) {
    run = region->user[i] ? 0 : run + 1;
    if (run == count)
      return i + 1 - count;
  }
  return SIZE_MAX;
}

int lt_scratch_take(lt_thread *thread, size_t size, uint64_t *ret)
{
  size_t count = size ? (size + PAGE - 1) / PAGE : 1;
  bool narrow = thread->in_call && thread->call.abi == LT_ABI_I386; /* int 0x80 from 64-bit code */
  int error = lt_thread_access(thread);
  if (error)
    return lt_fail(thread->session, error, "thread %d is not stopped", (int)thread->tid);
  for (struct lt_region *region = thread->process->space->scratch; region; region = region->next) {
    size_t first = find_room(region, count);
    if (first == SIZE_MAX || (narrow && region->addr > UINT32_MAX))
      continue;
    for (size_t i = 0; i < count; i++)
      region->user[first + i] = thread;
    *ret = region->addr + first * PAGE;
    thread->uses_scratch = true;
    return 0;
  }
  return lt_fail(thread->session, -EAGAIN, "no room is mapped in process %d",
                 (int)thread->process->pid);
}

void lt_scratch_release(lt_thread *thread)
{
  if (!thread->uses_scratch)
    return;
  thread->uses_scratch = false;
  for (struct lt_region *region = thread->process->space->scratch; region; region = region->next)
    for (size_t i = 0; i < region->pages; i++)
      if (region->user[i] == thread)
        region->user[i] = NULL;
}

void lt_scratch_hand_over(lt_thread *thread, const void *from, const void *to)
{
  for (struct lt_region *region = thread->process->space->scratch; region; region = region->next)
    for (size_t i = 0; i < region->pages; i++)
      if (region->user[i] == from)
        region->user[i] = to;
}

int lt_scratch_adopt(lt_thread *thread, uint64_t addr, size_t size)
{
  struct lt_region *region = new_region(addr, (size + PAGE - 1) / PAGE);
  if (!region)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  for (size_t i = 0; i < region->pages; i++)
    region->user[i] = region; /* nobody's to take */
  LL_PREPEND(thread->process->space->scratch, region);
  return 0;
}

void lt_scratch_disown(lt_thread *thread, uint64_t addr)
{
  struct lt_space *space = thread->process->space;
  struct lt_region *region;
  LL_FOREACH(space->scratch, region)
    if (region->addr == addr && region->user[0] == region) {
      LL_DELETE(space->scratch, region);
      free(region);
      return;
    }
}

void lt_scratch_give(lt_thread *thread, uint64_t addr, size_t size)
{
  size_t count = size ? (size + PAGE - 1) / PAGE : 1;
  for (struct lt_region *region = thread->process->space->scratch; region; region = region->next) {
    uint64_t first = (addr - region->addr) / PAGE;
    for (uint64_t i = first; addr >= region->addr && i < first + count && i < region->pages; i++)
      if (region->user[i] == thread)
        region->user[i] = NULL;
  }
}

/* The ABI of a call that the thread would make for us now. */
static int remote_abi(lt_thread *thread, enum lt_abi *ret)
{
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (error == 0)
    *ret = thread->stop.kind == LT_SYSCALL_ENTRY ? (enum lt_abi)thread->call.abi : lt_arch_of(regs);
  return error;
}

enum lt_abi lt_remote_abi(lt_thread *thread)
{
  enum lt_abi abi = LT_ABI_X86_64;
  remote_abi(thread, &abi);
  return abi;
}

int lt_scratch_grow(lt_thread *thread, size_t size)
{
  enum lt_abi abi;
  int error = remote_abi(thread, &abi);
  if (error)
    return error;
  if (size > LT_MEM_MAX)
    return lt_fail(thread->session, -E2BIG, "%zu bytes are too many for one argument", size);
  size_t room = size > REGION ? (size + PAGE - 1) / PAGE * PAGE : REGION;
  uint64_t args[LT_CALL_ARGS] = {
      0, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0};
  error = lt_remote_call(thread, lt_arch_get(abi)->mmap_nr, args);
  if (error == 0)
    thread->grows_scratch = room;
  return error;
}

void lt_scratch_grown(lt_thread *thread, const struct lt_call *call)
{
  size_t pages = thread->grows_scratch / PAGE;
  thread->grows_scratch = 0;
  struct lt_region *region = call->is_error ? NULL : new_region((uint64_t)call->ret, pages);
  if (region)
    LL_PREPEND(thread->process->space->scratch, region);
}

bool lt_scratch_unmap(lt_thread *thread)
{
  lt_process *process = thread->process;
  struct lt_space *space = process->space;
  bool last = process->threads == thread && !thread->next && space->processes == 1;
  enum lt_abi abi;
  if (!last || !space->scratch || remote_abi(thread, &abi) != 0)
    return false;
  struct lt_region *region = space->scratch;
  uint64_t args[LT_CALL_ARGS] = {region->addr, region->pages * PAGE};
  LL_DELETE(space->scratch, region);
  free(region);
  return lt_remote_call(thread, lt_arch_get(abi)->munmap_nr, args) == 0;
}
