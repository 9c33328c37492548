/* fds.c - launched programs inherit the descriptors that luatrace was started with, and none that
 * it or a script opened since then (log files, the other end of a popen). */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include "binding.h"

struct bind_fds {
  size_t count, room;
  int *inherited;
};

/* Call `visit` for each open descriptor. False: /proc is not there. */
static bool each_descriptor(bool (*visit)(void *data, int fd), void *data)
{
  DIR *dir = opendir("/proc/self/fd");
  if (!dir)
    return false;
  struct dirent *entry;
  bool going = true;
  while (going && (entry = readdir(dir)))
    if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir))
      going = visit(data, atoi(entry->d_name));
  closedir(dir);
  return going;
}

static bool remember(void *data, int fd)
{
  struct bind_fds *fds = data;
  if (fds->count == fds->room) {
    size_t room = fds->room ? fds->room * 2 : 16;
    int *grown = realloc(fds->inherited, room * sizeof *grown);
    if (!grown)
      return false;
    fds->inherited = grown;
    fds->room = room;
  }
  fds->inherited[fds->count++] = fd;
  return true;
}

static bool seclude(void *data, int fd)
{
  const struct bind_fds *fds = data;
  for (size_t i = 0; i < fds->count; i++)
    if (fds->inherited[i] == fd)
      return true;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return true;
}

/* Returns NULL without /proc or memory; then nothing is secluded. */
struct bind_fds *bind_fds_remember(void)
{
  struct bind_fds *fds = calloc(1, sizeof *fds);
  if (fds && !each_descriptor(remember, fds)) {
    bind_fds_free(fds);
    return NULL;
  }
  return fds;
}

void bind_fds_seclude(const struct bind_fds *fds)
{
  if (fds)
    each_descriptor(seclude, (void *)fds);
}

void bind_fds_free(struct bind_fds *fds)
{
  if (fds)
    free(fds->inherited);
  free(fds);
}
