/* expression.c - evaluates DWARF expressions: see expression.h. */
#include "expression.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

/* An evaluation under way. */
struct machine {
  const struct lt_expression *expression;
  const struct lt_surroundings *around;
  struct lt_number stack[LT_EXPRESSION_STACK];
  unsigned depth;
  size_t next;            /* operation */
  struct lt_piece simple; /* what the operations since the last piece describe, if not an address */
  bool is_simple;
  struct lt_place *place; /* NULL: a value is wanted */
};

static int push(struct machine *machine, struct lt_number number)
{
  if (machine->depth == LT_EXPRESSION_STACK)
    return -ENOEXEC;
  machine->stack[machine->depth++] = number;
  return 0;
}

static int push_generic(struct machine *machine, uint64_t bits)
{
  return push(machine, (struct lt_number){.bits = lt_number_mask(bits, machine->around->word)});
}

static int pop(struct machine *machine, struct lt_number *ret)
{
  *ret = (struct lt_number){0};
  if (!machine->depth)
    return -ENOEXEC;
  *ret = machine->stack[--machine->depth];
  return 0;
}

/* The element so far from the top, pushed again. */
static int pick(struct machine *machine, uint64_t index)
{
  if (index >= machine->depth)
    return -ENOEXEC;
  return push(machine, machine->stack[machine->depth - 1 - index]);
}

static int rotate(struct machine *machine, unsigned count)
{
  if (machine->depth < count)
    return -ENOEXEC;
  struct lt_number *from = machine->stack + machine->depth - count, top = from[count - 1];
  memmove(from + 1, from, (count - 1) * sizeof *from);
  from[0] = top;
  return 0;
}

/* A register, truncated to `type`. */
static int push_register(struct machine *machine, uint64_t number, uint64_t offset, uint16_t type)
{
  const struct lt_surroundings *around = machine->around;
  uint64_t value = 0;
  if (number > UINT16_MAX)
    return -ENOEXEC;
  int error = around->reg ? around->reg(around->data, (unsigned)number, &value) : -ENODATA;
  if (error)
    return error;
  if (!type)
    return push_generic(machine, value + offset);
  value = lt_number_mask(value, type & 0xff);
  return push(machine, (struct lt_number){.bits = value, .type = type});
}

static int push_memory(struct machine *machine, uint64_t size, uint16_t type)
{
  const struct lt_surroundings *around = machine->around;
  struct lt_number addr;
  uint64_t value = 0;
  int error = pop(machine, &addr);
  if (!error && (!size || size > sizeof value))
    error = type ? -ENOTSUP : -ENOEXEC;
  if (!error && !around->memory)
    error = -ENODATA;
  if (!error)
    error = around->memory(around->data, addr.bits, &value, (size_t)size);
  if (error)
    return error;
  return push(machine, (struct lt_number){.bits = value, .type = type});
}

/* Something that the surroundings know by itself, and an offset from it. */
static int push_known(struct machine *machine, int (*ask)(void *data, uint64_t *ret),
                      uint64_t offset)
{
  uint64_t value = 0;
  int error = ask ? ask(machine->around->data, &value) : -ENODATA;
  return error ? error : push_generic(machine, value + offset);
}

static int push_tls(struct machine *machine)
{
  const struct lt_surroundings *around = machine->around;
  struct lt_number offset;
  uint64_t value = 0;
  int error = pop(machine, &offset);
  if (!error)
    error = around->tls ? around->tls(around->data, offset.bits, &value) : -ENODATA;
  return error ? error : push_generic(machine, value);
}

static int push_entry(struct machine *machine, const struct lt_op *op)
{
  const struct lt_surroundings *around = machine->around;
  const struct lt_expression *whole = machine->expression;
  if (op->a > whole->count - machine->next)
    return -ENOEXEC;
  struct lt_expression nested = *whole;
  nested.ops += machine->next;
  nested.count = (size_t)op->a;
  machine->next += nested.count;
  uint64_t value = 0;
  int error = around->entry ? around->entry(around->data, &nested, &value) : -ENODATA;
  return error ? error : push_generic(machine, value);
}

static int push_constant(struct machine *machine, const struct lt_op *op)
{
  const struct lt_expression *expression = machine->expression;
  struct lt_number number = {.type = op->type};
  if (op->b > expression->size || op->a > expression->size - op->b)
    return -ENOEXEC;
  if (op->b != (op->type & 0xff) || op->b > sizeof number.bits)
    return -ENOTSUP;
  memcpy(&number.bits, expression->blocks + op->a, op->b);
  return push(machine, number);
}

