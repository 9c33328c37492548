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
  if (rest->stop->kind == LT_SYSCALL_ENTRY) {
    lua_pushinteger(L, rest->stop->u.call.abi);
    compat_push_int64(L, (int64_t)rest->stop->u.call.nr);
    lua_call(L, 3, 1);
  } else {
    lua_call(L, 1, 1);
  }
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

static bool at_entry(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
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

static bool at_break(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
                     enum lt_verdict *ret)
{
  struct bind_quick *quick = &binding->quick;
  const struct bind_thread *box = lt_thread_data(thread);
  if (stop->u.brk.id >= quick->break_room || !box)
    return false;
  struct bind_quick_break *one = &quick->breaks[stop->u.brk.id];
  lua_State *task = one->fn ? bind_task_take(binding) : NULL;
  if (!task)
    return false;
  one->count++;
  if (one->wants_frame)
    lua_rawgeti(task, LUA_REGISTRYINDEX, quick->frame);
  lua_rawgeti(task, LUA_REGISTRYINDEX, one->fn);
  lua_rawgetp(task, LUA_REGISTRYINDEX, box);
  if (one->wants_frame) {
    lua_rawgeti(task, LUA_REGISTRYINDEX, one->site);
    lua_pushinteger(task, (lua_Integer)stop->seq);
  }
  *ret = run(binding, thread, stop, task, one->wants_frame ? 4 : 1);
  return true;
}

/* The leaver gets no problem, and the result. A failure has texts to be made: the general path
 * does that. */
static bool at_return(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
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

/* The same; general path: the program is replaced, or there is no code. */
static bool at_step(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
                    enum lt_verdict *ret)
{
  struct bind_thread *box = lt_thread_data(thread);
  lua_State *task = box ? box->stepper : NULL;
  if (!task || stop->u.step.why != LT_STEP_COUNT)
    return false;
  box->stepper = NULL;
  lua_pushnil(task);
  lua_pushboolean(task, 1); /* as it had asked for */
  *ret = run(binding, thread, stop, task, 2);
  return true;
}

static bool at_function_end(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
                            enum lt_verdict *ret)
{
  struct bind_thread *box = lt_thread_data(thread);
  lua_State *task = box ? box->returner : NULL;
  if (!task || box->returns != stop->u.ret.seq)
    return false;
  box->returner = NULL;
  lua_pushnil(task);
  lua_rawgetp(task, LUA_REGISTRYINDEX, box);
  lua_pushboolean(task, stop->u.ret.error != 0);
  compat_push_int64(task, (int64_t)stop->u.ret.addr);
  *ret = run(binding, thread, stop, task, 4);
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
  switch (stop->kind) {
  case LT_SYSCALL_ENTRY:
    return at_entry(binding, thread, stop, ret);
  case LT_SYSCALL_EXIT:
    return at_return(binding, thread, stop, ret);
  case LT_BREAK:
    return at_break(binding, thread, stop, ret);
  case LT_RETURN:
    return at_function_end(binding, thread, stop, ret);
  case LT_STEPPED:
    return at_step(binding, thread, stop, ret);
  default:
    return false;
  }
}
