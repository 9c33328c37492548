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
  lt_process *process;
  const struct lt_stack *stack;
  bool names;
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

/* What the address is a part of: known for as long as its module is mapped. */
static void set_symbol(lua_State *L, lt_process *process, const struct lt_stack_frame *frame)
{
  struct lt_symbol symbol;
  if (lt_symbol_at(process, frame->lookup, &symbol))
    return;
  set_text(L, "module", symbol.module);
  if (!symbol.name)
    return;
  set_text(L, "name", symbol.name);
  set_int(L, "offset", frame->pc - symbol.addr);
}

/* The frames live in C memory, so they are copied into Lua in a protected call. Argument 1 is a
 * struct listing. */
static int copy(lua_State *L)
{
  const struct listing *listing = lua_touserdata(L, 1);
  const struct lt_stack *stack = listing->stack;
  lua_createtable(L, (int)stack->count, 1);
  for (size_t i = 0; i < stack->count; i++) {
    const struct lt_stack_frame *frame = &stack->frames[i];
    lua_createtable(L, 0, 8);
    set_int(L, "pc", frame->pc);
    set_int(L, "lookup", frame->lookup);
    set_int(L, "sp", frame->sp);
    set_true(L, "signal", frame->is_signal);
    set_true(L, "guessed", frame->guessed);
    if (listing->names)
      set_symbol(L, listing->process, frame);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* core.stack(t, limit, names) -> list of frames, why it ends; or nil, message, code. With `names`,
 * frames have name, module and offset where these are known. */
static int core_stack(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  lua_Integer limit = lua_tointeger(L, 2);
  bool names = lua_toboolean(L, 3);
  struct lt_stack stack;
  lua_pushcfunction(L, copy);
  int error = lt_backtrace(thread, limit > 0 ? (size_t)limit : 0, &stack);
  if (error)
    return bind_failure(L, error);
  struct listing listing = {lt_thread_process(thread), &stack, names};
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
