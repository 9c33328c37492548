/* decode_fs.c - files: names, flags, modes, devices, offsets, vectors, directories. */
#include "decode.h"

#include <inttypes.h>
#include <string.h>

#define AT_FDCWD (-100)
#define O_CREAT 0100
#define O_TMPFILE 0x400000
#define S_IFMT 0170000

void lt_show_dirfd(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  if ((int32_t)value == AT_FDCWD) {
    lt_text_put(d->text, "AT_FDCWD");
  } else {
    lt_text_add(d->text, "%d", (int32_t)value);
  }
}

/* ---- Flags and modes ---------------------------------------------------------------------- */

void lt_show_open_flags_value(struct lt_decode *d, uint32_t value)
{
  lt_flags_add(d->text, "accmode", value & 3);
  if (value & ~3u) {
    lt_text_put(d->text, "|");
    uint64_t rest = lt_flags_known(d->text, "open_bits", value & ~3u);
    if (rest) {
      lt_text_hex(d->text, rest);
    } else {
      lt_text_cut(d->text, d->text->length - 1);
    }
  }
}

void lt_show_open_flags(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_open_flags_value(d, (uint32_t)value);
}

static void show_octal(struct lt_decode *d, uint64_t value)
{
  lt_text_add(d->text, "%#03" PRIo64, value);
}

void lt_show_mode(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_octal(d, value & 0xffff);
}

/* The mode counts only where the flags before it may create a file. */
void lt_show_open_mode(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (lt_decode_arg(d, index - 1) & (O_CREAT | O_TMPFILE)) {
    show_octal(d, value & 0xffff);
  }
}

/* Mode and attributes of a queue count only where it may be created. */
void lt_show_mq_mode(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (lt_decode_arg(d, index - 1) & O_CREAT) {
    show_octal(d, value & 0xffff);
  }
}

void lt_show_mq_attr(struct lt_decode *d, unsigned index, uint64_t value)
{
  int64_t fields[4];
  if (!(lt_decode_arg(d, index - 2) & O_CREAT)) {
    return;
  }
  if (lt_decode_longs(d, value, fields, 4) != 4) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "{mq_flags=");
  lt_flags_add(d->text, "open_bits", (uint64_t)fields[0]);
  lt_text_add(d->text, ", mq_maxmsg=%" PRId64 ", mq_msgsize=%" PRId64 ", mq_curmsgs=%" PRId64 "}",
              fields[1], fields[2], fields[3]);
}

void lt_show_mknod_mode(struct lt_decode *d, unsigned index, uint64_t value)
{
  const char *type = lt_flags_name("file_type", value & S_IFMT);
  (void)index;
  if (type) {
    lt_text_add(d->text, "%s|%#03" PRIo64, type, value & 07777);
  } else {
    show_octal(d, value & 0xffff);
  }
}

void lt_show_device(struct lt_decode *d, uint64_t device)
{
  uint32_t major = (uint32_t)((device >> 8 & 0xfff) | (device >> 32 & 0xfffff000));
  uint32_t minor = (uint32_t)((device & 0xff) | (device >> 12 & 0xffffff00));
  lt_text_add(d->text, "makedev(%#x, %#x)", major, minor);
}

void lt_show_dev(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_device(d, value);
}

/* The device counts only for character and block special files. */
void lt_show_mknod_dev(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t type = lt_decode_arg(d, index - 1) & S_IFMT;
  if (type == 0020000 || type == 0060000) {
    lt_show_device(d, value);
  }
}

void lt_show_statx_flags(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  if (!(value & 0x6000)) {
    lt_text_put(d->text, "AT_STATX_SYNC_AS_STAT");
    if (!(uint32_t)value) {
      return;
    }
    lt_text_put(d->text, "|");
  }
  uint64_t rest = lt_flags_known(d->text, "statx_at", (uint32_t)value);
  if (rest) {
    lt_text_hex(d->text, rest);
  } else {
    lt_text_cut(d->text, d->text->length - 1);
  }
}

