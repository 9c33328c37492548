/* space.h - an address space: what belongs to memory rather than to a process. Processes made with
 * CLONE_VM (vfork among them) share one; a forked child has a copy; exec begins a new one. */
#ifndef LT_SPACE_H
#define LT_SPACE_H

#include "arch.h"

struct lt_debug;       /* watchpoints.h */
struct lt_region;      /* scratch.c */
struct lt_sites;       /* breaks.c */
struct lt_modules;     /* modules.c */
struct lt_return_site; /* returns.c */
struct lt_probes;      /* probe.h */

struct lt_space {
  unsigned processes;                      /* how many share it */
  struct lt_region *scratch;               /* rooms that we had mapped in it */
  struct lt_modules *modules;              /* what is mapped as code; NULL: not looked at yet */
  uint64_t call_instruction[LT_ABI_COUNT]; /* address of one, 0 while unknown */
  uint64_t load_site;                      /* where its loader is watched (loads.c); 0: nowhere */
  struct lt_sites *sites;                  /* what is planted in it; NULL: nothing ever was */
  struct lt_probes *probes;                /* planted code; NULL: never any */
  uint64_t code_from, code_to;             /* a map of code, the last that plant.c looked at */
  struct lt_debug *debug;                  /* what is watched; NULL: nothing ever was */
  struct lt_return_site *return_sites;     /* where functions return to; not copied */
};

/* NULL when out of memory. */
struct lt_space *lt_space_new(void);
struct lt_space *lt_space_share(struct lt_space *space);
struct lt_space *lt_space_copy(const struct lt_space *space);
/* One process less; NULL is allowed. */
void lt_space_leave(struct lt_space *space);

/* scratch.c: for lt_space_copy() and lt_space_leave(). */
struct lt_region *lt_regions_copy(const struct lt_region *regions);
void lt_regions_free(struct lt_region *regions);

/* modules.c: the same. */
struct lt_modules *lt_modules_copy(const struct lt_modules *modules);
void lt_modules_free(struct lt_modules *modules);

#endif