static int branch(struct machine *machine, const struct lt_op *op)
{
  struct lt_number condition = {.bits = 1};
  int error = op->code == DW_OP_bra ? pop(machine, &condition) : 0;
  if (!error && op->a > machine->expression->count)
    error = -ENOEXEC;
  if (!error && condition.bits)
    machine->next = (size_t)op->a;
  return error;
}

static int convert(struct machine *machine, const struct lt_op *op)
{
  struct lt_number value;
  int error = pop(machine, &value);
  if (!error)
    error = lt_number_convert(value, op->type, op->code == DW_OP_reinterpret, machine->around->word,
                              &value);
  return error ? error : push(machine, value);
}

static int calculate(struct machine *machine, const struct lt_op *op)
{
  struct lt_number left, right = {0};
  int error = 0;
  unsigned word = machine->around->word;
  if (op->code == DW_OP_plus_uconst) {
    error = pop(machine, &left);
    /* The constant has the type of what it is added to. */
    right = (struct lt_number){.bits = op->a, .type = left.type};
    if (!error)
      error = lt_number_binary(DW_OP_plus, left, right, word, &left);
    return error ? error : push(machine, left);
  }
  if (lt_number_is_binary(op->code))
    error = pop(machine, &right);
  if (!error)
    error = pop(machine, &left);
  if (!error)
    error = lt_number_is_binary(op->code) ? lt_number_binary(op->code, left, right, word, &left)
                                          : lt_number_unary(op->code, left, word, &left);
  return error ? error : push(machine, left);
}

/* The operations that describe something else than an address: it must be the last one, or the last
 * before a piece. */
static int describe(struct machine *machine, const struct lt_op *op)
{
  struct lt_piece *piece = &machine->simple;
  const struct lt_expression *expression = machine->expression;
  struct lt_number number = {0};
  if (machine->is_simple)
    return -ENOEXEC;
  machine->is_simple = true;
  *piece = (struct lt_piece){.value = op->a};
  switch (op->code) {
  case DW_OP_regx:
    piece->kind = LT_PIECE_REGISTER;
    return op->a > UINT16_MAX ? -ENOEXEC : 0;
  case DW_OP_implicit_value:
    if (op->b > expression->size || op->a > expression->size - op->b)
      return -ENOEXEC;
    piece->kind = LT_PIECE_BYTES;
    piece->bytes = expression->blocks + op->a;
    piece->size = (size_t)op->b;
    return 0;
  case DW_OP_implicit_pointer:
    piece->kind = LT_PIECE_POINTER;
    piece->size = (size_t)op->b;
    return 0;
  default: /* DW_OP_stack_value */
    piece->kind = LT_PIECE_VALUE;
    int error = pop(machine, &number);
    piece->value = number.bits;
    return error;
  }
}

/* What the operations since the last piece describe. */
static int finish_piece(struct machine *machine, struct lt_piece *ret)
{
  struct lt_number addr;
  *ret = machine->simple;
  bool is_simple = machine->is_simple;
  machine->simple = (struct lt_piece){0};
  machine->is_simple = false;
  if (is_simple)
    return 0;
  if (!machine->depth) {
    *ret = (struct lt_piece){.kind = LT_PIECE_NONE};
    return 0;
  }
  int error = pop(machine, &addr);
  *ret = (struct lt_piece){.kind = LT_PIECE_MEMORY, .value = addr.bits};
  return error;
}

static int add_piece(struct machine *machine, const struct lt_op *op)
{
  struct lt_place *place = machine->place;
  if (!place || place->count == LT_PIECES || !op->a || op->a > UINT32_MAX || op->b > UINT32_MAX)
    return -ENOEXEC;
  struct lt_piece *piece = &place->piece[place->count];
  int error = finish_piece(machine, piece);
  piece->bits = (uint32_t)op->a;
  piece->skip = (uint32_t)op->b;
  place->count++;
  return error;
}

