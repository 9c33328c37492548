/* trace.c - the session's primitives: subscriptions, holding threads, the end of the run. */
#include <errno.h>

#include "binding.h"

/* core.subscribe(kind, on): ask for records of this kind, or no longer. */
static int core_subscribe(lua_State *L)
{
  int kind = bind_check_kind(L, 1);
  lt_subscribe(bind_of(L)->session, (enum lt_kind)kind, lua_toboolean(L, 2));
  return 0;
}

/* core.subscribe_call(abi, nr, on): ask for the entries of one system call; nr nil: of all. */
static int core_subscribe_call(lua_State *L)
{
  enum lt_abi abi = (enum lt_abi)luaL_checkinteger(L, 1);
  int nr = lua_isnil(L, 2) ? LT_ALL_SYSCALLS : (int)luaL_checkinteger(L, 2);
  lt_subscribe_syscall(bind_of(L)->session, abi, nr, lua_toboolean(L, 3));
  return 0;
}

/* core.release(t): let a thread run on that was held. One that is not held any more is left as it
 * is: it has died, or stood where nothing can be held. */
static int core_release(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  if (box->thread)
    lt_thread_release(box->thread);
  return 0;
}

/* core.watch(object): the prelude waits for this thread or process; its end must not be missed. */
static int core_watch(lua_State *L)
{
  struct bind_thread *box = bind_test(L, 1, BIND_THREAD);
  if (box)
    box->awaited = true;
  return 0;
}

/* core.check_live(object): raises if the thread or process is gone */
static int core_check_live(lua_State *L)
{
  struct bind_process *process = bind_test(L, 1, BIND_PROCESS);
  if (process)
    bind_live_process(L, process);
  else
    bind_live_thread(L, bind_check(L, 1, BIND_THREAD));
  return 0;
}

/* core.seq(t) -> number of the stop that t stands in */
static int core_seq(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lua_pushinteger(L, (lua_Integer)lt_thread_stop(bind_live_thread(L, box))->seq);
  return 1;
}

/* core.traced() -> whether anything is traced */
static int core_traced(lua_State *L)
{
  lua_pushboolean(L, lt_process_first(bind_of(L)->session) != NULL);
  return 1;
}

/* core.dispatch{ kind = function, ... }: what hook.c calls for each kind of record */
static int core_dispatch(lua_State *L)
{
  struct binding *binding = bind_of(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  for (int kind = 1; kind < LT_KIND_COUNT; kind++) {
    if (!bind_kind_name((unsigned)kind))
      continue;
    lua_getfield(L, 1, bind_kind_name((unsigned)kind));
    if (lua_isnil(L, -1))
      lua_pop(L, 1);
    else
      binding->dispatchers[kind] = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  return 0;
}

/* core.stop(code): end tracing as soon as Lua returns to the loop. The first call decides. */
static int core_stop(lua_State *L)
{
  struct binding *binding = bind_of(L);
  if (!binding->end.decided)
    binding->end = (struct bind_ending){.decided = true, .code = (int)luaL_checkinteger(L, 1)};
  lt_interrupt(binding->session);
  return 0;
}

/* core.fail(): end with luatrace's own failure, whatever was decided before */
static int core_fail(lua_State *L)
{
  struct binding *binding = bind_of(L);
  binding->end = (struct bind_ending){.decided = true, .code = 125};
  lt_interrupt(binding->session);
  return 0;
}

void bind_open_trace(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"subscribe", core_subscribe},
      {"subscribe_call", core_subscribe_call},
      {"release", core_release},
      {"watch", core_watch},
      {"check_live", core_check_live},
      {"seq", core_seq},
      {"traced", core_traced},
      {"dispatch", core_dispatch},
      {"stop", core_stop},
      {"fail", core_fail},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
