/* filter.h - seccomp filters by which launched programs stop at those system calls alone that
 * somebody wants.
 *
 *   selector.c       what arguments must be: tests of one system call
 *   filter_build.c   a session's subscriptions as a seccomp program
 *   filter.c         the snapshot that a program is launched with, and whether it still is enough
 *   filter_guard.c   the program's own filters, and that it does not see ours
 *   silent.c         programs that carry one and are to be let go
 *
 * A filter may stop a program too often, and never too seldom. */
#ifndef LT_FILTER_H
#define LT_FILTER_H

#include <linux/filter.h>

#include "engine.h"

/* What our filter gives to PTRACE_EVENT_SECCOMP, to tell its stops from those of others. */
#define LT_FILTER_DATA 0x4c54u

/* selector.c */
struct lt_selector {
  lt_session *session;
  uint32_t id; /* never used again */
  enum lt_abi abi;
  int nr;
  unsigned users;   /* the caller, and attachments of aggregations */
  bool on;          /* the hook is to hear of such calls */
  unsigned counted; /* attachments of aggregations that count such calls */
  size_t count;
  struct lt_check *checks;           /* with all that they point to */
  struct lt_selector *prev, *next;   /* those that are subscribed for this call; utlist */
  struct lt_selector *older, *newer; /* those of the session */
};

/* Bits of an argument that a check looks at. */
uint64_t lt_check_mask(const struct lt_check *check, enum lt_abi abi);

/* What a program and all its descendants carry. */
struct lt_filter {
  unsigned users;                  /* processes */
  bool unknown;                    /* nobody knows what it has: those of an adopted process */
  bool all;                        /* it stops them at every call */
  bool breaks;                     /* and at those that matter where breakpoints are */
  bool hides_privs;                /* no_new_privs was set for its sake */
  uint64_t whole[LT_ABI_COUNT][8]; /* bit per call at which it stops them whatever the arguments */
  uint32_t *selectors;             /* ids of those that are in it, in order */
  size_t selector_count;
  struct sock_filter *code; /* until it is installed */
  unsigned length;
  uint64_t version; /* of the subscriptions, that `covers` is about; 0: none */
  bool covers;
};

/* Make the program of a filter whose other members are filled from the session's subscriptions. */
int lt_filter_build(const lt_session *session, struct lt_filter *filter);

/* The filter for a program that is launched now; NULL where it needs none or cannot have one. */
struct lt_filter *lt_filter_new(lt_session *session);
/* In the child, before it execs. Returns 0 or an errno. */
int lt_filter_install(const struct lt_filter *filter);
/* The process carries the filter of another one, or none any more. */
void lt_filter_share(lt_process *process, struct lt_filter *filter);
void lt_filter_leave(lt_process *process);
/* An adopted process may carry one that we know nothing of. */
void lt_filter_guess(lt_process *process);
/* After the fork: its code is needed no more, nor the filter if nobody carries it. */
void lt_filter_spare(struct lt_filter *filter, bool carried);

#endif
