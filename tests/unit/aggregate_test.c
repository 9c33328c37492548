/* aggregate_test.c - the parts of aggregations that need no program: buckets, rows, operands, tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aggregate.h"

static lt_session session; /* nothing is traced in it */

static lt_aggregation *make(enum lt_action action, uint8_t keys, uint32_t rows)
{
  const struct lt_aggregate_shape shape = {
      .size = sizeof shape, .action = (uint8_t)action, .keys = keys, .rows = rows};
  lt_aggregation *aggregation;
  assert_int_equal(lt_aggregation_new(&session, &shape, &aggregation), 0);
  return aggregation;
}

static void add(lt_aggregation *aggregation, uint64_t key, int64_t value)
{
  const struct lt_cells cells = {.number = {key}};
  lt_aggregate_value(aggregation, lt_aggregate_tally(aggregation, &cells), value);
}

/* ---- Buckets ------------------------------------------------------------------------------ */

static void log2_buckets(void **state)
{
  static const struct lt_aggregate_shape shape = {.action = LT_ACTION_HIST};
  (void)state;
  assert_int_equal(lt_aggregate_bucket(&shape, INT64_MIN), 0);
  assert_int_equal(lt_aggregate_bucket(&shape, -1), 0);
  assert_int_equal(lt_aggregate_bucket(&shape, 0), 1);
  for (unsigned bit = 0; bit < 63; bit++) {
    int64_t low = (int64_t)((uint64_t)1 << bit);
    assert_int_equal(lt_aggregate_bucket(&shape, low), bit + 2);
    assert_int_equal(lt_aggregate_bucket(&shape, (int64_t)(2 * (uint64_t)low - 1)), bit + 2);
  }
  assert_int_equal(lt_aggregate_bucket(&shape, INT64_MAX), LT_BUCKETS_LOG2 - 1);
}

static void linear_buckets(void **state)
{
  static const struct lt_aggregate_shape shape = {
      .action = LT_ACTION_HIST, .from = -10, .to = 15, .step = 10};
  (void)state;
  static const int64_t values[] = {INT64_MIN, -11, -10, -1, 0, 9, 10, 14, 15, INT64_MAX};
  static const size_t buckets[] = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++)
    assert_int_equal(lt_aggregate_bucket(&shape, values[i]), buckets[i]);
}

static void widest_buckets(void **state)
{
  (void)state;
  const struct lt_aggregate_shape shape = {.size = sizeof shape,
                                           .action = LT_ACTION_HIST,
                                           .from = INT64_MIN,
                                           .to = INT64_MAX,
                                           .step = (uint64_t)1 << 60};
  lt_aggregation *aggregation;
  assert_int_equal(lt_aggregation_new(&session, &shape, &aggregation), 0);
  assert_int_equal(lt_aggregation_buckets(aggregation), 18);
  assert_int_equal(lt_aggregate_bucket(&shape, INT64_MIN), 1);
  assert_int_equal(lt_aggregate_bucket(&shape, INT64_MAX - 1), 16);
  assert_int_equal(lt_aggregate_bucket(&shape, INT64_MAX), 17);
  lt_aggregation_free(aggregation);
}

static void refused_shapes(void **state)
{
  (void)state;
  static const struct lt_aggregate_shape bad[] = {
      {.size = sizeof bad[0], .action = 9},
      {.size = sizeof bad[0], .keys = LT_KEYS_MAX + 1},
      {.size = sizeof bad[0], .action = LT_ACTION_HIST, .to = 2000, .step = 1},
      {.size = sizeof bad[0], .action = LT_ACTION_HIST, .from = 1, .to = 1, .step = 1},
      {.size = sizeof bad[0],
       .action = LT_ACTION_HIST,
       .from = INT64_MIN,
       .to = INT64_MAX,
       .step = 1},
  };
  lt_aggregation *aggregation;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_true(lt_aggregation_new(&session, &bad[i], &aggregation) < 0);
}

/* ---- Rows --------------------------------------------------------------------------------- */

static void rows_are_bounded(void **state)
{
  (void)state;
  lt_aggregation *aggregation = make(LT_ACTION_SUM, 1, 10);
  struct lt_aggregate_row *rows, others;
  for (unsigned round = 0; round < 2; round++) {
    for (unsigned i = 0; i < 1000; i++)
      add(aggregation, i, i);
    assert_int_equal(lt_aggregation_rows(aggregation, &rows), 10);
    lt_aggregation_others(aggregation, &others);
    uint64_t count = others.count;
    int64_t sum = others.sum;
    for (unsigned i = 0; i < 10; i++) {
      count += rows[i].count;
      sum += rows[i].sum;
    }
    assert_int_equal(count, 1000);
    assert_int_equal(sum, 999 * 500);
    free(rows);
    lt_aggregation_clear(aggregation);
    assert_int_equal(lt_aggregation_rows(aggregation, &rows), 0);
    free(rows);
  }
  lt_aggregation_free(aggregation);
}

