/* variables.c - variables by name or by where a thread stands: what the reader says about them (the
 * messages are described in read_scope.c), and where that puts them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "file.h"
#include "object.h"
#include "read_variables.h"
#include "registers.h"
#include "types.h"

#define VARIABLES_MAX 4096U
#define ERRNO_MAX 4095U

/* A variable, and the rest of what the reader says about it: positions in the message. */
struct entry {
  struct lt_variable public;
  uint8_t where; /* LT_AT_* */
  size_t at;     /* of its expression, or of its constant with its size */
  uint32_t error;
};

struct lt_variables {
  uint64_t seq; /* of the stop */
  unsigned frame;
  bool has_frame;
  uint32_t file;
  uint64_t bias, entry; /* of the function, as the file has it */
  struct lt_type_ref result;
  struct lt_bytes message;
  bool has_base;
  struct lt_expression base;
  size_t count;
  struct entry entries[];
};

/* ---- Messages --------------------------------------------------------------------------------- */

static int skip_expression(struct lt_bytes_in *from)
{
  struct lt_expression expression;
  int error = lt_expression_get(from, &expression);
  if (!error)
    lt_expression_free(&expression);
  return error;
}

static int get_variable(struct lt_bytes_in *from, const struct lt_variables *variables,
                        struct entry *ret)
{
  struct lt_variable *public = &ret->public;
  public->name = lt_get_string(from);
  public->flags = lt_get_u8(from);
  public->level = lt_get_u32(from);
  public->index = lt_get_u32(from);
  public->file = lt_get_string(from);
  public->line = lt_get_u32(from);
  public->type = (struct lt_type_ref){variables->file, lt_get_u64(from)};
  ret->where = lt_get_u8(from);
  ret->at = variables->message.size - from->size;
  int error = 0;
  if (ret->where == LT_AT_EXPRESSION)
    error = skip_expression(from);
  else if (ret->where == LT_AT_CONSTANT)
    lt_get(from, lt_get_u32(from));
  else if (ret->where == LT_AT_UNKNOWN)
    error = (ret->error = lt_get_u32(from)) - 1 < ERRNO_MAX ? 0 : -ENOEXEC;
  else if (ret->where != LT_AT_NOWHERE)
    error = -ENOEXEC;
  return error ? error : from->failed ? -ENOEXEC : 0;
}

/* Keeps a copy of the message, into which names and expressions point. */
static lt_variables *make(const struct lt_bytes_in *message, size_t count)
{
  lt_variables *made = calloc(1, sizeof *made + count * sizeof *made->entries);
  if (!made)
    return NULL;
  lt_put(&made->message, message->at, message->size);
  if (made->message.failed) {
    free(made);
    return NULL;
  }
  return made;
}

void lt_variables_free(lt_variables *variables)
{
  if (!variables)
    return;
  lt_expression_free(&variables->base);
  lt_bytes_free(&variables->message);
  free(variables);
}

/* The rest of a message, in which `count` variables follow. */
static int get_variables(lt_variables *variables, struct lt_bytes_in *from, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    int error = get_variable(from, variables, &variables->entries[i]);
    if (error)
      return error;
    variables->count++;
  }
  return 0;
}

const struct lt_variable *lt_variables_at(const lt_variables *variables, size_t index)
{
  return index < variables->count ? &variables->entries[index].public : NULL;
}

/* ---- Where a thread stands -------------------------------------------------------------------- */

static int decode_scope(const struct lt_view *view, struct lt_bytes_in *from, lt_variables **ret)
{
  struct lt_bytes_in all = *from;
  struct lt_expression base = {0};
  uint64_t entry = lt_get_u64(from), result = lt_get_u64(from);
  bool has_base = lt_get_u8(from);
  int error = has_base ? lt_expression_get(from, &base) : 0;
  uint32_t count = lt_get_u32(from);
  if (!error && (from->failed || count > VARIABLES_MAX))
    error = -ENOEXEC;
  lt_variables *variables = error ? NULL : make(&all, count);
  if (!variables) {
    lt_expression_free(&base);
    return error ? error : -ENOMEM;
  }
  variables->seq = view->cursor.thread->stop.seq;
  variables->frame = view->cursor.level;
  variables->has_frame = true;
  variables->file = view->file->id;
  variables->bias = view->bias;
  variables->entry = entry;
  variables->result = (struct lt_type_ref){view->file->id, result};
  variables->has_base = has_base;
  variables->base = base;
  struct lt_bytes_in rest = {.at = variables->message.at + (from->at - all.at), .size = from->size};
  error = get_variables(variables, &rest, count);
  if (error)
    lt_variables_free(variables);
  else
    *ret = variables;
  return error;
}

