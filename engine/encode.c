/* encode.c - the layouts of the structs that arguments point to, for those who write them: field by
 * field, by the ABI of the call. Decoders (decode_*.c) print more structs than are known here. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "luatrace.h"

/* ---- Layouts ------------------------------------------------------------------------------ */

#define FIELD(n, a, o, s)                         \
  {                                               \
    .name = n, .alias = a, .offset = o, .size = s \
  }
#define SIGNED(n, a, o, s)                                           \
  {                                                                  \
    .name = n, .alias = a, .offset = o, .size = s, .is_signed = true \
  }
#define FIELDS(...)                                 \
  .fields = (const struct lt_field[]){__VA_ARGS__}, \
  .count = sizeof((const struct lt_field[]){__VA_ARGS__}) / sizeof(struct lt_field)
#define PAIR(a, aa, b, ba, w) FIELDS(SIGNED(a, aa, 0, w), SIGNED(b, ba, w, w))
#define UPAIR(a, aa, b, ba, w) FIELDS(FIELD(a, aa, 0, w), FIELD(b, ba, w, w))
#define TIMES(part, w)                                        \
  FIELDS(SIGNED("interval.sec", "interval.tv_sec", 0, w),     \
         SIGNED("interval." part, "interval.tv_" part, w, w), \
         SIGNED("value.sec", "value.tv_sec", 2 * w, w),       \
         SIGNED("value." part, "value.tv_" part, 3 * w, w))

#define EPOLL FIELDS(FIELD("events", NULL, 0, 4), FIELD("data", NULL, 4, 8))
#define POLLFD \
  FIELDS(SIGNED("fd", NULL, 0, 4), FIELD("events", NULL, 4, 2), FIELD("revents", NULL, 6, 2))
#define STATX                                                                                      \
  FIELDS(FIELD("mask", NULL, 0, 4), FIELD("blksize", NULL, 4, 4), FIELD("attributes", NULL, 8, 8), \
         FIELD("nlink", NULL, 16, 4), FIELD("uid", NULL, 20, 4), FIELD("gid", NULL, 24, 4),        \
         FIELD("mode", NULL, 28, 2), FIELD("ino", NULL, 32, 8), FIELD("size", NULL, 40, 8),        \
         FIELD("blocks", NULL, 48, 8), SIGNED("atime", NULL, 64, 8), SIGNED("btime", NULL, 80, 8), \
         SIGNED("ctime", NULL, 96, 8), SIGNED("mtime", NULL, 112, 8),                              \
         FIELD("rdev_major", NULL, 128, 4), FIELD("rdev_minor", NULL, 132, 4),                     \
         FIELD("dev_major", NULL, 136, 4), FIELD("dev_minor", NULL, 140, 4))
#define STAT_64                                                                                    \
  FIELDS(FIELD("dev", NULL, 0, 8), FIELD("ino", NULL, 8, 8), FIELD("nlink", NULL, 16, 8),          \
         FIELD("mode", NULL, 24, 4), FIELD("uid", NULL, 28, 4), FIELD("gid", NULL, 32, 4),         \
         FIELD("rdev", NULL, 40, 8), SIGNED("size", NULL, 48, 8), FIELD("blksize", NULL, 56, 8),   \
         FIELD("blocks", NULL, 64, 8), SIGNED("atime", NULL, 72, 8), SIGNED("mtime", NULL, 88, 8), \
         SIGNED("ctime", NULL, 104, 8))
#define STAT_32                                                                                    \
  FIELDS(FIELD("dev", NULL, 0, 4), FIELD("ino", NULL, 4, 4), FIELD("mode", NULL, 8, 2),            \
         FIELD("nlink", NULL, 10, 2), FIELD("uid", NULL, 12, 2), FIELD("gid", NULL, 14, 2),        \
         FIELD("rdev", NULL, 16, 4), FIELD("size", NULL, 20, 4), FIELD("blksize", NULL, 24, 4),    \
         FIELD("blocks", NULL, 28, 4), SIGNED("atime", NULL, 32, 4), SIGNED("mtime", NULL, 40, 4), \
         SIGNED("ctime", NULL, 48, 4))
#define STAT64_32                                                                                  \
  FIELDS(FIELD("dev", NULL, 0, 8), FIELD("mode", NULL, 16, 4), FIELD("nlink", NULL, 20, 4),        \
         FIELD("uid", NULL, 24, 4), FIELD("gid", NULL, 28, 4), FIELD("rdev", NULL, 32, 8),         \
         SIGNED("size", NULL, 44, 8), FIELD("blksize", NULL, 52, 4), FIELD("blocks", NULL, 56, 8), \
         SIGNED("atime", NULL, 64, 4), SIGNED("mtime", NULL, 72, 4), SIGNED("ctime", NULL, 80, 4), \
         FIELD("ino", NULL, 88, 8))

#define TIMESPEC(w) PAIR("sec", "tv_sec", "nsec", "tv_nsec", w)
#define TIMEVAL(w) PAIR("sec", "tv_sec", "usec", "tv_usec", w)
#define ITIMERVAL(w) TIMES("usec", w)
#define ITIMERSPEC(w) TIMES("nsec", w)
#define RLIMIT(w) UPAIR("cur", "rlim_cur", "max", "rlim_max", w)
#define UTIMBUF(w) PAIR("actime", NULL, "modtime", NULL, w)
#define ONE(w) FIELDS(SIGNED("", NULL, 0, w))
#define ID(w) FIELDS(FIELD("", NULL, 0, w))

