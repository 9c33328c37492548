/* filter_guard.c - what a program that carries our filter does with seccomp(2) itself.
 *
 * A filter of its own comes before ours where it fails, traps or kills: such calls would never stop.
 * From then on the process's calls are traced one and all. What prctl(2) says of filters and
 * privileges is as if there were no filter of ours. Strict mode, which the kernel refuses where there
 * is a filter, is enforced here. A filter that asks a tracer finds none, as far as it can know. */
#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#include "filter.h"

static bool is_prctl(const struct lt_call *call, int option)
{
  return call->nr == lt_arch_get((enum lt_abi)call->abi)->prctl_nr && (int)call->args[0] == option;
}

static bool is_seccomp(const struct lt_call *call, unsigned operation)
{
  return call->nr == lt_arch_get((enum lt_abi)call->abi)->seccomp_nr &&
         (unsigned)call->args[0] == operation;
}

static bool installs(const struct lt_call *call)
{
  return is_seccomp(call, SECCOMP_SET_MODE_FILTER) ||
         (is_prctl(call, PR_SET_SECCOMP) && call->args[1] == SECCOMP_MODE_FILTER);
}

static bool shuts_in(const struct lt_call *call)
{
  return (is_seccomp(call, SECCOMP_SET_MODE_STRICT) && (unsigned)call->args[1] == 0 &&
          call->args[2] == 0) ||
         (is_prctl(call, PR_SET_SECCOMP) && call->args[1] == SECCOMP_MODE_STRICT);
}

/* ---- Strict mode -------------------------------------------------------------------------- */

/* The kernel ends the thread by SIGKILL, which others cannot do to one of several. */
static void enforce(lt_thread *thread)
{
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)thread->call.abi);
  const size_t count = sizeof arch->strict_nrs / sizeof *arch->strict_nrs;
  struct lt_regs *regs;
  for (size_t i = 0; i < count; i++)
    if (thread->call.nr == arch->strict_nrs[i])
      return;
  if (!thread->process->threads->next)
    lt_k_kill(thread->process->pid, SIGKILL);
  if (lt_regs_change(thread, &regs) == 0)
    arch->set_call_nr(regs, arch->strict_nrs[2]);
}

/* ---- Entry and exit ----------------------------------------------------------------------- */

/* Other threads may get the filter as well, before the exit of this call is seen. */
void lt_guard_on_entry(lt_thread *thread)
{
  const struct lt_call *call = &thread->call;
  lt_process *process = thread->process;
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)call->abi);
  if (thread->strict)
    enforce(thread);
  if ((call->nr != arch->prctl_nr && call->nr != arch->seccomp_nr) || process->starting)
    return;
  thread->guarded = true;
  if (is_seccomp(call, SECCOMP_SET_MODE_FILTER) && !process->own_filter &&
      call->args[1] & SECCOMP_FILTER_FLAG_TSYNC) {
    process->own_filter = true;
    lt_remode(thread->session);
  }
}

static void answer(lt_thread *thread, int64_t ret)
{
  struct lt_call *call = &thread->call;
  struct lt_regs *regs;
  if (call->ret == ret || lt_regs_change(thread, &regs) != 0)
    return;
  lt_arch_get((enum lt_abi)call->abi)->set_call_ret(regs, ret);
  call->ret = ret;
  call->is_error = false;
}

void lt_guard_on_exit(lt_thread *thread)
{
  const struct lt_call *call = &thread->call;
  lt_process *process = thread->process;
  if (!thread->guarded || thread->skipped)
    return;
  thread->guarded = false;
  if (installs(call) && !call->is_error) {
    process->own_filter = true;
  } else if (shuts_in(call) && call->ret == -EINVAL && !process->own_filter) {
    thread->strict = true;
    answer(thread, 0);
  } else if (is_prctl(call, PR_GET_SECCOMP) && !call->is_error) {
    bool seen = process->own_filter || thread->session->is_filtered;
    answer(thread, seen ? SECCOMP_MODE_FILTER : SECCOMP_MODE_DISABLED);
  } else if (is_prctl(call, PR_SET_NO_NEW_PRIVS) && !call->is_error) {
    process->own_privs = true;
  } else if (is_prctl(call, PR_GET_NO_NEW_PRIVS) && !call->is_error &&
             process->filter->hides_privs) {
    answer(thread, process->own_privs);
  }
}

/* ---- A filter that asks its tracer -------------------------------------------------------- */

bool lt_guard_refuses(lt_thread *thread, const struct __ptrace_syscall_info *info)
{
  const struct lt_arch *arch = lt_arch_by_audit(info->arch);
  struct lt_regs *regs;
  if (info->op != PTRACE_SYSCALL_INFO_SECCOMP || info->seccomp.ret_data == LT_FILTER_DATA ||
      !arch || lt_regs_change(thread, &regs) != 0)
    return false;
  arch->set_call_nr(regs, UINT64_MAX);
  arch->set_call_ret(regs, -ENOSYS);
  return true;
}

/* The entry has been dealt with, and the call is still to be made. */
void lt_filter_on_second_stop(lt_thread *thread)
{
  struct __ptrace_syscall_info info;
  if (thread->process->own_filter &&
      lt_request(thread, PTRACE_GET_SYSCALL_INFO, sizeof info, (uintptr_t)&info) >= 0)
    lt_guard_refuses(thread, &info);
  if (thread->remote)
    lt_remote_resume(thread);
  else
    lt_resume(thread);
}
