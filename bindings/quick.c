/* quick.c - the straight path of most events: a system call with one handler, and the exit that
 * this handler waits for.
 *
 * While nobody but handlers and leavers can want a stop (`on`), a task is resumed from here without
 * a look at anything else. dispatch.lua says when that is so. Whoever changes it calls
 * core.disturb(): the general path is entered there, as late as that: it begins the stop, and when
 * the handler has returned, does the rest of it. */
#include "binding.h"
#include "log.h"

/* ---- The path ----------------------------------------------------------------------------- */

struct rest {
  lt_thread *thread;
  const struct lt_stop *stop;
  lua_State *unsettled; /* or NULL */
};

/* Argument: struct rest. Returns whether the thread is to be held. In protected mode. */
static int do_rest(lua_State *L)
{
  const struct rest *rest = lua_touserdata(L, 1);
  const struct bind_quick *quick = &bind_of(L)->quick;
  if (rest->unsettled)
    bind_task_settle(L, rest->unsettled);
  if (quick->on)
    return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, quick->rest[rest->stop->kind]);
  bind_push_thread(L, rest->thread);
  lua_pushinteger(L, rest->stop->u.call.abi);
  compat_push_int64(L, (int64_t)rest->stop->u.call.nr);
  lua_call(L, 3, 1);
  return 1;
}

/* Resume the task with `arguments` on its stack, and deal with what comes after. */
static enum lt_verdict run(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
                           lua_State *task, int arguments)
{
  struct bind_quick *quick = &binding->quick;
  binding->stop = stop;
  quick->at = lt_thread_data(thread);
  bool usual = bind_task_resume(binding, binding->L, task, arguments);
  bool hold = false;
  if (!usual || !quick->on) {
    struct rest rest = {thread, stop, usual ? NULL : task};
    lua_pushcfunction(binding->L, do_rest);
    lua_pushlightuserdata(binding->L, &rest);
    hold = true; /* what failed must not run on */
    if (bind_protected(binding, 1, 1)) {
      hold = lua_toboolean(binding->L, -1);
      lua_pop(binding->L, 1);
    }
  }
  quick->at = NULL;
  binding->stop = NULL;
  return hold || binding->end.decided ? LT_HOLD : LT_RESUME;
}

/* Arguments: the log and the thread object's contents. In protected mode. */
static int log_entry(lua_State *L)
{
  bind_log_entry(L, lua_touserdata(L, 1), lua_touserdata(L, 2));
  return 0;
}

static int log_exit(lua_State *L)
{
  bind_log_exit(L, lua_touserdata(L, 1), lua_touserdata(L, 2));
  return 0;
}

static enum lt_verdict run_log(struct binding *binding, lua_CFunction what, struct bind_log *log,
                               struct bind_thread *box)
{
  lua_pushcfunction(binding->L, what);
  lua_pushlightuserdata(binding->L, log);
  lua_pushlightuserdata(binding->L, box);
  return bind_protected(binding, 2, 0) && !binding->end.decided ? LT_RESUME : LT_HOLD;
}

static enum lt_verdict begin_log(struct binding *binding, struct bind_log *log,
                                 struct bind_thread *box)
{
  box->leaves = lt_thread_call_seq(box->thread);
  box->log = lt_call_want_exit(box->thread) == 0 ? log : NULL;
  return run_log(binding, log_entry, log, box);
}

static bool on_entry(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
                     enum lt_verdict *ret)
{
  struct bind_thread *box = lt_thread_data(thread);
  if (stop->u.call.abi >= LT_ABI_COUNT || stop->u.call.nr >= BIND_QUICK_CALLS || !box)
    return false;
  struct bind_quick_call *call = &binding->quick.calls[stop->u.call.abi][stop->u.call.nr];
  *ret = LT_RESUME;
  if (call->fn && call->selector && !lt_selector_passes(call->selector, thread))
    return true; /* somebody else has asked for it */
  if (call->log && !box->leaver) {
    call->count++;
    *ret = begin_log(binding, call->log, box);
    return true;
  }
  lua_State *task = call->fn ? bind_task_take(binding) : NULL;
  if (!task)
    return false;
  call->count++;
  lua_rawgeti(task, LUA_REGISTRYINDEX, call->fn);
  lua_rawgetp(task, LUA_REGISTRYINDEX, box);
  if (call->wants_call)
    bind_push_call(task, box, BIND_CALL);
  *ret = run(binding, thread, stop, task, call->wants_call ? 2 : 1);
  return true;
}

/* The leaver gets no problem, and the result. A failure has texts to be made: the general path
 * does that. */
