/* error.c - failures: the line for people, and what a failed request says about a thread. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ptrace.h>

#include "kernel.h"
#include "task.h"

int lt_fail(lt_session *session, int error, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(session->error, sizeof session->error, format, args);
  va_end(args);
  return error;
}

const char *lt_error(const lt_session *session)
{
  return session->error;
}

int lt_thread_failed(lt_thread *thread, int error)
{
  /* We only make requests of threads that we believe stopped, so "no such process" means that a
   * SIGKILL took it out of the stop, and its status is on the way. Only a thread that is certainly
   * gone may be given up, as one that is not would stay stopped for ever: hence the second look. */
  unsigned long message;
  if (error == -ESRCH && thread->state != LT_ST_DEAD &&
      lt_k_ptrace(PTRACE_GETEVENTMSG, thread->tid, 0, (uintptr_t)&message) == -ESRCH)
    thread->state = LT_ST_DYING;
  return error;
}

long lt_request(lt_thread *thread, int request, uintptr_t addr, uintptr_t data)
{
  long result = -ESRCH;
  for (int i = 0; i < 3 && thread->state == LT_ST_STOPPED; i++) {
    result = lt_k_ptrace(request, thread->tid, addr, data);
    if (result >= 0)
      break;
    lt_thread_failed(thread, (int)result);
  }
  return result;
}

int lt_thread_access(const lt_thread *thread)
{
  switch (thread->state) {
  case LT_ST_STOPPED:
  case LT_ST_ORPHAN:
    return 0;
  case LT_ST_DYING:
  case LT_ST_DEAD:
    return -ESRCH;
  default:
    return -EBUSY;
  }
}
