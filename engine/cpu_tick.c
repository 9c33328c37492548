/* cpu_tick.c - from time to time, see what sharing costs and gains.
 *
 * A tick comes with the stops: the clock is looked at every LOOK stops. A program of several threads
 * may make none for long because they compute, one after the other; so there is a timer as well, for
 * as long as nothing but waiting is done. Its signal finds the engine inside waitpid(2), with nothing
 * half changed, and ticks from the handler: that way it interrupts no call of anybody's, which
 * returning from the wait would take. Where the timer finds the engine at work, the stops will do.
 *
 * What the kernel knows is in /proc/PID/schedstat: time executed, time spent waiting for a CPU. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cpu_state.h"
#include "engine.h"

#define LOOK 16
#define INTERVAL ((uint64_t)10 * 1000 * 1000)
#define LONGEST (16 * INTERVAL) /* where nothing happens */
#define SHARE_OF_TIME 50        /* ticks take at most this part of it */
#define WAKE ((uint64_t)35 * 1000)

/* ---- Measuring ---------------------------------------------------------------------------- */

struct figures {
  uint64_t executed, delayed;
};

static bool read_figures(pid_t tid, struct figures *ret)
{
  char text[96], *rest;
  int fd = lt_k_proc_open(tid, "schedstat", O_RDONLY);
  if (fd < 0)
    return false;
  ssize_t size = lt_k_pread(fd, text, sizeof text - 1, 0);
  close(fd);
  if (size <= 0)
    return false;
  text[size] = '\0';
  ret->executed = strtoull(text, &rest, 10);
  ret->delayed = strtoull(rest, NULL, 10);
  return true;
}

static uint64_t since(uint64_t now, uint64_t *before)
{
  uint64_t passed = *before && now > *before ? now - *before : 0;
  *before = now;
  return passed;
}

/* False if it does not count: it is on its way out, or was not there a tick ago. */
static bool measure(lt_thread *thread)
{
  struct lt_cpu_of *of = &thread->cpu;
  struct figures now;
  if (!thread->process || !thread->process->launched || !read_figures(thread->tid, &now))
    return false;
  bool counts = of->executed || of->delayed;
  of->share.executed = since(now.executed, &of->executed);
  of->share.delayed = since(now.delayed, &of->delayed);
  of->share.stops = (uint32_t)(of->stops - of->stops_at);
  of->stops_at = of->stops;
  of->realtime = false; /* looked at again */
  return counts;
}

/* Allocates nothing: it runs in the signal handler. */
static size_t measure_all(lt_session *session)
{
  struct lt_cpus *cpus = session->cpus;
  lt_thread *thread, *next;
  size_t count = 0;
  HASH_ITER(hh, session->threads, thread, next) {
    if (count == cpus->room || !measure(thread))
      continue;
    cpus->threads[count] = thread;
    cpus->shares[count++] = thread->cpu.share;
  }
  return count;
}

/* Threads for which there is no memory are not measured. */
void lt_cpu_make_room(struct lt_cpus *cpus, size_t count)
{
  if (count <= cpus->room)
    return;
  size_t room = count + count / 2 + 8;
  struct lt_cpu_share *shares = realloc(cpus->shares, room * sizeof *shares);
  if (shares)
    cpus->shares = shares;
  lt_thread **threads = shares ? realloc((void *)cpus->threads, room * sizeof(lt_thread *)) : NULL;
  if (!threads)
    return;
  cpus->threads = threads;
  cpus->room = room;
}

/* ---- A tick ------------------------------------------------------------------------------- */

/* Those that are to be free are freed at once, as they may not stop again for long. */
static void apply(lt_session *session, const struct lt_cpu_tick *tick)
{
  const struct lt_cpus *cpus = session->cpus;
  for (size_t i = 0; i < tick->count; i++) {
    lt_thread *thread = cpus->threads[i];
    thread->cpu.share = cpus->shares[i];
    if (thread->cpu.share.push && thread->state == LT_ST_RUNNING)
      lt_cpu_push(thread);
    if (thread->cpu.share.free)
      lt_cpu_unpin_running(thread);
  }
}

/* The thread that makes most of the stops may not be allowed where we are. */
static void follow(lt_session *session, const struct lt_cpu_tick *tick, uint64_t stops)
{
  const struct lt_cpus *cpus = session->cpus;
  for (size_t i = 0; i < tick->count; i++)
    if (tick->threads[i].stops > stops / 2 && cpus->threads[i]->cpu.own)
      lt_cpu_follow(cpus->threads[i]);
}

static uint64_t next_interval(const struct lt_cpus *cpus, uint64_t stops, uint64_t cost)
{
  uint64_t interval = stops ? INTERVAL : cpus->interval * 2;
  if (interval > LONGEST)
    interval = LONGEST;
  return interval > cost * SHARE_OF_TIME ? interval : cost * SHARE_OF_TIME;
}

