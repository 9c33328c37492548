/* read_names.c - the names of types, variables and functions that a file declares, hashed by their
 * last part: see read_die.h.
 *
 * One walk over all units collects what is declared at the outermost level, in name spaces and in
 * classes; the bodies of functions are left out. */
#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read_die.h"

#define STEPS_MAX 40000000U /* DIEs that are looked at */
#define NAMES_MAX 4000000U
#define DEPTH_MAX 32
#define FUNCTION_STEPS 100000U

/* WHOLE: not only declared. LOCATED: a variable with a place or value. */
enum { WHOLE = 1, EXTERNAL = 2, LOCATED = 4 };

struct scope {
  const char *name;
  uint32_t parent;
};

struct entry {
  const char *name; /* last part */
  uint64_t ref;
  uint32_t hash, scope; /* scope 0: none */
  uint8_t what, flags;
};

struct lt_declared {
  struct entry *entries;
  struct scope *scopes;
  uint32_t count, room, scope_count, scope_room;
};

struct walk {
  struct lt_declared *names;
  Dwarf *dwarf;
  uint32_t unit_from; /* the first entry of this unit; refs grow from there */
  unsigned budget, depth;
  bool failed;
};

static uint32_t hash_of(const char *name, size_t size)
{
  uint32_t hash = 2166136261U;
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ (uint8_t)name[i]) * 16777619U;
  return hash;
}

/* ---- Base types ----------------------------------------------------------------------------- */

struct words {
  unsigned longs, shorts, ints, chars, signs, unsigneds;
};

static bool count_words(const char *name, struct words *ret)
{
  static const char *const known[] = {"long", "short", "int", "char", "signed", "unsigned"};
  unsigned *counts[] = {&ret->longs, &ret->shorts, &ret->ints,
                        &ret->chars, &ret->signs,  &ret->unsigneds};
  while (*name) {
    size_t size = strcspn(name, " "), i = 0;
    while (i < 6 && (strlen(known[i]) != size || strncmp(name, known[i], size) != 0))
      i++;
    if (i == 6)
      return false;
    ++*counts[i];
    name += size;
    name += strspn(name, " ");
  }
  return true;
}

const char *lt_base_name(const char *name)
{
  static const char *const whole[][2] = {{"int", "unsigned int"},
                                         {"long int", "long unsigned int"},
                                         {"long long int", "long long unsigned int"}};
  struct words words = {0};
  if (!*name || !count_words(name, &words) || words.longs > 2)
    return name;
  if (words.chars)
    return words.unsigneds ? "unsigned char" : words.signs ? "signed char" : "char";
  if (words.shorts)
    return words.unsigneds ? "short unsigned int" : "short int";
  return whole[words.longs][words.unsigneds != 0];
}

/* ---- Collecting ----------------------------------------------------------------------------- */

static bool grow(void **items, uint32_t count, uint32_t *room, size_t size)
{
  if (count < *room)
    return true;
  uint32_t more = *room ? *room * 2 : 1024;
  void *moved = more <= NAMES_MAX * 2 ? realloc(*items, more * size) : NULL;
  if (!moved)
    return false;
  *items = moved;
  *room = more;
  return true;
}

static void add(struct walk *walk, Dwarf_Die *die, const char *name, uint32_t scope,
                enum lt_named what, unsigned flags)
{
  struct lt_declared *names = walk->names;
  uint64_t ref = lt_die_ref(walk->dwarf, die);
  if (!*name || !ref)
    return;
  if (!grow((void **)&names->entries, names->count, &names->room, sizeof *names->entries)) {
    walk->failed = true;
    return;
  }
  names->entries[names->count++] = (struct entry){.name = name,
                                                  .ref = ref,
                                                  .hash = hash_of(name, strlen(name)),
                                                  .scope = scope,
                                                  .what = (uint8_t)what,
                                                  .flags = (uint8_t)flags};
}

/* A scope within another; the outer one itself for one without a name, or where memory is short. */
static uint32_t enter(struct walk *walk, const char *name, uint32_t parent)
{
  struct lt_declared *names = walk->names;
  if (!*name)
    return parent;
  if (names->scope_count == 0)
    names->scope_count = 1;
  if (names->scope_count >= names->scope_room) {
    uint32_t old = names->scope_count;
    if (!grow((void **)&names->scopes, old, &names->scope_room, sizeof *names->scopes))
      return parent;
  }
  names->scopes[names->scope_count] = (struct scope){name, parent};
  return names->scope_count++;
}

