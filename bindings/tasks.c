/* tasks.c - tasks: the coroutines in which the code of scripts runs.
 *
 * A handler is the main function of a coroutine. When it has returned, the coroutine waits in a
 * pool for the next function, so that an event makes no new one. What is usual, that a task has
 * finished or waits, is dealt with here; the rest by tasks.lua's `settle`.
 *
 * All coroutines are resumed from here, so that there is one place which knows which of them is
 * running: a signal handler that wants to break a loop has to know (hooks belong to single
 * coroutines). */
#include <stdlib.h>

#include "binding.h"

/* Results are left on the stack of `co`. */
static int resume(struct binding *binding, lua_State *from, lua_State *co, int arguments,
                  int *ret_results)
{
  lua_State *outer = binding->running;
  binding->running = co;
  int status = compat_resume(co, from, arguments, ret_results);
  binding->running = outer;
  return status;
}

/* ---- The pool ----------------------------------------------------------------------------- */

lua_State *bind_task_take(struct binding *binding)
{
  struct bind_tasks *tasks = &binding->tasks;
  return tasks->idle_count ? tasks->idle[--tasks->idle_count] : NULL;
}

static lua_State *take_or_make(lua_State *L)
{
  struct binding *binding = bind_of(L);
  lua_State *task = bind_task_take(binding);
  if (task)
    return task;
  lua_rawgeti(L, LUA_REGISTRYINDEX, binding->tasks.all);
  task = lua_newthread(L);
  lua_rawsetp(L, -2, task);
  lua_pop(L, 1);
  return task;
}

/* It is nobody's any more: the collector's, unless somebody has it. Allocates nothing. */
static void forget(lua_State *L, const lua_State *task)
{
  lua_rawgeti(L, LUA_REGISTRYINDEX, bind_of(L)->tasks.all);
  lua_pushnil(L);
  lua_rawsetp(L, -2, task);
  lua_pop(L, 1);
}

static bool put_back(struct binding *binding, lua_State *task)
{
  struct bind_tasks *tasks = &binding->tasks;
  if (tasks->idle_count == BIND_IDLE_TASKS)
    return false;
  tasks->idle[tasks->idle_count++] = task;
  return true;
}

void bind_task_push(lua_State *L, lua_State *task)
{
  lua_rawgeti(L, LUA_REGISTRYINDEX, bind_of(L)->tasks.all);
  lua_rawgetp(L, -1, task);
  lua_remove(L, -2);
}

/* ---- Running ------------------------------------------------------------------------------ */

static bool has_ending(const struct bind_tasks *tasks, const lua_State *task)
{
  for (unsigned i = 0; i < tasks->endings; i++)
    if (tasks->ending[i].task == task)
      return true;
  return false;
}

bool bind_task_resume(struct binding *binding, lua_State *from, lua_State *task, int arguments)
{
  struct bind_tasks *tasks = &binding->tasks;
  lua_State *outer = tasks->current;
  int results = 0;
  tasks->current = task;
  int status = resume(binding, from, task, arguments, &results);
  tasks->current = outer;
  if (status == LUA_YIELD && results == 1 && lua_topointer(task, -1) == tasks->token) {
    lua_pop(task, 1);
    tasks->waits++;
    return true;
  }
  if (status != LUA_OK || has_ending(tasks, task))
    return false;
  lua_settop(task, 0);
  return put_back(binding, task);
}

/* settle(task, "done"), settle(task, "yielded", value) or settle(task, "failed", problem) */
void bind_task_settle(lua_State *L, lua_State *task)
{
  struct binding *binding = bind_of(L);
  int status = lua_status(task);
  lua_rawgeti(L, LUA_REGISTRYINDEX, binding->tasks.settle);
  bind_task_push(L, task);
  lua_pushstring(L, status == LUA_OK ? "done" : status == LUA_YIELD ? "yielded" : "failed");
  if (status == LUA_OK || lua_gettop(task) == 0)
    lua_pushnil(L);
  else
    lua_xmove(task, L, 1);
  if (status != LUA_OK)
    forget(L, task);
  else
    lua_settop(task, 0);
  lua_call(L, 3, 0);
  if (status == LUA_OK && !put_back(binding, task))
    forget(L, task);
}

static int go_on(lua_State *L, lua_State *task, int arguments)
{
  if (!bind_task_resume(bind_of(L), L, task, arguments))
    bind_task_settle(L, task);
  return 0;
}

/* core.start(fn, ...): run the function as a task until it has finished or waits. Handlers get as
 * many arguments as there are, so that on_exit(print) prints no nil. */