void lt_cpu_tick(lt_session *session)
{
  struct lt_cpus *cpus = session->cpus;
  struct figures own = {cpus->executed, cpus->delayed};
  uint64_t now = lt_k_now(), stops = cpus->stops - cpus->stops_at;
  read_figures((pid_t)syscall(SYS_gettid), &own);
  struct lt_cpu_tick tick = {
      .length = now - cpus->last,
      .wake = WAKE,
      .executed = since(own.executed, &cpus->executed),
      .delayed = since(own.delayed, &cpus->delayed),
      .coin = now / 1000 & 1,
      .cpus = cpus->count,
      .threads = cpus->shares,
      .count = measure_all(session),
      .roomy = cpus->roomy,
      .rest = cpus->rest,
  };
  bool first = cpus->last == 0;
  cpus->last = now;
  cpus->stops_at = cpus->stops;
  if (!first && cpus->adapts) {
    lt_cpu_decide(&tick);
    cpus->roomy = tick.roomy;
    cpus->rest = tick.rest;
    apply(session, &tick);
    if (tick.move)
      lt_cpu_move(session);
  }
  follow(session, &tick, stops);
  cpus->interval = next_interval(cpus, stops, lt_k_now() - now);
}

void lt_cpu_on_stop(lt_thread *thread, int status)
{
  lt_session *session = thread->session;
  struct lt_cpus *cpus = session->cpus;
  if (!cpus)
    return;
  thread->cpu.stops++;
  lt_cpu_watch(thread, status);
  if (++cpus->stops % LOOK == 0 && cpus->chosen && !cpus->gave_up &&
      lt_k_now() - cpus->last >= cpus->interval)
    lt_cpu_tick(session);
}

/* ---- The timer ---------------------------------------------------------------------------- */

static void set_timer(struct lt_cpus *cpus, uint64_t ns)
{
  struct itimerspec spec = {
      .it_value = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)},
  };
  cpus->armed = timer_settime(cpus->timer, 0, &spec, NULL) == 0;
}

/* The stops may have brought a tick since the timer was set. */
static void tick_again(lt_session *session)
{
  struct lt_cpus *cpus = session->cpus;
  uint64_t passed = lt_k_now() - cpus->last;
  if (passed >= cpus->interval) {
    lt_cpu_tick(session);
    passed = 0;
  }
  set_timer(cpus, cpus->interval - passed);
}

static void on_timer(int signo, siginfo_t *info, void *context)
{
  (void)signo;
  (void)context;
  lt_session *session = info->si_code == SI_TIMER ? info->si_value.sival_ptr : NULL;
  int saved = errno;
  if (!session)
    return;
  session->cpus->armed = false;
  if (session->cpus->waiting)
    tick_again(session);
  errno = saved;
}

/* A real-time signal that nobody uses. It interrupts no system call (SA_RESTART). */
static int take_signal(void)
{
  struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART}, used;
  sigfillset(&action.sa_mask);
  for (int signo = SIGRTMAX; signo >= SIGRTMIN; signo--)
    if (sigaction(signo, NULL, &used) == 0 && !(used.sa_flags & SA_SIGINFO) &&
        used.sa_handler == SIG_DFL && sigaction(signo, &action, NULL) == 0)
      return signo;
  return 0;
}

/* For this thread alone: others of the caller's know nothing of it. */
static void make_timer(lt_session *session)
{
  struct lt_cpus *cpus = session->cpus;
  cpus->signo = take_signal();
  struct sigevent event = {
      .sigev_notify = SIGEV_THREAD_ID,
      .sigev_signo = cpus->signo,
      .sigev_value.sival_ptr = session,
  };
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  if (cpus->signo && timer_create(CLOCK_MONOTONIC, &event, &cpus->timer) != 0) {
    signal(cpus->signo, SIG_DFL);
    cpus->signo = 0;
  }
  if (!cpus->signo)
    lt_cpu_give_up(session); /* nobody would see that they had better be apart */
}

void lt_cpu_timer_free(struct lt_cpus *cpus)
{
  if (!cpus->signo)
    return;
  timer_delete(cpus->timer);
  signal(cpus->signo, SIG_IGN); /* forgets one that is pending */
  signal(cpus->signo, SIG_DFL);
}

void lt_cpu_wait_begins(lt_session *session)
{
  struct lt_cpus *cpus = session->cpus;
  if (!cpus || !cpus->chosen || !cpus->adapts || cpus->gave_up)
    return;
  if (!cpus->armed && HASH_COUNT(session->threads) > 1) {
    if (!cpus->signo)
      make_timer(session);
    if (cpus->signo)
      set_timer(cpus, cpus->interval ? cpus->interval : INTERVAL);
  }
  cpus->waiting = 1;
}

void lt_cpu_wait_ends(lt_session *session)
{
  if (session->cpus)
    session->cpus->waiting = 0;
}
