/* tasks.c - resuming coroutines. All script code runs in coroutines that are resumed here, so that
 * there is one place which knows which of them is running: a signal handler that wants to break
 * a loop has to know (hooks belong to single coroutines). */
#include "binding.h"

/* core.resume(co, ...) -> true, results... or false, error. The same as coroutine.resume. */
static int core_resume(lua_State *L)
{
  struct binding *binding = bind_of(L);
  luaL_checktype(L, 1, LUA_TTHREAD);
  lua_State *co = lua_tothread(L, 1);
  int arguments = lua_gettop(L) - 1;
  if (!lua_checkstack(co, arguments)) {
    lua_pushboolean(L, 0);
    lua_pushliteral(L, "too many arguments to resume");
    return 2;
  }
  lua_xmove(L, co, arguments);
  lua_State *outer = binding->running;
  int results = 0;
  binding->running = co;
  int status = compat_resume(co, L, arguments, &results);
  binding->running = outer;
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
  static const luaL_Reg functions[] = {{"resume", core_resume}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
