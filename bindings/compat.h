/* compat.h - what differs between versions of Lua, and nothing else does. Everything in bindings/
 * calls these instead of the functions that changed. A port to LuaJIT writes this list once more,
 * and defines what Lua 5.1 lacks: LUA_OK, lua_rawgetp, lua_rawsetp, lua_rawlen, luaL_prepbuffsize,
 * luaL_buffinitsize, luaL_pushresultsize. */
#ifndef LT_COMPAT_H
#define LT_COMPAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#if LUA_VERSION_NUM < 504
#error "this luatrace is for Lua 5.4"
#endif

/* A new userdata with room for one reference to another Lua value. */
static inline void *compat_new_userdata(lua_State *L, size_t size)
{
  return lua_newuserdatauv(L, size, 1);
}

/* Pop a value and make it the reference of the userdata at `index`; push that reference. */
static inline void compat_set_reference(lua_State *L, int index)
{
  lua_setiuservalue(L, index, 1);
}

static inline void compat_get_reference(lua_State *L, int index)
{
  lua_getiuservalue(L, index, 1);
}

/* Resume `co` with the arguments on its stack; *ret results are left there. */
static inline int compat_resume(lua_State *co, lua_State *from, int arguments, int *ret)
{
  return lua_resume(co, from, arguments, ret);
}

/* A slot for a pointer that belongs to the whole Lua state, the same in all coroutines. Written
 * before the first coroutine is made. */
static inline void compat_set_owner(lua_State *L, void *owner)
{
  *(void **)lua_getextraspace(L) = owner;
}

static inline void *compat_owner(lua_State *L)
{
  return *(void **)lua_getextraspace(L);
}

/* A light userdata can have values below this many bits. */
#define COMPAT_LIGHT_BITS 64

/* Exact 64-bit integers. Unsigned values show the same bits. */
static inline void compat_push_int64(lua_State *L, int64_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
}

static inline bool compat_to_int64(lua_State *L, int index, int64_t *ret)
{
  int ok = 0;
  *ret = lua_type(L, index) == LUA_TNUMBER ? (int64_t)lua_tointegerx(L, index, &ok) : 0;
  return ok;
}

/* A number that is no integer, not even by its kind (2.0). */
static inline bool compat_is_float(lua_State *L, int index)
{
  return lua_type(L, index) == LUA_TNUMBER && !lua_isinteger(L, index);
}

/* A Lua file object that closes by calling `close`. `size` is that of a structure that begins with
 * a luaL_Stream; the caller fills in its `f`. */
static inline luaL_Stream *compat_new_file(lua_State *L, size_t size, lua_CFunction close)
{
  luaL_Stream *stream = lua_newuserdatauv(L, size, 0);
  stream->f = NULL;
  stream->closef = NULL; /* closed, as far as Lua is concerned, until it is filled in */
  luaL_setmetatable(L, LUA_FILEHANDLE);
  stream->closef = close;
  return stream;
}

#endif
