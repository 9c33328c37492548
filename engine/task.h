/* task.h - sessions, processes and threads: the state behind the handles, and the task table.
 *
 * A thread is in exactly one state (docs/internals.md draws the transitions):
 *   ORPHAN     stopped, but nobody has named it yet; held until its creator's event or adoption
 *   NEWBORN    named by its creator (or seized), first stop still to come
 *   RUNNING    a restart request succeeded; any wait status may follow
 *   STOPPED    in the stop that `stop` records; requests are legal
 *   LISTENING  in a group stop under PTRACE_LISTEN; only INTERRUPT is legal
 *   DYING      a request said ESRCH where we believed it stopped; only a wait status may follow
 *   DEAD       reaped or detached; freed when the hook has been told */
#ifndef LT_TASK_H
#define LT_TASK_H

#include <uthash.h>

#include "arch.h"
#include "cpu_rule.h"
#include "kernel.h"
#include "luatrace.h"
#include "space.h"

enum lt_state {
  LT_ST_ORPHAN,
  LT_ST_NEWBORN,
  LT_ST_RUNNING,
  LT_ST_STOPPED,
  LT_ST_LISTENING,
  LT_ST_DYING,
  LT_ST_DEAD,
};

/* What a thread of a frozen process is stopped before. */
enum lt_parked {
  LT_PARKED_NOT,
  LT_PARKED_REPORT, /* the hook is to hear of its stop */
  LT_PARKED_RESUME, /* it is to run on */
};

/* What lt_call_capture() kept of a call's input arguments (capture.c). */
struct lt_capture {
  uint8_t *bytes; /* arena, reused from call to call */
  size_t used, room;
  bool whole; /* all that the arguments point to, not only what was printed */
  struct lt_captured {
    bool kept;
    uint8_t type;
    bool cut;
    size_t at, size;
  } arg[LT_CALL_ARGS];
};

/* What the exit of a changed call is to give back (results.c). */
struct lt_results {
  bool counts; /* the result counts bytes of ours: to be told in terms of the program's own */
  uint64_t own, ours; /* sizes */
  struct lt_back *back;
  unsigned backs;
};

#define LT_RETRIES 8
#define LT_SIGACTION_BYTES 32 /* of the kernel's struct sigaction on any ABI */

/* What the program does with SIGTRAP (trap_state.c). */
struct lt_trap_action {
  enum {
    LT_TRAP_DEFAULT,
    LT_TRAP_IGNORED,
    LT_TRAP_HANDLED, /* by a handler whose address is not known yet */
    LT_TRAP_KNOWN,   /* as `bytes` say */
  } kind;
  uint8_t bytes[LT_SIGACTION_BYTES];
};

/* Where a thread stands with regard to breakpoints. */
struct lt_at_site {
  bool due;     /* at `addr`, whose hit has been dealt with: runs on through the slot */
  bool in_slot; /* was sent to the slot at `slot` of site `addr`, and may still be there */
  bool inside;  /* is inside of a jump of ours, and goes on in the copy (probe_stop.c) */
  bool calls;   /* to make a system call from there: mended at its entry */
  uint64_t addr, slot;
  /* Hits that have been reported, of instructions that will be run again from their start: a signal
   * handler comes first, or the kernel restarts the call. */
  uint8_t retries;
  struct lt_retry {
    uint64_t addr, sp;
    bool marked; /* a call, which shows when it begins again (struct lt_arch.mark_restart) */
  } retry[LT_RETRIES];
};

/* A thread and the CPU that it may share with us (cpu.h). */
struct lt_cpu_of {
  uint64_t *own;             /* the CPUs that it has by its own; NULL: those that we had */
  int at;                    /* LT_CPU_OWN, LT_CPU_UNKNOWN or LT_CPU_ONLY() */
  pid_t asks;                /* whose CPUs it asks about (cpu_answer.c) */
  unsigned asked;            /* so many ask about its own */
  bool realtime;             /* not to be touched */
  bool unseen;               /* its calls do not stop it: it must not be pinned */
  bool watched;              /* they do for that reason alone (cpu_watch.c) */
  uint8_t calls;             /* stops at calls since it was looked at */
  uint16_t patience, rest;   /* how often it is not looked at after a vain attempt */
  uint64_t looked;           /* when it was */
  struct lt_cpu_share share; /* see cpu_rule.h */
  uint64_t stops, stops_at;  /* so far, at the last tick */
  uint64_t apart;            /* was unpinned before this stop, while it ran; 0: was not */
  uint64_t executed, delayed;
};

