/* symbol_index.c - see symbol_index.h. What the reader sent is kept as it came, checked where it is
 * used: a place beyond the texts means "". */
#include "symbol_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define LOOK_BACK 4096 /* symbols that may lie inside others, at most */
#define NONE UINT32_MAX

/* A chained table: heads by hash, then the entry after each entry. */
struct table {
  uint32_t *heads, *next;
  uint32_t mask;
};

struct lt_names {
  struct lt_bytes answer;
  const struct lt_read_symbol *symbols; /* in `answer` */
  size_t count;
  const char *pool;
  size_t pool_size;
  bool mangled;        /* some names are */
  uint64_t *ends;      /* the highest end of the symbols up to this one */
  struct table by_raw; /* entry: index */

  struct lt_bytes demangled; /* all of them, once asked for; empty if that failed */
  bool asked_demangled;
  const uint32_t *places; /* in `demangled` */
  const char *texts;
  size_t texts_size;
  struct table by_demangled; /* entry: 2 * index + full */
  char **shown;              /* demangled one at a time; NULL: not yet */
};

/* ---- Loading ------------------------------------------------------------------------------ */

static int ask(struct lt_file *file, bool demangled, struct lt_bytes *ret)
{
  struct lt_bytes question = {0};
  lt_put_u8(&question, demangled);
  int error = lt_reader_ask(file->session, file, LT_ASK_SYMBOLS, &question, ret);
  lt_bytes_free(&question);
  return error;
}

/* The texts at the end of an answer, behind `size` bytes for each of `count` entries. False if they
 * are not there. */
static bool split(const struct lt_bytes *answer, size_t size, uint64_t *count, const void **entries,
                  const char **texts, size_t *texts_size)
{
  struct lt_bytes_in in = {.at = answer->at, .size = answer->size};
  *count = lt_get_u64(&in);
  if (in.failed || *count > in.size / size)
    return false;
  *entries = lt_get(&in, *count * size);
  *texts = (const char *)in.at;
  *texts_size = in.size;
  return in.size && in.at[in.size - 1] == 0;
}

static bool has_mangled(const struct lt_names *names)
{
  for (size_t i = 0; i < names->count; i++) {
    const char *name = lt_names_raw(names, i);
    if (name[0] == '_' && (name[1] == 'Z' || name[1] == 'R'))
      return true;
  }
  return false;
}

static bool find_ends(struct lt_names *names)
{
  uint64_t highest = 0;
  names->ends = malloc((names->count + 1) * sizeof *names->ends);
  for (size_t i = 0; names->ends && i < names->count; i++) {
    uint64_t end = names->symbols[i].addr + names->symbols[i].size;
    bool counts = !(names->symbols[i].flags & LT_SYMBOL_ABSOLUTE) && end > names->symbols[i].addr;
    if (counts && end > highest)
      highest = end;
    names->ends[i] = highest;
  }
  return names->ends;
}

static void free_table(struct table *table)
{
  free(table->heads);
  free(table->next);
}

void lt_names_free(struct lt_names *names)
{
  if (!names)
    return;
  for (size_t i = 0; names->shown && i < names->count; i++)
    free(names->shown[i]);
  free(names->shown);
  free_table(&names->by_raw);
  free_table(&names->by_demangled);
  free(names->ends);
  lt_bytes_free(&names->demangled);
  lt_bytes_free(&names->answer);
  free(names);
}

static int load(struct lt_file *file, struct lt_names **ret)
{
  uint64_t count;
  const void *entries;
  struct lt_names *names = calloc(1, sizeof *names);
  int error = names ? ask(file, false, &names->answer) : -ENOMEM;
  if (!error && !split(&names->answer, sizeof *names->symbols, &count, &entries, &names->pool,
                       &names->pool_size))
    error = -EBADMSG;
  if (!error) {
    names->symbols = entries;
    names->count = count;
    names->mangled = has_mangled(names);
    error = find_ends(names) ? 0 : -ENOMEM;
  }
  if (error)
    lt_names_free(names);
  else
    *ret = names;
  return error;
}