void lt_show_fanotify_init(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_flags_add(d->text, "fanotify_class", value & 0xc);
  if ((uint32_t)value & ~0xcu) {
    lt_text_put(d->text, "|");
    lt_flags_add(d->text, "fanotify_init", (uint32_t)value & ~0xcu);
  }
}

void lt_show_swap_flags(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t rest = lt_flags_known(d->text, "swapon", (uint32_t)value & ~0x7fffu);
  (void)index;
  if (rest) {
    lt_text_add(d->text, "%#" PRIx64 "|", rest);
  }
  lt_text_unsigned(d->text, value & 0x7fff);
}

/* ---- Offsets ------------------------------------------------------------------------------ */

static bool read_offset(struct lt_decode *d, uint64_t addr, bool wide, int64_t *ret)
{
  if (wide) {
    return lt_decode_read(d, addr, ret, sizeof(*ret));
  }
  return lt_decode_longs(d, addr, ret, 1) == 1;
}

static void show_offset_at(struct lt_decode *d, unsigned index, uint64_t addr, bool wide)
{
  int64_t before, after;
  if (!read_offset(d, addr, wide, &before)) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_add(d->text, "[%" PRId64 "]", before);
  d->fresh = true;
  if (d->row->args[index].in && d->row->args[index].out && lt_decode_succeeded(d) &&
      read_offset(d, addr, wide, &after) && after != before) {
    lt_text_add(d->text, " => [%" PRId64 "]", after);
  }
}

void lt_show_offset(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_offset_at(d, index, value, false);
}

void lt_show_offset64(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_offset_at(d, index, value, true);
}

/* preadv(2) and its kin pass the halves of an offset in two longs; a long of 64 bits holds it all.
 */
void lt_show_offset_pair(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (lt_decode_word(d) == 4) {
    value |= lt_decode_arg(d, index + 1) << 32;
  }
  lt_text_signed(d->text, (int64_t)value);
}

void lt_show_llseek_offset(struct lt_decode *d, unsigned index, uint64_t value)
{
  lt_text_signed(d->text, (int64_t)(value << 32 | lt_decode_arg(d, index + 1)));
}

static bool show_fd_item(struct lt_decode *d, uint64_t addr)
{
  int32_t fd;
  if (!lt_decode_read(d, addr, &fd, sizeof(fd))) {
    return false;
  }
  lt_text_add(d->text, "%d", fd);
  return true;
}

void lt_show_fd_pair(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_array(d, value, 2, 4, show_fd_item);
}

/* ---- Vectors ------------------------------------------------------------------------------ */

/* Prints one element; *limit is how many bytes of the vector hold something. */
static bool show_iovec_item(struct lt_decode *d, uint64_t addr, bool data, uint64_t *limit)
{
  uint64_t words[2];
  if (lt_decode_words(d, addr, words, 2) != 2) {
    return false;
  }
  uint64_t filled = words[1] < *limit ? words[1] : *limit;
  *limit -= filled;
  lt_text_put(d->text, "{iov_base=");
  if (data) {
    lt_show_bytes_at(d, words[0], filled, LT_QUOTE);
  } else {
    lt_show_pointer(d, words[0]);
  }
  lt_text_add(d->text, ", iov_len=%" PRIu64 "}", words[1]);
  return true;
}

void lt_show_iovec_at(struct lt_decode *d, uint64_t addr, uint64_t count, bool data, uint64_t limit)
{
  size_t start = d->text->length, size = 2 * lt_decode_word(d);
  lt_text_put(d->text, "[");
  for (uint64_t i = 0; i < count && i < LT_SHOW_ITEMS; i++) {
    lt_text_put(d->text, i ? ", " : "");
    if (!show_iovec_item(d, addr + i * size, data, &limit)) {
      if (i == 0) {
        lt_text_cut(d->text, start);
        lt_show_pointer(d, addr);
        return;
      }
      lt_text_add(d->text, "... /* %#" PRIx64 " */", addr + i * size);
      break;
    }
  }
  lt_text_put(d->text, count > LT_SHOW_ITEMS ? ", ...]" : "]");
}

