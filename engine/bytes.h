/* bytes.h - messages without pointers: appended to and taken from, within their bounds. Numbers are
 * in the machine's own order: both ends are on the same machine. */
#ifndef LT_BYTES_H
#define LT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message that grows. When memory runs out, `failed` is set and nothing more is added. */
struct lt_bytes {
  uint8_t *at;
  size_t size, room;
  bool failed;
};

void lt_put(struct lt_bytes *bytes, const void *from, size_t size);
void lt_put_u8(struct lt_bytes *bytes, uint8_t value);
void lt_put_u32(struct lt_bytes *bytes, uint32_t value);
void lt_put_u64(struct lt_bytes *bytes, uint64_t value);
void lt_put_string(struct lt_bytes *bytes, const char *text); /* NULL counts as "" */
void lt_bytes_free(struct lt_bytes *bytes);

/* A message that is read. Beyond its end everything is 0 and "", and `failed` is set. */
struct lt_bytes_in {
  const uint8_t *at;
  size_t size;
  bool failed;
};

/* The next `size` bytes, or NULL. */
const void *lt_get(struct lt_bytes_in *bytes, size_t size);
uint8_t lt_get_u8(struct lt_bytes_in *bytes);
uint32_t lt_get_u32(struct lt_bytes_in *bytes);
uint64_t lt_get_u64(struct lt_bytes_in *bytes);
const char *lt_get_string(struct lt_bytes_in *bytes); /* points into the message; never NULL */

#endif
