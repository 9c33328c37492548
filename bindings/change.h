/* change.h - an argument of a call that is being assigned: place.c at the entry, fill.c after the
 * call, structs.c for both, change.c what they share. */
#ifndef LT_BINDING_CHANGE_H
#define LT_BINDING_CHANGE_H

#include "binding.h"

struct bind_change {
  lua_State *L;
  struct bind_thread *box;
  const struct lt_call *call;
  const struct lt_syscall *row; /* NULL for a call without declared arguments */
  const struct lt_arg *arg;     /* NULL for a raw register */
  unsigned index;
  int value; /* where on the stack */
};
/* Raise "count of write TEXT". */
_Noreturn void bind_change_raise(const struct bind_change *change, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Another argument of the call as it is now; 0 beyond the last. */
uint64_t bind_change_arg(const struct bind_change *change, int index);
/* How many elements the program's own struct or list has. */
size_t bind_change_own_count(const struct bind_change *change, const struct lt_layout *layout);
/* fill.c: change what the call has filled; pushes nothing. */
void bind_fill(const struct bind_change *change);
/* structs.c: push a string with the struct that the table says, of `count` elements; what it leaves
 * out is as in the program's own. */
void bind_push_struct(const struct bind_change *change, const struct lt_layout *layout,
                      size_t count);
void bind_push_sockaddr(const struct bind_change *change);
void bind_push_sigset(const struct bind_change *change, size_t size);
/* Push all strings of a list, or the one string, together; returns their size. */
size_t bind_push_joined(const struct bind_change *change);

/* change.c: raise if an access failed. */
void bind_change_check(const struct bind_change *change, int error);
/* True with the address of room of ours; else the size that must be mapped first is pushed. */
bool bind_change_take(const struct bind_change *change, size_t size, uint64_t *ret);
/* Write into that room. */
void bind_change_put(const struct bind_change *change, uint64_t addr, const void *bytes,
                     size_t size);
/* Change a register of the call. */
void bind_change_set(const struct bind_change *change, unsigned index, uint64_t value);

#endif