/* A vector that the call fills has as many bytes as the call returned; before, only addresses. */
void lt_show_iovec(struct lt_decode *d, unsigned index, uint64_t value)
{
  bool out = d->row->args[index].out;
  uint64_t limit = out ? (uint64_t)d->call->ret : UINT64_MAX;
  if (!value) {
    lt_show_pointer(d, value);
  } else {
    lt_show_iovec_at(d, value, lt_decode_arg(d, index + 1), !out || lt_decode_succeeded(d), limit);
  }
}

/* A vector of another process's addresses. */
void lt_show_iovec_raw(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (!value) {
    lt_show_pointer(d, value);
  } else {
    lt_show_iovec_at(d, value, lt_decode_arg(d, index + 1), false, 0);
  }
}

/* ---- Directories -------------------------------------------------------------------------- */

#define DIRENTS_BYTES (1u << 20) /* more than that is not counted */

/* Entries tell their own length. They are read by the piece: a call returns hundreds. */
static unsigned count_dirents(struct lt_decode *d, uint64_t addr, uint64_t size, unsigned length_at)
{
  uint8_t piece[4096];
  uint64_t from = 0;
  size_t have = 0;
  unsigned count = 0;
  for (uint64_t at = 0; at < size; count++) {
    uint16_t length;
    if (at + length_at + sizeof(length) > from + have) {
      from = at;
      have = size - at < sizeof(piece) ? (size_t)(size - at) : sizeof(piece);
      have = lt_decode_read_some(d, addr + at, piece, have);
    }
    if (at + length_at + sizeof(length) > from + have) {
      break;
    }
    memcpy(&length, piece + (at - from) + length_at, sizeof(length));
    if (length == 0) {
      break;
    }
    at += length;
  }
  return count;
}

/* The address, and the number of entries in a comment. */
static void show_dirents(struct lt_decode *d, uint64_t addr, unsigned length_at)
{
  uint64_t size = (uint64_t)d->call->ret;
  lt_show_pointer(d, addr);
  if (!addr || !lt_decode_succeeded(d) || size > DIRENTS_BYTES) {
    return;
  }
  unsigned count = count_dirents(d, addr, size, length_at);
  lt_text_add(d->text, " /* %u entr%s */", count, count == 1 ? "y" : "ies");
}

void lt_show_dirents(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_dirents(d, value, 2 * lt_decode_word(d));
}

void lt_show_dirents64(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_dirents(d, value, 16);
}

/* ---- Others ------------------------------------------------------------------------------- */

void lt_show_open_how(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t how[3]; /* flags, mode, resolve */
  uint64_t size = lt_decode_arg(d, index + 1);
  if (size < sizeof(how) || !lt_decode_read(d, value, how, sizeof(how))) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "{flags=");
  lt_show_open_flags_value(d, (uint32_t)how[0]);
  if (how[0] & (O_CREAT | O_TMPFILE) || how[1]) {
    lt_text_put(d->text, ", mode=");
    show_octal(d, how[1]);
  }
  lt_text_put(d->text, ", resolve=");
  lt_flags_add(d->text, "openat2_resolve", how[2]);
  lt_text_put(d->text, size > sizeof(how) ? ", ...}" : "}");
}

#define MS_BINARY (0x20u | 0x1000 | 0x2000 | 0x20000 | 0x40000 | 0x80000 | 0x100000)

/* Text for a new mount; bind, move, remount and the changes of propagation have none. */
void lt_show_mount_data(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (lt_decode_arg(d, index - 1) & (MS_BINARY & ~0x20u)) {
    lt_show_pointer(d, value);
  } else {
    lt_show_string_at(d, value, LT_SHOW_BYTES);
  }
}
