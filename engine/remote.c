/* remote.c - system calls made by a tracee on our behalf, from whatever stop it stands in.
 *
 *   entry stop          the pending call is replaced; after the exit the program counter goes back
 *                       onto the instruction, and the program's own call is entered again
 *   an event in a call (clone, exec) the call runs to its exit, where we begin; that exit is reported
 *                       after LT_REMOTE_DONE
 *   any other stop      the program counter is set to a system call instruction; after the exit
 *                       PTRACE_INTERRUPT brings the thread back into the kernel's signal path, so
 *                       that with the registers put back an interrupted call restarts as it would
 *
 * All signals are blocked meanwhile; those that come wait. The thread then stands where it stood,
 * with the record, call and registers that it had, and the hook gets LT_REMOTE_DONE. A signal that
 * it had stopped for cannot be injected any more: it is sent again, and takes its old siginfo when
 * it arrives (resume.c). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "engine.h"
#include "proc.h"

enum phase {
  LEAVE, /* in a call of its own, which must end first */
  ENTER, /* on its way to the instruction: the entry comes next */
  RUN,   /* in the call: the exit comes next */
  BACK,  /* on its way to where it stood */
};

struct lt_remote {
  enum phase phase;
  struct lt_call call; /* ours */
  bool stopped_again;  /* SIGSTOP came meanwhile */
  uint64_t mask;       /* the thread's signal mask */

  /* what the thread had when it began */
  struct lt_stop stop;
  struct lt_call own_call;
  bool in_call, want_exit, held;
  uint8_t changed_args;
  uint64_t saved_args[LT_CALL_ARGS];
  int inject, listen_signal;
  uint64_t general[LT_GENERAL_WORDS];
};

/* ---- A system call instruction ------------------------------------------------------------ */

static bool find_in_map(lt_thread *thread, const struct lt_map *map, const struct lt_arch *arch,
                        uint64_t *ret)
{
  return lt_mem_search(thread, map->from, map->to, arch->call_bytes, sizeof arch->call_bytes,
                       ret) == 1;
}

/* The vdso has one; where it is switched off, some library does. Found once per program image. */
static int find_instruction(lt_thread *thread, const struct lt_arch *arch, uint64_t *ret)
{
  uint64_t *known = &thread->process->space->call_instruction[arch->abi];
  if (*known) {
    *ret = *known;
    return 0;
  }
  struct lt_map *maps;
  ssize_t count = lt_maps(thread, &maps);
  bool found = false;
  for (ssize_t i = 0; i < count && !found; i++)
    found = strcmp(maps[i].path, "[vdso]") == 0 && find_in_map(thread, &maps[i], arch, ret);
  for (ssize_t i = 0; i < count && !found; i++)
    found = maps[i].perms[0] == 'r' && maps[i].perms[2] == 'x' &&
            find_in_map(thread, &maps[i], arch, ret);
  lt_maps_free(maps, count > 0 ? (size_t)count : 0);
  if (!found)
    return lt_fail(thread->session, -ENOEXEC,
                   "thread %d cannot make a call for us: there is no system call instruction in "
                   "its memory",
                   (int)thread->tid);
  *known = *ret;
  return 0;
}

/* ---- Signals ------------------------------------------------------------------------------ */

static int swap_mask(lt_thread *thread, const uint64_t *new, uint64_t *old)
{
  long error = 0;
  if (old)
    error = lt_request(thread, PTRACE_GETSIGMASK, sizeof *old, (uintptr_t)old);
  if (error == 0)
    error = lt_request(thread, PTRACE_SETSIGMASK, sizeof *new, (uintptr_t)new);
  return (int)error;
}

/* ---- Beginning ---------------------------------------------------------------------------- */

/* An event that the kernel reports from the middle of a call. */
static bool is_inside_call(const lt_thread *thread)
{
  uint16_t kind = thread->stop.kind;
  bool launched = kind == LT_START && thread->stop.u.start.how == LT_HOW_LAUNCHED; /* its exec */
  return kind == LT_CLONE || kind == LT_EXEC || kind == LT_VFORK_DONE || launched;
}

static void save(lt_thread *thread, struct lt_remote *remote, const struct lt_regs *regs)
{
  remote->stop = thread->stop;
  remote->own_call = thread->call;
  remote->in_call = thread->in_call;
  remote->want_exit = thread->want_exit;
  remote->held = thread->held;
  remote->changed_args = thread->changed_args;
  memcpy(remote->saved_args, thread->saved_args, sizeof remote->saved_args);
  remote->inject = thread->inject;
  remote->listen_signal = thread->listen_signal;
  memcpy(remote->general, regs->general, sizeof remote->general);
}

