/* read_places.c - a line of a source file, or a source file -> the addresses of its code.
 *
 * A line is where its statements start: in each function and each inlined copy once, at the lowest
 * address, as debuggers have it. A part of a function that lies apart (code that is seldom run)
 * counts as another function, since its addresses say nothing about the order. */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read_lines.h"
#include "read_places.h"

#define PLACES_MAX 65536
#define NAME_MAX_LENGTH 64 /* of names that are compared for likeness */

struct place {
  Dwarf_Addr addr;
  Dwarf_Off scope;  /* offset of the DIE of the function or inlined copy; 0: none */
  Dwarf_Addr piece; /* where the contiguous part of the function begins */
  int line;
  const char *file;
  Dwarf_Die of; /* the function or inlined copy; no addr: none */
  struct lt_read_unit unit;
};

struct search {
  struct lt_read_file *of;
  Dwarf_Addr bias;
  struct lt_read_unit unit;
  char wanted[LT_READ_PATH]; /* without what is common to all paths: "../" in front */
  uint32_t line;             /* 0: the functions of the file */
  bool known;                /* a file of this name exists */
  uint32_t before, after;    /* the nearest lines with code; 0: none */
  char file[LT_READ_PATH];   /* one with this name; or the most similar name */
  size_t edits;
  struct place *places;
  size_t count, room;
  bool failed;
  const char *latest; /* the file that was compared last, and what came of it */
  bool latest_is;
};

/* ---- Names of files ----------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* Whether the path ends with the wanted parts. */
static bool matches(struct search *search, const char *path)
{
  char own[LT_READ_PATH];
  if (strcmp(last_part(path), last_part(search->wanted)) != 0)
    return false;
  lt_read_source(&search->unit, path, own);
  size_t length = strlen(own), wanted = strlen(search->wanted);
  if (length < wanted || strcmp(own + length - wanted, search->wanted) != 0)
    return false;
  if (length > wanted && search->wanted[0] != '/' && own[length - wanted - 1] != '/')
    return false;
  memcpy(search->file, own, length + 1);
  return true;
}

/* The same for rows, whose file is mostly that of the row before. */
static bool is_wanted(struct search *search, const char *file)
{
  if (file != search->latest) {
    search->latest = file;
    search->latest_is = matches(search, file);
  }
  return search->latest_is;
}

static size_t least(size_t a, size_t b)
{
  return a < b ? a : b;
}

size_t lt_read_edits(const char *a, const char *b)
{
  size_t row[NAME_MAX_LENGTH + 1], a_length = strlen(a), b_length = strlen(b);
  if (a_length > NAME_MAX_LENGTH || b_length > NAME_MAX_LENGTH)
    return SIZE_MAX;
  for (size_t j = 0; j <= b_length; j++)
    row[j] = j;
  for (size_t i = 1; i <= a_length; i++) {
    size_t corner = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b_length; j++) {
      size_t above = row[j];
      row[j] = least(least(above, row[j - 1]) + 1, corner + (a[i - 1] != b[j - 1]));
      corner = above;
    }
  }
  return row[b_length];
}

static void note_similar(struct search *search, const char *path)
{
  const char *name = last_part(path), *wanted = last_part(search->wanted);
  size_t edits = lt_read_edits(wanted, name);
  if (edits < search->edits && (edits <= strlen(wanted) / 3 || edits == 1)) {
    search->edits = edits;
    lt_read_path(name, search->file);
  }
}

/* Whether the unit has code of the wanted file. */
static bool unit_has_file(struct search *search)
{
  Dwarf_Files *files;
  size_t count;
  bool has = false;
  if (dwarf_getsrcfiles(&search->unit.lines, &files, &count) != 0)
    return false;
  for (size_t i = 0; i < count && !has; i++) {
    const char *path = dwarf_filesrc(files, i, NULL, NULL);
    has = path && matches(search, path);
  }
  search->known |= has;
  return has;
}

static void find_similar(struct search *search, Dwarf *dwarf)
{
  search->unit = (struct lt_read_unit){0};
  search->edits = SIZE_MAX;
  search->file[0] = '\0';
  while (lt_read_next_unit(dwarf, &search->unit)) {
    Dwarf_Files *files;
    size_t count;
    if (dwarf_getsrcfiles(&search->unit.lines, &files, &count) != 0)
      continue;
    for (size_t i = 0; i < count; i++) {
      const char *path = dwarf_filesrc(files, i, NULL, NULL);
      if (path)
        note_similar(search, path);
    }
  }
}

/* ---- Lines -------------------------------------------------------------------------------- */

static void add(struct search *search, const struct place *place)
{
  if (search->count == search->room) {
    size_t room = search->room ? search->room * 2 : 16;
    struct place *more = room > PLACES_MAX ? NULL : realloc(search->places, room * sizeof *more);
    if (!more) {
      search->failed = true;
      return;
    }
    search->places = more;
    search->room = room;
  }
  search->places[search->count] = *place;
  search->places[search->count++].unit = search->unit;
}

/* Whether a place of the same block is there already. Rows come sorted, so that one is lower. */
static bool is_there(const struct search *search, const struct place *place)
{
  for (size_t i = 0; i < search->count; i++) {
    const struct place *other = &search->places[i];
    if (other->addr == place->addr ||
        (place->scope != 0 && other->scope == place->scope && other->piece == place->piece))
      return true;
  }
  return false;
}

/* At the entry of a function stands its prologue: the line's code comes after it. */
static void enter_function(struct search *search, Dwarf_Die *function, struct place *place)
{
  Dwarf_Addr base, from, to, entry;
  ptrdiff_t at = 0;
  while ((at = dwarf_ranges(function, at, &base, &from, &to)) > 0)
    if (place->addr >= from && place->addr < to)
      break;
  if (at <= 0)
    return;
  place->piece = from;
  if (dwarf_entrypc(function, &entry) == 0 && entry == place->addr)
    place->addr = lt_read_after_prologue(&search->unit, entry, to);
}

