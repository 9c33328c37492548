/* step_sequence.c - restartable sequences (rseq(2)) are not stepped through.
 *
 * The kernel aborts a sequence in which a thread is stopped, so that one which is stepped never ends.
 * The thread runs to where it is left instead: to its end, to its abort handler, or to a target of
 * its branches. It begins with the instruction that stores its descriptor in the thread's rseq area:
 * which that is, is learnt when a step has run it, and so aborts the sequence for once. */
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "steps.h"

#define AREA_POINTER 8 /* offset of rseq_cs in struct rseq */
#define LENGTH_MAX 1024

/* struct rseq_cs, as the program has it. */
struct descriptor {
  uint32_t version, flags;
  uint64_t start, length, abort;
};

static void ask_kernel(lt_thread *thread, struct lt_sequences *sequences)
{
  struct __ptrace_rseq_configuration config = {0};
  long size =
      lt_k_ptrace(PTRACE_GET_RSEQ_CONFIGURATION, thread->tid, sizeof config, (uintptr_t)&config);
  sequences->known = true;
  sequences->area = size >= (long)sizeof config ? config.rseq_abi_pointer : 0;
}

/* Whether that is a sequence that the thread has begun and stands in. */
static bool is_inside(lt_thread *thread, uint64_t descriptor, uint64_t pc, struct descriptor *ret)
{
  return descriptor && lt_mem_read(thread, descriptor, ret, sizeof *ret) == sizeof *ret &&
         ret->length > 0 && ret->length <= LENGTH_MAX && pc - ret->start < ret->length;
}

static void learn(struct lt_sequences *sequences, const struct descriptor *inside)
{
  struct lt_sequence *sequence = &sequences->list[sequences->next++ % LT_SEQUENCES];
  *sequence =
      (struct lt_sequence){sequences->last_pc, inside->start, inside->length, inside->abort};
}

static const struct lt_sequence *beginning_at(const struct lt_sequences *sequences, uint64_t pc)
{
  for (unsigned i = 0; i < LT_SEQUENCES; i++)
    if (sequences->list[i].length && sequences->list[i].begin == pc)
      return &sequences->list[i];
  return NULL;
}

static void add_exit(struct lt_step_sites *exits, const struct lt_sequence *sequence, uint64_t addr)
{
  if (addr - sequence->start < sequence->length || exits->count == LT_STEP_SITES)
    return;
  for (unsigned i = 0; i < exits->count; i++)
    if (exits->at[i] == addr)
      return;
  exits->at[exits->count++] = addr;
}

/* Where the sequence can be left. */
static void find_exits(lt_thread *thread, const struct lt_regs *regs,
                       const struct lt_sequence *sequence, struct lt_step_sites *ret)
{
  uint8_t code[LENGTH_MAX];
  uint64_t targets[LT_STEP_SITES];
  *ret = (struct lt_step_sites){0};
  add_exit(ret, sequence, sequence->start + sequence->length);
  add_exit(ret, sequence, sequence->abort);
  if (lt_mem_read(thread, sequence->start, code, sequence->length) != (ssize_t)sequence->length)
    return;
  unsigned count =
      lt_arch_get(lt_arch_of(regs))
          ->branches(regs, code, sequence->length, sequence->start, targets, LT_STEP_SITES);
  for (unsigned i = 0; i < count; i++)
    add_exit(ret, sequence, targets[i]);
}

void lt_step_sequence_forget(struct lt_sequences *sequences)
{
  if (!sequences->area)
    sequences->known = false;
}

uint64_t lt_step_sequence_slot(lt_thread *thread)
{
  struct lt_sequences *sequences = &thread->steps->sequences;
  if (!sequences->known)
    ask_kernel(thread, sequences);
  return sequences->area ? sequences->area + AREA_POINTER : 0;
}

bool lt_step_sequence_begins(lt_thread *thread, const struct lt_regs *regs, uint64_t descriptor,
                             struct lt_step_sites *ret)
{
  struct lt_sequences *sequences = &thread->steps->sequences;
  uint64_t pc = thread->steps->pc;
  struct descriptor inside;
  const struct lt_sequence *sequence = beginning_at(sequences, pc);
  if (!sequence && is_inside(thread, descriptor, pc, &inside) &&
      !beginning_at(sequences, sequences->last_pc))
    learn(sequences, &inside);
  sequences->last_pc = pc;
  if (!sequence)
    return false;
  find_exits(thread, regs, sequence, ret);
  return true;
}