static void strings_are_keys(void **state)
{
  (void)state;
  lt_aggregation *aggregation = make(LT_ACTION_COUNT, 2, 3);
  static const char *const texts[] = {"a", "", "a\0b", "c"};
  static const size_t sizes[] = {1, 0, 3, 1};
  for (unsigned round = 0; round < 2; round++)
    for (unsigned i = 0; i < 4; i++) {
      struct lt_cells cells = {.texts = 2, .number = {7}};
      bool has_room = lt_aggregate_text(aggregation, texts[i], sizes[i], &cells.number[1]);
      assert_int_equal(has_room, i < 3);
      if (has_room)
        lt_aggregate_value(aggregation, lt_aggregate_tally(aggregation, &cells), 0);
    }
  struct lt_aggregate_row row;
  for (unsigned i = 0; i < 4; i++) {
    const struct lt_key key[LT_KEYS_MAX] = {{.number = 7}, {.text = texts[i], .size = sizes[i]}};
    assert_int_equal(lt_aggregation_find(aggregation, key, &row), i < 3);
    if (i < 3) {
      assert_int_equal(row.count, 2);
      assert_int_equal(row.key[0].number, 7);
      assert_int_equal(row.key[1].size, sizes[i]);
      assert_memory_equal(row.key[1].text, texts[i], sizes[i]);
    }
  }
  lt_aggregation_free(aggregation);
}

static void fold(struct lt_aggregate_source *source)
{
  const uint64_t buckets[LT_BUCKETS_LOG2] = {[4] = 5};
  const struct lt_cells cells = {0};
  lt_aggregation *aggregation = session.aggregations;
  lt_aggregate_add(aggregation, lt_aggregate_tally(aggregation, &cells), 5, 35, buckets);
  lt_aggregate_source_remove(aggregation, source);
}

static void sources_are_asked(void **state)
{
  (void)state;
  lt_aggregation *aggregation = make(LT_ACTION_HIST, 0, 0);
  struct lt_aggregate_source source = {.fold = fold};
  struct lt_aggregate_row row;
  add(aggregation, 0, 4);
  lt_aggregate_source_add(aggregation, &source);
  for (unsigned round = 0; round < 2; round++) {
    assert_int_equal(lt_aggregation_find(aggregation, NULL, &row), 1);
    assert_int_equal(row.count, 6);
    assert_int_equal(row.sum, 39);
    assert_int_equal(row.buckets[4], 6);
  }
  lt_aggregation_free(aggregation);
}

/* ---- Operands and tests ------------------------------------------------------------------- */

static void operands_are_narrow(void **state)
{
  (void)state;
  const uint64_t junk = UINT64_C(0x123456789abcdeff);
  assert_int_equal(lt_operand_narrow(&(struct lt_operand){.size = 1}, junk), 0xff);
  assert_int_equal(lt_operand_narrow(&(struct lt_operand){.size = 1, .is_signed = true}, junk),
                   UINT64_MAX);
  assert_int_equal(lt_operand_narrow(&(struct lt_operand){.size = 4}, junk), 0x9abcdeff);
  assert_int_equal(lt_operand_narrow(&(struct lt_operand){.size = 4, .is_signed = true}, junk),
                   UINT64_C(0xffffffff9abcdeff));
  assert_int_equal(lt_operand_narrow(&(struct lt_operand){0}, junk), junk);
}

static void tests_pass(void **state)
{
  (void)state;
  const struct lt_alternative any[] = {{.kind = LT_TEST_EQUAL, .a = 7},
                                       {.kind = LT_TEST_RANGE, .a = (uint64_t)-2, .b = 1},
                                       {.kind = LT_TEST_HAS, .a = 0x30}};
  const struct lt_test is_signed = {.operand = {.is_signed = true}, .count = 3, .any = any};
  const struct lt_test is_unsigned = {.count = 3, .any = any};
  static const int64_t values[] = {7, 8, -3, -2, 1, 2, 0x30, 0x10, 0x1f30};
  static const bool passes[] = {true, false, false, true, true, false, true, false, true};
  for (size_t i = 0; i < 9; i++) {
    if (values[i] != -3) /* has the bits of the mask */
      assert_int_equal(lt_test_passes(&is_signed, (uint64_t)values[i]), passes[i]);
  }
  assert_false(lt_test_passes(&is_unsigned, 1));
  assert_false(lt_test_passes(&(struct lt_test){0}, 1));
}

static void names_are_the_same_everywhere(void **state)
{
  char text[32];
  int64_t key;
  (void)state;
  static const char *const names[] = {"read", "getpid", "socketcall", "SIGINT", "SIGRT_3"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    assert_true(lt_key_named(names[i], &key));
    assert_string_equal(lt_key_name(key, text, sizeof text), names[i]);
  }
  assert_false(lt_key_named("raed", &key));
  assert_string_equal(lt_key_name(999, text, sizeof text), "syscall_999");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(log2_buckets),      cmocka_unit_test(linear_buckets),
      cmocka_unit_test(widest_buckets),    cmocka_unit_test(refused_shapes),
      cmocka_unit_test(rows_are_bounded),  cmocka_unit_test(strings_are_keys),
      cmocka_unit_test(sources_are_asked), cmocka_unit_test(operands_are_narrow),
      cmocka_unit_test(tests_pass),        cmocka_unit_test(names_are_the_same_everywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
