/* displace_cases.c - see displace_cases.h. */
#include "displace_cases.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "x86_displace.h"

#define NOP 0x90
#define HLT 0xf4
/* Below what AddressSanitizer keeps for itself, and far above. */
#define NARROW_AT 0x20000000u
#define WIDE_AT UINT64_C(0x400000000000)
#define REPEATS 20
#define REPORTS 20

/* How a run has ended. */
struct outcome {
  struct user_regs_struct regs;
  struct cases_xstate xstate;
  uint8_t data[CASES_DATA_BYTES];
  int signo, code; /* 0 if all went well */
  uint64_t addr;
  bool unfinished; /* a repeated instruction after REPEATS rounds */
  bool astray;     /* stopped where no instruction begins, or did not come out of the slot */
};

/* ---- The child ------------------------------------------------------------------------------- */

static uint8_t *map(uint64_t at, size_t size)
{
  int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  void *memory = mmap((void *)at, size, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0); // NOLINT
  assert_ptr_equal(memory, (void *)at);                                                    // NOLINT
  return memory;
}

static void map_all(struct cases_memory *memory, uint64_t at, bool wide)
{
  memory->code = map(at, CASES_CODE_BYTES);
  memory->target = map(at + 0x100000, CASES_PAGE);
  memset(memory->target, HLT, CASES_PAGE);
  assert_int_equal(mprotect(memory->target, CASES_PAGE, PROT_READ | PROT_EXEC), 0);
  memory->slot = map(at + 0x200000, CASES_PAGE);
  memory->far_slot = wide ? map(at + 0x100000000, CASES_PAGE) : NULL;
  memory->data = map(at + 0x300000, CASES_DATA_BYTES);
}

static void unmap_all(const struct cases_memory *memory)
{
  munmap(memory->code, CASES_CODE_BYTES);
  munmap(memory->target, CASES_PAGE);
  munmap(memory->slot, CASES_PAGE);
  munmap(memory->data, CASES_DATA_BYTES);
  if (memory->far_slot)
    munmap(memory->far_slot, CASES_PAGE);
}

static pid_t child(const struct cases *cases)
{
  return cases->tracee->thread.tid;
}

static struct iovec xstate_room(struct cases_xstate *xstate, size_t size)
{
  return (struct iovec){.iov_base = xstate->bytes, .iov_len = size};
}

static void fetch_xstate(const struct cases *cases, struct cases_xstate *ret)
{
  struct iovec room = xstate_room(ret, sizeof ret->bytes);
  memset(ret->bytes, 0, sizeof ret->bytes);
  assert_int_equal(ptrace(PTRACE_GETREGSET, child(cases), NT_X86_XSTATE, &room), 0);
  ret->size = room.iov_len;
}

/* Words that make sense as addresses and ones that do not. */
static void make_template(struct cases *cases)
{
  for (size_t i = 0; i < sizeof cases->template; i += 4) {
    uint32_t word = cases_random(cases, UINT32_MAX);
    memcpy(cases->template + i, &word, sizeof word);
    if (i % 32 == 28)
      memset(cases->template + i - 8 + word % 8, 0, 4);
  }
}

/* AddressSanitizer has memory where 32-bit code can reach it; the child does not come back to what
 * needs it. */
static void unmap_shadow(const struct cases *cases)
{
  static const uint8_t call[] = {0x0f, 0x05};
  struct user_regs_struct regs = cases->start;
  int status;
  memcpy(cases->wide.code, call, sizeof call);
  regs.rip = (uint64_t)(uintptr_t)cases->wide.code;
  regs.rax = SYS_munmap;
  regs.orig_rax = UINT64_MAX;
  regs.rdi = 0x40000000;
  regs.rsi = 0xc0000000;
  assert_int_equal(ptrace(PTRACE_SETREGS, child(cases), NULL, &regs), 0);
  assert_int_equal(ptrace(PTRACE_SINGLESTEP, child(cases), NULL, NULL), 0);
  assert_int_equal(waitpid(child(cases), &status, __WALL), child(cases));
  assert_int_equal(ptrace(PTRACE_GETREGS, child(cases), NULL, &regs), 0);
  assert_int_equal(regs.rax, 0);
}

