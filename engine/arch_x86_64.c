/* arch_x86_64.c - the x86_64 ABI: registers, calling convention of system calls. */
#include <linux/audit.h>
#include <string.h>

#include "x86_displace.h"
#include "x86_probe.h"
#include "x86_state.h"

/* Sorted by name (lt_reg_find halves it). "sp", "pc" and "flags" are the whole registers, so the
 * lower 16 bits of rsp have no name. `ftag` is FXSAVE's: bit i tells that physical register i is
 * in use. */
static const struct lt_reg registers[] = {
    HIGH("ah", rax),
    I8("al", rax),
    I16("ax", rax),
    HIGH("bh", rbx),
    I8("bl", rbx),
    I16("bp", rbp),
    I8("bpl", rbp),
    I16("bx", rbx),
    HIGH("ch", rcx),
    I8("cl", rcx),
    SEG("cs", cs),
    I16("cx", rcx),
    HIGH("dh", rdx),
    I16("di", rdi),
    I8("dil", rdi),
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
    I64("flags", eflags),
    X87("fooff", 16, 4),
    X87("fop", 6, 2),
    X87("foseg", 20, 4),
    SEG("fs", fs),
    BASE("fs_base", fs_base),
    X87("fstat", 2, 2),
    X87("ftag", 4, 1),
    SEG("gs", gs),
    BASE("gs_base", gs_base),
    PC16("ip"),
    MXCSR("mxcsr"),
    I64("orig_rax", orig_rax),
    PC64("pc"),
    I64("r10", r10),
    I8("r10b", r10),
    I32("r10d", r10),
    I16("r10w", r10),
    I64("r11", r11),
    I8("r11b", r11),
    I32("r11d", r11),
    I16("r11w", r11),
    I64("r12", r12),
    I8("r12b", r12),
    I32("r12d", r12),
    I16("r12w", r12),
    I64("r13", r13),
    I8("r13b", r13),
    I32("r13d", r13),
    I16("r13w", r13),
    I64("r14", r14),
    I8("r14b", r14),
    I32("r14d", r14),
    I16("r14w", r14),
    I64("r15", r15),
    I8("r15b", r15),
    I32("r15d", r15),
    I16("r15w", r15),
    I64("r8", r8),
    I8("r8b", r8),
    I32("r8d", r8),
    I16("r8w", r8),
    I64("r9", r9),
    I8("r9b", r9),
    I32("r9d", r9),
    I16("r9w", r9),
    I64("rax", rax),
    I64("rbp", rbp),
    I64("rbx", rbx),
    I64("rcx", rcx),
    I64("rdi", rdi),
    I64("rdx", rdx),
    I64("rflags", eflags),
    PC64("rip"),
    I64("rsi", rsi),
    I64("rsp", rsp),
    I16("si", rsi),
    I8("sil", rsi),
    I64("sp", rsp),
    I8("spl", rsp),
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
    XMM("xmm10", 10),
    XMM("xmm11", 11),
    XMM("xmm12", 12),
    XMM("xmm13", 13),
    XMM("xmm14", 14),
    XMM("xmm15", 15),
    XMM("xmm2", 2),
    XMM("xmm3", 3),
    XMM("xmm4", 4),
    XMM("xmm5", 5),
    XMM("xmm6", 6),
    XMM("xmm7", 7),
    XMM("xmm8", 8),
    XMM("xmm9", 9),
    YMM("ymm0", 0),
    YMM("ymm1", 1),
    YMM("ymm10", 10),
    YMM("ymm11", 11),
    YMM("ymm12", 12),
    YMM("ymm13", 13),
    YMM("ymm14", 14),
    YMM("ymm15", 15),
    YMM("ymm2", 2),
    YMM("ymm3", 3),
    YMM("ymm4", 4),
    YMM("ymm5", 5),
    YMM("ymm6", 6),
    YMM("ymm7", 7),
    YMM("ymm8", 8),
    YMM("ymm9", 9),
};

static uint64_t pc(const struct lt_regs *regs)
{
  return lt_x86_view(regs)->rip;
}

static uint64_t sp(const struct lt_regs *regs)
{
  return lt_x86_view(regs)->rsp;
}

/* Where an argument is, as an index of general[]; the caller has checked the range. */
static size_t arg_word(unsigned index)
{
  static const uint8_t offsets[LT_CALL_ARGS] = {
      offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rsi),
      offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, r10),
      offsetof(struct user_regs_struct, r8),  offsetof(struct user_regs_struct, r9),
  };
  return offsets[index] / sizeof(uint64_t);
}

static uint64_t call_arg(const struct lt_regs *regs, unsigned index)
{
  return regs->general[arg_word(index)];
}

static void set_call_arg(struct lt_regs *regs, unsigned index, uint64_t value)
{
  regs->general[arg_word(index)] = value;
}

static void set_call_ret(struct lt_regs *regs, int64_t value)
{
  lt_x86_user(regs)->rax = (uint64_t)value;
}