const struct lt_names *lt_names_of(struct lt_file *file, int *error)
{
  lt_session *session = file->session;
  if (file->names || file->names_error) {
    *error = file->names_error;
    return file->names;
  }
  *error = load(file, &file->names);
  if (*error == 0 || *error == -ENOMEM || *error == -ESRCH)
    return file->names;
  file->names_error = *error;
  if (*error != -EIO && session->hooks.warn) {
    lt_fail(session, *error, "%s has no symbols: %s", file->path, lt_errno_text(-*error));
    session->hooks.warn(session->data, session->error);
  }
  return NULL;
}

/* ---- Looking ------------------------------------------------------------------------------ */

size_t lt_names_count(const struct lt_names *names)
{
  return names->count;
}

const struct lt_read_symbol *lt_names_at(const struct lt_names *names, size_t index)
{
  return &names->symbols[index];
}

const char *lt_names_raw(const struct lt_names *names, size_t index)
{
  uint32_t place = names->symbols[index].name;
  return place < names->pool_size ? names->pool + place : "";
}

static const char *demangled_at(const struct lt_names *names, size_t entry)
{
  uint32_t place = names->places ? names->places[entry] : 0;
  return place && place < names->texts_size ? names->texts + place : NULL;
}

static void load_demangled(struct lt_file *file)
{
  struct lt_names *names = file->names;
  uint64_t count;
  const void *places;
  if (names->asked_demangled || !names->mangled)
    return;
  names->asked_demangled = true;
  if (ask(file, true, &names->demangled) == 0 &&
      split(&names->demangled, 2 * sizeof *names->places, &count, &places, &names->texts,
            &names->texts_size) &&
      count == names->count)
    names->places = places;
}

const char *lt_names_demangled(struct lt_file *file, size_t index, bool full)
{
  load_demangled(file);
  return demangled_at(file->names, 2 * index + full);
}

static char *demangle(struct lt_file *file, const char *name)
{
  struct lt_bytes question = {0}, answer;
  lt_put_string(&question, name);
  int error = lt_reader_ask(file->session, file, LT_ASK_DEMANGLE, &question, &answer);
  lt_bytes_free(&question);
  if (error)
    return NULL;
  struct lt_bytes_in in = {.at = answer.at, .size = answer.size};
  const char *text = lt_get_string(&in);
  char *copy = text[0] ? strdup(text) : NULL;
  lt_bytes_free(&answer);
  return copy;
}

const char *lt_names_shown(struct lt_file *file, size_t index)
{
  struct lt_names *names = file->names;
  const char *raw = lt_names_raw(names, index);
  if (raw[0] != '_' || (raw[1] != 'Z' && raw[1] != 'R'))
    return raw;
  if (names->places) {
    const char *text = demangled_at(names, 2 * index);
    return text ? text : raw;
  }
  if (!names->shown)
    names->shown = calloc(names->count, sizeof *names->shown);
  if (!names->shown)
    return raw;
  if (!names->shown[index]) {
    char *text = demangle(file, raw);
    names->shown[index] = text ? text : strdup(raw);
  }
  return names->shown[index] ? names->shown[index] : raw;
}

/* ---- By name ------------------------------------------------------------------------------ */

static uint32_t hash_of(const char *name)
{
  uint32_t hash = 2166136261u;
  for (; *name; name++)
    hash = (hash ^ (uint8_t)*name) * 16777619u;
  return hash;
}

static const char *text_of(const struct lt_names *names, bool demangled, size_t entry)
{
  return demangled ? demangled_at(names, entry) : lt_names_raw(names, entry);
}

/* Entered backwards, so that chains are in the order of the entries. */
static bool make_table(const struct lt_names *names, bool demangled, struct table *ret)
{
  size_t count = demangled ? 2 * names->count : names->count, room = 16;
  if (ret->heads)
    return true;
  while (room < count)
    room *= 2;
  ret->heads = malloc(room * sizeof *ret->heads);
  ret->next = malloc((count + 1) * sizeof *ret->next);
  if (!ret->heads || !ret->next) {
    free_table(ret);
    *ret = (struct table){0};
    return false;
  }
  ret->mask = (uint32_t)room - 1;
  memset(ret->heads, 0xff, room * sizeof *ret->heads);
  for (size_t i = count; i-- > 0;) {
    const char *text = text_of(names, demangled, i);
    uint32_t *head = text ? &ret->heads[hash_of(text) & ret->mask] : NULL;
    ret->next[i] = head ? *head : NONE;
    if (head)
      *head = (uint32_t)i;
  }
  return true;
}

