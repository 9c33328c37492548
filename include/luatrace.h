/* luatrace.h - the engine's one public header. SPDX-License-Identifier: MIT
 *
 * A session traces any number of processes through ptrace(2). It turns every wait status into one
 * stop record (struct lt_stop) and makes one call out, the hook, with the thread and the record.
 * Nothing here knows Lua.
 *
 * Conventions
 *  - Functions that can fail return 0 (or a count) on success and a negated errno on failure;
 *    lt_error() then gives the line for people: what failed, where, and what to do about it.
 *  - Handles are opaque. A thread or process handle is valid until its `freed` hook returns.
 *  - All calls belong to the system thread that created the session: ptrace(2) ties a tracee to
 *    one tracer thread. The exceptions are lt_interrupt() and lt_emergency(), which are
 *    async-signal-safe.
 *  - tid and pid are as the tracer's pid namespace numbers them.
 *  - Out-parameters come last and are called `ret`.
 */
#ifndef LUATRACE_H
#define LUATRACE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LT_API __attribute__((visibility("default")))
#else
#define LT_API
#endif

typedef struct lt_session lt_session;
typedef struct lt_process lt_process;
typedef struct lt_thread lt_thread;

/* ---- Stop records ------------------------------------------------------------------------- */

#define LT_STOP_VERSION 1

/* What a record says. The first group are stops: the thread stands still while the hook runs.
 * The second group are endings: there is no thread to inspect any more. */
enum lt_kind {
  LT_NONE = 0,
  LT_START,         /* first stop of a process that was launched, attached to or adopted */
  LT_BIRTH,         /* first stop of any other thread */
  LT_SYSCALL_ENTRY, /* about to run u.call */
  LT_SYSCALL_EXIT,  /* u.call has its result */
  LT_SIGNAL,        /* u.signal is about to be delivered */
  LT_CLONE,         /* made u.clone.child; comes before anything that the child reports */
  LT_VFORK_DONE,    /* the child of its vfork let go of the shared memory */
  LT_EXEC,          /* runs a new program; u.exec.former_tid became the leader */
  LT_INTERRUPT,     /* stopped because lt_thread_interrupt() asked */
  LT_GROUP_STOP,    /* the process was stopped by u.signal (job control) */
  LT_CONTINUE,      /* SIGCONT ended a group stop */
  LT_REMOTE_DONE,   /* u.call, made for us (lt_remote_call()), has its result */
  LT_FUNCTION_DONE, /* u.function, run for us (lt_function_call()), is over */
  LT_BREAK,         /* about to run the instruction under breakpoint u.brk */
  LT_RETURN,        /* the function that lt_return_watch() was called in has returned: u.ret */
  LT_WATCH,         /* an instruction has touched what u.watch watches */
  LT_STEPPED,       /* has run the instructions that lt_thread_step() asked for */
  LT_LOAD,          /* the dynamic loader has mapped or unmapped objects: lt_modules() changes */
  LT_EXITING,       /* about to exit with u.exit; read-only, and cannot be held */

  LT_THREAD_EXIT,  /* u.exit: one thread is gone */
  LT_PROCESS_EXIT, /* u.exit: the process is gone; comes once, after its threads */
  LT_SPAWN_FAILED, /* u.spawn.error: what lt_spawn() started could not run its program */
  LT_KIND_COUNT
};

/* How a thread came to be traced (u.start, u.birth) or was made (u.clone). */
enum lt_how {
  LT_HOW_LAUNCHED = 1, /* lt_spawn() */
  LT_HOW_ATTACHED,     /* lt_attach() */
  LT_HOW_ADOPTED,      /* its creator died before it could name it */
  LT_HOW_FORK,
  LT_HOW_VFORK,
  LT_HOW_CLONE,  /* a process made by clone(2) that does not signal SIGCHLD */
  LT_HOW_THREAD, /* shares its creator's thread group */
};

/* What could not be done (u.spawn). */
enum lt_spawn_step {
  LT_SPAWN_EXEC,     /* the program */
  LT_SPAWN_FDS,      /* descriptors */
  LT_SPAWN_TERMINAL, /* a session with its terminal */
  LT_SPAWN_CWD,
  LT_SPAWN_GROUPS,
  LT_SPAWN_GID,
  LT_SPAWN_UID,
  LT_SPAWN_STEPS, /* how many there are */
};

/* Which kernel interface a call or a register file belongs to. Chosen per stop: a 64-bit process
 * may make a 32-bit call (int 0x80). */
enum lt_abi { LT_ABI_X86_64, LT_ABI_I386, LT_ABI_COUNT };

#define LT_CALL_ARGS 6

/* A system call. The arguments are the registers as they were at entry. */
struct lt_call {
  uint64_t nr; /* as the kernel got it; all ones where luatrace came after the entry */
  uint64_t args[LT_CALL_ARGS];
  uint64_t ip, sp;  /* at entry */
  int64_t ret;      /* at LT_SYSCALL_EXIT */
  uint32_t abi;     /* enum lt_abi */
  uint8_t done;     /* ret and is_error hold */
  uint8_t is_error; /* ret is a negated errno, those of restarts (512 to 516) included */
  uint8_t reserved[2];
};

#define LT_NR_UNKNOWN UINT64_MAX

/* One stop: holds no pointers, so that a log of records can be written and read elsewhere. */
struct lt_stop {
  uint16_t version; /* LT_STOP_VERSION */
  uint16_t kind;    /* enum lt_kind */
  int32_t status;   /* as waitpid(2) gave it; 0 for a record without one */
  uint64_t seq;     /* counts the records of the session from 1 */
  int32_t tid, pid;
  union {
    struct lt_call call;
    struct {
      int32_t signo;
    } signal; /* lt_signal_info() gives the rest */
    struct {
      int32_t child;  /* tid of what was made */
      uint32_t how;   /* enum lt_how */
      uint64_t flags; /* of clone(2), as far as they could be read; else 0 */
    } clone;
    struct {
      uint32_t how;   /* enum lt_how */
      int32_t parent; /* tid of the creator, 0 where unknown */
    } start, birth;
    struct {
      int32_t former_tid;
    } exec;
    struct {
      int32_t code;   /* exit code, -1 for a death by signal */
      int32_t signal; /* the signal that killed it, else 0 */
      uint8_t core;   /* a core was dumped */
      uint8_t known;  /* 0 where the kernel kept the status to itself */
    } exit;
    struct {
      int32_t error; /* errno of the failed step */
      uint32_t step; /* enum lt_spawn_step */
    } spawn;
    struct {
      int64_t ret;           /* what it returned, as an integer; an int is its lower half */
      double number, single; /* where it is a double or a float */
      uint64_t addr;         /* the program counter, if it crashed */
      int32_t signal;        /* of which it crashed; it has been undone */
      int32_t error;         /* negated errno: it could not begin, or an exec ended it */
    } function;
    struct {
      uint64_t addr; /* the program counter */
      uint32_t id;   /* of lt_break_add() */
      uint32_t hardware;
    } brk;
    struct {
      uint64_t seq;   /* of lt_return_watch() */
      uint64_t addr;  /* where it has returned to */
      uint32_t more;  /* this many other functions that were watched return at this stop too */
      uint32_t error; /* errno: ECANCELED if it was left without returning (longjmp, exception) */
    } ret;
    struct {
      uint64_t addr, pc;      /* pc is past the instruction, but for "x" */
      uint64_t before, after; /* values, of `size` bytes; the same for a read */
      uint32_t id, size;
    } watch;
    struct {
      uint64_t count; /* instructions that were run */
      uint32_t why;   /* enum lt_step_end */
    } step;
  } u;
};

/* ---- Sessions ----------------------------------------------------------------------------- */

/* What becomes of the thread when the hook returns. */
enum lt_verdict {
  LT_RESUME, /* run on, in the weakest way that satisfies all subscriptions */
  LT_HOLD,   /* stay stopped until lt_thread_release(); ignored at LT_EXITING and for endings */
};

/* The calls out of the engine. A hook may call everything but lt_step(), lt_run(),
 * lt_shutdown() and lt_session_destroy(). */
struct lt_hooks {
  size_t size; /* sizeof(struct lt_hooks) */
  enum lt_verdict (*stop)(void *data, lt_thread *thread, const struct lt_stop *stop);
  void (*thread_freed)(void *data, lt_thread *thread);    /* optional */
  void (*process_freed)(void *data, lt_process *process); /* optional */
  /* Optional: what went wrong without being the failure of a call, a line for people. */
  void (*warn)(void *data, const char *text);
};

/* Whether the tracer and what it has launched take turns on one CPU: a stop is several times
 * cheaper there. The programs see the CPUs that they had (sched_getaffinity(2) and all that rests on
 * it). Ends when the session attaches to a process. */
enum lt_cpu_sharing {
  LT_CPU_AUTO, /* where it does not cost parallelism; uses a real-time signal that nobody handles */
  LT_CPU_SHARE, /* all the time */
  LT_CPU_FREE,  /* never */
};

