/* answers.c - what the reader process may answer, if the file that it read has taken it over: to the
 * tracer these are bytes. The first one says whose answer it is. */
#include <errno.h>
#include <string.h>

#include "expression.h"
#include "frames.h"
#include "fuzz.h"
#include "symbol_index.h"

/* The answers to come, one after the other: each begins with its size. */
static struct lt_bytes_in answers;

int __wrap_lt_reader_ask(lt_session *session, struct lt_file *file, enum lt_question what,
                         const struct lt_bytes *question, struct lt_bytes *ret);

int __wrap_lt_reader_ask(lt_session *session, struct lt_file *file, enum lt_question what,
                         const struct lt_bytes *question, struct lt_bytes *ret)
{
  (void)session, (void)file, (void)what, (void)question;
  *ret = (struct lt_bytes){0};
  size_t size = lt_get_u32(&answers);
  if (answers.failed)
    return -ENOENT;
  if (size > answers.size)
    size = answers.size;
  lt_put(ret, lt_get(&answers, size), size);
  return 0;
}

/* ---- Expressions ------------------------------------------------------------------------------ */

static int give_reg(void *data, unsigned number, uint64_t *ret)
{
  (void)data;
  *ret = 0x1000 * (uint64_t)number;
  return number < 17 ? 0 : -ENODATA;
}

static int give_memory(void *data, uint64_t addr, void *ret, size_t size)
{
  (void)data;
  memset(ret, (int)(addr & 0xff), size);
  return addr < 0x100000 ? 0 : -EFAULT;
}

static int give_address(void *data, uint64_t *ret)
{
  (void)data;
  *ret = 0x7000;
  return 0;
}

static int give_tls(void *data, uint64_t offset, uint64_t *ret)
{
  (void)data;
  *ret = 0x8000 + offset;
  return 0;
}

static int give_entry(void *data, const struct lt_expression *nested, uint64_t *ret)
{
  struct lt_surroundings around = {.data = data, .word = 8, .reg = give_reg, .entry = give_entry};
  return lt_expression_value(nested, &around, ret);
}

static void try_expression(struct lt_bytes_in *in)
{
  struct lt_expression expression;
  struct lt_surroundings around = {
      .word = lt_get_u8(in) & 1 ? 8 : 4,
      .bias = 0x400000,
      .reg = give_reg,
      .memory = give_memory,
      .cfa = give_address,
      .frame_base = give_address,
      .tls = give_tls,
      .object = give_address,
      .entry = give_entry,
  };
  uint64_t value;
  struct lt_place place;
  if (lt_expression_get(in, &expression) != 0)
    return;
  MUST(expression.count <= LT_EXPRESSION_OPS && expression.size <= LT_EXPRESSION_BLOCKS);
  lt_expression_value(&expression, &around, &value);
  if (lt_expression_place(&expression, &around, &place) == 0)
    MUST(place.count <= LT_PIECES);
  struct lt_bytes copy = {0};
  lt_expression_put(&copy, &expression);
  struct lt_bytes_in again = {.at = copy.at, .size = copy.size};
  struct lt_expression same;
  MUST(lt_expression_get(&again, &same) == 0 && same.count == expression.count);
  lt_expression_free(&same);
  lt_bytes_free(&copy);
  lt_expression_free(&expression);
}

static void try_row(struct lt_bytes_in *in)
{
  uint64_t addr = lt_get_u64(in);
  struct lt_row *row;
  if (lt_row_get(in, addr, &row) != 0)
    return;
  MUST(row->from <= addr && addr < row->to && row->pc < LT_FRAME_REGS);
  lt_row_free(row);
}

/* ---- Symbols ------------------------------------------------------------------------------------ */

static void look_up(struct lt_file *file, const struct lt_names *names)
{
  size_t count = lt_names_count(names), found;
  for (size_t i = 0; i < count && i < 64; i++) {
    const struct lt_read_symbol *symbol = lt_names_at(names, i);
    const char *raw = lt_names_raw(names, i);
    lt_names_rank(symbol);
    if (lt_names_find(file, raw, false, &found))
      MUST(found < count && strcmp(lt_names_raw(names, found), raw) == 0);
    if (lt_names_below(names, symbol->addr, &found))
      MUST(found < count);
    MUST(lt_names_shown(file, i));
    for (int full = 0; full < 2; full++) {
      const char *text = lt_names_demangled(file, i, full);
      if (text && lt_names_find(file, text, true, &found))
        MUST(found < count);
    }
  }
}

static void try_symbols(struct lt_bytes_in *in)
{
  static lt_session session;
  struct lt_file file = {.session = &session};
  int error;
  answers = *in;
  const struct lt_names *names = lt_names_of(&file, &error);
  if (names)
    look_up(&file, names);
  lt_names_free(file.names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct lt_bytes_in in = {.at = data, .size = size};
  switch (lt_get_u8(&in)) {
  case 'e':
    try_expression(&in);
    break;
  case 'f':
    try_row(&in);
    break;
  case 's':
    try_symbols(&in);
    break;
  default:
    break;
  }
  return 0;
}
