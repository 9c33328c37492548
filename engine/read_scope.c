/* read_scope.c - the variables that can be named at an address, and global ones by name.
 *
 * LT_ASK_SCOPE: u64 address. Answer: u64 address of the function's first instruction (~0: not known),
 * u64 reference of the type it returns, u8 whether it has a frame base, that as an expression (expression.h), u32 count, and as many
 * variables, innermost first, parameters in their order.
 * LT_ASK_GLOBAL: string name, "file.c:name" or "space::name" too. Answer: u8 1 and a variable, or
 * u8 0, u32 size and names that look like it, as strings.
 *
 * A variable: string name, u8 flags (LT_VARIABLE_*), u32 level (inlined calls around it count from 0
 * for the innermost), u32 index of a parameter, string file, u32 line, u64 reference of its type, u8
 * where: LT_AT_NOWHERE; LT_AT_EXPRESSION with an expression; LT_AT_CONSTANT with u32 size and bytes;
 * LT_AT_UNKNOWN with u32 errno. */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "luatrace.h"
#include "read_die.h"
#include "read_expression.h"
#include "read_lines.h"
#include "read_variables.h"

#define VARIABLES_MAX 4096U
#define CONSTANT_MAX 4096U
#define NEAR_MAX 200U
#define STEPS_MAX 200000U
#define LINE_MAX_VALUE 0x7fffffff

/* What is asked about. */
struct asked {
  Dwarf *dwarf;
  Dwarf_Addr bias, pc;
  bool has_pc;
  struct lt_bytes *ret;
  uint32_t count;
  unsigned level, budget;
};

/* ---- Where a variable is ---------------------------------------------------------------------- */

static void put_constant(const void *from, size_t size, struct lt_bytes *ret)
{
  if (size > CONSTANT_MAX)
    size = CONSTANT_MAX;
  lt_put_u8(ret, LT_AT_CONSTANT);
  lt_put_u32(ret, (uint32_t)size);
  lt_put(ret, from, size);
}

static bool put_const_value(Dwarf_Die *die, struct lt_bytes *ret)
{
  Dwarf_Attribute attribute;
  Dwarf_Block block;
  uint64_t number;
  if (!dwarf_attr_integrate(die, DW_AT_const_value, &attribute))
    return false;
  if (lt_die_number(die, DW_AT_const_value, &number)) {
    put_constant(&number, sizeof number, ret);
    return true;
  }
  if (dwarf_formblock(&attribute, &block) == 0) {
    put_constant(block.data, block.length, ret);
    return true;
  }
  const char *text = dwarf_formstring(&attribute);
  if (text)
    put_constant(text, strlen(text) + 1, ret);
  return text != NULL;
}

static bool is_thread_local(const Dwarf_Op *ops, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (ops[i].atom == DW_OP_GNU_push_tls_address || ops[i].atom == DW_OP_form_tls_address)
      return true;
  return false;
}

static void put_unknown(int error, struct lt_bytes *ret)
{
  lt_put_u8(ret, LT_AT_UNKNOWN);
  lt_put_u32(ret, (uint32_t)-error);
}

/* The operations that hold at the pc, of one expression or a list of them. 0: there are none. */
static int operations(const struct asked *asked, Dwarf_Attribute *attribute, Dwarf_Op **ops,
                      size_t *count)
{
  int got;
  if (asked->has_pc)
    got = dwarf_getlocation_addr(attribute, asked->pc, ops, count, 1);
  else
    got = dwarf_getlocation(attribute, ops, count) == 0 ? 1 : -1;
  return got < 0 ? -ENOEXEC : got;
}

