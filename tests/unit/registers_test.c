/* registers_test.c - general registers: names, views, write back, calls, the program counter. */
#include "tracee.h"

#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Stops at an int3, then stores what is in the registers. The order is that of `names`. */
__asm__(".pushsection .text\n"
        "store_general:\n"
        "  push %rbx\n  push %rbp\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  int3\n"
        "  mov %rax, seen(%rip)\n"
        "  mov %rbx, 8+seen(%rip)\n"
        "  mov %rcx, 16+seen(%rip)\n"
        "  mov %rdx, 24+seen(%rip)\n"
        "  mov %rsi, 32+seen(%rip)\n"
        "  mov %rdi, 40+seen(%rip)\n"
        "  mov %rbp, 48+seen(%rip)\n"
        "  mov %r8, 56+seen(%rip)\n"
        "  mov %r9, 64+seen(%rip)\n"
        "  mov %r10, 72+seen(%rip)\n"
        "  mov %r11, 80+seen(%rip)\n"
        "  mov %r12, 88+seen(%rip)\n"
        "  mov %r13, 96+seen(%rip)\n"
        "  mov %r14, 104+seen(%rip)\n"
        "  mov %r15, 112+seen(%rip)\n"
        "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbp\n  pop %rbx\n"
        "  ret\n"
        "wait_and_die:\n"
        "  mov $34, %eax\n" /* pause */
        "  syscall\n"
        "  ud2\n"
        "landing:\n"
        "  mov $60, %eax\n"
        "  mov $33, %edi\n"
        "  syscall\n"
        "  ud2\n"
        /* close(5) by int 0x80 with all of rbx in use; exit with whether rbx is still the same */
        "old_call:\n"
        "  movabs $0xaaaabbbb00000005, %rbx\n"
        "  mov $6, %eax\n"
        "  int $0x80\n"
        "  movabs $0xaaaabbbb00000005, %rcx\n"
        "  xor %edi, %edi\n"
        "  cmp %rcx, %rbx\n"
        "  setne %dil\n"
        "  cmp $-77, %rax\n"
        "  je 1f\n"
        "  or $2, %edi\n"
        "1: mov $60, %eax\n"
        "  syscall\n"
        ".popsection\n");

void store_general(void);
void wait_and_die(void);
void landing(void);
void old_call(void);

static const char *const names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
                                    "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
#define NAMES (sizeof names / sizeof *names)
extern uint64_t seen[NAMES];
uint64_t seen[NAMES];
static uint64_t expected[NAMES];

static void store_and_check(void *data)
{
  (void)data;
  store_general();
  _exit(memcmp(seen, expected, sizeof seen) ? 1 : 0);
}

static struct tracee *at_store(void)
{
  struct tracee *tracee = tracee_start(store_and_check, NULL);
  tracee_run_to_trap(tracee);
  return tracee;
}

static void expect(struct tracee *tracee, size_t i, uint64_t value)
{
  ssize_t size = sizeof value;
  uint64_t addr = (uint64_t)(uintptr_t)&expected[i];
  assert_int_equal(lt_mem_write(&tracee->thread, addr, &value, sizeof value), size);
}

static void tables_are_sorted_and_unique(void **state)
{
  (void)state;
  for (int abi = 0; abi < LT_ABI_COUNT; abi++) {
    size_t count;
    const struct lt_reg *table = lt_reg_table((enum lt_abi)abi, &count);
    assert_true(count > 60);
    for (size_t i = 0; i < count; i++) {
      assert_ptr_equal(lt_reg_find((enum lt_abi)abi, table[i].name), &table[i]);
      if (i && strcmp(table[i - 1].name, table[i].name) >= 0)
        fail_msg("%s is out of order", table[i].name);
    }
    assert_null(lt_reg_find((enum lt_abi)abi, ""));
    assert_null(lt_reg_find((enum lt_abi)abi, "rzx"));
  }
  assert_null(lt_reg_find(LT_ABI_I386, "rax"));
  assert_null(lt_reg_find((enum lt_abi)7, "rax"));
}

