/* decode_net.c - sockets: addresses, types, options. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "decode.h"

enum { UNIX = 1, INET = 2, INET6 = 10, NETLINK = 16, PACKET = 17 };
enum {
  LEVEL_IP = 0,
  LEVEL_SOCKET = 1,
  LEVEL_TCP = 6,
  LEVEL_UDP = 17,
  LEVEL_IPV6 = 41,
  LEVEL_PACKET = 263,
  LEVEL_NETLINK = 270
};

/* ---- Addresses ---------------------------------------------------------------------------- */

#define ADDRESS_BYTES 128 /* of any address, as the kernel has it */

union address {
  uint8_t bytes[ADDRESS_BYTES + 1];
  uint16_t family;
  struct {
    uint16_t family, port;
    uint8_t addr[4];
  } in;
  struct {
    uint16_t family, port;
    uint32_t flow;
    uint8_t addr[16];
    uint32_t scope;
  } in6;
  struct {
    uint16_t family, pad;
    uint32_t pid, groups;
  } netlink;
  struct {
    uint16_t family, protocol;
    int32_t index;
    uint16_t hardware;
    uint8_t type, length, addr[8];
  } packet;
};

static void show_unix(struct lt_decode *d, const union address *a, size_t size)
{
  const char *path = (const char *)a->bytes + 2;
  size -= 2;
  if (size == 0) {
    return;
  }
  lt_text_put(d->text, ", sun_path=");
  if (path[0] == '\0') { /* abstract: not terminated */
    lt_text_put(d->text, "@");
    lt_text_quote(d->text, path + 1, size - 1, LT_QUOTE);
  } else {
    lt_text_quote(d->text, path, strnlen(path, size), LT_QUOTE);
  }
}

static void show_inet(struct lt_decode *d, const union address *a)
{
  char host[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, a->in.addr, host, sizeof(host));
  lt_text_add(d->text, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")", ntohs(a->in.port), host);
}

static void show_inet6(struct lt_decode *d, const union address *a, size_t size)
{
  char host[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, a->in6.addr, host, sizeof(host));
  lt_text_add(d->text, ", sin6_port=htons(%u), sin6_flowinfo=htonl(%u)", ntohs(a->in6.port),
              ntohl(a->in6.flow));
  lt_text_add(d->text, ", inet_pton(AF_INET6, \"%s\", &sin6_addr)", host);
  if (size >= offsetof(union address, in6.scope) + 4) {
    lt_text_add(d->text, ", sin6_scope_id=%u", a->in6.scope);
  }
}

static void show_packet(struct lt_decode *d, const union address *a)
{
  size_t length =
      a->packet.length < sizeof(a->packet.addr) ? a->packet.length : sizeof(a->packet.addr);
  lt_text_put(d->text, ", sll_protocol=htons(");
  lt_flags_add(d->text, "eth_protocol", ntohs(a->packet.protocol));
  lt_text_add(d->text, "), sll_ifindex=%d, sll_hatype=", a->packet.index);
  lt_flags_add(d->text, "arphrd", a->packet.hardware);
  lt_text_put(d->text, ", sll_pkttype=");
  lt_flags_add(d->text, "packet_type", a->packet.type);
  lt_text_add(d->text, ", sll_halen=%u", a->packet.length);
  if (length) {
    lt_text_put(d->text, ", sll_addr=[");
    for (size_t i = 0; i < length; i++) {
      lt_text_add(d->text, "%s%#02x", i ? ", " : "", a->packet.addr[i]);
    }
    lt_text_put(d->text, "]");
  }
}

static void show_address(struct lt_decode *d, const union address *a, size_t size)
{
  lt_text_put(d->text, "{sa_family=");
  lt_flags_add(d->text, "family", a->family);
  if (a->family == UNIX) {
    show_unix(d, a, size);
  } else if (a->family == INET && size >= 8) {
    show_inet(d, a);
  } else if (a->family == INET6 && size >= 24) {
    show_inet6(d, a, size);
  } else if (a->family == NETLINK && size >= 12) {
    lt_text_add(d->text, ", nl_pid=%d, nl_groups=%#08x", (int32_t)a->netlink.pid,
                a->netlink.groups);
  } else if (a->family == PACKET && size >= 12) {
    show_packet(d, a);
  } else if (size > 2) {
    lt_text_put(d->text, ", sa_data=");
    lt_text_quote(d->text, a->bytes + 2, size - 2, LT_QUOTE);
  }
  lt_text_put(d->text, "}");
}

void lt_show_socket_address(struct lt_decode *d, uint64_t addr, uint64_t size)
{
  union address a;
  size = size < ADDRESS_BYTES ? size : ADDRESS_BYTES;
  memset(&a, 0, sizeof(a));
  if (size < 2 || !lt_decode_read(d, addr, a.bytes, size)) {
    lt_show_pointer(d, addr);
  } else {
    show_address(d, &a, size);
  }
}

void lt_show_sockaddr(struct lt_decode *d, unsigned index, uint64_t value)
{
  int64_t size = (int32_t)lt_decode_arg(d, index + 1);
  lt_show_socket_address(d, value, size > 0 ? (uint64_t)size : 0);
}

/* The length is in memory, and changes from room to size. */
static bool read_length(struct lt_decode *d, uint64_t addr, bool fresh, int32_t *ret)
{
  d->fresh = fresh;
  return lt_decode_read(d, addr, ret, sizeof(*ret));
}

void lt_show_sockaddr_out(struct lt_decode *d, unsigned index, uint64_t value)
{
  int32_t room, size;
  uint64_t length_at = lt_decode_arg(d, index + 1);
  if (!value || !read_length(d, length_at, false, &room) ||
      !read_length(d, length_at, true, &size) || size < 0 || room < 0) {
    lt_show_pointer(d, value);
    return;
  }
  d->fresh = true;
  lt_show_socket_address(d, value, (uint64_t)(size < room ? size : room));
}

