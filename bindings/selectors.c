/* selectors.c - what the arguments of system calls must be, for the prelude. */
#include <errno.h>
#include <string.h>

#include "binding.h"

#define SELECTOR "luatrace.selector"

struct holder {
  lt_selector *selector;
};

static const struct lt_syscall *check_call(lua_State *L)
{
  lua_Integer abi = luaL_checkinteger(L, 1), nr = luaL_checkinteger(L, 2);
  luaL_argcheck(L, abi >= 0 && abi < LT_ABI_COUNT, 1, "no such ABI");
  return lt_syscall_find((enum lt_abi)abi, (uint64_t)nr);
}

static const struct lt_arg *check_arg(lua_State *L)
{
  const struct lt_syscall *known = check_call(L);
  lua_Integer index = luaL_checkinteger(L, 3);
  luaL_argcheck(L, known && index >= 0 && index < known->count, 3, "no such argument");
  return &known->args[index];
}

static uint8_t size_of(const struct lt_arg *arg)
{
  if (arg->type == LT_ARG_FD)
    return 4;
  return arg->type <= LT_ARG_UINT && arg->size ? arg->size : 8;
}

static bool is_signed(const struct lt_arg *arg)
{
  return arg->type == LT_ARG_INT || arg->type == LT_ARG_FD;
}

/* core.argument_kind(abi, nr, index) -> "number" or "text", size in bytes, whether it is signed */
static int core_argument_kind(lua_State *L)
{
  const struct lt_arg *arg = check_arg(L);
  bool text = arg->type == LT_ARG_STRING || (arg->type == LT_ARG_BUFFER && !arg->out);
  lua_pushstring(L, text ? "text" : "number");
  lua_pushinteger(L, size_of(arg));
  lua_pushboolean(L, is_signed(arg));
  return 3;
}

/* core.constant(abi, nr, index, name) -> value, or nil */
static int core_constant(lua_State *L)
{
  uint64_t value;
  if (lt_constant(check_arg(L), luaL_checkstring(L, 4), &value) == 0)
    compat_push_int64(L, (int64_t)value);
  else
    lua_pushnil(L);
  return 1;
}

