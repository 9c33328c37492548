/* x86_jump.c - the jump that takes the place of a function's first instructions, and these
 * instructions elsewhere: see planted.h. */
#include <errno.h>
#include <string.h>

#include "x86_displace.h"
#include "x86_probe.h"

#define INT3 0xcc
#define JUMP 0xe9

/* Whether the instruction goes on to the next one, and nothing but its own bytes has to change for
 * it to run elsewhere. */
static bool is_movable(const ZydisDecodedInstruction *insn)
{
  switch (insn->meta.category) {
  case ZYDIS_CATEGORY_CALL:
  case ZYDIS_CATEGORY_SYSCALL:
  case ZYDIS_CATEGORY_SYSRET:
  case ZYDIS_CATEGORY_SYSTEM:
  case ZYDIS_CATEGORY_INTERRUPT:
  case ZYDIS_CATEGORY_IO:
  case ZYDIS_CATEGORY_IOSTRINGOP:
    return false;
  default:
    break;
  }
  if (lt_x86_is_emulated(insn) || insn->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED ||
      insn->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE) ||
      insn->mnemonic == ZYDIS_MNEMONIC_XBEGIN || insn->mnemonic == ZYDIS_MNEMONIC_UD2)
    return false;
  return true;
}

static bool is_conditional(const ZydisDecodedInstruction *insn)
{
  return insn->meta.category == ZYDIS_CATEGORY_COND_BR;
}

static bool ends(const ZydisDecodedInstruction *insn)
{
  return insn->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
         insn->meta.category == ZYDIS_CATEGORY_RET;
}

static bool is_relative(const ZydisDecodedInstruction *insn)
{
  return insn->raw.imm[0].is_relative;
}

/* Branches with a form that reaches everywhere. */
static bool is_branch_that_reaches(const ZydisDecodedInstruction *insn)
{
  bool prefixed = insn->attributes & (ZYDIS_ATTRIB_HAS_OPERANDSIZE | ZYDIS_ATTRIB_HAS_ADDRESSSIZE);
  bool counts =
      insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn->opcode >= 0xe0 && insn->opcode <= 0xe3;
  return insn->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY && !prefixed && !counts;
}

static const char *refusal(const ZydisDecodedInstruction *insn, unsigned end)
{
  if (!is_movable(insn) || (is_relative(insn) && !is_branch_that_reaches(insn)))
    return "its first instructions cannot be run elsewhere";
  if (ends(insn) && end < LT_JUMP_BYTES)
    return "it is too short";
  return NULL;
}

/* A branch of these instructions back into themselves comes to a trap each time. */
static bool comes_back(const ZydisDecodedInstruction *insn, uint64_t pc, uint64_t addr)
{
  uint64_t target = pc + insn->length + (uint64_t)insn->raw.imm[0].value.s;
  return is_relative(insn) && target > addr && target < addr + LT_JUMP_BYTES;
}

int lt_x86_jump_shape(const uint8_t *bytes, size_t size, uint64_t addr, struct lt_jump_shape *ret,
                      const char **why)
{
  unsigned at = 0;
  memset(ret, 0, sizeof *ret);
  while (at < LT_JUMP_BYTES) {
    ZydisDecodedInstruction insn;
    if (at >= size || !lt_x86_decode(true, bytes + at, size - at, &insn, NULL)) {
      *why = "its first instructions are not known";
      return -ENOTSUP;
    }
    if (at)
      ret->boundary |= (uint8_t)(1u << at);
    *why = comes_back(&insn, addr + at, addr) ? "it jumps back into its first instructions"
                                              : refusal(&insn, at + insn.length);
    if (*why)
      return -ENOTSUP;
    at += insn.length;
  }
  ret->bytes = (uint8_t)at;
  return 0;
}

/* ---- The copy ----------------------------------------------------------------------------- */

static int put(struct lt_planted *planted, const void *bytes, size_t size)
{
  if (planted->size + size > sizeof planted->code)
    return -ERANGE;
  memcpy(planted->code + planted->size, bytes, size);
  planted->size = (uint16_t)(planted->size + size);
  return 0;
}

static int put_distance(struct lt_planted *planted, uint64_t target)
{
  int64_t delta = (int64_t)(target - (planted->at + planted->size + 4));
  int32_t narrow = (int32_t)delta;
  return narrow == delta ? put(planted, &narrow, sizeof narrow) : -ERANGE;
}

static int put_branch(struct lt_planted *planted, const ZydisDecodedInstruction *insn, uint64_t pc)
{
  uint64_t target = pc + insn->length + (uint64_t)insn->raw.imm[0].value.s;
  const uint8_t conditional[] = {0x0f, (uint8_t)(0x80 | (insn->opcode & 15))}, always = JUMP;
  int error = is_conditional(insn) ? put(planted, conditional, sizeof conditional)
                                   : put(planted, &always, 1);
  return error ? error : put_distance(planted, target);
}

