/* x86_state.c - x86 register state: fetched and written back whole, looked at by name.
 *
 * The vector state is an XSAVE area in standard format: an FXSAVE area, a header that tells which
 * components are in use, then the components. One that is not in use holds no bytes to go by: its
 * registers have the values that the processor starts with. Without XSAVE there is only FXSAVE. */
#include "x86_state.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "kernel.h"

#define FXSAVE_BYTES 512
#define XSAVE_LEAST 576 /* FXSAVE area and header */
#define AT_XMM 160      /* of xmm0 */
#define AT_FEATURES 464 /* where the kernel tells which components it handles */
#define AT_IN_USE 512   /* XSTATE_BV */
#define AVX_BYTES 256   /* upper halves of ymm0 to ymm15 */
#define FCTRL_INITIAL 0x37f
#define MXCSR_INITIAL 0x1f80
enum component { X87_STATE = 1, SSE_STATE = 2, AVX_STATE = 4 };

/* What lt_regs.vector points to. The processor says where its AVX component is; under a hypervisor
 * the question is expensive, so the answer stays with the thread. */
struct vector {
  uint8_t area[LT_VECTOR_BYTES - 16];
  uint32_t avx_at; /* 0: not asked, or no AVX */
  uint32_t unused[3];
};

_Static_assert(sizeof(struct vector) == LT_VECTOR_BYTES, "must fill the room given");
_Static_assert(sizeof(struct user_regs_struct) <= LT_GENERAL_WORDS * sizeof(uint64_t), "room");

static unsigned part_of(const struct lt_reg *reg)
{
  return reg->where >> 12;
}

static unsigned at_of(const struct lt_reg *reg)
{
  return reg->where & 0xfff;
}

bool lt_x86_is_vector(const struct lt_reg *reg)
{
  return part_of(reg) >= LT_X86_X87;
}

bool lt_x86_is_pc(const struct lt_reg *reg)
{
  return part_of(reg) == LT_X86_PC;
}

/* Segments must be those of user mode, bases below the kernel, MXCSR without reserved bits. */
bool lt_x86_is_checked(const struct lt_reg *reg)
{
  return part_of(reg) == LT_X86_CHECKED || part_of(reg) == LT_X86_MXCSR;
}

bool lt_x86_is_64(const struct lt_regs *regs)
{
  uint64_t cs = lt_x86_view(regs)->cs;
  return cs == LT_X86_CS64 || cs == LT_X86_CS64_XEN;
}

enum lt_abi lt_arch_of(const struct lt_regs *regs)
{
  return lt_x86_is_64(regs) ? LT_ABI_X86_64 : LT_ABI_I386;
}

/* The kernel goes by the lower half, as a signed number. */
uint64_t lt_x86_call_nr(const struct lt_regs *regs)
{
  return (uint64_t)(int64_t)(int32_t)lt_x86_view(regs)->orig_rax;
}

/* Where a call is to be restarted, the kernel takes the length of the instruction off the program
 * counter; -1 tells it that there is no call. */
void lt_x86_cancel_restart(struct lt_regs *regs)
{
  lt_x86_user(regs)->orig_rax = UINT64_MAX;
}

void lt_x86_set_call_nr(struct lt_regs *regs, uint64_t nr)
{
  lt_x86_user(regs)->orig_rax = nr;
}

void lt_x86_begin_call(struct lt_regs *regs, uint64_t pc, uint64_t nr)
{
  struct user_regs_struct *user = lt_x86_user(regs);
  user->rip = pc;
  user->rax = nr;
  user->orig_rax = UINT64_MAX;
}

/* All system call instructions have two bytes. */
void lt_x86_redo_call(struct lt_regs *regs, uint64_t nr)
{
  lt_x86_begin_call(regs, lt_x86_view(regs)->rip - 2, nr);
}

int lt_x86_fetch_general(pid_t tid, struct lt_regs *regs)
{
  return (int)lt_k_ptrace(PTRACE_GETREGS, tid, 0, (uintptr_t)regs->general);
}

int lt_x86_flush_general(pid_t tid, const struct lt_regs *regs)
{
  return (int)lt_k_ptrace(PTRACE_SETREGS, tid, 0, (uintptr_t)regs->general);
}

