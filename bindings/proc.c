/* proc.c - see proc.h.
 *
 * Files are read a block at a time and closed after each, so that no descriptor is open while Lua
 * may raise an error for lack of memory. */
#include "proc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 4096
#define MOST ((off_t)1 << 20) /* of a file; arguments may be that long */

static void make_path(char path[64], pid_t pid, pid_t tid, const char *name)
{
  if (tid)
    snprintf(path, 64, "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
  else
    snprintf(path, 64, "/proc/%d/%s", (int)pid, name);
}

static ssize_t read_block(const char *path, char block[BLOCK], off_t offset)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return -1;
  ssize_t got = pread(fd, block, BLOCK, offset);
  close(fd);
  return got;
}

void bind_proc_push_file(lua_State *L, pid_t pid, pid_t tid, const char *name, bool chop_newline)
{
  char path[64], block[BLOCK];
  make_path(path, pid, tid, name);
  ssize_t got = read_block(path, block, 0);
  if (got < 0) {
    lua_pushnil(L);
    return;
  }
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (off_t offset = 0; got > 0 && offset < MOST; got = read_block(path, block, offset)) {
    luaL_addlstring(&buffer, block, (size_t)got);
    offset += got;
  }
  luaL_pushresult(&buffer);
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  if (chop_newline && size > 0 && text[size - 1] == '\n') {
    lua_pushlstring(L, text, size - 1);
    lua_remove(L, -2);
  }
}

void bind_proc_push_link(lua_State *L, pid_t pid, const char *name)
{
  char path[64], target[BLOCK];
  make_path(path, pid, 0, name);
  ssize_t size = readlink(path, target, sizeof target);
  if (size < 0)
    lua_pushnil(L);
  else
    lua_pushlstring(L, target, (size_t)size);
}

void bind_proc_push_cmdline(lua_State *L, pid_t pid)
{
  bind_proc_push_file(L, pid, 0, "cmdline", false);
  lua_newtable(L);
  size_t size = 0;
  const char *at = lua_tolstring(L, -2, &size);
  for (lua_Integer i = 1; at && size > 0; i++) {
    size_t length = strnlen(at, size);
    lua_pushlstring(L, at, length);
    lua_rawseti(L, -2, i);
    size_t step = length < size ? length + 1 : length;
    at += step;
    size -= step;
  }
  lua_remove(L, -2);
}

long bind_proc_nspid(pid_t pid, pid_t tid)
{
  char path[64], block[BLOCK];
  make_path(path, pid, tid, "status");
  ssize_t got = read_block(path, block, 0);
  if (got <= 0)
    return 0;
  block[got < BLOCK ? got : BLOCK - 1] = '\0';
  const char *line = strstr(block, "\nNSpid:");
  if (!line)
    return tid;
  long last = 0;
  char *end = (char *)line + strlen("\nNSpid:");
  for (; *end == '\t' || *end == ' ';) /* outermost first */
    last = strtol(end, &end, 10);
  return last;
}

long bind_proc_ppid(pid_t pid)
{
  char path[64], block[BLOCK];
  make_path(path, pid, 0, "stat");
  ssize_t got = read_block(path, block, 0);
  if (got <= 0)
    return 0;
  block[got < BLOCK ? got : BLOCK - 1] = '\0';
  const char *name_end = strrchr(block, ')'); /* the name may hold anything */
  return name_end && strlen(name_end) > 4 ? strtol(name_end + 4, NULL, 10) : 0;
}