static void add_row(struct search *search, const struct lt_read_row *row)
{
  Dwarf_Die scopes[LT_READ_DEPTH];
  struct place place = {.addr = row->addr, .line = row->line, .file = row->file};
  size_t count = lt_read_scopes_at(&search->unit.tree, row->addr, scopes);
  for (size_t i = 0; i < count; i++) {
    int tag = dwarf_tag(&scopes[i]);
    if (tag == DW_TAG_subprogram)
      enter_function(search, &scopes[i], &place);
    if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) {
      place.of = scopes[i];
      place.scope = dwarf_dieoffset(&scopes[i]);
    }
  }
  if (!is_there(search, &place))
    add(search, &place);
}

static void note_near(struct search *search, uint32_t line)
{
  if (line < search->line && line > search->before)
    search->before = line;
  if (line > search->line && (line < search->after || search->after == 0))
    search->after = line;
}

static void search_rows(struct search *search)
{
  Dwarf_Lines *lines;
  size_t count;
  struct lt_read_row row;
  if (dwarf_getsrclines(&search->unit.lines, &lines, &count) != 0)
    return;
  search->latest = NULL;
  for (size_t i = 0; i < count && !search->failed; i++) {
    if (!lt_read_row(lines, i, &row) || row.end || !row.statement || row.line <= 0 ||
        !is_wanted(search, row.file) || !lt_read_is_code(search->of, row.addr + search->bias))
      continue;
    if ((uint32_t)row.line == search->line)
      add_row(search, &row);
    else
      note_near(search, (uint32_t)row.line);
  }
}

/* ---- Functions ---------------------------------------------------------------------------- */

static void add_function(struct search *search, Dwarf_Die *die)
{
  struct place place = {0};
  const char *file = dwarf_decl_file(die);
  if (dwarf_entrypc(die, &place.addr) != 0 || !file || !matches(search, file) ||
      !lt_read_is_code(search->of, place.addr + search->bias))
    return;
  if (dwarf_decl_line(die, &place.line) != 0)
    place.line = 0;
  place.file = file;
  place.of = *die;
  if (!is_there(search, &place))
    add(search, &place);
}

static void search_functions(struct search *search, Dwarf_Die *die, unsigned depth)
{
  Dwarf_Die child;
  if (depth > LT_READ_DEPTH || dwarf_child(die, &child) != 0)
    return;
  do {
    int tag = dwarf_tag(&child);
    if (tag == DW_TAG_subprogram)
      add_function(search, &child);
    if (lt_read_holds_functions(tag))
      search_functions(search, &child, depth + 1);
  } while (!search->failed && dwarf_siblingof(&child, &child) == 0);
}

/* ---- The answer --------------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
  const struct place *first = a, *second = b;
  return (first->addr > second->addr) - (first->addr < second->addr);
}

static void put_places(struct search *search, struct lt_bytes *ret)
{
  char path[LT_READ_PATH];
  if (search->count)
    qsort(search->places, search->count, sizeof *search->places, by_address);
  lt_put_u8(ret, LT_PLACES_FOUND);
  lt_put_u32(ret, (uint32_t)search->count);
  for (size_t i = 0; i < search->count; i++) {
    struct place *place = &search->places[i];
    lt_read_source(&place->unit, place->file, path);
    lt_put_u64(ret, place->addr + search->bias);
    lt_put_u32(ret, place->line > 0 ? (uint32_t)place->line : 0);
    lt_put_string(ret, path);
    if (place->of.addr)
      lt_read_put_name(ret, &place->of, false);
    else
      lt_put_string(ret, "");
  }
}

static void put_answer(struct search *search, Dwarf *dwarf, struct lt_bytes *ret)
{
  if (search->count > 0) {
    put_places(search, ret);
  } else if (search->known) {
    lt_put_u8(ret, LT_PLACES_NO_CODE);
    lt_put_u32(ret, search->before);
    lt_put_u32(ret, search->after);
    lt_put_string(ret, search->file);
  } else {
    find_similar(search, dwarf);
    lt_put_u8(ret, LT_PLACES_NO_FILE);
    lt_put_string(ret, search->file);
  }
}

static void set_wanted(struct search *search, const char *file)
{
  char path[LT_READ_PATH];
  lt_read_path(file, path);
  const char *from = path;
  while (strncmp(from, "../", 3) == 0)
    from += 3;
  memcpy(search->wanted, from, strlen(from) + 1);
}

/* Question: file, line (0: its functions). Answer: see read_places.h. */
int lt_read_lines_of(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  struct search *search = calloc(1, sizeof *search);
  if (!search)
    return -ENOMEM;
  search->of = file;
  set_wanted(search, lt_get_string(question));
  search->line = lt_get_u32(question);
  Dwarf *dwarf = lt_read_dwarf(file, &search->bias);
  int error = question->failed || !search->wanted[0] ? -EINVAL : !dwarf ? -ENOENT : 0;
  while (!error && lt_read_next_unit(dwarf, &search->unit)) {
    if (!unit_has_file(search))
      continue;
    if (search->line)
      search_rows(search);
    else
      search_functions(search, &search->unit.tree, 0);
  }
  if (!error)
    put_answer(search, dwarf, ret);
  if (!error && (search->failed || ret->failed))
    error = search->count >= PLACES_MAX / 2 ? -E2BIG : -ENOMEM;
  free(search->places);
  free(search);
  return error;
}
