/* frames.c - rules of unwind tables, kept by file and range of addresses: see frames.h.
 *
 * A file's rows are sorted by address and do not overlap. That a file says nothing about an address is
 * kept too, for that address alone. A file whose rows are too many begins anew. */
#include "frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "unwind.h"

#define ROWS_MAX ((size_t)16384)
#define FIRST_ROOM ((size_t)64)

struct table {
  const struct lt_file *file;
  struct lt_row **rows;
  size_t count, room;
  UT_hash_handle hh;
};

struct lt_frames {
  struct table *tables;
  struct table *last; /* most frames of a stack are of the same file as the one before */
};

static struct table *table_of(lt_session *session, const struct lt_file *file)
{
  struct table *table;
  if (!session->frames)
    session->frames = calloc(1, sizeof *session->frames);
  struct lt_frames *frames = session->frames;
  if (!frames)
    return NULL;
  if (frames->last && frames->last->file == file)
    return frames->last;
  HASH_FIND_PTR(frames->tables, &file, table);
  if (!table) {
    table = calloc(1, sizeof *table);
    if (!table)
      return NULL;
    table->file = file;
    HASH_ADD_PTR(frames->tables, file, table);
  }
  frames->last = table;
  return table;
}

static void empty(struct table *table)
{
  for (size_t i = 0; i < table->count; i++)
    lt_row_free(table->rows[i]);
  table->count = 0;
}

/* How many rows begin at or before the address. */
static size_t rank(const struct table *table, uint64_t addr)
{
  size_t low = 0, high = table->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (table->rows[middle]->from <= addr)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Put a row, which holds `addr`, in its place. It is made smaller where it overlaps others. */
static int insert(struct table *table, struct lt_row *row, uint64_t addr)
{
  if (table->count == ROWS_MAX)
    empty(table);
  if (table->count == table->room) {
    size_t room = table->room ? table->room * 2 : FIRST_ROOM;
    struct lt_row **rows = realloc(table->rows, room * sizeof *rows);
    if (!rows)
      return -ENOMEM;
    table->rows = rows;
    table->room = room;
  }
  size_t at = rank(table, addr);
  if (at > 0 && table->rows[at - 1]->to > row->from)
    row->from = table->rows[at - 1]->to;
  if (at < table->count && table->rows[at]->from < row->to)
    row->to = table->rows[at]->from;
  memmove(table->rows + at + 1, table->rows + at, (table->count - at) * sizeof *table->rows);
  table->rows[at] = row;
  table->count++;
  return 0;
}

static struct lt_row *nothing_at(uint64_t addr)
{
  struct lt_row *row = calloc(1, sizeof *row);
  if (row) {
    row->from = addr;
    row->to = addr + 1;
  }
  return row;
}

static struct lt_row *ask(lt_thread *thread, struct lt_file *file, uint64_t addr, unsigned count)
{
  struct lt_bytes question = {0}, answer = {0};
  struct lt_row *row = NULL;
  lt_put_u64(&question, addr);
  lt_put_u32(&question, count);
  int error = question.failed ? -ENOMEM : 0;
  if (!error)
    error = lt_reader_ask(thread->session, file, LT_ASK_FRAME, &question, &answer);
  struct lt_bytes_in in = {.at = answer.at, .size = answer.size};
  if (!error)
    error = lt_row_get(&in, addr, &row);
  lt_bytes_free(&question);
  lt_bytes_free(&answer);
  return error ? nothing_at(addr) : row;
}

static const struct lt_row *row_of(lt_thread *thread, struct lt_file *file, uint64_t addr)
{
  struct table *table = table_of(thread->session, file);
  if (!table)
    return NULL;
  size_t at = rank(table, addr);
  if (at > 0 && addr < table->rows[at - 1]->to)
    return table->rows[at - 1];
  unsigned count = lt_arch_get(lt_arch_of(&thread->regs))->dwarf->count;
  struct lt_row *row = ask(thread, file, addr, count);
  if (row && insert(table, row, addr)) {
    lt_row_free(row);
    row = NULL;
  }
  return row;
}

const struct lt_row *lt_frames_row(lt_thread *thread, uint64_t addr, uint64_t *bias)
{
  const struct lt_module *module = lt_module_at(thread, addr);
  *bias = 0;
  if (!module)
    return NULL;
  *bias = module->bias;
  const struct lt_row *row = row_of(thread, module->file, addr - module->bias);
  return row && row->known ? row : NULL;
}

void lt_frames_free(lt_session *session)
{
  struct lt_frames *frames = session->frames;
  struct table *table, *next;
  if (!frames)
    return;
  HASH_ITER(hh, frames->tables, table, next) {
    HASH_DEL(frames->tables, table);
    empty(table);
    free(table->rows);
    free(table);
  }
  free(frames);
  session->frames = NULL;
}
