/* cpu_state.h - what the files around cpu.c know of a session that shares a CPU. */
#ifndef LT_CPU_STATE_H
#define LT_CPU_STATE_H

#include <time.h>

#include "cpu.h"
#include "cpu_rule.h"

struct lt_cpus {
  size_t size;    /* bytes of a mask, as this kernel gives it */
  uint64_t *own;  /* the CPUs that the tracer had */
  uint64_t *back; /* what gives them back: all bits, where they are all that there are */
  uint64_t *one;  /* room for the mask of one CPU */
  int cpu;        /* the shared one; -1: not chosen yet */
  bool pinned;    /* the tracer is on it and nowhere else */
  bool chosen;    /* `back` holds */
  bool adapts;    /* the rule applies: LT_CPU_AUTO */
  bool gave_up;   /* it does not work here, or must end */
  unsigned count; /* of CPUs in `own` */
  unsigned pins;  /* threads that are on it and nowhere else */

  uint32_t stops;    /* of all threads */
  uint64_t stops_at; /* the last tick */
  uint64_t last;     /* when that was */
  uint64_t interval;
  uint64_t executed, delayed; /* the tracer's own figures then */
  unsigned roomy, rest;       /* see struct lt_cpu_tick */
  struct lt_cpu_share *shares;
  lt_thread **threads; /* whose these are */
  size_t room;

  timer_t timer;
  int signo; /* of the timer; 0: there is none */
  bool armed;
  volatile sig_atomic_t waiting; /* nothing else runs: the signal handler may tick */
};

/* cpu.c: now, if the thread is not where it should be. */
void lt_cpu_pin(lt_thread *thread);
void lt_cpu_unpin(lt_thread *thread);
/* The same between its stops. */
void lt_cpu_unpin_running(lt_thread *thread);
/* Make a running thread leave the shared CPU; it is pinned or free as it was. */
void lt_cpu_push(lt_thread *thread);
/* The tracer: onto the shared CPU, and back to its own. */
bool lt_cpu_pin_self(lt_session *session);
void lt_cpu_unpin_self(lt_session *session);
/* Share another CPU; one that this thread may use too. */
void lt_cpu_move(lt_session *session);
void lt_cpu_follow(lt_thread *thread);
/* These CPUs are its own; it is there now. */
void lt_cpu_remember(lt_thread *thread, const uint64_t *mask);
void lt_cpu_set_at(lt_thread *thread, int at);
/* Look whose CPUs the thread has, while it is not pinned. */
void lt_cpu_read_back(lt_thread *thread);

/* cpu_answer.c: the thread stands at a call that tells or changes where threads may run: they get
 * their own CPUs for as long as it takes. It is over. */
bool lt_cpu_is_asking(const lt_thread *thread);
void lt_cpu_ask(lt_thread *thread);
void lt_cpu_asked(lt_thread *thread);

/* cpu_watch.c: at each stop. */
void lt_cpu_watch(lt_thread *thread, int status);

/* cpu_tick.c */
void lt_cpu_tick(lt_session *session);
void lt_cpu_make_room(struct lt_cpus *cpus, size_t count);
void lt_cpu_timer_free(struct lt_cpus *cpus);

#endif
