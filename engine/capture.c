/* capture.c - keeps what a call's input arguments point to, and reads memory for decoders.
 *
 * What is kept lies in one arena per thread that is reused from call to call: a chain of pieces,
 * each an address of the tracee with the bytes that were there. Decoders look here before they look
 * into memory, so that the line of a call is the same after it has run (or has replaced the whole
 * program). Bounds of what one call can make us keep: a string or input buffer 4 KiB; an array of
 * strings 1024 of them, 64 KiB in all; structs 128 KiB in all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

#define KEEP_BYTES 4096
#define KEEP_STRINGS 1024
#define KEEP_STRINGS_BYTES 65536
#define KEEP_RECORDED 131072

/* ---- The arena ---------------------------------------------------------------------------- */

struct piece {
  uint64_t addr;
  size_t size;
  bool whole; /* a string with its NUL, or all that was asked for */
  /* bytes follow */
};

static size_t aligned(size_t size)
{
  return (size + 15) & ~(size_t)15;
}

static struct piece *piece_at(const struct lt_capture *capture, size_t at)
{
  return (struct piece *)(void *)(capture->bytes + at);
}

static int make_room(struct lt_capture *capture, size_t size)
{
  size_t room = capture->room ? capture->room : 4096;
  while (room < capture->used + size) {
    room *= 2;
  }
  if (room > capture->room) {
    uint8_t *bytes = realloc(capture->bytes, room);
    if (!bytes) {
      return -ENOMEM;
    }
    capture->bytes = bytes;
    capture->room = room;
  }
  return 0;
}

int lt_capture_keep(lt_thread *thread, uint64_t addr, const void *bytes, size_t size, bool whole)
{
  struct lt_capture *capture = &thread->capture;
  size_t room = sizeof(struct piece) + aligned(size);
  int error = make_room(capture, room);
  if (error) {
    return error;
  }
  struct piece *piece = piece_at(capture, capture->used);
  *piece = (struct piece){.addr = addr, .size = size, .whole = whole};
  if (size > 0) {
    memcpy(piece + 1, bytes, size);
  }
  capture->used += room;
  return 0;
}

size_t lt_capture_find(const lt_thread *thread, uint64_t addr, const uint8_t **ret, bool *whole)
{
  const struct lt_capture *capture = &thread->capture;
  size_t best = 0;
  for (size_t at = 0; at < capture->used;) {
    const struct piece *piece = piece_at(capture, at);
    if (addr >= piece->addr && addr - piece->addr < piece->size &&
        piece->size - (addr - piece->addr) > best) {
      best = piece->size - (addr - piece->addr);
      *ret = (const uint8_t *)(piece + 1) + (addr - piece->addr);
      *whole = piece->whole;
    }
    at += sizeof(*piece) + aligned(piece->size);
  }
  return best;
}

void lt_capture_forget(lt_thread *thread)
{
  thread->capture.used = 0;
  thread->capture.whole = false;
  memset(thread->capture.arg, 0, sizeof(thread->capture.arg));
}

/* ---- Capturing ---------------------------------------------------------------------------- */

/* Remember that argument `index` lies in the piece that was added last. */
static void note(lt_thread *thread, unsigned index, size_t at, enum lt_arg_type type)
{
  const struct piece *piece = piece_at(&thread->capture, at);
  thread->capture.arg[index] = (struct lt_captured){.kept = true,
                                                    .type = (uint8_t)type,
                                                    .cut = !piece->whole,
                                                    .at = at + sizeof(*piece),
                                                    .size = piece->size};
}

/* Keeps the NUL too, so that an empty string is a piece of one byte. */
static ssize_t keep_string(lt_thread *thread, uint64_t addr, size_t max)
{
  char string[KEEP_BYTES + 1];
  bool whole = false;
  ssize_t size = lt_mem_string(thread, addr, string, max, &whole);
  if (size < 0 || (size == 0 && !whole)) {
    return -EFAULT;
  }
  int error = lt_capture_keep(thread, addr, string, (size_t)size + whole, whole);
  return error ? error : size;
}

static int keep_buffer(lt_thread *thread, uint64_t addr, uint64_t length)
{
  uint8_t bytes[KEEP_BYTES];
  size_t size = length < sizeof(bytes) ? (size_t)length : sizeof(bytes);
  ssize_t got = size ? lt_mem_read(thread, addr, bytes, size) : 0;
  if (got < 0) {
    return -EFAULT;
  }
  return lt_capture_keep(thread, addr, bytes, (size_t)got, (uint64_t)got == length);
}

