/* emulate.c - processes whose system calls are answered by the engine's caller instead of the
 * kernel.
 *
 * Their threads are restarted with PTRACE_SYSEMU: the kernel reports the entry of each call, makes
 * none, and reports no exit. A call that nobody answers fails with ENOSYS. One that the kernel is
 * to make after all has been let go of by the kernel already: the program counter goes back onto
 * the instruction, and the call is entered once more under PTRACE_SYSCALL (remote.c). */
#include <errno.h>

#include "engine.h"

int lt_process_emulate(lt_process *process, bool on)
{
  process->emulated = on;
  lt_remode(process->session);
  return 0;
}

/* Somebody is to see the exit of the call that the thread is in. */
static bool awaits_exit(const lt_thread *thread)
{
  return thread->in_call && thread->stop.kind != LT_SYSCALL_EXIT &&
         (thread->want_exit || thread->changed_args ||
          thread->session->kinds & 1u << LT_SYSCALL_EXIT);
}

bool lt_emulate_wanted(const lt_thread *thread)
{
  const lt_process *process = thread->process;
  bool letting_go = thread->ignored || process->detaching;
  return process->emulated && !letting_go && !awaits_exit(thread);
}

bool lt_emulate_weaker(const lt_thread *thread)
{
  return thread->process->emulated ? !thread->emulates && !thread->traces_calls : thread->emulates;
}

/* Every entry in such a process is to be answered. One that was emulated although the process is
 * no longer such a one goes to the kernel after the hook. */
void lt_emulate_begin(lt_thread *thread)
{
  thread->emulated = thread->emulates || thread->process->emulated;
  thread->kernel_skips = thread->emulates;
}

static bool is_unanswered(const lt_thread *thread)
{
  return thread->stop.kind == LT_SYSCALL_ENTRY && thread->emulated && !thread->skipped;
}

bool lt_emulate_settle(lt_thread *thread)
{
  if (!is_unanswered(thread))
    return false;
  bool answers = thread->process->emulated && !thread->ignored && !thread->process->detaching;
  if (!answers)
    return lt_call_pass(thread) == 0 && thread->remote;
  if (!thread->kernel_skips)
    lt_call_skip(thread, -ENOSYS);
  return false;
}

bool lt_call_emulated(const lt_thread *thread)
{
  return thread->in_call && thread->emulated;
}

int lt_call_pass(lt_thread *thread)
{
  static const char otherwise[] =
      "only a call of an emulated process can be passed to the kernel, at its entry";
  struct lt_regs *regs = NULL;
  int error = lt_call_check(thread, LT_SYSCALL_ENTRY, otherwise);
  if (error == 0 && (thread->remote || !thread->emulated))
    error = lt_fail(thread->session, -EINVAL, "%s", otherwise);
  if (error == 0)
    error = lt_regs_change(thread, &regs);
  if (error)
    return error;
  thread->emulated = false;
  thread->skipped = false;
  lt_arch_get((enum lt_abi)thread->call.abi)->set_call_nr(regs, thread->call.nr);
  return thread->kernel_skips ? lt_remote_reenter(thread) : 0;
}

int lt_call_redo(lt_thread *thread)
{
  struct lt_regs *regs = NULL;
  int error =
      lt_call_check(thread, LT_SYSCALL_EXIT,
                    "a call can be made again only at its exit, while the thread is stopped");
  if (error == 0)
    error = lt_regs_change(thread, &regs);
  if (error == 0)
    lt_arch_get((enum lt_abi)thread->call.abi)->redo_call(regs, thread->entered_nr);
  return error;
}

/* How the kernel marks a call that a signal has interrupted before it had done anything. */
#define ERESTARTSYS 512    /* restarts unless a handler without SA_RESTART runs */
#define ERESTARTNOHAND 514 /* restarts unless a handler runs */

int lt_call_restart(lt_thread *thread, bool handlers_end)
{
  struct lt_regs *regs;
  int error = lt_call_set_ret(thread, handlers_end ? -ERESTARTNOHAND : -ERESTARTSYS);
  if (error == 0)
    error = lt_regs_change(thread, &regs);
  if (error == 0)
    lt_arch_get((enum lt_abi)thread->call.abi)->set_call_nr(regs, thread->entered_nr);
  return error;
}
