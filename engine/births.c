/* births.c - new threads and processes: clone events, first stops, and the two orders in which
 * they come.
 *
 * A newborn is attached by the kernel. Its first stop and its creator's event race: an unknown
 * thread that stops is an orphan and is held until its creator's event names it. If the creator
 * died first, /proc says whose it is; as no status announces "the event will never come", orphans
 * are adopted when a process loses threads, and at the latest after ORPHAN_NS. Adopting one too
 * early is harmless: the event then finds it known. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "breaks.h"
#include "cpu.h"
#include "filter.h"
#include "loads.h"
#include "probe.h"
#include "proc.h"

#define ORPHAN_NS ((uint64_t)200 * 1000 * 1000)

void lt_stray_add(lt_session *session, pid_t tid, int status)
{
  struct lt_stray *stray;
  HASH_FIND_INT(session->strays, &tid, stray);
  if (!stray) {
    stray = calloc(1, sizeof *stray);
    if (!stray)
      return;
    stray->pid = tid;
    HASH_ADD_INT(session->strays, pid, stray);
  }
  stray->status = status;
}

bool lt_take_status(lt_session *session, pid_t pid, int *ret)
{
  struct lt_stray *stray;
  HASH_FIND_INT(session->strays, &pid, stray);
  if (!stray)
    return false;
  *ret = stray->status;
  HASH_DEL(session->strays, stray);
  free(stray);
  return true;
}

enum lt_verdict lt_announce(lt_thread *thread, int status)
{
  lt_process *process = thread->process;
  bool first = !process->started;
  process->started = true;
  if (first && !thread->silent)
    lt_loads_begin(thread);
  lt_record(thread, first ? LT_START : LT_BIRTH, status);
  thread->stop.u.start.how = first ? process->how : thread->how;
  thread->stop.u.start.parent = thread->parent;
  return lt_report(thread);
}

void lt_on_first_stop(lt_thread *thread, int status)
{
  lt_call_restore(thread);
  if (thread->process->starting) {
    lt_record(thread, LT_BIRTH, status);
    lt_resume(thread);
  } else {
    lt_settle(thread, lt_announce(thread, status));
  }
}

bool lt_on_early_stop(lt_thread *thread, int status)
{
  if (thread->process->starting)
    return true;
  enum lt_verdict verdict = lt_announce(thread, status);
  if (verdict != LT_HOLD && !thread->remote)
    return true;
  thread->deferred = status;
  lt_settle(thread, verdict);
  return false;
}

/* ---- The creator's event ------------------------------------------------------------------ */

/* An untraced child would have our breakpoints and nobody to run on from them. */
void lt_unhide_child(lt_thread *thread)
{
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)thread->call.abi);
  uint64_t first = thread->call.args[0], flags;
  if (!lt_sites_any(thread->process))
    return;
  switch (arch->special(thread->call.nr)) {
  case LT_SYS_CLONE:
    if (first & CLONE_UNTRACED)
      lt_call_set_arg(thread, 0, first & ~(uint64_t)CLONE_UNTRACED);
    break;
  case LT_SYS_CLONE3:
    if (lt_mem_read(thread, first, &flags, sizeof flags) != sizeof flags ||
        !(flags & CLONE_UNTRACED))
      break;
    flags &= ~(uint64_t)CLONE_UNTRACED;
    lt_mem_write(thread, first, &flags, sizeof flags);
    break;
  default:
    break;
  }
}

/* The flags of the clone call the thread is in; 0 where they cannot be told. */
static uint64_t clone_flags(lt_thread *thread)
{
  const struct lt_regs *regs;
  if (lt_regs_general(thread, &regs) != 0)
    return 0;
  bool traced = thread->in_call;
  const struct lt_arch *arch =
      lt_arch_get(traced ? (enum lt_abi)thread->call.abi : lt_arch_of(regs));
  uint64_t first = arch->call_arg(regs, 0), flags = 0;
  switch (arch->special(arch->call_nr(regs))) {
  case LT_SYS_CLONE:
    return first;
  case LT_SYS_CLONE3: /* the first member of struct clone_args */
    return lt_mem_read(thread, first, &flags, sizeof flags) == sizeof flags ? flags : 0;
  default:
    return 0;
  }
}

/* Whether the child is in its creator's thread group. The flags are the program's word (another
 * thread may have rewritten them since); /proc is the kernel's. */
