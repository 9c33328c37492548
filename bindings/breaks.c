/* breaks.c - breakpoints, and the functions that they may be put on. The Lua half is in
 * scripts/luatrace/breaks.lua and locations.lua. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"

/* ---- Breakpoints -------------------------------------------------------------------------- */

/* core.break_add(p, address, hardware) -> id | nil, message, code */
static int core_break_add(lua_State *L)
{
  lt_process *process = bind_live_process(L, bind_check(L, 1, BIND_PROCESS));
  unsigned flags = lua_toboolean(L, 3) ? LT_BREAK_HARDWARE : 0;
  flags |= lua_toboolean(L, 4) ? LT_BREAK_CHECK : 0;
  uint32_t id;
  int error = lt_break_add(process, bind_check_address(L, 2), flags, &id);
  if (error)
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  lua_pushinteger(L, id);
  return 1;
}

/* core.break_remove(id): take it out of all memory */
static int core_break_remove(lua_State *L)
{
  lt_break_remove(bind_of(L)->session, (uint32_t)luaL_checkinteger(L, 1));
  return 0;
}

/* core.break_find(p, address) -> id, or 0 */
static int core_break_find(lua_State *L)
{
  const struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  uint32_t id = box->process ? lt_break_find(box->process, bind_check_address(L, 2)) : 0;
  lua_pushinteger(L, id);
  return 1;
}

/* core.break_clear(p, address): take it out of one process's memory */
static int core_break_clear(lua_State *L)
{
  const struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  if (box->process)
    lt_break_clear(box->process, bind_check_address(L, 2));
  return 0;
}

/* ---- Where functions are ------------------------------------------------------------------- */

struct gathered {
  struct lt_symbol *list;
  size_t count, room;
  bool failed;
};

/* The part of a function that is rarely run is a symbol of its own, and not entered by calls. */
static bool is_entry(const struct lt_symbol *symbol)
{
  return symbol->kind != LT_SYMBOL_OBJECT && !strstr(symbol->raw, ".cold");
}

static bool gather(void *data, const struct lt_symbol *symbol)
{
  struct gathered *gathered = data;
  if (!is_entry(symbol))
    return true;
  if (gathered->count == gathered->room) {
    size_t room = gathered->room ? 2 * gathered->room : 64;
    struct lt_symbol *list = realloc(gathered->list, room * sizeof *list);
    gathered->failed = !list;
    if (!list)
      return false;
    gathered->list = list;
    gathered->room = room;
  }
  gathered->list[gathered->count++] = *symbol;
  return true;
}

static void set_field(lua_State *L, const char *name, bool value)
{
  if (!value)
    return;
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, name);
}

/* Argument: a struct gathered. Returns a list. Can raise for lack of memory. */
static int copy_symbols(lua_State *L)
{
  const struct gathered *gathered = lua_touserdata(L, 1);
  lua_createtable(L, (int)gathered->count, 0);
  for (size_t i = 0; i < gathered->count; i++) {
    const struct lt_symbol *symbol = &gathered->list[i];
    lua_createtable(L, 0, 6);
    compat_push_int64(L, (int64_t)symbol->addr);
    lua_setfield(L, -2, "addr");
    lua_pushstring(L, symbol->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, symbol->module);
    lua_setfield(L, -2, "module");
    set_field(L, "indirect", symbol->indirect);
    set_field(L, "is_local", symbol->local);
    set_field(L, "is_plt", symbol->kind == LT_SYMBOL_PLT);
    set_field(L, "untyped", symbol->kind == LT_SYMBOL_OTHER);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* core.code_symbols(p, "glob" or "module:glob") -> list of { addr, name, module, indirect, is_local,
 * is_plt, untyped } of what is not known to be data | nil, message, code */
static int core_code_symbols(lua_State *L)
{
  lt_process *process = bind_live_process(L, bind_check(L, 1, BIND_PROCESS));
  struct gathered gathered = {0};
  ssize_t count = lt_symbols_walk(process, luaL_checkstring(L, 2), gather, &gathered);
  if (count < 0 || gathered.failed) {
    free(gathered.list);
    int error = count < 0 ? (int)count : -ENOMEM;
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  }
  lua_pushcfunction(L, copy_symbols);
  lua_pushlightuserdata(L, &gathered);
  int status = lua_pcall(L, 1, 1, 0);
  free(gathered.list);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* core.nearest_symbol(p, name) -> the name most like it, or nil */
static int core_nearest_symbol(lua_State *L)
{
  lt_process *process = bind_live_process(L, bind_check(L, 1, BIND_PROCESS));
  lua_pushstring(L, lt_symbol_nearest(process, luaL_checkstring(L, 2)));
  return 1;
}

/* core.code_at(p, address) -> name or nil, where it begins, name of the module | nil */
static int core_code_at(lua_State *L)
{
  lt_process *process = bind_live_process(L, bind_check(L, 1, BIND_PROCESS));
  struct lt_symbol symbol;
  if (lt_symbol_at(process, bind_check_address(L, 2), &symbol) != 0)
    return 0;
  lua_pushstring(L, symbol.name);
  compat_push_int64(L, (int64_t)symbol.addr);
  lua_pushstring(L, symbol.module);
  return 3;
}

void bind_open_breaks(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"break_add", core_break_add},       {"break_remove", core_break_remove},
      {"break_find", core_break_find},     {"break_clear", core_break_clear},
      {"code_symbols", core_code_symbols}, {"nearest_symbol", core_nearest_symbol},
      {"code_at", core_code_at},           {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
