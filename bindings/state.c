/* state.c - making and closing the Lua state. */
#include <stdlib.h>

#include "binding.h"
#include "prelude.h"

#define MAIN "luatrace.main" /* module whose functions loop.c calls; registry key too */
#define CORE "luatrace.core"

/* package.preload's function for an embedded module: loads and runs it. The upvalue says which. */
static int load_embedded(lua_State *L)
{
  const struct lt_embedded *module = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 1);
  const char *chunk = lua_pushfstring(L, "=%s", module->name);
  if (luaL_loadbufferx(L, module->bytes, module->size, chunk, "b") != LUA_OK)
    return lua_error(L);
  compat_set_environment(L);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static void set_preload(lua_State *L)
{
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  for (const struct lt_embedded *module = lt_prelude; module->name; module++) {
    lua_pushlightuserdata(L, (void *)module);
    lua_pushcclosure(L, load_embedded, 1);
    lua_setfield(L, -2, module->name);
  }
  lua_pop(L, 2);
}

static void push_core(lua_State *L)
{
  lua_newtable(L);
  bind_open_objects(L);
  bind_open_tasks(L);
  bind_open_quick(L);
  bind_open_logs(L);
  bind_open_errors(L);
  bind_open_trace(L);
  bind_open_spawn(L);
  bind_open_selectors(L);
  bind_open_calls(L);
  bind_open_place(L);
  bind_open_records(L);
  bind_open_breaks(L);
  bind_open_functions(L);
  bind_open_tables(L);
  bind_open_memory(L);
  bind_open_remote(L);
  bind_open_steps(L);
  bind_open_backtrace(L);
  bind_open_bits(L);
  bind_open_text(L);
  bind_open_counts(L);
  bind_open_aggregates(L);
  bind_open_lines(L);
  bind_open_disasm(L);
  bind_open_emulate(L);
  bind_open_paths(L);
  bind_open_processes(L);
  bind_open_timers(L);
  bind_open_streams(L);
  bind_open_modules(L);
  bind_open_types(L);
  bind_open_variables(L);
  bind_open_contents(L);
  bind_open_system(L);
}

/* package.loaded[CORE] = the value on the top, popped. Only the prelude finds it there: it is
 * taken away again before a script runs. */
static void set_core(lua_State *L)
{
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaded");
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, CORE);
  lua_pop(L, 3);
}

static int open_all(lua_State *L)
{
  luaL_openlibs(L);
  set_preload(L);
  compat_open(L);
  push_core(L);
  set_core(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, MAIN);
  lua_call(L, 1, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, MAIN);
  lua_pushnil(L);
  set_core(L);
  return 0;
}

bool bind_open(struct binding *binding)
{
  lua_State *L = compat_new_state(binding);
  if (!L) {
    bind_warn("out of memory");
    return false;
  }
  binding->L = binding->running = L;
  for (int kind = 0; kind < LT_KIND_COUNT; kind++)
    binding->dispatchers[kind] = LUA_NOREF;
  lua_pushcfunction(L, open_all);
  return bind_protected(binding, 0, 0);
}

void bind_close(struct binding *binding)
{
  if (binding->L)
    compat_close_state(binding->L);
  free(binding->tasks.ending);
  free(binding->threads);
  binding->threads = NULL;
  binding->L = binding->running = NULL;
}

void bind_push_main(lua_State *L, const char *name)
{
  lua_getfield(L, LUA_REGISTRYINDEX, MAIN);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
}
