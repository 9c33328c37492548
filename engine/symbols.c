/* symbols.c - modules and symbols of a process, for the public interface. */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "distance.h"
#include "engine.h"
#include "symbol_index.h"

#define PATTERN_MAX 1024

/* ---- Modules ------------------------------------------------------------------------------ */

/* A thread of the process by which the kernel still answers. */
static lt_thread *any_thread(const lt_process *process)
{
  lt_thread *thread = process->threads;
  while (thread && lt_thread_access(thread) == -ESRCH)
    thread = thread->next;
  return thread;
}

ssize_t lt_modules(lt_process *process)
{
  lt_thread *thread = any_thread(process);
  bool changed;
  size_t count;
  int error = thread ? lt_modules_read(process, thread->tid, &changed) : -ESRCH;
  if (error)
    return lt_fail(process->session, error, "the modules of process %d cannot be listed: %s",
                   (int)process->pid, lt_errno_text(-error));
  lt_modules_of(thread, &count);
  return (ssize_t)count;
}

static const struct lt_module *module_number(lt_process *process, size_t index)
{
  size_t count = 0;
  const struct lt_module *modules =
      process->threads ? lt_modules_of(process->threads, &count) : NULL;
  return index < count ? &modules[index] : NULL;
}

int lt_module_info(lt_process *process, size_t index, struct lt_module_info *ret)
{
  const struct lt_module *module = module_number(process, index);
  if (!module)
    return lt_fail(process->session, -ENOENT, "process %d has no module %zu", (int)process->pid,
                   index);
  *ret = (struct lt_module_info){
      .from = module->from,
      .to = module->to,
      .bias = module->bias,
      .path = module->path,
      .name = module->name,
      .build_id = module->file->build_id,
      .build_id_size = module->file->build_id_size,
      .file = module->file->id,
      .is_64 = module->file->is_64,
      .readable = module->file->readable || module->file->memory,
  };
  return 0;
}

bool lt_module_has_debug(lt_process *process, size_t index)
{
  const struct lt_module *module = module_number(process, index);
  if (!module)
    return false;
  lt_file_ask(module->file);
  return module->file->has_dwarf;
}

/* ---- Names -------------------------------------------------------------------------------- */

/* The colon between a module and a symbol: a single one, as C++ writes two within names. */
static const char *separator(const char *name)
{
  for (const char *at = strchr(name, ':'); at; at = strchr(at, ':')) {
    if (at[1] != ':')
      return at;
    at += strspn(at, ":");
  }
  return NULL;
}

/* "libc.so" names libc.so.6 and libc.so, "libc" names libc-2.31.so as well. */
static bool is_called(const struct lt_module *module, const char *wanted)
{
  const char *name = strchr(wanted, '/') ? module->path : module->name;
  size_t size = strlen(wanted);
  return size == 0 || (strncmp(name, wanted, size) == 0 && strchr(".- ", name[size])) ||
         fnmatch(wanted, name, 0) == 0;
}

struct pattern {
  char module[PATTERN_MAX]; /* "" for all */
  const char *symbol;
};

static int split(lt_session *session, const char *text, struct pattern *ret)
{
  const char *colon = separator(text);
  size_t size = colon ? (size_t)(colon - text) : 0;
  if (size >= sizeof ret->module)
    return lt_fail(session, -ENAMETOOLONG, "the name of a module is too long");
  memcpy(ret->module, text, size);
  ret->module[size] = '\0';
  ret->symbol = colon ? colon + 1 : text;
  return 0;
}

static void describe(const struct lt_module *module, size_t index, struct lt_symbol *ret)
{
  const struct lt_names *names = module->file->names;
  const struct lt_read_symbol *symbol = lt_names_at(names, index);
  *ret = (struct lt_symbol){
      .addr = symbol->addr + (symbol->flags & LT_SYMBOL_ABSOLUTE ? 0 : module->bias),
      .size = symbol->size,
      .function = symbol->kind == LT_SYMBOL_FUNCTION,
      .indirect = symbol->flags & LT_SYMBOL_INDIRECT,
      .local = symbol->flags & LT_SYMBOL_LOCAL,
      .kind = symbol->kind,
      .name = lt_names_shown(module->file, index),
      .raw = lt_names_raw(names, index),
      .module = module->name,
      .bias = module->bias,
  };
}

/* ---- One by name -------------------------------------------------------------------------- */

struct best {
  const struct lt_module *module;
  size_t index;
  int rank;
};

/* Local names and old versions count only where no object has anything better. */
static void search(lt_thread *thread, const struct pattern *pattern, bool demangled,
                   struct best *best)
{
  size_t count, index;
  const struct lt_module *modules = lt_modules_of(thread, &count);
  for (size_t i = 0; i < count && best->rank < 3; i++) {
    int error, rank;
    struct lt_file *file = modules[i].file;
    if (!is_called(&modules[i], pattern->module) || !lt_names_of(file, &error) ||
        !lt_names_find(file, pattern->symbol, demangled, &index))
      continue;
    rank = lt_names_rank(lt_names_at(file->names, index));
    if (rank > best->rank)
      *best = (struct best){&modules[i], index, rank};
  }
}

