/* DWARF expressions, evaluated with surroundings made for the test. */
#include <dwarf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "expression.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define VALUE(ret, ...) \
  value((const struct lt_op[]){__VA_ARGS__}, COUNT(((const struct lt_op[]){__VA_ARGS__})), ret)
#define PLACE(ret, ...) \
  place((const struct lt_op[]){__VA_ARGS__}, COUNT(((const struct lt_op[]){__VA_ARGS__})), ret)
#define OP(name, ...)                 \
  {                                   \
    .code = DW_OP_##name, __VA_ARGS__ \
  }

static int reg(void *data, unsigned number, uint64_t *ret)
{
  (void)data;
  *ret = 1000 + number;
  return number == 99 ? -ENODATA : 0;
}

static int memory(void *data, uint64_t addr, void *ret, size_t size)
{
  (void)data;
  if (addr == 13)
    return -EFAULT;
  for (size_t i = 0; i < size; i++)
    ((uint8_t *)ret)[i] = (uint8_t)(addr + i);
  return 0;
}

static int cfa(void *data, uint64_t *ret)
{
  (void)data;
  *ret = 0x7000;
  return 0;
}

static int entry(void *data, const struct lt_expression *nested, uint64_t *ret)
{
  (void)data;
  *ret = nested->count == 1 ? nested->ops[0].a * 10 : 0;
  return 0;
}

static struct lt_surroundings around = {.word = 8,
                                        .bias = 0x10000,
                                        .reg = reg,
                                        .memory = memory,
                                        .cfa = cfa,
                                        .frame_base = cfa,
                                        .entry = entry};

static const uint8_t blocks[] = {1, 2, 3, 4, 0, 0, 0x20, 0x41, 5, 6, 7, 8};

static int value(const struct lt_op *ops, size_t count, uint64_t *ret)
{
  struct lt_expression expression = {ops, count, blocks, sizeof blocks};
  return lt_expression_value(&expression, &around, ret);
}

static int place(const struct lt_op *ops, size_t count, struct lt_place *ret)
{
  struct lt_expression expression = {ops, count, blocks, sizeof blocks};
  return lt_expression_place(&expression, &around, ret);
}

static void test_values(void **state)
{
  (void)state;
  uint64_t ret;
  assert_int_equal(VALUE(&ret, OP(constu, .a = 5), OP(constu, .a = 7), OP(minus)), 0);
  assert_int_equal(ret, (uint64_t)-2);
  assert_int_equal(VALUE(&ret, OP(bregx, .a = 6, .b = (uint64_t)-16)), 0);
  assert_int_equal(ret, 1006 - 16);
  assert_int_equal(VALUE(&ret, OP(call_frame_cfa), OP(plus_uconst, .a = 8)), 0);
  assert_int_equal(ret, 0x7008);
  assert_int_equal(VALUE(&ret, OP(addr, .a = 0x40)), 0);
  assert_int_equal(ret, 0x10040);
  assert_int_equal(VALUE(&ret, OP(constu, .a = 0x10), OP(deref_size, .a = 2)), 0);
  assert_int_equal(ret, 0x1110);
  assert_int_equal(VALUE(&ret, OP(constu, .a = 13), OP(deref)), -EFAULT);
  assert_int_equal(VALUE(&ret, OP(bregx, .a = 99)), -ENODATA);
  assert_int_equal(VALUE(&ret, OP(form_tls_address)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(constu), OP(form_tls_address)), -ENODATA);
  assert_int_equal(VALUE(&ret, OP(entry_value, .a = 1), OP(regx, .a = 5), OP(stack_value)), 0);
  assert_int_equal(ret, 50);
}

static void test_stack(void **state)
{
  (void)state;
  uint64_t ret;
  assert_int_equal(VALUE(&ret, OP(constu, .a = 1), OP(constu, .a = 2), OP(constu, .a = 3), OP(rot),
                         OP(constu, .a = 10), OP(mul), OP(plus), OP(plus)),
                   0);
  assert_int_equal(ret, 20 + 1 + 3); /* 3 1 2: the top goes below the two others */
  assert_int_equal(VALUE(&ret, OP(constu, .a = 9), OP(constu, .a = 4), OP(swap), OP(minus)), 0);
  assert_int_equal(ret, (uint64_t)-5);
  assert_int_equal(VALUE(&ret, OP(constu, .a = 9), OP(constu, .a = 4), OP(pick, .a = 1)), 0);
  assert_int_equal(ret, 9);
  assert_int_equal(VALUE(&ret, OP(pick, .a = UINT64_MAX)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(plus)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(drop)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(nop)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(call4)), -ENOTSUP);
}

