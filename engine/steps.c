/* steps.c - lt_thread_step(): counting instructions, and when a step is over.
 *
 * Between its instructions the thread does not leave the engine. What an instruction means is found
 * out when the thread is to run on (lt_steps_settle), after the hook has heard of everything else
 * that the same stop says. */
#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

#include "breaks.h"
#include "probe.h"
#include "proc.h"
#include "watchpoints.h"

static const struct lt_arch *arch_of(const struct lt_regs *regs)
{
  return lt_arch_get(lt_arch_of(regs));
}

/* ---- What was asked for ------------------------------------------------------------------- */

static bool is_asked(const lt_thread *thread)
{
  const struct lt_steps *steps = thread->steps;
  return steps && steps->asked && steps->function == thread->function;
}

static bool is_let_go(const lt_thread *thread)
{
  return thread->ignored || thread->process->detaching || thread->session->ending;
}

static bool is_stepping(const lt_thread *thread)
{
  return !is_let_go(thread) && (is_asked(thread) || lt_watch_by_software(thread));
}

static void disown_sites(lt_thread *thread)
{
  struct lt_steps *steps = thread->steps;
  struct lt_step_sites sites = steps->sites;
  steps->sites.count = 0;
  for (unsigned i = 0; i < sites.count; i++)
    lt_step_site_disown(thread, sites.at[i]);
  if (steps->planted) {
    steps->planted = false;
    lt_step_site_disown(thread, steps->over_addr);
  }
}

static void disown_exits(lt_thread *thread)
{
  struct lt_step_sites exits = thread->steps->exits;
  thread->steps->exits.count = 0;
  for (unsigned i = 0; i < exits.count; i++)
    lt_step_site_disown(thread, exits.at[i]);
}

static void stop_asking(lt_thread *thread)
{
  struct lt_steps *steps = thread->steps;
  steps->asked = false;
  disown_sites(thread);
  disown_exits(thread);
  steps->over = LT_OVER_NOTHING;
  lt_step_resend(thread);
}

static int make_steps(lt_thread *thread)
{
  if (!thread->steps)
    thread->steps = calloc(1, sizeof *thread->steps);
  return thread->steps ? 0 : lt_fail(thread->session, -ENOMEM, "out of memory");
}

static bool is_at(const struct lt_stepping *how, uint64_t pc)
{
  for (size_t i = 0; i < how->at_count; i++)
    if (how->at[i] == pc)
      return true;
  return false;
}

static int own_all(lt_thread *thread, const uint64_t *at, size_t count)
{
  struct lt_steps *steps = thread->steps;
  for (size_t i = 0; i < count; i++) {
    int error = lt_step_site_own(thread, at[i]);
    if (error) {
      disown_sites(thread);
      return error;
    }
    steps->sites.at[steps->sites.count++] = at[i];
  }
  return 0;
}

/* A thread that stands at one of the addresses goes away first: the next arrival counts. */
static int plant(lt_thread *thread, const struct lt_stepping *how)
{
  struct lt_steps *steps = thread->steps;
  uint64_t pc;
  if (how->at_count > LT_STEP_SITES)
    return lt_fail(thread->session, -E2BIG, "a thread can run to one of %d addresses at most",
                   LT_STEP_SITES);
  int error = lt_thread_pc(thread, &pc);
  if (error)
    return error;
  if (how->count) { /* instructions can only be counted by stepping */
    memcpy(steps->sites.at, how->at, how->at_count * sizeof *how->at);
    steps->looks = (unsigned)how->at_count;
    return 0;
  }
  steps->leads = is_at(how, pc);
  if (!steps->leads)
    return own_all(thread, how->at, how->at_count);
  memcpy(steps->sites.at, how->at, how->at_count * sizeof *how->at);
  steps->later = (unsigned)how->at_count;
  return 0;
}

int lt_thread_step(lt_thread *thread, const struct lt_stepping *how)
{
  int error = lt_thread_access(thread);
  if (error)
    return lt_fail(thread->session, error, "thread %d %s", (int)thread->tid,
                   error == -EBUSY ? "is running: it cannot be told to step" : "is gone");
  if (thread->steps && thread->steps->asked)
    return lt_fail(thread->session, -EBUSY, "thread %d is stepping already", (int)thread->tid);
  error = make_steps(thread);
  if (error)
    return error;
  struct lt_steps *steps = thread->steps;
  steps->how = *how;
  steps->done = 0;
  steps->over = LT_OVER_NOTHING;
  steps->leads = steps->entered = steps->counted_out = false;
  steps->later = steps->looks = 0;
  steps->function = thread->function;
  error = how->at_count ? plant(thread, how) : 0;
  steps->how.at = NULL;
  steps->asked = error == 0;
  return error;
}

