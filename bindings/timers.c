/* timers.c - when the loop must be back although nothing has happened, and processes that stand
 * still: the primitives under timers.lua, holds.lua and freeze.lua. */
#include <limits.h>
#include <time.h>

#include "binding.h"

static uint64_t now(void)
{
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int bind_timers_left(const struct binding *binding)
{
  if (binding->deadline == 0)
    return -1;
  uint64_t time = now();
  if (time >= binding->deadline)
    return 0;
  uint64_t left = (binding->deadline - time + 999999u) / 1000000u; /* not before its time */
  return left > INT_MAX ? INT_MAX : (int)left;
}

bool bind_timers_due(const struct binding *binding)
{
  return binding->deadline != 0 && now() >= binding->deadline;
}

/* core.set_deadline(time): have luatrace.main's `timers` called at this time of core.now(); nil:
 * not at all */
static int core_set_deadline(lua_State *L)
{
  lua_Number seconds = lua_isnoneornil(L, 1) ? 0 : luaL_checknumber(L, 1);
  const lua_Number most = 9e9; /* centuries, and no overflow */
  uint64_t *deadline = &bind_of(L)->deadline;
  *deadline = (uint64_t)((seconds < most ? seconds : most) * 1e9);
  if (*deadline == 0 && !lua_isnoneornil(L, 1))
    *deadline = 1;
  return 0;
}

/* core.hold(t) -> whether t stands still, and so stays held if the prelude says so */
static int core_hold(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lua_pushboolean(L, lt_thread_hold(bind_live_thread(L, box)) == 0);
  return 1;
}

/* core.freeze(p, t): stop all threads of p but t (nil: all) */
static int core_freeze(lua_State *L)
{
  lt_process *process = bind_live_process(L, bind_check(L, 1, BIND_PROCESS));
  struct bind_thread *but = lua_isnoneornil(L, 2) ? NULL : bind_check(L, 2, BIND_THREAD);
  lt_process_freeze(process, but ? but->thread : NULL);
  return 0;
}

/* core.thaw(p): what core.freeze stopped runs on, unless p is gone */
static int core_thaw(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  if (box->process)
    lt_process_thaw(box->process);
  return 0;
}

/* core.still(p) -> whether its threads have stopped, but for those that cannot */
static int core_still(lua_State *L)
{
  struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  lua_pushboolean(L, lt_process_still(bind_live_process(L, box)));
  return 1;
}

void bind_open_timers(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"set_deadline", core_set_deadline},
      {"hold", core_hold},
      {"freeze", core_freeze},
      {"thaw", core_thaw},
      {"still", core_still},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
