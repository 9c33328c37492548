/* slot_step.c - a thread stops in a slot for something else than the end of its instruction.
 *
 * Nobody is to see that program counter. What it stands for is put into the register, except where
 * the instruction has half happened, or a signal of somebody else's comes just before it: then the
 * thread steps on first, and the stop is dealt with as if it had come afterwards. A hit so counts
 * once, whatever a signal handler does next. The same steps run instructions that cannot jump back
 * by themselves. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "breaks.h"
#include "probe.h"
#include "remote.h"

#define STEPS_MAX 16
#define STEPS_MAX_PLANTED 4000

struct lt_slot_step {
  uint64_t addr, slot; /* slot == addr: the instruction is stepped in its own place */
  struct lt_displaced displaced;
  struct lt_probe *probe; /* instead: planted code */
  unsigned steps;
  bool steps_itself; /* the program has set its trap flag */
  bool masked;
  uint64_t mask; /* the thread's */

  /* the stop that comes afterwards */
  bool has_signal, has_event;
  int status;
  siginfo_t info;
};

void lt_slot_step_free(lt_thread *thread)
{
  free(thread->slot_step);
  thread->slot_step = NULL;
}

static uint64_t bit(int signo)
{
  return (uint64_t)1 << (signo - 1);
}

/* What instructions themselves bring about; blocked, they would lose their handlers. */
static uint64_t faults(void)
{
  return bit(SIGSEGV) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGSYS);
}

static enum lt_place place_at(const struct lt_displaced *displaced, uint64_t offset)
{
  for (unsigned i = 0; offset && i < displaced->place_count; i++)
    if (displaced->places[i].offset == offset)
      return (enum lt_place)displaced->places[i].place;
  return offset ? LT_PLACE_MIDDLE : LT_PLACE_BEFORE;
}

static int get_pc(lt_thread *thread, uint64_t *ret)
{
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (error == 0)
    *ret = lt_arch_get(lt_arch_of(regs))->pc(regs);
  return error;
}

static void owe(lt_thread *thread, uint64_t addr)
{
  lt_regs_set_pc(thread, addr);
  thread->at_site.due = true;
  thread->at_site.calls = false;
  thread->at_site.addr = addr;
}

/* ---- Stepping ----------------------------------------------------------------------------- */

static void go(lt_thread *thread, struct lt_slot_step *step)
{
  uint64_t mask = ~faults();
  const struct lt_regs *regs;
  thread->slot_step = step;
  thread->held = false;
  if (!step->masked)
    step->masked = lt_remote_swap_mask(thread, &mask, &step->mask) == 0;
  if (lt_regs_general(thread, &regs) == 0)
    step->steps_itself = lt_arch_get(lt_arch_of(regs))->has_trap_flag(regs);
  lt_flush_and_restart(thread, PTRACE_SINGLESTEP, 0);
}

/* Without room for a slot, the program's own bytes are put back for the step. */
static void uncover(lt_thread *thread, const struct lt_site *site, bool cover)
{
  const struct lt_arch *arch = lt_arch_native();
  if (site && site->planted)
    lt_mem_raw_write(thread->process, site->addr, cover ? arch->trap_bytes : site->bytes,
                     arch->trap_size);
}

void lt_slot_step_begin(lt_thread *thread, const struct lt_site *site)
{
  struct lt_slot_step *step = calloc(1, sizeof *step);
  if (!step) {
    lt_fail(thread->session, -ENOMEM, "out of memory: thread %d cannot run on", (int)thread->tid);
    thread->state = LT_ST_DYING;
    lt_k_tgkill(thread->process->pid, thread->tid, SIGKILL);
    return;
  }
  step->addr = site->addr;
  step->slot = site->translated ? site->slot : site->addr;
  step->displaced = site->displaced;
  if (step->slot == step->addr)
    uncover(thread, site, false);
  lt_regs_set_pc(thread, step->slot);
  go(thread, step);
}

