/* places.c - a source line, or a source file -> the addresses of its code in all modules of a
 * process: asks the reader about each (read_places.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "file.h"
#include "read_places.h"

/* What was asked for, and what came together. */
struct gathering {
  const char *file;
  uint32_t line; /* 0: functions */
  struct part {
    const struct lt_module *module;
    struct lt_bytes answer;
  } * parts;
  size_t count;      /* of parts: modules that have such code */
  bool lines, known; /* some module has lines; some has the file */
  uint32_t before, after;
  char *similar; /* the name most like it */
};

/* ---- Asking ------------------------------------------------------------------------------- */

static void note_no_code(struct gathering *all, struct lt_bytes_in *in)
{
  uint32_t before = lt_get_u32(in), after = lt_get_u32(in);
  all->known = true;
  if (before > all->before)
    all->before = before;
  if (after && (after < all->after || !all->after))
    all->after = after;
}

static void note_no_file(struct gathering *all, struct lt_bytes_in *in)
{
  const char *name = lt_get_string(in), *slash = strrchr(all->file, '/');
  const char *wanted = slash ? slash + 1 : all->file;
  if (*name &&
      (!all->similar || lt_read_edits(wanted, name) < lt_read_edits(wanted, all->similar))) {
    free(all->similar);
    all->similar = strdup(name);
  }
}

static void ask(lt_session *session, struct gathering *all, const struct lt_module *module,
                const struct lt_bytes *question)
{
  struct lt_bytes answer = {0};
  lt_file_ask(module->file);
  if (!module->file->has_dwarf ||
      lt_reader_ask(session, module->file, LT_ASK_LINES_OF, question, &answer) != 0)
    return;
  struct lt_bytes_in in = {answer.at, answer.size, false};
  all->lines = true;
  switch (lt_get_u8(&in)) {
  case LT_PLACES_FOUND:
    all->parts[all->count++] = (struct part){module, answer};
    return;
  case LT_PLACES_NO_CODE:
    note_no_code(all, &in);
    break;
  default:
    note_no_file(all, &in);
    break;
  }
  lt_bytes_free(&answer);
}

/* ---- One block with all places and their strings ------------------------------------------- */

static size_t strings_of(const struct part *part)
{
  return part->answer.size + strlen(part->module->name) + 1;
}

/* Each place takes more of the answer than `least` bytes: a count that promises more is refused. */
static uint32_t count_of(const struct part *part, struct lt_bytes_in *ret)
{
  const size_t least = sizeof(uint64_t) + sizeof(uint32_t) + 2;
  *ret = (struct lt_bytes_in){part->answer.at, part->answer.size, false};
  lt_get_u8(ret);
  uint32_t count = lt_get_u32(ret);
  return count <= ret->size / least ? count : 0;
}

static size_t fill(const struct part *part, struct lt_location *places, char *strings)
{
  struct lt_bytes_in in;
  uint32_t count = count_of(part, &in);
  size_t name = strlen(part->module->name) + 1;
  memcpy(strings, part->module->name, name);
  if (part->answer.size)
    memcpy(strings + name, part->answer.at, part->answer.size);
  in.at = (uint8_t *)strings + name + (in.at - part->answer.at);
  for (uint32_t i = 0; i < count; i++) {
    places[i].addr = lt_get_u64(&in) + part->module->bias;
    places[i].line = lt_get_u32(&in);
    places[i].file = lt_get_string(&in);
    places[i].name = lt_get_string(&in);
    places[i].module = strings;
  }
  return in.failed ? 0 : count;
}

static ssize_t join(const struct gathering *all, struct lt_location **ret)
{
  struct lt_bytes_in in;
  size_t count = 0, bytes = 0, done = 0;
  for (size_t i = 0; i < all->count; i++) {
    count += count_of(&all->parts[i], &in);
    bytes += strings_of(&all->parts[i]);
  }
  struct lt_location *places = calloc(1, count * sizeof *places + bytes);
  if (!places)
    return -ENOMEM;
  char *strings = (char *)(places + count);
  for (size_t i = 0; i < all->count; i++) {
    done += fill(&all->parts[i], places + done, strings);
    strings += strings_of(&all->parts[i]);
  }
  *ret = places;
  return (ssize_t)done;
}

/* ---- What to say where there is nothing ---------------------------------------------------- */

static int no_code(lt_session *session, const struct gathering *all)
{
  const char *file = all->file;
  unsigned line = all->line, before = all->before, after = all->after;
  if (!line)
    return lt_fail(session, -ENOENT, "%s has no function with code", file);
  if (before && after)
    return lt_fail(session, -ENOENT, "no code at %s:%u; the nearest lines with code are %u and %u",
                   file, line, before, after);
  if (before || after)
    return lt_fail(session, -ENOENT, "no code at %s:%u; the nearest line with code is %u", file,
                   line, before ? before : after);
  return lt_fail(session, -ENOENT, "no line of %s has code", file);
}

static int nothing(lt_session *session, const struct gathering *all)
{
  if (all->known)
    return no_code(session, all);
  if (!all->lines)
    return lt_fail(session, -ENOENT,
                   "no program or library here has line information for %s (compile with -g)",
                   all->file);
  if (all->similar)
    return lt_fail(session, -ENOENT, "there is no source file %s; did you mean %s?", all->file,
                   all->similar);
  return lt_fail(session, -ENOENT, "there is no source file %s", all->file);
}

/* ---- The interface ------------------------------------------------------------------------ */

static ssize_t gather(lt_thread *thread, struct gathering *all, struct lt_location **ret)
{
  lt_session *session = thread->session;
  size_t modules;
  struct lt_bytes question = {0};
  const struct lt_module *module = lt_modules_of(thread, &modules);
  all->parts = calloc(modules + 1, sizeof *all->parts);
  if (!all->parts)
    return -ENOMEM;
  lt_put_string(&question, all->file);
  lt_put_u32(&question, all->line);
  for (size_t i = 0; i < modules; i++)
    ask(session, all, &module[i], &question);
  ssize_t count = all->count ? join(all, ret) : nothing(session, all);
  for (size_t i = 0; i < all->count; i++)
    lt_bytes_free(&all->parts[i].answer);
  free(all->parts);
  free(all->similar);
  lt_bytes_free(&question);
  return count;
}

ssize_t lt_line_locations(lt_thread *thread, const char *file, uint32_t line,
                          struct lt_location **ret)
{
  struct gathering all = {.file = file, .line = line};
  *ret = NULL;
  if (!*file || !line)
    return lt_fail(thread->session, -EINVAL, "a line is \"file.c:120\"");
  return gather(thread, &all, ret);
}

ssize_t lt_file_functions(lt_thread *thread, const char *file, struct lt_location **ret)
{
  struct gathering all = {.file = file};
  *ret = NULL;
  if (!*file)
    return lt_fail(thread->session, -EINVAL, "a source file needs a name");
  return gather(thread, &all, ret);
}

void lt_locations_free(struct lt_location *places)
{
  free(places);
}
