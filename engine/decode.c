/* decode.c - the heart of the decoders: values, reading of words, and printing by type. */
#include "decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- The call ----------------------------------------------------------------------------- */

void lt_decode_init(struct lt_decode *d, lt_thread *thread, struct lt_text *text)
{
  *d = (struct lt_decode){.thread = thread, .call = &thread->call, .text = text};
  d->row = lt_syscall_find((enum lt_abi)thread->call.abi, thread->call.nr);
}

unsigned lt_decode_word(const struct lt_decode *d)
{
  return d->call->abi == LT_ABI_I386 ? 4 : 8;
}

uint64_t lt_arg_value(const struct lt_arg *arg, enum lt_abi abi, uint64_t raw)
{
  unsigned word = abi == LT_ABI_I386 ? 4 : 8;
  unsigned size = arg && arg->size && arg->size < word ? arg->size : word;
  unsigned unused = 64 - size * 8;
  if (arg && (arg->type == LT_ARG_INT || arg->type == LT_ARG_FD)) {
    return (uint64_t)((int64_t)(raw << unused) >> unused);
  }
  return raw << unused >> unused;
}

uint64_t lt_decode_arg(const struct lt_decode *d, unsigned index)
{
  if (index >= LT_CALL_ARGS) {
    return 0;
  }
  const struct lt_arg *arg = d->row && index < d->row->count ? &d->row->args[index] : NULL;
  return lt_arg_value(arg, (enum lt_abi)d->call->abi, d->call->args[index]);
}

bool lt_decode_succeeded(const struct lt_decode *d)
{
  return d->call->done && !d->call->is_error;
}

bool lt_decode_failed(const struct lt_decode *d)
{
  return d->call->done && d->call->is_error;
}

/* ---- Words -------------------------------------------------------------------------------- */

size_t lt_decode_words(struct lt_decode *d, uint64_t addr, uint64_t *ret, size_t count)
{
  uint32_t narrow[64];
  if (lt_decode_word(d) == 8) {
    return lt_decode_read_some(d, addr, ret, count * 8) / 8;
  }
  count = count < 64 ? count : 64;
  count = lt_decode_read_some(d, addr, narrow, count * 4) / 4;
  for (size_t i = 0; i < count; i++) {
    ret[i] = narrow[i];
  }
  return count;
}

size_t lt_decode_longs(struct lt_decode *d, uint64_t addr, int64_t *ret, size_t count)
{
  uint64_t words[64];
  count = lt_decode_words(d, addr, words, count < 64 ? count : 64);
  for (size_t i = 0; i < count; i++) {
    ret[i] = lt_decode_word(d) == 8 ? (int64_t)words[i] : (int32_t)words[i];
  }
  return count;
}

/* ---- Printing ----------------------------------------------------------------------------- */

void lt_show_pointer(struct lt_decode *d, uint64_t value)
{
  if (value) {
    lt_text_hex(d->text, value);
  } else {
    lt_text_put(d->text, "NULL");
  }
}

void lt_show_string_at(struct lt_decode *d, uint64_t addr, size_t max)
{
  char string[LT_SHOW_PATH + 2];
  bool whole;
  max = max < sizeof(string) - 1 ? max : sizeof(string) - 1;
  /* One byte more than is shown tells whether it is cut. */
  size_t asked = max < LT_SHOW_PATH ? max + 1 : max;
  ssize_t size = lt_decode_string(d, addr, string, asked, &whole);
  if (size < 0 || (!whole && (size_t)size < asked)) { /* memory ends before the string does */
    lt_show_pointer(d, addr);
    return;
  }
  bool cut = (size_t)size > max || !whole;
  lt_text_quote(d->text, string, (size_t)size < max ? (size_t)size : max, LT_QUOTE);
  lt_text_put(d->text, cut ? "..." : "");
}

void lt_show_bytes_at(struct lt_decode *d, uint64_t addr, uint64_t size, enum lt_quote how)
{
  uint8_t bytes[LT_SHOW_BYTES] = {0};
  size_t shown = size < sizeof(bytes) ? (size_t)size : sizeof(bytes);
  if (!addr || (shown && !lt_decode_read(d, addr, bytes, shown))) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_quote(d->text, bytes, shown, how);
  lt_text_put(d->text, size > shown ? "..." : "");
}

void lt_show_field(struct lt_decode *d, const char *bytes, size_t size)
{
  lt_text_quote(d->text, bytes, strnlen(bytes, size), LT_QUOTE);
}

