/* x86_probe.h - planted code for x86-64 (planted.h): members of struct lt_arch. */
#ifndef LT_X86_PROBE_H
#define LT_X86_PROBE_H

#include "planted.h"

/* x86_probe.c */
bool lt_x86_can_plant(void);
int lt_x86_plant_64(const struct lt_planting *what, struct lt_planted *ret);
uint32_t lt_x86_block_of(uint64_t key);

/* x86_jump.c: which instructions a jump at `addr` displaces; -ENOTSUP, with a reason, where that
 * cannot be. Behind the code there is so far: these instructions, and the jump back. */
int lt_x86_jump_shape(const uint8_t *bytes, size_t size, uint64_t addr, struct lt_jump_shape *ret,
                      const char **why);
int lt_x86_put_displaced(struct lt_planted *planted, const uint8_t *bytes);
/* The jump itself. -ERANGE: out of reach, or its bytes do not trap where they have to. */
int lt_x86_jump(const struct lt_jump_shape *shape, uint64_t addr, uint64_t to,
                uint8_t ret[LT_JUMP_BYTES]);
/* 64 KiB that jumps may lead to, the `n`-th choice; false: there are no more. */
bool lt_x86_jump_window(const struct lt_jump_shape *shape, uint64_t addr, unsigned n,
                        uint64_t *ret);
/* Whether this byte of a jump, the one at `index`, traps when it is run as an instruction. */
bool lt_x86_traps(unsigned index, uint8_t byte);

#endif
