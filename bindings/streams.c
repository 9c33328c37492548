/* streams.c - pipes and terminals to the programs that a script launches: the primitives under
 * streams.lua. No descriptor here survives exec, and those that we read and write never block. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "binding.h"

#define TYPE "luatrace.descriptor"
#define CHUNK 65536

struct descriptor {
  int fd; /* -1: closed */
  bool awaited;
  struct binding *binding;
};

static struct descriptor *check(lua_State *L, int index)
{
  return luaL_checkudata(L, index, TYPE);
}

/* Push a descriptor that is not open yet: no failure of Lua's may come between open(2) and it. */
static struct descriptor *push(lua_State *L)
{
  struct descriptor *d = compat_new_userdata(L, sizeof *d);
  *d = (struct descriptor){.fd = -1, .binding = bind_of(L)};
  luaL_setmetatable(L, TYPE);
  return d;
}

int bind_stream_fd(lua_State *L, int index)
{
  if (lua_isnil(L, index))
    return -1;
  if (lua_type(L, index) == LUA_TNUMBER)
    return (int)lua_tointeger(L, index);
  return check(L, index)->fd;
}

/* ---- Opening and closing ------------------------------------------------------------------ */

/* core.pipe() -> the end to read from, the end to write to | nil, message, code */
static int core_pipe(lua_State *L)
{
  struct descriptor *from = push(L), *to = push(L);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return bind_failure(L, errno);
  from->fd = ends[0];
  to->fd = ends[1];
  return 2;
}

/* core.terminal() -> our end, the program's end | nil, message, code */
static int core_terminal(lua_State *L)
{
  struct descriptor *ours = push(L), *theirs = push(L);
  char name[64];
  const struct winsize size = {.ws_row = 24, .ws_col = 80};
  ours->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (ours->fd < 0 || grantpt(ours->fd) != 0 || unlockpt(ours->fd) != 0 ||
      ptsname_r(ours->fd, name, sizeof name) != 0)
    return bind_failure(L, errno);
  theirs->fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (theirs->fd < 0)
    return bind_failure(L, errno);
  ioctl(ours->fd, TIOCSWINSZ, &size);
  return 2;
}

/* core.open(path, writes) -> descriptor | nil, message, code. A FIFO that nobody has opened at its
 * other end is an error rather than a wait. */
static int core_open(lua_State *L)
{
  const char *path = luaL_checkstring(L, 1);
  int flags = lua_toboolean(L, 2) ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
  struct descriptor *d = push(L);
  d->fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
  if (d->fd < 0)
    return bind_failure(L, errno);
  fcntl(d->fd, F_SETFL, fcntl(d->fd, F_GETFL) & ~O_NONBLOCK);
  return 1;
}

/* core.duplicate(d) -> another descriptor for the same | nil, message, code */
static int core_duplicate(lua_State *L)
{
  struct descriptor *of = check(L, 1), *d = push(L);
  d->fd = fcntl(of->fd, F_DUPFD_CLOEXEC, 3);
  return d->fd < 0 ? bind_failure(L, errno) : 1;
}

/* core.unblock(d): reads and writes no longer wait */
static int core_unblock(lua_State *L)
{
  struct descriptor *d = check(L, 1);
  fcntl(d->fd, F_SETFL, fcntl(d->fd, F_GETFL) | O_NONBLOCK);
  return 0;
}

/* ---- Waiting: while a descriptor is awaited, the registry holds it under its own address ---- */

/* Argument 1: a struct descriptor. Calls luatrace.main's `ready` with it. */
static int call_ready(lua_State *L)
{
  bind_push_main(L, "ready");
  lua_rawgetp(L, LUA_REGISTRYINDEX, lua_touserdata(L, 1));
  lua_call(L, 1, 0);
  return 0;
}

static void on_ready(void *data, int fd, short events)
{
  struct descriptor *d = data;
  lua_State *L = d->binding->L;
  (void)fd;
  (void)events;
  if (d->binding->end.decided)
    return;
  lua_pushcfunction(L, call_ready);
  lua_pushlightuserdata(L, d);
  bind_protected(d->binding, 1, 0);
}

static void stop_awaiting(lua_State *L, struct descriptor *d)
{
  if (!d->awaited)
    return;
  d->awaited = false;
  if (d->binding->session)
    lt_watch(d->binding->session, d->fd, 0, NULL, NULL);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, d);
}

/* core.await(d, "r"|"w"|nil): call main's `ready` whenever it can be read or written, until told
 * otherwise -> true | nil, message, code */
static int core_await(lua_State *L)
{
  struct descriptor *d = check(L, 1);
  const char *what = luaL_optstring(L, 2, NULL);
  if (!what) {
    stop_awaiting(L, d);
  } else {
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, d);
    int error =
        lt_watch(d->binding->session, d->fd, what[0] == 'r' ? POLLIN : POLLOUT, on_ready, d);
    d->awaited = true;
    if (error) {
      stop_awaiting(L, d);
      return bind_failure_text(L, error, lt_error(d->binding->session));
    }
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* core.close(d): also when it is closed already */
static int core_close(lua_State *L)
{
  struct descriptor *d = check(L, 1);
  stop_awaiting(L, d);
  if (d->fd >= 0)
    close(d->fd);
  d->fd = -1;
  return 0;
}

/* ---- Reading and writing ------------------------------------------------------------------ */

/* core.take(d) -> bytes, nil if there are none yet, false if there will be none. A terminal says
 * EIO when its last user has closed it. */
static int core_take(lua_State *L)
{
  struct descriptor *d = check(L, 1);
  char bytes[CHUNK];
  ssize_t size;
  do
    size = read(d->fd, bytes, sizeof bytes);
  while (size < 0 && errno == EINTR);
  if (size > 0)
    lua_pushlstring(L, bytes, (size_t)size);
  else if (size < 0 && errno == EAGAIN)
    lua_pushnil(L);
  else
    lua_pushboolean(L, 0);
  return 1;
}

/* core.give(d, bytes, from) -> how many were written behind the first `from`, 0 if none can be now
 * | nil, message, code */
static int core_give(lua_State *L)
{
  struct descriptor *d = check(L, 1);
  size_t size, from = (size_t)luaL_checkinteger(L, 3);
  const char *bytes = luaL_checklstring(L, 2, &size);
  ssize_t written;
  luaL_argcheck(L, from <= size, 3, "out of range");
  do
    written = write(d->fd, bytes + from, size - from);
  while (written < 0 && errno == EINTR);
  if (written < 0 && errno != EAGAIN)
    return bind_failure(L, errno);
  lua_pushinteger(L, written < 0 ? 0 : (lua_Integer)written);
  return 1;
}

void bind_open_streams(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"pipe", core_pipe},       {"terminal", core_terminal},
      {"open", core_open},       {"duplicate", core_duplicate},
      {"unblock", core_unblock}, {"await", core_await},
      {"close", core_close},     {"take", core_take},
      {"give", core_give},       {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, TYPE);
  lua_pushcfunction(L, core_close);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