static int stack_operation(struct machine *machine, const struct lt_op *op)
{
  struct lt_number top;
  switch (op->code) {
  case DW_OP_dup:
    return pick(machine, 0);
  case DW_OP_over:
    return pick(machine, 1);
  case DW_OP_pick:
    return pick(machine, op->a);
  case DW_OP_drop:
    return pop(machine, &top);
  case DW_OP_swap:
    return rotate(machine, 2);
  case DW_OP_rot:
    return rotate(machine, 3);
  case DW_OP_abs:
  case DW_OP_neg:
  case DW_OP_not:
  case DW_OP_plus_uconst:
    return calculate(machine, op);
  default:
    return lt_number_is_binary(op->code) ? calculate(machine, op) : -ENOTSUP;
  }
}

/* Those that ask the surroundings, or have a type. */
static int look_up(struct machine *machine, const struct lt_op *op)
{
  const struct lt_surroundings *around = machine->around;
  switch (op->code) {
  case DW_OP_bregx:
    return push_register(machine, op->a, op->b, 0);
  case DW_OP_regval_type:
    return push_register(machine, op->a, 0, op->type);
  case DW_OP_fbreg:
    return push_known(machine, around->frame_base, op->a);
  case DW_OP_call_frame_cfa:
    return push_known(machine, around->cfa, 0);
  case DW_OP_push_object_address:
    return push_known(machine, around->object, 0);
  case DW_OP_form_tls_address:
    return push_tls(machine);
  case DW_OP_entry_value:
    return push_entry(machine, op);
  case DW_OP_deref:
    return push_memory(machine, around->word, 0);
  case DW_OP_deref_size:
    return op->a > around->word ? -ENOEXEC : push_memory(machine, op->a, 0);
  case DW_OP_deref_type:
    return push_memory(machine, op->type & 0xff, op->type);
  case DW_OP_convert:
  case DW_OP_reinterpret:
    return convert(machine, op);
  case DW_OP_const_type:
    return push_constant(machine, op);
  default:
    return stack_operation(machine, op);
  }
}

static int step(struct machine *machine, const struct lt_op *op)
{
  switch (op->code) {
  case DW_OP_addr:
    return push_generic(machine, op->a + machine->around->bias);
  case DW_OP_constu:
    return push_generic(machine, op->a);
  case DW_OP_nop:
    return 0;
  case DW_OP_bra:
  case DW_OP_skip:
    return branch(machine, op);
  case DW_OP_regx:
  case DW_OP_stack_value:
  case DW_OP_implicit_value:
  case DW_OP_implicit_pointer:
    return describe(machine, op);
  case DW_OP_piece:
  case DW_OP_bit_piece:
    return add_piece(machine, op);
  default:
    return look_up(machine, op);
  }
}

static int run(struct machine *machine)
{
  const struct lt_expression *expression = machine->expression;
  unsigned word = machine->around->word;
  if ((word != 4 && word != 8) || expression->count > LT_EXPRESSION_OPS)
    return -ENOEXEC;
  for (unsigned steps = 0; machine->next < expression->count; steps++) {
    const struct lt_op *op = &expression->ops[machine->next++];
    bool ends = op->code == DW_OP_piece || op->code == DW_OP_bit_piece || op->code == DW_OP_nop;
    if (steps == LT_EXPRESSION_STEPS || (machine->is_simple && !ends))
      return -ENOEXEC;
    int error = step(machine, op);
    if (error)
      return error;
  }
  return 0;
}

int lt_expression_value(const struct lt_expression *expression,
                        const struct lt_surroundings *around, uint64_t *ret)
{
  struct machine machine = {.expression = expression, .around = around};
  struct lt_number top;
  *ret = 0;
  int error = run(&machine);
  if (error)
    return error;
  if (machine.is_simple && machine.simple.kind == LT_PIECE_VALUE) {
    *ret = machine.simple.value;
    return 0;
  }
  /* A register as a value, as entry values have it. */
  if (machine.is_simple && machine.simple.kind == LT_PIECE_REGISTER && around->reg)
    return around->reg(around->data, (unsigned)machine.simple.value, ret);
  if (machine.is_simple)
    return -ENODATA;
  error = pop(&machine, &top);
  *ret = top.bits;
  return error;
}

int lt_expression_place(const struct lt_expression *expression,
                        const struct lt_surroundings *around, struct lt_place *ret)
{
  struct machine machine = {.expression = expression, .around = around, .place = ret};
  ret->count = 0;
  int error = run(&machine);
  if (error)
    return error;
  if (ret->count) /* something after the last piece says nothing */
    return machine.is_simple ? -ENOEXEC : 0;
  ret->count = 1;
  return finish_piece(&machine, &ret->piece[0]);
}