static void put_location(const struct asked *asked, Dwarf_Attribute *attribute, unsigned *flags,
                         struct lt_bytes *ret)
{
  Dwarf_Op *ops;
  size_t count;
  int got = operations(asked, attribute, &ops, &count);
  if (got < 0) {
    put_unknown(got, ret);
  } else if (got == 0 || count == 0) {
    lt_put_u8(ret, LT_AT_NOWHERE);
  } else {
    struct lt_bytes expression = {0};
    if (is_thread_local(ops, count))
      *flags |= LT_VARIABLE_THREAD;
    int error = lt_read_put_expression(attribute, ops, count, asked->bias, &expression);
    if (error) {
      put_unknown(error, ret);
    } else {
      lt_put_u8(ret, LT_AT_EXPRESSION);
      lt_put(ret, expression.at, expression.size);
    }
    lt_bytes_free(&expression);
  }
}

/* ---- Variables -------------------------------------------------------------------------------- */

static uint32_t line_of(Dwarf_Die *die)
{
  uint64_t line;
  return lt_die_number(die, DW_AT_decl_line, &line) && line <= LINE_MAX_VALUE ? (uint32_t)line : 0;
}

static void put_variable(struct asked *asked, Dwarf_Die *die, uint32_t index)
{
  struct lt_bytes where = {0};
  Dwarf_Attribute attribute;
  unsigned flags = 0;
  if (asked->count >= VARIABLES_MAX)
    return;
  asked->count++;
  if (!put_const_value(die, &where)) {
    if (dwarf_attr_integrate(die, DW_AT_location, &attribute))
      put_location(asked, &attribute, &flags, &where);
    else
      lt_put_u8(&where, LT_AT_NOWHERE);
  }
  if (dwarf_tag(die) == DW_TAG_formal_parameter)
    flags |= LT_VARIABLE_PARAMETER;
  if (lt_die_flag(die, DW_AT_artificial))
    flags |= LT_VARIABLE_ARTIFICIAL;
  if (lt_die_flag(die, DW_AT_external))
    flags |= LT_VARIABLE_EXTERNAL;
  lt_put_string(asked->ret, lt_die_name(die));
  lt_put_u8(asked->ret, (uint8_t)flags);
  lt_put_u32(asked->ret, asked->level);
  lt_put_u32(asked->ret, index);
  lt_put_string(asked->ret, dwarf_decl_file(die));
  lt_put_u32(asked->ret, line_of(die));
  lt_put_u64(asked->ret, lt_die_type(asked->dwarf, die));
  lt_put(asked->ret, where.at, where.size);
  if (where.failed)
    asked->ret->failed = true;
  lt_bytes_free(&where);
}

/* A declaration in a block stands for a variable that is elsewhere: extern int x; */
static bool find_elsewhere(struct lt_read_file *file, const struct asked *asked, Dwarf_Die *die,
                           Dwarf_Die *ret)
{
  Dwarf_Attribute found;
  struct lt_declared *names;
  return dwarf_attr(die, DW_AT_declaration, &found) && (names = lt_read_declared(file)) &&
         lt_declared_find(names, asked->dwarf, lt_die_name(die), LT_NAMED_BIT(LT_NAMED_VARIABLE),
                          NULL, false, ret);
}

static void put_variables_of(struct lt_read_file *file, struct asked *asked, Dwarf_Die *scope)
{
  Dwarf_Die die, other;
  uint32_t index = 0;
  if (!lt_die_child(scope, &die, &asked->budget))
    return;
  do {
    int tag = dwarf_tag(&die);
    if (tag == DW_TAG_formal_parameter)
      put_variable(asked, &die, index++);
    else if (tag == DW_TAG_variable && *lt_die_name(&die))
      put_variable(asked, find_elsewhere(file, asked, &die, &other) ? &other : &die, UINT32_MAX);
  } while (lt_die_next(&die, &asked->budget));
}

/* ---- At an address ---------------------------------------------------------------------------- */

static void put_function(const struct asked *asked, Dwarf_Die *function)
{
  Dwarf_Addr entry;
  Dwarf_Attribute attribute;
  Dwarf_Op *ops;
  size_t count;
  struct lt_bytes base = {0};
  bool has_base = dwarf_attr_integrate(function, DW_AT_frame_base, &attribute) &&
                  operations(asked, &attribute, &ops, &count) == 1 &&
                  lt_read_put_expression(&attribute, ops, count, asked->bias, &base) == 0;
  lt_put_u64(asked->ret, dwarf_entrypc(function, &entry) == 0 ? entry + asked->bias : UINT64_MAX);
  lt_put_u64(asked->ret, lt_die_type(asked->dwarf, function));
  lt_put_u8(asked->ret, has_base);
  lt_put(asked->ret, base.at, base.size);
  lt_bytes_free(&base);
}

