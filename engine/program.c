/* program.c - the functions of a module: asks the reader (read_table.c), then looks at their code
 * (blocks.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "file.h"

struct making {
  struct lt_code_reading reading;
  struct lt_bytes answer;
  struct lt_bytes_in in;
  uint64_t bias;
  size_t function_room, file_room;
  const char *name; /* of the function that is being read; NULL: none yet */
  bool failed;      /* out of memory */
};

/* Room for one more element; NULL. */
static void *grow(void *array, size_t *room, size_t count, size_t size)
{
  if (count < *room)
    return array;
  size_t more = *room ? *room * 2 : 64;
  void *ret = realloc(array, more * size);
  if (ret)
    *room = more;
  return ret;
}

static void add_file(struct making *making, const char *path)
{
  struct lt_program *program = making->reading.program;
  const char **files = grow(program->files, &making->file_room, program->file_count, sizeof *files);
  if (!files) {
    making->failed = true;
    return;
  }
  program->files = files;
  program->files[program->file_count++] = path;
}

/* All parts and statements of the function have been read. */
static int finish_function(struct making *making)
{
  struct lt_code_reading *reading = &making->reading;
  struct lt_program *program = reading->program;
  if (!making->name)
    return 0;
  struct lt_code *functions =
      grow(program->functions, &making->function_room, program->function_count, sizeof *functions);
  if (!functions)
    return -ENOMEM;
  program->functions = functions;
  struct lt_code function = {
      .name = making->name, .entry = reading->entry, .blocks = (uint32_t)program->block_count};
  ssize_t count = lt_blocks_find(reading);
  if (count < 0)
    return (int)count;
  function.file = reading->file;
  function.line = reading->line;
  function.count = (uint32_t)count;
  if (count)
    functions[program->function_count++] = function;
  return 0;
}

static uint32_t file_number(const struct making *making, uint32_t number)
{
  return number < making->reading.program->file_count ? number : 0;
}

static int begin_function(struct making *making)
{
  struct lt_code_reading *reading = &making->reading;
  int error = finish_function(making);
  reading->entry = lt_get_u64(&making->in) + making->bias;
  reading->file = file_number(making, lt_get_u32(&making->in));
  reading->line = lt_get_u32(&making->in);
  reading->has_value = lt_get_u8(&making->in);
  making->name = lt_get_string(&making->in);
  reading->range_count = reading->row_count = 0;
  return error;
}

static void add_range(struct making *making)
{
  struct lt_code_reading *reading = &making->reading;
  uint64_t from = lt_get_u64(&making->in), to = lt_get_u64(&making->in);
  struct lt_code_range *ranges =
      grow(reading->ranges, &reading->range_room, reading->range_count, sizeof *ranges);
  making->failed |= !ranges;
  if (!ranges)
    return;
  reading->ranges = ranges;
  ranges[reading->range_count++] = (struct lt_code_range){from + making->bias, to + making->bias};
}

static void add_row(struct making *making)
{
  struct lt_code_reading *reading = &making->reading;
  struct lt_code_row *rows =
      grow(reading->rows, &reading->row_room, reading->row_count, sizeof *rows);
  making->failed |= !rows;
  if (!rows)
    return;
  reading->rows = rows;
  struct lt_code_row *row = &rows[reading->row_count];
  *row = (struct lt_code_row){.order = (uint32_t)reading->row_count++};
  row->addr = lt_get_u64(&making->in) + making->bias;
  row->file = file_number(making, lt_get_u32(&making->in));
  row->line = lt_get_u32(&making->in);
}

/* The answer of lt_read_lines_all(). */
static int take_in(struct making *making)
{
  int error = 0;
  add_file(making, "");
  while (!error && !making->failed && !making->in.failed) {
    switch (lt_get_u8(&making->in)) {
    case 'f':
      add_file(making, lt_get_string(&making->in));
      break;
    case 'n':
      error = begin_function(making);
      break;
    case 'r':
      add_range(making);
      break;
    case 'l':
      add_row(making);
      break;
    default:
      return finish_function(making);
    }
  }
  return error ? error : making->failed ? -ENOMEM : -EBADMSG;
}

static int ask(struct making *making, const struct lt_module *module)
{
  struct lt_bytes question = {0};
  lt_session *session = making->reading.thread->session;
  int error = lt_reader_ask(session, module->file, LT_ASK_LINES_ALL, &question, &making->answer);
  making->in = (struct lt_bytes_in){making->answer.at, making->answer.size, false};
  making->bias = module->bias;
  return error;
}

int lt_program_read(lt_thread *thread, uint64_t addr, struct lt_program *ret)
{
  const struct lt_module *module = lt_module_at(thread, addr);
  struct making making = {.reading = {.thread = thread, .program = ret}};
  *ret = (struct lt_program){0};
  int error = lt_thread_access(thread);
  if (error)
    return error;
  making.reading.arch = lt_arch_get(lt_thread_abi(thread));
  if (module)
    lt_file_ask(module->file);
  if (!module || !module->file->has_dwarf)
    return lt_fail(thread->session, -ENOENT, "%s has no debug information (compile with -g)",
                   module ? module->name : "what is not there");
  error = ask(&making, module);
  if (!error)
    error = take_in(&making);
  free(making.reading.ranges);
  free(making.reading.rows);
  free(making.reading.insns);
  ret->strings = making.answer.at;
  if (error)
    lt_program_free(ret);
  return error ? lt_fail(thread->session, error, "the functions of %s cannot be read: %s",
                         module->name, lt_errno_text(-error))
               : 0;
}

void lt_program_free(struct lt_program *program)
{
  free(program->functions);
  free(program->blocks);
  free(program->lines);
  free(program->files);
  free(program->strings);
  *program = (struct lt_program){0};
}