static void test_signs(void **state)
{
  (void)state;
  uint64_t ret;
  uint64_t minus_7 = (uint64_t)-7;
  assert_int_equal(VALUE(&ret, OP(constu, .a = minus_7), OP(constu, .a = 2), OP(div)), 0);
  assert_int_equal(ret, (uint64_t)-3);
  assert_int_equal(VALUE(&ret, OP(constu, .a = minus_7), OP(constu, .a = 0), OP(div)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(constu, .a = 7), OP(constu, .a = 0), OP(mod)), -ENOEXEC);
  assert_int_equal(
      VALUE(&ret, OP(constu, .a = UINT64_C(1) << 63), OP(constu, .a = UINT64_MAX), OP(div)), 0);
  assert_int_equal(ret, UINT64_C(1) << 63);
  assert_int_equal(VALUE(&ret, OP(constu, .a = minus_7), OP(constu, .a = 1), OP(lt)), 0);
  assert_int_equal(ret, 1);
  assert_int_equal(VALUE(&ret, OP(constu, .a = minus_7), OP(constu, .a = 99), OP(shra)), 0);
  assert_int_equal(ret, UINT64_MAX);
  assert_int_equal(VALUE(&ret, OP(constu, .a = minus_7), OP(constu, .a = 64), OP(shr)), 0);
  assert_int_equal(ret, 0);
  around.word = 4;
  assert_int_equal(VALUE(&ret, OP(constu, .a = minus_7), OP(neg), OP(neg)), 0);
  assert_int_equal(ret, UINT32_MAX - 6);
  around.word = 8;
}

static void test_types(void **state)
{
  (void)state;
  uint64_t ret;
  enum { INT8 = DW_ATE_signed << 8 | 1, UINT16 = DW_ATE_unsigned << 8 | 2 };
  enum { SINGLE = DW_ATE_float << 8 | 4, DOUBLE = DW_ATE_float << 8 | 8 };
  assert_int_equal(
      VALUE(&ret, OP(constu, .a = 0x1ff), OP(convert, .type = INT8), OP(convert, .type = 0)), 0);
  assert_int_equal(ret, UINT64_MAX);
  /* 10.0 as a float, twice, as an integer. */
  assert_int_equal(VALUE(&ret, OP(const_type, .type = SINGLE, .a = 4, .b = 4), OP(dup), OP(plus),
                         OP(convert, .type = UINT16), OP(convert)),
                   0);
  assert_int_equal(ret, 20);
  assert_int_equal(
      VALUE(&ret, OP(constu, .a = 3), OP(convert, .type = DOUBLE), OP(neg), OP(convert)), 0);
  assert_int_equal(ret, (uint64_t)-3);
  assert_int_equal(
      VALUE(&ret, OP(constu, .a = 3), OP(convert, .type = INT8), OP(constu, .a = 1), OP(plus)),
      -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(const_type, .type = DOUBLE, .a = 8, .b = 8)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(const_type, .type = INT8, .a = UINT64_MAX, .b = 1)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(constu), OP(convert, .type = DW_ATE_signed << 8 | 16)), -ENOTSUP);
  assert_int_equal(VALUE(&ret, OP(constu, .a = 1), OP(reinterpret, .type = INT8)), -ENOEXEC);
}

static void test_branches(void **state)
{
  (void)state;
  uint64_t ret;
  /* 5 + 4 + ... + 1 */
  assert_int_equal(VALUE(&ret, OP(constu, .a = 0), OP(constu, .a = 5), OP(dup), OP(rot), OP(plus),
                         OP(swap), OP(constu, .a = 1), OP(minus), OP(dup), OP(bra, .a = 2),
                         OP(drop)),
                   0);
  assert_int_equal(ret, 15);
  assert_int_equal(VALUE(&ret, OP(constu, .a = 1), OP(skip, .a = 3), OP(drop)), 0);
  assert_int_equal(ret, 1);
  assert_int_equal(VALUE(&ret, OP(skip, .a = 0)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(constu), OP(skip, .a = 0)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(skip, .a = 2)), -ENOEXEC);
  assert_int_equal(VALUE(&ret, OP(entry_value, .a = 1)), -ENOEXEC);
}

static void test_places(void **state)
{
  (void)state;
  struct lt_place ret;
  assert_int_equal(PLACE(&ret, OP(fbreg, .a = (uint64_t)-20)), 0);
  assert_int_equal(ret.count, 1);
  assert_int_equal(ret.piece[0].kind, LT_PIECE_MEMORY);
  assert_int_equal(ret.piece[0].value, 0x7000 - 20);
  assert_int_equal(PLACE(&ret, OP(regx, .a = 3)), 0);
  assert_int_equal(ret.piece[0].kind, LT_PIECE_REGISTER);
  assert_int_equal(ret.piece[0].value, 3);
  assert_int_equal(PLACE(&ret, OP(constu, .a = 77), OP(stack_value)), 0);
  assert_int_equal(ret.piece[0].kind, LT_PIECE_VALUE);
  assert_int_equal(ret.piece[0].value, 77);
  assert_int_equal(PLACE(&ret, OP(implicit_value, .a = 1, .b = 3)), 0);
  assert_int_equal(ret.piece[0].kind, LT_PIECE_BYTES);
  assert_memory_equal(ret.piece[0].bytes, "\2\3\4", 3);
  assert_int_equal(PLACE(&ret, OP(implicit_value, .a = 10, .b = 3)), -ENOEXEC);
  assert_int_equal(PLACE(&ret, OP(implicit_pointer, .a = 0x55, .b = 4)), 0);
  assert_int_equal(ret.piece[0].kind, LT_PIECE_POINTER);
  assert_int_equal(PLACE(&ret, OP(regx, .a = 3), OP(constu)), -ENOEXEC);
  struct lt_expression empty = {0};
  assert_int_equal(lt_expression_place(&empty, &around, &ret), 0);
  assert_int_equal(ret.piece[0].kind, LT_PIECE_NONE);
}

