/* classify.c - wait status to kind of stop. The order matters: ptrace events first, then the
 * syscall marker of PTRACE_O_TRACESYSGOOD, and only then the signal. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "engine.h"

static bool is_stop_signal(int signo)
{
  return signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU;
}

/* PTRACE_EVENT_STOP means four things: a first stop, a group stop, PTRACE_INTERRUPT, SIGCONT. */
static struct lt_class classify_event_stop(int signo, enum lt_state before, bool interrupted)
{
  if (before == LT_ST_NEWBORN)
    return (struct lt_class){.kind = LT_BIRTH, .signo = is_stop_signal(signo) ? signo : 0};
  if (is_stop_signal(signo))
    return (struct lt_class){.kind = LT_GROUP_STOP, .signo = signo};
  if (interrupted)
    return (struct lt_class){.kind = LT_INTERRUPT};
  return (struct lt_class){.kind = LT_CONTINUE};
}

struct lt_class lt_classify(int status, enum lt_state before, bool interrupted)
{
  int signo = WSTOPSIG(status);
  switch (status >> 16) {
  case PTRACE_EVENT_FORK:
    return (struct lt_class){.kind = LT_CLONE, .how = LT_HOW_FORK};
  case PTRACE_EVENT_VFORK:
    return (struct lt_class){.kind = LT_CLONE, .how = LT_HOW_VFORK};
  case PTRACE_EVENT_CLONE:
    return (struct lt_class){.kind = LT_CLONE, .how = LT_HOW_CLONE};
  case PTRACE_EVENT_VFORK_DONE:
    return (struct lt_class){.kind = LT_VFORK_DONE};
  case PTRACE_EVENT_EXEC:
    return (struct lt_class){.kind = LT_EXEC};
  case PTRACE_EVENT_SECCOMP:
    return (struct lt_class){.kind = LT_NONE, .filtered = true};
  case PTRACE_EVENT_EXIT:
    return (struct lt_class){.kind = LT_EXITING};
  case PTRACE_EVENT_STOP:
    return classify_event_stop(signo, before, interrupted);
  default:
    break;
  }
  if (signo == (SIGTRAP | 0x80))
    return (struct lt_class){.kind = LT_NONE};
  return (struct lt_class){.kind = LT_SIGNAL, .signo = signo};
}
