/* i386_test.c - registers, calls and memory of a 32-bit program (tracee_i386.c). */
#include "tracee.h"

#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static struct tracee *start(void)
{
  struct tracee *tracee = tracee_start_i386();
  if (!tracee)
    skip();
  tracee_run_to_trap(tracee);
  return tracee;
}

static uint32_t stored(struct tracee *tracee, unsigned at)
{
  uint32_t value = 0;
  assert_int_equal(lt_mem_read(&tracee->thread, TRACEE_I386_DATA + at, &value, 4), 4);
  return value;
}

static void the_abi_goes_by_cs(void **state)
{
  (void)state;
  struct tracee *tracee = start();
  uint64_t pc, sp;
  assert_int_equal(lt_thread_abi(&tracee->thread), LT_ABI_I386);
  assert_int_equal(tracee_reg(tracee, "cs"), 0x23);
  assert_int_equal(lt_thread_pc(&tracee->thread, &pc), 0);
  assert_int_equal(lt_thread_sp(&tracee->thread, &sp), 0);
  assert_int_equal(pc, 0x08048101);
  assert_int_equal(tracee_reg(tracee, "pc"), pc);
  assert_int_equal(tracee_reg(tracee, "sp"), sp);
  assert_int_equal(lt_reg_find(LT_ABI_I386, "pc")->size, 4);
  assert_ptr_equal(lt_arch_by_audit(AUDIT_ARCH_I386), lt_arch_get(LT_ABI_I386));
  tracee_end(tracee);
}

static void each_register_reaches_the_program(void **state)
{
  (void)state;
  static const char *const names[] = {"eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp"};
  struct tracee *tracee = start();
  for (unsigned i = 0; i < 7; i++)
    tracee_set_reg(tracee, names[i], 0x89abcdef + i);
  tracee_set_reg(tracee, "bh", 0x55);
  tracee_set_reg(tracee, "cx", 0x1234);
  tracee_set_reg(tracee, "dl", 0x66);
  tracee_set_reg(tracee, "eflags", tracee_reg(tracee, "eflags") | 1);
  uint64_t sp = tracee_reg(tracee, "esp");
  tracee_run_to_trap(tracee);
  assert_int_equal(stored(tracee, 0), 0x89abcdef);
  assert_int_equal(stored(tracee, 4), 0x89ab55f0);
  assert_int_equal(stored(tracee, 8), 0x89ab1234);
  assert_int_equal(stored(tracee, 12), 0x89abcd66);
  for (unsigned i = 4; i < 7; i++)
    assert_int_equal(stored(tracee, 4 * i), 0x89abcdef + i);
  assert_int_equal(stored(tracee, 28), sp);
  assert_int_equal(stored(tracee, 32) & 1, 1);
  tracee_end(tracee);
}

static void vectors_reach_the_program(void **state)
{
  (void)state;
  struct tracee *tracee = start();
  uint8_t bytes[16], seen[16];
  for (unsigned i = 0; i < 16; i++)
    bytes[i] = (uint8_t)(i * 17 + 1);
  assert_int_equal(tracee_set(tracee, "xmm7", bytes), 0);
  assert_int_equal(tracee_set(tracee, "st0", bytes), 0);
  uint8_t in_use = 1; /* physical register 0 is st0 while the stack pointer is 0 */
  assert_int_equal(tracee_set(tracee, "ftag", &in_use), 0);
  tracee_run_to_trap(tracee);
  assert_int_equal(lt_mem_read(&tracee->thread, TRACEE_I386_DATA + 0x40, seen, 16), 16);
  assert_memory_equal(seen, bytes, 16);
  assert_int_equal(lt_mem_read(&tracee->thread, TRACEE_I386_DATA + 0x50, seen, 10), 10);
  assert_memory_equal(seen, bytes, 10);
  assert_null(lt_reg_find(LT_ABI_I386, "xmm8"));
  tracee_end(tracee);
}

static void hc66_setting_eip_cancels_a_restart(void **state)
{
  (void)state;
  struct tracee *tracee = start();
  tracee_run_to_trap(tracee);
  assert_true(WIFSTOPPED(tracee_resume(tracee, PTRACE_SYSCALL, 0)));
  kill(tracee->process.pid, SIGUSR1);
  int status = tracee_resume(tracee, PTRACE_CONT, 0);
  assert_int_equal(WSTOPSIG(status), SIGUSR1);
  assert_int_equal(tracee_reg(tracee, "orig_eax"), 29);
  tracee_set_reg(tracee, "eip", stored(tracee, 0x60));
  assert_int_equal(tracee_reg(tracee, "orig_eax"), 0xffffffff);
  tracee_run_to_exit(tracee, 33);
  tracee_end(tracee);
}

