/* cpu.c - tracer and traced threads on one CPU: pinning, and giving back.
 *
 * A stop is a switch from the thread to the tracer and back. On one CPU that is two context
 * switches; between two, each of them waits until the other CPU has woken up, which costs several
 * times as much. So threads are pinned to the tracer's CPU, always while they stand still (that is
 * quick, and a running one would have to be pushed), and unpinned where sharing costs more than it
 * gains (cpu_rule.c).
 *
 * The program must not notice. What its threads were allowed before is remembered (`own`), follows
 * them through fork and exec, and is what they get back when they are let go, and while somebody
 * asks (cpu_answer.c). Nothing here is an error of the trace: where a thread cannot be pinned, it is
 * not. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "cpu_state.h"
#include "engine.h"

#define BITS 64

static bool has_cpu(const struct lt_cpus *cpus, const uint64_t *mask, int cpu)
{
  return cpu >= 0 && (size_t)cpu < cpus->size * 8 && mask[cpu / BITS] >> (cpu % BITS) & 1;
}

static unsigned count_cpus(const struct lt_cpus *cpus, const uint64_t *mask)
{
  unsigned count = 0;
  for (size_t i = 0; i < cpus->size * 8; i++)
    count += has_cpu(cpus, mask, (int)i);
  return count;
}

/* A passing fault must not leave a thread where it should not be. */
static int set_mask(const struct lt_cpus *cpus, pid_t tid, const uint64_t *mask)
{
  int error = lt_k_sched_setaffinity(tid, cpus->size, mask);
  if (error && error != -EINVAL)
    error = lt_k_sched_setaffinity(tid, cpus->size, mask);
  return error;
}

static const uint64_t *only(const struct lt_cpus *cpus, int cpu)
{
  memset(cpus->one, 0, cpus->size);
  cpus->one[cpu / BITS] = (uint64_t)1 << (cpu % BITS);
  return cpus->one;
}

/* ---- The session -------------------------------------------------------------------------- */

static struct lt_cpus *new_cpus(size_t size)
{
  struct lt_cpus *cpus = calloc(1, sizeof *cpus);
  uint64_t *masks = cpus ? calloc(3, size) : NULL;
  if (!masks) {
    free(cpus);
    return NULL;
  }
  cpus->size = size;
  cpus->cpu = -1;
  cpus->own = masks;
  cpus->back = masks + size / sizeof *masks;
  cpus->one = cpus->back + size / sizeof *masks;
  return cpus;
}

/* There is nothing to gain with one CPU, and a tracer with real-time priority is where its user
 * wants it. */
void lt_cpu_init(lt_session *session)
{
  uint64_t mask[LT_CPU_BYTES / sizeof(uint64_t)] = {0};
  if (session->options.cpu == LT_CPU_FREE || lt_k_sched_is_realtime(0))
    return;
  int size = lt_k_sched_getaffinity(0, sizeof mask, mask);
  struct lt_cpus *cpus = size > 0 ? new_cpus((size_t)size) : NULL;
  if (!cpus)
    return;
  memcpy(cpus->own, mask, (size_t)size);
  memcpy(cpus->back, mask, (size_t)size);
  cpus->adapts = session->options.cpu == LT_CPU_AUTO;
  cpus->count = count_cpus(cpus, mask);
  if (cpus->count > 1) {
    session->cpus = cpus;
  } else {
    free(cpus->own);
    free(cpus);
  }
}

void lt_cpu_free(lt_session *session)
{
  struct lt_cpus *cpus = session->cpus;
  if (!cpus)
    return;
  lt_cpu_unpin_self(session);
  lt_cpu_timer_free(cpus);
  session->cpus = NULL;
  free(cpus->own); /* and the others with it */
  free(cpus->shares);
  free((void *)cpus->threads);
  free(cpus);
}

void lt_cpu_in_child(const lt_session *session)
{
  const struct lt_cpus *cpus = session->cpus;
  if (cpus && cpus->pinned)
    sched_setaffinity(0, cpus->size, (const cpu_set_t *)cpus->back);
}

void lt_own_cpus(lt_session *session)
{
  if (session->cpus)
    lt_cpu_unpin_self(session);
}

/* ---- The tracer --------------------------------------------------------------------------- */

/* A mask of all bits gives back the same CPUs if they are all that there are, and those that are
 * added later as well. */
