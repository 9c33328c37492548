/* objects.c - the userdata behind t, p, call and their parts: types, identity, and the end.
 *
 * A thread has one object for its lifetime, so that scripts can compare it and use it as a key. The
 * registry holds it under the address of its contents while the thread lives. When the engine
 * frees the thread, the object loses its handle and stays behind as a name. */
#include <string.h>

#include "binding.h"

static const struct bind_class *const classes[BIND_TYPE_COUNT] = {
    [BIND_THREAD] = &bind_thread_class, [BIND_PROCESS] = &bind_process_class,
    [BIND_CALL] = &bind_call_class,     [BIND_ARGS] = &bind_args_class,
    [BIND_REGS] = &bind_regs_class,     [BIND_MEM] = &bind_mem_class,
};

/* ---- Types -------------------------------------------------------------------------------- */

/* [methods] -> [methods, metatable] */
static void make_metatable(lua_State *L, const struct bind_class *class)
{
  lua_newtable(L);
  if (class->meta)
    luaL_setfuncs(L, class->meta, 0);
  lua_pushstring(L, class->name);
  lua_setfield(L, -2, "__name");
  lua_pushstring(L, class->name);
  lua_setfield(L, -2, "__metatable");

  lua_newtable(L); /* attribute numbers */
  for (const struct bind_attribute *one = class->attributes; one && one->name; one++) {
    lua_pushinteger(L, one->number);
    lua_setfield(L, -2, one->name);
  }
  lua_pushvalue(L, -3);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, class->index, 2);
  lua_setfield(L, -3, "__index");
  if (class->newindex) {
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, class->newindex, 2);
    lua_setfield(L, -3, "__newindex");
  }
  lua_pop(L, 1);
}

void bind_open_objects(lua_State *L)
{
  struct binding *binding = bind_of(L);
  lua_newtable(L); /* core.methods */
  for (int type = 0; type < BIND_TYPE_COUNT; type++) {
    lua_newtable(L);
    if (classes[type]->methods)
      luaL_setfuncs(L, classes[type]->methods, 0);
    make_metatable(L, classes[type]);
    binding->metatables[type] = lua_topointer(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, classes[type]);
    lua_setfield(L, -2, classes[type]->name);
  }
  lua_setfield(L, -2, "methods");
}

void bind_set_type(lua_State *L, enum bind_type type)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, classes[type]);
  lua_setmetatable(L, -2);
}

void *bind_test(lua_State *L, int index, enum bind_type type)
{
  void *contents = lua_touserdata(L, index);
  if (!contents || !lua_getmetatable(L, index))
    return NULL;
  const void *metatable = lua_topointer(L, -1);
  lua_pop(L, 1);
  return metatable == bind_of(L)->metatables[type] ? contents : NULL;
}

void *bind_check(lua_State *L, int index, enum bind_type type)
{
  void *contents = bind_test(L, index, type);
  if (!contents)
    bind_raise(L, "%s expected, got %s (methods are called with a colon)", classes[type]->name,
               luaL_typename(L, index));
  return contents;
}

int bind_attribute(lua_State *L)
{
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(2));
  int number = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (number == 0) {
    lua_pushvalue(L, 2);
    lua_rawget(L, lua_upvalueindex(1));
  }
  return number;
}

int bind_no_attribute(lua_State *L, const char *what)
{
  bind_raise(L, "a %s has no field '%s'", what,
             lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2));
}

/* ---- Threads and processes ---------------------------------------------------------------- */

static struct bind_thread *new_thread(lua_State *L, pid_t tid, pid_t pid)
{
  struct bind_thread *box = compat_new_userdata(L, sizeof *box);
  *box = (struct bind_thread){.tid = tid, .pid = pid};
  bind_set_type(L, BIND_THREAD);
  return box;
}

struct bind_thread *bind_push_thread(lua_State *L, lt_thread *thread)
{
  struct bind_thread *box = lt_thread_data(thread);
  if (box) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, box);
    return box;
  }
  box = new_thread(L, lt_thread_tid(thread), lt_thread_pid(thread));
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, box);
  box->thread = thread;
  lt_thread_set_data(thread, box);
  return box;
}

void bind_push_lost_thread(lua_State *L, pid_t tid, pid_t pid)
{
  new_thread(L, tid, pid);
}

struct bind_process *bind_push_process(lua_State *L, lt_process *process)
{
  struct bind_process *box = lt_process_data(process);
  if (box) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, box);
    return box;
  }
  box = compat_new_userdata(L, sizeof *box);
  *box = (struct bind_process){.pid = lt_process_pid(process)};
  bind_set_type(L, BIND_PROCESS);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, box);
  box->process = process;
  lt_process_set_data(process, box);
  return box;
}

lt_thread *bind_live_thread(lua_State *L, struct bind_thread *box)
{
  if (!box->thread) {
    bind_push_gone(L, "thread", box->tid, false);
    lua_error(L);
  }
  return box->thread;
}

lt_process *bind_live_process(lua_State *L, struct bind_process *box)
{
  if (!box->process) {
    bind_push_gone(L, "process", box->pid, false);
    lua_error(L);
  }
  return box->process;
}

/* ---- The end ------------------------------------------------------------------------------ */

/* Let go of the object. Assigning nil to a key that is there allocates nothing, so this cannot
 * raise, whatever Lua is doing at the moment. */
static void release(struct binding *binding, const void *box)
{
  if (!lua_checkstack(binding->L, 1))
    return; /* the object stays in the registry: it is lost, not wrong */
  lua_pushnil(binding->L);
  lua_rawsetp(binding->L, LUA_REGISTRYINDEX, box);
}

void bind_thread_freed(void *data, lt_thread *thread)
{
  struct binding *binding = data;
  struct bind_thread *box = lt_thread_data(thread);
  if (!box)
    return;
  box->tid = lt_thread_tid(thread);
  box->thread = NULL;
  if (box->awaited) {
    binding->sweep = true;
    lt_interrupt(binding->session);
  }
  release(binding, box);
}

void bind_process_freed(void *data, lt_process *process)
{
  struct binding *binding = data;
  struct bind_process *box = lt_process_data(process);
  if (lt_process_pid(process) == binding->first)
    binding->first_over = true;
  if (!box)
    return;
  if (box->process) { /* no record told of its end */
    box->process = NULL;
    binding->sweep = true;
    lt_interrupt(binding->session);
  }
  release(binding, box);
}
