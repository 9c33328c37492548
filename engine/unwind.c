/* unwind.c - from a function to its caller: see unwind.h.
 *
 * The rules of the file's unwind tables come first. Where there are none: the code that a signal
 * handler returns to is known by its bytes; at the first instructions of a function, and where there
 * is no code at all (a call of a wrong pointer), the return address is on top of the stack; else the
 * frame pointers are followed for as long as they lead to what follows a call. */
#include "unwind.h"

#include <errno.h>
#include <string.h>

#include "kernel.h"

#define FRAME_MAX ((uint64_t)64 << 20) /* farther up a frame pointer is not believed */

/* Code is not read through the window. What cannot be read is zeros. */
static bool read_code(struct lt_cursor *cursor, uint64_t addr, uint8_t *ret, size_t size)
{
  memset(ret, 0, size);
  return lt_mem_read(cursor->thread, lt_cursor_cut(cursor, addr), ret, size) == (ssize_t)size;
}

/* ---- Rules -------------------------------------------------------------------------------- */

static int find_cfa(struct lt_cursor *cursor, const struct lt_frame_row *row, uint64_t bias)
{
  struct lt_surroundings around;
  uint64_t value = 0;
  int error = -ENODATA;
  if (row->cfa.kind == LT_RULE_OFFSET) {
    error = lt_cursor_reg(cursor, row->cfa.number, &value);
    value += (uint64_t)row->cfa.offset;
  } else if (row->cfa.kind == LT_RULE_IS_EXPRESSION) {
    lt_cursor_around(cursor, bias, &around);
    around.cfa = NULL; /* not in terms of itself */
    error = lt_expression_value(&row->cfa.expression, &around, &value);
  }
  cursor->cfa_known = error == 0;
  cursor->cfa = lt_cursor_cut(cursor, value);
  return error;
}

int lt_cursor_cfa(struct lt_cursor *cursor, uint64_t *ret)
{
  uint64_t bias;
  if (!cursor->cfa_known) {
    const struct lt_frame_row *row = lt_frames_row(cursor->thread, lt_cursor_lookup(cursor), &bias);
    int error = row ? find_cfa(cursor, row, bias) : -ENODATA;
    if (error)
      return error;
  }
  *ret = cursor->cfa;
  return 0;
}

/* The caller's registers, while they are being found. */
struct caller {
  uint64_t reg[LT_FRAME_REGS], saved[LT_FRAME_REGS];
  uint32_t known, in_memory;
};

static void keep(const struct lt_cursor *cursor, struct caller *caller, unsigned number)
{
  caller->reg[number] = cursor->reg[number];
  caller->saved[number] = cursor->saved[number];
  caller->known |= cursor->known & 1u << number;
  caller->in_memory |= cursor->in_memory & 1u << number;
}

static int take_value(struct lt_cursor *cursor, struct caller *caller, unsigned number,
                      uint64_t value)
{
  caller->reg[number] = lt_cursor_cut(cursor, value);
  caller->known |= 1u << number;
  return 0;
}

static int take_memory(struct lt_cursor *cursor, struct caller *caller, unsigned number,
                       uint64_t addr)
{
  addr = lt_cursor_cut(cursor, addr);
  int error = lt_cursor_word(cursor, addr, &caller->reg[number]);
  if (error)
    return error;
  caller->saved[number] = addr;
  caller->known |= 1u << number;
  caller->in_memory |= 1u << number;
  return 0;
}

/* What the tables do not mention is kept if the ABI says so. What they call unchanged may be a scratch
 * register that they do not mention either. */
static int take_same(struct lt_cursor *cursor, struct caller *caller, unsigned number)
{
  if (cursor->arch->dwarf->kept >> number & 1)
    keep(cursor, caller, number);
  return 0;
}

static int apply_rule(struct lt_cursor *cursor, struct caller *caller, unsigned number,
                      const struct lt_rule *rule, uint64_t bias)
{
  struct lt_surroundings around;
  uint64_t value = 0;
  int error;
  switch (rule->kind) {
  case LT_RULE_SAVED:
    return take_memory(cursor, caller, number, cursor->cfa + (uint64_t)rule->offset);
  case LT_RULE_OFFSET:
    return take_value(cursor, caller, number, cursor->cfa + (uint64_t)rule->offset);
  case LT_RULE_REGISTER:
    error = lt_cursor_reg(cursor, rule->number, &value);
    return error ? error : take_value(cursor, caller, number, value);
  case LT_RULE_SAVED_AT:
  case LT_RULE_IS_EXPRESSION:
    lt_cursor_around(cursor, bias, &around);
    error = lt_expression_value(&rule->expression, &around, &value);
    if (error)
      return error;
    return rule->kind == LT_RULE_SAVED_AT ? take_memory(cursor, caller, number, value)
                                          : take_value(cursor, caller, number, value);
  default:
    return take_same(cursor, caller, number);
  }
}

