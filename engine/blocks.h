/* blocks.h - one function while its blocks are found (blocks.c), for program.c. */
#ifndef LT_BLOCKS_H
#define LT_BLOCKS_H

#include "engine.h"

#define LT_CODE_MAX ((size_t)4 << 20)         /* bytes of a function */
#define LT_CODE_TOTAL_MAX ((size_t)256 << 20) /* of all functions of a module */

struct lt_code_range {
  uint64_t from, to;
};

/* A statement begins. */
struct lt_code_row {
  uint64_t addr;
  uint32_t file, line;
  uint32_t order; /* as they came */
  bool opening;   /* the brace that opens the function */
};

struct lt_code_insn {
  uint64_t addr, target;
  uint8_t size, flow;
  bool leads, row, uses_guard;
};

struct lt_code_reading {
  lt_thread *thread;
  const struct lt_arch *arch;
  struct lt_program *program;
  size_t block_room, line_room; /* of the program's */
  uint64_t entry;               /* the function: from here on */
  uint32_t file, line;
  bool has_value;
  uint32_t last_line; /* that has code: that of the brace which closes the function */
  uint64_t way_out;   /* the row that only leaves it; 0 */
  struct lt_code_range *ranges;
  size_t range_count, range_room;
  struct lt_code_row *rows;
  size_t row_count, row_room;
  struct lt_code_insn *insns; /* room for blocks.c */
  size_t insn_count, insn_room;
  size_t code, total; /* bytes of the function, and of all, so far */
};

/* Add the function's blocks to the program. Returns how many, or a negated errno. */
ssize_t lt_blocks_find(struct lt_code_reading *reading);

#endif
