/* silent.c - processes that are to be let go, but carry our filter.
 *
 * Without a tracer the kernel would fail each call at which the filter stops them. So they stay ours,
 * and their children: nothing is reported of them, their stops are answered at once, and they run
 * at the speed that the filter leaves them. To the caller they are gone. */
#include <stdio.h>

#include <utlist.h>

#include "watchpoints.h"

static void tell_once(const lt_process *process)
{
  lt_session *session = process->session;
  char text[256];
  if (session->told_silent || !session->hooks.warn || process->how == LT_HOW_ADOPTED)
    return;
  session->told_silent = true;
  snprintf(text, sizeof text,
           "process %d cannot be let go, as the system call filter that it carries needs its "
           "tracer: it runs on unobserved, and luatrace stays until it ends (--no-filter lets it "
           "go)",
           (int)process->pid);
  session->hooks.warn(session->data, text);
}

static bool has_seen_threads(const lt_process *process)
{
  const lt_thread *thread;
  DL_FOREACH(process->threads, thread)
    if (!thread->silent)
      return true;
  return false;
}

void lt_silence_rest(lt_process *process)
{
  lt_session *session = process->session;
  if (process->silent || has_seen_threads(process))
    return;
  process->silent = true;
  if (session->hooks.process_freed)
    session->hooks.process_freed(session->data, process);
  process->data = NULL;
}

void lt_silence(lt_thread *thread)
{
  lt_session *session = thread->session;
  lt_process *process = thread->process;
  lt_call_restore(thread);
  lt_debug_clear(thread);
  thread->want_exit = false;
  if (thread->silent)
    return;
  if (!session->ending)
    tell_once(process);
  thread->silent = true;
  session->silent++;
  if (session->hooks.thread_freed)
    session->hooks.thread_freed(session->data, thread);
  thread->data = NULL;
  lt_silence_rest(process);
}
