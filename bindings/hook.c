/* hook.c - the one call out of the engine, and the one way into Lua from there. */
#include "binding.h"
#include "signals.h"

/* ---- What the dispatch function of a kind is called with ----------------------------------- */

static int push_child(lua_State *L, struct binding *binding, const struct lt_stop *stop)
{
  lt_thread *child = lt_thread_find(binding->session, stop->u.clone.child);
  if (child)
    bind_push_thread(L, child);
  else /* with --no-follow, or dead already */
    bind_push_lost_thread(L, stop->u.clone.child, stop->u.clone.child);
  return 1;
}

/* code or nil, signal or nil, core, known */
static int push_exit(lua_State *L, const struct lt_stop *stop)
{
  if (stop->u.exit.known && stop->u.exit.signal == 0)
    lua_pushinteger(L, stop->u.exit.code);
  else
    lua_pushnil(L);
  if (stop->u.exit.signal)
    lua_pushinteger(L, stop->u.exit.signal);
  else
    lua_pushnil(L);
  lua_pushboolean(L, stop->u.exit.core);
  lua_pushboolean(L, stop->u.exit.known);
  return 4;
}

/* integer, double, float | nil, message, code */
static int push_function_end(lua_State *L, const struct lt_stop *stop)
{
  char text[80];
  if (stop->u.function.error)
    return bind_failure(L, stop->u.function.error);
  if (stop->u.function.signal) {
    const char *name = lt_signal_name(stop->u.function.signal);
    snprintf(text, sizeof text, "%s at %#llx in the function", name,
             (unsigned long long)stop->u.function.addr);
    lua_pushnil(L);
    lua_pushstring(L, text);
    lua_pushstring(L, name);
    return 3;
  }
  compat_push_int64(L, stop->u.function.ret);
  lua_pushnumber(L, stop->u.function.number);
  lua_pushnumber(L, stop->u.function.single);
  return 3;
}

/* The arguments behind the object that the record is about; returns how many. */
static int push_details(lua_State *L, struct binding *binding, const struct lt_stop *stop)
{
  switch (stop->kind) {
  case LT_SYSCALL_ENTRY:
    lua_pushinteger(L, stop->u.call.abi);
    compat_push_int64(L, (int64_t)stop->u.call.nr);
    return 2;
  case LT_SIGNAL:
    lua_pushinteger(L, stop->u.signal.signo);
    return 1;
  case LT_CLONE:
    return push_child(L, binding, stop);
  case LT_EXEC:
    lua_pushinteger(L, stop->u.exec.former_tid);
    return 1;
  case LT_THREAD_EXIT:
  case LT_PROCESS_EXIT:
    return push_exit(L, stop);
  case LT_SPAWN_FAILED:
    lua_pushinteger(L, stop->u.spawn.error);
    lua_pushinteger(L, stop->u.spawn.step);
    return 2;
  case LT_REMOTE_DONE:
    if (stop->u.call.is_error)
      return bind_failure(L, (int)-stop->u.call.ret);
    compat_push_int64(L, stop->u.call.ret);
    return 1;
  case LT_FUNCTION_DONE:
    return push_function_end(L, stop);
  case LT_STEPPED:
    return bind_push_step(L, stop);
  case LT_WATCH:
    return bind_push_watch(L, stop);
  case LT_BREAK:
    lua_pushinteger(L, stop->u.brk.id);
    lua_pushinteger(L, (lua_Integer)stop->seq);
    return 2;
  case LT_RETURN:
    compat_push_int64(L, (int64_t)stop->u.ret.seq);
    lua_pushboolean(L, stop->u.ret.error != 0);
    compat_push_int64(L, (int64_t)stop->u.ret.addr);
    return 3;
  default:
    return 0;
  }
}

/* ---- Dispatch ----------------------------------------------------------------------------- */

struct event {
  struct binding *binding;
  lt_thread *thread;
  const struct lt_stop *stop;
};

static bool is_about_process(const struct lt_stop *stop)
{
  return stop->kind == LT_START || stop->kind == LT_PROCESS_EXIT || stop->kind == LT_SPAWN_FAILED;
}

