/* displace_make.c - random instructions and states: see displace_cases.h. */
#include <string.h>

#include "displace_cases.h"
#include "x86_displace.h"

static uint64_t next_random(struct cases *cases)
{
  cases->random ^= cases->random << 13;
  cases->random ^= cases->random >> 7;
  cases->random ^= cases->random << 17;
  return cases->random;
}

uint32_t cases_random(struct cases *cases, uint32_t limit)
{
  return (uint32_t)((next_random(cases) >> 32) * limit >> 32);
}

static bool chance(struct cases *cases, unsigned percent)
{
  return cases_random(cases, 100) < percent;
}

static void fill(struct cases *cases, void *to, size_t size)
{
  for (size_t i = 0; i < size; i += 8) {
    uint64_t value = next_random(cases);
    memcpy((uint8_t *)to + i, &value, size - i < 8 ? size - i : 8);
  }
}

/* ---- The instruction ------------------------------------------------------------------------- */

/* Branches, and what else depends on where it is or on what it leaves behind: an opcode, and the
 * least and the last value of the byte behind it. */
static const struct form {
  uint8_t bytes[2], size;
  uint8_t least, most;
} forms[] = {
    {{0x70}, 1, 0, 255},       {{0x7f}, 1, 0, 255},       {{0x0f, 0x80}, 2, 0, 255},
    {{0x0f, 0x8f}, 2, 0, 255}, {{0xe0}, 1, 0, 255},       {{0xe1}, 1, 0, 255},
    {{0xe2}, 1, 0, 255},       {{0xe3}, 1, 0, 255},       {{0xe8}, 1, 0, 255},
    {{0xe9}, 1, 0, 255},       {{0xeb}, 1, 0, 255},       {{0xff}, 1, 0x10, 0x17},
    {{0xff}, 1, 0x50, 0x57},   {{0xff}, 1, 0x90, 0x97},   {{0xff}, 1, 0xd0, 0xd7},
    {{0xff}, 1, 0x20, 0x27},   {{0xff}, 1, 0x60, 0x67},   {{0xff}, 1, 0xe0, 0xe7},
    {{0xff}, 1, 0x18, 0x1f},   {{0xff}, 1, 0x58, 0x5f},   {{0xff}, 1, 0x28, 0x2f},
    {{0xff}, 1, 0x30, 0x37},   {{0xff}, 1, 0x15, 0x15},   {{0xff}, 1, 0x25, 0x25},
    {{0xff}, 1, 0x1d, 0x1d},   {{0xff}, 1, 0x14, 0x14},   {{0xff}, 1, 0x54, 0x54},
    {{0xc2}, 1, 0, 255},       {{0xc3}, 1, 0, 255},       {{0xca}, 1, 0, 255},
    {{0xcb}, 1, 0, 255},       {{0xcf}, 1, 0, 255},       {{0x9a}, 1, 0, 255},
    {{0xea}, 1, 0, 255},       {{0xc7, 0xf8}, 2, 0, 255}, {{0x9c}, 1, 0, 255},
    {{0x9d}, 1, 0, 255},       {{0xcc}, 1, 0, 255},       {{0xcd}, 1, 0, 255},
    {{0xce}, 1, 0, 255},       {{0xf1}, 1, 0, 255},       {{0x8e}, 1, 0xd0, 0xd7},
    {{0x17}, 1, 0, 255},       {{0x8d}, 1, 0x05, 0x05},   {{0xa4}, 1, 0, 255},
    {{0xa6}, 1, 0, 255},       {{0xaa}, 1, 0, 255},       {{0xc8}, 1, 0, 255},
};

static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x36,
                                   0x3e, 0x26, 0x64, 0x65, 0xf0};

static size_t put_prefixes(struct cases *cases, uint8_t *to, bool wide, unsigned percent)
{
  size_t size = 0;
  while (size < 4 && chance(cases, percent))
    to[size++] = prefixes[cases_random(cases, sizeof prefixes)];
  if (wide && chance(cases, 40))
    to[size++] = (uint8_t)(0x40 | cases_random(cases, 16));
  return size;
}