struct lt_options {
  size_t size;     /* sizeof(struct lt_options) */
  bool no_follow;  /* trace no children (threads are still followed) */
  bool debuginfod; /* ask the servers in DEBUGINFOD_URLS for debug information */
  enum lt_cpu_sharing cpu;
  bool no_filter; /* launched programs carry no filter: see lt_spawn() */
};

/* Make a session; options may be NULL. Remembers the signal mask and dispositions of the caller:
 * programs are launched with those. Errors: ENOMEM. */
LT_API int lt_session_create(const struct lt_options *options, const struct lt_hooks *hooks,
                             void *data, lt_session **ret);
/* End a session: what is still traced is killed if launched and let go if attached to. */
LT_API void lt_session_destroy(lt_session *session);
/* Give the calling thread the CPUs back that it had, until it is to share one again: before it makes
 * a child of its own, which would inherit that one. */
LT_API void lt_own_cpus(lt_session *session);
/* The line that describes the last failure of a call on this session; never NULL. */
LT_API const char *lt_error(const lt_session *session);

/* What lt_spawn() runs. Only `argv` is needed. */
struct lt_spawn {
  size_t size;       /* sizeof(struct lt_spawn) */
  const char *path;  /* file to execute; NULL: argv[0] looked up in PATH */
  char *const *argv; /* ends with NULL */
  char *const *envp; /* NULL: the caller's environment */
  const char *cwd;   /* NULL: the caller's */
  int fds[3];        /* descriptors for 0, 1, 2; -1: inherit (a zeroed struct means inherit too) */
  bool use_fds;
  bool terminal; /* a session of its own; its descriptor 0 becomes its terminal */
  bool use_uid, use_gid, use_groups;
  uid_t uid; /* real, effective and saved */
  gid_t gid;
  const gid_t *groups; /* supplementary groups, exactly these */
  size_t group_count;
};

/* Launch a program, traced from its first instruction. Returns at once: LT_START or
 * LT_SPAWN_FAILED follows through the hook. It dies with the tracer (PTRACE_O_EXITKILL).
 * If system calls are subscribed to by now, it gets a seccomp filter that stops it at these alone,
 * where the kernel allows that, and so do all its descendants. What is subscribed to later
 * is reported as well, but then each of its calls stops it. Who carries a filter cannot be let go:
 * see lt_process_detach(). Not with the options no_filter and no_follow.
 * Errors: ENOENT, EACCES (program), EPERM (ptrace), EMFILE, EAGAIN, ENOMEM. */
LT_API int lt_spawn(lt_session *session, const struct lt_spawn *spawn, lt_process **ret);
/* Attach to a process and all its threads (PTRACE_SEIZE). Returns at once: LT_START follows for
 * one thread, LT_BIRTH for the others. Errors: ESRCH, EPERM with the reason in lt_error(), EINVAL
 * (itself, an ancestor). */
LT_API int lt_attach(lt_session *session, pid_t pid, lt_process **ret);

/* Ask for records of this kind, or no longer. LT_START, LT_SPAWN_FAILED and LT_PROCESS_EXIT come
 * always. LT_SYSCALL_ENTRY and _EXIT: see lt_subscribe_syscall(). Takes effect on running threads
 * too. */
LT_API int lt_subscribe(lt_session *session, enum lt_kind kind, bool on);

#define LT_ALL_SYSCALLS (-1)
/* Ask for the entries of one system call (or all). The exit is reported to those who call
 * lt_call_want_exit() at the entry, or always where LT_SYSCALL_EXIT is subscribed. */
LT_API int lt_subscribe_syscall(lt_session *session, enum lt_abi abi, int nr, bool on);

/* What an argument must be. */
enum lt_check_kind {
  LT_CHECK_ONE_OF, /* one of `values` */
  LT_CHECK_BITS,   /* value & values[0] == values[1] */
  LT_CHECK_ANY,    /* value & values[0] is not 0 */
  LT_CHECK_RANGE,  /* values[0] <= value <= values[1] */
  LT_CHECK_TEXT,   /* the string or bytes that it points to are one of `texts` */
  LT_CHECK_PREFIX, /* begin with one of `texts` */
  LT_CHECK_SUFFIX, /* end with one of them */
  LT_CHECK_GLOB,   /* match one of them, as fnmatch(3) has it */
};

struct lt_words {
  const char *bytes; /* need not be terminated */
  size_t size;
};

struct lt_check {
  uint8_t arg;    /* index, from 0 */
  uint8_t kind;   /* enum lt_check_kind */
  uint8_t size;   /* bytes of the argument that count: 1, 2, 4, 8 */
  bool is_signed; /* LT_CHECK_RANGE: how they are compared */
  size_t count;   /* of values (BITS and RANGE: 2) or texts */
  const uint64_t *values;
  const struct lt_words *texts;
};

/* Entries of one system call whose arguments pass all of these tests; no test: all of them. */
typedef struct lt_selector lt_selector;
/* What the tests point to is copied. It lives until it is freed or the session ends. Errors: EINVAL
 * (number, tests), ENOMEM. */
LT_API int lt_selector_new(lt_session *session, enum lt_abi abi, int nr,
                           const struct lt_check *checks, size_t count, lt_selector **ret);
LT_API void lt_selector_free(lt_selector *selector);
/* Ask for these entries, or no longer. Entries are reported if they pass one of the selectors, or
 * are subscribed to by lt_subscribe_syscall(). */
LT_API void lt_selector_subscribe(lt_selector *selector, bool on);
/* Whether the call that the stopped thread is in passes, with its arguments as they are now. */
LT_API bool lt_selector_passes(const lt_selector *selector, lt_thread *thread);

/* Wait up to `timeout_ms` (-1: no limit) for stops, and dispatch those that came. Returns the
 * number of records dispatched (0 on timeout), -ECHILD when nothing is traced any more, -EINTR
 * after lt_interrupt(). */
LT_API int lt_step(lt_session *session, int timeout_ms);
/* Call `ready` from lt_step() whenever poll(2) says `events` (or an error) of this descriptor,
 * until told otherwise: one function per descriptor, a later one replaces it, events 0 ends it.
 * Must end before the descriptor is closed. `ready` may call what a hook may. Errors: ENOMEM,
 * EMFILE. */
typedef void lt_ready(void *data, int fd, short events);
LT_API int lt_watch(lt_session *session, int fd, short events, lt_ready *ready, void *data);
/* lt_step() while nothing is traced: waits for such descriptors alone, `timeout_ms` at most (-1:
 * no limit), and attends to processes that were let go but had to stay. Returns 0, or -EINTR after
 * lt_interrupt(). */
LT_API int lt_watch_wait(lt_session *session, int timeout_ms);
/* Wait until the processes have ended that were let go but had to stay (lt_process_detach());
 * nothing is reported. Returns 0, or -EINTR after lt_interrupt(). */
LT_API int lt_linger(lt_session *session);
/* lt_step() until nothing is traced any more (0), lt_interrupt() (-EINTR) or a failure. */
LT_API int lt_run(lt_session *session);
/* Make lt_step() return -EINTR soon. Async-signal-safe. A signal may arrive just before the
 * engine blocks: send it again until lt_step() has returned. */
LT_API void lt_interrupt(lt_session *session);
/* Kill what was launched, let go of what was attached to, and wait until both are done. Threads
 * that cannot be stopped (a vfork parent) are left to the kernel after a second. */
LT_API void lt_shutdown(lt_session *session);
/* The same from a signal handler, as far as that is possible; the caller must _exit() next. */
LT_API void lt_emergency(lt_session *session);
/* The status of a child that the session's waiting took although it was not traced (popen(3)).
 * True once per pid; `ret` is a wait status. */
LT_API bool lt_take_status(lt_session *session, pid_t pid, int *ret);

/* ---- Processes and threads ---------------------------------------------------------------- */

LT_API lt_process *lt_process_first(const lt_session *session);
LT_API lt_process *lt_process_next(const lt_process *process);
LT_API lt_process *lt_process_find(const lt_session *session, pid_t pid);
LT_API pid_t lt_process_pid(const lt_process *process);
LT_API enum lt_how lt_process_how(const lt_process *process);
LT_API lt_session *lt_process_session(const lt_process *process);
LT_API lt_thread *lt_process_first_thread(const lt_process *process);
LT_API lt_thread *lt_thread_next(const lt_thread *thread);
LT_API lt_thread *lt_thread_find(const lt_session *session, pid_t tid);
/* A slot for the caller's own pointer. */
LT_API void lt_process_set_data(lt_process *process, void *data);
LT_API void *lt_process_data(const lt_process *process);
LT_API void lt_thread_set_data(lt_thread *thread, void *data);
LT_API void *lt_thread_data(const lt_thread *thread);

