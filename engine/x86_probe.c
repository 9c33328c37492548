/* x86_probe.c - planted code for x86-64: see planted.h.
 *
 * A thread is told by its fs base, which every C library gives to each thread as its own. The block
 * is looked up by that, so its counts need no locked instruction. Flags are saved by lahf and seto,
 * since pushf and popf are many times slower; the 128 bytes below the stack pointer are left alone. */
#include "x86_probe.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

#include "x86_displace.h"

enum reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11 };

#define RED_ZONE 128
#define HASH 0x9e3779b1u

struct code {
  struct lt_planted *to;
  bool wide; /* rcx and rdx are saved too, and free */
  bool full;
};

/* A jump forwards whose target comes later. */
struct hole {
  unsigned at;
};

static void put(struct code *code, const void *bytes, size_t size)
{
  if (code->to->size + size > sizeof code->to->code) {
    code->full = true;
    return;
  }
  memcpy(code->to->code + code->to->size, bytes, size);
  code->to->size = (uint16_t)(code->to->size + size);
}

#define PUT(code, bytes) put(code, bytes, sizeof(bytes) - 1)

static void put_32(struct code *code, uint32_t value)
{
  put(code, &value, sizeof value);
}

static struct hole put_jump(struct code *code, unsigned condition)
{
  const uint8_t opcode[] = {0x0f, (uint8_t)(0x80 | condition)};
  put(code, opcode, sizeof opcode);
  put_32(code, 0);
  return (struct hole){code->to->size - 4u};
}

static struct hole put_jump_always(struct code *code)
{
  PUT(code, "\xe9");
  put_32(code, 0);
  return (struct hole){code->to->size - 4u};
}

static void fill_to(struct code *code, struct hole hole, unsigned target)
{
  uint32_t delta = target - (hole.at + 4);
  if (!code->full)
    memcpy(code->to->code + hole.at, &delta, sizeof delta);
}

static void fill(struct code *code, struct hole hole)
{
  fill_to(code, hole, code->to->size);
}

enum { BELOW = 2, ABOVE = 7, EQUAL = 4, NOT_EQUAL = 5, NEGATIVE = 8, LESS = 12, GREATER = 15 };
#define OR_EQUAL_OF_ABOVE 6    /* not above */
#define OR_EQUAL_OF_GREATER 14 /* not greater */

/* op reg, rm with 64 bits. */
static void put_regs(struct code *code, unsigned opcode, enum reg reg, enum reg rm)
{
  const uint8_t bytes[] = {(uint8_t)(0x48 | (reg >> 3) << 2 | rm >> 3), (uint8_t)opcode,
                           (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7))};
  put(code, bytes, sizeof bytes);
}

/* op reg, [base + offset] with 64 bits. */
static void put_memory(struct code *code, unsigned opcode, enum reg reg, enum reg base,
                       uint32_t offset)
{
  const uint8_t bytes[] = {(uint8_t)(0x48 | (reg >> 3) << 2 | base >> 3), (uint8_t)opcode,
                           (uint8_t)(0x80 | (reg & 7) << 3 | (base & 7)), 0x24};
  put(code, bytes, base == RSP ? 4 : 3);
  put_32(code, offset);
}

/* op reg, [address], which is near. */
static void put_near(struct code *code, unsigned opcode, enum reg reg, uint64_t address)
{
  const uint8_t bytes[] = {(uint8_t)(0x48 | (reg >> 3) << 2), (uint8_t)opcode,
                           (uint8_t)(0x05 | (reg & 7) << 3)};
  put(code, bytes, sizeof bytes);
  put_32(code, (uint32_t)(address - (code->to->at + code->to->size + 4)));
}

static void put_constant(struct code *code, enum reg reg, uint64_t value)
{
  const uint8_t bytes[] = {(uint8_t)(0x48 | reg >> 3), (uint8_t)(0xb8 | (reg & 7))};
  put(code, bytes, sizeof bytes);
  put(code, &value, sizeof value);
}

enum { ADD = 0x01, CMP = 0x39, MOV = 0x89, LOAD = 0x8b, ADD_FROM = 0x03, CMP_WITH = 0x3b };

/* ---- Around the counting ------------------------------------------------------------------ */

