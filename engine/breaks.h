/* breaks.h - sites: addresses at which an instruction of ours stands in a program's memory.
 *
 * A site has owners: the caller's breakpoints, function returns that are awaited, the loader's
 * function that tells of new objects, the end of a step. It is planted while it has any. */
#ifndef LT_BREAKS_H
#define LT_BREAKS_H

#include "displace.h"
#include "engine.h"

enum lt_owner {
  LT_OWNER_USER = 1,   /* lt_break_add() */
  LT_OWNER_RETURN = 2, /* returns.c */
  LT_OWNER_LOADER = 4, /* loads.c */
  LT_OWNER_STEP = 8,   /* steps.c */
};

/* Own the site at this address, planting it if nobody did. Works while threads run. Errors: as
 * lt_break_add(). */
int lt_site_own(lt_process *process, uint64_t addr, enum lt_owner owner);
/* No longer; without an owner it is taken out. */
void lt_site_disown(lt_process *process, uint64_t addr, enum lt_owner owner);
/* Who owns the site at this address; 0 if there is none. */
unsigned lt_site_owners(const lt_process *process, uint64_t addr);

/* trap.c: a SIGTRAP stop. True if it was ours and has been dealt with; else it is a signal. */
bool lt_trap_on_signal(lt_thread *thread, int status);

/* breaks.c: the thread has run onto the trap of a site at `pc` - advance; which stops it reports. True
 * if it was one of ours. */
bool lt_break_on_trap(lt_thread *thread, int status);
/* The thread stops for something else while it may be in a slot: give it the program counter that
 * the program expects. True if it must run on first (the stop comes again). */
bool lt_break_on_stop(lt_thread *thread, int status);
/* The thread is to run on from a site: put it into the slot. True if it has been restarted for us
 * and comes again. */
bool lt_break_settle(lt_thread *thread);

/* memory.c asks: put the program's own bytes where ours are, in what was read from `addr`. */
void lt_break_hide(const lt_process *process, uint64_t addr, void *bytes, size_t size);
/* Before and after the program's bytes at `addr` are written. */
void lt_break_write(lt_process *process, uint64_t addr, const void *bytes, size_t size);

/* space.c: for lt_space_copy() and lt_space_leave(). */
struct lt_sites *lt_sites_copy(const struct lt_sites *sites);
void lt_sites_free(struct lt_sites *sites);

/* detach.c: no site is left in memory that the process alone has. */
void lt_sites_lift(lt_process *process);

#endif
