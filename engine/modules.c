/* modules.c - what is mapped as code into an address space: see module.h.
 *
 * The list is made of /proc/PID/maps and of the segments that the ELF headers name: a module is what
 * lies where its segments were loaded. Nothing here needs a stopped thread. */
#include "module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "file.h"

#define MODULES_MAX 4096
#define PAGE ((uint64_t)4096)

struct lt_modules {
  struct lt_module *list;
  size_t count, room;
  uint64_t seq; /* record of the session at which the maps were read */
};

/* ---- Files with code ------------------------------------------------------------------------ */

struct identity {
  uint64_t dev_major, dev_minor, inode;
};

struct identities {
  struct identity *list;
  size_t count;
};

static struct identity identity_of(const struct lt_map *map)
{
  return (struct identity){map->dev_major, map->dev_minor, map->inode};
}

static int compare(const void *left, const void *right)
{
  const struct identity *a = left, *b = right;
  if (a->inode != b->inode)
    return a->inode < b->inode ? -1 : 1;
  if (a->dev_minor != b->dev_minor)
    return a->dev_minor < b->dev_minor ? -1 : 1;
  return a->dev_major < b->dev_major ? -1 : a->dev_major > b->dev_major;
}

/* Data files are mapped as well; only those that have a map of code are programs. False when out of
 * memory. */
static bool find_code(const struct lt_map *maps, size_t count, struct identities *ret)
{
  ret->list = calloc(count + 1, sizeof *ret->list);
  for (size_t i = 0; ret->list && i < count; i++)
    if (maps[i].perms[2] == 'x' && maps[i].path[0] == '/' && maps[i].inode)
      ret->list[ret->count++] = identity_of(&maps[i]);
  if (ret->list)
    qsort(ret->list, ret->count, sizeof *ret->list, compare);
  return ret->list;
}

static bool may_be_module(const struct lt_map *map, const struct identities *code)
{
  struct identity own = identity_of(map);
  if (strcmp(map->path, "[vdso]") == 0)
    return true;
  return map->path[0] == '/' && map->inode &&
         bsearch(&own, code->list, code->count, sizeof own, compare);
}

/* ---- The list ----------------------------------------------------------------------------- */

/* "/lib/libc.so.6 (deleted)" is called libc.so.6. */
static char *name_of(const char *path)
{
  static const char deleted[] = " (deleted)";
  const char *slash = strrchr(path, '/');
  const char *name = slash && slash[1] ? slash + 1 : path;
  size_t size = strlen(name), tail = sizeof deleted - 1;
  if (size > tail && strcmp(name + size - tail, deleted) == 0)
    size -= tail;
  return strndup(name, size);
}

static bool append(struct lt_modules *modules, const struct lt_module *module)
{
  if (modules->count == modules->room) {
    size_t room = modules->room ? 2 * modules->room : 16;
    struct lt_module *list = realloc(modules->list, room * sizeof *list);
    if (!list)
      return false;
    modules->list = list;
    modules->room = room;
  }
  struct lt_module *at = &modules->list[modules->count];
  *at = *module;
  at->path = strdup(module->path);
  at->name = name_of(module->path);
  if (!at->path || !at->name) {
    free((char *)at->path);
    free((char *)at->name);
    return false;
  }
  lt_file_use(at->file);
  modules->count++;
  return true;
}

void lt_modules_free(struct lt_modules *modules)
{
  if (!modules)
    return;
  for (size_t i = 0; i < modules->count; i++) {
    lt_file_release(modules->list[i].file);
    free((char *)modules->list[i].path);
    free((char *)modules->list[i].name);
  }
  free(modules->list);
  free(modules);
}

struct lt_modules *lt_modules_copy(const struct lt_modules *modules)
{
  struct lt_modules *copy = modules ? calloc(1, sizeof *copy) : NULL;
  if (!copy)
    return NULL;
  copy->seq = modules->seq;
  for (size_t i = 0; i < modules->count; i++)
    if (!append(copy, &modules->list[i])) {
      lt_modules_free(copy);
      return NULL;
    }
  return copy;
}