int lt_names_rank(const struct lt_read_symbol *symbol)
{
  if (symbol->flags & LT_SYMBOL_LOCAL || symbol->kind == LT_SYMBOL_PLT)
    return 2;
  return symbol->flags & LT_SYMBOL_OLD ? 1 : 3;
}

bool lt_names_find(struct lt_file *file, const char *name, bool demangled, size_t *ret)
{
  struct lt_names *names = file->names;
  int best = 0;
  if (demangled)
    load_demangled(file);
  struct table *table = demangled ? &names->by_demangled : &names->by_raw;
  if ((demangled && !names->places) || !make_table(names, demangled, table))
    return false;
  for (uint32_t at = table->heads[hash_of(name) & table->mask]; at != NONE && best < 3;
       at = table->next[at]) {
    size_t index = demangled ? at / 2 : at;
    int rank = lt_names_rank(&names->symbols[index]);
    if (rank > best && strcmp(text_of(names, demangled, at), name) == 0) {
      best = rank;
      *ret = index;
    }
  }
  return best;
}

/* Chains are in order, and so is what two of them have together. */
static uint32_t next_named(const struct lt_names *names, const struct table *table, bool demangled,
                           uint32_t at, const char *name)
{
  while (at != NONE && strcmp(text_of(names, demangled, at), name) != 0)
    at = table->next[at];
  return at;
}

bool lt_names_each(struct lt_file *file, const char *name, lt_names_visit *visit, void *data)
{
  struct lt_names *names = file->names;
  load_demangled(file);
  if (!make_table(names, false, &names->by_raw) ||
      (names->places && !make_table(names, true, &names->by_demangled)))
    return true;
  const struct table *raw = &names->by_raw, *shown = &names->by_demangled;
  uint32_t a = next_named(names, raw, false, raw->heads[hash_of(name) & raw->mask], name);
  uint32_t b = names->places
                   ? next_named(names, shown, true, shown->heads[hash_of(name) & shown->mask], name)
                   : NONE;
  while (a != NONE || b != NONE) {
    uint32_t index = b == NONE || (a != NONE && a < b / 2) ? a : b / 2;
    if (!visit(data, index))
      return false;
    if (a == index)
      a = next_named(names, raw, false, raw->next[a], name);
    while (b != NONE && b / 2 == index)
      b = next_named(names, shown, true, shown->next[b], name);
  }
  return true;
}

/* ---- By address --------------------------------------------------------------------------- */

/* The first symbol of those that begin where this one does: the best name. */
static size_t first_of(const struct lt_names *names, size_t index, uint64_t addr)
{
  size_t best = index;
  for (size_t i = index, steps = 0; i-- > 0 && steps < LOOK_BACK; steps++) {
    if (names->symbols[i].addr != names->symbols[index].addr)
      break;
    if (addr - names->symbols[i].addr < names->symbols[i].size ||
        names->symbols[i].size == names->symbols[best].size)
      best = i;
  }
  return best;
}

bool lt_names_below(const struct lt_names *names, uint64_t addr, size_t *ret)
{
  size_t low = 0, high = names->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (names->symbols[middle].addr <= addr)
      low = middle + 1;
    else
      high = middle;
  }
  size_t above = low;
  for (size_t i = low, steps = 0; i-- > 0 && names->ends[i] > addr && steps < LOOK_BACK; steps++) {
    const struct lt_read_symbol *one = &names->symbols[i];
    if (addr - one->addr < one->size && !(one->flags & LT_SYMBOL_ABSOLUTE)) {
      *ret = first_of(names, i, addr);
      return true;
    }
  }
  for (size_t i = above, steps = 0; i-- > 0 && steps < 64; steps++) {
    const struct lt_read_symbol *one = &names->symbols[i];
    if (one->flags & LT_SYMBOL_ABSOLUTE)
      continue;
    if (one->size)
      break;
    *ret = first_of(names, i, addr);
    return true;
  }
  return false;
}