/* SIGKILL; the deaths come through the hook. Errors: ESRCH. */
LT_API int lt_process_kill(lt_process *process);
/* Let the process go as if it had never been traced, at each thread's next stop; registers that
 * were changed stay as they are. No further records; `freed` hooks tell when it is done. A process
 * that carries a filter (lt_spawn()) would be broken without a tracer: it is gone as far as records
 * and hooks are concerned, but stays ours, with its children, until it ends: see lt_linger(). */
LT_API int lt_process_detach(lt_process *process);

/* From now on (or no longer) every system call of the process is answered by the caller and not by
 * the kernel: the hook gets LT_SYSCALL_ENTRY for each, subscribed or not, and says with
 * lt_call_skip() what the program sees, or has the kernel make the call with lt_call_pass(). A call
 * that gets no answer fails with ENOSYS. Calls that are under way go on; children and programs that
 * it executes inherit it. */
LT_API int lt_process_emulate(lt_process *process, bool on);

/* Let one thread go and report nothing of it any more; the last one of a process takes the process
 * along. At LT_CLONE, of the child: it is not followed. */
LT_API int lt_thread_ignore(lt_thread *thread);

LT_API pid_t lt_thread_tid(const lt_thread *thread);
LT_API pid_t lt_thread_pid(const lt_thread *thread);
LT_API pid_t lt_thread_parent(const lt_thread *thread); /* tid of its creator; 0 if unknown */
LT_API enum lt_how lt_thread_how(const lt_thread *thread);
LT_API lt_process *lt_thread_process(const lt_thread *thread);
LT_API lt_session *lt_thread_session(const lt_thread *thread);
/* True while registers and memory can be accessed: stopped under us and not known to be dying. */
LT_API bool lt_thread_stopped(const lt_thread *thread);
/* The record of the thread's latest stop. */
LT_API const struct lt_stop *lt_thread_stop(const lt_thread *thread);
/* Stop a running thread; LT_INTERRUPT (or another stop that came first) follows. Errors: ESRCH. */
LT_API int lt_thread_interrupt(lt_thread *thread);
/* Let a thread run on that the hook held. Errors: EINVAL (not held). */
LT_API int lt_thread_release(lt_thread *thread);
/* Hold a thread that stands still because its process is frozen or the hook held it; during its own
 * hook the verdict decides. Errors: EBUSY (it runs), ESRCH. */
LT_API int lt_thread_hold(lt_thread *thread);

/* Stop all threads of the process but one (NULL: all), each at whatever stop comes first. Their
 * registers and memory can be used; the hook hears of their stops only after lt_process_thaw(), but
 * of deaths and LT_EXITING at once. Calls nest. Returns at once: see lt_process_still(). */
LT_API void lt_process_freeze(lt_process *process, lt_thread *but);
LT_API void lt_process_thaw(lt_process *process);
/* Whether the threads of a frozen process stand still. Those that cannot be stopped do not count
 * (a vfork parent, uninterruptible sleep): they come to a stop before they run on. */
LT_API bool lt_process_still(const lt_process *process);
/* Send a signal to this thread: pthread_sigqueue(3) with a value, tgkill(2) without. Works in any
 * state. Errors: ESRCH, EINVAL, EAGAIN. */
LT_API int lt_thread_signal(lt_thread *thread, int signo, const union sigval *value);

/* At LT_SIGNAL. siginfo as PTRACE_GETSIGINFO gives it. Errors: EINVAL (no signal stop), ESRCH. */
LT_API int lt_signal_info(lt_thread *thread, siginfo_t *ret);
/* At LT_SIGNAL: deliver `signo` instead; 0 suppresses. Errors: EINVAL. */
LT_API int lt_signal_replace(lt_thread *thread, int signo);
/* At LT_SIGNAL: what the program is to find in siginfo. Its signal number is that of the signal to
 * be delivered, whatever is in `info`, also if lt_signal_replace() comes later. Errors: EINVAL,
 * ESRCH. */
LT_API int lt_signal_set_info(lt_thread *thread, const siginfo_t *info);
/* In any state: send info->si_signo to the thread, to be delivered with this siginfo and without
 * a record (LT_SIGNAL). For a signal that was suppressed when it came. Errors: ESRCH, EINVAL,
 * EAGAIN (too many), ENOMEM. */
LT_API int lt_signal_resend(lt_thread *thread, const siginfo_t *info);

/* ---- Registers ---------------------------------------------------------------------------- */

enum lt_reg_type { LT_REG_INT, LT_REG_FLOAT80, LT_REG_VECTOR };

/* A register or a view of a part of one ("al" of "rax", "xmm3" of "ymm3"). */
struct lt_reg {
  const char *name;
  uint8_t type;   /* enum lt_reg_type */
  uint8_t size;   /* bytes: 1, 2, 4, 8; 10 for x87; 16 or 32 for vectors */
  uint16_t where; /* for the ABI's own use */
};

/* The register file's ABI at this stop. */
LT_API enum lt_abi lt_thread_abi(lt_thread *thread);
/* All names of an ABI. Returns the table, its length in `ret`. */
LT_API const struct lt_reg *lt_reg_table(enum lt_abi abi, size_t *ret);
LT_API const struct lt_reg *lt_reg_find(enum lt_abi abi, const char *name);
/* Read or write one register in its machine representation (little-endian bytes of reg->size).
 * Fetched lazily, written back before the thread runs. Narrow writes follow the processor: writing
 * a 32-bit view clears the upper half, 8 and 16 bits leave the rest. Setting the program counter
 * cancels a pending system call restart, except at an entry. Errors: EBUSY (running), ESRCH, ENODEV
 * (no such state on this processor), EINVAL (a value that the kernel refuses). */
LT_API int lt_reg_get(lt_thread *thread, const struct lt_reg *reg, void *ret);
LT_API int lt_reg_set(lt_thread *thread, const struct lt_reg *reg, const void *value);
LT_API int lt_thread_pc(lt_thread *thread, uint64_t *ret);
LT_API int lt_thread_sp(lt_thread *thread, uint64_t *ret);

/* ---- Memory ------------------------------------------------------------------------------- */

#define LT_MEM_MAX ((size_t)1 << 30) /* longest single access, bytes */

/* Read or write tracee memory at a stopped thread. Returns the number of bytes done, exact up to
 * the first hole, or -EFAULT (nothing at that address), -EPERM (all ways refused), -EBUSY (running),
 * -ESRCH, -E2BIG. Writes reach read-only pages. process_vm_readv(2), /proc/PID/mem, ptrace(2). */
LT_API ssize_t lt_mem_read(lt_thread *thread, uint64_t addr, void *ret, size_t size);
LT_API ssize_t lt_mem_write(lt_thread *thread, uint64_t addr, const void *bytes, size_t size);
/* Read a string of at most `max` bytes; `ret` needs room for max + 1 and is always terminated.
 * Returns its length; *whole tells whether its NUL was found (false: too long, or a hole). */
LT_API ssize_t lt_mem_string(lt_thread *thread, uint64_t addr, char *ret, size_t max, bool *whole);
/* Find bytes in [from, to). Returns 1 and the address, 0, or an error; unreadable pages are
 * skipped. Private memory that the program never touched is taken for zeros without looking, and
 * mappings above 1 GiB are searched only where touched. Gives up after a million unreadable pages
 * (-EFAULT); -EINVAL for an empty pattern. */
LT_API int lt_mem_search(lt_thread *thread, uint64_t from, uint64_t to, const void *bytes,
                         size_t size, uint64_t *ret);

/* One line of /proc/PID/maps. */
struct lt_map {
  uint64_t from, to, offset, inode;
  char perms[5]; /* "rwxp" */
  uint32_t dev_major, dev_minor;
  char *path; /* "" for anonymous memory; unescaped as the kernel wrote it */
};
/* The memory map of the thread's process; release with lt_maps_free(). Returns the count. */
LT_API ssize_t lt_maps(lt_thread *thread, struct lt_map **ret);
LT_API void lt_maps_free(struct lt_map *maps, size_t count);

/* ---- Modules and symbols -------------------------------------------------------------------- */

/* What is mapped as code: the program, its shared objects, the vdso. */
struct lt_module_info {
  uint64_t from, to; /* first and past the last address that is mapped of it */
  uint64_t bias;     /* what to add to the file's addresses to get the process's */
  const char *path;  /* as in /proc/PID/maps */
  const char *name;  /* its last part */
  const uint8_t *build_id;
  size_t build_id_size; /* 0: it has none */
  uint32_t file;        /* a number of the file: the same for all that have the same one mapped */
  bool is_64;
  bool readable; /* the file could be opened */
};

/* Look at the process's memory map. Returns how many modules it has. Its threads may run. Errors:
 * ESRCH, EACCES, ENOMEM. */
LT_API ssize_t lt_modules(lt_process *process);
/* One of them, in order of addresses, as lt_modules() has counted them; the pointers hold until it is
 * called again. Errors: ENOENT. */
