/* system.c - what the prelude needs from the system beyond Lua's own library. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "binding.h"
#include "proc.h"

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

/* core.lost_privilege(p) -> the path of its program and "set-uid" or "set-gid", if the program's
 * file would have given it another identity but for us; nothing if not. The kernel ignores those
 * bits under a tracer that is no superuser. */
static int core_lost_privilege(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  char link[64];
  struct stat st;
  struct statvfs fs;
  snprintf(link, sizeof link, "/proc/%d/exe", (int)box->pid);
  if (geteuid() == 0 || stat(link, &st) != 0 || statvfs(link, &fs) != 0 || fs.f_flag & ST_NOSUID)
    return 0;
  bool uid = st.st_mode & S_ISUID && st.st_uid != geteuid();
  bool gid = st.st_mode & S_ISGID && st.st_mode & S_IXGRP && st.st_gid != getegid();
  if (!uid && !gid)
    return 0;
  bind_proc_push_link(L, box->pid, "exe");
  lua_pushstring(L, uid ? "set-uid" : "set-gid");
  return 2;
}

/* core.has_failed(file) -> whether something could not be written to this open file */
static int core_has_failed(lua_State *L)
{
  FILE *const *file = luaL_checkudata(L, 1, LUA_FILEHANDLE); /* it begins with this */
  lua_pushboolean(L, *file && ferror(*file));
  return 1;
}

/* core.directory(path) -> list of the names in a directory, empty if it cannot be read */
static int core_directory(lua_State *L)
{
  struct dirent **entries;
  lua_newtable(L);
  int count = scandir(luaL_checkstring(L, 1), &entries, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    lua_pushstring(L, entries[i]->d_name);
    lua_rawseti(L, -2, i + 1);
    free(entries[i]);
  }
  if (count >= 0)
    free(entries);
  return 1;
}

void bind_open_system(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"now", core_now},
      {"executable", core_executable},
      {"is_file", core_is_file},
      {"has_failed", core_has_failed},
      {"directory", core_directory},
      {"lost_privilege", core_lost_privilege},
      {"popen", bind_popen},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
  lua_pushboolean(L, geteuid() == 0);
  lua_setfield(L, -2, "superuser");
  lua_pushstring(L, lt_version());
  lua_setfield(L, -2, "version");
}
