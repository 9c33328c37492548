/* hostile_test.c - every call of both ABIs with arguments, results and memory that nobody would
 * have thought of: nothing may be written out of bounds, and the line is one line. Most useful in
 * the build with sanitizers. */
#include "calls.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY 8192u /* of the pool that is filled anew each round */
#define ROUNDS 12

static int set_up(void **state)
{
  *state = calls_start();
  return 0;
}

static int tear_down(void **state)
{
  calls_end(*state);
  return 0;
}

static uint64_t random64(uint32_t *seed)
{
  uint64_t high = tracee_random(seed);
  return high << 32 | tracee_random(seed);
}

/* Sometimes an address in the pool, at its end, small, negative, or anything. */
static uint64_t any_value(struct calls *calls, uint32_t *seed)
{
  uint64_t pool = (uint64_t)(uintptr_t)calls->pool;
  switch (tracee_random(seed) % 8) {
  case 0:
    return tracee_random(seed) % 40;
  case 1:
    return -(uint64_t)(tracee_random(seed) % 200);
  case 2:
    return random64(seed);
  case 3:
    return pool + POOL_SIZE - tracee_random(seed) % 64;
  case 4:
    return 1ull << tracee_random(seed) % 64;
  default:
    return pool + tracee_random(seed) % MEMORY;
  }
}

/* Words like arguments among bytes like text, so that pointers lead on to more. */
static void fill(struct calls *calls, uint32_t *seed)
{
  for (size_t i = 0; i < MEMORY; i += 8) {
    uint64_t word = tracee_random(seed) % 3 ? any_value(calls, seed) : random64(seed);
    memcpy(calls->pool + i, &word, 8);
    if (tracee_random(seed) % 4 == 0) { /* two small halves */
      uint32_t halves[2] = {tracee_random(seed) % 64, tracee_random(seed) % 20};
      memcpy(calls->pool + i, halves, 8);
    }
  }
}

static void check_line(struct calls *calls)
{
  const char *shown = line(calls);
  for (size_t i = 0; shown[i]; i++) {
    assert_true(shown[i] >= ' ' && shown[i] < 0x7f);
  }
  char small[50];
  small[sizeof small - 1] = '#';
  lt_call_format(&calls->tracee->thread, small, sizeof small - 1);
  assert_int_equal(small[sizeof small - 1], '#');
}

static void check_values(struct calls *calls)
{
  struct lt_value value;
  lt_thread *thread = &calls->tracee->thread;
  for (unsigned i = 0; i < LT_CALL_ARGS; i++) {
    if (lt_call_arg(thread, i, &value) == 0 && value.bytes && value.size) {
      volatile char last = value.bytes[value.size - 1];
      (void)last;
    }
    lt_call_string(thread, i, 0, &value);
  }
}

static void one_call(struct calls *calls, const struct lt_syscall *call, enum lt_abi abi,
                     uint32_t *seed)
{
  uint64_t args[LT_CALL_ARGS];
  for (unsigned i = 0; i < LT_CALL_ARGS; i++) {
    args[i] = any_value(calls, seed);
  }
  enter(calls, abi, call->name, args);
  calls->tracee->thread.call.sp = any_value(calls, seed);
  if (tracee_random(seed) % 2) {
    assert_int_equal(lt_call_capture(&calls->tracee->thread), 0);
  }
  check_line(calls);
  check_values(calls);
  leave(calls, (int64_t)any_value(calls, seed));
  check_line(calls);
  check_values(calls);
}

static void test_calls(void **state)
{
  struct calls *calls = *state;
  uint32_t seed = 20;
  for (int round = 0; round < ROUNDS; round++) {
    fill(calls, &seed);
    for (int abi = 0; abi < LT_ABI_COUNT; abi++) {
      const struct lt_syscall *call;
      for (size_t i = 0; (call = lt_syscall_at((enum lt_abi)abi, i)); i++) {
        one_call(calls, call, (enum lt_abi)abi, &seed);
      }
    }
  }
}

/* The calls that are many calls: each request with each kind of memory. */
static void test_requests(void **state)
{
  struct calls *calls = *state;
  const char *names[] = {"ioctl",      "fcntl",      "prctl",      "futex",  "socketcall", "ipc",
                         "arch_prctl", "setsockopt", "getsockopt", "ptrace", "keyctl"};
  uint32_t seed = 4;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    for (uint64_t request = 0; request < 80; request++) {
      uint64_t args[LT_CALL_ARGS] = {request, request, request};
      for (unsigned j = i < 2 ? 2 : 1; j < LT_CALL_ARGS; j++) {
        args[j] = i == 7 || i == 8 ? (j < 2    ? 1
                                      : j == 2 ? request
                                               : any_value(calls, &seed))
                                   : any_value(calls, &seed);
      }
      fill(calls, &seed);
      enter(calls, LT_ABI_I386, names[i], args);
      check_line(calls);
      leave(calls, (int64_t)(tracee_random(&seed) % 9));
      check_line(calls);
      check_values(calls);
    }
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_calls),
      TEST(test_requests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
