/* flags.c - finds sets of flags and constants and prints values with them. */
#include "flags.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *name, const void *set)
{
  return strcmp(name, ((const struct lt_flags *)set)->name);
}

const struct lt_flags *lt_flags_find(const char *name)
{
  const struct {
    const struct lt_flags *sets;
    size_t count;
  } families[] = {
      {lt_flags_fs, lt_flags_fs_count},           {lt_flags_ioctl, lt_flags_ioctl_count},
      {lt_flags_memory, lt_flags_memory_count},   {lt_flags_mount, lt_flags_mount_count},
      {lt_flags_network, lt_flags_network_count}, {lt_flags_process, lt_flags_process_count},
      {lt_flags_signal, lt_flags_signal_count},   {lt_flags_sockopt, lt_flags_sockopt_count},
      {lt_flags_system, lt_flags_system_count},
  };
  for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
    const struct lt_flags *set =
        bsearch(name, families[i].sets, families[i].count, sizeof(*set), compare);
    if (set) {
      return set;
    }
  }
  return NULL;
}

static const char *one_name(const struct lt_flags *set, uint64_t value)
{
  for (size_t i = 0; i < set->count; i++) {
    if (set->rows[i].value == value) {
      return set->rows[i].name;
    }
  }
  return NULL;
}

const char *lt_flags_name(const char *name, uint64_t value)
{
  const struct lt_flags *set = lt_flags_find(name);
  return set ? one_name(set, value) : NULL;
}

static void show_unknown(struct lt_text *text, const struct lt_flags *set, uint64_t value)
{
  lt_text_hex(text, value);
  if (set->unknown) {
    lt_text_add(text, " /* %s */", set->unknown);
  }
}

static uint64_t known_bits(struct lt_text *text, const struct lt_flags *set, uint64_t value)
{
  for (size_t i = 0; i < set->count; i++) {
    const struct lt_flag *flag = &set->rows[i];
    if (flag->value && (value & flag->value) == flag->value) {
      lt_text_put(text, flag->name);
      lt_text_put(text, "|");
      value &= ~flag->value;
    }
  }
  return value;
}

static void show_bits(struct lt_text *text, const struct lt_flags *set, uint64_t value)
{
  size_t start = text->length;
  uint64_t rest = known_bits(text, set, value);
  if (text->length == start) {
    show_unknown(text, set, value);
  } else if (rest) {
    lt_text_hex(text, rest);
  } else {
    lt_text_cut(text, text->length - 1);
  }
}

void lt_flags_show(struct lt_text *text, const struct lt_flags *set, uint64_t value)
{
  const char *name = set->kind == LT_ONE || value == 0 ? one_name(set, value) : NULL;
  if (name) {
    lt_text_put(text, name);
  } else if (value == 0 && set->kind == LT_BITS) {
    lt_text_put(text, "0");
  } else if (set->kind == LT_ONE) {
    show_unknown(text, set, value);
  } else {
    show_bits(text, set, value);
  }
}

void lt_flags_add(struct lt_text *text, const char *name, uint64_t value)
{
  const struct lt_flags *set = lt_flags_find(name);
  if (set) {
    lt_flags_show(text, set, value);
  } else {
    lt_text_hex(text, value);
  }
}

uint64_t lt_flags_known(struct lt_text *text, const char *name, uint64_t value)
{
  const struct lt_flags *set = lt_flags_find(name);
  return set ? known_bits(text, set, value) : value;
}
