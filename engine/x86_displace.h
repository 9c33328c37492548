/* x86_displace.h - x86 instructions that a breakpoint has taken the place of: translated for a slot
 * (x86_displace.c) or done by us (x86_emulate.c). `wide` says 64-bit code. */
#ifndef LT_X86_DISPLACE_H
#define LT_X86_DISPLACE_H

#include <Zydis/Zydis.h>

#include "arch.h"
#include "displace.h"

/* False if the bytes are no instruction or not all of one. */
bool lt_x86_decode(bool wide, const uint8_t *code, size_t size, ZydisDecodedInstruction *ret,
                   ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT]);
/* Bytes that a call through a register or memory, or a far call, pushes as its return address. */
unsigned lt_x86_return_bytes(const ZydisDecodedInstruction *insn);
/* Whether lt_x86_emulate() does it. */
bool lt_x86_is_emulated(const ZydisDecodedInstruction *insn);

/* Members of struct lt_arch: see there. */
int lt_x86_displace_64(const uint8_t *code, size_t size, uint64_t pc, uint64_t slot,
                       struct lt_displaced *ret);
int lt_x86_displace_32(const uint8_t *code, size_t size, uint64_t pc, uint64_t slot,
                       struct lt_displaced *ret);
int lt_x86_emulate(lt_thread *thread, const struct lt_displaced *displaced, uint64_t pc);

/* x86_disasm.c: members of struct lt_arch. */
bool lt_x86_disassemble_64(const uint8_t *code, size_t size, uint64_t pc, enum lt_syntax syntax,
                           struct lt_instruction *ret);
bool lt_x86_disassemble_32(const uint8_t *code, size_t size, uint64_t pc, enum lt_syntax syntax,
                           struct lt_instruction *ret);

#endif
