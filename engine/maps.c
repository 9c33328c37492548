/* maps.c - the memory map of a process, from /proc/TID/maps.
 *
 * Paths are the tracee's choice. The kernel writes a newline in one as \012, so a line is a line;
 * nothing else about a path is relied on. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "module.h"
#include "registers.h"

#define FIRST_ROOM ((size_t)16384)

struct text {
  char *bytes;
  size_t size, room;
};

static int grow(struct text *text)
{
  size_t room = text->room ? 2 * text->room : FIRST_ROOM;
  if (room > LT_MEM_MAX)
    return -E2BIG;
  char *bytes = realloc(text->bytes, room);
  if (!bytes)
    return -ENOMEM;
  text->bytes = bytes;
  text->room = room;
  return 0;
}

/* Read a file to its end and terminate the text. */
static int read_all(int fd, struct text *text)
{
  for (;;) {
    int error = text->room - text->size < 2 ? grow(text) : 0;
    if (error)
      return error;
    ssize_t got = lt_k_pread(fd, text->bytes + text->size, text->room - text->size - 1, text->size);
    if (got == -EINTR)
      continue;
    if (got < 0)
      return (int)got;
    text->size += (size_t)got;
    text->bytes[text->size] = '\0';
    if (got == 0)
      return 0;
  }
}

/* A number and the character behind it. */
static bool number(const char **at, int base, char behind, uint64_t *ret)
{
  char *end;
  if (**at == ' ' || **at == '-' || **at == '+')
    return false; /* strtoull() would take these */
  errno = 0;
  *ret = strtoull(*at, &end, base);
  if (end == *at || errno || *end != behind)
    return false;
  *at = behind ? end + 1 : end;
  return true;
}

/* "55d0-56d0 r-xp 00001000 08:01 1234    /usr/bin/true"; the line ends at its NUL. */
static bool parse_line(const char *at, struct lt_map *ret, const char **path)
{
  uint64_t major, minor;
  if (!number(&at, 16, '-', &ret->from) || !number(&at, 16, ' ', &ret->to) || strlen(at) < 5 ||
      at[4] != ' ')
    return false;
  memcpy(ret->perms, at, 4);
  ret->perms[4] = '\0';
  at += 5;
  if (!number(&at, 16, ' ', &ret->offset) || !number(&at, 16, ':', &major) ||
      !number(&at, 16, ' ', &minor))
    return false;
  /* Without a path some kernels end the line at the inode. */
  if (!number(&at, 10, ' ', &ret->inode) && !number(&at, 10, '\0', &ret->inode))
    return false;
  ret->dev_major = (uint32_t)major;
  ret->dev_minor = (uint32_t)minor;
  *path = at + strspn(at, " ");
  return ret->from < ret->to;
}

static size_t count_lines(const struct text *text)
{
  size_t count = 0;
  for (size_t i = 0; i < text->size; i++)
    count += text->bytes[i] == '\n';
  return count;
}

/* One block: the entries, then the text with their paths in it. */
static ssize_t parse(const struct text *text, struct lt_map **ret)
{
  size_t count = count_lines(text);
  if (!count)
    return 0;
  struct lt_map *maps = malloc(count * sizeof *maps + text->size + 1);
  if (!maps)
    return -ENOMEM;
  char *line = (char *)(maps + count);
  memcpy(line, text->bytes, text->size + 1);
  for (size_t i = 0; i < count; i++) {
    char *end = strchr(line, '\n');
    const char *path;
    if (end)
      *end = '\0';
    if (!end || !parse_line(line, &maps[i], &path)) {
      free(maps);
      return -EBADMSG;
    }
    maps[i].path = line + (path - line);
    line = end + 1;
  }
  *ret = maps;
  return (ssize_t)count;
}

ssize_t lt_maps_read(pid_t tid, struct lt_map **ret)
{
  struct text text = {0};
  *ret = NULL;
  int fd = lt_k_proc_open(tid, "maps", O_RDONLY);
  if (fd < 0)
    return fd;
  int error = read_all(fd, &text);
  close(fd);
  ssize_t count = error ? error : parse(&text, ret);
  free(text.bytes);
  return count;
}

ssize_t lt_maps(lt_thread *thread, struct lt_map **ret)
{
  *ret = NULL;
  int error = lt_touch(thread);
  if (error)
    return error;
  ssize_t count = lt_maps_read(thread->tid, ret);
  return count < 0 ? lt_touch_failed(thread, (int)count, "read the memory map") : count;
}

void lt_maps_free(struct lt_map *maps, size_t count)
{
  (void)count; /* the paths are in the same block */
  free(maps);
}
