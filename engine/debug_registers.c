/* debug_registers.c - the four debug registers of each thread, as its address space has them.
 *
 * The kernel hands them to no child, and clears them at exec. A thread that runs is interrupted when
 * they change, and gets them at whatever stop comes first. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "breaks.h"
#include "steps.h"
#include "watchpoints.h"

/* ---- Slots -------------------------------------------------------------------------------- */

static const char *kind_name(unsigned kind)
{
  return kind == LT_WATCH_WRITE ? "written" : kind == LT_WATCH_ACCESS ? "accessed" : "executed";
}

/* The line that names who has the slots. */
static int all_taken(lt_process *process, const struct lt_debug *debug)
{
  char line[LT_DEBUG_SLOTS * 64];
  size_t at = 0;
  for (int i = 0; i < LT_DEBUG_SLOTS; i++) {
    const struct lt_debug_slot *slot = &debug->slot[i];
    at += (size_t)snprintf(line + at, sizeof line - at, "%s%#llx (%u byte%s %s)", i ? ", " : "",
                           (unsigned long long)slot->addr, slot->size, slot->size == 1 ? "" : "s",
                           kind_name(slot->kind));
  }
  return lt_fail(process->session, -ENOSPC,
                 "the processor has %d debug registers, and all are in use: %s", LT_DEBUG_SLOTS,
                 line);
}

/* The slots have changed: those who stand still have the registers at once, so that a refusal is
 * heard of, the others soon. */
static int spread(lt_process *process)
{
  lt_session *session = process->session;
  lt_thread *thread;
  process->space->debug->version = ++session->debug_version;
  for (thread = session->threads; thread; thread = thread->hh.next) {
    if (!thread->process || thread->process->space != process->space)
      continue;
    if (thread->state == LT_ST_RUNNING || thread->state == LT_ST_LISTENING)
      lt_interrupt_thread(thread);
    else if (thread->state == LT_ST_STOPPED && !thread->ignored)
      lt_debug_prepare(thread);
    if (thread->debug_error)
      return thread->debug_error;
  }
  return 0;
}

static int make_debug(lt_process *process)
{
  struct lt_space *space = process->space;
  if (!space->debug)
    space->debug = calloc(1, sizeof *space->debug);
  return space->debug ? 0 : lt_fail(process->session, -ENOMEM, "out of memory");
}

int lt_debug_claim(lt_process *process, uint64_t addr, enum lt_watch_kind kind, unsigned size,
                   uint32_t id)
{
  int error = make_debug(process);
  if (error)
    return error;
  struct lt_debug *debug = process->space->debug;
  if (addr % size || addr > lt_arch_native()->top - size)
    return lt_fail(process->session, -EINVAL, "%#llx cannot be watched: it is %s",
                   (unsigned long long)addr, addr % size ? "not aligned" : "the kernel's");
  for (int i = 0; i < LT_DEBUG_SLOTS; i++) {
    struct lt_debug_slot *slot = &debug->slot[i];
    if (slot->kind)
      continue;
    lt_trap_state_look(process);
    *slot = (struct lt_debug_slot){.addr = addr, .kind = kind, .size = (uint8_t)size, .id = id};
    error = spread(process);
    if (error) {
      *slot = (struct lt_debug_slot){0};
      spread(process);
      return lt_fail(process->session, error, "the kernel gives no debug register for %#llx: %s",
                     (unsigned long long)addr, lt_errno_text(-error));
    }
    return 0;
  }
  return all_taken(process, debug);
}

void lt_debug_release(lt_process *process, uint64_t addr, uint32_t id)
{
  struct lt_debug *debug = process->space->debug;
  bool changed = false;
  for (int i = 0; debug && i < LT_DEBUG_SLOTS; i++) {
    struct lt_debug_slot *slot = &debug->slot[i];
    if (!slot->kind || slot->id != id || (id == 0 && slot->addr != addr))
      continue;
    *slot = (struct lt_debug_slot){0};
    changed = true;
  }
  if (changed)
    spread(process);
}

struct lt_debug *lt_debug_copy(const struct lt_debug *debug)
{
  struct lt_debug *copy = debug ? calloc(1, sizeof *copy) : NULL;
  if (!copy)
    return NULL;
  *copy = *debug;
  copy->points = NULL;
  copy->software = 0;
  lt_watchpoints_copy(copy, debug);
  return copy;
}

/* ---- A thread's registers ----------------------------------------------------------------- */

