/* cpu_test.c - the rule by which threads share the tracer's CPU. */
#include "cpu_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MS ((uint64_t)1000 * 1000)
#define US ((uint64_t)1000)

/* A tick of 10 ms in which the tracer ran for a tenth of the time. */
static struct lt_cpu_tick tick_of(struct lt_cpu_share *threads, size_t count)
{
  return (struct lt_cpu_tick){
      .length = 10 * MS,
      .wake = 35 * US,
      .executed = 1 * MS,
      .coin = true,
      .cpus = 2,
      .threads = threads,
      .count = count,
  };
}

static void decide(struct lt_cpu_share *threads, size_t count)
{
  struct lt_cpu_tick tick = tick_of(threads, count);
  lt_cpu_decide(&tick);
  assert_false(tick.move);
}

static void one_that_makes_the_stops_shares(void **state)
{
  (void)state;
  struct lt_cpu_share one = {.executed = 5 * MS, .delayed = 3 * MS, .stops = 700};
  decide(&one, 1);
  assert_false(one.free);
}

static void of_two_that_compute_one_is_freed(void **state)
{
  (void)state;
  struct lt_cpu_share two[] = {{.executed = 5 * MS, .delayed = 4 * MS},
                               {.executed = 4 * MS, .delayed = 5 * MS}};
  decide(two, 2);
  assert_false(two[0].free);
  assert_true(two[1].free); /* it lost more */
  assert_true(two[1].push);
}

static void of_eight_a_quarter_at_a_time(void **state)
{
  (void)state;
  struct lt_cpu_share eight[8];
  for (unsigned i = 0; i < 8; i++)
    eight[i] = (struct lt_cpu_share){.executed = 1 * MS, .delayed = (8 + i) * MS};
  decide(eight, 8);
  for (unsigned i = 0; i < 8; i++)
    assert_int_equal(eight[i].free, i >= 6);
}

static void a_delay_that_the_stops_pay_for_is_none(void **state)
{
  (void)state;
  struct lt_cpu_share two[] = {{.executed = 4 * MS, .delayed = 4 * MS, .stops = 300},
                               {.executed = 4 * MS, .delayed = 4 * MS, .stops = 300}};
  decide(two, 2); /* 300 wakes take 10.5 ms */
  assert_false(two[0].free);
  assert_false(two[1].free);
}

static void one_that_calls_much_comes_back_after_two_ticks(void **state)
{
  (void)state;
  struct lt_cpu_share two[] = {{.executed = 1 * MS, .stops = 100, .free = true},
                               {.executed = 9 * MS, .free = true}};
  decide(two, 2);
  assert_true(two[0].free);
  decide(two, 2);
  assert_false(two[0].free);
  assert_true(two[1].free);
}

static void not_if_the_ticks_do_not_follow_each_other(void **state)
{
  (void)state;
  struct lt_cpu_share calls = {.executed = 1 * MS, .stops = 100, .free = true};
  struct lt_cpu_share computes = {.executed = 9 * MS, .stops = 100, .free = true};
  struct lt_cpu_share two[] = {calls, computes};
  for (int i = 0; i < 4; i++) {
    two[0].executed = i % 2 ? computes.executed : calls.executed;
    decide(two, 2);
    assert_true(two[0].free);
  }
}

static void few_stops_say_nothing(void **state)
{
  (void)state;
  struct lt_cpu_share two[] = {{.executed = 10 * US, .stops = 10, .free = true},
                               {.executed = 9 * MS, .free = true}};
  for (int i = 0; i < 5; i++)
    decide(two, 2);
  assert_true(two[0].free);
}

static void all_share_where_there_is_room_for_two_ticks(void **state)
{
  (void)state;
  struct lt_cpu_share two[] = {{.executed = 3 * MS, .stops = 20, .free = true},
                               {.executed = 3 * MS, .free = true}};
  struct lt_cpu_tick tick = tick_of(two, 2);
  lt_cpu_decide(&tick);
  assert_true(two[0].free);
  lt_cpu_decide(&tick);
  assert_false(two[0].free);
  assert_false(two[1].free);
}

