/* read_expression.h - in the reader process: from libdw's expressions to those of expression.h. */
#ifndef LT_READ_EXPRESSION_H
#define LT_READ_EXPRESSION_H

#include <elfutils/libdw.h>

#include "bytes.h"

/* Append the expression that dwarf_getlocation*() gave for `attr` (or dwarf_frame_*(), NULL) as
 * lt_expression_get() takes it; `bias` is what to add to addresses of the DWARF to get those of the
 * file. Errors: -ENOEXEC (malformed), -ENOTSUP (too long, or of a kind that is not known). */
int lt_read_put_expression(Dwarf_Attribute *attr, const Dwarf_Op *ops, size_t count, uint64_t bias,
                           struct lt_bytes *ret);

#endif