int lt_symbol_find(lt_thread *thread, const char *name, struct lt_symbol *ret)
{
  struct pattern pattern = {.symbol = ""};
  struct best best = {0};
  if (!thread->process)
    return lt_fail(thread->session, -ESRCH, "thread %d is gone", (int)thread->tid);
  int error = split(thread->session, name, &pattern);
  ssize_t count = error ? error : lt_modules(thread->process);
  if (count < 0)
    return (int)count;
  if (pattern.symbol[0]) {
    search(thread, &pattern, false, &best);
    if (!best.rank)
      search(thread, &pattern, true, &best);
  }
  if (!best.rank)
    return lt_fail(thread->session, -ENOENT, "process %d has no symbol '%.100s'",
                   (int)lt_thread_pid(thread), name);
  describe(best.module, best.index, ret);
  return 0;
}

/* ---- One by address ------------------------------------------------------------------------- */

/* A name without a size does not reach into another segment. */
static bool same_segment(const struct lt_file *file, uint64_t a, uint64_t b)
{
  for (size_t i = 0; i < file->segment_count; i++)
    if (a - file->segments[i].addr < file->segments[i].size)
      return b - file->segments[i].addr < file->segments[i].size;
  return false;
}

int lt_symbol_at(lt_process *process, uint64_t addr, struct lt_symbol *ret)
{
  int error;
  size_t index;
  lt_thread *thread = any_thread(process);
  const struct lt_module *module = thread ? lt_module_at(thread, addr) : NULL;
  if (!module)
    return lt_fail(process->session, thread ? -ENOENT : -ESRCH,
                   "no module of process %d is at address %#llx", (int)process->pid,
                   (unsigned long long)addr);
  *ret = (struct lt_symbol){.module = module->name, .bias = module->bias};
  const struct lt_names *names = lt_names_of(module->file, &error);
  uint64_t own = addr - module->bias;
  if (names && lt_names_below(names, own, &index) &&
      same_segment(module->file, own, lt_names_at(names, index)->addr))
    describe(module, index, ret);
  return 0;
}

/* ---- Many --------------------------------------------------------------------------------- */

struct walk {
  const struct lt_module *module;
  lt_symbol_visit *visit;
  void *data;
  ssize_t found;
};

static bool matches(struct lt_file *file, size_t index, const char *glob)
{
  if (strcmp(glob, "*") == 0 || fnmatch(glob, lt_names_raw(file->names, index), 0) == 0)
    return true;
  for (int full = 0; full < 2; full++) {
    const char *text = lt_names_demangled(file, index, full);
    if (text && fnmatch(glob, text, 0) == 0)
      return true;
  }
  return false;
}

static bool show(void *data, size_t index)
{
  struct walk *walk = data;
  struct lt_symbol symbol;
  if (lt_names_at(walk->module->file->names, index)->flags & LT_SYMBOL_ABSOLUTE)
    return true;
  describe(walk->module, index, &symbol);
  walk->found++;
  return walk->visit(walk->data, &symbol);
}

static bool walk_module(struct walk *walk, const char *glob)
{
  struct lt_file *file = walk->module->file;
  if (!strpbrk(glob, "*?[\\"))
    return lt_names_each(file, glob, show, walk);
  for (size_t i = 0; i < lt_names_count(file->names); i++)
    if (matches(file, i, glob) && !show(walk, i))
      return false;
  return true;
}

ssize_t lt_symbols_walk(lt_process *process, const char *pattern, lt_symbol_visit *visit,
                        void *data)
{
  struct pattern parts = {.symbol = ""};
  struct walk walk = {.visit = visit, .data = data};
  int error = split(process->session, pattern, &parts);
  ssize_t count = error ? error : lt_modules(process);
  bool going = true;
  for (ssize_t i = 0; going && i < count; i++) {
    walk.module = module_number(process, (size_t)i);
    if (is_called(walk.module, parts.module) && lt_names_of(walk.module->file, &error))
      going = walk_module(&walk, parts.symbol);
  }
  return count < 0 ? count : walk.found;
}

/* ---- Almost one ----------------------------------------------------------------------------- */

const char *lt_symbol_nearest(lt_process *process, const char *name)
{
  struct pattern parts = {.symbol = ""};
  const char *best = NULL;
  size_t least = SIZE_MAX;
  ssize_t count = split(process->session, name, &parts) ? 0 : lt_modules(process);
  size_t limit = count ? lt_distance_limit(parts.symbol) : 0;
  for (ssize_t i = 0; i < count; i++) {
    int error;
    const struct lt_module *module = module_number(process, (size_t)i);
    const struct lt_names *names =
        is_called(module, parts.module) ? lt_names_of(module->file, &error) : NULL;
    for (size_t k = 0; names && k < lt_names_count(names); k++) {
      const char *shown = lt_names_demangled(module->file, k, false);
      const char *known = shown ? shown : lt_names_raw(names, k);
      size_t edits = lt_distance(parts.symbol, known, limit);
      if (edits < least && edits <= limit) {
        least = edits;
        best = known;
      }
    }
  }
  return best;
}
