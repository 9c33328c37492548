/* signals.h - signals that are sent to luatrace itself. */
#ifndef LT_SIGNALS_H
#define LT_SIGNALS_H

#include "binding.h"

/* Install the handlers, where the disposition was the default one. After lt_session_create(),
 * which remembers the dispositions for what is launched. */
void bind_signals_install(struct binding *binding);
/* The session is about to be freed: what arrives from now on changes nothing. */
void bind_signals_session_over(void);
/* The signals that luatrace ignores and was not started ignoring. */
void bind_signals_ignored(sigset_t *ret);
/* The loop is back from the engine: act on what came in. May decide the end of the run. */
void bind_signals_noticed(struct binding *binding);
/* After the run, while processes that were let go are still attended to: whether luatrace has been
 * told to end. */
bool bind_signals_terminated(void);
/* From the hook: the launched program was stopped by job control. */
void bind_signals_program_stopped(struct binding *binding);
/* End as the run ended: by its exit code, or by its signal. */
_Noreturn void bind_signals_exit(const struct bind_ending *end);

#endif
