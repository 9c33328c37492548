/* breaks.c - a thread runs onto a breakpoint, and on from it.
 *
 *   trap        the program counter is set back, and the owners of the site are told
 *   running on  the program counter is set to the site's slot, where the displaced instruction is,
 *               followed by a jump back: one stop per hit, and nothing is lifted
 *   retry       a hit counts once, even if its instruction begins again: after a fault that the
 *               program repairs, or when the kernel restarts a call */
#include "breaks.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>

#include "aggregate.h"
#include "loads.h"
#include "probe.h"
#include "returns.h"
#include "steps.h"

static uint64_t sp_of(const struct lt_regs *regs)
{
  return lt_arch_get(lt_arch_of(regs))->sp(regs);
}

/* ---- Retries ------------------------------------------------------------------------------ */

/* The hit here was reported, and the instruction will begin again. */
static void retry(lt_thread *thread, uint64_t addr)
{
  struct lt_at_site *at = &thread->at_site;
  const struct lt_regs *regs;
  if (lt_regs_general(thread, &regs) != 0)
    return;
  if (at->retries == LT_RETRIES) /* the oldest is of a handler that never returned */
    memmove(at->retry, at->retry + 1, --at->retries * sizeof *at->retry);
  at->retry[at->retries++] = (struct lt_retry){.addr = addr, .sp = sp_of(regs)};
}

static struct lt_retry *find_retry(lt_thread *thread, uint64_t addr, uint64_t sp)
{
  struct lt_at_site *at = &thread->at_site;
  for (unsigned i = at->retries; i-- > 0;)
    if (at->retry[i].addr == addr && at->retry[i].sp == sp)
      return &at->retry[i];
  return NULL;
}

/* Returns true if it was one. A call that was not restarted after all, but came to its end when a
 * handler had run, is made anew by the program: another hit. */
static bool take_retry(lt_thread *thread, uint64_t addr, uint64_t sp)
{
  struct lt_at_site *at = &thread->at_site;
  struct lt_retry *one = find_retry(thread, addr, sp);
  struct lt_regs *regs;
  if (!one)
    return false;
  bool marked = one->marked;
  memmove(one, one + 1, (size_t)(at->retry + at->retries-- - (one + 1)) * sizeof *one);
  if (!marked || lt_regs_change(thread, &regs) != 0)
    return true;
  return lt_arch_get(lt_arch_of(regs))->take_mark(regs);
}

/* ---- Hits --------------------------------------------------------------------------------- */

enum lt_verdict lt_break_report(lt_thread *thread)
{
  struct lt_stop own = thread->stop;
  const struct lt_site *site = lt_site_find(thread->process, own.u.brk.addr);
  unsigned owners = site ? site->owners : 0;
  enum lt_verdict verdict = LT_RESUME;
  if (owners & LT_OWNER_RETURN)
    verdict = lt_returns_on_break(thread);
  if (owners & LT_OWNER_LOADER && lt_loads_on_break(thread) == LT_HOLD)
    verdict = LT_HOLD;
  if (owners & LT_OWNER_AGGREGATE && lt_aggregate_awaits(site)) {
    thread->stop = own;
    thread->stop.seq = thread->session->seq + 1; /* as it is going to be reported */
    lt_aggregate_await_at(thread, site);
  }
  if (owners & LT_OWNER_USER && !site->hardware) {
    thread->stop = own;
    if (lt_report_record(thread, &thread->stop) == LT_HOLD)
      verdict = LT_HOLD;
  }
  if (owners & LT_OWNER_STEP && lt_steps_on_break(thread) == LT_HOLD)
    verdict = LT_HOLD;
  return lt_returns_tell_lost(thread) == LT_HOLD ? LT_HOLD : verdict;
}

static void report_hit(lt_thread *thread, const struct lt_site *site, int status)
{
  lt_record(thread, LT_BREAK, status);
  thread->stop.u.brk.addr = site->addr;
  thread->stop.u.brk.id = site->id;
  thread->at_site.due = true;
  thread->at_site.addr = site->addr;
  if (lt_freeze_parks(thread, LT_PARKED_REPORT))
    return;
  lt_settle(thread, lt_break_report(thread));
}

/* On from the site, without a word. */
static void pass(lt_thread *thread, uint64_t addr, int status)
{
  thread->at_site.due = true;
  thread->at_site.addr = addr;
  lt_record(thread, LT_NONE, status);
  lt_resume(thread);
}

/* What is only counted needs none. */
static bool wants_report(const struct lt_site *site)
{
  return site->owners & ~(LT_OWNER_COUNT | LT_OWNER_AGGREGATE) || lt_aggregate_awaits(site);
}

bool lt_break_on_trap(lt_thread *thread, int status)
{
  const struct lt_regs *regs;
  if (!thread->process->space->sites || lt_regs_general(thread, &regs) != 0)
    return false;
  const struct lt_arch *arch = lt_arch_get(lt_arch_of(regs));
  uint64_t addr = arch->pc(regs) - arch->trap_advance, sp = arch->sp(regs);
  struct lt_site *site = lt_site_find(thread->process, addr);
  if ((!site || !site->planted) && lt_probe_on_trap(thread, addr, status))
    return true;
  if (!site || (!site->planted && lt_site_is_in_place(thread->process, site)))
    return false; /* the program's own */
  lt_regs_set_pc(thread, addr);
  lt_trap_state_on_hit(thread);
  if (!site->owners) { /* taken out when the thread had hit it already */
    lt_resume(thread);
    return true;
  }
  bool again = take_retry(thread, addr, sp), begins = site->checks && arch->begins_again(regs);
  if (!again && site->owners & LT_OWNER_COUNT)
    lt_count_hit(thread, site);
  if (!again && !begins && site->owners & LT_OWNER_AGGREGATE)
    lt_aggregate_on_break(thread, site);
  if (again || begins || !wants_report(site))
    pass(thread, addr, status);
  else
    report_hit(thread, site, status);
  return true;
}

