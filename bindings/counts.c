/* counts.c - functions as blocks, and counters of addresses, for the prelude. */
#include <errno.h>

#include "binding.h"

/* ---- Blocks ------------------------------------------------------------------------------- */

static const char *const flows[] = {
    [LT_FLOW_NEXT] = "next", [LT_FLOW_CALL] = "call",         [LT_FLOW_BRANCH] = "branch",
    [LT_FLOW_JUMP] = "jump", [LT_FLOW_INDIRECT] = "indirect", [LT_FLOW_RETURN] = "return",
    [LT_FLOW_END] = "end",
};

static void set_count(lua_State *L, const char *name, uint32_t value)
{
  lua_pushinteger(L, value);
  lua_setfield(L, -2, name);
}

static void set_address(lua_State *L, const char *name, uint64_t value)
{
  compat_push_int64(L, (int64_t)value);
  lua_setfield(L, -2, name);
}

static void push_block(lua_State *L, const struct lt_program *program, const struct lt_block *block)
{
  lua_createtable(L, 0, 5);
  set_address(L, "addr", block->addr);
  lua_pushstring(L, flows[block->flow]);
  lua_setfield(L, -2, "flow");
  if (block->next)
    set_count(L, "next", block->next);
  if (block->target)
    set_count(L, "target", block->target);
  lua_createtable(L, (int)block->count, 0);
  for (uint32_t i = 0; i < block->count; i++) {
    const struct lt_source_line *line = &program->lines[block->lines + i];
    lua_createtable(L, 0, 2);
    lua_pushstring(L, program->files[line->file]);
    lua_setfield(L, -2, "file");
    set_count(L, "line", line->line);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "lines");
}

/* Argument: a struct lt_program. Returns a list. Can raise for lack of memory. */
static int copy_program(lua_State *L)
{
  const struct lt_program *program = lua_touserdata(L, 1);
  lua_createtable(L, (int)program->function_count, 0);
  for (size_t i = 0; i < program->function_count; i++) {
    const struct lt_code *function = &program->functions[i];
    lua_createtable(L, 0, 5);
    lua_pushstring(L, function->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, program->files[function->file]);
    lua_setfield(L, -2, "file");
    set_count(L, "line", function->line);
    set_address(L, "entry", function->entry);
    lua_createtable(L, (int)function->count, 0);
    for (uint32_t k = 0; k < function->count; k++) {
      push_block(L, program, &program->blocks[function->blocks + k]);
      lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
    lua_setfield(L, -2, "blocks");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static lt_process *check_process(lua_State *L)
{
  return bind_live_process(L, bind_check(L, 1, BIND_PROCESS));
}

/* core.blocks(p, addr) -> list of { name, file, line, entry, blocks }, or nil, message, code. A block
 * is { addr, flow, next, target, lines = { { file, line }, … } }. A thread of p stands still. */
static int core_blocks(lua_State *L)
{
  struct lt_program program;
  lt_process *process = check_process(L);
  uint64_t addr = bind_check_address(L, 2);
  lt_thread *thread = lt_process_first_thread(process);
  while (thread && !lt_thread_stopped(thread))
    thread = lt_thread_next(thread);
  if (!thread)
    return bind_failure_text(L, -EBUSY, "all threads of the process run; freeze it");
  lua_pushcfunction(L, copy_program);
  int error = lt_program_read(thread, addr, &program);
  if (error)
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  lua_pushlightuserdata(L, &program);
  int status = lua_pcall(L, 1, 1, 0);
  lt_program_free(&program);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* ---- Counters ----------------------------------------------------------------------------- */

/* core.counters_new(count) -> the number of the first one, or nil, message, code */
static int core_counters_new(lua_State *L)
{
  lua_Integer count = luaL_checkinteger(L, 1);
  ssize_t first = lt_counters_new(bind_of(L)->session, count > 0 ? (size_t)count : 0);
  if (first < 0)
    return bind_failure(L, (int)first);
  lua_pushinteger(L, first);
  return 1;
}

/* core.counter(number) -> count */
static int core_counter(lua_State *L)
{
  compat_push_int64(L, (int64_t)lt_counter(bind_of(L)->session, (size_t)luaL_checkinteger(L, 1)));
  return 1;
}

/* core.count_add(p, addr, number, once) -> true, or nil, message, code */
static int core_count_add(lua_State *L)
{
  lt_process *process = check_process(L);
  int error = lt_count_add(process, bind_check_address(L, 2), (size_t)luaL_checkinteger(L, 3),
                           lua_toboolean(L, 4));
  if (error)
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  lua_pushboolean(L, true);
  return 1;
}

void bind_open_counts(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"blocks", core_blocks},
      {"counters_new", core_counters_new},
      {"counter", core_counter},
      {"count_add", core_count_add},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
