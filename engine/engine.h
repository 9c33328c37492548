/* engine.h - how the pieces of the engine call each other, in the order that an event flows:
 * wait -> classify -> dispatch -> (births) -> hook -> resume. */
#ifndef LT_ENGINE_H
#define LT_ENGINE_H

#include "kernel.h"
#include "task.h"

/* wait.c: fill the session's queue with statuses, blocking until `deadline` (lt_k_now() time; 0:
 * only what is there; UINT64_MAX: as long as it takes). Returns how many there are, 0 at the
 * deadline, -EINTR when lt_interrupt() was called, -ECHILD when there is no child left. */
int lt_wait_fill(lt_session *session, uint64_t deadline);
/* Take what is ready into the queue, without blocking. Async-signal-safe. */
void lt_wait_fill_more(lt_session *session);
/* Put a status before all others. */
void lt_wait_push_front(lt_session *session, pid_t tid, int status);

/* classify.c: what a stop status means for this thread. No request is made. */
struct lt_class {
  enum lt_kind kind; /* LT_NONE: a syscall stop, whose direction only the kernel knows */
  int signo;         /* LT_SIGNAL, LT_GROUP_STOP */
  enum lt_how how;   /* LT_CLONE: FORK, VFORK or CLONE */
  bool filtered;     /* LT_NONE: by our filter, before the call runs */
};
struct lt_class lt_classify(int status, enum lt_state before, bool interrupted);

/* dispatch.c: act on one status. */
void lt_dispatch(lt_session *session, pid_t tid, int status);
/* The thread stands in a new stop. */
void lt_enter_stop(lt_thread *thread, int status);
/* Make the thread's record, and hand it to the hook if it is wanted. */
void lt_record(lt_thread *thread, enum lt_kind kind, int status);
enum lt_verdict lt_report(lt_thread *thread);
/* The same with a record that is not the thread's stop. */
enum lt_verdict lt_report_record(lt_thread *thread, struct lt_stop *record);
/* After the hook: hold, detach or restart. */
void lt_settle(lt_thread *thread, enum lt_verdict verdict);

/* calls.c: a syscall stop, and what the engine does with the call around the hook. */
void lt_on_syscall_stop(lt_thread *thread, int status);
bool lt_call_subscribed(lt_thread *thread);
/* 0 if the thread stands at this stop (LT_SYSCALL_ENTRY or _EXIT) of its call. ESRCH if it was killed
 * there, else EINVAL with `otherwise` as the line for people. */
int lt_call_check(lt_thread *thread, enum lt_kind at, const char *otherwise);
/* Put changed arguments back; also before a detach. */
void lt_call_restore(lt_thread *thread);
/* It is another call than the program asked for. */
bool lt_call_became(const lt_thread *thread);
/* Forget the call: the thread runs on. */
void lt_call_end(lt_thread *thread);

/* selector.c: whether one of those for the call that the thread enters passes. */
bool lt_selectors_pass(lt_thread *thread);
/* An aggregation counts calls that pass, or no longer: until then it stays, even if it is freed. */
void lt_selector_count(lt_selector *selector, bool on);

/* filter.c: all its calls must be traced, as it carries no filter that stops it at the wanted ones.
 * The filter has stopped it at a call whose entry was seen already. */
bool lt_filter_lacks(const lt_thread *thread);
/* It carries a filter that stops it at all that the engine itself has to see. */
bool lt_filter_stops(const lt_thread *thread);
void lt_filter_on_second_stop(lt_thread *thread);

/* filter_guard.c: what the program asks of seccomp(2) and prctl(2), at the entry and exit of calls of
 * those who carry a filter. */
void lt_guard_on_entry(lt_thread *thread);
void lt_guard_on_exit(lt_thread *thread);
/* It was stopped by another filter than ours: the call fails as it would without a tracer (true). */
struct __ptrace_syscall_info;
bool lt_guard_refuses(lt_thread *thread, const struct __ptrace_syscall_info *info);

/* silent.c: the stopped thread is to be let go, but carries a filter: it stays, unseen. */
void lt_silence(lt_thread *thread);
/* A thread is gone: was it the last one of the process that the caller knew of? */
void lt_silence_rest(lt_process *process);

/* results.c: at the exit of a changed call, before its arguments are put back. */
void lt_results_give(lt_thread *thread);
/* The call has ended, but restart_syscall(2) will go on with it and with what we had placed. */
bool lt_results_wait(const lt_thread *thread);
void lt_results_forget(lt_thread *thread);

/* remote.c: calls made by a tracee for us. */
void lt_remote_on_stop(lt_thread *thread, struct lt_class class, int status);
/* The thread's own call must end before ours begins; at its exit, begin (true) instead of reporting
 * the exit, which is reported after ours. */
bool lt_remote_leaves_call(const lt_thread *thread);
bool lt_remote_begin_at_exit(lt_thread *thread);
void lt_remote_resume(lt_thread *thread);
void lt_remote_free(lt_thread *thread);
/* The signal that the thread had stopped for must be sent again: true if it was, and is to come. */
void lt_remote_resend(lt_thread *thread);
/* A signal arrived: is it one sent again? Then it has its old siginfo now. */
bool lt_remote_expected(lt_thread *thread, int signo);

/* function.c: functions of its own that a thread runs for us. The call before it is made: begin;
 * what the hook is told; a signal arrived: is it the end? */
