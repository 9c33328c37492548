/* attach.c - take over a running process with all its threads.
 *
 * Threads may be born while we seize the others, so /proc/PID/task is read again until a pass
 * finds nothing new; clone events are on from the first seizure. All are interrupted, so that
 * each has a first stop. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpu.h"
#include "engine.h"
#include "proc.h"

/* ---- Why not ------------------------------------------------------------------------------ */

/* A process cannot trace itself or what it descends from: whoever stops first stops both. */
static bool is_self_or_ancestor(pid_t pid)
{
  struct lt_proc_status status;
  for (pid_t up = getpid(); up > 1; up = status.ppid) {
    if (up == pid)
      return true;
    if (lt_proc_status(up, &status) != 0)
      return false;
  }
  return pid == 1 && getpid() == 1;
}

/* Whether `pid` traces us, directly or through the tracers between. */
static bool is_our_tracer(pid_t pid)
{
  struct lt_proc_status status = {.tracer = 0};
  pid_t at = getpid();
  for (int depth = 0; depth < 32 && lt_proc_status(at, &status) == 0 && status.tracer; depth++) {
    struct lt_proc_status tracer;
    if (lt_proc_status(status.tracer, &tracer) != 0)
      return false;
    if (tracer.tgid == pid)
      return true;
    at = tracer.tgid;
  }
  return false;
}

/* EPERM has many causes; name the one that holds. */
static int explain_refusal(lt_session *session, pid_t pid, int error)
{
  struct lt_proc_status status;
  if (error == -ESRCH || lt_proc_status(pid, &status) != 0)
    return lt_fail(session, -ESRCH, "there is no process %d", (int)pid);
  if (error != -EPERM)
    return lt_fail(session, error, "cannot attach to %d: %s", (int)pid, lt_errno_text(-error));
  if (status.tracer)
    return lt_fail(session, error, "cannot attach to %d: it is already traced by %d", (int)pid,
                   (int)status.tracer);
  if (status.kernel_thread)
    return lt_fail(session, error, "cannot attach to %d: it is a kernel thread", (int)pid);
  if (status.state == 'Z' || status.state == 'X')
    return lt_fail(session, error, "cannot attach to %d: it has exited", (int)pid);
  if (geteuid() != 0 && status.uid != getuid())
    return lt_fail(session, error,
                   "cannot attach to %d: it belongs to user %u; try as that user or as root",
                   (int)pid, (unsigned)status.uid);
  int scope = lt_proc_sysctl("/proc/sys/kernel/yama/ptrace_scope");
  if (scope > 0 && geteuid() != 0)
    return lt_fail(session, error,
                   "cannot attach to %d: kernel.yama.ptrace_scope is %d; try as root, or set it "
                   "to 0",
                   (int)pid, scope);
  return lt_fail(session, error,
                 "cannot attach to %d: it is not dumpable (set-uid, or prctl(PR_SET_DUMPABLE)), "
                 "or CAP_SYS_PTRACE is missing",
                 (int)pid);
}

/* Resolve a tid to its process, and refuse what can only end badly. */
static int check_target(lt_session *session, pid_t given, pid_t *ret)
{
  struct lt_proc_status status;
  if (given <= 0 || lt_proc_status(given, &status) != 0)
    return lt_fail(session, -ESRCH, "there is no process %d", (int)given);
  *ret = status.tgid;
  if (is_self_or_ancestor(*ret))
    return lt_fail(session, -EINVAL,
                   "cannot attach to %d: it is this tracer or one of its ancestors", (int)given);
  if (is_our_tracer(*ret))
    return lt_fail(session, -EINVAL, "cannot attach to %d: it traces this tracer", (int)given);
  if (lt_task_process(session, *ret))
    return lt_fail(session, -EINVAL, "process %d is traced already", (int)given);
  return 0;
}

/* ---- Seizing one thread ------------------------------------------------------------------- */

/* While a thread of the process execs, older kernels let PTRACE_SEIZE wait for the exec, and the
 * exec wait for threads that we hold to be reaped: a deadlock that only a signal ends. */
static lt_session *volatile seizing;

static void reap_while_seizing(int signo)
{
  (void)signo;
  int saved = errno;
  if (seizing)
    lt_wait_fill_more(seizing);
  errno = saved;
}

