/* maps.c - the memory map of a process as a Lua list. */
#include <string.h>

#include "binding.h"

/* The maps live in C memory, so they are copied into Lua in a protected call: an error for lack
 * of memory must not lose them. Argument 1 is a struct listing. */
struct listing {
  const struct lt_map *maps;
  size_t count;
};

static void set_int(lua_State *L, const char *name, uint64_t value)
{
  compat_push_int64(L, (int64_t)value);
  lua_setfield(L, -2, name);
}

static int copy(lua_State *L)
{
  const struct listing *listing = lua_touserdata(L, 1);
  lua_createtable(L, (int)listing->count, 0);
  for (size_t i = 0; i < listing->count; i++) {
    const struct lt_map *map = &listing->maps[i];
    lua_createtable(L, 0, 6);
    set_int(L, "from", map->from);
    set_int(L, "to", map->to);
    set_int(L, "offset", map->offset);
    set_int(L, "inode", map->inode);
    lua_pushstring(L, map->perms);
    lua_setfield(L, -2, "perms");
    lua_pushstring(L, map->path);
    lua_setfield(L, -2, "path");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

int bind_push_maps(lua_State *L, lt_thread *thread)
{
  struct lt_map *maps;
  lua_pushcfunction(L, copy);
  ssize_t count = lt_maps(thread, &maps);
  if (count < 0)
    return bind_failure(L, (int)count);
  struct listing listing = {maps, (size_t)count};
  lua_pushlightuserdata(L, &listing);
  int status = lua_pcall(L, 1, 1, 0);
  lt_maps_free(maps, (size_t)count);
  return status == LUA_OK ? 1 : lua_error(L);
}
