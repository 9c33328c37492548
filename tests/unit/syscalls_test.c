/* syscalls_test.c - the table of system calls: against the system's headers, and in itself. */

#include "tracee.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "syscall_table.h"

/* ---- Numbers ------------------------------------------------------------------------------ */

#define LINE_LENGTH 256

/* Each "#define __NR_name number" of a header has that number in our table, if we know the name. */
static void check_header(const char *path, enum lt_abi abi, unsigned least)
{
  char line[LINE_LENGTH], name[LINE_LENGTH];
  unsigned long nr;
  unsigned checked = 0;
  FILE *file = fopen(path, "r");
  if (!file) {
    print_message("%s is not there\n", path);
    skip();
  }
  while (fgets(line, sizeof line, file)) {
    if (sscanf(line, "#define __NR_%255s %lu", name, &nr) != 2) {
      continue;
    }
    const struct lt_syscall *call = lt_syscall_named(abi, name);
    if (call) {
      assert_int_equal(call->nr[abi], nr);
      assert_string_equal(lt_syscall_find(abi, nr)->name, name);
      checked++;
    }
  }
  fclose(file);
  assert_true(checked >= least);
}

static void test_x86_64_numbers(void **state)
{
  (void)state;
  check_header("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", LT_ABI_X86_64, 350);
}

static void test_i386_numbers(void **state)
{
  (void)state;
  check_header("/usr/include/x86_64-linux-gnu/asm/unistd_32.h", LT_ABI_I386, 420);
}

static void test_unknown_numbers(void **state)
{
  (void)state;
  assert_null(lt_syscall_find(LT_ABI_X86_64, 335));
  assert_null(lt_syscall_find(LT_ABI_X86_64, LT_NR_LIMIT));
  assert_null(lt_syscall_find(LT_ABI_X86_64, LT_NR_UNKNOWN));
  assert_null(lt_syscall_find(LT_ABI_I386, 222));
  assert_null(lt_syscall_find((enum lt_abi)7, 0));
  assert_null(lt_syscall_named(LT_ABI_X86_64, "no_such_call"));
  assert_null(lt_syscall_named(LT_ABI_X86_64, "socketcall"));
  assert_non_null(lt_syscall_named(LT_ABI_I386, "socketcall"));
}

static void test_walk(void **state)
{
  (void)state;
  for (int abi = 0; abi < LT_ABI_COUNT; abi++) {
    int last = -1;
    size_t i = 0;
    const struct lt_syscall *call;
    while ((call = lt_syscall_at((enum lt_abi)abi, i++))) {
      assert_true(call->nr[abi] > last);
      last = call->nr[abi];
      assert_ptr_equal(call, lt_syscall_named((enum lt_abi)abi, call->name));
    }
    assert_true(i > 350);
  }
}

/* ---- Rows --------------------------------------------------------------------------------- */

static void check_arg(const struct lt_syscall *call, unsigned index)
{
  const struct lt_arg *arg = &call->args[index];
  for (unsigned i = 0; i < index; i++) {
    const struct lt_arg *other = &call->args[i];
    assert_string_not_equal(arg->name, other->name);
    assert_false(other->alias && strcmp(arg->name, other->alias) == 0);
    assert_false(arg->alias && strcmp(arg->alias, other->name) == 0);
    assert_false(arg->alias && other->alias && strcmp(arg->alias, other->alias) == 0);
  }
  if (arg->type == LT_ARG_BUFFER) {
    assert_in_range(arg->length, 0, call->count - 1);
    assert_true(call->args[arg->length].type <= LT_ARG_UINT);
    assert_true(arg->in != arg->out);
  } else {
    assert_int_equal(arg->length, -1);
  }
  if (arg->type == LT_ARG_STRUCT) {
    assert_true(arg->in || arg->out);
    assert_non_null(arg->shape);
  }
  assert_true(arg->size == 2 || arg->size == 4 || arg->size == 8);
  if (arg->shape && !lt_shape_find(arg->shape) && !lt_flags_find(arg->shape)) {
    fail_msg("%s: nothing is called \"%s\"", call->name, arg->shape);
  }
}

static void check_rows(const struct lt_syscall *rows, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && strcmp(rows[i - 1].name, rows[i].name) >= 0) {
      fail_msg("%s must not stand behind %s", rows[i].name, rows[i - 1].name);
    }
    assert_true(rows[i].count <= LT_CALL_ARGS);
    for (unsigned j = 0; j < rows[i].count; j++) {
      check_arg(&rows[i], j);
    }
  }
}

static void test_rows(void **state)
{
  (void)state;
  assert_int_equal(lt_syscall_row_count, 468);
  check_rows(lt_syscall_rows, lt_syscall_row_count);
  check_rows(lt_syscall_rows_i386, lt_syscall_row_count_i386);
}

/* A second row is for the same call: same name, numbers and classes. */
static void test_second_rows(void **state)
{
  (void)state;
  for (size_t i = 0; i < lt_syscall_row_count_i386; i++) {
    const struct lt_syscall *second = &lt_syscall_rows_i386[i];
    size_t first = 0;
    while (first < lt_syscall_row_count && strcmp(lt_syscall_rows[first].name, second->name) != 0) {
      first++;
    }
    assert_true(first < lt_syscall_row_count);
    assert_memory_equal(second->nr, lt_syscall_rows[first].nr, sizeof second->nr);
    assert_int_equal(second->classes, lt_syscall_rows[first].classes);
    assert_ptr_equal(lt_syscall_named(LT_ABI_I386, second->name), second);
  }
}

