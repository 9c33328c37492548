/* results.c - what a call with changed arguments gives back to the program: a result in terms of
 * the program's own buffer, and the parts of a struct that the kernel wrote where we had put it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define RESTART_BLOCK 516 /* the kernel goes on with the call by restart_syscall(2) */
#define BACK_MAX 4096     /* longest part of an element */

static int check_entry(lt_thread *thread)
{
  return lt_call_check(thread, LT_SYSCALL_ENTRY, "what a call gives back is said at its entry");
}

int lt_call_count(lt_thread *thread, uint64_t own, uint64_t ours)
{
  struct lt_results *results = &thread->results;
  int error = check_entry(thread);
  if (error)
    return error;
  if (!results->counts)
    results->own = own;
  results->ours = ours;
  results->counts = true;
  return 0;
}

int lt_call_copy_back(lt_thread *thread, const struct lt_back *back)
{
  struct lt_results *results = &thread->results;
  int error = check_entry(thread);
  if (error)
    return error;
  if (back->size == 0 || back->size > BACK_MAX)
    return lt_fail(thread->session, -EINVAL, "%u bytes cannot be copied back",
                   (unsigned)back->size);
  struct lt_back *all = realloc(results->back, (results->backs + 1) * sizeof *all);
  if (!all)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  all[results->backs++] = *back;
  results->back = all;
  return 0;
}

/* Never 0 for a part of our bytes: to many programs that is an end or an error. */
static int64_t scaled(const struct lt_results *results, int64_t ret)
{
  if ((uint64_t)ret >= results->ours)
    return (int64_t)results->own;
  uint64_t part = (uint64_t)((unsigned __int128)(uint64_t)ret * results->own / results->ours);
  return ret > 0 && part == 0 && results->own > 0 ? 1 : (int64_t)part;
}

static void copy_back(lt_thread *thread, const struct lt_back *back)
{
  char bytes[BACK_MAX];
  for (uint32_t i = 0; i < back->count; i++) {
    uint64_t from = back->from + (uint64_t)i * back->step;
    uint64_t to = back->to + (uint64_t)i * back->step;
    if (lt_mem_read(thread, from, bytes, back->size) != (ssize_t)back->size ||
        lt_mem_write(thread, to, bytes, back->size) != (ssize_t)back->size)
      return; /* the program has unmapped it: the kernel would have said EFAULT or nothing */
  }
}

void lt_results_give(lt_thread *thread)
{
  struct lt_results *results = &thread->results;
  struct lt_call *call = &thread->call;
  struct lt_regs *regs;
  for (unsigned i = 0; i < results->backs; i++)
    copy_back(thread, &results->back[i]);
  if (!results->counts || call->ret < 0 || thread->skipped)
    return;
  int64_t ret = scaled(results, call->ret);
  if (ret != call->ret && lt_regs_change(thread, &regs) == 0) {
    lt_arch_get((enum lt_abi)call->abi)->set_call_ret(regs, ret);
    call->ret = ret;
  }
}

bool lt_results_wait(const lt_thread *thread)
{
  return thread->call.done && thread->call.ret == -RESTART_BLOCK &&
         (thread->uses_scratch || thread->results.backs > 0);
}

void lt_results_forget(lt_thread *thread)
{
  free(thread->results.back);
  memset(&thread->results, 0, sizeof thread->results);
}
