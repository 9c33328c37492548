/* read_parts.h - a type as it is described (read_type.c), part by part (read_parts.c). */
#ifndef LT_READ_PARTS_H
#define LT_READ_PARTS_H

#include "luatrace.h"
#include "read.h"

struct lt_describe {
  struct lt_read_file *file;
  Dwarf *dwarf;
  struct lt_bytes parts;
  uint32_t count;
  unsigned budget;
};

/* Append the parts of a type of this kind. Stops where the budget is used up. */
void lt_read_put_parts(struct lt_describe *describe, enum lt_type_kind kind, Dwarf_Die *parent);

#endif
