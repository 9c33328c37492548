/* expression_math.c - arithmetic of DWARF expressions: see expression.h. */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "expression.h"

enum sort { SORT_GENERIC, SORT_SIGNED, SORT_UNSIGNED, SORT_FLOAT };

static unsigned size_of(uint16_t type, unsigned word)
{
  return type ? type & 0xff : word;
}

/* What the type is to arithmetic; -ENOTSUP for one that it does not know. */
static int sort_of(uint16_t type)
{
  unsigned size = type & 0xff;
  if (!type)
    return SORT_GENERIC;
  if (!size || size > 8)
    return -ENOTSUP;
  switch (type >> 8) {
  case DW_ATE_signed:
  case DW_ATE_signed_char:
    return SORT_SIGNED;
  case DW_ATE_unsigned:
  case DW_ATE_unsigned_char:
  case DW_ATE_boolean:
  case DW_ATE_address:
  case DW_ATE_UTF:
    return SORT_UNSIGNED;
  case DW_ATE_float:
    return size == 4 || size == 8 ? SORT_FLOAT : -ENOTSUP;
  default:
    return -ENOTSUP;
  }
}

uint64_t lt_number_mask(uint64_t bits, unsigned size)
{
  return size >= 8 ? bits : bits & ((UINT64_C(1) << size * 8) - 1);
}

static int64_t as_signed(uint64_t bits, unsigned size)
{
  unsigned shift = size >= 8 ? 0 : 64 - size * 8;
  return (int64_t)(bits << shift) >> shift;
}

static double as_double(uint64_t bits, unsigned size)
{
  float single;
  double number;
  uint32_t low = (uint32_t)bits;
  memcpy(&single, &low, sizeof single);
  memcpy(&number, &bits, sizeof number);
  return size == 4 ? (double)single : number;
}

static uint64_t of_double(double number, unsigned size)
{
  float single = (float)number;
  uint32_t low;
  uint64_t bits;
  memcpy(&low, &single, sizeof low);
  memcpy(&bits, &number, sizeof bits);
  return size == 4 ? low : bits;
}

/* A number of a file can be anything: what does not fit an integer is 0, as C leaves it open. */
static uint64_t integer_of(double number, bool is_signed)
{
  if (is_signed || number < 0)
    return number >= -9.2e18 && number <= 9.2e18 ? (uint64_t)(int64_t)number : 0;
  return number <= 1.8e19 ? (uint64_t)number : 0;
}

int lt_number_convert(struct lt_number value, uint16_t type, bool reinterpret, unsigned word,
                      struct lt_number *ret)
{
  int from = sort_of(value.type), to = sort_of(type);
  unsigned from_size = size_of(value.type, word), size = size_of(type, word);
  if (from < 0 || to < 0)
    return -ENOTSUP;
  uint64_t bits = value.bits;
  if (reinterpret && size != from_size)
    return -ENOEXEC;
  if (!reinterpret && from == SORT_FLOAT)
    bits = to == SORT_FLOAT ? of_double(as_double(bits, from_size), size)
                            : integer_of(as_double(bits, from_size), to != SORT_UNSIGNED);
  else if (!reinterpret && to == SORT_FLOAT && from == SORT_SIGNED)
    bits = of_double((double)as_signed(bits, from_size), size);
  else if (!reinterpret && to == SORT_FLOAT)
    bits = of_double((double)bits, size);
  else if (!reinterpret && from == SORT_SIGNED)
    bits = (uint64_t)as_signed(bits, from_size);
  *ret = (struct lt_number){.bits = lt_number_mask(bits, size), .type = type};
  return 0;
}

int lt_number_unary(uint8_t code, struct lt_number value, unsigned word, struct lt_number *ret)
{
  int sort = sort_of(value.type);
  unsigned size = size_of(value.type, word);
  if (sort < 0)
    return sort;
  double number = sort == SORT_FLOAT ? as_double(value.bits, size) : 0;
  *ret = value;
  switch (code) {
  case DW_OP_abs:
    if (sort == SORT_FLOAT)
      ret->bits = of_double(number < 0 ? -number : number, size);
    else if (sort != SORT_UNSIGNED && as_signed(value.bits, size) < 0)
      ret->bits = lt_number_mask(-value.bits, size);
    return 0;
  case DW_OP_neg:
    ret->bits = sort == SORT_FLOAT ? of_double(-number, size) : lt_number_mask(-value.bits, size);
    return 0;
  case DW_OP_not:
    ret->bits = lt_number_mask(~value.bits, size);
    return sort == SORT_FLOAT ? -ENOEXEC : 0;
  default:
    return -ENOTSUP;
  }
}

bool lt_number_is_binary(uint8_t code)
{
  switch (code) {
  case DW_OP_and:
  case DW_OP_div:
  case DW_OP_minus:
  case DW_OP_mod:
  case DW_OP_mul:
  case DW_OP_or:
  case DW_OP_plus:
  case DW_OP_shl:
  case DW_OP_shr:
  case DW_OP_shra:
  case DW_OP_xor:
  case DW_OP_eq:
  case DW_OP_ge:
  case DW_OP_gt:
  case DW_OP_le:
  case DW_OP_lt:
  case DW_OP_ne:
    return true;
  default:
    return false;
  }
}

