/* probe_stop.c - a thread stops in planted code, or by a trap that belongs to a probe.
 *
 * As in a slot (slot_step.c), nobody sees a program counter there. Where counting is under way, the
 * thread steps on until it has left it; at the copies of the program's instructions, the register
 * gets the address that they have in the program. If that is inside of the jump, the thread is sent
 * back to the copy when it runs on, or by the trap that it finds there. */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <utlist.h>

#include "probe.h"

#define LANDINGS 64 /* in the middle of a jump; then there is no jump any more */

struct lt_probe *lt_probe_at(const lt_process *process, uint64_t pc)
{
  const struct lt_probes *probes = process->space->probes;
  const struct lt_code_room *room = probes ? probes->code : NULL;
  struct lt_probe_link *link;
  while (room && pc - room->at >= LT_CODE_ROOM)
    room = room->next;
  if (room)
    LL_FOREACH(probes->all, link)
      if (pc - link->probe->planted.at < link->probe->planted.size || pc == link->probe->entry)
        return link->probe;
  return NULL;
}

static bool get_pc(lt_thread *thread, uint64_t *ret)
{
  const struct lt_regs *regs;
  bool good = lt_regs_general(thread, &regs) == 0;
  if (good)
    *ret = lt_arch_get(lt_arch_of(regs))->pc(regs);
  return good;
}

static void move_sp(lt_thread *thread, uint64_t bytes)
{
  const struct lt_reg *reg = lt_reg_find(LT_ABI_X86_64, "rsp");
  uint64_t sp;
  if (reg && lt_reg_get(thread, reg, &sp) == 0) {
    sp += bytes;
    lt_reg_set(thread, reg, &sp);
  }
}

/* ---- Where a program counter is ------------------------------------------------------------- */

/* The copy of which instruction is at this offset: its offset in the program's code, or -1. */
static int original_of(const struct lt_planted *planted, uint64_t offset)
{
  for (unsigned i = 0; i < planted->places; i++)
    if (planted->place[i].offset == offset)
      return planted->place[i].original;
  return -1;
}

/* Where the copy of the instruction is that the program has there; 0: there is none. */
static uint64_t copy_of(const struct lt_probe *probe, uint64_t addr)
{
  const struct lt_planted *planted = &probe->planted;
  for (unsigned i = 0; i < planted->places; i++)
    if (planted->addr + planted->place[i].original == addr)
      return planted->at + planted->place[i].offset;
  return 0;
}

uint64_t lt_probe_copy(const struct lt_probe *probe)
{
  return probe->planted.at + probe->planted.displaced;
}

/* The site whose jump has this address inside; its own does not count. */
static struct lt_site *around(const lt_process *process, uint64_t addr)
{
  for (unsigned i = 1; i < LT_JUMP_BYTES; i++) {
    struct lt_site *site = lt_site_find(process, addr - i);
    if (site && site->whole)
      return site;
  }
  return NULL;
}

static void put_inside(lt_thread *thread, uint64_t addr)
{
  lt_regs_set_pc(thread, addr);
  thread->at_site.inside = true;
}

void lt_probe_go_inside(lt_thread *thread)
{
  uint64_t pc, copy;
  thread->at_site.inside = false;
  if (!get_pc(thread, &pc))
    return;
  const struct lt_site *site = around(thread->process, pc);
  if (site && site->probe && (copy = copy_of(site->probe, pc)))
    lt_regs_set_pc(thread, copy);
}

/* ---- Traps -------------------------------------------------------------------------------- */

static void go_on(lt_thread *thread, int status)
{
  lt_record(thread, LT_NONE, status);
  lt_resume(thread);
}

/* Counted here what could not be counted there. */
static void count(lt_thread *thread, struct lt_probe *probe)
{
  struct lt_site *site = lt_site_find(thread->process, probe->planted.addr);
  unsigned block;
  lt_regs_set_pc(thread, probe->planted.addr);
  if (!lt_probe_claim(thread, &block) && block < LT_BLOCKS) /* it has room for no other key */
    lt_probe_empty(probe, block);
  if (site && site->owners & LT_OWNER_AGGREGATE)
    lt_aggregate_on_break(thread, site);
}

bool lt_probe_missed(lt_thread *thread, struct lt_probe *probe, uint64_t addr)
{
  if (addr - probe->planted.at != probe->planted.trap)
    return false;
  count(thread, probe);
  return true;
}

/* An instruction inside of a jump was to be run. */
static bool lands(lt_thread *thread, struct lt_site *site, uint64_t addr, int status)
{
  if (site->probe && !copy_of(site->probe, addr))
    return false;
  put_inside(thread, addr);
  if (site->probe && ++site->landings == LANDINGS)
    lt_probe_refuse(thread->process, site,
                    "threads come into the middle of its first instructions");
  go_on(thread, status);
  return true;
}

/* Where the program's own breakpoint instruction is now, it is that. */
static bool is_in_memory(lt_process *process, uint64_t addr)
{
  uint8_t byte;
  return lt_mem_raw_read(process, addr, &byte, 1) == 1 && byte == lt_arch_native()->trap_bytes[0];
}