static void write_registers(lt_thread *thread, const struct lt_debug_slot *slots)
{
  int error = lt_arch_native()->set_debug(thread, slots);
  if (error == -ESRCH) { /* it is dying */
    lt_thread_failed(thread, error);
    error = 0;
  }
  thread->debug_error = error;
}

void lt_debug_prepare(lt_thread *thread)
{
  const struct lt_debug *debug = thread->process->space->debug;
  uint64_t version = debug ? debug->version : 0;
  if (thread->debug_version == version)
    return;
  static const struct lt_debug_slot none[LT_DEBUG_SLOTS];
  write_registers(thread, debug ? debug->slot : none);
  thread->debug_version = version;
}

void lt_debug_clear(lt_thread *thread)
{
  static const struct lt_debug_slot none[LT_DEBUG_SLOTS];
  if (thread->debug_version == 0)
    return;
  write_registers(thread, none);
  thread->debug_version = 0;
}

/* Virtual machines lose the processor's word now and then: the trap says nothing of what made it. It
 * was a piece whose value has changed, or else any. */
static unsigned guess(lt_thread *thread, const struct lt_debug *debug)
{
  unsigned used = 0, changed = 0;
  for (int i = 0; i < LT_DEBUG_SLOTS; i++) {
    const struct lt_debug_slot *slot = &debug->slot[i];
    if (!slot->kind)
      continue;
    used |= 1u << i;
    const struct lt_watchpoint *point = lt_watchpoint_find(thread->process, slot->id);
    uint64_t now = 0;
    if (point && slot->kind != LT_WATCH_EXECUTE &&
        lt_mem_read(thread, slot->addr, &now, slot->size) == slot->size &&
        memcmp(&now, point->bytes + (slot->addr - point->addr), slot->size) != 0)
      changed |= 1u << i;
  }
  return changed ? changed : used & -used;
}

bool lt_debug_on_trap(lt_thread *thread, const siginfo_t *info)
{
  const struct lt_debug *debug = thread->process->space->debug;
  unsigned hits = 0;
  if (!debug || !debug->version || info->si_code <= 0 || info->si_code == SI_KERNEL)
    return false;
  lt_arch_native()->take_debug(thread, &hits);
  if (!hits && info->si_code == TRAP_BRKPT && !lt_steps_expects_trap(thread) &&
      !lt_arch_native()->is_after_trap(thread))
    hits = guess(thread, debug);
  for (int i = 0; i < LT_DEBUG_SLOTS; i++)
    if (!debug->slot[i].kind) /* it has been released since */
      hits &= ~(1u << i);
  thread->debug_hits |= (uint8_t)hits;
  if (hits && !lt_steps_expects_trap(thread))
    lt_trap_state_on_hit(thread);
  /* One that was released since has trapped for nothing. */
  return hits || info->si_code == TRAP_HWBKPT;
}

/* Slot `index` has hit: report it. */
static enum lt_verdict report(lt_thread *thread, const struct lt_debug_slot *slot)
{
  int status = thread->stop.status;
  uint64_t pc = 0;
  lt_thread_pc(thread, &pc);
  if (slot->id == 0) {
    lt_record(thread, LT_BREAK, status);
    thread->stop.u.brk.addr = slot->addr;
    thread->stop.u.brk.id = lt_break_find(thread->process, slot->addr);
    thread->stop.u.brk.hardware = 1;
    return lt_report(thread);
  }
  struct lt_watchpoint *point = lt_watchpoint_find(thread->process, slot->id);
  if (!point)
    return LT_RESUME;
  uint64_t old, new;
  lt_watchpoint_values(thread, point, slot->addr, slot->size, &old, &new);
  lt_record(thread, LT_WATCH, status);
  thread->stop.u.watch.addr = slot->addr;
  thread->stop.u.watch.pc = pc;
  thread->stop.u.watch.before = old;
  thread->stop.u.watch.after = new;
  thread->stop.u.watch.id = slot->id;
  thread->stop.u.watch.size = slot->size;
  return lt_report(thread);
}

bool lt_debug_settle(lt_thread *thread)
{
  const struct lt_debug *debug = thread->process->space->debug;
  unsigned hits = thread->debug_hits;
  if (!hits)
    return false;
  unsigned index = (unsigned)__builtin_ctz(hits);
  thread->debug_hits = (uint8_t)(hits & (hits - 1));
  if (!debug || !debug->slot[index].kind)
    return lt_debug_settle(thread);
  struct lt_debug_slot slot = debug->slot[index];
  lt_settle(thread, report(thread, &slot));
  return true;
}
