/* arch_i386.c - the i386 ABI: registers, calling convention of system calls.
 *
 * To a 64-bit tracer the kernel shows 32-bit registers in the layout of the 64-bit ones, the upper
 * halves zero. This ABI is also that of a call made by 64-bit code through `int 0x80`: the kernel
 * takes the lower halves of the registers then, and the upper ones are still the program's. */
#include <errno.h>
#include <linux/audit.h>
#include <string.h>

#include "x86_displace.h"
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
  case 156: /* sched_setscheduler */
  case 241: /* sched_setaffinity */
  case 242: /* sched_getaffinity */
  case 351: /* sched_setattr */
    return LT_SYS_CPUS;
  case 120:
    return LT_SYS_CLONE;
  case 435:
    return LT_SYS_CLONE3;
  default:
    return LT_SYS_OTHER;
  }
}

/* This ABI promises nothing below the stack pointer; some code relies on it all the same. */
#define RED_ZONE 128

/* Bytes of an argument on the stack. */
static size_t size_of(const struct lt_fn_arg *arg)
{
  return arg->type == LT_FN_DOUBLE || arg->type == LT_FN_INT64 ? 8 : 4;
}

static int put_arg(const struct lt_fn_arg *arg, uint8_t *to)
{
  int64_t value = (int64_t)arg->integer;
  float narrow = arg->type == LT_FN_FLOAT ? (float)arg->number : 0;
  if (arg->type == LT_FN_INT && (value < INT32_MIN || value > (int64_t)UINT32_MAX))
    return -ERANGE;
  if (arg->type == LT_FN_FLOAT)
    memcpy(to, &narrow, sizeof narrow);
  else
    memcpy(to, &arg->integer, size_of(arg));
  return 0;
}

/* All arguments are on the stack, whose pointer is a multiple of 16 before the return address. */
static int begin_function(struct lt_regs *regs, uint64_t address, const struct lt_fn_arg *args,
                          size_t count, struct lt_frame *ret)
{
  struct user_regs_struct *user = lt_x86_user(regs);
  uint32_t back = (uint32_t)lt_arch_i386.back_pc;
  lt_x86_clean_state(regs);
  memcpy(ret->bytes, &back, sizeof back);
  ret->size = sizeof back;
  for (size_t i = 0; i < count; i++) {
    int error = put_arg(&args[i], ret->bytes + ret->size);
    if (error)
      return error;
    ret->size += size_of(&args[i]);
  }
  uint64_t top = (uint32_t)user->rsp - RED_ZONE - (ret->size - sizeof back);
  ret->sp = (uint32_t)((top & ~(uint64_t)15) - sizeof back);
  user->rsp = ret->sp;
  user->rip = address;
  return 0;
}

/* Some functions take their arguments off the stack themselves. */
static bool has_returned(const struct lt_regs *regs, const struct lt_frame *frame)
{
  return pc(regs) == lt_arch_i386.back_pc && sp(regs) >= frame->sp + 4 &&
         sp(regs) <= frame->sp + frame->size;
}

static void function_result(const struct lt_regs *regs, struct lt_fn_result *ret)
{
  const struct lt_reg st0 = ST("st0", 0);
  long double number = 0;
  lt_x86_get(regs, &st0, &number);
  ret->number = (double)number;
  ret->single = (float)number;
  ret->integer = lt_x86_integer_result(regs);
}

const struct lt_arch lt_arch_i386 = {
    .name = "i386",
    .abi = LT_ABI_I386,
    .audit = AUDIT_ARCH_I386,
    .word = 4,
    LT_X86_SHARED,
    .table = registers,
    .count = sizeof registers / sizeof *registers,
    .thread_pointer = lt_i386_thread_pointer,
    .entry_argument = lt_i386_entry_argument,
    .pc = pc,
    .sp = sp,
    .call_arg = call_arg,
    .set_call_arg = set_call_arg,
    .set_call_ret = set_call_ret,
    .call_bytes = {0xcd, 0x80},
    .mmap_nr = 192, /* mmap2 */
    .munmap_nr = 91,
    .sigaction_nr = 174,
    .prctl_nr = 172,
    .seccomp_nr = 354,
    .strict_nrs = {3, 4, 1, 119}, /* read, write, exit, sigreturn */
    .sigprocmask_nr = 175,
    .sigaction_size = 20,
    .back_pc = 0xfffff000, /* above all that a 32-bit program can map */
    .begin_function = begin_function,
    .has_returned = has_returned,
    .function_result = function_result,
    .callee_pops = 128, /* functions of other conventions; those that return a struct pop 4 */
    .special = special,
    .dwarf = &lt_i386_dwarf,
    .trampolines = lt_i386_trampolines,
    .displace = lt_x86_displace_32,
    .emulate = lt_x86_emulate,
    .disassemble = lt_x86_disassemble_32,
};
