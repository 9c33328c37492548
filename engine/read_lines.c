/* read_lines.c - address -> file, line, column, and the calls that were inlined there. */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "read_lines.h"

/* The row that an address belongs to: the last one at or before it. Of several at one address the
 * last that begins a statement, if one does. */
static bool row_of(struct lt_read_unit *unit, Dwarf_Addr addr, struct lt_read_row *ret)
{
  Dwarf_Lines *lines;
  size_t count;
  if (dwarf_getsrclines(&unit->lines, &lines, &count) != 0)
    return false;
  size_t next = lt_read_row_from(lines, count, addr + 1);
  if (next == 0 || !lt_read_row(lines, next - 1, ret) || ret->end)
    return false;
  struct lt_read_row before;
  for (size_t i = next - 1; !ret->statement && i > 0; i--) {
    if (!lt_read_row(lines, i - 1, &before) || before.addr != ret->addr || before.end)
      break;
    if (before.statement)
      *ret = before;
  }
  return true;
}

static uint32_t number(Dwarf_Die *die, unsigned name)
{
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;
  if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value) != 0 ||
      value > INT32_MAX)
    return 0;
  return (uint32_t)value;
}

static void put_call(struct lt_read_unit *unit, Dwarf_Die *die, struct lt_bytes *ret)
{
  char path[LT_READ_PATH];
  Dwarf_Files *files;
  size_t count;
  const char *file = NULL;
  uint32_t index = number(die, DW_AT_call_file);
  if (dwarf_getsrcfiles(&unit->tree, &files, &count) == 0 && index < count)
    file = dwarf_filesrc(files, index, NULL, NULL);
  lt_read_source(unit, file ? file : "", path);
  lt_read_put_name(ret, die, false);
  lt_put_string(ret, path);
  lt_put_u32(ret, number(die, DW_AT_call_line));
  lt_put_u32(ret, number(die, DW_AT_call_column));
}

static void put_scopes(struct lt_read_unit *unit, Dwarf_Addr addr, struct lt_bytes *ret)
{
  Dwarf_Die scopes[LT_READ_DEPTH];
  size_t count = lt_read_scopes_at(&unit->tree, addr, scopes);
  Dwarf_Die *function = NULL;
  uint32_t inlined = 0;
  for (size_t i = 0; i < count; i++) {
    int tag = dwarf_tag(&scopes[i]);
    if (tag == DW_TAG_subprogram) {
      function = &scopes[i];
      inlined = 0;
    }
    inlined += tag == DW_TAG_inlined_subroutine;
  }
  if (function)
    lt_read_put_name(ret, function, false);
  else
    lt_put_string(ret, "");
  lt_put_u32(ret, inlined);
  for (size_t i = count; i-- > 0 && inlined > 0;)
    if (dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine) {
      put_call(unit, &scopes[i], ret);
      inlined--;
    }
}

/* Answer: file, line, column; the function whose code it is; how many inlined calls, and of each,
 * innermost first, the function that was inlined and the file, line and column of the call. */
static int put_line(struct lt_read_unit *unit, Dwarf_Addr addr, struct lt_bytes *ret)
{
  char path[LT_READ_PATH];
  struct lt_read_row row;
  if (!row_of(unit, addr, &row))
    return -ENOENT;
  lt_read_source(unit, row.file, path);
  lt_put_string(ret, path);
  lt_put_u32(ret, row.line > 0 ? (uint32_t)row.line : 0);
  lt_put_u32(ret, row.column > 0 ? (uint32_t)row.column : 0);
  put_scopes(unit, addr, ret);
  return 0;
}

/* Answer: the address after the prologue if this is the entry of a function, else the address. */
static int put_after_prologue(struct lt_read_unit *unit, Dwarf_Addr addr, Dwarf_Addr bias,
                              struct lt_bytes *ret)
{
  Dwarf_Die scopes[LT_READ_DEPTH];
  size_t count = lt_read_scopes_at(&unit->tree, addr, scopes);
  Dwarf_Addr after = addr, entry, from, to, base;
  for (size_t i = 0; i < count; i++)
    if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram && dwarf_entrypc(&scopes[i], &entry) == 0 &&
        entry == addr) {
      ptrdiff_t at = 0;
      while ((at = dwarf_ranges(&scopes[i], at, &base, &from, &to)) > 0)
        if (addr >= from && addr < to) {
          after = lt_read_after_prologue(unit, addr, to);
          break;
        }
    }
  lt_put_u64(ret, after + bias);
  return 0;
}

/* Question: address; whether the end of the prologue is asked for. */
int lt_read_lines_at(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  Dwarf_Addr addr = lt_get_u64(question), bias;
  bool prologue = lt_get_u8(question);
  struct lt_read_unit unit;
  if (question->failed)
    return -EINVAL;
  Dwarf *dwarf = lt_read_dwarf(file, &bias);
  if (!dwarf || !lt_read_unit_at(dwarf, addr - bias, &unit))
    return -ENOENT;
  int error = prologue ? put_after_prologue(&unit, addr - bias, bias, ret)
                       : put_line(&unit, addr - bias, ret);
  return error ? error : ret->failed ? -ENOMEM : 0;
}