static void each_register_reaches_the_program(void **state)
{
  (void)state;
  struct tracee *tracee = at_store();
  assert_int_equal(lt_thread_abi(&tracee->thread), LT_ABI_X86_64);
  for (size_t i = 0; i < NAMES; i++) {
    uint64_t value = 0x0123456789abcdef * (i + 1);
    tracee_set_reg(tracee, names[i], value);
    assert_int_equal(tracee_reg(tracee, names[i]), value);
    expect(tracee, i, value);
  }
  tracee_run_to_exit(tracee, 0);
  tracee_end(tracee);
}

struct view {
  const char *whole, *name;
  uint64_t mask;  /* the bits that the view shows */
  uint64_t kept;  /* the bits that writing it leaves alone */
  unsigned shift; /* of the view in the whole */
};

static const struct view views[] = {
    {"rax", "eax", 0xffffffff, 0, 0},
    {"rax", "ax", 0xffff, ~(uint64_t)0xffff, 0},
    {"rax", "al", 0xff, ~(uint64_t)0xff, 0},
    {"rax", "ah", 0xff, ~(uint64_t)0xff00, 8},
    {"rbx", "bh", 0xff, ~(uint64_t)0xff00, 8},
    {"rsi", "esi", 0xffffffff, 0, 0},
    {"rsi", "si", 0xffff, ~(uint64_t)0xffff, 0},
    {"rsi", "sil", 0xff, ~(uint64_t)0xff, 0},
    {"rbp", "bpl", 0xff, ~(uint64_t)0xff, 0},
    {"r8", "r8d", 0xffffffff, 0, 0},
    {"r8", "r8w", 0xffff, ~(uint64_t)0xffff, 0},
    {"r15", "r15b", 0xff, ~(uint64_t)0xff, 0},
};

static void views_follow_the_processor(void **state)
{
  (void)state;
  const uint64_t before = 0xfedcba9876543210, value = 0x1122334455667788;
  struct tracee *tracee = at_store();
  for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
    const struct view *view = &views[i];
    tracee_set_reg(tracee, view->whole, before);
    assert_int_equal(tracee_reg(tracee, view->name), before >> view->shift & view->mask);
    tracee_set_reg(tracee, view->name, value);
    uint64_t after = (before & view->kept) | (value & view->mask) << view->shift;
    assert_int_equal(tracee_reg(tracee, view->whole), after);
  }
  tracee_end(tracee);
}

static void narrow_writes_reach_the_program(void **state)
{
  (void)state;
  struct tracee *tracee = at_store();
  for (size_t i = 0; i < NAMES; i++) {
    tracee_set_reg(tracee, names[i], ~(uint64_t)0);
    expect(tracee, i, ~(uint64_t)0);
  }
  tracee_set_reg(tracee, "eax", 0x80000001);
  expect(tracee, 0, 0x80000001);
  tracee_set_reg(tracee, "bh", 0);
  expect(tracee, 1, 0xffffffffffff00ff);
  tracee_set_reg(tracee, "r15w", 0x1234);
  expect(tracee, 14, 0xffffffffffff1234);
  tracee_run_to_exit(tracee, 0);
  tracee_end(tracee);
}

static void aliases_are_whole_registers(void **state)
{
  (void)state;
  struct tracee *tracee = at_store();
  uint64_t pc, sp;
  assert_int_equal(lt_thread_pc(&tracee->thread, &pc), 0);
  assert_int_equal(lt_thread_sp(&tracee->thread, &sp), 0);
  assert_int_equal(tracee_reg(tracee, "pc"), pc);
  assert_int_equal(tracee_reg(tracee, "rip"), pc);
  assert_int_equal(tracee_reg(tracee, "eip"), (uint32_t)pc);
  assert_int_equal(tracee_reg(tracee, "sp"), sp);
  assert_int_equal(tracee_reg(tracee, "rsp"), sp);
  assert_int_equal(tracee_reg(tracee, "flags"), tracee_reg(tracee, "rflags"));
  assert_int_equal(tracee_reg(tracee, "cs"), 0x33);
  assert_true(tracee_reg(tracee, "fs_base") != 0);
  tracee_end(tracee);
}

