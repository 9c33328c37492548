/* log.h - logs of system calls (log.c), which quick.c runs. */
#ifndef LT_BIND_LOG_H
#define LT_BIND_LOG_H

#include "compat.h"

struct bind_log;
struct bind_thread;

/* The log at this index, or NULL. */
struct bind_log *bind_log_test(lua_State *L, int index);
/* The thread stands at the entry, or at the exit, of a call. Can raise. */
void bind_log_entry(lua_State *L, struct bind_log *log, const struct bind_thread *box);
void bind_log_exit(lua_State *L, struct bind_log *log, const struct bind_thread *box);

#endif
