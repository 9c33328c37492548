/* frames.h - how to get from a function's registers to those of its caller: rules that hold for a
 * range of addresses of a file. read_frame.c finds them, frames.c keeps them, unwind.c applies them. */
#ifndef LT_FRAMES_H
#define LT_FRAMES_H

#include "expression.h"

/* DWARF's numbers of the registers that are unwound are below this: those of the ABI with the most,
 * and the return address. */
#define LT_FRAME_REGS 17

enum lt_rule_kind {
  LT_RULE_UNKNOWN,       /* the caller's value is lost */
  LT_RULE_SAME,          /* the function has not changed it */
  LT_RULE_SAVED,         /* in memory at CFA + offset */
  LT_RULE_OFFSET,        /* it is CFA + offset; of the CFA: register + offset */
  LT_RULE_REGISTER,      /* in that register */
  LT_RULE_SAVED_AT,      /* in memory where the expression says */
  LT_RULE_IS_EXPRESSION, /* it is what the expression says */
  LT_RULE_COUNT
};

struct lt_rule {
  uint8_t kind;   /* enum lt_rule_kind */
  uint8_t number; /* REGISTER; of the CFA's OFFSET */
  int64_t offset;
  struct lt_expression expression; /* SAVED_AT, IS_EXPRESSION */
};

/* What holds at each instruction in [from, to), addresses of the file. */
struct lt_frame_row {
  uint64_t from, to;
  bool known;         /* false: the file says nothing about this address */
  bool is_signal;     /* the caller was not calling: a signal interrupted it */
  uint8_t pc;         /* number of the return address, below LT_FRAME_REGS */
  struct lt_rule cfa; /* OFFSET or IS_EXPRESSION */
  struct lt_rule rule[LT_FRAME_REGS];
};

/* As a message: what read_frame.c answers. -ENOEXEC: malformed, or not about `addr`. */
int lt_frame_row_get(struct lt_bytes_in *from, uint64_t addr, struct lt_frame_row **ret);
void lt_frame_row_free(struct lt_frame_row *row);

#endif
