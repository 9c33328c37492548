/* read_lookup.c - what a name means, of those that a file declares: see read_die.h. */
#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#include "read_names.h"

#define FUNCTION_STEPS 100000U

/* Where the last part of "a::b<c::d>::e" begins. */
static const char *last_part(const char *name)
{
  const char *last = name;
  unsigned depth = 0;
  for (const char *at = name; *at; at++) {
    if (*at == '<' || *at == '(')
      depth++;
    else if ((*at == '>' || *at == ')') && depth)
      depth--;
    else if (depth == 0 && at[0] == ':' && at[1] == ':')
      last = at + 2;
  }
  return last;
}

/* Whether the scope is "a::b", or ends with it. -1: it does not; 1: exactly. `size`: of "a::b::". */
static int match_scope(const struct lt_declared *names, uint32_t scope, const char *path,
                       size_t size)
{
  for (unsigned i = 0; i < LT_NAME_DEPTH && size; i++) {
    const char *name = scope ? names->scopes[scope].name : "";
    size_t length = strlen(name);
    if (!scope || size < length + 2 || strncmp(path + size - 2 - length, name, length) != 0)
      return -1;
    size -= length + 2;
    if (size && (size < 2 || path[size - 1] != ':'))
      return -1;
    scope = names->scopes[scope].parent;
  }
  return size ? -1 : scope == 0;
}

static uint32_t first_with(const struct lt_declared *names, uint32_t hash)
{
  uint32_t from = 0, to = names->count;
  while (from < to) {
    uint32_t middle = from + (to - from) / 2;
    if (names->entries[middle].hash < hash)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

/* "b.c" is what "/a/b.c" is called. */
static bool ends_with(const char *path, const char *wanted)
{
  size_t size = path ? strlen(path) : 0, length = strlen(wanted);
  return path && size >= length && strcmp(path + size - length, wanted) == 0 &&
         (size == length || path[size - length - 1] == '/' || wanted[0] == '/');
}

static bool in_unit(Dwarf_Die *die, const char *wanted)
{
  Dwarf_Die unit;
  return !wanted || ends_with(dwarf_decl_file(die), wanted) ||
         (dwarf_diecu(die, &unit, NULL, NULL) && ends_with(dwarf_diename(&unit), wanted));
}

static const struct lt_name_entry *find(const struct lt_declared *names, Dwarf *dwarf,
                                        const char *name, unsigned kinds, const char *unit,
                                        bool declared)
{
  const char *last = last_part(name);
  size_t scope_size = (size_t)(last - name);
  uint32_t hash = lt_name_hash(last, strlen(last));
  const struct lt_name_entry *best = NULL;
  int best_rank = -1;
  for (uint32_t i = first_with(names, hash); i < names->count && names->entries[i].hash == hash;
       i++) {
    const struct lt_name_entry *entry = &names->entries[i];
    Dwarf_Die die;
    if (!(kinds & LT_NAMED_BIT(entry->what)) || (!declared && !(entry->flags & LT_NAME_WHOLE)) ||
        strcmp(entry->name, last) != 0)
      continue;
    int exact = match_scope(names, entry->scope, name, scope_size);
    int rank = (entry->flags & LT_NAME_LOCATED ? 8 : 0) + (entry->flags & LT_NAME_WHOLE ? 4 : 0) +
               exact * 2 + (entry->flags & LT_NAME_EXTERNAL ? 1 : 0);
    if (exact < 0 || rank <= best_rank || !lt_die_of(dwarf, entry->ref, &die) ||
        !in_unit(&die, unit))
      continue;
    best = entry;
    best_rank = rank;
  }
  return best;
}

/* The static variable `name` somewhere in a function. */
static bool find_inside(Dwarf_Die *parent, const char *name, unsigned depth, unsigned *budget,
                        Dwarf_Die *ret)
{
  Dwarf_Die die;
  if (depth >= LT_NAME_DEPTH || !lt_die_child(parent, &die, budget))
    return false;
  do {
    int tag = dwarf_tag(&die);
    if (tag == DW_TAG_variable && strcmp(lt_die_name(&die), name) == 0 &&
        lt_die_has(&die, DW_AT_location)) {
      *ret = die;
      return true;
    }
    if (tag == DW_TAG_lexical_block && find_inside(&die, name, depth + 1, budget, ret))
      return true;
  } while (lt_die_next(&die, budget));
  return false;
}

static bool find_in_function(struct lt_declared *names, Dwarf *dwarf, const char *name,
                             const char *unit, Dwarf_Die *ret)
{
  char function[256];
  const char *last = last_part(name);
  if (last - name < 3 || (size_t)(last - name) > sizeof function)
    return false;
  memcpy(function, name, (size_t)(last - name) - 2);
  function[last - name - 2] = '\0';
  const struct lt_name_entry *entry =
      find(names, dwarf, function, LT_NAMED_BIT(LT_NAMED_FUNCTION), unit, false);
  unsigned budget = FUNCTION_STEPS;
  Dwarf_Die die;
  return entry && lt_die_of(dwarf, entry->ref, &die) && find_inside(&die, last, 0, &budget, ret);
}

bool lt_declared_find(struct lt_declared *names, Dwarf *dwarf, const char *name, unsigned kinds,
                      const char *unit, bool declared, Dwarf_Die *ret)
{
  if (strncmp(name, "::", 2) == 0)
    name += 2;
  if (kinds & LT_NAMED_BIT(LT_NAMED_TYPE))
    name = lt_base_name(name);
  const struct lt_name_entry *entry = find(names, dwarf, name, kinds, unit, declared);
  if (entry)
    return lt_die_of(dwarf, entry->ref, ret);
  return kinds & LT_NAMED_BIT(LT_NAMED_VARIABLE) && find_in_function(names, dwarf, name, unit, ret);
}

void lt_declared_full(struct lt_declared *names, uint64_t ref, const char *own_name, char *ret,
                      size_t size)
{
  uint32_t hash = lt_name_hash(own_name, strlen(own_name)), scope = 0, path[LT_NAME_DEPTH];
  for (uint32_t i = first_with(names, hash); i < names->count && names->entries[i].hash == hash;
       i++)
    if (names->entries[i].ref == ref)
      scope = names->entries[i].scope;
  unsigned depth = 0;
  for (; scope && depth < LT_NAME_DEPTH; scope = names->scopes[scope].parent)
    path[depth++] = scope;
  size_t used = 0;
  ret[0] = '\0';
  while (depth-- && used < size)
    used += (size_t)snprintf(ret + used, size - used, "%s::", names->scopes[path[depth]].name);
  if (used < size)
    snprintf(ret + used, size - used, "%s", own_name);
}

/* A cheap sieve: whoever asked compares exactly. */
static bool is_near(const char *name, size_t size, const char *wanted, size_t wanted_size)
{
  size_t apart = size > wanted_size ? size - wanted_size : wanted_size - size;
  return apart <= wanted_size / 3 + 1 &&
         (name[0] == wanted[0] || name[size - 1] == wanted[wanted_size - 1]);
}

void lt_declared_near(struct lt_declared *names, const char *name, unsigned kinds, unsigned max,
                      struct lt_bytes *ret)
{
  const char *last = last_part(name);
  size_t last_size = strlen(last);
  for (uint32_t i = 0; i < names->count && max && last_size; i++) {
    const struct lt_name_entry *entry = &names->entries[i];
    if (!(kinds & LT_NAMED_BIT(entry->what)) || !(entry->flags & LT_NAME_WHOLE) ||
        !is_near(entry->name, strlen(entry->name), last, last_size))
      continue;
    lt_put_string(ret, entry->name);
    max--;
  }
}
