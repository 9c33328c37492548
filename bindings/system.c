/* system.c - what the prelude needs from the system beyond Lua's own library. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "binding.h"

/* core.now() -> seconds on a clock that only goes forward */
static int core_now(lua_State *L)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec * 1e-9);
  return 1;
}

/* core.executable() -> path of the luatrace that runs, or nil */
static int core_executable(lua_State *L)
{
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  if (size < 0)
    lua_pushnil(L);
  else
    lua_pushlstring(L, path, (size_t)size);
  return 1;
}

/* core.is_file(path) -> whether there is a file of this name that is no directory */
static int core_is_file(lua_State *L)
{
  struct stat st;
  lua_pushboolean(L, stat(luaL_checkstring(L, 1), &st) == 0 && !S_ISDIR(st.st_mode));
  return 1;
}

void bind_open_system(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"now", core_now},
      {"executable", core_executable},
      {"is_file", core_is_file},
      {"popen", bind_popen},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
  lua_pushstring(L, lt_version());
  lua_setfield(L, -2, "version");
}
