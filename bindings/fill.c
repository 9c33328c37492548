/* fill.c - assigning to what a call has filled, after call:leave(): a buffer, pieces of one, a
 * struct. It is written where the program expects it, never beyond, and a result that counts bytes
 * is set to fit. */
#include <string.h>

#include "change.h"

#define PIECES_MAX 1024 /* of one readv(2) */

static void write_at(const struct bind_change *change, uint64_t addr, const char *bytes,
                     size_t size)
{
  ssize_t done = size ? lt_mem_write(change->box->thread, addr, bytes, size) : 0;
  if (done < 0)
    bind_check_access(change->L, change->box, (int)done);
  if (done != (ssize_t)size)
    bind_change_raise(change, "points to memory that cannot be written");
}

static void set_count(const struct bind_change *change, size_t count)
{
  int error = lt_call_set_ret(change->box->thread, (int64_t)count);
  bind_check_access(change->L, change->box, error);
  if (error)
    bind_raise(change->L, "%s", lt_error(bind_of(change->L)->session));
}

static void check_room(const struct bind_change *change, size_t size, uint64_t room)
{
  if (size > room)
    bind_change_raise(change, "has room for %llu bytes, not for %zu", (unsigned long long)room,
                      size);
}

/* getcwd(2) counts the NUL. */
static void fill_buffer(const struct bind_change *change)
{
  lua_State *L = change->L;
  if (lua_type(L, change->value) != LUA_TSTRING)
    bind_change_raise(change, "holds bytes: assign a string, not a %s",
                      luaL_typename(L, change->value));
  bool ends = change->arg->shape && strcmp(change->arg->shape, "cwd") == 0;
  size_t size;
  const char *bytes = lua_tolstring(L, change->value, &size);
  if (ends && memchr(bytes, '\0', size))
    bind_change_raise(change, "is a path: it cannot hold a NUL byte");
  size += ends;
  check_room(change, size, bind_change_arg(change, change->arg->length));
  write_at(change, change->call->args[change->index], bytes, size);
  set_count(change, size);
}

static void fill_pieces(const struct bind_change *change)
{
  size_t word = bind_pointer_size((enum lt_abi)change->call->abi);
  uint64_t count = bind_change_arg(change, (int)change->index + 1), room = 0;
  uint64_t addr = change->call->args[change->index];
  struct {
    uint64_t at, size;
  } pieces[PIECES_MAX];
  size_t left = bind_push_joined(change);
  const char *bytes = lua_tostring(change->L, -1);
  count = count < PIECES_MAX ? count : PIECES_MAX;
  for (size_t i = 0; i < count; i++) {
    pieces[i].at = pieces[i].size = 0;
    if (lt_mem_read(change->box->thread, addr + 2 * i * word, &pieces[i].at, word) < 0 ||
        lt_mem_read(change->box->thread, addr + (2 * i + 1) * word, &pieces[i].size, word) < 0)
      bind_change_raise(change, "cannot be read any more");
    room += pieces[i].size;
  }
  check_room(change, left, room);
  set_count(change, left);
  for (size_t i = 0; i < count && left > 0; i++) {
    size_t size = left < pieces[i].size ? left : (size_t)pieces[i].size;
    write_at(change, pieces[i].at, bytes, size);
    bytes += size;
    left -= size;
  }
}

static void fill_struct(const struct bind_change *change)
{
  lua_State *L = change->L;
  const struct lt_layout *layout =
      lt_layout_find((enum lt_abi)change->call->abi, change->arg->shape);
  uint64_t addr = change->call->args[change->index];
  if (!layout || !lua_istable(L, change->value))
    bind_change_raise(change, "cannot be assigned a %s here; write it with t.mem",
                      luaL_typename(L, change->value));
  if (!addr)
    bind_change_raise(change, "is NULL: there is nothing to fill");
  bind_push_struct(change, layout, bind_change_own_count(change, layout));
  size_t size;
  const char *bytes = lua_tolstring(L, -1, &size);
  write_at(change, addr, bytes, size);
}

void bind_fill(const struct bind_change *change)
{
  const struct lt_arg *arg = change->arg;
  if (lt_thread_stop(change->box->thread)->kind != LT_SYSCALL_EXIT || !arg || !arg->out)
    bind_raise(change->L, "the call has run: of its arguments, only what it has filled can still "
                          "be changed, at its exit");
  if (change->call->ret < 0)
    bind_change_raise(change, "was not filled: the call failed; assign call.ret first");
  if (arg->type == LT_ARG_BUFFER)
    fill_buffer(change);
  else if (arg->type == LT_ARG_STRUCT && strcmp(arg->shape, "iovec") == 0)
    fill_pieces(change);
  else
    fill_struct(change);
}