static bool is_thread_of(const lt_process *process, pid_t tid, uint64_t flags)
{
  char name[32];
  snprintf(name, sizeof name, "task/%d", (int)tid);
  int found = lt_k_proc_exists(process->pid, name);
  return found == 0 || (lt_k_proc_exists(tid, "stat") != 0 && flags & CLONE_THREAD);
}

/* A child without memory of its own shares its parent's space; else it has a copy. */
static void enter_space(lt_process *child, lt_process *parent, bool shared)
{
  struct lt_space *space = shared ? lt_space_share(parent->space) : lt_space_copy(parent->space);
  if (!space) /* no memory: it begins with nothing known */
    return;
  lt_space_leave(child->space);
  child->space = space;
}

static lt_process *process_for_child(lt_thread *creator, pid_t tid, enum lt_how how, uint64_t flags)
{
  lt_process *parent = creator->process;
  if (how == LT_HOW_THREAD)
    return parent;
  lt_process *process = lt_task_new_process(creator->session, tid, how);
  if (process) {
    process->launched = parent->launched;
    process->detaching = parent->detaching;
    process->emulated = parent->emulated;
    process->trap_action = parent->trap_action;
    process->own_filter = parent->own_filter;
    process->own_privs = parent->own_privs;
    process->silent = creator->silent;
    lt_filter_share(process, parent->filter);
    process->started = true; /* on_clone tells about it */
    enter_space(process, parent, how == LT_HOW_VFORK || flags & CLONE_VM);
  }
  return process;
}

/* A child begins with its creator's registers: with the arguments that we had changed. They are put
 * back at its first stop. */
static void inherit_changes(lt_thread *child, const lt_thread *creator)
{
  child->call = creator->call;
  child->changed_args = creator->changed_args;
  child->trap_blocked = creator->trap_blocked;
  memcpy(child->saved_args, creator->saved_args, sizeof child->saved_args);
}

/* What those make of whom the caller knows nothing, he is not told of either. */
static void make_silent(lt_thread *thread, bool silent)
{
  thread->session->silent += silent && !thread->silent;
  thread->silent |= silent;
}

/* Find or make the child's record. NULL when out of memory: it is then let go at its first stop. */
static lt_thread *name_child(lt_thread *creator, pid_t tid, enum lt_how how, uint64_t flags)
{
  lt_session *session = creator->session;
  lt_thread *child = lt_task_thread(session, tid);
  if (child && child->process) { /* adopted before we came to this event */
    child->parent = creator->tid;
    return child;
  }
  lt_process *process = process_for_child(creator, tid, how, flags);
  if (!process)
    return NULL;
  if (child) {
    lt_task_bind(child, process);
    child->state = LT_ST_STOPPED;
    session->orphans--;
  } else {
    child = lt_task_new_thread(session, process, tid, how);
    if (!child) {
      if (!process->threads)
        lt_task_free_process(process);
      return NULL;
    }
  }
  inherit_changes(child, creator);
  lt_cpu_born(child, creator);
  child->how = how;
  child->parent = creator->tid;
  child->ignored = creator->silent || (session->options.no_follow && how != LT_HOW_THREAD);
  make_silent(child, creator->silent);
  return child;
}

/* A stray of that number is the child's death, unless the number is in use again. */
static bool died_already(lt_session *session, pid_t tid, int *status)
{
  bool known = lt_task_thread(session, tid) != NULL;
  return lt_take_status(session, tid, status) && !known && lt_k_proc_exists(tid, "stat") != 0;
}

void lt_on_clone_event(lt_thread *thread, int status, enum lt_how how)
{
  lt_session *session = thread->session;
  unsigned long message = 0;
  lt_record(thread, LT_CLONE, status);
  long error = lt_request(thread, PTRACE_GETEVENTMSG, 0, (uintptr_t)&message);
  if (error) { /* the child is adopted in time */
    lt_resume(thread);
    return;
  }
  pid_t tid = (pid_t)message;
  uint64_t flags = clone_flags(thread);
  if (how == LT_HOW_CLONE && is_thread_of(thread->process, tid, flags))
    how = LT_HOW_THREAD;
  int end;
  bool dead = died_already(session, tid, &end);
  lt_thread *child = name_child(thread, tid, how, flags);
  if (!child) {
    lt_resume(thread);
    return;
  }
  if (child->process != thread->process && child->process->space != thread->process->space &&
      thread->sites_seen != lt_sites_changes(thread->process))
    lt_sites_check(child->process);
  if (child->process != thread->process && child->process->space != thread->process->space)
    lt_probe_forked(child->process);
  else
    lt_probe_thread_made(thread->process, how, flags);
  thread->stop.u.clone.child = tid;
  thread->stop.u.clone.how = how;
  thread->stop.u.clone.flags = flags;
  enum lt_verdict verdict = child->ignored ? LT_RESUME : lt_report(thread);

  child = lt_task_thread(session, tid); /* the hook may have let it go */
  if (thread->parked && child && child->process != thread->process)
    lt_freeze_keep_child(thread, child->process);
  if (child && dead) {
    lt_on_gone(child, end);
  } else if (child && child->deferred && child->state == LT_ST_STOPPED && !child->held) {
    int first = child->deferred;
    child->deferred = 0;
    lt_on_first_stop(child, first);
  }
  lt_settle(thread, verdict);
}

