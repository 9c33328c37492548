/* x86_step.c - what single-stepping must know about x86 instructions and flags. */
#include <Zydis/Zydis.h>

#include "steps.h"
#include "x86_state.h"

#define TRAP_FLAG 0x100

/* Whether the byte is a prefix that says nothing about the instruction's kind. */
static bool is_prefix(uint8_t byte, bool is_64)
{
  switch (byte) {
  case 0x26:
  case 0x2e:
  case 0x36:
  case 0x3e:
  case 0x64:
  case 0x65:
  case 0x66:
  case 0x67:
  case 0xf0:
  case 0xf2:
  case 0xf3:
    return true;
  default:
    return is_64 && (byte & 0xf0) == 0x40;
  }
}

static enum lt_next kind_of_two(uint8_t first, uint8_t second)
{
  unsigned group = second >> 3 & 7;
  if (first == 0x0f)
    return second == 0x05 || second == 0x34 ? LT_NEXT_SYSCALL : LT_NEXT_PLAIN;
  if (first == 0xcd)
    return second == 0x80 ? LT_NEXT_SYSCALL : LT_NEXT_TRAP;
  return first == 0xff && (group == 2 || group == 3) ? LT_NEXT_CALL : LT_NEXT_PLAIN;
}

/* Loading the stack segment puts the trap off until after the next instruction. Returns its length,
 * as far as it is the usual form. */
static unsigned shadow(const uint8_t *code, size_t size, bool is_64)
{
  if (size >= 2 && code[0] == 0x8e && (code[1] & 0xf8) == 0xd0)
    return 2;
  return size && code[0] == 0x17 && !is_64 ? 1 : 0;
}

static enum lt_next look(const uint8_t *code, size_t size, bool is_64)
{
  size_t at = 0;
  while (at < size && is_prefix(code[at], is_64))
    at++;
  code += at;
  size -= at;
  unsigned skipped = shadow(code, size, is_64);
  if (skipped)
    return look(code + skipped, size - skipped, is_64) == LT_NEXT_FLAGS ? LT_NEXT_FLAGS
                                                                        : LT_NEXT_PLAIN;
  if (size < 1)
    return LT_NEXT_PLAIN;
  switch (code[0]) {
  case 0x9c:
    return LT_NEXT_FLAGS;
  case 0x9d:
  case 0xcf:
    return LT_NEXT_LOADS;
  case 0xe8:
    return LT_NEXT_CALL;
  case 0x9a:
    return is_64 ? LT_NEXT_PLAIN : LT_NEXT_CALL;
  case 0xcc:
  case 0xf1:
    return LT_NEXT_TRAP;
  default:
    return size < 2 ? LT_NEXT_PLAIN : kind_of_two(code[0], code[1]);
  }
}

unsigned lt_x86_look(const struct lt_regs *regs, const uint8_t *code, size_t size)
{
  return look(code, size, lt_x86_is_64(regs));
}

bool lt_x86_has_trap_flag(const struct lt_regs *regs)
{
  return lt_x86_view(regs)->eflags & TRAP_FLAG;
}

/* The call that the thread has left is going to be made again, or a signal handler decides. */
bool lt_x86_restart_pending(const struct lt_regs *regs)
{
  const struct user_regs_struct *user = lt_x86_view(regs);
  int64_t nr = (int64_t)user->orig_rax, ret = (int64_t)user->rax;
  if (!lt_x86_is_64(regs)) {
    nr = (int32_t)nr;
    ret = (int32_t)ret;
  }
  return nr >= 0 && ret <= -512 && ret >= -516;
}

/* The flags are on the top of the stack, in whatever size. */
void lt_x86_mend_flags(lt_thread *thread)
{
  uint64_t sp;
  uint8_t byte;
  if (lt_thread_sp(thread, &sp) == 0 && lt_mem_read(thread, sp + 1, &byte, 1) == 1 &&
      byte & TRAP_FLAG >> 8) {
    byte &= (uint8_t) ~(TRAP_FLAG >> 8);
    lt_mem_write(thread, sp + 1, &byte, 1);
  }
}

static bool target_of(const ZydisDecodedInstruction *instruction,
                      const ZydisDecodedOperand *operands, uint64_t addr, uint64_t *ret)
{
  return instruction->operand_count_visible > 0 &&
         operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operands[0].imm.is_relative &&
         ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(instruction, &operands[0], addr, ret));
}

unsigned lt_x86_branches(const struct lt_regs *regs, const uint8_t *code, size_t size,
                         uint64_t addr, uint64_t *ret, unsigned max)
{
  bool is_64 = lt_x86_is_64(regs);
  ZydisDecoder decoder;
  ZydisDecodedInstruction instruction;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  unsigned count = 0;
  ZydisDecoderInit(&decoder, is_64 ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LEGACY_32,
                   is_64 ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32);
  for (size_t at = 0; at < size && count < max; at += instruction.length) {
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeFull(&decoder, code + at, size - at, &instruction, operands)))
      break;
    if (target_of(&instruction, operands, addr + at, &ret[count]))
      count++;
  }
  return count;
}