/* Stop at the entry of pause(2). */
static struct lt_regs *at_call(struct tracee *tracee)
{
  struct lt_regs *regs;
  tracee_run_to_trap(tracee);
  assert_true(WIFSTOPPED(tracee_resume(tracee, PTRACE_SYSCALL, 0)));
  assert_int_equal(lt_regs_change(&tracee->thread, &regs), 0);
  return regs;
}

static void calls_take_32_bits(void **state)
{
  (void)state;
  const struct lt_arch *arch = lt_arch_get(LT_ABI_I386);
  struct tracee *tracee = start();
  static const char *const order[] = {"ebx", "ecx", "edx", "esi", "edi", "ebp"};
  for (unsigned i = 0; i < LT_CALL_ARGS; i++)
    tracee_set_reg(tracee, order[i], 0x80000000 + i);
  struct lt_regs *regs = at_call(tracee);
  assert_int_equal(arch->call_nr(regs), 29);
  for (unsigned i = 0; i < LT_CALL_ARGS; i++) {
    assert_int_equal(arch->call_arg(regs, i), 0x80000000 + i);
    arch->set_call_arg(regs, i, ~(uint64_t)i);
    assert_int_equal(arch->call_arg(regs, i), (uint32_t)~i);
    assert_int_equal(tracee_reg(tracee, order[i]), (uint32_t)~i);
  }
  tracee_end(tracee);
}

/* pause(2) becomes exit(2) with another code. */
static void a_changed_argument_reaches_the_kernel(void **state)
{
  (void)state;
  struct tracee *tracee = start();
  struct lt_regs *regs = at_call(tracee);
  lt_arch_get(LT_ABI_I386)->set_call_arg(regs, 0, 0xffffffff00000000 + 42);
  tracee_set_reg(tracee, "orig_eax", 1);
  tracee_run_to_exit(tracee, 42);
  tracee_end(tracee);
}

static void results_are_zero_extended(void **state)
{
  (void)state;
  struct tracee *tracee = start();
  struct lt_regs *regs = at_call(tracee);
  lt_arch_get(LT_ABI_I386)->set_call_ret(regs, -ENOENT);
  assert_int_equal(regs->general[10], 0xfffffffe); /* rax */
  assert_int_equal(tracee_reg(tracee, "eax"), 0xfffffffe);
  tracee_end(tracee);
}

static void special_calls_are_known(void **state)
{
  (void)state;
  const struct lt_arch *arch = lt_arch_get(LT_ABI_I386);
  assert_int_equal(arch->special(11), LT_SYS_EXECVE);
  assert_int_equal(arch->special(358), LT_SYS_EXECVE);
  assert_int_equal(arch->special(119), LT_SYS_SIGRETURN);
  assert_int_equal(arch->special(173), LT_SYS_SIGRETURN);
  assert_int_equal(arch->special(120), LT_SYS_CLONE);
  assert_int_equal(arch->special(435), LT_SYS_CLONE3);
  assert_int_equal(arch->special(0), LT_SYS_RESTART);
  assert_int_equal(arch->special(59), LT_SYS_OTHER);
}

static void hc74_nothing_is_above_4_gib(void **state)
{
  (void)state;
  struct tracee *tracee = start();
  uint8_t byte = 1;
  bool whole;
  char text[2];
  for (uint64_t addr = (uint64_t)1 << 32; addr; addr <<= 1) {
    uint64_t at = addr | TRACEE_I386_DATA;
    assert_int_equal(lt_mem_read(&tracee->thread, at, &byte, 1), -EFAULT);
    assert_int_equal(lt_mem_write(&tracee->thread, at, &byte, 1), -EFAULT);
    assert_int_equal(lt_mem_string(&tracee->thread, at, text, 1, &whole), -EFAULT);
  }
  assert_int_equal(stored(tracee, 0), 0);
  tracee_end(tracee);
}

static void hc72_text_can_be_written(void **state)
{
  (void)state;
  struct tracee *tracee = start();
  uint64_t pc;
  assert_int_equal(lt_thread_pc(&tracee->thread, &pc), 0);
  /* mov $1,%eax; mov $57,%ebx; int $0x80 */
  static const uint8_t code[] = {0xb8, 1, 0, 0, 0, 0xbb, 57, 0, 0, 0, 0xcd, 0x80};
  assert_int_equal(lt_mem_write(&tracee->thread, pc, code, sizeof code), sizeof code);
  tracee_run_to_exit(tracee, 57);
  tracee_end(tracee);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_abi_goes_by_cs),
      cmocka_unit_test(each_register_reaches_the_program),
      cmocka_unit_test(vectors_reach_the_program),
      cmocka_unit_test(hc66_setting_eip_cancels_a_restart),
      cmocka_unit_test(calls_take_32_bits),
      cmocka_unit_test(a_changed_argument_reaches_the_kernel),
      cmocka_unit_test(results_are_zero_extended),
      cmocka_unit_test(special_calls_are_known),
      cmocka_unit_test(hc74_nothing_is_above_4_gib),
      cmocka_unit_test(hc72_text_can_be_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
