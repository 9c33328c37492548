/* expression.h - DWARF expressions: where a variable is, where a caller's register was saved.
 *
 * The reader process turns what libdw has parsed into a list of operations (read_expression.c); the
 * tracer evaluates them with the registers and memory of a stopped thread (expression.c). They come
 * from the tracee's files: the number of operations, of steps, the depth of the stack and of nesting
 * are bounded, and each index is checked when it is used. */
#ifndef LT_EXPRESSION_H
#define LT_EXPRESSION_H

#include "bytes.h"

#define LT_EXPRESSION_OPS 1024    /* operations of one expression, nested ones included */
#define LT_EXPRESSION_BLOCKS 4096 /* bytes of its constants */
#define LT_EXPRESSION_STACK 64
#define LT_EXPRESSION_STEPS 4096
#define LT_EXPRESSION_DEPTH 4 /* of entry values in entry values */
#define LT_PIECES 64

/* One operation. `code` is DW_OP_*, with operands made plain:
 *   addr, addrx         `a`: address of the file (only DW_OP_addr is left of the two)
 *   constants           `a`, sign-extended
 *   lit*, reg*, breg*   as DW_OP_constu, DW_OP_regx, DW_OP_bregx: `a` number, `b` signed offset
 *   bra, skip           `a`: index of the operation to go on with; the number of operations: end
 *   piece, bit_piece    `a`: bits, `b`: bits that are left out before
 *   implicit_value      `a`: where in `blocks`, `b`: bytes
 *   const_type          the same, `type`
 *   entry_value         `a`: so many of the operations that follow are the nested expression
 *   implicit_pointer    `a`: offset of the DIE pointed to in its section, `b`: bytes into it
 *   convert, reinterpret, regval_type (`a`: register), deref_type: `type`; 0 is the generic type
 *   deref_size          `a`: bytes
 * Those of GNU that became standard have their standard codes. */
struct lt_op {
  uint8_t code;
  uint16_t type; /* of a base type: DW_ATE_* << 8 | bytes */
  uint64_t a, b;
};

struct lt_expression {
  const struct lt_op *ops;
  size_t count;
  const uint8_t *blocks;
  size_t size;
};

/* Take an expression from a message. The caller frees it. Errors: -ENOEXEC (malformed), -ENOMEM. */
int lt_expression_get(struct lt_bytes_in *from, struct lt_expression *ret);
void lt_expression_free(struct lt_expression *expression);
void lt_expression_put(struct lt_bytes *to, const struct lt_expression *expression);

/* What the evaluation may ask. Each returns 0 or a negated errno, which ends the evaluation and is
 * its result: -ENODATA says that it is not known here (a register that was not saved). A NULL
 * pointer is the same as one that says -ENODATA. */
struct lt_surroundings {
  void *data;
  unsigned word; /* bytes of an address: 4 or 8 */
  uint64_t bias; /* from addresses of the file to those of the process */
  int (*reg)(void *data, unsigned number, uint64_t *ret); /* by its DWARF number */
  int (*memory)(void *data, uint64_t addr, void *ret, size_t size);
  int (*cfa)(void *data, uint64_t *ret);        /* the canonical frame address */
  int (*frame_base)(void *data, uint64_t *ret); /* of the function, for DW_OP_fbreg */
  int (*tls)(void *data, uint64_t offset, uint64_t *ret);
  int (*object)(void *data, uint64_t *ret); /* DW_OP_push_object_address */
  /* What the nested expression gave when the function was entered. Most are one DW_OP_regx. */
  int (*entry)(void *data, const struct lt_expression *nested, uint64_t *ret);
};

enum lt_piece_kind {
  LT_PIECE_NONE,     /* optimised out */
  LT_PIECE_MEMORY,   /* at `value` */
  LT_PIECE_REGISTER, /* in the register with DWARF number `value` */
  LT_PIECE_VALUE,    /* it is `value`; there is no place to write to */
  LT_PIECE_BYTES,    /* it is `bytes` */
  LT_PIECE_POINTER,  /* it points to what the DIE at `value` describes, and `size` bytes into it */
};

struct lt_piece {
  uint8_t kind;
  uint32_t bits; /* of the object that this piece holds; 0: all of it */
  uint32_t skip; /* bits left out at the start of the place (of a register: at its low end) */
  uint64_t value;
  const uint8_t *bytes; /* belongs to the expression */
  size_t size;
};

/* Where an object is, from its lowest address on. One piece with `bits` 0 where it is whole. */
struct lt_place {
  unsigned count;
  struct lt_piece piece[LT_PIECES];
};

/* The address or number that the expression leaves. Errors: those of the surroundings, -ENOEXEC
 * (malformed, or no end), -ENOTSUP (an operation that is not known). */
int lt_expression_value(const struct lt_expression *expression,
                        const struct lt_surroundings *around, uint64_t *ret);
/* The place that it describes. An empty expression is an object that was optimised out. */
int lt_expression_place(const struct lt_expression *expression,
                        const struct lt_surroundings *around, struct lt_place *ret);

/* expression_math.c: a number on the stack. The generic type (0) is an integer as wide as an address
 * whose sign depends on what is done to it. */
struct lt_number {
  uint64_t bits; /* those above the type's size are 0 */
  uint16_t type;
};

/* One with one or two operands, of any arithmetic, logical or relational DW_OP_*. */
int lt_number_unary(uint8_t code, struct lt_number value, unsigned word, struct lt_number *ret);
int lt_number_binary(uint8_t code, struct lt_number left, struct lt_number right, unsigned word,
                     struct lt_number *ret);
bool lt_number_is_binary(uint8_t code);
/* The same value, or (`reinterpret`) the same bits, as another type. */
int lt_number_convert(struct lt_number value, uint16_t type, bool reinterpret, unsigned word,
                      struct lt_number *ret);
/* So many low bits of a generic value. */
uint64_t lt_number_mask(uint64_t bits, unsigned size);

#endif