struct lt_thread {
  lt_session *session;
  lt_process *process; /* NULL only for an orphan */
  pid_t tid;
  pid_t parent; /* tid of the creator, 0 if unknown */
  enum lt_state state;
  enum lt_how how;
  struct lt_stop stop; /* latest record */
  int inject;          /* signal that the next restart passes on */
  int listen_signal;   /* group stop signal, while in one */
  unsigned options;    /* ptrace options in force */

  bool interrupted;         /* PTRACE_INTERRUPT sent, its stop not seen */
  bool interrupt_reported;  /* the next such stop was asked for by the caller */
  bool held;                /* the hook said LT_HOLD */
  siginfo_t *expects;       /* a signal of ours that is to arrive with this siginfo (remote.c) */
  struct lt_resent *resent; /* signals to be delivered later, sent again by us (resend.c) */
  struct lt_remote *remote; /* a call it makes for us (remote.c) */
  struct lt_function *function; /* one of its functions that it runs for us (function.c) */
  struct lt_returns *returns;   /* of functions, that are awaited (returns.c) */
  bool uses_scratch;            /* has room in the process's scratch */
  size_t grows_scratch;         /* size of the region that `remote` is mapping */
  uint64_t grows_slots;         /* address at which it is mapping room for slots */
  /* The same for planted code (probe.c): for its counts; one was mapped for the site. */
  uint64_t grows_code;
  bool grows_counts, grown_probe;
  uint64_t pointer;           /* attached: of its own memory, when it was */
  bool late_exit;             /* the exit of its own call is to be reported after `remote` */
  int deferred;               /* status to dispatch again when released; 0: none */
  bool in_hook;               /* a hook for this thread is on the stack */
  bool sleeps;                /* was in an uninterruptible sleep when last looked at */
  bool unfrozen;              /* may run although its process is frozen (freeze.c) */
  uint8_t parked;             /* enum lt_parked: what is due when its process thaws */
  struct lt_stop parked_stop; /* the record of that */
  pid_t parked_child; /* the process that its parked LT_CLONE is about, which waits for it; 0 */
  bool ignored;       /* to be detached at its next stop */
  bool traces_calls;  /* was last restarted with PTRACE_SYSCALL */
  bool own_info;      /* the signal of this stop has siginfo of the caller's */
  bool emulates;      /* was last restarted with PTRACE_SYSEMU (emulate.c) */
  bool entered; /* stands, or stood last, at the entry of a call; its filter may stop it again */
  bool guarded; /* the exit of its call matters to filter_guard.c or trap_state.c */
  bool strict;  /* the program has shut it in: see filter_guard.c */
  bool silent;  /* it was let go as far as the caller knows (silent.c) */

  struct lt_call call;             /* the current call */
  bool in_call;                    /* `call` holds: from entry until it runs on from the exit */
  uint64_t call_seq;               /* number of `call`, see lt_thread_call_seq() */
  bool want_exit;                  /* somebody asked for the exit of `call` */
  bool counts_exit;                /* an aggregation waits for it (aggregate_stops.c) */
  uint64_t counts_from, counts_as; /* when `call` was entered; how many places there were then */
  bool skipped;                    /* the kernel does not make `call`; its result is skip_ret */
  int64_t skip_ret;
  uint64_t entered_nr;  /* the number that the program asked for, whatever `call` became */
  bool emulated;        /* `call` is to be answered by the caller, not by the kernel */
  bool kernel_skips;    /* and the kernel has let go of it already */
  uint8_t changed_args; /* bit i: argument i was changed and is to be put back */
  uint64_t saved_args[LT_CALL_ARGS];
  struct lt_results results;
  struct lt_capture capture;

  uint32_t sites_seen;            /* lt_sites_changes() when it was last restarted */
  struct lt_at_site at_site;      /* what it owes to a breakpoint (breaks.c, slots.c) */
  bool trap_blocked;              /* the program blocks SIGTRAP there */
  uint8_t trap_step;              /* what trap_state.c has to do before it runs on */
  uint64_t trap_room;             /* where it exchanges actions */
  struct lt_slot_step *slot_step; /* it is being stepped out of a slot (slot_step.c) */
  struct lt_steps *steps;         /* it runs one instruction at a time (steps.c); NULL: never did */
  uint64_t debug_version;         /* of its space's debug registers that are in force; 0: none */
  int debug_error;                /* what came of putting them in force */
  uint8_t debug_hits;             /* bit per debug register that has hit and was not reported */

