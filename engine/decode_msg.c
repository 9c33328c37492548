/* decode_msg.c - messages on sockets: struct msghdr, its vector and its control data. */
#include <inttypes.h>
#include <string.h>

#include "decode.h"

#define CONTROL_BYTES 4096 /* of control data that are looked at */
#define SOL_SOCKET_LEVEL 1

struct message {
  uint64_t name, vector, count, control, control_size;
  uint32_t name_size, flags;
};

/* struct msghdr: two of its members are ints, one of them padded where words have 8 bytes. */
static bool read_message(struct lt_decode *d, uint64_t addr, struct message *ret)
{
  uint64_t words[7];
  if (lt_decode_words(d, addr, words, 7) != 7) {
    return false;
  }
  *ret = (struct message){.name = words[0],
                          .name_size = (uint32_t)words[1],
                          .vector = words[2],
                          .count = words[3],
                          .control = words[4],
                          .control_size = words[5],
                          .flags = (uint32_t)words[6]};
  return true;
}

static size_t message_size(const struct lt_decode *d)
{
  return 7 * (size_t)lt_decode_word(d);
}

/* ---- Control data ------------------------------------------------------------------------- */

struct control {
  uint64_t size; /* with the header */
  int32_t level, type;
};

static void show_fds(struct lt_decode *d, const uint8_t *bytes, size_t size)
{
  lt_text_put(d->text, "[");
  for (size_t i = 0; i + 4 <= size; i += 4) {
    int32_t fd;
    memcpy(&fd, bytes + i, 4);
    lt_text_add(d->text, "%s%d", i ? ", " : "", fd);
  }
  lt_text_put(d->text, "]");
}

static void show_control_data(struct lt_decode *d, const struct control *c, const uint8_t *bytes,
                              size_t size)
{
  int32_t ids[3];
  lt_text_put(d->text, ", cmsg_data=");
  if (c->level == SOL_SOCKET_LEVEL && c->type == 1) {
    show_fds(d, bytes, size);
  } else if (c->level == SOL_SOCKET_LEVEL && c->type == 2 && size >= sizeof(ids)) {
    memcpy(ids, bytes, sizeof(ids));
    lt_text_add(d->text, "{pid=%d, uid=%u, gid=%u}", ids[0], (unsigned)ids[1], (unsigned)ids[2]);
  } else {
    lt_text_quote(d->text, bytes, size < LT_SHOW_BYTES ? size : LT_SHOW_BYTES, LT_QUOTE_HEX);
    lt_text_put(d->text, size > LT_SHOW_BYTES ? "..." : "");
  }
}

static void show_control(struct lt_decode *d, const struct control *c, const uint8_t *bytes,
                         size_t size)
{
  lt_text_add(d->text, "{cmsg_len=%" PRIu64 ", cmsg_level=", c->size);
  lt_flags_add(d->text, "sol", (uint32_t)c->level);
  lt_text_put(d->text, ", cmsg_type=");
  if (c->level == SOL_SOCKET_LEVEL) {
    lt_flags_add(d->text, "scm", (uint32_t)c->type);
  } else {
    lt_text_add(d->text, "%#x", (unsigned)c->type);
  }
  if (size > 0) {
    show_control_data(d, c, bytes, size);
  }
  lt_text_put(d->text, "}");
}

static void show_controls(struct lt_decode *d, const uint8_t *bytes, size_t size)
{
  size_t word = lt_decode_word(d), head = word + 8;
  lt_text_put(d->text, "[");
  for (size_t at = 0; at + head <= size;) {
    struct control c = {0};
    memcpy(&c.size, bytes + at, word);
    memcpy(&c.level, bytes + at + word, 4);
    memcpy(&c.type, bytes + at + word + 4, 4);
    lt_text_put(d->text, at ? ", " : "");
    size_t whole = c.size < head ? head : c.size > size - at ? size - at : (size_t)c.size;
    show_control(d, &c, bytes + at + head, whole - head);
    if (c.size < head || c.size > size - at) {
      break;
    }
    at += (whole + word - 1) & ~(word - 1);
  }
  lt_text_put(d->text, "]");
}

