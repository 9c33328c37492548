/* displace.c - any bytes as an instruction, for any place of its slot.
 *
 * Input: i16 distance of the slot in units of 64 KB, i8 of bytes, the code. */
#include <string.h>

#include "arch.h"
#include "displace.h"
#include "fuzz.h"

#define PC UINT64_C(0x555555554321)

static void check(const struct lt_displaced *insn, const uint8_t *code, size_t size)
{
  MUST(insn->kind <= LT_DISPLACE_ILLEGAL);
  MUST(insn->size <= LT_SLOT_BYTES);
  MUST(insn->length <= LT_INSTRUCTION_BYTES && insn->length <= size);
  MUST(memcmp(insn->original, code, insn->length) == 0);
  MUST(insn->place_count <= LT_SLOT_PLACES);
  MUST(insn->is_call == (insn->return_bytes != 0) && insn->return_bytes <= 8);
  MUST(!insn->is_call || insn->kind == LT_DISPLACE_EMULATE);
  for (unsigned i = 0; i < insn->place_count; i++) {
    MUST(insn->places[i].offset > 0 && insn->places[i].offset < insn->size);
    MUST(insn->places[i].place <= LT_PLACE_MIDDLE);
    MUST(i == 0 || insn->places[i].offset > insn->places[i - 1].offset);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  int16_t far = 0;
  struct lt_displaced insn;
  if (size < sizeof far + 1)
    return 0;
  memcpy(&far, data, sizeof far);
  uint64_t slot = PC + (uint64_t)((int64_t)far * 65536 + (int8_t)data[2]);
  const uint8_t *code = data + sizeof far + 1;
  size -= sizeof far + 1;
  if (lt_arch_x86_64.displace(code, size, PC, slot, &insn) == 0)
    check(&insn, code, size);
  if (lt_arch_i386.displace(code, size, (uint32_t)PC, (uint32_t)slot, &insn) == 0)
    check(&insn, code, size);
  return 0;
}
