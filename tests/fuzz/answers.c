/* answers.c - what the reader process may answer, if the file that it read has taken it over: to the
 * tracer these are bytes. The first one says whose answer it is. */
#include <errno.h>
#include <string.h>

#include <unistd.h>

#include "answers.h"
#include "engine.h"
#include "frames.h"
#include "fuzz.h"
#include "symbol_index.h"
#include "x86_state.h"

/* The answers to come, one after the other: each begins with its size. */
static struct lt_bytes_in answers;

int __wrap_lt_reader_ask(lt_session *session, struct lt_file *file, enum lt_question what,
                         const struct lt_bytes *question, struct lt_bytes *ret);

int __wrap_lt_reader_ask(lt_session *session, struct lt_file *file, enum lt_question what,
                         const struct lt_bytes *question, struct lt_bytes *ret)
{
  (void)session, (void)file, (void)what, (void)question;
  *ret = (struct lt_bytes){0};
  size_t size = lt_get_u32(&answers);
  if (answers.failed)
    return -ENOENT;
  if (size > answers.size)
    size = answers.size;
  lt_put(ret, lt_get(&answers, size), size);
  return 0;
}

/* ---- Expressions ------------------------------------------------------------------------------ */

static int give_reg(void *data, unsigned number, uint64_t *ret)
{
  (void)data;
  *ret = 0x1000 * (uint64_t)number;
  return number < 17 ? 0 : -ENODATA;
}

static int give_memory(void *data, uint64_t addr, void *ret, size_t size)
{
  (void)data;
  memset(ret, (int)(addr & 0xff), size);
  return addr < 0x100000 ? 0 : -EFAULT;
}

static int give_address(void *data, uint64_t *ret)
{
  (void)data;
  *ret = 0x7000;
  return 0;
}

static int give_tls(void *data, uint64_t offset, uint64_t *ret)
{
  (void)data;
  *ret = 0x8000 + offset;
  return 0;
}

static int give_entry(void *data, const struct lt_expression *nested, uint64_t *ret)
{
  struct lt_surroundings around = {.data = data, .word = 8, .reg = give_reg, .entry = give_entry};
  return lt_expression_value(nested, &around, ret);
}

static void try_expression(struct lt_bytes_in *in)
{
  struct lt_expression expression;
  struct lt_surroundings around = {
      .word = lt_get_u8(in) & 1 ? 8 : 4,
      .bias = 0x400000,
      .reg = give_reg,
      .memory = give_memory,
      .cfa = give_address,
      .frame_base = give_address,
      .tls = give_tls,
      .object = give_address,
      .entry = give_entry,
  };
  uint64_t value;
  struct lt_place place;
  if (lt_expression_get(in, &expression) != 0)
    return;
  MUST(expression.count <= LT_EXPRESSION_OPS && expression.size <= LT_EXPRESSION_BLOCKS);
  lt_expression_value(&expression, &around, &value);
  if (lt_expression_place(&expression, &around, &place) == 0)
    MUST(place.count <= LT_PIECES);
  struct lt_bytes copy = {0};
  lt_expression_put(&copy, &expression);
  struct lt_bytes_in again = {.at = copy.at, .size = copy.size};
  struct lt_expression same;
  MUST(lt_expression_get(&again, &same) == 0 && same.count == expression.count);
  lt_expression_free(&same);
  lt_bytes_free(&copy);
  lt_expression_free(&expression);
}

static void try_row(struct lt_bytes_in *in)
{
  uint64_t addr = lt_get_u64(in);
  struct lt_frame_row *row;
  if (lt_frame_row_get(in, addr, &row) != 0)
    return;
  MUST(row->from <= addr && addr < row->to && row->pc < LT_FRAME_REGS);
  lt_frame_row_free(row);
}

/* ---- Symbols ------------------------------------------------------------------------------------ */

static void look_up(struct lt_file *file, const struct lt_names *names)
{
  size_t count = lt_names_count(names), found;
  for (size_t i = 0; i < count && i < 64; i++) {
    const struct lt_read_symbol *symbol = lt_names_at(names, i);
    const char *raw = lt_names_raw(names, i);
    lt_names_rank(symbol);
    if (lt_names_find(file, raw, false, &found))
      MUST(found < count && strcmp(lt_names_raw(names, found), raw) == 0);
    if (lt_names_below(names, symbol->addr, &found))
      MUST(found < count);
    MUST(lt_names_shown(file, i));
    for (int full = 0; full < 2; full++) {
      const char *text = lt_names_demangled(file, i, full);
      if (text && lt_names_find(file, text, true, &found))
        MUST(found < count);
    }
  }
}

static void try_symbols(struct lt_bytes_in *in)
{
  static lt_session session;
  struct lt_file file = {.session = &session};
  int error;
  answers = *in;
  const struct lt_names *names = lt_names_of(&file, &error);
  if (names)
    look_up(&file, names);
  lt_names_free(file.names);
}

/* ---- Of a thread ----------------------------------------------------------------------------------- */

