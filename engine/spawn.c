/* spawn.c - launch a program, traced from its first instruction.
 *
 * The child waits on a pipe until it is seized and interrupted, then undoes what the tracer set
 * up (mask, dispositions) and execs. Everything from there on arrives through the one loop: exec
 * succeeded (LT_START), or the child died and its pipe says why (LT_SPAWN_FAILED). */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpu.h"
#include "filter.h"

/* ---- Finding the program ------------------------------------------------------------------ */

/* 0 if `path` can be executed, else why not. */
static int check_executable(const char *path)
{
  struct stat st;
  if (stat(path, &st) != 0)
    return -errno;
  if (!S_ISREG(st.st_mode))
    return -EACCES;
  return access(path, X_OK) == 0 ? 0 : -errno;
}

/* Look `name` up as execvp(3) does, but before forking, so that the error is ours to tell. A file
 * that exists without being executable is remembered as the better explanation. */
static int find_in_path(const char *name, char path[4096])
{
  const char *list = getenv("PATH");
  int error = -ENOENT;
  if (!list)
    list = "/bin:/usr/bin";
  for (;;) {
    int length = (int)strcspn(list, ":");
    int size = snprintf(path, 4096, "%.*s%s%s", length, list, length ? "/" : "./", name);
    int found = size < 4096 ? check_executable(path) : -ENAMETOOLONG;
    if (found == 0)
      return 0;
    if (found != -ENOENT && found != -ENOTDIR)
      error = found;
    if (!list[length])
      return error;
    list += length + 1;
  }
}

static int find_program(lt_session *session, const struct lt_spawn *spawn, char path[4096])
{
  const char *name = spawn->path ? spawn->path : spawn->argv[0];
  int error;
  if (!name || !*name)
    return lt_fail(session, -ENOENT, "there is no program to run");
  if (spawn->path || strchr(name, '/')) {
    error = snprintf(path, 4096, "%s", name) < 4096 ? 0 : -ENAMETOOLONG;
    if (error == 0 && !spawn->cwd) /* a relative name is looked up in the new directory */
      error = check_executable(path);
  } else {
    error = find_in_path(name, path);
  }
  if (error == -ENOENT && !strchr(name, '/'))
    return lt_fail(session, error, "%s: no such program in PATH", name);
  if (error)
    return lt_fail(session, error, "%s: cannot be executed: %s", name, lt_errno_text(-error));
  return 0;
}

struct launch {
  int go[2], report[2];
  pid_t pid;
  struct lt_filter *filter; /* that the program is to carry; NULL: none */
};

/* ---- The child ---------------------------------------------------------------------------- */

/* Put the given descriptors on 0, 1, 2. They are duplicated out of the way first, as they may
 * overlap. */
static int move_descriptors(const int fds[3])
{
  int high[3];
  for (int i = 0; i < 3; i++)
    if ((high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 3)) < 0 && fds[i] >= 0)
      return -1;
  for (int i = 0; i < 3; i++)
    if (high[i] >= 0 && dup2(high[i], i) < 0)
      return -1;
  return 0;
}

/* What the child tells when it cannot go on. */
struct failure {
  int error; /* 0: none */
  enum lt_spawn_step step;
};

static bool failed(struct failure *failure, enum lt_spawn_step step, int result)
{
  if (result >= 0)
    return false;
  *failure = (struct failure){errno, step};
  return true;
}

/* What needs no tracing. */
static struct failure prepare(const lt_session *session, const struct lt_spawn *spawn)
{
  struct failure failure = {0, LT_SPAWN_EXEC};
  lt_inherit_restore(session);
  if (spawn->use_fds && failed(&failure, LT_SPAWN_FDS, move_descriptors(spawn->fds)))
    return failure;
  if (spawn->terminal && (failed(&failure, LT_SPAWN_TERMINAL, setsid()) ||
                          failed(&failure, LT_SPAWN_TERMINAL, ioctl(0, TIOCSCTTY, 0))))
    return failure;
  if (spawn->cwd)
    failed(&failure, LT_SPAWN_CWD, chdir(spawn->cwd));
  return failure;
}

/* The tracer may not be allowed to seize somebody else's process, so this comes after. The user
 * last: it is what the right to change the others goes with. */
static struct failure change_identity(const struct lt_spawn *spawn)
{
  struct failure failure = {0, LT_SPAWN_EXEC};
  if (spawn->use_groups &&
      failed(&failure, LT_SPAWN_GROUPS, setgroups(spawn->group_count, spawn->groups)))
    return failure;
  if (spawn->use_gid &&
      failed(&failure, LT_SPAWN_GID, setresgid(spawn->gid, spawn->gid, spawn->gid)))
    return failure;
  if (spawn->use_uid)
    failed(&failure, LT_SPAWN_UID, setresuid(spawn->uid, spawn->uid, spawn->uid));
  return failure;
}

/* Whoever cannot have the filter runs without. */
static void install_filter(const struct lt_filter *filter, int report)
{
  struct failure failure = {filter ? lt_filter_install(filter) : 0, LT_SPAWN_STEPS};
  ssize_t written = failure.error ? write(report, &failure, sizeof failure) : 0;
  (void)written;
}

/* What needs no tracing comes before the tracer's word, so that it costs no stops. All signals
 * are blocked until the last moment. */
