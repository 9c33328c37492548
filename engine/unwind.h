/* unwind.h - the frames of a stopped thread, one after the other, with the registers of each as far
 * as they can be told. For those who evaluate expressions in a frame: lt_cursor_around(). */
#ifndef LT_UNWIND_H
#define LT_UNWIND_H

#include "frames.h"
#include "task.h"

#define LT_WINDOW ((size_t)4096)

/* One frame. Valid until the thread runs on; what is read ahead of memory is not read again. */
struct lt_cursor {
  lt_thread *thread;
  const struct lt_arch *arch;
  unsigned level;  /* 0: the innermost */
  bool exact;      /* `pc` has not been run yet; else it is where a call returns to */
  bool trampoline; /* it is what a signal handler returns to */
  bool guessed;    /* the frame was found without tables */
  uint64_t pc, sp;
  uint64_t cfa;                  /* what the stack pointer was before the call of this function */
  bool cfa_known;                /* after lt_cursor_cfa() or lt_cursor_up() */
  uint64_t reg[LT_FRAME_REGS];   /* by DWARF number */
  uint32_t known;                /* bit per register whose value is in `reg` */
  uint64_t saved[LT_FRAME_REGS]; /* where in memory the value is */
  uint32_t in_memory;    /* bit per register for which that is so: others are in the processor */
  enum lt_stack_end end; /* after lt_cursor_up() returned false */
  uint64_t mark_pc, mark_sp; /* a frame that was passed, to notice circles */
  uint64_t window_at;        /* what has been read of the stack */
  size_t window_size;
  uint8_t window[LT_WINDOW];
};

/* The innermost frame of a stopped thread. Negated errno. */
int lt_cursor_start(lt_thread *thread, struct lt_cursor *ret);
/* On to the caller's frame. False: there is none, `end` says why, and the cursor stays. */
bool lt_cursor_up(struct lt_cursor *cursor);
/* The frame at a level. -ENOENT: the stack ends before. */
int lt_cursor_at(lt_thread *thread, unsigned level, struct lt_cursor *ret);
/* The address of an instruction that belongs to the frame: of the call, for a caller. */
uint64_t lt_cursor_lookup(const struct lt_cursor *cursor);
/* Its canonical frame address. -ENODATA where that is not known. */
int lt_cursor_cfa(struct lt_cursor *cursor, uint64_t *ret);
/* A register, by DWARF number: -ENODATA where its value is lost. */
int lt_cursor_reg(struct lt_cursor *cursor, unsigned number, uint64_t *ret);
/* A number as wide as the thread's addresses; a word of memory, most of the time of the stack. */
uint64_t lt_cursor_cut(const struct lt_cursor *cursor, uint64_t value);
int lt_cursor_word(struct lt_cursor *cursor, uint64_t addr, uint64_t *ret);
/* The cursor as the surroundings of an expression: registers, memory and CFA. The rest is left to
 * the caller, who may use a struct of their own that begins with the cursor as `data`. */
void lt_cursor_around(struct lt_cursor *cursor, uint64_t bias, struct lt_surroundings *ret);

/* frames.c: the rules for an address of a process; NULL where its file has none. */
const struct lt_frame_row *lt_frames_row(lt_thread *thread, uint64_t addr, uint64_t *bias);

#endif
