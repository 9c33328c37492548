/* quick_handlers.c - what the prelude says of the straight path (quick.c): whether it can be taken, and
 * which handlers there are. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"
#include "log.h"

/* ---- What dispatch.lua and hooks.lua say --------------------------------------------------- */

/* core.quick(): nobody but handlers and leavers can want a stop */
static int core_quick(lua_State *L)
{
  bind_of(L)->quick.on = true;
  return 0;
}

/* core.disturb() -> the thread whose stop is dealt with here now, if the general path has not begun
 * with it; that is the one for now */
static int core_disturb(lua_State *L)
{
  struct bind_quick *quick = &bind_of(L)->quick;
  const struct bind_thread *box = quick->at;
  quick->on = false;
  quick->at = NULL;
  if (box)
    lua_rawgetp(L, LUA_REGISTRYINDEX, box);
  else
    lua_pushnil(L);
  return 1;
}

/* core.rest{ kind = function, ... }: called as fn(t), at an entry fn(t, abi, nr), after the handlers
 * of a stop that has become less simple; returns whether t is held */
static int core_rest(lua_State *L)
{
  static const uint16_t kinds[] = {LT_SYSCALL_ENTRY, LT_SYSCALL_EXIT, LT_BREAK, LT_RETURN,
                                   LT_STEPPED};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    lua_getfield(L, 1, bind_kind_name(kinds[i]));
    bind_of(L)->quick.rest[kinds[i]] = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  return 0;
}

static struct bind_quick_call *check_call(lua_State *L)
{
  uint64_t abi = (uint64_t)luaL_checkinteger(L, 1), nr = (uint64_t)luaL_checkinteger(L, 2);
  return abi < LT_ABI_COUNT && nr < BIND_QUICK_CALLS ? &bind_of(L)->quick.calls[abi][nr] : NULL;
}

/* core.quick_call(abi, nr, fn, wants_call, log, selector or nil): this function, or log, is all that is
 * wanted, for calls that pass */
static int core_quick_call(lua_State *L)
{
  struct bind_quick_call *call = check_call(L);
  if (!call)
    return 0;
  lua_pushvalue(L, 3);
  luaL_unref(L, LUA_REGISTRYINDEX, call->fn ? call->fn : LUA_NOREF);
  call->fn = luaL_ref(L, LUA_REGISTRYINDEX);
  call->wants_call = lua_toboolean(L, 4);
  call->log = bind_log_test(L, 5);
  call->selector = bind_selector(L, 6);
  return 0;
}

/* core.quick_forget(abi, nr): no longer */
static int core_quick_forget(lua_State *L)
{
  struct bind_quick_call *call = check_call(L);
  if (call && call->fn) {
    luaL_unref(L, LUA_REGISTRYINDEX, call->fn);
    call->fn = 0;
    call->log = NULL;
  }
  return 0;
}

/* core.quick_count(abi, nr) -> how often since the last time */
static int core_quick_count(lua_State *L)
{
  struct bind_quick_call *call = check_call(L);
  lua_pushinteger(L, call ? (lua_Integer)call->count : 0);
  if (call)
    call->count = 0;
  return 1;
}

/* ---- Breakpoints -------------------------------------------------------------------------- */

static struct bind_quick_break *check_break(lua_State *L)
{
  struct bind_quick *quick = &bind_of(L)->quick;
  lua_Integer id = luaL_checkinteger(L, 1);
  return id >= 0 && id < (lua_Integer)quick->break_room ? &quick->breaks[id] : NULL;
}

static struct bind_quick_break *make_break(lua_State *L)
{
  struct bind_quick *quick = &bind_of(L)->quick;
  if (check_break(L))
    return check_break(L);
  uint32_t room = (uint32_t)luaL_checkinteger(L, 1) * 2 + 16;
  struct bind_quick_break *list = realloc(quick->breaks, room * sizeof *list);
  if (!list) {
    luaL_error(L, "not enough memory");
    return NULL; /* it does not return */
  }
  memset(list + quick->break_room, 0, (room - quick->break_room) * sizeof *list);
  quick->breaks = list;
  quick->break_room = room;
  return check_break(L);
}

/* core.quick_break(id, fn, wants_frame, site): this function is all that is to be called */
static int core_quick_break(lua_State *L)
{
  struct bind_quick_break *one = make_break(L);
  lua_settop(L, 4);
  one->site = luaL_ref(L, LUA_REGISTRYINDEX);
  one->wants_frame = lua_toboolean(L, 3);
  lua_settop(L, 2);
  one->fn = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

/* core.quick_hits(id, forget) -> how often since the last time; no longer after this */
static int core_quick_hits(lua_State *L)
{
  struct bind_quick_break *one = check_break(L);
  bool forget = lua_toboolean(L, 2);
  lua_pushinteger(L, one ? (lua_Integer)one->count : 0);
  if (one)
    one->count = 0;
  if (one && one->fn && forget) {
    luaL_unref(L, LUA_REGISTRYINDEX, one->fn);
    luaL_unref(L, LUA_REGISTRYINDEX, one->site);
    one->fn = 0;
  }
  return 1;
}

/* core.quick_frame(fn): fn(handler, t, site, seq) calls the handler with a frame */
static int core_quick_frame(lua_State *L)
{
  lua_settop(L, 1);
  bind_of(L)->quick.frame = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

void bind_open_quick_handlers(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"quick", core_quick},
      {"disturb", core_disturb},
      {"rest", core_rest},
      {"quick_call", core_quick_call},
      {"quick_forget", core_quick_forget},
      {"quick_count", core_quick_count},
      {"quick_break", core_quick_break},
      {"quick_hits", core_quick_hits},
      {"quick_frame", core_quick_frame},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
