/* Rules to find a caller's registers: of this very program, and of messages that are not sound. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "frames.h"
#include "read.h"

#define SP 7
#define PC 16

static struct lt_read_file *file;

static int open_self(void **state)
{
  (void)state;
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  return fd < 0 ? fd : lt_read_open(fd, -1, "/proc/self/exe", false, &file);
}

static int close_self(void **state)
{
  (void)state;
  lt_read_close(file);
  return 0;
}

static int ask(uint64_t addr, struct lt_bytes *ret)
{
  struct lt_bytes question = {0};
  lt_put_u64(&question, addr);
  lt_put_u32(&question, LT_FRAME_REGS);
  struct lt_bytes_in in = {.at = question.at, .size = question.size};
  int error = lt_read_frame(file, &in, ret);
  lt_bytes_free(&question);
  return error;
}

static struct lt_frame_row *row_at(uint64_t addr)
{
  struct lt_bytes answer = {0};
  struct lt_frame_row *row = NULL;
  assert_int_equal(ask(addr, &answer), 0);
  struct lt_bytes_in in = {.at = answer.at, .size = answer.size};
  assert_int_equal(lt_frame_row_get(&in, addr, &row), 0);
  lt_bytes_free(&answer);
  return row;
}

/* The address that the symbol has in the file. */
static uint64_t address_of(const char *name)
{
  int count = dwfl_module_getsymtab(file->module);
  for (int i = 0; i < count; i++) {
    GElf_Sym symbol;
    GElf_Addr addr;
    const char *found = dwfl_module_getsym_info(file->module, i, &symbol, &addr, NULL, NULL, NULL);
    if (found && strcmp(found, name) == 0)
      return addr;
  }
  fail_msg("no symbol %s", name);
  return 0;
}

static void test_entry(void **state)
{
  (void)state;
  struct lt_frame_row *row = row_at(address_of("main"));
  assert_int_equal(row->pc, PC);
  assert_false(row->is_signal);
  assert_int_equal(row->cfa.kind, LT_RULE_OFFSET);
  assert_int_equal(row->cfa.number, SP);
  assert_int_equal(row->cfa.offset, 8);
  assert_int_equal(row->rule[PC].kind, LT_RULE_SAVED);
  assert_int_equal(row->rule[PC].offset, -8);
  assert_int_equal(row->rule[SP].kind, LT_RULE_OFFSET);
  assert_int_equal(row->rule[SP].offset, 0);
  assert_int_equal(row->rule[1].kind, LT_RULE_UNKNOWN); /* rdx */
  lt_frame_row_free(row);
}

/* The outermost function has no caller. */
static void test_start(void **state)
{
  (void)state;
  struct lt_frame_row *row = row_at(address_of("_start"));
  assert_int_equal(row->rule[PC].kind, LT_RULE_UNKNOWN);
  lt_frame_row_free(row);
}

static void test_nothing(void **state)
{
  (void)state;
  struct lt_bytes answer = {0};
  assert_int_equal(ask(0x10, &answer), -ENOENT);
  struct lt_bytes_in question = {.at = (const uint8_t *)"", .size = 1};
  assert_int_equal(lt_read_frame(file, &question, &answer), -EINVAL);
  lt_bytes_free(&answer);
}

static void test_messages(void **state)
{
  (void)state;
  uint64_t main_addr = address_of("main");
  struct lt_bytes answer = {0};
  struct lt_frame_row *row;
  assert_int_equal(ask(main_addr, &answer), 0);
  for (size_t size = 0; size < answer.size; size++) {
    struct lt_bytes_in cut = {.at = answer.at, .size = size};
    if (lt_frame_row_get(&cut, main_addr, &row) == 0)
      lt_frame_row_free(row); /* whole rules, but fewer */
  }
  struct lt_bytes_in in = {.at = answer.at, .size = answer.size};
  assert_int_equal(lt_frame_row_get(&in, main_addr - 1, &row), -ENOEXEC);
  unsigned seed = 7;
  for (unsigned round = 0; round < 20000; round++) {
    uint8_t copy[1024];
    assert_true(answer.size > 0 && answer.size <= sizeof copy);
    if (!answer.size)
      return;
    memcpy(copy, answer.at, answer.size);
    for (int i = 0; i < 3; i++) {
      seed = seed * 1103515245 + 12345;
      copy[(seed >> 8) % answer.size] = (uint8_t)(seed >> 20);
    }
    in = (struct lt_bytes_in){.at = copy, .size = answer.size};
    int error = lt_frame_row_get(&in, main_addr, &row);
    assert_true(error == 0 || error == -ENOEXEC);
    if (!error)
      assert_true(row->pc < LT_FRAME_REGS && row->cfa.kind < LT_RULE_COUNT);
    lt_frame_row_free(row);
  }
  lt_bytes_free(&answer);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_entry),
      cmocka_unit_test(test_start),
      cmocka_unit_test(test_nothing),
      cmocka_unit_test(test_messages),
  };
  return cmocka_run_group_tests(tests, open_self, close_self);
}
