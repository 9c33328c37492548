/* bits.c - luatrace.bit: operations on 64 bits, and keys for 64-bit values. */
#include "binding.h"

/* The arguments from `index` on, folded with one operator. */
#define FOLD(name, start, operator)                          \
  static int name(lua_State *L)                              \
  {                                                          \
    uint64_t bits = (start);                                 \
    for (int i = 1; i <= lua_gettop(L); i++)                 \
      bits = bits operator(uint64_t) bind_check_int64(L, i); \
    compat_push_int64(L, (int64_t)bits);                     \
    return 1;                                                \
  }

/* bit.band(...), bit.bor(...), bit.bxor(...) -> integer */
FOLD(bit_and, UINT64_MAX, &)
FOLD(bit_or, 0, |)
FOLD(bit_xor, 0, ^)

/* bit.bnot(n) -> integer */
static int bit_not(lua_State *L)
{
  compat_push_int64(L, ~bind_check_int64(L, 1));
  return 1;
}

static uint64_t shifted(uint64_t bits, int64_t left)
{
  if (left <= -64 || left >= 64)
    return 0;
  return left >= 0 ? bits << left : bits >> -left;
}

static int64_t check_distance(lua_State *L)
{
  int64_t distance = bind_check_int64(L, 2);
  return distance < -64 ? -64 : distance > 64 ? 64 : distance;
}

/* bit.lshift(n, bits), bit.rshift(n, bits) -> integer; zeros move in */
static int bit_lshift(lua_State *L)
{
  uint64_t bits = (uint64_t)bind_check_int64(L, 1);
  compat_push_int64(L, (int64_t)shifted(bits, check_distance(L)));
  return 1;
}

static int bit_rshift(lua_State *L)
{
  uint64_t bits = (uint64_t)bind_check_int64(L, 1);
  compat_push_int64(L, (int64_t)shifted(bits, -check_distance(L)));
  return 1;
}

/* core.key(value) -> something equal, as a key of tables, for equal 64-bit values */
static int core_key(lua_State *L)
{
  compat_push_key(L, bind_check_int64(L, 1));
  return 1;
}

void bind_open_bits(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"band", bit_and},      {"bor", bit_or},        {"bxor", bit_xor}, {"bnot", bit_not},
      {"lshift", bit_lshift}, {"rshift", bit_rshift}, {NULL, NULL},
  };
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  lua_setfield(L, -2, "bit");
  lua_pushcfunction(L, core_key);
  lua_setfield(L, -2, "key");
}