struct cases *cases_start(uint64_t seed)
{
  struct cases *cases = calloc(1, sizeof *cases);
  assert_non_null(cases);
  cases->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
  make_template(cases);
  map_all(&cases->narrow, NARROW_AT, false);
  map_all(&cases->wide, WIDE_AT, true);
  /* Each step is a switch to the child and back: quick on one processor. */
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET((size_t)sched_getcpu(), &one);
  sched_setaffinity(0, sizeof one, &one);
  cases->tracee = tracee_start(tracee_idle, NULL);
  assert_int_equal(ptrace(PTRACE_GETREGS, child(cases), NULL, &cases->start), 0);
  fetch_xstate(cases, &cases->xstate);
  unmap_shadow(cases);
  return cases;
}

void cases_end(struct cases *cases)
{
  tracee_end(cases->tracee);
  unmap_all(&cases->narrow);
  unmap_all(&cases->wide);
  free(cases);
}

static void set_state(const struct cases *cases, struct cases_one *one, uint64_t pc)
{
  struct iovec room = xstate_room(&one->xstate, one->xstate.size);
  one->regs.rip = pc;
  one->regs.orig_rax = UINT64_MAX;
  memcpy(one->memory->data, one->data, sizeof one->data);
  assert_int_equal(ptrace(PTRACE_SETREGS, child(cases), NULL, &one->regs), 0);
  assert_int_equal(ptrace(PTRACE_SETREGSET, child(cases), NT_X86_XSTATE, &room), 0);
  lt_regs_forget(&cases->tracee->thread);
}

/* One step: registers and the signal, if it was one. */
static void step(const struct cases *cases, struct outcome *ret)
{
  siginfo_t info;
  int status;
  assert_int_equal(ptrace(PTRACE_SINGLESTEP, child(cases), NULL, NULL), 0);
  assert_int_equal(waitpid(child(cases), &status, __WALL), child(cases));
  assert_true(WIFSTOPPED(status));
  assert_int_equal(ptrace(PTRACE_GETREGS, child(cases), NULL, &ret->regs), 0);
  assert_int_equal(ptrace(PTRACE_GETSIGINFO, child(cases), NULL, &info), 0);
  /* A virtual machine that is interrupted during a step sometimes forgets that it was one. */
  if (info.si_signo == SIGTRAP && (info.si_code == TRAP_TRACE || info.si_code == TRAP_BRKPT))
    return;
  ret->signo = info.si_signo;
  ret->code = info.si_code;
  ret->addr = (uint64_t)(uintptr_t)info.si_addr;
}

static bool sets_trap_flag(const struct cases_one *one)
{
  return one->is_known && (one->insn.meta.category == ZYDIS_CATEGORY_RET ||
                           (lt_x86_is_emulated(&one->insn) && !lt_x86_return_bytes(&one->insn)));
}

/* Once a thread has stepped over an instruction that may set the trap flag, the kernel takes each
 * step for the program's own until the thread was restarted without one. */
static void forget_trap_flag(const struct cases *cases, const struct cases_one *one,
                             const struct outcome *outcome)
{
  struct user_regs_struct regs = cases->start;
  int status;
  if (!(outcome->regs.eflags & 0x100) && !sets_trap_flag(one))
    return;
  regs.rip = (uint64_t)(uintptr_t)one->memory->target;
  regs.orig_rax = UINT64_MAX;
  assert_int_equal(ptrace(PTRACE_SETREGS, child(cases), NULL, &regs), 0);
  assert_int_equal(ptrace(PTRACE_CONT, child(cases), NULL, NULL), 0);
  assert_int_equal(waitpid(child(cases), &status, __WALL), child(cases));
  assert_true(WIFSTOPPED(status));
}