/* VEX, EVEX and XOP, mostly with maps and fields that exist. */
static size_t put_vector(struct cases *cases, uint8_t *to)
{
  static const uint8_t maps[] = {1, 1, 2, 3};
  uint8_t map = maps[cases_random(cases, sizeof maps)];
  uint8_t bits = (uint8_t)next_random(cases);
  uint8_t third = chance(cases, 60) ? (bits & 0x87) | 0x78 : bits;
  switch (cases_random(cases, 8)) {
  case 0:
    memcpy(to, (uint8_t[]){0xc5, third}, 2);
    return 2;
  case 1:
  case 2:
  case 3:
    memcpy(to, (uint8_t[]){0xc4, (uint8_t)(0xe0 | map), third}, 3);
    return 3;
  case 4:
    memcpy(to, (uint8_t[]){0x8f, (uint8_t)(0xe8 | (map & 3)), third}, 3);
    return 3;
  default:
    memcpy(to,
           (uint8_t[]){0x62, (uint8_t)(0xf0 | map), (uint8_t)(third | 4),
                       (uint8_t)(next_random(cases) & 0xf7) | 8},
           4);
    return 4;
  }
}

/* Bytes that may be an instruction. */
static void make_bytes(struct cases *cases, struct cases_one *one)
{
  static const uint8_t maps[][2] = {{0x0f, 0x38}, {0x0f, 0x3a}};
  unsigned class = cases_random(cases, 100);
  fill(cases, one->bytes, sizeof one->bytes);
  if (class < 30) {
    const struct form *form = &forms[cases_random(cases, sizeof forms / sizeof *forms)];
    size_t at = put_prefixes(cases, one->bytes, one->wide, 25);
    memcpy(one->bytes + at, form->bytes, form->size);
    if (form->bytes[form->size - 1] >= 0x70 && form->bytes[form->size - 1] < 0x90)
      one->bytes[at + form->size - 1] ^= (uint8_t)cases_random(cases, 16);
    if (form->least || form->most != 255)
      one->bytes[at + form->size] =
          (uint8_t)(form->least + cases_random(cases, form->most - form->least + 1u));
  } else if (class < 55) {
    put_vector(cases, one->bytes);
  } else if (class < 95) {
    size_t at = put_prefixes(cases, one->bytes, one->wide, 20);
    if (class >= 90)
      memcpy(one->bytes + at, maps[cases_random(cases, 2)], 2);
    else if (class >= 75)
      one->bytes[at] = 0x0f;
    /* Operands relative to the instruction pointer, more often than by chance. */
    if (chance(cases, 30))
      one->bytes[at + (class < 75   ? 1
                       : class < 90 ? 2
                                    : 3)] = (uint8_t)(5 | cases_random(cases, 8) << 3);
  }
}

/* What two runs need not agree on, or what would end or stop the child or its machine. */
static bool is_excluded(const struct cases_one *one)
{
  switch (one->insn.mnemonic) {
  case ZYDIS_MNEMONIC_RDTSC:
  case ZYDIS_MNEMONIC_RDTSCP:
  case ZYDIS_MNEMONIC_RDPMC:
  case ZYDIS_MNEMONIC_RDPRU:
  case ZYDIS_MNEMONIC_RDRAND:
  case ZYDIS_MNEMONIC_RDSEED:
  case ZYDIS_MNEMONIC_SYSCALL:
  case ZYDIS_MNEMONIC_SYSENTER:
  case ZYDIS_MNEMONIC_VMCALL:
  case ZYDIS_MNEMONIC_VMMCALL:
  case ZYDIS_MNEMONIC_VMFUNC:
  case ZYDIS_MNEMONIC_UMWAIT:
  case ZYDIS_MNEMONIC_TPAUSE:
    return true;
  case ZYDIS_MNEMONIC_INT:
    return one->insn.raw.imm[0].value.u == 0x80;
  default:
    return false;
  }
}