static int check(lt_thread *thread, const struct lt_arch *arch, uint64_t nr)
{
  int error = lt_thread_access(thread);
  if (error)
    return lt_fail(thread->session, error, "thread %d is not stopped: it cannot make a call for us",
                   (int)thread->tid);
  if (thread->remote)
    return lt_fail(thread->session, -EBUSY, "thread %d is making a call for us already",
                   (int)thread->tid);
  if (thread->stop.kind == LT_EXITING)
    return lt_fail(thread->session, -ESRCH, "thread %d is exiting: it cannot make a call for us",
                   (int)thread->tid);
  if (arch->special(nr) != LT_SYS_OTHER)
    return lt_fail(thread->session, -EINVAL, "%s cannot be made on a program's behalf",
                   lt_syscall_find(arch->abi, nr) ? lt_syscall_find(arch->abi, nr)->name : "this");
  return 0;
}

/* Block signals and put the call into the registers. */
static int prepare(lt_thread *thread, struct lt_remote *remote)
{
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)remote->call.abi);
  const uint64_t all = UINT64_MAX;
  struct lt_regs *regs;
  uint64_t instruction = 0;
  int error = lt_regs_change(thread, &regs);
  if (error)
    return error;
  save(thread, remote, regs);
  if (remote->phase == ENTER)
    error = find_instruction(thread, arch, &instruction);
  if (error == 0)
    error = swap_mask(thread, &all, &remote->mask);
  if (error)
    return error;
  for (unsigned i = 0; i < LT_CALL_ARGS; i++)
    arch->set_call_arg(regs, i, remote->call.args[i]);
  if (remote->phase == ENTER)
    arch->begin_call(regs, instruction, remote->call.nr);
  else
    arch->set_call_nr(regs, remote->call.nr);
  return 0;
}

/* Where the kernel would put a mask back after the handler (sigsuspend), blocking all would lose
 * it, and the signal would find itself blocked. */
static int keep_signal(lt_thread *thread)
{
  struct lt_proc_status status;
  uint64_t mask = 0;
  if (thread->expects)
    return 0;
  long error = lt_request(thread, PTRACE_GETSIGMASK, sizeof mask, (uintptr_t)&mask);
  if (error == 0)
    error = lt_proc_status(thread->tid, &status);
  if (error == 0 && status.blocked != mask)
    return lt_fail(thread->session, -EBUSY,
                   "thread %d is waiting for this signal (sigsuspend): it cannot make a call for "
                   "us before it is delivered",
                   (int)thread->tid);
  thread->expects = error == 0 ? malloc(sizeof *thread->expects) : NULL;
  if (error == 0 && !thread->expects)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  if (error == 0)
    error = lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)thread->expects);
  return (int)error;
}

int lt_remote_call(lt_thread *thread, uint64_t nr, const uint64_t args[LT_CALL_ARGS])
{
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (error)
    return error;
  bool at_entry = thread->stop.kind == LT_SYSCALL_ENTRY;
  const struct lt_arch *arch = lt_arch_get(at_entry ? (enum lt_abi)thread->call.abi
                                                    : lt_arch_of(regs));
  error = check(thread, arch, nr);
  if (error == 0 && thread->stop.kind == LT_SIGNAL)
    error = keep_signal(thread);
  if (error)
    return error;
  struct lt_remote *remote = calloc(1, sizeof *remote);
  if (!remote)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  remote->phase = at_entry ? RUN : is_inside_call(thread) ? LEAVE : ENTER;
  remote->call = (struct lt_call){.nr = nr, .abi = arch->abi};
  memcpy(remote->call.args, args, sizeof remote->call.args);
  if (remote->phase != LEAVE)
    error = prepare(thread, remote);
  if (error) {
    free(remote);
    return error;
  }
  thread->remote = remote;
  if (!thread->in_hook)
    lt_remote_resume(thread);
  return 0;
}

bool lt_remote_begin_at_exit(lt_thread *thread)
{
  struct lt_remote *remote = thread->remote;
  if (!remote || remote->phase != LEAVE)
    return false;
  remote->phase = ENTER;
  if (prepare(thread, remote) == 0) {
    thread->late_exit = true;
    lt_remote_resume(thread);
    return true;
  }
  lt_remote_free(thread); /* it is dying */
  return false;
}

/* Restart for the next phase. The engine's own restart would attend to the thread's own stop. */
void lt_remote_resume(lt_thread *thread)
{
  int request = thread->remote->phase == BACK && thread->remote->stop.kind != LT_SYSCALL_ENTRY
                    ? PTRACE_CONT
                    : PTRACE_SYSCALL;
  thread->held = false;
  lt_flush_and_restart(thread, request, 0);
}

/* ---- Ending ------------------------------------------------------------------------------- */

static void put_back_registers(lt_thread *thread, const struct lt_remote *remote)
{
  struct lt_regs *regs;
  if (lt_regs_change(thread, &regs) == 0)
    memcpy(regs->general, remote->general, sizeof remote->general);
}