void lt_show_array(struct lt_decode *d, uint64_t addr, uint64_t count, size_t item_size,
                   lt_show_item *show)
{
  size_t start = d->text->length;
  if (!addr) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_put(d->text, "[");
  for (uint64_t i = 0; i < count; i++) {
    size_t before = d->text->length;
    lt_text_put(d->text, i ? ", " : "");
    if (i == LT_SHOW_ITEMS) {
      lt_text_put(d->text, "...");
      break;
    }
    if (!show(d, addr + i * item_size)) {
      lt_text_cut(d->text, i ? before : start);
      if (!i) {
        lt_show_pointer(d, addr);
        return;
      }
      lt_text_add(d->text, ", ... /* %#" PRIx64 " */", addr + i * item_size);
      break;
    }
  }
  lt_text_put(d->text, "]");
}

void lt_show_hidden(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)d, (void)index, (void)value;
}

/* getcwd(2) counts the NUL. */
void lt_show_cwd(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_string_at(d, value, LT_SHOW_PATH);
}

void lt_show_path(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_string_at(d, value, LT_SHOW_PATH);
}

/* The address, and how many there are in a comment. */
void lt_show_environment(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t words[64];
  size_t count = 0, got = 1;
  bool end = false;
  (void)index;
  lt_show_pointer(d, value);
  while (value && !end && got > 0 && count < 65536) {
    got = lt_decode_words(d, value + count * lt_decode_word(d), words, 64);
    for (size_t i = 0; i < got && !end; i++) {
      end = words[i] == 0;
      count += !end;
    }
  }
  if (end) {
    lt_text_add(d->text, " /* %zu var%s */", count, count == 1 ? "" : "s");
  } else if (value && count) {
    lt_text_add(d->text, " /* %zu vars, unterminated */", count);
  }
}

static bool show_string_item(struct lt_decode *d, uint64_t addr)
{
  uint64_t pointer;
  if (lt_decode_words(d, addr, &pointer, 1) != 1) {
    return false;
  }
  lt_show_string_at(d, pointer, LT_SHOW_BYTES);
  return true;
}

static void show_strings(struct lt_decode *d, uint64_t value)
{
  uint64_t pointer = 1;
  size_t count = 0;
  while (value && count <= LT_SHOW_ITEMS && pointer) {
    if (lt_decode_words(d, value + count * lt_decode_word(d), &pointer, 1) != 1) {
      pointer = 1;
      count++;
      break;
    }
    count += pointer != 0;
  }
  lt_show_array(d, value, count, lt_decode_word(d), show_string_item);
}

/* ---- By type ------------------------------------------------------------------------------ */

static void show_buffer(struct lt_decode *d, const struct lt_arg *arg, uint64_t value)
{
  uint64_t length = lt_decode_arg(d, (unsigned)arg->length);
  if (arg->out) {
    length = d->call->ret >= 0 && (uint64_t)d->call->ret < length ? (uint64_t)d->call->ret : length;
  }
  lt_show_bytes_at(d, value, length, LT_QUOTE);
}

static void show_plain(struct lt_decode *d, const struct lt_arg *arg, uint64_t value)
{
  switch (arg->type) {
  case LT_ARG_INT:
  case LT_ARG_FD:
    lt_text_signed(d->text, (int64_t)value);
    break;
  case LT_ARG_UINT:
    lt_text_unsigned(d->text, value);
    break;
  case LT_ARG_STRING:
    lt_show_string_at(d, value, LT_SHOW_BYTES);
    break;
  case LT_ARG_BUFFER:
    show_buffer(d, arg, value);
    break;
  case LT_ARG_STRINGS:
    show_strings(d, value);
    break;
  default:
    lt_show_pointer(d, value);
    break;
  }
}

static uint64_t bits_of(const struct lt_arg *arg, uint64_t value)
{
  return arg->size == 4 ? (uint32_t)value : value;
}

void lt_show_arg(struct lt_decode *d, unsigned index)
{
  const struct lt_arg *arg = &d->row->args[index];
  const struct lt_shape *shape = arg->shape ? lt_shape_find(arg->shape) : NULL;
  const struct lt_flags *flags = arg->shape && !shape ? lt_flags_find(arg->shape) : NULL;
  uint64_t value = lt_decode_arg(d, index);
  d->fresh = arg->out && !arg->in;
  if (d->fresh && !lt_decode_succeeded(d) && !(shape && shape->always)) {
    lt_show_pointer(d, value);
  } else if (arg->type == LT_ARG_STRUCT && !value && !(shape && shape->always)) {
    lt_show_pointer(d, value);
  } else if (shape) {
    shape->show(d, index, value);
  } else if (flags) {
    lt_flags_show(d->text, flags, bits_of(arg, value));
  } else {
    show_plain(d, arg, value);
  }
  d->fresh = false;
}
