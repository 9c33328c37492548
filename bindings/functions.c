/* functions.c - arguments and results of the functions that threads stop at the beginning or after the
 * end of. The Lua half is in scripts/luatrace/frames.lua. */
#include <errno.h>
#include <string.h>

#include "binding.h"

/* ---- Arguments ---------------------------------------------------------------------------- */

/* Argument 1: the thread; argument 2: the number of its stop (core.seq) at which something is meant to
 * be done. NULL if it has run on since. */
static lt_thread *standing(lua_State *L, struct bind_thread **ret)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  *ret = box;
  bool same = lt_thread_stop(thread)->seq == (uint64_t)lua_tointeger(L, 2);
  return same && lt_thread_stopped(thread) ? thread : NULL;
}

static lt_thread *check_standing(lua_State *L, struct bind_thread **ret)
{
  lt_thread *thread = standing(L, ret);
  if (!thread)
    bind_raise(L, "this frame is over: thread %d has run on", (int)(*ret)->tid);
  return thread;
}

static int failed(lua_State *L, const struct bind_thread *box, int error)
{
  bind_check_access(L, box, error);
  return bind_failure_text(L, error, lt_error(bind_of(L)->session));
}

/* core.stands(t, seq) -> whether t still stands at this stop */
static int core_stands(lua_State *L)
{
  const struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  struct bind_thread *unused;
  lua_pushboolean(L, box->thread && standing(L, &unused));
  return 1;
}

/* core.function_arg(t, seq, index from 1) -> integer | nil, message, code */
static int core_function_arg(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = check_standing(L, &box);
  lua_Integer index = luaL_checkinteger(L, 3);
  uint64_t value;
  if (index < 1 || index > 1000)
    bind_raise(L, "the arguments of a function are counted from 1");
  int error = lt_function_arg(thread, (unsigned)index - 1, &value);
  if (error)
    return failed(L, box, error);
  compat_push_int64(L, (int64_t)value);
  return 1;
}

/* core.function_args(t, seq, count) -> list of the first arguments, as far as they can be read */
static int core_function_args(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = check_standing(L, &box);
  lua_Integer count = luaL_checkinteger(L, 3);
  lua_createtable(L, (int)count, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    uint64_t value;
    if (lt_function_arg(thread, (unsigned)i - 1, &value) != 0)
      break;
    compat_push_int64(L, (int64_t)value);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* core.function_set_arg(t, seq, index from 1, value) */
static int core_function_set_arg(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = check_standing(L, &box);
  lua_Integer index = luaL_checkinteger(L, 3);
  if (index < 1 || index > 1000)
    bind_raise(L, "the arguments of a function are counted from 1");
  int64_t value = lua_isboolean(L, 4) ? lua_toboolean(L, 4) : bind_check_int64(L, 4);
  int error = lt_function_set_arg(thread, (unsigned)index - 1, (uint64_t)value);
  bind_check_access(L, box, error);
  if (error)
    bind_raise(L, "%s", lt_error(bind_of(L)->session));
  return 0;
}

/* core.function_back(t, seq) -> where the function returns to, the stack pointer after that | nil,
 * message, code */
static int core_function_back(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = check_standing(L, &box);
  uint64_t pc, sp;
  int error = lt_function_back(thread, &pc, &sp);
  if (error)
    return failed(L, box, error);
  compat_push_int64(L, (int64_t)pc);
  compat_push_int64(L, (int64_t)sp);
  return 2;
}

static int watched(lua_State *L, struct bind_thread *box, int error, uint64_t number)
{
  if (error)
    return failed(L, box, error);
  box->awaited = true;
  compat_push_int64(L, (int64_t)number);
  lua_pushboolean(L, lt_return_moves(bind_live_thread(L, box), number));
  return 2;
}

/* core.return_watch(t, seq) -> number of the return that is awaited, whether any thread of the
 * process may make it | nil, message, code */
static int core_return_watch(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = check_standing(L, &box);
  uint64_t number = 0;
  int error = lt_return_watch(thread, &number);
  return watched(L, box, error, number);
}

/* core.return_watch_at(t, seq, pc, sp): the same for a thread inside a function */
static int core_return_watch_at(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = check_standing(L, &box);
  uint64_t number = 0;
  int error =
      lt_return_watch_at(thread, bind_check_address(L, 3), bind_check_address(L, 4), &number);
  return watched(L, box, error, number);
}

/* ---- Results ------------------------------------------------------------------------------ */

enum result { INT, UINT, INT64, PTR, DOUBLE, FLOAT, STRING, BOOL, VOID };

static const struct result_type {
  const char *name;
  enum result result;
  enum lt_fn_type type;
} types[] = {
    {"ptr", PTR, LT_FN_INT},          {"int", INT, LT_FN_INT},       {"uint", UINT, LT_FN_INT},
    {"int64", INT64, LT_FN_INT64},    {"string", STRING, LT_FN_INT}, {"bool", BOOL, LT_FN_INT},
    {"double", DOUBLE, LT_FN_DOUBLE}, {"float", FLOAT, LT_FN_FLOAT}, {"void", VOID, LT_FN_INT},
};

static const struct result_type *check_type(lua_State *L, int index)
{
  const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  if (lua_isnil(L, index))
    return &types[0];
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].name, name) == 0)
      return &types[i];
  bind_raise(L,
             "a function returns int, uint, int64, ptr, double, float, bool, string or void, not "
             "'%s'",
             luaL_tolstring(L, index, NULL));
}

