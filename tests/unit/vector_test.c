/* vector_test.c - x87, SSE and AVX registers: what the tracer writes the program finds, and the
 * other way round. */
#include "tracee.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Room for fxsave and the ymm registers; the child's copy is read and written by the tests. */
static struct {
  uint8_t fxsave[512];
  uint8_t ymm[16][32];
} area __attribute__((aligned(64), used));

/* Each stops at an int3 twice, with storing or nothing in between. */
__asm__(".pushsection .text\n"
        "sse_store:\n"
        "  ldmxcsr initial_mxcsr(%rip)\n"
        "  int3\n"
        "  fxsave64 area(%rip)\n"
        "  int3\n"
        "  ret\n"
        /* All components as the processor starts with them, as far as it tells. */
        "avx_store:\n"
        "  vzeroall\n"
        "  fninit\n"
        "  ldmxcsr initial_mxcsr(%rip)\n"
        "  int3\n"
        "  vmovups %ymm0, 512+area(%rip)\n"
        "  vmovups %ymm1, 544+area(%rip)\n"
        "  vmovups %ymm7, 736+area(%rip)\n"
        "  vmovups %ymm8, 768+area(%rip)\n"
        "  vmovups %ymm15, 992+area(%rip)\n"
        "  fxsave64 area(%rip)\n"
        "  int3\n"
        "  ret\n"
        "avx_load:\n"
        "  vmovups 512+area(%rip), %ymm0\n"
        "  vmovups 544+area(%rip), %ymm1\n"
        "  vmovups 736+area(%rip), %ymm7\n"
        "  vmovups 768+area(%rip), %ymm8\n"
        "  vmovups 992+area(%rip), %ymm15\n"
        "  fldpi\n"
        "  fld1\n"
        "  int3\n"
        "  int3\n"
        "  ret\n"
        "initial_mxcsr: .long 0x1f80\n"
        ".popsection\n");
void sse_store(void);
void avx_store(void);
void avx_load(void);

static const unsigned stored_ymm[] = {0, 1, 7, 8, 15};
#define STORED (sizeof stored_ymm / sizeof *stored_ymm)

static void run(void *function)
{
  ((void (*)(void))function)();
}

static struct tracee *start(void (*function)(void))
{
  struct tracee *tracee = tracee_start(run, (void *)function);
  tracee_run_to_trap(tracee);
  return tracee;
}

static bool has_avx(void)
{
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && c & bit_AVX && c & bit_OSXSAVE;
}

static void fetch_area(struct tracee *tracee)
{
  uint64_t addr = (uint64_t)(uintptr_t)&area;
  assert_int_equal(lt_mem_read(&tracee->thread, addr, &area, sizeof area), sizeof area);
}

static const char *numbered(const char *prefix, unsigned number)
{
  static char name[16];
  snprintf(name, sizeof name, "%s%u", prefix, number);
  return name;
}

static void fill(uint8_t *bytes, size_t size, uint32_t seed)
{
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)tracee_random(&seed);
}

static void xmm_reaches_the_program(void **state)
{
  (void)state;
  struct tracee *tracee = start(sse_store);
  uint8_t bytes[16][16], seen[16];
  for (unsigned i = 0; i < 16; i++) {
    fill(bytes[i], 16, i);
    assert_int_equal(tracee_set(tracee, numbered("xmm", i), bytes[i]), 0);
    tracee_get(tracee, numbered("xmm", i), seen);
    assert_memory_equal(seen, bytes[i], 16);
  }
  tracee_run_to_trap(tracee);
  fetch_area(tracee);
  assert_memory_equal(area.fxsave + 160, bytes, sizeof bytes);
  tracee_end(tracee);
}

static void mxcsr_reaches_the_program(void **state)
{
  (void)state;
  struct tracee *tracee = start(sse_store);
  assert_int_equal(tracee_reg(tracee, "mxcsr"), 0x1f80);
  tracee_set_reg(tracee, "mxcsr", 0x9f80); /* flush to zero */
  uint32_t reserved = 0xffff0000;
  assert_int_equal(tracee_set(tracee, "mxcsr", &reserved), -EINVAL);
  assert_int_equal(tracee_reg(tracee, "mxcsr"), 0x9f80);
  tracee_run_to_trap(tracee);
  fetch_area(tracee);
  assert_memory_equal(area.fxsave + 24, "\x80\x9f\0", 4);
  tracee_end(tracee);
}

