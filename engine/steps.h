/* steps.h - threads that run one instruction at a time.
 *
 * A thread steps because lt_thread_step() asked for it, or because its memory is watched by software
 * (watchpoints.c). The way it is restarted depends on the instruction that comes next:
 *
 *   LT_WAY_STEP   PTRACE_SINGLESTEP; the kernel stops it with SIGTRAP behind the instruction
 *   LT_WAY_CALL   PTRACE_SYSCALL, for a system call: its entry and exit are reported as always, and
 *                 the trap flag does not leak into the program's registers
 *   LT_WAY_RUN    it runs at full speed to an address: as if it did not step */
#ifndef LT_STEPS_H
#define LT_STEPS_H

#include "engine.h"

enum lt_way { LT_WAY_RUN, LT_WAY_STEP, LT_WAY_CALL };

/* What the next instruction is, as far as stepping is concerned. */
enum lt_next {
  LT_NEXT_PLAIN,
  LT_NEXT_CALL,    /* of a function */
  LT_NEXT_SYSCALL, /* makes a system call */
  LT_NEXT_LOADS, /* loads the flags from there: the kernel loses track of whose the trap flag is */
  LT_NEXT_FLAGS, /* stores the flags on the stack: the trap flag must be taken out */
  LT_NEXT_TRAP,  /* the program's own: the signal belongs to it */
};

/* What is run as a part of one instruction. */
enum lt_over {
  LT_OVER_NOTHING,
  LT_OVER_CALL,     /* the function that it called: until it has returned */
  LT_OVER_SEQUENCE, /* a restartable sequence: until it is left */
  LT_OVER_HANDLER,  /* a signal handler: until its sigreturn */
};

#define LT_STEP_SITES 8

/* Addresses at which a running thread is to stop. */
struct lt_step_sites {
  uint64_t at[LT_STEP_SITES];
  unsigned count;
};

/* A restartable sequence, and the instruction after which it has begun. */
struct lt_sequence {
  uint64_t begin, start, length, abort;
};

#define LT_SEQUENCES 4

/* What is known of the thread's restartable sequences (step_sequence.c). */
struct lt_sequences {
  bool known;    /* `area` is */
  uint64_t area; /* 0: none is registered */
  uint64_t last_pc;
  unsigned next;
  struct lt_sequence list[LT_SEQUENCES];
};

struct lt_steps {
  /* What was asked for. */
  bool asked;
  struct lt_stepping how;             /* its `at` is not used */
  uint64_t done;                      /* instructions so far */
  const struct lt_function *function; /* that ran when it was asked for: others run freely */
  struct lt_step_sites sites;
  uint8_t over; /* enum lt_over, and when that has ended: */
  bool planted; /* there is a site at over_addr; else step to it */
  uint64_t over_addr, over_sp;
  struct lt_step_sites exits; /* of a sequence */
  bool leads;     /* it stands at one of the sites, and must leave it before they are planted: */
  unsigned later; /* so many */
  unsigned looks; /* so many addresses of `sites` are looked for at each step instead */
  bool arrived;   /* at a site */
  bool entered;   /* it has run since */
  uint64_t interrupted_sp; /* where the latest signal came */

  /* The latest restart. */
  uint8_t way;      /* enum lt_way */
  uint8_t next;     /* enum lt_next, at `pc` */
  bool single;      /* the trap of PTRACE_SINGLESTEP is to come */
  bool stale;       /* it is to come, and was counted already */
  bool own_trap;    /* the program had set the trap flag itself */
  bool counted_out; /* it is to leave a call that it was in at the beginning: no instruction */
  bool emulated;    /* it leaves a call that the kernel did not make (emulate.c) */
  bool at_site;     /* it stood at a breakpoint: `pc` is there, */
  bool in_slot;     /* and runs the instruction elsewhere */
  bool due;         /* an instruction has been run that is not counted yet */
  uint64_t pc;

  /* SIGTRAP, where the program blocks it. */
  bool mask_known, lifted, was_lifted;
  uint64_t mask;
  siginfo_t *held; /* sent to it meanwhile, to be sent again */
  bool ignored;    /* the program ignores it: to be put back, as the trap of a step undoes that */
  struct lt_sequences sequences;
};

/* How the thread is to be restarted. Its registers may be changed for that. */
enum lt_way lt_steps_way(lt_thread *thread);
/* It is about to be: what must be done before. */
void lt_steps_prepare(lt_thread *thread, enum lt_way way);
/* The thread has stopped, whatever for. */
void lt_steps_on_stop(lt_thread *thread, struct lt_class class);
/* By SIGTRAP. True if it was a step, which has been dealt with. */
bool lt_steps_on_trap(lt_thread *thread, const siginfo_t *info);
/* Whether the trap of a step is to come. */
bool lt_steps_expects_trap(const lt_thread *thread);
/* It was to run on from a breakpoint's site, and `restarted` says whether it has been for that. True
 * if its instruction was emulated instead: the thread stands behind it now. */
bool lt_steps_at_site(lt_thread *thread, bool restarted);
/* At a site of LT_OWNER_STEP. */
enum lt_verdict lt_steps_on_break(lt_thread *thread);
/* The thread is to run on. True if what was asked for is complete: that has been reported, and the
 * thread settled. */
bool lt_steps_settle(lt_thread *thread);
/* The thread is to be let go. True if it has been restarted, since a trap is still to come. */
bool lt_steps_release(lt_thread *thread);
/* The program that it stepped through is gone (exec). */
void lt_steps_lost(lt_thread *thread);
void lt_steps_free(lt_thread *thread);

/* step_sites.c: the thread is to stop at this address, or no longer. */
int lt_step_site_own(lt_thread *thread, uint64_t addr);
void lt_step_site_disown(lt_thread *thread, uint64_t addr);

/* step_sequence.c: where the thread stores the address of a sequence's descriptor; 0: nowhere. */
uint64_t lt_step_sequence_slot(lt_thread *thread);
/* Whether the instruction at steps->pc begins a sequence, and where that can be left. `descriptor` is
 * what the slot holds. */
bool lt_step_sequence_begins(lt_thread *thread, const struct lt_regs *regs, uint64_t descriptor,
                             struct lt_step_sites *ret);
/* It has made a system call, and may have registered its area. */
void lt_step_sequence_forget(struct lt_sequences *sequences);

/* step_flags.c: what single-stepping would leave behind in the program: before and after. */
void lt_step_lift_mask(lt_thread *thread);
void lt_step_restore_mask(lt_thread *thread);
void lt_step_hold_signal(lt_thread *thread, const siginfo_t *info);
void lt_step_resend(lt_thread *thread);
void lt_step_mend(lt_thread *thread);
/* Whether the program ignores SIGTRAP, so that trap_state.c must put that back at the end. */
void lt_step_note_ignored(lt_thread *thread);
/* Whether the trap of a step is waiting behind the stop in which the thread stands. */
bool lt_step_trap_waits(lt_thread *thread);

#endif
