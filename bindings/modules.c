/* modules.c - what a process has mapped as code, and its symbols. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"

static void set_int(lua_State *L, const char *name, uint64_t value)
{
  compat_push_int64(L, (int64_t)value);
  lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *value)
{
  lua_pushstring(L, value); /* NULL pushes nil */
  lua_setfield(L, -2, name);
}

static lt_process *check_process(lua_State *L)
{
  return bind_live_process(L, bind_check(L, 1, BIND_PROCESS));
}

static int failure(lua_State *L, int error)
{
  return bind_failure_text(L, error, lt_error(bind_of(L)->session));
}

/* core.processes() -> list of those that are traced */
static int core_processes(lua_State *L)
{
  lua_newtable(L);
  lua_Integer count = 0;
  for (lt_process *one = lt_process_first(bind_of(L)->session); one; one = lt_process_next(one)) {
    bind_push_process(L, one);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* ---- Modules ------------------------------------------------------------------------------ */

static void push_hex(lua_State *L, const uint8_t *bytes, size_t size)
{
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (size_t i = 0; i < size; i++) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", bytes[i]);
    luaL_addlstring(&buffer, digits, 2);
  }
  luaL_pushresult(&buffer);
}

static void push_module(lua_State *L, const struct lt_module_info *module)
{
  lua_createtable(L, 0, 10);
  set_int(L, "from", module->from);
  set_int(L, "to", module->to);
  set_int(L, "bias", module->bias);
  set_text(L, "path", module->path);
  set_text(L, "name", module->name);
  if (module->build_id_size) {
    push_hex(L, module->build_id, module->build_id_size);
    lua_setfield(L, -2, "build_id");
  }
  set_int(L, "file", module->file);
  set_int(L, "bits", module->is_64 ? 64 : 32);
  lua_pushboolean(L, module->readable);
  lua_setfield(L, -2, "readable");
}

/* core.modules(p) -> list of tables | nil, message, code */
static int core_modules(lua_State *L)
{
  lt_process *process = check_process(L);
  struct lt_module_info module;
  ssize_t count = lt_modules(process);
  if (count < 0)
    return failure(L, (int)count);
  lua_createtable(L, (int)count, 0);
  for (ssize_t i = 0; i < count && lt_module_info(process, (size_t)i, &module) == 0; i++) {
    push_module(L, &module);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* core.module_has_debug(p, from) -> whether the module that begins there has DWARF; nil: it is gone */
static int core_module_has_debug(lua_State *L)
{
  lt_process *process = check_process(L);
  uint64_t from = bind_check_address(L, 2);
  struct lt_module_info module;
  ssize_t count = lt_modules(process);
  for (ssize_t i = 0; i < count && lt_module_info(process, (size_t)i, &module) == 0; i++)
    if (module.from == from) {
      lua_pushboolean(L, lt_module_has_debug(process, (size_t)i));
      return 1;
    }
  return 0;
}

/* ---- Symbols ------------------------------------------------------------------------------ */

static const char *kind_name(const struct lt_symbol *symbol)
{
  static const char *const names[] = {
      [LT_SYMBOL_FUNCTION] = "function",
      [LT_SYMBOL_PLT] = "plt",
      [LT_SYMBOL_OBJECT] = "object",
      [LT_SYMBOL_OTHER] = "other",
  };
  return symbol->kind <= LT_SYMBOL_OTHER ? names[symbol->kind] : NULL;
}

static void push_symbol(lua_State *L, const struct lt_symbol *symbol)
{
  lua_createtable(L, 0, 8);
  set_text(L, "name", symbol->name);
  set_text(L, "raw", symbol->raw);
  set_text(L, "module", symbol->module);
  set_text(L, "kind", kind_name(symbol));
  set_int(L, "bias", symbol->bias);
  if (symbol->name) {
    set_int(L, "addr", symbol->addr);
    set_int(L, "size", symbol->size);
  }
  lua_pushboolean(L, symbol->indirect);
  lua_setfield(L, -2, "indirect");
  lua_pushboolean(L, symbol->local);
  lua_setfield(L, -2, "is_local");
}

/* What was found is collected first and pushed in a protected call: an error for lack of memory may
 * neither leave the engine in the middle nor lose the list. */
struct collection {
  struct lt_symbol *symbols;
  size_t count, room, most;
};

static bool collect(void *data, const struct lt_symbol *symbol)
{
  struct collection *all = data;
  if (all->count == all->most)
    return false;
  if (all->count == all->room) {
    size_t room = all->room ? 2 * all->room : 64;
    struct lt_symbol *more = realloc(all->symbols, room * sizeof *more);
    if (!more)
      return false;
    all->symbols = more;
    all->room = room;
  }
  all->symbols[all->count++] = *symbol;
  return true;
}

static int push_all(lua_State *L)
{
  const struct collection *all = lua_touserdata(L, 1);
  lua_createtable(L, (int)all->count, 0);
  for (size_t i = 0; i < all->count; i++) {
    push_symbol(L, &all->symbols[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* core.symbols(p, pattern, most) -> list of tables, whether there are more | nil, message, code */
static int core_symbols(lua_State *L)
{
  lt_process *process = check_process(L);
  struct collection all = {.most = (size_t)luaL_checkinteger(L, 3)};
  ssize_t found = lt_symbols_walk(process, luaL_checkstring(L, 2), collect, &all);
  if (found < 0)
    return failure(L, (int)found);
  lua_pushcfunction(L, push_all);
  lua_pushlightuserdata(L, &all);
  int status = lua_pcall(L, 1, 1, 0);
  bool more = (size_t)found > all.count;
  free(all.symbols);
  if (status != LUA_OK)
    return lua_error(L);
  lua_pushboolean(L, more);
  return 2;
}

/* core.symbol_at(p, addr) -> table | nil, message, code */
static int core_symbol_at(lua_State *L)
{
  lt_process *process = check_process(L);
  struct lt_symbol symbol;
  int error = lt_symbol_at(process, bind_check_address(L, 2), &symbol);
  if (error)
    return failure(L, error);
  push_symbol(L, &symbol);
  return 1;
}

/* core.symbol_nearest(p, name) -> the name most like it, or nil */
static int core_symbol_nearest(lua_State *L)
{
  lua_pushstring(L, lt_symbol_nearest(check_process(L), luaL_checkstring(L, 2)));
  return 1;
}

void bind_open_modules(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"processes", core_processes},
      {"modules", core_modules},
      {"module_has_debug", core_module_has_debug},
      {"symbols", core_symbols},
      {"symbol_at", core_symbol_at},
      {"symbol_nearest", core_symbol_nearest},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