/* What has stopped the thread comes after the steps. */
static void put_off(lt_thread *thread, struct lt_slot_step *step, struct lt_class class, int status)
{
  step->status = status;
  step->has_signal = class.kind == LT_SIGNAL;
  step->has_event = !step->has_signal;
  if (step->has_signal)
    lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)&step->info);
  go(thread, step);
}

/* The stop of which the caller tells must wait until the thread has left the slot. */
static bool leave_first(lt_thread *thread, const struct lt_site *site, struct lt_class class,
                        int status)
{
  struct lt_slot_step *step = calloc(1, sizeof *step);
  if (!step)
    return false;
  step->addr = site->addr;
  step->slot = thread->at_site.slot;
  step->displaced = site->displaced;
  put_off(thread, step, class, status);
  return true;
}

bool lt_slot_step_out(lt_thread *thread, struct lt_probe *probe, struct lt_class class, int status)
{
  struct lt_slot_step *step = calloc(1, sizeof *step);
  if (!step)
    return false;
  step->probe = probe;
  step->slot = probe->planted.at;
  put_off(thread, step, class, status);
  return true;
}

static unsigned steps_max(const struct lt_slot_step *step)
{
  return step->probe ? STEPS_MAX_PLANTED : STEPS_MAX;
}

/* ---- After a step --------------------------------------------------------------------------- */

/* The stepped instruction was a call. */
static void mend_stack(lt_thread *thread, const struct lt_slot_step *step)
{
  const struct lt_regs *regs;
  uint64_t word = 0;
  if (!step->displaced.is_call || step->slot == step->addr || lt_regs_general(thread, &regs) != 0)
    return;
  uint64_t sp = lt_arch_get(lt_arch_of(regs))->sp(regs), pushed, back;
  size_t size = step->displaced.return_bytes;
  pushed = step->slot + step->displaced.length;
  back = step->addr + step->displaced.length;
  if (size > sizeof word || lt_mem_read(thread, sp, &word, size) != (ssize_t)size ||
      memcmp(&word, &pushed, size) != 0)
    return;
  lt_mem_write(thread, sp, &back, size);
}

/* The program counter that the program has after the step. False: it has to go further. */
static bool mend_pc(lt_thread *thread, const struct lt_slot_step *step)
{
  uint64_t pc;
  if (step->probe)
    return lt_probe_leave(thread, step->probe) == LT_PROBE_OUTSIDE;
  if (get_pc(thread, &pc) != 0 || step->slot == step->addr)
    return true;
  uint64_t offset = pc - step->slot;
  if (offset >= LT_SLOT_BYTES) {
    mend_stack(thread, step);
    return true;
  }
  switch (place_at(&step->displaced, offset)) {
  case LT_PLACE_BEFORE: /* a string instruction between two elements */
    owe(thread, step->addr);
    return true;
  case LT_PLACE_AFTER:
    lt_regs_set_pc(thread, step->addr + step->displaced.length);
    return true;
  case LT_PLACE_TARGET:
    lt_regs_set_pc(thread, step->displaced.target);
    return true;
  default:
    /* A plain copy with no way back, or an instruction of which the decoder knew no length. */
    if (offset != step->displaced.length && step->displaced.kind != LT_DISPLACE_ILLEGAL)
      return false;
    lt_regs_set_pc(thread, step->addr + offset);
    return true;
  }
}

static void end_step(lt_thread *thread, struct lt_slot_step *step)
{
  thread->slot_step = NULL;
  if (step->masked)
    lt_remote_swap_mask(thread, &step->mask, NULL);
  if (step->slot == step->addr)
    uncover(thread, lt_site_find(thread->process, step->addr), true);
}

/* The thread runs on, and stops again for what had stopped it in the slot. */
static void ask_again(lt_thread *thread)
{
  bool reported = thread->interrupt_reported;
  lt_record(thread, LT_NONE, 0);
  lt_resume(thread);
  lt_interrupt_thread(thread);
  thread->interrupt_reported = reported;
}

