/* frames.c - rules of unwind tables, kept by file and range of addresses: see frames.h.
 *
 * A file's rows are sorted by address and do not overlap. That a file says nothing about an address is
 * kept too, for that address alone. A file whose rows are too many begins anew. */
#include "frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "module.h"
#include "unwind.h"

#define ROWS_MAX ((size_t)16384)
#define FIRST_ROOM ((size_t)64)

struct lt_frames {
  struct lt_frame_row **rows;
  size_t count, room;
};

static void empty(struct lt_frames *frames)
{
  for (size_t i = 0; i < frames->count; i++)
    lt_frame_row_free(frames->rows[i]);
  frames->count = 0;
}

/* How many rows begin at or before the address. */
static size_t rank(const struct lt_frames *frames, uint64_t addr)
{
  size_t low = 0, high = frames->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (frames->rows[middle]->from <= addr)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Put a row, which holds `addr`, in its place. It is made smaller where it overlaps others. */
static int insert(struct lt_frames *frames, struct lt_frame_row *row, uint64_t addr)
{
  if (frames->count == ROWS_MAX)
    empty(frames);
  if (frames->count == frames->room) {
    size_t room = frames->room ? frames->room * 2 : FIRST_ROOM;
    struct lt_frame_row **rows = realloc(frames->rows, room * sizeof(void *));
    if (!rows)
      return -ENOMEM;
    frames->rows = rows;
    frames->room = room;
  }
  size_t at = rank(frames, addr);
  if (at > 0 && frames->rows[at - 1]->to > row->from)
    row->from = frames->rows[at - 1]->to;
  if (at < frames->count && frames->rows[at]->from < row->to)
    row->to = frames->rows[at]->from;
  memmove(frames->rows + at + 1, frames->rows + at, (frames->count - at) * sizeof(void *));
  frames->rows[at] = row;
  frames->count++;
  return 0;
}

static struct lt_frame_row *nothing_at(uint64_t addr)
{
  struct lt_frame_row *row = calloc(1, sizeof *row);
  if (row) {
    row->from = addr;
    row->to = addr + 1;
  }
  return row;
}

static struct lt_frame_row *ask(lt_thread *thread, struct lt_file *file, uint64_t addr,
                                unsigned count)
{
  struct lt_bytes question = {0}, answer = {0};
  struct lt_frame_row *row = NULL;
  lt_put_u64(&question, addr);
  lt_put_u32(&question, count);
  int error = question.failed ? -ENOMEM : 0;
  if (!error)
    error = lt_reader_ask(thread->session, file, LT_ASK_FRAME, &question, &answer);
  struct lt_bytes_in in = {.at = answer.at, .size = answer.size};
  if (!error)
    error = lt_frame_row_get(&in, addr, &row);
  lt_bytes_free(&question);
  lt_bytes_free(&answer);
  return error ? nothing_at(addr) : row;
}

static const struct lt_frame_row *row_of(lt_thread *thread, struct lt_file *file, uint64_t addr)
{
  if (!file->frames)
    file->frames = calloc(1, sizeof *file->frames);
  struct lt_frames *frames = file->frames;
  if (!frames)
    return NULL;
  size_t at = rank(frames, addr);
  if (at > 0 && addr < frames->rows[at - 1]->to)
    return frames->rows[at - 1];
  unsigned count = lt_arch_get(lt_arch_of(&thread->regs))->dwarf->count;
  struct lt_frame_row *row = ask(thread, file, addr, count);
  if (row && insert(frames, row, addr)) {
    lt_frame_row_free(row);
    row = NULL;
  }
  return row;
}

const struct lt_frame_row *lt_frames_row(lt_thread *thread, uint64_t addr, uint64_t *bias)
{
  const struct lt_module *module = lt_module_at(thread, addr);
  *bias = 0;
  if (!module)
    return NULL;
  *bias = module->bias;
  const struct lt_frame_row *row = row_of(thread, module->file, addr - module->bias);
  return row && row->known ? row : NULL;
}

void lt_frames_free(struct lt_frames *frames)
{
  if (!frames)
    return;
  empty(frames);
  free(frames->rows);
  free(frames);
}
