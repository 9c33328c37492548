/* arch_i386.c - the i386 ABI: registers, calling convention of system calls.
 *
 * To a 64-bit tracer the kernel shows 32-bit registers in the layout of the 64-bit ones, the upper
 * halves zero. This ABI is also that of a call made by 64-bit code through `int 0x80`: the kernel
 * takes the lower halves of the registers then, and the upper ones are still the program's. */
#include <linux/audit.h>

#include "x86_state.h"

/* Sorted by name (lt_reg_find halves it). "sp", "pc" and "flags" are the whole registers, so the
 * lower 16 bits of esp have no name. `ftag` is FXSAVE's: bit i tells that physical register i is
 * in use. */
static const struct lt_reg registers[] = {
    HIGH("ah", rax),
    I8("al", rax),
    I16("ax", rax),
    HIGH("bh", rbx),
    I8("bl", rbx),
    I16("bp", rbp),
    I16("bx", rbx),
    HIGH("ch", rcx),
    I8("cl", rcx),
    SEG("cs", cs),
    I16("cx", rcx),
    HIGH("dh", rdx),
    I16("di", rdi),
    I8("dl", rdx),
    SEG("ds", ds),
    I16("dx", rdx),
    I32("eax", rax),
    I32("ebp", rbp),
    I32("ebx", rbx),
    I32("ecx", rcx),
    I32("edi", rdi),
    I32("edx", rdx),
    I32("eflags", eflags),
    PC32("eip"),
    SEG("es", es),
    I32("esi", rsi),
    I32("esp", rsp),
    X87("fctrl", 0, 2),
    X87("fioff", 8, 4),
    X87("fiseg", 12, 4),
    I32("flags", eflags),
    X87("fooff", 16, 4),
    X87("fop", 6, 2),
    X87("foseg", 20, 4),
    SEG("fs", fs),
    X87("fstat", 2, 2),
    X87("ftag", 4, 1),
    SEG("gs", gs),
    PC16("ip"),
    MXCSR("mxcsr"),
    I32("orig_eax", orig_rax),
    PC32("pc"),
    I16("si", rsi),
    I32("sp", rsp),
    SEG("ss", ss),
    ST("st0", 0),
    ST("st1", 1),
    ST("st2", 2),
    ST("st3", 3),
    ST("st4", 4),
    ST("st5", 5),
    ST("st6", 6),
    ST("st7", 7),
    XMM("xmm0", 0),
    XMM("xmm1", 1),
    XMM("xmm2", 2),
    XMM("xmm3", 3),
    XMM("xmm4", 4),
    XMM("xmm5", 5),
    XMM("xmm6", 6),
    XMM("xmm7", 7),
    YMM("ymm0", 0),
    YMM("ymm1", 1),
    YMM("ymm2", 2),
    YMM("ymm3", 3),
    YMM("ymm4", 4),
    YMM("ymm5", 5),
    YMM("ymm6", 6),
    YMM("ymm7", 7),
};

static uint64_t pc(const struct lt_regs *regs)
{
  return (uint32_t)lt_x86_view(regs)->rip;
}

static uint64_t sp(const struct lt_regs *regs)
{
  return (uint32_t)lt_x86_view(regs)->rsp;
}

/* Where an argument is, as an index of general[]; the caller has checked the range. */
static size_t arg_word(unsigned index)
{
  static const uint8_t offsets[LT_CALL_ARGS] = {
      offsetof(struct user_regs_struct, rbx), offsetof(struct user_regs_struct, rcx),
      offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, rsi),
      offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rbp),
  };
  return offsets[index] / sizeof(uint64_t);
}

static uint64_t call_arg(const struct lt_regs *regs, unsigned index)
{
  return (uint32_t)regs->general[arg_word(index)];
}

/* The kernel does not look at the upper half, but 64-bit code behind an `int 0x80` does. */
static void set_call_arg(struct lt_regs *regs, unsigned index, uint64_t value)
{
  uint64_t *word = &regs->general[arg_word(index)];
  uint64_t upper = lt_x86_is_64(regs) ? *word >> 32 << 32 : 0;
  *word = upper | (uint32_t)value;
}

/* 64-bit code finds the result sign-extended, as the kernel would have left it. */
static void set_call_ret(struct lt_regs *regs, int64_t value)
{
  lt_x86_user(regs)->rax = lt_x86_is_64(regs) ? (uint64_t)value : (uint32_t)value;
}

static enum lt_special special(uint64_t nr)
{
  switch (nr) {
  case 0:
    return LT_SYS_RESTART;
  case 2:
  case 190: /* vfork */
    return LT_SYS_FORK;
  case 11:
  case 358: /* execveat */
    return LT_SYS_EXECVE;
  case 119:
  case 173: /* rt_sigreturn */
    return LT_SYS_SIGRETURN;
  case 120:
    return LT_SYS_CLONE;
  case 435:
    return LT_SYS_CLONE3;
  default:
    return LT_SYS_OTHER;
  }
}

const struct lt_arch lt_arch_i386 = {
    .name = "i386",
    .abi = LT_ABI_I386,
    .audit = AUDIT_ARCH_I386,
    .word = 4,
    .fetch_general = lt_x86_fetch_general,
    .flush_general = lt_x86_flush_general,
    .fetch_vector = lt_x86_fetch_vector,
    .flush_vector = lt_x86_flush_vector,
    .table = registers,
    .count = sizeof registers / sizeof *registers,
    .is_vector = lt_x86_is_vector,
    .get = lt_x86_get,
    .set = lt_x86_set,
    .pc = pc,
    .sp = sp,
    .call_nr = lt_x86_call_nr,
    .call_arg = call_arg,
    .set_call_arg = set_call_arg,
    .set_call_ret = set_call_ret,
    .call_bytes = {0xcd, 0x80},
    .mmap_nr = 192, /* mmap2 */
    .munmap_nr = 91,
    .set_call_nr = lt_x86_set_call_nr,
    .begin_call = lt_x86_begin_call,
    .redo_call = lt_x86_redo_call,
    .special = special,
    .is_pc = lt_x86_is_pc,
    .cancel_restart = lt_x86_cancel_restart,
    .is_checked = lt_x86_is_checked,
};
