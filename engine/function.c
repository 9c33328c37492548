/* function.c - functions of the program that a thread runs for us.
 *
 *   away      the thread makes a harmless call for us (remote.c), which takes it from any stop to a
 *             place where its registers can be exchanged
 *   running   the function runs with a stack of its own below the thread's; the thread is as any
 *             other meanwhile: its stops are reported, and it may do more for us at them
 *   back      the function returns to where nothing can be mapped. The fault is the end: another
 *             harmless call takes the thread back to where it stood
 *
 * What the thread had in its first stop is kept here while the function runs. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

#include "proc.h"
#include "remote.h"

struct lt_function {
  struct lt_function *outer; /* that was running when this one began */
  struct lt_remote *remote;  /* what the thread had, while the function runs */
  const struct lt_arch *arch;
  uint64_t addr;
  size_t count;
  struct lt_fn_arg args[LT_FN_ARGS];
  struct lt_frame frame;

  /* what became of it */
  struct lt_fn_result result;
  uint64_t crash_pc;
  int signal, error;

  /* what belongs to the thread's first stop, and remote.c does not keep */
  struct lt_capture capture;
  struct lt_results results;
  siginfo_t *expects;
  uint64_t call_seq, entered_nr;
  int64_t skip_ret;
  int deferred;
  bool late_exit, skipped, emulated, kernel_skips, uses_scratch;
  struct lt_at_site at_site;
};

/* ---- Beginning ---------------------------------------------------------------------------- */

static uint64_t bit(int signo)
{
  return (uint64_t)1 << (signo - 1);
}

/* The kernel would take away the program's choice to ignore the signal of a fault. */
static int check_signals(lt_thread *thread)
{
  struct lt_proc_status status;
  int error = lt_proc_status(thread->tid, &status);
  if (error)
    return error;
  if (status.ignored & bit(SIGSEGV))
    return lt_fail(thread->session, -ENOTSUP,
                   "process %d ignores SIGSEGV: its functions cannot be called",
                   (int)thread->process->pid);
  return 0;
}

int lt_function_call(lt_thread *thread, uint64_t addr, const struct lt_fn_arg *args, size_t count)
{
  const uint64_t none[LT_CALL_ARGS] = {0};
  int error = lt_thread_access(thread) ? 0 : check_signals(thread); /* else said below */
  if (error)
    return error;
  if (count > LT_FN_ARGS)
    return lt_fail(thread->session, -E2BIG, "a function can be called with %d arguments at most",
                   LT_FN_ARGS);
  enum lt_abi abi = lt_remote_abi(thread);
  const struct lt_syscall *harmless = lt_syscall_named(abi, "getpid");
  struct lt_function *function = calloc(1, sizeof *function);
  if (!function)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  function->addr = addr;
  function->count = count;
  memcpy(function->args, args, count * sizeof *args);
  error = lt_remote_begin(thread, (uint64_t)harmless->nr[abi], none, function);
  if (error)
    lt_function_free(function);
  return error;
}

/* Keep the vector registers and put the function's state into the registers and onto the stack. */
static int prepare(lt_thread *thread, struct lt_remote *remote, struct lt_function *function)
{
  struct lt_regs *regs;
  int error = lt_regs_vector(thread, &regs);
  if (error == 0)
    error = lt_regs_change(thread, &regs);
  if (error)
    return error;
  remote->vector = malloc(regs->vector_size);
  if (!remote->vector)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  memcpy(remote->vector, regs->vector, regs->vector_size);
  remote->vector_size = regs->vector_size;
  memcpy(regs->general, remote->general, sizeof remote->general);
  function->arch = lt_arch_get(lt_arch_of(regs));
  error = function->arch->begin_function(regs, function->addr, function->args, function->count,
                                         &function->frame);
  if (error)
    return error;
  ssize_t done =
      lt_mem_write(thread, function->frame.sp, function->frame.bytes, function->frame.size);
  if (done != (ssize_t)function->frame.size)
    return done < 0 ? (int)done : -EFAULT;
  uint64_t mask = remote->mask & ~(bit(SIGSEGV) | bit(SIGBUS));
  return lt_remote_swap_mask(thread, &mask, NULL);
}

/* The room that the thread has taken stays with the function's caller. */
static void put_aside(lt_thread *thread, struct lt_function *function)
{
  function->capture = thread->capture;
  thread->capture = (struct lt_capture){0};
  function->results = thread->results;
  thread->results = (struct lt_results){0};
  function->expects = thread->expects;
  thread->expects = NULL;
  function->call_seq = thread->call_seq;
  function->entered_nr = thread->entered_nr;
  function->skip_ret = thread->skip_ret;
  function->deferred = thread->deferred;
  function->late_exit = thread->late_exit;
  function->skipped = thread->skipped;
  function->emulated = thread->emulated;
  function->kernel_skips = thread->kernel_skips;
  function->uses_scratch = thread->uses_scratch;
  function->at_site = thread->at_site;
  thread->at_site.due = thread->at_site.in_slot = thread->at_site.calls = false;
  lt_scratch_hand_over(thread, thread, function);
  thread->in_call = thread->want_exit = thread->late_exit = thread->skipped = false;
  thread->emulated = thread->kernel_skips = thread->uses_scratch = false;
  thread->changed_args = 0;
  thread->deferred = thread->inject = thread->listen_signal = 0;
}

