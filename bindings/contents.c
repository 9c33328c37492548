/* contents.c - the bits of the program's objects as Lua values, for the prelude
 * (scripts/luatrace/values.lua). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "binding.h"
#include "variables.h"

#define BYTES_MAX ((int64_t)1 << 26)
#define NUMBER_MAX 16 /* bytes of a number */

/* ---- Bytes ------------------------------------------------------------------------------------ */

/* Where an object is: an address, or a location (argument `at`); and what of it. */
struct object {
  struct bind_thread *box;
  lt_thread *thread;
  const lt_object *location; /* NULL: memory at `addr` */
  uint64_t addr;
};

static struct object check_object(lua_State *L)
{
  struct object object = {.box = bind_check(L, 1, BIND_THREAD)};
  object.thread = bind_live_thread(L, object.box);
  if (lua_isuserdata(L, 2))
    object.location = ((const struct bind_location *)luaL_checkudata(L, 2, BIND_LOCATION))->object;
  else
    object.addr = bind_check_address(L, 2);
  return object;
}

static int read_object(const struct object *object, uint64_t offset, void *ret, size_t size)
{
  if (object->location)
    return lt_object_read(object->thread, object->location, offset, ret, size);
  ssize_t done = lt_mem_read(object->thread, object->addr + offset, ret, size);
  return done < 0 ? (int)done : (size_t)done < size ? -EFAULT : 0;
}

static int write_object(const struct object *object, uint64_t offset, const void *bytes,
                        size_t size)
{
  if (object->location)
    return lt_object_write(object->thread, object->location, offset, bytes, size);
  ssize_t done = lt_mem_write(object->thread, object->addr + offset, bytes, size);
  return done < 0 ? (int)done : (size_t)done < size ? -EFAULT : 0;
}

static int object_failure(lua_State *L, const struct object *object, uint64_t offset, int error)
{
  char text[80];
  bind_check_access(L, object->box, error);
  if (error != -EFAULT || object->location)
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  snprintf(text, sizeof text, "there is no memory at %#llx",
           (unsigned long long)(object->addr + offset));
  return bind_failure_text(L, error, text);
}

/* core.object_read(t, where, offset, size) -> bytes | nil, message, code */
static int core_object_read(lua_State *L)
{
  struct object object = check_object(L);
  uint64_t offset = (uint64_t)bind_check_int64(L, 3);
  int64_t size = bind_check_int64(L, 4);
  if (size < 0 || size > BYTES_MAX)
    return bind_failure(L, E2BIG);
  luaL_Buffer buffer;
  char *room = luaL_buffinitsize(L, &buffer, (size_t)size);
  int error = read_object(&object, offset, room, (size_t)size);
  if (error)
    return object_failure(L, &object, offset, error);
  luaL_pushresultsize(&buffer, (size_t)size);
  return 1;
}

/* core.object_write(t, where, offset, bytes) -> true | nil, message, code */
static int core_object_write(lua_State *L)
{
  struct object object = check_object(L);
  uint64_t offset = (uint64_t)bind_check_int64(L, 3);
  size_t size;
  const char *bytes = luaL_checklstring(L, 4, &size);
  int error = write_object(&object, offset, bytes, size);
  if (error)
    return object_failure(L, &object, offset, error);
  lua_pushboolean(L, 1);
  return 1;
}

/* ---- Numbers ---------------------------------------------------------------------------------- */

enum form { FORM_UNSIGNED, FORM_SIGNED, FORM_FLOAT, FORM_BOOL, FORM_COUNT };

/* What of an object is a number: arguments 3 to 6 are the form, the offset in bits, the size in
 * bytes, and the number of bits if that is not all of them. */
struct number {
  enum form form;
  uint64_t byte; /* the first that has bits of it */
  unsigned bit;  /* in that */
  unsigned bits;
  size_t size; /* bytes that have bits of it */
};

static const char *const form_names[] = {"unsigned", "signed", "float", "bool", NULL};

static bool check_number(lua_State *L, struct number *ret)
{
  ret->form = (enum form)luaL_checkoption(L, 3, NULL, form_names);
  uint64_t from = (uint64_t)bind_check_int64(L, 4);
  int64_t size = bind_check_int64(L, 5), bits = size * 8;
  if (!lua_isnoneornil(L, 6))
    bits = bind_check_int64(L, 6);
  if (size < 1 || size > NUMBER_MAX || bits < 1 || bits > NUMBER_MAX * 8)
    return false;
  ret->byte = from / 8;
  ret->bit = (unsigned)(from % 8);
  ret->bits = (unsigned)bits;
  ret->size = (ret->bit + ret->bits + 7) / 8;
  return true;
}

typedef unsigned __int128 wide;

static int push_wide(lua_State *L, const struct number *number, wide bits)
{
  unsigned unused = 128 - number->bits;
  __int128 value = (__int128)(bits << unused);
  bool is_signed = number->form == FORM_SIGNED;
  value = is_signed ? value >> unused : (__int128)((wide)value >> unused);
  if (number->bits <= 64 || (value >= INT64_MIN && value <= INT64_MAX)) {
    compat_push_int64(L, (int64_t)value);
    return 1;
  }
  char text[42], *at = text + sizeof text - 1;
  bool is_negative = is_signed && value < 0;
  wide left = is_negative ? -(wide)value : (wide)value;
  for (*at = '\0'; left; left /= 10)
    *--at = (char)('0' + (int)(left % 10));
  if (is_negative)
    *--at = '-';
  lua_pushstring(L, at);
  return 1;
}