/* The last module that begins at or below the address. */
static const struct lt_module *below(const struct lt_modules *modules, uint64_t addr)
{
  size_t low = 0, high = modules->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (modules->list[middle].from <= addr)
      low = middle + 1;
    else
      high = middle;
  }
  return low ? &modules->list[low - 1] : NULL;
}

/* ---- Reading the maps ----------------------------------------------------------------------- */

static uint64_t page_of(uint64_t addr)
{
  return addr & ~(PAGE - 1);
}

/* Where the file was loaded, as its first map shows; and the end of what its segments claim. */
static bool place(struct lt_module *module)
{
  const struct lt_file *file = module->file;
  const struct lt_segment *shown = NULL;
  for (size_t i = 0; i < file->segment_count && !shown; i++) {
    const struct lt_segment *one = &file->segments[i];
    if (module->map_offset >= page_of(one->offset) &&
        module->map_offset - page_of(one->offset) < one->file_size + (one->offset & (PAGE - 1)))
      shown = one;
  }
  if (!shown)
    return false;
  module->bias =
      module->from - (module->map_offset - page_of(shown->offset)) - page_of(shown->addr);
  for (size_t i = 0; i < file->segment_count; i++) {
    uint64_t end = page_of(module->bias + file->segments[i].addr + file->segments[i].size - 1);
    if (end >= module->to)
      module->to = end + PAGE;
  }
  return true;
}

/* The record of a map that begins a module; with the file of the list before, if that had it. */
static struct lt_file *file_at(lt_session *session, pid_t tid, const struct lt_modules *before,
                               const struct lt_map *map)
{
  const struct lt_module *old = before ? below(before, map->from) : NULL;
  if (old && old->from == map->from && old->map_to == map->to && old->map_offset == map->offset &&
      old->inode == map->inode && strcmp(old->path, map->path) == 0)
    return lt_file_use(old->file);
  struct lt_mapped mapped = {
      .path = map->path,
      .inode = map->inode,
      .from = map->from,
      .to = map->to,
      .offset = map->offset,
  };
  return lt_file_get(session, tid, &mapped);
}

struct walk {
  lt_session *session;
  pid_t tid;
  const struct lt_modules *before;
  struct lt_modules *modules;
  uint64_t claimed; /* end of the last module, as its segments have it */
};

/* Whether the map is a part of the last module: of its file, or memory of its own in its range. */
static bool goes_on(const struct walk *walk, const struct lt_module *last, const struct lt_map *map)
{
  if (map->from >= walk->claimed)
    return false;
  if (map->from == last->to && !map->path[0])
    return true;
  return map->inode == last->inode && (!map->inode || strcmp(map->path, last->path) == 0);
}

static bool begin_module(struct walk *walk, const struct lt_map *map)
{
  struct lt_module module = {
      .from = map->from,
      .to = map->to,
      .path = map->path,
      .map_to = map->to,
      .map_offset = map->offset,
      .inode = map->inode,
  };
  module.file = file_at(walk->session, walk->tid, walk->before, map);
  if (!module.file)
    return true;
  bool fine = true;
  if (place(&module)) {
    walk->claimed = module.to;
    module.to = map->to;
    fine = append(walk->modules, &module);
  }
  lt_file_release(module.file);
  return fine;
}

static bool look_at(struct walk *walk, const struct lt_map *map, const struct identities *code)
{
  struct lt_modules *modules = walk->modules;
  struct lt_module *last = modules->count ? &modules->list[modules->count - 1] : NULL;
  if (last && goes_on(walk, last, map))
    last->to = map->to < walk->claimed ? map->to : walk->claimed;
  else if (modules->count < MODULES_MAX && may_be_module(map, code))
    return begin_module(walk, map);
  return true;
}