static void put_push(struct code *code, enum reg reg)
{
  struct lt_planted *to = code->to;
  const uint8_t bytes[] = {0x41, (uint8_t)(0x50 | (reg & 7))};
  to->push[to->pushes].offset = to->size;
  to->push[to->pushes].bytes = (uint16_t)(RED_ZONE + 8 * to->pushes);
  to->pushes++;
  put(code, reg >= R8 ? bytes : bytes + 1, reg >= R8 ? 2 : 1);
}

static void put_save(struct code *code)
{
  PUT(code, "\x48\x8d\x64\x24\x80"); /* lea rsp, [rsp - 128] */
  put_push(code, RAX);
  put_push(code, R10);
  put_push(code, R11);
  if (code->wide) {
    put_push(code, RCX);
    put_push(code, RDX);
  }
  PUT(code, "\x9f\x0f\x90\xc0"); /* lahf; seto al */
}

static void put_restore(struct code *code)
{
  PUT(code, "\x04\x7f\x9e"); /* add al, 127 (overflows if it was 1); sahf */
  if (code->wide)
    PUT(code, "\x5a\x59");
  PUT(code, "\x41\x5b\x41\x5a\x58");
  PUT(code, "\x48\x8d\xa4\x24\x80\x00\x00\x00"); /* lea rsp, [rsp + 128] */
}

static unsigned stack_used(const struct code *code)
{
  return RED_ZONE + 8u * code->to->pushes;
}

/* r10: the thread's block; r11 is used. Away from the usual path: the blocks after the first one,
 * up to a free one. */
struct search {
  struct hole first, none;
  unsigned found;
};

static struct search put_search(struct code *code, const struct lt_planting *what)
{
  struct search search = {0};
  PUT(code, "\xf3\x49\x0f\xae\xc3"); /* rdfsbase r11 */
  put_near(code, ADD_FROM, R11, what->key);
  PUT(code, "\x45\x69\xd3"); /* imul r10d, r11d, HASH */
  put_32(code, HASH);
  PUT(code, "\x41\xc1\xea\x09\x41\x81\xe2"); /* shr r10d, 9; and r10d, ... */
  put_32(code, (LT_BLOCKS_HASHED - 1) * LT_BLOCK_BYTES);
  put_near(code, ADD_FROM, R10, what->base);
  PUT(code, "\x4d\x3b\x1a"); /* cmp r11, [r10] */
  search.first = put_jump(code, NOT_EQUAL);
  search.found = code->to->size;
  return search;
}

uint32_t lt_x86_block_of(uint64_t key)
{
  return ((uint32_t)key * HASH) >> 24 & (LT_BLOCKS_HASHED - 1);
}

static void put_search_on(struct code *code, struct search *search)
{
  fill(code, search->first);
  unsigned again = code->to->size;
  PUT(code, "\x49\x81\xc2"); /* add r10, ... */
  put_32(code, LT_BLOCK_BYTES);
  PUT(code, "\x4d\x3b\x1a");
  fill_to(code, put_jump(code, EQUAL), search->found);
  PUT(code, "\x49\x83\x3a\x00"); /* cmp qword [r10], 0 */
  fill_to(code, put_jump(code, NOT_EQUAL), again);
  search->none = put_jump_always(code);
}

/* ---- Operands ----------------------------------------------------------------------------- */

static void put_narrow(struct code *code, const struct lt_operand *operand)
{
  if (operand->size == 4) {
    if (operand->is_signed)
      PUT(code, "\x4d\x63\xdb"); /* movsxd r11, r11d */
    else
      PUT(code, "\x45\x89\xdb"); /* mov r11d, r11d */
  } else if (operand->size < 4) {
    const uint8_t bytes[] = {
        0x4d, 0x0f, (uint8_t)((operand->is_signed ? 0xbe : 0xb6) | (operand->size == 2)), 0xdb};
    put(code, bytes, sizeof bytes);
  }
}

/* r11: its value. */
static void put_operand(struct code *code, const struct lt_planting *what,
                        const struct lt_operand *operand)
{
  static const enum reg args[] = {RDI, RSI, RDX, RCX, R8, R9};
  if (operand->source == LT_FROM_PC) {
    put_constant(code, R11, what->addr);
  } else if (operand->source == LT_FROM_CALLER) {
    put_memory(code, LOAD, R11, RSP, stack_used(code));
  } else if (operand->source == LT_FROM_ARG) {
    enum reg reg = args[operand->index];
    if (reg == RDX || reg == RCX)
      put_memory(code, LOAD, R11, RSP, reg == RCX ? 8 : 0);
    else
      put_regs(code, MOV, reg, R11);
    put_narrow(code, operand);
  } else {
    PUT(code, "\x45\x31\xdb"); /* xor r11d, r11d */
  }
}

