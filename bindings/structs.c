/* structs.c - tables of a script as the bytes of a struct, a socket's address, a set of signals. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "change.h"

/* ---- Structs with a layout ---------------------------------------------------------------- */

_Noreturn static void no_such_field(const struct bind_change *change,
                                    const struct lt_layout *layout, const char *name)
{
  char list[512] = "";
  for (unsigned i = 0; i < layout->count; i++) {
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", layout->fields[i].name);
  }
  if (layout->fields[0].name[0] == '\0')
    bind_change_raise(change, "is a plain number: assign a list of numbers");
  bind_change_raise(change, "has no field '%s' (it has %s)", name, list);
}

static void encode_value(const struct bind_change *change, const struct lt_layout *layout,
                         const char *name, int at, char *out)
{
  int64_t value;
  if (!compat_to_int64(change->L, at, &value))
    bind_change_raise(change, "needs an integer for %s%s%s, not a %s", name[0] ? "field '" : "",
                      name[0] ? name : "each element", name[0] ? "'" : "",
                      luaL_typename(change->L, at));
  int error = lt_encode(layout, name, value, out);
  if (error == -ENOENT)
    no_such_field(change, layout, name);
  if (error)
    bind_change_raise(change, "has no room for %lld%s%s%s", (long long)value,
                      name[0] ? " in field '" : "", name, name[0] ? "'" : "");
}

/* The table at `at`; its fields are called PREFIX.KEY. */
static void encode_fields(const struct bind_change *change, const struct lt_layout *layout,
                          const char *prefix, int at, char *out)
{
  lua_State *L = change->L;
  luaL_checkstack(L, 8, "too many nested tables");
  lua_pushnil(L);
  while (lua_next(L, at)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      bind_change_raise(change, "is a struct: its fields have names, not a %s",
                        luaL_typename(L, -2));
    char name[64];
    int length =
        snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? "." : "", lua_tostring(L, -2));
    if (length >= (int)sizeof name)
      no_such_field(change, layout, lua_tostring(L, -2));
    if (lua_istable(L, -1) && !prefix[0])
      encode_fields(change, layout, name, lua_gettop(L), out);
    else
      encode_value(change, layout, name, lua_gettop(L), out);
    lua_pop(L, 1);
  }
}

static void encode_element(const struct bind_change *change, const struct lt_layout *layout, int at,
                           char *out)
{
  if (lua_istable(change->L, at))
    encode_fields(change, layout, "", at, out);
  else
    encode_value(change, layout, "", at, out);
}

void bind_push_struct(const struct bind_change *change, const struct lt_layout *layout,
                      size_t count)
{
  lua_State *L = change->L;
  size_t size = count * layout->size;
  size_t given = lua_rawlen(L, change->value);
  char *out = lua_newuserdata(L, size ? size : 1);
  int at = lua_gettop(L);
  size_t own = bind_change_own_count(change, layout);
  uint64_t addr = change->call->args[change->index];
  memset(out, 0, size);
  if (addr && own)
    lt_mem_read(change->box->thread, addr, out, (own < count ? own : count) * layout->size);
  if (layout->list == LT_LIST_NONE)
    encode_element(change, layout, change->value, out);
  else if (given > count)
    bind_change_raise(change, "has %zu elements, not %zu", count, given);
  for (size_t i = 0; layout->list != LT_LIST_NONE && i < given; i++) {
    lua_rawgeti(L, change->value, (lua_Integer)i + 1);
    encode_element(change, layout, lua_gettop(L), out + i * layout->size);
    lua_pop(L, 1);
  }
  lua_pushlstring(L, out, size);
  lua_replace(L, at);
}

/* ---- Addresses of sockets ----------------------------------------------------------------- */

static int64_t number_field(const struct bind_change *change, const char *name, int64_t most)
{
  int64_t value = 0;
  lua_getfield(change->L, change->value, name);
  if (!lua_isnil(change->L, -1) &&
      (!compat_to_int64(change->L, -1, &value) || value < 0 || value > most))
    bind_change_raise(change, "needs an integer from 0 to %lld for field '%s'", (long long)most,
                      name);
  lua_pop(change->L, 1);
  return value;
}