LT_API int lt_module_info(lt_process *process, size_t index, struct lt_module_info *ret);
/* Whether the module has DWARF, in its file or in a separate one. */
LT_API bool lt_module_has_debug(lt_process *process, size_t index);

enum lt_symbol_kind {
  LT_SYMBOL_FUNCTION = 1,
  LT_SYMBOL_PLT, /* code that jumps to a function of another module; made up, called "puts@plt" */
  LT_SYMBOL_OBJECT,
  LT_SYMBOL_OTHER, /* without a type: written in assembly, or the linker's */
};

struct lt_symbol {
  uint64_t addr, size;
  bool function;
  bool indirect;      /* `addr` is that of a function without arguments that returns the address */
  bool local;         /* known in its own file only */
  uint8_t kind;       /* enum lt_symbol_kind */
  const char *name;   /* in the source: demangled, without parameters */
  const char *raw;    /* in the object file */
  const char *module; /* name of its module */
  uint64_t bias;      /* of that */
};

/* The strings of a symbol hold until lt_modules() finds changes, or the hook returns. */

/* Find "name" in the program and its shared objects, or "file:name" in the one whose file is called
 * so ("libc.so" is also "libc.so.6"). The name is that of the object file, or a demangled one, with
 * its parameters or without. Exported symbols come before local ones, the program before its
 * objects. Errors: ENOENT, ESRCH, EBUSY, ENOMEM. */
LT_API int lt_symbol_find(lt_thread *thread, const char *name, struct lt_symbol *ret);
/* The symbol that has this address, or the nearest without a size below it in the same segment. If
 * only the module is known, kind is 0 and name is NULL. Errors: ENOENT (no module is there). */
LT_API int lt_symbol_at(lt_process *process, uint64_t addr, struct lt_symbol *ret);
/* Call `visit` for each symbol that matches "glob" or "file glob:glob" (*, ?, [set]; raw, demangled
 * and full names), in order of modules and addresses, until it returns false. Returns how many
 * matched. Errors: as lt_modules(). */
typedef bool lt_symbol_visit(void *data, const struct lt_symbol *symbol);
LT_API ssize_t lt_symbols_walk(lt_process *process, const char *pattern, lt_symbol_visit *visit,
                               void *data);
/* The name most like this one that the process has; NULL if none is near. */
LT_API const char *lt_symbol_nearest(lt_process *process, const char *name);

/* ---- Lines -------------------------------------------------------------------------------- */

/* A call that the compiler has replaced by the body of the function. */
struct lt_inlined {
  const char *name; /* of the function, without its parameters */
  const char *file; /* where it was called; 0 and "" where that is unknown */
  uint32_t line, column;
};

/* The source of an instruction. */
struct lt_line {
  const char *file;      /* path from the root, as the compiler knew it */
  uint32_t line, column; /* 0: unknown */
  const char *function;  /* whose code it is; "" if unknown */
  size_t inlined_count;
  const struct lt_inlined *inlined; /* the calls that it is part of, innermost first */
};

/* The line of an address. It holds until the next call of this function. Errors: ENOENT (no line is
 * known), ESRCH, EIO, ENOMEM. */
LT_API int lt_line_at(lt_thread *thread, uint64_t addr, const struct lt_line **ret);
/* Where the function that begins at `addr` has its frame and its arguments in place; `addr` itself
 * where that is unknown or not the beginning of a function. Errors: ENOENT (no code there),
 * ENOMEM. */
LT_API int lt_after_prologue(lt_thread *thread, uint64_t addr, uint64_t *ret);

/* Where code of a source file is. */
struct lt_location {
  uint64_t addr;
  uint32_t line;
  const char *file, *name, *module; /* `name`: the function's; "" if unknown */
};

/* Where the statements of a line begin: once in each function and each inlined copy of one, after
 * the prologue where that is the same line. `file` is a path or its last parts; all files that end
 * so count. Releases with lt_locations_free(). Returns their number. Errors: ENOENT (lt_error() has
 * the nearest line with code, or file name), ESRCH, ENOMEM. */
LT_API ssize_t lt_line_locations(lt_thread *thread, const char *file, uint32_t line,
                                 struct lt_location **ret);
/* The functions of a source file: where they begin, before the prologue. */
LT_API ssize_t lt_file_functions(lt_thread *thread, const char *file, struct lt_location **ret);
LT_API void lt_locations_free(struct lt_location *places);

/* ---- Variables and types ------------------------------------------------------------------ */

/* Variables and types are those of the debug information (DWARF) of the program's files. */

enum lt_type_kind {
  LT_TYPE_BASE = 1,
  LT_TYPE_UNSPECIFIED, /* that of nullptr, and the like */
  LT_TYPE_POINTER,
  LT_TYPE_REFERENCE,
  LT_TYPE_RVALUE_REFERENCE,
  LT_TYPE_MEMBER_POINTER,
  LT_TYPE_STRUCT,
  LT_TYPE_CLASS,
  LT_TYPE_UNION,
  LT_TYPE_ENUM,
  LT_TYPE_ARRAY,
  LT_TYPE_TYPEDEF,
  LT_TYPE_CONST,
  LT_TYPE_VOLATILE,
  LT_TYPE_QUALIFIED, /* restrict, _Atomic and others */
  LT_TYPE_FUNCTION,
};

/* How the bits of a base type or an enum are to be understood. */
enum lt_encoding {
  LT_ENC_UNSIGNED,
  LT_ENC_SIGNED,
  LT_ENC_CHAR, /* signed */
  LT_ENC_UCHAR,
  LT_ENC_UTF, /* char16_t, char32_t, char of Rust */
  LT_ENC_BOOL,
  LT_ENC_FLOAT,
  LT_ENC_OTHER, /* bytes */
};

enum {
  LT_TYPE_INCOMPLETE = 1, /* only declared, nowhere whole in its file */
  LT_TYPE_TAGGED = 2,     /* of C, where it is called "struct name" */
};

/* Refers to a type: `file` names a file that is mapped, `where` a place in its debug information.
 * `where` 0 is void. */
struct lt_type_ref {
  uint32_t file;
  uint64_t where;
};

enum {
  LT_PART_BASE = 1,          /* a base class */
  LT_PART_BITS = 2,          /* a bit-field */
  LT_PART_ELSEWHERE = 4,     /* its place depends on the object (virtual base class) */
  LT_PART_VARIANT = 8,       /* there only if the discriminant has the value `discriminant` */
  LT_PART_OTHERWISE = 16,    /* there if no other variant is */
  LT_PART_DISCRIMINANT = 32, /* says which variant is there */
  LT_PART_MORE = 64,         /* "..." of a function */
};

/* A member, enumerator, dimension of an array, or parameter. */
struct lt_part {
  const char *name; /* "" without one */
  uint64_t value;   /* of a member: offset in bits; of a dimension: length, UINT64_MAX if unknown */
  uint64_t discriminant;
  struct lt_type_ref type;
  uint32_t bits; /* of a bit-field */
  uint8_t flags; /* LT_PART_* */
};

struct lt_type {
  uint8_t kind;                    /* enum lt_type_kind */
  uint8_t encoding;                /* enum lt_encoding */
  uint8_t flags;                   /* LT_TYPE_INCOMPLETE, LT_TYPE_TAGGED */
  uint64_t size;                   /* bytes; UINT64_MAX: that of `target` or not known */
  struct lt_type_ref self, target; /* target: what it points to, is an array of, returns, ... */
  const char *name;                /* with name spaces; "" without one */
  size_t count;
  struct lt_part *parts;
};

/* Describe a type. What is only declared is looked for where it is whole. Release with
 * lt_type_free(). Errors: ENOENT, EINVAL (no type), EBUSY, ESRCH, ENOMEM, ENOEXEC (malformed debug
 * information), EIO (it cannot be read). */
LT_API int lt_type_get(lt_thread *thread, struct lt_type_ref ref, struct lt_type **ret);
/* By its name: "struct foo", "foo_t", "unsigned long", "ns::Class"; first in the file with the code
 * at the program counter, then in the program, then in its objects. */
LT_API int lt_type_find(lt_thread *thread, const char *name, struct lt_type **ret);
LT_API void lt_type_free(struct lt_type *type);

enum {
  LT_VARIABLE_PARAMETER = 1,
  LT_VARIABLE_ARTIFICIAL = 2, /* made by the compiler: this */
  LT_VARIABLE_EXTERNAL = 4,
  LT_VARIABLE_THREAD = 8, /* each thread has its own */
};

/* Where an object is, or was when it was asked for. */
typedef struct lt_object lt_object;

struct lt_variable {
  const char *name;
  const char *file; /* where it is declared; "" if unknown */
  uint32_t line;    /* 0: unknown */
  uint32_t level;   /* inlined calls between it and the program counter */
  uint32_t index;   /* of a parameter, from 0; else UINT32_MAX */
  uint8_t flags;    /* LT_VARIABLE_* */
  struct lt_type_ref type;
};

