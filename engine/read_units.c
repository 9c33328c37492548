/* read_units.c - compilation units, their rows and scopes; see read_lines.h. */
#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read_lines.h"
#include "read_symbols.h"

/* ---- Units -------------------------------------------------------------------------------- */

static bool has_code(uint8_t type)
{
  return type == DW_UT_compile || type == DW_UT_skeleton || type == DW_UT_partial;
}

bool lt_read_next_unit(Dwarf *dwarf, struct lt_read_unit *unit)
{
  uint8_t type;
  do {
    Dwarf_Die split;
    Dwarf_CU *next;
    if (dwarf_get_units(dwarf, unit->cu, &next, NULL, &type, &unit->lines, &split) != 0)
      return false;
    unit->cu = next;
    unit->tree = split.addr ? split : unit->lines;
  } while (!has_code(type));
  return true;
}

/* Some compilers write no table of addresses: then every unit is asked. */
bool lt_read_unit_at(Dwarf *dwarf, Dwarf_Addr addr, struct lt_read_unit *ret)
{
  Dwarf_Die die;
  if (dwarf_addrdie(dwarf, addr, &die)) {
    uint8_t type;
    *ret = (struct lt_read_unit){.cu = die.cu, .lines = die, .tree = die};
    Dwarf_Die split;
    if (dwarf_cu_info(die.cu, NULL, &type, NULL, &split, NULL, NULL, NULL) == 0 && split.addr)
      ret->tree = split;
    return true;
  }
  *ret = (struct lt_read_unit){0};
  while (lt_read_next_unit(dwarf, ret))
    if (dwarf_haspc(&ret->lines, addr) > 0)
      return true;
  return false;
}

/* ---- Scopes ------------------------------------------------------------------------------- */

/* Functions may be in these. */
static bool holds_functions(int tag)
{
  return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_structure_type ||
         tag == DW_TAG_class_type;
}

static bool has_addresses(int tag)
{
  return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
         tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block ||
         tag == DW_TAG_with_stmt;
}

bool lt_read_holds_functions(int tag)
{
  return holds_functions(tag) || tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block;
}

/* Look for the child of `die` that contains the address, also in what only holds functions; `deep`:
 * and in functions, which hold lambdas and the like. */
