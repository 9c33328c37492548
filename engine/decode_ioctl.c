/* decode_ioctl.c - the calls that are many calls: ioctl(2) and fcntl(2). */
#include <inttypes.h>
#include <string.h>

#include "decode.h"

/* ---- ioctl -------------------------------------------------------------------------------- */

static const char *direction(uint32_t request)
{
  const char *names[] = {"_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"};
  return names[request >> 30];
}

void lt_show_ioctl_number(struct lt_decode *d, uint32_t request)
{
  const char *name = lt_flags_name("ioctl", request);
  if (name) {
    lt_text_put(d->text, name);
  } else {
    lt_text_add(d->text, "_IOC(%s, %#x, %#x, %#x)", direction(request), request >> 8 & 0xff,
                request & 0xff, request >> 16 & 0x3fff);
  }
}

void lt_show_ioctl(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_ioctl_number(d, (uint32_t)value);
}

struct termios_start {
  uint32_t in, out, control, local;
  uint8_t line, keys[19];
};

static const char *const speeds[] = {
    "B0",   "B50",   "B75",   "B110",  "B134",  "B150",  "B200",   "B300",
    "B600", "B1200", "B1800", "B2400", "B4800", "B9600", "B19200", "B38400",
};
static const char *const fast_speeds[] = {
    NULL,       "B57600",   "B115200",  "B230400",  "B460800",  "B500000",  "B576000",  "B921600",
    "B1000000", "B1152000", "B1500000", "B2000000", "B2500000", "B3000000", "B3500000", "B4000000",
};

/* The flags that most often matter, with a minus where they are off. */
static void show_termios(struct lt_decode *d, uint64_t addr)
{
  struct termios_start tty;
  if (!lt_decode_read(d, addr, &tty, sizeof(tty))) {
    lt_show_pointer(d, addr);
    return;
  }
  unsigned speed = tty.control & 017;
  const char *name = tty.control & 010000 ? fast_speeds[speed] : speeds[speed];
  lt_text_add(d->text, "{%s %sopost %sisig %sicanon %secho ...}", name ? name : "B???",
              tty.out & 1 ? "" : "-", tty.local & 1 ? "" : "-", tty.local & 2 ? "" : "-",
              tty.local & 010 ? "" : "-");
}

static void show_window_size(struct lt_decode *d, uint64_t addr)
{
  uint16_t size[4];
  if (lt_decode_read(d, addr, size, sizeof(size))) {
    lt_text_add(d->text, "{ws_row=%u, ws_col=%u, ws_xpixel=%u, ws_ypixel=%u}", size[0], size[1],
                size[2], size[3]);
  } else {
    lt_show_pointer(d, addr);
  }
}

/* What the third argument of a request is, and when it holds something. */
enum content { NOTHING, NUMBER, INT_AT, UINT_AT, UINT64_AT, HEX_AT, TERMIOS, WINDOW };
static const struct {
  uint32_t request;
  uint8_t content;
  bool out;
} requests[] = {
    {0x5401, TERMIOS, true},     {0x5402, TERMIOS, false},      {0x5403, TERMIOS, false},
    {0x5404, TERMIOS, false},    {0x5409, NUMBER, false},       {0x540c, NOTHING, false},
    {0x540d, NOTHING, false},    {0x540e, NUMBER, false},       {0x540f, INT_AT, true},
    {0x5410, INT_AT, false},     {0x5411, INT_AT, true},        {0x5413, WINDOW, true},
    {0x5414, WINDOW, false},     {0x541b, INT_AT, true},        {0x5421, INT_AT, false},
    {0x5422, NOTHING, false},    {0x5424, INT_AT, true},        {0x5427, NOTHING, false},
    {0x5428, NOTHING, false},    {0x5429, INT_AT, true},        {0x5450, NOTHING, false},
    {0x5451, NOTHING, false},    {0x5452, INT_AT, false},       {0x80045430, INT_AT, true},
    {0x40045431, INT_AT, false}, {0x1261, NOTHING, false},      {0x1268, INT_AT, true},
    {0x127b, UINT_AT, true},     {0x80081272, UINT64_AT, true}, {0x80086601, HEX_AT, true},
    {0x40086602, HEX_AT, false}, {0x40049409, NUMBER, false},   {0x8905, INT_AT, true},
};

static void show_content(struct lt_decode *d, enum content content, uint64_t value)
{
  uint64_t number;
  switch (content) {
  case NOTHING:
    break;
  case NUMBER:
    lt_text_add(d->text, "%d", (int32_t)value);
    break;
  case INT_AT:
    lt_show_int_at(d, 2, value);
    break;
  case UINT_AT:
    lt_show_uint_at(d, 2, value);
    break;
  case HEX_AT:
    lt_show_ulong_hex_at(d, 2, value);
    break;
  case TERMIOS:
    show_termios(d, value);
    break;
  case WINDOW:
    show_window_size(d, value);
    break;
  case UINT64_AT:
    if (lt_decode_read(d, value, &number, sizeof(number))) {
      lt_text_add(d->text, "[%" PRIu64 "]", number);
    } else {
      lt_show_pointer(d, value);
    }
    break;
  }
}

void lt_show_ioctl_arg(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t request = (uint32_t)lt_decode_arg(d, index - 1);
  for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
    if (requests[i].request != request) {
      continue;
    }
    if (requests[i].out && !lt_decode_succeeded(d)) {
      break;
    }
    d->fresh = requests[i].out;
    show_content(d, (enum content)requests[i].content, value);
    return;
  }
  if (!value && !lt_flags_name("ioctl", request)) {
    lt_text_put(d->text, "0");
  } else {
    lt_show_pointer(d, value);
  }
}