static void refused_values_change_nothing(void **state)
{
  (void)state;
  struct tracee *tracee = at_store();
  uint64_t none = 0, all = ~(uint64_t)0, base = tracee_reg(tracee, "fs_base");
  for (size_t i = 0; i < NAMES; i++) {
    tracee_set_reg(tracee, names[i], i);
    expect(tracee, i, i);
  }
  assert_int_equal(tracee_set(tracee, "cs", &none), -EINVAL);
  assert_int_equal(tracee_set(tracee, "fs_base", &all), -EINVAL);
  assert_non_null(strstr(lt_error(&tracee->session), "fs_base"));
  assert_int_equal(tracee_reg(tracee, "cs"), 0x33);
  assert_int_equal(tracee_reg(tracee, "fs_base"), base);
  tracee_set_reg(tracee, "fs_base", base);
  tracee_run_to_exit(tracee, 0);
  tracee_end(tracee);
}

static void access_needs_a_stopped_thread(void **state)
{
  (void)state;
  struct tracee *tracee = at_store();
  const struct lt_reg *rax = lt_reg_find(LT_ABI_X86_64, "rax");
  uint64_t value = 0;
  tracee->thread.state = LT_ST_RUNNING;
  assert_int_equal(lt_reg_get(&tracee->thread, rax, &value), -EBUSY);
  assert_int_equal(lt_reg_set(&tracee->thread, rax, &value), -EBUSY);
  assert_non_null(strstr(lt_error(&tracee->session), "is running"));
  tracee->thread.state = LT_ST_STOPPED;
  tracee_end(tracee);
}

static void hc8_a_killed_thread_is_dying(void **state)
{
  (void)state;
  struct tracee *tracee = at_store();
  kill(tracee->thread.tid, SIGKILL);
  int status;
  waitpid(tracee->thread.tid, &status, __WALL);
  uint64_t value;
  lt_regs_forget(&tracee->thread);
  assert_int_equal(lt_thread_pc(&tracee->thread, &value), -ESRCH);
  assert_int_equal(tracee->thread.state, LT_ST_DYING);
  tracee->thread.state = LT_ST_DEAD;
  tracee_end(tracee);
}

static void wait_for_ever(void *data)
{
  (void)data;
  wait_and_die();
}

/* Stop in a blocking call by a signal that is then suppressed: the call would be restarted. */
static void stop_in_pause(struct tracee *tracee)
{
  assert_int_equal(ptrace(PTRACE_SYSCALL, tracee->thread.tid, 0, 0), 0);
  int status;
  assert_int_equal(waitpid(tracee->thread.tid, &status, __WALL), tracee->thread.tid);
  assert_int_equal(WSTOPSIG(status), SIGTRAP | 0x80);
  kill(tracee->process.pid, SIGUSR1);
  status = tracee_resume(tracee, PTRACE_CONT, 0);
  assert_true(WIFSTOPPED(status));
  assert_int_equal(WSTOPSIG(status), SIGUSR1);
}

static void hc66_setting_pc_cancels_a_restart(void **state)
{
  (void)state;
  static const char *const pcs[] = {"pc", "rip"};
  for (int i = 0; i < 2; i++) {
    struct tracee *tracee = tracee_start(wait_for_ever, NULL);
    stop_in_pause(tracee);
    assert_int_equal(tracee_reg(tracee, "orig_rax"), SYS_pause);
    tracee_set_reg(tracee, pcs[i], (uint64_t)(uintptr_t)landing);
    assert_int_equal(tracee_reg(tracee, "orig_rax"), ~(uint64_t)0);
    tracee_run_to_exit(tracee, 33);
    tracee_end(tracee);
  }
}

static void hc66_every_view_of_pc_cancels(void **state)
{
  (void)state;
  static const char *const pcs[] = {"pc", "rip", "eip", "ip"};
  struct tracee *tracee = tracee_start(wait_for_ever, NULL);
  stop_in_pause(tracee);
  for (int i = 0; i < 4; i++) {
    tracee_set_reg(tracee, "orig_rax", SYS_pause);
    tracee_set_reg(tracee, pcs[i], 0x1000);
    assert_int_equal(tracee_reg(tracee, "orig_rax"), ~(uint64_t)0);
  }
  tracee_end(tracee);
}

