/* step_flags.c - single-stepping leaves no trace in the program.
 *
 * The trap of a step is a signal that the kernel forces upon the program: where the program blocks
 * SIGTRAP, it would unblock it and take its handler away. So the signal is unblocked for the one
 * instruction. The processor shows the trap flag to instructions that store the flags. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>

#include "breaks.h"
#include "proc.h"
#include "steps.h"

#define SIGTRAP_BIT ((uint64_t)1 << (SIGTRAP - 1))

void lt_step_lift_mask(lt_thread *thread)
{
  struct lt_steps *steps = thread->steps;
  uint64_t mask = 0;
  steps->was_lifted = false;
  if (!steps->mask_known &&
      lt_request(thread, PTRACE_GETSIGMASK, sizeof mask, (uintptr_t)&mask) != 0)
    return; /* it is dying */
  if (!steps->mask_known)
    steps->mask = mask;
  steps->mask_known = true;
  if (!(steps->mask & SIGTRAP_BIT))
    return;
  mask = steps->mask & ~SIGTRAP_BIT;
  steps->lifted = lt_request(thread, PTRACE_SETSIGMASK, sizeof mask, (uintptr_t)&mask) == 0;
  steps->was_lifted = steps->lifted;
}

void lt_step_restore_mask(lt_thread *thread)
{
  struct lt_steps *steps = thread->steps;
  if (!steps->lifted)
    return;
  steps->lifted = false;
  lt_request(thread, PTRACE_SETSIGMASK, sizeof steps->mask, (uintptr_t)&steps->mask);
}

/* Somebody has sent SIGTRAP, which the program blocks and we do not: it is for later. */
void lt_step_hold_signal(lt_thread *thread, const siginfo_t *info)
{
  struct lt_steps *steps = thread->steps;
  if (!steps->held)
    steps->held = malloc(sizeof *steps->held);
  if (steps->held)
    *steps->held = *info;
}

void lt_step_resend(lt_thread *thread)
{
  siginfo_t *held = thread->steps->held;
  thread->steps->held = NULL;
  if (held)
    lt_signal_resend(thread, held);
  free(held);
}

void lt_step_note_ignored(lt_thread *thread)
{
  struct lt_proc_status status;
  if (lt_proc_status(thread->tid, &status) != 0 || !(status.ignored & SIGTRAP_BIT))
    return;
  thread->steps->ignored = true;
  lt_trap_state_look(thread->process);
}

void lt_step_mend(lt_thread *thread)
{
  const struct lt_steps *steps = thread->steps;
  const struct lt_regs *regs;
  if (steps->next == LT_NEXT_FLAGS && !steps->own_trap && lt_regs_general(thread, &regs) == 0)
    lt_arch_get(lt_arch_of(regs))->mend_flags(thread);
}

bool lt_step_trap_waits(lt_thread *thread)
{
  struct __ptrace_peeksiginfo_args from = {.off = 0, .flags = 0, .nr = 1};
  siginfo_t info;
  for (; from.off < 64; from.off++) {
    long got = lt_k_ptrace(PTRACE_PEEKSIGINFO, thread->tid, (uintptr_t)&from, (uintptr_t)&info);
    if (got != 1)
      return false;
    if (info.si_signo == SIGTRAP && (info.si_code == TRAP_TRACE || info.si_code == TRAP_BRKPT))
      return true;
  }
  return false;
}