/* ---- Orphans ------------------------------------------------------------------------------ */

void lt_on_unknown_stop(lt_session *session, pid_t tid, int status)
{
  int stale;
  lt_take_status(session, tid, &stale); /* of an earlier user of the number */
  lt_thread *orphan = lt_task_new_thread(session, NULL, tid, LT_HOW_ADOPTED);
  if (!orphan) { /* out of memory: it must not stay stopped */
    lt_fail(session, -ENOMEM, "out of memory: thread %d is not traced", (int)tid);
    lt_cpu_let_go_unknown(session, tid);
    lt_k_ptrace(PTRACE_DETACH, tid, 0, 0);
    return;
  }
  lt_enter_stop(orphan, status);
  orphan->state = LT_ST_ORPHAN;
  orphan->deferred = status;
  if (session->orphans++ == 0)
    session->orphan_since = lt_k_now();
}

uint64_t lt_orphan_deadline(const lt_session *session)
{
  return session->orphans ? session->orphan_since + ORPHAN_NS : UINT64_MAX;
}

static void adopt(lt_thread *orphan, const struct lt_proc_status *of)
{
  lt_session *session = orphan->session;
  pid_t pid = of->tgid > 0 ? of->tgid : orphan->tid;
  lt_process *process = lt_task_process(session, pid);
  const lt_process *parent = lt_task_process(session, of->ppid);
  const lt_thread *relative = process ? process->threads : parent ? parent->threads : NULL;
  if (!process) {
    process = lt_task_new_process(session, pid, LT_HOW_ADOPTED);
    if (!process)
      return; /* tried again later */
    process->launched = parent ? parent->launched : !session->attached;
    process->silent = process->detaching = parent && parent->silent;
    lt_filter_guess(process);
  }
  session->orphans--;
  lt_task_bind(orphan, process);
  lt_cpu_adopted(orphan, relative);
  make_silent(orphan, process->silent);
  orphan->state = LT_ST_STOPPED;
  int status = orphan->deferred;
  orphan->deferred = 0;
  lt_on_first_stop(orphan, status);
}

/* Adopt one orphan that `test` accepts; false if there is none. */
static bool adopt_one(lt_session *session, bool (*test)(const struct lt_proc_status *, pid_t),
                      pid_t pid)
{
  lt_thread *thread, *next;
  HASH_ITER(hh, session->threads, thread, next) {
    struct lt_proc_status of = {0};
    if (thread->state != LT_ST_ORPHAN)
      continue;
    lt_proc_status(thread->tid, &of); /* unreadable: it is dying, or a process of its own */
    if (!test(&of, pid))
      continue;
    unsigned before = session->orphans;
    adopt(thread, &of);
    return session->orphans < before; /* else there is no memory */
  }
  return false;
}

/* A hook may change the table, so each search starts over. */
static void adopt_some(lt_session *session, bool (*test)(const struct lt_proc_status *, pid_t),
                       pid_t pid)
{
  while (adopt_one(session, test, pid))
    continue;
}

static bool any(const struct lt_proc_status *of, pid_t pid)
{
  (void)of;
  (void)pid;
  return true;
}

static bool may_be_child_of(const struct lt_proc_status *of, pid_t pid)
{
  return of->tgid == pid || of->ppid == pid || of->ppid <= 1;
}

void lt_adopt_late_orphans(lt_session *session)
{
  if (session->orphans && lt_k_now() >= lt_orphan_deadline(session)) {
    adopt_some(session, any, 0);
    session->orphan_since = lt_k_now();
  }
}

void lt_adopt_orphans_of(lt_session *session, pid_t pid)
{
  if (session->orphans)
    adopt_some(session, may_be_child_of, pid);
}
