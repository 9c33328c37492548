/* lift.c - nothing of ours is left in a program's memory when we let it go.
 *
 * Memory can be shared (vfork, CLONE_VM): as long as one of those that share it is traced and has
 * breakpoints, the others would die of them. They stay traced, unseen, until that is over. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "breaks.h"
#include "probe.h"

static bool is_leaving(const lt_process *process)
{
  if (process->detaching || process->session->ending)
    return true;
  for (const lt_thread *thread = process->threads; thread; thread = thread->next)
    if (!thread->ignored)
      return false;
  return true;
}

bool lt_sites_release(lt_process *process)
{
  struct lt_sites *sites = process->space->sites;
  if (!lt_sites_any(process) || !is_leaving(process))
    return !lt_sites_any(process);
  const lt_session *session = process->session;
  for (lt_process *other = session->processes; other; other = other->hh.next)
    if (other->space == process->space && !is_leaving(other))
      return false;
  lt_probe_clear_all(process);
  for (struct lt_site *site = sites->by_addr; site; site = site->hh.next)
    lt_site_lift(process, site);
  return true;
}

void lt_sites_left(lt_session *session, const struct lt_space *space)
{
  for (lt_process *process = session->processes; process; process = process->hh.next)
    for (lt_thread *thread = process->threads; thread && process->space == space;
         thread = thread->next)
      if (process->detaching || thread->ignored)
        lt_interrupt_thread(thread);
}

/* ---- In a signal handler -------------------------------------------------------------------- */

static void let_go(lt_thread *thread)
{
  lt_regs_flush(thread);
  lt_k_ptrace(PTRACE_DETACH, thread->tid, 0, (uintptr_t)thread->inject);
}

/* A thread that has just run onto a breakpoint, or was about to stop for something else. */
static void let_newly_stopped_go(lt_thread *thread, int status)
{
  const struct lt_regs *regs;
  int signo = status >> 16 ? 0 : WSTOPSIG(status) & 0x7f;
  thread->state = LT_ST_STOPPED;
  thread->inject = signo == SIGTRAP ? 0 : signo;
  lt_regs_forget(thread);
  if (signo == SIGTRAP && lt_regs_general(thread, &regs) == 0) {
    const struct lt_arch *arch = lt_arch_get(lt_arch_of(regs));
    uint64_t addr = arch->pc(regs) - arch->trap_advance;
    if (lt_site_find(thread->process, addr))
      lt_regs_set_pc(thread, addr);
  }
  let_go(thread);
}

void lt_sites_emergency(lt_process *process)
{
  struct lt_sites *sites = process->space->sites;
  if (!sites)
    return;
  lt_probe_clear_all(process);
  for (struct lt_site *site = sites->by_addr; site; site = site->hh.next)
    lt_site_lift(process, site);
  for (lt_thread *thread = process->threads; thread; thread = thread->next) {
    int status;
    if (thread->state == LT_ST_STOPPED)
      let_go(thread);
    else if (lt_k_waitpid(thread->tid, &status, __WALL | WNOHANG) > 0 && WIFSTOPPED(status))
      let_newly_stopped_go(thread, status);
  }
}