/* ---- On from a site ----------------------------------------------------------------------- */

static bool still_there(lt_thread *thread, uint64_t addr)
{
  const struct lt_regs *regs;
  return lt_regs_general(thread, &regs) == 0 && lt_arch_get(lt_arch_of(regs))->pc(regs) == addr;
}

static void enter_slot(lt_thread *thread, const struct lt_site *site)
{
  thread->at_site.in_slot = true;
  thread->at_site.slot = site->slot;
  lt_regs_set_pc(thread, site->slot);
}

/* The program's own breakpoint instruction is under ours. The stop may be one at which no signal can
 * be given to the thread. */
static void own_trap(lt_thread *thread, const struct lt_site *site)
{
  const siginfo_t info = {.si_signo = SIGTRAP, .si_code = SI_KERNEL};
  lt_regs_set_pc(thread, site->addr + site->displaced.length);
  lt_signal_resend(thread, &info);
}

/* A program that steps itself gets its trap after an instruction that we have done for it, too. */
static bool emulate(lt_thread *thread, const struct lt_site *site)
{
  siginfo_t info = {.si_signo = SIGTRAP, .si_code = TRAP_TRACE};
  const struct lt_regs *regs;
  if (lt_regs_general(thread, &regs) != 0)
    return false;
  const struct lt_arch *arch = lt_arch_get(lt_arch_of(regs));
  bool steps_itself = arch->has_trap_flag(regs);
  if (arch->emulate(thread, &site->displaced, site->addr) != 0)
    return false;
  if (steps_itself && lt_regs_general(thread, &regs) == 0) {
    info.si_addr = (void *)(uintptr_t)arch->pc(regs);
    lt_signal_resend(thread, &info);
  }
  return true;
}

static bool run_displaced(lt_thread *thread, struct lt_site *site)
{
  switch (site->displaced.kind) {
  case LT_DISPLACE_TRAP:
    own_trap(thread, site);
    return false;
  case LT_DISPLACE_EMULATE:
    if (emulate(thread, site))
      return false;
    lt_slot_step_begin(thread, site);
    return true;
  case LT_DISPLACE_STEP:
  case LT_DISPLACE_ILLEGAL:
    lt_slot_step_begin(thread, site);
    return true;
  case LT_DISPLACE_CALL:
    thread->at_site.calls = true;
    enter_slot(thread, site);
    return false;
  default:
    enter_slot(thread, site);
    return false;
  }
}

bool lt_break_settle(lt_thread *thread)
{
  struct lt_at_site *at = &thread->at_site;
  if (at->inside && !thread->listen_signal && !thread->inject) /* else a handler comes first */
    lt_probe_go_inside(thread);
  if (!at->due || thread->listen_signal)
    return false;
  if (thread->inject) { /* a handler of the program's comes first, and may come back */
    at->due = false;
    retry(thread, at->addr);
    return false;
  }
  struct lt_site *site = lt_site_find(thread->process, at->addr);
  if (!site || !site->planted || !still_there(thread, at->addr)) {
    at->due = false;
    return false;
  }
  int error = lt_probe_settle(thread, site);
  if (error == 0) {
    at->due = false;
    lt_regs_set_pc(thread, lt_probe_copy(site->probe));
    return false;
  }
  if (error != -EAGAIN)
    error = lt_slot_prepare(thread, site);
  if (error == -EAGAIN) /* room is being mapped */
    return true;
  if (thread->state != LT_ST_STOPPED)
    return true;
  at->due = false;
  if (error) {
    lt_slot_step_begin(thread, site); /* in its own place */
    return true;
  }
  return run_displaced(thread, site);
}

/* ---- System call instructions ------------------------------------------------------------- */

/* What the program and everybody else is to see as the address behind the instruction. If the kernel
 * restarts the call, the thread runs onto the site once more. */
void lt_break_on_entry(lt_thread *thread)
{
  struct lt_at_site *at = &thread->at_site;
  struct lt_regs *regs;
  const struct lt_site *site;
  if (!at->calls || !(site = lt_site_find(thread->process, at->addr)) ||
      lt_regs_change(thread, &regs) != 0)
    return;
  const struct lt_arch *arch = lt_arch_get(lt_arch_of(regs));
  uint64_t back = at->addr + site->displaced.length;
  if (arch->pc(regs) - at->slot >= LT_SLOT_BYTES) {
    at->calls = false;
    return;
  }
  arch->mend_call(regs, back);
  thread->call.ip = back;
  at->in_slot = false;
  retry(thread, at->addr);
}

bool lt_break_wants_exit(const lt_thread *thread)
{
  return thread->at_site.calls;
}

/* -ERESTARTSYS and its like: the call begins again, and is the same hit. */
void lt_break_on_exit(lt_thread *thread, int64_t ret)
{
  struct lt_at_site *at = &thread->at_site;
  struct lt_regs *regs;
  if (!at->calls)
    return;
  at->calls = false;
  if (lt_regs_change(thread, &regs) != 0)
    return;
  bool restarts = ret <= -512 && ret >= -516;
  struct lt_retry *one = find_retry(thread, at->addr, sp_of(regs));
  if (one && restarts)
    one->marked = lt_arch_get(lt_arch_of(regs))->mark_restart(regs);
  else
    take_retry(thread, at->addr, sp_of(regs));
}