static void push_result(lua_State *L, const struct result_type *type, const struct lt_fn_arg *value)
{
  switch (type->result) {
  case INT:
    lua_pushinteger(L, (int32_t)value->integer);
    break;
  case UINT:
    lua_pushinteger(L, (uint32_t)value->integer);
    break;
  case BOOL:
    lua_pushboolean(L, (value->integer & 0xff) != 0);
    break;
  case DOUBLE:
  case FLOAT:
    lua_pushnumber(L, value->number);
    break;
  case VOID:
    lua_pushboolean(L, 1);
    break;
  default:
    compat_push_int64(L, (int64_t)value->integer);
  }
}

/* core.function_result(t, kind) -> value at a return of t. For "string" it is the address. */
static int core_function_result(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  const struct result_type *type = check_type(L, 2);
  struct lt_fn_arg value = {.type = (uint8_t)type->type};
  int error = lt_function_result(bind_live_thread(L, box), &value);
  if (error)
    return failed(L, box, error);
  push_result(L, type, &value);
  return 1;
}

/* core.check_result(kind): raises if there is no such kind of result */
static int core_check_result(lua_State *L)
{
  check_type(L, 1);
  return 0;
}

static struct lt_fn_arg check_value(lua_State *L, int index, const struct result_type *type)
{
  struct lt_fn_arg value = {.type = (uint8_t)type->type};
  if (type->result == DOUBLE || type->result == FLOAT) {
    if (lua_type(L, index) != LUA_TNUMBER)
      bind_raise(L, "number expected, got %s", luaL_typename(L, index));
    value.number = (double)lua_tonumber(L, index);
  } else if (lua_isboolean(L, index)) {
    value.integer = (uint64_t)lua_toboolean(L, index);
  } else if (!lua_isnoneornil(L, index)) {
    value.integer = (uint64_t)bind_check_int64(L, index);
  }
  return value;
}

/* core.function_skip(t, seq, value, kind): the function returns this without being run */
static int core_function_skip(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = check_standing(L, &box);
  struct lt_fn_arg value = check_value(L, 3, check_type(L, 4));
  int error = lt_function_skip(thread, &value);
  bind_check_access(L, box, error);
  if (error)
    bind_raise(L, "the function cannot be skipped: %s", lt_errno_text(-error));
  return 0;
}

/* core.function_set_result(t, seq, value, kind): at a return of t */
static int core_function_set_result(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = check_standing(L, &box);
  struct lt_fn_arg value = check_value(L, 3, check_type(L, 4));
  bind_check_access(L, box, lt_function_set_result(thread, &value));
  return 0;
}

void bind_open_functions(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"stands", core_stands},
      {"function_arg", core_function_arg},
      {"function_args", core_function_args},
      {"function_set_arg", core_function_set_arg},
      {"function_back", core_function_back},
      {"return_watch", core_return_watch},
      {"return_watch_at", core_return_watch_at},
      {"function_result", core_function_result},
      {"check_result", core_check_result},
      {"function_skip", core_function_skip},
      {"function_set_result", core_function_set_result},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
