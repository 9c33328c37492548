/* process.c - what the public interface tells about processes and threads. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "engine.h"

/* Those that were let go, but had to stay, are not shown (silent.c). */
static lt_process *first_seen(lt_process *process)
{
  while (process && process->silent)
    process = process->hh.next;
  return process;
}

lt_process *lt_process_first(const lt_session *session)
{
  return first_seen(session->processes);
}

lt_process *lt_process_next(const lt_process *process)
{
  return first_seen(process->hh.next);
}

lt_process *lt_process_find(const lt_session *session, pid_t pid)
{
  lt_process *process = lt_task_process((lt_session *)session, pid);
  return process && !process->silent ? process : NULL;
}

pid_t lt_process_pid(const lt_process *process)
{
  return process->pid;
}

enum lt_how lt_process_how(const lt_process *process)
{
  return process->how;
}

lt_session *lt_process_session(const lt_process *process)
{
  return process->session;
}

lt_thread *lt_process_first_thread(const lt_process *process)
{
  return process->threads;
}

lt_thread *lt_thread_next(const lt_thread *thread)
{
  return thread->next;
}

/* An orphan is nobody's yet, and not shown. */
lt_thread *lt_thread_find(const lt_session *session, pid_t tid)
{
  lt_thread *thread = lt_task_thread((lt_session *)session, tid);
  return thread && thread->process && !thread->silent ? thread : NULL;
}

void lt_process_set_data(lt_process *process, void *data)
{
  process->data = data;
}

void *lt_process_data(const lt_process *process)
{
  return process->data;
}

void lt_thread_set_data(lt_thread *thread, void *data)
{
  thread->data = data;
}

void *lt_thread_data(const lt_thread *thread)
{
  return thread->data;
}

pid_t lt_thread_tid(const lt_thread *thread)
{
  return thread->tid;
}

pid_t lt_thread_pid(const lt_thread *thread)
{
  return thread->process->pid;
}

pid_t lt_thread_parent(const lt_thread *thread)
{
  return thread->parent;
}

enum lt_how lt_thread_how(const lt_thread *thread)
{
  return thread->how;
}

lt_process *lt_thread_process(const lt_thread *thread)
{
  return thread->process;
}

lt_session *lt_thread_session(const lt_thread *thread)
{
  return thread->session;
}

bool lt_thread_stopped(const lt_thread *thread)
{
  return lt_thread_access(thread) == 0;
}

const struct lt_stop *lt_thread_stop(const lt_thread *thread)
{
  return &thread->stop;
}

/* ---- Signals ------------------------------------------------------------------------------ */

int lt_thread_signal(lt_thread *thread, int signo, const union sigval *value)
{
  pid_t pid = thread->process->pid;
  int error;
  if (value) {
    siginfo_t info = {.si_signo = signo, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value = *value;
    error = lt_k_sigqueue(pid, thread->tid, signo, &info);
  } else {
    error = lt_k_tgkill(pid, thread->tid, signo);
  }
  if (error)
    lt_fail(thread->session, error, "signal %d cannot be sent to thread %d: %s", signo,
            (int)thread->tid, lt_errno_text(-error));
  return error;
}

static int check_signal_stop(lt_thread *thread)
{
  int error = lt_thread_access(thread);
  if (error == 0 && thread->stop.kind != LT_SIGNAL)
    error = -EINVAL;
  if (error)
    lt_fail(thread->session, error, "thread %d is not stopped by a signal", (int)thread->tid);
  return error;
}

int lt_signal_info(lt_thread *thread, siginfo_t *ret)
{
  int error = check_signal_stop(thread);
  if (error)
    return error;
  if (thread->expects) { /* the kernel has another stop's by now */
    *ret = *thread->expects;
    return 0;
  }
  return (int)lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)ret);
}

int lt_signal_replace(lt_thread *thread, int signo)
{
  int error = check_signal_stop(thread);
  if (error == 0 && (signo < 0 || signo > 64))
    error = lt_fail(thread->session, -EINVAL, "there is no signal %d", signo);
  siginfo_t info;
  bool keeps = error == 0 && thread->own_info && signo && lt_signal_info(thread, &info) == 0;
  if (error == 0)
    thread->inject = signo;
  return keeps ? lt_signal_set_info(thread, &info) : error;
}

/* The kernel believes siginfo of another number to be stale, and makes one of its own. */
int lt_signal_set_info(lt_thread *thread, const siginfo_t *info)
{
  int error = check_signal_stop(thread);
  if (error)
    return error;
  siginfo_t own = *info;
  own.si_signo = thread->inject ? thread->inject : info->si_signo;
  if (thread->expects) { /* it is sent again later */
    *thread->expects = own;
    return 0;
  }
  thread->own_info = true;
  return (int)lt_request(thread, PTRACE_SETSIGINFO, 0, (uintptr_t)&own);
}