static bool child_at(Dwarf_Die *die, Dwarf_Addr addr, unsigned depth, bool deep, Dwarf_Die *ret)
{
  Dwarf_Die child;
  if (depth > LT_READ_DEPTH || dwarf_child(die, &child) != 0)
    return false;
  do {
    int tag = dwarf_tag(&child);
    if (has_addresses(tag) && dwarf_haspc(&child, addr) > 0) {
      *ret = child;
      return true;
    }
    if ((deep ? lt_read_holds_functions(tag) : holds_functions(tag)) &&
        child_at(&child, addr, depth + 1, deep, ret))
      return true;
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

size_t lt_read_scopes_at(Dwarf_Die *tree, Dwarf_Addr addr, Dwarf_Die ret[LT_READ_DEPTH])
{
  size_t count = 0;
  Dwarf_Die *outer = tree;
  while (count < LT_READ_DEPTH && (child_at(outer, addr, 0, false, &ret[count]) ||
                                   (count == 0 && child_at(outer, addr, 0, true, &ret[count]))))
    outer = &ret[count++];
  return count;
}

static const char *linkage_name(Dwarf_Die *die)
{
  Dwarf_Attribute attribute;
  const char *name = NULL;
  if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
      dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
    name = dwarf_formstring(&attribute);
  return name;
}

void lt_read_put_name(struct lt_bytes *bytes, Dwarf_Die *die, bool full)
{
  const char *name = linkage_name(die);
  char *demangled = name ? lt_demangle(name, full) : NULL;
  if (!demangled && (!name || !full))
    name = dwarf_diename(die);
  lt_put_string(bytes, demangled ? demangled : name);
  free(demangled);
}

/* ---- Rows --------------------------------------------------------------------------------- */

bool lt_read_row(Dwarf_Lines *lines, size_t index, struct lt_read_row *ret)
{
  Dwarf_Line *row = dwarf_onesrcline(lines, index);
  return row && dwarf_lineaddr(row, &ret->addr) == 0 &&
         (ret->file = dwarf_linesrc(row, NULL, NULL)) != NULL &&
         dwarf_lineno(row, &ret->line) == 0 && dwarf_linecol(row, &ret->column) == 0 &&
         dwarf_linebeginstatement(row, &ret->statement) == 0 &&
         dwarf_lineendsequence(row, &ret->end) == 0 &&
         dwarf_lineprologueend(row, &ret->prologue_end) == 0;
}

size_t lt_read_row_from(Dwarf_Lines *lines, size_t count, Dwarf_Addr addr)
{
  size_t from = 0, to = count;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    Dwarf_Addr at;
    if (dwarf_lineaddr(dwarf_onesrcline(lines, middle), &at) != 0)
      return count;
    if (at < addr)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

/* Where gcc optimises, the arguments can be told from the first instruction on, and rows say nothing
 * about frames. Nobody's assembler code has a prologue. */
static bool has_plain_prologues(struct lt_read_unit *unit)
{
  Dwarf_Attribute attribute;
  if (dwarf_srclang(&unit->tree) == DW_LANG_Mips_Assembler)
    return false;
  const char *producer = dwarf_formstring(dwarf_attr(&unit->tree, DW_AT_producer, &attribute));
  if (!producer || strncmp(producer, "GNU ", 4) != 0)
    return true;
  const char *level = NULL; /* the last one counts */
  for (const char *at = producer; (at = strstr(at, " -O")) != NULL; at++)
    level = at;
  return !level || level[3] == '0';
}

Dwarf_Addr lt_read_after_prologue(struct lt_read_unit *unit, Dwarf_Addr entry, Dwarf_Addr end)
{
  Dwarf_Lines *lines;
  size_t count;
  struct lt_read_row row;
  if (dwarf_getsrclines(&unit->lines, &lines, &count) != 0)
    return entry;
  size_t first = lt_read_row_from(lines, count, entry);
  while (first < count && lt_read_row(lines, first, &row) && row.end && row.addr == entry)
    first++; /* of the code before */
  for (size_t i = first; i < count && lt_read_row(lines, i, &row) && row.addr < end; i++)
    if (row.prologue_end && !row.end)
      return row.addr;
  if (!has_plain_prologues(unit))
    return entry;
  for (size_t i = first + 1; i < count && lt_read_row(lines, i, &row) && row.addr < end; i++) {
    if (row.end)
      break;
    if (row.statement && row.line > 0)
      return row.addr;
  }
  return entry;
}

/* ---- Paths and segments ------------------------------------------------------------------- */

/* Drop the last part of the path of this length; a ".." that stands there stays. */
static size_t without_last(const char *path, size_t length)
{
  size_t cut = length;
  while (cut > 0 && path[cut - 1] != '/')
    cut--;
  if (length - cut == 2 && path[cut] == '.' && path[cut + 1] == '.')
    return SIZE_MAX;
  return cut > 1 ? cut - 1 : cut;
}

void lt_read_path(const char *path, char ret[LT_READ_PATH])
{
  size_t length = 0;
  if (*path == '/')
    ret[length++] = '/';
  while (*path) {
    path += strspn(path, "/");
    size_t part = strcspn(path, "/");
    const char *from = path;
    path += part;
    if (part == 0 || (part == 1 && from[0] == '.'))
      continue;
    if (part == 2 && from[0] == '.' && from[1] == '.' && length > 0) {
      size_t cut = without_last(ret, length);
      if (cut != SIZE_MAX) {
        length = cut;
        continue;
      }
    }
    if (length + part + 2 > LT_READ_PATH)
      break;
    if (length > 0 && ret[length - 1] != '/')
      ret[length++] = '/';
    memcpy(ret + length, from, part);
    length += part;
  }
  ret[length] = '\0';
}

void lt_read_source(struct lt_read_unit *unit, const char *file, char ret[LT_READ_PATH])
{
  Dwarf_Attribute attribute;
  char path[2 * LT_READ_PATH];
  const char *folder = file[0] == '/' || file[0] == '\0'
                           ? NULL
                           : dwarf_formstring(dwarf_attr(&unit->lines, DW_AT_comp_dir, &attribute));
  snprintf(path, sizeof path, "%s%s%s", folder ? folder : "", folder ? "/" : "", file);
  lt_read_path(path, ret);
}

#define SEGMENTS_MAX 256

bool lt_read_is_code(struct lt_read_file *file, GElf_Addr addr)
{
  size_t count;
  GElf_Phdr segment;
  if (elf_getphdrnum(file->elf, &count) != 0)
    return false;
  for (size_t i = 0; i < count && i < SEGMENTS_MAX; i++)
    if (gelf_getphdr(file->elf, (int)i, &segment) && segment.p_type == PT_LOAD &&
        (segment.p_flags & PF_X) && addr - segment.p_vaddr < segment.p_memsz)
      return true;
  return false;
}
