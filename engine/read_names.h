/* read_names.h - what read_names.c, which collects the names that a file declares, and read_lookup.c
 * share: see read_die.h. */
#ifndef LT_READ_NAMES_H
#define LT_READ_NAMES_H

#include "read_die.h"

#define LT_NAME_DEPTH 32

/* LT_NAME_WHOLE: not only declared. LT_NAME_LOCATED: a variable with a place or value. */
enum { LT_NAME_WHOLE = 1, LT_NAME_EXTERNAL = 2, LT_NAME_LOCATED = 4 };

struct lt_name_scope {
  const char *name;
  uint32_t parent;
};

struct lt_name_entry {
  const char *name; /* last part */
  uint64_t ref;
  uint32_t hash, scope; /* scope 0: none */
  uint8_t what, flags;
};

/* The entries are sorted by hash, then by reference. */
struct lt_declared {
  struct lt_name_entry *entries;
  struct lt_name_scope *scopes;
  uint32_t count, room, scope_count, scope_room;
};

uint32_t lt_name_hash(const char *name, size_t size);

#endif
