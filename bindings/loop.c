/* loop.c - a run from the first script to the last process: luatrace.main (main.lua) decides, the
 * engine is driven from here. */
#include <errno.h>
#include <string.h>

#include "binding.h"
#include "cli.h"
#include "signals.h"

/* ---- Calling luatrace.main ---------------------------------------------------------------- */

/* Argument 1: the function's name. Returns its one result. */
static int call_main(lua_State *L)
{
  bind_push_main(L, lua_touserdata(L, 1));
  lua_call(L, 0, 1);
  return 1;
}

/* Returns whether the function did, and said true. */
static bool ask_main(struct binding *binding, const char *name)
{
  lua_State *L = binding->L;
  lua_pushcfunction(L, call_main);
  lua_pushlightuserdata(L, (void *)name);
  if (!bind_protected(binding, 1, 1))
    return false;
  bool result = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return result;
}

static void set_text(lua_State *L, const char *name, const char *value)
{
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static void set_bool(lua_State *L, const char *name, bool value)
{
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static void set_lists(lua_State *L, const struct bind_options *options)
{
  lua_newtable(L);
  for (size_t i = 0; i < options->step_count; i++) {
    lua_newtable(L);
    set_text(L, options->steps[i].kind == 'e' ? "code" : "module", options->steps[i].text);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "steps");

  lua_newtable(L);
  for (size_t i = 0; i < options->pid_count; i++) {
    lua_pushinteger(L, options->pids[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "pids");

  lua_newtable(L);
  for (size_t i = 0; options->words[i]; i++) {
    lua_pushstring(L, options->words[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "words");
}

/* Argument 1: struct bind_options. Calls main.start with the same as a table. */
static int call_start(lua_State *L)
{
  const struct bind_options *options = lua_touserdata(L, 1);
  bind_push_main(L, "start");
  lua_newtable(L);
  set_lists(L, options);
  set_text(L, "script", options->script);
  set_text(L, "output", options->output);
  set_bool(L, "verbose", options->verbose);
  set_bool(L, "go_on", options->go_on);
  lua_call(L, 1, 0);
  return 0;
}

static void start(struct binding *binding, const struct bind_options *options)
{
  lua_pushcfunction(binding->L, call_start);
  lua_pushlightuserdata(binding->L, (void *)options);
  bind_protected(binding, 1, 0);
}

/* ---- The loop ----------------------------------------------------------------------------- */

static void call_timers(struct binding *binding)
{
  if (!binding->end.decided && bind_timers_due(binding))
    ask_main(binding, "timers");
}

/* Nothing is traced. Scripts may have started something now, or wait for time to pass or for what a
 * program has written. Returns false when the run is over. */
static bool idle(struct binding *binding)
{
  bool goes_on = ask_main(binding, "idle");
  if (!goes_on || binding->end.decided || lt_process_first(binding->session))
    return goes_on;
  lt_watch_wait(binding->session, bind_timers_left(binding));
  bind_signals_noticed(binding);
  call_timers(binding);
  return true;
}

/* Returns false when the run is over. */
static bool turn(struct binding *binding)
{
  int count = lt_step(binding->session, bind_timers_left(binding));
  bind_signals_noticed(binding);
  call_timers(binding);
  if (binding->sweep) {
    binding->sweep = false;
    ask_main(binding, "sweep");
  }
  if (binding->end.decided)
    return false;
  if (count == -ECHILD)
    return idle(binding);
  if (count < 0 && count != -EINTR) {
    bind_warnf("tracing failed: %s", lt_error(binding->session));
    binding->end = (struct bind_ending){.decided = true, .code = 125};
    return false;
  }
  return true;
}

/* A write error that nobody looked at: the output is not what it seems. */
static void check_output(struct binding *binding)
{
  bool flushed = fflush(stdout) == 0;
  const char *why = flushed ? "some of it could not be written" : strerror(errno);
  if ((flushed && !ferror(stdout)) || binding->end.signal == SIGPIPE)
    return;
  bind_warnf("standard output: %s", why);
  binding->end = (struct bind_ending){.decided = true, .code = 125};
}

void bind_run(struct binding *binding, const struct bind_options *options)
{
  start(binding, options);
  bind_signals_noticed(binding);
  while (!binding->end.decided && turn(binding))
    ;
  lt_shutdown(binding->session);
  ask_main(binding, "finish");
  check_output(binding);
}
