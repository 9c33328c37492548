/* compat_jit.c - what LuaJIT needs beyond what compat_jit.h has: its state, 64-bit integers, files.
 * Of no use, and empty, for other versions of Lua. */
#include "compat.h"

#if LUA_VERSION_NUM == 501

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Registry keys: by file, { number, close }; the environment of the prelude */
#define FILES "luatrace.files"
#define ENVIRONMENT "luatrace.environment"

/* ---- The state ---------------------------------------------------------------------------- */

static void *allocate(void *data, void *block, size_t before, size_t after)
{
  const struct compat_state *state = data;
  return state->allocate(state->data, block, before, after);
}

lua_State *compat_new_state(void *owner)
{
  struct compat_state *state = calloc(1, sizeof *state);
  lua_State *L = state ? luaL_newstate() : NULL;
  if (!L) {
    free(state);
    return NULL;
  }
  state->allocate = lua_getallocf(L, &state->data);
  state->owner = owner;
  lua_setallocf(L, allocate, state);
  return L;
}

/* LuaJIT's own allocator is given up with all its memory only if it is still in its place; what
 * finalizers ask for must be found until then. The memory ends with the process. */
void compat_close_state(lua_State *L)
{
  struct compat_state *state = compat_state_of(L);
  lua_close(L);
  free(state);
}

/* ---- 64-bit integers ---------------------------------------------------------------------- */

void compat_push_cdata(lua_State *L, int64_t value)
{
  const struct compat_state *state = compat_state_of(L);
  luaL_checkstack(L, 2, NULL);
  *state->box = value;
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->make);
  lua_call(L, 0, 1);
}

static bool unpack(lua_State *L, int index, int64_t *ret)
{
  const struct compat_state *state = compat_state_of(L);
  luaL_checkstack(L, 3, NULL);
  lua_pushvalue(L, index);
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->unpack);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  bool ok = lua_toboolean(L, -1);
  lua_pop(L, 1);
  *ret = ok ? *state->box : 0;
  return ok;
}

/* 2^63 to 2^64 are what literals of the upper half are for Lua 5.4: the same bits. */
static bool exact(lua_Number number, int64_t *ret)
{
  *ret = 0;
  if (number >= -0x1p63 && number < 0x1p63)
    *ret = (int64_t)number;
  else if (number >= 0x1p63 && number < 0x1p64)
    *ret = (int64_t)(uint64_t)number;
  else
    return false;
  return number == (lua_Number)*ret || number == (lua_Number)(uint64_t)*ret;
}

bool compat_to_int64(lua_State *L, int index, int64_t *ret)
{
  *ret = 0;
  if (lua_type(L, index) == LUA_TNUMBER)
    return exact(lua_tonumber(L, index), ret);
  return lua_type(L, index) == COMPAT_TCDATA && unpack(L, index, ret);
}

bool compat_is_number(lua_State *L, int index)
{
  int64_t value;
  return lua_type(L, index) == LUA_TNUMBER || compat_to_int64(L, index, &value);
}

void compat_push_key(lua_State *L, int64_t value)
{
  char text[24];
  if (value >= -COMPAT_EXACT && value <= COMPAT_EXACT) {
    lua_pushnumber(L, (lua_Number)value);
  } else {
    snprintf(text, sizeof text, "%#llx", (unsigned long long)value);
    lua_pushstring(L, text);
  }
}

const char *luaL_tolstring(lua_State *L, int index, size_t *ret)
{
  if (index < 0 && index > LUA_REGISTRYINDEX)
    index = lua_gettop(L) + index + 1;
  lua_getglobal(L, "tostring");
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
  return lua_tolstring(L, -1, ret);
}

/* ---- Files -------------------------------------------------------------------------------- */

int compat_push_file(lua_State *L, int fd, bool reading, lua_CFunction closer)
{
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  lua_getglobal(L, "io");
  lua_getfield(L, -1, "open");
  lua_remove(L, -2);
  lua_pushstring(L, path);
  lua_pushstring(L, reading ? "r" : "w");
  lua_call(L, 2, 1);
  FILE *const *file = lua_touserdata(L, -1);
  if (!file)
    return errno;
  fcntl(fileno(*file), F_SETFD, FD_CLOEXEC);
  close(fd);

  lua_getfield(L, LUA_REGISTRYINDEX, FILES);
  lua_pushvalue(L, -2);
  lua_createtable(L, 2, 0);
  lua_pushcfunction(L, closer);
  lua_rawseti(L, -2, 2);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return 0;
}

void compat_set_file_number(lua_State *L, int number)
{
  lua_getfield(L, LUA_REGISTRYINDEX, FILES);
  lua_pushvalue(L, -2);
  lua_rawget(L, -2);
  lua_pushinteger(L, number);
  lua_rawseti(L, -2, 1);
  lua_pop(L, 2);
}

/* The library's own close has been called by then (jit.lua). */
int compat_close_file(lua_State *L)
{
  return (int)luaL_checkinteger(L, 1);
}

/* ---- Opening ------------------------------------------------------------------------------ */

void compat_open(lua_State *L)
{
  struct compat_state *state = compat_state_of(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "luatrace.jit");
  lua_call(L, 1, 1);
  luaL_newmetatable(L, FILES); /* any table of the registry that is ours */
  lua_call(L, 1, 4);
  lua_setfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
  state->unpack = luaL_ref(L, LUA_REGISTRYINDEX);
  state->make = luaL_ref(L, LUA_REGISTRYINDEX);
  state->box = (int64_t *)lua_topointer(L, -1);
  luaL_ref(L, LUA_REGISTRYINDEX);
}

void compat_set_environment(lua_State *L)
{
  lua_getfield(L, LUA_REGISTRYINDEX, ENVIRONMENT);
  if (lua_istable(L, -1))
    lua_setfenv(L, -2);
  else
    lua_pop(L, 1);
}

#endif
