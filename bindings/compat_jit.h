/* compat_jit.h - compat.h for LuaJIT 2.1.
 *
 * Its numbers are doubles: an integer that one of them holds exactly (up to 2^53 either way) is a
 * number, and any other is an int64_t cdata. LuaJIT's C interface has no functions for cdata, so a few
 * lines of Lua (compat_jit.c) carry them over. */
#ifndef LT_COMPAT_JIT_H
#define LT_COMPAT_JIT_H

#include <luajit.h>

#define COMPAT_TCDATA 10 /* lua_type() of cdata; no header tells */

/* ---- What Lua 5.1 lacks -------------------------------------------------------------------- */

static inline size_t lua_rawlen(lua_State *L, int index)
{
  return lua_objlen(L, index);
}

static inline void lua_rawgetp(lua_State *L, int index, const void *key)
{
  if (index < 0 && index > LUA_REGISTRYINDEX)
    index = lua_gettop(L) + index + 1;
  lua_pushlightuserdata(L, (void *)key);
  lua_rawget(L, index);
}

static inline void lua_rawsetp(lua_State *L, int index, const void *key)
{
  if (index < 0 && index > LUA_REGISTRYINDEX)
    index = lua_gettop(L) + index + 1;
  lua_pushlightuserdata(L, (void *)key);
  lua_insert(L, -2);
  lua_rawset(L, index);
}

/* The largest piece that a buffer has room for. */
#define COMPAT_PIECE ((size_t)LUAL_BUFFERSIZE)

static inline char *luaL_prepbuffsize(luaL_Buffer *buffer, size_t size)
{
  (void)size;
  return luaL_prepbuffer(buffer);
}

/* A buffer that is one piece of any size. */
static inline char *luaL_buffinitsize(lua_State *L, luaL_Buffer *buffer, size_t size)
{
  buffer->L = L;
  return lua_newuserdata(L, size ? size : 1);
}

static inline void luaL_pushresultsize(luaL_Buffer *buffer, size_t size)
{
  lua_State *L = buffer->L;
  lua_pushlstring(L, lua_touserdata(L, -1), size);
  lua_remove(L, -2);
}

/* Push what tostring() returns for a value. */
const char *luaL_tolstring(lua_State *L, int index, size_t *ret);

/* ---- compat.h ----------------------------------------------------------------------------- */

static inline void *compat_new_userdata(lua_State *L, size_t size)
{
  return lua_newuserdata(L, size);
}

/* A userdata refers to a table alone: the reference is in one. */
static inline void compat_set_reference(lua_State *L, int index)
{
  if (index < 0)
    index = lua_gettop(L) + index + 1;
  lua_createtable(L, 1, 0);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 1);
  lua_setfenv(L, index);
}

static inline void compat_get_reference(lua_State *L, int index)
{
  lua_getfenv(L, index);
  lua_rawgeti(L, -1, 1);
  lua_remove(L, -2);
}

static inline int compat_resume(lua_State *co, lua_State *from, int arguments, int *ret)
{
  (void)from;
  int status = lua_resume(co, arguments);
  *ret = status == LUA_OK || status == LUA_YIELD ? lua_gettop(co) : 1;
  return status;
}

/* The owner is kept where the allocator's data is: the only slot of a state that all its
 * coroutines share. */
struct compat_state {
  lua_Alloc allocate;
  void *data;
  void *owner;
  int64_t *box;     /* the memory of a cdata: an integer on its way */
  int make, unpack; /* registry references: a cdata of what is in the box, and the other way */
};

static inline struct compat_state *compat_state_of(lua_State *L)
{
  void *data;
  lua_getallocf(L, &data);
  return data;
}

static inline void *compat_owner(lua_State *L)
{
  return compat_state_of(L)->owner;
}

lua_State *compat_new_state(void *owner);
void compat_close_state(lua_State *L);
void compat_open(lua_State *L);
/* Give the chunk on the top of the stack, a module of the prelude, its environment. */
void compat_set_environment(lua_State *L);

/* A light userdata can have values below this many bits. LuaJIT tells 255 pieces of 2^39 apart; the
 * pointers among them need some. */
#define COMPAT_LIGHT_BITS 46

#define COMPAT_EXACT ((int64_t)1 << 53)

void compat_push_cdata(lua_State *L, int64_t value);
bool compat_to_int64(lua_State *L, int index, int64_t *ret);

static inline void compat_push_int64(lua_State *L, int64_t value)
{
  if (value >= -COMPAT_EXACT && value <= COMPAT_EXACT)
    lua_pushnumber(L, (lua_Number)value);
  else
    compat_push_cdata(L, value);
}

/* Cdata are compared by address as keys; a number or a text is not. */
void compat_push_key(lua_State *L, int64_t value);

static inline bool compat_is_float(lua_State *L, int index)
{
  if (lua_type(L, index) != LUA_TNUMBER)
    return false;
  lua_Number number = lua_tonumber(L, index);
  return !(number == (lua_Number)(int64_t)number);
}

/* Whether scripts take the value for a number. */
bool compat_is_number(lua_State *L, int index);

/* What an open file of this Lua begins with; NULL once it is closed. */
typedef struct {
  FILE *f;
} luaL_Stream;

/* Push a Lua file that reads or writes the descriptor, which is its own from then on. To close it,
 * `closer` is called with something that compat_close_file() understands. 0 or an errno. */
int compat_push_file(lua_State *L, int fd, bool reading, lua_CFunction closer);
/* The number that goes with the file on the top of the stack. */
void compat_set_file_number(lua_State *L, int number);
/* In `closer`: close the file; returns its number. */
int compat_close_file(lua_State *L);

#endif
