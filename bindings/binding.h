/* binding.h - Lua in terms of luatrace.h: what the files in bindings/ share.
 *
 * C exports raw primitives in one table, `core`, which only the prelude (scripts/luatrace/) gets
 * to see; what scripts see is made there. Control flows one way at a time:
 *
 *   loop.c calls lt_step() -> the engine calls hook.c -> Lua's dispatch function -> coroutines
 *
 * and every function here that Lua calls may call the engine, which never calls back from there
 * except to say that a handle is gone. Script code always runs in a coroutine that core.resume
 * started; the main Lua thread (`L` of the binding) runs the prelude only. No Lua error crosses a
 * frame of the engine: hook.c calls Lua through bind_protected(). */
#ifndef LT_BINDING_H
#define LT_BINDING_H

#include <signal.h>

#include "compat.h"
#include "luatrace.h"
#include "tasks.h"

/* The types of userdata. Each has one metatable. */
enum bind_type {
  BIND_THREAD,
  BIND_PROCESS,
  BIND_CALL, /* light: see struct bind_call */
  BIND_ARGS, /* light */
  BIND_REGS,
  BIND_MEM,
  BIND_TYPE_COUNT
};

/* How a run is going to end. */
struct bind_ending {
  bool decided; /* end tracing now */
  int code;     /* exit code */
  int signal;   /* die of this signal instead, if not 0 */
};

/* What the command line says (cli.c), handed to the prelude by loop.c. */
struct bind_options;

struct binding {
  lua_State *L;                /* the main Lua thread */
  lua_State *volatile running; /* the coroutine that runs now; for the signal handlers */
  lt_session *session;
  const void *metatables[BIND_TYPE_COUNT]; /* by address, for quick comparison */
  int dispatchers[LT_KIND_COUNT];          /* registry references, LUA_NOREF where there is none */
  int step_until;                          /* registry reference (steps.c) */
  const struct lt_stop *stop;              /* the record that is being dispatched */
  struct bind_thread **threads;            /* live thread objects by slot; NULL: free */
  unsigned thread_count, thread_room;      /* slots that were ever used; allocated */
  unsigned free_slots;                     /* of those that were used */
  struct bind_tasks tasks;                 /* tasks.c */
  struct bind_quick quick;                 /* quick.c */
  bool sweep;    /* a thread or process that somebody may wait for is gone */
  bool launched; /* something was launched: Ctrl-C is its business */
  pid_t first;   /* the process that was launched first; its end is ours */
  bool first_over;
  bool first_apart;       /* it has a terminal of its own */
  uint64_t deadline;      /* when timers are due (timers.c); 0: none */
  struct bind_ending end; /* how this run ends if nothing else decides it */
  bool stop_asked;        /* SIGTSTP came: stop when the launched program does */
  struct bind_fds *fds;   /* fds.c */
};

static inline struct binding *bind_of(lua_State *L)
{
  return compat_owner(L);
}

/* ---- Userdata ----------------------------------------------------------------------------- */

/* What a thread object holds. It lives as long as the thread does or a script keeps it. */
struct bind_thread {
  lt_thread *thread; /* NULL once it is gone */
  pid_t tid, pid;
  uint64_t became;      /* lt_thread_call_seq() of the latest call that became another */
  uint64_t exit_wanted; /* somebody waits for the exit of the call with this lt_thread_call_seq() */
  bool awaited;         /* a script may be waiting for this thread */
  unsigned slot;        /* its place in the binding's `threads`, while it lives */
  lua_State *leaver;    /* the task that waits for the exit of call `leaves` (quick.c); or NULL */
  struct bind_log *log; /* where that exit is written; or NULL */
  uint64_t leaves;
  lua_State *stepper; /* the task that waits until it has made so many steps; or NULL */
  uint64_t steps;
  lua_State *returner; /* the task that waits until return number `returns` is made; or NULL */
  uint64_t returns;
  struct bind_thread *next_lost; /* quick.c */
};

struct bind_process {
  lt_process *process; /* NULL once it is gone */
  pid_t pid;
};

/* A system call object, and with the same contents its `args`. For Lua it is a light userdata with
 * the number of the call and the thread's slot in it: making one allocates nothing, and as no other
 * call has its number, one that is kept beyond its time is noticed. */
struct bind_call {
  struct bind_thread *thread; /* NULL: gone, and with it the call */
  uint64_t seq;               /* lt_thread_call_seq() */
};

/* t.regs and t.mem */
struct bind_view {
  struct bind_thread *thread;
};

