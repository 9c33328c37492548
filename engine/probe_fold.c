/* probe_fold.c - what planted code has counted becomes part of the aggregations.
 *
 * Threads go on counting meanwhile: what has been added so far is remembered beside each count, and
 * the difference is added. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "probe.h"

static uint64_t word_at(const uint8_t *memory, size_t at)
{
  return *(const volatile uint64_t *)(const void *)(memory + at);
}

/* The difference to what was there the last time, which is now. */
static uint64_t take(const struct lt_counts_room *counts, size_t at)
{
  uint64_t *before = (uint64_t *)(void *)(counts->folded + at);
  uint64_t now = word_at(counts->memory, at), more = now - *before;
  *before = now;
  return more;
}

/* Buckets and sum come before the count in the code, and are read after it here. */
static void take_tally(const struct lt_probe_part *part, size_t at, const struct lt_cells *cells)
{
  const struct lt_counts_room *counts = part->probe->counts;
  lt_aggregation *aggregation = part->attachment->aggregation;
  uint64_t buckets[LT_BUCKETS_LOG2], count = take(counts, at + LT_TALLY_COUNT);
  bool has_sum = part->planted.shape->action != LT_ACTION_COUNT;
  bool has_buckets = part->planted.shape->action == LT_ACTION_HIST;
  uint64_t sum = has_sum ? take(counts, at + LT_TALLY_SUM) : 0, any = count | sum;
  for (size_t i = 0; has_buckets && i < LT_BUCKETS_LOG2; i++) {
    buckets[i] = take(counts, at + LT_TALLY_BUCKETS + 8 * i);
    any |= buckets[i];
  }
  if (any)
    lt_aggregate_add(aggregation, lt_aggregate_tally(aggregation, cells), count, (int64_t)sum,
                     has_buckets ? buckets : NULL);
}

/* The keys of an entry are there before it has a count. */
static void take_entry(const struct lt_probe_part *part, size_t at)
{
  const uint8_t *memory = part->probe->counts->memory;
  struct lt_cells cells = {.texts = 0};
  if (!word_at(memory, at + LT_TALLY_COUNT))
    return;
  for (unsigned i = 0; i < part->planted.shape->keys; i++)
    cells.number[i] = word_at(memory, at + part->planted.keys + 8 * (size_t)i);
  take_tally(part, at, &cells);
}

static void take_block(const struct lt_probe_part *part, unsigned block)
{
  const struct lt_cells none = {.texts = 0};
  size_t at = (size_t)block * LT_BLOCK_BYTES + part->planted.offset;
  if (!part->planted.stride)
    take_tally(part, at, &none);
  for (uint32_t i = 0; i < part->planted.entries; i++)
    take_entry(part, at + (size_t)i * part->planted.stride);
}

static void take_all(const struct lt_probe_part *part)
{
  for (unsigned i = 0; i < LT_BLOCKS && part->attachment; i++)
    if (part->probe->counts->touched[i])
      take_block(part, i);
}

static void fold(struct lt_aggregate_source *source)
{
  take_all((struct lt_probe_part *)(void *)source);
}

_Static_assert(offsetof(struct lt_probe_part, source) == 0, "a source is its part");

#define PLANTED_MAX 65536

static void note_planted(lt_aggregation *aggregation, uint64_t addr)
{
  size_t count = aggregation->planted_count;
  for (size_t i = 0; i < count; i++)
    if (aggregation->planted[i] == addr)
      return;
  uint64_t *more = count < PLANTED_MAX
                       ? realloc(aggregation->planted, (count + 1) * sizeof *aggregation->planted)
                       : NULL;
  if (!more)
    return;
  more[aggregation->planted_count++] = addr;
  aggregation->planted = more;
}

size_t lt_aggregation_planted(const lt_aggregation *aggregation, const char **ret_reason)
{
  *ret_reason = aggregation->refusal;
  return aggregation->planted_count;
}

void lt_probe_listen(struct lt_probe *probe)
{
  for (unsigned i = 0; i < probe->parts; i++) {
    note_planted(probe->part[i].attachment->aggregation, probe->planted.addr);
    probe->part[i].source.fold = fold;
    lt_aggregate_source_add(probe->part[i].attachment->aggregation, &probe->part[i].source);
  }
}

static void end_part(struct lt_probe_part *part)
{
  if (!part->attachment)
    return;
  take_all(part);
  lt_aggregate_source_remove(part->attachment->aggregation, &part->source);
  part->attachment = NULL;
}

void lt_probe_part_forget(struct lt_probe *probe, const lt_attachment *attachment)
{
  for (unsigned i = 0; i < probe->parts; i++)
    if (probe->part[i].attachment == attachment)
      end_part(&probe->part[i]);
}

void lt_probe_free(struct lt_probe *probe)
{
  if (--probe->users > 0)
    return;
  for (unsigned i = 0; i < probe->parts; i++)
    end_part(&probe->part[i]);
  lt_counts_leave(probe->counts);
  free(probe);
}

/* Nobody counts in this block while it is emptied. */
void lt_probe_empty(struct lt_probe *probe, unsigned block)
{
  for (unsigned i = 0; i < probe->parts; i++) {
    const struct lt_planted_part *planted = &probe->part[i].planted;
    size_t at = (size_t)block * LT_BLOCK_BYTES + planted->offset;
    if (!planted->stride)
      continue;
    if (probe->part[i].attachment)
      take_block(&probe->part[i], block);
    memset(probe->counts->memory + at, 0, (size_t)planted->entries * planted->stride);
    memset(probe->counts->folded + at, 0, (size_t)planted->entries * planted->stride);
  }
}