static bool is_pc_relative(const ZydisDecodedInstruction *insn)
{
  return insn->attributes & ZYDIS_ATTRIB_HAS_MODRM && insn->raw.modrm.mod == 0 &&
         insn->raw.modrm.rm == 5;
}

static int put_copy(struct lt_planted *planted, const ZydisDecodedInstruction *insn,
                    const uint8_t *bytes, uint64_t pc)
{
  uint64_t at = planted->at + planted->size;
  uint8_t copy[ZYDIS_MAX_INSTRUCTION_LENGTH];
  memcpy(copy, bytes, insn->length);
  if (is_pc_relative(insn)) {
    int64_t delta = (int64_t)(pc + (uint64_t)insn->raw.disp.value - at);
    int32_t narrow = (int32_t)delta;
    if (narrow != delta || insn->address_width != 64)
      return -ERANGE;
    memcpy(copy + insn->raw.disp.offset, &narrow, sizeof narrow);
  }
  return put(planted, copy, insn->length);
}

int lt_x86_put_displaced(struct lt_planted *planted, const uint8_t *bytes)
{
  const char *why;
  uint8_t jump = JUMP;
  uint64_t addr = planted->addr;
  int error = lt_x86_jump_shape(bytes, LT_DISPLACED_BYTES, addr, &planted->shape, &why);
  for (unsigned at = 0; error == 0 && at < planted->shape.bytes;) {
    ZydisDecodedInstruction insn;
    if (!lt_x86_decode(true, bytes + at, LT_DISPLACED_BYTES - at, &insn, NULL))
      return -ENOTSUP;
    planted->place[planted->places].offset = planted->size;
    planted->place[planted->places++].original = (uint8_t)at;
    error = is_relative(&insn) ? put_branch(planted, &insn, addr + at)
                               : put_copy(planted, &insn, bytes + at, addr + at);
    at += insn.length;
  }
  planted->place[planted->places].offset = planted->size;
  planted->place[planted->places++].original = planted->shape.bytes;
  if (error == 0)
    error = put(planted, &jump, 1);
  return error ? error : put_distance(planted, addr + planted->shape.bytes);
}

/* ---- The jump ----------------------------------------------------------------------------- */

/* Besides int3, the last byte may be one that is no instruction in 64-bit code: as the highest one
 * of a distance it must not be negative where nothing is below. */
bool lt_x86_traps(unsigned index, uint8_t byte)
{
  static const uint8_t illegal[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e,
                                    0x1f, 0x27, 0x2f, 0x37, 0x3f};
  return byte == INT3 ||
         (index == LT_JUMP_BYTES - 1 && memchr(illegal, byte, sizeof illegal) != NULL);
}

/* The two upper bytes of the distance. Below is better, as programs grow upwards, and there rather
 * near than far; above, far. */
bool lt_x86_jump_window(const struct lt_jump_shape *shape, uint64_t addr, unsigned n, uint64_t *ret)
{
  static const uint8_t trapping[] = {INT3, 0x3f, 0x37, 0x2f, 0x27, 0x1f,
                                     0x1e, 0x17, 0x16, 0x0e, 0x07, 0x06};
  bool fixed = shape->boundary >> 4 & 1, fixed_next = shape->boundary >> 3 & 1;
  unsigned per_upper = fixed_next ? 1 : 128, upper = n / per_upper;
  unsigned next = fixed_next ? INT3 : 0xfe - n % per_upper * 2;
  if (upper >= (fixed ? sizeof trapping : 2 * 0x40))
    return false;
  if (fixed)
    upper = trapping[upper];
  else
    upper = upper < 0x40 ? 0xff - upper : 0x7f - upper;
  int32_t distance = (int32_t)((uint32_t)upper << 24 | (uint32_t)next << 16);
  *ret = addr + LT_JUMP_BYTES + (uint64_t)(int64_t)distance;
  return true;
}

int lt_x86_jump(const struct lt_jump_shape *shape, uint64_t addr, uint64_t to,
                uint8_t ret[LT_JUMP_BYTES])
{
  int64_t delta = (int64_t)(to - (addr + LT_JUMP_BYTES));
  int32_t narrow = (int32_t)delta;
  if (narrow != delta)
    return -ERANGE;
  ret[0] = JUMP;
  memcpy(ret + 1, &narrow, sizeof narrow);
  for (unsigned i = 1; i < LT_JUMP_BYTES; i++)
    if (shape->boundary >> i & 1 && !lt_x86_traps(i, ret[i]))
      return -ERANGE;
  return 0;
}
