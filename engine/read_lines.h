/* read_lines.h - what the questions about lines share, in the reader process (read.h). Addresses here
 * are those of the DWARF, without its bias. */
#ifndef LT_READ_LINES_H
#define LT_READ_LINES_H

#include "read.h"

/* A compilation unit. Start with zeros. */
struct lt_read_unit {
  Dwarf_CU *cu;
  Dwarf_Die lines; /* has the line table */
  Dwarf_Die tree;  /* has the functions: the same, or that of split debug information */
};
bool lt_read_next_unit(Dwarf *dwarf, struct lt_read_unit *unit);
/* The unit with this address. */
bool lt_read_unit_at(Dwarf *dwarf, Dwarf_Addr addr, struct lt_read_unit *ret);

/* The functions, inlined copies and blocks that contain this address, outermost first, each within
 * the one before. Returns how many. */
#define LT_READ_DEPTH 64
size_t lt_read_scopes_at(Dwarf_Die *tree, Dwarf_Addr addr, Dwarf_Die ret[LT_READ_DEPTH]);
/* Whether functions may be among the children of such a DIE. */
bool lt_read_holds_functions(int tag);
/* Put the name of a function or inlined copy as it is in the source, or "". `full`: with the types of
 * its parameters where they are part of it. */
void lt_read_put_name(struct lt_bytes *bytes, Dwarf_Die *die, bool full);

/* A row of a line table. */
struct lt_read_row {
  Dwarf_Addr addr;
  const char *file; /* as libdw has it; the same pointer for the same file of a unit */
  int line, column;
  bool statement, end, prologue_end;
};
bool lt_read_row(Dwarf_Lines *lines, size_t index, struct lt_read_row *ret);
/* The index of the first row at or after this address, `count` if there is none. */
size_t lt_read_row_from(Dwarf_Lines *lines, size_t count, Dwarf_Addr addr);
/* Where the function that begins at `entry` and ends at `end` has its frame and its arguments in
 * place; `entry` if that cannot be told. */
Dwarf_Addr lt_read_after_prologue(struct lt_read_unit *unit, Dwarf_Addr entry, Dwarf_Addr end);

/* The same path without "//", "/./" and "dir/../". */
#define LT_READ_PATH 4096
void lt_read_path(const char *path, char ret[LT_READ_PATH]);
/* The path of a source file as libdw has it: so, and from the root. */
void lt_read_source(struct lt_read_unit *unit, const char *file, char ret[LT_READ_PATH]);

/* Whether code is mapped at this address of the file. */
bool lt_read_is_code(struct lt_read_file *file, GElf_Addr addr);

#endif
