/* step_sites.c - addresses at which threads that run are to stop. Several threads of an address
 * space may want the same one. */
#include <utlist.h>

#include "breaks.h"
#include "steps.h"

static bool wants(const lt_thread *thread, uint64_t addr)
{
  const struct lt_steps *steps = thread->steps;
  if (!steps)
    return false;
  if (steps->planted && steps->over_addr == addr)
    return true;
  for (unsigned i = 0; i < steps->exits.count; i++)
    if (steps->over == LT_OVER_SEQUENCE && steps->exits.at[i] == addr)
      return true;
  for (unsigned i = 0; i < steps->sites.count && !steps->leads; i++)
    if (steps->sites.at[i] == addr)
      return true;
  return false;
}

static bool anybody_wants(const struct lt_space *space, lt_session *session, uint64_t addr)
{
  for (lt_thread *thread = session->threads; thread; thread = thread->hh.next)
    if (thread->process && thread->process->space == space && wants(thread, addr))
      return true;
  return false;
}

int lt_step_site_own(lt_thread *thread, uint64_t addr)
{
  return lt_site_own(thread->process, addr, LT_OWNER_STEP);
}

void lt_step_site_disown(lt_thread *thread, uint64_t addr)
{
  if (!anybody_wants(thread->process->space, thread->session, addr))
    lt_site_disown(thread->process, addr, LT_OWNER_STEP);
}