void lt_show_socklen(struct lt_decode *d, unsigned index, uint64_t value)
{
  int32_t room, size;
  (void)index;
  if (!read_length(d, value, false, &room)) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_add(d->text, "[%d", room);
  if (lt_decode_succeeded(d) && read_length(d, value, true, &size) && size != room) {
    lt_text_add(d->text, " => %d", size);
  }
  lt_text_put(d->text, "]");
}

/* ---- Types -------------------------------------------------------------------------------- */

static uint32_t socket_kind(uint64_t type)
{
  return (uint32_t)type & 0xf;
}

void lt_show_sock_type(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t bits = (uint32_t)value & ~0xfu;
  (void)index;
  lt_flags_add(d->text, "sock_kind", socket_kind(value));
  if (bits) {
    lt_text_put(d->text, "|");
    uint64_t rest = lt_flags_known(d->text, "sock_bits", bits);
    if (rest) {
      lt_text_hex(d->text, rest);
    } else {
      lt_text_cut(d->text, d->text->length - 1);
    }
  }
}

void lt_show_sock_protocol(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t family = (uint32_t)lt_decode_arg(d, 0);
  (void)index;
  if (family == INET || family == INET6) {
    lt_flags_add(d->text, "ip_protocol", (uint32_t)value);
  } else if (family == NETLINK) {
    lt_flags_add(d->text, "netlink_protocol", (uint32_t)value);
  } else if (family == PACKET) {
    lt_text_put(d->text, "htons(");
    lt_flags_add(d->text, "eth_protocol", ntohs((uint16_t)value));
    lt_text_put(d->text, ")");
  } else {
    lt_text_add(d->text, "%" PRIu32, (uint32_t)value);
  }
}

/* ---- Options ------------------------------------------------------------------------------ */

static const char *option_set(uint32_t level)
{
  switch (level) {
  case LEVEL_IP:
    return "ip_opt";
  case LEVEL_SOCKET:
    return "so";
  case LEVEL_TCP:
    return "tcp_opt";
  case LEVEL_UDP:
    return "udp_opt";
  case LEVEL_IPV6:
    return "ipv6_opt";
  case LEVEL_PACKET:
    return "packet_opt";
  case LEVEL_NETLINK:
    return "netlink_opt";
  default:
    return NULL;
  }
}

void lt_show_optname(struct lt_decode *d, unsigned index, uint64_t value)
{
  const char *set = option_set((uint32_t)lt_decode_arg(d, index - 1));
  if (set) {
    lt_flags_add(d->text, set, (uint32_t)value);
  } else {
    lt_text_add(d->text, "%" PRIu32, (uint32_t)value);
  }
}

enum {
  SO_ERROR_ = 4,
  SO_LINGER_ = 13,
  SO_PEERCRED_ = 17,
  SO_RCVTIMEO_ = 20,
  SO_SNDTIMEO_ = 21,
  SO_BINDTODEVICE_ = 25
};

static bool show_socket_option(struct lt_decode *d, uint32_t option, uint64_t addr, uint64_t size)
{
  int32_t words[3];
  if (option == SO_LINGER_ && size >= 8 && lt_decode_read(d, addr, words, 8)) {
    lt_text_add(d->text, "{l_onoff=%d, l_linger=%d}", words[0], words[1]);
  } else if (option == SO_PEERCRED_ && size >= 12 && lt_decode_read(d, addr, words, 12)) {
    lt_text_add(d->text, "{pid=%d, uid=%u, gid=%u}", words[0], (unsigned)words[1],
                (unsigned)words[2]);
  } else if (option == SO_ERROR_ && size >= 4 && lt_decode_read(d, addr, words, 4)) {
    const char *name = lt_errno_name(words[0]);
    lt_text_put(d->text, "[");
    if (name) {
      lt_text_put(d->text, name);
    } else {
      lt_text_add(d->text, "%d", words[0]);
    }
    lt_text_put(d->text, "]");
  } else if (option == SO_RCVTIMEO_ || option == SO_SNDTIMEO_) {
    return size >= 2 * (uint64_t)lt_decode_word(d) && lt_show_timeval_at(d, addr);
  } else {
    return false;
  }
  return true;
}

static void show_option(struct lt_decode *d, uint64_t addr, uint64_t size)
{
  uint32_t level = (uint32_t)lt_decode_arg(d, 1), option = (uint32_t)lt_decode_arg(d, 2);
  if (level == LEVEL_SOCKET && show_socket_option(d, option, addr, size)) {
    return;
  }
  if (level == LEVEL_SOCKET && option == SO_BINDTODEVICE_) {
    lt_show_bytes_at(d, addr, size, LT_QUOTE);
  } else if (size == 4) {
    lt_show_int_at(d, 3, addr);
  } else {
    lt_show_bytes_at(d, addr, size, LT_QUOTE);
  }
}

void lt_show_sockopt(struct lt_decode *d, unsigned index, uint64_t value)
{
  int64_t size = (int32_t)lt_decode_arg(d, index + 1);
  if (!value || size < 0) {
    lt_show_pointer(d, value);
  } else {
    show_option(d, value, (uint64_t)size);
  }
}

void lt_show_sockopt_out(struct lt_decode *d, unsigned index, uint64_t value)
{
  int32_t size;
  if (!value || !read_length(d, lt_decode_arg(d, index + 1), true, &size) || size < 0) {
    lt_show_pointer(d, value);
  } else {
    show_option(d, value, (uint64_t)size);
  }
}
