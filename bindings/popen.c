/* popen.c - io.popen beside a tracer.
 *
 * The session waits for all children, so it may take the status of this one too; the engine keeps
 * it for whoever asks by pid. popen(3) does not tell the pid, hence this version of it. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "binding.h"
#include "signals.h"

/* The wait status of the child, from whoever took it, with errno 0; -1 with errno set if nobody
 * knows: that is how luaL_execresult() wants it. */
static int wait_for(lt_session *session, pid_t pid)
{
  int status;
  for (;;) {
    if ((session && lt_take_status(session, pid, &status)) || waitpid(pid, &status, 0) == pid) {
      errno = 0;
      return status;
    }
    if (errno != EINTR)
      return -1;
  }
}

/* file:close() -> true|nil, "exit"|"signal", number */
static int close_pipe(lua_State *L)
{
  pid_t pid = compat_close_file(L);
  return luaL_execresult(L, pid > 0 ? wait_for(bind_of(L)->session, pid) : 0);
}

static int spawn_shell(const char *command, int from, int to, pid_t *ret)
{
  char *argv[] = {"sh", "-c", (char *)command, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t changed;
  bind_signals_ignored(&changed);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, from, to);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigdefault(&attributes, &changed);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  int error = posix_spawn(ret, "/bin/sh", &actions, &attributes, argv, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* Push a file that is our end of a pipe, and set *ret to the other end. 0 or an errno. */
static int push_pipe(lua_State *L, bool reading, int *ret)
{
  int ends[2]; /* read, write */
  if (pipe2(ends, O_CLOEXEC) != 0)
    return errno;
  int ours = reading ? ends[0] : ends[1];
  *ret = reading ? ends[1] : ends[0];
  int error = compat_push_file(L, ours, reading, close_pipe);
  if (error == 0) {
    compat_set_file_number(L, 0);
    return 0;
  }
  close(ends[0]);
  close(ends[1]);
  return error;
}

/* io.popen(command [, mode]) -> file | nil, message, errno; mode is "r" or "w" */
int bind_popen(lua_State *L)
{
  const char *command = luaL_checkstring(L, 1), *mode = luaL_optstring(L, 2, "r");
  luaL_argcheck(L, (mode[0] == 'r' || mode[0] == 'w') && mode[1] == '\0', 2, "invalid mode");
  bool reading = mode[0] == 'r';
  int theirs = -1;
  pid_t pid;
  fflush(NULL);
  if (bind_of(L)->session)
    lt_own_cpus(bind_of(L)->session);
  int error = push_pipe(L, reading, &theirs);
  if (error == 0) {
    error = spawn_shell(command, theirs, reading ? STDOUT_FILENO : STDIN_FILENO, &pid);
    close(theirs);
  }
  if (error == 0) {
    compat_set_file_number(L, pid);
    return 1;
  }
  errno = error;
  return luaL_fileresult(L, 0, command);
}
