/* place.c - assigning to an argument of a call at its entry. An integer goes into the register.
 * What a string or a table says is placed in room of ours in the program (lt_scratch_take()), and
 * the register points there until the exit. */
#include <errno.h>
#include <string.h>

#include "change.h"

#define PIECES_MAX 1024 /* the kernel's own limit, IOV_MAX */

/* The size of all pieces of an iovec; false if it cannot be read. */
static bool own_pieces(const struct bind_change *change, uint64_t *ret)
{
  size_t word = bind_pointer_size((enum lt_abi)change->call->abi);
  uint64_t addr = change->call->args[change->index];
  uint64_t count = bind_change_arg(change, (int)change->index + 1);
  *ret = 0;
  for (uint64_t i = 0; i < count; i++) {
    uint64_t size = 0;
    ssize_t got = i < PIECES_MAX
                      ? lt_mem_read(change->box->thread, addr + (2 * i + 1) * word, &size, word)
                      : -1;
    if (got != (ssize_t)word)
      return false;
    *ret += size;
  }
  return true;
}

static int done(const struct bind_change *change)
{
  lua_pushboolean(change->L, 1);
  return 1;
}

/* Calls whose result counts the bytes that were taken from the buffer. One that became another has
 * no buffer of the program's to compare with. */
static bool counts(const struct bind_change *change)
{
  static const char *const names[] = {"write",  "pwrite64", "send",     "sendto",
                                      "writev", "pwritev",  "pwritev2", "vmsplice"};
  bool became = change->box->became == lt_thread_call_seq(change->box->thread);
  for (size_t i = 0; i < sizeof names / sizeof *names && !became; i++)
    if (strcmp(change->row->name, names[i]) == 0)
      return true;
  return false;
}

/* The string on the top of the stack. */
static int place_bytes(const struct bind_change *change, int length_at)
{
  size_t size;
  uint64_t addr;
  const char *bytes = lua_tolstring(change->L, -1, &size);
  bool ends = change->arg->type == LT_ARG_STRING; /* Lua has a NUL behind every string */
  if (!bind_change_take(change, size + ends, &addr))
    return 1;
  bind_change_put(change, addr, bytes, size + ends);
  bind_change_set(change, change->index, addr);
  if (length_at >= 0)
    bind_change_set(change, (unsigned)length_at, size);
  return done(change);
}

static int place_buffer(const struct bind_change *change)
{
  uint64_t own = bind_change_arg(change, change->arg->length);
  size_t ours = lua_rawlen(change->L, change->value);
  lua_pushvalue(change->L, change->value);
  int results = place_bytes(change, change->arg->length);
  if (lua_isboolean(change->L, -1) && counts(change))
    bind_change_check(change, lt_call_count(change->box->thread, own, ours));
  return results;
}

static int place_string(const struct bind_change *change)
{
  size_t size;
  const char *bytes = lua_tolstring(change->L, change->value, &size);
  if (strlen(bytes) != size)
    bind_change_raise(change, "cannot hold a NUL byte (byte %zu is one)", strlen(bytes) + 1);
  lua_pushvalue(change->L, change->value);
  return place_bytes(change, -1);
}

/* ---- Arrays ------------------------------------------------------------------------------- */

static int place_pieces(const struct bind_change *change)
{
  lua_State *L = change->L;
  size_t word = bind_pointer_size((enum lt_abi)change->call->abi);
  bool single = lua_type(L, change->value) == LUA_TSTRING;
  size_t count = single ? 1 : lua_rawlen(L, change->value), size = bind_push_joined(change);
  uint64_t own, addr;
  if (count > PIECES_MAX)
    bind_change_raise(change, "can have %d pieces, not %zu", PIECES_MAX, count);
  bool known = own_pieces(change, &own);
  if (!bind_change_take(change, count * 2 * word + size, &addr))
    return 1;
  uint64_t at = addr + count * 2 * word;
  bind_change_put(change, at, lua_tostring(L, -1), size);
  for (size_t i = 0; i < count; i++) {
    uint64_t length = size;
    if (!single) {
      lua_rawgeti(L, change->value, (lua_Integer)i + 1);
      length = lua_rawlen(L, -1);
      lua_pop(L, 1);
    }
    bind_change_put(change, addr + 2 * i * word, &at, word);
    bind_change_put(change, addr + (2 * i + 1) * word, &length, word);
    at += length;
  }
  bind_change_set(change, change->index, addr);
  bind_change_set(change, change->index + 1, count);
  if (known && counts(change))
    bind_change_check(change, lt_call_count(change->box->thread, own, size));
  return done(change);
}

