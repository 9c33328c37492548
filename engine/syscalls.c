/* syscalls.c - looks up system calls by number and by name, and their classes. */
#include <stdlib.h>
#include <string.h>

#include "distance.h"
#include "syscall_table.h"

static const struct lt_syscall *i386_row(uint64_t nr)
{
  uint16_t row = lt_syscall_by_nr_i386[nr];
  return row ? &lt_syscall_rows_i386[row - 1] : NULL;
}

const struct lt_syscall *lt_syscall_find(enum lt_abi abi, uint64_t nr)
{
  const struct lt_syscall *call = NULL;
  if ((unsigned)abi >= LT_ABI_COUNT || nr >= LT_NR_LIMIT) {
    return NULL;
  }
  if (abi == LT_ABI_I386) {
    call = i386_row(nr);
  }
  if (!call && lt_syscall_by_nr[abi][nr]) {
    call = &lt_syscall_rows[lt_syscall_by_nr[abi][nr] - 1];
  }
  return call;
}

static int compare_name(const void *name, const void *row)
{
  return strcmp(name, ((const struct lt_syscall *)row)->name);
}

const struct lt_syscall *lt_syscall_named(enum lt_abi abi, const char *name)
{
  const struct lt_syscall *call = bsearch(name, lt_syscall_rows, lt_syscall_row_count,
                                          sizeof(lt_syscall_rows[0]), compare_name);
  if (!call || (unsigned)abi >= LT_ABI_COUNT || call->nr[abi] < 0) {
    return NULL;
  }
  return lt_syscall_find(abi, (uint64_t)call->nr[abi]);
}

const struct lt_syscall *lt_syscall_at(enum lt_abi abi, size_t index)
{
  for (uint64_t nr = 0; nr < LT_NR_LIMIT; nr++) {
    const struct lt_syscall *call = lt_syscall_find(abi, nr);
    if (call && index-- == 0) {
      return call;
    }
  }
  return NULL;
}

/* ---- Nearest name ------------------------------------------------------------------------- */

static size_t shorter_of(size_t a, size_t b)
{
  return a < b ? a : b;
}

/* A third of the name may be wrong, and at least one character. What many programs call a call
 * ("fstatat" for newfstatat, "lseek64") is near too: one name that ends or begins with the other.
 */
const char *lt_syscall_nearest(const char *name)
{
  size_t length = strlen(name), limit = lt_distance_limit(name), best = SIZE_MAX;
  const char *ret = NULL;
  if (length == 0) {
    return NULL;
  }
  for (size_t i = 0; i < lt_syscall_row_count; i++) {
    const char *known = lt_syscall_rows[i].name;
    size_t known_length = strlen(known), shorter = shorter_of(length, known_length);
    size_t edits = lt_distance(name, known, SIZE_MAX / 2);
    bool near = edits <= limit;
    if (shorter > 3 && (strncmp(name, known, shorter) == 0 ||
                        strcmp(name + length - shorter, known + known_length - shorter) == 0)) {
      near = true;
    }
    if (near && edits < best) {
      best = edits;
      ret = known;
    }
  }
  return ret;
}

/* ---- Classes ------------------------------------------------------------------------------ */

static const struct {
  const char *name;
  uint32_t bit;
} classes[] = {
    {"file", FILES},     {"desc", DESC},       {"memory", MEMORY},   {"process", PROCESS},
    {"signal", SIGNALS}, {"ipc", IPC},         {"network", NETWORK}, {"net", NETWORK},
    {"creds", CREDS},    {"clock", CLOCK},     {"pure", PURE},       {"%stat", STATS},
    {"stat", STAT},      {"lstat", LSTAT},     {"fstat", FSTAT},     {"%statfs", STATFSS},
    {"statfs", STATFS},  {"fstatfs", FSTATFS},
};

uint32_t lt_class_find(const char *name)
{
  for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
    if (strcmp(classes[i].name, name) == 0) {
      return classes[i].bit;
    }
  }
  return 0;
}

const char *lt_class_at(size_t index)
{
  return index < sizeof(classes) / sizeof(classes[0]) ? classes[index].name : NULL;
}
