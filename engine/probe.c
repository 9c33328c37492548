/* probe.c - a site becomes a probe, and a breakpoint again.
 *
 * Neither needs the program to stand still. While the jump is being written, the first byte is the
 * breakpoint instruction, so nobody comes in; whoever is inside runs on, up to the next instruction,
 * which is a trap by then. Before bytes are changed that a processor may have fetched with the old
 * ones around them, membarrier(2) has each processor come through the kernel. That takes as long as
 * some timer ticks, so it is done seldom. */
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utlist.h>

#include "module.h"
#include "probe.h"
#include "watchpoints.h"

#define HITS 8        /* before a site becomes a probe */
#define HITS_AMONG 64 /* if other threads run */
#define PAUSE 10      /* so many times as long as a change took is none made after it */
#define FUNCTION_MAX 65536
#define TABLE_BYTES 6144
#define TABLE_ENTRIES 128

static const struct lt_arch *arch(void)
{
  return lt_arch_native();
}

/* ---- Others ------------------------------------------------------------------------------- */

/* Whether any thread of this memory may be running. */
static bool anybody_runs(const lt_process *process)
{
  for (lt_thread *thread = process->session->threads; thread; thread = thread->hh.next)
    if (thread->process && thread->process->space == process->space &&
        thread->state != LT_ST_STOPPED && thread->state != LT_ST_DEAD)
      return true;
  return false;
}

/* Async-signal-safe. */
static bool pass_through_kernel(void)
{
  return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0;
}

static bool is_stepped(const lt_process *process)
{
  uint64_t done;
  for (lt_thread *thread = process->session->threads; thread; thread = thread->hh.next)
    if (thread->process && thread->process->space == process->space &&
        (lt_thread_stepping(thread, &done) || lt_watch_by_software(thread)))
      return true;
  return false;
}

/* ---- Bytes -------------------------------------------------------------------------------- */

static bool write_some(lt_process *process, uint64_t addr, const uint8_t *bytes, size_t size)
{
  return lt_mem_raw_write(process, addr, bytes, size) == (ssize_t)size;
}

bool lt_probe_is_in_place(lt_process *process, const struct lt_site *site)
{
  uint8_t bytes[LT_JUMP_BYTES];
  return lt_mem_raw_read(process, site->addr, bytes, sizeof bytes) == (ssize_t)sizeof bytes &&
         memcmp(bytes, site->probe->jump, sizeof bytes) == 0;
}

static bool write_jump(lt_process *process, uint64_t addr, const struct lt_probe *probe)
{
  const uint8_t *jump = probe->jump;
  unsigned boundary = probe->planted.shape.boundary;
  bool runs = anybody_runs(process), good = true;
  for (unsigned i = 1; i < LT_JUMP_BYTES && good; i++)
    good = !(boundary >> i & 1) || write_some(process, addr + i, jump + i, 1);
  good = good && (!runs || pass_through_kernel());
  good = good && write_some(process, addr + 1, jump + 1, LT_JUMP_BYTES - 1);
  good = good && (!runs || pass_through_kernel());
  return good && write_some(process, addr, jump, 1);
}

/* The jump gives way to the breakpoint. */
static bool cover_jump(lt_process *process, const struct lt_site *site)
{
  return site->probe && lt_probe_is_in_place(process, site) &&
         write_some(process, site->addr, arch()->trap_bytes, 1);
}

void lt_probe_drop(lt_process *process, struct lt_site *site)
{
  site->probe = NULL;
  site->hits = 0;
  process->space->probes->live--;
  process->space->sites->changes++;
}

/* All those of which `test` says so: made breakpoints again. */
static void clear(lt_process *process, bool (*test)(const struct lt_site *, const void *),
                  const void *data)
{
  struct lt_sites *sites = process->space->sites;
  const struct lt_probes *probes = process->space->probes;
  bool any = false;
  if (!sites || !probes || !probes->live)
    return;
  for (struct lt_site *site = sites->by_addr; site; site = site->hh.next)
    if (site->probe && test(site, data))
      any |= site->covered = cover_jump(process, site);
  if (any && anybody_runs(process))
    pass_through_kernel();
  for (struct lt_site *site = sites->by_addr; site; site = site->hh.next)
    if (site->probe && test(site, data)) {
      if (site->covered)
        write_some(process, site->addr + 1, site->bytes + 1, LT_JUMP_BYTES - 1);
      lt_probe_drop(process, site);
    }
}

static bool every(const struct lt_site *site, const void *data)
{
  (void)site;
  (void)data;
  return true;
}

struct lt_span {
  uint64_t from, to;
};

static bool overlaps(const struct lt_site *site, const void *data)
{
  const struct lt_span *span = data;
  return site->addr < span->to && site->addr + site->probe->planted.shape.bytes > span->from;
}