/* The alternative's test of r11; the holes of where it passes. */
static struct hole put_alternative(struct code *code, const struct lt_operand *operand,
                                   const struct lt_alternative *one)
{
  put_constant(code, RDX, one->a);
  if (one->kind == LT_TEST_HAS) {
    put_regs(code, MOV, RDX, RCX);
    PUT(code, "\x4c\x21\xd9"); /* and rcx, r11 */
    put_regs(code, CMP, RDX, RCX);
    return put_jump(code, EQUAL);
  }
  put_regs(code, CMP, RDX, R11);
  if (one->kind == LT_TEST_EQUAL)
    return put_jump(code, EQUAL);
  struct hole below = put_jump(code, operand->is_signed ? LESS : BELOW);
  put_constant(code, RDX, one->b);
  put_regs(code, CMP, RDX, R11);
  struct hole passes = put_jump(code, operand->is_signed ? OR_EQUAL_OF_GREATER : OR_EQUAL_OF_ABOVE);
  fill(code, below);
  return passes;
}

/* Returns where it goes on that does not pass. */
static struct hole put_test(struct code *code, const struct lt_planting *what,
                            const struct lt_test *test)
{
  struct hole pass[LT_PLANTED_TESTS];
  put_operand(code, what, &test->operand);
  for (uint32_t i = 0; i < test->count; i++)
    pass[i] = put_alternative(code, &test->operand, &test->any[i]);
  struct hole fail = put_jump_always(code);
  for (uint32_t i = 0; i < test->count; i++)
    fill(code, pass[i]);
  return fail;
}

/* ---- Tallies ------------------------------------------------------------------------------ */

/* rcx: the entry of these keys, a free one becomes theirs. Returns where it goes on without one. */
static struct hole put_entry(struct code *code, const struct lt_planting *what,
                             const struct lt_planted_part *part)
{
  const struct lt_operand *key = part->measure->key;
  unsigned bits = 0;
  while (2u << bits <= part->entries - (LT_ENTRY_PROBES - 1))
    bits++;
  PUT(code, "\x31\xd2"); /* xor edx, edx */
  for (unsigned i = 0; i < part->shape->keys; i++) {
    put_operand(code, what, &key[i]);
    put_regs(code, ADD, R11, RDX);
    PUT(code, "\x49\xc1\xcb\x20"); /* ror r11, 32 */
    put_regs(code, ADD, R11, RDX);
    PUT(code, "\x69\xd2"); /* imul edx, edx, HASH */
    put_32(code, HASH);
  }
  const uint8_t shift[] = {0xc1, 0xea, (uint8_t)(32 - bits), 0x69, 0xd2};
  put(code, shift, sizeof shift); /* shr edx, 32 - bits; imul edx, edx, stride */
  put_32(code, part->stride);
  PUT(code, "\x49\x8d\x8c\x12"); /* lea rcx, [r10 + rdx + offset] */
  put_32(code, part->offset);
  PUT(code, "\xba"); /* mov edx, ... */
  put_32(code, LT_ENTRY_PROBES);
  unsigned again = code->to->size;
  PUT(code, "\x48\x83\x39\x00"); /* cmp qword [rcx], 0 */
  struct hole empty = put_jump(code, EQUAL), other[LT_KEYS_MAX];
  for (unsigned i = 0; i < part->shape->keys; i++) {
    put_operand(code, what, &key[i]);
    put_memory(code, CMP_WITH, R11, RCX, part->keys + 8 * i);
    other[i] = put_jump(code, NOT_EQUAL);
  }
  struct hole found = put_jump_always(code);
  for (unsigned i = 0; i < part->shape->keys; i++)
    fill(code, other[i]);
  PUT(code, "\x48\x81\xc1"); /* add rcx, stride */
  put_32(code, part->stride);
  PUT(code, "\xff\xca"); /* dec edx */
  fill_to(code, put_jump(code, NOT_EQUAL), again);
  struct hole none = put_jump_always(code);
  fill(code, empty);
  for (unsigned i = 0; i < part->shape->keys; i++) {
    put_operand(code, what, &key[i]);
    put_memory(code, MOV, R11, RCX, part->keys + 8 * i);
  }
  fill(code, found);
  return none;
}

