/* registers.c - a stopped thread's registers: fetched at the first look, changed here, written back
 * before the thread runs. */
#include "registers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int lt_touch(lt_thread *thread)
{
  int error = lt_thread_access(thread);
  if (error == -EBUSY)
    lt_fail(thread->session, error,
            "thread %d is running; only a stopped thread's registers and memory can be used",
            (int)thread->tid);
  else if (error)
    lt_fail(thread->session, error, "thread %d is gone", (int)thread->tid);
  return error;
}

int lt_touch_failed(lt_thread *thread, int error, const char *what)
{
  lt_fail(thread->session, error, "cannot %s of thread %d: %s", what, (int)thread->tid,
          error == -ESRCH ? "it is gone" : strerror(-error));
  return lt_thread_failed(thread, error);
}

void lt_regs_forget(lt_thread *thread)
{
  struct lt_regs *regs = &thread->regs;
  regs->general_valid = regs->general_dirty = regs->pc_dirty = false;
  regs->vector_valid = regs->vector_dirty = false;
}

void lt_regs_free(lt_thread *thread)
{
  lt_regs_forget(thread);
  free(thread->regs.vector);
  thread->regs.vector = NULL;
}

/* What could not be written back stays to be written: the caller may try again. */
int lt_regs_flush(lt_thread *thread)
{
  const struct lt_arch *native = lt_arch_native();
  struct lt_regs *regs = &thread->regs;
  int error = 0;
  if (regs->general_dirty)
    error = native->flush_general(thread->tid, regs);
  else if (regs->pc_dirty)
    error = native->flush_pc(thread->tid, regs);
  regs->general_dirty = regs->general_dirty && error;
  regs->pc_dirty = regs->pc_dirty && error;
  if (!error && regs->vector_dirty) {
    error = native->flush_vector(thread->tid, regs);
    regs->vector_dirty = error;
  }
  return error ? lt_touch_failed(thread, error, "write the registers") : 0;
}

/* A failure is believed when repeated, as in lt_request(). */
static int fetch(lt_thread *thread, int (*how)(pid_t, struct lt_regs *), const char *what)
{
  int error = -ESRCH;
  for (int i = 0; i < 3 && error && lt_thread_access(thread) == 0; i++) {
    error = how(thread->tid, &thread->regs);
    if (error)
      error = lt_touch_failed(thread, error, what);
  }
  return error;
}

static int fetch_general(lt_thread *thread)
{
  int error = lt_touch(thread);
  if (error || thread->regs.general_valid)
    return error;
  error = fetch(thread, lt_arch_native()->fetch_general, "read the registers");
  thread->regs.general_valid = error == 0;
  return error;
}

static int fetch_vector(lt_thread *thread)
{
  struct lt_regs *regs = &thread->regs;
  if (regs->vector_valid)
    return 0;
  if (!regs->vector && !(regs->vector = calloc(1, LT_VECTOR_BYTES)))
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  int error = fetch(thread, lt_arch_native()->fetch_vector, "read the vector registers");
  regs->vector_valid = error == 0;
  return error;
}

int lt_regs_general(lt_thread *thread, const struct lt_regs **ret)
{
  int error = fetch_general(thread);
  *ret = &thread->regs;
  return error;
}

int lt_regs_change(lt_thread *thread, struct lt_regs **ret)
{
  int error = fetch_general(thread);
  *ret = &thread->regs;
  if (!error)
    thread->regs.general_dirty = true;
  return error;
}

int lt_regs_set_pc(lt_thread *thread, uint64_t pc)
{
  int error = fetch_general(thread);
  if (error)
    return error;
  lt_arch_native()->set_pc(&thread->regs, pc);
  thread->regs.pc_dirty = true;
  return 0;
}

int lt_regs_vector(lt_thread *thread, struct lt_regs **ret)
{
  int error = fetch_general(thread);
  if (!error)
    error = fetch_vector(thread);
  *ret = &thread->regs;
  if (!error)
    thread->regs.vector_dirty = true;
  return error;
}

enum lt_abi lt_thread_abi(lt_thread *thread)
{
  return fetch_general(thread) ? lt_arch_native()->abi : lt_arch_of(&thread->regs);
}

const struct lt_reg *lt_reg_table(enum lt_abi abi, size_t *ret)
{
  const struct lt_arch *arch = lt_arch_get(abi);
  *ret = arch ? arch->count : 0;
  return arch ? arch->table : NULL;
}

static int compare_name(const void *name, const void *reg)
{
  return strcmp(name, ((const struct lt_reg *)reg)->name);
}

const struct lt_reg *lt_reg_find(enum lt_abi abi, const char *name)
{
  size_t count;
  const struct lt_reg *table = lt_reg_table(abi, &count);
  return table ? bsearch(name, table, count, sizeof *table, compare_name) : NULL;
}

/* Fetch what `reg` is a part of, and find the functions that know it. */
static int prepare(lt_thread *thread, const struct lt_reg *reg, const struct lt_arch **ret)
{
  int error = fetch_general(thread);
  if (error)
    return error;
  *ret = lt_arch_get(lt_arch_of(&thread->regs));
  return (*ret)->is_vector(reg) ? fetch_vector(thread) : 0;
}

static int missing(lt_thread *thread, const struct lt_reg *reg, int error)
{
  return lt_fail(thread->session, error, "this processor has no register %s", reg->name);
}

int lt_reg_get(lt_thread *thread, const struct lt_reg *reg, void *ret)
{
  const struct lt_arch *arch;
  int error = prepare(thread, reg, &arch);
  if (error)
    return error;
  error = arch->get(&thread->regs, reg, ret);
  return error ? missing(thread, reg, error) : 0;
}

/* Write back a register that the kernel judges; a refused value leaves the thread as it was. */
static int flush_checked(lt_thread *thread, const struct lt_reg *reg)
{
  int error = lt_regs_flush(thread);
  if (error)
    lt_regs_forget(thread);
  if (error != -EIO && error != -EINVAL)
    return error;
  return lt_fail(thread->session, -EINVAL, "the kernel refuses this value of %s", reg->name);
}

int lt_reg_set(lt_thread *thread, const struct lt_reg *reg, const void *value)
{
  const struct lt_arch *arch;
  struct lt_regs *regs = &thread->regs;
  int error = prepare(thread, reg, &arch);
  if (!error && arch->is_checked(reg))
    error = lt_regs_flush(thread); /* what was set before must not be lost with a refused value */
  if (error)
    return error;
  error = arch->set(regs, reg, value);
  if (error)
    return missing(thread, reg, error);
  if (arch->is_vector(reg))
    regs->vector_dirty = true;
  else
    regs->general_dirty = true;
  /* At an entry the call is still to be made, and without its number it would not be. */
  if (arch->is_pc(reg) && thread->stop.kind != LT_SYSCALL_ENTRY)
    arch->cancel_restart(regs);
  return arch->is_checked(reg) ? flush_checked(thread, reg) : 0;
}

int lt_thread_pc(lt_thread *thread, uint64_t *ret)
{
  int error = fetch_general(thread);
  if (!error)
    *ret = lt_arch_get(lt_arch_of(&thread->regs))->pc(&thread->regs);
  return error;
}

int lt_thread_sp(lt_thread *thread, uint64_t *ret)
{
  int error = fetch_general(thread);
  if (!error)
    *ret = lt_arch_get(lt_arch_of(&thread->regs))->sp(&thread->regs);
  return error;
}