static bool decode(struct cases_one *one)
{
  return lt_x86_decode(one->wide, one->bytes, LT_INSTRUCTION_BYTES, &one->insn, one->operands);
}

/* ---- The state ------------------------------------------------------------------------------- */

static uint64_t data_address(struct cases *cases, const struct cases_one *one)
{
  uint64_t offset = cases_random(cases, CASES_DATA_BYTES);
  if (chance(cases, 70))
    offset &= ~63u;
  if (chance(cases, 80)) /* not at the edge */
    offset = CASES_PAGE + offset % (2 * CASES_PAGE);
  return (uint64_t)(uintptr_t)one->memory->data + offset;
}

static uint64_t code_address(struct cases *cases, const struct cases_one *one)
{
  return (uint64_t)(uintptr_t)one->memory->target + cases_random(cases, CASES_PAGE);
}

static uint64_t value(struct cases *cases, const struct cases_one *one)
{
  uint64_t random = next_random(cases);
  switch (cases_random(cases, 8)) {
  case 0:
  case 1:
    return data_address(cases, one);
  case 2:
    return code_address(cases, one);
  case 3:
    return random & 0xff;
  case 4:
    return one->wide ? (uint64_t) - (int64_t)(random & 0xff)
                     : (uint32_t) - (int32_t)(random & 0xff);
  default:
    return one->wide ? random : (uint32_t)random;
  }
}

static unsigned long long *register_of(struct cases_one *one, ZydisRegister name)
{
  struct user_regs_struct *user = &one->regs;
  unsigned long long *const all[] = {&user->rax, &user->rcx, &user->rdx, &user->rbx,
                                     &user->rsp, &user->rbp, &user->rsi, &user->rdi,
                                     &user->r8,  &user->r9,  &user->r10, &user->r11,
                                     &user->r12, &user->r13, &user->r14, &user->r15};
  ZydisRegisterClass class = ZydisRegisterGetClass(name);
  ZyanI8 id = ZydisRegisterGetId(name);
  if ((class != ZYDIS_REGCLASS_GPR64 && class != ZYDIS_REGCLASS_GPR32) || id < 0 || id >= 16)
    return NULL;
  return all[id];
}

static void make_registers(struct cases *cases, struct cases_one *one)
{
  struct user_regs_struct *user = &one->regs;
  *user = cases->start;
  for (unsigned i = 0; i < (one->wide ? 16 : 8); i++)
    *register_of(one, (ZydisRegister)(ZYDIS_REGISTER_RAX + i)) = value(cases, one);
  for (unsigned i = 8; i < 16 && !one->wide; i++)
    *register_of(one, (ZydisRegister)(ZYDIS_REGISTER_RAX + i)) = 0;
  if (chance(cases, 90))
    user->rsp = data_address(cases, one) & ~(chance(cases, 80) ? 7ull : 0ull);
  user->eflags = 0x202 | (next_random(cases) & 0xcd5);
  if (chance(cases, 5))
    user->eflags |= 0x40000; /* AC */
  if (one->wide) {
    user->fs_base = data_address(cases, one);
    user->gs_base = chance(cases, 50) ? data_address(cases, one) : 0;
    return;
  }
  user->cs = 0x23;
  user->ss = user->ds = user->es = 0x2b;
  user->fs = user->gs = 0x2b;
  user->fs_base = user->gs_base = 0;
}

/* Change the instruction's displacement and the registers it goes by so that its operand is in
 * memory that exists. */