static void put_back(lt_thread *thread, struct lt_function *function)
{
  lt_scratch_release(thread);
  lt_results_forget(thread);
  thread->results = function->results;
  function->results = (struct lt_results){0};
  free(thread->capture.bytes);
  thread->capture = function->capture;
  function->capture = (struct lt_capture){0};
  free(thread->expects);
  thread->expects = function->expects;
  function->expects = NULL;
  thread->call_seq = function->call_seq;
  thread->entered_nr = function->entered_nr;
  thread->skip_ret = function->skip_ret;
  thread->deferred = function->deferred;
  thread->late_exit = function->late_exit;
  thread->skipped = function->skipped;
  thread->emulated = function->emulated;
  thread->kernel_skips = function->kernel_skips;
  thread->uses_scratch = function->uses_scratch;
  thread->at_site = function->at_site;
  lt_scratch_hand_over(thread, function, thread);
}

/* The harmless call is made. */
void lt_function_start(lt_thread *thread, struct lt_remote *remote)
{
  struct lt_function *function = remote->function;
  lt_record(thread, LT_NONE, 0);
  int error = prepare(thread, remote, function);
  remote->function = NULL;
  if (error) {
    function->error = error;
    remote->result = function;
    lt_remote_return(thread, remote);
    return;
  }
  function->remote = remote;
  function->outer = thread->function;
  thread->remote = NULL;
  put_aside(thread, function);
  thread->function = function;
  lt_resume(thread);
}

/* ---- Ending ------------------------------------------------------------------------------- */

/* From a stop that is not inside a call. */
static void end(lt_thread *thread, struct lt_function *function)
{
  struct lt_remote *remote = function->remote;
  struct lt_regs *regs;
  bool at_entry = thread->stop.kind == LT_SYSCALL_ENTRY && !thread->kernel_skips;
  thread->function = function->outer;
  function->remote = NULL;
  put_back(thread, function);
  remote->result = function;
  thread->stop.kind = at_entry ? LT_SYSCALL_ENTRY : LT_NONE;
  if (lt_regs_change(thread, &regs) == 0 && !at_entry)
    memcpy(regs->general, remote->general, sizeof remote->general);
  lt_remote_return(thread, remote);
}

static bool has_returned(lt_thread *thread, const struct lt_function *function)
{
  struct lt_regs *regs;
  if (lt_regs_vector(thread, &regs) != 0)
    return false;
  thread->regs.vector_dirty = false;
  return lt_arch_of(regs) == function->arch->abi &&
         function->arch->has_returned(regs, &function->frame);
}

bool lt_function_on_signal(lt_thread *thread, int signo)
{
  struct lt_function *function = thread->function;
  if (!function || (signo != SIGSEGV && signo != SIGBUS) || !has_returned(thread, function))
    return false;
  function->arch->function_result(&thread->regs, &function->result);
  lt_record(thread, LT_NONE, 0);
  end(thread, function);
  return true;
}

/* The signal that is about to be delivered comes from the function, and would kill. */
static bool is_crash(lt_thread *thread)
{
  const uint64_t faults = bit(SIGSEGV) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGILL) | bit(SIGTRAP);
  int signo = thread->inject;
  siginfo_t info;
  struct lt_proc_status status;
  if (thread->stop.kind != LT_SIGNAL || signo < 1 || signo > 31 ||
      !((faults | bit(SIGABRT)) & bit(signo)) ||
      lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)&info) != 0 || info.si_signo != signo ||
      lt_proc_status(thread->tid, &status) != 0 || status.caught & bit(signo))
    return false;
  return signo == SIGABRT ? info.si_pid == thread->process->pid : info.si_code > 0;
}

/* Whether the call that the thread is in the middle of must end first. */
static bool is_inside_call(const lt_thread *thread)
{
  uint16_t kind = thread->stop.kind;
  return !thread->late_exit && (kind == LT_CLONE || kind == LT_EXEC || kind == LT_VFORK_DONE);
}

bool lt_function_settle(lt_thread *thread)
{
  struct lt_function *function = thread->function;
  if (!function || thread->remote)
    return false;
  bool letting_go = thread->ignored || thread->process->detaching;
  bool crashed = is_crash(thread);
  if (!crashed && (!letting_go || is_inside_call(thread) || thread->stop.kind == LT_EXITING))
    return false;
  function->signal = crashed ? thread->inject : 0;
  function->error = crashed ? 0 : -ECANCELED;
  if (crashed)
    lt_thread_pc(thread, &function->crash_pc);
  end(thread, function);
  return true;
}

void lt_function_lost(lt_thread *thread)
{
  struct lt_function *function;
  while ((function = thread->function)) {
    struct lt_stop own = thread->stop, record;
    thread->function = function->outer;
    lt_record(thread, LT_FUNCTION_DONE, 0);
    record = thread->stop;
    thread->stop = own;
    function->error = -ECANCELED;
    lt_function_fill(function, &record);
    thread->deferred = 0;
    lt_remote_swap_mask(thread, &function->remote->mask, NULL);
    lt_function_free(function);
    lt_report_record(thread, &record);
  }
}

void lt_function_fill(const struct lt_function *function, struct lt_stop *record)
{
  record->u.function.ret = function->result.integer;
  record->u.function.number = function->result.number;
  record->u.function.single = function->result.single;
  record->u.function.addr = function->crash_pc;
  record->u.function.signal = function->signal;
  record->u.function.error = function->error;
}

void lt_function_free(struct lt_function *function)
{
  if (!function)
    return;
  lt_remote_free_one(function->remote);
  free(function->capture.bytes);
  free(function->results.back);
  free(function->expects);
  free(function);
}

void lt_function_free_all(lt_thread *thread)
{
  while (thread->function) {
    struct lt_function *function = thread->function;
    thread->function = function->outer;
    lt_function_free(function);
  }
}
