/* quick_waits.c - tasks that wait for their thread where nothing else is to be looked at: they are kept
 * with the thread's object, and quick.c wakes them. */
#include "binding.h"

/* ---- call:leave() ------------------------------------------------------------------------- */

/* core.quick_leaves(): the ends of threads are asked for, so that no leaver waits in vain */
static int core_quick_leaves(lua_State *L)
{
  bind_of(L)->quick.leaves = true;
  return 0;
}

/* core.quick_leave(call) -> nil and the result as of call:leave(), now or when the call has run; a
 * problem to be raised; or true and the call: that is not as simple as this. */
static int core_quick_leave(lua_State *L)
{
  struct binding *binding = bind_of(L);
  struct bind_call call = bind_check_call(L, 1, BIND_CALL);
  const struct lt_call *now = bind_live_call(L, &call);
  if (now->done) {
    lua_pushnil(L);
    return 1 + bind_push_result(L, now);
  }
  struct bind_thread *box = call.thread;
  if (!binding->quick.on || !binding->quick.leaves || box->leaver || !binding->tasks.current ||
      box->log || !lua_isyieldable(L)) {
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    return 2;
  }
  bind_ask_exit(L, box);
  box->leaver = binding->tasks.current;
  box->leaves = lt_thread_call_seq(box->thread);
  lua_rawgeti(L, LUA_REGISTRYINDEX, binding->tasks.wait);
  return lua_yield(L, 1);
}

/* core.take_leaver(t, any) -> the task that waits in this way for the exit of the call that t is in,
 * or of any; or nil */
static int core_take_leaver(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  bool this = box->thread && box->leaves == lt_thread_call_seq(box->thread);
  if (!box->leaver || !(this || lua_toboolean(L, 2)))
    return 0;
  bind_task_push(L, box->leaver);
  box->leaver = NULL;
  return 1;
}

/* ---- t:step() ----------------------------------------------------------------------------- */

/* core.quick_step(t, n) -> nil and true: so many steps were made; nil, why it has stopped and how many
 * were made; a problem; or true, t and n: that is not as simple as this. */
static int core_quick_step(lua_State *L)
{
  struct binding *binding = bind_of(L);
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  int64_t count = 1;
  bool simple = binding->quick.on && binding->quick.leaves && binding->tasks.current &&
                box->thread && !box->stepper && lua_isyieldable(L) &&
                (lua_isnoneornil(L, 2) || compat_to_int64(L, 2, &count)) && count > 0;
  struct lt_stepping how = {.size = sizeof how, .count = (uint64_t)count};
  uint64_t done;
  if (!simple || lt_thread_stepping(box->thread, &done) || lt_thread_step(box->thread, &how) != 0) {
    lua_settop(L, 2);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    return 3;
  }
  box->awaited = true;
  box->stepper = binding->tasks.current;
  box->steps = (uint64_t)count;
  lua_rawgeti(L, LUA_REGISTRYINDEX, binding->tasks.wait);
  return lua_yield(L, 1);
}

/* core.take_stepper(t) -> the task that waits in this way until t has stepped, and for how many
 * steps it has asked; or nil */
static int core_take_stepper(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  if (!box->stepper)
    return 0;
  bind_task_push(L, box->stepper);
  lua_pushinteger(L, (lua_Integer)box->steps);
  box->stepper = NULL;
  return 2;
}

/* ---- f:leave() ---------------------------------------------------------------------------- */

/* core.quick_return(t, number) -> whether the running task, which waits next, will be woken at this
 * return of t */
static int core_quick_return(lua_State *L)
{
  struct binding *binding = bind_of(L);
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  bool simple = binding->quick.on && binding->quick.leaves && binding->tasks.current &&
                box->thread && !box->returner;
  lua_pushboolean(L, simple);
  if (simple) {
    box->awaited = true;
    box->returner = binding->tasks.current;
    box->returns = (uint64_t)luaL_checkinteger(L, 2);
  }
  return 1;
}

/* core.take_returner(t, number) -> the task that waits in this way for that return, or for any; or
 * nil */
static int core_take_returner(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  if (!box->returner ||
      (!lua_isnoneornil(L, 2) && box->returns != (uint64_t)luaL_checkinteger(L, 2)))
    return 0;
  bind_task_push(L, box->returner);
  box->returner = NULL;
  return 1;
}

/* ---- Ends --------------------------------------------------------------------------------- */

bool bind_quick_keep(struct binding *binding, struct bind_thread *box)
{
  if (!box->leaver && !box->stepper && !box->returner)
    return false;
  box->next_lost = binding->quick.lost;
  binding->quick.lost = box;
  return true;
}

/* core.take_lost() -> a thread that is gone and had one who waits so, or nil */
static int core_take_lost(lua_State *L)
{
  struct binding *binding = bind_of(L);
  struct bind_thread *box = binding->quick.lost;
  if (!box)
    return 0;
  binding->quick.lost = box->next_lost;
  lua_rawgetp(L, LUA_REGISTRYINDEX, box);
  bind_release(binding, box);
  return 1;
}

void bind_open_quick_waits(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"quick_leaves", core_quick_leaves},
      {"quick_leave", core_quick_leave},
      {"take_leaver", core_take_leaver},
      {"quick_step", core_quick_step},
      {"take_stepper", core_take_stepper},
      {"quick_return", core_quick_return},
      {"take_returner", core_take_returner},
      {"take_lost", core_take_lost},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
