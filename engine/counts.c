/* counts.c - how often instructions are reached: breakpoints that nobody hears of. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "breaks.h"

#define COUNTERS_MAX ((size_t)1 << 28)

ssize_t lt_counters_new(lt_session *session, size_t count)
{
  size_t first = session->counter_count;
  if (count > COUNTERS_MAX - first)
    return lt_fail(session, -ENOMEM, "too many counters");
  uint64_t *more = realloc(session->counters, (first + count + 1) * sizeof *more);
  if (!more)
    return lt_fail(session, -ENOMEM, "out of memory");
  memset(more + first, 0, (count + 1) * sizeof *more);
  session->counters = more;
  session->counter_count = first + count;
  return (ssize_t)first;
}

uint64_t lt_counter(const lt_session *session, size_t number)
{
  return number < session->counter_count ? session->counters[number] : 0;
}

int lt_count_add(lt_process *process, uint64_t addr, size_t counter, bool once)
{
  if (counter >= process->session->counter_count)
    return lt_fail(process->session, -EINVAL, "there is no such counter");
  if (once && process->session->counters[counter])
    return 0;
  int error = lt_site_own(process, addr, LT_OWNER_COUNT);
  struct lt_site *site = error ? NULL : lt_site_find(process, addr);
  if (!site)
    return error;
  site->counter = (uint32_t)counter;
  site->once = once;
  return 0;
}

void lt_count_hit(lt_thread *thread, struct lt_site *site)
{
  lt_session *session = thread->session;
  uint64_t *count = &session->counters[site->counter];
  if (!site->once)
    ++*count;
  else
    *count = 1;
  if (site->once)
    lt_site_disown(thread->process, site->addr, LT_OWNER_COUNT);
}
