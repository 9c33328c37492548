/* wait.c - the one place that waits: for any tracee, never for a particular one.
 *
 * Statuses are drained into a queue before any of them is dispatched: waitpid(-1) prefers the
 * threads at the head of the kernel's list, so that taking one at a time starves the others. As
 * waitpid(-1) costs time linear in the number of tracees, a drain that found nothing makes the
 * next ones be skipped, doubling up to 16. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "cpu.h"
#include "engine.h"

#define MAX_SKIP 16

static unsigned queued(const lt_session *session)
{
  return session->queue_to - session->queue_from;
}

/* A thread that ends has left the stop that it reported earlier: that entry says nothing true. */
static void void_earlier_stop(lt_session *session, pid_t tid)
{
  for (unsigned i = session->queue_from; i != session->queue_to; i++)
    if (session->queue[i].tid == tid)
      session->queue[i].tid = 0;
}

static void enqueue(lt_session *session, pid_t tid, int status)
{
  if (!WIFSTOPPED(status))
    void_earlier_stop(session, tid);
  session->queue[session->queue_to++] = (struct lt_pending){tid, status};
}

void lt_wait_push_front(lt_session *session, pid_t tid, int status)
{
  if (session->queue_from > 0)
    session->queue[--session->queue_from] = (struct lt_pending){tid, status};
  else
    enqueue(session, tid, status);
}

/* Take what is ready without blocking. Returns the number of statuses, or a negated errno. */
static int drain(lt_session *session)
{
  int taken = 0;
  while (session->queue_to < LT_QUEUE) {
    int status;
    pid_t tid = lt_k_waitpid(-1, &status, __WALL | WNOHANG);
    if (tid == -EINTR)
      continue;
    if (tid <= 0)
      return taken ? taken : tid;
    enqueue(session, tid, status);
    taken++;
  }
  return taken;
}

/* After a first status came by blocking: see whether others are ready, if that is likely. */
static void drain_adaptively(lt_session *session)
{
  if (session->drain_wait > 0) {
    session->drain_wait--;
    return;
  }
  if (drain(session) > 0) {
    session->drain_skip = 0;
    return;
  }
  session->drain_skip = session->drain_skip ? session->drain_skip * 2 : 1;
  if (session->drain_skip > MAX_SKIP)
    session->drain_skip = MAX_SKIP;
  session->drain_wait = session->drain_skip;
}

static int wait_forever(lt_session *session)
{
  for (;;) {
    if (session->interrupted)
      return -EINTR;
    int status;
    lt_cpu_wait_begins(session);
    pid_t tid = lt_k_waitpid(-1, &status, __WALL);
    lt_cpu_wait_ends(session);
    if (tid == -EINTR)
      continue;
    if (tid < 0)
      return tid;
    enqueue(session, tid, status);
    drain_adaptively(session);
    return (int)queued(session);
  }
}

/* Block SIGCHLD, so that one that comes between the drain and the sleep is not lost: it stays
 * pending and ends sigtimedwait(2) at once. */
static int wait_until(lt_session *session, uint64_t deadline)
{
  sigset_t child, before;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &child, &before);
  int count;
  for (;;) {
    count = drain(session);
    uint64_t now = lt_k_now();
    if (count == 0 && session->interrupted)
      count = -EINTR;
    if (count != 0 || now >= deadline)
      break;
    uint64_t left = deadline - now;
    struct timespec timeout = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
    lt_cpu_wait_begins(session);
    sigtimedwait(&child, NULL, &timeout);
    lt_cpu_wait_ends(session);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return count;
}

/* The same while descriptors are awaited too: watch.c sleeps. A descriptor that is always ready
 * must not keep statuses from being seen, nor the other way round. */
static int wait_watching(lt_session *session, uint64_t deadline)
{
  sigset_t child, before;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &child, &before);
  int count;
  for (;;) {
    count = drain(session);
    if (count == 0 && session->interrupted)
      count = -EINTR;
    lt_cpu_wait_begins(session);
    int ready = lt_watch_sleep(session, count ? 0 : deadline);
    lt_cpu_wait_ends(session);
    if (count != 0 || ready > 0 || lt_k_now() >= deadline)
      break;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return count;
}

void lt_wait_fill_more(lt_session *session)
{
  drain(session);
}

int lt_wait_fill(lt_session *session, uint64_t deadline)
{
  if (queued(session) > 0)
    return (int)queued(session);
  session->queue_from = session->queue_to = 0;
  if (deadline == 0) {
    int count = drain(session);
    if (lt_watch_any(session))
      lt_watch_sleep(session, 0);
    return count == 0 && session->interrupted ? -EINTR : count;
  }
  if (lt_watch_any(session))
    return wait_watching(session, deadline);
  if (deadline == UINT64_MAX)
    return wait_forever(session);
  return wait_until(session, deadline);
}
