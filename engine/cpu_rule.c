/* cpu_rule.c - which threads share the tracer's CPU.
 *
 * A stop is several times cheaper where the thread and its tracer take turns on one CPU. Sharing
 * costs nothing while one of them waits for the other anyway, and all of the parallelism where it
 * does not. What it costs a thread is the time that it stands in the queue of that CPU (`delayed`);
 * what it gains is `wake` at each stop. The rule compares the two.
 *
 * A free thread gains by sharing if its stops cost more than twice what it executes. That must hold
 * for two ticks, since one tick says little of a program that computes and calls by turns. */
#include "cpu_rule.h"

#define TENTH(time) ((time) / 10)
#define CALM_TICKS 2
#define FEW_STOPS 10
#define REST_AFTER_MOVE 5 /* ticks */
#define REST_AFTER_COIN 2

static uint64_t gain(const struct lt_cpu_tick *tick, const struct lt_cpu_share *thread)
{
  return thread->stops * tick->wake;
}

/* What sharing costs this thread beyond what it gains; 0: nothing worth mentioning. */
static uint64_t loss(const struct lt_cpu_tick *tick, const struct lt_cpu_share *thread)
{
  uint64_t least = gain(tick, thread) + TENTH(tick->length);
  return !thread->free && thread->delayed > least ? thread->delayed - least : 0;
}

static void consider_sharing(const struct lt_cpu_tick *tick, struct lt_cpu_share *thread)
{
  bool better = thread->stops > FEW_STOPS && gain(tick, thread) > 2 * thread->executed;
  if (!thread->free || !better) {
    thread->calm = 0;
  } else if (++thread->calm >= CALM_TICKS) {
    thread->free = false;
    thread->calm = 0;
  }
}

static bool is_active(const struct lt_cpu_tick *tick, const struct lt_cpu_share *thread)
{
  return thread->stops > 0 || thread->executed > tick->length / 20;
}

struct sums {
  uint64_t executed;
  uint64_t stops;
  unsigned active, losers;
};

static struct sums add_up(const struct lt_cpu_tick *tick)
{
  struct sums sums = {.executed = tick->executed};
  for (size_t i = 0; i < tick->count; i++) {
    const struct lt_cpu_share *thread = &tick->threads[i];
    sums.executed += thread->executed;
    sums.stops += thread->stops;
    sums.active += is_active(tick, thread);
    sums.losers += loss(tick, thread) > 0;
  }
  return sums;
}

/* Those that lose most: one, or of many a quarter, as each one that goes makes room for the rest. */
static void set_free(struct lt_cpu_tick *tick, unsigned losers)
{
  for (unsigned left = (losers + 3) / 4; left > 0; left--) {
    struct lt_cpu_share *worst = NULL;
    for (size_t i = 0; i < tick->count; i++)
      if (loss(tick, &tick->threads[i]) > (worst ? loss(tick, worst) : 0))
        worst = &tick->threads[i];
    if (worst)
      worst->free = worst->push = true;
  }
}

/* A thread that computes stays where it is as long as the scheduler sees no reason to move it, and a
 * CPU whose tasks take turns by the microsecond is not one. If there is room elsewhere, the one that is
 * delayed most goes. */
static void push_one(struct lt_cpu_tick *tick, const struct sums *sums)
{
  struct lt_cpu_share *worst = NULL;
  if (sums->executed > tick->length / 10 * 9 * tick->cpus)
    return;
  for (size_t i = 0; i < tick->count; i++) {
    struct lt_cpu_share *thread = &tick->threads[i];
    bool suffers = thread->free && !thread->push && thread->delayed > TENTH(tick->length);
    if (suffers && (!worst || thread->delayed > worst->delayed))
      worst = thread;
  }
  if (worst)
    worst->push = true;
}

/* Two ticks in a row: what the kernel says of a thread that runs is some milliseconds old. */
static bool is_roomy(struct lt_cpu_tick *tick, const struct sums *sums)
{
  bool roomy = sums->executed < tick->length / 100 * 85 && sums->stops > 5;
  for (size_t i = 0; i < tick->count; i++)
    roomy = roomy && !(tick->threads[i].free && tick->threads[i].delayed > TENTH(tick->length));
  tick->roomy = roomy ? tick->roomy + 1 : 0;
  return tick->roomy >= CALM_TICKS;
}

static void share_all(struct lt_cpu_tick *tick)
{
  for (size_t i = 0; i < tick->count; i++) {
    tick->threads[i].free = false;
    tick->threads[i].calm = 0;
  }
}

/* Somebody else uses our CPU. Two tracers must not run after each other: hence the coin. */
static void consider_moving(struct lt_cpu_tick *tick, const struct sums *sums)
{
  tick->move = false;
  if (tick->rest > 0) {
    tick->rest--;
    return;
  }
  bool crowded = tick->delayed > TENTH(tick->length) && sums->executed < TENTH(tick->length) * 8;
  if (!crowded || sums->active > 1)
    return;
  tick->move = tick->coin;
  tick->rest = tick->coin ? REST_AFTER_MOVE : REST_AFTER_COIN;
}

void lt_cpu_decide(struct lt_cpu_tick *tick)
{
  struct sums sums = add_up(tick);
  bool roomy = is_roomy(tick, &sums);
  for (size_t i = 0; i < tick->count; i++) {
    tick->threads[i].push = false;
    consider_sharing(tick, &tick->threads[i]);
  }
  if (sums.losers > 0 && sums.active > 1)
    set_free(tick, sums.losers);
  else if (roomy)
    share_all(tick);
  push_one(tick, &sums);
  consider_moving(tick, &sums);
}
