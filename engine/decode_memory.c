/* decode_memory.c - mapping memory, futexes, memory policies. */
#include "decode.h"

#include <inttypes.h>

#define MREMAP_FIXED 2
#define MAP_TYPE 0xf
#define MAP_HUGE_SHIFT 26

/* ---- Maps --------------------------------------------------------------------------------- */

static void show_map_flags(struct lt_decode *d, uint64_t flags)
{
  uint64_t huge = flags >> MAP_HUGE_SHIFT & 0x3f, bits = flags & ~(uint64_t)MAP_TYPE;
  bits &= ~(0x3full << MAP_HUGE_SHIFT);
  lt_flags_add(d->text, "map_type", flags & MAP_TYPE);
  if (bits) {
    lt_text_put(d->text, "|");
    uint64_t rest = lt_flags_known(d->text, "map_bits", bits);
    if (rest) {
      lt_text_hex(d->text, rest);
    } else {
      lt_text_cut(d->text, d->text->length - 1);
    }
  }
  if (huge) {
    lt_text_add(d->text, "|%" PRIu64 "<<MAP_HUGE_SHIFT", huge);
  }
}

void lt_show_mmap_flags(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_map_flags(d, value);
}

/* mmap2 of i386 counts in pages. */
void lt_show_page_offset(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_text_hex(d->text, value << 12);
}

/* mmap number 90 of i386: its arguments in memory. */
void lt_show_old_mmap(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t words[6];
  (void)index;
  if (lt_decode_words(d, value, words, 6) != 6) {
    lt_show_pointer(d, value);
    return;
  }
  lt_show_pointer(d, words[0]);
  lt_text_add(d->text, ", %" PRIu64 ", ", words[1]);
  lt_flags_add(d->text, "prot", words[2]);
  lt_text_put(d->text, ", ");
  show_map_flags(d, words[3]);
  lt_text_add(d->text, ", %d, %#" PRIx64, (int32_t)words[4], words[5]);
}

void lt_show_mremap_addr(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (lt_decode_arg(d, index - 1) & MREMAP_FIXED) {
    lt_show_pointer(d, value);
  }
}

/* One byte a page, of which the lowest bit counts. */
static bool show_page(struct lt_decode *d, uint64_t addr)
{
  uint8_t byte;
  if (!lt_decode_read(d, addr, &byte, 1)) {
    return false;
  }
  lt_text_add(d->text, "%u", byte & 1);
  return true;
}

void lt_show_mincore(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t length = lt_decode_arg(d, index - 1);
  lt_show_array(d, value, length / 4096 + (length % 4096 != 0), 1, show_page);
}

void lt_show_mpol(struct lt_decode *d, unsigned index, uint64_t value)
{
  const uint64_t bits = 0xe000;
  (void)index;
  value = d->row->args[index].size == 4 ? (uint32_t)value : value;
  lt_flags_add(d->text, "mpol_mode", value & ~bits);
  if (value & bits) {
    lt_text_put(d->text, "|");
    lt_flags_add(d->text, "mpol_bits", value & bits);
  }
}

/* ---- Futexes ------------------------------------------------------------------------------ */

enum {
  FUTEX_WAIT,
  FUTEX_WAKE,
  FUTEX_FD,
  FUTEX_REQUEUE,
  FUTEX_CMP_REQUEUE,
  FUTEX_WAKE_OP,
  FUTEX_LOCK_PI,
  FUTEX_UNLOCK_PI,
  FUTEX_TRYLOCK_PI,
  FUTEX_WAIT_BITSET,
  FUTEX_WAKE_BITSET,
  FUTEX_WAIT_REQUEUE_PI,
  FUTEX_CMP_REQUEUE_PI,
  FUTEX_LOCK_PI2,
  FUTEX_LAST = FUTEX_LOCK_PI2,
};

