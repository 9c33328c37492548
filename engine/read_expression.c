/* read_expression.c - in the reader process: what libdw parsed of an expression as an lt_expression,
 * with what only the file knows (indexed addresses, base types, targets of branches) resolved. */
#include <dwarf.h>
#include <errno.h>

#include "expression.h"
#include "read.h"
#include "read_expression.h"

/* An expression that is being made. */
struct making {
  struct lt_op ops[LT_EXPRESSION_OPS];
  size_t count;
  struct lt_bytes blocks;
  uint64_t bias;
  unsigned depth;
};

static int put_ops(struct making *making, Dwarf_Attribute *attr, const Dwarf_Op *ops, size_t count);

static int put_block(struct making *making, const void *from, size_t size, struct lt_op *ret)
{
  if (size > LT_EXPRESSION_BLOCKS - making->blocks.size)
    return -ENOTSUP;
  ret->a = making->blocks.size;
  ret->b = size;
  lt_put(&making->blocks, from, size);
  return making->blocks.failed ? -ENOMEM : 0;
}

/* The base type that the operation names. */
static int put_type(Dwarf_Attribute *attr, const Dwarf_Op *op, uint64_t offset, struct lt_op *ret)
{
  Dwarf_Die die;
  Dwarf_Attribute encoding;
  Dwarf_Word how, size;
  if (!offset)
    return 0; /* the generic type */
  if (!attr || dwarf_getlocation_die(attr, op, &die) != 0)
    return -ENOEXEC;
  if (!dwarf_attr(&die, DW_AT_encoding, &encoding) || dwarf_formudata(&encoding, &how) != 0 ||
      dwarf_aggregate_size(&die, &size) != 0 || !how || how > UINT8_MAX || !size ||
      size > UINT8_MAX)
    return -ENOTSUP;
  ret->type = (uint16_t)(how << 8 | size);
  return 0;
}

static int put_const_type(struct making *making, Dwarf_Attribute *attr, const Dwarf_Op *op,
                          struct lt_op *ret)
{
  Dwarf_Attribute value;
  Dwarf_Block block;
  ret->code = DW_OP_const_type;
  int error = put_type(attr, op, op->number, ret);
  if (error)
    return error;
  if (dwarf_getlocation_attr(attr, op, &value) != 0 || dwarf_formblock(&value, &block) != 0)
    return -ENOEXEC;
  return put_block(making, block.data, block.length, ret);
}

static int put_implicit_value(struct making *making, Dwarf_Attribute *attr, const Dwarf_Op *op,
                              struct lt_op *ret)
{
  Dwarf_Block block;
  if (!attr || dwarf_getlocation_implicit_value(attr, op, &block) != 0)
    return -ENOEXEC;
  return put_block(making, block.data, block.length, ret);
}

static int put_implicit_pointer(Dwarf_Attribute *attr, const Dwarf_Op *op, struct lt_op *ret)
{
  Dwarf_Die die;
  ret->code = DW_OP_implicit_pointer;
  if (!attr || dwarf_getlocation_die(attr, op, &die) != 0)
    return -ENOEXEC;
  ret->a = dwarf_dieoffset(&die);
  ret->b = op->number2;
  return 0;
}

/* The value of an entry in the table of addresses. */
static int put_indexed(struct making *making, Dwarf_Attribute *attr, const Dwarf_Op *op,
                       struct lt_op *ret)
{
  Dwarf_Attribute value;
  Dwarf_Addr addr;
  Dwarf_Word number;
  bool is_addr = op->atom == DW_OP_addrx || op->atom == DW_OP_GNU_addr_index;
  if (!attr || dwarf_getlocation_attr(attr, op, &value) != 0)
    return -ENOEXEC;
  ret->code = is_addr ? DW_OP_addr : DW_OP_constu;
  if (dwarf_formaddr(&value, &addr) == 0)
    ret->a = is_addr ? addr + making->bias : addr;
  else if (!is_addr && dwarf_formudata(&value, &number) == 0)
    ret->a = number;
  else
    return -ENOEXEC;
  return 0;
}

/* The nested operations come after it: `at` is where it stands. */
static int put_entry_value(struct making *making, Dwarf_Attribute *attr, const Dwarf_Op *op,
                           size_t at)
{
  Dwarf_Attribute value;
  Dwarf_Op *ops;
  size_t count;
  if (!attr || making->depth == LT_EXPRESSION_DEPTH)
    return -ENOTSUP;
  if (dwarf_getlocation_attr(attr, op, &value) != 0 || dwarf_getlocation(&value, &ops, &count) != 0)
    return -ENOEXEC;
  making->depth++;
  int error = put_ops(making, &value, ops, count);
  making->depth--;
  making->ops[at].code = DW_OP_entry_value;
  making->ops[at].a = making->count - at - 1;
  return error;
}