/* What was declared in a class or name space may be completed outside of it: its scope is that of
 * the declaration, which comes before in the same unit. */
static uint32_t declared_scope(const struct walk *walk, Dwarf_Die *die, uint32_t scope)
{
  Dwarf_Attribute attribute;
  Dwarf_Die declaration;
  if (!dwarf_attr(die, DW_AT_specification, &attribute) ||
      !dwarf_formref_die(&attribute, &declaration))
    return scope;
  uint64_t ref = lt_die_ref(walk->dwarf, &declaration);
  uint32_t from = walk->unit_from, to = walk->names->count;
  while (from < to) {
    uint32_t middle = from + (to - from) / 2;
    if (walk->names->entries[middle].ref < ref)
      from = middle + 1;
    else
      to = middle;
  }
  if (from < walk->names->count && walk->names->entries[from].ref == ref)
    return walk->names->entries[from].scope;
  return scope;
}

static bool own(Dwarf_Die *die, unsigned attribute)
{
  Dwarf_Attribute found;
  return dwarf_attr(die, attribute, &found) != NULL;
}

static void add_variable(struct walk *walk, Dwarf_Die *die, uint32_t scope)
{
  unsigned flags = own(die, DW_AT_declaration) ? 0 : WHOLE;
  if (own(die, DW_AT_location) || own(die, DW_AT_const_value))
    flags |= WHOLE | LOCATED;
  if (lt_die_flag(die, DW_AT_external))
    flags |= EXTERNAL;
  add(walk, die, lt_die_name(die), declared_scope(walk, die, scope), LT_NAMED_VARIABLE, flags);
}

static void collect(struct walk *walk, Dwarf_Die *parent, uint32_t scope);

static void add_type(struct walk *walk, Dwarf_Die *die, uint32_t scope, enum lt_named what)
{
  const char *name = lt_die_name(die);
  unsigned flags = own(die, DW_AT_declaration) ? 0 : WHOLE;
  scope = declared_scope(walk, die, scope);
  add(walk, die, dwarf_tag(die) == DW_TAG_base_type ? lt_base_name(name) : name, scope, what,
      flags);
  if (what == LT_NAMED_STRUCT || what == LT_NAMED_UNION)
    collect(walk, die, enter(walk, name, scope));
}

static void collect_one(struct walk *walk, Dwarf_Die *die, uint32_t scope)
{
  switch (dwarf_tag(die)) {
  case DW_TAG_namespace:
  case DW_TAG_module:
    collect(walk, die, enter(walk, lt_die_name(die), scope));
    break;
  case DW_TAG_structure_type:
  case DW_TAG_class_type:
  case DW_TAG_interface_type:
    add_type(walk, die, scope, LT_NAMED_STRUCT);
    break;
  case DW_TAG_union_type:
    add_type(walk, die, scope, LT_NAMED_UNION);
    break;
  case DW_TAG_enumeration_type:
    add_type(walk, die, scope, LT_NAMED_ENUM);
    break;
  case DW_TAG_base_type:
  case DW_TAG_unspecified_type:
  case DW_TAG_typedef:
    add_type(walk, die, scope, LT_NAMED_TYPE);
    break;
  case DW_TAG_member: /* in DWARF 4 also of static ones */
    if (own(die, DW_AT_declaration))
      add_variable(walk, die, scope);
    break;
  case DW_TAG_variable:
    add_variable(walk, die, scope);
    break;
  case DW_TAG_subprogram:
    add(walk, die, lt_die_name(die), declared_scope(walk, die, scope), LT_NAMED_FUNCTION,
        own(die, DW_AT_declaration) ? 0 : WHOLE);
    break;
  default:
    break;
  }
}

static void collect(struct walk *walk, Dwarf_Die *parent, uint32_t scope)
{
  Dwarf_Die die;
  if (walk->depth >= DEPTH_MAX || !lt_die_child(parent, &die, &walk->budget))
    return;
  walk->depth++;
  do
    collect_one(walk, &die, scope);
  while (!walk->failed && walk->names->count < NAMES_MAX && lt_die_next(&die, &walk->budget));
  walk->depth--;
}

