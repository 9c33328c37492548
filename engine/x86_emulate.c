/* x86_emulate.c - x86 instructions that no slot can run: calls through registers and memory, far
 * calls, popf and pushf.
 *
 * Memory is accessed as the program could itself: what its page protection forbids, or what is a
 * stack page that has yet to grow, is left to the processor, as is all that ends in a fault. */
#include <errno.h>
#include <string.h>

#include "kernel.h"
#include "task.h"
#include "x86_displace.h"
#include "x86_state.h"

#define CS32 0x23
#define DATA_SELECTOR 0x2b
#define FLAG_ALIGNMENT 0x40000u
#define FLAG_RESUME 0x10000u
#define FLAG_ID 0x200000u
/* What popf changes in user mode: CF PF AF ZF SF TF DF OF NT AC ID. */
#define FLAGS_OF_POPF 0x244dd5u

struct emulation {
  lt_thread *thread;
  const struct user_regs_struct *user;
  ZydisDecodedInstruction insn;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  uint64_t next; /* address of the next instruction */
  bool wide;
};

/* What an instruction changes. */
struct effect {
  uint64_t pc, sp, cs, flags;
};

static uint64_t low(uint64_t value, unsigned bits)
{
  return bits >= 64 ? value : value & ((UINT64_C(1) << bits) - 1);
}

static int read_exactly(const struct emulation *run, uint64_t addr, void *ret, size_t size)
{
  ssize_t got = lt_k_vm_read(run->thread->tid, addr, ret, size);
  if (got == -ESRCH)
    return -ESRCH;
  return got == (ssize_t)size ? 0 : -EFAULT;
}

/* What crosses into another page could be written in part only. */
static int write_exactly(const struct emulation *run, uint64_t addr, const void *bytes, size_t size)
{
  if ((addr & 4095) + size > 4096)
    return -EFAULT;
  ssize_t done = lt_k_vm_write(run->thread->tid, addr, bytes, size);
  if (done == -ESRCH)
    return -ESRCH;
  return done == (ssize_t)size ? 0 : -EFAULT;
}

/* A register of address calculations and call targets: the whole one of any width. */
static uint64_t value_of(const struct emulation *run, ZydisRegister name)
{
  const struct user_regs_struct *user = run->user;
  const uint64_t values[] = {user->rax, user->rcx, user->rdx, user->rbx, user->rsp, user->rbp,
                             user->rsi, user->rdi, user->r8,  user->r9,  user->r10, user->r11,
                             user->r12, user->r13, user->r14, user->r15};
  if (name == ZYDIS_REGISTER_NONE)
    return 0;
  if (name == ZYDIS_REGISTER_RIP || name == ZYDIS_REGISTER_EIP)
    return run->next;
  ZyanI8 id = ZydisRegisterGetId(name);
  ZydisRegisterWidth width = ZydisRegisterGetWidth(run->insn.machine_mode, name);
  if (id < 0 || id >= 16)
    return 0;
  return low(values[id], width);
}

/* Where a segment begins. 32-bit code has flat ones, but for fs and gs, or is left to the
 * processor. */
static int segment_base(const struct emulation *run, ZydisRegister name, uint64_t *ret)
{
  const struct user_regs_struct *user = run->user;
  *ret = name == ZYDIS_REGISTER_FS ? user->fs_base : name == ZYDIS_REGISTER_GS ? user->gs_base : 0;
  if (run->wide)
    return 0;
  if (name == ZYDIS_REGISTER_FS || name == ZYDIS_REGISTER_GS)
    return (name == ZYDIS_REGISTER_FS ? user->fs : user->gs) & ~3ul ? 0 : -EFAULT;
  uint64_t selector = name == ZYDIS_REGISTER_CS   ? DATA_SELECTOR
                      : name == ZYDIS_REGISTER_DS ? user->ds
                      : name == ZYDIS_REGISTER_ES ? user->es
                                                  : user->ss;
  return selector == DATA_SELECTOR ? 0 : -EFAULT;
}

/* The linear address of a memory operand. */
static int address_of(const struct emulation *run, const ZydisDecodedOperand *operand,
                      uint64_t *ret)
{
  uint64_t base;
  int error = segment_base(run, operand->mem.segment, &base);
  if (error)
    return error;
  uint64_t offset = value_of(run, operand->mem.base) +
                    value_of(run, operand->mem.index) * operand->mem.scale +
                    (uint64_t)operand->mem.disp.value;
  *ret = low(base + low(offset, run->insn.address_width), run->wide ? 64 : 32);
  return 0;
}

/* Where a near call goes. */
static int near_target(const struct emulation *run, uint64_t *ret)
{
  const ZydisDecodedOperand *operand = &run->operands[0];
  uint64_t addr;
  *ret = 0;
  if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER) {
    *ret = value_of(run, operand->reg.value);
    return 0;
  }
  int error = address_of(run, operand, &addr);
  return error ? error : read_exactly(run, addr, ret, lt_x86_return_bytes(&run->insn));
}