static bool on_exit(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
                    enum lt_verdict *ret)
{
  struct bind_thread *box = lt_thread_data(thread);
  lua_State *task = box ? box->leaver : NULL;
  if (!task || box->leaves != lt_thread_call_seq(thread) || stop->u.call.is_error)
    return false;
  box->leaver = NULL;
  lua_pushnil(task);
  compat_push_int64(task, stop->u.call.ret);
  *ret = run(binding, thread, stop, task, 2);
  return true;
}

/* The end of a call in a log is written before all else. */
static bool end_log(struct binding *binding, lt_thread *thread, enum lt_verdict *ret)
{
  struct bind_thread *box = lt_thread_data(thread);
  struct bind_log *log = box ? box->log : NULL;
  if (!log || box->leaves != lt_thread_call_seq(thread))
    return false;
  box->log = NULL;
  *ret = run_log(binding, log_exit, log, box);
  return binding->quick.on || *ret == LT_HOLD;
}

bool bind_quick_stop(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
                     enum lt_verdict *ret)
{
  if (stop->kind == LT_SYSCALL_EXIT && end_log(binding, thread, ret))
    return true;
  if (!binding->quick.on)
    return false;
  if (stop->kind == LT_SYSCALL_ENTRY)
    return on_entry(binding, thread, stop, ret);
  return stop->kind == LT_SYSCALL_EXIT && on_exit(binding, thread, stop, ret);
}

/* ---- What dispatch.lua and hooks.lua say --------------------------------------------------- */

/* core.quick(): nobody but handlers and leavers can want a stop */
static int core_quick(lua_State *L)
{
  bind_of(L)->quick.on = true;
  return 0;
}

/* core.disturb() -> the thread whose stop is dealt with here now, if the general path has not begun
 * with it; that is the one for now */
static int core_disturb(lua_State *L)
{
  struct bind_quick *quick = &bind_of(L)->quick;
  const struct bind_thread *box = quick->at;
  quick->on = false;
  quick->at = NULL;
  if (box)
    lua_rawgetp(L, LUA_REGISTRYINDEX, box);
  else
    lua_pushnil(L);
  return 1;
}

/* core.rest{ kind = function, ... }: called as fn(t, abi, nr) after the handlers of a stop that has
 * become less simple; returns whether t is held */
static int core_rest(lua_State *L)
{
  struct bind_quick *quick = &bind_of(L)->quick;
  lua_getfield(L, 1, "syscall-entry");
  quick->rest[LT_SYSCALL_ENTRY] = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_getfield(L, 1, "syscall-exit");
  quick->rest[LT_SYSCALL_EXIT] = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

static struct bind_quick_call *check_call(lua_State *L)
{
  uint64_t abi = (uint64_t)luaL_checkinteger(L, 1), nr = (uint64_t)luaL_checkinteger(L, 2);
  return abi < LT_ABI_COUNT && nr < BIND_QUICK_CALLS ? &bind_of(L)->quick.calls[abi][nr] : NULL;
}

/* core.quick_call(abi, nr, fn, wants_call, log, selector or nil): this function, or log, is all that is
 * wanted, for calls that pass */
static int core_quick_call(lua_State *L)
{
  struct bind_quick_call *call = check_call(L);
  if (!call)
    return 0;
  lua_pushvalue(L, 3);
  luaL_unref(L, LUA_REGISTRYINDEX, call->fn ? call->fn : LUA_NOREF);
  call->fn = luaL_ref(L, LUA_REGISTRYINDEX);
  call->wants_call = lua_toboolean(L, 4);
  call->log = bind_log_test(L, 5);
  call->selector = bind_selector(L, 6);
  return 0;
}

/* core.quick_forget(abi, nr): no longer */
static int core_quick_forget(lua_State *L)
{
  struct bind_quick_call *call = check_call(L);
  if (call && call->fn) {
    luaL_unref(L, LUA_REGISTRYINDEX, call->fn);
    call->fn = 0;
    call->log = NULL;
  }
  return 0;
}

/* core.quick_count(abi, nr) -> how often since the last time */
static int core_quick_count(lua_State *L)
{
  struct bind_quick_call *call = check_call(L);
  lua_pushinteger(L, call ? (lua_Integer)call->count : 0);
  if (call)
    call->count = 0;
  return 1;
}

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

bool bind_quick_keep(struct binding *binding, struct bind_thread *box)
{
  if (!box->leaver)
    return false;
  box->next_lost = binding->quick.lost;
  binding->quick.lost = box;
  return true;
}

/* core.take_lost() -> a thread that is gone and had a leaver, or nil */
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

void bind_open_quick(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"quick", core_quick},
      {"disturb", core_disturb},
      {"rest", core_rest},
      {"quick_call", core_quick_call},
      {"quick_forget", core_quick_forget},
      {"quick_count", core_quick_count},
      {"quick_leaves", core_quick_leaves},
      {"quick_leave", core_quick_leave},
      {"take_leaver", core_take_leaver},
      {"take_lost", core_take_lost},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
