/* memory.c - t.mem: reading, writing and searching memory. */
#include <errno.h>
#include <string.h>

#include "binding.h"

#define BLOCK 4096      /* bytes of an array that are converted at a time */
#define STRING_MAX 4096 /* of t.mem:str() without a limit */
#define STRING_LIMIT ((lua_Integer)1 << 26)

/* Argument 1 as a thread that lives. */
static lt_thread *checked_thread(lua_State *L, struct bind_thread **ret)
{
  struct bind_view *view = bind_check(L, 1, BIND_MEM);
  *ret = view->thread;
  return bind_live_thread(L, view->thread);
}

static int failure(lua_State *L, const struct bind_thread *box, ssize_t error)
{
  if (error == -EBUSY)
    bind_check_access(L, box, (int)error);
  return bind_failure(L, (int)error);
}

/* ---- Bytes -------------------------------------------------------------------------------- */

/* Append up to `size` bytes at `addr` to the buffer. Returns how many, or a negated errno if there
 * were none. */
static ssize_t add_bytes(luaL_Buffer *buffer, lt_thread *thread, uint64_t addr, size_t size)
{
  size_t done = 0;
  while (done < size) {
    size_t wanted = size - done < COMPAT_PIECE ? size - done : COMPAT_PIECE;
    char *room = luaL_prepbuffsize(buffer, wanted);
    ssize_t got = lt_mem_read(thread, addr + done, room, wanted);
    if (got < 0)
      return done ? (ssize_t)done : got;
    luaL_addsize(buffer, (size_t)got);
    done += (size_t)got;
    if ((size_t)got < wanted)
      break;
  }
  return (ssize_t)done;
}

/* mem:read(addr, n) -> bytes [, missing] | nil, message, code */
static int mem_read(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = checked_thread(L, &box);
  uint64_t addr = bind_check_address(L, 2);
  int64_t size = bind_check_int64(L, 3);
  if (size < 0 || (uint64_t)size > LT_MEM_MAX)
    return bind_failure(L, E2BIG);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  ssize_t got = add_bytes(&buffer, thread, addr, (size_t)size);
  if (got < 0)
    return failure(L, box, got);
  luaL_pushresult(&buffer);
  if (got == size)
    return 1;
  lua_pushinteger(L, (lua_Integer)(size - got));
  return 2;
}

/* mem:write(addr, bytes) -> n | nil, message, code; n is smaller than #bytes before a hole */
static int mem_write(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = checked_thread(L, &box);
  uint64_t addr = bind_check_address(L, 2);
  size_t size;
  if (lua_type(L, 3) != LUA_TSTRING)
    bind_raise(L, "a string of bytes expected, got %s", luaL_typename(L, 3));
  const char *bytes = lua_tolstring(L, 3, &size);
  ssize_t done = lt_mem_write(thread, addr, bytes, size);
  if (done < 0)
    return failure(L, box, done);
  lua_pushinteger(L, (lua_Integer)done);
  return 1;
}

/* mem:str(addr [, max]) -> text [, cut] | nil, message, code; cut is true where no NUL was found */
static int mem_str(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = checked_thread(L, &box);
  uint64_t addr = bind_check_address(L, 2);
  int64_t max = lua_isnoneornil(L, 3) ? STRING_MAX : bind_check_int64(L, 3);
  if (max < 0 || max > STRING_LIMIT)
    return bind_failure(L, E2BIG);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  bool whole = false;
  size_t done = 0;
  do {
    size_t left = (size_t)max - done, wanted = left < STRING_MAX ? left : STRING_MAX;
    char *room = luaL_prepbuffsize(&buffer, wanted + 1);
    ssize_t got = lt_mem_string(thread, addr + done, room, wanted, &whole);
    if (got < 0 && done == 0)
      return failure(L, box, got);
    if (got < 0)
      break;
    luaL_addsize(&buffer, (size_t)got);
    done += (size_t)got;
    if ((size_t)got < wanted)
      break;
  } while (!whole && done < (size_t)max);
  luaL_pushresult(&buffer);
  if (whole)
    return 1;
  lua_pushboolean(L, 1);
  return 2;
}

/* ---- Typed values ------------------------------------------------------------------------- */

enum form { UNSIGNED, SIGNED, FLOAT, POINTER };