/* The innermost function that is there in its own right: nested ones are in a frame of their own. */
static size_t find_function(Dwarf_Die *scopes, size_t count)
{
  while (count && dwarf_tag(&scopes[count - 1]) != DW_TAG_subprogram)
    count--;
  return count;
}

int lt_read_scope(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  struct asked asked = {.has_pc = true, .budget = STEPS_MAX};
  struct lt_bytes variables = {0};
  struct lt_read_unit unit;
  uint64_t address = lt_get_u64(question);
  if (question->failed)
    return -EINVAL;
  asked.dwarf = lt_read_dwarf(file, &asked.bias);
  asked.pc = address - asked.bias;
  asked.ret = &variables;
  if (!asked.dwarf || !lt_read_unit_at(asked.dwarf, asked.pc, &unit))
    return -ENOENT;
  Dwarf_Die *scopes = calloc(LT_READ_DEPTH, sizeof *scopes);
  if (!scopes)
    return -ENOMEM;
  size_t count = lt_read_scopes_at(&unit.tree, asked.pc, scopes);
  size_t function = find_function(scopes, count);
  for (size_t i = count; function && i >= function; i--) {
    put_variables_of(file, &asked, &scopes[i - 1]);
    if (dwarf_tag(&scopes[i - 1]) == DW_TAG_inlined_subroutine)
      asked.level++;
  }
  if (function) {
    asked.ret = ret;
    put_function(&asked, &scopes[function - 1]);
    lt_put_u32(ret, asked.count);
    lt_put(ret, variables.at, variables.size);
  }
  free(scopes);
  bool failed = ret->failed || variables.failed;
  lt_bytes_free(&variables);
  return failed ? -ENOMEM : function ? 0 : -ENOENT;
}

/* ---- By name ---------------------------------------------------------------------------------- */

/* The ':' in "file.c:name", which is none of a "::". */
static const char *unit_end(const char *name)
{
  const char *last = NULL;
  for (const char *at = name; *at && *at != '<' && *at != '('; at++) {
    if (at[0] == ':' && at[1] == ':')
      at++;
    else if (at[0] == ':')
      last = at;
  }
  return last;
}

static bool find_global(struct lt_declared *names, Dwarf *dwarf, const char *name, Dwarf_Die *ret)
{
  char unit[1024];
  const char *end = unit_end(name);
  if (end && (size_t)(end - name) < sizeof unit) {
    memcpy(unit, name, (size_t)(end - name));
    unit[end - name] = '\0';
    name = end + 1;
  }
  return lt_declared_find(names, dwarf, name, LT_NAMED_BIT(LT_NAMED_VARIABLE), end ? unit : NULL,
                          false, ret);
}

int lt_read_global(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  struct asked asked = {.ret = ret};
  const char *name = lt_get_string(question);
  if (question->failed || !*name)
    return -EINVAL;
  asked.dwarf = lt_read_dwarf(file, &asked.bias);
  struct lt_declared *names = lt_read_declared(file);
  Dwarf_Die die;
  if (!names)
    return -ENOENT;
  if (find_global(names, asked.dwarf, name, &die)) {
    lt_put_u8(ret, 1);
    put_variable(&asked, &die, UINT32_MAX);
  } else {
    struct lt_bytes near = {0};
    const char *end = unit_end(name);
    lt_declared_near(names, end ? end + 1 : name, LT_NAMED_BIT(LT_NAMED_VARIABLE), NEAR_MAX, &near);
    lt_put_u8(ret, 0);
    lt_put_u32(ret, (uint32_t)near.size);
    lt_put(ret, near.at, near.size);
    lt_bytes_free(&near);
  }
  return ret->failed ? -ENOMEM : 0;
}
