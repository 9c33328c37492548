/* thread.c - t: the thread object's fields and methods. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"
#include "proc.h"

enum {
  TID = 1,
  PID,
  ALIVE,
  PROCESS,
  PC,
  SP,
  REGS,
  MEM,
  DATA,
  ABI,
  KIND,
  NAME,
  NSPID,
  PARENT,
};

static const struct bind_attribute attributes[] = {
    {"tid", TID},   {"pid", PID},   {"alive", ALIVE}, {"process", PROCESS}, {"pc", PC},
    {"sp", SP},     {"regs", REGS}, {"mem", MEM},     {"data", DATA},       {"abi", ABI},
    {"kind", KIND}, {"name", NAME}, {"nspid", NSPID}, {"parent", PARENT},   {NULL, 0},
};

/* ---- Parts: made when first looked at, kept in a table that the object refers to ------------- */

static void new_view(lua_State *L, struct bind_thread *box, enum bind_type type)
{
  struct bind_view *view = compat_new_userdata(L, sizeof *view);
  view->thread = box;
  bind_set_type(L, type);
  lua_pushvalue(L, 1); /* keeps the box alive */
  compat_set_reference(L, -2);
}

/* Push part number `part` (REGS, MEM or DATA). */
static int push_part(lua_State *L, struct bind_thread *box, int part)
{
  compat_get_reference(L, 1);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    compat_set_reference(L, 1);
  }
  lua_rawgeti(L, -1, part);
  if (!lua_isnil(L, -1))
    return 1;
  lua_pop(L, 1);
  if (part == DATA)
    lua_newtable(L);
  else
    new_view(L, box, part == REGS ? BIND_REGS : BIND_MEM);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, part);
  return 1;
}

/* ---- Fields ------------------------------------------------------------------------------- */

static int push_counter(lua_State *L, struct bind_thread *box,
                        int (*get)(lt_thread *thread, uint64_t *ret))
{
  uint64_t value;
  int error = get(box->thread, &value);
  bind_check_access(L, box, error);
  if (error)
    bind_raise(L, "the registers of thread %d cannot be read: %s", (int)box->tid,
               lt_errno_text(-error));
  compat_push_int64(L, (int64_t)value);
  return 1;
}

static int push_optional(lua_State *L, long value)
{
  if (value > 0)
    lua_pushinteger(L, value);
  else
    lua_pushnil(L);
  return 1;
}

static int push_name(lua_State *L, struct bind_thread *box)
{
  bind_proc_push_file(L, box->pid, box->tid, "comm", true);
  return 1;
}

/* The process may live on after the thread, and the other way round never. */
static int push_process(lua_State *L, struct bind_thread *box)
{
  lt_process *process =
      box->thread ? lt_thread_process(box->thread) : lt_process_find(bind_of(L)->session, box->pid);
  if (!process)
    bind_live_thread(L, box); /* raises */
  bind_push_process(L, process);
  return 1;
}

static int thread_index(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  int field = bind_attribute(L);
  if (field == 0) {
    if (lua_isnil(L, -1))
      return bind_no_attribute(L, "thread");
    return 1;
  }
  if (box->thread)
    box->tid = lt_thread_tid(box->thread); /* exec may have changed it */
  switch (field) {
  case TID:
    lua_pushinteger(L, box->tid);
    return 1;
  case PID:
    lua_pushinteger(L, box->pid);
    return 1;
  case ALIVE:
    lua_pushboolean(L, box->thread != NULL);
    return 1;
  case DATA:
    return push_part(L, box, DATA);
  case PROCESS:
    return push_process(L, box);
  default:
    break;
  }
  lt_thread *thread = bind_live_thread(L, box);
  switch (field) {
  case PC:
    return push_counter(L, box, lt_thread_pc);
  case SP:
    return push_counter(L, box, lt_thread_sp);
  case ABI:
    lua_pushstring(L, bind_abi_name(lt_thread_abi(thread)));
    return 1;
  case KIND:
    lua_pushstring(L, bind_how_name(lt_thread_how(thread)));
    return 1;
  case NAME:
    return push_name(L, box);
  case NSPID:
    return push_optional(L, bind_proc_nspid(box->pid, box->tid));
  case PARENT:
    return push_optional(L, lt_thread_parent(thread));
  default:
    return push_part(L, box, field);
  }
}

/* t.pc = address, t.sp = address; nothing else can be assigned. */
static int thread_newindex(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  int field = bind_attribute(L);
  if (field != PC && field != SP)
    bind_raise(L, "field '%s' of a thread cannot be assigned; t.data is there for your own values",
               lua_tostring(L, 2));
  bind_live_thread(L, box);
  lua_settop(L, 3);
  push_part(L, box, REGS);
  lua_pushvalue(L, 3);
  lua_setfield(L, -2, field == PC ? "pc" : "sp");
  return 0;
}

static int thread_tostring(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  if (box->thread)
    box->tid = lt_thread_tid(box->thread);
  lua_pushfstring(L, box->tid == box->pid ? "thread %d" : "thread %d of process %d", (int)box->tid,
                  (int)box->pid);
  return 1;
}

/* ---- Methods ------------------------------------------------------------------------------ */

/* t:signal(name|number [, {value = n}]) -> true | nil, message, code. Works in any state. */
static int thread_signal(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  int signo = bind_check_signal(L, 2);
  union sigval value;
  bool with_value = false;
  memset(&value, 0, sizeof value);
  if (lua_istable(L, 3)) {
    lua_getfield(L, 3, "value");
    with_value = !lua_isnil(L, -1);
    if (with_value)
      value.sival_ptr = (void *)(uintptr_t)bind_check_int64(L, -1);
  }
  int error = lt_thread_signal(thread, signo, with_value ? &value : NULL);
  if (error)
    return bind_failure(L, error);
  lua_pushboolean(L, 1);
  return 1;
}

/* t:ignore() lets this thread go at its next stop. In on_clone: the child is not followed. */
static int thread_ignore(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  int error = lt_thread_ignore(bind_live_thread(L, box));
  if (error)
    return bind_failure(L, error);
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg methods[] = {
    {"signal", thread_signal},
    {"ignore", thread_ignore},
    {NULL, NULL},
};

static const luaL_Reg meta[] = {
    {"__tostring", thread_tostring},
    {NULL, NULL},
};

const struct bind_class bind_thread_class = {
    .name = "thread",
    .attributes = attributes,
    .index = thread_index,
    .newindex = thread_newindex,
    .meta = meta,
    .methods = methods,
};