/* objects.c: make the metatables. `core.methods[type]` lets the prelude add methods. */
void bind_open_objects(lua_State *L);
/* Push the one object of a thread or process. Can raise for lack of memory. */
struct bind_thread *bind_push_thread(lua_State *L, lt_thread *thread);
struct bind_process *bind_push_process(lua_State *L, lt_process *process);
/* Push an object for a thread that is not traced. */
void bind_push_lost_thread(lua_State *L, pid_t tid, pid_t pid);
/* The userdata of this type at `index`, else NULL. */
void *bind_test(lua_State *L, int index, enum bind_type type);
/* The same, or raise "thread expected, got table". */
void *bind_check(lua_State *L, int index, enum bind_type type);
/* The live handle, or raise "thread 12 is gone". */
lt_thread *bind_live_thread(lua_State *L, struct bind_thread *box);
lt_process *bind_live_process(lua_State *L, struct bind_process *box);
/* Push the call that the thread is in, or its args; the thread has an object. Allocates nothing. */
void bind_push_call(lua_State *L, const struct bind_thread *box, enum bind_type type);
/* Whether the value at `index` is such an object; what it stands for, or raise as bind_check(). */
bool bind_is_call(lua_State *L, int index, enum bind_type type);
struct bind_call bind_check_call(lua_State *L, int index, enum bind_type type);
/* Give the userdata on the top of the stack its metatable. */
void bind_set_type(lua_State *L, enum bind_type type);
/* In an __index or __newindex closure (upvalues: methods, attribute numbers): the number of the
 * attribute named by argument 2; 0 if it is none, with the method or nil pushed. */
int bind_attribute(lua_State *L);
/* Raise "a thread has no field 'x'". */
int bind_no_attribute(lua_State *L, const char *what);
/* The number in a call's object. */
uint64_t bind_call_number(const lt_thread *thread);
/* Nobody needs the object any more but scripts that have it. Cannot raise. */
void bind_release(struct binding *binding, const void *box);
/* The hooks for lt_session_create(). */
void bind_thread_freed(void *data, lt_thread *thread);
void bind_process_freed(void *data, lt_process *process);

struct bind_attribute {
  const char *name;
  int number; /* from 1 */
};

/* A type of userdata: name for messages, attributes, metamethods and C methods. `index` and
 * `newindex` get the upvalues that bind_attribute() needs. */
struct bind_class {
  const char *name;
  const struct bind_attribute *attributes;
  lua_CFunction index, newindex;
  const luaL_Reg *meta, *methods;
};
extern const struct bind_class bind_thread_class, bind_process_class, bind_call_class,
    bind_regs_class, bind_mem_class;

/* args.c: the metamethods of call.args. */
int bind_args_index(lua_State *L);
int bind_args_newindex(lua_State *L);
int bind_args_tostring(lua_State *L);
int bind_args_len(lua_State *L);
int bind_args_pairs(lua_State *L);

/* ---- Errors ------------------------------------------------------------------------------- */

