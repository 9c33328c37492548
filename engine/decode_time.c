/* decode_time.c - times, timers and clocks. */
#include <inttypes.h>
#include <time.h>

#include "decode.h"

/* Two numbers of one struct: seconds and parts. Those of 64 bits have the same layout on both ABIs.
 */
static bool read_pair(struct lt_decode *d, uint64_t addr, bool wide, int64_t *ret)
{
  if (wide) {
    return lt_decode_read(d, addr, ret, 16);
  }
  return lt_decode_longs(d, addr, ret, 2) == 2;
}

static size_t pair_size(const struct lt_decode *d, bool wide)
{
  return wide ? 16 : 2 * (size_t)lt_decode_word(d);
}

static void show_pair(struct lt_decode *d, const int64_t *pair, const char *parts)
{
  lt_text_add(d->text, "{tv_sec=%" PRId64 ", %s=%" PRId64 "}", pair[0], parts, pair[1]);
}

bool lt_show_timespec_at(struct lt_decode *d, uint64_t addr, bool wide)
{
  int64_t pair[2];
  if (!addr || !read_pair(d, addr, wide, pair)) {
    return false;
  }
  show_pair(d, pair, "tv_nsec");
  return true;
}

bool lt_show_timeval_at(struct lt_decode *d, uint64_t addr)
{
  int64_t pair[2];
  if (!addr || !read_pair(d, addr, false, pair)) {
    return false;
  }
  show_pair(d, pair, "tv_usec");
  return true;
}

static void show_timespec(struct lt_decode *d, uint64_t addr, bool wide)
{
  if (!lt_show_timespec_at(d, addr, wide)) {
    lt_show_pointer(d, addr);
  }
}

void lt_show_timespec(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_timespec(d, value, false);
}

void lt_show_timespec_64(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_timespec(d, value, true);
}

/* The rest of a sleep is filled only when a signal ended it. */
static bool was_interrupted(const struct lt_decode *d)
{
  return d->call->done && (d->call->ret == -4 || (d->call->ret <= -512 && d->call->ret >= -516));
}

static void show_rest(struct lt_decode *d, uint64_t addr, bool wide)
{
  if (was_interrupted(d)) {
    show_timespec(d, addr, wide);
  } else {
    lt_show_pointer(d, addr);
  }
}

void lt_show_timespec_rest(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_rest(d, value, false);
}

void lt_show_timespec_rest_64(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_rest(d, value, true);
}

void lt_show_timeval(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  if (!lt_show_timeval_at(d, value)) {
    lt_show_pointer(d, value);
  }
}

/* ---- Pairs of times ----------------------------------------------------------------------- */

#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/* When that was, in a comment, with as many digits of the second as the unit has. */
static void show_date(struct lt_decode *d, int64_t seconds, int64_t parts, int digits)
{
  char day[40], zone[16];
  time_t time = (time_t)seconds;
  struct tm tm;
  if ((!seconds && !parts) || !localtime_r(&time, &tm) ||
      !strftime(day, sizeof(day), "%FT%T", &tm) || !strftime(zone, sizeof(zone), "%z", &tm)) {
    return;
  }
  lt_text_add(d->text, " /* %s", day);
  if (parts > 0) {
    lt_text_add(d->text, ".%0*" PRId64, digits, parts);
  }
  lt_text_add(d->text, "%s */", zone);
}

static bool show_file_timeval(struct lt_decode *d, uint64_t addr)
{
  int64_t pair[2];
  if (!read_pair(d, addr, false, pair)) {
    return false;
  }
  show_pair(d, pair, "tv_usec");
  if (pair[1] >= 0 && pair[1] < 1000000) {
    show_date(d, pair[0], pair[1], 6);
  }
  return true;
}

static bool show_file_time(struct lt_decode *d, uint64_t addr, bool wide)
{
  int64_t pair[2];
  if (!read_pair(d, addr, wide, pair)) {
    return false;
  }
  if (pair[1] == UTIME_NOW) {
    lt_text_put(d->text, "UTIME_NOW");
  } else if (pair[1] == UTIME_OMIT) {
    lt_text_put(d->text, "UTIME_OMIT");
  } else {
    show_pair(d, pair, "tv_nsec");
    if (pair[1] >= 0 && pair[1] < 1000000000) {
      show_date(d, pair[0], pair[1], 9);
    }
  }
  return true;
}

