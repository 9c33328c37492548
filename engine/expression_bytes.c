/* expression_bytes.c - DWARF expressions as messages: see expression.h.
 *
 * u32 number of operations, u32 bytes of blocks, the operations (u8 code, u32 type, u64 a, u64 b),
 * the blocks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "expression.h"

void lt_expression_put(struct lt_bytes *to, const struct lt_expression *expression)
{
  lt_put_u32(to, (uint32_t)expression->count);
  lt_put_u32(to, (uint32_t)expression->size);
  for (size_t i = 0; i < expression->count; i++) {
    const struct lt_op *op = &expression->ops[i];
    lt_put_u8(to, op->code);
    lt_put_u32(to, op->type);
    lt_put_u64(to, op->a);
    lt_put_u64(to, op->b);
  }
  lt_put(to, expression->blocks, expression->size);
}

int lt_expression_get(struct lt_bytes_in *from, struct lt_expression *ret)
{
  size_t count = lt_get_u32(from), size = lt_get_u32(from);
  *ret = (struct lt_expression){0};
  if (from->failed || count > LT_EXPRESSION_OPS || size > LT_EXPRESSION_BLOCKS)
    return -ENOEXEC;
  /* One room: the operations, then the blocks. */
  struct lt_op *ops = calloc(1, count * sizeof *ops + size + 1);
  if (!ops)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++) {
    ops[i].code = lt_get_u8(from);
    ops[i].type = (uint16_t)lt_get_u32(from);
    ops[i].a = lt_get_u64(from);
    ops[i].b = lt_get_u64(from);
  }
  const void *blocks = lt_get(from, size);
  if (from->failed) {
    free(ops);
    return -ENOEXEC;
  }
  if (size)
    memcpy(ops + count, blocks, size);
  *ret = (struct lt_expression){
      .ops = ops, .count = count, .blocks = (const uint8_t *)(ops + count), .size = size};
  return 0;
}

void lt_expression_free(struct lt_expression *expression)
{
  free((void *)expression->ops);
  *expression = (struct lt_expression){0};
}
