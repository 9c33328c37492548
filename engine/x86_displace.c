/* x86_displace.c - an x86 instruction translated for a slot.
 *
 * Most instructions are copied, with a jump back behind them. Rewritten are those that depend on
 * their own address: operands relative to the instruction pointer, branches and calls relative to
 * it. What leaves for good (returns, jumps through registers and memory) is copied alone. Calls
 * through registers and memory push an address of the slot, popf may switch on a trap that must not
 * find the jump back, and pushf could store the trap flag of a step: x86_emulate.c does them. */
#include "x86_displace.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>

#define HLT 0xf4         /* faults in user mode */
#define JCXZ_OPCODE 0xe3 /* last of the branches that count or test cx, from 0xe0 on */

struct slot {
  struct lt_displaced *to;
  uint64_t at;
  bool wide;
  unsigned pool; /* addresses at the end of the slot */
};

bool lt_x86_decode(bool wide, const uint8_t *code, size_t size, ZydisDecodedInstruction *ret,
                   ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT])
{
  ZydisDecoder decoder;
  ZydisMachineMode mode = wide ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LEGACY_32;
  ZydisStackWidth stack = wide ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32;
  if (ZYAN_FAILED(ZydisDecoderInit(&decoder, mode, stack)))
    return false;
  if (operands)
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, size, ret, operands));
  return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, code, size, ret));
}

static void put(struct slot *slot, const void *bytes, size_t size)
{
  memcpy(slot->to->code + slot->to->size, bytes, size);
  slot->to->size += (uint8_t)size;
}

static void put_byte(struct slot *slot, unsigned byte)
{
  slot->to->code[slot->to->size++] = (uint8_t)byte;
}

/* A program counter at the current end of the slot stands for this. */
static void put_place(struct slot *slot, enum lt_place place)
{
  struct lt_displaced *to = slot->to;
  to->places[to->place_count].offset = to->size;
  to->places[to->place_count++].place = (uint8_t)place;
}

/* The displacement from `from` that gives `target`, 32-bit addresses going round; false if it does
 * not fit. */
static bool distance(bool wide, uint64_t from, uint64_t target, int32_t *ret)
{
  int64_t delta = (int64_t)(target - from);
  *ret = (int32_t)(uint32_t)(uint64_t)delta;
  return !wide || delta == *ret;
}

#define JUMP_NEAR 5
#define THROUGH_MEMORY 6

static uint8_t jump_size(const struct slot *slot, unsigned offset, uint64_t target)
{
  int32_t delta;
  return distance(slot->wide, slot->at + offset + JUMP_NEAR, target, &delta) ? JUMP_NEAR
                                                                             : THROUGH_MEMORY;
}

/* An instruction of two bytes with an operand relative to the instruction pointer: this address,
 * kept at the end of the slot, aligned for programs that have misaligned accesses trapped. */
static void put_with_address(struct slot *slot, const void *opcode, uint64_t address)
{
  size_t at = LT_SLOT_BYTES - sizeof address * ++slot->pool;
  int32_t delta = (int32_t)at - (slot->to->size + THROUGH_MEMORY);
  put(slot, opcode, 2);
  put(slot, &delta, sizeof delta);
  memcpy(slot->to->code + at, &address, sizeof address);
}

/* A jump, through memory where the target is out of reach. */
static void put_jump(struct slot *slot, uint64_t target)
{
  int32_t delta;
  if (distance(slot->wide, slot->at + slot->to->size + JUMP_NEAR, target, &delta)) {
    put_byte(slot, 0xe9);
    put(slot, &delta, sizeof delta);
  } else {
    put_with_address(slot, "\xff\x25", target);
  }
}

static void put_jump_back(struct slot *slot, uint64_t pc)
{
  put_place(slot, LT_PLACE_AFTER);
  put_jump(slot, pc + slot->to->length);
}

static bool is_pc_relative(const ZydisDecodedInstruction *insn)
{
  return insn->machine_mode == ZYDIS_MACHINE_MODE_LONG_64 &&
         (insn->attributes & ZYDIS_ATTRIB_HAS_MODRM) && insn->raw.modrm.mod == 0 &&
         insn->raw.modrm.rm == 5 && insn->raw.disp.size == 32;
}

/* The instruction as it was, but for the displacement of an operand relative to the instruction
 * pointer. With 32-bit addresses that goes round. */
static int put_copy(struct slot *slot, const ZydisDecodedInstruction *insn, uint64_t pc)
{
  const uint8_t *original = slot->to->original;
  uint8_t *copy = slot->to->code + slot->to->size;
  put(slot, original, insn->length);
  if (!is_pc_relative(insn))
    return 0;
  uint64_t target = pc + (uint64_t)insn->raw.disp.value;
  int32_t delta;
  if (!distance(insn->address_width == 64, slot->at, target, &delta))
    return -ERANGE;
  memcpy(copy + insn->raw.disp.offset, &delta, sizeof delta);
  return 0;
}