void lt_x86_set_pc(struct lt_regs *regs, uint64_t pc)
{
  lt_x86_user(regs)->rip = pc;
}

int lt_x86_flush_pc(pid_t tid, const struct lt_regs *regs)
{
  return (int)lt_k_ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, regs.rip),
                          (uintptr_t)lt_x86_view(regs)->rip);
}

/* SYSCALL leaves the address behind it in rcx as well. */
void lt_x86_mend_call(struct lt_regs *regs, uint64_t back)
{
  struct user_regs_struct *user = lt_x86_user(regs);
  if (user->rcx == user->rip)
    user->rcx = back;
  user->rip = back;
}

/* No call to restart; string instructions go upwards, no single step; the x87 stack is empty. What
 * the program chose for rounding and exceptions stays. */
void lt_x86_clean_state(struct lt_regs *regs)
{
  const uint64_t trap = 0x100, direction = 0x400;
  struct user_regs_struct *user = lt_x86_user(regs);
  user->orig_rax = UINT64_MAX;
  user->eflags &= ~(trap | direction);
  memset(regs->vector + 2, 0, 3); /* the x87 status with the top of the stack, and the tags */
}

static uint32_t ask_avx_at(void)
{
  unsigned size, at, c, d;
  if (!__get_cpuid_count(0xd, 2, &size, &at, &c, &d) || size != AVX_BYTES)
    return 0;
  return at;
}

int lt_x86_fetch_vector(pid_t tid, struct lt_regs *regs)
{
  struct vector *vector = (struct vector *)regs->vector;
  struct iovec room = {vector->area, sizeof vector->area};
  int error = (int)lt_k_ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, (uintptr_t)&room);
  if (error == 0 && room.iov_len >= XSAVE_LEAST) {
    regs->vector_size = room.iov_len;
    if (!vector->avx_at)
      vector->avx_at = ask_avx_at();
    return 0;
  }
  if (error == -ESRCH)
    return error;
  regs->vector_size = FXSAVE_BYTES;
  return (int)lt_k_ptrace(PTRACE_GETFPREGS, tid, 0, (uintptr_t)vector->area);
}

int lt_x86_flush_vector(pid_t tid, const struct lt_regs *regs)
{
  if (regs->vector_size == FXSAVE_BYTES)
    return (int)lt_k_ptrace(PTRACE_SETFPREGS, tid, 0, (uintptr_t)regs->vector);
  struct iovec area = {regs->vector, regs->vector_size};
  return (int)lt_k_ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, (uintptr_t)&area);
}

static uint64_t load64(const uint8_t *from)
{
  uint64_t value;
  memcpy(&value, from, sizeof value);
  return value;
}

static bool in_use(const struct lt_regs *regs, unsigned components)
{
  if (regs->vector_size == FXSAVE_BYTES)
    return components & (X87_STATE | SSE_STATE);
  return load64(regs->vector + AT_IN_USE) & components;
}

/* Take a component into use, with the values that its registers start with. */
static void use(struct lt_regs *regs, enum component component)
{
  if (in_use(regs, component))
    return;
  uint8_t *area = regs->vector;
  if (component != X87_STATE && !in_use(regs, SSE_STATE | AVX_STATE))
    memcpy(area + 24, &(uint32_t){MXCSR_INITIAL}, 4);
  if (component == X87_STATE) {
    memset(area, 0, 24); /* up to MXCSR */
    memset(area + 32, 0, AT_XMM - 32);
    memcpy(area, &(uint16_t){FCTRL_INITIAL}, 2);
  } else if (component == SSE_STATE) {
    memset(area + AT_XMM, 0, 16 * 16);
  } else {
    memset(area + ((struct vector *)regs->vector)->avx_at, 0, AVX_BYTES);
  }
  uint64_t bits = load64(area + AT_IN_USE) | component;
  memcpy(area + AT_IN_USE, &bits, sizeof bits);
}

/* Where the upper halves of the ymm registers are; 0 where processor or kernel has none. */
static unsigned avx_at(const struct lt_regs *regs)
{
  if (regs->vector_size == FXSAVE_BYTES || !(load64(regs->vector + AT_FEATURES) & AVX_STATE))
    return 0;
  unsigned at = ((const struct vector *)regs->vector)->avx_at;
  return at && at + AVX_BYTES <= regs->vector_size ? at : 0;
}