static bool feeds(const struct lt_site *site, const void *data)
{
  for (unsigned i = 0; i < site->probe->parts; i++)
    if (site->probe->part[i].attachment == data)
      return true;
  return false;
}

void lt_probe_clear(lt_process *process, uint64_t addr, size_t size)
{
  clear(process, overlaps, &(const struct lt_span){addr, addr + size});
}

void lt_probe_clear_all(lt_process *process)
{
  clear(process, every, NULL);
}

void lt_probe_forget(lt_process *process, lt_attachment *attachment)
{
  const struct lt_probes *probes = process->space->probes;
  struct lt_probe_link *link;
  clear(process, feeds, attachment);
  if (!probes)
    return;
  LL_FOREACH(probes->all, link)
    lt_probe_part_forget(link->probe, attachment);
}

void lt_probe_hold_off(lt_thread *thread)
{
  if (thread->process->space->probes)
    lt_probe_clear_all(thread->process);
}

/* ---- Whether it can be ---------------------------------------------------------------------- */

static const char *operand_refusal(const struct lt_operand *operand)
{
  switch (operand->source) {
  case LT_FROM_NOTHING:
  case LT_FROM_PC:
  case LT_FROM_CALLER:
    return NULL;
  case LT_FROM_ARG:
    if (operand->size != 1 && operand->size != 2 && operand->size != 4 && operand->size != 8)
      return "an argument has no size";
    return operand->index < 6 ? NULL : "an argument is on the stack";
  default:
    return "it asks for more than arguments";
  }
}

static uint32_t tally_bytes(const struct lt_aggregate_shape *shape)
{
  if (shape->action == LT_ACTION_COUNT)
    return 8;
  return shape->action == LT_ACTION_SUM ? 16 : LT_TALLY_BUCKETS + LT_BUCKETS_LOG2 * 8;
}

static const char *measure_refusal(const struct lt_planted_part *part)
{
  const char *why = operand_refusal(&part->measure->value);
  size_t alternatives = 0;
  if (part->shape->action == LT_ACTION_HIST && part->shape->step)
    why = "linear buckets need a division";
  for (unsigned i = 0; i < part->shape->keys && !why; i++)
    why = operand_refusal(&part->measure->key[i]);
  for (size_t i = 0; i < part->measure->test_count && !why; i++) {
    why = operand_refusal(&part->measure->tests[i].operand);
    alternatives += part->measure->tests[i].count;
  }
  return !why && (alternatives > LT_PLANTED_TESTS || part->measure->test_count > LT_PLANTED_TESTS)
             ? "there are too many conditions"
             : why;
}

/* How much it takes in each block. */
static const char *lay_out(struct lt_planted_part *part, uint32_t *at)
{
  uint32_t tally = tally_bytes(part->shape);
  part->offset = *at;
  part->keys = tally;
  if (!part->shape->keys) {
    *at += tally;
    return NULL;
  }
  part->stride = tally + 8u * part->shape->keys;
  uint32_t entries = TABLE_ENTRIES;
  while (entries > 1 && (entries + LT_ENTRY_PROBES - 1) * part->stride > TABLE_BYTES)
    entries /= 2;
  part->entries = entries + LT_ENTRY_PROBES - 1;
  *at += part->entries * part->stride;
  return entries > 1 ? NULL : "its rows are too large";
}

static const char *prepare_parts(const struct lt_site *site, struct lt_probe *probe, uint32_t *at)
{
  bool keys = false;
  probe->parts = lt_attached_count(site);
  if (probe->parts > LT_PLANTED_PARTS)
    return "it feeds too many aggregations";
  for (unsigned i = 0; i < probe->parts; i++) {
    struct lt_probe_part *part = &probe->part[i];
    part->probe = probe;
    part->attachment = lt_attached_at(site, i);
    part->planted.shape = &part->attachment->aggregation->shape;
    part->planted.measure = &part->attachment->measure;
    keys |= part->planted.shape->keys > 0;
    const char *why =
        part->attachment->at_exit ? "it waits for the return" : measure_refusal(&part->planted);
    if (!why)
      why = lay_out(&part->planted, at);
    if (why)
      return why;
  }
  return keys && probe->parts > 1 ? "it feeds more than one aggregation, and one has keys" : NULL;
}