/* The variables that can be named where the thread stands, innermost first; of frame 0, or of one of
 * its callers' (lt_backtrace()). Release with lt_variables_free(). Errors: as lt_type_get(); ENOENT
 * where there is no debug information about the code. */
typedef struct lt_variables lt_variables;
LT_API int lt_variables_get(lt_thread *thread, unsigned frame, lt_variables **ret);
/* The one named "NAME", "file.c:NAME" or "ns::NAME" that is global or static. */
LT_API int lt_variables_global(lt_thread *thread, const char *name, lt_variables **ret);
/* Names that resemble `name` among the global ones, after that failed; ends with "". */
LT_API int lt_variables_near(lt_thread *thread, const char *name, char **ret);
LT_API const struct lt_variable *lt_variables_at(const lt_variables *variables, size_t index);
LT_API void lt_variables_free(lt_variables *variables);

/* Find out where a variable is, for the thread that was asked for it and at the same stop. Release
 * with lt_object_free(). Errors: ENODATA (optimised out, or not known at this instruction:
 * lt_error() says which), ENOTSUP and ENOEXEC (what is written about it cannot be used), ESRCH,
 * EBUSY, EFAULT, ENOMEM. */
LT_API int lt_variable_locate(lt_thread *thread, const lt_variables *variables, size_t index,
                              lt_object **ret);
LT_API void lt_object_free(lt_object *location);
/* Whether it is one piece of memory, and where. */
LT_API bool lt_object_address(const lt_object *location, uint64_t *ret);
/* Read or write bytes of the object, all of them or none. Errors: EFAULT (memory), ENODATA (that
 * part was optimised out), EROFS (it has no place that could be written to), ESTALE (it is in
 * registers, and the thread has run since), ERANGE (beyond its end), EBUSY, ESRCH, ENOMEM. */
LT_API int lt_object_read(lt_thread *thread, const lt_object *location, uint64_t offset, void *ret,
                          size_t size);
LT_API int lt_object_write(lt_thread *thread, const lt_object *location, uint64_t offset,
                           const void *bytes, size_t size);

/* ---- Breakpoints -------------------------------------------------------------------------- */

/* Breakpoints belong to memory: all processes that share it stop at them, and a forked child has
 * its own copy under the same id. exec ends them. Memory accesses (lt_mem_read() and the others)
 * never see what is planted. */

enum {
  LT_BREAK_HARDWARE = 1, /* use a debug register: nothing is written to the program's memory */
  LT_BREAK_CHECK = 2, /* lt_stack_check() gave the address: no hit if the function begins again */
};

/* Have the threads of this process stop before they run the instruction at `addr`. The hook must
 * subscribe LT_BREAK. One that is there already answers with its id. Works while the threads run.
 * Errors: EFAULT (no memory there), EPERM, EIO (shared memory that cannot be written: use
 * LT_BREAK_HARDWARE), EINVAL (not executable), ENOSPC (no debug register is free), ENOMEM. */
LT_API int lt_break_add(lt_process *process, uint64_t addr, unsigned flags, uint32_t *ret);
/* In the function of a Go program that begins at `addr`: the instruction that begins it again if there
 * is no room on the stack; everything else is as at its first one. `addr` where there is none. */
LT_API uint64_t lt_stack_check(lt_thread *thread, uint64_t addr);
/* The id of a breakpoint that lt_break_add() made at this address, or 0. */
LT_API uint32_t lt_break_find(const lt_process *process, uint64_t addr);
/* Take a breakpoint out of all memory that has it. Unknown ids are ignored. */
LT_API void lt_break_remove(lt_session *session, uint32_t id);
/* Take it out of one process's memory. */
LT_API void lt_break_clear(lt_process *process, uint64_t addr);

/* The rest is for a thread that stands before the first instruction of a function. */

/* Have LT_RETURN reported when the function returns, with *ret as its number; asked twice at the same
 * stop it is the same one. Nothing on the stack is changed. Errors: EFAULT (no stack there), ENOTSUP
 * (in Go, without symbols), those of lt_break_add(). */
LT_API int lt_return_watch(lt_thread *thread, uint64_t *ret);
/* Of what was asked for last: whether it may be reported by another thread of the process, as Go runs
 * its functions on any. */
LT_API bool lt_return_moves(const lt_thread *thread, uint64_t ret);
/* The same for a thread inside a function that returns to `pc`, with `sp` as the stack pointer after
 * that. */
LT_API int lt_return_watch_at(lt_thread *thread, uint64_t pc, uint64_t sp, uint64_t *ret);
/* Where it returns to, and the stack pointer after that. Errors: EFAULT, ESRCH. */
LT_API int lt_function_back(lt_thread *thread, uint64_t *ret_pc, uint64_t *ret_sp);
/* Its argument `index` from 0, counting those that are integers or pointers. Errors: EFAULT (on a
 * stack that cannot be accessed), ERANGE, ESRCH. */
LT_API int lt_function_arg(lt_thread *thread, unsigned index, uint64_t *ret);
LT_API int lt_function_set_arg(lt_thread *thread, unsigned index, uint64_t value);
struct lt_fn_arg; /* see lt_function_call() */
/* Have it return at once, with this result. Errors: EFAULT, ESRCH. */
LT_API int lt_function_skip(lt_thread *thread, const struct lt_fn_arg *result);
/* At LT_RETURN: what the function has returned, as the type that `ret` says; another result. Errors:
 * ESRCH. */
LT_API int lt_function_result(lt_thread *thread, struct lt_fn_arg *ret);
LT_API int lt_function_set_result(lt_thread *thread, const struct lt_fn_arg *result);

/* ---- Stacks ------------------------------------------------------------------------------- */

/* Why a stack ends where it does. */
enum lt_stack_end {
  LT_STACK_GOES_ON,
  LT_STACK_COMPLETE,  /* its last frame has no caller */
  LT_STACK_LIMIT,     /* there are more frames than were asked for */
  LT_STACK_NO_RULES,  /* nothing tells how to get on from the last frame */
  LT_STACK_NO_MEMORY, /* what the rules say is not mapped */
  LT_STACK_LOOPS,     /* the caller's frame would be below, or one that was seen before */
  LT_STACK_GONE,      /* the thread was killed meanwhile */
};

struct lt_stack_frame {
  uint64_t pc;     /* where it goes on: for a caller, after its call */
  uint64_t lookup; /* an address in the instruction that it is at: for symbols and lines */
  uint64_t sp;
  bool is_signal; /* not a function that was called: a signal interrupted the next frame */
  bool guessed;   /* no rules are known for the frame before: this one was found by its looks */
};

struct lt_stack {
  struct lt_stack_frame *frames; /* the innermost first */
  size_t count;
  enum lt_stack_end end;
};

#define LT_STACK_MAX 65536

/* The frames of a stopped thread, at most `limit`. Release with lt_stack_free(). A stack of which
 * only a part can be told is no failure: `end` says so. Errors: EBUSY, ESRCH, EINVAL, ENOMEM. */
LT_API int lt_backtrace(lt_thread *thread, size_t limit, struct lt_stack *ret);
LT_API void lt_stack_free(struct lt_stack *stack);

/* ---- Watchpoints -------------------------------------------------------------------------- */

/* Watchpoints belong to memory as breakpoints do: all threads of it are watched, those that are born
 * later too; a forked child has its own copy under the same ids; exec ends them. What the kernel
 * itself reads or writes for the program (read(2) into a buffer) is not seen. */

enum lt_watch_kind {
  LT_WATCH_WRITE = 1, /* also where the value stays the same */
  LT_WATCH_ACCESS,    /* reads and writes */
  LT_WATCH_EXECUTE,   /* the instruction at the address is about to run */
};

struct lt_watching {
  size_t size_of; /* sizeof(struct lt_watching) */
  uint64_t addr;
  size_t size;             /* bytes; an "x" has none */
  enum lt_watch_kind kind; /* enum lt_watch_kind */
  /* Without debug registers: all threads of the process step, and the memory is compared after each
   * instruction. LT_WATCH_WRITE only, for changes of the value; up to 4096 bytes; slow. The change
   * is the thread's whose step ends first. */
  bool software;
};

/* Report each use of this memory (LT_WATCH), from the next instruction on. Debug registers watch
 * aligned pieces of 1, 2, 4 or 8 bytes, and there are four: an area may need several. Works while
 * the threads run. Errors: ENOSPC (lt_error() names who has them), EINVAL (the kernel's address,
 * size), ESRCH, ENOMEM. */
LT_API int lt_watchpoint_add(lt_process *process, const struct lt_watching *what, uint32_t *ret);
/* No longer. Unknown ids are ignored. */
LT_API void lt_watchpoint_remove(lt_process *process, uint32_t id);

/* ---- Stepping ----------------------------------------------------------------------------- */

