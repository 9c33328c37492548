/* planted.h - code that counts in the traced program itself, as arch files make it.
 *
 * A function's first instructions give way to a jump. The code that it leads to saves what it uses,
 * finds the memory of its thread, counts, puts everything back, and runs the displaced instructions:
 *
 *   0           save; find the block of the thread; tests; count; restore
 *   displaced   the program's own instructions, then a jump behind the planted one
 *   trap        a breakpoint instruction, with everything restored: the thread has no block yet, or
 *               no room in it. Nothing has been counted.
 *
 * Where an instruction begins inside of the planted jump, the jump has a byte that traps, so that a
 * thread which arrives there can be sent on to the copy. Nothing here knows threads. */
#ifndef LT_PLANTED_H
#define LT_PLANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "luatrace.h"

#define LT_JUMP_BYTES 5
#define LT_JUMP_PLACES 6      /* instructions that a jump can displace, and the next one */
#define LT_PLANTED_BYTES 2048 /* of code for one address */
#define LT_PLANTED_PARTS 4    /* aggregations that one address feeds */
#define LT_PLANTED_PUSHES 5
#define LT_PLANTED_TESTS 24   /* alternatives of all tests */
#define LT_DISPLACED_BYTES 32 /* code that is looked at: two instructions can be that long */

/* Memory of the counts. A block belongs to one thread at a time, by its key: what tells threads
 * that run at the same time apart, plus a number of the address space. The block at the end is never
 * anybody's, and free ones have key 0. */
#define LT_BLOCK_BYTES 32768
#define LT_BLOCKS 288
#define LT_BLOCKS_HASHED 256 /* a search begins at one of these */
#define LT_BLOCK_HEADER 64   /* bytes before the first count; the key is in the first word */
#define LT_TALLY_COUNT 0     /* offsets in a tally */
#define LT_TALLY_SUM 8
#define LT_TALLY_BUCKETS 16
#define LT_ENTRY_PROBES 8 /* entries of a table that are looked at for a key */

/* One aggregation: a tally in each block, or a table of entries: tally, then keys. */
struct lt_planted_part {
  const struct lt_aggregate_shape *shape;
  const struct lt_measure *measure;
  uint32_t offset; /* in the block */
  uint32_t stride,
      entries;   /* of a table; 0, 0: no keys. `entries` is a power of two + probes - 1 */
  uint32_t keys; /* offset of the keys in an entry */
};

/* Which bytes a jump at this code displaces. */
struct lt_jump_shape {
  uint8_t bytes;    /* of the whole instructions that it touches */
  uint8_t boundary; /* bit i: an instruction begins at byte i of the jump, i > 0 */
};

struct lt_planted {
  uint64_t addr; /* of the code that is displaced */
  uint64_t at;   /* of the code here */
  struct lt_jump_shape shape;
  uint8_t code[LT_PLANTED_BYTES];
  uint16_t size, displaced, trap;
  uint8_t places, pushes;
  struct {
    uint16_t offset; /* of the copy, in `code` */
    uint8_t original;
  } place[LT_JUMP_PLACES];
  /* A fault before these offsets is that of making room on the stack; so many bytes have been taken. */
  struct {
    uint16_t offset, bytes;
  } push[LT_PLANTED_PUSHES];
};

struct lt_planting {
  uint64_t addr, at;
  const uint8_t *bytes; /* LT_DISPLACED_BYTES of the program's own */
  uint64_t key,
      base; /* addresses of words: what is added to a thread's key; where the blocks are */
  const struct lt_planted_part *part;
  unsigned parts;
};

#endif
