/* object.c - objects that are in memory, in registers, in pieces, or nowhere. */
#include "object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registers.h"

#define OBJECT_MAX ((size_t)1 << 16) /* bytes of an object in pieces */

struct lt_object {
  uint64_t seq; /* of the stop that it was found at */
  unsigned frame;
  uint64_t size; /* bytes; 0: one piece that is whole */
  unsigned count;
  uint8_t *bytes; /* of all LT_PIECE_BYTES */
  struct lt_piece piece[];
};

/* ---- Making --------------------------------------------------------------------------------- */

static size_t bytes_in(const struct lt_place *place)
{
  size_t size = 0;
  for (unsigned i = 0; i < place->count; i++)
    size += place->piece[i].kind == LT_PIECE_BYTES ? place->piece[i].size : 0;
  return size;
}

static bool is_whole(const struct lt_place *place)
{
  return place->count == 1 && place->piece[0].bits == 0;
}

int lt_object_make(const struct lt_view *view, const struct lt_place *place, lt_object **ret)
{
  size_t bytes = bytes_in(place);
  uint64_t bits = 0;
  for (unsigned i = 0; i < place->count; i++)
    bits += place->piece[i].bits;
  if (bits > OBJECT_MAX * 8)
    return -E2BIG;
  lt_object *made = calloc(1, sizeof *made + place->count * sizeof *made->piece + bytes);
  if (!made)
    return -ENOMEM;
  made->seq = view->cursor.thread->stop.seq;
  made->frame = view->cursor.level;
  made->size = is_whole(place) ? 0 : (bits + 7) / 8;
  made->count = place->count;
  made->bytes = (uint8_t *)(made->piece + place->count);
  uint8_t *room = made->bytes;
  for (unsigned i = 0; i < place->count; i++) {
    made->piece[i] = place->piece[i];
    if (place->piece[i].kind != LT_PIECE_BYTES)
      continue;
    if (place->piece[i].size)
      memcpy(room, place->piece[i].bytes, place->piece[i].size);
    made->piece[i].bytes = room;
    room += place->piece[i].size;
  }
  *ret = made;
  return 0;
}

static int make_one(const struct lt_view *view, struct lt_piece piece, lt_object **ret)
{
  struct lt_place *place = calloc(1, sizeof *place);
  if (!place)
    return -ENOMEM;
  place->count = 1;
  place->piece[0] = piece;
  int error = lt_object_make(view, place, ret);
  free(place);
  return error;
}

int lt_object_at(const struct lt_view *view, uint64_t addr, lt_object **ret)
{
  return make_one(view, (struct lt_piece){.kind = LT_PIECE_MEMORY, .value = addr}, ret);
}

int lt_object_of(const struct lt_view *view, const void *bytes, size_t size, lt_object **ret)
{
  return make_one(view, (struct lt_piece){.kind = LT_PIECE_BYTES, .bytes = bytes, .size = size},
                  ret);
}

void lt_object_free(lt_object *location)
{
  free(location);
}

bool lt_object_address(const lt_object *location, uint64_t *ret)
{
  if (location->size || location->count != 1 || location->piece[0].kind != LT_PIECE_MEMORY)
    return false;
  *ret = location->piece[0].value;
  return true;
}

/* ---- One piece ------------------------------------------------------------------------------ */

static int read_memory(lt_thread *thread, uint64_t addr, void *ret, size_t size)
{
  ssize_t done = lt_mem_read(thread, addr, ret, size);
  return done < 0 ? (int)done : (size_t)done < size ? -EFAULT : 0;
}

static int write_memory(lt_thread *thread, uint64_t addr, const void *bytes, size_t size)
{
  ssize_t done = lt_mem_write(thread, addr, bytes, size);
  return done < 0 ? (int)done : (size_t)done < size ? -EFAULT : 0;
}

/* Registers are of the stop and frame that the object was found in. */
static int open_view(lt_thread *thread, const lt_object *location, struct lt_view *ret)
{
  if (location->seq != thread->stop.seq)
    return lt_fail(thread->session, -ESTALE,
                   "this variable was in a register, and thread %d has run since: ask for it again",
                   (int)thread->tid);
  return lt_view_open(thread, location->frame, ret);
}

static int optimised_out(lt_thread *thread)
{
  return lt_fail(thread->session, -ENODATA, "optimised out");
}

static int copy_out(lt_thread *thread, const uint8_t *from, size_t there, uint64_t offset,
                    uint8_t *ret, size_t size)
{
  if (offset > there || size > there - offset)
    return lt_fail(thread->session, -ERANGE, "the object is larger than the place that it is in");
  memcpy(ret, from + offset, size);
  return 0;
}

static int read_piece(lt_thread *thread, const lt_object *location, const struct lt_piece *piece,
                      uint64_t offset, uint8_t *ret, size_t size)
{
  uint8_t bytes[LT_REGISTER_BYTES] = {0};
  size_t there = sizeof bytes;
  struct lt_view view;
  int error;
  switch (piece->kind) {
  case LT_PIECE_MEMORY:
    return read_memory(thread, piece->value + offset, ret, size);
  case LT_PIECE_REGISTER:
    error = open_view(thread, location, &view);
    if (!error)
      error = lt_view_register(&view, (unsigned)piece->value, bytes, &there);
    return error ? error : copy_out(thread, bytes, there, offset, ret, size);
  case LT_PIECE_VALUE:
    memcpy(bytes, &piece->value, sizeof piece->value);
    return copy_out(thread, bytes, 16, offset, ret, size);
  case LT_PIECE_BYTES:
    return copy_out(thread, piece->bytes, piece->size, offset, ret, size);
  default:
    return optimised_out(thread);
  }
}