/* Operations with a name that stands for numbers: true if it was one. */
static bool put_short(const Dwarf_Op *op, uint64_t bias, struct lt_op *ret)
{
  uint8_t atom = op->atom;
  if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) {
    *ret = (struct lt_op){.code = DW_OP_constu, .a = atom - DW_OP_lit0};
  } else if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31) {
    *ret = (struct lt_op){.code = DW_OP_regx, .a = atom - DW_OP_reg0};
  } else if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31) {
    *ret = (struct lt_op){.code = DW_OP_bregx, .a = atom - DW_OP_breg0, .b = op->number};
  } else if ((atom >= DW_OP_const1u && atom <= DW_OP_consts) && atom != DW_OP_addr) {
    *ret = (struct lt_op){.code = DW_OP_constu, .a = op->number};
  } else if (atom == DW_OP_addr) {
    *ret = (struct lt_op){.code = DW_OP_addr, .a = op->number + bias};
  } else if (atom == DW_OP_piece) {
    *ret = (struct lt_op){.code = atom, .a = op->number > UINT32_MAX ? 0 : op->number * 8};
  } else {
    return false;
  }
  return true;
}

static int put_op(struct making *making, Dwarf_Attribute *attr, const Dwarf_Op *op,
                  struct lt_op *ret)
{
  size_t at = making->count++;
  *ret = (struct lt_op){.code = op->atom, .a = op->number, .b = op->number2};
  if (put_short(op, making->bias, ret))
    return 0;
  switch (op->atom) {
  case DW_OP_addrx:
  case DW_OP_constx:
  case DW_OP_GNU_addr_index:
  case DW_OP_GNU_const_index:
    return put_indexed(making, attr, op, ret);
  case DW_OP_implicit_value:
    return put_implicit_value(making, attr, op, ret);
  case DW_OP_implicit_pointer:
  case DW_OP_GNU_implicit_pointer:
    return put_implicit_pointer(attr, op, ret);
  case DW_OP_const_type:
  case DW_OP_GNU_const_type:
    return put_const_type(making, attr, op, ret);
  case DW_OP_convert:
  case DW_OP_GNU_convert:
    ret->code = DW_OP_convert;
    return put_type(attr, op, op->number, ret);
  case DW_OP_reinterpret:
  case DW_OP_GNU_reinterpret:
    ret->code = DW_OP_reinterpret;
    return put_type(attr, op, op->number, ret);
  case DW_OP_regval_type:
  case DW_OP_GNU_regval_type:
    ret->code = DW_OP_regval_type;
    return put_type(attr, op, op->number2, ret);
  case DW_OP_deref_type:
  case DW_OP_GNU_deref_type:
    ret->code = DW_OP_deref_type;
    return put_type(attr, op, op->number2, ret);
  case DW_OP_entry_value:
  case DW_OP_GNU_entry_value:
    return put_entry_value(making, attr, op, at);
  case DW_OP_GNU_push_tls_address:
    ret->code = DW_OP_form_tls_address;
    return 0;
  default: /* has the same meaning, or none: then its evaluation says so */
    return 0;
  }
}

/* libdw gives branches as byte distances from the end of the operation, which is 3 bytes long. */
static int resolve_branch(const Dwarf_Op *ops, size_t count, const size_t *at, size_t end,
                          const Dwarf_Op *op, struct lt_op *ret)
{
  uint64_t target = op->offset + 3 + (uint64_t)(int64_t)(int16_t)op->number;
  for (size_t i = 0; i < count; i++) {
    if (ops[i].offset == target) {
      ret->a = at[i];
      return 0;
    }
  }
  ret->a = end;
  return target > ops[count - 1].offset ? 0 : -ENOEXEC;
}

static int put_ops(struct making *making, Dwarf_Attribute *attr, const Dwarf_Op *ops, size_t count)
{
  size_t first = making->count;
  size_t at[LT_EXPRESSION_OPS]; /* index of each among those of this expression */
  for (size_t i = 0; i < count; i++) {
    if (i == LT_EXPRESSION_OPS || making->count == LT_EXPRESSION_OPS)
      return -ENOTSUP;
    at[i] = making->count - first;
    int error = put_op(making, attr, &ops[i], &making->ops[making->count]);
    if (error)
      return error;
  }
  for (size_t i = 0; i < count; i++) {
    struct lt_op *made = &making->ops[first + at[i]];
    bool is_branch = ops[i].atom == DW_OP_bra || ops[i].atom == DW_OP_skip;
    int error =
        is_branch ? resolve_branch(ops, count, at, making->count - first, &ops[i], made) : 0;
    if (error)
      return error;
  }
  return 0;
}

int lt_read_put_expression(Dwarf_Attribute *attr, const Dwarf_Op *ops, size_t count, uint64_t bias,
                           struct lt_bytes *ret)
{
  struct making making = {.bias = bias};
  int error = put_ops(&making, attr, ops, count);
  struct lt_expression expression = {.ops = making.ops,
                                     .count = making.count,
                                     .blocks = making.blocks.at,
                                     .size = making.blocks.size};
  if (!error)
    lt_expression_put(ret, &expression);
  lt_bytes_free(&making.blocks);
  return error;
}
