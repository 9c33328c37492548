/* change.c - what the files that change an argument of a call share: words for mistakes, what the
 * program had there, and room of ours. */
#include "change.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- Words -------------------------------------------------------------------------------- */

void bind_change_raise(const struct bind_change *change, const char *format, ...)
{
  char text[768];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  bind_push_call_name(change->L, change->call->abi, change->call->nr);
  bind_raise(change->L, "%s of %s %s", change->arg ? change->arg->name : "the register",
             lua_tostring(change->L, -1), text);
}

void bind_change_check(const struct bind_change *change, int error)
{
  bind_check_access(change->L, change->box, error);
  if (error < 0)
    bind_raise(change->L, "%s", lt_error(bind_of(change->L)->session));
}

/* ---- The program's own -------------------------------------------------------------------- */

uint64_t bind_change_arg(const struct bind_change *change, int index)
{
  struct lt_value value;
  if (index < 0 || !change->row || index >= change->row->count)
    return 0;
  bool known = lt_call_arg(change->box->thread, (unsigned)index, &value) == 0;
  return known ? (uint64_t)value.integer : change->call->args[index];
}

size_t bind_change_own_count(const struct bind_change *change, const struct lt_layout *layout)
{
  uint64_t next = bind_change_arg(change, (int)change->index + 1);
  if (layout->list == LT_LIST_NONE)
    return 1;
  if (layout->list == LT_LIST_BYTES)
    next /= layout->size;
  else if (layout->list != LT_LIST_NEXT)
    return layout->list;
  return next < 65536 ? (size_t)next : 65536;
}

/* ---- Ours --------------------------------------------------------------------------------- */

bool bind_change_take(const struct bind_change *change, size_t size, uint64_t *ret)
{
  int error = lt_scratch_take(change->box->thread, size, ret);
  if (error == -EAGAIN) {
    compat_push_int64(change->L, (int64_t)size);
    return false;
  }
  bind_change_check(change, error);
  return true;
}

void bind_change_put(const struct bind_change *change, uint64_t addr, const void *bytes,
                     size_t size)
{
  ssize_t done = size ? lt_mem_write(change->box->thread, addr, bytes, size) : 0;
  if (done < 0)
    bind_check_access(change->L, change->box, (int)done);
  if (done != (ssize_t)size)
    bind_change_raise(change, "cannot be placed: the program has unmapped the room for it");
}

void bind_change_set(const struct bind_change *change, unsigned index, uint64_t value)
{
  bind_change_check(change, lt_call_set_arg(change->box->thread, index, value));
}