static void hc66_a_call_still_runs_when_pc_is_set_at_its_entry(void **state)
{
  (void)state;
  struct tracee *tracee = tracee_start(wait_for_ever, NULL);
  assert_true(WIFSTOPPED(tracee_resume(tracee, PTRACE_SYSCALL, 0)));
  tracee->thread.stop.kind = LT_SYSCALL_ENTRY;
  tracee_set_reg(tracee, "orig_rax", SYS_getppid);
  tracee_set_reg(tracee, "pc", (uint64_t)(uintptr_t)landing);
  assert_int_equal(tracee_reg(tracee, "orig_rax"), SYS_getppid);
  assert_true(WIFSTOPPED(tracee_resume(tracee, PTRACE_SYSCALL, 0)));
  assert_int_equal(tracee_reg(tracee, "rax"), getpid());
  tracee_run_to_exit(tracee, 33);
  tracee_end(tracee);
}

static void make_old_call(void *data)
{
  (void)data;
  old_call();
}

/* The registers are those of the 64-bit ABI, the call is one of the other. */
static void hc68_int80_from_64_bit_code_keeps_upper_halves(void **state)
{
  (void)state;
  const struct lt_arch *i386 = lt_arch_by_audit(AUDIT_ARCH_I386);
  const struct lt_regs *view;
  struct lt_regs *regs;
  struct tracee *tracee = tracee_start(make_old_call, NULL);
  assert_true(WIFSTOPPED(tracee_resume(tracee, PTRACE_SYSCALL, 0)));
  assert_int_equal(lt_thread_abi(&tracee->thread), LT_ABI_X86_64);
  assert_int_equal(lt_regs_general(&tracee->thread, &view), 0);
  assert_int_equal(i386->call_nr(view), 6);
  assert_int_equal(i386->call_arg(view, 0), 5);
  assert_int_equal(lt_regs_change(&tracee->thread, &regs), 0);
  i386->set_call_arg(regs, 0, 777777);
  assert_true(WIFSTOPPED(tracee_resume(tracee, PTRACE_SYSCALL, 0)));
  assert_int_equal(lt_regs_change(&tracee->thread, &regs), 0);
  i386->set_call_arg(regs, 0, 5);
  i386->set_call_ret(regs, -77);
  tracee_run_to_exit(tracee, 0);
  tracee_end(tracee);
}

static void special_calls_are_known(void **state)
{
  (void)state;
  const struct lt_arch *arch = lt_arch_get(LT_ABI_X86_64);
  assert_int_equal(arch->special(SYS_execve), LT_SYS_EXECVE);
  assert_int_equal(arch->special(SYS_execveat), LT_SYS_EXECVE);
  assert_int_equal(arch->special(SYS_rt_sigreturn), LT_SYS_SIGRETURN);
  assert_int_equal(arch->special(SYS_clone), LT_SYS_CLONE);
  assert_int_equal(arch->special(SYS_clone3), LT_SYS_CLONE3);
  assert_int_equal(arch->special(SYS_restart_syscall), LT_SYS_RESTART);
  assert_int_equal(arch->special(SYS_fork), LT_SYS_FORK);
  assert_int_equal(arch->special(SYS_getpid), LT_SYS_OTHER);
  assert_int_equal(arch->special(LT_NR_UNKNOWN), LT_SYS_OTHER);
  assert_ptr_equal(lt_arch_by_audit(AUDIT_ARCH_X86_64), arch);
  assert_null(lt_arch_by_audit(AUDIT_ARCH_AARCH64));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tables_are_sorted_and_unique),
      cmocka_unit_test(each_register_reaches_the_program),
      cmocka_unit_test(views_follow_the_processor),
      cmocka_unit_test(narrow_writes_reach_the_program),
      cmocka_unit_test(aliases_are_whole_registers),
      cmocka_unit_test(refused_values_change_nothing),
      cmocka_unit_test(access_needs_a_stopped_thread),
      cmocka_unit_test(hc8_a_killed_thread_is_dying),
      cmocka_unit_test(hc66_setting_pc_cancels_a_restart),
      cmocka_unit_test(hc66_every_view_of_pc_cancels),
      cmocka_unit_test(hc66_a_call_still_runs_when_pc_is_set_at_its_entry),
      cmocka_unit_test(hc68_int80_from_64_bit_code_keeps_upper_halves),
      cmocka_unit_test(special_calls_are_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
