/* breaks.h - sites: addresses at which an instruction of ours stands in a program's memory.
 *
 * A site has owners: the caller's breakpoints, function returns that are awaited, the loader's
 * function that tells of new objects, the end of a step. It is planted while it has any; afterwards
 * its record stays, since a thread may still report the trap.
 *
 *   sites.c      the table, and what memory accesses see of it
 *   plant.c      planting, taking out, the caller's breakpoints
 *   lift.c       nothing is left behind
 *   breaks.c     a thread runs onto a site, and on from it
 *   slots.c      room near the code from which displaced instructions run
 *   slot_step.c  a thread is stopped in a slot by something else
 *   trap.c       whose is a SIGTRAP? */
#ifndef LT_BREAKS_H
#define LT_BREAKS_H

#include "displace.h"
#include "engine.h"
#include "planted.h"

enum lt_owner {
  LT_OWNER_USER = 1,       /* lt_break_add() */
  LT_OWNER_RETURN = 2,     /* returns.c */
  LT_OWNER_LOADER = 4,     /* loads.c */
  LT_OWNER_STEP = 8,       /* steps.c */
  LT_OWNER_COUNT = 16,     /* counts.c */
  LT_OWNER_AGGREGATE = 32, /* aggregate_stops.c */
};

/* Room for what is planted: a breakpoint instruction or a jump. */
#define LT_PLANT_BYTES 8

struct lt_probe; /* probe.h */

struct lt_site {
  uint64_t addr;
  uint32_t id;                   /* of the caller's breakpoint; stays when that is removed */
  uint32_t counter;              /* LT_OWNER_COUNT: its number */
  bool once;                     /* and it counts to 1 */
  uint8_t owners;                /* enum lt_owner bits */
  bool planted;                  /* our bytes were written, and not taken out since */
  bool hardware;                 /* the caller's is in a debug register: see watchpoints.h */
  bool translated;               /* `displaced` holds, for the slot */
  bool checks;                   /* it decides whether a function of Go begins again: no hit then */
  bool changes;                  /* the program may rewrite its code there: look before each use */
  struct lt_attached *attached;  /* LT_OWNER_AGGREGATE: what is counted; NULL: nothing */
  uint64_t slot;                 /* 0: none yet */
  struct lt_probe *probe;        /* planted as a jump to this code; NULL: as a breakpoint */
  uint32_t hits, landings;       /* see probe.c */
  const char *probe_refusal;     /* why it never becomes a probe; NULL */
  bool whole;                    /* it has been one: `bytes` are all */
  bool covered;                  /* used by probe.c while it changes many */
  uint8_t bytes[LT_PLANT_BYTES]; /* the program's own under ours */
  struct lt_displaced displaced;
  UT_hash_handle hh;    /* by addr */
  UT_hash_handle by_id; /* by id, those that have one */
};

struct lt_slots; /* slots.c */

struct lt_sites {
  struct lt_site *by_addr, *by_id;
  struct lt_site **sorted; /* by address, made when it is needed */
  bool stale;
  unsigned planted; /* how many */
  uint32_t changes; /* how often one was planted or taken out */
  struct lt_slots *slots;
};

/* Own the site at this address, planting it if nobody did. Works while threads run. Errors: as
 * lt_break_add(). */
int lt_site_own(lt_process *process, uint64_t addr, enum lt_owner owner);
/* No longer; without an owner it is taken out. */
void lt_site_disown(lt_process *process, uint64_t addr, enum lt_owner owner);
/* Who owns the site at this address; 0 if there is none. */
unsigned lt_site_owners(const lt_process *process, uint64_t addr);
struct lt_site *lt_site_find(const lt_process *process, uint64_t addr); /* or NULL */
struct lt_site *lt_site_make(lt_process *process, uint64_t addr);       /* NULL: out of memory */
/* Write our bytes, or take them out. */
int lt_site_plant(lt_process *process, struct lt_site *site);
void lt_site_lift(lt_process *process, struct lt_site *site);
/* What is planted there. */
size_t lt_site_ours(const struct lt_site *site, const uint8_t **ret);
/* Whether our bytes are in memory there. */
bool lt_site_is_in_place(lt_process *process, const struct lt_site *site);
/* The program's own code from `addr` on. Returns the number of bytes. */
ssize_t lt_site_code(lt_process *process, uint64_t addr, void *ret, size_t size);

