/* symbol_index.h - the symbols of one file, as the reader gave them, with tables to find them by name
 * and by address. Loaded when first asked for. */
#ifndef LT_SYMBOL_INDEX_H
#define LT_SYMBOL_INDEX_H

#include "file.h"
#include "read_symbols.h"

struct lt_names;

/* NULL, with a negated errno in *error, if the file's symbols cannot be had; the first time a warning
 * says so. */
const struct lt_names *lt_names_of(struct lt_file *file, int *error);
size_t lt_names_count(const struct lt_names *names);
/* In order of addresses; index below the count. */
const struct lt_read_symbol *lt_names_at(const struct lt_names *names, size_t index);
const char *lt_names_raw(const struct lt_names *names, size_t index);
/* Demangled, if it is mangled; else as it is. */
const char *lt_names_shown(struct lt_file *file, size_t index);
/* The same of all symbols at once, for searching; NULL where the name is not mangled. `full`: with
 * parameters. */
const char *lt_names_demangled(struct lt_file *file, size_t index, bool full);

/* The symbol of this name, by which the best of several is meant (lt_names_rank). True if there is
 * one. `demangled`: by that name, with or without parameters. */
bool lt_names_find(struct lt_file *file, const char *name, bool demangled, size_t *ret);
/* All symbols of this name, raw, demangled or full, in order: calls `visit` with the index of each until
 * it returns false. */
typedef bool lt_names_visit(void *data, size_t index);
bool lt_names_each(struct lt_file *file, const char *name, lt_names_visit *visit, void *data);
/* Of use as an answer: 0 none, 1 an old version, 2 local, 3 exported. */
int lt_names_rank(const struct lt_read_symbol *symbol);
/* The innermost symbol that has this address of the file, or else the nearest without a size below
 * it. */
bool lt_names_below(const struct lt_names *names, uint64_t addr, size_t *ret);

#endif
