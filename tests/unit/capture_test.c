/* capture_test.c - decoded arguments, and what is kept of them. */
#include "calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HOLE ((uint64_t)0x20000000 + POOL_SIZE)

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

static struct lt_value value_of(struct calls *calls, unsigned index)
{
  struct lt_value value;
  assert_int_equal(lt_call_arg(&calls->tracee->thread, index, &value), 0);
  return value;
}

static void expect_bytes(const struct lt_value *value, enum lt_arg_type type, const char *bytes)
{
  assert_int_equal(value->type, type);
  assert_int_equal(value->size, strlen(bytes));
  assert_memory_equal(value->bytes, bytes, value->size);
}

static void test_numbers(void **state)
{
  struct calls *calls = *state;
  enter(calls, LT_ABI_X86_64, "openat", ARGS(0xffffff9c, HOLE, 0x1ffffffff, 0xf01ff));
  struct lt_value value = value_of(calls, 0);
  assert_int_equal(value.type, LT_ARG_FD);
  assert_true(value.integer == -100);
  assert_true(value.raw == 0xffffff9c);
  value = value_of(calls, 2);
  assert_int_equal(value.type, LT_ARG_INT);
  assert_true(value.integer == -1);
  value = value_of(calls, 3);
  assert_int_equal(value.type, LT_ARG_UINT);
  assert_true(value.integer == 0x1ff);
  struct lt_value none;
  assert_int_equal(lt_call_arg(&calls->tracee->thread, 4, &none), -EINVAL);
  calls->tracee->thread.in_call = false;
  assert_int_equal(lt_call_arg(&calls->tracee->thread, 0, &none), -EINVAL);
  assert_int_equal(lt_call_capture(&calls->tracee->thread), -EINVAL);
}

static void test_unknown_call(void **state)
{
  struct calls *calls = *state;
  enter(calls, LT_ABI_I386, "getpid", ARGS(0, 0, 0, 0, 0, 0xff00000001));
  calls->tracee->thread.call.nr = 500;
  struct lt_value value = value_of(calls, 5);
  assert_int_equal(value.type, LT_ARG_UINT);
  assert_true(value.integer == 1);
  assert_true(value.raw == 0xff00000001);
  assert_int_equal(lt_call_capture(&calls->tracee->thread), 0);
}

static void test_strings(void **state)
{
  struct calls *calls = *state;
  enter(calls, LT_ABI_X86_64, "open", ARGS(put_string(calls, "/etc/motd")));
  struct lt_value value = value_of(calls, 0);
  expect_bytes(&value, LT_ARG_STRING, "/etc/motd");
  assert_false(value.cut);
  enter(calls, LT_ABI_X86_64, "open", ARGS(put_string(calls, "")));
  value = value_of(calls, 0);
  expect_bytes(&value, LT_ARG_STRING, "");
  const uint64_t nothing[] = {0, HOLE, 1};
  for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
    enter(calls, LT_ABI_X86_64, "open", ARGS(nothing[i]));
    value = value_of(calls, 0);
    assert_int_equal(value.type, LT_ARG_POINTER);
    assert_null(value.bytes);
    assert_true((uint64_t)value.integer == nothing[i]);
  }
  memcpy(calls->pool + POOL_SIZE - 3, "abc", 3);
  enter(calls, LT_ABI_X86_64, "open", ARGS(HOLE - 3));
  value = value_of(calls, 0);
  expect_bytes(&value, LT_ARG_STRING, "abc");
  assert_true(value.cut);
}

/* Of each length around those that are read at once. */
static void test_long_strings(void **state)
{
  struct calls *calls = *state;
  const size_t lengths[] = {254, 255, 256, 257, 4095, 4096, 4097, 65535, 65536, 65537, 100000};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    memset(calls->pool, 'y', lengths[i]);
    calls->pool[lengths[i]] = '\0';
    enter(calls, LT_ABI_X86_64, "open", ARGS((uint64_t)(uintptr_t)calls->pool));
    struct lt_value value = value_of(calls, 0);
    assert_int_equal(value.type, LT_ARG_STRING);
    assert_int_equal(value.size, lengths[i] < 65536 ? lengths[i] : 65536);
    assert_int_equal(value.cut, lengths[i] > 65536);
    assert_int_equal(value.bytes[value.size - 1], 'y');
  }
}