static void choose_back(struct lt_cpus *cpus)
{
  uint64_t mask[LT_CPU_BYTES / sizeof(uint64_t)] = {0};
  cpus->chosen = true;
  memset(cpus->back, 0xff, cpus->size);
  if (set_mask(cpus, 0, cpus->back) != 0 ||
      lt_k_sched_getaffinity(0, cpus->size, mask) != (int)cpus->size ||
      memcmp(mask, cpus->own, cpus->size) != 0)
    memcpy(cpus->back, cpus->own, cpus->size);
}

bool lt_cpu_pin_self(lt_session *session)
{
  struct lt_cpus *cpus = session->cpus;
  if (cpus->pinned || cpus->gave_up)
    return cpus->pinned;
  if (!cpus->chosen)
    choose_back(cpus);
  if (cpus->cpu < 0)
    cpus->cpu = sched_getcpu();
  int error = -EINVAL;
  if (has_cpu(cpus, cpus->own, cpus->cpu))
    error = set_mask(cpus, 0, only(cpus, cpus->cpu));
  cpus->pinned = error == 0;
  if (error) { /* the CPUs have changed, or a sandbox forbids it */
    cpus->gave_up = true;
    set_mask(cpus, 0, cpus->own);
  }
  return cpus->pinned;
}

void lt_cpu_unpin_self(lt_session *session)
{
  struct lt_cpus *cpus = session->cpus;
  if (cpus->pinned)
    set_mask(cpus, 0, cpus->back);
  cpus->pinned = false;
}

/* To one of the CPUs that the tracer and `mask` (NULL: any) have. */
static void move(lt_session *session, const uint64_t *mask)
{
  struct lt_cpus *cpus = session->cpus;
  int count = (int)(cpus->size * 8);
  if (cpus->cpu < 0 || cpus->gave_up)
    return;
  for (int i = 1; i < count; i++) {
    int cpu = (cpus->cpu + i) % count;
    if (!has_cpu(cpus, cpus->own, cpu) || (mask && !has_cpu(cpus, mask, cpu)) ||
        set_mask(cpus, 0, only(cpus, cpu)) != 0)
      continue;
    cpus->cpu = cpu;
    cpus->pinned = true;
    return;
  }
}

void lt_cpu_move(lt_session *session)
{
  move(session, NULL);
}

void lt_cpu_follow(lt_thread *thread)
{
  const struct lt_cpus *cpus = thread->session->cpus;
  if (thread->cpu.own && !has_cpu(cpus, thread->cpu.own, cpus->cpu))
    move(thread->session, thread->cpu.own);
}

/* ---- Threads ------------------------------------------------------------------------------ */

void lt_cpu_set_at(lt_thread *thread, int at)
{
  struct lt_cpus *cpus = thread->session->cpus;
  if (thread->cpu.at > LT_CPU_OWN)
    cpus->pins--;
  thread->cpu.at = at;
  if (at > LT_CPU_OWN)
    cpus->pins++;
  if (cpus->pins == 0)
    lt_cpu_unpin_self(thread->session);
}

void lt_cpu_pin(lt_thread *thread)
{
  const struct lt_cpus *cpus = thread->session->cpus;
  struct lt_cpu_of *of = &thread->cpu;
  bool fine = lt_cpu_pin_self(thread->session);
  if (fine && of->at == LT_CPU_ONLY(cpus->cpu))
    return;
  of->realtime = lt_k_sched_is_realtime(thread->tid);
  if (fine && !of->realtime && set_mask(cpus, thread->tid, only(cpus, cpus->cpu)) == 0)
    lt_cpu_set_at(thread, LT_CPU_ONLY(cpus->cpu));
  else
    lt_cpu_unpin(thread);
}

void lt_cpu_remember(lt_thread *thread, const uint64_t *mask)
{
  const struct lt_cpus *cpus = thread->session->cpus;
  if (memcmp(mask, cpus->own, cpus->size) == 0) {
    free(thread->cpu.own);
    thread->cpu.own = NULL;
    return;
  }
  if (!thread->cpu.own)
    thread->cpu.own = malloc(cpus->size);
  if (thread->cpu.own)
    memcpy(thread->cpu.own, mask, cpus->size);
}

void lt_cpu_read_back(lt_thread *thread)
{
  uint64_t mask[LT_CPU_BYTES / sizeof(uint64_t)] = {0};
  const struct lt_cpus *cpus = thread->session->cpus;
  int size = lt_k_sched_getaffinity(thread->tid, cpus->size, mask);
  if (size < 0)
    size = lt_k_sched_getaffinity(thread->tid, cpus->size, mask);
  if (size == (int)cpus->size)
    lt_cpu_remember(thread, mask);
}

