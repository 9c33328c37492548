/* registers.c - t.regs: registers by name. */
#include <errno.h>
#include <string.h>

#include "binding.h"

#define LARGEST 32 /* bytes: a ymm register */

/* The register that argument 2 names. The names that were looked at are in a table, the attributes of
 * the class (upvalue 2), which this one has none of. */
static const struct lt_reg *find(lua_State *L, lt_thread *thread)
{
  enum lt_abi abi = lt_thread_abi(thread);
  size_t count = 0;
  const struct lt_reg *table = lt_reg_table(abi, &count);
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(2));
  const struct lt_reg *reg = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (reg && reg >= table && reg < table + count) /* and not of the other ABI */
    return reg;

  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
  reg = name ? lt_reg_find(abi, name) : NULL;
  if (!reg)
    bind_raise(L, "there is no register '%s' in %s", name ? name : luaL_typename(L, 2),
               bind_abi_name(abi));
  lua_pushvalue(L, 2);
  lua_pushlightuserdata(L, (void *)reg);
  lua_rawset(L, lua_upvalueindex(2));
  return reg;
}

static void check(lua_State *L, const struct bind_thread *box, const struct lt_reg *reg, int error)
{
  bind_check_access(L, box, error);
  if (error == -ENODEV)
    bind_raise(L, "this processor has no register '%s'", reg->name);
  if (error)
    bind_raise(L, "register '%s' of thread %d: %s", reg->name, (int)box->tid,
               lt_errno_text(-error));
}

/* ---- Bytes to values and back ------------------------------------------------------------- */

static void push(lua_State *L, const struct lt_reg *reg, const unsigned char bytes[LARGEST])
{
  uint64_t integer = 0;
  long double number = 0;
  switch (reg->type) {
  case LT_REG_INT:
    memcpy(&integer, bytes, reg->size);
    compat_push_int64(L, (int64_t)integer);
    break;
  case LT_REG_FLOAT80: /* only ABIs whose long double it is have this type */
    memcpy(&number, bytes, reg->size);
    lua_pushnumber(L, (lua_Number)number);
    break;
  default:
    lua_pushlstring(L, (const char *)bytes, reg->size);
  }
}

/* Whether the low `size` bytes hold the value, taken as signed or unsigned. */
static bool fits(int64_t value, unsigned size)
{
  if (size >= 8)
    return true;
  int64_t limit = (int64_t)1 << (8 * size);
  return value >= -limit / 2 && value < limit;
}

static void convert(lua_State *L, int index, const struct lt_reg *reg, unsigned char ret[LARGEST])
{
  memset(ret, 0, LARGEST);
  if (reg->type == LT_REG_INT) {
    int64_t value = bind_check_int64(L, index);
    if (!fits(value, reg->size))
      bind_raise(L, "the value does not fit into the %d bits of '%s'", reg->size * 8, reg->name);
    memcpy(ret, &value, reg->size);
  } else if (reg->type == LT_REG_FLOAT80) {
    if (lua_type(L, index) != LUA_TNUMBER)
      bind_raise(L, "register '%s' holds a number, not a %s", reg->name, luaL_typename(L, index));
    long double value = (long double)lua_tonumber(L, index);
    memcpy(ret, &value, reg->size);
  } else {
    size_t size = 0;
    const char *bytes = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &size) : NULL;
    if (!bytes || size != reg->size)
      bind_raise(L, "register '%s' holds a string of %d bytes", reg->name, reg->size);
    memcpy(ret, bytes, size);
  }
}

/* ---- Metamethods -------------------------------------------------------------------------- */

static int regs_index(lua_State *L)
{
  struct bind_view *view = bind_check(L, 1, BIND_REGS);
  lt_thread *thread = bind_live_thread(L, view->thread);
  const struct lt_reg *reg = find(L, thread);
  unsigned char bytes[LARGEST] = {0};
  check(L, view->thread, reg, lt_reg_get(thread, reg, bytes));
  push(L, reg, bytes);
  return 1;
}

static int regs_newindex(lua_State *L)
{
  struct bind_view *view = bind_check(L, 1, BIND_REGS);
  lt_thread *thread = bind_live_thread(L, view->thread);
  const struct lt_reg *reg = find(L, thread);
  unsigned char bytes[LARGEST];
  convert(L, 3, reg, bytes);
  check(L, view->thread, reg, lt_reg_set(thread, reg, bytes));
  return 0;
}

/* The iterator of pairs(t.regs): upvalue 1 is the position. Leaves out what this processor does
 * not have. */
static int regs_next(lua_State *L)
{
  struct bind_view *view = bind_check(L, 1, BIND_REGS);
  lt_thread *thread = bind_live_thread(L, view->thread);
  size_t count;
  const struct lt_reg *table = lt_reg_table(lt_thread_abi(thread), &count);
  size_t at = (size_t)lua_tointeger(L, lua_upvalueindex(1));
  while (at < count) {
    unsigned char bytes[LARGEST] = {0};
    const struct lt_reg *reg = &table[at++];
    int error = lt_reg_get(thread, reg, bytes);
    if (error == -ENODEV)
      continue;
    check(L, view->thread, reg, error);
    lua_pushinteger(L, (lua_Integer)at);
    lua_replace(L, lua_upvalueindex(1));
    lua_pushstring(L, reg->name);
    push(L, reg, bytes);
    return 2;
  }
  lua_pushnil(L);
  return 1;
}

static int regs_pairs(lua_State *L)
{
  bind_check(L, 1, BIND_REGS);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, regs_next, 1);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

static int regs_tostring(lua_State *L)
{
  struct bind_view *view = bind_check(L, 1, BIND_REGS);
  lua_pushfstring(L, "registers of thread %d", (int)view->thread->tid);
  return 1;
}

static const luaL_Reg meta[] = {
    {"__pairs", regs_pairs},
    {"__tostring", regs_tostring},
    {NULL, NULL},
};

const struct bind_class bind_regs_class = {
    .name = "registers",
    .index = regs_index,
    .newindex = regs_newindex,
    .meta = meta,
};
