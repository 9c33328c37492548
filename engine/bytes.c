/* bytes.c - see bytes.h. */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM ((size_t)256)

static bool make_room(struct lt_bytes *bytes, size_t size)
{
  if (bytes->failed || size > SIZE_MAX / 4 - bytes->size) {
    bytes->failed = true;
    return false;
  }
  if (bytes->room - bytes->size >= size)
    return true;
  size_t room = bytes->room ? bytes->room * 2 : FIRST_ROOM;
  while (room - bytes->size < size)
    room *= 2;
  uint8_t *more = realloc(bytes->at, room);
  if (!more) {
    bytes->failed = true;
    return false;
  }
  bytes->at = more;
  bytes->room = room;
  return true;
}

void lt_put(struct lt_bytes *bytes, const void *from, size_t size)
{
  if (!size || !make_room(bytes, size))
    return;
  memcpy(bytes->at + bytes->size, from, size);
  bytes->size += size;
}

void lt_put_u8(struct lt_bytes *bytes, uint8_t value)
{
  lt_put(bytes, &value, sizeof value);
}

void lt_put_u32(struct lt_bytes *bytes, uint32_t value)
{
  lt_put(bytes, &value, sizeof value);
}

void lt_put_u64(struct lt_bytes *bytes, uint64_t value)
{
  lt_put(bytes, &value, sizeof value);
}

void lt_put_string(struct lt_bytes *bytes, const char *text)
{
  if (!text)
    text = "";
  lt_put(bytes, text, strlen(text) + 1);
}

void lt_bytes_free(struct lt_bytes *bytes)
{
  free(bytes->at);
  *bytes = (struct lt_bytes){0};
}

const void *lt_get(struct lt_bytes_in *bytes, size_t size)
{
  if (bytes->failed || bytes->size < size) {
    bytes->failed = true;
    return NULL;
  }
  const void *from = bytes->at;
  bytes->at += size;
  bytes->size -= size;
  return from;
}

uint8_t lt_get_u8(struct lt_bytes_in *bytes)
{
  const uint8_t *from = lt_get(bytes, 1);
  return from ? *from : 0;
}

uint32_t lt_get_u32(struct lt_bytes_in *bytes)
{
  uint32_t value = 0;
  const void *from = lt_get(bytes, sizeof value);
  if (from)
    memcpy(&value, from, sizeof value);
  return value;
}

uint64_t lt_get_u64(struct lt_bytes_in *bytes)
{
  uint64_t value = 0;
  const void *from = lt_get(bytes, sizeof value);
  if (from)
    memcpy(&value, from, sizeof value);
  return value;
}

const char *lt_get_string(struct lt_bytes_in *bytes)
{
  const uint8_t *end = bytes->failed || !bytes->size ? NULL : memchr(bytes->at, 0, bytes->size);
  if (!end) {
    bytes->failed = true;
    return "";
  }
  return lt_get(bytes, (size_t)(end - bytes->at) + 1);
}