/* The list's strings with their NULs; an integer is the address of one. */
static size_t check_strings(const struct bind_change *change, size_t count)
{
  lua_State *L = change->L;
  size_t size = 0;
  lua_getfield(L, change->value, "cut");
  if (lua_toboolean(L, -1))
    bind_change_raise(change, "cannot be assigned a list that was cut");
  lua_pop(L, 1);
  for (size_t i = 1; i <= count; i++) {
    int64_t address;
    lua_rawgeti(L, change->value, (lua_Integer)i);
    if (lua_type(L, -1) == LUA_TSTRING) {
      if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
        bind_change_raise(change, "cannot hold a NUL byte (string %zu has one)", i);
      size += lua_rawlen(L, -1) + 1;
    } else if (!compat_to_int64(L, -1, &address)) {
      bind_change_raise(change, "is a list of strings; element %zu is a %s", i,
                        luaL_typename(L, -1));
    }
    lua_pop(L, 1);
  }
  return size;
}

static void check_is_list(const struct bind_change *change, const char *what)
{
  lua_State *L = change->L;
  if (!lua_istable(L, change->value))
    bind_change_raise(change, "is a list of %s: assign a table, not a %s", what,
                      luaL_typename(L, change->value));
  lua_pushnil(L);
  while (lua_next(L, change->value)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "cut") != 0)
      bind_change_raise(change, "is a list of %s: it has no field '%s'", what, lua_tostring(L, -1));
  }
}

static int place_strings(const struct bind_change *change)
{
  lua_State *L = change->L;
  size_t word = bind_pointer_size((enum lt_abi)change->call->abi);
  check_is_list(change, "strings");
  size_t count = lua_rawlen(L, change->value), room = (count + 1) * word;
  uint64_t addr;
  size_t size = room + check_strings(change, count);
  if (!bind_change_take(change, size, &addr))
    return 1;
  char *bytes = lua_newuserdata(L, size), *text = bytes + room;
  memset(bytes, 0, room);
  for (size_t i = 0; i < count; i++) {
    int64_t pointer = (int64_t)addr + (text - bytes);
    lua_rawgeti(L, change->value, (lua_Integer)i + 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
      memcpy(text, lua_tostring(L, -1), lua_rawlen(L, -1) + 1);
      text += lua_rawlen(L, -1) + 1;
    } else {
      compat_to_int64(L, -1, &pointer);
    }
    memcpy(bytes + i * word, &pointer, word);
    lua_pop(L, 1);
  }
  bind_change_put(change, addr, bytes, size);
  bind_change_set(change, change->index, addr);
  return done(change);
}

/* ---- Structs ------------------------------------------------------------------------------ */

/* What the kernel writes into ours belongs into the program's: of a pollfd the events alone. */
static void copy_back(const struct bind_change *change, const struct lt_layout *layout,
                      uint64_t own_addr, size_t own, uint64_t addr, size_t count)
{
  struct lt_back back = {addr, own_addr, layout->size, layout->size,
                         (uint32_t)(own < count ? own : count)};
  if (!change->arg->out || !own_addr)
    return;
  if (strcmp(change->arg->shape, "pollfds") == 0) {
    back.from += 6;
    back.to += 6;
    back.size = 2;
  }
  bind_change_check(change, lt_call_copy_back(change->box->thread, &back));
}

static int place_layout(const struct bind_change *change, const struct lt_layout *layout)
{
  lua_State *L = change->L;
  bool sized = layout->list == LT_LIST_NEXT || layout->list == LT_LIST_BYTES;
  size_t own = bind_change_own_count(change, layout);
  size_t count = sized ? lua_rawlen(L, change->value) : own;
  uint64_t own_addr = change->call->args[change->index], addr;
  bind_push_struct(change, layout, count);
  size_t size = lua_rawlen(L, -1);
  if (!bind_change_take(change, size, &addr))
    return 1;
  bind_change_put(change, addr, lua_tostring(L, -1), size);
  copy_back(change, layout, own_addr, own, addr, count);
  bind_change_set(change, change->index, addr);
  if (sized)
    bind_change_set(change, change->index + 1, layout->list == LT_LIST_BYTES ? size : count);
  return done(change);
}