static void x87_reaches_the_program(void **state)
{
  (void)state;
  static const uint8_t tags = 0xff; /* all in use */
  struct tracee *tracee = start(sse_store);
  uint8_t bytes[8][10];
  assert_int_equal(tracee_set(tracee, "ftag", &tags), 0);
  for (unsigned i = 0; i < 8; i++) {
    fill(bytes[i], 10, 100 + i);
    assert_int_equal(tracee_set(tracee, numbered("st", i), bytes[i]), 0);
  }
  tracee_set_reg(tracee, "fctrl", 0x27f);
  tracee_run_to_trap(tracee);
  fetch_area(tracee);
  for (unsigned i = 0; i < 8; i++)
    assert_memory_equal(area.fxsave + 32 + 16 * i, bytes[i], 10);
  assert_int_equal(area.fxsave[0] | area.fxsave[1] << 8, 0x27f);
  assert_int_equal(area.fxsave[4], 0xff);
  tracee_end(tracee);
}

static void unused_components_read_as_initial(void **state)
{
  (void)state;
  if (!has_avx())
    skip();
  struct tracee *tracee = start(avx_store);
  uint8_t zero[32] = {0}, seen[32];
  for (unsigned i = 0; i < 16; i++) {
    tracee_get(tracee, numbered("ymm", i), seen);
    assert_memory_equal(seen, zero, 32);
    tracee_get(tracee, numbered("xmm", i), seen);
    assert_memory_equal(seen, zero, 16);
  }
  tracee_get(tracee, "st0", seen);
  assert_memory_equal(seen, zero, 10);
  assert_int_equal(tracee_reg(tracee, "fctrl"), 0x37f);
  assert_int_equal(tracee_reg(tracee, "fstat"), 0);
  assert_int_equal(tracee_reg(tracee, "mxcsr"), 0x1f80);
  tracee_end(tracee);
}

/* One component is taken into use by a write; all else must stay as the processor starts. */
static void unused_components_can_be_written(void **state)
{
  (void)state;
  if (!has_avx())
    skip();
  for (unsigned k = 0; k < STORED; k++) {
    struct tracee *tracee = start(avx_store);
    uint8_t bytes[32], zero[32] = {0};
    fill(bytes, 32, 7 + k);
    assert_int_equal(tracee_set(tracee, numbered("ymm", stored_ymm[k]), bytes), 0);
    tracee_run_to_trap(tracee);
    fetch_area(tracee);
    for (unsigned i = 0; i < STORED; i++)
      assert_memory_equal(area.ymm[stored_ymm[i]], i == k ? bytes : zero, 32);
    assert_memory_equal(area.fxsave, "\x7f\x03\0\0\0", 5); /* fctrl, fstat, ftag */
    assert_memory_equal(area.fxsave + 24, "\x80\x1f\0", 4);
    tracee_end(tracee);
  }
}

static void writing_x87_leaves_the_rest_initial(void **state)
{
  (void)state;
  if (!has_avx())
    skip();
  struct tracee *tracee = start(avx_store);
  uint8_t bytes[10], zero[16 * 16] = {0};
  fill(bytes, 10, 3);
  assert_int_equal(tracee_set(tracee, "st5", bytes), 0);
  tracee_run_to_trap(tracee);
  fetch_area(tracee);
  assert_memory_equal(area.fxsave + 32 + 5 * 16, bytes, 10);
  assert_memory_equal(area.fxsave, "\x7f\x03\0\0\0", 5);
  assert_memory_equal(area.fxsave + 160, zero, sizeof zero);
  assert_memory_equal(area.fxsave + 32, zero, 5 * 16);
  tracee_end(tracee);
}