struct type {
  const char *name;
  enum form form;
  size_t size; /* bytes; of POINTER the ABI says */
};

static const struct type types[] = {
    {"u8", UNSIGNED, 1}, {"u16", UNSIGNED, 2}, {"u32", UNSIGNED, 4}, {"u64", UNSIGNED, 8},
    {"i8", SIGNED, 1},   {"i16", SIGNED, 2},   {"i32", SIGNED, 4},   {"i64", SIGNED, 8},
    {"f32", FLOAT, 4},   {"f64", FLOAT, 8},    {"ptr", POINTER, 0},
};

static size_t size_of(const struct type *type, lt_thread *thread)
{
  return type->form == POINTER ? bind_pointer_size(lt_thread_abi(thread)) : type->size;
}

static void push_value(lua_State *L, const struct type *type, const void *bytes, size_t size)
{
  uint64_t bits = 0;
  memcpy(&bits, bytes, size);
  if (type->form == FLOAT && size == 4) {
    float number;
    memcpy(&number, bytes, size);
    lua_pushnumber(L, (lua_Number)number);
  } else if (type->form == FLOAT) {
    double number;
    memcpy(&number, bytes, size);
    lua_pushnumber(L, number);
  } else {
    unsigned unused = (unsigned)(64 - 8 * size);
    int64_t value = (int64_t)bits;
    if (type->form == SIGNED)
      value = (int64_t)(bits << unused) >> unused;
    compat_push_int64(L, value);
  }
}

static void check_range(lua_State *L, const struct type *type, int64_t value, size_t size)
{
  if (size == 8)
    return;
  int64_t limit = (int64_t)1 << (8 * size);
  int64_t low = type->form == SIGNED ? -limit / 2 : 0;
  int64_t high = type->form == SIGNED ? limit / 2 : limit;
  if (value < low || value >= high)
    bind_raise(L, "%lld does not fit into %s", (long long)value, type->name);
}

static void convert(lua_State *L, int index, const struct type *type, size_t size, uint64_t *ret)
{
  *ret = 0;
  if (type->form == FLOAT) {
    if (lua_type(L, index) != LUA_TNUMBER)
      bind_raise(L, "number expected, got %s", luaL_typename(L, index));
    double number = (double)lua_tonumber(L, index);
    float narrow = (float)number;
    memcpy(ret, size == 4 ? (const void *)&narrow : (const void *)&number, size);
  } else {
    int64_t value = bind_check_int64(L, index);
    check_range(L, type, value, size);
    memcpy(ret, &value, size);
  }
}

/* mem:u8(addr) -> value; mem:u8(addr, value) -> true; | nil, message, code. The same for each row
 * of `types`, whose index is the upvalue. */
static int mem_typed(lua_State *L)
{
  const struct type *type = &types[lua_tointeger(L, lua_upvalueindex(1))];
  struct bind_thread *box;
  lt_thread *thread = checked_thread(L, &box);
  uint64_t addr = bind_check_address(L, 2), bits;
  size_t size = size_of(type, thread);
  ssize_t done;
  if (lua_isnoneornil(L, 3)) {
    done = lt_mem_read(thread, addr, &bits, size);
  } else {
    convert(L, 3, type, size, &bits);
    done = lt_mem_write(thread, addr, &bits, size);
  }
  if (done < 0)
    return failure(L, box, done);
  if ((size_t)done < size)
    return bind_failure(L, EFAULT);
  if (lua_isnoneornil(L, 3))
    push_value(L, type, &bits, size);
  else
    lua_pushboolean(L, 1);
  return 1;
}

static const struct type *check_type(lua_State *L, int index)
{
  const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].name, name) == 0)
      return &types[i];
  bind_raise(L, "there is no type '%s'; the types are u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 ptr",
             name);
}

