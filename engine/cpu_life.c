/* cpu_life.c - what is remembered of a thread's CPUs from its birth to its end. */
#include <stdlib.h>

#include "cpu_state.h"
#include "engine.h"

void lt_cpu_before_launch(lt_session *session)
{
  if (session->cpus && !session->attached)
    lt_cpu_pin_self(session);
}

void lt_cpu_launched(lt_thread *thread)
{
  struct lt_cpus *cpus = thread->session->cpus;
  if (!cpus)
    return;
  lt_cpu_make_room(cpus, HASH_COUNT(thread->session->threads));
  thread->cpu.at = cpus->pinned ? LT_CPU_UNKNOWN : LT_CPU_OWN;
}

static bool takes_part(const lt_thread *thread)
{
  struct lt_cpus *cpus = thread->session->cpus;
  if (!cpus || !cpus->chosen || !thread->process->launched)
    return false;
  lt_cpu_make_room(cpus, HASH_COUNT(thread->session->threads));
  return true;
}

static void inherit(lt_thread *thread, const lt_thread *from, bool pinned)
{
  if (from && from->cpu.own)
    lt_cpu_remember(thread, from->cpu.own);
  thread->cpu.at = pinned ? LT_CPU_UNKNOWN : LT_CPU_OWN;
  thread->cpu.unseen = from && from->cpu.unseen;
}

/* It has what its creator had at that moment, which may be our CPU. If somebody was asking about the
 * creator, its own CPUs may be the answer, which we have not read yet. */
void lt_cpu_born(lt_thread *thread, lt_thread *creator)
{
  const struct lt_cpu_of *of = &creator->cpu;
  if (!takes_part(thread))
    return;
  if (of->asked)
    lt_cpu_read_back(thread);
  else
    inherit(thread, creator, of->at != LT_CPU_OWN || of->apart == of->stops);
  if (of->watched) /* the child is not, and might ask about it */
    lt_cpu_unpin(creator);
}

void lt_cpu_adopted(lt_thread *thread, const lt_thread *relative)
{
  if (takes_part(thread))
    inherit(thread, relative, thread->session->cpus->pins > 0);
}

void lt_cpu_exec(lt_thread *thread)
{
  thread->cpu.asked = 0; /* whoever asked may not know it by this number */
}

void lt_cpu_gone(lt_thread *thread)
{
  lt_session *session = thread->session;
  if (session->cpus && thread->cpu.asks)
    lt_cpu_asked(thread);
  free(thread->cpu.own);
  thread->cpu.own = NULL;
  if (session->cpus)
    lt_cpu_set_at(thread, LT_CPU_OWN);
}

bool lt_cpu_holds(const lt_process *process)
{
  const struct lt_cpus *cpus = process->session->cpus;
  return cpus && cpus->chosen && !cpus->gave_up && process->launched;
}
