/* remote.h - what remote.c and function.c know of a thing that a thread does for us. */
#ifndef LT_REMOTE_H
#define LT_REMOTE_H

#include "engine.h"

enum lt_phase {
  LT_PHASE_LEAVE, /* in a call of its own, which must end first */
  LT_PHASE_ENTER, /* on its way to the instruction: the entry comes next */
  LT_PHASE_RUN,   /* in the call: the exit comes next */
  LT_PHASE_BACK,  /* on its way to where it stood */
};

struct lt_remote {
  enum lt_phase phase;
  bool prepared;                /* the registers are ours now */
  bool saved;                   /* what the thread had is in here */
  struct lt_function *function; /* to be run after the call, on its way back (function.c) */
  struct lt_function *result;   /* has been run */
  uint8_t *vector;              /* the vector registers that the thread had, else NULL */
  size_t vector_size;
  struct lt_call call; /* ours */
  bool stopped_again;  /* SIGSTOP came meanwhile */
  bool reenters;       /* there is none: the own call is only to be entered again */
  bool silent;         /* the engine's own: the hook hears nothing of it */
  uint64_t mask;       /* the thread's signal mask */

  /* what the thread had when it began */
  struct lt_stop stop;
  struct lt_call own_call;
  bool in_call, want_exit, held;
  uint8_t changed_args;
  uint64_t saved_args[LT_CALL_ARGS];
  int inject, listen_signal;
  uint64_t general[LT_GENERAL_WORDS];
};

/* lt_remote_call(); after the call the thread is to run `function`, if that is not NULL, which is
 * taken over in case of success. */
int lt_remote_begin(lt_thread *thread, uint64_t nr, const uint64_t args[LT_CALL_ARGS],
                    struct lt_function *function);
void lt_remote_free_one(struct lt_remote *remote); /* NULL is allowed */
/* At a signal stop: remember its siginfo, so that the signal can come again; -EBUSY where it
 * cannot. */
int lt_remote_keep_signal(lt_thread *thread);
/* Block all signals, or put the thread's mask back. */
int lt_remote_swap_mask(lt_thread *thread, const uint64_t *new, uint64_t *old);
/* Take the thread back to where it stood, from any stop but those inside a call. */
void lt_remote_return(lt_thread *thread, struct lt_remote *remote);

#endif
