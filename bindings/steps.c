/* steps.c - threads that step, and memory that is watched. The Lua halves (scripts/luatrace/steps.lua
 * and watchpoints.lua) wait and dispatch. */
#include <errno.h>
#include <string.h>

#include "binding.h"

/* ---- Stepping ----------------------------------------------------------------------------- */

#define AT_MAX 8

/* Argument 1: a struct lt_thread. Calls the prelude's function with the thread; returns its
 * answer. */
static int ask(lua_State *L)
{
  lua_rawgeti(L, LUA_REGISTRYINDEX, bind_of(L)->step_until);
  bind_push_thread(L, lua_touserdata(L, 1));
  lua_call(L, 1, 1);
  return 1;
}

/* Whether the script's function wants to stop here; what goes wrong stops too. */
static bool step_until(void *data, lt_thread *thread)
{
  struct binding *binding = data;
  lua_State *L = binding->L;
  const struct lt_stop *outer = binding->stop;
  binding->stop = lt_thread_stop(thread);
  lua_pushcfunction(L, ask);
  lua_pushlightuserdata(L, thread);
  bool ok = bind_protected(binding, 1, 1);
  binding->stop = outer;
  if (!ok)
    return true;
  bool stop = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return stop || binding->end.decided;
}

static uint64_t number_field(lua_State *L, int index, const char *name)
{
  lua_getfield(L, index, name);
  uint64_t value = lua_isnil(L, -1) ? 0 : (uint64_t)bind_check_int64(L, -1);
  lua_pop(L, 1);
  return value;
}

static bool bool_field(lua_State *L, int index, const char *name)
{
  lua_getfield(L, index, name);
  bool value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

static size_t addresses(lua_State *L, int index, uint64_t at[AT_MAX])
{
  size_t count = 0;
  lua_getfield(L, index, "at");
  for (; lua_istable(L, -1) && count < AT_MAX; count++) {
    lua_rawgeti(L, -1, (int)count + 1);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      break;
    }
    at[count] = bind_check_address(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return count;
}

/* core.step(t, { count, over, from, to, at, sp, asks }) -> true | nil, message, code. asks: the
 * function of core.step_until decides. */
static int core_step(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  uint64_t at[AT_MAX];
  struct lt_stepping how = {
      .size = sizeof how,
      .count = number_field(L, 2, "count"),
      .from = number_field(L, 2, "from"),
      .to = number_field(L, 2, "to"),
      .sp = number_field(L, 2, "sp"),
      .over = bool_field(L, 2, "over"),
      .at = at,
      .at_count = addresses(L, 2, at),
  };
  if (bool_field(L, 2, "asks")) {
    how.until = step_until;
    how.data = bind_of(L);
  }
  int error = lt_thread_step(thread, &how);
  bool stopped = lt_thread_stopped(thread);
  if (!stopped)
    bind_check_access(L, box, error);
  if (error)
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  lua_pushboolean(L, 1);
  return 1;
}

/* core.stepping(t) -> whether it is stepping, instructions run for that */
static int core_stepping(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  uint64_t done;
  lua_pushboolean(L, lt_thread_stepping(bind_live_thread(L, box), &done));
  lua_pushinteger(L, (lua_Integer)done);
  return 2;
}

/* core.step_cancel(t) */
static int core_step_cancel(lua_State *L)
{
  const struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  if (box->thread)
    lt_thread_step_cancel(box->thread);
  return 0;
}

/* core.step_until(fn): fn(t) -> boolean is asked after each instruction of a step that asks */
static int core_step_until(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  bind_of(L)->step_until = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

int bind_push_step(lua_State *L, const struct lt_stop *stop)
{
  static const char *const names[] = {
      [LT_STEP_COUNT] = "count", [LT_STEP_ARRIVED] = "arrived", [LT_STEP_LEFT] = "left",
      [LT_STEP_UNTIL] = "until", [LT_STEP_LOST] = "lost",       [LT_STEP_FAILED] = "failed",
  };
  lua_pushstring(L, names[stop->u.step.why]);
  lua_pushinteger(L, (lua_Integer)stop->u.step.count);
  return 2;
}

/* ---- Watchpoints -------------------------------------------------------------------------- */

/* core.watchpoint_add(p, address, size, kind, software) -> id | nil, message, code. kind: 1 write, 2
 * access, 3 execute. */
static int core_watchpoint_add(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  const struct lt_watching what = {
      .size_of = sizeof what,
      .addr = bind_check_address(L, 2),
      .size = (size_t)bind_check_int64(L, 3),
      .kind = (enum lt_watch_kind)luaL_checkinteger(L, 4),
      .software = lua_toboolean(L, 5),
  };
  uint32_t id;
  int error = lt_watchpoint_add(bind_live_process(L, box), &what, &id);
  if (error)
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  lua_pushinteger(L, id);
  return 1;
}

/* core.watchpoint_remove(p, id) */
static int core_watchpoint_remove(lua_State *L)
{
  const struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  if (box->process)
    lt_watchpoint_remove(box->process, (uint32_t)luaL_checkinteger(L, 2));
  return 0;
}

int bind_push_watch(lua_State *L, const struct lt_stop *stop)
{
  lua_pushinteger(L, stop->u.watch.id);
  compat_push_int64(L, (int64_t)stop->u.watch.addr);
  compat_push_int64(L, (int64_t)stop->u.watch.pc);
  compat_push_int64(L, (int64_t)stop->u.watch.before);
  compat_push_int64(L, (int64_t)stop->u.watch.after);
  lua_pushinteger(L, stop->u.watch.size);
  return 6;
}

void bind_open_steps(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"step", core_step},
      {"stepping", core_stepping},
      {"step_cancel", core_step_cancel},
      {"step_until", core_step_until},
      {"watchpoint_add", core_watchpoint_add},
      {"watchpoint_remove", core_watchpoint_remove},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