/* errors.c. Raise an error with the position of the innermost line of a script. */
_Noreturn void bind_raise(lua_State *L, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Push nil, "ENOENT: No such file or directory", "ENOENT"; returns 3. `error` may be negative.
 * The second form has the text that follows the name. */
int bind_failure(lua_State *L, int error);
int bind_failure_text(lua_State *L, int error, const char *text);
/* What an access to a stopped thread's state says when it fails: raises for a running thread
 * (misuse) and a `gone` object for a dying one. Returns for all other errors. */
void bind_check_access(lua_State *L, const struct bind_thread *box, int error);
/* Push the object that says that a thread or process ("thread", "process") is gone. A handler
 * that it ends unawares ends silently if `quiet`: it could not know. Otherwise it is misuse. */
void bind_push_gone(lua_State *L, const char *what, pid_t id, bool quiet);
/* Call the function below the `arguments` on the stack of the main Lua thread; what goes wrong is
 * reported and ends the run. True if it went well; `results` are on the stack then. */
bool bind_protected(struct binding *binding, int arguments, int results);
/* Write "luatrace: TEXT" to stderr, made harmless for a terminal. */
void bind_warn(const char *text);
void bind_warnf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- Names (names.c) ---------------------------------------------------------------------- */

const char *bind_kind_name(unsigned kind);    /* "syscall-entry"; NULL */
int bind_check_kind(lua_State *L, int index); /* its number, or raise */
const char *bind_how_name(unsigned how);      /* "fork"; NULL */
const char *bind_abi_name(unsigned abi);      /* "x86_64" */
size_t bind_pointer_size(enum lt_abi abi);
int bind_check_signal(lua_State *L, int index); /* by number or name, or raise */
/* Push the name of a call, "syscall_999" for an unknown one. */
void bind_push_call_name(lua_State *L, unsigned abi, uint64_t nr);

/* ---- Values ------------------------------------------------------------------------------- */

/* Argument `index` as a 64-bit integer, or raise. */
int64_t bind_check_int64(lua_State *L, int index);
uint64_t bind_check_address(lua_State *L, int index);
/* args.c: the index from 0 of the argument that Lua argument `at` names; *raw if it is a number. */
unsigned bind_find_argument(lua_State *L, const struct lt_call *call, int at, bool *raw);

/* args.c: push the decoded argument `index` (from 0) of the thread's current call. */
void bind_push_argument(lua_State *L, const struct bind_thread *box, unsigned index);
/* call.c: the call if it is not over, or raise. */
const struct lt_call *bind_live_call(lua_State *L, const struct bind_call *call);
/* Push value | nil, message, code of a call that has run; returns how many. */
int bind_push_result(lua_State *L, const struct lt_call *call);
/* Keep what the call's arguments point to, and ask for its exit. Raises. */
void bind_ask_exit(lua_State *L, struct bind_thread *box);
/* maps.c: push a list of the maps of a thread's process, or a failure. */
int bind_push_maps(lua_State *L, lt_thread *thread);
/* text.c: the same text with what could harm a terminal replaced; releases with free(). */
char *bind_harmless(const char *text, size_t size, size_t *ret);

/* ---- The primitives, by table; each adds its functions to the `core` at the top of the stack */

void bind_open_tasks(lua_State *L); /* tasks.c: coroutines */
void bind_open_quick_handlers(
    lua_State *L);                        /* quick_handlers.c: the straight path of most events */
void bind_open_quick_waits(lua_State *L); /* quick_waits.c */
void bind_open_logs(lua_State *L);        /* log.c: logs of system calls */
void bind_open_errors(lua_State *L);      /* errors.c */
void bind_open_trace(lua_State *L);       /* trace.c: sessions, subscriptions */
void bind_open_spawn(lua_State *L);       /* spawn.c */
/* selectors.c: the selector at this index, NULL for nil. */
lt_selector *bind_selector(lua_State *L, int index);
void bind_open_selectors(lua_State *L); /* selectors.c: tests of arguments */
void bind_open_calls(lua_State *L);     /* call.c */
void bind_open_place(lua_State *L);     /* place.c: assigning to arguments */
void bind_open_records(lua_State *L);   /* record.c: stop records, signals */
void bind_open_breaks(lua_State *L);    /* breaks.c: breakpoints */
void bind_open_functions(lua_State *L); /* functions.c: arguments, results */
void bind_open_tables(lua_State *L);    /* tables.c: names of system calls, signals, errors */
void bind_open_memory(lua_State *L); /* memory.c: adds the typed accesses to core.methods.memory */
void bind_open_remote(lua_State *L); /* remote.c */
void bind_open_steps(lua_State *L);  /* steps.c: stepping, watchpoints */
void bind_open_backtrace(lua_State *L);  /* backtrace.c */
void bind_open_bits(lua_State *L);       /* bits.c */
void bind_open_text(lua_State *L);       /* text.c */
void bind_open_aggregates(lua_State *L); /* aggregates.c: counts, sums and histograms */
void bind_open_counts(lua_State *L);     /* counts.c: blocks of code, and counters */
void bind_open_lines(lua_State *L);      /* lines.c: source lines and their addresses */
void bind_open_disasm(lua_State *L);     /* disasm.c */
void bind_open_emulate(lua_State *L);    /* emulate.c: calls answered by scripts, descriptors */
void bind_open_paths(lua_State *L);      /* paths.c */
void bind_open_processes(lua_State *L);  /* process.c */
void bind_open_timers(lua_State *L);     /* timers.c */
void bind_open_streams(lua_State *L);    /* streams.c */
void bind_open_modules(lua_State *L);    /* modules.c */
void bind_open_types(lua_State *L);      /* types.c */
void bind_open_variables(lua_State *L);  /* variables.c */
void bind_open_contents(lua_State *L);   /* contents.c: the bits of objects */
void bind_open_system(lua_State *L);     /* system.c: clock, paths, files, popen */

/* ---- State, hook, loop -------------------------------------------------------------------- */

/* state.c: make the Lua state and load the prelude. False: reported already. */
bool bind_open(struct binding *binding);
void bind_close(struct binding *binding);
/* hook.c: the hook for lt_session_create(). */
enum lt_verdict bind_hook(void *data, lt_thread *thread, const struct lt_stop *stop);
/* Push the function `name` of the prelude's luatrace.main. Can raise. */
void bind_push_main(lua_State *L, const char *name);
/* loop.c: run the scripts and trace until everything has ended. The result is in binding->end. */
void bind_run(struct binding *binding, const struct bind_options *options);

/* fds.c: descriptors that are ours alone. Remember which ones luatrace was started with; close all
 * others in what is launched from now on. */
struct bind_fds *bind_fds_remember(void);
void bind_fds_seclude(const struct bind_fds *fds);
void bind_fds_free(struct bind_fds *fds);

/* steps.c: push why a step ended and its count; what was watched. Return how many values. */
int bind_push_step(lua_State *L, const struct lt_stop *stop);
int bind_push_watch(lua_State *L, const struct lt_stop *stop);

/* timers.c: milliseconds until timers are due, -1 if there are none; are they due now? */
int bind_timers_left(const struct binding *binding);
bool bind_timers_due(const struct binding *binding);

/* streams.c: the number of the open descriptor at `index`, which may be a number; nil: -1. */
int bind_stream_fd(lua_State *L, int index);

/* popen.c: io.popen(command, mode) */
int bind_popen(lua_State *L);

#endif
