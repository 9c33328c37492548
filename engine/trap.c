/* trap.c - whose is a SIGTRAP? The kernel says in siginfo what made it. */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>

#include "breaks.h"

bool lt_trap_on_signal(lt_thread *thread, int status)
{
  siginfo_t info;
  if (lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)&info) != 0)
    return false;
  switch (info.si_code) {
  case SI_KERNEL: /* a breakpoint instruction */
    return lt_break_on_trap(thread, status);
  default: /* sent by somebody, or by an instruction that is none of ours */
    return false;
  }
}