static void test_buffers(void **state)
{
  struct calls *calls = *state;
  uint64_t bytes = put(calls, "ab\0cd", 5);
  enter(calls, LT_ABI_X86_64, "write", ARGS(1, bytes, 5));
  struct lt_value value = value_of(calls, 1);
  assert_int_equal(value.type, LT_ARG_BUFFER);
  assert_int_equal(value.size, 5);
  assert_memory_equal(value.bytes, "ab\0cd", 5);
  enter(calls, LT_ABI_X86_64, "write", ARGS(1, HOLE - 2, 5));
  value = value_of(calls, 1);
  assert_int_equal(value.size, 2);
  assert_true(value.cut);
  enter(calls, LT_ABI_X86_64, "write", ARGS(1, HOLE, UINT64_MAX));
  assert_int_equal(value_of(calls, 1).type, LT_ARG_POINTER);
  enter(calls, LT_ABI_X86_64, "write", ARGS(1, bytes, UINT64_MAX));
  value = value_of(calls, 1);
  assert_int_equal(value.size, POOL_SIZE);
  assert_true(value.cut);
}

static void test_filled_buffers(void **state)
{
  struct calls *calls = *state;
  struct lt_value value;
  uint64_t bytes = put(calls, "abcdef", 6);
  enter(calls, LT_ABI_X86_64, "read", ARGS(0, bytes, 6));
  assert_int_equal(lt_call_arg(&calls->tracee->thread, 1, &value), -EAGAIN);
  leave(calls, 4);
  value = value_of(calls, 1);
  expect_bytes(&value, LT_ARG_BUFFER, "abcd");
  assert_false(value.cut);
  leave(calls, 0);
  value = value_of(calls, 1);
  expect_bytes(&value, LT_ARG_BUFFER, "");
  leave(calls, 1000000); /* more than there was room for */
  value = value_of(calls, 1);
  expect_bytes(&value, LT_ARG_BUFFER, "abcdef");
  leave(calls, -EBADF);
  assert_int_equal(value_of(calls, 1).type, LT_ARG_POINTER);
  uint64_t path = put(calls, "/tmp", 5);
  enter(calls, LT_ABI_X86_64, "getcwd", ARGS(path, 100));
  leave(calls, 5);
  value = value_of(calls, 0);
  expect_bytes(&value, LT_ARG_BUFFER, "/tmp");
}

/* The bytes of one value stay while others are decoded. */
static void test_values_stay(void **state)
{
  struct calls *calls = *state;
  uint64_t from = put_string(calls, "from"), to = put_string(calls, "to");
  enter(calls, LT_ABI_X86_64, "rename", ARGS(from, to));
  struct lt_value first = value_of(calls, 0), second = value_of(calls, 1);
  assert_int_equal(lt_call_capture(&calls->tracee->thread), 0);
  for (int i = 0; i < 100; i++) {
    value_of(calls, 1);
  }
  expect_bytes(&first, LT_ARG_STRING, "from");
  expect_bytes(&second, LT_ARG_STRING, "to");
}

static uint64_t make_argv(struct calls *calls, size_t count, const char *string)
{
  uint64_t *argv = calloc(count + 1, sizeof *argv);
  for (size_t i = 0; i < count; i++) {
    argv[i] = put_string(calls, string);
  }
  uint64_t at = put(calls, argv, (count + 1) * sizeof *argv);
  free(argv);
  return at;
}

static size_t count_strings(struct calls *calls, unsigned index)
{
  struct lt_value value;
  size_t count = 0;
  int got;
  while ((got = lt_call_string(&calls->tracee->thread, index, count, &value)) == 1) {
    assert_true(value.type == LT_ARG_STRING || value.type == LT_ARG_POINTER);
    count++;
  }
  assert_int_equal(got, 0);
  return count;
}

