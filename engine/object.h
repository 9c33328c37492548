/* object.h - places of objects, and the frames they are looked for in. */
#ifndef LT_OBJECT_H
#define LT_OBJECT_H

#include "module.h"
#include "unwind.h"

/* A frame of a stopped thread, as expressions about its variables see it. */
struct lt_view {
  struct lt_cursor cursor; /* first: it is what lt_cursor_around() wants */
  struct lt_file *file;    /* that has the code, or the variable */
  uint64_t bias;
  const struct lt_expression *base; /* of the function; NULL: it has none */
  unsigned depth;                   /* of expressions that are evaluated for others */
};

/* view.c: 0, or -ENOENT (there is no such frame, or no file has its code), -EBUSY, -ESRCH. */
int lt_view_open(lt_thread *thread, unsigned frame, struct lt_view *ret);
void lt_view_surroundings(struct lt_view *view, struct lt_surroundings *ret);
/* Read a register of the frame, by its DWARF number: at most *size bytes, which it says. -ENODATA:
 * its value is lost. Writing goes where the frame has it from. */
int lt_view_register(struct lt_view *view, unsigned number, uint8_t *ret, size_t *size);
int lt_view_set_register(struct lt_view *view, unsigned number, const uint8_t *bytes, size_t size);

#define LT_REGISTER_BYTES 32

/* object.c: what an expression has found in this frame. */
int lt_object_make(const struct lt_view *view, const struct lt_place *place, lt_object **ret);
/* One piece: memory, or bytes that are nowhere. */
int lt_object_at(const struct lt_view *view, uint64_t addr, lt_object **ret);
int lt_object_of(const struct lt_view *view, const void *bytes, size_t size, lt_object **ret);

/* arguments.c: at the first instruction of a function (`view`), where argument `index` of it is; the
 * places that the debug information names are not filled yet. `types` are those of its arguments,
 * `result` that of what it returns. -ENODATA where that cannot be told. */
int lt_argument_at_entry(struct lt_view *view, const struct lt_type_ref *types, size_t index,
                         struct lt_type_ref result, lt_object **ret);

#endif
