/* blocks.c - the functions of a module as blocks of instructions with their source lines.
 *
 * The reader knows where statements begin (read_table.c); where blocks begin is in the code: at a
 * branch's target, behind a branch, and behind a call, since not every call returns. Where a jump
 * has targets that nobody knows (a switch), every statement begins a block.
 *
 * What a compiler adds to a function is no statement: the line of the brace that opens it becomes
 * that of its declaration, as coverage tools have it, and what restores the caller's registers and
 * checks the stack has no line, unless nothing is returned: then it is the statement that returns. */
#include "blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Instructions ------------------------------------------------------------------------- */

static int by_range(const void *a, const void *b)
{
  const struct lt_code_range *first = a, *second = b;
  return (first->from > second->from) - (first->from < second->from);
}

static struct lt_code_insn *new_insn(struct lt_code_reading *reading)
{
  if (reading->insn_count == reading->insn_room) {
    size_t room = reading->insn_room ? reading->insn_room * 2 : 1024;
    struct lt_code_insn *more = realloc(reading->insns, room * sizeof *more);
    if (!more)
      return NULL;
    reading->insns = more;
    reading->insn_room = room;
  }
  return &reading->insns[reading->insn_count++];
}

static int decode_range(struct lt_code_reading *reading, const struct lt_code_range *range)
{
  size_t size = range->to - range->from;
  if (range->to <= range->from || size > LT_CODE_MAX - reading->code)
    return 0;
  if (size > LT_CODE_TOTAL_MAX - reading->total)
    return -E2BIG;
  reading->code += size;
  reading->total += size;
  uint8_t *code = malloc(size);
  if (!code)
    return -ENOMEM;
  ssize_t got = lt_mem_read(reading->thread, range->from, code, size);
  bool first = true;
  for (size_t at = 0; got > 0 && at < (size_t)got;) {
    struct lt_instruction decoded = {0};
    uint64_t addr = range->from + at;
    bool good =
        reading->arch->disassemble(code + at, (size_t)got - at, addr, LT_SYNTAX_NONE, &decoded);
    struct lt_code_insn *insn = new_insn(reading);
    if (!insn) {
      free(code);
      return -ENOMEM;
    }
    *insn = (struct lt_code_insn){
        .addr = addr,
        .target = decoded.has_target ? decoded.target : 0,
        .size = good ? decoded.size : 1,
        .flow = good ? decoded.flow : LT_FLOW_END,
        .uses_guard = decoded.uses_guard,
        .leads = first,
    };
    first = false;
    at += insn->size;
  }
  free(code);
  return got < 0 && got != -EFAULT ? (int)got : 0;
}

/* The instruction that begins at this address. */
static struct lt_code_insn *insn_at(struct lt_code_reading *reading, uint64_t addr)
{
  size_t from = 0, to = reading->insn_count;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (reading->insns[middle].addr < addr)
      from = middle + 1;
    else
      to = middle;
  }
  return from < reading->insn_count && reading->insns[from].addr == addr ? &reading->insns[from]
                                                                         : NULL;
}

static void find_leaders(struct lt_code_reading *reading)
{
  bool indirect = false;
  for (size_t i = 0; i < reading->insn_count; i++) {
    struct lt_code_insn *insn = &reading->insns[i], *other;
    if (insn->flow == LT_FLOW_NEXT)
      continue;
    if (i + 1 < reading->insn_count)
      insn[1].leads = true;
    if (insn->flow == LT_FLOW_INDIRECT)
      indirect = true;
    if ((insn->flow == LT_FLOW_BRANCH || insn->flow == LT_FLOW_JUMP) &&
        (other = insn_at(reading, insn->target)) != NULL)
      other->leads = true;
  }
  for (size_t i = 0; i < reading->row_count; i++) {
    struct lt_code_insn *insn = insn_at(reading, reading->rows[i].addr);
    if (!insn)
      continue;
    insn->row = true;
    insn->leads |= indirect;
  }
}

/* ---- Rows --------------------------------------------------------------------------------- */

