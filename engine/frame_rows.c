/* frame_rows.c - rows of rules as the reader process sends them: see frames.h and read_frame.c. */
#include <errno.h>
#include <stdlib.h>

#include "frames.h"

static int get_rule(struct lt_bytes_in *from, struct lt_rule *ret)
{
  ret->kind = lt_get_u8(from);
  ret->number = lt_get_u8(from);
  ret->offset = (int64_t)lt_get_u64(from);
  if (from->failed || ret->kind >= LT_RULE_COUNT || ret->number >= LT_FRAME_REGS)
    return -ENOEXEC;
  if (ret->kind == LT_RULE_SAVED_AT || ret->kind == LT_RULE_IS_EXPRESSION)
    return lt_expression_get(from, &ret->expression);
  return 0;
}

static int get_rules(struct lt_bytes_in *from, struct lt_frame_row *row)
{
  int error = get_rule(from, &row->cfa);
  for (unsigned i = 0; !error && from->size && i < LT_FRAME_REGS; i++)
    error = get_rule(from, &row->rule[i]);
  return error;
}

int lt_frame_row_get(struct lt_bytes_in *from, uint64_t addr, struct lt_frame_row **ret)
{
  struct lt_frame_row *row = calloc(1, sizeof *row);
  *ret = NULL;
  if (!row)
    return -ENOMEM;
  row->known = true;
  row->from = lt_get_u64(from);
  row->to = lt_get_u64(from);
  row->is_signal = lt_get_u8(from);
  row->pc = lt_get_u8(from);
  int error = get_rules(from, row);
  if (!error && (from->size || row->pc >= LT_FRAME_REGS || addr < row->from || addr >= row->to))
    error = -ENOEXEC;
  if (error)
    lt_frame_row_free(row);
  else
    *ret = row;
  return error;
}

void lt_frame_row_free(struct lt_frame_row *row)
{
  if (!row)
    return;
  lt_expression_free(&row->cfa.expression);
  for (unsigned i = 0; i < LT_FRAME_REGS; i++)
    lt_expression_free(&row->rule[i].expression);
  free(row);
}