/* Where a far call goes. */
static int far_target(const struct emulation *run, uint64_t *ret_pc, uint64_t *ret_cs)
{
  const ZydisDecodedOperand *operand = &run->operands[0];
  uint8_t bytes[10];
  uint16_t selector;
  uint64_t addr;
  size_t size = run->insn.operand_width / 8;
  *ret_pc = operand->ptr.offset;
  *ret_cs = operand->ptr.segment;
  if (operand->type == ZYDIS_OPERAND_TYPE_POINTER)
    return 0;
  int error = address_of(run, operand, &addr);
  if (!error)
    error = read_exactly(run, addr, bytes, size + sizeof selector);
  if (error)
    return error;
  *ret_pc = 0;
  memcpy(ret_pc, bytes, size);
  memcpy(&selector, bytes + size, sizeof selector);
  *ret_cs = selector;
  return 0;
}

/* Whether the processor gets there; what it finds there is another matter. From 64-bit to 32-bit code
 * it cuts off the stack pointer. */
static bool is_reachable(const struct emulation *run, uint64_t target, uint64_t cs)
{
  if (cs == LT_X86_CS64)
    return target >> 47 == 0 || target >> 47 == 0x1ffff;
  return cs == CS32 && !run->wide;
}

/* Far and near calls. The caller's code segment is pushed above the return address. */
static int call(const struct emulation *run, struct effect *effect)
{
  bool is_far = run->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
  size_t size = lt_x86_return_bytes(&run->insn);
  uint8_t pushed[16] = {0};
  int error = is_far ? far_target(run, &effect->pc, &effect->cs) : near_target(run, &effect->pc);
  if (error)
    return error;
  if (!is_reachable(run, effect->pc, effect->cs) || (!run->wide && run->user->ss != DATA_SELECTOR))
    return -EFAULT;
  memcpy(pushed, &run->next, size);
  memcpy(pushed + size, &run->user->cs, sizeof(uint16_t));
  size_t all = is_far ? 2 * size : size;
  effect->sp = low(effect->sp - all, run->wide ? 64 : 32);
  return write_exactly(run, effect->sp, pushed, all);
}

static int popf(const struct emulation *run, struct effect *effect)
{
  uint64_t value = 0, mask = low(FLAGS_OF_POPF, run->insn.operand_width);
  if (!run->wide && run->user->ss != DATA_SELECTOR)
    return -EFAULT;
  int error = read_exactly(run, effect->sp, &value, run->insn.operand_width / 8);
  if (error)
    return error;
  if ((value ^ effect->flags) & mask & FLAG_ID)
    return -EFAULT; /* the kernel lets nobody but the program change it */
  effect->flags = ((effect->flags & ~mask) | (value & mask)) & ~(uint64_t)FLAG_RESUME;
  effect->sp = low(effect->sp + run->insn.operand_width / 8, run->wide ? 64 : 32);
  effect->pc = run->next;
  return 0;
}

static int pushf(const struct emulation *run, struct effect *effect)
{
  size_t size = run->insn.operand_width / 8;
  uint64_t value = effect->flags & ~(uint64_t)FLAG_RESUME;
  if (!run->wide && run->user->ss != DATA_SELECTOR)
    return -EFAULT;
  effect->sp = low(effect->sp - size, run->wide ? 64 : 32);
  effect->pc = run->next;
  return write_exactly(run, effect->sp, &value, size);
}

/* Memory is changed by it; registers are what `effect` says. */
static int perform(const struct emulation *run, struct effect *effect)
{
  switch (run->insn.mnemonic) {
  case ZYDIS_MNEMONIC_CALL:
    return call(run, effect);
  case ZYDIS_MNEMONIC_PUSHF:
  case ZYDIS_MNEMONIC_PUSHFD:
  case ZYDIS_MNEMONIC_PUSHFQ:
    return pushf(run, effect);
  default:
    return popf(run, effect);
  }
}

static int finish(const struct emulation *run, const struct effect *effect)
{
  struct lt_regs *regs;
  int error = lt_regs_change(run->thread, &regs);
  if (error)
    return error;
  struct user_regs_struct *user = lt_x86_user(regs);
  user->rip = effect->pc;
  user->rsp = effect->sp;
  user->cs = effect->cs;
  user->eflags = effect->flags;
  return 0;
}

int lt_x86_emulate(lt_thread *thread, const struct lt_displaced *displaced, uint64_t pc)
{
  struct emulation run = {.thread = thread};
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (error)
    return error;
  run.wide = lt_x86_is_64(regs);
  run.user = lt_x86_view(regs);
  if (!lt_x86_decode(run.wide, displaced->original, displaced->length, &run.insn, run.operands) ||
      !lt_x86_is_emulated(&run.insn))
    return -EFAULT;
  if (run.user->eflags & FLAG_ALIGNMENT)
    return -EFAULT; /* the processor knows what is misaligned */
  run.next = low(pc + run.insn.length, run.wide ? 64 : 32);
  struct effect effect = {
      .pc = pc, .sp = run.user->rsp, .cs = run.user->cs, .flags = run.user->eflags};
  error = perform(&run, &effect);
  return error ? error : finish(&run, &effect);
}
