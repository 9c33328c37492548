/* decode_stat.c - what stat(2), statx(2) and statfs(2) fill. */
#include "decode.h"

#include <inttypes.h>
#include <string.h>

/* ---- stat --------------------------------------------------------------------------------- */

/* Where the fields that are printed lie. */
struct stat_layout {
  uint8_t size; /* of the struct */
  uint8_t mode, device, file_size;
  uint8_t mode_bytes, device_bytes, size_bytes;
};

static const struct stat_layout stat_x86_64 = {144, 24, 40, 48, 4, 8, 8};
static const struct stat_layout stat_i386 = {64, 8, 16, 20, 2, 2, 4};
static const struct stat_layout stat64_i386 = {96, 16, 32, 44, 4, 8, 8};

static uint64_t field(const uint8_t *bytes, unsigned at, unsigned size)
{
  uint64_t value = 0;
  memcpy(&value, bytes + at, size);
  return value;
}

static void show_mode(struct lt_decode *d, uint32_t mode)
{
  const char *type = lt_flags_name("file_type", mode & 0170000);
  if (type) {
    lt_text_add(d->text, "%s|", type);
    uint32_t special = mode & 07000;
    lt_text_put(d->text, special & 04000 ? "S_ISUID|" : "");
    lt_text_put(d->text, special & 02000 ? "S_ISGID|" : "");
    lt_text_put(d->text, special & 01000 ? "S_ISVTX|" : "");
    mode &= 0777;
  }
  lt_text_add(d->text, "%#03" PRIo32, mode);
}

static void show_stat(struct lt_decode *d, uint64_t addr, const struct stat_layout *layout)
{
  uint8_t bytes[160];
  if (!lt_decode_read(d, addr, bytes, layout->size)) {
    lt_show_pointer(d, addr);
    return;
  }
  uint32_t mode = (uint32_t)field(bytes, layout->mode, layout->mode_bytes);
  lt_text_put(d->text, "{st_mode=");
  show_mode(d, mode);
  if ((mode & 0170000) == 0020000 || (mode & 0170000) == 0060000) {
    lt_text_put(d->text, ", st_rdev=");
    lt_show_device(d, field(bytes, layout->device, layout->device_bytes));
  } else {
    lt_text_add(d->text, ", st_size=%" PRIu64, field(bytes, layout->file_size, layout->size_bytes));
  }
  lt_text_put(d->text, ", ...}");
}

void lt_show_stat(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_stat(d, value, lt_decode_word(d) == 8 ? &stat_x86_64 : &stat_i386);
}

void lt_show_stat64(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_stat(d, value, &stat64_i386);
}

/* ---- statx -------------------------------------------------------------------------------- */

struct statx_start {
  uint32_t mask, block_size;
  uint64_t attributes;
  uint32_t links, uid, gid;
  uint16_t mode, spare;
  uint64_t inode, size;
};

static const struct lt_flag attributes[] = {
    {0x4, "STATX_ATTR_COMPRESSED"},    {0x10, "STATX_ATTR_IMMUTABLE"},
    {0x20, "STATX_ATTR_APPEND"},       {0x40, "STATX_ATTR_NODUMP"},
    {0x800, "STATX_ATTR_ENCRYPTED"},   {0x1000, "STATX_ATTR_AUTOMOUNT"},
    {0x2000, "STATX_ATTR_MOUNT_ROOT"}, {0x100000, "STATX_ATTR_VERITY"},
    {0x200000, "STATX_ATTR_DAX"},
};
static const struct lt_flags attribute_set = {"stx_attributes", LT_BITS, "STATX_ATTR_???",
                                              LT_ROWS(attributes)};

void lt_show_statx(struct lt_decode *d, unsigned index, uint64_t value)
{
  struct statx_start stat;
  (void)index;
  if (!lt_decode_read(d, value, &stat, sizeof(stat))) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "{stx_mask=");
  lt_flags_add(d->text, "statx_mask", stat.mask);
  lt_text_put(d->text, ", stx_attributes=");
  lt_flags_show(d->text, &attribute_set, stat.attributes);
  lt_text_put(d->text, ", stx_mode=");
  show_mode(d, stat.mode);
  lt_text_add(d->text, ", stx_size=%" PRIu64 ", ...}", stat.size);
}

/* ---- statfs ------------------------------------------------------------------------------- */

/* The fields of all layouts, in the order in which they are printed. */
struct statfs_fields {
  uint64_t type, block_size, blocks, free, available, files, files_free;
  int32_t id[2];
  uint64_t name_length, fragment, flags;
};

static void show_statfs(struct lt_decode *d, const struct statfs_fields *f)
{
  const char *type = lt_flags_name("statfs_type", f->type);
  lt_text_put(d->text, "{f_type=");
  if (type) {
    lt_text_put(d->text, type);
  } else {
    lt_text_hex(d->text, f->type);
  }
  lt_text_add(d->text, ", f_bsize=%" PRIu64 ", f_blocks=%" PRIu64 ", f_bfree=%" PRIu64,
              f->block_size, f->blocks, f->free);
  lt_text_add(d->text, ", f_bavail=%" PRIu64 ", f_files=%" PRIu64 ", f_ffree=%" PRIu64,
              f->available, f->files, f->files_free);
  lt_text_add(d->text, ", f_fsid={val=[%#" PRIx32 ", %#" PRIx32 "]}", (uint32_t)f->id[0],
              (uint32_t)f->id[1]);
  lt_text_add(d->text, ", f_namelen=%" PRIu64 ", f_frsize=%" PRIu64 ", f_flags=", f->name_length,
              f->fragment);
  lt_flags_add(d->text, "statfs_flags", f->flags);
  lt_text_put(d->text, "}");
}

/* All fields are longs, but for the two halves of the id. */
static bool read_statfs(struct lt_decode *d, uint64_t addr, struct statfs_fields *f)
{
  uint64_t w[7], rest[3];
  unsigned word = lt_decode_word(d);
  if (lt_decode_words(d, addr, w, 7) != 7 || !lt_decode_read(d, addr + 7 * word, f->id, 8) ||
      lt_decode_words(d, addr + 7 * word + 8, rest, 3) != 3) {
    return false;
  }
  f->type = w[0], f->block_size = w[1], f->blocks = w[2], f->free = w[3];
  f->available = w[4], f->files = w[5], f->files_free = w[6];
  f->name_length = rest[0], f->fragment = rest[1], f->flags = rest[2];
  return true;
}

void lt_show_statfs(struct lt_decode *d, unsigned index, uint64_t value)
{
  struct statfs_fields fields;
  (void)index;
  if (read_statfs(d, value, &fields)) {
    show_statfs(d, &fields);
  } else {
    lt_show_pointer(d, value);
  }
}

/* statfs64 of i386: two words, five of 64 bits, five words. */
void lt_show_statfs64(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint8_t b[68];
  (void)index;
  if (!lt_decode_read(d, value, b, sizeof(b))) {
    lt_show_pointer(d, value);
    return;
  }
  struct statfs_fields f = {
      .type = field(b, 0, 4),
      .block_size = field(b, 4, 4),
      .blocks = field(b, 8, 8),
      .free = field(b, 16, 8),
      .available = field(b, 24, 8),
      .files = field(b, 32, 8),
      .files_free = field(b, 40, 8),
      .id = {(int32_t)field(b, 48, 4), (int32_t)field(b, 52, 4)},
      .name_length = field(b, 56, 4),
      .fragment = field(b, 60, 4),
      .flags = field(b, 64, 4),
  };
  show_statfs(d, &f);
}