static void set_alarm(long microseconds)
{
  struct itimerval timer = {{0, microseconds}, {0, microseconds}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static long seize(lt_session *session, pid_t tid)
{
  unsigned options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE;
  if (!session->options.no_follow)
    options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE;
  seizing = session;
  long error = lt_k_ptrace(PTRACE_SEIZE, tid, 0, options);
  seizing = NULL;
  return error;
}

/* Add one thread of the list. 1: added, 0: nothing to do, else an error. `tasks` is the process's
 * task folder, open since before: what it still lists has not been replaced by a namesake. */
static int add_thread(lt_process *process, int tasks, const char *name)
{
  lt_session *session = process->session;
  pid_t tid = (pid_t)strtol(name, NULL, 10);
  if (tid <= 0 || lt_task_thread(session, tid))
    return 0;
  long error = seize(session, tid);
  if (error)
    return error == -ESRCH ? 0 : (int)error;
  /* Somebody else's thread by now is let go at its first stop. Without memory for a record, the
   * stop of an unknown thread is answered by letting it go, too. */
  struct stat st;
  lt_thread *thread = lt_task_new_thread(session, process, tid, LT_HOW_ATTACHED);
  if (thread)
    thread->ignored = fstatat(tasks, name, &st, 0) != 0;
  error = lt_k_ptrace(PTRACE_INTERRUPT, tid, 0, 0);
  if (error)
    lt_k_ptrace(PTRACE_INTERRUPT, tid, 0, 0);
  return 1;
}

static bool is_zombie(pid_t pid)
{
  struct lt_proc_status status;
  return lt_proc_status(pid, &status) == 0 && status.state == 'Z';
}

/* ---- The whole process -------------------------------------------------------------------- */

struct pass {
  int listed, added;
  int refusal; /* why one could not be added; 0: none */
  bool again;  /* an exec is under way */
};

/* One pass over the task folder. */
static struct pass add_threads(lt_process *process, DIR *tasks)
{
  struct pass pass = {0};
  rewinddir(tasks);
  for (struct dirent *entry; (entry = readdir(tasks));) {
    int result = add_thread(process, dirfd(tasks), entry->d_name);
    pass.listed += entry->d_name[0] != '.';
    pass.added += result > 0;
    pass.again |= result == -EAGAIN || result == -EINTR;
    if (result < 0)
      pass.refusal = result;
  }
  /* Nothing but a dead leader could be tried, and yet there are others: they are on their way out,
   * or into a new program. */
  pass.again |=
      !process->threads && pass.refusal == -EPERM && pass.listed > 1 && is_zombie(process->pid);
  return pass;
}

/* Until a pass adds none. A refusal counts only if nothing could be seized: a zombie leader and
 * threads on their way out refuse too. */
static int add_all_threads(lt_process *process, DIR *tasks)
{
  int refusal = -ESRCH;
  for (int i = 0; i < 1000; i++) {
    struct pass pass = add_threads(process, tasks);
    if (pass.refusal)
      refusal = pass.refusal;
    if (pass.again) {
      lt_wait_fill_more(process->session);
      usleep(1000);
    } else if (pass.added == 0) {
      break;
    }
  }
  return process->threads ? 0 : refusal;
}

static int seize_process(lt_process *process, DIR *tasks)
{
  struct sigaction reap = {.sa_handler = reap_while_seizing, .sa_flags = SA_RESTART}, before;
  struct itimerval timer;
  sigaction(SIGALRM, &reap, &before);
  getitimer(ITIMER_REAL, &timer);
  set_alarm(50000);
  int error = add_all_threads(process, tasks);
  set_alarm(0);
  sigaction(SIGALRM, &before, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
  return error;
}

int lt_attach(lt_session *session, pid_t given, lt_process **ret)
{
  pid_t pid = given;
  int error = check_target(session, given, &pid);
  if (error)
    return error;
  int fd = lt_k_proc_open(pid, "task", O_RDONLY | O_DIRECTORY);
  DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
  if (!tasks) {
    if (fd >= 0)
      close(fd);
    return lt_fail(session, fd < 0 ? fd : -ENOMEM, "cannot read the threads of process %d: %s",
                   (int)pid, lt_errno_text(fd < 0 ? -fd : ENOMEM));
  }
  lt_process *process = lt_task_new_process(session, pid, LT_HOW_ATTACHED);
  error = process ? seize_process(process, tasks) : -ENOMEM;
  closedir(tasks);
  if (error == 0) {
    session->attached = true;
    lt_cpu_give_up(session);
    *ret = process;
    return 0;
  }
  if (process)
    lt_task_free_process(process);
  return explain_refusal(session, pid, error);
}