/* The lower bits of a null selector may be lost whenever the kernel is entered. */
static void clear_null(unsigned long long *selector)
{
  *selector = *selector < 4 ? 0 : *selector;
}

static void collect(const struct cases *cases, const struct cases_one *one, struct outcome *ret)
{
  clear_null(&ret->regs.ds);
  clear_null(&ret->regs.es);
  clear_null(&ret->regs.fs);
  clear_null(&ret->regs.gs);
  fetch_xstate(cases, &ret->xstate);
  memcpy(ret->data, one->memory->data, sizeof ret->data);
  forget_trap_flag(cases, one, ret);
}

/* ---- Two runs -------------------------------------------------------------------------------- */

/* After these the processor, or the kernel that does some for it, does not stop before it has run
 * the next one too, which is a nop here. */
static bool may_skid(const struct cases_one *one)
{
  switch (one->insn.mnemonic) {
  case ZYDIS_MNEMONIC_MOV:
  case ZYDIS_MNEMONIC_POP:
  case ZYDIS_MNEMONIC_XBEGIN: /* aborted by the step */
  case ZYDIS_MNEMONIC_SGDT:
  case ZYDIS_MNEMONIC_SIDT:
  case ZYDIS_MNEMONIC_SLDT:
  case ZYDIS_MNEMONIC_SMSW:
  case ZYDIS_MNEMONIC_STR:
    return true;
  default:
    return false;
  }
}

static bool repeats(const struct cases_one *one)
{
  return one->is_known && (one->insn.attributes &
                           (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE));
}

/* Where it is. Returns how many steps that took. */
static unsigned run_in_place(const struct cases *cases, struct cases_one *one, struct outcome *ret)
{
  uint8_t *code = (uint8_t *)(uintptr_t)one->pc;
  unsigned steps = 0;
  memset(code, NOP, LT_INSTRUCTION_BYTES + 17);
  memcpy(code, one->bytes, one->size);
  set_state(cases, one, one->pc);
  do
    step(cases, ret), steps++;
  while (!ret->signo && ret->regs.rip == one->pc && repeats(one) && steps < REPEATS);
  ret->unfinished = ret->regs.rip == one->pc && !ret->signo && repeats(one);
  if (!ret->signo && may_skid(one) && ret->regs.rip == one->pc + one->size + 1 + one->skips)
    ret->regs.rip--;
  collect(cases, one, ret);
  return steps;
}

static bool in_slot(const struct cases_one *one, uint64_t addr)
{
  return addr >= one->slot && addr < one->slot + LT_SLOT_BYTES;
}

/* What the program would see instead of an address in the slot. */
static uint64_t mended(const struct cases_one *one, const struct lt_displaced *displaced,
                       uint64_t addr, struct outcome *outcome)
{
  uint64_t offset = addr - one->slot;
  if (!in_slot(one, addr))
    return addr;
  if (offset == 0)
    return one->pc;
  if (displaced->kind == LT_DISPLACE_ILLEGAL)
    return one->pc + offset;
  for (unsigned i = 0; i < displaced->place_count; i++)
    if (offset == displaced->places[i].offset)
      return displaced->places[i].place == LT_PLACE_AFTER ? one->pc + displaced->length
                                                          : displaced->target;
  outcome->astray = true;
  return addr;
}

/* A call that ran in the slot has pushed an address of the slot. */
static void mend_return(struct cases_one *one, const struct lt_displaced *displaced,
                        struct outcome *ret)
{
  uint64_t sp = ret->regs.rsp, start = (uint64_t)(uintptr_t)one->memory->data;
  uint64_t pushed = 0, back = one->pc + displaced->length;
  /* One that faults restores the stack pointer only. */
  bool failed = in_slot(one, ret->regs.rip);
  sp -= failed ? displaced->return_bytes : 0;
  if (!displaced->is_call || sp < start || sp > start + CASES_DATA_BYTES - displaced->return_bytes)
    return;
  memcpy(&pushed, one->memory->data + (sp - start), displaced->return_bytes);
  bool is_ours = (uint16_t)pushed == (uint16_t)(one->slot + displaced->length);
  ret->astray |= !is_ours && !failed;
  if (!is_ours)
    return;
  memcpy(one->memory->data + (sp - start), &back, displaced->return_bytes);
}