/* inc qword [base + offset] */
static void put_increment(struct code *code, enum reg base, uint32_t offset)
{
  const uint8_t bytes[] = {(uint8_t)(0x48 | base >> 3), 0xff, (uint8_t)(0x80 | (base & 7))};
  put(code, bytes, sizeof bytes);
  put_32(code, offset);
}

/* edx: 0 for negative values, 1 for zero, else 2 + the number of the highest bit. */
static void put_bucket(struct code *code, enum reg base, uint32_t offset)
{
  PUT(code, "\x31\xd2");
  PUT(code, "\x4d\x85\xdb"); /* test r11, r11 */
  struct hole negative = put_jump(code, NEGATIVE), zero = put_jump(code, EQUAL);
  PUT(code, "\x49\x0f\xbd\xd3\xff\xc2"); /* bsr rdx, r11; inc edx */
  fill(code, zero);
  PUT(code, "\xff\xc2");
  fill(code, negative);
  const uint8_t increment[] = {(uint8_t)(0x48 | base >> 3), 0xff, 0x84,
                               (uint8_t)(0xd0 | (base & 7))};
  put(code, increment, sizeof increment); /* inc qword [base + rdx * 8 + offset] */
  put_32(code, offset);
}

/* The count comes last: a tally with a count is complete. */
static void put_tally(struct code *code, const struct lt_planting *what,
                      const struct lt_planted_part *part)
{
  enum reg base = part->stride ? RCX : R10;
  uint32_t offset = part->stride ? 0 : part->offset;
  if (part->shape->action != LT_ACTION_COUNT) {
    put_operand(code, what, &part->measure->value);
    put_memory(code, ADD, R11, base, offset + LT_TALLY_SUM);
  }
  if (part->shape->action == LT_ACTION_HIST)
    put_bucket(code, base, offset + LT_TALLY_BUCKETS);
  put_increment(code, base, offset + LT_TALLY_COUNT);
}

/* Returns whether it has keys, and then where it goes on without room for them. */
static bool put_part(struct code *code, const struct lt_planting *what,
                     const struct lt_planted_part *part, struct hole *ret)
{
  struct hole fail[LT_PLANTED_TESTS];
  size_t tests = part->measure->test_count;
  for (size_t i = 0; i < tests; i++)
    fail[i] = put_test(code, what, &part->measure->tests[i]);
  if (part->stride)
    *ret = put_entry(code, what, part);
  put_tally(code, what, part);
  for (size_t i = 0; i < tests; i++)
    fill(code, fail[i]);
  return part->stride != 0;
}

/* ---- The whole ---------------------------------------------------------------------------- */

static bool is_plain(const struct lt_planted_part *part)
{
  return part->shape->action == LT_ACTION_COUNT && !part->stride && !part->measure->test_count;
}

int lt_x86_plant_64(const struct lt_planting *what, struct lt_planted *ret)
{
  struct code code = {.to = ret};
  struct hole none = {0};
  bool has_none = false;
  memset(ret, 0, sizeof *ret);
  ret->addr = what->addr;
  ret->at = what->at;
  for (unsigned i = 0; i < what->parts; i++)
    code.wide |= !is_plain(&what->part[i]);
  put_save(&code);
  struct search search = put_search(&code, what);
  for (unsigned i = 0; i < what->parts; i++)
    has_none |= put_part(&code, what, &what->part[i], &none);
  put_restore(&code);
  ret->displaced = ret->size;
  int error = code.full ? -ERANGE : lt_x86_put_displaced(ret, what->bytes);
  if (error)
    return error;
  put_search_on(&code, &search);
  fill(&code, search.none);
  if (has_none)
    fill(&code, none);
  put_restore(&code);
  ret->trap = ret->size;
  PUT(&code, "\xcc");
  return code.full ? -ERANGE : 0;
}

/* The kernel lets programs read the fs base themselves, and lahf is there. */
bool lt_x86_can_plant(void)
{
  unsigned a, b, c = 0, d;
  return getauxval(AT_HWCAP2) & 2 && __get_cpuid(0x80000001, &a, &b, &c, &d) && c & 1;
}