static const struct lt_arg *arg_of(enum lt_abi abi, const char *call, unsigned index)
{
  const struct lt_syscall *row = lt_syscall_named(abi, call);
  assert_non_null(row);
  assert_true(index < row->count);
  return &row->args[index];
}

static void test_arguments(void **state)
{
  (void)state;
  const struct lt_arg *arg = arg_of(LT_ABI_X86_64, "openat", 1);
  assert_string_equal(arg->name, "filename");
  assert_string_equal(arg->alias, "pathname");
  assert_int_equal(arg->type, LT_ARG_STRING);
  arg = arg_of(LT_ABI_X86_64, "connect", 0);
  assert_string_equal(arg->alias, "sockfd");
  assert_int_equal(arg->type, LT_ARG_FD);
  arg = arg_of(LT_ABI_X86_64, "write", 1);
  assert_int_equal(arg->type, LT_ARG_BUFFER);
  assert_int_equal(arg->length, 2);
  assert_true(arg->in && !arg->out);
  arg = arg_of(LT_ABI_X86_64, "mmap", 4);
  assert_int_equal(arg->type, LT_ARG_FD);
  assert_int_equal(lt_syscall_named(LT_ABI_X86_64, "mmap")->count, 6);
  assert_int_equal(lt_syscall_named(LT_ABI_I386, "mmap")->count, 1);
  assert_string_equal(arg_of(LT_ABI_X86_64, "clone", 3)->name, "child_tidptr");
  assert_string_equal(arg_of(LT_ABI_I386, "clone", 3)->name, "tls");
  assert_true(lt_syscall_named(LT_ABI_X86_64, "exit_group")->no_return);
  assert_false(lt_syscall_named(LT_ABI_X86_64, "execve")->no_return);
}

static void test_values(void **state)
{
  (void)state;
  const struct lt_arg *fd = arg_of(LT_ABI_X86_64, "read", 0);
  const struct lt_arg *size = arg_of(LT_ABI_X86_64, "read", 2);
  const struct lt_arg *offset = arg_of(LT_ABI_X86_64, "lseek", 1);
  const struct lt_arg *mode = arg_of(LT_ABI_X86_64, "chmod", 1);
  assert_true((int64_t)lt_arg_value(fd, LT_ABI_X86_64, 0xdead0000ffffff9c) == -100);
  assert_true(lt_arg_value(size, LT_ABI_X86_64, UINT64_MAX) == UINT64_MAX);
  assert_true(lt_arg_value(size, LT_ABI_I386, UINT64_MAX) == UINT32_MAX);
  assert_true((int64_t)lt_arg_value(offset, LT_ABI_I386, 0xfffffffe) == -2);
  assert_true(lt_arg_value(offset, LT_ABI_X86_64, 0xfffffffe) == 0xfffffffe);
  assert_true(lt_arg_value(mode, LT_ABI_X86_64, 0xffff01ff) == 0x1ff);
}

/* ---- Names and classes -------------------------------------------------------------------- */

static void test_nearest(void **state)
{
  (void)state;
  assert_string_equal(lt_syscall_nearest("opneat"), "openat");
  assert_string_equal(lt_syscall_nearest("reed"), "read");
  assert_string_equal(lt_syscall_nearest("exitgroup"), "exit_group");
  assert_string_equal(lt_syscall_nearest("nanosleeep"), "nanosleep");
  assert_string_equal(lt_syscall_nearest("openat"), "openat");
  assert_non_null(lt_syscall_nearest("fstatat"));
  assert_null(lt_syscall_nearest(""));
  assert_null(lt_syscall_nearest("zzzzzzzzz"));
  assert_null(lt_syscall_nearest("a name that is far longer than any call has ever had or will"));
}

static bool in_class(const char *call, const char *class)
{
  const struct lt_syscall *row = lt_syscall_named(LT_ABI_X86_64, call);
  assert_non_null(row);
  return (row->classes & lt_class_find(class)) != 0;
}

static void test_classes(void **state)
{
  (void)state;
  assert_true(in_class("openat", "file") && in_class("openat", "desc"));
  assert_true(in_class("execve", "file") && in_class("execve", "process"));
  assert_false(in_class("read", "file"));
  assert_true(in_class("socket", "network") && in_class("socket", "net"));
  assert_true(in_class("getpid", "pure"));
  assert_true(in_class("newfstatat", "%stat") && in_class("newfstatat", "fstat"));
  assert_false(in_class("newfstatat", "stat"));
  assert_int_equal(lt_class_find("nonsense"), 0);
  for (size_t i = 0; lt_class_at(i); i++) {
    assert_int_not_equal(lt_class_find(lt_class_at(i)), 0);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_x86_64_numbers),
      cmocka_unit_test(test_i386_numbers),
      cmocka_unit_test(test_unknown_numbers),
      cmocka_unit_test(test_walk),
      cmocka_unit_test(test_rows),
      cmocka_unit_test(test_second_rows),
      cmocka_unit_test(test_arguments),
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_nearest),
      cmocka_unit_test(test_classes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
