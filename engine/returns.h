/* returns.h - returns that are awaited, for task.h and space.h. */
#ifndef LT_RETURNS_H
#define LT_RETURNS_H

#include <uthash.h>

#include "engine.h"

/* A return that is awaited. */
struct lt_return {
  uint64_t sp; /* after its return */
  uint64_t seq;
  uint64_t addr;           /* it returns to */
  uint64_t slot;           /* address of its return address */
  uint64_t function;       /* where the thread stood; 0 if that was not its first instruction */
  uint64_t stop_seq;       /* of the stop at which it was asked for */
  struct lt_return *under; /* the older one with this sp, which ended in a jump to this one */
  struct lt_return *prev, *next; /* newest first */
  UT_hash_handle hh;             /* by sp: the newest with it */
};

/* lt_return_watch() for the engine itself: the hook does not hear of it. */
int lt_return_begin(lt_thread *thread, uint64_t *ret);
/* breaks.c: the thread stands at a site of ours. Reports the returns that happen there; its record is
 * that of the last one then. */
enum lt_verdict lt_returns_on_break(lt_thread *thread);
/* Dispatch, with the thread stopped and no hook on the stack: report the functions that were found to
 * have been left without a return. */
enum lt_verdict lt_returns_tell_lost(lt_thread *thread);
/* The program whose functions they are is gone (exec): tell who waits. */
void lt_returns_lost(lt_thread *thread);
void lt_returns_free(lt_thread *thread);

/* goroutines.c: a site where something returns to is needed; no longer; this one has been left, which
 * the thread is to tell. */
int lt_return_need_site(lt_process *process, uint64_t addr);
void lt_return_release_site(const lt_process *process, uint64_t addr);
void lt_return_lost(lt_thread *thread, struct lt_return *entry);

/* space.c */
void lt_return_sites_free(struct lt_return_site *sites);

#endif