  struct lt_cpu_of cpu;

  char *scratch; /* decoded bytes of lt_call_arg(), see decode */
  size_t scratch_room;

  struct lt_regs regs;
  void *data;                    /* the caller's */
  struct lt_thread *prev, *next; /* in the process; utlist */
  UT_hash_handle hh;             /* by tid, in the session */
};

struct lt_process {
  lt_session *session;
  pid_t pid;
  enum lt_how how;
  bool launched; /* by us or by a descendant of what we launched: dies with us */
  bool starting; /* launched, its exec not seen yet: nothing is reported */
  bool detaching;
  bool emulated;            /* its calls are answered by the caller (emulate.c) */
  bool started;             /* LT_START was reported */
  unsigned frozen;          /* how many want its threads to stand still (freeze.c) */
  int spawn_pipe;           /* read end that tells a failed exec; -1 */
  int mem_fd;               /* /proc/PID/mem for memory.c, -1 while closed; reopened after exec */
  struct lt_filter *filter; /* that it carries (filter.c); NULL: none */
  bool own_filter;          /* and it may have some of its own, which come first */
  bool own_privs;           /* it has set no_new_privs itself */
  bool silent;              /* all its threads are */
  struct lt_trap_action trap_action;
  struct lt_space *space;           /* whose memory; never NULL */
  struct lt_goroutines *goroutines; /* whose returns are awaited (goroutines.c); NULL: none */
  lt_thread *threads;
  void *data;
  UT_hash_handle hh; /* by pid, in the session */
};

/* A status that waitpid gave, not dispatched yet. */
struct lt_pending {
  pid_t tid;
  int status;
};

/* The death of a child that we do not know: a popen child, or a newborn that was killed before
 * its creator's event named it. */
struct lt_stray {
  pid_t pid;
  int status;
  UT_hash_handle hh;
};

#define LT_QUEUE 256
#define LT_SELECTABLE 512 /* numbers of calls that can be subscribed to, one by one */

struct lt_session {
  struct lt_options options;
  struct lt_hooks hooks;
  void *data;
  lt_process *processes;
  lt_thread *threads;
  struct lt_stray *strays;
  unsigned orphans;      /* threads in LT_ST_ORPHAN */
  uint64_t orphan_since; /* lt_k_now() when the oldest of them came */
  uint64_t seq;
  uint64_t calls_made; /* the latest lt_thread_call_seq() */

  uint32_t kinds;                                   /* bit per enum lt_kind that is subscribed */
  uint64_t calls[LT_ABI_COUNT][LT_SELECTABLE / 64]; /* bit per call that is subscribed whole */
  unsigned call_count[LT_ABI_COUNT];
  bool all_calls[LT_ABI_COUNT]; /* lt_subscribe_syscall(…, LT_ALL_SYSCALLS, true) */
  struct lt_selector *selectors[LT_ABI_COUNT][LT_SELECTABLE]; /* those that are subscribed */
  struct lt_selector *every_selector;
  uint32_t selector_ids;  /* the last that one got */
  uint64_t calls_version; /* counts the changes of all these */
  bool has_filters;       /* a program was launched with one */
  bool is_filtered;       /* we ran under a filter ourselves when it began */
  bool told_silent;       /* the caller was warned (silent.c) */
  unsigned silent;        /* threads that are */

  struct lt_pending queue[LT_QUEUE + 1]; /* one is room for lt_wait_push_front */
  unsigned queue_from, queue_to;
  unsigned drain_skip, drain_wait; /* see wait.c */
  volatile sig_atomic_t interrupted;
  struct lt_watches *watches; /* awaited descriptors (watch.c); NULL: never any */
  bool thawed;                /* a process has thawed: parked threads may be due */
  bool stepping;              /* lt_step is on the stack */
  bool ending;                /* lt_shutdown is under way */
  struct lt_reader *reader;   /* the process that reads object files (reader.c); NULL: none yet */
  uint32_t readers;           /* how many have been started */
  struct lt_file *files;      /* mapped as code somewhere (files.c) */
  uint32_t files_made;        /* numbers them */
  unsigned files_used;        /* of those in the table, by a process that lives */
  bool attached;              /* lt_attach was used: an adopted process may be one of those */
  uint32_t break_ids;         /* the last that lt_break_add() gave */
  uint64_t debug_version;     /* counts the changes of debug registers */
  uint32_t watch_ids;         /* the last that lt_watchpoint_add() gave */

