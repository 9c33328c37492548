/* goroutines.h - returns that goroutines are to make, for returns.c and task.c. */
#ifndef LT_GOROUTINES_H
#define LT_GOROUTINES_H

#include "returns.h"

struct lt_goroutines; /* of a process */

/* Whether this is code of a module that Go's compiler has made, as of the last look at modules. */
bool lt_is_go_code(lt_thread *thread, uint64_t addr);
/* As watch() of returns.c: 1 if the thread does not run a goroutine, or its code is not Go's. */
int lt_goroutine_watch(lt_thread *thread, const struct lt_return *call, uint64_t *ret);
/* The thread stands at a site of ours: give up what its goroutine has left. True if a goroutine has
 * returned there: *verdict is what came of the reports. */
bool lt_goroutine_returned(lt_thread *thread, enum lt_verdict *verdict);
/* The program is gone: they are lost, to be told by this thread. */
void lt_goroutines_lost(lt_thread *thread);
void lt_goroutines_free(lt_process *process);

#endif
