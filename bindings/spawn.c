/* spawn.c - launching programs and attaching to processes. */
#include <errno.h>
#include <string.h>

#include "binding.h"

/* Make a NULL-terminated array of the strings of the list at `index`, in a userdata that is
 * pushed. The strings belong to the list. */
static char **push_strings(lua_State *L, int index)
{
  size_t count = (size_t)lua_rawlen(L, index);
  if (count > 1u << 20)
    bind_raise(L, "too many arguments");
  const char **strings = compat_new_userdata(L, (count + 1) * sizeof *strings);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, index, (lua_Integer)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      bind_raise(L, "a program's arguments are strings, but number %d is a %s", (int)i + 1,
                 luaL_typename(L, -1));
    strings[i] = lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  strings[count] = NULL;
  return (char **)strings;
}

static int failure(lua_State *L, int error)
{
  return bind_failure_text(L, error, lt_error(bind_of(L)->session));
}

/* core.spawn(argv, env, cwd) -> p | nil, message, code. argv and env are lists of strings; env and
 * cwd may be nil. Whether the program can run at all is told by a record later. */
static int core_spawn(lua_State *L)
{
  struct binding *binding = bind_of(L);
  lua_settop(L, 3);
  struct lt_spawn spawn = {.size = sizeof spawn, .cwd = lua_tostring(L, 3)};
  spawn.argv = push_strings(L, 1);
  spawn.envp = lua_isnil(L, 2) ? NULL : push_strings(L, 2);
  lt_process *process;
  bind_fds_seclude(binding->fds);
  int error = lt_spawn(binding->session, &spawn, &process);
  if (error)
    return failure(L, error);
  binding->launched = true;
  if (binding->first == 0)
    binding->first = lt_process_pid(process);
  bind_push_process(L, process);
  return 1;
}

/* core.attach(pid) -> p | nil, message, code */
static int core_attach(lua_State *L)
{
  int64_t pid = bind_check_int64(L, 1);
  lt_process *process;
  if (pid <= 0 || pid > INT32_MAX)
    return bind_failure(L, ESRCH);
  int error = lt_attach(bind_of(L)->session, (pid_t)pid, &process);
  if (error)
    return failure(L, error);
  bind_push_process(L, process);
  return 1;
}

void bind_open_spawn(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"spawn", core_spawn},
      {"attach", core_attach},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
