/* returns.h - returns that are awaited, for task.h and space.h. */
#ifndef LT_RETURNS_H
#define LT_RETURNS_H

#include "engine.h"

/* breaks.c: the thread stands at a site of ours. Reports the returns that happen there; its record is
 * that of the last one then. */
enum lt_verdict lt_returns_on_break(lt_thread *thread);
/* Dispatch, with the thread stopped and no hook on the stack: report the functions that were found to
 * have been left without a return. */
enum lt_verdict lt_returns_tell_lost(lt_thread *thread);
/* The program whose functions they are is gone (exec): tell who waits. */
void lt_returns_lost(lt_thread *thread);
void lt_returns_free(lt_thread *thread);

/* space.c */
void lt_return_sites_free(struct lt_return_site *sites);

#endif
