/* enter.c - functions at their first instruction and where they have returned to, for the caller. */
#include <errno.h>

#include "registers.h"

static int arch_at(lt_thread *thread, const struct lt_arch **ret)
{
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (!error)
    *ret = lt_arch_get(lt_arch_of(regs));
  return error;
}

int lt_function_arg(lt_thread *thread, unsigned index, uint64_t *ret)
{
  const struct lt_arch *arch;
  int error = arch_at(thread, &arch);
  if (error)
    return error;
  error = arch->function_arg(thread, index, ret);
  if (error)
    lt_fail(thread->session, error, "thread %d: argument %u is on the stack and cannot be read",
            (int)thread->tid, index + 1);
  return error;
}

int lt_function_set_arg(lt_thread *thread, unsigned index, uint64_t value)
{
  const struct lt_arch *arch;
  int error = arch_at(thread, &arch);
  if (error)
    return error;
  if (arch->word == 4 && (int64_t)value != (int32_t)value && value > UINT32_MAX)
    return lt_fail(thread->session, -ERANGE, "the value does not fit into 32 bits");
  error = arch->set_function_arg(thread, index, value);
  if (error)
    lt_fail(thread->session, error, "thread %d: argument %u is on the stack and cannot be written",
            (int)thread->tid, index + 1);
  return error;
}

int lt_function_back(lt_thread *thread, uint64_t *ret_pc, uint64_t *ret_sp)
{
  const struct lt_arch *arch;
  int error = arch_at(thread, &arch);
  return error ? error : arch->function_return(thread, ret_pc, ret_sp);
}

int lt_function_skip(lt_thread *thread, const struct lt_fn_arg *result)
{
  const struct lt_arch *arch;
  int error = arch_at(thread, &arch);
  return error ? error : arch->function_skip(thread, result);
}

int lt_function_result(lt_thread *thread, struct lt_fn_arg *ret)
{
  const struct lt_arch *arch;
  struct lt_fn_result result;
  struct lt_regs *regs;
  int error = arch_at(thread, &arch);
  if (error)
    return error;
  if (ret->type != LT_FN_DOUBLE && ret->type != LT_FN_FLOAT) {
    uint64_t value = (uint64_t)arch->integer_result(&thread->regs);
    ret->integer = ret->type == LT_FN_INT && arch->word == 4 ? (uint32_t)value : value;
    return 0;
  }
  bool dirty = thread->regs.vector_dirty;
  error = lt_regs_vector(thread, &regs);
  if (error)
    return error;
  regs->vector_dirty = dirty;
  arch->function_result(regs, &result);
  ret->number = ret->type == LT_FN_FLOAT ? result.single : result.number;
  return 0;
}

int lt_function_set_result(lt_thread *thread, const struct lt_fn_arg *result)
{
  const struct lt_arch *arch;
  int error = arch_at(thread, &arch);
  return error ? error : arch->set_result(thread, result);
}
