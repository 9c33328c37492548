/* tracee.h - a stopped child under ptrace(2) and a thread handle for it, made without the engine's
 * event loop: for tests of registers and memory. */
#ifndef LT_TEST_TRACEE_H
#define LT_TEST_TRACEE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "task.h"

struct tracee {
  lt_session session;
  lt_process process;
  struct lt_space space;
  lt_thread thread;
};

/* Fork a child that stops itself and then runs `body`, which ends with exit code 0 if it returns.
 * The child stands in its first stop. */
struct tracee *tracee_start(void (*body)(void *), void *data);
/* A body that does nothing until it is killed. */
void tracee_idle(void *data);
/* The same with an i386 program (tracee_i386.c), stopped at its first instruction. */
struct tracee *tracee_start_i386(void);
/* Take over a thread of a child that runs untraced, and stop it. */
struct tracee *tracee_seize(pid_t pid, pid_t tid);
/* Write back registers, restart with PTRACE_CONT or another request, and wait for the next stop or
 * the end: the wait status. */
int tracee_resume(struct tracee *tracee, int request, int signo);
/* Restart and expect the program to stop at an int3. */
void tracee_run_to_trap(struct tracee *tracee);
/* Restart and expect the program to exit with `code`. */
void tracee_run_to_exit(struct tracee *tracee, int code);
/* Kill what is left of it and free everything. */
void tracee_end(struct tracee *tracee);

/* An integer register by name. */
uint64_t tracee_reg(struct tracee *tracee, const char *name);
void tracee_set_reg(struct tracee *tracee, const char *name, uint64_t value);
/* Any register. */
void tracee_get(struct tracee *tracee, const char *name, void *ret);
int tracee_set(struct tracee *tracee, const char *name, const void *value);

/* An ELF file for i386 that does what tracee_i386.c says, open for execution. */
int tracee_i386_image(void);
#define TRACEE_I386_DATA 0x08050000u /* where that program stores what it sees */

/* Numbers that look random and are the same in each run. */
uint32_t tracee_random(uint32_t *state);

#endif
