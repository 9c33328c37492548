/* read_places.h - the answer to LT_ASK_LINES_OF: one byte, and then
 *   FOUND     count; of each place: u64 address, u32 line, file, function (for the linker)
 *   NO_CODE   u32 nearest line with code before, and after, 0 for none; the file
 *   NO_FILE   the most similar file name, or "" */
#ifndef LT_READ_PLACES_H
#define LT_READ_PLACES_H

#include <stddef.h>

enum lt_places { LT_PLACES_FOUND, LT_PLACES_NO_CODE, LT_PLACES_NO_FILE };

/* How many characters must be changed to get from one name to the other; SIZE_MAX for long ones. */
size_t lt_read_edits(const char *a, const char *b);

#endif
