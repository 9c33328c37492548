/* calls.c - system call stops: who is told, and what is put right around the hook.
 *
 * Whether a stop is an entry or an exit is asked of the kernel at each one (counting them goes
 * wrong at every lost or extra stop); the same answer brings number, arguments and result. */
#include <errno.h>
#include <sys/ptrace.h>

#include "aggregate.h"
#include "breaks.h"

bool lt_call_subscribed(lt_thread *thread)
{
  const lt_session *session = thread->session;
  const struct lt_call *call = &thread->call;
  if (session->kinds & 1u << LT_SYSCALL_ENTRY || session->all_calls[call->abi])
    return true;
  if (call->nr >= LT_SELECTABLE)
    return false;
  return session->calls[call->abi][call->nr / 64] >> (call->nr % 64) & 1 ||
         (session->selectors[call->abi][call->nr] && lt_selectors_pass(thread));
}

static enum lt_special special_of(const struct lt_call *call)
{
  return lt_arch_get((enum lt_abi)call->abi)->special(call->nr);
}

/* Between fork and exec a launched process runs our own code; only its execve is the user's. */
static bool is_launch_code(const lt_thread *thread)
{
  return thread->process->starting && special_of(&thread->call) != LT_SYS_EXECVE;
}

static void begin_call(lt_thread *thread, const struct __ptrace_syscall_info *info,
                       const struct lt_arch *arch)
{
  struct lt_call *call = &thread->call;
  *call = (struct lt_call){
      .nr = info->entry.nr,
      .ip = info->instruction_pointer,
      .sp = info->stack_pointer,
      .abi = arch->abi,
  };
  uint64_t seen = arch->word == 4 ? UINT32_MAX : UINT64_MAX; /* int 0x80 from 64-bit code */
  for (int i = 0; i < LT_CALL_ARGS; i++)
    call->args[i] = info->entry.args[i] & seen;
  thread->in_call = true;
  thread->call_seq = ++thread->session->calls_made;
  thread->want_exit = thread->counts_exit = thread->guarded = false;
  thread->skipped = false;
  thread->changed_args = 0;
  thread->entered_nr = call->nr;
  lt_emulate_begin(thread);
  lt_capture_forget(thread);
}

void lt_call_end(lt_thread *thread)
{
  if (!lt_results_wait(thread)) {
    lt_scratch_release(thread);
    lt_results_forget(thread);
  }
  thread->in_call = false;
  thread->skipped = false;
  thread->want_exit = thread->counts_exit = thread->guarded = false;
  thread->changed_args = 0;
  thread->emulated = thread->kernel_skips = false;
}

static void on_entry(lt_thread *thread, int status, const struct __ptrace_syscall_info *info,
                     const struct lt_arch *arch)
{
  begin_call(thread, info, arch);
  lt_break_on_entry(thread);
  lt_record(thread, LT_SYSCALL_ENTRY, status);
  lt_unhide_child(thread);
  lt_trap_state_on_entry(thread);
  if (thread->process->filter)
    lt_guard_on_entry(thread);
  if (!is_launch_code(thread))
    lt_aggregate_on_entry(thread);
  bool wanted = thread->emulated || (!thread->silent && lt_call_subscribed(thread));
  if (is_launch_code(thread) || !wanted) {
    lt_resume(thread);
    return;
  }
  thread->stop.u.call = thread->call;
  lt_settle(thread, lt_report(thread));
}

bool lt_call_became(const lt_thread *thread)
{
  return thread->in_call && thread->call.nr != thread->entered_nr;
}

/* The kernel keeps an argument register as it was when the call ran; the program must find its
 * own value, and a restart its own call. Not after a successful exec (a new program) or sigreturn
 * (its own restored). */
void lt_call_restore(lt_thread *thread)
{
  bool became = lt_call_became(thread);
  if (!thread->changed_args && !became)
    return;
  enum lt_special special = special_of(&thread->call);
  bool replaced = special == LT_SYS_SIGRETURN ||
                  (special == LT_SYS_EXECVE && thread->call.done && !thread->call.is_error);
  struct lt_regs *regs;
  if (!replaced && lt_regs_change(thread, &regs) == 0) {
    const struct lt_arch *arch = lt_arch_get((enum lt_abi)thread->call.abi);
    for (unsigned i = 0; i < LT_CALL_ARGS; i++)
      if (thread->changed_args >> i & 1)
        arch->set_call_arg(regs, i, thread->saved_args[i]);
    if (became)
      arch->set_call_nr(regs, thread->entered_nr);
  }
  thread->changed_args = 0;
}

static bool is_error(int64_t ret)
{
  return ret < 0 && ret >= -4095;
}

/* Some kernels put ENOSYS there again. */
static void answer_skipped(lt_thread *thread)
{
  struct lt_call *call = &thread->call;
  struct lt_regs *regs;
  if (call->ret != thread->skip_ret && lt_regs_change(thread, &regs) == 0)
    lt_arch_get((enum lt_abi)call->abi)->set_call_ret(regs, thread->skip_ret);
  call->ret = thread->skip_ret;
  call->is_error = is_error(call->ret);
}