_Noreturn static void child(const lt_session *session, const struct lt_spawn *spawn,
                            const char *path, const struct launch *launch)
{
  int go = launch->go[0], report = launch->report[1];
  char byte;
  struct failure failure = prepare(session, spawn);
  if (read(go, &byte, 1) == 1) { /* else the tracer died or gave up */
    if (failure.error == 0) {
      install_filter(launch->filter, report);
      failure = change_identity(spawn);
    }
    if (failure.error == 0) {
      sigprocmask(SIG_SETMASK, &session->mask, NULL);
      execve(path, spawn->argv, spawn->envp ? spawn->envp : environ);
      failure.error = errno;
    }
    ssize_t written = write(report, &failure, sizeof failure);
    (void)written; /* nobody left to tell */
  }
  _exit(127);
}

/* ---- The tracer's side -------------------------------------------------------------------- */

static void close_pair(int pair[2])
{
  for (int i = 0; i < 2; i++)
    if (pair[i] >= 0)
      close(pair[i]);
}

/* Kill and reap a child that is not traced or whose records we could not make. */
static void abandon(struct launch *launch)
{
  int status = 0;
  pid_t pid = launch->pid;
  if (pid <= 0)
    return;
  while (lt_k_kill(pid, SIGKILL) != 0)
    continue; /* ours, and not reaped: it can be killed */
  for (;;) {
    pid_t got = lt_k_waitpid(pid, &status, __WALL);
    if (got == pid && WIFSTOPPED(status))
      lt_k_ptrace(PTRACE_CONT, pid, 0, 0);
    else if (got != -EINTR)
      break;
  }
}

static int open_pipes(lt_session *session, struct launch *launch)
{
  if (pipe2(launch->go, O_CLOEXEC) == 0 && pipe2(launch->report, O_CLOEXEC) == 0)
    return 0;
  return lt_fail(session, -errno, "cannot launch a program: %s (raise ulimit -n)", strerror(errno));
}

static int seize(lt_session *session, pid_t pid, bool filtered)
{
  unsigned options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (filtered)
    options |= PTRACE_O_TRACESECCOMP;
  long error = lt_k_ptrace(PTRACE_SEIZE, pid, 0, options);
  if (error == 0)
    error = lt_k_ptrace(PTRACE_INTERRUPT, pid, 0, 0);
  if (error)
    lt_fail(session, (int)error,
            "ptrace is not permitted here: %s (a seccomp filter or kernel.yama.ptrace_scope=3?)",
            lt_errno_text((int)-error));
  return (int)error;
}

static int add_records(lt_session *session, const struct launch *launch, lt_process **ret)
{
  lt_process *process = lt_task_new_process(session, launch->pid, LT_HOW_LAUNCHED);
  if (!process)
    return lt_fail(session, -ENOMEM, "out of memory");
  if (!lt_task_new_thread(session, process, launch->pid, LT_HOW_LAUNCHED)) {
    lt_task_free_process(process);
    return lt_fail(session, -ENOMEM, "out of memory");
  }
  process->launched = process->starting = true;
  lt_cpu_launched(process->threads);
  process->spawn_pipe = launch->report[0];
  lt_filter_share(process, launch->filter);
  *ret = process;
  return 0;
}

static int launch_child(lt_session *session, const struct lt_spawn *spawn, const char *path,
                        struct launch *launch, lt_process **ret)
{
  int error = open_pipes(session, launch);
  if (error)
    return error;
  lt_cpu_before_launch(session);
  launch->pid = lt_k_fork();
  if (launch->pid < 0)
    return lt_fail(session, launch->pid, "cannot fork: %s (raise ulimit -u)",
                   lt_errno_text(-launch->pid));
  if (launch->pid == 0)
    child(session, spawn, path, launch);
  error = seize(session, launch->pid, launch->filter != NULL);
  if (error == 0)
    error = add_records(session, launch, ret);
  return error;
}

int lt_spawn(lt_session *session, const struct lt_spawn *spawn, lt_process **ret)
{
  struct launch launch = {{-1, -1}, {-1, -1}, 0, NULL};
  char path[4096];
  int error = find_program(session, spawn, path);
  if (error)
    return error;
  sigset_t all, mask;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &mask); /* for the child */
  launch.filter = lt_filter_new(session);
  error = launch_child(session, spawn, path, &launch, ret);
  lt_filter_spare(launch.filter, error == 0);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  if (error) {
    abandon(&launch);
  } else {
    launch.report[0] = -1; /* the process owns it now */
    ssize_t written = write(launch.go[1], "g", 1);
    (void)written; /* a dead child is reported through the loop */
  }
  close_pair(launch.go);
  close_pair(launch.report);
  return error;
}

static bool read_failure(const lt_process *process, struct failure *ret)
{
  return read(process->spawn_pipe, ret, sizeof *ret) == sizeof *ret;
}

int lt_spawn_error(lt_process *process, enum lt_spawn_step *ret)
{
  struct failure failure = {0, LT_SPAWN_EXEC};
  if (process->spawn_pipe >= 0) {
    bool is_read = read_failure(process, &failure);
    if (is_read && failure.step == LT_SPAWN_STEPS) { /* it went on without the filter */
      lt_filter_leave(process);
      is_read = read_failure(process, &failure);
    }
    if (!is_read)
      failure = (struct failure){0, LT_SPAWN_EXEC};
    close(process->spawn_pipe);
    process->spawn_pipe = -1;
  }
  *ret = failure.step;
  return failure.error;
}
