/* aggregate_rows.c - the rows of an aggregation: what has been counted for each key.
 *
 * Programs choose keys, and may choose millions: rows and the strings of their keys are bounded.
 * What has no room counts in a row of its own, so that totals stay exact. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate.h"

#define ROWS_DEFAULT 16384
#define ROWS_HIST 4096
#define ROWS_MAX (1u << 20)
#define TEXT_BYTES ((size_t)16 << 20) /* of all strings */

struct row {
  struct lt_cells cells;
  struct lt_tally *tally;
  UT_hash_handle hh;
};

struct text {
  uint32_t number;
  uint32_t size;
  UT_hash_handle hh;
  char bytes[];
};

struct lt_rows {
  struct row *table, *last; /* last: the one that was looked up last */
  size_t count, max;
  struct text *texts, **text; /* by bytes; by number */
  size_t text_count, text_room, text_bytes;
  struct lt_tally *others;
};

/* ---- Buckets ------------------------------------------------------------------------------ */

size_t lt_aggregate_bucket(const struct lt_aggregate_shape *shape, int64_t value)
{
  if (shape->step == 0) {
    if (value <= 0)
      return value < 0 ? 0 : 1;
    return 65u - (unsigned)__builtin_clzll((uint64_t)value);
  }
  if (value < shape->from)
    return 0;
  if (value >= shape->to)
    return (size_t)(((uint64_t)shape->to - (uint64_t)shape->from - 1) / shape->step) + 2;
  return (size_t)(((uint64_t)value - (uint64_t)shape->from) / shape->step) + 1;
}

size_t lt_aggregation_buckets(const lt_aggregation *aggregation)
{
  return aggregation->buckets;
}

void lt_aggregate_value(const lt_aggregation *aggregation, struct lt_tally *tally, int64_t value)
{
  tally->count++;
  tally->sum = (int64_t)((uint64_t)tally->sum + (uint64_t)value);
  if (aggregation->buckets)
    tally->buckets[lt_aggregate_bucket(&aggregation->shape, value)]++;
}

void lt_aggregate_add(const lt_aggregation *aggregation, struct lt_tally *tally, uint64_t count,
                      int64_t sum, const uint64_t *buckets)
{
  tally->count += count;
  tally->sum = (int64_t)((uint64_t)tally->sum + (uint64_t)sum);
  for (size_t i = 0; i < aggregation->buckets && buckets; i++)
    tally->buckets[i] += buckets[i];
}

/* ---- The table ---------------------------------------------------------------------------- */

static struct lt_tally *new_tally(const lt_aggregation *aggregation)
{
  return calloc(1, sizeof(struct lt_tally) + aggregation->buckets * sizeof(uint64_t));
}

static size_t most_rows(const struct lt_aggregate_shape *shape)
{
  size_t rows = shape->rows;
  if (!rows)
    rows = shape->action == LT_ACTION_HIST ? ROWS_HIST : ROWS_DEFAULT;
  return rows < ROWS_MAX ? rows : ROWS_MAX;
}

struct lt_rows *lt_rows_new(const lt_aggregation *aggregation)
{
  struct lt_rows *rows = calloc(1, sizeof *rows);
  if (rows)
    rows->others = new_tally(aggregation);
  if (!rows || !rows->others) {
    free(rows);
    return NULL;
  }
  rows->max = most_rows(&aggregation->shape);
  return rows;
}

static void free_rows(struct lt_rows *rows)
{
  struct row *row = rows->table, *next;
  HASH_CLEAR(hh, rows->table);
  for (; row; row = next) {
    next = row->hh.next;
    free(row->tally);
    free(row);
  }
  rows->last = NULL;
  rows->count = 0;
}

static void free_texts(struct lt_rows *rows)
{
  HASH_CLEAR(hh, rows->texts);
  for (size_t i = 0; i < rows->text_count; i++)
    free(rows->text[i]);
  free(rows->text);
  rows->text = NULL;
  rows->text_count = rows->text_room = rows->text_bytes = 0;
}

void lt_rows_free(struct lt_rows *rows)
{
  if (!rows)
    return;
  free_rows(rows);
  free_texts(rows);
  free(rows->others);
  free(rows);
}

void lt_rows_clear(const lt_aggregation *aggregation)
{
  struct lt_rows *rows = aggregation->rows;
  free_rows(rows);
  free_texts(rows);
  memset(rows->others, 0, sizeof(struct lt_tally) + aggregation->buckets * sizeof(uint64_t));
}

/* How many bytes of the cells tell rows apart. */
static unsigned key_size(const lt_aggregation *aggregation)
{
  return (1u + aggregation->shape.keys) * (unsigned)sizeof(uint64_t);
}

static struct row *find_row(const lt_aggregation *aggregation, const struct lt_cells *cells)
{
  struct lt_rows *rows = aggregation->rows;
  struct row *row = rows->last;
  unsigned size = key_size(aggregation);
  if (row && memcmp(&row->cells, cells, size) == 0)
    return row;
  HASH_FIND(hh, rows->table, cells, size, row);
  if (row)
    rows->last = row;
  return row;
}

