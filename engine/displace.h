/* displace.h - an instruction that a breakpoint has taken the place of, and how it is run elsewhere.
 *
 * It runs from a slot, a few bytes near the program's code, that ends with a jump back behind the
 * breakpoint. Arch files translate it (struct lt_arch.displace): what depends on its own address is
 * rewritten. Nothing here knows threads. */
#ifndef LT_DISPLACE_H
#define LT_DISPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the longest translation on any processor. */
#define LT_SLOT_BYTES 32
#define LT_INSTRUCTION_BYTES 15
#define LT_SLOT_PLACES 4

enum lt_displace {
  LT_DISPLACE_RUN,     /* the slot does it */
  LT_DISPLACE_EMULATE, /* struct lt_arch.emulate does it; if that fails with EFAULT: as STEP */
  LT_DISPLACE_STEP,    /* the slot has the instruction as it was: step it, then mend (is_call) */
  LT_DISPLACE_CALL,    /* a system call instruction: the slot has it, mended at the call's entry */
  LT_DISPLACE_TRAP,    /* the program's own breakpoint instruction: deliver its signal */
  LT_DISPLACE_ILLEGAL, /* none that we know: step the bytes in the slot, to fault as they would */
};

/* What a program counter in the slot stands for. */
enum lt_place {
  LT_PLACE_BEFORE, /* the instruction itself */
  LT_PLACE_AFTER,  /* the next one */
  LT_PLACE_TARGET, /* where it branches to */
  LT_PLACE_MIDDLE, /* has begun; must run on to one of the others */
};

struct lt_displaced {
  uint8_t kind;                /* enum lt_displace */
  uint8_t length;              /* of the program's instruction */
  uint8_t size;                /* bytes of code[] */
  bool is_call;                /* STEP: has pushed a return address into the slot, to be mended */
  uint8_t return_bytes;        /* of that address; it is what the stack pointer points to */
  uint8_t code[LT_SLOT_BYTES]; /* for the slot at the address that was given */
  uint8_t original[LT_INSTRUCTION_BYTES]; /* the instruction */
  uint64_t target;                        /* of a branch that is known beforehand, else 0 */
  uint8_t place_count;                    /* offset 0 is BEFORE and needs no entry */
  struct {
    uint8_t offset, place; /* enum lt_place; other offsets never occur between instructions */
  } places[LT_SLOT_PLACES];
};

#endif
