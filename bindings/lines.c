/* lines.c - source lines and their addresses, for the prelude. */
#include "binding.h"

static void set_address(lua_State *L, const char *name, uint64_t value)
{
  compat_push_int64(L, (int64_t)value);
  lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
  if (!*text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, uint32_t value)
{
  if (!value)
    return;
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

/* The thread to ask for: argument 1, or one of a process. */
static lt_thread *check_thread(lua_State *L)
{
  if (bind_test(L, 1, BIND_PROCESS)) {
    lt_process *process = bind_live_process(L, bind_check(L, 1, BIND_PROCESS));
    lt_thread *thread = lt_process_first_thread(process);
    if (thread)
      return thread;
    bind_push_gone(L, "process", lt_process_pid(process), false);
    lua_error(L);
  }
  return bind_live_thread(L, bind_check(L, 1, BIND_THREAD));
}

static int failure(lua_State *L, int error)
{
  return bind_failure_text(L, error, lt_error(bind_of(L)->session));
}

/* ---- Places ------------------------------------------------------------------------------- */

struct listing {
  const struct lt_location *places;
  size_t count;
};

/* Argument: a struct listing. Returns a list. Can raise for lack of memory. */
static int copy(lua_State *L)
{
  const struct listing *listing = lua_touserdata(L, 1);
  lua_createtable(L, (int)listing->count, 0);
  for (size_t i = 0; i < listing->count; i++) {
    const struct lt_location *place = &listing->places[i];
    lua_createtable(L, 0, 5);
    set_address(L, "addr", place->addr);
    set_number(L, "line", place->line);
    set_text(L, "file", place->file);
    set_text(L, "name", place->name);
    set_text(L, "module", place->module);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int push_places(lua_State *L, struct lt_location *places, ssize_t count)
{
  if (count < 0)
    return failure(L, (int)count);
  struct listing listing = {places, (size_t)count};
  lua_pushcfunction(L, copy);
  lua_pushlightuserdata(L, &listing);
  int status = lua_pcall(L, 1, 1, 0);
  lt_locations_free(places);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* core.line_addresses(t or p, file, line) -> list of { addr, line, file, name, module }, or nil,
 * message, code */
static int core_line_addresses(lua_State *L)
{
  lt_thread *thread = check_thread(L);
  const char *file = luaL_checkstring(L, 2);
  int64_t line = bind_check_int64(L, 3);
  struct lt_location *places;
  ssize_t count =
      lt_line_locations(thread, file, line > 0 && line <= INT32_MAX ? (uint32_t)line : 0, &places);
  return push_places(L, places, count);
}

/* core.file_functions(t or p, file) -> the same of its functions; `line` is that of the
 * declaration */
static int core_file_functions(lua_State *L)
{
  lt_thread *thread = check_thread(L);
  const char *file = luaL_checkstring(L, 2);
  struct lt_location *places;
  ssize_t count = lt_file_functions(thread, file, &places);
  return push_places(L, places, count);
}

/* core.after_prologue(t or p, addr) -> the address after the prologue of the function that begins
 * there; the same address where that cannot be told; or nil, message, code */
static int core_after_prologue(lua_State *L)
{
  uint64_t after;
  lt_thread *thread = check_thread(L);
  int error = lt_after_prologue(thread, bind_check_address(L, 2), &after);
  if (error)
    return failure(L, error);
  compat_push_int64(L, (int64_t)after);
  return 1;
}

/* core.stack_check(t or p, addr) -> where a function of Go that begins there is sure to run */
static int core_stack_check(lua_State *L)
{
  lt_thread *thread = check_thread(L);
  compat_push_int64(L, (int64_t)lt_stack_check(thread, bind_check_address(L, 2)));
  return 1;
}

/* ---- One address -------------------------------------------------------------------------- */

static void push_inlined(lua_State *L, const struct lt_line *line)
{
  lua_createtable(L, (int)line->inlined_count, 0);
  for (size_t i = 0; i < line->inlined_count; i++) {
    const struct lt_inlined *call = &line->inlined[i];
    lua_createtable(L, 0, 4);
    set_text(L, "name", call->name);
    set_text(L, "file", call->file);
    set_number(L, "line", call->line);
    set_number(L, "column", call->column);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

/* core.line_at(t or p, addr) -> { file, line, column, name, inlined = { { name, file, line, column },
 * … } or nil }, or nil, message, code. What is unknown is nil. */
static int core_line_at(lua_State *L)
{
  const struct lt_line *line;
  lt_thread *thread = check_thread(L);
  int error = lt_line_at(thread, bind_check_address(L, 2), &line);
  if (error)
    return failure(L, error);
  lua_createtable(L, 0, 5);
  set_text(L, "file", line->file);
  set_number(L, "line", line->line);
  set_number(L, "column", line->column);
  set_text(L, "name", line->function);
  if (line->inlined_count) {
    push_inlined(L, line);
    lua_setfield(L, -2, "inlined");
  }
  return 1;
}

void bind_open_lines(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"line_addresses", core_line_addresses},
      {"file_functions", core_file_functions},
      {"after_prologue", core_after_prologue},
      {"stack_check", core_stack_check},
      {"line_at", core_line_at},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
