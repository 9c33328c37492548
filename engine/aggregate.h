/* aggregate.h - counts, sums and histograms that grow in the engine.
 *
 * An aggregation has rows, one per combination of keys. It is fed by attachments: a system call, an
 * address, signals, each with its own operands. Back ends that count where the engine does not see it
 * (planted code) are sources: they are asked before anybody reads.
 *
 *   aggregate.c         aggregations and their attachments
 *   aggregate_rows.c    the table of rows, strings of keys, buckets
 *   aggregate_value.c   operands and tests: what a stopped thread's call, signal or function gives
 *   aggregate_stops.c   what is counted at which stop */
#ifndef LT_AGGREGATE_H
#define LT_AGGREGATE_H

#include "task.h"

/* One way of feeding an aggregation. Its tests are copies of its own. */
struct lt_attachment {
  lt_aggregation *aggregation;
  struct lt_measure measure;
  bool at_exit; /* needs the result or the time of a call */
  bool timed;   /* the time */
  bool texts;   /* has strings as keys */
  uint64_t signals;
  size_t planted, stops;             /* at so many addresses */
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
  uint64_t number[LT_KEYS_MAX];
  uint64_t texts;
};

/* What a row holds. */
struct lt_tally {
  uint64_t count;
  int64_t sum;
  uint64_t buckets[];
};

/* The tally of a row, made if it is new; that of the others where there is no room. Never NULL. */
struct lt_tally *lt_aggregate_tally(lt_aggregation *aggregation, const struct lt_cells *cells);
/* Add one value to it; more of the same kind: `buckets` are as many as the aggregation has. */
void lt_aggregate_value(const lt_aggregation *aggregation, struct lt_tally *tally, int64_t value);
void lt_aggregate_add(const lt_aggregation *aggregation, struct lt_tally *tally, uint64_t count,
                      int64_t sum, const uint64_t *buckets);
const struct lt_aggregate_shape *lt_aggregate_shape_of(const lt_aggregation *aggregation);
/* Which bucket a value belongs to. */
size_t lt_aggregate_bucket(const struct lt_aggregate_shape *shape, int64_t value);

#endif