struct lt_function;
void lt_function_start(lt_thread *thread, struct lt_remote *remote);
void lt_function_fill(const struct lt_function *function, struct lt_stop *record);
bool lt_function_on_signal(lt_thread *thread, int signo);
/* The thread is to run on. True if it has been restarted for us: it crashed in a function, or is
 * let go and must be back where it stood before. */
bool lt_function_settle(lt_thread *thread);
/* The program that had the functions is gone (exec): tell who waits. */
void lt_function_lost(lt_thread *thread);
void lt_function_free(struct lt_function *function);
void lt_function_free_all(lt_thread *thread);

/* Enter an emulated call once more, for the kernel to make it; then the thread runs on. */
int lt_remote_reenter(lt_thread *thread);

/* resend.c: a signal arrived: is it one that was put off? Then it has its own siginfo now. */
bool lt_resent_arrives(lt_thread *thread, int signo);
void lt_resent_free(lt_thread *thread);

/* emulate.c: whether the thread is to be restarted with PTRACE_SYSEMU; whether a running one is
 * in the wrong mode for its process; a call was entered. */
bool lt_emulate_wanted(const lt_thread *thread);
bool lt_emulate_weaker(const lt_thread *thread);
void lt_emulate_begin(lt_thread *thread);
/* The thread is to run on: what becomes of a call that nobody answered. True if the thread has been
 * restarted for that, and comes again. */
bool lt_emulate_settle(lt_thread *thread);

/* scratch.c: release what the thread placed; the mmap has its result; unmap before a detach (true:
 * a call is under way). */
void lt_scratch_release(lt_thread *thread);
/* What `from` has taken belongs to `to`: any address serves as a name. */
void lt_scratch_hand_over(lt_thread *thread, const void *from, const void *to);
void lt_scratch_grown(lt_thread *thread, const struct lt_call *call);
bool lt_scratch_unmap(lt_thread *thread);

/* births.c: clone events, first stops, orphans. */
void lt_on_clone_event(lt_thread *thread, int status, enum lt_how how);
void lt_on_first_stop(lt_thread *thread, int status);
/* A thread that was attached to reports another stop before its first: announce it, then say
 * whether to go on with that stop (false: the hook holds the thread; `status` comes again). */
bool lt_on_early_stop(lt_thread *thread, int status);
void lt_on_unknown_stop(lt_session *session, pid_t tid, int status);
/* A call was entered: no child is to be made that is hidden from us and has our breakpoints. */
void lt_unhide_child(lt_thread *thread);
/* Adopt the orphans that nobody named in time. */
void lt_adopt_late_orphans(lt_session *session);
/* A process lost threads (it died, or exec ended them): they name nobody any more. */
void lt_adopt_orphans_of(lt_session *session, pid_t pid);
/* When the oldest orphan has waited long enough; UINT64_MAX if there is none. */
uint64_t lt_orphan_deadline(const lt_session *session);
/* An untraced child ended, or a newborn that nobody has named yet. */
void lt_stray_add(lt_session *session, pid_t tid, int status);

/* The thread's process comes under control: report LT_START once, LT_BIRTH otherwise. */
enum lt_verdict lt_announce(lt_thread *thread, int status);

/* deaths.c: exec and exits. */
void lt_on_exec_event(lt_session *session, pid_t tid, int status);
void lt_on_gone(lt_thread *thread, int status);
/* A thread whose end somebody else took: its status is unknown. */
void lt_on_lost(lt_thread *thread);

/* resume.c: the only function that restarts a thread. */
void lt_resume(lt_thread *thread);
/* Write back registers and restart with this request: lt_resume() and remote.c only. */
void lt_flush_and_restart(lt_thread *thread, int request, int signo);
/* Interrupt running threads whose mode is weaker than what is now subscribed. */
void lt_remode(lt_session *session);
int lt_interrupt_thread(lt_thread *thread);

/* freeze.c: true if the thread's process is frozen, and its report or restart is thereby put off.
 * A child process of a thread whose LT_CLONE was put off must wait for that, unless its creator is
 * gone (lt_freeze_forget). Go on with the parked threads of processes that have thawed: returns how
 * many went on. */
bool lt_freeze_parks(lt_thread *thread, enum lt_parked what);
void lt_freeze_keep_child(lt_thread *creator, lt_process *child);
void lt_freeze_forget(lt_thread *thread);
int lt_freeze_go_on(lt_session *session);

/* watch.c: are descriptors awaited? Sleep until one is ready or SIGCHLD, which must be blocked, is
 * pending, or the deadline. Returns how many are ready, 0, or -EINTR. Then call their functions. */
bool lt_watch_any(const lt_session *session);
int lt_watch_sleep(lt_session *session, uint64_t deadline);
void lt_watch_dispatch(lt_session *session);
/* Wait for them alone: returns 0 or -EINTR. */
int lt_watch_alone(lt_session *session, int timeout_ms);
void lt_watch_free(lt_session *session);

/* lines.c */
void lt_lines_free(lt_session *session);

/* detach.c */
void lt_detach_stopped(lt_thread *thread);

/* inherit.c: what a launched program gets from us is what we got: signal mask, dispositions and
 * descriptors. Remember them at the start; put dispositions and descriptors back in the child. */
int lt_inherit_remember(lt_session *session);
void lt_inherit_restore(const lt_session *session);

/* spawn.c: what the failed child left in the pipe: errno, or 0, and where it failed. Closes it. */
int lt_spawn_error(lt_process *process, enum lt_spawn_step *ret);

#endif