static void aim(struct cases *cases, struct cases_one *one, const ZydisDecodedOperand *operand)
{
  uint64_t addr = data_address(cases, one), segment = 0;
  uint64_t disp = (uint64_t)one->insn.raw.disp.value;
  uint8_t size = one->insn.raw.disp.size / 8;
  unsigned long long *base = register_of(one, operand->mem.base);
  unsigned long long *index = register_of(one, operand->mem.index);
  if (operand->mem.segment == ZYDIS_REGISTER_FS)
    segment = one->regs.fs_base;
  else if (operand->mem.segment == ZYDIS_REGISTER_GS)
    segment = one->regs.gs_base;
  bool is_relative =
      operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP;
  if (is_relative)
    disp = addr - segment - (one->pc + one->insn.length);
  else if (!base)
    disp = addr - segment;
  else if (size >= 4)
    disp = (uint64_t)(int64_t)(int32_t)(cases_random(cases, 0x20000) - 0x10000);
  if (size >= 4)
    memcpy(one->bytes + one->insn.raw.disp.offset, &disp, size);
  if (index && index != base)
    *index = cases_random(cases, 256);
  if (base)
    *base = addr - segment - disp - (index && index != base ? *index * operand->mem.scale : 0);
  if (base && !one->wide)
    *base = (uint32_t)*base;
}

static uint8_t *data_at(struct cases_one *one, uint64_t addr, size_t size)
{
  uint64_t start = (uint64_t)(uintptr_t)one->memory->data;
  return addr >= start && addr - start <= CASES_DATA_BYTES - size ? one->data + (addr - start)
                                                                  : NULL;
}

/* What returns find on the stack: where to, which code, flags, stack. */
static void make_stack(struct cases *cases, struct cases_one *one)
{
  size_t width = one->insn.operand_width / 8;
  const uint64_t words[] = {code_address(cases, one), chance(cases, 50) ? one->regs.cs : 0x23,
                            0x202 | (next_random(cases) & 0x4dd5), data_address(cases, one), 0x2b};
  uint8_t *to = data_at(one, one->regs.rsp, sizeof words);
  bool pops_flags =
      one->insn.meta.category == ZYDIS_CATEGORY_POP || one->insn.mnemonic == ZYDIS_MNEMONIC_POPFQ;
  if (!to || !width || width > 8)
    return;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    memcpy(to + i * width, &words[pops_flags ? 2 : i], width);
}