/* By the rules of the tables. A register that cannot be found is unknown; without the return address
 * there is no caller. */
static enum lt_stack_end by_row(struct lt_cursor *cursor, const struct lt_frame_row *row,
                                uint64_t bias, struct caller *caller)
{
  const struct lt_dwarf_regs *dwarf = cursor->arch->dwarf;
  if (row->pc >= dwarf->count || find_cfa(cursor, row, bias))
    return LT_STACK_NO_RULES;
  if (row->rule[row->pc].kind == LT_RULE_UNKNOWN)
    return LT_STACK_COMPLETE;
  int error = 0;
  for (unsigned i = 0; i < dwarf->count; i++) {
    int problem = apply_rule(cursor, caller, i, &row->rule[i], bias);
    if (i == row->pc)
      error = problem;
  }
  if (row->pc != dwarf->pc) { /* the return address is in a column of its own */
    caller->reg[dwarf->pc] = caller->reg[row->pc];
    caller->known |= (caller->known >> row->pc & 1) << dwarf->pc;
  }
  if (!(caller->known >> dwarf->sp & 1))
    take_value(cursor, caller, dwarf->sp, cursor->cfa);
  if (caller->known >> dwarf->pc & 1)
    return LT_STACK_GOES_ON;
  return error == -EFAULT ? LT_STACK_NO_MEMORY : LT_STACK_NO_RULES;
}

/* ---- Without rules ------------------------------------------------------------------------ */

/* The one whose code is behind LT_CODE_BEFORE bytes of other code, or NULL. */
static const struct lt_trampoline *trampoline_at(const struct lt_arch *arch, const uint8_t *code)
{
  const struct lt_trampoline *one = arch->trampolines;
  while (one->size && memcmp(code + LT_CODE_BEFORE, one->code, one->size) != 0)
    one++;
  return one->size ? one : NULL;
}

static enum lt_stack_end by_trampoline(struct lt_cursor *cursor, const struct lt_trampoline *one,
                                       struct caller *caller)
{
  uint64_t at = cursor->sp + one->at;
  if (one->indirect && lt_cursor_word(cursor, at, &at))
    return LT_STACK_NO_MEMORY;
  for (unsigned i = 0; i < cursor->arch->dwarf->count; i++) {
    if (take_memory(cursor, caller, i, at + one->base + one->saved[i]))
      return LT_STACK_NO_MEMORY;
  }
  cursor->trampoline = true;
  return LT_STACK_GOES_ON;
}

/* Where a function may return to: behind a call, or where signal handlers do. */
static bool is_return(struct lt_cursor *cursor, uint64_t pc)
{
  uint8_t code[LT_CODE_BEFORE + LT_CODE_AFTER];
  uint64_t bias;
  if (!read_code(cursor, pc - LT_CODE_BEFORE, code, sizeof code))
    return false;
  if (cursor->arch->follows_call(code) || trampoline_at(cursor->arch, code))
    return true;
  const struct lt_frame_row *row = lt_frames_row(cursor->thread, pc, &bias);
  return row && row->is_signal;
}

/* The return address is at `addr`, if it looks like one. */
static bool return_at(struct lt_cursor *cursor, uint64_t addr, struct caller *caller)
{
  const struct lt_dwarf_regs *dwarf = cursor->arch->dwarf;
  uint64_t pc;
  if (lt_cursor_word(cursor, addr, &pc) || !is_return(cursor, pc))
    return false;
  for (unsigned i = 0; i < dwarf->count; i++)
    take_same(cursor, caller, i);
  take_memory(cursor, caller, dwarf->pc, addr);
  take_value(cursor, caller, dwarf->sp, addr + cursor->arch->word);
  return true;
}

static enum lt_stack_end by_frame_pointer(struct lt_cursor *cursor, struct caller *caller)
{
  unsigned fp = cursor->arch->dwarf->fp, word = cursor->arch->word;
  uint64_t at = cursor->reg[fp];
  if (!(cursor->known >> fp & 1))
    return LT_STACK_NO_RULES;
  if (!at) /* as the ABI marks the outermost frame */
    return LT_STACK_COMPLETE;
  if (at < cursor->sp || at - cursor->sp > FRAME_MAX || at % word)
    return LT_STACK_NO_RULES;
  if (!return_at(cursor, at + word, caller))
    return LT_STACK_NO_RULES;
  return take_memory(cursor, caller, fp, at) ? LT_STACK_NO_MEMORY : LT_STACK_GOES_ON;
}

