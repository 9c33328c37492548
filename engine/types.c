/* types.c - types, as the reader describes them (read_type.c has the messages). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "file.h"
#include "luatrace.h"
#include "read_variables.h"
#include "registers.h"
#include "types.h"

#define PARTS_MAX 65536U

/* One allocation: the type, its parts, all names. */
static struct lt_type *make(size_t count, size_t names)
{
  struct lt_type *type = calloc(1, sizeof *type + count * sizeof *type->parts + names + 1);
  if (!type)
    return NULL;
  type->parts = (struct lt_part *)(type + 1);
  type->count = count;
  return type;
}

static const char *keep(char **room, const char *name)
{
  char *kept = *room;
  size_t size = strlen(name) + 1;
  memcpy(kept, name, size);
  *room += size;
  return kept;
}

static void get_part(struct lt_bytes_in *from, uint32_t file, char **room, struct lt_part *ret)
{
  ret->flags = lt_get_u8(from);
  ret->name = keep(room, lt_get_string(from));
  ret->value = lt_get_u64(from);
  ret->type = (struct lt_type_ref){file, lt_get_u64(from)};
  ret->bits = lt_get_u32(from);
  ret->discriminant = lt_get_u64(from);
}

/* Names take no more room than the message does. */
static int decode(struct lt_bytes_in *from, uint32_t file, struct lt_type **ret)
{
  struct lt_type head = {.kind = lt_get_u8(from)};
  size_t names = from->size;
  head.encoding = lt_get_u8(from);
  head.flags = lt_get_u8(from);
  head.self = (struct lt_type_ref){file, lt_get_u64(from)};
  head.size = lt_get_u64(from);
  head.target = (struct lt_type_ref){file, lt_get_u64(from)};
  const char *name = lt_get_string(from);
  uint32_t count = lt_get_u32(from);
  if (from->failed || count > PARTS_MAX || head.kind < LT_TYPE_BASE || head.kind > LT_TYPE_FUNCTION)
    return -ENOEXEC;
  struct lt_type *type = make(count, names + count);
  if (!type)
    return -ENOMEM;
  struct lt_part *parts = type->parts;
  char *room = (char *)(parts + count);
  *type = head;
  type->parts = parts;
  type->count = count;
  type->name = keep(&room, name);
  for (uint32_t i = 0; i < count; i++)
    get_part(from, file, &room, &parts[i]);
  if (from->failed) {
    free(type);
    return -ENOEXEC;
  }
  *ret = type;
  return 0;
}

static int ask(lt_thread *thread, struct lt_file *file, const struct lt_bytes *question,
               struct lt_type **ret)
{
  struct lt_bytes_in answer;
  uint32_t id = file->id;
  int error = lt_answer(thread->session, file, LT_ASK_TYPE, question, &answer);
  return error ? error : decode(&answer, id, ret);
}

/* ---- Files -------------------------------------------------------------------------------- */

struct lt_file *lt_file_with(lt_thread *thread, uint32_t id)
{
  size_t count;
  const struct lt_module *modules = lt_modules_of(thread, &count);
  for (size_t i = 0; i < count; i++)
    if (modules[i].file->id == id)
      return modules[i].file;
  return NULL;
}

int lt_each_file(lt_thread *thread, lt_file_fn *visit, void *data)
{
  uint64_t pc;
  size_t count;
  int error = lt_thread_pc(thread, &pc);
  const struct lt_module *here = error ? NULL : lt_module_at(thread, pc);
  struct lt_file *first = here ? here->file : NULL;
  if (error)
    return error;
  error = first ? visit(data, first, here) : -ENOENT;
  const struct lt_module *modules = lt_modules_of(thread, &count);
  for (size_t i = 0; error == -ENOENT && i < count; i++) {
    if (modules[i].file != first)
      error = visit(data, modules[i].file, &modules[i]);
    if (error && error != -ENOMEM && error != -ESRCH)
      error = -ENOENT; /* a file that cannot be read must not hide those that can */
    modules = lt_modules_of(thread, &count);
  }
  return error;
}

/* ---- Types -------------------------------------------------------------------------------- */

int lt_type_get(lt_thread *thread, struct lt_type_ref ref, struct lt_type **ret)
{
  struct lt_bytes question = {0};
  struct lt_file *file = lt_file_with(thread, ref.file);
  *ret = NULL;
  if (!file)
    return lt_fail(thread->session, -ENOENT, "the file with this type is not mapped any more");
  lt_put_u8(&question, LT_TYPE_BY_REF);
  lt_put_u64(&question, ref.where);
  int error = question.failed ? -ENOMEM : ask(thread, file, &question, ret);
  lt_bytes_free(&question);
  if (error)
    lt_fail(thread->session, error, "the debug information of %s describes no such type: %s",
            file->path, strerror(-error));
  return error;
}

struct search {
  lt_thread *thread;
  struct lt_bytes question;
  struct lt_type *declared; /* only that, in the first file that has it */
  struct lt_type **ret;
};

static int find_in(void *data, struct lt_file *file, const struct lt_module *module)
{
  struct search *search = data;
  struct lt_type *type;
  (void)module;
  int error = ask(search->thread, file, &search->question, &type);
  if (error)
    return error;
  if (type->flags & LT_TYPE_INCOMPLETE) {
    if (search->declared)
      lt_type_free(type);
    else
      search->declared = type;
    return -ENOENT;
  }
  *search->ret = type;
  return 0;
}

int lt_type_find(lt_thread *thread, const char *name, struct lt_type **ret)
{
  struct search search = {.thread = thread, .ret = ret};
  *ret = NULL;
  lt_put_u8(&search.question, LT_TYPE_BY_NAME);
  lt_put_string(&search.question, name);
  int error = search.question.failed ? -ENOMEM : lt_each_file(thread, find_in, &search);
  lt_bytes_free(&search.question);
  if (error == -ENOENT && search.declared) {
    *ret = search.declared;
    return 0;
  }
  lt_type_free(search.declared);
  if (error == -ENOENT)
    lt_fail(thread->session, error, "no debug information has a type '%.100s'", name);
  return error;
}

void lt_type_free(struct lt_type *type)
{
  free(type);
}
