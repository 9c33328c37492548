/* disasm.c - disassembly, for the prelude. */
#include <errno.h>
#include <stdlib.h>

#include "binding.h"

#define COUNT_MAX 65536

struct listing {
  lt_thread *thread;
  const struct lt_instruction *instructions;
  size_t count;
};

/* A field "main+12" of the table on the top, if a symbol is near. */
static void set_symbol(lua_State *L, const char *field, lt_thread *thread, uint64_t addr)
{
  struct lt_symbol symbol;
  if (lt_symbol_at(lt_thread_process(thread), addr, &symbol) != 0 || !symbol.name)
    return;
  lua_pushstring(L, symbol.name);
  if (addr != symbol.addr) {
    char offset[32];
    snprintf(offset, sizeof offset, "+%llu", (unsigned long long)(addr - symbol.addr));
    lua_pushstring(L, offset);
    lua_concat(L, 2);
  }
  lua_setfield(L, -2, field);
}

static void push_instruction(lua_State *L, lt_thread *thread,
                             const struct lt_instruction *instruction)
{
  const struct lt_line *line;
  lua_createtable(L, 0, 8);
  compat_push_int64(L, (int64_t)instruction->addr);
  lua_setfield(L, -2, "addr");
  lua_pushinteger(L, instruction->size);
  lua_setfield(L, -2, "size");
  lua_pushlstring(L, (const char *)instruction->bytes, instruction->size);
  lua_setfield(L, -2, "bytes");
  lua_pushstring(L, instruction->text);
  lua_setfield(L, -2, "text");
  if (instruction->has_target) {
    compat_push_int64(L, (int64_t)instruction->target);
    lua_setfield(L, -2, "target");
    set_symbol(L, "name", thread, instruction->target);
  }
  set_symbol(L, "at", thread, instruction->addr);
  if (lt_line_at(thread, instruction->addr, &line) == 0 && line->line) {
    lua_pushinteger(L, line->line);
    lua_setfield(L, -2, "line");
  }
}

/* Argument: a struct listing. Returns a list. Can raise for lack of memory. */
static int copy(lua_State *L)
{
  const struct listing *listing = lua_touserdata(L, 1);
  lua_createtable(L, (int)listing->count, 0);
  for (size_t i = 0; i < listing->count; i++) {
    push_instruction(L, listing->thread, &listing->instructions[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* core.disasm(t, addr, count, att) -> list of { addr, size, bytes, text, at, target, name, line }, or
 * nil, message, code. `at` and `name` are symbols, of the address and of the target; they, the
 * target and the line are nil where there is none. At most COUNT_MAX of them. */
static int core_disasm(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  uint64_t addr = bind_check_address(L, 2);
  int64_t wanted = bind_check_int64(L, 3);
  enum lt_syntax syntax = lua_toboolean(L, 4) ? LT_SYNTAX_ATT : LT_SYNTAX_INTEL;
  size_t count = wanted < 0 ? 0 : wanted > COUNT_MAX ? COUNT_MAX : (size_t)wanted;
  lua_pushcfunction(L, copy);
  struct lt_instruction *instructions = calloc(count + 1, sizeof *instructions);
  if (!instructions)
    return bind_failure(L, -ENOMEM);
  ssize_t done = lt_disasm(thread, addr, count, syntax, instructions);
  if (done < 0) {
    free(instructions);
    bind_check_access(L, box, (int)done);
    return bind_failure_text(L, (int)done, lt_error(bind_of(L)->session));
  }
  struct listing listing = {thread, instructions, (size_t)done};
  lua_pushlightuserdata(L, &listing);
  int status = lua_pcall(L, 1, 1, 0);
  free(instructions);
  return status == LUA_OK ? 1 : lua_error(L);
}

void bind_open_disasm(lua_State *L)
{
  static const luaL_Reg functions[] = {{"disasm", core_disasm}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