/* A branch through memory finds an address there, a far one with a selector behind it. */
static void make_pointer(struct cases *cases, struct cases_one *one, uint64_t addr)
{
  uint8_t *to = data_at(one, addr, 16);
  uint64_t where = code_address(cases, one);
  uint16_t selector = chance(cases, 50) ? 0x33 : 0x23;
  size_t width = one->insn.operand_width / 8;
  if (!to || width > 8)
    return;
  memcpy(to, &where, sizeof where);
  if (one->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
    memcpy(to + width, &selector, sizeof selector);
}

static void make_operands(struct cases *cases, struct cases_one *one)
{
  for (unsigned i = 0; i < one->insn.operand_count; i++) {
    const ZydisDecodedOperand *operand = &one->operands[i];
    if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY ||
        operand->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
      continue;
    aim(cases, one, operand);
    ZydisRegisterContext context = {{0}};
    ZyanU64 addr;
    if (!decode(one))
      continue;
    for (unsigned j = 0; j < 16; j++) {
      context.values[ZYDIS_REGISTER_RAX + j] = *register_of(one, ZYDIS_REGISTER_RAX + j);
      context.values[ZYDIS_REGISTER_EAX + j] = (uint32_t)context.values[ZYDIS_REGISTER_RAX + j];
    }
    if (one->insn.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE &&
        ZYAN_SUCCESS(ZydisCalcAbsoluteAddressEx(&one->insn, operand, one->pc, &context, &addr)))
      make_pointer(cases, one, addr);
  }
  if (one->operands[0].type == ZYDIS_OPERAND_TYPE_POINTER && chance(cases, 80)) {
    uint16_t selector = chance(cases, 50) ? 0x33 : 0x23;
    memcpy(one->bytes + one->insn.length - sizeof selector, &selector, sizeof selector);
  }
}

static void make_vectors(struct cases *cases, struct cases_one *one)
{
  enum { CONTROL = 0, STATUS = 2, TAGS = 4, MXCSR = 24, STACK = 32, XMM = 160, FEATURES = 464 };
  uint8_t *to = one->xstate.bytes;
  uint32_t mxcsr = 0x1f80 | (uint32_t)(next_random(cases) & 0xe07f);
  uint16_t control = 0x37f, status = (uint16_t)(next_random(cases) & 0x7f00);
  uint64_t in_use;
  one->xstate = cases->xstate;
  if (chance(cases, 10))
    control = (uint16_t)(0x340 | (next_random(cases) & 0xc3f)),
    mxcsr &= ~(uint32_t)cases_random(cases, 0x2000) | 0x7f;
  memcpy(&in_use, to + FEATURES, sizeof in_use);
  in_use &= 0xe7;
  memcpy(to + 512, &in_use, sizeof in_use);
  memcpy(to + CONTROL, &control, sizeof control);
  memcpy(to + STATUS, &status, sizeof status);
  to[TAGS] = (uint8_t)(chance(cases, 50) ? 0 : next_random(cases));
  memcpy(to + MXCSR, &mxcsr, sizeof mxcsr);
  for (unsigned i = 0; i < 8; i++)
    fill(cases, to + STACK + 16 * i, 10);
  fill(cases, to + XMM, 256);
  if (one->xstate.size > 576)
    fill(cases, to + 576, 256);
  for (size_t at = 0x440; (in_use & 0xe0) && at < one->xstate.size && at < 0x440 + 64 + 512 + 1024;
       at += 8)
    fill(cases, to + at, 8);
}

static void place(struct cases *cases, struct cases_one *one)
{
  bool is_far = one->wide && chance(cases, 10);
  uint8_t *slots = is_far ? one->memory->far_slot : one->memory->slot;
  one->pc =
      (uint64_t)(uintptr_t)one->memory->code + 16 + cases_random(cases, CASES_CODE_BYTES - 64);
  one->slot = (uint64_t)(uintptr_t)slots +
              LT_SLOT_BYTES * (uint64_t)cases_random(cases, CASES_PAGE / LT_SLOT_BYTES);
}

/* One that is aborted goes on at a place that can be stepped over. */
static void make_transaction(struct cases *cases, struct cases_one *one)
{
  one->skips = cases_random(cases, 8);
  memcpy(one->bytes + one->insn.raw.imm[0].offset, &one->skips, one->insn.raw.imm[0].size / 8);
  decode(one);
}

void cases_make(struct cases *cases, struct cases_one *ret)
{
  ret->wide = chance(cases, 60);
  ret->memory = ret->wide ? &cases->wide : &cases->narrow;
  bool keep_unknown = chance(cases, 2);
  do {
    make_bytes(cases, ret);
    ret->is_known = decode(ret);
  } while (ret->is_known ? is_excluded(ret) : !keep_unknown);
  place(cases, ret);
  make_registers(cases, ret);
  make_vectors(cases, ret);
  memcpy(ret->data, cases->template, sizeof ret->data);
  ret->size = LT_INSTRUCTION_BYTES;
  ret->skips = 0;
  if (!ret->is_known)
    return;
  if (chance(cases, 80))
    make_operands(cases, ret);
  if (chance(cases, 90) &&
      (ret->insn.meta.category == ZYDIS_CATEGORY_RET || lt_x86_is_emulated(&ret->insn)))
    make_stack(cases, ret);
  /* A far call that pushes beyond the end of the address space never ends on some processors. */
  if (ret->insn.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR && ret->regs.rsp < CASES_PAGE)
    ret->regs.rsp = data_address(cases, ret);
  ret->size = ret->insn.length;
  if (ret->insn.mnemonic == ZYDIS_MNEMONIC_XBEGIN)
    make_transaction(cases, ret);
}