static void get_initial(const struct lt_reg *reg, void *ret)
{
  memset(ret, 0, reg->size);
  if (part_of(reg) == LT_X86_MXCSR)
    memcpy(ret, &(uint32_t){MXCSR_INITIAL}, 4);
  else if (part_of(reg) == LT_X86_X87 && at_of(reg) == 0)
    memcpy(ret, &(uint16_t){FCTRL_INITIAL}, 2);
}

static int get_ymm(const struct lt_regs *regs, unsigned number, uint8_t ret[32])
{
  unsigned upper = avx_at(regs);
  if (!upper)
    return -ENODEV;
  memset(ret, 0, 32);
  if (in_use(regs, SSE_STATE))
    memcpy(ret, regs->vector + AT_XMM + 16 * number, 16);
  if (in_use(regs, AVX_STATE))
    memcpy(ret + 16, regs->vector + upper + 16 * number, 16);
  return 0;
}

static int set_ymm(struct lt_regs *regs, unsigned number, const uint8_t value[32])
{
  unsigned upper = avx_at(regs);
  if (!upper)
    return -ENODEV;
  use(regs, SSE_STATE);
  use(regs, AVX_STATE);
  memcpy(regs->vector + AT_XMM + 16 * number, value, 16);
  memcpy(regs->vector + upper + 16 * number, value + 16, 16);
  return 0;
}

/* Which components must be in use for the register's bytes to count. */
static unsigned components_of(const struct lt_reg *reg)
{
  switch (part_of(reg)) {
  case LT_X86_X87:
    return X87_STATE;
  case LT_X86_MXCSR:
    return SSE_STATE | AVX_STATE;
  default:
    return SSE_STATE;
  }
}

int lt_x86_get(const struct lt_regs *regs, const struct lt_reg *reg, void *ret)
{
  if (!lt_x86_is_vector(reg))
    memcpy(ret, (const uint8_t *)regs->general + at_of(reg), reg->size);
  else if (part_of(reg) == LT_X86_YMM)
    return get_ymm(regs, at_of(reg), ret);
  else if (in_use(regs, components_of(reg)))
    memcpy(ret, regs->vector + at_of(reg), reg->size);
  else
    get_initial(reg, ret);
  return 0;
}

/* 32 bits and segments fill their word with zeros; 8 and 16 bits leave the rest as it is. */
static void set_general(struct lt_regs *regs, const struct lt_reg *reg, const void *value)
{
  uint8_t *to = (uint8_t *)regs->general + at_of(reg);
  if (reg->size == 4 || part_of(reg) == LT_X86_CHECKED)
    memset(to, 0, sizeof(uint64_t));
  memcpy(to, value, reg->size);
}

int lt_x86_set(struct lt_regs *regs, const struct lt_reg *reg, const void *value)
{
  if (!lt_x86_is_vector(reg)) {
    set_general(regs, reg, value);
    return 0;
  }
  if (part_of(reg) == LT_X86_YMM)
    return set_ymm(regs, at_of(reg), value);
  use(regs, part_of(reg) == LT_X86_X87 ? X87_STATE : SSE_STATE);
  memcpy(regs->vector + at_of(reg), value, reg->size);
  return 0;
}

/* To restart a call the kernel copies orig_rax into rax. It takes the lower half of that for the
 * number, so that a mark in the upper half changes nothing. 32-bit code has none. */
#define MARK (UINT64_C(0x6c74) << 32)

bool lt_x86_mark_restart(struct lt_regs *regs)
{
  struct user_regs_struct *user = lt_x86_user(regs);
  if (!lt_x86_is_64(regs) || user->orig_rax >> 32)
    return false;
  user->orig_rax |= MARK;
  return true;
}

bool lt_x86_take_mark(struct lt_regs *regs)
{
  struct user_regs_struct *user = lt_x86_user(regs);
  if (user->rax >> 32 << 32 != MARK)
    return lt_arch_get(lt_arch_of(regs))->special(user->rax) == LT_SYS_RESTART;
  user->rax &= UINT32_MAX;
  return true;
}