/* Sizes and fields on x86_64, then on i386. */
static const struct shape {
  const char *name;
  struct lt_layout of[LT_ABI_COUNT];
} shapes[] = {
    {"epoll_event", {{12, 0, EPOLL}, {12, 0, EPOLL}}},
    {"fd_pair", {{4, 2, ONE(4)}, {4, 2, ONE(4)}}},
    {"id16_ptr", {{2, 1, ID(2)}, {2, 1, ID(2)}}},
    {"id_ptr", {{4, 1, ID(4)}, {4, 1, ID(4)}}},
    {"int", {{4, 1, ONE(4)}, {4, 1, ONE(4)}}},
    {"itimerspec", {{32, 0, ITIMERSPEC(8)}, {16, 0, ITIMERSPEC(4)}}},
    {"itimerspec_64", {{32, 0, ITIMERSPEC(8)}, {32, 0, ITIMERSPEC(8)}}},
    {"itimerval", {{32, 0, ITIMERVAL(8)}, {16, 0, ITIMERVAL(4)}}},
    {"pollfds", {{8, LT_LIST_NEXT, POLLFD}, {8, LT_LIST_NEXT, POLLFD}}},
    {"rlimit", {{16, 0, RLIMIT(8)}, {8, 0, RLIMIT(4)}}},
    {"rlimit64", {{16, 0, RLIMIT(8)}, {16, 0, RLIMIT(8)}}},
    {"socklen", {{4, 1, ONE(4)}, {4, 1, ONE(4)}}},
    {"sockopt", {{4, LT_LIST_BYTES, ONE(4)}, {4, LT_LIST_BYTES, ONE(4)}}},
    {"stat", {{144, 0, STAT_64}, {64, 0, STAT_32}}},
    {"stat64", {{144, 0, STAT_64}, {96, 0, STAT64_32}}},
    {"statx", {{256, 0, STATX}, {256, 0, STATX}}},
    {"timespec", {{16, 0, TIMESPEC(8)}, {8, 0, TIMESPEC(4)}}},
    {"timespec_64", {{16, 0, TIMESPEC(8)}, {16, 0, TIMESPEC(8)}}},
    {"timespec_rest", {{16, 0, TIMESPEC(8)}, {8, 0, TIMESPEC(4)}}},
    {"timespec_rest_64", {{16, 0, TIMESPEC(8)}, {16, 0, TIMESPEC(8)}}},
    {"timespecs2", {{16, 2, TIMESPEC(8)}, {8, 2, TIMESPEC(4)}}},
    {"timespecs2_64", {{16, 2, TIMESPEC(8)}, {16, 2, TIMESPEC(8)}}},
    {"timeval", {{16, 0, TIMEVAL(8)}, {8, 0, TIMEVAL(4)}}},
    {"timevals2", {{16, 2, TIMEVAL(8)}, {8, 2, TIMEVAL(4)}}},
    {"uint", {{4, 1, ID(4)}, {4, 1, ID(4)}}},
    {"ulong", {{8, 1, ID(8)}, {4, 1, ID(4)}}},
    {"utimbuf", {{16, 0, UTIMBUF(8)}, {8, 0, UTIMBUF(4)}}},
};

const struct lt_layout *lt_layout_find(enum lt_abi abi, const char *shape)
{
  for (size_t i = 0; shape && i < sizeof shapes / sizeof *shapes; i++)
    if (strcmp(shapes[i].name, shape) == 0)
      return &shapes[i].of[abi];
  return NULL;
}

/* ---- Values ------------------------------------------------------------------------------- */

static bool fits(const struct lt_field *field, int64_t value)
{
  unsigned bits = field->size * 8u;
  if (bits == 64)
    return true;
  int64_t top = (int64_t)1 << (bits - 1); /* an unsigned field takes -1 too, as C does */
  return value >= -top && value < (field->is_signed ? top : 2 * top);
}

int lt_encode(const struct lt_layout *layout, const char *name, int64_t value, void *ret)
{
  for (unsigned i = 0; i < layout->count; i++) {
    const struct lt_field *field = &layout->fields[i];
    if (strcmp(field->name, name) != 0 && (!field->alias || strcmp(field->alias, name) != 0))
      continue;
    if (!fits(field, value))
      return -ERANGE;
    memcpy((char *)ret + field->offset, &value, field->size); /* little-endian, as all ABIs are */
    return 0;
  }
  return -ENOENT;
}

static ssize_t encode_unix(const struct lt_address *address, void *ret)
{
  struct sockaddr_un out = {.sun_family = AF_UNIX};
  bool abstract = address->path_size > 0 && address->path[0] == '\0';
  if (address->path_size > sizeof out.sun_path)
    return -ENAMETOOLONG;
  memcpy(out.sun_path, address->path, address->path_size);
  memcpy(ret, &out, sizeof out);
  size_t end = address->path_size + (!abstract && address->path_size < sizeof out.sun_path);
  return (ssize_t)(offsetof(struct sockaddr_un, sun_path) + end);
}

ssize_t lt_encode_address(const struct lt_address *address, uint8_t ret[LT_ADDRESS_MAX])
{
  memset(ret, 0, LT_ADDRESS_MAX);
  if (address->path)
    return encode_unix(address, ret);
  struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                             .sin6_port = htons(address->port),
                             .sin6_flowinfo = htonl(address->flow),
                             .sin6_scope_id = address->scope};
  struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(address->port)};
  if (strchr(address->text, ':')) {
    if (inet_pton(AF_INET6, address->text, &six.sin6_addr) != 1)
      return -EINVAL;
    memcpy(ret, &six, sizeof six);
    return sizeof six;
  }
  if (inet_pton(AF_INET, address->text, &four.sin_addr) != 1)
    return -EINVAL;
  memcpy(ret, &four, sizeof four);
  return sizeof four;
}
