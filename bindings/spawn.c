/* spawn.c - launching programs and attaching to processes. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

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

/* ---- What the program gets besides its words ------------------------------------------------ */

/* The table at `index`: stdin, stdout and stderr as descriptors. */
static void read_descriptors(lua_State *L, int index, struct lt_spawn *spawn)
{
  static const char *const names[3] = {"stdin", "stdout", "stderr"};
  spawn->use_fds = true;
  for (int i = 0; i < 3; i++) {
    lua_getfield(L, index, names[i]);
    spawn->fds[i] = bind_stream_fd(L, -1);
    lua_pop(L, 1);
  }
}

static bool read_id(lua_State *L, int index, const char *name, unsigned *ret)
{
  lua_getfield(L, index, name);
  bool given = !lua_isnil(L, -1);
  *ret = (unsigned)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return given;
}

/* ... uid, gid, and groups as a list. Pushes what `spawn` refers to. */
static void read_identity(lua_State *L, int index, struct lt_spawn *spawn)
{
  spawn->use_uid = read_id(L, index, "uid", &spawn->uid);
  spawn->use_gid = read_id(L, index, "gid", &spawn->gid);
  lua_getfield(L, index, "groups");
  if (lua_isnil(L, -1))
    return;
  size_t count = (size_t)lua_rawlen(L, -1);
  gid_t *groups = compat_new_userdata(L, (count + 1) * sizeof *groups);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    groups[i] = (gid_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  spawn->use_groups = true;
  spawn->groups = groups;
  spawn->group_count = count;
}

/* core.user(name or number) -> uid, gid, list of its groups; nothing if nobody knows it */
static int core_user(lua_State *L)
{
  const struct passwd *user = lua_type(L, 1) == LUA_TNUMBER ? getpwuid((uid_t)lua_tointeger(L, 1))
                                                            : getpwnam(luaL_checkstring(L, 1));
  gid_t groups[1024];
  int count = sizeof groups / sizeof *groups;
  if (!user)
    return 0;
  if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
    count = sizeof groups / sizeof *groups; /* it has more than a thousand */
  lua_pushinteger(L, user->pw_uid);
  lua_pushinteger(L, user->pw_gid);
  lua_newtable(L);
  for (int i = 0; i < count; i++) {
    lua_pushinteger(L, groups[i]);
    lua_rawseti(L, -2, i + 1);
  }
  return 3;
}

/* core.group(name) -> gid; nothing if nobody knows it */
static int core_group(lua_State *L)
{
  const struct group *group = getgrnam(luaL_checkstring(L, 1));
  if (!group)
    return 0;
  lua_pushinteger(L, group->gr_gid);
  return 1;
}

/* core.ids() -> uid, gid of luatrace */
static int core_ids(lua_State *L)
{
  lua_pushinteger(L, geteuid());
  lua_pushinteger(L, getegid());
  return 2;
}

/* core.spawn(argv, env, cwd, how) -> p | nil, message, code. argv and env are lists of strings;
 * env, cwd and how may be nil. how: stdin, stdout, stderr, terminal, uid, gid, groups. Whether the
 * program can run at all is told by a record later. */
static int core_spawn(lua_State *L)
{
  struct binding *binding = bind_of(L);
  lua_settop(L, 4);
  struct lt_spawn spawn = {.size = sizeof spawn, .cwd = lua_tostring(L, 3)};
  spawn.argv = push_strings(L, 1);
  spawn.envp = lua_isnil(L, 2) ? NULL : push_strings(L, 2);
  if (!lua_isnil(L, 4)) {
    read_descriptors(L, 4, &spawn);
    lua_getfield(L, 4, "terminal");
    spawn.terminal = lua_toboolean(L, -1);
    read_identity(L, 4, &spawn);
  }
  lt_process *process;
  bind_fds_seclude(binding->fds);
  int error = lt_spawn(binding->session, &spawn, &process);
  if (error)
    return failure(L, error);
  binding->launched = true;
  if (binding->first == 0) {
    binding->first = lt_process_pid(process);
    binding->first_apart = spawn.terminal;
  }
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
      {"spawn", core_spawn}, {"attach", core_attach}, {"user", core_user},
      {"group", core_group}, {"ids", core_ids},       {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