/* mem:array(addr, type, n) -> list [, missing] | nil, message, code */
static int mem_array(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = checked_thread(L, &box);
  uint64_t addr = bind_check_address(L, 2);
  const struct type *type = check_type(L, 3);
  int64_t count = bind_check_int64(L, 4), done = 0;
  size_t size = size_of(type, thread);
  if (count < 0 || (uint64_t)count > LT_MEM_MAX / size)
    return bind_failure(L, E2BIG);
  lua_newtable(L);
  while (done < count) {
    char block[BLOCK];
    size_t wanted = (size_t)(count - done) * size;
    if (wanted > sizeof block)
      wanted = sizeof block;
    ssize_t got = lt_mem_read(thread, addr + (uint64_t)done * size, block, wanted);
    if (got < 0 && done == 0)
      return failure(L, box, got);
    size_t whole = got < 0 ? 0 : (size_t)got / size;
    for (size_t i = 0; i < whole; i++) {
      push_value(L, type, block + i * size, size);
      lua_rawseti(L, -2, (lua_Integer)++done);
    }
    if (whole * size < wanted)
      break;
  }
  if (done == 0 && count > 0)
    return bind_failure(L, EFAULT);
  if (done == count)
    return 1;
  lua_pushinteger(L, (lua_Integer)(count - done));
  return 2;
}

/* ---- Search ------------------------------------------------------------------------------- */

/* Search all readable maps. Returns as lt_mem_search(). */
static int search_maps(lt_thread *thread, const char *bytes, size_t size, uint64_t *ret)
{
  struct lt_map *maps;
  ssize_t count = lt_maps(thread, &maps);
  if (count < 0)
    return (int)count;
  int found = 0;
  for (ssize_t i = 0; i < count && found <= 0; i++) {
    uint64_t to = maps[i].to;
    if (maps[i].perms[0] != 'r')
      continue;
    if (i + 1 < count && maps[i + 1].from == to && maps[i + 1].perms[0] == 'r')
      to += size - 1; /* a match may reach into the next one */
    found = lt_mem_search(thread, maps[i].from, to, bytes, size, ret);
  }
  lt_maps_free(maps, (size_t)count);
  return found;
}

/* mem:search(bytes [, from, to]) -> addr | nil [, message, code]; by default in all readable maps
 */
static int mem_search(lua_State *L)
{
  struct bind_thread *box;
  lt_thread *thread = checked_thread(L, &box);
  size_t size;
  const char *bytes = luaL_checklstring(L, 2, &size);
  uint64_t addr;
  int found;
  if (size == 0)
    bind_raise(L, "there is nothing to search for: the string is empty");
  if (!lt_thread_stopped(thread))
    bind_check_access(L, box, -EBUSY);
  if (lua_isnoneornil(L, 3)) {
    found = search_maps(thread, bytes, size, &addr);
  } else {
    uint64_t from = bind_check_address(L, 3);
    found = lt_mem_search(thread, from, bind_check_address(L, 4), bytes, size, &addr);
  }
  if (found < 0)
    return failure(L, box, found);
  if (found)
    compat_push_int64(L, (int64_t)addr);
  else
    lua_pushnil(L);
  return 1;
}

/* mem:maps() -> list of { from, to, perms, offset, path, inode } */
static int mem_maps(lua_State *L)
{
  struct bind_thread *box;
  return bind_push_maps(L, checked_thread(L, &box));
}

/* ---- The class ---------------------------------------------------------------------------- */

static int mem_index(lua_State *L)
{
  bind_check(L, 1, BIND_MEM);
  bind_attribute(L); /* there are only methods */
  return lua_isnil(L, -1) ? bind_no_attribute(L, "memory") : 1;
}

static int mem_tostring(lua_State *L)
{
  struct bind_view *view = bind_check(L, 1, BIND_MEM);
  lua_pushfstring(L, "memory of thread %d", (int)view->thread->tid);
  return 1;
}

static const luaL_Reg methods[] = {
    {"read", mem_read},     {"write", mem_write}, {"str", mem_str}, {"array", mem_array},
    {"search", mem_search}, {"maps", mem_maps},   {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", mem_tostring},
    {NULL, NULL},
};

const struct bind_class bind_mem_class = {
    .name = "memory",
    .index = mem_index,
    .meta = meta,
    .methods = methods,
};

void bind_open_memory(lua_State *L)
{
  lua_getfield(L, -1, "methods");
  lua_getfield(L, -1, bind_mem_class.name);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    lua_pushinteger(L, (lua_Integer)i);
    lua_pushcclosure(L, mem_typed, 1);
    lua_setfield(L, -2, types[i].name);
  }
  lua_pop(L, 2);
}
