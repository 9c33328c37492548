/* distance.h - how much names differ, to guess which known one was meant. */
#ifndef LT_DISTANCE_H
#define LT_DISTANCE_H

#include <stddef.h>

/* Edits that turn one name into the other: insert, delete, replace, or swap two neighbours. SIZE_MAX
 * if more than `most` are needed in any case, or a name is too long. */
size_t lt_distance(const char *a, const char *b, size_t most);
/* As many edits as a mistake in this name may have: a third of it, and at least one. */
size_t lt_distance_limit(const char *name);

#endif
