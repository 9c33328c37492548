/* probe.h - probes: sites that a jump to planted code has taken the place of a breakpoint at, so
 * that no thread stops there (planted.h has the code).
 *
 * A site begins as a breakpoint. When threads have hit it often enough, and nobody but aggregations
 * asks for it, it becomes a probe; it is made a breakpoint again when somebody else wants the
 * address, an address in the first instructions, or every single step. Its code stays mapped, as
 * threads may be in it.
 *
 *   probe.c        becoming a probe, and a breakpoint again
 *   probe_room.c   memory for code, near the program's, and for counts, which we map as well
 *   probe_fold.c   what has been counted
 *   probe_stop.c   a thread stops in planted code, or lacks a block */
#ifndef LT_PROBE_H
#define LT_PROBE_H

#include <signal.h>

#include "aggregate.h"
#include "breaks.h"
#include "planted.h"

/* Memory for counts: one mapping of ours, shared with all spaces that descend from the first. */
struct lt_counts_room {
  unsigned users;           /* spaces and probes */
  uint64_t at;              /* in the program */
  uint8_t *memory, *folded; /* ours; as it was when it was last looked at */
  uint32_t used;            /* bytes of each block */
  uint32_t spaces;          /* numbers the spaces */
  bool touched[LT_BLOCKS];  /* something may have been counted there */
  pid_t claimed[LT_BLOCKS]; /* by which thread; negative: that has ended */
};

#define LT_CODE_ROOM ((uint64_t)128 * 1024)

/* Memory for code in one space. It begins with the two words that the code looks at. */
struct lt_code_room {
  uint64_t at;
  uint32_t extents;
  struct {
    uint32_t from, to;
  } extent[256]; /* in use, in no order */
  struct lt_code_room *next;
};

/* How a probe feeds one attachment. */
struct lt_probe_part {
  struct lt_aggregate_source source;
  struct lt_probe *probe;
  struct lt_attachment *attachment; /* NULL: it is gone */
  struct lt_planted_part planted;
};

struct lt_probe {
  unsigned users; /* lists of spaces */
  struct lt_counts_room *counts;
  uint8_t jump[LT_JUMP_BYTES];
  uint64_t entry; /* where the jump goes: the code, or a jump to it */
  struct lt_planted planted;
  unsigned parts;
  struct lt_probe_part part[LT_PLANTED_PARTS];
};

struct lt_probe_link {
  struct lt_probe *probe;
  struct lt_probe_link *next;
};

/* Of an address space. */
struct lt_probes {
  struct lt_counts_room *counts; /* NULL: none yet */
  struct lt_code_room *code;
  struct lt_probe_link *all; /* that were ever made here */
  uint64_t key;              /* what is added to a thread's */
  unsigned live;             /* sites that are probes now */
  bool growing;              /* a thread is mapping memory */
  unsigned failures;         /* to map some */
  bool never;                /* threads of it cannot be told apart, or it has no room */
  uint64_t next_time;        /* when others may be held up again for the sake of a probe */
};

/* probe_room.c: room for the code of a site, with its jump: 0; -EAGAIN: the thread has been sent to
 * map some and comes again; else there is none. */
int lt_probe_room(lt_thread *thread, const struct lt_planting *what, struct lt_probe *ret);
void lt_probe_room_use(struct lt_code_room *room, uint64_t from, uint64_t size);
struct lt_probes *lt_probes_of(lt_process *process); /* NULL: out of memory */
/* A mmap or shmat of ours has its result. */
void lt_probe_grown(lt_thread *thread, const struct lt_call *call);
void lt_counts_leave(struct lt_counts_room *counts);
/* The thread has a block from now on; false: it has this one already, or cannot have one (LT_BLOCKS).
 * It is gone. */
bool lt_probe_claim(lt_thread *thread, unsigned *ret);
void lt_probe_thread_gone(const lt_thread *thread);

/* probe.c: the thread is to run on from this site: make a probe of it, if that is time. 0: it is one
 * now; -EAGAIN as above; else it is none. */
int lt_probe_settle(lt_thread *thread, struct lt_site *site);
/* It is never to be one (again), and why. */
void lt_probe_refuse(lt_process *process, struct lt_site *site, const char *why);
/* Somebody else wants this address; what is attached there has changed: no probe is in the way. */
void lt_probe_clear(lt_process *process, uint64_t addr, size_t size);
void lt_probe_clear_all(lt_process *process); /* async-signal-safe */
/* Whether the probe's jump is in memory; the site is none any more, whatever is there. */
bool lt_probe_is_in_place(lt_process *process, const struct lt_site *site);
void lt_probe_drop(lt_process *process, struct lt_site *site);
/* Threads of this memory are to run step by step. */
void lt_probe_hold_off(lt_thread *thread);
/* The same of what this attachment is fed by, which is going. */
void lt_probe_forget(lt_process *process, lt_attachment *attachment);
/* A thread that was attached to stands still: how it is told from others. */
void lt_probe_note(lt_thread *thread);
/* A child was forked; the threads of a space cannot be told apart. */
void lt_probe_forked(lt_process *child);
void lt_probe_thread_made(lt_process *process, enum lt_how how, uint64_t flags);
void lt_probe_unsafe(lt_process *process);
/* space.c */
struct lt_probes *lt_probes_copy(const struct lt_probes *probes);
void lt_probes_free(struct lt_probes *probes);

/* probe_fold.c */
void lt_probe_listen(struct lt_probe *probe);
/* The attachment is going: what it has got so far is taken. */
void lt_probe_part_forget(struct lt_probe *probe, const lt_attachment *attachment);
void lt_probe_free(struct lt_probe *probe);
/* A thread, which stands still, has no room for more keys in its block. */
void lt_probe_empty(struct lt_probe *probe, unsigned block);

/* probe_stop.c: the planted code that this address is in; NULL. */
struct lt_probe *lt_probe_at(const lt_process *process, uint64_t pc);
/* A breakpoint instruction at `addr` was run, or what is none. True if it was a probe's, and has been
 * dealt with. */
bool lt_probe_on_trap(lt_thread *thread, uint64_t addr, int status);
bool lt_probe_on_illegal(lt_thread *thread, int status);
/* The thread is to run on from inside of a jump. */
void lt_probe_go_inside(lt_thread *thread);
/* As lt_slot_on_stop(). */
bool lt_probe_on_stop(lt_thread *thread, struct lt_class *class, const int *status);

/* Where the displaced instructions are. */
uint64_t lt_probe_copy(const struct lt_probe *probe);

/* For slot_step.c: where the thread stands, whose program counter is put right. */
enum lt_probe_place {
  LT_PROBE_OUTSIDE, /* or as good as that */
  LT_PROBE_INSIDE,  /* has to go further */
  LT_PROBE_OURS,    /* a fault that the program would not have had: back at the site */
};
enum lt_probe_place lt_probe_leave(lt_thread *thread, struct lt_probe *probe);
enum lt_probe_place lt_probe_fault(lt_thread *thread, struct lt_probe *probe, siginfo_t *info);
/* The breakpoint instruction at `addr` is the one for what could not be counted: counted now, and
 * the program counter is that of the site. */
bool lt_probe_missed(lt_thread *thread, struct lt_probe *probe, uint64_t addr);

/* slot_step.c: step out of planted code, then deal with this stop. */
bool lt_slot_step_out(lt_thread *thread, struct lt_probe *probe, struct lt_class class, int status);

#endif