bool lt_thread_stepping(const lt_thread *thread, uint64_t *ret)
{
  *ret = thread->steps ? thread->steps->done : 0;
  return thread->steps && thread->steps->asked;
}

void lt_thread_step_cancel(lt_thread *thread)
{
  if (thread->steps && thread->steps->asked)
    stop_asking(thread);
}

/* ---- The next restart --------------------------------------------------------------------- */

/* Stops inside a call that the kernel goes on with. */
static bool is_inside_call(const lt_thread *thread)
{
  const struct lt_stop *stop = &thread->stop;
  switch (stop->kind) {
  case LT_SYSCALL_ENTRY:
    return !thread->kernel_skips;
  case LT_CLONE:
  case LT_EXEC:
  case LT_VFORK_DONE:
    return true;
  case LT_START:
    return stop->u.start.how == LT_HOW_LAUNCHED;
  default:
    return false;
  }
}

/* The signal of this stop runs a handler of the program's. */
static bool enters_handler(const lt_thread *thread)
{
  struct lt_proc_status status;
  return thread->stop.kind == LT_SIGNAL && thread->inject > 0 &&
         lt_proc_status(thread->tid, &status) == 0 && status.caught >> (thread->inject - 1) & 1;
}

/* What the instruction at steps->pc is, or whether it begins a sequence that is run over. Both are
 * read with one request where that can be, as this is done at each step. */
static bool look(lt_thread *thread, struct lt_steps *steps, const struct lt_regs *regs)
{
  uint8_t code[16];
  uint64_t descriptor = 0, slot = lt_step_sequence_slot(thread);
  const struct lt_k_range both[] = {{slot, &descriptor, sizeof descriptor},
                                    {steps->pc, code, sizeof code}};
  ssize_t size = sizeof code;
  if (!slot || !lt_mem_read_two(thread, both)) {
    size = lt_mem_read(thread, steps->pc, code, sizeof code);
    if (slot && lt_mem_read(thread, slot, &descriptor, sizeof descriptor) != sizeof descriptor)
      descriptor = 0;
  }
  if (size > 0)
    steps->next = (uint8_t)arch_of(regs)->look(regs, code, (size_t)size);
  return slot && lt_step_sequence_begins(thread, regs, descriptor, &steps->exits);
}

/* The sites at which it is left have been planted. */
static bool begin_sequence(lt_thread *thread, struct lt_steps *steps)
{
  struct lt_step_sites exits = steps->exits;
  steps->exits.count = 0;
  for (unsigned i = 0; i < exits.count; i++) {
    if (lt_step_site_own(thread, exits.at[i]) != 0) {
      disown_exits(thread);
      return false;
    }
    steps->exits.at[steps->exits.count++] = exits.at[i];
  }
  steps->over = LT_OVER_SEQUENCE;
  return true;
}

/* It runs freely for now, until it has arrived somewhere. */
static bool runs(const struct lt_steps *steps)
{
  return (steps->over == LT_OVER_CALL && steps->planted) || steps->over == LT_OVER_SEQUENCE ||
         (steps->sites.count && !steps->leads && !steps->over);
}

static enum lt_way choose_way(lt_thread *thread, struct lt_steps *steps)
{
  const struct lt_regs *regs;
  steps->at_site = steps->in_slot = false;
  if (is_inside_call(thread)) {
    bool begins = thread->stop.kind == LT_EXEC || thread->stop.kind == LT_START;
    steps->counted_out |= begins && !steps->entered;
    return LT_WAY_CALL;
  }
  bool by_software = lt_watch_by_software(thread);
  if ((!by_software || steps->over == LT_OVER_SEQUENCE) && runs(steps))
    return LT_WAY_RUN;
  if (lt_regs_general(thread, &regs) != 0)
    return LT_WAY_STEP; /* it is dying */
  const struct lt_arch *arch = arch_of(regs);
  steps->pc = arch->pc(regs);
  steps->own_trap = arch->has_trap_flag(regs);
  steps->next = LT_NEXT_PLAIN;
  if (enters_handler(thread)) {
    steps->interrupted_sp = arch->sp(regs);
    return LT_WAY_STEP;
  }
  if (arch->restart_pending(regs) || (steps->over == LT_OVER_HANDLER && !by_software))
    return LT_WAY_CALL;
  if (look(thread, steps, regs) && begin_sequence(thread, steps))
    return LT_WAY_RUN;
  steps->at_site = thread->at_site.due;
  return steps->next == LT_NEXT_SYSCALL ? LT_WAY_CALL : LT_WAY_STEP;
}

