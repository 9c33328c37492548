/* decode_number.c - numbers in registers and in memory, ids, 64 bits in two registers. */
#include <inttypes.h>

#include "decode.h"

void lt_show_hex(struct lt_decode *d, unsigned index, uint64_t value)
{
  bool narrow = d->row->args[index].size == 4 || lt_decode_word(d) == 4;
  lt_text_hex(d->text, narrow ? (uint32_t)value : value);
}

/* ---- Numbers in memory -------------------------------------------------------------------- */

void lt_show_int_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  int32_t number;
  (void)index;
  if (lt_decode_read(d, value, &number, sizeof(number))) {
    lt_text_add(d->text, "[%" PRId32 "]", number);
  } else {
    lt_show_pointer(d, value);
  }
}

void lt_show_uint_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t number;
  (void)index;
  if (lt_decode_read(d, value, &number, sizeof(number))) {
    lt_text_add(d->text, "[%" PRIu32 "]", number);
  } else {
    lt_show_pointer(d, value);
  }
}

static void show_word_at(struct lt_decode *d, uint64_t addr, bool hex)
{
  uint64_t number;
  if (lt_decode_words(d, addr, &number, 1) != 1) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_put(d->text, "[");
  if (hex) {
    lt_show_pointer(d, number);
  } else {
    lt_text_unsigned(d->text, number);
  }
  lt_text_put(d->text, "]");
}

void lt_show_ulong_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_word_at(d, value, false);
}

void lt_show_ulong_hex_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_word_at(d, value, true);
}

/* The id that means "leave it" is printed as -1. */
static void show_id(struct lt_decode *d, uint32_t id, uint32_t none)
{
  if (id == none) {
    lt_text_put(d->text, "-1");
  } else {
    lt_text_add(d->text, "%" PRIu32, id);
  }
}

void lt_show_id(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_id(d, (uint32_t)value, d->row->args[index].size == 2 ? 0xffff : UINT32_MAX);
}

static bool show_id_item(struct lt_decode *d, uint64_t addr)
{
  uint32_t id;
  if (!lt_decode_read(d, addr, &id, sizeof(id))) {
    return false;
  }
  show_id(d, id, UINT32_MAX);
  return true;
}

static bool show_id16_item(struct lt_decode *d, uint64_t addr)
{
  uint16_t id;
  if (!lt_decode_read(d, addr, &id, sizeof(id))) {
    return false;
  }
  show_id(d, id, 0xffff);
  return true;
}

void lt_show_id_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_array(d, value, 1, 4, show_id_item);
}

void lt_show_id16_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_array(d, value, 1, 2, show_id16_item);
}

/* getgroups fills as many as it returns; setgroups takes as many as it says. */
static void show_groups(struct lt_decode *d, unsigned index, uint64_t addr, size_t size)
{
  int64_t count = (int64_t)lt_decode_arg(d, 0);
  if (d->row->args[index].out) {
    count = d->call->ret < count ? d->call->ret : count;
  }
  if (count < 0 || count > 65536) {
    lt_show_pointer(d, addr);
  } else {
    lt_show_array(d, addr, (uint64_t)count, size, size == 2 ? show_id16_item : show_id_item);
  }
}

void lt_show_groups(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_groups(d, index, value, 4);
}

void lt_show_groups16(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_groups(d, index, value, 2);
}

/* ---- 64 bits in two registers of i386 ----------------------------------------------------- */

static uint64_t joined(const struct lt_decode *d, unsigned index)
{
  return (uint32_t)lt_decode_arg(d, index) | lt_decode_arg(d, index + 1) << 32;
}

void lt_show_split(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)value;
  lt_text_signed(d->text, (int64_t)joined(d, index));
}

void lt_show_split_unsigned(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)value;
  lt_text_unsigned(d->text, joined(d, index));
}

void lt_show_split_fanotify(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)value;
  lt_flags_add(d->text, "fanotify_mask", joined(d, index));
}
