/* call.c - call: one system call of one thread, from its entry until it is over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"

enum { NAME = 1, NR, ABI, RET, ARGS, DONE };

static const struct bind_attribute attributes[] = {
    {"name", NAME}, {"nr", NR},     {"abi", ABI}, {"ret", RET},
    {"args", ARGS}, {"done", DONE}, {NULL, 0},
};

/* A call that became another stays the same call. */
const struct lt_call *bind_live_call(lua_State *L, const struct bind_call *call)
{
  bool lives = call->thread && call->thread->thread;
  const struct lt_call *now = lives ? lt_thread_call(call->thread->thread) : NULL;
  if (!now || call->seq != bind_call_number(call->thread->thread))
    bind_raise(L, "this call is over");
  return now;
}

/* ---- Fields ------------------------------------------------------------------------------- */

static int call_index(lua_State *L)
{
  if (bind_is_call(L, 1, BIND_ARGS))
    return bind_args_index(L);
  struct bind_call call = bind_check_call(L, 1, BIND_CALL);
  int field = bind_attribute(L);
  if (field == 0)
    return lua_isnil(L, -1) ? bind_no_attribute(L, "call") : 1;
  const struct lt_call *now = bind_live_call(L, &call);
  switch (field) {
  case NAME:
    bind_push_call_name(L, now->abi, now->nr);
    break;
  case NR:
    compat_push_int64(L, (int64_t)now->nr);
    break;
  case ABI:
    lua_pushstring(L, bind_abi_name(now->abi));
    break;
  case RET:
    if (now->done)
      compat_push_int64(L, now->ret);
    else
      lua_pushnil(L);
    break;
  case DONE:
    lua_pushboolean(L, now->done);
    break;
  default:
    bind_push_call(L, call.thread, BIND_ARGS);
  }
  return 1;
}

/* core.assign_call(call, field, value): call.ret = n at the exit; nothing else can be assigned. */
static int core_assign_call(lua_State *L)
{
  struct bind_call call = bind_check_call(L, 1, BIND_CALL);
  const char *field = luaL_tolstring(L, 2, NULL);
  if (strcmp(field, "ret") != 0)
    bind_raise(L, "field '%s' of a call cannot be assigned", field);
  if (!bind_live_call(L, &call)->done)
    bind_raise(L, "the call has no result yet; call:skip(value) gives it one without making it, "
                  "and after call:leave() its result can be assigned");
  int error = lt_call_set_ret(call.thread->thread, bind_check_int64(L, 3));
  bind_check_access(L, call.thread, error);
  if (error)
    bind_raise(L, "%s", lt_error(bind_of(L)->session));
  return 0;
}

/* The line that strace(1) would print. It grows in a second attempt if it must. */
static int call_tostring(lua_State *L)
{
  if (bind_is_call(L, 1, BIND_ARGS))
    return bind_args_tostring(L);
  struct bind_call call = bind_check_call(L, 1, BIND_CALL);
  bind_live_call(L, &call);
  char line[1024];
  size_t size = lt_call_format(call.thread->thread, line, sizeof line);
  if (size < sizeof line) {
    lua_pushlstring(L, line, size);
    return 1;
  }
  luaL_Buffer buffer;
  char *room = luaL_buffinitsize(L, &buffer, size + 1);
  size_t now = lt_call_format(call.thread->thread, room, size + 1);
  luaL_pushresultsize(&buffer, now < size ? now : size);
  return 1;
}

static const luaL_Reg meta[] = {
    {"__tostring", call_tostring},
    {"__len", bind_args_len},
    {"__pairs", bind_args_pairs},
    {NULL, NULL},
};

const struct bind_class bind_call_class = {
    .name = "call",
    .attributes = attributes,
    .index = call_index,
    .meta = meta,
};

/* ---- Primitives --------------------------------------------------------------------------- */

/* core.call(t) -> object for the call that t is in */
static int core_call(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  if (!lt_thread_call(bind_live_thread(L, box)))
    bind_raise(L, "thread %d is in no system call", (int)box->tid);
  bind_push_call(L, box, BIND_CALL);
  return 1;
}

static struct bind_call check_either(lua_State *L)
{
  return bind_check_call(L, 1, bind_is_call(L, 1, BIND_ARGS) ? BIND_ARGS : BIND_CALL);
}

/* core.call_thread(call or its args) -> t */
static int core_call_thread(lua_State *L)
{
  struct bind_call call = check_either(L);
  bind_live_call(L, &call);
  bind_push_thread(L, call.thread->thread);
  return 1;
}