/* -1, 0 or 1 for less, equal, greater; 2 where there is no order (not a number). */
static int compare(uint64_t left, uint64_t right, int sort, unsigned size)
{
  if (sort == SORT_FLOAT) {
    double a = as_double(left, size), b = as_double(right, size);
    return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
  }
  if (sort == SORT_UNSIGNED)
    return left < right ? -1 : left > right;
  int64_t a = as_signed(left, size), b = as_signed(right, size);
  return a < b ? -1 : a > b;
}

/* 1 or 0; -1 where the operation is no comparison. */
static int relate(uint8_t code, int order)
{
  switch (code) {
  case DW_OP_eq:
    return order == 0;
  case DW_OP_ne:
    return order != 0;
  case DW_OP_lt:
    return order == -1;
  case DW_OP_le:
    return order == -1 || order == 0;
  case DW_OP_gt:
    return order == 1;
  case DW_OP_ge:
    return order == 1 || order == 0;
  default:
    return -1;
  }
}

static int of_floats(uint8_t code, double left, double right, double *ret)
{
  switch (code) {
  case DW_OP_plus:
    *ret = left + right;
    return 0;
  case DW_OP_minus:
    *ret = left - right;
    return 0;
  case DW_OP_mul:
    *ret = left * right;
    return 0;
  case DW_OP_div:
    *ret = right != 0 ? left / right : 0;
    return right != 0 ? 0 : -ENOEXEC;
  default:
    return -ENOEXEC;
  }
}

static int divide(uint64_t left, uint64_t right, int sort, unsigned size, uint64_t *ret)
{
  if (!right)
    return -ENOEXEC;
  if (sort == SORT_UNSIGNED) {
    *ret = left / right;
    return 0;
  }
  int64_t a = as_signed(left, size), b = as_signed(right, size);
  *ret = b == -1 ? -(uint64_t)a : (uint64_t)(a / b); /* INT64_MIN / -1 would trap */
  return 0;
}

/* Generic operands have no sign here, as the standard says. */
static int modulo(uint64_t left, uint64_t right, int sort, unsigned size, uint64_t *ret)
{
  if (!right)
    return -ENOEXEC;
  if (sort != SORT_SIGNED) {
    *ret = left % right;
    return 0;
  }
  int64_t a = as_signed(left, size), b = as_signed(right, size);
  *ret = b == -1 ? 0 : (uint64_t)(a % b);
  return 0;
}

static uint64_t shift(uint8_t code, uint64_t left, uint64_t right, unsigned size)
{
  unsigned count = right < 64 ? (unsigned)right : 64;
  if (code == DW_OP_shra)
    return (uint64_t)(as_signed(left, size) >> (count < 63 ? count : 63));
  if (count == 64)
    return 0;
  return code == DW_OP_shl ? left << count : left >> count;
}

static int of_integers(uint8_t code, uint64_t left, uint64_t right, int sort, unsigned size,
                       uint64_t *ret)
{
  switch (code) {
  case DW_OP_and:
    *ret = left & right;
    return 0;
  case DW_OP_or:
    *ret = left | right;
    return 0;
  case DW_OP_xor:
    *ret = left ^ right;
    return 0;
  case DW_OP_plus:
    *ret = left + right;
    return 0;
  case DW_OP_minus:
    *ret = left - right;
    return 0;
  case DW_OP_mul:
    *ret = left * right;
    return 0;
  case DW_OP_div:
    return divide(left, right, sort, size, ret);
  case DW_OP_mod:
    return modulo(left, right, sort, size, ret);
  case DW_OP_shl:
  case DW_OP_shr:
  case DW_OP_shra:
    *ret = shift(code, left, right, size);
    return 0;
  default:
    return -ENOTSUP;
  }
}

static bool is_shift(uint8_t code)
{
  return code == DW_OP_shl || code == DW_OP_shr || code == DW_OP_shra;
}

int lt_number_binary(uint8_t code, struct lt_number left, struct lt_number right, unsigned word,
                     struct lt_number *ret)
{
  int sort = sort_of(left.type), error = 0;
  unsigned size = size_of(left.type, word);
  if (sort < 0)
    return sort;
  if (left.type != right.type && !is_shift(code))
    return -ENOEXEC;
  int truth = relate(code, compare(left.bits, right.bits, sort, size));
  if (truth >= 0) {
    *ret = (struct lt_number){.bits = (uint64_t)truth};
    return 0;
  }
  uint64_t bits = 0;
  if (sort == SORT_FLOAT) {
    double number = 0;
    error = of_floats(code, as_double(left.bits, size), as_double(right.bits, size), &number);
    bits = of_double(number, size);
  } else {
    error = of_integers(code, left.bits, right.bits, sort, size, &bits);
  }
  *ret = (struct lt_number){.bits = lt_number_mask(bits, size), .type = left.type};
  return error;
}
