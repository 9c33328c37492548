/* read_symbols.h - a file's symbols, as the reader sends them and the tracer keeps them. */
#ifndef LT_READ_SYMBOLS_H
#define LT_READ_SYMBOLS_H

#include "luatrace.h"
#include "read.h"

#define LT_READ_SYMBOLS_MAX 4000000

enum {
  LT_SYMBOL_INDIRECT = 1, /* IFUNC: the address is that of a function that returns the address */
  LT_SYMBOL_LOCAL = 2,
  LT_SYMBOL_OLD = 4,      /* a version that is not the default */
  LT_SYMBOL_ABSOLUTE = 8, /* not moved with the file */
};

struct lt_read_symbol {
  uint64_t addr, size;
  uint32_t name; /* place among the names */
  uint8_t kind;  /* enum lt_symbol_kind */
  uint8_t flags;
  uint16_t reserved;
};

/* In the reader: symbols as they are collected. */
struct lt_read_list {
  struct lt_read_symbol *symbols;
  size_t count, room;
  struct lt_bytes pool; /* names; place 0 is "" */
};
void lt_read_symbol_add(struct lt_read_list *list, const struct lt_read_symbol *symbol,
                        const char *name, size_t name_size);
/* demangle.c: NULL if the name is not mangled; else to be freed. `full`: with the types of its
 * parameters. */
char *lt_demangle(const char *name, bool full);
/* read_plt.c */
void lt_read_plt(struct lt_read_file *file, struct lt_read_list *list);

#endif