/* core.is_args(object) -> whether it is the args of a call */
static int core_is_args(lua_State *L)
{
  lua_pushboolean(L, bind_is_call(L, 1, BIND_ARGS));
  return 1;
}

void bind_ask_exit(lua_State *L, struct bind_thread *box)
{
  uint64_t seq = lt_thread_call_seq(box->thread);
  if (box->exit_wanted == seq)
    return;
  bind_check_access(L, box, lt_call_capture(box->thread));
  int error = lt_call_want_exit(box->thread);
  bind_check_access(L, box, error);
  if (error)
    bind_raise(L, "too late to wait for this call: the thread runs on already");
  box->exit_wanted = seq;
  box->awaited = true;
}

/* core.leave(call) -> true if the call has run already. Otherwise keeps what its arguments point
 * to, asks for the exit, and returns false. */
static int core_leave(lua_State *L)
{
  struct bind_call call = bind_check_call(L, 1, BIND_CALL);
  bool over = bind_live_call(L, &call)->done;
  if (!over)
    bind_ask_exit(L, call.thread);
  lua_pushboolean(L, over);
  return 1;
}

/* core.call_seq(t) -> number of the call that t is in, or was in last */
static int core_call_seq(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  compat_push_int64(L, (int64_t)lt_thread_call_seq(bind_live_thread(L, box)));
  return 1;
}

int bind_push_result(lua_State *L, const struct lt_call *call)
{
  if (call->is_error)
    return bind_failure(L, (int)-call->ret);
  compat_push_int64(L, call->ret);
  return 1;
}

/* core.result(call) -> value | nil, message, code of a call that has run */
static int core_result(lua_State *L)
{
  struct bind_call call = bind_check_call(L, 1, BIND_CALL);
  return bind_push_result(L, bind_live_call(L, &call));
}

static void check_change(lua_State *L, const struct bind_call *call, int error)
{
  bind_check_access(L, call->thread, error);
  if (error)
    bind_raise(L, "%s", lt_error(bind_of(L)->session));
}

static struct bind_call check_entered(lua_State *L, const char *what)
{
  struct bind_call call = bind_check_call(L, 1, BIND_CALL);
  if (bind_live_call(L, &call)->done)
    bind_raise(L, "the call has run already: it is too late for %s; call.ret can be assigned",
               what);
  return call;
}

/* core.skip(call, value, what): the kernel does not make it; `what` is for messages */
static int core_skip(lua_State *L)
{
  struct bind_call call = check_entered(L, luaL_checkstring(L, 3));
  check_change(L, &call, lt_call_skip(call.thread->thread, bind_check_int64(L, 2)));
  return 0;
}

/* core.become(call, name): make it another call of its ABI */
static int core_become(lua_State *L)
{
  struct bind_call call = check_entered(L, "call:become");
  if (lua_type(L, 2) != LUA_TSTRING)
    bind_raise(L, "call:become needs the name of a system call, not a %s", luaL_typename(L, 2));
  const char *name = lua_tostring(L, 2);
  enum lt_abi abi = (enum lt_abi)bind_live_call(L, &call)->abi;
  const struct lt_syscall *row = lt_syscall_named(abi, name);
  const char *near = row ? NULL : lt_syscall_nearest(name);
  if (!row)
    bind_raise(L, "there is no system call '%s' in %s%s%s%s", name, bind_abi_name(abi),
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
  check_change(L, &call, lt_call_become(call.thread->thread, (uint64_t)row->nr[abi]));
  call.thread->became = lt_thread_call_seq(call.thread->thread);
  return 0;
}

/* core.argument(t, index) -> decoded argument, index from 0, of the call that t is in */
static int core_argument(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  bind_live_thread(L, box);
  bind_push_argument(L, box, (unsigned)luaL_checkinteger(L, 2));
  return 1;
}

/* core.raw_argument(t, index) -> register, index from 0 */
static int core_raw_argument(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  const struct lt_call *now = lt_thread_call(bind_live_thread(L, box));
  lua_Integer index = luaL_checkinteger(L, 2);
  if (!now || index < 0 || index >= LT_CALL_ARGS)
    lua_pushnil(L);
  else
    compat_push_int64(L, (int64_t)now->args[index]);
  return 1;
}

void bind_open_calls(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"call", core_call},
      {"call_thread", core_call_thread},
      {"is_args", core_is_args},
      {"assign_call", core_assign_call},
      {"leave", core_leave},
      {"call_seq", core_call_seq},
      {"result", core_result},
      {"skip", core_skip},
      {"become", core_become},
      {"argument", core_argument},
      {"raw_argument", core_raw_argument},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
