/* distance.c - see distance.h. */
#include "distance.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NAME_MAX_LENGTH 64

static size_t least(size_t a, size_t b)
{
  return a < b ? a : b;
}

size_t lt_distance(const char *a, const char *b, size_t most)
{
  size_t a_len = strnlen(a, NAME_MAX_LENGTH + 1), b_len = strnlen(b, NAME_MAX_LENGTH + 1);
  size_t rows[3][NAME_MAX_LENGTH + 1];
  size_t *before = rows[0], *last = rows[1], *now = rows[2];
  if (a_len > NAME_MAX_LENGTH || b_len > NAME_MAX_LENGTH || a_len > b_len + most ||
      b_len > a_len + most)
    return SIZE_MAX;
  for (size_t j = 0; j <= b_len; j++)
    last[j] = j;
  for (size_t i = 1; i <= a_len; i++) {
    now[0] = i;
    for (size_t j = 1; j <= b_len; j++) {
      size_t edits = last[j - 1] + (a[i - 1] != b[j - 1]);
      edits = least(edits, least(last[j], now[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        edits = least(edits, before[j - 2] + 1);
      now[j] = edits;
    }
    size_t *spare = before;
    before = last;
    last = now;
    now = spare;
  }
  return last[b_len];
}

size_t lt_distance_limit(const char *name)
{
  size_t third = strlen(name) / 3;
  return third ? third : 1;
}
