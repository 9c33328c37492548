/* x86_debug.c - the x86 debug registers: DR0 to DR3 hold addresses, DR7 what is watched for there,
 * DR6 tells which has hit. */
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "kernel.h"
#include "watchpoints.h"
#include "x86_state.h"

#define STATUS 6
#define CONTROL 7

/* A failure is believed when repeated, as in lt_request(): a register that stays armed would kill. */
static int poke(pid_t tid, unsigned index, uint64_t value)
{
  uintptr_t at = offsetof(struct user, u_debugreg) + index * sizeof(long);
  long error = lt_k_ptrace(PTRACE_POKEUSER, tid, at, value);
  return (int)(error ? lt_k_ptrace(PTRACE_POKEUSER, tid, at, value) : 0);
}

static uint64_t control_bits(const struct lt_debug_slot *slot, unsigned index)
{
  static const uint8_t lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
  uint64_t access = slot->kind == LT_WATCH_WRITE ? 1 : slot->kind == LT_WATCH_ACCESS ? 3 : 0;
  uint64_t length = slot->kind == LT_WATCH_EXECUTE ? 0 : lengths[slot->size];
  return (uint64_t)1 << 2 * index | (access | length << 2) << (16 + 4 * index);
}

/* The kernel checks an address by what DR7 says of it, so DR7 is written first and last. */
int lt_x86_set_debug(lt_thread *thread, const struct lt_debug_slot *slots)
{
  uint64_t control = 0;
  int error = poke(thread->tid, CONTROL, 0);
  for (unsigned i = 0; i < LT_DEBUG_SLOTS && !error; i++) {
    if (!slots[i].kind)
      continue;
    error = poke(thread->tid, i, slots[i].addr);
    control |= control_bits(&slots[i], i);
  }
  return error || !control ? error : poke(thread->tid, CONTROL, control);
}

int lt_x86_take_debug(lt_thread *thread, unsigned *ret)
{
  unsigned long status = 0;
  uint64_t at = offsetof(struct user, u_debugreg) + STATUS * sizeof(long);
  int error = lt_k_peek_user(thread->tid, at, &status);
  if (error)
    error = lt_k_peek_user(thread->tid, at, &status);
  *ret = error ? 0 : status & 0xf;
  return error ? error : poke(thread->tid, STATUS, 0);
}

/* int1, also known as icebp */
bool lt_x86_is_after_trap(lt_thread *thread)
{
  const uint8_t int1 = 0xf1;
  uint64_t pc;
  uint8_t byte;
  return lt_thread_pc(thread, &pc) == 0 && lt_mem_read(thread, pc - 1, &byte, 1) == 1 &&
         byte == int1;
}