static void run_slot(const struct cases *cases, struct cases_one *one,
                     const struct lt_displaced *displaced, unsigned repeated, struct outcome *ret)
{
  bool once = displaced->kind == LT_DISPLACE_ILLEGAL;
  unsigned steps = 0;
  uint8_t *code = (uint8_t *)(uintptr_t)one->slot;
  memset(code, HLT, LT_SLOT_BYTES);
  memcpy(code, displaced->code, displaced->size);
  set_state(cases, one, one->slot);
  do
    step(cases, ret), steps++;
  while (!ret->signo && in_slot(one, ret->regs.rip) && !once &&
         !(ret->regs.rip == one->slot && steps >= repeated) && steps < REPEATS + 8);
  ret->unfinished = ret->regs.rip == one->slot && !ret->signo && repeats(one);
  ret->astray = !ret->signo && in_slot(one, ret->regs.rip) && !once && !ret->unfinished;
  mend_return(one, displaced, ret);
  ret->regs.rip = mended(one, displaced, ret->regs.rip, ret);
  if (ret->signo == SIGILL || ret->signo == SIGFPE || ret->signo == SIGTRAP)
    ret->addr = mended(one, displaced, ret->addr, ret);
}

/* As the engine runs it under a breakpoint. False if the slot is out of reach. */
static bool run_elsewhere(struct cases *cases, struct cases_one *one, unsigned repeated,
                          struct outcome *ret)
{
  const struct lt_arch *arch = one->wide ? &lt_arch_x86_64 : &lt_arch_i386;
  lt_thread *thread = &cases->tracee->thread;
  struct lt_displaced displaced;
  int error = arch->displace(one->bytes, one->size, one->pc, one->slot, &displaced);
  if (error) {
    assert_int_equal(error, -ERANGE);
    return false;
  }
  assert_true(displaced.size <= LT_SLOT_BYTES);
  error = -EFAULT;
  if (displaced.kind == LT_DISPLACE_EMULATE) {
    set_state(cases, one, one->pc);
    error = arch->emulate(thread, &displaced, one->pc);
  }
  if (error) {
    assert_int_equal(error, -EFAULT);
    run_slot(cases, one, &displaced, repeated, ret);
  } else {
    cases->emulated++;
    assert_int_equal(lt_regs_flush(thread), 0);
    assert_int_equal(ptrace(PTRACE_GETREGS, child(cases), NULL, &ret->regs), 0);
  }
  cases->unknown += displaced.kind == LT_DISPLACE_ILLEGAL;
  collect(cases, one, ret);
  return true;
}

/* ---- What differs ---------------------------------------------------------------------------- */

static void complain(struct cases *cases, const struct cases_one *one, const char *what,
                     uint64_t expected, uint64_t got)
{
  char text[128] = "?";
  ZydisFormatter formatter;
  if (cases->different >= REPORTS)
    return;
  if (one->is_known && ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)))
    ZydisFormatterFormatInstruction(&formatter, &one->insn, one->operands,
                                    one->insn.operand_count_visible, text, sizeof text, one->pc,
                                    NULL);
  fprintf(stderr, "%d-bit:", one->wide ? 64 : 32);
  for (size_t i = 0; i < one->size; i++)
    fprintf(stderr, " %02x", one->bytes[i]);
  fprintf(stderr, " (%s) at %llx: %s: %llx expected, got %llx\n", text, (unsigned long long)one->pc,
          what, (unsigned long long)expected, (unsigned long long)got);
}

/* The first bytes that differ, as a number; SIZE_MAX if none does. */
static size_t first_difference(const void *left, const void *right, size_t size)
{
  const uint8_t *a = left, *b = right;
  if (memcmp(a, b, size) == 0)
    return SIZE_MAX;
  size_t i = 0;
  while (a[i] == b[i])
    i++;
  return i;
}