static int place_struct(const struct bind_change *change)
{
  lua_State *L = change->L;
  const char *shape = change->arg->shape ? change->arg->shape : "";
  enum lt_abi abi = (enum lt_abi)change->call->abi;
  const struct lt_layout *layout = lt_layout_find(abi, shape);
  bool address = strcmp(shape, "sockaddr") == 0;
  if (!change->arg->in && change->arg->type == LT_ARG_STRUCT)
    bind_change_raise(change, "is filled by the call: assign to it after call:leave()");
  if (strcmp(shape, "iovec") == 0)
    return place_pieces(change);
  if (lua_type(L, change->value) == LUA_TSTRING) {
    lua_pushvalue(L, change->value);
    return place_bytes(change, address ? (int)change->index + 1 : -1);
  }
  if (address) {
    bind_push_sockaddr(change);
    return place_bytes(change, (int)change->index + 1);
  }
  if (strcmp(shape, "sigset") == 0 || strcmp(shape, "old_sigset") == 0) {
    bind_push_sigset(change, shape[0] == 'o' ? bind_pointer_size(abi) : 8);
    return place_bytes(change, -1);
  }
  if (!layout)
    bind_change_raise(change, "cannot be assigned a table; assign its bytes or its address");
  return place_layout(change, layout);
}

/* ---- By type ------------------------------------------------------------------------------ */

static bool is_number(const struct lt_arg *arg)
{
  return arg->type == LT_ARG_INT || arg->type == LT_ARG_UINT || arg->type == LT_ARG_FD;
}

/* Neither an integer nor nil. */
static int place(const struct bind_change *change)
{
  const struct lt_arg *arg = change->arg;
  const char *type = luaL_typename(change->L, change->value);
  bool string = lua_type(change->L, change->value) == LUA_TSTRING;
  if (!arg)
    bind_raise(change->L,
               "a register takes an integer, not a %s; arguments by name take strings "
               "and tables too",
               type);
  if (is_number(arg))
    bind_change_raise(change, "is an integer, not a %s", type);
  if (!string && !lua_istable(change->L, change->value))
    bind_change_raise(change, "cannot be a %s", type);
  if (arg->type == LT_ARG_STRINGS)
    return place_strings(change);
  if (arg->type == LT_ARG_BUFFER && !arg->in)
    bind_change_raise(change, "is filled by the call: assign to it after call:leave()");
  if (!string && (arg->type == LT_ARG_BUFFER || arg->type == LT_ARG_STRING))
    bind_change_raise(change, "is a string, not a %s", type);
  if (arg->type == LT_ARG_BUFFER)
    return place_buffer(change);
  return arg->type == LT_ARG_STRING ? place_string(change) : place_struct(change);
}

static struct bind_change begin(lua_State *L)
{
  struct bind_call args = bind_check_call(L, 1, BIND_ARGS);
  bool raw;
  const struct lt_call *now = bind_live_call(L, &args);
  struct bind_change change = {.L = L, .box = args.thread, .value = 3, .call = now};
  change.index = bind_find_argument(L, change.call, 2, &raw);
  change.row = lt_syscall_find((enum lt_abi)change.call->abi, change.call->nr);
  if (!raw && change.row)
    change.arg = &change.row->args[change.index];
  if (!lt_thread_stopped(args.thread->thread))
    bind_check_access(L, args.thread, -EBUSY);
  return change;
}

/* core.set_argument(args, name, value) -> true, or the number of bytes for which room must be
 * mapped before it can be done */
static int core_set_argument(lua_State *L)
{
  struct bind_change change = begin(L);
  int64_t number = 0;
  lua_settop(L, 3);
  bool pointer = change.arg && !is_number(change.arg);
  if (change.call->done) {
    bind_fill(&change);
    return done(&change);
  }
  if (lt_thread_stop(change.box->thread)->kind != LT_SYSCALL_ENTRY)
    bind_raise(L, "arguments can be changed only at the entry of a call, while it is stopped");
  if (compat_to_int64(L, 3, &number) || (lua_isnil(L, 3) && pointer)) {
    bind_change_set(&change, change.index, (uint64_t)number);
    return done(&change);
  }
  if (lua_type(L, 3) == LUA_TNUMBER)
    bind_change_raise(&change, "needs an integer");
  return place(&change);
}

/* core.on_assign(fn): fn(call or args, name, value) is what an assignment to either calls; it may
 * wait, as no C function could */
static int core_on_assign(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &bind_call_class);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "__newindex");
  return 0;
}

void bind_open_place(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"set_argument", core_set_argument},
      {"on_assign", core_on_assign},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