static void check_address_fields(const struct bind_change *change)
{
  static const char *const known[] = {"family",   "addr", "port", "flowinfo",
                                      "scope_id", "path", NULL};
  lua_pushnil(change->L);
  while (lua_next(change->L, change->value)) {
    const char *name = lua_type(change->L, -2) == LUA_TSTRING ? lua_tostring(change->L, -2) : "";
    bool found = false;
    for (int i = 0; known[i] && !found; i++)
      found = strcmp(known[i], name) == 0;
    if (!found)
      bind_change_raise(change,
                        "has no field '%s' (it has family, addr, port, flowinfo, "
                        "scope_id, path)",
                        luaL_tolstring(change->L, -2, NULL));
    lua_pop(change->L, 1);
  }
}

/* The family need not be said; if it is, it must be that of the other fields. */
static void check_family(const struct bind_change *change, int family)
{
  static const struct {
    const char *name;
    int number;
  } known[] = {{"AF_UNIX", AF_UNIX}, {"AF_INET", AF_INET}, {"AF_INET6", AF_INET6}};
  lua_State *L = change->L;
  lua_getfield(L, change->value, "family");
  int64_t number = -1;
  bool given = !lua_isnil(L, -1);
  compat_to_int64(L, -1, &number);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (lua_type(L, -1) == LUA_TSTRING && strcmp(known[i].name, lua_tostring(L, -1)) == 0)
      number = known[i].number;
  if (given && number != family)
    bind_change_raise(change, "has a family that does not fit its other fields");
  lua_pop(L, 1);
}

void bind_push_sockaddr(const struct bind_change *change)
{
  lua_State *L = change->L;
  uint8_t out[LT_ADDRESS_MAX];
  struct lt_address address = {0};
  check_address_fields(change);
  address.port = (uint16_t)number_field(change, "port", UINT16_MAX);
  address.flow = (uint32_t)number_field(change, "flowinfo", UINT32_MAX);
  address.scope = (uint32_t)number_field(change, "scope_id", UINT32_MAX);
  int top = lua_gettop(L);
  lua_getfield(L, change->value, "path");
  lua_getfield(L, change->value, "addr");
  if (lua_type(L, -2) == LUA_TSTRING)
    address.path = lua_tolstring(L, -2, &address.path_size);
  if (lua_type(L, -1) == LUA_TSTRING)
    address.text = lua_tostring(L, -1);
  if (!address.path == !address.text)
    bind_change_raise(change, "needs either field 'addr' or field 'path', a string");
  ssize_t size = lt_encode_address(&address, out);
  if (size == -ENAMETOOLONG)
    bind_change_raise(change, "has a path of %zu bytes; a socket's has 108 at most",
                      address.path_size);
  if (size < 0)
    bind_change_raise(change, "needs an IPv4 or IPv6 address, not '%s'", address.text);
  sa_family_t family;
  memcpy(&family, out, sizeof family);
  check_family(change, family);
  lua_settop(L, top);
  lua_pushlstring(L, (const char *)out, (size_t)size);
}

/* ---- Sets of signals ---------------------------------------------------------------------- */

void bind_push_sigset(const struct bind_change *change, size_t size)
{
  lua_State *L = change->L;
  uint64_t set = 0;
  size_t count = lua_rawlen(L, change->value);
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, change->value, (lua_Integer)i);
    int signo = bind_check_signal(L, lua_gettop(L));
    if (signo < 1 || signo > (int)size * 8)
      bind_change_raise(change, "has no room for signal %d", signo);
    set |= (uint64_t)1 << (signo - 1);
    lua_pop(L, 1);
  }
  lua_pushlstring(L, (const char *)&set, size);
}

/* ---- Strings ------------------------------------------------------------------------------ */

size_t bind_push_joined(const struct bind_change *change)
{
  lua_State *L = change->L;
  luaL_Buffer buffer;
  if (lua_type(L, change->value) == LUA_TSTRING) {
    lua_pushvalue(L, change->value);
    return lua_rawlen(L, -1);
  }
  size_t count = lua_rawlen(L, change->value);
  luaL_buffinit(L, &buffer);
  for (size_t i = 1; i <= count; i++) {
    lua_rawgeti(L, change->value, (lua_Integer)i);
    if (lua_type(L, -1) != LUA_TSTRING)
      bind_change_raise(change, "is a list of strings; element %zu is a %s", i,
                        luaL_typename(L, -1));
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  return lua_rawlen(L, -1);
}
