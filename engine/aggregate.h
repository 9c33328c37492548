/* aggregate.h - counts, sums and histograms that grow in the engine.
 *
 * An aggregation has rows, one per combination of keys. It is fed by attachments: a system call, an
 * address, signals, each with its own operands. Back ends that count where the engine does not see it
 * (planted code) are sources: they are asked before anybody reads.
 *
 *   aggregate.c         aggregations and their attachments
 *   aggregate_rows.c    the table of rows, strings of keys, buckets
 *   aggregate_value.c   operands and tests: what a stopped thread's call, signal or function gives
 *   aggregate_stops.c   what is counted at which stop
 *   aggregate_returns.c what is counted when a function returns */
#ifndef LT_AGGREGATE_H
#define LT_AGGREGATE_H

#include "task.h"

/* One way of feeding an aggregation. Its tests are copies of its own. */
struct lt_attachment {
  lt_aggregation *aggregation;
  struct lt_measure measure;
  bool at_exit;                      /* needs the result or the time of a call */
  bool timed;                        /* the time */
  bool texts;                        /* has strings as keys */
  bool complained;                   /* that returns cannot be counted */
  struct lt_attachment *prev, *next; /* of the aggregation; utlist */
};

/* A back end that keeps counts elsewhere. `fold` adds what was counted since the last time, by
 * lt_aggregate_add(); the source removes itself when it has nothing left to say. */
struct lt_aggregate_source {
  void (*fold)(struct lt_aggregate_source *source);
  struct lt_aggregate_source *prev, *next; /* utlist */
};
void lt_aggregate_source_add(lt_aggregation *aggregation, struct lt_aggregate_source *source);
void lt_aggregate_source_remove(lt_aggregation *aggregation, struct lt_aggregate_source *source);

/* The key of a row: `number` of each key, or where the bit is set in `texts` the number of a string. */
struct lt_cells {
  uint64_t texts;
  uint64_t number[LT_KEYS_MAX];
};

/* What a row holds. */
struct lt_tally {
  uint64_t count;
  int64_t sum;
  uint64_t buckets[];
};

struct lt_rows; /* aggregate_rows.c */

struct lt_aggregation {
  lt_session *session;
  struct lt_aggregate_shape shape;
  size_t buckets; /* of each row */
  struct lt_rows *rows;
  lt_attachment *attachments;
  struct lt_aggregate_source *sources;
  uint64_t *planted; /* addresses that have been counted by planted code */
  size_t planted_count;
  const char *refusal;         /* why not, at the last one; NULL */
  lt_aggregation *prev, *next; /* of the session; utlist */
};

/* aggregate_rows.c: the table. NULL: out of memory. */
struct lt_rows *lt_rows_new(const lt_aggregation *aggregation);
void lt_rows_free(struct lt_rows *rows);
void lt_rows_clear(const lt_aggregation *aggregation);
/* The tally of a row, made if it is new; that of the others where there is no room. Never NULL. */
struct lt_tally *lt_aggregate_tally(lt_aggregation *aggregation, const struct lt_cells *cells);
struct lt_tally *lt_aggregate_others(const lt_aggregation *aggregation);
/* The number of a string that is part of a key, which it has from now on; false: there is no room. */
bool lt_aggregate_text(lt_aggregation *aggregation, const char *text, size_t size, uint64_t *ret);
/* Add one value to it; more of the same kind: `buckets` are as many as the aggregation has. */
void lt_aggregate_value(const lt_aggregation *aggregation, struct lt_tally *tally, int64_t value);
void lt_aggregate_add(const lt_aggregation *aggregation, struct lt_tally *tally, uint64_t count,
                      int64_t sum, const uint64_t *buckets);
/* Which bucket a value belongs to. */
size_t lt_aggregate_bucket(const struct lt_aggregate_shape *shape, int64_t value);

/* aggregate_value.c: what a stop gives. */
struct lt_occasion {
  lt_thread *thread;
  enum lt_kind kind; /* LT_SYSCALL_ENTRY, LT_SYSCALL_EXIT, LT_SIGNAL, LT_BREAK */
  uint64_t time;     /* LT_SYSCALL_EXIT: nanoseconds since the entry */
};
/* Count it, if it passes the tests. */
void lt_attachment_count(const lt_attachment *attachment, const struct lt_occasion *occasion);
/* The same in two steps. Keys and value; -ENOSPC: there is no room for the keys, and it counts for the
 * others; other errors: it is not counted. At LT_BREAK what only a return has is 0 yet. */
int lt_attachment_look(const lt_attachment *attachment, const struct lt_occasion *occasion,
                       struct lt_cells *ret_cells, uint64_t *ret_value);
void lt_attachment_add(const lt_attachment *attachment, int error, const struct lt_cells *cells,
                       uint64_t value);
bool lt_test_passes(const struct lt_test *test, uint64_t value);
/* The low bytes of a register as the operand says. */
uint64_t lt_operand_narrow(const struct lt_operand *operand, uint64_t value);

/* aggregate_returns.c: functions whose result or time is counted. The thread stands at the first
 * instruction of one: count it when it returns. Somebody else wants to hear of that, too. A return is
 * about to be reported: true if nobody else wants it. The thread, or the process, is gone. */
void lt_aggregate_await(lt_thread *thread, lt_attachment *attachment);
void lt_aggregate_shared(const lt_session *session, uint64_t seq);
bool lt_aggregate_on_return(lt_thread *thread, const struct lt_stop *record);
void lt_aggregate_thread_gone(const lt_thread *thread);
void lt_aggregate_process_gone(const lt_process *process);
/* An attachment is going to be freed. */
void lt_aggregate_forget_returns(const lt_session *session, const lt_attachment *attachment);
void lt_aggregate_free_returns(lt_session *session);

/* aggregate.c: the sources of what is to be read now have their say. */
void lt_aggregate_fold(lt_aggregation *aggregation);
void lt_aggregations_free(lt_session *session);

/* aggregate_stops.c: places at which something is counted. A call was entered; it has its result; a
 * signal is about to be delivered; a site that LT_OWNER_AGGREGATE owns was hit. */
struct lt_site;
void lt_aggregate_on_entry(lt_thread *thread);
void lt_aggregate_on_exit(lt_thread *thread);
void lt_aggregate_on_signal(lt_thread *thread);
void lt_aggregate_on_break(lt_thread *thread, const struct lt_site *site);
/* Whether the return from a function that begins at this site is counted; see to that, where the
 * stop is about to be reported. */
bool lt_aggregate_awaits(const struct lt_site *site);
void lt_aggregate_await_at(lt_thread *thread, const struct lt_site *site);
/* Whether any calls are counted; whether this one is (LT_ALL_SYSCALLS: each), whatever its arguments. */
bool lt_aggregate_any_call(const lt_session *session);
bool lt_aggregate_wants_whole(const lt_session *session, enum lt_abi abi, int nr);
/* Forget the places of an attachment. */
void lt_feeds_forget(lt_attachment *attachment);
void lt_feeds_free(lt_session *session);
/* A list of attachments at a site: copied with it, freed with it. */
struct lt_attached;
struct lt_attached *lt_attached_copy(const struct lt_attached *attached);
/* The list of a site. */
unsigned lt_attached_count(const struct lt_site *site);
lt_attachment *lt_attached_at(const struct lt_site *site, unsigned i);

#endif
