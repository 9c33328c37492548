/* decode_poll.c - waiting for descriptors: poll, select, epoll. */
#include "decode.h"

#include <inttypes.h>
#include <string.h>

/* ---- poll --------------------------------------------------------------------------------- */

struct poll_item {
  int32_t fd;
  uint16_t events, happened;
};

static bool show_pollfd(struct lt_decode *d, uint64_t addr)
{
  struct poll_item item;
  if (!lt_decode_read(d, addr, &item, sizeof(item))) {
    return false;
  }
  lt_text_add(d->text, "{fd=%d", item.fd);
  if (item.fd >= 0) {
    lt_text_put(d->text, ", events=");
    lt_flags_add(d->text, "poll", item.events);
  }
  lt_text_put(d->text, "}");
  return true;
}

void lt_show_pollfds(struct lt_decode *d, unsigned index, uint64_t value)
{
  lt_show_array(d, value, (uint32_t)lt_decode_arg(d, index + 1), sizeof(struct poll_item),
                show_pollfd);
}

/* ---- select ------------------------------------------------------------------------------- */

#define SETS_BYTES 1024 /* of a set that are looked at */

/* "[3 5]": the descriptors of a set below `count`. */
static void show_fds(struct lt_decode *d, uint64_t addr, uint64_t count)
{
  uint8_t bits[SETS_BYTES] = {0};
  const char *separator = "";
  unsigned word = lt_decode_word(d);
  size_t size = count > SETS_BYTES * 8 ? 0 : (count + word * 8 - 1) / (word * 8) * word;
  if (count > SETS_BYTES * 8 || (size && !lt_decode_read(d, addr, bits, size))) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_put(d->text, "[");
  for (uint64_t fd = 0; fd < count; fd++) {
    if (bits[fd / 8] >> (fd % 8) & 1) {
      lt_text_add(d->text, "%s%" PRIu64, separator, fd);
      separator = " ";
    }
  }
  lt_text_put(d->text, "]");
}

/* A negative count is wrong, and no set is looked at. */
static uint64_t select_count(int64_t count)
{
  return count < 0 ? UINT64_MAX : (uint64_t)count;
}

void lt_show_fd_set(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_fds(d, value, select_count((int64_t)lt_decode_arg(d, 0)));
}

/* The last argument of pselect6: address and size of a signal set. */
void lt_show_sigset_pack(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t words[2];
  uint8_t bits[8];
  (void)index;
  if (lt_decode_words(d, value, words, 2) != 2) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "{sigmask=");
  size_t size = words[1] < sizeof(bits) ? (size_t)words[1] : sizeof(bits);
  if (words[0] && size && lt_decode_read(d, words[0], bits, size)) {
    lt_show_signal_set(d, bits, size);
  } else {
    lt_show_pointer(d, words[0]);
  }
  lt_text_add(d->text, ", sigsetsize=%" PRIu64 "}", words[1]);
}

/* select(2) number 82 of i386: its arguments in memory. */
void lt_show_old_select(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t words[5];
  (void)index;
  if (lt_decode_words(d, value, words, 5) != 5) {
    lt_show_pointer(d, value);
    return;
  }
  uint64_t count = select_count((int32_t)words[0]);
  lt_text_add(d->text, "%d", (int32_t)words[0]);
  for (unsigned i = 1; i < 4; i++) {
    lt_text_put(d->text, ", ");
    if (words[i]) {
      show_fds(d, words[i], count);
    } else {
      lt_show_pointer(d, 0);
    }
  }
  lt_text_put(d->text, ", ");
  if (!lt_show_timeval_at(d, words[4])) {
    lt_show_pointer(d, words[4]);
  }
}

/* ---- epoll -------------------------------------------------------------------------------- */

/* Packed on both ABIs of x86. */
#define EPOLL_EVENT_SIZE 12

static bool show_epoll_event(struct lt_decode *d, uint64_t addr)
{
  uint32_t event[3]; /* events, data */
  if (!lt_decode_read(d, addr, event, sizeof(event))) {
    return false;
  }
  uint64_t data = event[1] | (uint64_t)event[2] << 32;
  lt_text_put(d->text, "{events=");
  lt_flags_add(d->text, "epoll", event[0]);
  lt_text_put(d->text, ", data=");
  lt_text_add(d->text, "{u32=%" PRIu32 ", u64=%" PRIu64 "}}", event[1], data);
  return true;
}

void lt_show_epoll_event(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  if (!value || lt_decode_arg(d, 1) == 2 || !show_epoll_event(d, value)) {
    lt_show_pointer(d, value);
  }
}

void lt_show_epoll_events(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_array(d, value, (uint64_t)d->call->ret, EPOLL_EVENT_SIZE, show_epoll_event);
}
