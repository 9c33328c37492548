/* process.c - p: the process object's fields and methods. */
#include "binding.h"
#include "proc.h"

enum { PID = 1, ALIVE, KIND, EXE, CMDLINE, CWD, NAME, PPID, DATA, STDIN, STDOUT, STDERR, VARS };

static const struct bind_attribute attributes[] = {
    {"pid", PID},       {"alive", ALIVE},   {"kind", KIND}, {"exe", EXE},   {"cmdline", CMDLINE},
    {"cwd", CWD},       {"name", NAME},     {"ppid", PPID}, {"data", DATA}, {"stdin", STDIN},
    {"stdout", STDOUT}, {"stderr", STDERR}, {"vars", VARS}, {NULL, 0},
};

/* ---- Fields ------------------------------------------------------------------------------- */

/* Push the table of DATA, STDIN, STDOUT and STDERR. */
static void push_parts(lua_State *L, int index)
{
  compat_get_reference(L, index);
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  compat_set_reference(L, index);
}

#define MAKE_VARS "luatrace.make_vars" /* registry key */

/* core.set_vars(function): what makes the value of p.vars of a process */
static int core_set_vars(lua_State *L)
{
  lua_settop(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, MAKE_VARS);
  return 0;
}

static int push_vars(lua_State *L)
{
  push_parts(L, 1);
  lua_rawgeti(L, -1, VARS);
  if (!lua_isnil(L, -1))
    return 1;
  lua_pop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, MAKE_VARS);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, VARS);
  return 1;
}

static int push_part(lua_State *L, int part)
{
  push_parts(L, 1);
  lua_rawgeti(L, -1, part);
  if (part != DATA || !lua_isnil(L, -1))
    return 1;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, part);
  return 1;
}

/* core.set_streams(p, stdin, stdout, stderr): what scripts find there; nil for none */
static int core_set_streams(lua_State *L)
{
  bind_check(L, 1, BIND_PROCESS);
  lua_settop(L, 4);
  push_parts(L, 1);
  for (int i = 0; i < 3; i++) {
    lua_pushvalue(L, 2 + i);
    lua_rawseti(L, -2, STDIN + i);
  }
  return 0;
}

void bind_open_processes(lua_State *L)
{
  lua_pushcfunction(L, core_set_streams);
  lua_setfield(L, -2, "set_streams");
  lua_pushcfunction(L, core_set_vars);
  lua_setfield(L, -2, "set_vars");
}

static int process_index(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  int field = bind_attribute(L);
  if (field == 0) {
    if (lua_isnil(L, -1))
      return bind_no_attribute(L, "process");
    return 1;
  }
  if (field == PID) {
    lua_pushinteger(L, box->pid);
    return 1;
  }
  if (field == ALIVE) {
    lua_pushboolean(L, box->process != NULL);
    return 1;
  }
  if (field == VARS)
    return push_vars(L);
  if (field >= DATA)
    return push_part(L, field);
  lt_process *process = bind_live_process(L, box);
  switch (field) {
  case KIND:
    lua_pushstring(L, bind_how_name(lt_process_how(process)));
    break;
  case EXE:
    bind_proc_push_link(L, box->pid, "exe");
    break;
  case CWD:
    bind_proc_push_link(L, box->pid, "cwd");
    break;
  case CMDLINE:
    bind_proc_push_cmdline(L, box->pid);
    break;
  case NAME:
    bind_proc_push_file(L, box->pid, 0, "comm", true);
    break;
  case PPID:
    lua_pushinteger(L, bind_proc_ppid(box->pid));
    break;
  default: /* there is none */
    return 0;
  }
  return 1;
}

static int process_newindex(lua_State *L)
{
  bind_check(L, 1, BIND_PROCESS);
  bind_raise(L, "field '%s' of a process cannot be assigned; p.data is there for your own values",
             lua_tostring(L, 2));
}

static int process_tostring(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  lua_pushfstring(L, "process %d", (int)box->pid);
  return 1;
}

/* ---- Methods ------------------------------------------------------------------------------ */

/* p:threads() -> list of those that are traced */
static int process_threads(lua_State *L)
{
  lt_process *process = bind_live_process(L, bind_check(L, 1, BIND_PROCESS));
  lua_newtable(L);
  lua_Integer count = 0;
  for (lt_thread *one = lt_process_first_thread(process); one; one = lt_thread_next(one)) {
    bind_push_thread(L, one);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static int result(lua_State *L, int error)
{
  if (error)
    return bind_failure(L, error);
  lua_pushboolean(L, 1);
  return 1;
}

/* p:detach() lets the process go, each thread at its next stop. */
static int process_detach(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  return result(L, lt_process_detach(bind_live_process(L, box)));
}

/* p:kill() sends SIGKILL. */
static int process_kill(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  return result(L, lt_process_kill(bind_live_process(L, box)));
}

/* A thread whose state can be accessed; any thread if there is none. */
static lt_thread *best_thread(const lt_process *process)
{
  lt_thread *first = lt_process_first_thread(process);
  for (lt_thread *one = first; one; one = lt_thread_next(one))
    if (lt_thread_stopped(one))
      return one;
  return first;
}

/* p:maps() -> as t.mem:maps() */
static int process_maps(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  return bind_push_maps(L, best_thread(bind_live_process(L, box)));
}

static const luaL_Reg methods[] = {
    {"threads", process_threads},
    {"detach", process_detach},
    {"kill", process_kill},
    {"maps", process_maps},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", process_tostring},
    {NULL, NULL},
};

const struct bind_class bind_process_class = {
    .name = "process",
    .attributes = attributes,
    .index = process_index,
    .newindex = process_newindex,
    .meta = meta,
    .methods = methods,
};
