/* loads.h - objects that the dynamic loader maps and unmaps: LT_LOAD. */
#ifndef LT_LOADS_H
#define LT_LOADS_H

#include "engine.h"

/* LT_LOAD is subscribed, or no longer. */
void lt_loads_wanted(lt_session *session, bool on);
/* The thread's process runs a program that we have not seen yet: watch its loader, if LT_LOAD is
 * subscribed. */
void lt_loads_begin(lt_thread *thread);
/* The thread stands in the loader's function. */
enum lt_verdict lt_loads_on_break(lt_thread *thread);

#endif