enum lt_way lt_steps_way(lt_thread *thread)
{
  if (thread->listen_signal || !is_stepping(thread) || make_steps(thread) != 0)
    return LT_WAY_RUN;
  lt_probe_hold_off(thread);
  return choose_way(thread, thread->steps);
}

bool lt_steps_at_site(lt_thread *thread, bool restarted)
{
  struct lt_steps *steps = thread->steps;
  uint64_t pc;
  if (!steps || !steps->at_site || thread->inject)
    return false;
  steps->at_site = false;
  steps->in_slot = restarted ? thread->slot_step != NULL : thread->at_site.in_slot;
  if (restarted || steps->in_slot || lt_thread_pc(thread, &pc) != 0 || pc == steps->pc)
    return false;
  steps->due = true;
  lt_record(thread, LT_STEPPED, thread->stop.status);
  return true;
}

void lt_steps_prepare(lt_thread *thread, enum lt_way way)
{
  struct lt_steps *steps = thread->steps;
  if (!steps)
    return;
  if (way == LT_WAY_STEP && steps->way == LT_WAY_RUN)
    lt_step_note_ignored(thread);
  steps->way = (uint8_t)way;
  steps->emulated = thread->stop.kind == LT_SYSCALL_ENTRY;
  steps->entered = true;
  if (way == LT_WAY_STEP) {
    lt_step_lift_mask(thread);
    steps->single = true;
  }
}

/* ---- Stops -------------------------------------------------------------------------------- */

static bool is_event_stop(enum lt_kind kind)
{
  return kind == LT_INTERRUPT || kind == LT_GROUP_STOP || kind == LT_CONTINUE;
}

/* A stop that came while an instruction ran in a slot may have been put off until it had. */
static void note_slot(lt_thread *thread, struct lt_steps *steps)
{
  uint64_t pc;
  if (steps->in_slot && lt_thread_pc(thread, &pc) == 0)
    steps->due |= pc != steps->pc;
  steps->in_slot = false;
}

void lt_steps_on_stop(lt_thread *thread, struct lt_class class)
{
  struct lt_steps *steps = thread->steps;
  if (!steps)
    return;
  lt_step_restore_mask(thread);
  note_slot(thread, steps);
  if (class.kind == LT_SIGNAL && class.signo == SIGTRAP)
    return; /* lt_steps_on_trap() */
  steps->mask_known = false;
  if (!steps->single)
    return;
  /* Only such a stop comes before the trap of an instruction that has been run. */
  steps->single = is_event_stop(class.kind) && lt_step_trap_waits(thread);
  if (steps->single && !steps->stale) {
    steps->stale = steps->due = true;
    lt_step_mend(thread);
  }
}

/* The kernel says so when a call ends that was entered before the step: no instruction was run. */
static bool is_end_of_call(lt_thread *thread, const siginfo_t *info)
{
  uint64_t pc;
  return info->si_code == TRAP_BRKPT && !thread->steps->emulated &&
         lt_thread_pc(thread, &pc) == 0 && pc == thread->steps->pc;
}

bool lt_steps_expects_trap(const lt_thread *thread)
{
  return thread->steps && thread->steps->single;
}

/* The kernel's word for "a handler is about to begin". */
#define ENTERS_HANDLER SIGTRAP

/* After such an instruction the kernel would take the trap flag of the next step for the program's
 * own. A stop of which nothing comes makes it forget that it was stepping. */
static void clean_up(lt_thread *thread, struct lt_steps *steps, const siginfo_t *info)
{
  if (steps->own_trap)
    lt_signal_resend(thread, info);
  steps->own_trap = false;
  steps->next = LT_NEXT_PLAIN;
  thread->state = LT_ST_RUNNING; /* as far as interrupting goes */
  lt_interrupt_thread(thread);
  thread->state = LT_ST_STOPPED;
  lt_flush_and_restart(thread, PTRACE_CONT, 0);
}