static int core_start(lua_State *L)
{
  int count = lua_gettop(L);
  while (count > 1 && lua_isnil(L, count))
    count--;
  lua_settop(L, count);
  lua_State *task = take_or_make(L);
  lua_xmove(L, task, count);
  return go_on(L, task, count - 1);
}

/* core.wake(task, ...): let a task that waits go on; its wait returns the values. */
static int core_wake(lua_State *L)
{
  lua_State *task = lua_tothread(L, 1);
  int count = lua_gettop(L) - 1;
  if (!task || lua_status(task) != LUA_YIELD)
    return luaL_error(L, "this task does not wait");
  luaL_checkstack(task, count, "too many values for a task");
  lua_xmove(L, task, count);
  return go_on(L, task, count);
}

/* core.ask(fn, ...) -> true and what it returns, or false and what went wrong. It cannot wait. */
static int core_ask(lua_State *L)
{
  struct binding *binding = bind_of(L);
  lua_State *outer = binding->tasks.current, *task = take_or_make(L);
  int results = 0, count = lua_gettop(L);
  lua_xmove(L, task, count);
  binding->tasks.current = NULL;
  int status = resume(binding, L, task, count - 1, &results);
  binding->tasks.current = outer;
  lua_pushboolean(L, status == LUA_OK);
  if (status == LUA_YIELD)
    lua_pushliteral(L, "coroutine.yield was called outside of a coroutine that the script made");
  else if (results == 0 && status == LUA_OK)
    lua_pushnil(L);
  else
    lua_xmove(task, L, 1);
  if (status == LUA_OK)
    lua_settop(task, 0);
  if (status != LUA_OK || !put_back(binding, task))
    forget(L, task);
  return 2;
}

/* core.current() -> the task that runs, or nil */
static int core_current(lua_State *L)
{
  lua_State *task = bind_of(L)->tasks.current;
  if (task)
    bind_task_push(L, task);
  else
    lua_pushnil(L);
  return 1;
}

static void add_ending(lua_State *L, struct bind_tasks *tasks, lua_State *task)
{
  if (tasks->endings == tasks->ending_room) {
    unsigned room = tasks->ending_room ? tasks->ending_room * 2 : 16;
    struct bind_ending_task *list = realloc(tasks->ending, room * sizeof *list);
    if (!list) {
      luaL_error(L, "not enough memory");
      return; /* it does not come here */
    }
    tasks->ending = list;
    tasks->ending_room = room;
  }
  tasks->ending[tasks->endings++].task = task;
}

/* core.ending(task, on): settle() is to be told when the task has finished; no longer */
static int core_ending(lua_State *L)
{
  struct bind_tasks *tasks = &bind_of(L)->tasks;
  lua_State *task = lua_tothread(L, 1);
  if (lua_toboolean(L, 2))
    add_ending(L, tasks, task);
  else
    for (unsigned i = 0; i < tasks->endings; i++)
      if (tasks->ending[i].task == task) {
        tasks->ending[i] = tasks->ending[--tasks->endings];
        break;
      }
  return 0;
}

/* core.settle(token, fn): what a task yields to wait; what is called for all that is not usual */
static int core_settle(lua_State *L)
{
  struct bind_tasks *tasks = &bind_of(L)->tasks;
  tasks->settle = luaL_ref(L, LUA_REGISTRYINDEX);
  tasks->token = lua_topointer(L, 1);
  tasks->wait = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

/* core.resume(co, ...) -> true, results... or false, error. The same as coroutine.resume. */
static int core_resume(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTHREAD);
  lua_State *co = lua_tothread(L, 1);
  int arguments = lua_gettop(L) - 1;
  if (!lua_checkstack(co, arguments)) {
    lua_pushboolean(L, 0);
    lua_pushliteral(L, "too many arguments to resume");
    return 2;
  }
  lua_xmove(L, co, arguments);
  int results = 0;
  int status = resume(bind_of(L), L, co, arguments, &results);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_pushboolean(L, 0);
    lua_xmove(co, L, 1);
    return 2;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushboolean(L, 0);
    lua_pushliteral(L, "too many results to resume");
    return 2;
  }
  lua_pushboolean(L, 1);
  lua_xmove(co, L, results);
  return 1 + results;
}

void bind_open_tasks(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"start", core_start},   {"wake", core_wake},
      {"ask", core_ask},       {"current", core_current},
      {"ending", core_ending}, {"settle", core_settle},
      {"resume", core_resume}, {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
  lua_newtable(L);
  bind_of(L)->tasks.all = luaL_ref(L, LUA_REGISTRYINDEX);
}