int lt_variables_get(lt_thread *thread, unsigned frame, lt_variables **ret)
{
  struct lt_view view;
  struct lt_bytes question = {0};
  struct lt_bytes_in answer;
  *ret = NULL;
  int error = lt_view_open(thread, frame, &view);
  if (error)
    return error;
  if (view.file) {
    lt_put_u64(&question, lt_cursor_lookup(&view.cursor) - view.bias);
    error = question.failed
                ? -ENOMEM
                : lt_answer(thread->session, view.file, LT_ASK_SCOPE, &question, &answer);
    lt_bytes_free(&question);
    if (!error)
      error = decode_scope(&view, &answer, ret);
  } else {
    error = -ENOENT;
  }
  if (error == -ENOENT)
    lt_fail(thread->session, error, "there is no debug information about the code at %#llx",
            (unsigned long long)view.cursor.pc);
  else if (error)
    lt_fail(thread->session, error, "the debug information about the code at %#llx: %s",
            (unsigned long long)view.cursor.pc, strerror(-error));
  return error;
}

/* ---- Global variables ------------------------------------------------------------------------- */

struct search {
  lt_thread *thread;
  struct lt_bytes question;
  struct lt_bytes near; /* names that look like it, as strings */
  lt_variables *found;
};

static int find_in(void *data, struct lt_file *file, const struct lt_module *module)
{
  struct search *search = data;
  struct lt_bytes_in answer;
  uint32_t id = file->id;
  uint64_t bias = module->bias;
  int error = lt_answer(search->thread->session, file, LT_ASK_GLOBAL, &search->question, &answer);
  if (error)
    return error;
  struct lt_bytes_in all = answer;
  if (!lt_get_u8(&answer)) {
    uint32_t size = lt_get_u32(&answer);
    const void *names = lt_get(&answer, size);
    if (names)
      lt_put(&search->near, names, size);
    return -ENOENT;
  }
  lt_variables *variables = make(&all, 1);
  if (!variables)
    return -ENOMEM;
  variables->file = id;
  variables->bias = bias;
  variables->seq = search->thread->stop.seq;
  struct lt_bytes_in rest = {.at = variables->message.at + 1, .size = variables->message.size - 1};
  error = get_variables(variables, &rest, 1);
  if (error)
    lt_variables_free(variables);
  else
    search->found = variables;
  return error;
}

static int find_global(lt_thread *thread, const char *name, struct search *search)
{
  *search = (struct search){.thread = thread};
  lt_put_string(&search->question, name);
  int error = search->question.failed ? -ENOMEM : lt_each_file(thread, find_in, search);
  lt_bytes_free(&search->question);
  return error;
}

int lt_variables_global(lt_thread *thread, const char *name, lt_variables **ret)
{
  struct search search;
  int error = find_global(thread, name, &search);
  lt_bytes_free(&search.near);
  *ret = search.found;
  if (error == -ENOENT)
    lt_fail(thread->session, error, "no debug information has a variable '%.100s'", name);
  return error;
}

int lt_variables_near(lt_thread *thread, const char *name, char **ret)
{
  struct search search;
  int error = find_global(thread, name, &search);
  lt_variables_free(search.found);
  lt_put_string(&search.near, "");
  if (search.near.failed || (error && error != -ENOENT)) {
    lt_bytes_free(&search.near);
    return error && error != -ENOENT ? error : -ENOMEM;
  }
  *ret = (char *)search.near.at;
  return 0;
}

/* ---- Places ----------------------------------------------------------------------------------- */

