/* backtrace.c - the stack of a thread as a Lua list; scripts/luatrace/backtrace.lua does the rest. */
#include <errno.h>

#include "binding.h"

static const char *end_name(enum lt_stack_end end)
{
  static const char *const names[] = {
      [LT_STACK_GOES_ON] = "goes-on", [LT_STACK_COMPLETE] = "complete",
      [LT_STACK_LIMIT] = "limit",     [LT_STACK_NO_RULES] = "no-rules",
      [LT_STACK_LOOPS] = "loops",     [LT_STACK_NO_MEMORY] = "no-memory",
      [LT_STACK_GONE] = "gone",
  };
  return names[end];
}

struct listing {
  lt_thread *thread;
  const struct lt_stack *stack;
  bool names, lines;
};

static void set_int(lua_State *L, const char *name, uint64_t value)
{
  compat_push_int64(L, (int64_t)value);
  lua_setfield(L, -2, name);
}

static void set_true(lua_State *L, const char *name, bool on)
{
  if (!on)
    return;
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
  if (!text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_place(lua_State *L, const char *file, uint32_t line)
{
  if (!file[0])
    return;
  set_text(L, "file", file);
  set_int(L, "line", line);
}

/* A new frame at the end of the list on the top of the stack; it is on the top then. */
static void add_frame(lua_State *L, const struct lt_stack_frame *frame)
{
  lua_createtable(L, 0, 10);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, (lua_Integer)lua_rawlen(L, -3) + 1);
  set_int(L, "pc", frame->pc);
  set_int(L, "lookup", frame->lookup);
  set_int(L, "sp", frame->sp);
  set_true(L, "signal", frame->is_signal);
  set_true(L, "guessed", frame->guessed);
}

/* The calls that the compiler replaced by the functions' bodies: each is a frame that has no name of
 * its own among the symbols, and is where the one before was called. */
static void add_inlined(lua_State *L, const struct lt_stack_frame *frame,
                        const struct lt_line *line, const char *module)
{
  for (size_t i = 0; i < line->inlined_count; i++) {
    add_frame(L, frame);
    set_text(L, "name", line->inlined[i].name);
    set_text(L, "module", module);
    set_true(L, "inlined", true);
    if (i == 0)
      set_place(L, line->file, line->line);
    else
      set_place(L, line->inlined[i - 1].file, line->inlined[i - 1].line);
    lua_pop(L, 1);
  }
}

static void add_named(lua_State *L, const struct listing *listing,
                      const struct lt_stack_frame *frame)
{
  struct lt_symbol symbol = {0};
  const struct lt_line *line = NULL;
  if (listing->names && lt_symbol_at(lt_thread_process(listing->thread), frame->lookup, &symbol))
    symbol = (struct lt_symbol){0};
  if (listing->lines && (!symbol.module || lt_line_at(listing->thread, frame->lookup, &line)))
    line = NULL;
  if (line)
    add_inlined(L, frame, line, symbol.module);
  add_frame(L, frame);
  set_text(L, "module", symbol.module);
  set_text(L, "name",
           symbol.name                 ? symbol.name
           : line && line->function[0] ? line->function
                                       : NULL);
  if (symbol.name)
    set_int(L, "offset", frame->pc - symbol.addr);
  if (line && line->inlined_count)
    set_place(L, line->inlined[line->inlined_count - 1].file,
              line->inlined[line->inlined_count - 1].line);
  else if (line)
    set_place(L, line->file, line->line);
  lua_pop(L, 1);
}

/* The frames live in C memory, so they are copied into Lua in a protected call. Argument 1 is a
 * struct listing. */
static int copy(lua_State *L)
{
  const struct listing *listing = lua_touserdata(L, 1);
  lua_createtable(L, (int)listing->stack->count, 1);
  for (size_t i = 0; i < listing->stack->count; i++)
    add_named(L, listing, &listing->stack->frames[i]);
  return 1;
}

/* core.stack(t, limit, names, lines) -> list of frames, why it ends; or nil, message, code. With
 * `names`, frames have name, module and offset where these are known; with `lines`, file and line. */
static int core_stack(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  lua_Integer limit = lua_tointeger(L, 2);
  bool names = lua_toboolean(L, 3), lines = lua_toboolean(L, 4);
  struct lt_stack stack;
  lua_pushcfunction(L, copy);
  int error = lt_backtrace(thread, limit > 0 ? (size_t)limit : 0, &stack);
  if (error)
    return bind_failure(L, error);
  struct listing listing = {thread, &stack, names, names && lines};
  lua_pushlightuserdata(L, &listing);
  int status = lua_pcall(L, 1, 1, 0);
  enum lt_stack_end end = stack.end;
  lt_stack_free(&stack);
  if (status != LUA_OK)
    return lua_error(L);
  lua_pushstring(L, end_name(end));
  return 2;
}

void bind_open_backtrace(lua_State *L)
{
  lua_pushcfunction(L, core_stack);
  lua_setfield(L, -2, "stack");
}
