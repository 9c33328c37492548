/* tables.c - what the engine knows about system calls, signals and errors, for the prelude. */
#include <string.h>

#include "binding.h"

static enum lt_abi check_abi(lua_State *L, int index)
{
  lua_Integer abi = luaL_checkinteger(L, index);
  luaL_argcheck(L, abi >= 0 && abi < LT_ABI_COUNT, index, "no such ABI");
  return (enum lt_abi)abi;
}

/* core.syscall_name(abi, nr) -> name, or nil for an unknown number */
static int core_syscall_name(lua_State *L)
{
  const struct lt_syscall *known =
      lt_syscall_find(check_abi(L, 1), (uint64_t)luaL_checkinteger(L, 2));
  lua_pushstring(L, known ? known->name : NULL);
  return 1;
}

/* core.syscall_number(abi, name) -> number, or nil where this ABI does not have it */
static int core_syscall_number(lua_State *L)
{
  enum lt_abi abi = check_abi(L, 1);
  const struct lt_syscall *known = lt_syscall_named(abi, luaL_checkstring(L, 2));
  if (known && known->nr[abi] >= 0)
    lua_pushinteger(L, known->nr[abi]);
  else
    lua_pushnil(L);
  return 1;
}

/* core.syscall_at(abi, index) -> name, number, classes; nothing at the end; index from 0 */
static int core_syscall_at(lua_State *L)
{
  enum lt_abi abi = check_abi(L, 1);
  const struct lt_syscall *known = lt_syscall_at(abi, (size_t)luaL_checkinteger(L, 2));
  if (!known)
    return 0;
  lua_pushstring(L, known->name);
  lua_pushinteger(L, known->nr[abi]);
  lua_pushinteger(L, known->classes);
  return 3;
}

/* core.syscall_nearest(name) -> the known name most like it, or nil */
static int core_syscall_nearest(lua_State *L)
{
  lua_pushstring(L, lt_syscall_nearest(luaL_checkstring(L, 1)));
  return 1;
}

/* core.argument_index(abi, nr, name) -> position of the argument from 0, or nil */
static int core_argument_index(lua_State *L)
{
  const struct lt_syscall *known =
      lt_syscall_find(check_abi(L, 1), (uint64_t)luaL_checkinteger(L, 2));
  const char *name = luaL_checkstring(L, 3);
  for (unsigned i = 0; known && known->known && i < known->count; i++) {
    const struct lt_arg *arg = &known->args[i];
    if (strcmp(arg->name, name) == 0 || (arg->alias && strcmp(arg->alias, name) == 0)) {
      lua_pushinteger(L, i);
      return 1;
    }
  }
  lua_pushnil(L);
  return 1;
}

/* core.class_bit(name) -> bit of a class of system calls, nil if there is no such class */
static int core_class_bit(lua_State *L)
{
  uint32_t bit = lt_class_find(luaL_checkstring(L, 1));
  if (bit)
    lua_pushinteger(L, bit);
  else
    lua_pushnil(L);
  return 1;
}

/* core.has_class(classes, bit) -> whether the bit is set */
static int core_has_class(lua_State *L)
{
  lua_pushboolean(L, (luaL_checkinteger(L, 1) & luaL_checkinteger(L, 2)) != 0);
  return 1;
}

/* core.class_names() -> list */
static int core_class_names(lua_State *L)
{
  const char *name;
  lua_newtable(L);
  for (size_t i = 0; (name = lt_class_at(i)); i++) {
    lua_pushstring(L, name);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* core.errno(name) -> number; core.errno(number) -> name; nil if unknown */
static int core_errno(lua_State *L)
{
  int64_t number;
  if (compat_to_int64(L, 1, &number)) {
    bool sane = number > 0 && number < 4096;
    lua_pushstring(L, sane ? lt_errno_name((int)number) : NULL);
    return 1;
  }
  int error = lt_errno_number(luaL_checkstring(L, 1));
  if (error)
    lua_pushinteger(L, error);
  else
    lua_pushnil(L);
  return 1;
}

/* core.signo(name) -> number; core.signo(number) -> name; nil if unknown */
static int core_signo(lua_State *L)
{
  int64_t number;
  if (compat_to_int64(L, 1, &number)) {
    bool sane = number > 0 && number <= 64;
    lua_pushstring(L, sane ? lt_signal_name((int)number) : NULL);
    return 1;
  }
  int signo = lt_signal_number(luaL_checkstring(L, 1));
  if (signo)
    lua_pushinteger(L, signo);
  else
    lua_pushnil(L);
  return 1;
}

/* core.errno_text(number) -> "No such file or directory" */
static int core_errno_text(lua_State *L)
{
  const char *text = lt_errno_text((int)luaL_checkinteger(L, 1));
  lua_pushstring(L, text ? text : "unknown error");
  return 1;
}

void bind_open_tables(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"syscall_name", core_syscall_name},
      {"syscall_number", core_syscall_number},
      {"syscall_at", core_syscall_at},
      {"syscall_nearest", core_syscall_nearest},
      {"argument_index", core_argument_index},
      {"class_bit", core_class_bit},
      {"has_class", core_has_class},
      {"class_names", core_class_names},
      {"errno", core_errno},
      {"errno_text", core_errno_text},
      {"signo", core_signo},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
  lua_newtable(L); /* core.abis: names by number from 0 */
  for (unsigned abi = 0; abi < LT_ABI_COUNT; abi++) {
    lua_pushstring(L, bind_abi_name(abi));
    lua_rawseti(L, -2, (lua_Integer)abi);
  }
  lua_setfield(L, -2, "abis");
  lua_pushinteger(L, LT_ABI_COUNT - 1);
  lua_setfield(L, -2, "last_abi");
}
