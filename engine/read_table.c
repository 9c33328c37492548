/* read_table.c - all functions of a file with all their statements, for coverage. */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "read_lines.h"

#define RANGES_MAX 256
#define FILES_MAX 100000
#define ROWS_MAX ((size_t)16 << 20)

/* A source file that was named, by its whole path. */
struct named {
  char *path;
  uint32_t number;
  UT_hash_handle hh;
};

struct table {
  struct lt_read_file *of;
  Dwarf_Addr bias;
  struct lt_read_unit unit;
  Dwarf_Lines *lines; /* of the unit */
  size_t count;
  struct named *files;
  const char *latest; /* libdw's name of the file that was looked up last */
  uint32_t latest_number;
  size_t rows;
  bool failed;
  struct lt_bytes *ret;
};

/* Number of a source file, from 1. When it is new it is put into the answer. */
static uint32_t number_of(struct table *table, const char *file)
{
  char path[LT_READ_PATH];
  struct named *named;
  if (file == table->latest)
    return table->latest_number;
  lt_read_source(&table->unit, file, path);
  HASH_FIND_STR(table->files, path, named);
  if (!named) {
    named = calloc(1, sizeof *named);
    char *copy = named ? strdup(path) : NULL;
    if (!copy || HASH_COUNT(table->files) >= FILES_MAX) {
      free(copy);
      free(named);
      table->failed = true;
      return 0;
    }
    named->path = copy;
    named->number = HASH_COUNT(table->files) + 1;
    HASH_ADD_KEYPTR(hh, table->files, copy, strlen(copy), named);
    lt_put_u8(table->ret, 'f');
    lt_put_string(table->ret, copy);
  }
  table->latest = file;
  table->latest_number = named->number;
  return named->number;
}

/* The rows of a contiguous part of a function. The first one may begin before it. */
static void put_rows(struct table *table, Dwarf_Addr from, Dwarf_Addr to)
{
  struct lt_read_row row;
  for (size_t i = lt_read_row_from(table->lines, table->count, from);
       i < table->count && !table->failed; i++) {
    if (!lt_read_row(table->lines, i, &row) || row.addr >= to)
      break;
    if (row.end || !row.statement || row.line <= 0)
      continue;
    uint32_t file = number_of(table, row.file);
    table->failed |= ++table->rows > ROWS_MAX;
    lt_put_u8(table->ret, 'l');
    lt_put_u64(table->ret, row.addr + table->bias);
    lt_put_u32(table->ret, file);
    lt_put_u32(table->ret, (uint32_t)row.line);
  }
}

/* No function of the source. The compiler makes those of lambdas too, but what they do is written
 * there. */
static bool is_artificial(Dwarf_Die *die)
{
  Dwarf_Attribute attribute;
  bool is = false;
  const char *name = dwarf_diename(die);
  if (name && strcmp(name, "operator()") == 0)
    return false;
  return dwarf_attr_integrate(die, DW_AT_artificial, &attribute) &&
         dwarf_formflag(&attribute, &is) == 0 && is;
}

static void put_function(struct table *table, Dwarf_Die *die)
{
  Dwarf_Addr entry, base, from, to;
  const char *file = dwarf_decl_file(die);
  int line = 0;
  if (is_artificial(die) || dwarf_entrypc(die, &entry) != 0 ||
      !lt_read_is_code(table->of, entry + table->bias))
    return;
  if (dwarf_decl_line(die, &line) != 0)
    line = 0;
  uint32_t number = file ? number_of(table, file) : 0;
  lt_put_u8(table->ret, 'n');
  lt_put_u64(table->ret, entry + table->bias);
  lt_put_u32(table->ret, number);
  lt_put_u32(table->ret, line > 0 ? (uint32_t)line : 0);
  lt_put_u8(table->ret, dwarf_hasattr_integrate(die, DW_AT_type) != 0);
  lt_read_put_name(table->ret, die, true);
  ptrdiff_t at = 0;
  for (int i = 0; i < RANGES_MAX && (at = dwarf_ranges(die, at, &base, &from, &to)) > 0; i++) {
    if (from >= to || !lt_read_is_code(table->of, to - 1 + table->bias))
      continue;
    lt_put_u8(table->ret, 'r');
    lt_put_u64(table->ret, from + table->bias);
    lt_put_u64(table->ret, to + table->bias);
    put_rows(table, from, to);
  }
}

static void put_functions(struct table *table, Dwarf_Die *die, unsigned depth)
{
  Dwarf_Die child;
  if (depth > LT_READ_DEPTH || dwarf_child(die, &child) != 0)
    return;
  do {
    int tag = dwarf_tag(&child);
    if (tag == DW_TAG_subprogram)
      put_function(table, &child);
    if (lt_read_holds_functions(tag))
      put_functions(table, &child, depth + 1);
  } while (!table->failed && !table->ret->failed && dwarf_siblingof(&child, &child) == 0);
}

static void free_files(struct table *table)
{
  struct named *next = table->files;
  HASH_CLEAR(hh, table->files);
  while (next) {
    struct named *named = next;
    next = named->hh.next;
    free(named->path);
    free(named);
  }
}

/* No question. The answer is a sequence of
 *   'f' path                       a source file; they are numbered from 1 as they come
 *   'n' entry, file, line,         a function: u64; where it is declared: u32, u32; whether it
 *       has_value, name            returns a value: u8
 *   'r' from, to                   a contiguous part of it: u64, u64
 *   'l' address, file, line        a statement there: u64, u32, u32; ascending
 * and ends with a 0. */
int lt_read_lines_all(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  struct table table = {.of = file, .ret = ret};
  Dwarf *dwarf = lt_read_dwarf(file, &table.bias);
  (void)question;
  if (!dwarf)
    return -ENOENT;
  while (lt_read_next_unit(dwarf, &table.unit) && !table.failed && !ret->failed) {
    table.latest = NULL;
    if (dwarf_getsrclines(&table.unit.lines, &table.lines, &table.count) == 0)
      put_functions(&table, &table.unit.tree, 0);
  }
  lt_put_u8(ret, 0);
  free_files(&table);
  return table.failed ? -E2BIG : ret->failed ? -ENOMEM : 0;
}