/* No branch of the function leads into its first instructions; these are its own. */
static const char *function_refusal(lt_thread *thread, uint64_t addr, unsigned bytes)
{
  struct lt_symbol symbol;
  struct lt_instruction one;
  const char *why = NULL;
  if (lt_symbol_at(thread->process, addr, &symbol) != 0 || !symbol.name || !symbol.size)
    return NULL;
  uint64_t end = symbol.addr + symbol.size;
  if (end - addr < bytes)
    return "it is too short";
  size_t size = end - addr < FUNCTION_MAX ? end - addr : FUNCTION_MAX;
  uint8_t *code = malloc(size);
  ssize_t got = code ? lt_mem_read(thread, addr, code, size) : 0;
  for (size_t at = 0; got > 0 && at < (size_t)got && !why; at += one.size) {
    one = (struct lt_instruction){.size = 1};
    if (!arch()->disassemble(code + at, (size_t)got - at, addr + at, LT_SYNTAX_NONE, &one))
      one.size = 1;
    else if (one.has_target && one.target > addr && one.target < addr + bytes)
      why = "it jumps back into its first instructions";
  }
  free(code);
  return why;
}

static bool has_neighbours(const lt_process *process, uint64_t addr, unsigned bytes)
{
  for (unsigned i = 1; i < LT_DISPLACED_BYTES; i++) {
    const struct lt_site *site = i < bytes ? lt_site_find(process, addr + i) : NULL;
    const struct lt_site *before = lt_site_find(process, addr - i);
    if (site && (site->planted || site->hardware))
      return true;
    if (before && before->probe && i < before->probe->planted.shape.bytes)
      return true;
  }
  return false;
}

/* Threads of a process that was attached to may have been made without memory of their own that tells
 * them apart. */
static bool are_known(const lt_process *process)
{
  for (const lt_thread *thread = process->threads; thread; thread = thread->next)
    if (thread->how == LT_HOW_ATTACHED && !thread->pointer)
      return false;
  return true;
}

static bool are_told_apart(const lt_process *process)
{
  for (const lt_thread *one = process->threads; one; one = one->next)
    for (const lt_thread *other = one->next; other; other = other->next)
      if (one->how == LT_HOW_ATTACHED && other->how == LT_HOW_ATTACHED &&
          one->pointer == other->pointer)
        return false;
  return true;
}

static const char *place_refusal(lt_thread *thread, const struct lt_site *site)
{
  const struct lt_regs *regs;
  if (!arch()->can_plant || !arch()->can_plant())
    return "this machine has no means for it";
  if (lt_regs_general(thread, &regs) != 0 || lt_arch_of(regs) != arch()->abi)
    return "its code is 32-bit code";
  const struct lt_module *module = lt_module_at(thread, site->addr);
  if (!module || site->changes)
    return "its code may change";
  if (lt_file_is_go(module->file))
    return "it is a program in Go, whose stacks are tight and move";
  return !are_known(thread->process) || are_told_apart(thread->process)
             ? NULL
             : "its threads cannot be told apart";
}

/* ---- Becoming one ------------------------------------------------------------------------- */

static void adopt(lt_process *process, struct lt_site *site, struct lt_probe *probe,
                  const uint8_t *bytes, struct lt_probe_link *link)
{
  struct lt_probes *probes = process->space->probes;
  memcpy(site->bytes, bytes, LT_JUMP_BYTES);
  site->whole = true;
  site->probe = probe;
  site->probe_refusal = NULL;
  probe->users = 1;
  probe->counts = probes->counts;
  probes->counts->users++;
  link->probe = probe;
  LL_PREPEND(probes->all, link);
  probes->live++;
  process->space->sites->changes++;
  lt_probe_listen(probe);
}

static bool write_all(lt_process *process, struct lt_site *site, const struct lt_probe *probe,
                      const uint8_t *bytes)
{
  const struct lt_planted *planted = &probe->planted;
  struct lt_planted stub = {.size = 0};
  uint8_t jump[LT_JUMP_BYTES];
  if (probe->entry != planted->at &&
      (arch()->jump(&stub.shape, probe->entry, planted->at, jump) != 0 ||
       !write_some(process, probe->entry, jump, sizeof jump)))
    return false;
  if (!write_some(process, planted->at, planted->code, planted->size))
    return false;
  if (write_jump(process, site->addr, probe))
    return true;
  write_some(process, site->addr, arch()->trap_bytes, 1);
  write_some(process, site->addr + 1, bytes + 1, LT_JUMP_BYTES - 1);
  return false;
}