/* The call is done: turn back to where the thread stood. */
static void turn_back(lt_thread *thread, struct lt_remote *remote)
{
  struct lt_regs *regs;
  put_back_registers(thread, remote);
  remote->phase = BACK;
  if (remote->stop.kind == LT_SYSCALL_ENTRY) {
    if (lt_regs_change(thread, &regs) == 0)
      lt_arch_get((enum lt_abi)remote->own_call.abi)->redo_call(regs, remote->own_call.nr);
  } else {
    thread->state = LT_ST_RUNNING; /* as far as interrupting goes */
    lt_interrupt_thread(thread);
    thread->state = LT_ST_STOPPED;
  }
  lt_remote_resume(thread);
}

/* `status` is that of the stop in which the thread really stands. */
static void finish(lt_thread *thread, struct lt_remote *remote, int status, bool group_stop)
{
  bool at_entry = remote->stop.kind == LT_SYSCALL_ENTRY;
  struct lt_stop record;
  if (!at_entry)
    put_back_registers(thread, remote);
  swap_mask(thread, &remote->mask, NULL);
  lt_record(thread, LT_REMOTE_DONE, 0);
  thread->stop.u.call = remote->call;
  record = thread->stop;

  thread->stop = remote->stop;
  thread->call = remote->own_call;
  thread->in_call = remote->in_call;
  thread->want_exit = remote->want_exit;
  thread->changed_args = remote->changed_args;
  memcpy(thread->saved_args, remote->saved_args, sizeof remote->saved_args);
  thread->inject = remote->inject;
  thread->listen_signal = remote->listen_signal;
  if (remote->stopped_again)
    lt_k_tgkill(thread->process->pid, thread->tid, SIGSTOP);
  if (thread->grows_scratch)
    lt_scratch_grown(thread, &remote->call);
  if (group_stop && thread->stop.kind != LT_GROUP_STOP)
    thread->deferred = status; /* the process was stopped meanwhile */
  thread->remote = NULL;
  free(remote);
  lt_settle(thread, lt_report_record(thread, &record));
}

static void on_call_stop(lt_thread *thread, struct lt_remote *remote, int status)
{
  struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
  lt_request(thread, PTRACE_GET_SYSCALL_INFO, sizeof info, (uintptr_t)&info);
  if (info.op == PTRACE_SYSCALL_INFO_EXIT && remote->phase == RUN) {
    remote->call.ret = info.exit.rval;
    remote->call.is_error = info.exit.is_error;
    remote->call.done = true;
    turn_back(thread, remote);
  } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && remote->phase == BACK) {
    finish(thread, remote, status, false);
  } else {
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
      remote->phase = RUN;
    lt_remote_resume(thread);
  }
}

/* Every stop of a thread while it makes a call for us. */
void lt_remote_on_stop(lt_thread *thread, struct lt_class class, int status)
{
  struct lt_remote *remote = thread->remote;
  bool event_stop = class.kind == LT_INTERRUPT || class.kind == LT_GROUP_STOP ||
                    class.kind == LT_CONTINUE;
  if (class.kind == LT_NONE) {
    on_call_stop(thread, remote, status);
  } else if (event_stop && remote->phase == BACK && remote->stop.kind != LT_SYSCALL_ENTRY) {
    finish(thread, remote, status, class.kind == LT_GROUP_STOP);
  } else {
    remote->stopped_again |= class.kind == LT_SIGNAL && class.signo == SIGSTOP;
    lt_remote_resume(thread);
  }
}

bool lt_remote_leaves_call(const lt_thread *thread)
{
  return thread->remote && thread->remote->phase == LEAVE;
}

void lt_remote_free(lt_thread *thread)
{
  free(thread->remote);
  free(thread->expects);
  thread->remote = NULL;
  thread->expects = NULL;
}

/* ---- The signal of the stop --------------------------------------------------------------- */

void lt_remote_resend(lt_thread *thread)
{
  if (!thread->expects || thread->stop.kind != LT_SIGNAL)
    return;
  siginfo_t info = {.si_signo = thread->inject, .si_code = SI_QUEUE};
  int signo = thread->inject;
  thread->inject = 0;
  if (signo == 0 || lt_k_sigqueue(thread->process->pid, thread->tid, signo, &info) != 0) {
    free(thread->expects); /* suppressed */
    thread->expects = NULL;
    return;
  }
  if (thread->expects->si_signo != signo) /* replaced: what was known of the old one is no use */
    *thread->expects = info;
}

bool lt_remote_expected(lt_thread *thread, int signo)
{
  if (!thread->expects || thread->expects->si_signo != signo)
    return false;
  lt_request(thread, PTRACE_SETSIGINFO, 0, (uintptr_t)thread->expects);
  free(thread->expects);
  thread->expects = NULL;
  return true;
}
