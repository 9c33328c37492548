/* layout.c - see layout.h. */
#include "layout.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Far from where the kernel and sanitizers put things, so that holes stay holes. */
#define LAYOUT_AT ((void *)0x200000000000)

static int protection(char kind)
{
  switch (kind) {
  case 'w':
    return PROT_READ | PROT_WRITE;
  case 'r':
    return PROT_READ;
  case 'x':
    return PROT_READ | PROT_EXEC;
  case 'e':
    return PROT_EXEC;
  default:
    return PROT_NONE;
  }
}

struct layout make_layout(const char *kinds)
{
  struct layout layout = {.pages = strlen(kinds), .kinds = strdup(kinds)};
  size_t size = layout.pages * PAGE;
  uint32_t seed = 1;
  layout.model = malloc(size);
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  layout.at = mmap(LAYOUT_AT, size, PROT_READ | PROT_WRITE, flags, -1, 0);
  assert_true(layout.model && layout.at != MAP_FAILED);
  for (size_t i = 0; i < size; i++)
    layout.at[i] = layout.model[i] = (uint8_t)(tracee_random(&seed) | 1);
  for (size_t i = 0; i < layout.pages; i++) {
    uint8_t *page = layout.at + i * PAGE;
    if (kinds[i] == ' ')
      assert_int_equal(munmap(page, PAGE), 0);
    else
      assert_int_equal(mprotect(page, PAGE, protection(kinds[i])), 0);
  }
  return layout;
}

void free_layout(struct layout *layout)
{
  munmap(layout->at, layout->pages * PAGE);
  free(layout->model);
  free(layout->kinds);
}

size_t layout_reachable(const struct layout *layout, size_t at, size_t size)
{
  for (size_t done = 0; done < size;) {
    if (layout->kinds[(at + done) / PAGE] == ' ')
      return done;
    done += PAGE - (at + done) % PAGE;
  }
  return size;
}