static bool show_file_time_narrow(struct lt_decode *d, uint64_t addr)
{
  return show_file_time(d, addr, false);
}

static bool show_file_time_wide(struct lt_decode *d, uint64_t addr)
{
  return show_file_time(d, addr, true);
}

void lt_show_timespecs2(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_array(d, value, 2, pair_size(d, false), show_file_time_narrow);
}

void lt_show_timespecs2_64(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_array(d, value, 2, pair_size(d, true), show_file_time_wide);
}

void lt_show_timevals2(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_array(d, value, 2, pair_size(d, false), show_file_timeval);
}

void lt_show_utimbuf(struct lt_decode *d, unsigned index, uint64_t value)
{
  int64_t pair[2];
  (void)index;
  if (read_pair(d, value, false, pair)) {
    lt_text_add(d->text, "{actime=%" PRId64, pair[0]);
    show_date(d, pair[0], 0, 0);
    lt_text_add(d->text, ", modtime=%" PRId64, pair[1]);
    show_date(d, pair[1], 0, 0);
    lt_text_put(d->text, "}");
  } else {
    lt_show_pointer(d, value);
  }
}

/* ---- Timers ------------------------------------------------------------------------------- */

static void show_interval(struct lt_decode *d, uint64_t addr, bool wide, const char *parts)
{
  int64_t interval[2], first[2];
  if (!read_pair(d, addr, wide, interval) ||
      !read_pair(d, addr + pair_size(d, wide), wide, first)) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_put(d->text, "{it_interval=");
  show_pair(d, interval, parts);
  lt_text_put(d->text, ", it_value=");
  show_pair(d, first, parts);
  lt_text_put(d->text, "}");
}

void lt_show_itimerval(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_interval(d, value, false, "tv_usec");
}

void lt_show_itimerspec(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_interval(d, value, false, "tv_nsec");
}

void lt_show_itimerspec_64(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_interval(d, value, true, "tv_nsec");
}

/* ---- Clocks ------------------------------------------------------------------------------- */

void lt_show_timezone(struct lt_decode *d, unsigned index, uint64_t value)
{
  int32_t zone[2];
  (void)index;
  if (lt_decode_read(d, value, zone, sizeof(zone))) {
    lt_text_add(d->text, "{tz_minuteswest=%" PRId32 ", tz_dsttime=%" PRId32 "}", zone[0], zone[1]);
  } else {
    lt_show_pointer(d, value);
  }
}

void lt_show_time(struct lt_decode *d, unsigned index, uint64_t value)
{
  int64_t time;
  (void)index;
  if (lt_decode_longs(d, value, &time, 1) == 1) {
    lt_text_add(d->text, "[%" PRId64, time);
    show_date(d, time, 0, 0);
    lt_text_put(d->text, "]");
  } else {
    lt_show_pointer(d, value);
  }
}

/* A negative clock is one of a process, a thread or a descriptor. */
void lt_show_clock(struct lt_decode *d, unsigned index, uint64_t value)
{
  int32_t clock = (int32_t)value;
  const char *kinds[] = {"CPUCLOCK_PROF", "CPUCLOCK_VIRT", "CPUCLOCK_SCHED"};
  (void)index;
  if (clock >= 0 || (clock & 7) == 7) {
    lt_flags_add(d->text, "clock", (uint32_t)clock);
  } else if ((clock & 7) == 3) {
    lt_text_add(d->text, "FD_TO_CLOCKID(%d)", ~(clock >> 3));
  } else {
    lt_text_add(d->text, "MAKE_%s_CPUCLOCK(%d, ", clock & 4 ? "THREAD" : "PROCESS", ~(clock >> 3));
    if ((clock & 3) == 3) {
      lt_text_add(d->text, "3 /* CPUCLOCK_??? */)");
    } else {
      lt_text_add(d->text, "%s)", kinds[clock & 3]);
    }
  }
}
