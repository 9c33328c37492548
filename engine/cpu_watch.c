/* cpu_watch.c - a thread that stops often, but not at its calls: it hits breakpoints.
 *
 * It may be pinned only while its calls stop it, too. If that makes less stops than there are others,
 * the cheaper ones pay for it: then all its calls are traced. Only a thread that is alone is watched
 * so; if there are others, those would have to be as well. */
#include <signal.h>
#include <sys/wait.h>

#include "cpu_state.h"
#include "engine.h"

#define LOOK 16
#define OFTEN ((uint64_t)LOOK * 100 * 1000) /* nanoseconds for so many stops */
#define MOST_CALLS (LOOK - 3)               /* more cost more than the others save */
#define LONGEST 4096

static bool is_alone(const lt_thread *thread)
{
  return HASH_COUNT(thread->session->threads) == 1;
}

bool lt_cpu_watches(const lt_thread *thread)
{
  return thread->cpu.watched && is_alone(thread) && !thread->ignored && !thread->process->detaching;
}

static void give_up(struct lt_cpu_of *of)
{
  of->watched = false;
  of->patience = of->patience ? of->patience * 2 : LOOK;
  if (of->patience > LONGEST)
    of->patience = LONGEST;
  of->rest = of->patience;
}

void lt_cpu_watch(lt_thread *thread, int status)
{
  struct lt_cpu_of *of = &thread->cpu;
  of->calls += WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80);
  if (of->stops % LOOK != 0)
    return;
  uint64_t before = of->looked;
  unsigned calls = of->calls;
  of->calls = 0;
  if (!of->unseen && !of->watched)
    return;
  of->looked = lt_k_now();
  if (of->watched && calls > MOST_CALLS)
    give_up(of);
  else if (!of->watched && of->rest > 0)
    of->rest--;
  else if (!of->watched)
    of->watched = of->looked - before < OFTEN && is_alone(thread);
}