/* The signal that had come first is delivered now: the thread stands in another signal's stop. */
static bool present_signal(lt_thread *thread, const struct lt_slot_step *step,
                           struct lt_class *class, int *status)
{
  lt_request(thread, PTRACE_SETSIGINFO, 0, (uintptr_t)&step->info);
  *status = step->status;
  *class = (struct lt_class){.kind = LT_SIGNAL, .signo = WSTOPSIG(step->status)};
  return false;
}

/* A fault of the displaced instruction is the program's own, at the program's own address. */
static void mend_fault(lt_thread *thread, siginfo_t *info, uint64_t slot, uint64_t addr)
{
  if ((uint64_t)(uintptr_t)info->si_addr - slot >= LT_SLOT_BYTES)
    return;
  info->si_addr = (void *)(uintptr_t)(addr + ((uint64_t)(uintptr_t)info->si_addr - slot));
  lt_request(thread, PTRACE_SETSIGINFO, 0, (uintptr_t)info);
}

/* A signal has come in place of the step's end; the one that had come first goes before it. */
static bool after_signal(lt_thread *thread, const struct lt_slot_step *step, struct lt_class *class,
                         int *status, const siginfo_t *info)
{
  if (!step->has_signal)
    return false;
  bool faulted = bit(class->signo) & faults() && info->si_code > 0;
  if (!faulted) /* SIGSTOP: sent again */
    lt_k_tgkill(thread->process->pid, thread->tid, class->signo);
  return present_signal(thread, step, class, status);
}

/* In planted code: a fault of the program's, or of ours, which it hears nothing of. */
static bool on_planted_signal(lt_thread *thread, const struct lt_slot_step *step,
                              struct lt_class *class, int *status, siginfo_t *info)
{
  bool fault = bit(class->signo) & faults() && info->si_code > 0;
  if (!fault || lt_probe_fault(thread, step->probe, info) != LT_PROBE_OURS)
    return after_signal(thread, step, class, status, info);
  if (step->has_signal)
    return present_signal(thread, step, class, status);
  lt_record(thread, LT_NONE, 0);
  if (step->has_event)
    ask_again(thread);
  else
    lt_resume(thread);
  return true;
}

/* Another stop than the one that the step leads to. */
static bool on_other_stop(lt_thread *thread, struct lt_slot_step *step, struct lt_class *class,
                          int *status, siginfo_t *info)
{
  bool event =
      class->kind == LT_INTERRUPT || class->kind == LT_GROUP_STOP || class->kind == LT_CONTINUE;
  if (event && step->steps++ < steps_max(step)) {
    step->has_event = true;
    go(thread, step);
    return true;
  }
  end_step(thread, step);
  if (class->kind != LT_SIGNAL)
    return false;
  uint64_t pc;
  if (step->probe)
    return on_planted_signal(thread, step, class, status, info);
  bool known = step->slot != step->addr && get_pc(thread, &pc) == 0;
  if (known && pc - step->slot >= LT_SLOT_BYTES) {
    mend_stack(thread, step); /* a call that led to a fault */
  } else if (known) {
    mend_fault(thread, info, step->slot, step->addr);
    if (place_at(&step->displaced, pc - step->slot) != LT_PLACE_AFTER || !mend_pc(thread, step))
      owe(thread, step->addr);
  } else if (step->slot == step->addr && get_pc(thread, &pc) == 0 && pc == step->addr) {
    thread->at_site.due = true;
    thread->at_site.addr = step->addr;
  }
  return after_signal(thread, step, class, status, info);
}

/* The trap of our step was one that the program had asked for as well. */
static void give_own_trap(lt_thread *thread)
{
  siginfo_t info = {.si_signo = SIGTRAP, .si_code = TRAP_TRACE};
  uint64_t pc;
  if (get_pc(thread, &pc) != 0)
    return;
  info.si_addr = (void *)(uintptr_t)pc;
  lt_signal_resend(thread, &info);
}

