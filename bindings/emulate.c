/* emulate.c - calls that scripts answer in the kernel's place, and the descriptors of virtual
 * files.
 *
 * A virtual file's descriptor is a real one: of an empty memory file (memfd_create) that the
 * program makes where it wanted to open the path. So its numbers, copies and inheritance are the
 * kernel's business. Which virtual file a descriptor belongs to is asked of the kernel at each
 * call: a memory file has a number of its own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binding.h"

#define MEMORY_FILE "/memfd:"
#define NAME_MAX_MEMFD 240 /* memfd_create takes names a little longer */

/* ---- Emulated processes ------------------------------------------------------------------- */

/* core.emulate(p, on): are its calls answered by a script? */
static int core_emulate(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  lt_process_emulate(bind_live_process(L, box), lua_toboolean(L, 2));
  return 0;
}

/* core.emulated(t) -> whether t is in a call that a script is to answer */
static int core_emulated(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lua_pushboolean(L, lt_call_emulated(bind_live_thread(L, box)));
  return 1;
}

static lt_thread *call_thread(lua_State *L, struct bind_call *ret)
{
  *ret = bind_check_call(L, 1, BIND_CALL);
  bind_live_call(L, ret);
  return ret->thread->thread;
}

static int check(lua_State *L, const struct bind_call *call, int error)
{
  bind_check_access(L, call->thread, error);
  if (error)
    bind_raise(L, "%s", lt_error(bind_of(L)->session));
  return 0;
}

/* core.pass(call): the kernel makes it after all */
static int core_pass(lua_State *L)
{
  struct bind_call call;
  lt_thread *thread = call_thread(L, &call);
  return check(L, &call, lt_call_pass(thread));
}

/* core.answer(call, value): the kernel does not make it; negative: a negated errno */
static int core_answer(lua_State *L)
{
  struct bind_call call;
  lt_thread *thread = call_thread(L, &call);
  return check(L, &call, lt_call_skip(thread, bind_check_int64(L, 2)));
}

/* ---- Calls in the place of others --------------------------------------------------------- */

static int become(lua_State *L, const struct bind_call *call, const char *name, uint64_t first,
                  uint64_t second, uint64_t third)
{
  lt_thread *thread = call->thread->thread;
  uint32_t abi = lt_thread_call(thread)->abi;
  uint64_t nr = (uint64_t)lt_syscall_named((enum lt_abi)abi, name)->nr[abi];
  check(L, call, lt_call_become(thread, nr));
  check(L, call, lt_call_set_arg(thread, 0, first));
  check(L, call, lt_call_set_arg(thread, 1, second));
  return check(L, call, lt_call_set_arg(thread, 2, third));
}

/* core.become_memory(call, index, cloexec): instead of opening the path that is argument `index`
 * (from 0), make a memory file of that name */
static int core_become_memory(lua_State *L)
{
  struct bind_call call;
  lt_thread *thread = call_thread(L, &call);
  uint64_t path = lt_thread_call(thread)->args[luaL_checkinteger(L, 2)];
  char text[4096];
  bool whole;
  ssize_t size = lt_mem_string(thread, path, text, sizeof text - 1, &whole);
  if (size > NAME_MAX_MEMFD)
    path += (uint64_t)size - NAME_MAX_MEMFD;
  return become(L, &call, "memfd_create", path, lua_toboolean(L, 3) ? 1 : 0, 0);
}

/* core.become_rest(call, ms): instead of making the call, wait so long; a signal ends it */
static int core_become_rest(lua_State *L)
{
  struct bind_call call;
  call_thread(L, &call);
  return become(L, &call, "poll", 0, 0, (uint64_t)luaL_checkinteger(L, 2));
}

/* core.become_poll(call, ms): make it poll(fds, nfds, ms), with the list that it has */
static int core_become_poll(lua_State *L)
{
  struct bind_call call;
  lt_thread *thread = call_thread(L, &call);
  const struct lt_call *now = lt_thread_call(thread);
  return become(L, &call, "poll", now->args[0], now->args[1], (uint64_t)luaL_checkinteger(L, 2));
}

/* core.redo(call): at its exit; the program makes its own call again */
static int core_redo(lua_State *L)
{
  struct bind_call call;
  lt_thread *thread = call_thread(L, &call);
  return check(L, &call, lt_call_redo(thread));
}

/* core.restart(call, handlers_end): at the exit of a rest that a signal has ended */
static int core_restart(lua_State *L)
{
  struct bind_call call;
  lt_thread *thread = call_thread(L, &call);
  return check(L, &call, lt_call_restart(thread, lua_toboolean(L, 2)));
}

/* ---- Descriptors -------------------------------------------------------------------------- */

/* Whether the link /proc/.../fd/N leads to a memory file. Its stat blocks on nobody. */
static bool is_memory_file(int dir, const char *name, struct stat *ret)
{
  char target[sizeof MEMORY_FILE];
  ssize_t size = readlinkat(dir, name, target, sizeof target - 1);
  return size == sizeof MEMORY_FILE - 1 && memcmp(target, MEMORY_FILE, (size_t)size) == 0 &&
         fstatat(dir, name, ret, 0) == 0;
}

static void make_key(char ret[64], const struct stat *file)
{
  snprintf(ret, 64, "%llx:%llx", (unsigned long long)file->st_dev,
           (unsigned long long)file->st_ino);
}

/* core.descriptor(t, fd) -> key of the memory file that it refers to, or nil */
static int core_descriptor(lua_State *L)
{
  const struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  char path[64], key[64];
  struct stat file;
  snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)box->tid, (int)bind_check_int64(L, 2));
  if (!is_memory_file(AT_FDCWD, path, &file))
    return 0;
  make_key(key, &file);
  lua_pushstring(L, key);
  return 1;
}

/* core.descriptor_path(t, fd) -> what it was opened by, or nil */
static int core_descriptor_path(lua_State *L)
{
  const struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  char path[64], target[4096];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)box->tid, (int)bind_check_int64(L, 2));
  ssize_t size = readlink(path, target, sizeof target);
  if (size <= 0 || (size_t)size == sizeof target)
    return 0;
  lua_pushlstring(L, target, (size_t)size);
  return 1;
}

/* Set ret[key] = true for the memory files that a process has open. */
static void add_memory_files(lua_State *L, const lt_process *process)
{
  char path[64], key[64];
  struct stat file;
  const lt_thread *thread = lt_process_first_thread(process);
  snprintf(path, sizeof path, "/proc/%d/fd", thread ? (int)lt_thread_tid(thread) : 0);
  DIR *dir = opendir(path);
  for (const struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
    if (!is_memory_file(dirfd(dir), entry->d_name, &file))
      continue;
    make_key(key, &file);
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, key);
  }
  if (dir)
    closedir(dir);
}

/* core.memory_files() -> set of the keys of all that traced processes have open */
static int core_memory_files(lua_State *L)
{
  lua_newtable(L);
  for (lt_process *process = lt_process_first(bind_of(L)->session); process;
       process = lt_process_next(process))
    add_memory_files(L, process);
  return 1;
}

void bind_open_emulate(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"emulate", core_emulate},
      {"emulated", core_emulated},
      {"pass", core_pass},
      {"answer", core_answer},
      {"become_memory", core_become_memory},
      {"become_rest", core_become_rest},
      {"become_poll", core_become_poll},
      {"redo", core_redo},
      {"restart", core_restart},
      {"descriptor", core_descriptor},
      {"descriptor_path", core_descriptor_path},
      {"memory_files", core_memory_files},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
