/* watchpoints.h - memory that is watched, and the debug registers that do it.
 *
 * Both belong to an address space: all its threads have the same registers, those that are born
 * later too. A thread's registers are written before it runs on (lt_debug_prepare). */
#ifndef LT_WATCHPOINTS_H
#define LT_WATCHPOINTS_H

#include "engine.h"

#define LT_DEBUG_SLOTS 4

/* One debug register. */
struct lt_debug_slot {
  uint64_t addr;
  uint8_t kind; /* enum lt_watch_kind; 0: free */
  uint8_t size; /* 1, 2, 4 or 8; of an "x" 1 */
  uint32_t id;  /* of the watchpoint; 0: a breakpoint's (breaks.c) */
};

/* What is watched. */
struct lt_watchpoint {
  uint32_t id;
  uint8_t kind; /* enum lt_watch_kind */
  bool software;
  uint64_t addr;
  size_t size;
  uint8_t *bytes; /* as they were last seen */
  struct lt_watchpoint *next;
};

/* What a space has of these. */
struct lt_debug {
  struct lt_debug_slot slot[LT_DEBUG_SLOTS];
  uint64_t version; /* lt_session.debug_version when the slots were last changed; 0: never used */
  struct lt_watchpoint *points;
  unsigned software; /* how many of them are watched by stepping */
};

/* debug_registers.c: take a free slot. Errors: ENOSPC (lt_error() names the users), EINVAL, ENOMEM.
 * Give it back: all of this id, for breakpoints the one at this address. */
int lt_debug_claim(lt_process *process, uint64_t addr, enum lt_watch_kind kind, unsigned size,
                   uint32_t id);
void lt_debug_release(lt_process *process, uint64_t addr, uint32_t id);
/* Before the thread runs: its registers are those of its space. Before it is let go: clear. */
void lt_debug_prepare(lt_thread *thread);
void lt_debug_clear(lt_thread *thread);
/* A SIGTRAP stop: note which slots have hit. True if any has. */
bool lt_debug_on_trap(lt_thread *thread, const siginfo_t *info);
/* The thread is to run on: true if a hit was still to be reported, and the thread was settled. */
bool lt_debug_settle(lt_thread *thread);

/* watchpoints.c: */
struct lt_watchpoint *lt_watchpoint_find(const lt_process *process, uint32_t id);
/* The latest value, of at most 8 bytes from `addr` on, and what it was before. */
void lt_watchpoint_values(lt_thread *thread, struct lt_watchpoint *point, uint64_t addr,
                          unsigned size, uint64_t *old, uint64_t *new);
/* Whether the thread must step because memory is watched by software; after each instruction, or
 * call: true if a change was reported and the thread settled. */
bool lt_watch_by_software(const lt_thread *thread);
bool lt_watch_compare(lt_thread *thread);

/* A forked child watches its own copy of the memory. */
void lt_watchpoints_copy(struct lt_debug *to, const struct lt_debug *from);

/* space.c: for lt_space_copy() and lt_space_leave(). */
struct lt_debug *lt_debug_copy(const struct lt_debug *debug);
void lt_debug_free(struct lt_debug *debug);

#endif