/* core.constants(abi, nr, index) -> list of names */
static int core_constants(lua_State *L)
{
  const struct lt_arg *arg = check_arg(L);
  const char *name;
  uint64_t value;
  lua_newtable(L);
  for (size_t i = 0; (name = lt_constant_at(arg, i, &value)); i++) {
    lua_pushstring(L, name);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* ---- Making ------------------------------------------------------------------------------- */

static const char *const kinds[] = {
    [LT_CHECK_ONE_OF] = "one_of", [LT_CHECK_BITS] = "bits", [LT_CHECK_ANY] = "any",
    [LT_CHECK_RANGE] = "range",   [LT_CHECK_TEXT] = "text", [LT_CHECK_PREFIX] = "prefix",
    [LT_CHECK_SUFFIX] = "suffix", [LT_CHECK_GLOB] = "glob",
};

static uint8_t read_kind(lua_State *L, int at)
{
  lua_getfield(L, at, "kind");
  const char *name = luaL_checkstring(L, -1);
  uint8_t kind = 0;
  while (kind < LT_CHECK_GLOB && strcmp(kinds[kind], name) != 0)
    kind++;
  lua_pop(L, 1);
  return kind;
}

/* The list at the top becomes values or texts, whose memory is pushed in its stead. The strings belong
 * to the list, which its table keeps. */
static void read_list(lua_State *L, struct lt_check *check)
{
  bool text = check->kind >= LT_CHECK_TEXT;
  size_t count = (size_t)lua_rawlen(L, -1);
  size_t each = text ? sizeof(struct lt_words) : sizeof(uint64_t);
  uint64_t *values = compat_new_userdata(L, (count + 1) * each);
  struct lt_words *texts = (struct lt_words *)(void *)values;
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    if (text)
      texts[i].bytes = luaL_checklstring(L, -1, &texts[i].size);
    else if (lua_isboolean(L, -1)) /* an end of a range that is open */
      values[i] = i == 0 ? (check->is_signed ? (uint64_t)INT64_MIN : 0)
                         : (check->is_signed ? INT64_MAX : UINT64_MAX);
    else
      values[i] = (uint64_t)bind_check_int64(L, -1);
    lua_pop(L, 1);
  }
  lua_remove(L, -2);
  check->count = count;
  check->values = values;
  check->texts = texts;
}

/* The table at the top, popped; what the check points to is pushed. */
static void read_check(lua_State *L, const struct lt_syscall *known, struct lt_check *ret)
{
  int at = lua_gettop(L);
  *ret = (struct lt_check){.size = 8};
  lua_getfield(L, at, "arg");
  ret->arg = (uint8_t)luaL_checkinteger(L, -1);
  lua_getfield(L, at, "raw");
  bool raw = lua_toboolean(L, -1) || !known || ret->arg >= known->count;
  lua_pop(L, 2);
  const struct lt_arg *arg = raw ? NULL : &known->args[ret->arg];
  if (arg)
    ret->size = size_of(arg);
  ret->is_signed = arg && is_signed(arg);
  ret->kind = read_kind(L, at);
  lua_getfield(L, at, "list");
  luaL_checktype(L, -1, LUA_TTABLE);
  read_list(L, ret);
  lua_remove(L, at);
}

static int free_holder(lua_State *L)
{
  struct holder *holder = lua_touserdata(L, 1);
  if (bind_of(L)->session)
    lt_selector_free(holder->selector);
  holder->selector = NULL;
  return 0;
}

#define CHECKS_MAX 64

/* core.selector(abi, nr, checks) -> selector. A check is { arg = index from 0, kind =, list =, raw = }:
 * the register as it is, instead of what its declaration leaves of it. */
static int core_selector(lua_State *L)
{
  struct lt_check checks[CHECKS_MAX];
  const struct lt_syscall *known = check_call(L);
  size_t count = (size_t)lua_rawlen(L, 3);
  struct holder *holder = compat_new_userdata(L, sizeof *holder);
  holder->selector = NULL;
  luaL_setmetatable(L, SELECTOR);
  luaL_argcheck(L, count <= CHECKS_MAX, 3, "too many tests");
  luaL_checkstack(L, CHECKS_MAX + 8, NULL);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 3, (lua_Integer)i + 1);
    read_check(L, known && known->known ? known : NULL, &checks[i]);
  }
  int error = lt_selector_new(bind_of(L)->session, (enum lt_abi)lua_tointeger(L, 1),
                              (int)lua_tointeger(L, 2), checks, count, &holder->selector);
  if (error)
    bind_raise(L, "%s", lt_error(bind_of(L)->session));
  lua_settop(L, 4);
  return 1;
}

lt_selector *bind_selector(lua_State *L, int index)
{
  const struct holder *holder =
      lua_isnoneornil(L, index) ? NULL : luaL_checkudata(L, index, SELECTOR);
  return holder ? holder->selector : NULL;
}

/* ---- Using -------------------------------------------------------------------------------- */

/* core.select(selector, on): ask for the entries that pass it, or no longer */
static int core_select(lua_State *L)
{
  const struct holder *holder = luaL_checkudata(L, 1, SELECTOR);
  lt_selector_subscribe(holder->selector, lua_toboolean(L, 2));
  return 0;
}

/* core.passes(selector, t) -> whether the call that t is in does */
static int core_passes(lua_State *L)
{
  const struct holder *holder = luaL_checkudata(L, 1, SELECTOR);
  struct bind_thread *box = bind_check(L, 2, BIND_THREAD);
  lua_pushboolean(L, lt_selector_passes(holder->selector, bind_live_thread(L, box)));
  return 1;
}

void bind_open_selectors(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"argument_kind", core_argument_kind},
      {"constant", core_constant},
      {"constants", core_constants},
      {"selector", core_selector},
      {"select", core_select},
      {"passes", core_passes},
      {NULL, NULL},
  };
  luaL_newmetatable(L, SELECTOR);
  lua_pushcfunction(L, free_holder);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
}