static void show_control_at(struct lt_decode *d, const struct message *m)
{
  uint8_t bytes[CONTROL_BYTES];
  size_t size = m->control_size < sizeof(bytes) ? (size_t)m->control_size : sizeof(bytes);
  if (m->control && m->control_size) {
    lt_text_put(d->text, ", msg_control=");
    if (lt_decode_read(d, m->control, bytes, size) && size >= lt_decode_word(d) + 8u) {
      show_controls(d, bytes, size);
    } else {
      lt_show_pointer(d, m->control);
    }
  }
  lt_text_add(d->text, ", msg_controllen=%" PRIu64, m->control_size);
}

/* ---- Messages ----------------------------------------------------------------------------- */

/* `limit`: how many bytes of the vector hold something; `room`: of the name, before the call. */
static void show_message(struct lt_decode *d, const struct message *m, uint32_t room, bool data,
                         uint64_t limit)
{
  lt_text_put(d->text, "{msg_name=");
  if (data) {
    lt_show_socket_address(d, m->name, m->name_size < room ? m->name_size : room);
  } else {
    lt_show_pointer(d, m->name);
  }
  lt_text_add(d->text,
              room != m->name_size ? ", msg_namelen=%" PRIu32 " => %" PRIu32
                                   : ", msg_namelen=%" PRIu32,
              room, m->name_size);
  lt_text_put(d->text, ", msg_iov=");
  if (m->vector) {
    lt_show_iovec_at(d, m->vector, m->count, data, limit);
  } else {
    lt_show_pointer(d, m->vector);
  }
  lt_text_add(d->text, ", msg_iovlen=%" PRIu64, m->count);
  show_control_at(d, m);
  lt_text_put(d->text, ", msg_flags=");
  lt_flags_add(d->text, "msg", m->flags);
  lt_text_put(d->text, "}");
}

void lt_show_msghdr(struct lt_decode *d, unsigned index, uint64_t value)
{
  struct message m;
  (void)index;
  if (read_message(d, value, &m)) {
    show_message(d, &m, m.name_size, true, UINT64_MAX);
  } else {
    lt_show_pointer(d, value);
  }
}

/* What recvmsg(2) filled, or how much room there was for it. */
void lt_show_msghdr_out(struct lt_decode *d, unsigned index, uint64_t value)
{
  struct message before, m;
  (void)index;
  if (!lt_decode_succeeded(d)) {
    if (read_message(d, value, &m)) {
      lt_text_add(d->text, "{msg_namelen=%" PRIu32 "}", m.name_size);
    } else {
      lt_show_pointer(d, value);
    }
    return;
  }
  bool known = read_message(d, value, &before);
  d->fresh = true;
  if (known && read_message(d, value, &m)) {
    show_message(d, &m, before.name_size, true, (uint64_t)d->call->ret);
  } else {
    lt_show_pointer(d, value);
  }
}

/* struct mmsghdr: a message and how many bytes of it went. */
static bool show_one_of_many(struct lt_decode *d, uint64_t addr, bool received)
{
  struct message m;
  uint32_t size;
  if (!read_message(d, addr, &m)) {
    return false;
  }
  bool done =
      lt_decode_succeeded(d) && lt_decode_read(d, addr + message_size(d), &size, sizeof(size));
  lt_text_put(d->text, "{msg_hdr=");
  show_message(d, &m, m.name_size, true, received && done ? size : UINT64_MAX);
  if (done) {
    lt_text_add(d->text, ", msg_len=%" PRIu32, size);
  }
  lt_text_put(d->text, "}");
  return true;
}

static bool show_sent(struct lt_decode *d, uint64_t addr)
{
  return show_one_of_many(d, addr, false);
}

static bool show_received(struct lt_decode *d, uint64_t addr)
{
  return show_one_of_many(d, addr, true);
}

static size_t many_size(const struct lt_decode *d)
{
  return message_size(d) + lt_decode_word(d);
}

void lt_show_mmsghdr(struct lt_decode *d, unsigned index, uint64_t value)
{
  d->fresh = lt_decode_succeeded(d);
  uint64_t count = lt_decode_succeeded(d) ? (uint64_t)d->call->ret : lt_decode_arg(d, index + 1);
  lt_show_array(d, value, count, many_size(d), show_sent);
}

void lt_show_mmsghdr_out(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  d->fresh = true;
  if (lt_decode_succeeded(d)) {
    lt_show_array(d, value, (uint64_t)d->call->ret, many_size(d), show_received);
  } else {
    lt_show_pointer(d, value);
  }
}
