/* prelude.h - the Lua half of the binding (scripts/luatrace/), embedded as bytecode (cmake/embed.c). */
#ifndef LT_PRELUDE_H
#define LT_PRELUDE_H

#include <stddef.h>

struct lt_embedded {
  const char *name; /* of the module: "luatrace.NAME"; "luatrace" for init.lua */
  const char *bytes;
  size_t size;
};

extern const struct lt_embedded lt_prelude[]; /* ends with a NULL name */

#endif