/* ---- fcntl -------------------------------------------------------------------------------- */

enum {
  F_DUPFD = 0,
  F_GETFD = 1,
  F_SETFD = 2,
  F_GETFL = 3,
  F_SETFL = 4,
  F_GETLK = 5,
  F_SETLKW = 7,
  F_SETOWN = 8,
  F_GETOWN = 9,
  F_SETSIG = 10,
  F_GETSIG = 11,
  F_GETLK64 = 12,
  F_SETLKW64 = 14,
  F_SETOWN_EX = 15,
  F_GETOWN_EX = 16,
  F_OFD_GETLK = 36,
  F_OFD_SETLKW = 38,
  F_SETLEASE = 1024,
  F_GETLEASE = 1025,
  F_DUPFD_CLOEXEC = 1030,
  F_SETPIPE_SZ = 1031,
  F_GETPIPE_SZ = 1032,
  F_ADD_SEALS = 1033,
  F_GET_SEALS = 1034,
};

struct lock {
  int16_t type, whence;
  int64_t start, length;
  int32_t pid;
};

/* `wide`: offsets of 64 bits on i386 too. */
static bool read_lock(struct lt_decode *d, uint64_t addr, bool wide, struct lock *ret)
{
  int16_t heads[2];
  int64_t offsets[2];
  unsigned word = lt_decode_word(d), size = wide ? 8 : word;
  uint64_t at = addr + (word == 8 ? 8 : 4);
  bool got = wide ? lt_decode_read(d, at, offsets, 16) : lt_decode_longs(d, at, offsets, 2) == 2;
  if (!got || !lt_decode_read(d, addr, heads, sizeof(heads)) ||
      !lt_decode_read(d, at + 2 * size, &ret->pid, sizeof(ret->pid))) {
    return false;
  }
  ret->type = heads[0], ret->whence = heads[1];
  ret->start = offsets[0], ret->length = offsets[1];
  return true;
}

static void show_lock(struct lt_decode *d, uint64_t addr, bool wide, bool get)
{
  struct lock lock;
  d->fresh = get;
  if (!read_lock(d, addr, wide, &lock)) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_put(d->text, "{l_type=");
  lt_flags_add(d->text, "lock_type", (uint16_t)lock.type);
  lt_text_put(d->text, ", l_whence=");
  lt_flags_add(d->text, "whence", (uint16_t)lock.whence);
  lt_text_add(d->text, ", l_start=%" PRId64 ", l_len=%" PRId64, lock.start, lock.length);
  if (get) {
    lt_text_add(d->text, ", l_pid=%d", lock.pid);
  }
  lt_text_put(d->text, "}");
}

static void show_owner(struct lt_decode *d, uint64_t addr)
{
  const char *types[] = {"F_OWNER_TID", "F_OWNER_PID", "F_OWNER_PGRP"};
  int32_t owner[2];
  if (!lt_decode_read(d, addr, owner, sizeof(owner))) {
    lt_show_pointer(d, addr);
  } else if (owner[0] >= 0 && owner[0] < 3) {
    lt_text_add(d->text, "{type=%s, pid=%d}", types[owner[0]], owner[1]);
  } else {
    lt_text_add(d->text, "{type=%#x, pid=%d}", (unsigned)owner[0], owner[1]);
  }
}

/* True if it was a command with a lock. */
static bool show_lock_command(struct lt_decode *d, uint32_t command, uint64_t value)
{
  bool native = command >= F_GETLK && command <= F_SETLKW;
  bool wide = (command >= F_GETLK64 && command <= F_SETLKW64) ||
              (command >= F_OFD_GETLK && command <= F_OFD_SETLKW);
  bool get = command == F_GETLK || command == F_GETLK64 || command == F_OFD_GETLK;
  if (!native && !wide) {
    return false;
  }
  if (get && !lt_decode_succeeded(d)) {
    lt_show_pointer(d, value);
  } else {
    show_lock(d, value, wide, get);
  }
  return true;
}

void lt_show_fcntl_arg(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t command = (uint32_t)lt_decode_arg(d, index - 1);
  if (show_lock_command(d, command, value)) {
    return;
  }
  switch (command) {
  case F_GETFD:
  case F_GETFL:
  case F_GETOWN:
  case F_GETSIG:
  case F_GETLEASE:
  case F_GETPIPE_SZ:
  case F_GET_SEALS:
    break;
  case F_SETFD:
    lt_flags_add(d->text, "fd_flags", value);
    break;
  case F_SETFL:
    lt_show_open_flags_value(d, (uint32_t)value);
    break;
  case F_SETSIG:
    lt_show_signal_number(d, (int)value);
    break;
  case F_SETLEASE:
    lt_flags_add(d->text, "lock_type", value);
    break;
  case F_ADD_SEALS:
    lt_flags_add(d->text, "seals", value);
    break;
  case F_DUPFD:
  case F_DUPFD_CLOEXEC:
  case F_SETOWN:
  case F_SETPIPE_SZ:
    lt_text_add(d->text, "%d", (int32_t)value);
    break;
  case F_SETOWN_EX:
    show_owner(d, value);
    break;
  case F_GETOWN_EX:
    if (lt_decode_succeeded(d)) {
      show_owner(d, value);
      break;
    }
    lt_show_pointer(d, value);
    break;
  default:
    lt_text_hex(d->text, value);
    break;
  }
}