/* The instruction was the one that planted code has for what it cannot count. */
static bool is_miss(lt_thread *thread, const struct lt_slot_step *step, struct lt_class class)
{
  uint64_t pc;
  return class.kind == LT_SIGNAL && class.signo == SIGTRAP && get_pc(thread, &pc) == 0 &&
         lt_probe_missed(thread, step->probe, pc - lt_arch_native()->trap_advance);
}

/* True: the thread has been restarted. False: the stop is to be dealt with as *class and *status. */
static bool on_step_stop(lt_thread *thread, struct lt_class *class, int *status)
{
  struct lt_slot_step *step = thread->slot_step;
  siginfo_t info = {0};
  bool restarted = false;
  if (class->kind == LT_SIGNAL)
    lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)&info);
  /* A virtual machine that is interrupted during a step sometimes forgets that it was one, and the
   * kernel then says TRAP_BRKPT. */
  bool stepped = class->kind == LT_SIGNAL && class->signo == SIGTRAP &&
                 (info.si_code == TRAP_TRACE || info.si_code == TRAP_BRKPT);
  if (step->probe && is_miss(thread, step, *class)) {
    lt_regs_set_pc(thread, lt_probe_copy(step->probe));
    go(thread, step);
    return true;
  }
  if (!stepped) {
    restarted = on_other_stop(thread, step, class, status, &info);
    if (!thread->slot_step)
      free(step);
    return restarted;
  }
  if (!mend_pc(thread, step) && step->steps++ < steps_max(step)) {
    go(thread, step);
    return true;
  }
  end_step(thread, step);
  if (step->steps_itself)
    give_own_trap(thread);
  if (step->has_signal) {
    restarted = present_signal(thread, step, class, status);
  } else {
    lt_record(thread, LT_NONE, 0);
    if (step->has_event)
      ask_again(thread);
    else
      lt_resume(thread);
    restarted = true;
  }
  free(step);
  return restarted;
}

/* ---- Stops in a slot ------------------------------------------------------------------------ */

/* Before the instruction. */
static bool before(lt_thread *thread, const struct lt_site *site, struct lt_class class, int status)
{
  siginfo_t info;
  if (class.kind != LT_SIGNAL || lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)&info) != 0) {
    owe(thread, site->addr);
    return false;
  }
  bool fault = bit(class.signo) & faults() && info.si_code > 0;
  bool calls = site->displaced.kind == LT_DISPLACE_CALL; /* may block, and is not to be stepped */
  if (!fault && !calls && leave_first(thread, site, class, status))
    return true;
  mend_fault(thread, &info, thread->at_site.slot, site->addr);
  owe(thread, site->addr);
  return false;
}

static bool in_slot(lt_thread *thread, struct lt_class class, int status)
{
  struct lt_at_site *at = &thread->at_site;
  uint64_t pc;
  at->in_slot = false;
  const struct lt_site *site = lt_site_find(thread->process, at->addr);
  if (!site || get_pc(thread, &pc) != 0 || pc - at->slot >= LT_SLOT_BYTES)
    return false;
  switch (place_at(&site->displaced, pc - at->slot)) {
  case LT_PLACE_BEFORE:
    return before(thread, site, class, status);
  case LT_PLACE_AFTER:
    lt_regs_set_pc(thread, site->addr + site->displaced.length);
    return false;
  case LT_PLACE_TARGET:
    lt_regs_set_pc(thread, site->displaced.target);
    return false;
  default:
    return class.kind != LT_EXITING && leave_first(thread, site, class, status);
  }
}

bool lt_slot_on_stop(lt_thread *thread, struct lt_class *class, int *status)
{
  if (thread->slot_step)
    return on_step_stop(thread, class, status);
  bool entering = class->kind == LT_NONE; /* a call: lt_break_on_entry() */
  if (thread->at_site.in_slot && !entering && in_slot(thread, *class, *status))
    return true;
  return !entering && lt_probe_on_stop(thread, class, status);
}