static enum lt_special special(uint64_t nr)
{
  switch (nr) {
  case 15:
    return LT_SYS_SIGRETURN;
  case 56:
    return LT_SYS_CLONE;
  case 57:
  case 58: /* vfork */
    return LT_SYS_FORK;
  case 59:
  case 322: /* execveat */
    return LT_SYS_EXECVE;
  case 144: /* sched_setscheduler */
  case 203: /* sched_setaffinity */
  case 204: /* sched_getaffinity */
  case 314: /* sched_setattr */
    return LT_SYS_CPUS;
  case 219:
    return LT_SYS_RESTART;
  case 435:
    return LT_SYS_CLONE3;
  default:
    return LT_SYS_OTHER;
  }
}

/* Functions may use the 128 bytes below the stack pointer without moving it. */
#define RED_ZONE 128

static void set_xmm(struct lt_regs *regs, unsigned index, const struct lt_fn_arg *arg)
{
  const struct lt_reg xmm = XMM("xmm", index);
  uint8_t bytes[16] = {0};
  float narrow = (float)arg->number;
  if (arg->type == LT_FN_FLOAT)
    memcpy(bytes, &narrow, sizeof narrow);
  else
    memcpy(bytes, &arg->number, sizeof arg->number);
  lt_x86_set(regs, &xmm, bytes);
}

/* Six integers and eight numbers go into registers, what is more onto the stack; al tells how many
 * vector registers are used. The stack pointer is a multiple of 16 before the return address. */
static int begin_function(struct lt_regs *regs, uint64_t address, const struct lt_fn_arg *args,
                          size_t count, struct lt_frame *ret)
{
  static const uint8_t integers[] = {
      offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rsi),
      offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, rcx),
      offsetof(struct user_regs_struct, r8),  offsetof(struct user_regs_struct, r9),
  };
  struct user_regs_struct *user = lt_x86_user(regs);
  unsigned used = 0, vectors = 0;
  uint64_t words[LT_FN_ARGS + 1] = {lt_arch_x86_64.back_pc};
  size_t size = sizeof *words;
  lt_x86_clean_state(regs);
  for (size_t i = 0; i < count; i++) {
    bool real = args[i].type == LT_FN_DOUBLE || args[i].type == LT_FN_FLOAT;
    float narrow = real ? (float)args[i].number : 0;
    if (real && vectors < 8)
      set_xmm(regs, vectors++, &args[i]);
    else if (!real && used < sizeof integers)
      regs->general[integers[used++] / sizeof(uint64_t)] = args[i].integer;
    else if (args[i].type == LT_FN_FLOAT)
      memcpy((uint8_t *)words + size, &narrow, sizeof narrow), size += sizeof *words;
    else
      memcpy((uint8_t *)words + size, &args[i].integer, sizeof *words), size += sizeof *words;
  }
  ret->sp = ((user->rsp - RED_ZONE - size + sizeof *words) & ~(uint64_t)15) - sizeof *words;
  ret->size = size;
  memcpy(ret->bytes, words, size);
  user->rsp = ret->sp;
  user->rip = address;
  user->rax = vectors;
  return 0;
}

static bool has_returned(const struct lt_regs *regs, const struct lt_frame *frame)
{
  const struct user_regs_struct *user = lt_x86_view(regs);
  return user->rip == lt_arch_x86_64.back_pc && user->rsp == frame->sp + sizeof(uint64_t);
}

static void function_result(const struct lt_regs *regs, struct lt_fn_result *ret)
{
  const struct lt_reg xmm0 = XMM("xmm0", 0);
  uint8_t bytes[16];
  float narrow;
  lt_x86_get(regs, &xmm0, bytes);
  memcpy(&ret->number, bytes, sizeof ret->number);
  memcpy(&narrow, bytes, sizeof narrow);
  ret->single = narrow;
  ret->integer = lt_x86_integer_result(regs);
}

const struct lt_arch lt_arch_x86_64 = {
    .name = "x86_64",
    .abi = LT_ABI_X86_64,
    .audit = AUDIT_ARCH_X86_64,
    .word = 8,
    LT_X86_SHARED,
    .table = registers,
    .count = sizeof registers / sizeof *registers,
    .thread_pointer = lt_x86_64_thread_pointer,
    .entry_argument = lt_x86_64_entry_argument,
    .pc = pc,
    .sp = sp,
    .call_arg = call_arg,
    .set_call_arg = set_call_arg,
    .set_call_ret = set_call_ret,
    .call_bytes = {0x0f, 0x05},
    .mmap_nr = 9,
    .munmap_nr = 11,
    .shmat_nr = 30,
    .sigaction_nr = 13,
    .prctl_nr = 157,
    .seccomp_nr = 317,
    .strict_nrs = {0, 1, 60, 15}, /* read, write, exit, rt_sigreturn */
    .sigprocmask_nr = 14,
    .sigaction_size = 32,
    .back_pc = 0xfffffffffffff000, /* the kernel's half */
    .begin_function = begin_function,
    .has_returned = has_returned,
    .function_result = function_result,
    .special = special,
    .dwarf = &lt_x86_64_dwarf,
    .trampolines = lt_x86_64_trampolines,
    .displace = lt_x86_displace_64,
    .can_plant = lt_x86_can_plant,
    .plant = lt_x86_plant_64,
    .block_of = lt_x86_block_of,
    .jump_shape = lt_x86_jump_shape,
    .jump = lt_x86_jump,
    .jump_window = lt_x86_jump_window,
    .emulate = lt_x86_emulate,
    .disassemble = lt_x86_disassemble_64,
};
