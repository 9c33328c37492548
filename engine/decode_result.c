/* decode_result.c - results: numbers as the call means them, errors, and what strace(1) adds. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

/* ---- Values ------------------------------------------------------------------------------- */

static uint64_t result(const struct lt_decode *d)
{
  return lt_decode_word(d) == 8 ? (uint64_t)d->call->ret : (uint32_t)d->call->ret;
}

static void show_decimal(struct lt_decode *d)
{
  int64_t value = lt_decode_word(d) == 8 ? d->call->ret : (int32_t)d->call->ret;
  lt_text_signed(d->text, value);
}

static void show_hex(struct lt_decode *d)
{
  lt_text_hex(d->text, result(d));
}

static void show_octal(struct lt_decode *d)
{
  lt_text_add(d->text, "%#03" PRIo64, result(d));
}

/* ---- Additions ---------------------------------------------------------------------------- */

#define POLL_ITEMS 4096 /* that are looked at */

static void show_poll_item(struct lt_decode *d, const char *separator, int32_t fd, uint16_t events)
{
  lt_text_add(d->text, "%s{fd=%d, revents=", separator, fd);
  lt_flags_add(d->text, "poll", events);
  lt_text_put(d->text, "}");
}

static void show_timeout(struct lt_decode *d)
{
  show_decimal(d);
  lt_text_put(d->text, " (Timeout)");
}

static void show_left(struct lt_decode *d, const char *separator, unsigned index)
{
  size_t start = d->text->length;
  bool wide = strstr(d->row->name, "64") != NULL,
       micro = strstr(d->row->name, "elect6") == NULL && strstr(d->row->name, "poll") == NULL;
  lt_text_add(d->text, "%sleft ", separator);
  uint64_t addr = lt_decode_arg(d, index);
  if (!(micro ? lt_show_timeval_at(d, addr) : lt_show_timespec_at(d, addr, wide))) {
    lt_text_cut(d->text, start);
  }
}

static void show_poll(struct lt_decode *d)
{
  struct {
    int32_t fd;
    uint16_t events, happened;
  } item;
  uint64_t addr = lt_decode_arg(d, 0), count = (uint32_t)lt_decode_arg(d, 1);
  unsigned shown = 0;
  bool timed = d->row->count > 3 && lt_decode_arg(d, 2);
  if (d->call->ret == 0) {
    show_timeout(d);
    return;
  }
  show_decimal(d);
  lt_text_put(d->text, " ([");
  for (uint64_t i = 0; i < count && i < POLL_ITEMS; i++) {
    if (!lt_decode_read(d, addr + i * sizeof(item), &item, sizeof(item))) {
      break;
    }
    if (item.happened && shown++ < LT_SHOW_ITEMS) {
      show_poll_item(d, shown > 1 ? ", " : "", item.fd, item.happened);
    }
  }
  lt_text_put(d->text, shown > LT_SHOW_ITEMS ? ", ...]" : "]");
  if (timed) {
    show_left(d, ", ", 2);
  }
  lt_text_put(d->text, ")");
}

/* The descriptors that are ready, and what is left of the time: "1 (in [3], left {...})". */
static void show_select(struct lt_decode *d)
{
  const char *names[] = {"in", "out", "except"};
  const char *separator = " (";
  size_t start;
  if (d->call->ret == 0) {
    show_timeout(d);
    return;
  }
  show_decimal(d);
  if (strcmp(d->row->args[0].name, "arg") == 0) {
    return; /* the one of i386 has its arguments in memory */
  }
  for (unsigned i = 0; i < 3; i++) {
    uint64_t addr = lt_decode_arg(d, i + 1);
    start = d->text->length;
    lt_text_add(d->text, "%s%s ", separator, names[i]);
    size_t before = d->text->length;
    if (addr) {
      lt_show_fd_set(d, i + 1, addr);
    }
    bool empty = d->text->length == before + 2; /* [] */
    if (!addr || empty) {
      lt_text_cut(d->text, start);
    } else {
      separator = ", ";
    }
  }
  start = d->text->length;
  show_left(d, separator, 4);
  if (d->text->length > start || separator[0] == ',') {
    lt_text_put(d->text, ")");
  }
}

static void show_fcntl(struct lt_decode *d)
{
  switch (lt_decode_arg(d, 1)) {
  case 1: /* F_GETFD */
    show_hex(d);
    if (d->call->ret) {
      lt_text_put(d->text, " (flags ");
      lt_flags_add(d->text, "fd_flags", result(d));
      lt_text_put(d->text, ")");
    }
    break;
  case 3: /* F_GETFL */
    show_hex(d);
    lt_text_put(d->text, " (flags ");
    lt_show_open_flags_value(d, (uint32_t)result(d));
    lt_text_put(d->text, ")");
    break;
  case 1034: /* F_GET_SEALS */
    show_hex(d);
    if (d->call->ret) {
      lt_text_put(d->text, " (seals ");
      lt_flags_add(d->text, "seals", result(d));
      lt_text_put(d->text, ")");
    }
    break;
  default:
    show_decimal(d);
    break;
  }
}

