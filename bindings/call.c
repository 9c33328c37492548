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

const struct lt_call *bind_live_call(lua_State *L, const struct bind_call *call)
{
  const lt_thread *thread = bind_live_thread(L, call->thread);
  const struct lt_call *now = lt_thread_call(thread);
  if (!now || call->seq != lt_thread_call_seq(thread))
    bind_raise(L, "this call is over");
  return now;
}

/* ---- Fields ------------------------------------------------------------------------------- */

/* The args object is made when first looked at. It takes the place of the thread object as what
 * the call refers to, and refers to that in turn. */
static void push_args(lua_State *L, const struct bind_call *call)
{
  compat_get_reference(L, 1);
  if (bind_test(L, -1, BIND_ARGS))
    return;
  struct bind_call *args = compat_new_userdata(L, sizeof *args);
  *args = *call;
  bind_set_type(L, BIND_ARGS);
  lua_insert(L, -2);
  compat_set_reference(L, -2);
  lua_pushvalue(L, -1);
  compat_set_reference(L, 1);
}

static int call_index(lua_State *L)
{
  const struct bind_call *call = bind_check(L, 1, BIND_CALL);
  int field = bind_attribute(L);
  if (field == 0)
    return lua_isnil(L, -1) ? bind_no_attribute(L, "call") : 1;
  const struct lt_call *now = bind_live_call(L, call);
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
    push_args(L, call);
  }
  return 1;
}

/* call.ret = n at the exit; nothing else can be assigned. */
static int call_newindex(lua_State *L)
{
  const struct bind_call *call = bind_check(L, 1, BIND_CALL);
  if (bind_attribute(L) != RET)
    bind_raise(L, "field '%s' of a call cannot be assigned", luaL_tolstring(L, 2, NULL));
  if (!bind_live_call(L, call)->done)
    bind_raise(L, "the call has no result yet; call:skip(value) gives it one without making it, "
                  "and after call:leave() its result can be assigned");
  int error = lt_call_set_ret(call->thread->thread, bind_check_int64(L, 3));
  bind_check_access(L, call->thread, error);
  if (error)
    bind_raise(L, "%s", lt_error(bind_of(L)->session));
  return 0;
}

/* The line that strace(1) would print. It grows in a second attempt if it must. */
static int call_tostring(lua_State *L)
{
  const struct bind_call *call = bind_check(L, 1, BIND_CALL);
  bind_live_call(L, call);
  char line[1024];
  size_t size = lt_call_format(call->thread->thread, line, sizeof line);
  if (size < sizeof line) {
    lua_pushlstring(L, line, size);
    return 1;
  }
  luaL_Buffer buffer;
  char *room = luaL_buffinitsize(L, &buffer, size + 1);
  size_t now = lt_call_format(call->thread->thread, room, size + 1);
  luaL_pushresultsize(&buffer, now < size ? now : size);
  return 1;
}

static const luaL_Reg meta[] = {
    {"__tostring", call_tostring},
    {NULL, NULL},
};

const struct bind_class bind_call_class = {
    .name = "call",
    .attributes = attributes,
    .index = call_index,
    .newindex = call_newindex,
    .meta = meta,
};

/* ---- Primitives --------------------------------------------------------------------------- */

/* core.call(t) -> object for the call that t is in */
static int core_call(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  const struct lt_call *now = lt_thread_call(bind_live_thread(L, box));
  if (!now)
    bind_raise(L, "thread %d is in no system call", (int)box->tid);
  struct bind_call *call = compat_new_userdata(L, sizeof *call);
  *call = (struct bind_call){box, lt_thread_call_seq(box->thread)};
  bind_set_type(L, BIND_CALL);
  lua_pushvalue(L, 1);
  compat_set_reference(L, -2);
  return 1;
}

/* core.call_thread(call or its args) -> t */
static int core_call_thread(lua_State *L)
{
  const struct bind_call *call = bind_test(L, 1, BIND_ARGS);
  if (!call)
    call = bind_check(L, 1, BIND_CALL);
  bind_push_thread(L, bind_live_thread(L, call->thread));
  return 1;
}

/* core.leave(call) -> true if the call has run already. Otherwise keeps what its arguments point
 * to, asks for the exit, and returns false. */
static int core_leave(lua_State *L)
{
  const struct bind_call *call = bind_check(L, 1, BIND_CALL);
  struct bind_thread *box = call->thread;
  if (bind_live_call(L, call)->done) {
    lua_pushboolean(L, 1);
    return 1;
  }
  uint64_t seq = lt_thread_call_seq(box->thread);
  if (box->exit_wanted != seq) {
    bind_check_access(L, box, lt_call_capture(box->thread));
    int error = lt_call_want_exit(box->thread);
    bind_check_access(L, box, error);
    if (error)
      bind_raise(L, "too late to wait for this call: the thread runs on already");
    box->exit_wanted = seq;
    box->awaited = true;
  }
  lua_pushboolean(L, 0);
  return 1;
}

/* core.call_seq(t) -> number of the call that t is in, or was in last */
static int core_call_seq(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  compat_push_int64(L, (int64_t)lt_thread_call_seq(bind_live_thread(L, box)));
  return 1;
}

/* core.result(call) -> value | nil, message, code of a call that has run */
static int core_result(lua_State *L)
{
  const struct lt_call *now = bind_live_call(L, bind_check(L, 1, BIND_CALL));
  if (now->is_error)
    return bind_failure(L, (int)-now->ret);
  compat_push_int64(L, now->ret);
  return 1;
}

static void check_change(lua_State *L, const struct bind_call *call, int error)
{
  bind_check_access(L, call->thread, error);
  if (error)
    bind_raise(L, "%s", lt_error(bind_of(L)->session));
}

static const struct bind_call *check_entered(lua_State *L, const char *what)
{
  const struct bind_call *call = bind_check(L, 1, BIND_CALL);
  if (bind_live_call(L, call)->done)
    bind_raise(L, "the call has run already: it is too late for %s; call.ret can be assigned",
               what);
  return call;
}

/* core.skip(call, value, what): the kernel does not make it; `what` is for messages */
static int core_skip(lua_State *L)
{
  const struct bind_call *call = check_entered(L, luaL_checkstring(L, 3));
  check_change(L, call, lt_call_skip(call->thread->thread, bind_check_int64(L, 2)));
  return 0;
}

/* core.become(call, name): make it another call of its ABI */
static int core_become(lua_State *L)
{
  const struct bind_call *call = check_entered(L, "call:become");
  if (lua_type(L, 2) != LUA_TSTRING)
    bind_raise(L, "call:become needs the name of a system call, not a %s", luaL_typename(L, 2));
  const char *name = lua_tostring(L, 2);
  enum lt_abi abi = (enum lt_abi)bind_live_call(L, call)->abi;
  const struct lt_syscall *row = lt_syscall_named(abi, name);
  const char *near = row ? NULL : lt_syscall_nearest(name);
  if (!row)
    bind_raise(L, "there is no system call '%s' in %s%s%s%s", name, bind_abi_name(abi),
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
  check_change(L, call, lt_call_become(call->thread->thread, (uint64_t)row->nr[abi]));
  call->thread->became = call->seq;
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