static struct row *make_row(const lt_aggregation *aggregation, const struct lt_cells *cells)
{
  struct lt_rows *rows = aggregation->rows;
  struct row *row = rows->count < rows->max ? malloc(sizeof *row) : NULL;
  struct lt_tally *tally = row ? new_tally(aggregation) : NULL;
  if (!tally) {
    free(row);
    return NULL;
  }
  row->cells = *cells;
  row->tally = tally;
  HASH_ADD(hh, rows->table, cells, key_size(aggregation), row);
  rows->count++;
  rows->last = row;
  return row;
}

struct lt_tally *lt_aggregate_tally(lt_aggregation *aggregation, const struct lt_cells *cells)
{
  struct row *row = find_row(aggregation, cells);
  if (!row)
    row = make_row(aggregation, cells);
  return row ? row->tally : aggregation->rows->others;
}

struct lt_tally *lt_aggregate_others(const lt_aggregation *aggregation)
{
  return aggregation->rows->others;
}

/* ---- Strings ------------------------------------------------------------------------------ */

static bool has_room(struct lt_rows *rows, size_t size)
{
  if (rows->text_count >= rows->max || size > TEXT_BYTES - rows->text_bytes)
    return false;
  if (rows->text_count < rows->text_room)
    return true;
  size_t room = rows->text_room ? 2 * rows->text_room : 64;
  struct text **more = realloc(rows->text, room * sizeof(struct text *));
  if (!more)
    return false;
  rows->text = more;
  rows->text_room = room;
  return true;
}

bool lt_aggregate_text(lt_aggregation *aggregation, const char *bytes, size_t size, uint64_t *ret)
{
  struct lt_rows *rows = aggregation->rows;
  struct text *text;
  HASH_FIND(hh, rows->texts, bytes, size, text);
  if (!text) {
    text = has_room(rows, size) ? malloc(sizeof *text + size + 1) : NULL;
    if (!text)
      return false;
    text->number = (uint32_t)rows->text_count;
    text->size = (uint32_t)size;
    memcpy(text->bytes, bytes, size);
    text->bytes[size] = '\0';
    HASH_ADD_KEYPTR(hh, rows->texts, text->bytes, size, text);
    rows->text[rows->text_count++] = text;
    rows->text_bytes += size;
  }
  *ret = text->number;
  return true;
}

/* ---- Reading ------------------------------------------------------------------------------ */

static void describe(const lt_aggregation *aggregation, const struct row *row,
                     struct lt_aggregate_row *ret)
{
  const struct lt_tally *tally = row->tally;
  *ret = (struct lt_aggregate_row){.count = tally->count, .sum = tally->sum};
  if (aggregation->buckets)
    ret->buckets = tally->buckets;
  for (unsigned i = 0; i < aggregation->shape.keys; i++) {
    if (row->cells.texts >> i & 1) {
      const struct text *text = aggregation->rows->text[row->cells.number[i]];
      ret->key[i] = (struct lt_key){.text = text->bytes, .size = text->size};
    } else {
      ret->key[i].number = (int64_t)row->cells.number[i];
    }
  }
}

ssize_t lt_aggregation_rows(lt_aggregation *aggregation, struct lt_aggregate_row **ret)
{
  lt_aggregate_fold(aggregation);
  const struct lt_rows *rows = aggregation->rows;
  struct lt_aggregate_row *list = malloc((rows->count + 1) * sizeof *list);
  size_t count = 0;
  if (!list)
    return lt_fail(aggregation->session, -ENOMEM, "out of memory");
  for (const struct row *row = rows->table; row; row = row->hh.next)
    if (row->tally->count)
      describe(aggregation, row, &list[count++]);
  *ret = list;
  return (ssize_t)count;
}

static bool cells_of(const lt_aggregation *aggregation, const struct lt_key *key,
                     struct lt_cells *ret)
{
  *ret = (struct lt_cells){0};
  for (unsigned i = 0; i < aggregation->shape.keys; i++) {
    ret->number[i] = (uint64_t)key[i].number;
    if (key[i].text) {
      const struct text *text;
      HASH_FIND(hh, aggregation->rows->texts, key[i].text, key[i].size, text);
      if (!text)
        return false;
      ret->number[i] = text->number;
      ret->texts |= (uint64_t)1 << i;
    }
  }
  return true;
}

int lt_aggregation_find(lt_aggregation *aggregation, const struct lt_key *key,
                        struct lt_aggregate_row *ret)
{
  struct lt_cells cells;
  lt_aggregate_fold(aggregation);
  const struct row *row = cells_of(aggregation, key, &cells) ? find_row(aggregation, &cells) : NULL;
  if (!row || !row->tally->count)
    return 0;
  describe(aggregation, row, ret);
  return 1;
}

void lt_aggregation_others(lt_aggregation *aggregation, struct lt_aggregate_row *ret)
{
  lt_aggregate_fold(aggregation);
  const struct lt_tally *others = aggregation->rows->others;
  *ret = (struct lt_aggregate_row){.count = others->count, .sum = others->sum};
  if (aggregation->buckets)
    ret->buckets = others->buckets;
}