/* Why a step has ended (u.step.why). */
enum lt_step_end {
  LT_STEP_COUNT = 1, /* so many instructions have been run */
  LT_STEP_ARRIVED,   /* at one of the addresses */
  LT_STEP_LEFT,      /* the program counter has left the range */
  LT_STEP_UNTIL,     /* the function said so */
  LT_STEP_LOST,      /* the program was replaced by exec, and what was to be reached with it */
  LT_STEP_FAILED,    /* an address could not be watched any more: its memory is gone */
};

/* How far to go. Whatever comes first ends it; only `size` is needed. */
struct lt_stepping {
  size_t size;    /* sizeof(struct lt_stepping) */
  uint64_t count; /* so many instructions; 0: no limit */
  /* Functions that are called are run as a part of the call instruction, at full speed, and so are
   * signal handlers. One that never returns (longjmp, exceptions) is run until the thread ends. */
  bool over;
  uint64_t from, to; /* until the program counter is outside of [from, to); 0, 0: no such limit */
  /* Until this says true; asked after each instruction. It may look at the thread, and must not let
   * it run. */
  bool (*until)(void *data, lt_thread *thread);
  void *data;
  /* Instead of stepping: run at full speed to one of these addresses, eight at most, where the stack
   * pointer must be above `sp`. A thread that stands there already runs to its next arrival. With
   * a `count`, it does step. */
  const uint64_t *at;
  size_t at_count;
  uint64_t sp;
};

/* Have the stopped thread step when it runs on; LT_STEPPED follows. Everything else that happens on
 * the way is reported as always. What counts as one instruction: a system call, with its exit; one
 * iteration of a rep prefix; the delivery of a signal to a handler, at whose first instruction the
 * thread then stands; `mov ss` together with the instruction behind it; a restartable sequence
 * (rseq). Errors: EBUSY (it runs, or is stepping already), ESRCH, E2BIG, ENOMEM, and those of
 * lt_break_add() for the addresses. */
LT_API int lt_thread_step(lt_thread *thread, const struct lt_stepping *how);
/* Whether it is stepping, and how many instructions it has run for that (or for the last one). */
LT_API bool lt_thread_stepping(const lt_thread *thread, uint64_t *ret);
/* No longer: LT_STEPPED does not come. */
LT_API void lt_thread_step_cancel(lt_thread *thread);

/* ---- Disassembly -------------------------------------------------------------------------- */

enum lt_syntax {
  LT_SYNTAX_INTEL,
  LT_SYNTAX_ATT,
  LT_SYNTAX_NONE, /* no text is made */
};

/* Where a thread goes after an instruction. */
enum lt_flow {
  LT_FLOW_NEXT,     /* to the next one */
  LT_FLOW_CALL,     /* to a function, and then to the next one */
  LT_FLOW_BRANCH,   /* to the target or to the next one */
  LT_FLOW_JUMP,     /* to the target */
  LT_FLOW_INDIRECT, /* nobody knows: a jump through a register or memory */
  LT_FLOW_RETURN,   /* back to its caller */
  LT_FLOW_END,      /* nowhere */
};

#define LT_INSTRUCTION_MAX 15
#define LT_DISASM_TEXT 128

struct lt_instruction {
  uint64_t addr;
  uint64_t target; /* of a branch or call, or of an operand in memory at a fixed address */
  uint8_t size;    /* bytes */
  uint8_t flow;    /* enum lt_flow */
  bool has_target;
  bool bad;        /* one byte that begins no instruction; its text is "(bad)" */
  bool uses_guard; /* reads the value that guards the stack against overruns */
  uint8_t bytes[LT_INSTRUCTION_MAX];
  char text[LT_DISASM_TEXT];
};

/* Disassemble `count` instructions of a stopped thread's program from `addr` on, in the mode that
 * its registers say. Returns how many; fewer where memory ends. Errors: EFAULT (no memory there),
 * EBUSY, ESRCH. */
LT_API ssize_t lt_disasm(lt_thread *thread, uint64_t addr, size_t count, enum lt_syntax syntax,
                         struct lt_instruction *ret);

/* ---- Blocks and counts -------------------------------------------------------------------- */

/* A run of instructions that is entered at its beginning and left at its end. */
struct lt_block {
  uint64_t addr;
  uint32_t next, target; /* the blocks of the function that may follow, from 1; 0: none */
  uint8_t flow;          /* enum lt_flow of its last instruction */
  uint32_t lines, count; /* its source lines: index of the first one, and how many */
};

/* A function of the source, with its code. */
struct lt_code {
  const char *name; /* with its parameters where they are part of it */
  uint64_t entry;
  uint32_t file, line;    /* where it is declared; index of the file */
  uint32_t blocks, count; /* index of the first block, and how many */
};

struct lt_source_line {
  uint32_t file, line;
};

/* Release with lt_program_free(). */
struct lt_program {
  struct lt_code *functions;
  struct lt_block *blocks;
  struct lt_source_line *lines;
  const char **files; /* index 0 is "" */
  size_t function_count, block_count, line_count, file_count;
  void *strings;
};

/* The functions of the module that has `addr`, as far as debug information tells, with the lines of
 * each block in order, each once. A function begins on the line that declares it; what restores the
 * caller's registers belongs to a line only where nothing is returned. The thread is stopped.
 * Errors: ENOENT (nothing is known), ENOMEM, EIO, EBUSY, ESRCH. */
LT_API int lt_program_read(lt_thread *thread, uint64_t addr, struct lt_program *ret);
LT_API void lt_program_free(struct lt_program *program);

/* Counters, which are 0 at first. Returns the number of the first one, or an error: ENOMEM. */
LT_API ssize_t lt_counters_new(lt_session *session, size_t count);
LT_API uint64_t lt_counter(const lt_session *session, size_t number);
/* Count each time that a thread of the process is about to run the instruction at `addr`, without a
 * record; `once`: at most one time. Forked children count on the same counter. One address has one
 * counter. Errors: as lt_break_add(), EINVAL. */
LT_API int lt_count_add(lt_process *process, uint64_t addr, size_t counter, bool once);

/* ---- Aggregations ------------------------------------------------------------------------- */

/* Numbers that grow while programs run: how often, how much, how it is distributed, by keys. What is
 * counted is said by data and done in the engine, at the stop and before the hook; the hook is not
 * called where nobody else asked for the record. Other back ends can do the same from the same
 * description, without a stop (planted code). */
typedef struct lt_aggregation lt_aggregation;
typedef struct lt_attachment lt_attachment;

enum lt_action {
  LT_ACTION_COUNT, /* how often */
  LT_ACTION_SUM,   /* and the sum of a value */
  LT_ACTION_HIST,  /* and how often the value was in which range */
};

/* What is looked at, for keys, values and tests. */
enum lt_source {
  LT_FROM_NOTHING,
  LT_FROM_ARG,    /* an argument: of a system call, or at the first instruction of a function */
  LT_FROM_STRING, /* the string that such an argument points to; keys only */
  LT_FROM_RET,    /* the result of a call */
  LT_FROM_TIME,   /* nanoseconds on the clock between the stops at its entry and at its exit */
  LT_FROM_ERROR,  /* errno of the result; 0: success */
  LT_FROM_NAME,   /* of a call or signal, see lt_key_name(); the same on all ABIs */
  LT_FROM_NR,     /* number of a call or signal */
  LT_FROM_ABI,    /* enum lt_abi of a call */
  LT_FROM_TID,
  LT_FROM_PID,
  LT_FROM_COMM,     /* name of the thread, a string; keys only */
  LT_FROM_PC,       /* address of the instruction: of the breakpoint, or after that of the call */
  LT_FROM_CALLER,   /* at the first instruction of a function: where it returns to */
  LT_FROM_FUNCTION, /* name of the function with LT_FROM_PC; keys only */
  LT_FROM_CALLER_NAME, /* name of the function with LT_FROM_CALLER; keys only */
};

struct lt_operand {
  uint8_t source; /* enum lt_source */
  uint8_t index;  /* of the argument, from 0 */
  uint8_t size;   /* of an argument: bytes of it that count (1, 2, 4, 8) */
  bool is_signed; /* and how they become 64 bits */
};

enum lt_test_kind {
  LT_TEST_EQUAL, /* value == a */
  LT_TEST_RANGE, /* a <= value <= b; signed or not as the operand is */
  LT_TEST_HAS,   /* (value & a) == a */
};

struct lt_alternative {
  uint8_t kind; /* enum lt_test_kind */
  uint64_t a, b;
};

/* Passes if one of the alternatives does. */
struct lt_test {
  struct lt_operand operand;
  uint32_t count;
  const struct lt_alternative *any;
};

#define LT_KEYS_MAX 4
#define LT_KEY_TEXT 4095 /* longest string of a key; longer ones are cut */