static int put_plain(struct slot *slot, const ZydisDecodedInstruction *insn, uint64_t pc)
{
  int error = put_copy(slot, insn, pc);
  if (!error)
    put_jump_back(slot, pc);
  return error;
}

/* Where a relative branch goes. One of 16 bits drops the upper part of the address,
 * unless it is xbegin's. */
static uint64_t target_of(const struct slot *slot, const ZydisDecodedInstruction *insn, uint64_t pc)
{
  uint64_t target = pc + insn->length + (uint64_t)insn->raw.imm[0].value.s;
  if (slot->wide)
    return target;
  bool is_cut = insn->operand_width == 16 && insn->mnemonic != ZYDIS_MNEMONIC_XBEGIN;
  return is_cut ? (uint16_t)target : (uint32_t)target;
}

/* A short branch over the jump back to the jump that is taken: no branch is too far for that, and
 * loop and jrcxz have no longer form. */
static void put_conditional(struct slot *slot, const ZydisDecodedInstruction *insn, uint64_t pc)
{
  bool is_counting = insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn->opcode >= 0xe0 &&
                     insn->opcode <= JCXZ_OPCODE;
  uint64_t next = pc + insn->length;
  if (is_counting && (insn->attributes & ZYDIS_ATTRIB_HAS_ADDRESSSIZE))
    put_byte(slot, 0x67);
  put_byte(slot, is_counting ? insn->opcode : 0x70 | (insn->opcode & 15));
  put_byte(slot, jump_size(slot, slot->to->size + 1u, next));
  put_jump_back(slot, pc);
  put_place(slot, LT_PLACE_TARGET);
  put_jump(slot, slot->to->target);
}

/* A transaction that is aborted goes on in the slot, from where it jumps on. */
static void put_xbegin(struct slot *slot, uint64_t pc)
{
  static const uint8_t xbegin[] = {0xc7, 0xf8};
  int32_t over = jump_size(slot, sizeof xbegin + sizeof over, pc + slot->to->length);
  put(slot, xbegin, sizeof xbegin);
  put(slot, &over, sizeof over);
  put_jump_back(slot, pc);
  put_place(slot, LT_PLACE_TARGET);
  put_jump(slot, slot->to->target);
}

/* The program's own return address, pushed by one instruction that leaves the flags alone, then a
 * jump. 64-bit code has no push of so many bytes but from memory. */
static void put_call(struct slot *slot, const ZydisDecodedInstruction *insn, uint64_t pc)
{
  uint64_t back = pc + insn->length;
  size_t size = insn->operand_width / 8;
  if (slot->wide) {
    put_with_address(slot, "\xff\x35", back);
  } else {
    if (size == 2)
      put_byte(slot, 0x66);
    put_byte(slot, 0x68);
    put(slot, &back, size);
  }
  put_place(slot, LT_PLACE_TARGET);
  put_jump(slot, slot->to->target);
}

static int put_relative(struct slot *slot, const ZydisDecodedInstruction *insn, uint64_t pc)
{
  slot->to->target = target_of(slot, insn, pc);
  if (insn->mnemonic == ZYDIS_MNEMONIC_CALL)
    put_call(slot, insn, pc);
  else if (insn->mnemonic == ZYDIS_MNEMONIC_JMP)
    put_jump(slot, slot->to->target);
  else if (insn->mnemonic == ZYDIS_MNEMONIC_XBEGIN)
    put_xbegin(slot, pc);
  else
    put_conditional(slot, insn, pc);
  return 0;
}

static bool is_relative_branch(const ZydisDecodedInstruction *insn)
{
  return insn->raw.imm[0].is_relative;
}

unsigned lt_x86_return_bytes(const ZydisDecodedInstruction *insn)
{
  if (insn->mnemonic != ZYDIS_MNEMONIC_CALL || is_relative_branch(insn))
    return 0;
  bool is_near = insn->meta.branch_type != ZYDIS_BRANCH_TYPE_FAR;
  return is_near && insn->machine_mode == ZYDIS_MACHINE_MODE_LONG_64 ? 8 : insn->operand_width / 8u;
}

bool lt_x86_is_emulated(const ZydisDecodedInstruction *insn)
{
  switch (insn->mnemonic) {
  case ZYDIS_MNEMONIC_POPF:
  case ZYDIS_MNEMONIC_POPFD:
  case ZYDIS_MNEMONIC_POPFQ:
  case ZYDIS_MNEMONIC_PUSHF:
  case ZYDIS_MNEMONIC_PUSHFD:
  case ZYDIS_MNEMONIC_PUSHFQ:
    return true;
  default:
    return lt_x86_return_bytes(insn) != 0;
  }
}

