/* args.c - call.args: the arguments of a system call, raw by number and decoded by name.
 *
 * A string or buffer whose address is NULL is nil, one that cannot be read is its address. What
 * the call itself fills is nil until it has run. */
#include <errno.h>
#include <string.h>

#include "binding.h"

#define STRINGS_MAX 8192 /* of one argv; the list says `cut` beyond that */

/* ---- Decoding ----------------------------------------------------------------------------- */

static bool points_to_text(unsigned type)
{
  return type == LT_ARG_STRING || type == LT_ARG_BUFFER || type == LT_ARG_STRINGS;
}

static void push_value(lua_State *L, const struct lt_value *value, bool text)
{
  if (value->bytes)
    lua_pushlstring(L, value->bytes, value->size);
  else if (text && value->raw == 0)
    lua_pushnil(L);
  else if (value->type == LT_ARG_INT || value->type == LT_ARG_FD || value->type == LT_ARG_UINT)
    compat_push_int64(L, value->integer);
  else
    compat_push_int64(L, (int64_t)value->raw);
}

static void push_strings(lua_State *L, const struct bind_thread *box, unsigned index)
{
  struct lt_value value;
  lua_newtable(L);
  for (size_t i = 0;; i++) {
    int more = lt_call_string(box->thread, index, i, &value);
    bind_check_access(L, box, more);
    if (more < 0 && i == 0)
      compat_push_int64(L, (int64_t)lt_thread_call(box->thread)->args[index]);
    if (more <= 0)
      return;
    if (i == STRINGS_MAX) {
      lua_pushboolean(L, 1);
      lua_setfield(L, -2, "cut");
      return;
    }
    push_value(L, &value, false);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

void bind_push_argument(lua_State *L, const struct bind_thread *box, unsigned index)
{
  const struct lt_call *call = lt_thread_call(box->thread);
  const struct lt_syscall *known = call ? lt_syscall_find((enum lt_abi)call->abi, call->nr) : NULL;
  unsigned type =
      known && known->known && index < known->count ? known->args[index].type : LT_ARG_UINT;
  struct lt_value value;
  if (type == LT_ARG_STRINGS && call->args[index] != 0) {
    push_strings(L, box, index);
    return;
  }
  int error = lt_call_arg(box->thread, index, &value);
  bind_check_access(L, box, error);
  if (error == 0)
    push_value(L, &value, points_to_text(type));
  else
    lua_pushnil(L);
}

/* ---- Finding ------------------------------------------------------------------------------ */

static bool is_named(const struct lt_arg *arg, const char *name)
{
  return strcmp(arg->name, name) == 0 || (arg->alias && strcmp(arg->alias, name) == 0);
}

_Noreturn static void no_such_argument(lua_State *L, const struct lt_call *call, const char *name)
{
  const struct lt_syscall *known = lt_syscall_find((enum lt_abi)call->abi, call->nr);
  bind_push_call_name(L, call->abi, call->nr);
  const char *of = lua_tostring(L, -1);
  if (!known || !known->known)
    bind_raise(L, "the arguments of %s have no names; use call.args[1] to call.args[6]", of);
  char list[256] = "";
  for (unsigned i = 0; i < known->count; i++) {
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", known->args[i].name);
  }
  bind_raise(L, "%s has no argument '%s' (it has %s)", of, name, known->count ? list : "none");
}

unsigned bind_find_argument(lua_State *L, const struct lt_call *call, int at, bool *raw)
{
  int64_t position;
  *raw = compat_to_int64(L, at, &position);
  if (*raw) {
    if (position < 1 || position > LT_CALL_ARGS)
      bind_raise(L, "there is no argument %lld; a call has arguments 1 to 6", (long long)position);
    return (unsigned)position - 1;
  }
  if (lua_type(L, at) != LUA_TSTRING)
    bind_raise(L, "arguments have names or numbers, not a %s", luaL_typename(L, at));
  const char *name = lua_tostring(L, at);
  const struct lt_syscall *known = lt_syscall_find((enum lt_abi)call->abi, call->nr);
  for (unsigned i = 0; known && known->known && i < known->count; i++)
    if (is_named(&known->args[i], name))
      return i;
  no_such_argument(L, call, name);
}

/* ---- Metamethods -------------------------------------------------------------------------- */

int bind_args_index(lua_State *L)
{
  struct bind_call args = bind_check_call(L, 1, BIND_ARGS);
  const struct lt_call *call = bind_live_call(L, &args);
  bool raw;
  unsigned index = bind_find_argument(L, call, 2, &raw);
  if (raw)
    compat_push_int64(L, (int64_t)call->args[index]);
  else
    bind_push_argument(L, args.thread, index);
  return 1;
}

static unsigned count_of(const struct lt_call *call)
{
  const struct lt_syscall *known = lt_syscall_find((enum lt_abi)call->abi, call->nr);
  return known && known->known ? known->count : LT_CALL_ARGS;
}

int bind_args_len(lua_State *L)
{
  struct bind_call args = bind_check_call(L, 1, BIND_ARGS);
  lua_pushinteger(L, (lua_Integer)count_of(bind_live_call(L, &args)));
  return 1;
}

/* The iterator of pairs(call.args): names (numbers where there are none) and values in the order
 * of the declaration. Upvalue 1 is the position. */
static int args_next(lua_State *L)
{
  struct bind_call args = bind_check_call(L, 1, BIND_ARGS);
  const struct lt_call *call = bind_live_call(L, &args);
  const struct lt_syscall *known = lt_syscall_find((enum lt_abi)call->abi, call->nr);
  unsigned index = (unsigned)lua_tointeger(L, lua_upvalueindex(1));
  if (index >= count_of(call)) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushinteger(L, (lua_Integer)index + 1);
  lua_replace(L, lua_upvalueindex(1));
  if (known && known->known)
    lua_pushstring(L, known->args[index].name);
  else
    lua_pushinteger(L, (lua_Integer)index + 1);
  bind_push_argument(L, args.thread, index);
  return 2;
}

int bind_args_pairs(lua_State *L)
{
  bind_check_call(L, 1, BIND_ARGS);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, args_next, 1);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

int bind_args_tostring(lua_State *L)
{
  struct bind_call args = bind_check_call(L, 1, BIND_ARGS);
  const struct lt_call *call = bind_live_call(L, &args);
  bind_push_call_name(L, call->abi, call->nr);
  lua_pushfstring(L, "arguments of %s", lua_tostring(L, -1));
  return 1;
}
