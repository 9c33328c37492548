/* tasks.h - the coroutines in which the code of scripts runs; see tasks.c, quick.c. */
#ifndef LT_BIND_TASKS_H
#define LT_BIND_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "compat.h"
#include "luatrace.h"

struct binding;
struct bind_log;
struct bind_thread;

#define BIND_IDLE_TASKS 256
#define BIND_QUICK_CALLS 512

struct bind_ending_task {
  lua_State *task;
};

struct bind_tasks {
  lua_State *current;               /* the task that runs; NULL: none */
  lua_State *idle[BIND_IDLE_TASKS]; /* those that have finished */
  unsigned idle_count;
  struct bind_ending_task *ending; /* those that have something to be called at their end */
  unsigned endings, ending_room;
  unsigned waits;    /* how often one has begun to wait */
  int all;           /* registry reference: all of them by address, which keeps them */
  int wait;          /* registry reference: the token that a task yields to wait */
  int settle;        /* registry reference: tasks.lua's function for what is not usual */
  const void *token; /* the address of that token */
};

/* A handler that is called without a look at anything else. */
struct bind_quick_call {
  int fn;                      /* registry reference; 0: none */
  const lt_selector *selector; /* that the call must pass; NULL: none */
  bool wants_call;             /* it has a second parameter */
  struct bind_log *log;        /* in the place of the function */
  uint64_t count;              /* times it was called */
};

/* A breakpoint with one handler that asks nothing before it is called. */
struct bind_quick_break {
  int fn, site;     /* registry references; fn 0: none */
  bool wants_frame; /* it has a second parameter */
  uint64_t count;   /* times it was called */
};

struct bind_quick {
  bool on;                  /* nobody but handlers and leavers can want a stop */
  bool leaves;              /* the ends of threads are asked for */
  struct bind_thread *at;   /* whose stop is dealt with in quick.c now */
  struct bind_thread *lost; /* threads that are gone and had a leaver */
  int rest[LT_KIND_COUNT];  /* registry references: what comes after the handlers */
  int frame;                /* registry reference: calls fn(t, frame) with fn, t, site, stop */
  struct bind_quick_break *breaks; /* by number */
  uint32_t break_room;
  struct bind_quick_call calls[LT_ABI_COUNT][BIND_QUICK_CALLS];
};

/* ---- tasks.c ---- */

/* A task that has finished, to be given a function and arguments; NULL: there is none. */
lua_State *bind_task_take(struct binding *binding);
/* Let a task begin or go on with the values on its stack. False: bind_task_settle() is to be called,
 * which can raise. Raises nothing itself. */
bool bind_task_resume(struct binding *binding, lua_State *from, lua_State *task, int arguments);
void bind_task_settle(lua_State *L, lua_State *task);
/* Push the task. */
void bind_task_push(lua_State *L, lua_State *task);

/* ---- quick.c, quick_waits.c ---- */

/* Deal with a stop if that is as simple as most are. False: nothing has been done. */
bool bind_quick_stop(struct binding *binding, lt_thread *thread, const struct lt_stop *stop,
                     enum lt_verdict *ret);
/* The thread is gone. True: its object is still needed, until core.take_lost() has told of it. */
bool bind_quick_keep(struct binding *binding, struct bind_thread *box);

#endif