/* One module with one file; the thread is this process, so that its memory can be read. */
struct world {
  lt_session session;
  lt_process process;
  struct lt_space space;
  lt_thread thread;
  struct lt_file file;
  struct lt_module module;
};

static struct world *current;

const struct lt_module *__wrap_lt_modules_of(lt_thread *thread, size_t *count);
const struct lt_module *__wrap_lt_module_at(lt_thread *thread, uint64_t addr);

const struct lt_module *__wrap_lt_modules_of(lt_thread *thread, size_t *count)
{
  (void)thread;
  *count = 1;
  return &current->module;
}

const struct lt_module *__wrap_lt_module_at(lt_thread *thread, uint64_t addr)
{
  (void)thread, (void)addr;
  return &current->module;
}

static struct world *make_world(void)
{
  struct world *world = calloc(1, sizeof *world);
  MUST(world);
  world->process.session = world->thread.session = world->file.session = &world->session;
  world->process.pid = world->thread.tid = getpid();
  world->process.mem_fd = -1;
  world->process.space = &world->space;
  world->process.threads = &world->thread;
  world->thread.process = &world->process;
  world->thread.state = LT_ST_STOPPED;
  world->thread.regs.general_valid = true;
  lt_x86_user(&world->thread.regs)->cs = LT_X86_CS64;
  lt_x86_user(&world->thread.regs)->rip = 0x401000;
  lt_x86_user(&world->thread.regs)->rsp = (uintptr_t)world;
  world->file.is_64 = world->file.asked = world->file.has_dwarf = true;
  world->file.id = 1;
  world->file.path = (char *)"/fuzz";
  world->module = (struct lt_module){
      .from = 0x400000, .to = 0x500000, .file = &world->file, .path = "/fuzz", .name = "fuzz"};
  return world;
}

static void end_world(struct world *world)
{
  lt_lines_free(&world->session);
  lt_answers_free(&world->session);
  lt_names_free(world->file.names);
  lt_frames_free(world->file.frames);
  lt_regs_free(&world->thread);
  lt_mem_forget(&world->process);
  free(world);
}

static void try_lines(lt_thread *thread)
{
  const struct lt_line *line;
  uint64_t addr;
  for (uint64_t at = 0x401000; at < 0x401004; at++)
    if (lt_line_at(thread, at, &line) == 0) {
      MUST(line->file && line->function);
      for (size_t i = 0; i < line->inlined_count; i++)
        MUST(line->inlined[i].file && line->inlined[i].name);
    }
  lt_after_prologue(thread, 0x401000, &addr);
}

static void try_places(lt_thread *thread)
{
  struct lt_location *places;
  ssize_t count = lt_line_locations(thread, "seed.c", 7, &places);
  for (ssize_t i = 0; i < count; i++)
    MUST(strlen(places[i].file) < SIZE_MAX && strlen(places[i].name) < SIZE_MAX);
  if (count >= 0)
    lt_locations_free(places);
}

static void try_program(lt_thread *thread)
{
  struct lt_program program;
  if (lt_program_read(thread, 0x401000, &program) == 0)
    lt_program_free(&program);
}

static void try_types(lt_thread *thread)
{
  struct lt_type *type;
  for (uint64_t where = 1; where < 4; where++)
    if (lt_type_get(thread, (struct lt_type_ref){.file = 1, .where = where}, &type) == 0)
      lt_type_free(type);
  if (lt_type_find(thread, "struct point", &type) == 0)
    lt_type_free(type);
}

static void look_at_variables(lt_thread *thread, lt_variables *variables)
{
  const struct lt_variable *one;
  lt_object *object;
  uint8_t bytes[64];
  for (size_t i = 0; i < 64 && (one = lt_variables_at(variables, i)); i++) {
    MUST(one->name);
    if (lt_variable_locate(thread, variables, i, &object) != 0)
      continue;
    lt_object_read(thread, object, 0, bytes, sizeof bytes);
    lt_object_free(object);
  }
  lt_variables_free(variables);
}

static void try_variables(lt_thread *thread)
{
  lt_variables *variables;
  if (lt_variables_get(thread, 0, &variables) == 0)
    look_at_variables(thread, variables);
  if (lt_variables_global(thread, "count", &variables) == 0)
    look_at_variables(thread, variables);
}

static void try_thread(uint8_t which, const struct lt_bytes_in *in)
{
  current = make_world();
  answers = *in;
  switch (which) {
  case 'l':
    try_lines(&current->thread);
    break;
  case 'p':
    try_places(&current->thread);
    break;
  case 'c':
    try_program(&current->thread);
    break;
  case 't':
    try_types(&current->thread);
    break;
  default:
    try_variables(&current->thread);
    break;
  }
  end_world(current);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct lt_bytes_in in = {.at = data, .size = size};
  uint8_t which = lt_get_u8(&in);
  switch (which) {
  case 'e':
    try_expression(&in);
    break;
  case 'f':
    try_row(&in);
    break;
  case 's':
    try_symbols(&in);
    break;
  case 'l':
  case 'p':
  case 'c':
  case 't':
  case 'v':
    try_thread(which, &in);
    break;
  default:
    break;
  }
  return 0;
}