static int by_addr(const void *a, const void *b)
{
  const struct lt_code_row *first = a, *second = b;
  if (first->addr != second->addr)
    return first->addr < second->addr ? -1 : 1;
  return (first->order > second->order) - (first->order < second->order);
}

/* The brace that opens the function, also where it is followed by the stack's guard. */
static void declare_opening(struct lt_code_reading *reading)
{
  struct lt_code_row *rows = reading->rows;
  if (!reading->row_count || rows[0].addr != reading->entry)
    return;
  if (!reading->line) { /* a lambda's is not known */
    reading->file = rows[0].file;
    reading->line = rows[0].line;
  }
  uint32_t brace = rows[0].line;
  for (size_t i = 0; i < reading->row_count && i < 2; i++) {
    const struct lt_code_insn *insn = insn_at(reading, rows[i].addr);
    if (rows[i].line != brace || (i > 0 && !(insn && insn->uses_guard)))
      break;
    rows[i].file = reading->file;
    rows[i].line = reading->line;
    rows[i].opening = true;
  }
}

/* ---- Blocks ------------------------------------------------------------------------------- */

/* The first row at or behind the address. */
static size_t first_row(const struct lt_code_reading *reading, uint64_t addr)
{
  size_t from = 0, to = reading->row_count;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (reading->rows[middle].addr < addr)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

static bool add_line(struct lt_code_reading *reading, struct lt_block *block, uint32_t file,
                     uint32_t number)
{
  struct lt_program *program = reading->program;
  for (uint32_t i = 0; i < block->count; i++)
    if (program->lines[block->lines + i].line == number &&
        program->lines[block->lines + i].file == file)
      return true;
  if (program->line_count == reading->line_room) {
    size_t room = reading->line_room ? reading->line_room * 2 : 1024;
    struct lt_source_line *more = realloc(program->lines, room * sizeof *more);
    if (!more)
      return false;
    program->lines = more;
    reading->line_room = room;
  }
  program->lines[program->line_count++] = (struct lt_source_line){file, number};
  block->count++;
  return true;
}

/* Whether a guard is read by these instructions at or behind the address. */
static bool reads_guard(const struct lt_code_reading *reading, size_t first, size_t last,
                        uint64_t addr)
{
  for (size_t i = first; i <= last; i++)
    if (reading->insns[i].uses_guard && reading->insns[i].addr >= addr)
      return true;
  return false;
}

/* Whether the last row of a block is no statement: it only leaves the function, and the value was
 * computed before. */
static bool is_way_out(const struct lt_code_reading *reading, size_t first, size_t last,
                       const struct lt_code_row *row)
{
  return reading->has_value && !row->opening && row->line == reading->last_line &&
         row->addr >= reading->insns[first].addr &&
         (reading->insns[last].flow == LT_FLOW_RETURN ||
          (reading->insns[last].flow == LT_FLOW_JUMP && reading->insns[last].addr == row->addr) ||
          reads_guard(reading, first, last, row->addr));
}

/* Whether the block is what is called when the stack's guard has been overrun. */
static bool is_alarm(const struct lt_code_reading *reading, size_t first, size_t last, size_t row)
{
  return reading->way_out && first == last && reading->insns[first].flow == LT_FLOW_CALL &&
         reading->insns[first].row && row < reading->row_count &&
         reading->rows[row].line == reading->last_line;
}

/* The lines of the block of these instructions: of the statement that goes on in it, and of those
 * that begin in it. */
static bool add_lines(struct lt_code_reading *reading, struct lt_block *block, size_t first,
                      size_t last)
{
  const struct lt_code_insn *from = &reading->insns[first], *to = &reading->insns[last];
  size_t row = first_row(reading, from->addr), end = first_row(reading, to->addr + 1);
  bool goes_on = row > 0 && !from->row && to->flow != LT_FLOW_RETURN &&
                 reading->way_out != reading->rows[row - 1].addr &&
                 !reads_guard(reading, first, last, from->addr);
  if (end > row && is_way_out(reading, first, last, &reading->rows[end - 1]))
    reading->way_out = reading->rows[--end].addr;
  if (is_alarm(reading, first, last, row))
    return true;
  for (row -= goes_on; row < end; row++)
    if (!add_line(reading, block, reading->rows[row].file, reading->rows[row].line))
      return false;
  return true;
}

static struct lt_block *new_block(struct lt_code_reading *reading)
{
  struct lt_program *program = reading->program;
  if (program->block_count == reading->block_room) {
    size_t room = reading->block_room ? reading->block_room * 2 : 256;
    struct lt_block *more = realloc(program->blocks, room * sizeof *more);
    if (!more)
      return NULL;
    program->blocks = more;
    reading->block_room = room;
  }
  return &program->blocks[program->block_count++];
}

/* The number of the function's block that begins there, from 1; 0. They are sorted. */
static uint32_t block_at(const struct lt_block *blocks, size_t count, uint64_t addr)
{
  size_t from = 0, to = count;
  while (from < to) {
    size_t middle = from + (to - from) / 2;
    if (blocks[middle].addr < addr)
      from = middle + 1;
    else
      to = middle;
  }
  return from < count && blocks[from].addr == addr ? (uint32_t)from + 1 : 0;
}

/* Where the thread goes from each block. Until now `next` and `target` have no meaning, and the
 * block's last instruction is found by its successor in the list. */
static void connect(struct lt_code_reading *reading, size_t first_block)
{
  size_t count = reading->program->block_count - first_block, insn = 0;
  struct lt_block *blocks = count ? reading->program->blocks + first_block : NULL;
  for (size_t i = 0; i < count; i++) {
    do
      insn++;
    while (insn < reading->insn_count && !reading->insns[insn].leads);
    const struct lt_code_insn *last = &reading->insns[insn - 1];
    enum lt_flow flow = last->flow;
    blocks[i].flow = last->flow;
    blocks[i].next = flow == LT_FLOW_NEXT || flow == LT_FLOW_CALL || flow == LT_FLOW_BRANCH
                         ? block_at(blocks, count, last->addr + last->size)
                         : 0;
    blocks[i].target =
        flow == LT_FLOW_BRANCH || flow == LT_FLOW_JUMP ? block_at(blocks, count, last->target) : 0;
  }
}

static int make_blocks(struct lt_code_reading *reading)
{
  reading->last_line = 0;
  reading->way_out = 0;
  for (size_t i = 0; i < reading->row_count; i++)
    if (reading->rows[i].file == reading->file && reading->rows[i].line > reading->last_line)
      reading->last_line = reading->rows[i].line;
  for (size_t first = 0, last; first < reading->insn_count; first = last + 1) {
    last = first;
    while (last + 1 < reading->insn_count && !reading->insns[last + 1].leads)
      last++;
    struct lt_block *block = new_block(reading);
    if (!block)
      return -ENOMEM;
    *block = (struct lt_block){.addr = reading->insns[first].addr,
                               .lines = (uint32_t)reading->program->line_count};
    if (!add_lines(reading, block, first, last))
      return -ENOMEM;
  }
  return 0;
}

ssize_t lt_blocks_find(struct lt_code_reading *reading)
{
  size_t first_block = reading->program->block_count;
  int error = 0;
  reading->insn_count = reading->code = 0;
  if (reading->range_count)
    qsort(reading->ranges, reading->range_count, sizeof *reading->ranges, by_range);
  if (reading->row_count)
    qsort(reading->rows, reading->row_count, sizeof *reading->rows, by_addr);
  for (size_t i = 0; i < reading->range_count && !error; i++)
    if (i == 0 || reading->ranges[i].from >= reading->ranges[i - 1].to)
      error = decode_range(reading, &reading->ranges[i]);
  if (error)
    return error;
  find_leaders(reading);
  declare_opening(reading);
  error = make_blocks(reading);
  if (error)
    return error;
  connect(reading, first_block);
  return (ssize_t)(reading->program->block_count - first_block);
}
