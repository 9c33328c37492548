/* variables.c - variables, for the prelude (scripts/luatrace/variables.lua): which there are, and
 * where. Their bits are read and written by contents.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"
#include "variables.h"

#define SCOPE "luatrace.scope"

/* ---- Handles: freed with their userdata --------------------------------------------------------- */

struct scope {
  lt_variables *variables;
};

static int free_scope(lua_State *L)
{
  struct scope *scope = lua_touserdata(L, 1);
  lt_variables_free(scope->variables);
  scope->variables = NULL;
  return 0;
}

static int free_location(lua_State *L)
{
  struct bind_location *location = lua_touserdata(L, 1);
  lt_object_free(location->object);
  location->object = NULL;
  return 0;
}

static struct scope *new_scope(lua_State *L)
{
  struct scope *scope = compat_new_userdata(L, sizeof *scope);
  scope->variables = NULL;
  luaL_setmetatable(L, SCOPE);
  return scope;
}

static int failure(lua_State *L, struct bind_thread *box, int error)
{
  bind_check_access(L, box, error);
  return bind_failure_text(L, error, lt_error(bind_of(L)->session));
}

/* ---- Scopes ----------------------------------------------------------------------------------- */

/* core.scope(t, frame) -> scope | nil, message, code */
static int core_scope(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  int64_t frame = bind_check_int64(L, 2);
  if (frame < 0 || frame > 1000000)
    return bind_failure_text(L, -ENOENT, "there is no such frame");
  struct scope *scope = new_scope(L);
  int error = lt_variables_get(thread, (unsigned)frame, &scope->variables);
  return error ? failure(L, box, error) : 1;
}

/* core.global(t, name) -> scope with one variable | nil, message, code */
static int core_global(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  const char *name = luaL_checkstring(L, 2);
  struct scope *scope = new_scope(L);
  int error = lt_variables_global(thread, name, &scope->variables);
  return error ? failure(L, box, error) : 1;
}

/* core.near_globals(t, name) -> list of names that look like it */
static int core_near_globals(lua_State *L)
{
  lt_thread *thread = bind_live_thread(L, bind_check(L, 1, BIND_THREAD));
  const char *name = luaL_checkstring(L, 2);
  char *names = NULL;
  lua_newtable(L);
  if (lt_variables_near(thread, name, &names) != 0)
    return 1;
  lua_Integer count = 0;
  for (const char *at = names; *at; at += strlen(at) + 1) {
    lua_pushstring(L, at);
    lua_rawseti(L, -2, ++count);
  }
  free(names);
  return 1;
}

static void set_flag(lua_State *L, const char *key, bool flag)
{
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, key);
}

static void push_variable(lua_State *L, const struct lt_variable *variable)
{
  lua_newtable(L);
  lua_pushstring(L, variable->name);
  lua_setfield(L, -2, "name");
  lua_pushinteger(L, variable->type.file);
  lua_setfield(L, -2, "type_file");
  compat_push_int64(L, (int64_t)variable->type.where);
  lua_setfield(L, -2, "type_where");
  lua_pushinteger(L, variable->level);
  lua_setfield(L, -2, "level");
  if (*variable->file) {
    lua_pushstring(L, variable->file);
    lua_setfield(L, -2, "file");
  }
  if (variable->line) {
    lua_pushinteger(L, variable->line);
    lua_setfield(L, -2, "line");
  }
  set_flag(L, "parameter", variable->flags & LT_VARIABLE_PARAMETER);
  set_flag(L, "artificial", variable->flags & LT_VARIABLE_ARTIFICIAL);
  set_flag(L, "thread", variable->flags & LT_VARIABLE_THREAD);
}

/* core.scope_list(scope) -> list of what is known of its variables, innermost first */
static int core_scope_list(lua_State *L)
{
  const struct scope *scope = luaL_checkudata(L, 1, SCOPE);
  const struct lt_variable *variable;
  lua_newtable(L);
  for (size_t i = 0; (variable = lt_variables_at(scope->variables, i)); i++) {
    push_variable(L, variable);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* core.scope_find(scope, name, only parameters) -> index, type's file, type's place | nothing */
static int core_scope_find(lua_State *L)
{
  const struct scope *scope = luaL_checkudata(L, 1, SCOPE);
  const char *name = luaL_checkstring(L, 2);
  bool only_parameters = lua_toboolean(L, 3);
  const struct lt_variable *variable;
  for (size_t i = 0; (variable = lt_variables_at(scope->variables, i)); i++) {
    if ((only_parameters && !(variable->flags & LT_VARIABLE_PARAMETER)) ||
        strcmp(variable->name, name) != 0)
      continue;
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_pushinteger(L, variable->type.file);
    compat_push_int64(L, (int64_t)variable->type.where);
    return 3;
  }
  return 0;
}

/* core.scope_locate(t, scope, index) -> address, or a location | nil, message, code */
static int core_scope_locate(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  const struct scope *scope = luaL_checkudata(L, 2, SCOPE);
  int64_t index = bind_check_int64(L, 3);
  struct bind_location *location = compat_new_userdata(L, sizeof *location);
  location->object = NULL;
  luaL_setmetatable(L, BIND_LOCATION);
  int error = lt_variable_locate(thread, scope->variables, (size_t)(index - 1), &location->object);
  uint64_t addr;
  if (error)
    return failure(L, box, error);
  if (lt_object_address(location->object, &addr))
    compat_push_int64(L, (int64_t)addr);
  return 1;
}

static void set_collector(lua_State *L, const char *name, lua_CFunction collect)
{
  luaL_newmetatable(L, name);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

void bind_open_variables(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"scope", core_scope},
      {"global", core_global},
      {"near_globals", core_near_globals},
      {"scope_list", core_scope_list},
      {"scope_find", core_scope_find},
      {"scope_locate", core_scope_locate},
      {NULL, NULL},
  };
  set_collector(L, SCOPE, free_scope);
  set_collector(L, BIND_LOCATION, free_location);
  luaL_setfuncs(L, functions, 0);
}
