/* displace_test.c - instructions translated for a slot: what the translation looks like, and that it
 * does what the processor does.
 *
 * `displace_test N [SEED]` compares N random cases and tells how many of them differ. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch.h"
#include "displace.h"
#include "displace_cases.h"

#define PC UINT64_C(0x555555554000)
#define SLOT (PC + 0x10000)
#define FAR_SLOT (PC - 0x7fff0000)

static int translate(uint64_t slot, const char *bytes, size_t size, struct lt_displaced *ret)
{
  return lt_arch_x86_64.displace((const uint8_t *)bytes, size, PC, slot, ret);
}

/* Translate a string literal as 64-bit code at PC for SLOT. */
#define TRANSLATE(slot, bytes, ret) translate(slot, bytes, sizeof(bytes) - 1, ret)

static uint64_t number(const struct lt_displaced *insn, size_t at)
{
  uint64_t value;
  memcpy(&value, insn->code + at, sizeof value);
  return value;
}

/* Where the 32-bit displacement that ends at `end` leads to. */
static uint64_t led_to(const struct lt_displaced *insn, uint64_t slot, size_t end)
{
  return slot + end + (uint64_t)(int64_t)(int32_t)number(insn, end - 4);
}

static void plain_instructions_are_copied(void **state)
{
  (void)state;
  struct lt_displaced insn;
  assert_int_equal(TRANSLATE(SLOT, "\x48\x89\xe5\x90", &insn), 0);
  assert_int_equal(insn.kind, LT_DISPLACE_RUN);
  assert_int_equal(insn.length, 3);
  assert_int_equal(insn.size, 8);
  assert_memory_equal(insn.code, "\x48\x89\xe5\xe9", 4);
  assert_int_equal(led_to(&insn, SLOT, 8), PC + 3);
  assert_int_equal(insn.place_count, 1);
  assert_int_equal(insn.places[0].offset, 3);
  assert_int_equal(insn.places[0].place, LT_PLACE_AFTER);
}

static void operands_keep_their_address(void **state)
{
  (void)state;
  struct lt_displaced insn;
  /* movl $0x11223344, 0x1000(%rip) */
  assert_int_equal(TRANSLATE(SLOT, "\xc7\x05\x00\x10\x00\x00\x44\x33\x22\x11", &insn), 0);
  assert_int_equal(led_to(&insn, SLOT, 6) + 4, PC + 10 + 0x1000);
  assert_memory_equal(insn.code + 6, "\x44\x33\x22\x11\xe9", 5);
  /* vaddps 0x1000(%rip), %zmm1, %zmm2 */
  assert_int_equal(TRANSLATE(SLOT, "\x62\xf1\x74\x48\x58\x15\x00\x10\x00\x00", &insn), 0);
  assert_int_equal(led_to(&insn, SLOT, 10), PC + 10 + 0x1000);
  /* lea 0x7fffffff(%rip), %rax from a slot 2 GB below */
  assert_int_equal(TRANSLATE(FAR_SLOT, "\x48\x8d\x05\xff\xff\xff\x7f", &insn), -ERANGE);
  /* with 32-bit addresses, which go round: lea 0x7fffffff(%eip), %eax */
  assert_int_equal(TRANSLATE(FAR_SLOT, "\x67\x8d\x05\xff\xff\xff\x7f", &insn), 0);
  assert_int_equal((uint32_t)led_to(&insn, FAR_SLOT, 7), (uint32_t)(PC + 7 + 0x7fffffff));
}

static void conditional_branches_have_two_ends(void **state)
{
  (void)state;
  static const char *const branches[] = {"\x74\x10", "\xe2\x10", "\xe3\x10"};
  struct lt_displaced insn;
  for (size_t i = 0; i < sizeof branches / sizeof *branches; i++) {
    assert_int_equal(translate(SLOT, branches[i], 2, &insn), 0);
    assert_int_equal(insn.target, PC + 2 + 0x10);
    assert_int_equal(insn.code[0], (uint8_t)branches[i][0]);
    assert_int_equal(insn.places[0].offset, 2);
    assert_int_equal(insn.places[0].place, LT_PLACE_AFTER);
    assert_int_equal(led_to(&insn, SLOT, 7), PC + 2);
    assert_int_equal(insn.places[1].offset, 2 + insn.code[1]);
    assert_int_equal(insn.places[1].place, LT_PLACE_TARGET);
    assert_int_equal(led_to(&insn, SLOT, 12), PC + 2 + 0x10);
  }
  assert_int_equal(TRANSLATE(SLOT, "\x0f\x85\x00\x01\x00\x00", &insn), 0);
  assert_int_equal(insn.code[0], 0x75);
  assert_int_equal(led_to(&insn, SLOT, 12), PC + 6 + 0x100);
}

static void what_is_out_of_reach_is_jumped_to_through_memory(void **state)
{
  (void)state;
  struct lt_displaced insn;
  assert_int_equal(TRANSLATE(FAR_SLOT, "\xe9\xf0\xff\xff\x7f", &insn), 0);
  assert_memory_equal(insn.code, "\xff\x25\x12\0\0\0", 6);
  assert_int_equal(number(&insn, 24), PC + 5 + 0x7ffffff0);
  assert_int_equal(TRANSLATE(FAR_SLOT, "\x0f\x84\xf0\xff\xff\x7f", &insn), 0);
  assert_int_equal(led_to(&insn, FAR_SLOT, 7), PC + 6);
  assert_int_equal(number(&insn, 24), PC + 6 + 0x7ffffff0);
  assert_true(insn.size <= LT_SLOT_BYTES);
}

