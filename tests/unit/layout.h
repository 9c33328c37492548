/* layout.h - memory with pages of all kinds, and what is in it: for tests of memory access. */
#ifndef LT_TEST_LAYOUT_H
#define LT_TEST_LAYOUT_H

#include "tracee.h"

#define PAGE 4096u

/* Mapped before the child is forked, so that the child has it too. */
struct layout {
  uint8_t *at;
  size_t pages;
  uint8_t *model; /* what is there; no byte of it is 0 */
  char *kinds;    /* per page: 'w' 'r' 'x' (r-x) 'e' (execute only) 'n' (PROT_NONE) ' ' (a hole) */
};

struct layout make_layout(const char *kinds);
void free_layout(struct layout *layout);
/* How many bytes of a range can be had: up to the first hole. */
size_t layout_reachable(const struct layout *layout, size_t at, size_t size);

static inline uint64_t addr_of(const void *pointer)
{
  return (uint64_t)(uintptr_t)pointer;
}

#endif
