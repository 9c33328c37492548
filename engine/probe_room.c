/* probe_room.c - memory in the program for planted code and its counts.
 *
 * Code is mapped within reach of a jump from the function, where moreover the bytes of that jump trap
 * if an instruction begins at them (planted.h). Counts are in a System V shared memory segment: the
 * program attaches it with one call and no descriptor of its own, and what it has counted outlives
 * it. The segment is marked for removal at once, so that it goes with the last who has it mapped. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>
#include <utlist.h>

#include "probe.h"
#include "proc.h"
#include "remote.h"

#define PAGE ((uint64_t)4096)
#define COUNTS_ROOM ((size_t)LT_BLOCK_BYTES * (LT_BLOCKS + 1))
#define HEADER 64 /* the key, then the address of the counts */
#define LOWEST ((uint64_t)0x10000)
#define HEAP_GROWS ((uint64_t)256 << 20)
#define STACK_GROWS ((uint64_t)128 << 20)
#define ROOMS_MAX 64
#define ATTEMPTS 3

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static uint64_t key_of(uint32_t space)
{
  return ((uint64_t)space << 48) + space * PAGE;
}

struct lt_probes *lt_probes_of(lt_process *process)
{
  struct lt_space *space = process->space;
  if (!space->probes)
    space->probes = calloc(1, sizeof *space->probes);
  return space->probes;
}

/* ---- Counts ------------------------------------------------------------------------------- */

void lt_counts_leave(struct lt_counts_room *counts)
{
  if (!counts || --counts->users > 0)
    return;
  if (counts->memory)
    shmdt(counts->memory);
  if (counts->folded)
    munmap(counts->folded, COUNTS_ROOM);
  free(counts);
}

/* The segment belongs to a namespace; in another one its number means something else. */
static bool shares_namespace(pid_t tid)
{
  char own[64], other[64];
  ssize_t size = lt_k_proc_readlink(getpid(), "ns/ipc", own, sizeof own);
  return size > 0 && lt_k_proc_readlink(tid, "ns/ipc", other, sizeof other) == size &&
         memcmp(own, other, (size_t)size) == 0;
}

/* A segment that the program may attach, attached by us. Returns its number or a negated errno. */
static int make_segment(lt_thread *thread, struct lt_counts_room *counts)
{
  struct lt_proc_status status;
  struct shmid_ds about;
  if (!shares_namespace(thread->tid) || lt_proc_status(thread->tid, &status) != 0)
    return -ENOTSUP;
  int id = shmget(IPC_PRIVATE, COUNTS_ROOM, IPC_CREAT | SHM_NORESERVE | 0600);
  if (id < 0)
    return -errno;
  bool good = status.uid == geteuid();
  if (!good && shmctl(id, IPC_STAT, &about) == 0) {
    about.shm_perm.uid = status.uid;
    good = shmctl(id, IPC_SET, &about) == 0;
  }
  void *memory = shmat(id, NULL, 0);
  shmctl(id, IPC_RMID, NULL);
  if (memory == (void *)-1) // NOLINT(performance-no-int-to-ptr)
    return -ENOMEM;
  counts->memory = memory;
  return good ? id : -EPERM;
}

