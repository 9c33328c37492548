/* state.c - making and closing the Lua state. */
#include <stdlib.h>

#include "binding.h"
#include "prelude.h"

#define MAIN "luatrace.main" /* module whose functions loop.c calls; registry key too */
#define CORE "luatrace.core" /* module of C functions; registry key too */
#define WHEN_LOADED "luatrace.when_loaded" /* registry key */

/* package.loaded[CORE] = the value on the top, popped. Only the prelude finds it there, while a
 * module of it is being loaded. */
static void set_core(lua_State *L)
{
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaded");
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, CORE);
  lua_pop(L, 3);
}

/* Push what is there now. */
static void push_core_now(lua_State *L)
{
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaded");
  lua_getfield(L, -1, CORE);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* core.when_loaded(fn): fn(name, module) is called when a module of the prelude has been loaded. */
static int core_when_loaded(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_setfield(L, LUA_REGISTRYINDEX, WHEN_LOADED);
  return 0;
}

/* The module of this name, on the top, has been loaded. */
static void tell_loaded(lua_State *L, const char *name)
{
  lua_getfield(L, LUA_REGISTRYINDEX, WHEN_LOADED);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  lua_pushstring(L, name);
  lua_pushvalue(L, -3);
  lua_call(L, 2, 0);
}

/* package.preload's function for an embedded module: loads and runs it. The upvalue says which. */
static int load_embedded(lua_State *L)
{
  const struct lt_embedded *module = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 1);
  push_core_now(L);
  lua_getfield(L, LUA_REGISTRYINDEX, CORE);
  set_core(L);
  if (luaL_loadbufferx(L, module->bytes, module->size, module->name, "b") != LUA_OK)
    return lua_error(L);
  compat_set_environment(L);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  tell_loaded(L, module->name);
  lua_insert(L, -2);
  set_core(L); /* as it was */
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
  bind_open_quick_handlers(L);
  bind_open_quick_waits(L);
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
  lua_pushcfunction(L, core_when_loaded);
  lua_setfield(L, -2, "when_loaded");
}

static int open_all(lua_State *L)
{
  lua_gc(L, LUA_GCSTOP, 0); /* there is no garbage yet */
  luaL_openlibs(L);
  set_preload(L);
  compat_open(L);
  push_core(L);
  lua_setfield(L, LUA_REGISTRYINDEX, CORE);
  lua_getglobal(L, "require");
  lua_pushliteral(L, MAIN);
  lua_call(L, 1, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, MAIN);
  lua_gc(L, LUA_GCRESTART, 0);
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
  free(binding->quick.breaks);
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