/* How many words are above the return address on the stack; -1 if that cannot be told. */
static int return_words(struct lt_cursor *cursor, const uint8_t *code, bool is_code)
{
  struct lt_symbol symbol;
  if (!cursor->exact)
    return -1;
  if (!is_code)
    return 0;
  if (lt_symbol_at(cursor->thread->process, cursor->pc, &symbol) == 0 && symbol.name &&
      symbol.addr == cursor->pc)
    return 0;
  return cursor->arch->return_words(code);
}

static enum lt_stack_end by_guess(struct lt_cursor *cursor, struct caller *caller)
{
  const struct lt_arch *arch = cursor->arch;
  uint8_t code[LT_CODE_BEFORE + LT_CODE_AFTER];
  bool is_code = read_code(cursor, cursor->pc - LT_CODE_BEFORE, code, sizeof code);
  const struct lt_trampoline *one = is_code ? trampoline_at(arch, code) : NULL;
  if (one)
    return by_trampoline(cursor, one, caller);
  cursor->guessed = true;
  int words = return_words(cursor, code, is_code);
  if (words >= 0 && return_at(cursor, cursor->sp + (unsigned)words * arch->word, caller))
    return LT_STACK_GOES_ON;
  enum lt_stack_end end = by_frame_pointer(cursor, caller);
  if (end == LT_STACK_NO_RULES && cursor->exact && return_at(cursor, cursor->sp, caller))
    return LT_STACK_GOES_ON;
  return end;
}

/* ---- Frames ------------------------------------------------------------------------------- */

/* Stacks grow downwards, so callers are above; a signal handler may have a stack of its own. The
 * innermost function may have taken its return address off the stack (vfork). A stack that comes back
 * to a frame after powers of two of them goes round. */
static bool makes_progress(struct lt_cursor *cursor, uint64_t pc, uint64_t sp)
{
  if (!cursor->trampoline && (sp < cursor->sp || (sp == cursor->sp && !cursor->exact)))
    return false;
  if (pc == cursor->mark_pc && sp == cursor->mark_sp)
    return false;
  if (!(cursor->level & (cursor->level - 1))) {
    cursor->mark_pc = pc;
    cursor->mark_sp = sp;
  }
  return true;
}

static enum lt_stack_end find_caller(struct lt_cursor *cursor, struct caller *caller)
{
  uint64_t bias = 0;
  if (lt_thread_access(cursor->thread))
    return LT_STACK_GONE;
  const struct lt_frame_row *row = lt_frames_row(cursor->thread, lt_cursor_lookup(cursor), &bias);
  cursor->trampoline = row && row->is_signal;
  return row ? by_row(cursor, row, bias, caller) : by_guess(cursor, caller);
}

bool lt_cursor_up(struct lt_cursor *cursor)
{
  const struct lt_dwarf_regs *dwarf = cursor->arch->dwarf;
  struct caller caller = {.known = 0};
  cursor->end = find_caller(cursor, &caller);
  if (cursor->end != LT_STACK_GOES_ON)
    return false;
  uint64_t pc = caller.reg[dwarf->pc], sp = caller.reg[dwarf->sp];
  if (!pc && !cursor->trampoline) /* a signal may have interrupted a jump to 0 */
    cursor->end = LT_STACK_COMPLETE;
  else if (!makes_progress(cursor, pc, sp))
    cursor->end = LT_STACK_LOOPS;
  if (cursor->end != LT_STACK_GOES_ON)
    return false;
  memcpy(cursor->reg, caller.reg, sizeof cursor->reg);
  memcpy(cursor->saved, caller.saved, sizeof cursor->saved);
  cursor->known = caller.known;
  cursor->in_memory = caller.in_memory;
  cursor->exact = cursor->trampoline; /* what it interrupted has not run on */
  cursor->trampoline = cursor->cfa_known = false;
  cursor->level++;
  cursor->pc = pc;
  cursor->sp = sp;
  return true;
}

int lt_cursor_at(lt_thread *thread, unsigned level, struct lt_cursor *ret)
{
  int error = lt_cursor_start(thread, ret);
  while (!error && ret->level < level) {
    if (!lt_cursor_up(ret))
      error = -ENOENT;
  }
  return error;
}