bool lt_steps_on_trap(lt_thread *thread, const siginfo_t *info)
{
  struct lt_steps *steps = thread->steps;
  if (!steps)
    return false;
  bool by_step =
      info->si_code == TRAP_TRACE || info->si_code == TRAP_BRKPT || info->si_code == ENTERS_HANDLER;
  bool programs = steps->next == LT_NEXT_TRAP && info->si_code != TRAP_TRACE;
  bool expected = steps->single;
  steps->single = false;
  if (!expected || !by_step || programs) {
    bool blocked = expected && steps->was_lifted && !programs && info->si_code <= 0;
    steps->mask_known = false;
    if (blocked)
      lt_step_hold_signal(thread, info);
    return blocked;
  }
  if (steps->stale) {
    steps->stale = false;
    return true;
  }
  if (info->si_code == ENTERS_HANDLER) {
    steps->mask_known = false;
    if (steps->asked && steps->how.over && !steps->over) {
      steps->over = LT_OVER_HANDLER;
      steps->over_sp = steps->interrupted_sp;
      return true;
    }
  }
  lt_step_mend(thread);
  steps->due = !is_end_of_call(thread, info);
  if (steps->next == LT_NEXT_LOADS)
    clean_up(thread, steps, info);
  return true;
}

enum lt_verdict lt_steps_on_break(lt_thread *thread)
{
  struct lt_steps *steps = thread->steps;
  uint64_t pc, sp;
  if (!steps || lt_thread_pc(thread, &pc) != 0 || lt_thread_sp(thread, &sp) != 0)
    return LT_RESUME;
  if (steps->over == LT_OVER_CALL && pc == steps->over_addr && sp > steps->over_sp)
    steps->due = true;
  for (unsigned i = 0; i < steps->exits.count; i++)
    steps->due |= pc == steps->exits.at[i];
  for (unsigned i = 0; i < steps->sites.count && !steps->over && is_asked(thread); i++)
    if (pc == steps->sites.at[i] && sp > steps->how.sp)
      steps->due = steps->arrived = true;
  steps->next = LT_NEXT_PLAIN;
  return LT_RESUME;
}

/* ---- After an instruction ----------------------------------------------------------------- */

/* It has called a function that is to be run over. True if that has begun. */
static bool begin_over(lt_thread *thread, struct lt_steps *steps, uint64_t sp)
{
  const struct lt_regs *regs;
  uint64_t back = 0;
  if (steps->next != LT_NEXT_CALL || !steps->how.over || lt_regs_general(thread, &regs) != 0)
    return false;
  unsigned word = arch_of(regs)->word;
  if (lt_mem_read(thread, sp, &back, word) != (ssize_t)word)
    return false;
  steps->over = LT_OVER_CALL;
  steps->over_addr = back;
  steps->over_sp = sp;
  steps->planted = lt_step_site_own(thread, back) == 0;
  return true;
}

static bool is_asked_to_stop(lt_thread *thread, struct lt_steps *steps)
{
  if (!steps->how.until)
    return false;
  thread->in_hook = true;
  bool stop = steps->how.until(steps->how.data, thread);
  thread->in_hook = false;
  return stop;
}

/* Why the step is over, or 0. */
static enum lt_step_end count_one(lt_thread *thread, struct lt_steps *steps, uint64_t pc,
                                  uint64_t sp)
{
  const struct lt_stepping *how = &steps->how;
  bool arrived = steps->arrived;
  steps->arrived = false;
  if (arrived)
    return LT_STEP_ARRIVED;
  steps->done++;
  for (unsigned i = 0; i < steps->looks; i++)
    if (pc == steps->sites.at[i] && sp > how->sp)
      return LT_STEP_ARRIVED;
  if (is_asked_to_stop(thread, steps))
    return LT_STEP_UNTIL;
  if (how->to && (pc < how->from || pc >= how->to))
    return LT_STEP_LEFT;
  return how->count && steps->done >= how->count ? LT_STEP_COUNT : 0;
}

