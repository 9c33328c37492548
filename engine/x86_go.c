/* x86_go.c - code that Go's compiler has made for x86-64: where the goroutine is, and the check for
 * room on its stack that most functions begin with. */
#include <string.h>

#include "engine.h"
#include "x86_state.h"

#define FLAG_CARRY 0x1
#define FLAG_ZERO 0x40

/* Whether `g` is the goroutine that runs on this stack: its struct begins with the stack's bounds. */
static bool is_goroutine(lt_thread *thread, uint64_t g, uint64_t sp, uint64_t *ret_top)
{
  uint64_t bounds[2];
  if (g == 0 || g % sizeof g != 0 ||
      lt_mem_read(thread, g, bounds, sizeof bounds) != (ssize_t)sizeof bounds)
    return false;
  *ret_top = bounds[1];
  return bounds[0] < sp && sp <= bounds[1];
}

bool lt_x86_go_abi(lt_thread *thread, const struct lt_regs *regs)
{
  uint64_t top;
  if (!lt_x86_is_64(regs))
    return false;
  const struct user_regs_struct *user = lt_x86_view(regs);
  return is_goroutine(thread, user->r14, user->rsp, &top);
}

bool lt_x86_goroutine(lt_thread *thread, uint64_t *ret_g, uint64_t *ret_top)
{
  const struct lt_regs *regs;
  if (lt_regs_general(thread, &regs) != 0 || !lt_x86_is_64(regs))
    return false;
  const struct user_regs_struct *user = lt_x86_view(regs);
  *ret_g = user->r14;
  if (is_goroutine(thread, *ret_g, user->rsp, ret_top))
    return true;
  uint64_t at = user->fs_base - sizeof *ret_g;
  return user->fs_base != 0 &&
         lt_mem_read(thread, at, ret_g, sizeof *ret_g) == (ssize_t)sizeof *ret_g &&
         is_goroutine(thread, *ret_g, user->rsp, ret_top);
}

/* ---- The check ---------------------------------------------------------------------------- */

/* [lea r12, [rsp - N]]; cmp rsp or r12, [r14 + 0x10]; jbe: small and middling frames. */
size_t lt_x86_stack_check(const uint8_t *code, size_t size)
{
  static const uint8_t near[] = {0x4c, 0x8d, 0x64, 0x24}, far[] = {0x4c, 0x8d, 0xa4, 0x24};
  static const uint8_t small[] = {0x49, 0x3b, 0x66, 0x10}, large[] = {0x4d, 0x3b, 0x66, 0x10};
  size_t at = 0;
  if (size < 16)
    return 0;
  if (memcmp(code, near, sizeof near) == 0)
    at = sizeof near + 1;
  else if (memcmp(code, far, sizeof far) == 0)
    at = sizeof far + 4;
  if (memcmp(code + at, at ? large : small, sizeof small) != 0)
    return 0;
  at += sizeof small;
  bool jumps = code[at] == 0x76 || (code[at] == 0x0f && code[at + 1] == 0x86);
  return jumps ? at : 0;
}

bool lt_x86_begins_again(const struct lt_regs *regs)
{
  return lt_x86_view(regs)->eflags & (FLAG_CARRY | FLAG_ZERO);
}