static void test_pieces(void **state)
{
  (void)state;
  struct lt_place ret;
  assert_int_equal(PLACE(&ret, OP(regx, .a = 3), OP(piece, .a = 64), OP(piece, .a = 32),
                         OP(fbreg, .a = 8), OP(bit_piece, .a = 5, .b = 2), OP(constu, .a = 1),
                         OP(stack_value), OP(piece, .a = 8)),
                   0);
  assert_int_equal(ret.count, 4);
  assert_int_equal(ret.piece[0].kind, LT_PIECE_REGISTER);
  assert_int_equal(ret.piece[0].bits, 64);
  assert_int_equal(ret.piece[1].kind, LT_PIECE_NONE);
  assert_int_equal(ret.piece[2].kind, LT_PIECE_MEMORY);
  assert_int_equal(ret.piece[2].bits, 5);
  assert_int_equal(ret.piece[2].skip, 2);
  assert_int_equal(ret.piece[3].kind, LT_PIECE_VALUE);
  assert_int_equal(PLACE(&ret, OP(regx), OP(piece, .a = 0)), -ENOEXEC);
  struct lt_op many[LT_PIECES + 1];
  for (size_t i = 0; i < COUNT(many); i++)
    many[i] = (struct lt_op)OP(piece, .a = 8);
  assert_int_equal(place(many, COUNT(many), &ret), -ENOEXEC);
  assert_int_equal(place(many, COUNT(many) - 1, &ret), 0);
  assert_int_equal(ret.count, LT_PIECES);
}

static void test_messages(void **state)
{
  (void)state;
  const struct lt_op ops[] = {OP(constu, .a = 1), OP(convert, .type = 0x508), OP(regx, .a = 2)};
  struct lt_expression from = {ops, COUNT(ops), blocks, sizeof blocks}, to;
  struct lt_bytes bytes = {0};
  lt_expression_put(&bytes, &from);
  struct lt_bytes_in in = {.at = bytes.at, .size = bytes.size};
  assert_int_equal(lt_expression_get(&in, &to), 0);
  assert_int_equal(in.size, 0);
  assert_int_equal(to.count, 3);
  assert_int_equal(to.ops[1].type, 0x508);
  assert_memory_equal(to.blocks, blocks, sizeof blocks);
  lt_expression_free(&to);
  for (size_t size = 0; size < bytes.size; size++) {
    struct lt_bytes_in cut = {.at = bytes.at, .size = size};
    assert_int_equal(lt_expression_get(&cut, &to), -ENOEXEC);
  }
  memset(bytes.at, 0xff, 8);
  in = (struct lt_bytes_in){.at = bytes.at, .size = bytes.size};
  assert_int_equal(lt_expression_get(&in, &to), -ENOEXEC);
  lt_bytes_free(&bytes);
}

/* Whatever the operations are, evaluation ends and stays in its bounds. */
static void test_noise(void **state)
{
  (void)state;
  struct lt_op ops[40];
  unsigned seed = 1;
  for (unsigned round = 0; round < 20000; round++) {
    for (size_t i = 0; i < COUNT(ops); i++) {
      seed = seed * 1103515245 + 12345;
      ops[i].code = (uint8_t)(seed >> 16);
      ops[i].a = (seed >> 8) % 5 ? (seed >> 20) % 41 : UINT64_MAX - seed;
      ops[i].b = (seed >> 4) % 3 ? (seed >> 12) % 13 : UINT64_MAX;
      ops[i].type = (seed >> 3) % 2 ? (uint16_t)((seed >> 5) % 9 << 8 | (seed >> 9) % 10) : 0;
    }
    uint64_t ret;
    struct lt_place found;
    int error = value(ops, 1 + seed % COUNT(ops), &ret);
    assert_true(error == 0 || error == -ENOEXEC || error == -ENOTSUP || error == -ENODATA ||
                error == -EFAULT);
    place(ops, 1 + seed % COUNT(ops), &found);
    assert_true(found.count <= LT_PIECES);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values), cmocka_unit_test(test_stack),    cmocka_unit_test(test_signs),
      cmocka_unit_test(test_types),  cmocka_unit_test(test_branches), cmocka_unit_test(test_places),
      cmocka_unit_test(test_pieces), cmocka_unit_test(test_messages), cmocka_unit_test(test_noise),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