/* Branches that go on elsewhere whatever happens. */
static bool leaves(const ZydisDecodedInstruction *insn)
{
  return insn->mnemonic == ZYDIS_MNEMONIC_JMP || insn->meta.category == ZYDIS_CATEGORY_RET;
}

/* In 64-bit code Intel's processors ignore the prefix for 16-bit operands on near branches and AMD's
 * do not; ours may also be one of neither. */
static bool is_ambiguous(const ZydisDecodedInstruction *insn)
{
  unsigned most, vendor = 0, unused;
  if (insn->machine_mode != ZYDIS_MACHINE_MODE_LONG_64 ||
      insn->meta.branch_type == ZYDIS_BRANCH_TYPE_NONE ||
      !(insn->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE) || insn->raw.rex.W)
    return false;
  return !__get_cpuid(0, &most, &vendor, &unused, &unused) || vendor != signature_INTEL_ebx;
}

static enum lt_displace kind_of(const ZydisDecodedInstruction *insn)
{
  switch (insn->mnemonic) {
  case ZYDIS_MNEMONIC_SYSCALL:
  case ZYDIS_MNEMONIC_SYSENTER:
    return LT_DISPLACE_CALL;
  case ZYDIS_MNEMONIC_INT:
    if (insn->raw.imm[0].value.u == 0x80)
      return LT_DISPLACE_CALL;
    return insn->raw.imm[0].value.u == 3 ? LT_DISPLACE_TRAP : LT_DISPLACE_RUN;
  case ZYDIS_MNEMONIC_INT3:
  case ZYDIS_MNEMONIC_INT1:
    return LT_DISPLACE_TRAP;
  default:
    return lt_x86_is_emulated(insn) ? LT_DISPLACE_EMULATE : LT_DISPLACE_RUN;
  }
}

/* The bytes as they are, and behind them what faults: an instruction of which only a part can be
 * read must not run on into whatever is there. */
static void put_illegal(struct slot *slot, const uint8_t *code, size_t size)
{
  size = size < LT_INSTRUCTION_BYTES ? size : LT_INSTRUCTION_BYTES;
  slot->to->kind = LT_DISPLACE_ILLEGAL;
  slot->to->length = (uint8_t)size;
  memcpy(slot->to->original, code, size);
  memcpy(slot->to->code, code, size);
  slot->to->size = sizeof slot->to->code;
}

/* The decoder knows branches of a processor that no Linux of today runs on. Others fault. */
static bool is_of_knights_corner(const ZydisDecodedInstruction *insn)
{
  return is_relative_branch(insn) && insn->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY;
}

static int translate(struct slot *slot, const ZydisDecodedInstruction *insn, uint64_t pc)
{
  if (is_ambiguous(insn))
    return -ENOTSUP;
  if (is_relative_branch(insn))
    return put_relative(slot, insn, pc);
  if (leaves(insn) || slot->to->is_call)
    return put_copy(slot, insn, pc);
  return put_plain(slot, insn, pc);
}

static int displace(struct slot *slot, const uint8_t *code, size_t size, uint64_t pc)
{
  struct lt_displaced *to = slot->to;
  ZydisDecodedInstruction insn;
  memset(to, 0, sizeof *to);
  memset(to->code, HLT, sizeof to->code);
  if (!lt_x86_decode(slot->wide, code, size, &insn, NULL) || is_of_knights_corner(&insn)) {
    put_illegal(slot, code, size);
    return 0;
  }
  to->length = insn.length;
  memcpy(to->original, code, insn.length);
  to->kind = (uint8_t)kind_of(&insn);
  to->return_bytes = (uint8_t)lt_x86_return_bytes(&insn);
  to->is_call = to->return_bytes != 0;
  int error = translate(slot, &insn, pc);
  unsigned pool = LT_SLOT_BYTES - 8 * slot->pool;
  if (!error && to->size > pool)
    return -ERANGE;
  if (slot->pool)
    to->size = LT_SLOT_BYTES;
  return error;
}

int lt_x86_displace_64(const uint8_t *code, size_t size, uint64_t pc, uint64_t slot,
                       struct lt_displaced *ret)
{
  return displace(&(struct slot){.to = ret, .at = slot, .wide = true}, code, size, pc);
}

int lt_x86_displace_32(const uint8_t *code, size_t size, uint64_t pc, uint64_t slot,
                       struct lt_displaced *ret)
{
  return displace(&(struct slot){.to = ret, .at = slot}, code, size, pc);
}
