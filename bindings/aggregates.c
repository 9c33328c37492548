/* aggregates.c - aggregations for the prelude (scripts/luatrace/aggregates.lua), which says what its
 * numbers mean. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"

#define TESTS_MAX 64
#define ALTERNATIVES_MAX 4096

struct box {
  lt_aggregation *aggregation; /* NULL when freed */
};

static const char metatable[] = "luatrace.aggregation";

static lt_aggregation *check(lua_State *L, int index)
{
  const struct box *box = luaL_checkudata(L, index, metatable);
  return box->aggregation;
}

static int failed(lua_State *L, int error)
{
  return bind_failure_text(L, error, lt_error(bind_of(L)->session));
}

static int done(lua_State *L, int error)
{
  if (error)
    return failed(L, error);
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- Making ------------------------------------------------------------------------------- */

static int aggregation_gc(lua_State *L)
{
  struct box *box = luaL_checkudata(L, 1, metatable);
  if (box->aggregation && bind_of(L)->session) /* which ends with all its aggregations */
    lt_aggregation_free(box->aggregation);
  box->aggregation = NULL;
  return 0;
}

/* core.aggregation(action, keys, rows, from, to, step) -> aggregation | nil, message, code */
static int core_aggregation(lua_State *L)
{
  const struct lt_aggregate_shape shape = {
      .size = sizeof shape,
      .action = (uint8_t)luaL_checkinteger(L, 1),
      .keys = (uint8_t)luaL_checkinteger(L, 2),
      .rows = (uint32_t)luaL_optinteger(L, 3, 0),
      .from = lua_isnoneornil(L, 4) ? 0 : bind_check_int64(L, 4),
      .to = lua_isnoneornil(L, 5) ? 0 : bind_check_int64(L, 5),
      .step = lua_isnoneornil(L, 6) ? 0 : (uint64_t)bind_check_int64(L, 6),
  };
  struct box *box = lua_newuserdata(L, sizeof *box);
  box->aggregation = NULL;
  luaL_setmetatable(L, metatable);
  int error = lt_aggregation_new(bind_of(L)->session, &shape, &box->aggregation);
  return error ? failed(L, error) : 1;
}

/* ---- Attaching ---------------------------------------------------------------------------- */

static int64_t integer_field(lua_State *L, int table, int position)
{
  int64_t value = 0;
  lua_rawgeti(L, table, position);
  if (!lua_isnil(L, -1))
    value = bind_check_int64(L, lua_gettop(L));
  lua_pop(L, 1);
  return value;
}

/* At the top: { source, index, size, signed }; popped. */
static struct lt_operand pop_operand(lua_State *L)
{
  int table = lua_gettop(L);
  struct lt_operand operand = {0};
  if (lua_istable(L, table)) {
    operand.source = (uint8_t)integer_field(L, table, 1);
    operand.index = (uint8_t)integer_field(L, table, 2);
    operand.size = (uint8_t)integer_field(L, table, 3);
    lua_rawgeti(L, table, 4);
    operand.is_signed = lua_toboolean(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return operand;
}

/* A bound of a range; false: there is none. */
static uint64_t bound(lua_State *L, int table, int position, uint64_t otherwise)
{
  lua_rawgeti(L, table, position);
  bool given = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return given ? (uint64_t)integer_field(L, table, position) : otherwise;
}

/* At the top: { kind, a, b, kind, a, b, ... }; replaced by what keeps the memory. */
static void pop_alternatives(lua_State *L, struct lt_test *test)
{
  int table = lua_gettop(L);
  bool is_signed = test->operand.is_signed;
  size_t count = lua_rawlen(L, table) / 3;
  if (count > ALTERNATIVES_MAX)
    bind_raise(L, "a condition has at most %d values", ALTERNATIVES_MAX);
  struct lt_alternative *any = lua_newuserdata(L, (count + 1) * sizeof *any);
  for (size_t i = 0; i < count; i++) {
    any[i].kind = (uint8_t)integer_field(L, table, (int)(3 * i + 1));
    any[i].a = bound(L, table, (int)(3 * i + 2), is_signed ? (uint64_t)INT64_MIN : 0);
    any[i].b = bound(L, table, (int)(3 * i + 3), is_signed ? (uint64_t)INT64_MAX : UINT64_MAX);
  }
  test->any = any;
  test->count = (uint32_t)count;
  lua_replace(L, table); /* stays on the stack, and alive */
}

/* core.aggregation_attach(aggregation, value, keys, tests) -> attachment | nil, message, code. Operands are
 * { source, index, size, signed }, tests { operand, alternatives }. */
static int core_aggregation_attach(lua_State *L)
{
  lt_aggregation *aggregation = check(L, 1);
  struct lt_measure measure = {0};
  struct lt_test tests[TESTS_MAX];
  lua_pushvalue(L, 2);
  measure.value = pop_operand(L);
  for (int i = 0; i < LT_KEYS_MAX; i++) {
    lua_rawgeti(L, 3, i + 1);
    measure.key[i] = pop_operand(L);
  }
  size_t count = lua_rawlen(L, 4);
  if (count > TESTS_MAX)
    bind_raise(L, "an aggregation has at most %d conditions", TESTS_MAX);
  luaL_checkstack(L, TESTS_MAX + 8, NULL);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 4, (int)i + 1);
    lua_rawgeti(L, -1, 1);
    tests[i].operand = pop_operand(L);
    lua_rawgeti(L, -1, 2);
    lua_remove(L, -2);
    pop_alternatives(L, &tests[i]);
  }
  measure.tests = tests;
  measure.test_count = count;
  lt_attachment *attachment;
  int error = lt_aggregation_attach(aggregation, &measure, &attachment);
  if (error)
    return failed(L, error);
  lua_pushlightuserdata(L, attachment);
  return 1;
}

/* core.attachment_free(attachment) */
static int core_attachment_free(lua_State *L)
{
  lt_attachment_free(lua_touserdata(L, 1));
  return 0;
}

/* core.aggregate_call(attachment, abi, nr or nil: all, selector or nil) -> true | nil, message, code */
static int core_aggregate_call(lua_State *L)
{
  int nr = lua_isnil(L, 3) ? LT_ALL_SYSCALLS : (int)luaL_checkinteger(L, 3);
  enum lt_abi abi = (enum lt_abi)luaL_checkinteger(L, 2);
  return done(L, lt_aggregate_call(lua_touserdata(L, 1), abi, nr, bind_selector(L, 4)));
}

/* core.aggregate_signals(attachment, set of numbers, or true: all) */
static int core_aggregate_signals(lua_State *L)
{
  uint64_t signals = lua_istable(L, 2) ? 0 : UINT64_MAX;
  for (int i = 1; i <= 64 && lua_istable(L, 2); i++) {
    lua_rawgeti(L, 2, i);
    if (lua_toboolean(L, -1))
      signals |= (uint64_t)1 << (i - 1);
    lua_pop(L, 1);
  }
  return done(L, lt_aggregate_signals(lua_touserdata(L, 1), signals));
}

/* core.aggregate_break(attachment, p, address, check) -> true | nil, message, code */
static int core_aggregate_break(lua_State *L)
{
  lt_process *process = bind_live_process(L, bind_check(L, 2, BIND_PROCESS));
  unsigned flags = lua_toboolean(L, 4) ? LT_BREAK_CHECK : 0;
  return done(L,
              lt_aggregate_break(lua_touserdata(L, 1), process, bind_check_address(L, 3), flags));
}

/* core.aggregation_planted(aggregation) -> number of addresses, reason or nil */
static int core_aggregation_planted(lua_State *L)
{
  const char *reason;
  lua_pushinteger(L, (lua_Integer)lt_aggregation_planted(check(L, 1), &reason));
  lua_pushstring(L, reason);
  return 2;
}

/* core.aggregate_unmapped(p, from, to) */
static int core_aggregate_unmapped(lua_State *L)
{
  const struct bind_process *box = bind_check(L, 1, BIND_PROCESS);
  if (box->process)
    lt_aggregate_unmapped(box->process, bind_check_address(L, 2), bind_check_address(L, 3));
  return 0;
}

/* core.argument_operand(abi, nr, name) -> operand, whether it is a string | nil */
static int core_argument_operand(lua_State *L)
{
  enum lt_abi abi = (enum lt_abi)luaL_checkinteger(L, 1);
  const struct lt_syscall *known = lt_syscall_find(abi, (uint64_t)luaL_checkinteger(L, 2));
  const char *name = luaL_checkstring(L, 3);
  for (unsigned i = 0; known && known->known && i < known->count; i++) {
    const struct lt_arg *arg = &known->args[i];
    if (strcmp(arg->name, name) != 0 && (!arg->alias || strcmp(arg->alias, name) != 0))
      continue;
    bool number = arg->type <= LT_ARG_FD;
    const int64_t fields[] = {LT_FROM_ARG, i,
                              number && arg->size ? arg->size : bind_pointer_size(abi)};
    lua_createtable(L, 4, 0);
    for (int k = 0; k < 3; k++) {
      lua_pushinteger(L, (lua_Integer)fields[k]);
      lua_rawseti(L, -2, k + 1);
    }
    lua_pushboolean(L, arg->type == LT_ARG_INT || arg->type == LT_ARG_FD);
    lua_rawseti(L, -2, 4);
    lua_pushboolean(L, arg->type == LT_ARG_STRING);
    return 2;
  }
  return 0;
}

/* core.argument_names(abi, nr) -> list */
static int core_argument_names(lua_State *L)
{
  enum lt_abi abi = (enum lt_abi)luaL_checkinteger(L, 1);
  const struct lt_syscall *known = lt_syscall_find(abi, (uint64_t)luaL_checkinteger(L, 2));
  lua_newtable(L);
  for (unsigned i = 0; known && known->known && i < known->count; i++) {
    lua_pushstring(L, known->args[i].name);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* core.is_integer(value) -> whether it is one of 64 bits; core.to_integer(float) -> it */
static int core_is_integer(lua_State *L)
{
  int64_t value;
  lua_pushboolean(L, compat_to_int64(L, 1, &value));
  return 1;
}

static int core_to_integer(lua_State *L)
{
  compat_push_int64(L, (int64_t)luaL_checknumber(L, 1));
  return 1;
}

/* ---- Reading ------------------------------------------------------------------------------ */

static void push_key(lua_State *L, const struct lt_key *key)
{
  if (key->text)
    lua_pushlstring(L, key->text, key->size);
  else
    compat_push_int64(L, key->number);
}

/* { keys..., count, sum, buckets } */
static void push_row(lua_State *L, const struct lt_aggregate_row *row, size_t keys, size_t buckets)
{
  lua_createtable(L, (int)keys, 3);
  for (size_t i = 0; i < keys; i++) {
    push_key(L, &row->key[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  compat_push_int64(L, (int64_t)row->count);
  lua_setfield(L, -2, "count");
  compat_push_int64(L, row->sum);
  lua_setfield(L, -2, "sum");
  if (!buckets)
    return;
  lua_createtable(L, (int)buckets, 0);
  for (size_t i = 0; i < buckets; i++) {
    compat_push_int64(L, (int64_t)row->buckets[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "buckets");
}

struct list {
  const struct lt_aggregate_row *rows;
  size_t count, keys, buckets;
};

/* Argument: a struct list. Returns a list. Can raise for lack of memory. */
static int copy_rows(lua_State *L)
{
  const struct list *list = lua_touserdata(L, 1);
  lua_createtable(L, (int)list->count, 0);
  for (size_t i = 0; i < list->count; i++) {
    push_row(L, &list->rows[i], list->keys, list->buckets);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* core.aggregation_rows(aggregation, keys) -> list of rows | nil, message, code */
static int core_aggregation_rows(lua_State *L)
{
  lt_aggregation *aggregation = check(L, 1);
  struct list list = {.keys = (size_t)luaL_checkinteger(L, 2),
                      .buckets = lt_aggregation_buckets(aggregation)};
  struct lt_aggregate_row *rows;
  lua_pushcfunction(L, copy_rows);
  ssize_t count = lt_aggregation_rows(aggregation, &rows);
  if (count < 0)
    return failed(L, (int)count);
  list.rows = rows;
  list.count = (size_t)count;
  lua_pushlightuserdata(L, &list);
  int status = lua_pcall(L, 1, 1, 0);
  free(rows);
  return status == LUA_OK ? 1 : lua_error(L);
}

/* core.aggregation_find(aggregation, keys, key...) -> row | nil */
static int core_aggregation_find(lua_State *L)
{
  lt_aggregation *aggregation = check(L, 1);
  size_t keys = (size_t)luaL_checkinteger(L, 2);
  struct lt_key key[LT_KEYS_MAX] = {0};
  struct lt_aggregate_row row;
  for (size_t i = 0; i < keys && i < LT_KEYS_MAX; i++) {
    int at = (int)i + 3;
    if (lua_type(L, at) == LUA_TSTRING)
      key[i].text = lua_tolstring(L, at, &key[i].size);
    else
      key[i].number = bind_check_int64(L, at);
  }
  if (!lt_aggregation_find(aggregation, key, &row))
    return 0;
  push_row(L, &row, keys, lt_aggregation_buckets(aggregation));
  return 1;
}

/* core.aggregation_others(aggregation) -> row */
static int core_aggregation_others(lua_State *L)
{
  lt_aggregation *aggregation = check(L, 1);
  struct lt_aggregate_row row;
  lt_aggregation_others(aggregation, &row);
  push_row(L, &row, 0, lt_aggregation_buckets(aggregation));
  return 1;
}

/* core.aggregation_clear(aggregation) */
static int core_aggregation_clear(lua_State *L)
{
  lt_aggregation_clear(check(L, 1));
  return 0;
}

/* core.key_name(number) -> "read"; core.key_name("read") -> number or nil */
static int core_key_name(lua_State *L)
{
  char text[64];
  int64_t number;
  if (lua_type(L, 1) != LUA_TSTRING) {
    lua_pushstring(L, lt_key_name(bind_check_int64(L, 1), text, sizeof text));
    return 1;
  }
  if (!lt_key_named(lua_tostring(L, 1), &number))
    return 0;
  compat_push_int64(L, number);
  return 1;
}

static void push_sources(lua_State *L)
{
  static const char *const names[] = {
      [LT_FROM_ARG] = "arg",
      [LT_FROM_STRING] = "string",
      [LT_FROM_RET] = "ret",
      [LT_FROM_TIME] = "time",
      [LT_FROM_ERROR] = "error",
      [LT_FROM_NAME] = "name",
      [LT_FROM_NR] = "nr",
      [LT_FROM_ABI] = "abi",
      [LT_FROM_TID] = "tid",
      [LT_FROM_PID] = "pid",
      [LT_FROM_COMM] = "comm",
      [LT_FROM_PC] = "pc",
      [LT_FROM_CALLER] = "caller",
      [LT_FROM_FUNCTION] = "function",
      [LT_FROM_CALLER_NAME] = "caller_name",
  };
  lua_newtable(L);
  for (int i = LT_FROM_ARG; i <= LT_FROM_CALLER_NAME; i++) {
    lua_pushinteger(L, i);
    lua_setfield(L, -2, names[i]);
  }
}

void bind_open_aggregates(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"aggregation", core_aggregation},
      {"aggregation_attach", core_aggregation_attach},
      {"attachment_free", core_attachment_free},
      {"aggregate_call", core_aggregate_call},
      {"aggregate_signals", core_aggregate_signals},
      {"aggregate_break", core_aggregate_break},
      {"aggregation_planted", core_aggregation_planted},
      {"aggregate_unmapped", core_aggregate_unmapped},
      {"argument_operand", core_argument_operand},
      {"argument_names", core_argument_names},
      {"is_integer", core_is_integer},
      {"to_integer", core_to_integer},
      {"aggregation_rows", core_aggregation_rows},
      {"aggregation_find", core_aggregation_find},
      {"aggregation_others", core_aggregation_others},
      {"aggregation_clear", core_aggregation_clear},
      {"key_name", core_key_name},
      {NULL, NULL},
  };
  if (luaL_newmetatable(L, metatable)) {
    lua_pushcfunction(L, aggregation_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, 0);
  push_sources(L);
  lua_setfield(L, -2, "sources");
}