/* The place is in a frame that the function has not made yet: below what its caller has. */
static bool is_not_stored(struct lt_view *view, const lt_variables *variables,
                          const struct lt_variable *variable, const struct lt_place *place)
{
  uint64_t cfa;
  return variable->flags & LT_VARIABLE_PARAMETER && variable->level == 0 && view->cursor.exact &&
         view->cursor.pc == variables->entry + variables->bias && place->count == 1 &&
         place->piece[0].kind == LT_PIECE_MEMORY && lt_cursor_cfa(&view->cursor, &cfa) == 0 &&
         place->piece[0].value < cfa;
}

static int locate_argument(struct lt_view *view, const lt_variables *variables,
                           const struct lt_variable *variable, lt_object **ret)
{
  struct lt_type_ref types[64];
  size_t count = 0;
  for (size_t i = 0; i < variables->count && count < 64; i++) {
    const struct lt_variable *one = &variables->entries[i].public;
    if (one->level == 0 && one->index == count)
      types[count++] = one->type;
  }
  if (variable->index >= count)
    return -ENODATA;
  return lt_argument_at_entry(view, types, variable->index, variables->result, ret);
}

static int explain(lt_thread *thread, const struct lt_variable *variable, int error)
{
  switch (error) {
  case -ENODATA:
    return lt_fail(thread->session, error,
                   "%.100s is not available at this instruction: its place depends on what is lost",
                   variable->name);
  case -ENOTSUP:
  case -ENOEXEC:
    return lt_fail(thread->session, error,
                   "%.100s: what the debug information says about its place cannot be used",
                   variable->name);
  default:
    return error;
  }
}

static int locate_expression(struct lt_view *view, const lt_variables *variables,
                             const struct entry *entry, lt_object **ret)
{
  struct lt_bytes_in from = {.at = variables->message.at + entry->at,
                             .size = variables->message.size - entry->at};
  struct lt_expression expression;
  struct lt_surroundings around;
  struct lt_place place;
  int error = lt_expression_get(&from, &expression);
  if (error)
    return error;
  lt_view_surroundings(view, &around);
  error = lt_expression_place(&expression, &around, &place);
  if (error)
    error = explain(view->cursor.thread, &entry->public, error);
  else if (is_not_stored(view, variables, &entry->public, &place))
    error = locate_argument(view, variables, &entry->public, ret);
  else
    error = lt_object_make(view, &place, ret);
  lt_expression_free(&expression);
  return error;
}

static int open_view(lt_thread *thread, const lt_variables *variables, struct lt_view *ret)
{
  int error = lt_view_open(thread, variables->has_frame ? variables->frame : 0, ret);
  if (error)
    return error;
  ret->file = lt_file_with(thread, variables->file);
  ret->bias = variables->bias;
  ret->base = variables->has_base ? &variables->base : NULL;
  return 0;
}

int lt_variable_locate(lt_thread *thread, const lt_variables *variables, size_t index,
                       lt_object **ret)
{
  struct lt_view view;
  if (index >= variables->count)
    return -EINVAL;
  const struct entry *entry = &variables->entries[index];
  if (variables->has_frame && variables->seq != thread->stop.seq)
    return lt_fail(thread->session, -ESTALE, "thread %d has run since %.100s was looked up",
                   (int)thread->tid, entry->public.name);
  int error = open_view(thread, variables, &view);
  if (error)
    return error;
  switch (entry->where) {
  case LT_AT_EXPRESSION:
    return locate_expression(&view, variables, entry, ret);
  case LT_AT_CONSTANT: {
    struct lt_bytes_in from = {.at = variables->message.at + entry->at,
                               .size = variables->message.size - entry->at};
    uint32_t size = lt_get_u32(&from);
    const void *bytes = lt_get(&from, size);
    return bytes || !size ? lt_object_of(&view, bytes, size, ret) : -ENOEXEC;
  }
  case LT_AT_UNKNOWN:
    return explain(thread, &entry->public, -(int)entry->error);
  default:
    return lt_fail(thread->session, -ENODATA, "%.100s is optimised out here", entry->public.name);
  }
}
