/* remote.c - what threads do for us: system calls, and room in their memory. The Lua half
 * (scripts/luatrace/remote.lua) waits until it is done. */
#include <errno.h>
#include <string.h>

#include "binding.h"

/* Push what became of a request: true, or the failure with the engine's words. Raises for a thread
 * that runs. */
static int began(lua_State *L, const struct bind_thread *box, int error)
{
  if (error == -ESRCH && box->thread && lt_thread_stopped(box->thread))
    return bind_failure_text(L, error, lt_error(bind_of(L)->session)); /* it is exiting */
  if (error == -EBUSY && box->thread && lt_thread_stopped(box->thread))
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  bind_check_access(L, box, error);
  if (error)
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  lua_pushboolean(L, 1);
  return 1;
}

static lt_thread *stopped_thread(lua_State *L, struct bind_thread **box)
{
  *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, *box);
  if (!lt_thread_stopped(thread))
    bind_check_access(L, *box, -EBUSY);
  return thread;
}

/* core.remote_busy(t) -> whether t does something for us right now, or is going to */
static int core_remote_busy(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lua_pushboolean(L, lt_remote_busy(bind_live_thread(L, box)));
  return 1;
}

/* core.remote_abi(t) -> name of the ABI of the calls that t would make for us now */
static int core_remote_abi(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = stopped_thread(L, &box);
  lua_pushstring(L, bind_abi_name(lt_remote_abi(thread)));
  return 1;
}

static const struct lt_syscall *check_call(lua_State *L, enum lt_abi abi, const char *name)
{
  const struct lt_syscall *call = lt_syscall_named(abi, name);
  const char *near = lt_syscall_nearest(name);
  if (call)
    return call;
  if (near && strcmp(near, name) != 0)
    bind_raise(L, "there is no system call '%s' in %s; did you mean '%s'?", name,
               bind_abi_name(abi), near);
  bind_raise(L, "there is no system call '%s' in %s", name, bind_abi_name(abi));
}

/* core.remote_call(t, name, list of integers) -> true | nil, message, code */
static int core_remote_call(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = stopped_thread(L, &box);
  enum lt_abi abi = lt_remote_abi(thread);
  const struct lt_syscall *call = check_call(L, abi, luaL_checkstring(L, 2));
  uint64_t args[LT_CALL_ARGS] = {0};
  for (int i = 0; i < LT_CALL_ARGS; i++) {
    lua_rawgeti(L, 3, i + 1);
    if (!lua_isnil(L, -1))
      args[i] = (uint64_t)bind_check_int64(L, -1);
    lua_pop(L, 1);
  }
  return began(L, box, lt_remote_call(thread, (uint64_t)call->nr[abi], args));
}

/* The number in the field `name` of the table at the top, if there is one. */
static bool field(lua_State *L, const char *name, struct lt_fn_arg *ret, enum lt_fn_type type)
{
  lua_getfield(L, -1, name);
  bool is = !lua_isnil(L, -1);
  ret->type = (uint8_t)type;
  if (is && type == LT_FN_INT64)
    ret->integer = (uint64_t)bind_check_int64(L, -1);
  else if (is)
    ret->number = luaL_checknumber(L, -1);
  lua_pop(L, 1);
  return is;
}

/* The value at the top: an integer, a float, or a table with one field double, float or int64. */
static struct lt_fn_arg check_argument(lua_State *L)
{
  struct lt_fn_arg arg = {.type = LT_FN_INT};
  int64_t integer;
  if (lua_istable(L, -1)) {
    if (!field(L, "double", &arg, LT_FN_DOUBLE) && !field(L, "float", &arg, LT_FN_FLOAT) &&
        !field(L, "int64", &arg, LT_FN_INT64))
      bind_raise(L, "a table as an argument has one of the fields double, float and int64");
  } else if (compat_is_float(L, -1)) {
    arg.type = LT_FN_DOUBLE;
    arg.number = (double)lua_tonumber(L, -1);
  } else if (compat_to_int64(L, -1, &integer)) {
    arg.integer = (uint64_t)integer;
  } else if (lua_isboolean(L, -1)) {
    arg.integer = (uint64_t)lua_toboolean(L, -1);
  } else if (!lua_isnil(L, -1)) {
    bind_raise(L, "a function cannot be called with a %s", luaL_typename(L, -1));
  }
  return arg;
}

/* core.function_call(t, address, list, count) -> true | nil, message, code */
static int core_function_call(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = stopped_thread(L, &box);
  uint64_t addr = bind_check_address(L, 2);
  lua_Integer count = luaL_checkinteger(L, 4);
  struct lt_fn_arg args[LT_FN_ARGS];
  if (count < 0 || count > LT_FN_ARGS)
    bind_raise(L, "a function can be called with %d arguments at most", LT_FN_ARGS);
  lua_settop(L, 3);
  for (lua_Integer i = 0; i < count; i++) {
    lua_rawgeti(L, 3, i + 1);
    args[i] = check_argument(L);
    lua_pop(L, 1);
  }
  return began(L, box, lt_function_call(thread, addr, args, (size_t)count));
}

/* core.scratch_take(t, size) -> address | nil, message, code; "EAGAIN": none is mapped yet */
static int core_scratch_take(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = stopped_thread(L, &box);
  uint64_t addr;
  int error = lt_scratch_take(thread, (size_t)bind_check_int64(L, 2), &addr);
  if (error)
    return began(L, box, error);
  compat_push_int64(L, (int64_t)addr);
  return 1;
}

/* core.scratch_grow(t, size) -> true | nil, message, code */
static int core_scratch_grow(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = stopped_thread(L, &box);
  return began(L, box, lt_scratch_grow(thread, (size_t)bind_check_int64(L, 2)));
}

/* core.scratch_give(t, addr, size): what was taken is not needed any more */
static int core_scratch_give(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_scratch_give(bind_live_thread(L, box), bind_check_address(L, 2),
                  (size_t)bind_check_int64(L, 3));
  return 0;
}

/* core.is_stopped(t) -> whether its registers and memory can be used */
static int core_is_stopped(lua_State *L)
{
  const struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lua_pushboolean(L, box->thread && lt_thread_stopped(box->thread));
  return 1;
}

/* core.symbol(t, name) -> address, whether it is that of a function that returns the address
 * | nil, message, code */
static int core_symbol(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = stopped_thread(L, &box);
  struct lt_symbol symbol;
  int error = lt_symbol_find(thread, luaL_checkstring(L, 2), &symbol);
  if (error)
    return began(L, box, error);
  compat_push_int64(L, (int64_t)symbol.addr);
  lua_pushboolean(L, symbol.indirect);
  return 2;
}

/* core.scratch_adopt(t, addr, size): unmap this when the process is let go */
static int core_scratch_adopt(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  int error = lt_scratch_adopt(bind_live_thread(L, box), bind_check_address(L, 2),
                               (size_t)bind_check_int64(L, 3));
  return error ? bind_failure(L, error) : 0;
}

/* core.scratch_disown(t, addr): no longer */
static int core_scratch_disown(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_scratch_disown(bind_live_thread(L, box), bind_check_address(L, 2));
  return 0;
}

void bind_open_remote(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"remote_busy", core_remote_busy},
      {"remote_abi", core_remote_abi},
      {"remote_call", core_remote_call},
      {"function_call", core_function_call},
      {"scratch_take", core_scratch_take},
      {"scratch_grow", core_scratch_grow},
      {"scratch_give", core_scratch_give},
      {"is_stopped", core_is_stopped},
      {"scratch_adopt", core_scratch_adopt},
      {"scratch_disown", core_scratch_disown},
      {"symbol", core_symbol},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