static void calls_push_the_programs_address(void **state)
{
  (void)state;
  struct lt_displaced insn;
  assert_int_equal(TRANSLATE(SLOT, "\xe8\x00\x01\x00\x00", &insn), 0);
  assert_memory_equal(insn.code, "\xff\x35\x12\0\0\0\xe9", 7);
  assert_int_equal(led_to(&insn, SLOT, 11), PC + 5 + 0x100);
  assert_int_equal(number(&insn, 24), PC + 5);
  assert_int_equal(insn.places[0].offset, 6);
  assert_int_equal(insn.places[0].place, LT_PLACE_TARGET);
  assert_int_equal(TRANSLATE(FAR_SLOT, "\xe8\xf0\xff\xff\x7f", &insn), 0);
  assert_int_equal(number(&insn, 16), PC + 5 + 0x7ffffff0);
  assert_int_equal(number(&insn, 24), PC + 5);
  static const uint8_t call[] = {0xe8, 0, 0, 0, 0};
  assert_int_equal(lt_arch_i386.displace(call, sizeof call, 0x8048000, 0xf7000000, &insn), 0);
  assert_memory_equal(insn.code, "\x68\x05\x80\x04\x08\xe9", 6);
}

static void kinds(void **state)
{
  (void)state;
  static const struct {
    const char *bytes;
    size_t size;
    enum lt_displace kind;
  } cases[] = {
      {"\x0f\x05", 2, LT_DISPLACE_CALL},
      {"\xcd\x80", 2, LT_DISPLACE_CALL},
      {"\xcc", 1, LT_DISPLACE_TRAP},
      {"\xcd\x03", 2, LT_DISPLACE_TRAP},
      {"\xff\xd0", 2, LT_DISPLACE_EMULATE},
      {"\xff\x14\x24", 3, LT_DISPLACE_EMULATE},
      {"\x9d", 1, LT_DISPLACE_EMULATE},
      {"\xc3", 1, LT_DISPLACE_RUN},
      {"\xff\xe0", 2, LT_DISPLACE_RUN},
      {"\x0f\x0b", 2, LT_DISPLACE_RUN},
      {"\xf3\x0f\x1e\xfa", 4, LT_DISPLACE_RUN},
      {"\x06", 1, LT_DISPLACE_ILLEGAL},
      {"\x48\xb8\x00\x01", 4, LT_DISPLACE_ILLEGAL},
      {"", 0, LT_DISPLACE_ILLEGAL},
  };
  struct lt_displaced insn;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(translate(SLOT, cases[i].bytes, cases[i].size, &insn), 0);
    assert_int_equal(insn.kind, cases[i].kind);
    assert_memory_equal(insn.code, cases[i].bytes, cases[i].size);
    assert_int_equal(insn.is_call, cases[i].size && (uint8_t)cases[i].bytes[0] == 0xff &&
                                       cases[i].kind == LT_DISPLACE_EMULATE);
  }
}

/* The longest instruction there is, with the longest jump. */
static void everything_fits(void **state)
{
  (void)state;
  struct lt_displaced insn;
  assert_int_equal(
      TRANSLATE(PC - 0x90000000, "\x2e\x2e\x2e\x2e\x48\xc7\x84\x24\0\0\0\0\1\2\3", &insn), 0);
  assert_int_equal(insn.kind, LT_DISPLACE_ILLEGAL);
  assert_int_equal(
      TRANSLATE(PC - 0x90000000, "\x2e\x2e\x2e\x48\xc7\x84\x24\0\0\0\0\1\2\3\4", &insn), 0);
  assert_int_equal(insn.kind, LT_DISPLACE_RUN);
  assert_int_equal(insn.length, 15);
  assert_int_equal(insn.size, LT_SLOT_BYTES);
  assert_int_equal(number(&insn, 24), PC + 15);
  /* xbegin, whose both ends are out of reach */
  assert_int_equal(TRANSLATE(PC - 0x90000000, "\xc7\xf8\0\0\0\0", &insn), -ERANGE);
  /* and jz, which just fits */
  assert_int_equal(TRANSLATE(PC - 0x90000000, "\x74\x10", &insn), 0);
  assert_int_equal(number(&insn, 16), PC + 2 + 0x10);
  assert_int_equal(number(&insn, 24), PC + 2);
}

static void cases_agree_with_the_processor(void **state)
{
  (void)state;
  struct cases *cases = cases_start(1);
  cases_run(cases, 20000);
  assert_int_equal(cases->different, 0);
  assert_true(cases->compared > 19000);
  assert_true(cases->faults < cases->compared / 2);
  assert_true(cases->emulated > 500);
  assert_true(cases->mnemonics > 500);
  cases_end(cases);
}

static int compare(const char *count, const char *seed)
{
  struct cases *cases = cases_start(seed ? strtoull(seed, NULL, 0) : 1);
  cases_run(cases, (unsigned)strtoul(count, NULL, 0));
  printf("%u compared, %u different; %u with a signal, %u emulated, %u unknown to the decoder, "
         "%u out of reach; %u mnemonics without a signal\n",
         cases->compared, cases->different, cases->faults, cases->emulated, cases->unknown,
         cases->unreachable, cases->mnemonics);
  bool failed = cases->different != 0;
  cases_end(cases);
  return failed;
}

int main(int argc, char **argv)
{
  if (argc > 1)
    return compare(argv[1], argc > 2 ? argv[2] : NULL);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_instructions_are_copied),
      cmocka_unit_test(operands_keep_their_address),
      cmocka_unit_test(conditional_branches_have_two_ends),
      cmocka_unit_test(what_is_out_of_reach_is_jumped_to_through_memory),
      cmocka_unit_test(calls_push_the_programs_address),
      cmocka_unit_test(kinds),
      cmocka_unit_test(everything_fits),
      cmocka_unit_test(cases_agree_with_the_processor),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
