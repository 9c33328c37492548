/* tracee.c - see tracee.h. */
#include "tracee.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tracee *new_tracee(pid_t pid, pid_t tid)
{
  struct tracee *tracee = calloc(1, sizeof *tracee);
  assert_non_null(tracee);
  tracee->process.session = &tracee->session;
  tracee->process.pid = pid;
  tracee->process.space = &tracee->space;
  tracee->process.mem_fd = -1;
  tracee->process.threads = &tracee->thread;
  tracee->thread.session = &tracee->session;
  tracee->thread.process = &tracee->process;
  tracee->thread.tid = tid;
  tracee->thread.state = LT_ST_STOPPED;
  return tracee;
}

struct tracee *tracee_start(void (*body)(void *), void *data)
{
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (ptrace(PTRACE_TRACEME, 0, 0, 0))
      _exit(99);
    raise(SIGSTOP);
    body(data);
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFSTOPPED(status));
  long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
  assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, 0, options), 0);
  return new_tracee(pid, pid);
}

void tracee_idle(void *data)
{
  (void)data;
  for (;;)
    pause();
}

static void exec_i386(void *data)
{
  static char *empty[] = {NULL};
  fexecve(*(int *)data, empty, empty);
  _exit(98);
}

struct tracee *tracee_start_i386(void)
{
  int fd = tracee_i386_image();
  struct tracee *tracee = tracee_start(exec_i386, &fd);
  close(fd);
  int status = tracee_resume(tracee, PTRACE_CONT, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 98) {
    tracee_end(tracee);
    return NULL; /* this kernel runs no 32-bit programs */
  }
  assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
  return tracee;
}

struct tracee *tracee_seize(pid_t pid, pid_t tid)
{
  int status;
  assert_int_equal(ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_EXITKILL), 0);
  assert_int_equal(ptrace(PTRACE_INTERRUPT, tid, 0, 0), 0);
  assert_int_equal(waitpid(tid, &status, __WALL), tid);
  assert_true(WIFSTOPPED(status));
  return new_tracee(pid, tid);
}

int tracee_resume(struct tracee *tracee, int request, int signo)
{
  lt_thread *thread = &tracee->thread;
  assert_int_equal(lt_regs_flush(thread), 0);
  lt_regs_forget(thread);
  assert_int_equal(ptrace(request, thread->tid, 0, signo), 0);
  int status;
  assert_int_equal(waitpid(thread->tid, &status, __WALL), thread->tid);
  if (!WIFSTOPPED(status))
    thread->state = LT_ST_DEAD;
  return status;
}

void tracee_run_to_trap(struct tracee *tracee)
{
  int status = tracee_resume(tracee, PTRACE_CONT, 0);
  if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
    fail_msg("no SIGTRAP but status %x", (unsigned)status);
}

void tracee_run_to_exit(struct tracee *tracee, int code)
{
  int status = tracee_resume(tracee, PTRACE_CONT, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
    fail_msg("no exit with %d but status %x", code, (unsigned)status);
}

static void reap(pid_t tid)
{
  int status = 0;
  while (waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status))
    ;
}

void tracee_end(struct tracee *tracee)
{
  if (tracee->thread.state != LT_ST_DEAD) {
    kill(tracee->process.pid, SIGKILL);
    reap(tracee->thread.tid);
    if (tracee->thread.tid != tracee->process.pid)
      reap(tracee->process.pid);
  }
  lt_regs_free(&tracee->thread);
  lt_mem_forget(&tracee->process);
  free(tracee);
}

static const struct lt_reg *find(struct tracee *tracee, const char *name)
{
  const struct lt_reg *reg = lt_reg_find(lt_thread_abi(&tracee->thread), name);
  if (!reg)
    fail_msg("no register %s", name);
  return reg;
}

void tracee_get(struct tracee *tracee, const char *name, void *ret)
{
  assert_int_equal(lt_reg_get(&tracee->thread, find(tracee, name), ret), 0);
}

int tracee_set(struct tracee *tracee, const char *name, const void *value)
{
  return lt_reg_set(&tracee->thread, find(tracee, name), value);
}

uint64_t tracee_reg(struct tracee *tracee, const char *name)
{
  uint64_t value = 0;
  assert_true(find(tracee, name)->size <= sizeof value);
  tracee_get(tracee, name, &value);
  return value;
}

void tracee_set_reg(struct tracee *tracee, const char *name, uint64_t value)
{
  assert_true(find(tracee, name)->size <= sizeof value);
  assert_int_equal(tracee_set(tracee, name, &value), 0);
}

uint32_t tracee_random(uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}