/* NULL with a negated errno in `error`. */
static struct lt_modules *read_modules(lt_session *session, pid_t tid,
                                       const struct lt_modules *before, int *error)
{
  struct lt_map *maps;
  ssize_t count = lt_maps_read(tid, &maps);
  *error = count < 0 ? (int)count : -ENOMEM;
  if (count < 0)
    return NULL;
  struct identities code = {0};
  struct walk walk = {.session = session, .tid = tid, .before = before};
  walk.modules = calloc(1, sizeof *walk.modules);
  bool fine = walk.modules && find_code(maps, (size_t)count, &code);
  for (ssize_t i = 0; fine && i < count; i++)
    fine = look_at(&walk, &maps[i], &code);
  free(code.list);
  lt_maps_free(maps, (size_t)count);
  if (!fine) {
    lt_modules_free(walk.modules);
    return NULL;
  }
  walk.modules->seq = session->seq;
  return walk.modules;
}

static bool same(const struct lt_modules *a, const struct lt_modules *b)
{
  if (a->count != b->count)
    return false;
  for (size_t i = 0; i < a->count; i++)
    if (a->list[i].from != b->list[i].from || a->list[i].file != b->list[i].file)
      return false;
  return true;
}

/* ---- For the other parts -------------------------------------------------------------------- */

int lt_modules_read(lt_process *process, pid_t tid, bool *changed)
{
  int error;
  struct lt_space *space = process->space;
  struct lt_modules *modules = read_modules(process->session, tid, space->modules, &error);
  *changed = false;
  if (!modules)
    return error;
  if (space->modules && same(space->modules, modules)) {
    space->modules->seq = modules->seq; /* what was handed out stays where it is */
    lt_modules_free(modules);
    return 0;
  }
  *changed = true;
  lt_modules_free(space->modules);
  space->modules = modules;
  return 0;
}

bool lt_modules_update(lt_thread *thread)
{
  bool changed = false;
  if (thread->process)
    lt_modules_read(thread->process, thread->tid, &changed);
  return changed;
}

const struct lt_module *lt_modules_of(lt_thread *thread, size_t *count)
{
  *count = 0;
  if (!thread->process)
    return NULL;
  if (!thread->process->space->modules)
    lt_modules_update(thread);
  const struct lt_modules *modules = thread->process->space->modules;
  *count = modules ? modules->count : 0;
  return modules ? modules->list : NULL;
}

static const struct lt_module *find(lt_thread *thread, uint64_t addr)
{
  const struct lt_modules *modules = thread->process->space->modules;
  const struct lt_module *found = modules ? below(modules, addr) : NULL;
  return found && addr < found->to ? found : NULL;
}

const struct lt_module *lt_module_at(lt_thread *thread, uint64_t addr)
{
  if (!thread->process)
    return NULL;
  const struct lt_module *found = find(thread, addr);
  const struct lt_modules *modules = thread->process->space->modules;
  if (found || (modules && modules->seq == thread->session->seq))
    return found;
  lt_modules_update(thread);
  return find(thread, addr);
}

static const struct lt_module *module_of_file(const lt_process *process, const struct lt_file *file)
{
  const struct lt_modules *modules = process->space->modules;
  for (size_t i = 0; modules && i < modules->count; i++)
    if (modules->list[i].file == file)
      return &modules->list[i];
  return NULL;
}

bool lt_file_mapped(const struct lt_file *file, pid_t *tid, struct lt_mapped *ret)
{
  for (lt_process *one = file->session->processes; one; one = lt_process_next(one)) {
    const struct lt_module *module = module_of_file(one, file);
    const lt_thread *thread = one->threads;
    while (thread && lt_thread_access(thread) == -ESRCH)
      thread = thread->next;
    if (!module || !thread)
      continue;
    *tid = thread->tid;
    *ret = (struct lt_mapped){
        .path = module->path,
        .inode = module->inode,
        .from = module->from,
        .to = module->map_to,
        .offset = module->map_offset,
    };
    return true;
  }
  return false;
}