/* *why: it can never be one; else, for an error, it may be another time. */
static int become(lt_thread *thread, struct lt_site *site, struct lt_probe *probe, const char **why)
{
  lt_process *process = thread->process;
  struct lt_probes *probes = process->space->probes;
  struct lt_planted_part parts[LT_PLANTED_PARTS];
  struct lt_jump_shape shape;
  uint8_t bytes[LT_DISPLACED_BYTES];
  uint32_t used = probes->counts ? probes->counts->used : LT_BLOCK_HEADER;
  memset(bytes, arch()->trap_bytes[0], sizeof bytes);
  ssize_t size = lt_site_code(process, site->addr, bytes, sizeof bytes);
  *why = size > 0 ? place_refusal(thread, site) : "its code cannot be read";
  if (!*why)
    arch()->jump_shape(bytes, (size_t)size, site->addr, &shape, why);
  if (!*why)
    *why = function_refusal(thread, site->addr, shape.bytes);
  if (!*why)
    *why = prepare_parts(site, probe, &used);
  if (!*why && used > LT_BLOCK_BYTES)
    *why = "there is no more room for counts";
  if (*why || !are_known(process) || has_neighbours(process, site->addr, shape.bytes))
    return -ENOTSUP;
  for (unsigned i = 0; i < probe->parts; i++)
    parts[i] = probe->part[i].planted;
  const struct lt_planting what = {
      .addr = site->addr, .bytes = bytes, .part = parts, .parts = probe->parts};
  int error = lt_probe_room(thread, &what, probe);
  if (error == -ENOTSUP || error == -ERANGE)
    *why = "there is no room for code near it";
  if (error || !probes->counts)
    return error ? error : -EAGAIN;
  struct lt_probe_link *link = calloc(1, sizeof *link);
  if (!link || !write_all(process, site, probe, bytes)) {
    free(link);
    *why = "its code cannot be written";
    return -ENOTSUP;
  }
  probes->counts->used = used;
  adopt(process, site, probe, bytes, link);
  return 0;
}

void lt_probe_refuse(lt_process *process, struct lt_site *site, const char *why)
{
  site->probe_refusal = why;
  for (unsigned i = 0; i < lt_attached_count(site); i++)
    lt_attached_at(site, i)->aggregation->refusal = why;
  if (site->probe)
    lt_probe_clear(process, site->addr, 1);
}

/* Temporary reasons: it is tried again after as many hits as there have been. */
static bool is_time(lt_thread *thread, struct lt_site *site, struct lt_probes *probes)
{
  bool among = anybody_runs(thread->process);
  if (site->owners != LT_OWNER_AGGREGATE || site->hardware || site->checks || site->probe_refusal ||
      !probes || probes->never || thread->function || thread->process->detaching)
    return false;
  if (++site->hits < (among ? HITS_AMONG : HITS) || (site->hits & (site->hits - 1)))
    return false;
  return !is_stepped(thread->process) && !(among && lt_k_now() < probes->next_time);
}

int lt_probe_settle(lt_thread *thread, struct lt_site *site)
{
  if (site->probe)
    return 0;
  if (site->owners != LT_OWNER_AGGREGATE)
    return -ENOTSUP;
  struct lt_probes *probes = lt_probes_of(thread->process);
  bool again = thread->grown_probe && probes && !probes->never;
  thread->grown_probe = false;
  if (!again && !is_time(thread, site, probes))
    return -ENOTSUP;
  uint64_t begin = lt_k_now();
  const char *why = NULL;
  struct lt_probe *probe = calloc(1, sizeof *probe);
  int error = probe ? become(thread, site, probe, &why) : -ENOMEM;
  thread->grown_probe = error == -EAGAIN;
  if (why)
    lt_probe_refuse(thread->process, site, why);
  if (error)
    free(probe);
  probes->next_time = lt_k_now() + PAUSE * (lt_k_now() - begin);
  return error;
}

void lt_probe_note(lt_thread *thread)
{
  const struct lt_regs *regs;
  if (lt_regs_general(thread, &regs) != 0)
    return;
  thread->pointer = lt_arch_of(regs) == arch()->abi ? arch()->thread_pointer(regs) : 0;
  if (!thread->pointer)
    thread->pointer = 1; /* like all others that have none */
}

/* ---- Children ----------------------------------------------------------------------------- */

void lt_probe_unsafe(lt_process *process)
{
  struct lt_probes *probes = lt_probes_of(process);
  lt_probe_clear_all(process);
  if (probes)
    probes->never = true;
}

void lt_probe_forked(lt_process *child)
{
  const struct lt_probes *probes = child->space->probes;
  const struct lt_code_room *room;
  bool good = true;
  if (!probes)
    return;
  LL_FOREACH(probes->code, room)
    good &= write_some(child, room->at, (const uint8_t *)&probes->key, sizeof probes->key);
  if (!good)
    lt_probe_unsafe(child);
}

/* Without CLONE_SETTLS the new thread is told by the same address as its creator. */
void lt_probe_thread_made(lt_process *process, enum lt_how how, uint64_t flags)
{
  if (how != LT_HOW_VFORK && !(flags & CLONE_SETTLS))
    lt_probe_unsafe(process);
}
