/* read_names.c - the names of types, variables and functions that a file declares, hashed by their
 * last part: see read_die.h. Looking them up is read_lookup.c.
 *
 * One walk over all units collects what is declared at the outermost level, in name spaces and in
 * classes; the bodies of functions are left out. */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "read_names.h"

#define STEPS_MAX 40000000U /* DIEs that are looked at */
#define NAMES_MAX 4000000U

struct walk {
  struct lt_declared *names;
  Dwarf *dwarf;
  uint32_t unit_from; /* the first entry of this unit; refs grow from there */
  unsigned budget, depth;
  bool failed;
};

uint32_t lt_name_hash(const char *name, size_t size)
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
  names->entries[names->count++] = (struct lt_name_entry){.name = name,
                                                          .ref = ref,
                                                          .hash = lt_name_hash(name, strlen(name)),
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
  names->scopes[names->scope_count] = (struct lt_name_scope){name, parent};
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
  unsigned flags = own(die, DW_AT_declaration) ? 0 : LT_NAME_WHOLE;
  if (own(die, DW_AT_location) || own(die, DW_AT_const_value))
    flags |= LT_NAME_WHOLE | LT_NAME_LOCATED;
  if (lt_die_flag(die, DW_AT_external))
    flags |= LT_NAME_EXTERNAL;
  add(walk, die, lt_die_name(die), declared_scope(walk, die, scope), LT_NAMED_VARIABLE, flags);
}

static void collect(struct walk *walk, Dwarf_Die *parent, uint32_t scope);

static void add_type(struct walk *walk, Dwarf_Die *die, uint32_t scope, enum lt_named what)
{
  const char *name = lt_die_name(die);
  unsigned flags = own(die, DW_AT_declaration) ? 0 : LT_NAME_WHOLE;
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
        own(die, DW_AT_declaration) ? 0 : LT_NAME_WHOLE);
    break;
  default:
    break;
  }
}

static void collect(struct walk *walk, Dwarf_Die *parent, uint32_t scope)
{
  Dwarf_Die die;
  if (walk->depth >= LT_NAME_DEPTH || !lt_die_child(parent, &die, &walk->budget))
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
  const struct lt_name_entry *a = left, *b = right;
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