static void collect_file(struct walk *walk, Dwarf *dwarf)
{
  Dwarf_CU *unit = NULL;
  Dwarf_Half version;
  uint8_t type;
  Dwarf_Die die, sub;
  while (walk->budget && dwarf_get_units(dwarf, unit, &unit, &version, &type, &die, &sub) == 0) {
    walk->budget--;
    walk->unit_from = walk->names->count;
    collect(walk, &die, 0);
  }
}

static int compare(const void *left, const void *right)
{
  const struct entry *a = left, *b = right;
  if (a->hash != b->hash)
    return a->hash < b->hash ? -1 : 1;
  return (a->ref > b->ref) - (a->ref < b->ref);
}

struct lt_declared *lt_read_declared(struct lt_read_file *file)
{
  Dwarf_Addr bias;
  Dwarf *dwarf = lt_read_dwarf(file, &bias);
  if (file->declared || !dwarf)
    return file->declared;
  struct lt_declared *names = calloc(1, sizeof *names);
  if (!names)
    return NULL;
  struct walk walk = {.names = names, .dwarf = dwarf, .budget = STEPS_MAX};
  collect_file(&walk, dwarf);
  if (dwarf_getalt(dwarf))
    collect_file(&walk, dwarf_getalt(dwarf));
  if (names->count)
    qsort(names->entries, names->count, sizeof *names->entries, compare);
  file->declared = names;
  return names;
}

void lt_declared_free(struct lt_declared *names)
{
  if (!names)
    return;
  free(names->entries);
  free(names->scopes);
  free(names);
}

/* ---- Looking up ----------------------------------------------------------------------------- */

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
  for (unsigned i = 0; i < DEPTH_MAX && size; i++) {
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

static const struct entry *find(const struct lt_declared *names, Dwarf *dwarf, const char *name,
                                unsigned kinds, const char *unit, bool declared)
{
  const char *last = last_part(name);
  size_t scope_size = (size_t)(last - name);
  uint32_t hash = hash_of(last, strlen(last));
  const struct entry *best = NULL;
  int best_rank = -1;
  for (uint32_t i = first_with(names, hash); i < names->count && names->entries[i].hash == hash;
       i++) {
    const struct entry *entry = &names->entries[i];
    Dwarf_Die die;
    if (!(kinds & LT_NAMED_BIT(entry->what)) || (!declared && !(entry->flags & WHOLE)) ||
        strcmp(entry->name, last) != 0)
      continue;
    int exact = match_scope(names, entry->scope, name, scope_size);
    int rank = (entry->flags & LOCATED ? 8 : 0) + (entry->flags & WHOLE ? 4 : 0) + exact * 2 +
               (entry->flags & EXTERNAL ? 1 : 0);
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
  if (depth >= DEPTH_MAX || !lt_die_child(parent, &die, budget))
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
  const struct entry *entry =
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
  const struct entry *entry = find(names, dwarf, name, kinds, unit, declared);
  if (entry)
    return lt_die_of(dwarf, entry->ref, ret);
  return kinds & LT_NAMED_BIT(LT_NAMED_VARIABLE) && find_in_function(names, dwarf, name, unit, ret);
}

void lt_declared_full(struct lt_declared *names, uint64_t ref, const char *own_name, char *ret,
                      size_t size)
{
  uint32_t hash = hash_of(own_name, strlen(own_name)), scope = 0, path[DEPTH_MAX];
  for (uint32_t i = first_with(names, hash); i < names->count && names->entries[i].hash == hash;
       i++)
    if (names->entries[i].ref == ref)
      scope = names->entries[i].scope;
  unsigned depth = 0;
  for (; scope && depth < DEPTH_MAX; scope = names->scopes[scope].parent)
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
    const struct entry *entry = &names->entries[i];
    if (!(kinds & LT_NAMED_BIT(entry->what)) || !(entry->flags & WHOLE) ||
        !is_near(entry->name, strlen(entry->name), last, last_size))
      continue;
    lt_put_string(ret, entry->name);
    max--;
  }
}