static void no_room_where_one_is_delayed(void **state)
{
  (void)state;
  struct lt_cpu_share two[] = {{.executed = 3 * MS, .stops = 20},
                               {.executed = 3 * MS, .delayed = 4 * MS, .free = true}};
  struct lt_cpu_tick tick = tick_of(two, 2);
  for (int i = 0; i < 4; i++)
    lt_cpu_decide(&tick);
  assert_true(two[1].free);
}

static void a_free_one_that_is_delayed_leaves(void **state)
{
  (void)state;
  struct lt_cpu_share three[] = {{.executed = 2 * MS, .stops = 1000},
                                 {.executed = 3 * MS, .delayed = 5 * MS, .free = true},
                                 {.executed = 3 * MS, .delayed = 6 * MS, .free = true}};
  decide(three, 3);
  assert_false(three[0].push);
  assert_false(three[1].push); /* one at a time */
  assert_true(three[2].push);
}

static void nobody_leaves_where_all_cpus_are_busy(void **state)
{
  (void)state;
  struct lt_cpu_share three[] = {{.executed = 6 * MS, .delayed = 5 * MS, .free = true},
                                 {.executed = 6 * MS, .delayed = 5 * MS, .free = true},
                                 {.executed = 6 * MS, .delayed = 5 * MS, .free = true}};
  decide(three, 3);
  for (int i = 0; i < 3; i++)
    assert_false(three[i].push);
}

static void a_quiet_program_stays_as_it_is(void **state)
{
  (void)state;
  struct lt_cpu_share two[] = {{.free = true}, {.executed = 1}};
  decide(two, 2);
  assert_true(two[0].free);
  assert_false(two[1].free);
}

static void the_tracer_leaves_a_crowded_cpu(void **state)
{
  (void)state;
  struct lt_cpu_share one = {.executed = 2 * MS, .delayed = 3 * MS, .stops = 100};
  struct lt_cpu_tick tick = tick_of(&one, 1);
  tick.delayed = 2 * MS;
  lt_cpu_decide(&tick);
  assert_true(tick.move);
  assert_false(one.free); /* it comes along */
  for (unsigned rest = tick.rest; rest > 0; rest--) {
    lt_cpu_decide(&tick);
    assert_false(tick.move);
  }
  lt_cpu_decide(&tick);
  assert_true(tick.move);
}

static void only_if_the_coin_says_so(void **state)
{
  (void)state;
  struct lt_cpu_share one = {.executed = 2 * MS, .delayed = 3 * MS, .stops = 100};
  struct lt_cpu_tick tick = tick_of(&one, 1);
  tick.delayed = 2 * MS;
  tick.coin = false;
  lt_cpu_decide(&tick);
  assert_false(tick.move);
  assert_true(tick.rest > 0);
}

static void not_from_a_cpu_that_its_threads_fill(void **state)
{
  (void)state;
  struct lt_cpu_share two[] = {{.executed = 4 * MS, .stops = 300},
                               {.executed = 4 * MS, .stops = 300}};
  struct lt_cpu_tick tick = tick_of(two, 2);
  tick.delayed = 5 * MS;
  lt_cpu_decide(&tick);
  assert_false(tick.move);
}

static void nothing_at_all(void **state)
{
  (void)state;
  struct lt_cpu_tick tick = {0};
  lt_cpu_decide(&tick);
  assert_false(tick.move);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_that_makes_the_stops_shares),
      cmocka_unit_test(of_two_that_compute_one_is_freed),
      cmocka_unit_test(of_eight_a_quarter_at_a_time),
      cmocka_unit_test(a_delay_that_the_stops_pay_for_is_none),
      cmocka_unit_test(one_that_calls_much_comes_back_after_two_ticks),
      cmocka_unit_test(not_if_the_ticks_do_not_follow_each_other),
      cmocka_unit_test(few_stops_say_nothing),
      cmocka_unit_test(all_share_where_there_is_room_for_two_ticks),
      cmocka_unit_test(no_room_where_one_is_delayed),
      cmocka_unit_test(a_free_one_that_is_delayed_leaves),
      cmocka_unit_test(nobody_leaves_where_all_cpus_are_busy),
      cmocka_unit_test(a_quiet_program_stays_as_it_is),
      cmocka_unit_test(the_tracer_leaves_a_crowded_cpu),
      cmocka_unit_test(only_if_the_coin_says_so),
      cmocka_unit_test(not_from_a_cpu_that_its_threads_fill),
      cmocka_unit_test(nothing_at_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