static void on_exit_stop(lt_thread *thread, int status, const struct __ptrace_syscall_info *info,
                         const struct lt_arch *arch)
{
  struct lt_call *call = &thread->call;
  if (!thread->in_call) { /* we came after its entry */
    *call = (struct lt_call){.nr = LT_NR_UNKNOWN, .abi = arch->abi};
    thread->entered_nr = LT_NR_UNKNOWN;
    call->ip = info->instruction_pointer;
    call->sp = info->stack_pointer;
    thread->in_call = true;
    thread->call_seq = ++thread->session->calls_made;
  }
  call->ret = info->exit.rval;
  call->is_error = info->exit.is_error;
  call->done = true;
  if (thread->skipped)
    answer_skipped(thread);
  lt_results_give(thread);
  lt_call_restore(thread);
  if (thread->counts_exit)
    lt_aggregate_on_exit(thread);
  lt_break_on_exit(thread, info->exit.rval);
  lt_trap_state_on_exit(thread);
  if (thread->process->filter)
    lt_guard_on_exit(thread);
  lt_record(thread, LT_SYSCALL_EXIT, status);
  thread->stop.u.call = *call;
  if (lt_remote_begin_at_exit(thread))
    return;
  if (is_launch_code(thread))
    lt_resume(thread);
  else
    lt_settle(thread, lt_report(thread));
}

void lt_on_syscall_stop(lt_thread *thread, int status)
{
  struct __ptrace_syscall_info info;
  long got = lt_request(thread, PTRACE_GET_SYSCALL_INFO, sizeof info, (uintptr_t)&info);
  const struct lt_arch *arch = got < 0 ? NULL : lt_arch_by_audit(info.arch);
  if (arch && info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    thread->entered = !thread->emulates;
    on_entry(thread, status, &info, arch);
  } else if (arch && info.op == PTRACE_SYSCALL_INFO_SECCOMP && !lt_guard_refuses(thread, &info)) {
    on_entry(thread, status, &info, arch); /* its members are those of an entry */
  } else if (arch && info.op == PTRACE_SYSCALL_INFO_EXIT) {
    on_exit_stop(thread, status, &info, arch);
  } else { /* it is dying, or makes no call after all */
    lt_record(thread, LT_NONE, status);
    lt_resume(thread);
  }
}

const struct lt_call *lt_thread_call(const lt_thread *thread)
{
  return thread->in_call ? &thread->call : NULL;
}

uint64_t lt_thread_call_seq(const lt_thread *thread)
{
  return thread->call_seq;
}

int lt_call_check(lt_thread *thread, enum lt_kind at, const char *otherwise)
{
  int error = lt_thread_access(thread);
  if (error == -ESRCH)
    return lt_fail(thread->session, error, "thread %d is gone", (int)thread->tid);
  if (error == 0 && thread->in_call && thread->stop.kind == at)
    return 0;
  return lt_fail(thread->session, -EINVAL, "%s", otherwise);
}

int lt_call_want_exit(lt_thread *thread)
{
  int error = lt_call_check(thread, LT_SYSCALL_ENTRY,
                            "the end of a call can be asked for only at its entry");
  thread->want_exit = thread->want_exit || error == 0;
  return error;
}

/* What was kept of the arguments holds no longer. */
static int recapture(lt_thread *thread)
{
  if (thread->capture.used == 0)
    return 0;
  lt_capture_forget(thread);
  return lt_call_capture(thread);
}

static int change_at_entry(lt_thread *thread, struct lt_regs **ret)
{
  int error = lt_call_check(thread, LT_SYSCALL_ENTRY,
                            "a call can be changed only at its entry, while the thread is stopped");
  return error ? error : lt_regs_change(thread, ret);
}

int lt_call_set_arg(lt_thread *thread, unsigned index, uint64_t value)
{
  struct lt_regs *regs = NULL;
  int error = change_at_entry(thread, &regs);
  if (error == 0 && index >= LT_CALL_ARGS)
    error = lt_fail(thread->session, -EINVAL, "a call has %d arguments", LT_CALL_ARGS);
  if (error)
    return error;
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)thread->call.abi);
  if (arch->word == 4)
    value &= UINT32_MAX;
  if (!(thread->changed_args >> index & 1))
    thread->saved_args[index] = thread->call.args[index];
  thread->changed_args |= (uint8_t)(1u << index);
  arch->set_call_arg(regs, index, value);
  thread->call.args[index] = thread->stop.u.call.args[index] = value;
  return recapture(thread);
}

int lt_call_skip(lt_thread *thread, int64_t ret)
{
  struct lt_regs *regs = NULL;
  int error = change_at_entry(thread, &regs);
  if (error)
    return error;
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)thread->call.abi);
  arch->set_call_nr(regs, UINT64_MAX); /* the kernel makes no call, and leaves the result alone */
  arch->set_call_ret(regs, ret);
  thread->skipped = true;
  thread->skip_ret = ret;
  return 0;
}

int lt_call_become(lt_thread *thread, uint64_t nr)
{
  struct lt_regs *regs = NULL;
  int error = change_at_entry(thread, &regs);
  if (error)
    return error;
  lt_arch_get((enum lt_abi)thread->call.abi)->set_call_nr(regs, nr);
  thread->call.nr = thread->stop.u.call.nr = nr;
  thread->skipped = false;
  return recapture(thread);
}

int lt_call_set_ret(lt_thread *thread, int64_t value)
{
  struct lt_regs *regs = NULL;
  int error =
      lt_call_check(thread, LT_SYSCALL_EXIT,
                    "a result can be changed only at the exit of a call, while it is stopped");
  if (error == 0)
    error = lt_regs_change(thread, &regs);
  if (error)
    return error;
  lt_arch_get((enum lt_abi)thread->call.abi)->set_call_ret(regs, value);
  thread->call.ret = thread->stop.u.call.ret = value;
  thread->call.is_error = thread->stop.u.call.is_error = is_error(value);
  return 0;
}