static int keep_strings(struct lt_decode *d, uint64_t addr)
{
  unsigned word = lt_decode_word(d);
  size_t left = KEEP_STRINGS_BYTES;
  for (size_t i = 0; i < KEEP_STRINGS; i++) {
    uint64_t pointer;
    if (lt_decode_words(d, addr + i * word, &pointer, 1) != 1) {
      break;
    }
    int error = lt_capture_keep(d->thread, addr + i * word, &pointer, word, true);
    if (error || !pointer || !left) {
      return error;
    }
    ssize_t size = keep_string(d->thread, pointer, left < KEEP_BYTES ? left : KEEP_BYTES);
    if (size == -ENOMEM) {
      return -ENOMEM;
    }
    left -= size > 0 ? (size_t)size : 0;
  }
  return 0;
}

static int keep_arg(struct lt_decode *d, unsigned index)
{
  const struct lt_arg *arg = &d->row->args[index];
  uint64_t addr = lt_decode_arg(d, index);
  size_t at = d->thread->capture.used;
  int error = 0;
  if (!arg->in || !addr) {
    return 0;
  }
  if (arg->type == LT_ARG_STRING) {
    ssize_t size = keep_string(d->thread, addr, KEEP_BYTES);
    error = size < 0 ? (int)size : 0;
  } else if (arg->type == LT_ARG_BUFFER) {
    error = keep_buffer(d->thread, addr, lt_decode_arg(d, (unsigned)arg->length));
  } else if (arg->type == LT_ARG_STRINGS) {
    return keep_strings(d, addr);
  } else {
    return 0;
  }
  if (!error) {
    note(d->thread, index, at, arg->type);
  }
  return error == -ENOMEM ? error : 0;
}

/* The recording: the call is printed to nowhere, and whatever that reads is kept. */
int lt_call_capture(lt_thread *thread)
{
  struct lt_text nowhere = {0};
  struct lt_decode d;
  if (!thread->in_call) {
    return -EINVAL;
  }
  lt_decode_init(&d, thread, &nowhere);
  if (thread->capture.whole || thread->call.done || !d.row) {
    return 0;
  }
  thread->capture.whole = true;
  for (unsigned i = 0; i < d.row->count; i++) {
    int error = keep_arg(&d, i);
    if (error) {
      return error;
    }
  }
  d.recording = true;
  lt_show_call(&d);
  return 0;
}

/* ---- Reading for decoders ----------------------------------------------------------------- */

size_t lt_decode_read_some(struct lt_decode *d, uint64_t addr, void *ret, size_t size)
{
  const uint8_t *kept = NULL;
  bool whole;
  size_t found = d->fresh ? 0 : lt_capture_find(d->thread, addr, &kept, &whole);
  if (kept && (found >= size || d->call->done)) {
    memcpy(ret, kept, found < size ? found : size);
    return found < size ? found : size;
  }
  ssize_t got = addr && size ? lt_mem_read(d->thread, addr, ret, size) : 0;
  if (got <= 0) {
    return 0;
  }
  if (d->recording && d->thread->capture.used < KEEP_RECORDED) {
    /* Out of memory means that less is kept, which the contract allows. */
    (void)lt_capture_keep(d->thread, addr, ret, (size_t)got, (size_t)got == size);
  }
  return (size_t)got;
}

bool lt_decode_read(struct lt_decode *d, uint64_t addr, void *ret, size_t size)
{
  return lt_decode_read_some(d, addr, ret, size) == size;
}

static ssize_t kept_string(const uint8_t *kept, size_t size, char *ret, size_t max, bool *whole)
{
  size_t length = strnlen((const char *)kept, size);
  *whole = length < size && length <= max;
  length = length < max ? length : max;
  memcpy(ret, kept, length);
  ret[length] = '\0';
  return (ssize_t)length;
}

ssize_t lt_decode_string(struct lt_decode *d, uint64_t addr, char *ret, size_t max, bool *whole)
{
  const uint8_t *kept = NULL;
  size_t found = d->fresh ? 0 : lt_capture_find(d->thread, addr, &kept, whole);
  *whole = false;
  if (found > 0) {
    return kept_string(kept, found, ret, max, whole);
  }
  ssize_t size = addr ? lt_mem_string(d->thread, addr, ret, max, whole) : -EFAULT;
  if (size < 0 || (size == 0 && !*whole)) {
    return -EFAULT;
  }
  if (d->recording && d->thread->capture.used < KEEP_RECORDED) {
    (void)lt_capture_keep(d->thread, addr, ret, (size_t)size + *whole, *whole);
  }
  return size;
}
