/* task.c - the task table: which threads and processes there are. Births, exec and deaths change
 * it (births.c, deaths.c); nothing else does. */
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include "aggregate.h"
#include "breaks.h"
#include "cpu.h"
#include "filter.h"
#include "goroutines.h"
#include "probe.h"
#include "steps.h"

lt_thread *lt_task_thread(lt_session *session, pid_t tid)
{
  lt_thread *thread;
  HASH_FIND_INT(session->threads, &tid, thread);
  return thread;
}

lt_process *lt_task_process(lt_session *session, pid_t pid)
{
  lt_process *process;
  HASH_FIND_INT(session->processes, &pid, process);
  return process;
}

lt_process *lt_task_new_process(lt_session *session, pid_t pid, enum lt_how how)
{
  lt_process *process = calloc(1, sizeof *process);
  if (!process)
    return NULL;
  process->session = session;
  process->pid = pid;
  process->how = how;
  process->spawn_pipe = -1;
  process->mem_fd = -1;
  process->space = lt_space_new();
  if (!process->space) {
    free(process);
    return NULL;
  }
  HASH_ADD_INT(session->processes, pid, process);
  return process;
}

/* process is NULL for an orphan. */
lt_thread *lt_task_new_thread(lt_session *session, lt_process *process, pid_t tid, enum lt_how how)
{
  lt_thread *thread = calloc(1, sizeof *thread);
  if (!thread)
    return NULL;
  thread->session = session;
  thread->tid = tid;
  thread->how = how;
  thread->state = LT_ST_NEWBORN;
  HASH_ADD_INT(session->threads, tid, thread);
  if (process)
    lt_task_bind(thread, process);
  return thread;
}

void lt_task_bind(lt_thread *thread, lt_process *process)
{
  thread->process = process;
  DL_APPEND(process->threads, thread);
}

void lt_task_rekey(lt_thread *thread, pid_t tid)
{
  lt_session *session = thread->session;
  HASH_DEL(session->threads, thread);
  thread->tid = tid;
  HASH_ADD_INT(session->threads, tid, thread);
}

void lt_task_free_process(lt_process *process)
{
  lt_session *session = process->session;
  if (session->hooks.process_freed && !process->silent)
    session->hooks.process_freed(session->data, process);
  if (process->spawn_pipe >= 0)
    close(process->spawn_pipe);
  lt_mem_forget(process);
  lt_goroutines_free(process);
  lt_filter_leave(process);
  lt_aggregate_process_gone(process);
  struct lt_space *space = process->space && process->space->processes > 1 ? process->space : NULL;
  lt_space_leave(process->space);
  HASH_DEL(session->processes, process);
  if (space)
    lt_sites_left(session, space);
  free(process);
}

void lt_task_free_thread(lt_thread *thread)
{
  lt_session *session = thread->session;
  lt_process *process = thread->process;
  thread->state = LT_ST_DEAD;
  session->silent -= thread->silent;
  if (session->hooks.thread_freed && !thread->silent)
    session->hooks.thread_freed(session->data, thread);
  HASH_DEL(session->threads, thread);
  lt_cpu_gone(thread);
  lt_freeze_forget(thread);
  lt_probe_thread_gone(thread);
  lt_remote_free(thread);
  lt_function_free_all(thread);
  lt_steps_free(thread);
  lt_returns_free(thread);
  lt_aggregate_thread_gone(thread);
  lt_resent_free(thread);
  lt_slot_step_free(thread);
  if (process) {
    lt_scratch_release(thread);
    lt_results_forget(thread);
    DL_DELETE(process->threads, thread);
  }
  lt_regs_free(thread);
  lt_capture_free(thread);
  free(thread);
  if (process && !process->threads)
    lt_task_free_process(process);
  else if (process && session->silent)
    lt_silence_rest(process); /* that was perhaps the last one that the caller knew of */
}

void lt_task_free_all(lt_session *session)
{
  lt_thread *thread, *next;
  HASH_ITER(hh, session->threads, thread, next)
    lt_task_free_thread(thread);
  struct lt_stray *stray, *next_stray;
  HASH_ITER(hh, session->strays, stray, next_stray) {
    HASH_DEL(session->strays, stray); /* NOLINT(clang-analyzer-unix.Malloc): of another element */
    free(stray);
  }
}
