/* constants.c - values of arguments by the names that they are printed with. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "flags.h"
#include "luatrace.h"

#define SETS_MAX 2

/* What is printed with other sets than the one of its own name. */
static const struct {
  const char *shape;
  const char *set[SETS_MAX];
} compound[] = {
    {"futex", {"futex_op", NULL}},
    {"ipc_get", {"ipc_bits", NULL}},
    {"mmap", {"map_type", "map_bits"}},
    {"mpol", {"mpol_mode", "mpol_bits"}},
    {"open_flags", {"accmode", "open_bits"}},
    {"personality", {"persona", "persona_bits"}},
    {"shmget", {"ipc_bits", "shm_bits"}},
    {"sock_type", {"sock_kind", "sock_bits"}},
};

static unsigned find_sets(const char *shape, const struct lt_flags *ret[SETS_MAX])
{
  unsigned count = 0;
  const char *const own[SETS_MAX] = {shape, NULL};
  const char *const *names = own;
  for (size_t i = 0; i < sizeof compound / sizeof *compound; i++)
    if (strcmp(compound[i].shape, shape) == 0)
      names = compound[i].set;
  for (unsigned i = 0; i < SETS_MAX; i++)
    if (names[i] && (ret[count] = lt_flags_find(names[i])))
      count++;
  return count;
}

static const char *const here = "AT_FDCWD";

const char *lt_constant_at(const struct lt_arg *arg, size_t index, uint64_t *ret)
{
  const struct lt_flags *sets[SETS_MAX];
  if (arg->type == LT_ARG_FD) {
    *ret = (uint64_t)AT_FDCWD;
    return index == 0 ? here : NULL;
  }
  if (arg->shape && strcmp(arg->shape, "signal") == 0) {
    *ret = index + 1;
    return index < 64 ? lt_signal_name((int)index + 1) : NULL;
  }
  unsigned count = arg->shape ? find_sets(arg->shape, sets) : 0;
  for (unsigned i = 0; i < count; i++) {
    if (index < sets[i]->count) {
      *ret = sets[i]->rows[index].value;
      return sets[i]->rows[index].name;
    }
    index -= sets[i]->count;
  }
  return NULL;
}

int lt_constant(const struct lt_arg *arg, const char *name, uint64_t *ret)
{
  const char *known;
  for (size_t i = 0; (known = lt_constant_at(arg, i, ret)); i++)
    if (strcmp(known, name) == 0)
      return 0;
  return -ENOENT;
}
