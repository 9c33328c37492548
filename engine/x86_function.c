/* x86_function.c - a function at its first instruction, and when it has returned, by the calling
 * conventions of both x86 ABIs: arguments, return address, result. */
#include <errno.h>
#include <string.h>

#include "engine.h"
#include "goroutines.h"
#include "x86_state.h"

#define X87_TOP_AT \
  2 /* the status word in the FXSAVE area; bits 11 to 13 are the top of the stack */
#define X87_TAGS_AT 4

static size_t word_of(const struct lt_regs *regs)
{
  return lt_x86_is_64(regs) ? sizeof(uint64_t) : sizeof(uint32_t);
}

static uint64_t sp_of(const struct lt_regs *regs)
{
  uint64_t sp = lt_x86_view(regs)->rsp;
  return lt_x86_is_64(regs) ? sp : (uint32_t)sp;
}

static int read_word(lt_thread *thread, uint64_t addr, size_t size, uint64_t *ret)
{
  *ret = 0;
  ssize_t done = lt_mem_read(thread, addr, ret, size);
  if (done < 0)
    return (int)done;
  return done == (ssize_t)size ? 0 : -EFAULT;
}

/* ---- Arguments ---------------------------------------------------------------------------- */

/* Whether the thread is in a function that Go's compiler has made. */
static bool is_go(lt_thread *thread, const struct lt_regs *regs)
{
  return lt_x86_is_64(regs) && lt_is_go_code(thread, lt_x86_view(regs)->rip) &&
         lt_x86_go_abi(thread, regs);
}

/* Where integer argument `index` is: true and a word of general[], or false and an address. */
static bool find_arg(lt_thread *thread, const struct lt_regs *regs, unsigned index, uint64_t *ret)
{
  static const uint8_t in_registers[] = {
      offsetof(struct user_regs_struct, rdi), offsetof(struct user_regs_struct, rsi),
      offsetof(struct user_regs_struct, rdx), offsetof(struct user_regs_struct, rcx),
      offsetof(struct user_regs_struct, r8),  offsetof(struct user_regs_struct, r9),
  };
  static const uint8_t in_go[] = {
      offsetof(struct user_regs_struct, rax), offsetof(struct user_regs_struct, rbx),
      offsetof(struct user_regs_struct, rcx), offsetof(struct user_regs_struct, rdi),
      offsetof(struct user_regs_struct, rsi), offsetof(struct user_regs_struct, r8),
      offsetof(struct user_regs_struct, r9),  offsetof(struct user_regs_struct, r10),
      offsetof(struct user_regs_struct, r11),
  };
  bool go = is_go(thread, regs);
  const uint8_t *places = go ? in_go : in_registers;
  unsigned registers = go ? sizeof in_go : lt_x86_is_64(regs) ? sizeof in_registers : 0;
  if (index < registers) {
    *ret = places[index] / sizeof(uint64_t);
    return true;
  }
  *ret = sp_of(regs) + word_of(regs) * (1 + index - registers);
  return false;
}

int lt_x86_function_arg(lt_thread *thread, unsigned index, uint64_t *ret)
{
  const struct lt_regs *regs;
  uint64_t where;
  int error = lt_regs_general(thread, &regs);
  if (error)
    return error;
  if (!find_arg(thread, regs, index, &where))
    return read_word(thread, where, word_of(regs), ret);
  *ret = regs->general[where];
  return 0;
}

int lt_x86_set_function_arg(lt_thread *thread, unsigned index, uint64_t value)
{
  struct lt_regs *regs;
  uint64_t where;
  int error = lt_regs_change(thread, &regs);
  if (error)
    return error;
  if (find_arg(thread, regs, index, &where)) {
    regs->general[where] = value;
    return 0;
  }
  size_t size = word_of(regs);
  ssize_t done = lt_mem_write(thread, where, &value, size);
  if (done < 0)
    return (int)done;
  return done == (ssize_t)size ? 0 : -EFAULT;
}

/* ---- Returning ---------------------------------------------------------------------------- */

int lt_x86_function_return(lt_thread *thread, uint64_t *ret_pc, uint64_t *ret_sp)
{
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  if (error)
    return error;
  *ret_sp = sp_of(regs) + word_of(regs);
  return read_word(thread, sp_of(regs), word_of(regs), ret_pc);
}

int64_t lt_x86_integer_result(const struct lt_regs *regs)
{
  const struct user_regs_struct *user = lt_x86_view(regs);
  if (lt_x86_is_64(regs))
    return (int64_t)user->rax;
  return (int64_t)((uint64_t)(uint32_t)user->rdx << 32 | (uint32_t)user->rax);
}

static void set_integer_result(struct lt_regs *regs, const struct lt_fn_arg *result)
{
  struct user_regs_struct *user = lt_x86_user(regs);
  if (lt_x86_is_64(regs)) {
    user->rax = result->integer;
    return;
  }
  user->rax = (uint32_t)result->integer;
  if (result->type == LT_FN_INT64)
    user->rdx = result->integer >> 32;
}

static void set_xmm0(struct lt_regs *regs, const struct lt_fn_arg *result)
{
  const struct lt_reg xmm0 = XMM("xmm0", 0);
  uint8_t bytes[16] = {0};
  float narrow = (float)result->number;
  if (result->type == LT_FN_FLOAT)
    memcpy(bytes, &narrow, sizeof narrow);
  else
    memcpy(bytes, &result->number, sizeof result->number);
  lt_x86_set(regs, &xmm0, bytes);
}

/* A result is the only thing on the x87 stack. */
static void set_st0(struct lt_regs *regs, const struct lt_fn_arg *result)
{
  const struct lt_reg st0 = ST("st0", 0);
  long double value = result->number;
  uint16_t status;
  lt_x86_set(regs, &st0, &value);
  memcpy(&status, regs->vector + X87_TOP_AT, sizeof status);
  status = (uint16_t)(status | 7 << 11);
  memcpy(regs->vector + X87_TOP_AT, &status, sizeof status);
  regs->vector[X87_TAGS_AT] = 0x80;
}

int lt_x86_set_result(lt_thread *thread, const struct lt_fn_arg *result)
{
  struct lt_regs *regs;
  bool number = result->type == LT_FN_DOUBLE || result->type == LT_FN_FLOAT;
  int error = lt_regs_change(thread, &regs);
  if (error || !number) {
    if (!error)
      set_integer_result(regs, result);
    return error;
  }
  error = lt_regs_vector(thread, &regs);
  if (error)
    return error;
  if (lt_x86_is_64(regs))
    set_xmm0(regs, result);
  else
    set_st0(regs, result);
  return 0;
}

int lt_x86_function_skip(lt_thread *thread, const struct lt_fn_arg *result)
{
  struct lt_regs *regs;
  uint64_t pc, sp;
  int error = lt_x86_function_return(thread, &pc, &sp);
  if (error == 0)
    error = lt_x86_set_result(thread, result);
  if (error == 0)
    error = lt_regs_change(thread, &regs);
  if (error)
    return error;
  lt_x86_user(regs)->rip = pc;
  lt_x86_user(regs)->rsp = sp;
  return 0;
}