/* An instruction has been run: why the step is over, or 0. */
static enum lt_step_end take_due(lt_thread *thread, struct lt_steps *steps)
{
  uint64_t pc, sp;
  if (lt_thread_pc(thread, &pc) != 0 || lt_thread_sp(thread, &sp) != 0)
    return 0;         /* it is dying */
  if (steps->leads) { /* it has left the address that it shall arrive at */
    steps->leads = false;
    steps->sites.count = 0;
    uint64_t at[LT_STEP_SITES];
    memcpy(at, steps->sites.at, sizeof at);
    return own_all(thread, at, steps->later) ? LT_STEP_FAILED : 0;
  }
  if (steps->sites.count && !steps->arrived)
    return 0;
  if (steps->over) {
    if (steps->over == LT_OVER_CALL && (pc != steps->over_addr || sp <= steps->over_sp))
      return 0;
    steps->over = LT_OVER_NOTHING;
    disown_exits(thread);
    if (steps->planted) {
      steps->planted = false;
      lt_step_site_disown(thread, steps->over_addr);
    }
  } else if (begin_over(thread, steps, sp)) {
    return 0;
  }
  return count_one(thread, steps, pc, sp);
}

static void report(lt_thread *thread, struct lt_steps *steps, enum lt_step_end why)
{
  int status = thread->stop.status;
  if (thread->stop.kind == LT_SYSCALL_EXIT)
    lt_call_end(thread);
  stop_asking(thread);
  lt_record(thread, LT_STEPPED, status);
  thread->stop.u.step.count = steps->done;
  thread->stop.u.step.why = why;
  lt_settle(thread, lt_report(thread));
}

/* The exit of a call: whether an instruction has been run with that. */
static bool is_done_by_call(lt_thread *thread, struct lt_steps *steps)
{
  uint64_t sp;
  if (steps->way != LT_WAY_CALL || thread->stop.kind != LT_SYSCALL_EXIT)
    return false;
  steps->way = LT_WAY_RUN; /* once */
  lt_step_sequence_forget(&steps->sequences);
  if (steps->counted_out) {
    steps->counted_out = false;
    return false;
  }
  if (steps->over != LT_OVER_HANDLER)
    return true;
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)thread->call.abi);
  if (arch->special(thread->call.nr) == LT_SYS_SIGRETURN && lt_thread_sp(thread, &sp) == 0 &&
      sp == steps->over_sp)
    steps->over = LT_OVER_NOTHING;
  return false;
}

bool lt_steps_settle(lt_thread *thread)
{
  struct lt_steps *steps = thread->steps;
  if (!steps || is_let_go(thread))
    return false;
  if (thread->stop.kind == LT_NONE) /* slot_step.c has done it */
    note_slot(thread, steps);
  steps->due |= is_done_by_call(thread, steps);
  if (steps->ignored && !is_stepping(thread)) {
    steps->ignored = false;
    lt_trap_state_on_hit(thread);
  }
  if (!steps->due)
    return false;
  if (lt_watch_compare(thread)) /* comes again */
    return true;
  bool own_trap = steps->own_trap && thread->stop.kind == LT_STEPPED;
  steps->due = steps->own_trap = false;
  enum lt_step_end why = is_asked(thread) ? take_due(thread, steps) : 0;
  if (own_trap)
    thread->deferred = thread->stop.status;
  if (why)
    report(thread, steps, why);
  else if (own_trap)
    lt_settle(thread, LT_RESUME);
  return why || own_trap;
}

/* ---- Ends --------------------------------------------------------------------------------- */

bool lt_steps_release(lt_thread *thread)
{
  struct lt_steps *steps = thread->steps;
  if (!steps)
    return false;
  stop_asking(thread);
  if (!steps->stale)
    return false;
  lt_flush_and_restart(thread, PTRACE_CONT, 0);
  return true;
}

void lt_steps_lost(lt_thread *thread)
{
  struct lt_steps *steps = thread->steps;
  if (!steps)
    return;
  steps->mask_known = false;
  bool tied = steps->sites.count || steps->leads || steps->how.to || steps->over;
  steps->sites.count = 0; /* they went with the memory */
  steps->planted = steps->leads = false;
  steps->over = LT_OVER_NOTHING;
  steps->exits.count = 0;
  steps->sequences = (struct lt_sequences){0};
  if (!steps->asked || !tied)
    return;
  struct lt_stop own = thread->stop, record;
  lt_record(thread, LT_STEPPED, 0);
  record = thread->stop;
  thread->stop = own;
  steps->asked = false;
  record.u.step.count = steps->done;
  record.u.step.why = LT_STEP_LOST;
  lt_report_record(thread, &record);
}

void lt_steps_free(lt_thread *thread)
{
  if (!thread->steps)
    return;
  if (thread->process) {
    disown_sites(thread);
    disown_exits(thread);
  }
  free(thread->steps->held);
  free(thread->steps);
  thread->steps = NULL;
}
