/* names.c - the words that scripts use for the engine's numbers. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"

/* Kinds without a name here never reach scripts. */
static const char *const kinds[LT_KIND_COUNT] = {
    [LT_START] = "start",
    [LT_BIRTH] = "birth",
    [LT_SYSCALL_ENTRY] = "syscall-entry",
    [LT_SYSCALL_EXIT] = "syscall-exit",
    [LT_SIGNAL] = "signal",
    [LT_CLONE] = "clone",
    [LT_VFORK_DONE] = "vfork-done",
    [LT_EXEC] = "exec",
    [LT_INTERRUPT] = "interrupt",
    [LT_GROUP_STOP] = "group-stop",
    [LT_CONTINUE] = "continue",
    [LT_REMOTE_DONE] = "remote-done",
    [LT_FUNCTION_DONE] = "function-done",
    [LT_BREAK] = "break",
    [LT_RETURN] = "return",
    [LT_WATCH] = "watch",
    [LT_STEPPED] = "stepped",
    [LT_LOAD] = "load",
    [LT_EXITING] = "exiting",
    [LT_THREAD_EXIT] = "thread-exit",
    [LT_PROCESS_EXIT] = "process-exit",
    [LT_SPAWN_FAILED] = "spawn-failed",
};

const char *bind_kind_name(unsigned kind)
{
  return kind < LT_KIND_COUNT ? kinds[kind] : NULL;
}

int bind_check_kind(lua_State *L, int index)
{
  const char *name = luaL_checkstring(L, index);
  for (int kind = 1; kind < LT_KIND_COUNT; kind++)
    if (kinds[kind] && strcmp(kinds[kind], name) == 0)
      return kind;
  bind_raise(L, "there is no stop kind '%s'", name);
}

const char *bind_how_name(unsigned how)
{
  static const char *const names[] = {
      [LT_HOW_LAUNCHED] = "launched", [LT_HOW_ATTACHED] = "attached", [LT_HOW_ADOPTED] = "adopted",
      [LT_HOW_FORK] = "fork",         [LT_HOW_VFORK] = "vfork",       [LT_HOW_CLONE] = "clone",
      [LT_HOW_THREAD] = "thread",
  };
  return how < sizeof names / sizeof *names ? names[how] : NULL;
}

const char *bind_abi_name(unsigned abi)
{
  static const char *const names[LT_ABI_COUNT] = {
      [LT_ABI_X86_64] = "x86_64",
      [LT_ABI_I386] = "i386",
  };
  return abi < LT_ABI_COUNT ? names[abi] : "unknown";
}

size_t bind_pointer_size(enum lt_abi abi)
{
  static const size_t sizes[LT_ABI_COUNT] = {[LT_ABI_X86_64] = 8, [LT_ABI_I386] = 4};
  return sizes[abi];
}

int bind_check_signal(lua_State *L, int index)
{
  int64_t number;
  if (compat_to_int64(L, index, &number)) {
    if (number < 0 || number > 64)
      bind_raise(L, "there is no signal %lld", (long long)number);
    return (int)number;
  }
  const char *name = luaL_checkstring(L, index);
  int signo = lt_signal_number(name);
  if (signo == 0)
    bind_raise(L, "there is no signal '%s'", name);
  return signo;
}

void bind_push_call_name(lua_State *L, unsigned abi, uint64_t nr)
{
  const struct lt_syscall *known = lt_syscall_find((enum lt_abi)abi, nr);
  char unknown[40];
  if (known) {
    lua_pushstring(L, known->name);
  } else if (nr == LT_NR_UNKNOWN) {
    lua_pushliteral(L, "syscall_unknown");
  } else {
    snprintf(unknown, sizeof unknown, "syscall_%llu", (unsigned long long)nr);
    lua_pushstring(L, unknown);
  }
}
