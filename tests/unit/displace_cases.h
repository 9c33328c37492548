/* displace_cases.h - x86 instructions run twice by a child process from the same random state: where
 * they are, by the processor alone, and as the engine runs them under a breakpoint. Afterwards all
 * registers, the memory and the signal must be the same. */
#ifndef LT_TEST_DISPLACE_CASES_H
#define LT_TEST_DISPLACE_CASES_H

#include <Zydis/Zydis.h>

#include "tracee.h"
#include "x86_state.h"

#define CASES_PAGE 4096u
#define CASES_CODE_BYTES (2 * CASES_PAGE)
#define CASES_DATA_BYTES (4 * CASES_PAGE)
#define CASES_XSTATE_BYTES 8192

/* Memory that the child shares with us, at the same addresses, for one width of code. */
struct cases_memory {
  uint8_t *code;            /* instructions are put here */
  uint8_t *target;          /* a page that branches may lead to; it cannot be written */
  uint8_t *slot, *far_slot; /* a page each; NULL: 32-bit code has everything within reach */
  uint8_t *data;            /* what instructions access */
};

struct cases_xstate {
  size_t size;
  uint8_t bytes[CASES_XSTATE_BYTES];
};

struct cases {
  uint64_t random;
  struct tracee *tracee;
  struct cases_memory narrow, wide;
  struct user_regs_struct start; /* registers that no case changes */
  struct cases_xstate xstate;    /* the child's first one */
  uint8_t template[CASES_DATA_BYTES];
  unsigned compared, different, faults, emulated, unreachable, unknown;
  unsigned mnemonics; /* how many different ones have run without a signal */
  bool has_run[ZYDIS_MNEMONIC_MAX_VALUE + 1];
};

/* One instruction and the state it begins in. */
struct cases_one {
  bool wide, is_known;
  ZydisDecodedInstruction insn;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  uint8_t bytes[16];
  size_t size;
  unsigned skips; /* nops that it jumps over */
  const struct cases_memory *memory;
  uint64_t pc, slot;
  struct user_regs_struct regs;
  struct cases_xstate xstate;
  uint8_t data[CASES_DATA_BYTES];
};

/* displace_make.c: a random number below `limit`; the next case. */
uint32_t cases_random(struct cases *cases, uint32_t limit);
void cases_make(struct cases *cases, struct cases_one *ret);

/* displace_cases.c: compare `count` cases, telling on stderr what differs. */
struct cases *cases_start(uint64_t seed);
void cases_run(struct cases *cases, unsigned count);
void cases_end(struct cases *cases);

#endif