static void show_personality(struct lt_decode *d)
{
  show_hex(d);
  lt_text_put(d->text, " (");
  lt_show_personality(d, 0, result(d));
  lt_text_put(d->text, ")");
}

static void show_scheduler(struct lt_decode *d)
{
  show_decimal(d);
  lt_text_put(d->text, " (");
  lt_flags_add(d->text, "sched", result(d) & 0xff);
  lt_text_put(d->text, result(d) & 0x40000000 ? "|SCHED_RESET_ON_FORK)" : ")");
}

static void show_signal(struct lt_decode *d)
{
  show_decimal(d);
  if (d->call->ret > 0) {
    lt_text_put(d->text, " (");
    lt_show_signal_number(d, (int)d->call->ret);
    lt_text_put(d->text, ")");
  }
}

static void show_named(struct lt_decode *d, const char *set)
{
  show_decimal(d);
  lt_text_put(d->text, " (");
  lt_flags_add(d->text, set, result(d));
  lt_text_put(d->text, ")");
}

static void show_prctl(struct lt_decode *d)
{
  switch (lt_decode_arg(d, 0)) {
  case 3:
    show_named(d, "dumpable");
    break; /* PR_GET_DUMPABLE */
  case 21:
    show_named(d, "seccomp_mode");
    break; /* PR_GET_SECCOMP */
  default:
    show_decimal(d);
    break;
  }
}

/* MEMBARRIER_CMD_QUERY returns the commands that there are. */
static void show_membarrier(struct lt_decode *d)
{
  if (lt_decode_arg(d, 0) != 0 || d->call->ret == 0) {
    show_decimal(d);
    return;
  }
  show_hex(d);
  lt_text_put(d->text, " (");
  lt_flags_add(d->text, "membarrier", result(d));
  lt_text_put(d->text, ")");
}

/* The kernel chose the entry. */
static void show_thread_area(struct lt_decode *d)
{
  int32_t entry;
  show_decimal(d);
  if (lt_decode_read(d, lt_decode_arg(d, 0), &entry, sizeof(entry))) {
    lt_text_add(d->text, " (entry_number=%d)", entry);
  }
}

/* In order of the names: looked up by bisection. */
static const struct row {
  const char *name;
  void (*show)(struct lt_decode *d);
} results[] = {
    {"_newselect", show_select},
    {"brk", show_hex},
    {"fcntl", show_fcntl},
    {"fcntl64", show_fcntl},
    {"map_shadow_stack", show_hex},
    {"membarrier", show_membarrier},
    {"mmap", show_hex},
    {"mmap2", show_hex},
    {"mremap", show_hex},
    {"personality", show_personality},
    {"poll", show_poll},
    {"ppoll", show_poll},
    {"ppoll_time64", show_poll},
    {"prctl", show_prctl},
    {"pselect6", show_select},
    {"pselect6_time64", show_select},
    {"rt_sigtimedwait", show_signal},
    {"rt_sigtimedwait_time64", show_signal},
    {"sched_getscheduler", show_scheduler},
    {"select", show_select},
    {"set_thread_area", show_thread_area},
    {"shmat", show_hex},
    {"umask", show_octal},
};

static int compare(const void *name, const void *row)
{
  return strcmp(name, ((const struct row *)row)->name);
}

/* ---- The result --------------------------------------------------------------------------- */

#define FIRST_RESTART 512
#define LAST_RESTART 516

static void show_error(struct lt_decode *d, int64_t error)
{
  const char *name = error < 4096 ? lt_errno_name((int)error) : NULL;
  bool restart = error >= FIRST_RESTART && error <= LAST_RESTART;
  if (name) {
    lt_text_add(d->text, "%s %s (%s)", restart ? "?" : "-1", name, lt_errno_text((int)error));
  } else {
    lt_text_add(d->text, "-1 (errno %" PRId64 ")", error);
  }
}

void lt_show_result(struct lt_decode *d)
{
  const struct row *row = NULL;
  if (!d->call->done) {
    lt_text_put(d->text, "?");
    return;
  }
  if (d->call->is_error) {
    show_error(d, -d->call->ret);
    return;
  }
  if (d->row) {
    row = bsearch(d->row->name, results, sizeof(results) / sizeof(results[0]), sizeof(results[0]),
                  compare);
  }
  if (row) {
    row->show(d);
  } else {
    show_decimal(d);
  }
}