/* Which arguments after the operation mean something, and how. */
enum { VAL = 1, TIME = 2, VAL2 = 4, ADDR2 = 8, VAL3 = 16, BITSET = 32, OP = 64 };
static const uint8_t futex_uses[] = {
    [FUTEX_WAIT] = VAL | TIME,
    [FUTEX_WAKE] = VAL,
    [FUTEX_FD] = VAL,
    [FUTEX_REQUEUE] = VAL | VAL2 | ADDR2,
    [FUTEX_CMP_REQUEUE] = VAL | VAL2 | ADDR2 | VAL3,
    [FUTEX_WAKE_OP] = VAL | VAL2 | ADDR2 | OP,
    [FUTEX_LOCK_PI] = TIME,
    [FUTEX_WAIT_BITSET] = VAL | TIME | BITSET,
    [FUTEX_WAKE_BITSET] = VAL | BITSET,
    [FUTEX_WAIT_REQUEUE_PI] = VAL | TIME | ADDR2,
    [FUTEX_CMP_REQUEUE_PI] = VAL | VAL2 | ADDR2 | VAL3,
    [FUTEX_LOCK_PI2] = TIME,
};

static unsigned uses(const struct lt_decode *d)
{
  uint64_t op = lt_decode_arg(d, 1) & 0x7f;
  return op <= FUTEX_LAST ? futex_uses[op] : VAL | TIME | ADDR2 | VAL3;
}

#define FUTEX_PRIVATE 0x80
#define FUTEX_REALTIME 0x100

void lt_show_futex(struct lt_decode *d, unsigned index, uint64_t value)
{
  const char *name = lt_flags_name("futex_op", value & 0x7f);
  (void)index;
  if (!name || (uint32_t)value & ~(0x7fu | FUTEX_PRIVATE | FUTEX_REALTIME)) {
    lt_text_add(d->text, "%#" PRIx32 " /* FUTEX_??? */", (uint32_t)value);
    return;
  }
  lt_text_put(d->text, name);
  lt_text_put(d->text, value & FUTEX_PRIVATE ? "_PRIVATE" : "");
  lt_text_put(d->text, value & FUTEX_REALTIME ? "|FUTEX_CLOCK_REALTIME" : "");
}

void lt_show_futex_val(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  if (uses(d) & VAL) {
    lt_text_unsigned(d->text, value);
  }
}

static void show_futex_time(struct lt_decode *d, uint64_t value, bool wide)
{
  if (uses(d) & VAL2) {
    lt_text_unsigned(d->text, value);
  } else if (uses(d) & TIME && !lt_show_timespec_at(d, value, wide)) {
    lt_show_pointer(d, value);
  }
}

void lt_show_futex_time(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_futex_time(d, value, false);
}

void lt_show_futex_time_64(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_futex_time(d, value, true);
}

void lt_show_futex_uaddr2(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  if (uses(d) & ADDR2) {
    lt_show_pointer(d, value);
  }
}

/* FUTEX_WAKE_OP packs an operation and a comparison with their operands. */
static void show_wake_op(struct lt_decode *d, uint32_t value)
{
  const char *ops[] = {"SET", "ADD", "OR", "ANDN", "XOR"};
  const char *comparisons[] = {"EQ", "NE", "LT", "LE", "GT", "GE"};
  uint32_t op = value >> 28 & 7, comparison = value >> 24 & 15;
  lt_text_put(d->text, value >> 31 ? "FUTEX_OP_OPARG_SHIFT<<28|" : "");
  if (op < 5) {
    lt_text_add(d->text, "FUTEX_OP_%s<<28|%#x<<12|", ops[op], value >> 12 & 0xfff);
  } else {
    lt_text_add(d->text, "%#x<<28 /* FUTEX_OP_??? */|%#x<<12|", op, value >> 12 & 0xfff);
  }
  if (comparison < 6) {
    lt_text_add(d->text, "FUTEX_OP_CMP_%s<<24|%#x", comparisons[comparison], value & 0xfff);
  } else {
    lt_text_add(d->text, "%#x<<24 /* FUTEX_OP_CMP_??? */|%#x", comparison, value & 0xfff);
  }
}

void lt_show_futex_val3(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  if (uses(d) & BITSET && (uint32_t)value == UINT32_MAX) {
    lt_text_put(d->text, "FUTEX_BITSET_MATCH_ANY");
  } else if (uses(d) & OP) {
    show_wake_op(d, (uint32_t)value);
  } else if (uses(d) & BITSET) {
    lt_text_hex(d->text, value);
  } else if (uses(d) & VAL3) {
    lt_text_add(d->text, (lt_decode_arg(d, 1) & 0x7f) <= FUTEX_LAST ? "%" PRIu64 : "%#" PRIx64,
                value);
  }
}
