/* proc.h - what /proc says about a process, for the fields of t and p. All of these return nil or
 * 0 where /proc has no answer: the process may just have ended. */
#ifndef LT_BINDING_PROC_H
#define LT_BINDING_PROC_H

#include "binding.h"

/* Push the contents of /proc/PID/task/TID/NAME (/proc/PID/NAME if tid is 0). */
void bind_proc_push_file(lua_State *L, pid_t pid, pid_t tid, const char *name, bool chop_newline);
/* Push where the link /proc/PID/NAME points to. */
void bind_proc_push_link(lua_State *L, pid_t pid, const char *name);
/* Push the list of the process's arguments. */
void bind_proc_push_cmdline(lua_State *L, pid_t pid);
/* A thread's id as it sees it itself. */
long bind_proc_nspid(pid_t pid, pid_t tid);
long bind_proc_ppid(pid_t pid);

#endif