/* What an aggregation is. */
struct lt_aggregate_shape {
  size_t size;    /* sizeof(struct lt_aggregate_shape) */
  uint8_t action; /* enum lt_action */
  uint8_t keys;   /* how many, up to LT_KEYS_MAX; 0: there is one row */
  uint32_t rows;  /* at most so many; 0: a default. What has no room counts in one row of its own */
  int64_t from, to; /* of a histogram with linear buckets [from, to), each of size `step` */
  uint64_t step;    /* 0: powers of two */
};

/* How one place feeds it: `key` as many as the shape says. All tests must pass. */
struct lt_measure {
  struct lt_operand value; /* of sums and histograms */
  struct lt_operand key[LT_KEYS_MAX];
  const struct lt_test *tests;
  size_t test_count;
};

/* Buckets by powers of two: 0 negative values, 1 zero, 2 one, 3 two to three, 4 four to seven, and
 * so on to 64. Linear ones: 0 what is below `from`, then the steps, then what is `to` or above. */
#define LT_BUCKETS_LOG2 65
#define LT_BUCKETS_MAX 1026

/* Errors: EINVAL (shape), ENOMEM. It lives, with its attachments, until it is freed or the session
 * ends. */
LT_API int lt_aggregation_new(lt_session *session, const struct lt_aggregate_shape *shape,
                              lt_aggregation **ret);
LT_API void lt_aggregation_free(lt_aggregation *aggregation);
/* One way of feeding it, for any number of places; the tests are copied. Errors: EINVAL (operands
 * that make no sense), ENOMEM. */
LT_API int lt_aggregation_attach(lt_aggregation *aggregation, const struct lt_measure *measure,
                                 lt_attachment **ret);
/* Have system call `nr` (LT_ALL_SYSCALLS: each) of this ABI counted; with a selector of that call,
 * where that passes. Its exit is awaited only for
 * what needs the result or the time; a call that never comes back is not counted then. Errors:
 * EINVAL, ENOMEM. */
LT_API int lt_aggregate_call(lt_attachment *attachment, enum lt_abi abi, int nr,
                             lt_selector *selector);
/* Have signals counted when they are about to be delivered; bit (number - 1) of each. */
LT_API int lt_aggregate_signals(lt_attachment *attachment, uint64_t signals);
/* Have it counted when threads are about to run the instruction at `addr`: by a breakpoint, and after
 * some hits by planted code, which stops nobody, where that can be. `flags` are those of
 * lt_break_add(), without LT_BREAK_HARDWARE. Forked children go on counting. Errors: EINVAL, those
 * of lt_break_add(). */
LT_API int lt_aggregate_break(lt_attachment *attachment, lt_process *process, uint64_t addr,
                              unsigned flags);
/* At how many of the addresses it has been counted by planted code; why not at the last of the
 * others for which that is known (NULL: no such is). */
LT_API size_t lt_aggregation_planted(const lt_aggregation *aggregation, const char **ret_reason);
/* What was planted between these addresses in the process is not there any more (dlclose). */
LT_API void lt_aggregate_unmapped(lt_process *process, uint64_t from, uint64_t to);
/* Feed it no longer in this way, at any place. What has been counted stays. */
LT_API void lt_attachment_free(lt_attachment *attachment);
/* Forget what has been counted. */
LT_API void lt_aggregation_clear(lt_aggregation *aggregation);

/* A key's value: a number, or bytes (of strings and names) that need not be text. A string that could
 * not be read, and a function without a name, is the number that is its address. */
struct lt_key {
  const char *text; /* NULL: a number */
  size_t size;
  int64_t number;
};

/* The name that a number of LT_FROM_NAME stands for: "read", "syscall_999", "SIGINT". Writes at most
 * `size` bytes with the NUL; `ret` is returned. And the number of a name; false: there is none. */
LT_API const char *lt_key_name(int64_t number, char *ret, size_t size);
LT_API bool lt_key_named(const char *name, int64_t *ret);

struct lt_aggregate_row {
  struct lt_key key[LT_KEYS_MAX];
  uint64_t count;
  int64_t sum;             /* of the values; 64 bits that wrap */
  const uint64_t *buckets; /* of a histogram, else NULL */
};

/* How many buckets each row has; 0: it is no histogram. */
LT_API size_t lt_aggregation_buckets(const lt_aggregation *aggregation);
/* All rows, in no order; what is in them holds until the next call of this or of lt_step(). Returns
 * how many; release with free(). Errors: ENOMEM. */
LT_API ssize_t lt_aggregation_rows(lt_aggregation *aggregation, struct lt_aggregate_row **ret);
/* One row. Returns 1, or 0: nothing was counted for this key. */
LT_API int lt_aggregation_find(lt_aggregation *aggregation, const struct lt_key *key,
                               struct lt_aggregate_row *ret);
/* What had no room as a row of its own. */
LT_API void lt_aggregation_others(lt_aggregation *aggregation, struct lt_aggregate_row *ret);

/* ---- System calls ------------------------------------------------------------------------- */

/* What an argument is. */
enum lt_arg_type {
  LT_ARG_INT,     /* signed; `size` bytes count */
  LT_ARG_UINT,    /* unsigned */
  LT_ARG_FD,      /* signed 32 bits whatever the declaration says */
  LT_ARG_POINTER, /* address of something that is not decoded */
  LT_ARG_STRING,  /* address of a NUL-terminated string */
  LT_ARG_BUFFER,  /* address of bytes, as many as another argument or the result says */
  LT_ARG_STRINGS, /* address of a NULL-terminated array of strings (argv) */
  LT_ARG_STRUCT,  /* address of something that `shape` knows how to decode */
};

/* One argument in the table. */
struct lt_arg {
  const char *name;  /* the kernel's */
  const char *alias; /* the manual page's where it differs, else NULL */
  uint8_t type;      /* enum lt_arg_type */
  uint8_t size;      /* of integers, bytes */
  bool out;          /* filled by the call */
  bool in;           /* read by the call */
  int8_t length;     /* BUFFER: index of the argument with its length; -1: none */
  const char *shape; /* flag set, struct or number format used when printing, else NULL */
};

struct lt_syscall {
  const char *name;
  int32_t nr[LT_ABI_COUNT]; /* -1: this ABI does not have it */
  uint32_t classes;         /* bit per class, see lt_class_find() */
  uint8_t count;            /* of arguments */
  bool known;               /* the arguments are declared (else: six raw registers) */
  bool no_return;           /* never comes back on success */
  struct lt_arg args[LT_CALL_ARGS];
};

LT_API const struct lt_syscall *lt_syscall_find(enum lt_abi abi, uint64_t nr); /* or NULL */
LT_API const struct lt_syscall *lt_syscall_named(enum lt_abi abi, const char *name);
/* Walk the ABI's calls in order of their numbers: index from 0, NULL at the end. */
LT_API const struct lt_syscall *lt_syscall_at(enum lt_abi abi, size_t index);
/* The known name most like this one, or NULL if none is near. */
LT_API const char *lt_syscall_nearest(const char *name);
/* Bit of a class by name without the % ("file", "desc", "memory", "process", "signal", "ipc",
 * "network", ...); 0 if unknown. lt_class_at() walks the names, NULL at the end. */
LT_API uint32_t lt_class_find(const char *name);
LT_API const char *lt_class_at(size_t index);

/* Named constants and flags that an argument is printed with: 0 or -ENOENT; from index 0, NULL at the
 * end. */
LT_API int lt_constant(const struct lt_arg *arg, const char *name, uint64_t *ret);
LT_API const char *lt_constant_at(const struct lt_arg *arg, size_t index, uint64_t *ret);

LT_API const char *lt_errno_name(int error);   /* "ENOENT"; NULL if unknown; restarts included */
LT_API const char *lt_errno_text(int error);   /* "No such file or directory" */
LT_API int lt_errno_number(const char *name);  /* 0 if unknown */
LT_API const char *lt_signal_name(int signo);  /* "SIGINT", "SIGRT_3"; NULL if out of range */
LT_API int lt_signal_number(const char *name); /* with or without SIG; 0 if unknown */

/* The call the thread is in or has just left: valid from its entry until it runs on from its exit.
 * NULL outside. */
LT_API const struct lt_call *lt_thread_call(const lt_thread *thread);
/* Counts the calls of the session: no other call, of whatever thread, has the same number. */
LT_API uint64_t lt_thread_call_seq(const lt_thread *thread);
/* At LT_SYSCALL_ENTRY: report this call's exit too. Errors: EINVAL (not at an entry). */
LT_API int lt_call_want_exit(lt_thread *thread);
/* At LT_SYSCALL_ENTRY: change argument `index` (from 0) for the kernel; the register gets its old
 * value back at the exit, except after execve and sigreturn. Errors: EINVAL, ESRCH. */
LT_API int lt_call_set_arg(lt_thread *thread, unsigned index, uint64_t value);
/* At LT_SYSCALL_ENTRY, where the call was given `ours` bytes instead of the program's `own`: its
 * result counts bytes, and the program is to see it in terms of its own: `own` for all of them, a
 * part for a part. Repeated, `own` stays as it was first. Errors: EINVAL, ESRCH. */
