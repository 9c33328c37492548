/* values.c - numbers from Lua, exact. */
#include "binding.h"

int64_t bind_check_int64(lua_State *L, int index)
{
  int64_t value;
  if (compat_to_int64(L, index, &value))
    return value;
  if (lua_type(L, index) == LUA_TNUMBER)
    bind_raise(L, "number has no integer representation");
  bind_raise(L, "integer expected, got %s", luaL_typename(L, index));
}

uint64_t bind_check_address(lua_State *L, int index)
{
  if (!compat_is_number(L, index))
    bind_raise(L, "address expected, got %s", luaL_typename(L, index));
  return (uint64_t)bind_check_int64(L, index);
}
