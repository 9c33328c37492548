/* x86_disasm.c - x86 instructions in words, named as gdb and objdump name them. */
#include <stdio.h>
#include <string.h>

#include "x86_displace.h"

/* What the two conventions call differently, at the end of j…, set… and cmov…. */
static const char *const conditions[][2] = {
    {"nbe", "a"}, {"nb", "ae"}, {"nle", "g"}, {"nl", "ge"}, {"nz", "ne"}, {"z", "e"},
};

static const char *const families[] = {"j", "set", "cmov"};

static void rename_condition(char *text, size_t size)
{
  char rest[LT_DISASM_TEXT];
  size_t length = strcspn(text, " ");
  for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
    size_t prefix = strlen(families[i]);
    if (length <= prefix || strncmp(text, families[i], prefix) != 0)
      continue;
    for (size_t k = 0; k < sizeof conditions / sizeof *conditions; k++)
      if (strlen(conditions[k][0]) == length - prefix &&
          strncmp(text + prefix, conditions[k][0], length - prefix) == 0) {
        snprintf(rest, sizeof rest, "%s", text + length);
        snprintf(text + prefix, size - prefix, "%s%s", conditions[k][1], rest);
        return;
      }
  }
}

static void format(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
                   uint64_t pc, enum lt_syntax syntax, struct lt_instruction *ret)
{
  ZydisFormatter formatter;
  ZydisFormatterInit(&formatter, syntax == LT_SYNTAX_ATT ? ZYDIS_FORMATTER_STYLE_ATT
                                                         : ZYDIS_FORMATTER_STYLE_INTEL);
  static const struct {
    ZydisFormatterProperty property;
    ZyanUPointer value;
  } choices[] = {
      {ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE},
      {ZYDIS_FORMATTER_PROP_FORCE_RELATIVE_RIPREL, ZYAN_TRUE},
      {ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED},
      {ZYDIS_FORMATTER_PROP_ADDR_PADDING_RELATIVE, ZYDIS_PADDING_DISABLED},
      {ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED},
      {ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED},
  };
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
    ZydisFormatterSetProperty(&formatter, choices[i].property, choices[i].value);
  if (ZYAN_FAILED(ZydisFormatterFormatInstruction(&formatter, insn, operands,
                                                  insn->operand_count_visible, ret->text,
                                                  sizeof ret->text, pc, NULL)))
    snprintf(ret->text, sizeof ret->text, "%s", ZydisMnemonicGetString(insn->mnemonic));
  rename_condition(ret->text, sizeof ret->text);
}

/* Where it branches to, or the memory that it names by a fixed address. */
static void find_target(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
                        uint64_t pc, struct lt_instruction *ret)
{
  for (unsigned i = 0; i < insn->operand_count_visible; i++) {
    const ZydisDecodedOperand *operand = &operands[i];
    bool branch = operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand->imm.is_relative;
    bool memory =
        operand->type == ZYDIS_OPERAND_TYPE_MEMORY && operand->mem.index == ZYDIS_REGISTER_NONE &&
        (operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP ||
         operand->mem.base == ZYDIS_REGISTER_NONE) &&
        operand->mem.segment != ZYDIS_REGISTER_FS && operand->mem.segment != ZYDIS_REGISTER_GS;
    if ((branch || memory) &&
        ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(insn, operand, pc, &ret->target))) {
      ret->has_target = true;
      return;
    }
  }
}

/* fs:[0x28], gs:[0x14] */
static bool uses_guard(bool wide, const ZydisDecodedInstruction *insn,
                       const ZydisDecodedOperand *operands)
{
  for (unsigned i = 0; i < insn->operand_count_visible; i++)
    if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
        operands[i].mem.segment == (wide ? ZYDIS_REGISTER_FS : ZYDIS_REGISTER_GS) &&
        operands[i].mem.base == ZYDIS_REGISTER_NONE &&
        operands[i].mem.disp.value == (wide ? 0x28 : 0x14))
      return true;
  return false;
}

static enum lt_flow flow_of(const ZydisDecodedInstruction *insn,
                            const ZydisDecodedOperand *operands)
{
  bool direct = insn->operand_count_visible > 0 &&
                operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operands[0].imm.is_relative;
  switch (insn->meta.category) {
  case ZYDIS_CATEGORY_COND_BR:
    return insn->mnemonic == ZYDIS_MNEMONIC_XBEGIN ? LT_FLOW_NEXT : LT_FLOW_BRANCH;
  case ZYDIS_CATEGORY_UNCOND_BR:
    return direct ? LT_FLOW_JUMP : LT_FLOW_INDIRECT;
  case ZYDIS_CATEGORY_CALL:
    return LT_FLOW_CALL;
  case ZYDIS_CATEGORY_RET:
    return LT_FLOW_RETURN;
  default:
    return insn->mnemonic == ZYDIS_MNEMONIC_UD2 || insn->mnemonic == ZYDIS_MNEMONIC_HLT
               ? LT_FLOW_END
               : LT_FLOW_NEXT;
  }
}

static bool disassemble(bool wide, const uint8_t *code, size_t size, uint64_t pc,
                        enum lt_syntax syntax, struct lt_instruction *ret)
{
  ZydisDecodedInstruction insn;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (!lt_x86_decode(wide, code, size, &insn, operands))
    return false;
  ret->size = insn.length;
  ret->flow = (uint8_t)flow_of(&insn, operands);
  ret->uses_guard = uses_guard(wide, &insn, operands);
  find_target(&insn, operands, pc, ret);
  if (syntax != LT_SYNTAX_NONE)
    format(&insn, operands, pc, syntax, ret);
  return true;
}

bool lt_x86_disassemble_64(const uint8_t *code, size_t size, uint64_t pc, enum lt_syntax syntax,
                           struct lt_instruction *ret)
{
  return disassemble(true, code, size, pc, syntax, ret);
}

bool lt_x86_disassemble_32(const uint8_t *code, size_t size, uint64_t pc, enum lt_syntax syntax,
                           struct lt_instruction *ret)
{
  return disassemble(false, code, size, pc, syntax, ret);
}