bool lt_probe_on_trap(lt_thread *thread, uint64_t addr, int status)
{
  if (!thread->process->space->probes)
    return false;
  struct lt_probe *probe = lt_probe_at(thread->process, addr);
  if (probe && lt_probe_missed(thread, probe, addr)) {
    lt_trap_state_on_hit(thread);
    thread->at_site.due = true;
    thread->at_site.addr = probe->planted.addr;
    go_on(thread, status);
    return true;
  }
  struct lt_site *site = around(thread->process, addr);
  if (!site || (!site->probe && is_in_memory(thread->process, addr)))
    return false;
  lt_trap_state_on_hit(thread);
  return lands(thread, site, addr, status);
}

bool lt_probe_on_illegal(lt_thread *thread, int status)
{
  uint64_t pc;
  siginfo_t info;
  if (!thread->process->space->probes || !get_pc(thread, &pc) ||
      lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)&info) != 0 || info.si_code <= 0)
    return false;
  struct lt_site *site = around(thread->process, pc);
  if (!site || !site->probe)
    return false;
  thread->inject = 0;
  return lands(thread, site, pc, status);
}

/* ---- Stops in planted code ------------------------------------------------------------------ */

/* Making room on the stack has failed, as the thread has none: the program's own instructions may
 * need none. */
static bool undo_push(lt_thread *thread, struct lt_probe *probe, uint64_t offset)
{
  const struct lt_planted *planted = &probe->planted;
  for (unsigned i = 0; i < planted->pushes; i++) {
    if (planted->push[i].offset != offset)
      continue;
    move_sp(thread, planted->push[i].bytes);
    lt_regs_set_pc(thread, planted->addr);
    struct lt_site *site = lt_site_find(thread->process, planted->addr);
    if (site && site->probe == probe)
      lt_probe_refuse(thread->process, site, "threads come to it without room on their stacks");
    return true;
  }
  return false;
}

enum lt_probe_place lt_probe_fault(lt_thread *thread, struct lt_probe *probe, siginfo_t *info)
{
  uint64_t pc, fault = (uint64_t)(uintptr_t)info->si_addr;
  if (!get_pc(thread, &pc))
    return LT_PROBE_OUTSIDE;
  uint64_t offset = pc - probe->planted.at;
  if (undo_push(thread, probe, offset))
    return LT_PROBE_OURS;
  int original = original_of(&probe->planted, offset);
  if (original < 0)
    return LT_PROBE_OUTSIDE;
  uint64_t addr = probe->planted.addr + (uint64_t)original;
  if (fault - pc < LT_INSTRUCTION_BYTES) {
    info->si_addr = (void *)(uintptr_t)(addr + (fault - pc)); // NOLINT(performance-no-int-to-ptr)
    lt_request(thread, PTRACE_SETSIGINFO, 0, (uintptr_t)info);
  }
  if (original) {
    put_inside(thread, addr);
    return LT_PROBE_OUTSIDE;
  }
  /* The first instruction will begin again, and has been counted: as a breakpoint it is known. */
  struct lt_site *site = lt_site_find(thread->process, addr);
  if (site && site->probe == probe)
    lt_probe_refuse(thread->process, site, "its first instruction has faulted");
  lt_regs_set_pc(thread, addr);
  thread->at_site.due = true;
  thread->at_site.addr = addr;
  return LT_PROBE_OUTSIDE;
}

enum lt_probe_place lt_probe_leave(lt_thread *thread, struct lt_probe *probe)
{
  const struct lt_planted *planted = &probe->planted;
  uint64_t pc;
  if (!get_pc(thread, &pc))
    return LT_PROBE_OUTSIDE;
  if (pc == probe->entry || pc == planted->at) {
    lt_regs_set_pc(thread, planted->addr); /* nothing has been done */
    return LT_PROBE_OUTSIDE;
  }
  if (pc - planted->at >= planted->size)
    return LT_PROBE_OUTSIDE;
  int original = original_of(planted, pc - planted->at);
  if (original <= 0)
    return LT_PROBE_INSIDE;
  put_inside(thread, planted->addr + (uint64_t)original);
  return LT_PROBE_OUTSIDE;
}

static bool is_fault(lt_thread *thread, struct lt_class class, siginfo_t *info)
{
  return class.kind == LT_SIGNAL &&
         lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)info) == 0 && info->si_code > 0 &&
         (class.signo == SIGSEGV || class.signo == SIGBUS || class.signo == SIGILL ||
          class.signo == SIGFPE);
}

bool lt_probe_on_stop(lt_thread *thread, struct lt_class *class, const int *status)
{
  uint64_t pc;
  siginfo_t info;
  bool event = class->kind == LT_INTERRUPT || class->kind == LT_GROUP_STOP ||
               class->kind == LT_CONTINUE || class->kind == LT_EXITING;
  if (!thread->process || !thread->process->space->probes || (!event && class->kind != LT_SIGNAL) ||
      !get_pc(thread, &pc))
    return false;
  struct lt_probe *probe = lt_probe_at(thread->process, pc);
  if (!probe)
    return false;
  if (class->kind == LT_SIGNAL && class->signo == SIGTRAP &&
      pc - probe->planted.at == probe->planted.trap + lt_arch_native()->trap_advance)
    return false; /* lt_probe_on_trap() */
  if (is_fault(thread, *class, &info)) {
    if (lt_probe_fault(thread, probe, &info) != LT_PROBE_OURS)
      return false;
    go_on(thread, 0);
    return true;
  }
  if (class->kind == LT_EXITING) {
    lt_regs_set_pc(thread, probe->planted.addr);
    return false;
  }
  return lt_probe_leave(thread, probe) == LT_PROBE_INSIDE &&
         lt_slot_step_out(thread, probe, *class, *status);
}