/* Somebody outside (taskset -p, a change of cpusets) may have said where it is to run. */
static bool was_moved(lt_thread *thread)
{
  uint64_t mask[LT_CPU_BYTES / sizeof(uint64_t)] = {0};
  const struct lt_cpus *cpus = thread->session->cpus;
  int size = lt_k_sched_getaffinity(thread->tid, cpus->size, mask);
  if (size != (int)cpus->size || count_cpus(cpus, mask) == 0 ||
      memcmp(mask, only(cpus, thread->cpu.at - LT_CPU_ONLY(0)), cpus->size) == 0)
    return false;
  lt_cpu_remember(thread, mask);
  return true;
}

void lt_cpu_unpin(lt_thread *thread)
{
  const struct lt_cpus *cpus = thread->session->cpus;
  struct lt_cpu_of *of = &thread->cpu;
  if (of->at == LT_CPU_OWN)
    return;
  if (of->at == LT_CPU_UNKNOWN || !was_moved(thread))
    set_mask(cpus, thread->tid, of->own ? of->own : cpus->back);
  lt_cpu_set_at(thread, LT_CPU_OWN);
}

void lt_cpu_unpin_running(lt_thread *thread)
{
  if (thread->cpu.at != LT_CPU_OWN)
    thread->cpu.apart = thread->cpu.stops + 1;
  lt_cpu_unpin(thread);
}

/* It may come back at once, but it is somewhere else then. */
void lt_cpu_push(lt_thread *thread)
{
  const struct lt_cpus *cpus = thread->session->cpus;
  lt_cpu_unpin_running(thread);
  if (cpus->cpu < 0 || thread->cpu.realtime)
    return;
  const uint64_t *own = thread->cpu.own ? thread->cpu.own : cpus->own;
  memcpy(cpus->one, own, cpus->size);
  cpus->one[cpus->cpu / BITS] &= ~((uint64_t)1 << (cpus->cpu % BITS));
  if (count_cpus(cpus, cpus->one) > 0 && set_mask(cpus, thread->tid, cpus->one) == 0)
    set_mask(cpus, thread->tid, thread->cpu.own ? own : cpus->back);
}

void lt_cpu_give_up(lt_session *session)
{
  lt_thread *thread, *next;
  if (!session->cpus)
    return;
  session->cpus->gave_up = true;
  HASH_ITER(hh, session->threads, thread, next)
    lt_cpu_unpin_running(thread);
  lt_cpu_unpin_self(session);
}

void lt_cpu_let_go(lt_thread *thread)
{
  if (thread->session->cpus)
    lt_cpu_unpin(thread);
}

void lt_cpu_let_go_unknown(lt_session *session, pid_t tid)
{
  if (session->cpus && session->cpus->chosen && !session->attached)
    set_mask(session->cpus, tid, session->cpus->back);
}

/* Where its calls do not stop it, it could ask where it may run and be told the truth. A single step is
 * never one of a system call (steps.c). */
static bool is_seen(const lt_thread *thread, int request)
{
  return thread->process->starting || request != PTRACE_CONT || lt_filter_stops(thread);
}

static bool may_share(const lt_thread *thread)
{
  const lt_session *session = thread->session;
  const struct lt_cpus *cpus = session->cpus;
  if (thread->cpu.share.free || thread->cpu.asked || thread->cpu.realtime || thread->ignored ||
      thread->silent || thread->process->detaching || session->attached || session->ending)
    return false;
  if (cpus->cpu >= 0 && thread->cpu.own && !has_cpu(cpus, thread->cpu.own, cpus->cpu))
    return false;
  return true;
}

bool lt_cpu_asks(const lt_thread *thread)
{
  return thread->session->cpus && thread->process->launched && lt_cpu_is_asking(thread);
}

void lt_cpu_settle(lt_thread *thread, int request)
{
  const struct lt_cpus *cpus = thread->session->cpus;
  if (!cpus || !thread->process || !thread->process->launched)
    return;
  if (thread->cpu.asks)
    lt_cpu_asked(thread);
  if (lt_cpu_is_asking(thread))
    lt_cpu_ask(thread);
  bool was_unseen = thread->cpu.unseen;
  thread->cpu.unseen = !is_seen(thread, request);
  if (thread->cpu.unseen || !may_share(thread)) {
    lt_cpu_unpin(thread);
  } else if (!cpus->pinned || thread->cpu.at != LT_CPU_ONLY(cpus->cpu)) {
    if (was_unseen && thread->cpu.at == LT_CPU_OWN)
      lt_cpu_read_back(thread); /* it may have chosen others meanwhile */
    lt_cpu_pin(thread);
  }
}
