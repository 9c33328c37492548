/* lines.c - source lines of what runs in a process: asks the reader about single addresses
 * (read_lines.c) and keeps what it said. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "file.h"

#define KEPT_MAX 16384
#define INLINED_MAX 64

/* What the reader said about an address of a file. */
struct kept {
  struct kept_key {
    uint64_t file, addr; /* id; address in the file */
  } key;                 /* compared as bytes: no padding */
  UT_hash_handle hh;
  int error;
  struct lt_bytes answer; /* holds the strings */
  struct lt_line line;
  struct lt_inlined inlined[];
};

/* In the order in which they came. */
struct lt_lines {
  struct kept *kept;
};

static void drop(struct lt_lines *lines, struct kept *kept)
{
  HASH_DEL(lines->kept, kept);
  lt_bytes_free(&kept->answer);
  free(kept);
}

void lt_lines_free(lt_session *session)
{
  struct lt_lines *lines = session->lines;
  struct kept *kept = lines ? lines->kept : NULL, *next;
  if (lines)
    HASH_CLEAR(hh, lines->kept);
  for (; kept; kept = next) {
    next = kept->hh.next;
    lt_bytes_free(&kept->answer);
    free(kept);
  }
  free(lines);
  session->lines = NULL;
}

/* The record of an answer, which it takes over. NULL: out of memory. */
static struct kept *decode(struct lt_bytes *answer)
{
  struct lt_bytes_in in = {answer->at, answer->size, false};
  struct lt_line line = {.file = lt_get_string(&in)};
  line.line = lt_get_u32(&in);
  line.column = lt_get_u32(&in);
  line.function = lt_get_string(&in);
  uint32_t count = lt_get_u32(&in);
  if (count > INLINED_MAX)
    count = INLINED_MAX;
  struct kept *kept = calloc(1, sizeof *kept + count * sizeof *kept->inlined);
  if (!kept) {
    lt_bytes_free(answer);
    return NULL;
  }
  for (uint32_t i = 0; i < count; i++) {
    struct lt_inlined *call = &kept->inlined[i];
    call->name = lt_get_string(&in);
    call->file = lt_get_string(&in);
    call->line = lt_get_u32(&in);
    call->column = lt_get_u32(&in);
  }
  line.inlined = kept->inlined;
  line.inlined_count = count;
  kept->line = line;
  kept->answer = *answer;
  kept->error = in.failed ? -EBADMSG : 0;
  return kept;
}

/* Ask, and keep what is said. That a file has nothing about an address is kept too. */
static struct kept *ask(lt_session *session, struct lt_file *file, const struct kept_key *key)
{
  struct lt_bytes question = {0}, answer = {0};
  lt_put_u64(&question, key->addr);
  lt_put_u8(&question, false);
  lt_file_ask(file);
  int error =
      file->has_dwarf ? lt_reader_ask(session, file, LT_ASK_LINES_AT, &question, &answer) : -ENOENT;
  lt_bytes_free(&question);
  if (error == -ENOMEM)
    return NULL;
  if (!session->lines)
    session->lines = calloc(1, sizeof *session->lines);
  struct kept *kept = error ? calloc(1, sizeof *kept) : decode(&answer);
  if (!kept || !session->lines) {
    if (kept)
      lt_bytes_free(&kept->answer);
    free(kept);
    return NULL;
  }
  if (error)
    kept->error = error;
  kept->key = *key;
  if (HASH_COUNT(session->lines->kept) >= KEPT_MAX)
    drop(session->lines, session->lines->kept);
  /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): another element was dropped */
  HASH_ADD(hh, session->lines->kept, key, sizeof kept->key, kept);
  return kept;
}

int lt_line_at(lt_thread *thread, uint64_t addr, const struct lt_line **ret)
{
  lt_session *session = thread->session;
  const struct lt_module *module = lt_module_at(thread, addr);
  if (!module)
    return lt_fail(session, -ENOENT, "no program or library has code at %#llx",
                   (unsigned long long)addr);
  struct kept_key key = {module->file->id, addr - module->bias};
  struct kept *kept = NULL;
  if (session->lines)
    HASH_FIND(hh, session->lines->kept, &key, sizeof key, kept); /* NOLINT(clang-analyzer-core*) */
  if (!kept)
    kept = ask(session, module->file, &key);
  if (!kept)
    return -ENOMEM;
  if (kept->error)
    return lt_fail(session, kept->error, "%s has no line for %#llx", module->name,
                   (unsigned long long)addr);
  *ret = &kept->line;
  return 0;
}

int lt_after_prologue(lt_thread *thread, uint64_t addr, uint64_t *ret)
{
  const struct lt_module *module = lt_module_at(thread, addr);
  struct lt_bytes question = {0}, answer = {0};
  *ret = addr;
  if (!module)
    return lt_fail(thread->session, -ENOENT, "no program or library has code at %#llx",
                   (unsigned long long)addr);
  lt_put_u64(&question, addr - module->bias);
  lt_put_u8(&question, true);
  int error = lt_reader_ask(thread->session, module->file, LT_ASK_LINES_AT, &question, &answer);
  lt_bytes_free(&question);
  struct lt_bytes_in in = {answer.at, answer.size, false};
  uint64_t after = error ? 0 : lt_get_u64(&in) + module->bias;
  if (!error && !in.failed)
    *ret = after;
  lt_bytes_free(&answer);
  return error == -ENOMEM ? error : 0;
}
