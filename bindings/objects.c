/* objects.c - the userdata behind t, p, call and their parts: types, identity, and the end.
 *
 * A thread has one object for its lifetime, so that scripts can compare it and use it as a key. The
 * registry holds it under the address of its contents while the thread lives. When the engine
 * frees the thread, the object loses its handle and stays behind as a name. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"

static const struct bind_class *const classes[BIND_TYPE_COUNT] = {
    [BIND_THREAD] = &bind_thread_class, [BIND_PROCESS] = &bind_process_class,
    [BIND_CALL] = &bind_call_class,     [BIND_REGS] = &bind_regs_class,
    [BIND_MEM] = &bind_mem_class,
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
    if (!classes[type]) /* args: one metatable serves all light userdata */
      continue;
    lua_newtable(L);
    if (classes[type]->methods)
      luaL_setfuncs(L, classes[type]->methods, 0);
    make_metatable(L, classes[type]);
    binding->metatables[type] = lua_topointer(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, classes[type]);
    lua_setfield(L, -2, classes[type]->name);
  }
  lua_setfield(L, -2, "methods");
  lua_pushlightuserdata(L, binding);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &bind_call_class);
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
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
    lua_gettable(L, lua_upvalueindex(1)); /* it may be loaded now (lazy.lua) */
  }
  return number;
}

int bind_no_attribute(lua_State *L, const char *what)
{
  bind_raise(L, "a %s has no field '%s'", what,
             lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2));
}

/* ---- Calls -------------------------------------------------------------------------------- */

/* In a light userdata, from the lowest bit: whether it is the args; the slot; the number. Numbers
 * come again after years, with LuaJIT's 47 bits after 2^31 calls. */
#define SLOT_BITS (COMPAT_LIGHT_BITS >= 64 ? 22 : 15)
#define NUMBER_BITS (COMPAT_LIGHT_BITS - SLOT_BITS - 1)

uint64_t bind_call_number(const lt_thread *thread)
{
  return lt_thread_call_seq(thread) & (((uint64_t)1 << NUMBER_BITS) - 1);
}

void bind_push_call(lua_State *L, const struct bind_thread *box, enum bind_type type)
{
  uint64_t bits = bind_call_number(box->thread) << SLOT_BITS | box->slot;
  lua_pushlightuserdata(L, (void *)(uintptr_t)(bits << 1 | (type == BIND_ARGS)));
}

bool bind_is_call(lua_State *L, int index, enum bind_type type)
{
  return lua_islightuserdata(L, index) &&
         ((uintptr_t)lua_touserdata(L, index) & 1) == (type == BIND_ARGS);
}

struct bind_call bind_check_call(lua_State *L, int index, enum bind_type type)
{
  if (!bind_is_call(L, index, type))
    bind_raise(L, "%s expected, got %s (methods are called with a colon)",
               type == BIND_ARGS ? "arguments" : "call", luaL_typename(L, index));
  const struct binding *binding = bind_of(L);
  uint64_t bits = (uint64_t)(uintptr_t)lua_touserdata(L, index) >> 1;
  uint64_t slot = bits & (((uint64_t)1 << SLOT_BITS) - 1);
  return (struct bind_call){
      .thread = slot < binding->thread_count ? binding->threads[slot] : NULL,
      .seq = bits >> SLOT_BITS,
  };
}

/* ---- Threads and processes ---------------------------------------------------------------- */

/* A slot that is free, else a new one. Raises for lack of memory. */
static unsigned take_slot(lua_State *L, struct binding *binding)
{
  if (binding->free_slots)
    for (unsigned i = 0; i < binding->thread_count; i++)
      if (!binding->threads[i]) {
        binding->free_slots--;
        return i;
      }
  if (binding->thread_count == binding->thread_room) {
    unsigned room = binding->thread_room ? binding->thread_room * 2 : 16;
    struct bind_thread **threads =
        room >> SLOT_BITS ? NULL : realloc(binding->threads, room * sizeof(void *));
    if (!threads) {
      luaL_error(L, "not enough memory for another thread");
      return 0; /* it does not come here */
    }
    binding->threads = threads;
    binding->thread_room = room;
  }
  return binding->thread_count++;
}

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
  struct binding *binding = bind_of(L);
  box = new_thread(L, lt_thread_tid(thread), lt_thread_pid(thread));
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, box);
  box->slot = take_slot(L, binding);
  binding->threads[box->slot] = box;
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
void bind_release(struct binding *binding, const void *box)
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
  if (!box || !binding->L)
    return;
  box->tid = lt_thread_tid(thread);
  box->thread = NULL;
  binding->threads[box->slot] = NULL;
  binding->free_slots++;
  if (box->awaited) {
    binding->sweep = true;
    lt_interrupt(binding->session);
  }
  if (!bind_quick_keep(binding, box))
    bind_release(binding, box);
}

void bind_process_freed(void *data, lt_process *process)
{
  struct binding *binding = data;
  struct bind_process *box = lt_process_data(process);
  if (lt_process_pid(process) == binding->first)
    binding->first_over = true;
  if (!box || !binding->L)
    return;
  if (box->process) { /* no record told of its end */
    box->process = NULL;
    binding->sweep = true;
    lt_interrupt(binding->session);
  }
  bind_release(binding, box);
}
