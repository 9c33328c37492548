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

#include "breaks.h"
#include "probe.h"
#include "proc.h"
#include "remote.h"

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

/* ---- Beginning ---------------------------------------------------------------------------- */

/* An event that the kernel reports from the middle of a call. */
static bool is_inside_call(const lt_thread *thread)
{
  uint16_t kind = thread->stop.kind;
  bool launched = kind == LT_START && thread->stop.u.start.how == LT_HOW_LAUNCHED; /* its exec */
  bool left = thread->late_exit; /* for an earlier call of ours */
  return !left && (kind == LT_CLONE || kind == LT_EXEC || kind == LT_VFORK_DONE || launched);
}

static void save(lt_thread *thread, struct lt_remote *remote, const struct lt_regs *regs)
{
  if (remote->saved)
    return;
  remote->saved = true;
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
  enum lt_special special = arch->special(nr);
  if (special != LT_SYS_OTHER && special != LT_SYS_CPUS)
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
  bool first = !remote->saved;
  int error = lt_regs_change(thread, &regs);
  if (error)
    return error;
  save(thread, remote, regs);
  if (remote->phase == LT_PHASE_ENTER)
    error = find_instruction(thread, arch, &instruction);
  if (error == 0)
    error = lt_remote_swap_mask(thread, &all, first ? &remote->mask : NULL);
  if (error)
    return error;
  for (unsigned i = 0; i < LT_CALL_ARGS; i++)
    arch->set_call_arg(regs, i, remote->call.args[i]);
  if (remote->phase == LT_PHASE_ENTER)
    arch->begin_call(regs, instruction, remote->call.nr);
  else
    arch->set_call_nr(regs, remote->call.nr);
  remote->prepared = true;
  return 0;
}

int lt_remote_begin(lt_thread *thread, uint64_t nr, const uint64_t args[LT_CALL_ARGS],
                    struct lt_function *function)
{
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (error)
    return error;
  bool at_entry = thread->stop.kind == LT_SYSCALL_ENTRY;
  const struct lt_arch *arch =
      lt_arch_get(at_entry ? (enum lt_abi)thread->call.abi : lt_arch_of(regs));
  error = check(thread, arch, nr);
  if (error == 0 && thread->stop.kind == LT_SIGNAL)
    error = lt_remote_keep_signal(thread);
  if (error)
    return error;
  struct lt_remote *remote = calloc(1, sizeof *remote);
  if (!remote)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  at_entry = at_entry && !thread->kernel_skips; /* else the kernel has let go of the call */
  remote->phase = at_entry                 ? LT_PHASE_RUN
                  : is_inside_call(thread) ? LT_PHASE_LEAVE
                                           : LT_PHASE_ENTER;
  remote->call = (struct lt_call){.nr = nr, .abi = arch->abi};
  remote->function = function;
  memcpy(remote->call.args, args, sizeof remote->call.args);
  uint64_t instruction;
  if (remote->phase == LT_PHASE_ENTER)
    error = find_instruction(thread, arch, &instruction);
  if (error == 0 && remote->phase != LT_PHASE_LEAVE && !thread->in_hook)
    error = prepare(thread, remote);
  if (error) {
    free(remote);
    return error;
  }
  thread->remote = remote;
  if (!thread->in_hook) /* else what others do in the hook comes first: see lt_settle() */
    lt_remote_resume(thread);
  return 0;
}

int lt_remote_call(lt_thread *thread, uint64_t nr, const uint64_t args[LT_CALL_ARGS])
{
  return lt_remote_begin(thread, nr, args, NULL);
}

bool lt_remote_busy(const lt_thread *thread)
{
  return thread->remote != NULL;
}

void lt_remote_free_one(struct lt_remote *remote)
{
  if (!remote)
    return;
  lt_function_free(remote->function);
  lt_function_free(remote->result);
  free(remote->vector);
  free(remote);
}

/* What the hook gets at the end. */
static struct lt_stop make_record(lt_thread *thread, const struct lt_remote *remote)
{
  struct lt_stop own = thread->stop, record;
  bool function = remote->function || remote->result;
  lt_record(thread, function ? LT_FUNCTION_DONE : LT_REMOTE_DONE, 0);
  record = thread->stop;
  thread->stop = own;
  if (remote->result)
    lt_function_fill(remote->result, &record);
  else if (function)
    record.u.function.error = (int32_t)remote->call.ret;
  else
    record.u.call = remote->call;
  return record;
}

/* A call that was to map room for slots or planted code has ended, or could not begin. */
static void tell_who_needs_room(lt_thread *thread, const struct lt_call *call)
{
  if (thread->grows_slots)
    lt_slots_grown(thread, call);
  if (thread->grows_code || thread->grows_counts)
    lt_probe_grown(thread, call);
}

/* It could not begin: say so. */
static void give_up(lt_thread *thread, int error)
{
  struct lt_remote *remote = thread->remote;
  remote->call.ret = error;
  remote->call.is_error = remote->call.done = true;
  struct lt_stop record = make_record(thread, remote);
  bool told = !remote->silent;
  tell_who_needs_room(thread, &remote->call);
  lt_remote_free(thread);
  thread->grows_scratch = 0;
  if (thread->state == LT_ST_STOPPED)
    lt_settle(thread, told ? lt_report_record(thread, &record) : LT_RESUME);
}