LT_API int lt_call_count(lt_thread *thread, uint64_t own, uint64_t ours);
/* What the call writes into a struct that we had placed for it, and the program expects in its own:
 * `size` bytes of each of `count` elements that are `step` bytes apart. */
struct lt_back {
  uint64_t from, to;
  uint32_t size, step, count;
};
/* At LT_SYSCALL_ENTRY: copy that at the exit. Errors: EINVAL, ENOMEM. */
LT_API int lt_call_copy_back(lt_thread *thread, const struct lt_back *back);
/* At LT_SYSCALL_ENTRY: the kernel shall not make this call; the program sees `ret` (a negated errno
 * for a failure) as its result. Errors: EINVAL, ESRCH. */
LT_API int lt_call_skip(lt_thread *thread, int64_t ret);
/* At LT_SYSCALL_ENTRY: make it another call of the same ABI. The arguments stay; change them with
 * lt_call_set_arg(). Errors: EINVAL, ESRCH. */
LT_API int lt_call_become(lt_thread *thread, uint64_t nr);
/* At LT_SYSCALL_EXIT: change the result the program sees. Errors: EINVAL, ESRCH. */
LT_API int lt_call_set_ret(lt_thread *thread, int64_t value);
/* Whether the thread is in a call that is to be answered by the caller (lt_process_emulate()). */
LT_API bool lt_call_emulated(const lt_thread *thread);
/* At LT_SYSCALL_ENTRY of such a call: the kernel makes it after all, as changed. The thread runs on
 * when the hook returns, or now. sigreturn can be answered in no other way. Errors: EINVAL, ESRCH,
 * ENOMEM. */
LT_API int lt_call_pass(lt_thread *thread);
/* At LT_SYSCALL_EXIT: the program makes its own call, as it was before lt_call_become(), once more.
 * The first stands and whatever it did; used where the kernel only waited for us. Errors: EINVAL,
 * ESRCH. */
LT_API int lt_call_redo(lt_thread *thread);
/* At LT_SYSCALL_EXIT, where a signal ended that waiting: the kernel restarts the program's own call
 * after the signal, or lets it fail with EINTR if a handler without SA_RESTART ran (`handlers_end`:
 * if any handler ran). Errors: EINVAL, ESRCH. */
LT_API int lt_call_restart(lt_thread *thread, bool handlers_end);
/* Keep what the call's input arguments point to, so that they still answer after it has run.
 * Idempotent; what cannot be read is left out. */
LT_API int lt_call_capture(lt_thread *thread);

/* Have the stopped thread make a system call of its ABI (at an entry: of the call's ABI) for us.
 * Returns at once; the hook must let the thread run on, and gets LT_REMOTE_DONE when the thread
 * stands again where it stood. Signals wait meanwhile. The program's own seccomp filter judges the
 * call. Errors: EBUSY (one is under way), EINVAL (calls that make or replace programs), ENOEXEC (no
 * system call instruction in its memory), ESRCH (gone or exiting). */
LT_API int lt_remote_call(lt_thread *thread, uint64_t nr, const uint64_t args[LT_CALL_ARGS]);

/* Whether the thread makes a call for us, or will when the hook returns. */
LT_API bool lt_remote_busy(const lt_thread *thread);
/* The ABI of the calls that the stopped thread would make for us now. */
LT_API enum lt_abi lt_remote_abi(lt_thread *thread);

/* An argument of a function. */
enum lt_fn_type {
  LT_FN_INT,   /* an integer or a pointer */
  LT_FN_INT64, /* differs on 32-bit ABIs */
  LT_FN_DOUBLE,
  LT_FN_FLOAT,
};

struct lt_fn_arg {
  uint8_t type; /* enum lt_fn_type */
  union {
    uint64_t integer;
    double number;
  };
};

#define LT_FN_ARGS 32

/* Have the stopped thread run the function at `addr` by the convention of its ABI, with a stack
 * below its own. Returns at once; LT_FUNCTION_DONE follows when the thread stands again where it
 * stood, with the registers that it had. Signals and system calls of the function are reported like
 * all others. A fault in it that the program does not handle undoes the call instead of killing,
 * and so does letting the process go. A function that forks returns in the parent only. Errors: as
 * lt_remote_call(), E2BIG (more than LT_FN_ARGS), ENOTSUP (the program ignores SIGSEGV, by which
 * the end is noticed). */
LT_API int lt_function_call(lt_thread *thread, uint64_t addr, const struct lt_fn_arg *args,
                            size_t count);

/* Room in the thread's process for `size` bytes of ours, until its present call is over (at other
 * stops: until it runs on). Returns -EAGAIN where none is mapped yet: see lt_scratch_grow().
 * The room is readable and writable, and collides with nothing of the program's. */
LT_API int lt_scratch_take(lt_thread *thread, size_t size, uint64_t *ret);
/* Map more room, at least for `size` bytes, by a remote mmap: LT_REMOTE_DONE follows as for
 * lt_remote_call(), then lt_scratch_take() answers. Errors: as there. */
LT_API int lt_scratch_grow(lt_thread *thread, size_t size);
/* Give room back before that; address and size as they were taken. */
LT_API void lt_scratch_give(lt_thread *thread, uint64_t addr, size_t size);
/* Memory that the caller had mapped (lt_remote_call()) is to be unmapped before the process is let
 * go, or no longer: it has been unmapped. Errors: ENOMEM. */
LT_API int lt_scratch_adopt(lt_thread *thread, uint64_t addr, size_t size);
LT_API void lt_scratch_disown(lt_thread *thread, uint64_t addr);

/* A decoded argument. Bytes point into the thread's own storage and hold until its next stop. */
struct lt_value {
  uint8_t type;    /* enum lt_arg_type of what is here: INT, UINT, FD, POINTER, STRING or BUFFER */
  bool cut;        /* bytes were left out: too long, or unreadable beyond this point */
  uint64_t raw;    /* the register */
  int64_t integer; /* INT, FD: the value; UINT: the same bits */
  const char *bytes; /* STRING, BUFFER; NULL if the address is NULL or unreadable (type POINTER) */
  size_t size;
};
/* Decode one argument of the current call. A buffer that the call fills answers after the exit.
 * Errors: EINVAL (no call, index), EAGAIN (not filled yet). */
LT_API int lt_call_arg(lt_thread *thread, unsigned index, struct lt_value *ret);
/* The strings of a STRINGS argument, one at a time. Returns 1 and the value, 0 at the end. */
LT_API int lt_call_string(lt_thread *thread, unsigned index, size_t position, struct lt_value *ret);
/* ---- Structs, for those who write them ---------------------------------------------------- */

struct lt_field {
  const char *name;  /* "sec"; "value.sec" inside a struct of the struct; "" for a plain number */
  const char *alias; /* C's name where it differs, else NULL */
  uint16_t offset;
  uint8_t size;
  bool is_signed;
};

/* How many elements an argument points to. Other numbers: so many, in a list. */
enum {
  LT_LIST_NONE = 0,    /* one struct */
  LT_LIST_NEXT = 254,  /* as many as the next argument says */
  LT_LIST_BYTES = 255, /* as many bytes as the next argument says */
};

struct lt_layout {
  uint16_t size; /* of an element */
  uint8_t list;
  uint8_t count; /* of fields */
  const struct lt_field *fields;
};

/* The layout of what a STRUCT argument with this shape points to; NULL: not known. */
LT_API const struct lt_layout *lt_layout_find(enum lt_abi abi, const char *shape);
/* Put a value into a field of the element at `ret`. Errors: ENOENT (no such field), ERANGE. */
LT_API int lt_encode(const struct lt_layout *layout, const char *name, int64_t value, void *ret);

#define LT_ADDRESS_MAX 128
/* A socket's address: a path of AF_UNIX (first byte 0: an abstract name), or the text of an IPv4 or
 * IPv6 address. */
struct lt_address {
  const char *path; /* NULL: not AF_UNIX */
  size_t path_size;
  const char *text;
  uint16_t port;
  uint32_t flow, scope;
};
/* Returns its size. Errors: EINVAL (no address), ENAMETOOLONG (path). */
LT_API ssize_t lt_encode_address(const struct lt_address *address, uint8_t ret[LT_ADDRESS_MAX]);

/* The call as strace(1) prints it: `name(args) = result`, "= ?" while there is none. What the
 * tracee controls is escaped and bounded. Writes at most `size` bytes with the NUL and returns the
 * length that the whole line has. */
LT_API size_t lt_call_format(lt_thread *thread, char *ret, size_t size);
/* The same. `keep`: what the line tells of memory stays the same until the call is over; less is
 * read for that than by lt_call_capture(). */
LT_API size_t lt_call_line(lt_thread *thread, bool keep, char *ret, size_t size);

LT_API const char *lt_version(void); /* "0.1.0" */

#ifdef __cplusplus
}
#endif

#endif
