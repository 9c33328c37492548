/* space.c - address spaces: see space.h. */
#include "space.h"

#include <stdlib.h>
#include <string.h>

#include "probe.h"
#include "returns.h"
#include "watchpoints.h"

struct lt_space *lt_space_new(void)
{
  struct lt_space *space = calloc(1, sizeof *space);
  if (space)
    space->processes = 1;
  return space;
}

struct lt_space *lt_space_share(struct lt_space *space)
{
  space->processes++;
  return space;
}

struct lt_space *lt_space_copy(const struct lt_space *space)
{
  struct lt_space *copy = lt_space_new();
  if (!copy)
    return NULL;
  memcpy(copy->call_instruction, space->call_instruction, sizeof copy->call_instruction);
  copy->scratch = lt_regions_copy(space->scratch);
  copy->probes = lt_probes_copy(space->probes);
  copy->sites = lt_sites_copy(space->sites);
  copy->load_site = space->load_site;
  copy->modules = lt_modules_copy(space->modules);
  copy->debug = lt_debug_copy(space->debug);
  return copy;
}

void lt_space_leave(struct lt_space *space)
{
  if (!space || --space->processes > 0)
    return;
  lt_regions_free(space->scratch);
  lt_sites_free(space->sites);
  lt_probes_free(space->probes);
  lt_modules_free(space->modules);
  lt_debug_free(space->debug);
  lt_return_sites_free(space->return_sites);
  free(space);
}
