/* decode_value.c - decoded arguments as values, for the callers of the engine. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

#define VALUE_BYTES (1u << 20) /* longest BUFFER */
#define VALUE_STRING 65536     /* longest STRING */
#define VALUE_STRINGS 4096     /* most strings of one STRINGS */

/* The bytes of handed-out values: one slot for each argument, then six for the first string of
 * each, and so on. A slot keeps its memory; decoding the same thing again replaces its bytes. */
struct slots {
  size_t count;
  struct slot {
    char *bytes;
    size_t room;
  } slot[];
};

static struct slot *slot_get(lt_thread *thread, size_t index, size_t room)
{
  struct slots *slots = (struct slots *)(void *)thread->scratch;
  if (!slots || index >= slots->count) {
    size_t old = slots ? slots->count : 0, count = old ? old : 2 * (size_t)LT_CALL_ARGS;
    while (count <= index) {
      count *= 2;
    }
    slots = realloc(slots, sizeof(*slots) + count * sizeof(slots->slot[0]));
    if (!slots) {
      return NULL;
    }
    memset(&slots->slot[old], 0, (count - old) * sizeof(slots->slot[0]));
    slots->count = count;
    thread->scratch = (char *)slots;
    thread->scratch_room = sizeof(*slots) + count * sizeof(slots->slot[0]);
  }
  struct slot *slot = &slots->slot[index];
  if (slot->room < room) {
    char *bytes = malloc(room);
    if (!bytes) {
      return NULL;
    }
    free(slot->bytes);
    *slot = (struct slot){.bytes = bytes, .room = room};
  }
  return slot;
}

void lt_capture_free(lt_thread *thread)
{
  struct slots *slots = (struct slots *)(void *)thread->scratch;
  for (size_t i = 0; slots && i < slots->count; i++) {
    free(slots->slot[i].bytes);
  }
  free(slots);
  free(thread->capture.bytes);
  thread->scratch = NULL;
  thread->scratch_room = 0;
  memset(&thread->capture, 0, sizeof(thread->capture));
}

/* A string is read with a first guess of its size, and again if it was longer than that. */
static int value_string(struct lt_decode *d, size_t slot_index, uint64_t addr, struct lt_value *ret)
{
  const size_t guesses[] = {255, 4096, VALUE_STRING};
  bool whole = false;
  ssize_t size = -EFAULT;
  struct slot *slot = NULL;
  for (size_t i = 0; i < 3 && !whole && (i == 0 || size == (ssize_t)guesses[i - 1]); i++) {
    slot = slot_get(d->thread, slot_index, guesses[i] + 1);
    if (!slot) {
      return -ENOMEM;
    }
    size = lt_decode_string(d, addr, slot->bytes, guesses[i], &whole);
  }
  if (size >= 0) {
    *ret = (struct lt_value){.type = LT_ARG_STRING,
                             .cut = !whole,
                             .raw = ret->raw,
                             .integer = ret->integer,
                             .bytes = slot->bytes,
                             .size = (size_t)size};
  }
  return 0;
}

static int value_buffer(struct lt_decode *d, unsigned index, uint64_t length, struct lt_value *ret)
{
  const struct lt_captured *kept = &d->thread->capture.arg[index];
  bool use_kept = kept->kept && d->call->done;
  size_t size = length < VALUE_BYTES ? (size_t)length : VALUE_BYTES;
  size = use_kept && size > kept->size ? kept->size : size;
  struct slot *slot = slot_get(d->thread, index, size + 1);
  if (!slot) {
    return -ENOMEM;
  }
  if (use_kept) {
    memcpy(slot->bytes, d->thread->capture.bytes + kept->at, size);
  } else if (size > 0) {
    ssize_t got = lt_mem_read(d->thread, (uint64_t)ret->integer, slot->bytes, size);
    if (got <= 0) {
      return 0;
    }
    size = (size_t)got;
  }
  *ret = (struct lt_value){.type = LT_ARG_BUFFER,
                           .cut = size < length,
                           .raw = ret->raw,
                           .integer = ret->integer,
                           .bytes = slot->bytes,
                           .size = size};
  return 0;
}

static int value_of(struct lt_decode *d, unsigned index, const struct lt_arg *arg,
                    struct lt_value *ret)
{
  uint64_t length = arg->length >= 0 ? lt_decode_arg(d, (unsigned)arg->length) : 0;
  if (arg->type == LT_ARG_STRING && ret->integer) {
    return value_string(d, index, (uint64_t)ret->integer, ret);
  }
  if (arg->type != LT_ARG_BUFFER || !ret->integer) {
    return 0;
  }
  if (!arg->out) {
    return value_buffer(d, index, length, ret);
  }
  if (!d->call->done) {
    return -EAGAIN;
  }
  if (d->call->is_error || d->call->ret < 0) {
    return 0;
  }
  uint64_t filled = (uint64_t)d->call->ret < length ? (uint64_t)d->call->ret : length;
  if (filled && arg->shape && strcmp(arg->shape, "cwd") == 0) {
    filled--; /* the NUL, which getcwd(2) counts */
  }
  return value_buffer(d, index, filled, ret);
}

int lt_call_arg(lt_thread *thread, unsigned index, struct lt_value *ret)
{
  struct lt_decode d;
  lt_decode_init(&d, thread, NULL);
  if (!thread->in_call || index >= (d.row ? d.row->count : LT_CALL_ARGS)) {
    return -EINVAL;
  }
  const struct lt_arg *arg = d.row ? &d.row->args[index] : NULL;
  *ret = (struct lt_value){.type = LT_ARG_UINT, .raw = thread->call.args[index]};
  ret->integer = (int64_t)lt_decode_arg(&d, index);
  if (!arg) {
    return 0;
  }
  ret->type = arg->type <= LT_ARG_POINTER ? arg->type : LT_ARG_POINTER;
  return value_of(&d, index, arg, ret);
}

int lt_call_string(lt_thread *thread, unsigned index, size_t position, struct lt_value *ret)
{
  struct lt_decode d;
  uint64_t pointer;
  lt_decode_init(&d, thread, NULL);
  if (!thread->in_call || !d.row || index >= d.row->count ||
      d.row->args[index].type != LT_ARG_STRINGS) {
    return -EINVAL;
  }
  uint64_t array = lt_decode_arg(&d, index);
  if (!array || position >= VALUE_STRINGS ||
      lt_decode_words(&d, array + position * lt_decode_word(&d), &pointer, 1) != 1 || !pointer) {
    return 0;
  }
  *ret = (struct lt_value){.type = LT_ARG_POINTER, .raw = pointer, .integer = (int64_t)pointer};
  int error = value_string(&d, LT_CALL_ARGS * (position + 1) + index, pointer, ret);
  return error ? error : 1;
}
