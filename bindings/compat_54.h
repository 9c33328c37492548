/* compat_54.h - compat.h for Lua 5.4. */
#ifndef LT_COMPAT_54_H
#define LT_COMPAT_54_H

/* How much room in a buffer is asked for at a time, so that its size follows what is there. */
#define COMPAT_PIECE ((size_t)65536)

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

/* A Lua state with a slot for a pointer, the same in all coroutines. NULL: out of memory. */
static inline lua_State *compat_new_state(void *owner)
{
  lua_State *L = luaL_newstate();
  if (L)
    *(void **)lua_getextraspace(L) = owner;
  return L;
}

static inline void compat_close_state(lua_State *L)
{
  lua_close(L);
}

/* What the libraries of this Lua lack; called once, with the libraries open. */
static inline void compat_open(lua_State *L)
{
  (void)L;
}

static inline void *compat_owner(lua_State *L)
{
  return *(void **)lua_getextraspace(L);
}

/* Give the chunk on the top of the stack, a module of the prelude, its environment. */
static inline void compat_set_environment(lua_State *L)
{
  (void)L;
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

/* Push a key of tables for an exact 64-bit integer. */
static inline void compat_push_key(lua_State *L, int64_t value)
{
  compat_push_int64(L, value);
}

/* Is the value at `index` a number for scripts? */
static inline bool compat_is_number(lua_State *L, int index)
{
  return lua_type(L, index) == LUA_TNUMBER;
}

/* What a file of ours is: Lua's io functions see the stream. */
struct compat_file {
  luaL_Stream stream;
  int number;
};

/* Push a Lua file that reads or writes the descriptor, which is its own from then on. To close it,
 * `closer` is called with something that compat_close_file() understands. 0 or an errno. */
static inline int compat_push_file(lua_State *L, int fd, bool reading, lua_CFunction closer)
{
  struct compat_file *file = lua_newuserdatauv(L, sizeof *file, 0);
  file->stream.closef = NULL; /* closed, as far as Lua is concerned, until it is filled in */
  luaL_setmetatable(L, LUA_FILEHANDLE);
  file->stream.f = fdopen(fd, reading ? "r" : "w");
  if (!file->stream.f)
    return errno;
  file->stream.closef = closer;
  return 0;
}

/* The number that goes with the file on the top of the stack. */
static inline void compat_set_file_number(lua_State *L, int number)
{
  struct compat_file *file = lua_touserdata(L, -1);
  file->number = number;
}

/* In `closer`: close the file; returns its number. */
static inline int compat_close_file(lua_State *L)
{
  struct compat_file *file = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  fclose(file->stream.f);
  return file->number;
}

#endif
