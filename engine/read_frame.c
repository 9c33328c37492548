/* read_frame.c - in the reader process: the rules by which a caller's registers are found.
 *
 * Question: u64 address (of the file), u32 number of registers that are wanted.
 * Answer: u64 from, u64 to (where the rules hold), u8 flags (1: a signal handler's trampoline),
 * u8 number of the return address, then the rule of the CFA and those of the registers. A rule is
 * u8 kind (enum lt_rule_kind), u8 register, u64 offset, and for the kinds that have one, an
 * expression. */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "frames.h"
#include "read.h"
#include "read_expression.h"

#define STEPS_MAX 64 /* rows that are looked at to find where one begins */

static int put_rule(struct lt_bytes *ret, enum lt_rule_kind kind, uint8_t number, int64_t offset)
{
  lt_put_u8(ret, (uint8_t)kind);
  lt_put_u8(ret, number);
  lt_put_u64(ret, (uint64_t)offset);
  return 0;
}

static int put_expression(struct lt_bytes *ret, enum lt_rule_kind kind, const Dwarf_Op *ops,
                          size_t count, uint64_t bias)
{
  put_rule(ret, kind, 0, 0);
  return lt_read_put_expression(NULL, ops, count, bias, ret);
}

/* breg or bregx: a register and an offset. */
static bool is_register_offset(const Dwarf_Op *op, uint64_t *number, int64_t *offset)
{
  bool is_long = op->atom == DW_OP_bregx;
  if (!is_long && (op->atom < DW_OP_breg0 || op->atom > DW_OP_breg31))
    return false;
  *number = is_long ? op->number : (uint64_t)(op->atom - DW_OP_breg0);
  *offset = (int64_t)(is_long ? op->number2 : op->number);
  return *number < LT_FRAME_REGS;
}

static int put_cfa(struct lt_bytes *ret, Dwarf_Frame *frame, uint64_t bias)
{
  Dwarf_Op *ops;
  size_t count;
  uint64_t number;
  int64_t offset;
  if (dwarf_frame_cfa(frame, &ops, &count) != 0)
    return -ENOEXEC;
  if (!count)
    return put_rule(ret, LT_RULE_UNKNOWN, 0, 0);
  if (count == 1 && is_register_offset(&ops[0], &number, &offset))
    return put_rule(ret, LT_RULE_OFFSET, (uint8_t)number, offset);
  return put_expression(ret, LT_RULE_IS_EXPRESSION, ops, count, bias);
}

/* libdw describes all rules by operations: those for CFA + n, in memory or as the value itself, are
 * told from longer ones. */
static int put_operations(struct lt_bytes *ret, const Dwarf_Op *ops, size_t count, uint64_t bias)
{
  bool is_value = ops[count - 1].atom == DW_OP_stack_value;
  size_t rest = count - is_value;
  if (count == 1 && ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31)
    return put_rule(ret, LT_RULE_REGISTER, (uint8_t)(ops[0].atom - DW_OP_reg0), 0);
  if (count == 1 && ops[0].atom == DW_OP_regx && ops[0].number <= UINT8_MAX)
    return put_rule(ret, LT_RULE_REGISTER, (uint8_t)ops[0].number, 0);
  bool is_cfa = rest >= 1 && rest <= 2 && ops[0].atom == DW_OP_call_frame_cfa;
  if (is_cfa && (rest == 1 || ops[1].atom == DW_OP_plus_uconst))
    return put_rule(ret, is_value ? LT_RULE_OFFSET : LT_RULE_SAVED, 0,
                    rest == 2 ? (int64_t)ops[1].number : 0);
  return put_expression(ret, is_value ? LT_RULE_IS_EXPRESSION : LT_RULE_SAVED_AT, ops, count, bias);
}

static int put_register(struct lt_bytes *ret, Dwarf_Frame *frame, unsigned number, uint64_t bias)
{
  Dwarf_Op room[3], *ops;
  size_t count;
  if (dwarf_frame_register(frame, (int)number, room, &ops, &count) != 0)
    return -ENOEXEC;
  if (count)
    return put_operations(ret, ops, count, bias);
  return put_rule(ret, ops ? LT_RULE_UNKNOWN : LT_RULE_SAME, 0, 0);
}

/* The first address from which these rules hold up to `to`. Where libdw says that they begin is too
 * early after DW_CFA_restore_state: other rules may be in between. */
static Dwarf_Addr begin_of(Dwarf_CFI *cfi, Dwarf_Addr from, Dwarf_Addr addr, Dwarf_Addr to)
{
  for (int i = 0; i < STEPS_MAX && from < addr; i++) {
    Dwarf_Frame *frame = NULL;
    Dwarf_Addr other, end = 0;
    bool is_signal;
    if (dwarf_cfi_addrframe(cfi, from, &frame) != 0)
      return addr;
    int pc = dwarf_frame_info(frame, &other, &end, &is_signal);
    free(frame);
    if (pc >= 0 && end == to)
      return from;
    if (pc < 0 || end <= from || end > addr)
      return addr;
    from = end;
  }
  return addr;
}

static int put_frame(struct lt_bytes *ret, Dwarf_CFI *cfi, Dwarf_Frame *frame, Dwarf_Addr addr,
                     unsigned registers, uint64_t bias)
{
  Dwarf_Addr from, to;
  bool is_signal;
  int pc = dwarf_frame_info(frame, &from, &to, &is_signal);
  if (pc < 0 || (unsigned)pc >= registers)
    return -ENOEXEC;
  from = begin_of(cfi, from, addr, to);
  lt_put_u64(ret, from + bias);
  lt_put_u64(ret, to + bias);
  lt_put_u8(ret, is_signal);
  lt_put_u8(ret, (uint8_t)pc);
  int error = put_cfa(ret, frame, bias);
  for (unsigned i = 0; !error && i < registers; i++)
    error = put_register(ret, frame, i, bias);
  return error ? error : ret->failed ? -ENOMEM : 0;
}

int lt_read_frame(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  uint64_t addr = lt_get_u64(question);
  unsigned registers = lt_get_u32(question);
  if (question->failed || !registers || registers > LT_FRAME_REGS)
    return -EINVAL;
  for (int i = 0; i < 2; i++) {
    Dwarf_Addr bias = 0;
    Dwarf_Frame *frame = NULL;
    Dwarf_CFI *cfi = i == 0 ? dwfl_module_eh_cfi(file->module, &bias)
                            : dwfl_module_dwarf_cfi(file->module, &bias);
    if (!cfi || dwarf_cfi_addrframe(cfi, addr - bias, &frame) != 0)
      continue;
    int error = put_frame(ret, cfi, frame, addr - bias, registers, bias);
    free(frame);
    return error;
  }
  return -ENOENT;
}