static int push_float(lua_State *L, const void *bytes, unsigned bits)
{
  if (bits == 32) {
    float value;
    memcpy(&value, bytes, sizeof value);
    lua_pushnumber(L, (lua_Number)value);
  } else if (bits == 64) {
    double value;
    memcpy(&value, bytes, sizeof value);
    lua_pushnumber(L, value);
  } else if (bits >= 80) {
    long double value = 0;
    memcpy(&value, bytes, 10);
    lua_pushnumber(L, (lua_Number)value);
  } else {
    return bind_failure(L, ENOTSUP);
  }
  return 1;
}

/* core.number_get(t, where, form, offset in bits, size [, bits]) -> integer, float, boolean, a
 * string of digits for what is too large | nil, message, code */
static int core_number_get(lua_State *L)
{
  struct object object = check_object(L);
  struct number number;
  uint8_t bytes[NUMBER_MAX + 1] = {0};
  if (!check_number(L, &number))
    return bind_failure(L, ENOTSUP);
  size_t size = number.form == FORM_FLOAT && number.bits > 80 ? 10 : number.size;
  int error = read_object(&object, number.byte, bytes, size);
  if (error)
    return object_failure(L, &object, number.byte, error);
  if (number.form == FORM_FLOAT)
    return push_float(L, bytes, number.bits);
  wide bits;
  memcpy(&bits, bytes, sizeof bits);
  bits >>= number.bit;
  if (number.bit)
    bits |= (wide)bytes[NUMBER_MAX] << (128 - number.bit);
  if (number.form == FORM_BOOL && number.bits <= 64) {
    uint64_t value = (uint64_t)bits & (UINT64_MAX >> (64 - number.bits));
    if (value <= 1) {
      lua_pushboolean(L, (int)value);
      return 1;
    }
  }
  return push_wide(L, &number, bits);
}

static wide check_integer(lua_State *L, const struct number *number)
{
  int64_t value;
  if (number->form == FORM_BOOL && lua_isboolean(L, 7))
    return (wide)lua_toboolean(L, 7);
  if (!compat_to_int64(L, 7, &value))
    bind_raise(L, "an integer%s expected, got %s", number->form == FORM_BOOL ? " or a boolean" : "",
               lua_type(L, 7) == LUA_TNUMBER ? "a number that is none" : luaL_typename(L, 7));
  if (number->bits < 64) {
    int64_t limit = (int64_t)1 << (number->bits - (number->form == FORM_SIGNED));
    int64_t low = number->form == FORM_SIGNED ? -limit : 0;
    if (value < low || value >= limit)
      bind_raise(L, "%lld does not fit into %u %s bits", (long long)value, number->bits,
                 number->form == FORM_SIGNED ? "signed" : "unsigned");
  }
  return number->form == FORM_SIGNED ? (wide)(__int128)value : (wide)(uint64_t)value;
}

static void check_float(lua_State *L, unsigned bits, uint8_t *ret)
{
  if (lua_type(L, 7) != LUA_TNUMBER)
    bind_raise(L, "a number expected, got %s", luaL_typename(L, 7));
  double number = (double)lua_tonumber(L, 7);
  float narrow = (float)number;
  long double broad = number;
  if (bits == 32)
    memcpy(ret, &narrow, sizeof narrow);
  else if (bits == 64)
    memcpy(ret, &number, sizeof number);
  else
    memcpy(ret, &broad, 10);
}

/* Put the bits among those that are there. */
static void insert(uint8_t *bytes, const struct number *number, wide value)
{
  for (unsigned i = 0; i < number->bits; i++) {
    unsigned at = number->bit + i;
    uint8_t mask = (uint8_t)(1U << at % 8);
    bytes[at / 8] = (uint8_t)(value >> i & 1 ? bytes[at / 8] | mask : bytes[at / 8] & ~mask);
  }
}

/* core.number_set(t, where, form, offset in bits, size, bits or nil, value) -> true | nil, message,
 * code; raises where the value does not fit */
static int core_number_set(lua_State *L)
{
  struct object object = check_object(L);
  struct number number;
  uint8_t bytes[NUMBER_MAX + 1] = {0};
  if (!check_number(L, &number))
    return bind_failure(L, ENOTSUP);
  size_t size = number.size;
  int error = 0;
  if (number.form == FORM_FLOAT) {
    if (number.bits != 32 && number.bits < 64)
      return bind_failure(L, ENOTSUP);
    check_float(L, number.bits, bytes);
    size = number.bits >= 80 ? 10 : size;
  } else {
    wide value = check_integer(L, &number);
    if (number.bit || number.bits % 8)
      error = read_object(&object, number.byte, bytes, size);
    insert(bytes, &number, value);
  }
  if (!error)
    error = write_object(&object, number.byte, bytes, size);
  if (error)
    return object_failure(L, &object, number.byte, error);
  lua_pushboolean(L, 1);
  return 1;
}

/* core.unsigned(integer) -> the digits of the unsigned number that has the same bits */
static int core_unsigned(lua_State *L)
{
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)bind_check_int64(L, 1));
  lua_pushstring(L, text);
  return 1;
}

void bind_open_contents(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"object_read", core_object_read}, {"object_write", core_object_write},
      {"number_get", core_number_get},   {"number_set", core_number_set},
      {"unsigned", core_unsigned},       {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