/* Push the thread object, with what a new stop means for it. One that has ended is gone for
 * scripts from its record on. */
static struct bind_thread *push_thread(lua_State *L, const struct event *event)
{
  struct bind_thread *box = bind_push_thread(L, event->thread);
  box->tid = lt_thread_tid(event->thread);
  if (event->stop->kind == LT_THREAD_EXIT || event->stop->kind == LT_PROCESS_EXIT)
    box->thread = NULL;
  return box;
}

/* Argument: a struct event. Returns whether the thread is to be held. Runs in protected mode: all
 * pushing can raise for lack of memory. Endings and starts get (p, t, details...), all others
 * (t, details...). */
static int dispatch(lua_State *L)
{
  const struct event *event = lua_touserdata(L, 1);
  const struct lt_stop *stop = event->stop;
  lua_rawgeti(L, LUA_REGISTRYINDEX, event->binding->dispatchers[stop->kind]);
  int count = 1;
  if (is_about_process(stop)) {
    struct bind_process *box = bind_push_process(L, lt_thread_process(event->thread));
    if (stop->kind == LT_PROCESS_EXIT)
      box->process = NULL;
    count++;
  }
  struct bind_thread *box = push_thread(L, event);
  count += push_details(L, event->binding, stop);
  lua_call(L, count, 1);
  if (stop->kind == LT_THREAD_EXIT)
    box->awaited = false; /* whoever waited was told */
  return 1;
}

static enum lt_verdict call_lua(const struct event *event)
{
  struct binding *binding = event->binding;
  lua_State *L = binding->L;
  /* After a call made for us, handlers go on at the stop where the thread stands. */
  bool back = event->stop->kind == LT_REMOTE_DONE;
  binding->stop = back ? lt_thread_stop(event->thread) : event->stop;
  lua_pushcfunction(L, dispatch);
  lua_pushlightuserdata(L, (void *)event);
  bool ok = bind_protected(binding, 1, 1);
  binding->stop = NULL;
  if (!ok)
    return LT_HOLD; /* what failed must not run on */
  bool hold = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return hold || binding->end.decided ? LT_HOLD : LT_RESUME;
}

/* The end of what was launched first is the end that luatrace itself takes. */
static void note_first_end(struct binding *binding, const struct lt_stop *stop)
{
  binding->first_over = true;
  if (binding->end.decided || !stop->u.exit.known)
    return;
  binding->end.signal = stop->u.exit.signal;
  binding->end.code = stop->u.exit.signal ? 128 + stop->u.exit.signal : stop->u.exit.code;
}

/* A handler that waits may ask for the end of the call later: that must not be over by then. */
static void keep_call(lt_thread *thread)
{
  if (lt_thread_stopped(thread) && lt_thread_stop(thread)->kind == LT_SYSCALL_ENTRY)
    lt_call_want_exit(thread);
}

static bool is_at_entry(const struct lt_stop *stop)
{
  return stop->kind == LT_SYSCALL_ENTRY || stop->kind == LT_REMOTE_DONE ||
         stop->kind == LT_FUNCTION_DONE;
}

enum lt_verdict bind_hook(void *data, lt_thread *thread, const struct lt_stop *stop)
{
  struct binding *binding = data;
  if (binding->end.decided)
    return LT_HOLD; /* until lt_shutdown() */
  if (stop->kind == LT_PROCESS_EXIT && stop->pid == binding->first)
    note_first_end(binding, stop);
  if (stop->kind == LT_GROUP_STOP && stop->pid == binding->first)
    bind_signals_program_stopped(binding);
  enum lt_verdict verdict = LT_RESUME;
  unsigned waits = binding->tasks.waits;
  struct event event = {binding, thread, stop};
  if (!bind_quick_stop(binding, thread, stop, &verdict) &&
      binding->dispatchers[stop->kind] != LUA_NOREF)
    verdict = call_lua(&event);
  if (waits != binding->tasks.waits && is_at_entry(stop))
    keep_call(thread);
  return verdict;
}