static int map_counts(lt_thread *thread, struct lt_probes *probes)
{
  const struct lt_arch *arch = lt_arch_get(lt_remote_abi(thread));
  struct lt_counts_room *counts = calloc(1, sizeof *counts);
  if (!counts)
    return -ENOMEM;
  counts->users = 1;
  counts->used = LT_BLOCK_HEADER;
  void *folded = mmap(NULL, COUNTS_ROOM, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  counts->folded = folded == MAP_FAILED ? NULL : folded;
  int id = counts->folded ? make_segment(thread, counts) : -ENOMEM;
  const uint64_t args[LT_CALL_ARGS] = {(uint64_t)id, 0, 0};
  int error = id < 0 ? id : lt_remote_call(thread, arch->shmat_nr, args);
  if (error == 0 && thread->remote) {
    thread->remote->silent = true;
    thread->grows_counts = probes->growing = true;
    probes->counts = counts;
    return -EAGAIN;
  }
  lt_counts_leave(counts);
  return error ? error : -EAGAIN;
}

/* ---- Code --------------------------------------------------------------------------------- */

static bool is_clear_of(const struct lt_map *map, uint64_t from, uint64_t to)
{
  uint64_t before = strcmp(map->path, "[stack]") == 0 ? STACK_GROWS : PAGE;
  uint64_t behind = strcmp(map->path, "[heap]") == 0 ? HEAP_GROWS : PAGE;
  return to + before <= map->from || from >= map->to + behind;
}

static bool is_free(const struct lt_map *maps, size_t count, uint64_t from, uint64_t top)
{
  uint64_t to = from + LT_CODE_ROOM;
  if (from < LOWEST || to > top || to < from)
    return false;
  for (size_t i = 0; i < count; i++)
    if (!is_clear_of(&maps[i], from, to))
      return false;
  return true;
}

static uint64_t find_place(lt_thread *thread, const struct lt_arch *arch,
                           const struct lt_jump_shape *shape, uint64_t addr)
{
  struct lt_map *maps;
  uint64_t window, place = 0;
  ssize_t count = lt_maps(thread, &maps);
  for (unsigned i = 0; !place && count > 0 && arch->jump_window(shape, addr, i, &window); i++) {
    uint64_t from = window & ~(PAGE - 1);
    if (is_free(maps, (size_t)count, from, arch->top))
      place = from;
  }
  lt_maps_free(maps, count > 0 ? (size_t)count : 0);
  return place;
}

static int map_code(lt_thread *thread, struct lt_probes *probes, const struct lt_arch *arch,
                    const struct lt_planted *planted)
{
  unsigned rooms;
  const struct lt_code_room *room;
  LL_COUNT(probes->code, room, rooms);
  uint64_t place = rooms < ROOMS_MAX ? find_place(thread, arch, &planted->shape, planted->addr) : 0;
  if (!place)
    return -ENOTSUP;
  const uint64_t args[LT_CALL_ARGS] = {place,
                                       LT_CODE_ROOM,
                                       PROT_READ | PROT_EXEC,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                                       UINT64_MAX,
                                       0};
  int error = lt_remote_call(thread, arch->mmap_nr, args);
  if (error == 0 && thread->remote) {
    thread->remote->silent = true;
    thread->grows_code = place;
    probes->growing = true;
  }
  return error ? error : -EAGAIN;
}

static bool begin_room(lt_thread *thread, struct lt_probes *probes, uint64_t at)
{
  const uint64_t words[] = {probes->key, probes->counts->at};
  struct lt_code_room *room = calloc(1, sizeof *room);
  if (!room ||
      lt_mem_raw_write(thread->process, at, words, sizeof words) != (ssize_t)sizeof words) {
    free(room);
    return false;
  }
  room->at = at;
  lt_probe_room_use(room, 0, HEADER);
  LL_PREPEND(probes->code, room);
  return true;
}

/* An older kernel takes the address for a wish. What it gave is ours to unmap, at any rate. */
void lt_probe_grown(lt_thread *thread, const struct lt_call *call)
{
  struct lt_probes *probes = thread->process->space->probes;
  uint64_t place = thread->grows_code;
  bool counts = thread->grows_counts;
  thread->grows_code = 0;
  thread->grows_counts = false;
  if (!probes)
    return;
  probes->growing = false;
  bool good = !call->is_error && lt_scratch_adopt(thread, (uint64_t)call->ret,
                                                  counts ? COUNTS_ROOM : LT_CODE_ROOM) == 0;
  if (good && counts) {
    probes->counts->at = (uint64_t)call->ret;
    probes->key = key_of(++probes->counts->spaces);
  } else if (good) {
    good = (uint64_t)call->ret == place && begin_room(thread, probes, place);
  }
  if (!good && ++probes->failures == ATTEMPTS)
    probes->never = true;
  if (!good && counts) {
    lt_counts_leave(probes->counts);
    probes->counts = NULL;
  }
}

/* ---- Room in the code ----------------------------------------------------------------------- */

void lt_probe_room_use(struct lt_code_room *room, uint64_t from, uint64_t size)
{
  room->extent[room->extents].from = (uint32_t)from;
  room->extent[room->extents++].to = (uint32_t)(from + size);
}

/* 0 if these bytes are free, else the end of what is there. */
static uint64_t taken_up_to(const struct lt_code_room *room, uint64_t from, uint64_t size)
{
  for (uint32_t i = 0; i < room->extents; i++)
    if (from < room->extent[i].to && room->extent[i].from < from + size)
      return room->extent[i].to;
  return 0;
}

/* Where a jump may go to that has so many bytes free; UINT64_MAX: nowhere. */
static uint64_t find_entry(const struct lt_code_room *room, const struct lt_arch *arch,
                           const struct lt_planted *planted, uint64_t size)
{
  uint8_t jump[LT_JUMP_BYTES];
  for (uint64_t at = HEADER; at + size <= LT_CODE_ROOM;) {
    if (arch->jump(&planted->shape, planted->addr, room->at + at, jump) != 0) {
      at++;
      continue;
    }
    uint64_t end = taken_up_to(room, at, size);
    if (!end)
      return at;
    at = end;
  }
  return UINT64_MAX;
}

static uint64_t find_body(const struct lt_code_room *room, uint64_t size, uint64_t but)
{
  for (uint64_t at = HEADER, end; at + size <= LT_CODE_ROOM; at = (end + 15) & ~(uint64_t)15) {
    end = taken_up_to(room, at, size);
    if (!end && at < but + LT_JUMP_BYTES && but < at + size)
      end = but + LT_JUMP_BYTES;
    if (!end)
      return at;
  }
  return UINT64_MAX;
}

/* The jump leads to the code itself, or where that does not fit there, to a jump to it. */
static bool place_in(struct lt_code_room *room, const struct lt_arch *arch,
                     const struct lt_planted *planted, uint64_t *ret_entry, uint64_t *ret_at)
{
  uint64_t size = planted->size, entry, at;
  if (room->extents + 2 > sizeof room->extent / sizeof *room->extent)
    return false;
  entry = at = find_entry(room, arch, planted, size);
  if (entry == UINT64_MAX) {
    entry = find_entry(room, arch, planted, LT_JUMP_BYTES);
    at = entry == UINT64_MAX ? entry : find_body(room, size, entry);
    if (at == UINT64_MAX)
      return false;
    lt_probe_room_use(room, entry, LT_JUMP_BYTES);
  }
  lt_probe_room_use(room, at, size);
  *ret_entry = room->at + entry;
  *ret_at = room->at + at;
  return true;
}

static int compile_in(const struct lt_code_room *room, const struct lt_arch *arch,
                      struct lt_planting what, struct lt_planted *ret)
{
  what.key = room->at;
  what.base = room->at + sizeof(uint64_t);
  return arch->plant(&what, ret);
}

int lt_probe_room(lt_thread *thread, const struct lt_planting *what, struct lt_probe *ret)
{
  const struct lt_arch *arch = lt_arch_native();
  struct lt_probes *probes = thread->process->space->probes;
  struct lt_planting moved = *what;
  if (lt_slots_barred(thread))
    return -ENOTSUP;
  if (probes->growing) /* another thread is at it */
    return -EBUSY;
  if (!probes->counts)
    return map_counts(thread, probes);
  moved.at = moved.key = moved.base = what->addr; /* to learn its size */
  int error = arch->plant(&moved, &ret->planted);
  if (error)
    return error;
  for (struct lt_code_room *room = probes->code; room; room = room->next) {
    if (!place_in(room, arch, &ret->planted, &ret->entry, &moved.at))
      continue;
    error = compile_in(room, arch, moved, &ret->planted);
    return error ? error : arch->jump(&ret->planted.shape, what->addr, ret->entry, ret->jump);
  }
  return map_code(thread, probes, arch, &ret->planted);
}

/* ---- Blocks ------------------------------------------------------------------------------- */

static _Atomic uint64_t *key_at(const struct lt_counts_room *counts, unsigned block)
{
  return (_Atomic uint64_t *)(void *)(counts->memory + (size_t)block * LT_BLOCK_BYTES);
}

static bool give_block(struct lt_counts_room *counts, unsigned block, pid_t tid, uint64_t key)
{
  counts->claimed[block] = tid;
  counts->touched[block] = true;
  *key_at(counts, block) = key;
  return true;
}

/* A block of a thread that has ended may be in use by another one with the same key, which the C
 * library has given the same memory: it is taken only when no other is left. */
bool lt_probe_claim(lt_thread *thread, unsigned *ret)
{
  struct lt_probes *probes = thread->process->space->probes;
  const struct lt_arch *arch = lt_arch_native();
  const struct lt_regs *regs;
  *ret = LT_BLOCKS;
  if (!probes || !probes->counts || probes->never || lt_regs_general(thread, &regs) != 0)
    return false;
  uint64_t key = arch->thread_pointer(regs) + probes->key;
  unsigned spare = LT_BLOCKS;
  for (unsigned i = arch->block_of(key); i < LT_BLOCKS; i++) {
    if (*key_at(probes->counts, i) == key) {
      *ret = i;
      return false;
    }
    if (!probes->counts->claimed[i])
      return give_block(probes->counts, i, thread->tid, key);
    if (probes->counts->claimed[i] < 0 && spare == LT_BLOCKS)
      spare = i;
  }
  return spare < LT_BLOCKS && give_block(probes->counts, spare, thread->tid, key);
}

void lt_probe_thread_gone(const lt_thread *thread)
{
  struct lt_probes *probes = thread->process ? thread->process->space->probes : NULL;
  if (probes && (thread->grows_code || thread->grows_counts))
    probes->growing = false;
  for (unsigned i = 0; probes && probes->counts && i < LT_BLOCKS; i++)
    if (probes->counts->claimed[i] == thread->tid)
      probes->counts->claimed[i] = -thread->tid;
}

/* Nobody runs in this space any more. */
static void free_blocks(const struct lt_probes *probes)
{
  for (unsigned i = 0; probes->counts && i < LT_BLOCKS; i++)
    if (*key_at(probes->counts, i) >> 48 == probes->key >> 48) {
      *key_at(probes->counts, i) = 0;
      probes->counts->claimed[i] = 0;
    }
}

/* ---- Spaces ------------------------------------------------------------------------------- */

struct lt_probes *lt_probes_copy(const struct lt_probes *probes)
{
  struct lt_probes *copy = probes ? malloc(sizeof *copy) : NULL;
  if (!copy)
    return NULL;
  *copy = *probes;
  copy->code = NULL;
  copy->all = NULL;
  copy->growing = false;
  for (const struct lt_code_room *room = probes->code; room; room = room->next) {
    struct lt_code_room *one = malloc(sizeof *one);
    if (!one)
      break;
    *one = *room;
    LL_PREPEND(copy->code, one);
  }
  for (const struct lt_probe_link *link = probes->all; link; link = link->next) {
    struct lt_probe_link *one = malloc(sizeof *one);
    if (!one)
      break;
    *one = *link;
    one->probe->users++;
    LL_PREPEND(copy->all, one);
  }
  if (copy->counts) {
    copy->counts->users++;
    copy->key = key_of(++copy->counts->spaces);
    copy->never |= copy->counts->spaces > UINT16_MAX;
  }
  return copy;
}

void lt_probes_free(struct lt_probes *probes)
{
  struct lt_probe_link *link, *next_link;
  struct lt_code_room *room, *next_room;
  if (!probes)
    return;
  free_blocks(probes);
  LL_FOREACH_SAFE(probes->all, link, next_link) {
    lt_probe_free(link->probe);
    free(link);
  }
  LL_FOREACH_SAFE(probes->code, room, next_room)
    free(room);
  lt_counts_leave(probes->counts);
  free(probes);
}