static bool same_words(struct cases *cases, const struct cases_one *one, const char *what,
                       const void *expected, const void *got, size_t size)
{
  char text[64];
  uint64_t words[2] = {0};
  size_t at = first_difference(expected, got, size);
  if (at == SIZE_MAX)
    return true;
  at &= ~(size_t)7;
  memcpy(&words[0], (const uint8_t *)expected + at, size - at < 8 ? size - at : 8);
  memcpy(&words[1], (const uint8_t *)got + at, size - at < 8 ? size - at : 8);
  snprintf(text, sizeof text, "%s %#zx", what, at);
  complain(cases, one, text, words[0], words[1]);
  return false;
}

/* Neither does the address of the last x87 instruction belong to the state that we keep, nor which
 * parts of it the processor has optimised away. */
static void blank(struct cases_xstate *xstate)
{
  memset(xstate->bytes + 8, 0, 8);
  memset(xstate->bytes + 512, 0, 8);
}

/* A step shows in the flags that an instruction pushes. */
static void clear_pushed_trap_flag(const struct cases_one *one, struct outcome *outcome)
{
  uint64_t at = outcome->regs.rsp + 1 - (uint64_t)(uintptr_t)one->memory->data;
  if (one->insn.mnemonic == ZYDIS_MNEMONIC_PUSHF || one->insn.mnemonic == ZYDIS_MNEMONIC_PUSHFD ||
      one->insn.mnemonic == ZYDIS_MNEMONIC_PUSHFQ)
    if (one->is_known && !outcome->signo && at < CASES_DATA_BYTES)
      outcome->data[at] &= 0xfe;
}

static bool is_same(struct cases *cases, const struct cases_one *one, struct outcome *expected,
                    struct outcome *got)
{
  blank(&expected->xstate);
  blank(&got->xstate);
  clear_pushed_trap_flag(one, expected);
  clear_pushed_trap_flag(one, got);
  /* The kernel does not always see that an instruction that is stepped sets the trap flag. */
  if (sets_trap_flag(one))
    expected->regs.eflags &= ~0x100ull, got->regs.eflags &= ~0x100ull;
  if (got->astray)
    complain(cases, one, "astray at", one->slot, got->regs.rip);
  else if (expected->signo != got->signo)
    complain(cases, one, "signal", (uint64_t)expected->signo, (uint64_t)got->signo);
  else if (expected->code != got->code)
    complain(cases, one, "si_code", (uint64_t)expected->code, (uint64_t)got->code);
  else if (expected->addr != got->addr)
    complain(cases, one, "si_addr", expected->addr, got->addr);
  else if (expected->unfinished != got->unfinished)
    complain(cases, one, "unfinished", expected->unfinished, got->unfinished);
  else
    return same_words(cases, one, "register at", &expected->regs, &got->regs,
                      sizeof expected->regs) &
           same_words(cases, one, "vector state at", expected->xstate.bytes, got->xstate.bytes,
                      sizeof expected->xstate.bytes) &
           same_words(cases, one, "memory at", expected->data, got->data, sizeof expected->data);
  return false;
}

void cases_run(struct cases *cases, unsigned count)
{
  static struct cases_one one;
  static struct outcome expected, got;
  for (unsigned i = 0; i < count; i++) {
    expected = got = (struct outcome){0};
    cases_make(cases, &one);
    unsigned steps = run_in_place(cases, &one, &expected);
    if (!run_elsewhere(cases, &one, steps, &got)) {
      cases->unreachable++;
      continue;
    }
    cases->compared++;
    cases->faults += expected.signo != 0;
    if (one.is_known && !expected.signo) {
      cases->mnemonics += !cases->has_run[one.insn.mnemonic];
      cases->has_run[one.insn.mnemonic] = true;
    }
    cases->different += !is_same(cases, &one, &expected, &got);
  }
}
