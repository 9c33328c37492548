/* trap.c - whose is a SIGTRAP? The kernel says in siginfo what made it. */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>

#include "breaks.h"
#include "steps.h"
#include "watchpoints.h"

bool lt_trap_on_signal(lt_thread *thread, int status)
{
  siginfo_t info;
  if (lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)&info) != 0)
    return false;
  if (info.si_code == SI_KERNEL && lt_break_on_trap(thread, status)) /* a breakpoint instruction */
    return true;
  bool hit = lt_debug_on_trap(thread, &info);
  bool stepped = lt_steps_on_trap(thread, &info);
  if (!hit && !stepped)
    return false; /* sent by somebody, or by an instruction that is none of ours */
  lt_record(thread, LT_STEPPED, status);
  lt_resume(thread); /* reports what there is to report */
  return true;
}
