/* trap_state.c - what the program does with SIGTRAP stays as it was.
 *
 * A breakpoint instruction forces SIGTRAP: where the program blocks it, the kernel unblocks it, and
 * where it blocks or ignores it, resets its action to the default. After such a hit both are put
 * back: the mask by ptrace(2), the action by a call that the thread makes for us. What they were is
 * known from /proc when the first breakpoint is planted, and from the program's own calls if those
 * are traced; the address of a handler is asked for at the first hit that leaves it alone. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

#include <utlist.h>

#include "breaks.h"
#include "proc.h"
#include "remote.h"

static const uint64_t trap_bit = (uint64_t)1 << (SIGTRAP - 1);

void lt_trap_state_look(lt_process *process)
{
  struct lt_trap_action *action = &process->trap_action;
  lt_thread *thread;
  DL_FOREACH(process->threads, thread) {
    struct lt_proc_status status;
    if (lt_proc_status(thread->tid, &status) != 0)
      continue;
    thread->trap_blocked = status.blocked & trap_bit;
    bool special = (status.ignored | status.caught) & trap_bit;
    if (!special)
      action->kind = LT_TRAP_DEFAULT;
    else
      action->kind = status.ignored & trap_bit ? LT_TRAP_IGNORED : LT_TRAP_HANDLED;
  }
}

/* ---- The program's own calls ---------------------------------------------------------------- */

/* Whether a call of rt_sigprocmask(2) may change whether SIGTRAP is blocked. */
static bool may_change(lt_thread *thread)
{
  const struct lt_call *call = &thread->call;
  uint64_t set;
  if (!call->args[1])
    return false;
  if (lt_mem_read(thread, call->args[1], &set, sizeof set) != sizeof set)
    return true;
  switch ((int)call->args[0]) {
  case SIG_BLOCK:
    return set & trap_bit && !thread->trap_blocked;
  case SIG_UNBLOCK:
    return set & trap_bit && thread->trap_blocked;
  default:
    return !(set & trap_bit) == thread->trap_blocked;
  }
}

void lt_trap_state_on_entry(lt_thread *thread)
{
  const struct lt_call *call = &thread->call;
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)call->abi);
  if (!lt_sites_any(thread->process))
    return;
  thread->guarded |= (call->nr == arch->sigaction_nr && call->args[0] == SIGTRAP) ||
                     (call->nr == arch->sigprocmask_nr && may_change(thread));
}

void lt_trap_state_on_exit(lt_thread *thread)
{
  const struct lt_call *call = &thread->call;
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)call->abi);
  struct lt_trap_action *action = &thread->process->trap_action;
  uint64_t mask;
  if (!lt_sites_any(thread->process))
    return; /* what counts is looked up when something is planted */
  if (call->nr == arch->sigprocmask_nr) {
    if (lt_request(thread, PTRACE_GETSIGMASK, sizeof mask, (uintptr_t)&mask) == 0)
      thread->trap_blocked = mask & trap_bit;
    return;
  }
  if (call->nr != arch->sigaction_nr || call->args[0] != SIGTRAP || call->is_error ||
      !call->args[1])
    return;
  size_t size = arch->sigaction_size;
  bool read = lt_mem_read(thread, call->args[1], action->bytes, size) == (ssize_t)size;
  action->kind = read ? LT_TRAP_KNOWN : LT_TRAP_DEFAULT;
}

/* ---- Calls for us ------------------------------------------------------------------------- */

/* The thread exchanges actions of SIGTRAP through memory where it has its slots. */
static bool exchange(lt_thread *thread, uint64_t memory, bool set)
{
  const struct lt_arch *arch = lt_arch_get(lt_remote_abi(thread));
  const uint64_t args[LT_CALL_ARGS] = {SIGTRAP, set ? memory : 0, set ? 0 : memory, 8};
  if (lt_remote_call(thread, arch->sigaction_nr, args) != 0)
    return false;
  if (thread->remote)
    thread->remote->silent = true;
  return true;
}

/* SIG_IGN, with nothing else to it. */
static void make_ignoring(struct lt_trap_action *action)
{
  memset(action->bytes, 0, sizeof action->bytes);
  action->bytes[0] = (uint8_t)(uintptr_t)SIG_IGN;
}

/* Room that the kernel can write to, for the time of one call. */
static bool take_room(lt_thread *thread, uint64_t *ret)
{
  if (lt_scratch_take(thread, LT_SIGACTION_BYTES, ret) == 0)
    return true;
  if (lt_scratch_grow(thread, LT_SIGACTION_BYTES) == 0 && thread->remote)
    thread->remote->silent = true;
  return false;
}

enum step { STEP_PUT = 1, STEP_ASK, STEP_ANSWER };

/* True: the thread has been restarted for us and comes again. */
static bool begin(lt_thread *thread, enum step step)
{
  struct lt_trap_action *action = &thread->process->trap_action;
  uint64_t room;
  if (!take_room(thread, &room))
    return thread->remote != NULL || thread->state != LT_ST_STOPPED;
  if (action->kind == LT_TRAP_IGNORED)
    make_ignoring(action);
  thread->trap_room = room;
  thread->trap_step = step == STEP_ASK ? STEP_ANSWER : 0;
  if (step == STEP_PUT && lt_mem_write(thread, room, action->bytes, LT_SIGACTION_BYTES) < 0)
    return false;
  return exchange(thread, room, step == STEP_PUT);
}

static void take_answer(lt_thread *thread)
{
  struct lt_trap_action *action = &thread->process->trap_action;
  if (lt_mem_read(thread, thread->trap_room, action->bytes, LT_SIGACTION_BYTES) ==
      LT_SIGACTION_BYTES)
    action->kind = LT_TRAP_KNOWN;
  else
    action->kind = LT_TRAP_DEFAULT; /* and is not asked for again */
}

/* ---- Hits --------------------------------------------------------------------------------- */

/* Whether the action that is known is SIG_IGN. */
static bool ignores(const struct lt_trap_action *action)
{
  static const uint8_t rest[7];
  return action->kind == LT_TRAP_IGNORED ||
         (action->kind == LT_TRAP_KNOWN && action->bytes[0] == (uintptr_t)SIG_IGN &&
          memcmp(action->bytes + 1, rest, 3) == 0);
}

void lt_trap_state_on_hit(lt_thread *thread)
{
  const struct lt_trap_action *action = &thread->process->trap_action;
  uint64_t mask;
  bool reset = thread->trap_blocked || ignores(action);
  if (thread->trap_blocked &&
      lt_request(thread, PTRACE_GETSIGMASK, sizeof mask, (uintptr_t)&mask) == 0) {
    mask |= trap_bit;
    lt_request(thread, PTRACE_SETSIGMASK, sizeof mask, (uintptr_t)&mask);
  }
  if (reset && (action->kind == LT_TRAP_KNOWN || action->kind == LT_TRAP_IGNORED))
    thread->trap_step = STEP_PUT;
  else if (!reset && action->kind == LT_TRAP_HANDLED)
    thread->trap_step = STEP_ASK;
}

bool lt_trap_state_settle(lt_thread *thread)
{
  enum step step = (enum step)thread->trap_step;
  if (step == STEP_ANSWER) {
    thread->trap_step = 0;
    take_answer(thread);
    return false;
  }
  return step && begin(thread, step);
}
