/* inherit.c - a launched program must find what it would have found without us: our caller's
 * signal mask, ignored signals and open descriptors. What we opened since is ours alone, whoever
 * opened it (a script's io.open knows no close-on-exec). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "engine.h"

/* Call `visit` for each open descriptor above 2. */
static int each_descriptor(int (*visit)(int fd, void *data), void *data)
{
  DIR *folder = opendir("/proc/self/fd");
  if (!folder)
    return -errno;
  int error = 0;
  for (struct dirent *entry; error == 0 && (entry = readdir(folder));) {
    int fd = (int)strtol(entry->d_name, NULL, 10);
    if (fd > 2 && fd != dirfd(folder))
      error = visit(fd, data);
  }
  closedir(folder);
  return error;
}

struct list {
  int *fds;
  size_t count;
};

static int append(int fd, void *data)
{
  struct list *list = data;
  int *more = realloc(list->fds, (list->count + 2) * sizeof *more);
  if (!more)
    return -ENOMEM;
  list->fds = more;
  more[list->count++] = fd;
  more[list->count] = -1;
  return 0;
}

/* SIGCHLD must not be ignored while we wait: the kernel would throw our children's statuses away.
 * The mask is put back separately, at the last moment before exec. Without /proc no descriptor
 * counts as inherited and none is closed. */
int lt_inherit_remember(lt_session *session)
{
  pthread_sigmask(SIG_SETMASK, NULL, &session->mask);
  for (int signo = 1; signo <= 64; signo++) {
    struct sigaction action;
    if (sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
      session->ignored_signals |= (uint64_t)1 << (signo - 1);
  }
  if (session->ignored_signals >> (SIGCHLD - 1) & 1)
    signal(SIGCHLD, SIG_DFL);

  struct list list = {NULL, 0};
  int error = each_descriptor(append, &list);
  session->inherited = list.fds;
  return error == -ENOMEM ? error : 0;
}

static bool was_inherited(const lt_session *session, int fd)
{
  for (const int *at = session->inherited; at && *at >= 0; at++)
    if (*at == fd)
      return true;
  return false;
}

static int close_on_exec(int fd, void *data)
{
  int flags = fcntl(fd, F_GETFD);
  if (!was_inherited(data, fd) && flags >= 0)
    fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  return 0;
}

void lt_inherit_restore(const lt_session *session)
{
  for (int signo = 1; signo <= 64; signo++) {
    bool ignored = session->ignored_signals >> (signo - 1) & 1;
    struct sigaction action = {.sa_handler = ignored ? SIG_IGN : SIG_DFL};
    sigaction(signo, &action, NULL); /* fails for SIGKILL, SIGSTOP and libc's own */
  }
  each_descriptor(close_on_exec, (lt_session *)session);
}
