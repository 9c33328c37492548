/* watch.c - descriptors that are awaited beside the tracees: pipes and terminals of programs that
 * we launched. While there are any, the session sleeps in ppoll(2) and hears of its tracees by a
 * signalfd for SIGCHLD; wait.c blocks that signal for the time, so that none is lost. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "engine.h"

struct watch {
  lt_ready *ready;
  void *data;
};

struct lt_watches {
  size_t count, room;
  struct pollfd *fds; /* count + 1 of them: the last is the signalfd */
  struct watch *watches;
  int signal_fd;
};

/* ---- The list ----------------------------------------------------------------------------- */

static int open_signal_fd(void)
{
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  int fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

static int create(lt_session *session)
{
  struct lt_watches *all = calloc(1, sizeof *all);
  int fd = open_signal_fd();
  if (all && fd >= 0) {
    all->signal_fd = fd;
    session->watches = all;
    return 0;
  }
  free(all);
  if (fd >= 0)
    close(fd);
  return lt_fail(session, all ? fd : -ENOMEM, "cannot wait for descriptors: %s",
                 lt_errno_text(all ? -fd : ENOMEM));
}

static int make_room(struct lt_watches *all)
{
  if (all->count < all->room)
    return 0;
  size_t room = all->room ? all->room * 2 : 8;
  struct pollfd *fds = realloc(all->fds, (room + 1) * sizeof *fds);
  if (fds)
    all->fds = fds;
  struct watch *watches = realloc(all->watches, room * sizeof *watches);
  if (watches)
    all->watches = watches;
  if (!fds || !watches)
    return -ENOMEM;
  all->room = room;
  return 0;
}

static size_t find(const struct lt_watches *all, int fd)
{
  size_t i = 0;
  while (i < all->count && all->fds[i].fd != fd)
    i++;
  return i;
}

static void forget(struct lt_watches *all, size_t i)
{
  if (i == all->count)
    return;
  all->count--;
  all->fds[i] = all->fds[all->count];
  all->watches[i] = all->watches[all->count];
}

int lt_watch(lt_session *session, int fd, short events, lt_ready *ready, void *data)
{
  int error = session->watches || events == 0 ? 0 : create(session);
  struct lt_watches *all = session->watches;
  if (error || !all)
    return error;
  size_t i = find(all, fd);
  if (events == 0) {
    forget(all, i);
    return 0;
  }
  if (i == all->count) {
    if (make_room(all) != 0)
      return lt_fail(session, -ENOMEM, "out of memory");
    all->count++;
    all->fds[i].revents = 0;
  }
  all->fds[i].fd = fd; /* NOLINT(clang-analyzer-core.NullDereference): make_room() made it */
  all->fds[i].events = events;
  all->watches[i] = (struct watch){ready, data};
  return 0;
}

void lt_watch_free(lt_session *session)
{
  struct lt_watches *all = session->watches;
  if (!all)
    return;
  close(all->signal_fd);
  free(all->fds);
  free(all->watches);
  free(all);
  session->watches = NULL;
}

/* ---- Waiting ------------------------------------------------------------------------------ */

bool lt_watch_any(const lt_session *session)
{
  return session->watches && session->watches->count > 0 && !session->ending;
}

int lt_watch_sleep(lt_session *session, uint64_t deadline)
{
  struct lt_watches *all = session->watches;
  uint64_t now = lt_k_now(), left = deadline > now ? deadline - now : 0;
  struct timespec timeout = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
  const struct timespec *limit = deadline == UINT64_MAX ? NULL : &timeout;
  if (!all || all->count == 0)
    return ppoll(NULL, 0, limit, NULL) < 0 ? -errno : 0;
  struct pollfd *last = &all->fds[all->count];
  *last = (struct pollfd){.fd = all->signal_fd, .events = POLLIN};
  int ready = ppoll(all->fds, all->count + 1, limit, NULL);
  if (ready < 0)
    return -errno;
  if (last->revents) { /* waitpid() says whose */
    struct signalfd_siginfo info;
    ssize_t size = read(all->signal_fd, &info, sizeof info);
    (void)size;
    ready--;
  }
  return ready;
}

/* A function may change the list, so each search starts over. */
static bool dispatch_one(struct lt_watches *all)
{
  for (size_t i = 0; i < all->count; i++) {
    short events = all->fds[i].revents;
    all->fds[i].revents = 0;
    if (events) {
      all->watches[i].ready(all->watches[i].data, all->fds[i].fd, events);
      return true;
    }
  }
  return false;
}

void lt_watch_dispatch(lt_session *session)
{
  if (!lt_watch_any(session))
    return;
  while (dispatch_one(session->watches))
    continue;
}

int lt_watch_alone(lt_session *session, int timeout_ms)
{
  uint64_t deadline = UINT64_MAX;
  if (timeout_ms >= 0)
    deadline = lt_k_now() + (uint64_t)timeout_ms * 1000000u;
  if (!session->interrupted)
    lt_watch_sleep(session, deadline);
  if (session->interrupted) {
    session->interrupted = 0;
    return -EINTR;
  }
  lt_watch_dispatch(session);
  return 0;
}