static void test_arrays_of_strings(void **state)
{
  struct calls *calls = *state;
  struct lt_value first, second;
  lt_thread *thread = &calls->tracee->thread;
  uint64_t argv = make_argv(calls, 20, "word");
  enter(calls, LT_ABI_X86_64, "execve", ARGS(put_string(calls, "/bin/x"), argv, 0));
  assert_int_equal(count_strings(calls, 1), 20);
  assert_int_equal(count_strings(calls, 2), 0);
  assert_int_equal(lt_call_string(thread, 1, 0, &first), 1);
  assert_int_equal(lt_call_string(thread, 1, 19, &second), 1);
  expect_bytes(&first, LT_ARG_STRING, "word");
  expect_bytes(&second, LT_ARG_STRING, "word");
  assert_int_equal(lt_call_string(thread, 0, 0, &first), -EINVAL);
  assert_int_equal(lt_call_string(thread, 3, 0, &first), -EINVAL);
  enter(calls, LT_ABI_X86_64, "execve", ARGS(0, HOLE - 8, 1));
  memcpy(calls->pool + POOL_SIZE - 8, &argv, 8);
  assert_int_equal(count_strings(calls, 1), 1);
  assert_int_equal(count_strings(calls, 2), 0);
}

/* ---- What is kept ------------------------------------------------------------------------- */

static void test_kept(void **state)
{
  struct calls *calls = *state;
  struct lt_value value;
  uint64_t path = put_string(calls, "/bin/x"), argv = make_argv(calls, 3, "word");
  enter(calls, LT_ABI_X86_64, "execve", ARGS(path, argv, argv));
  assert_int_equal(lt_call_capture(&calls->tracee->thread), 0);
  memset(calls->pool, 0xff, POOL_SIZE);
  leave(calls, 0);
  value = value_of(calls, 0);
  expect_bytes(&value, LT_ARG_STRING, "/bin/x");
  assert_int_equal(count_strings(calls, 1), 3);
  assert_int_equal(lt_call_string(&calls->tracee->thread, 2, 2, &value), 1);
  expect_bytes(&value, LT_ARG_STRING, "word");
  lt_capture_forget(&calls->tracee->thread);
  value = value_of(calls, 0);
  assert_int_equal((uint8_t)value.bytes[0], 0xff);
}

static void test_kept_buffer(void **state)
{
  struct calls *calls = *state;
  memset(calls->pool, 'q', 8192);
  enter(calls, LT_ABI_X86_64, "write", ARGS(1, (uint64_t)(uintptr_t)calls->pool, 8192));
  assert_int_equal(lt_call_capture(&calls->tracee->thread), 0);
  memset(calls->pool, 'r', 8192);
  leave(calls, 8192);
  struct lt_value value = value_of(calls, 1);
  assert_int_equal(value.size, 4096);
  assert_true(value.cut);
  assert_int_equal(value.bytes[4095], 'q');
}

/* However much there is, what is kept is bounded, and the next call starts afresh in the same
 * memory. */
static void test_bounds(void **state)
{
  struct calls *calls = *state;
  char string[600];
  memset(string, 's', sizeof string);
  string[sizeof string - 1] = '\0';
  uint64_t argv = make_argv(calls, 1500, string);
  lt_thread *thread = &calls->tracee->thread;
  for (int i = 0; i < 3; i++) {
    enter(calls, LT_ABI_X86_64, "execve", ARGS(argv, argv, argv));
    assert_int_equal(lt_call_capture(thread), 0);
    assert_true(thread->capture.used < 1 << 20);
    assert_true(thread->capture.room <= 1 << 20);
  }
  uint8_t *arena = thread->capture.bytes;
  enter(calls, LT_ABI_X86_64, "chdir", ARGS(put_string(calls, "x")));
  assert_int_equal(lt_call_capture(thread), 0);
  assert_ptr_equal(thread->capture.bytes, arena);
  assert_true(thread->capture.used < 256);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_numbers),     TEST(test_unknown_call),
      TEST(test_strings),     TEST(test_long_strings),
      TEST(test_buffers),     TEST(test_filled_buffers),
      TEST(test_values_stay), TEST(test_arrays_of_strings),
      TEST(test_kept),        TEST(test_kept_buffer),
      TEST(test_bounds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