int lt_remote_reenter(lt_thread *thread)
{
  const uint64_t all = UINT64_MAX;
  struct lt_regs *regs;
  struct lt_remote *remote = calloc(1, sizeof *remote);
  if (!remote)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  remote->phase = LT_PHASE_BACK;
  remote->reenters = true;
  int error = lt_regs_change(thread, &regs);
  if (error == 0)
    save(thread, remote, regs);
  if (error == 0)
    error = lt_remote_swap_mask(thread, &all, &remote->mask);
  if (error) {
    free(remote);
    return error;
  }
  lt_arch_get((enum lt_abi)thread->call.abi)->redo_call(regs, thread->call.nr);
  remote->prepared = true;
  thread->remote = remote;
  if (!thread->in_hook)
    lt_remote_resume(thread);
  return 0;
}

bool lt_remote_begin_at_exit(lt_thread *thread)
{
  struct lt_remote *remote = thread->remote;
  if (!remote || remote->phase != LT_PHASE_LEAVE)
    return false;
  remote->phase = LT_PHASE_ENTER;
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
  struct lt_remote *remote = thread->remote;
  int error = remote->prepared || remote->phase == LT_PHASE_LEAVE ? 0 : prepare(thread, remote);
  if (error) {
    give_up(thread, error);
    return;
  }
  int request = remote->phase == LT_PHASE_BACK && remote->stop.kind != LT_SYSCALL_ENTRY
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
  if (remote->vector && lt_regs_vector(thread, &regs) == 0)
    memcpy(regs->vector, remote->vector, remote->vector_size);
}

/* The call is done: turn back to where the thread stood. */
static void turn_back(lt_thread *thread, struct lt_remote *remote)
{
  struct lt_regs *regs;
  put_back_registers(thread, remote);
  remote->phase = LT_PHASE_BACK;
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

void lt_remote_return(lt_thread *thread, struct lt_remote *remote)
{
  thread->remote = remote;
  remote->prepared = false;
  remote->phase = thread->stop.kind == LT_SYSCALL_ENTRY ? LT_PHASE_RUN : LT_PHASE_ENTER;
  lt_remote_resume(thread);
}

/* The kernel has entered the call again, which it shall not make. */
static void skip_again(lt_thread *thread)
{
  struct lt_regs *regs;
  if (!thread->skipped || lt_regs_change(thread, &regs) != 0)
    return;
  const struct lt_arch *arch = lt_arch_get((enum lt_abi)thread->call.abi);
  arch->set_call_nr(regs, UINT64_MAX);
  arch->set_call_ret(regs, thread->skip_ret);
}

/* `status` is that of the stop in which the thread really stands. */
static void finish(lt_thread *thread, struct lt_remote *remote, int status, bool group_stop)
{
  bool at_entry = remote->stop.kind == LT_SYSCALL_ENTRY;
  struct lt_stop record;
  if (!at_entry)
    put_back_registers(thread, remote);
  lt_remote_swap_mask(thread, &remote->mask, NULL);
  record = make_record(thread, remote);
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
  tell_who_needs_room(thread, &remote->call);
  if (group_stop && thread->stop.kind != LT_GROUP_STOP)
    thread->deferred = status; /* the process was stopped meanwhile */
  if (at_entry) {
    thread->kernel_skips = false;
    skip_again(thread);
  }
  bool told = !remote->reenters && !remote->silent;
  thread->remote = NULL;
  lt_remote_free_one(remote);
  lt_settle(thread, told ? lt_report_record(thread, &record) : LT_RESUME);
}

static void on_call_stop(lt_thread *thread, struct lt_remote *remote, int status)
{
  struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
  lt_request(thread, PTRACE_GET_SYSCALL_INFO, sizeof info, (uintptr_t)&info);
  thread->entered = info.op == PTRACE_SYSCALL_INFO_ENTRY && !thread->emulates;
  if (info.op == PTRACE_SYSCALL_INFO_EXIT && remote->phase == LT_PHASE_RUN) {
    remote->call.ret = info.exit.rval;
    remote->call.is_error = info.exit.is_error;
    remote->call.done = true;
    if (remote->function)
      lt_function_start(thread, remote);
    else
      turn_back(thread, remote);
  } else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && remote->phase == LT_PHASE_BACK) {
    finish(thread, remote, status, false);
  } else {
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
      remote->phase = LT_PHASE_RUN;
    lt_remote_resume(thread);
  }
}

static bool is_let_go(const lt_thread *thread)
{
  return thread->ignored || thread->process->detaching || thread->session->ending;
}

/* Every stop of a thread while it makes a call for us. */
void lt_remote_on_stop(lt_thread *thread, struct lt_class class, int status)
{
  struct lt_remote *remote = thread->remote;
  bool event_stop =
      class.kind == LT_INTERRUPT || class.kind == LT_GROUP_STOP || class.kind == LT_CONTINUE;
  if (class.kind == LT_NONE) {
    on_call_stop(thread, remote, status);
  } else if (event_stop && remote->phase == LT_PHASE_BACK &&
             remote->stop.kind != LT_SYSCALL_ENTRY) {
    finish(thread, remote, status, class.kind == LT_GROUP_STOP);
  } else if (remote->reenters && class.kind == LT_GROUP_STOP && !is_let_go(thread)) {
    lt_flush_and_restart(thread, PTRACE_LISTEN, 0); /* nobody waits for it: it stops as it should */
  } else if (remote->reenters && class.kind == LT_SIGNAL) {
    lt_flush_and_restart(thread, PTRACE_SYSCALL, class.signo); /* SIGSTOP: no other comes */
  } else {
    remote->stopped_again |= class.kind == LT_SIGNAL && class.signo == SIGSTOP;
    lt_remote_resume(thread);
  }
}

bool lt_remote_leaves_call(const lt_thread *thread)
{
  return thread->remote && thread->remote->phase == LT_PHASE_LEAVE;
}

void lt_remote_free(lt_thread *thread)
{
  lt_remote_free_one(thread->remote);
  free(thread->expects);
  thread->remote = NULL;
  thread->expects = NULL;
}
