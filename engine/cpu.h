/* cpu.h - tracer and traced threads share a CPU where that is quicker, unseen by the program.
 *
 * cpu.c pins and unpins, cpu_life.c follows births and deaths, cpu_answer.c has the program see its own
 * CPUs, cpu_watch.c sees to it that it is seen asking, cpu_tick.c measures, and cpu_rule.c decides. Only
 * programs that we launched are pinned: they die with us. */
#ifndef LT_CPU_H
#define LT_CPU_H

#include "task.h"

#define LT_CPU_BYTES 1024 /* 8192 CPUs: more than kernels are built for */

/* Where a thread may run (struct lt_cpu_of.at): its own CPUs, we do not know, or only on one. */
#define LT_CPU_OWN 0
#define LT_CPU_UNKNOWN (-1)
#define LT_CPU_ONLY(cpu) ((cpu) + 1)

/* Threads whose CPUs or scheduling a thread asks about (struct lt_cpu_of.asks). */
#define LT_ASKS_NOBODY 0
#define LT_ASKS_ALL (-1)

struct lt_cpus;

/* Begin and end; while a session has no struct lt_cpus, it pins nothing. */
void lt_cpu_init(lt_session *session);
void lt_cpu_free(lt_session *session);

/* No more of it. */
void lt_cpu_give_up(lt_session *session);

/* A stop of a thread has come; it is about to be restarted with this request; its record is freed. */
void lt_cpu_on_stop(lt_thread *thread, int status);
void lt_cpu_settle(lt_thread *thread, int request);
void lt_cpu_gone(lt_thread *thread);
/* It is about to make a call whose exit must be seen. */
bool lt_cpu_asks(const lt_thread *thread);
/* It is about to be detached: it gets its own CPUs back. */
void lt_cpu_let_go(lt_thread *thread);
/* The same for a thread without a record. */
void lt_cpu_let_go_unknown(lt_session *session, pid_t tid);
/* A thread was made by another one; or by one that is gone, but a relative (NULL: none) is there. */
void lt_cpu_born(lt_thread *thread, lt_thread *creator);
void lt_cpu_adopted(lt_thread *thread, const lt_thread *relative);
/* cpu_watch.c: all its calls are to be traced, so that it can be pinned. */
bool lt_cpu_watches(const lt_thread *thread);
/* Another program runs in it. */
void lt_cpu_exec(lt_thread *thread);

/* A program is about to be launched; `thread` is its record then. */
void lt_cpu_before_launch(lt_session *session);
void lt_cpu_launched(lt_thread *thread);
/* In a child of ours that is not to be traced: it gets the CPUs that we had. Async-signal-safe. */
void lt_cpu_in_child(const lt_session *session);

/* Children are to be traced whether or not anybody follows them: they have our CPU. */
bool lt_cpu_holds(const lt_process *process);

/* Around a wait without a deadline of its own. */
void lt_cpu_wait_begins(lt_session *session);
void lt_cpu_wait_ends(lt_session *session);

#endif