static int write_piece(lt_thread *thread, const lt_object *location, const struct lt_piece *piece,
                       uint64_t offset, const uint8_t *from, size_t size)
{
  uint8_t bytes[LT_REGISTER_BYTES] = {0};
  size_t there = sizeof bytes;
  struct lt_view view;
  if (piece->kind == LT_PIECE_MEMORY)
    return write_memory(thread, piece->value + offset, from, size);
  if (piece->kind == LT_PIECE_NONE || piece->kind == LT_PIECE_POINTER)
    return optimised_out(thread);
  if (piece->kind != LT_PIECE_REGISTER)
    return lt_fail(thread->session, -EROFS,
                   "the variable has a value here, but no place that could be written to");
  int error = open_view(thread, location, &view);
  if (!error)
    error = lt_view_register(&view, (unsigned)piece->value, bytes, &there);
  if (error)
    return error;
  if (offset > there || size > there - offset)
    return -ERANGE;
  memcpy(bytes + offset, from, size);
  return lt_view_set_register(&view, (unsigned)piece->value, bytes, there);
}

/* ---- Several pieces ------------------------------------------------------------------------- */

static void copy_bits(uint8_t *to, uint64_t to_bit, const uint8_t *from, uint64_t from_bit,
                      uint64_t count)
{
  for (uint64_t i = 0; i < count; i++) {
    unsigned bit = from[(from_bit + i) / 8] >> ((from_bit + i) % 8) & 1;
    uint8_t mask = (uint8_t)(1U << ((to_bit + i) % 8));
    uint8_t *at = &to[(to_bit + i) / 8];
    *at = (uint8_t)(bit ? *at | mask : *at & ~mask);
  }
}

/* What is wanted of a piece, and the bytes of its place that hold it. */
struct overlap {
  uint64_t object_bit; /* from the start of what is wanted */
  uint64_t place_byte; /* first byte of the place */
  unsigned place_bit;  /* in that */
  uint64_t bits;
  size_t size; /* bytes of the place */
};

/* `at`: the piece's first bit in the object. `from`, `bits`: what is wanted of the object. */
static bool find_overlap(const struct lt_piece *piece, uint64_t at, uint64_t from, uint64_t bits,
                         struct overlap *ret)
{
  uint64_t first = at > from ? at : from;
  uint64_t end = at + piece->bits < from + bits ? at + piece->bits : from + bits;
  if (first >= end)
    return false;
  uint64_t place = piece->skip + (first - at);
  *ret = (struct overlap){.object_bit = first - from,
                          .place_byte = place / 8,
                          .place_bit = (unsigned)(place % 8),
                          .bits = end - first};
  ret->size = (size_t)((ret->place_bit + ret->bits + 7) / 8);
  return true;
}

static int do_pieces(lt_thread *thread, const lt_object *location, uint64_t offset, uint8_t *ret,
                     const uint8_t *from, size_t size)
{
  uint64_t at = 0;
  int error = 0;
  uint8_t *room = malloc(size + 16);
  for (unsigned i = 0; room && !error && i < location->count; i++) {
    const struct lt_piece *piece = &location->piece[i];
    struct overlap overlap;
    if (find_overlap(piece, at, offset * 8, (uint64_t)size * 8, &overlap)) {
      error = read_piece(thread, location, piece, overlap.place_byte, room, overlap.size);
      if (!error && ret)
        copy_bits(ret, overlap.object_bit, room, overlap.place_bit, overlap.bits);
      if (!error && from) {
        copy_bits(room, overlap.place_bit, from, overlap.object_bit, overlap.bits);
        error = write_piece(thread, location, piece, overlap.place_byte, room, overlap.size);
      }
    }
    at += piece->bits;
  }
  free(room);
  return room ? error : -ENOMEM;
}

/* ---- Reading and writing ---------------------------------------------------------------------- */

static int check_range(lt_thread *thread, const lt_object *location, uint64_t offset, size_t size)
{
  int error = lt_touch(thread);
  if (error)
    return error;
  if (location->count == 0)
    return optimised_out(thread);
  if (location->size && (offset > location->size || size > location->size - offset))
    return lt_fail(thread->session, -ERANGE, "the object is larger than the places that it is in");
  return 0;
}

int lt_object_read(lt_thread *thread, const lt_object *location, uint64_t offset, void *ret,
                   size_t size)
{
  int error = check_range(thread, location, offset, size);
  if (error || !size)
    return error;
  if (!location->size)
    return read_piece(thread, location, &location->piece[0], offset, ret, size);
  return do_pieces(thread, location, offset, ret, NULL, size);
}

int lt_object_write(lt_thread *thread, const lt_object *location, uint64_t offset,
                    const void *bytes, size_t size)
{
  int error = check_range(thread, location, offset, size);
  if (error || !size)
    return error;
  if (!location->size)
    return write_piece(thread, location, &location->piece[0], offset, bytes, size);
  return do_pieces(thread, location, offset, NULL, bytes, size);
}