/* memory.c asks. In what was read from `addr`, put the program's own bytes where ours are. What is
 * to be written at `addr`, with ours (malloc; NULL: there are none there); after that was done. */
void lt_sites_hide(const lt_process *process, uint64_t addr, void *bytes, size_t size);
uint8_t *lt_sites_cover(const lt_process *process, uint64_t addr, const void *bytes, size_t size);
void lt_sites_written(const lt_process *process, uint64_t addr, const void *bytes, size_t size);

/* space.c: for lt_space_copy() and lt_space_leave(). */
struct lt_sites *lt_sites_copy(const struct lt_sites *sites);
void lt_sites_free(struct lt_sites *sites);

/* Whether anything is planted in the process's memory. A count of changes to that. */
bool lt_sites_any(const lt_process *process);
uint32_t lt_sites_changes(const lt_process *process);
/* A forked child: its memory may be older than the table that it got a copy of. */
void lt_sites_check(lt_process *process);
/* The process is to be let go: nothing of ours is left in its memory (true), or it shares that with
 * one that is still traced (false), and has to stay, unseen. */
bool lt_sites_release(lt_process *process);
/* It has left its memory by exec or death: let go who stayed for its sake. */
void lt_sites_left(lt_session *session, const struct lt_space *space);
/* Async-signal-safe: take out what is planted, and mend who stands at it. */
void lt_sites_emergency(lt_process *process);

/* counts.c: a thread has hit a site that is counted. */
void lt_count_hit(lt_thread *thread, struct lt_site *site);

/* trap.c: a SIGTRAP stop. True if it was ours and has been dealt with; else it is a signal. */
bool lt_trap_on_signal(lt_thread *thread, int status);

/* trap_state.c: what the program does with SIGTRAP. When the first site is planted; when a call of
 * its own is entered, and over; when a trap of ours has come; when the thread is to run on from that (true: it has
 * been restarted for us, and comes again). */
void lt_trap_state_look(lt_process *process);
void lt_trap_state_on_entry(lt_thread *thread);
void lt_trap_state_on_exit(lt_thread *thread);
void lt_trap_state_on_hit(lt_thread *thread);
bool lt_trap_state_settle(lt_thread *thread);

/* breaks.c: the thread has run onto a breakpoint instruction. True if it was one of ours. */
bool lt_break_on_trap(lt_thread *thread, int status);
/* The stop record is LT_BREAK: tell all owners of the site. */
enum lt_verdict lt_break_report(lt_thread *thread);
/* The thread is to run on from a site: by its slot. True if it has been restarted for us and comes
 * again. */
bool lt_break_settle(lt_thread *thread);
/* A call was entered, maybe from a slot. */
void lt_break_on_entry(lt_thread *thread);
/* Whether the exit of its call must be seen; it has been seen. */
bool lt_break_wants_exit(const lt_thread *thread);
void lt_break_on_exit(lt_thread *thread, int64_t ret);

/* slot_step.c: the thread stops for something else while it may be in a slot. False: it has its own
 * program counter now, and the stop is as *class and *status say. True: it must run on first; the
 * stop comes again. */
bool lt_slot_on_stop(lt_thread *thread, struct lt_class *class, int *status);
/* Step the instruction in the slot where it stands, and go on from there. */
void lt_slot_step_begin(lt_thread *thread, const struct lt_site *site);
void lt_slot_step_free(lt_thread *thread);

/* slots.c: the site has a slot with its instruction: 0; -EAGAIN: the thread has been sent to map room
 * and comes again; else there can be none. */
int lt_slot_prepare(lt_thread *thread, struct lt_site *site);
void lt_slots_grown(lt_thread *thread, const struct lt_call *call);
/* Whether the thread must not be made to map memory, as it has a seccomp filter of its own. */
bool lt_slots_barred(const lt_thread *thread);
/* slack.c: bytes that are mapped as code near `near`, and that the program has no use for. */
bool lt_slack_find(lt_thread *thread, uint64_t near, uint64_t *ret_from, uint64_t *ret_to);
struct lt_slots *lt_slots_copy(const struct lt_slots *slots);
void lt_slots_free(struct lt_slots *slots);

#endif