  lt_aggregation *aggregations; /* aggregate.c */
  struct lt_awaited *awaited;   /* returns that are counted (aggregate_returns.c) */
  struct lt_feeds *feeds;       /* where they are fed (aggregate_stops.c); NULL: never any */
  uint64_t *counters;           /* counts.c */
  size_t counter_count;
  struct lt_lines *lines; /* what is known of single addresses (lines.c) */
  uint64_t return_seq;    /* the latest number of lt_return_watch() */

  sigset_t mask;              /* the caller's, for what we launch */
  uint64_t ignored_signals;   /* bit per signal that was SIG_IGN */
  int *inherited;             /* descriptors that were open at the start; ends with -1 */
  struct lt_cpus *cpus;       /* the CPU that is shared (cpu.h); NULL: nothing is */
  struct lt_answers *answers; /* what is known of types and variables (answers.c) */
  char error[512];
};

/* task.c: the table. Creation returns NULL when out of memory. */
lt_thread *lt_task_thread(lt_session *session, pid_t tid);
lt_process *lt_task_process(lt_session *session, pid_t pid);
lt_process *lt_task_new_process(lt_session *session, pid_t pid, enum lt_how how);
lt_thread *lt_task_new_thread(lt_session *session, lt_process *process, pid_t tid, enum lt_how how);
void lt_task_bind(lt_thread *thread, lt_process *process); /* an orphan finds its process */
void lt_task_rekey(lt_thread *thread, pid_t tid);          /* exec by a non-leader */
void lt_task_free_thread(lt_thread *thread); /* tells the hook; frees an empty process too */
void lt_task_free_process(lt_process *process);
void lt_task_free_all(lt_session *session);

/* registers.c: forget what was fetched (at each stop), write back what was changed. */
void lt_regs_forget(lt_thread *thread);
int lt_regs_flush(lt_thread *thread);
void lt_regs_free(lt_thread *thread);
/* Fetched general registers of a stopped thread; negated errno. */
int lt_regs_general(lt_thread *thread, const struct lt_regs **ret);
/* The same, to be changed: marks them dirty. */
int lt_regs_change(lt_thread *thread, struct lt_regs **ret);
/* General and vector registers, the latter to be changed. */
int lt_regs_vector(lt_thread *thread, struct lt_regs **ret);

/* The same for the program counter alone, which is quicker to write back. */
int lt_regs_set_pc(lt_thread *thread, uint64_t pc);

/* memory.c: the mem descriptor belongs to a program image. */
void lt_mem_forget(lt_process *process);
/* Two ranges with one request. False unless both could be read whole so: lt_mem_read() has other ways,
 * and says what is wrong. */
bool lt_mem_read_two(lt_thread *thread, const struct lt_k_range range[2]);
/* Memory as it is, with what we have planted, whether or not the process runs. Returns the number of
 * bytes or a negated errno; lt_error() has no line. */
ssize_t lt_mem_raw_read(lt_process *process, uint64_t addr, void *ret, size_t size);
ssize_t lt_mem_raw_write(lt_process *process, uint64_t addr, const void *bytes, size_t size);

/* capture.c, decode.c */
void lt_capture_forget(lt_thread *thread); /* a new call began */
void lt_capture_free(lt_thread *thread);   /* frees scratch too */

/* error.c: keep the line for lt_error() and return `error` (negated errno). */
int lt_fail(lt_session *session, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The one place that says what a failed request on a stopped thread means: ESRCH makes it DYING.
 * Returns the error. */
int lt_thread_failed(lt_thread *thread, int error);
/* A ptrace request on a stopped thread. A failure is believed only when repeated: what it would
 * have told or changed must not be lost to a passing fault. Negated errno; the thread may be DYING
 * then. */
long lt_request(lt_thread *thread, int request, uintptr_t addr, uintptr_t data);
/* 0 if registers and memory may be accessed now, else -EBUSY or -ESRCH. */
int lt_thread_access(const lt_thread *thread);

#endif