static void writing_xmm_keeps_the_upper_half(void **state)
{
  (void)state;
  if (!has_avx())
    skip();
  struct tracee *tracee = start(avx_store);
  uint8_t bytes[32], low[16];
  fill(bytes, 32, 11);
  fill(low, 16, 12);
  assert_int_equal(tracee_set(tracee, "ymm8", bytes), 0);
  assert_int_equal(tracee_set(tracee, "xmm8", low), 0);
  memcpy(bytes, low, 16);
  tracee_run_to_trap(tracee);
  fetch_area(tracee);
  assert_memory_equal(area.ymm[8], bytes, 32);
  tracee_end(tracee);
}

static void what_the_program_has_is_read(void **state)
{
  (void)state;
  if (!has_avx())
    skip();
  fill(&area.ymm[0][0], sizeof area.ymm, 5);
  struct tracee *tracee = start(avx_load);
  uint8_t seen[32];
  for (unsigned i = 0; i < STORED; i++) {
    tracee_get(tracee, numbered("ymm", stored_ymm[i]), seen);
    assert_memory_equal(seen, area.ymm[stored_ymm[i]], 32);
    tracee_get(tracee, numbered("xmm", stored_ymm[i]), seen);
    assert_memory_equal(seen, area.ymm[stored_ymm[i]], 16);
  }
  long double pi = 0, one = 0;
  tracee_get(tracee, "st0", &one);
  tracee_get(tracee, "st1", &pi);
  assert_true(one == 1.0L && pi > 3.14L && pi < 3.15L);
  assert_int_equal(tracee_reg(tracee, "ftag"), 0xc0);
  tracee_end(tracee);
}

/* Nothing may change that was not written. */
static void other_state_survives_a_write(void **state)
{
  (void)state;
  if (!has_avx())
    skip();
  fill(&area.ymm[0][0], sizeof area.ymm, 6);
  struct tracee *tracee = start(avx_load);
  uint8_t bytes[32], seen[32];
  fill(bytes, 32, 9);
  assert_int_equal(tracee_set(tracee, "ymm1", bytes), 0);
  tracee_run_to_trap(tracee);
  tracee_get(tracee, "ymm1", seen);
  assert_memory_equal(seen, bytes, 32);
  for (unsigned i = 2; i < STORED; i++) {
    tracee_get(tracee, numbered("ymm", stored_ymm[i]), seen);
    assert_memory_equal(seen, area.ymm[stored_ymm[i]], 32);
  }
  long double one = 0;
  tracee_get(tracee, "st0", &one);
  assert_true(one == 1.0L);
  tracee_end(tracee);
}

/* A kernel without XSAVE gives the FXSAVE area alone. */
static void without_xsave_there_is_no_ymm(void **state)
{
  (void)state;
  const struct lt_arch *arch = lt_arch_get(LT_ABI_X86_64);
  static uint64_t room[LT_VECTOR_BYTES / 8];
  struct lt_regs regs = {.vector = (uint8_t *)room, .vector_size = 512};
  uint8_t bytes[32], seen[32];
  fill(bytes, 32, 1);
  const struct lt_reg *xmm3 = lt_reg_find(LT_ABI_X86_64, "xmm3");
  const struct lt_reg *ymm3 = lt_reg_find(LT_ABI_X86_64, "ymm3");
  assert_int_equal(arch->get(&regs, ymm3, seen), -ENODEV);
  assert_int_equal(arch->set(&regs, ymm3, bytes), -ENODEV);
  assert_int_equal(arch->set(&regs, xmm3, bytes), 0);
  assert_int_equal(arch->get(&regs, xmm3, seen), 0);
  assert_memory_equal(seen, bytes, 16);
  assert_memory_equal(regs.vector + 160 + 48, bytes, 16);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(xmm_reaches_the_program),
      cmocka_unit_test(mxcsr_reaches_the_program),
      cmocka_unit_test(x87_reaches_the_program),
      cmocka_unit_test(unused_components_read_as_initial),
      cmocka_unit_test(unused_components_can_be_written),
      cmocka_unit_test(writing_x87_leaves_the_rest_initial),
      cmocka_unit_test(writing_xmm_keeps_the_upper_half),
      cmocka_unit_test(what_the_program_has_is_read),
      cmocka_unit_test(other_state_survives_a_write),
      cmocka_unit_test(without_xsave_there_is_no_ymm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
