/* arch.h - all that differs between processors and their ABIs, one struct per ABI.
 *
 * To port luatrace to another ABI: add an `enum lt_abi`, write engine/arch_NAME.c that fills a
 * struct lt_arch, and name it in lt_arch_get(). Each member says what it must do. Nothing outside
 * arch files knows a register layout, a syscall number or a calling convention. */
#ifndef LT_ARCH_H
#define LT_ARCH_H

#include "luatrace.h"

/* Room for any ABI's general registers as PTRACE_GETREGS or NT_PRSTATUS gives them. */
#define LT_GENERAL_WORDS 34
/* Room for any ABI's floating point and vector state (NT_X86_XSTATE with AVX-512 and more). */
#define LT_VECTOR_BYTES 16384

/* Room for any processor's breakpoint instruction. */
#define LT_TRAP_BYTES 4

/* The stack of a function that a thread is to run for us: `size` bytes from `sp` on. */
#define LT_FRAME_BYTES 512
struct lt_frame {
  uint64_t sp;
  size_t size;
  uint8_t bytes[LT_FRAME_BYTES];
};

struct lt_displaced;  /* displace.h */
struct lt_jump_shape; /* planted.h */
struct lt_planted;
struct lt_planting;
struct lt_debug_slot; /* watchpoints.h */

struct lt_fn_result {
  int64_t integer;
  double number, single; /* of functions that return double and float */
};

/* Registers by DWARF's numbers, as unwind tables name them. */
struct lt_dwarf_regs {
  uint8_t count;           /* those that are unwound, the return address included */
  uint8_t sp, fp, pc;      /* fp: the one that code without tables makes a chain of */
  uint32_t kept;           /* bit per register that a function leaves as it found it */
  const uint8_t *where;    /* which word of general[] each is */
  const char *const *name; /* as in `table`; NULL for those that are not there */
  unsigned names;          /* vector registers included */
};

/* Code to which a signal handler returns, and where it finds the registers of what the signal had
 * interrupted: at the stack pointer + `at`, or where the word there points to (`indirect`), each at
 * its own offset from there. */
struct lt_trampoline {
  uint8_t size, code[11];
  bool indirect;
  uint8_t at, base;
  const uint8_t *saved; /* by DWARF number */
};

#define LT_CODE_BEFORE 8 /* bytes of code that `return_words` and `follows_call` look at */
#define LT_CODE_AFTER 12

/* The registers of a stopped thread, fetched when first looked at (registers.c). */
struct lt_regs {
  uint64_t general[LT_GENERAL_WORDS];
  bool general_valid, general_dirty;
  bool pc_dirty; /* of the general ones, only the program counter was changed */
  bool vector_valid, vector_dirty;
  size_t vector_size; /* bytes that the kernel gave */
  uint8_t *vector;    /* LT_VECTOR_BYTES, allocated at the first look; owned by the thread */
};

/* How an argument of a function is passed, by its type: in so many registers of these kinds, as far
 * as there are some left, or on the stack. */
enum lt_arg_how { LT_ARG_IN_INTEGER, LT_ARG_IN_FLOAT };
struct lt_arg_class {
  uint8_t count, how[2]; /* enum lt_arg_how */
  uint32_t size;
};

struct lt_arg_place {
  const char *reg[2]; /* NULL: in memory, so many bytes above the stack pointer */
  uint64_t offset;
};

/* The calls the engine itself must recognise. */
enum lt_special {
  LT_SYS_OTHER,
  LT_SYS_EXECVE,
  LT_SYS_SIGRETURN,
  LT_SYS_FORK,
  LT_SYS_CLONE,
  LT_SYS_CLONE3,
  LT_SYS_RESTART,
  LT_SYS_CPUS /* tells or changes where threads may run, its first argument says which */
};

struct lt_arch {
  const char *name; /* "x86_64" */
  enum lt_abi abi;
  uint32_t audit; /* AUDIT_ARCH_* of PTRACE_GET_SYSCALL_INFO */
  unsigned word;  /* bytes of a pointer and a long */

  /* Fetch and write back the whole general or vector state. Negated errno. */
  int (*fetch_general)(pid_t tid, struct lt_regs *regs);
  int (*flush_general)(pid_t tid, const struct lt_regs *regs);
  int (*fetch_vector)(pid_t tid, struct lt_regs *regs);
  int (*flush_vector)(pid_t tid, const struct lt_regs *regs);

  /* The register table, and one register of fetched state. `get` and `set` look at the vector
   * state only for registers for which `is_vector` says so; -ENODEV where the processor or kernel
   * lacks it. */
  const struct lt_reg *table;
  size_t count;
  bool (*is_vector)(const struct lt_reg *reg);
  int (*get)(const struct lt_regs *regs, const struct lt_reg *reg, void *ret);
  int (*set)(struct lt_regs *regs, const struct lt_reg *reg, const void *value);

  /* On fetched general registers. */
  uint64_t (*pc)(const struct lt_regs *regs);
  uint64_t (*sp)(const struct lt_regs *regs);
  uint64_t (*call_nr)(const struct lt_regs *regs);
  uint64_t (*call_arg)(const struct lt_regs *regs, unsigned index);
  void (*set_call_arg)(struct lt_regs *regs, unsigned index, uint64_t value);
  void (*set_call_ret)(struct lt_regs *regs, int64_t value);

  /* Making a call for us (remote.c), on fetched general registers: a system call instruction; the
   * number of the call that is about to be made, at its entry; the state in which the instruction
   * at `pc` makes call `nr`; the state in which the call that was entered is entered again. */
  uint8_t call_bytes[2];
  uint64_t mmap_nr, munmap_nr, shmat_nr, sigaction_nr, sigprocmask_nr, prctl_nr, seccomp_nr;
  uint64_t strict_nrs[4]; /* those that are left in strict mode; the third ends the thread */
  size_t sigaction_size;  /* of the kernel's struct, which begins with the handler */
  void (*set_call_nr)(struct lt_regs *regs, uint64_t nr);
  void (*begin_call)(struct lt_regs *regs, uint64_t pc, uint64_t nr);
  void (*redo_call)(struct lt_regs *regs, uint64_t nr);

  /* Running a function for us (function.c), on fetched general and vector registers: the state in
   * which the function at `pc` begins with these arguments, and the bytes of its stack below that
   * of the thread; whether it has returned to `back_pc`, where nothing can be mapped; its result.
   * -ERANGE: an integer that does not fit. */
  uint64_t back_pc;
  int (*begin_function)(struct lt_regs *regs, uint64_t pc, const struct lt_fn_arg *args,
                        size_t count, struct lt_frame *ret);
  bool (*has_returned)(const struct lt_regs *regs, const struct lt_frame *frame);
  void (*function_result)(const struct lt_regs *regs, struct lt_fn_result *ret);

  /* What a call number means to the engine. */
  enum lt_special (*special)(uint64_t nr);

  /* Breakpoints (breaks.c): the instruction that is planted, and how far the program counter is
   * past its address when it has trapped; the program counter set, with a pending system call
   * restart left alone; that alone written to a stopped thread; what becomes of the instruction that
   * was displaced (displace.h): -ERANGE if it cannot work from this slot, -ENOTSUP if from none. */
  uint8_t trap_bytes[LT_TRAP_BYTES];
  uint8_t trap_size, trap_advance;
  void (*set_pc)(struct lt_regs *regs, uint64_t pc);
  int (*flush_pc)(pid_t tid, const struct lt_regs *regs);
  /* At the entry of a call that was made from a slot: `back` is the address behind the
   * instruction, as the program has it. */
  void (*mend_call)(struct lt_regs *regs, uint64_t back);
  /* At the exit of a call that is to be made again: have it show, without harm to the call or to
   * anybody who looks at the thread's number of it. False: that cannot be done. Later, before the
   * instruction: whether it is that call again; the mark is gone then. */
  bool (*mark_restart)(struct lt_regs *regs);
  bool (*take_mark)(struct lt_regs *regs);
  int (*displace)(const uint8_t *code, size_t size, uint64_t pc, uint64_t slot,
                  struct lt_displaced *ret);
  /* Run the instruction for the thread: change its registers and memory. Negated errno, and nothing
   * is changed: -EFAULT where memory cannot be accessed, so that the program must fault itself. */
  int (*emulate)(lt_thread *thread, const struct lt_displaced *displaced, uint64_t pc);

  /* Planted code (planted.h): NULL where there is none. Whether this machine can run it; the code;
   * the block at which a search for a key begins; the shape of a jump; jumps, which must trap where
   * an instruction begins; where to have room for what they lead to. */
  bool (*can_plant)(void);
  int (*plant)(const struct lt_planting *what, struct lt_planted *ret);
  uint32_t (*block_of)(uint64_t key);
  int (*jump_shape)(const uint8_t *bytes, size_t size, uint64_t addr, struct lt_jump_shape *ret,
                    const char **why);
  int (*jump)(const struct lt_jump_shape *shape, uint64_t addr, uint64_t to, uint8_t *ret);
  bool (*jump_window)(const struct lt_jump_shape *shape, uint64_t addr, unsigned n, uint64_t *ret);

  /* Stepping (steps.c), on fetched general registers: what the instruction is that `code` begins
   * with (enum lt_next); whether the program has set the trap flag itself; whether the call that the
   * thread has left is going to be made again. The flags that an instruction has stored are on top
   * of the stack: take our trap flag out. */
  unsigned (*look)(const struct lt_regs *regs, const uint8_t *code, size_t size);
  bool (*has_trap_flag)(const struct lt_regs *regs);
  bool (*restart_pending)(const struct lt_regs *regs);
  void (*mend_flags)(lt_thread *thread);
  /* Where the branches in this code at `addr` go to; at most `max`. */
  unsigned (*branches)(const struct lt_regs *regs, const uint8_t *code, size_t size, uint64_t addr,
                       uint64_t *ret, unsigned max);

  /* Debug registers (debug_registers.c) of a stopped thread: have them as these slots say; which of
   * them have hit (bit per slot) since the last look. Negated errno. No program has memory at `top`
   * or above. */
  uint64_t top;
  int (*set_debug)(lt_thread *thread, const struct lt_debug_slot *slots);
  int (*take_debug)(lt_thread *thread, unsigned *ret);
  /* Whether the thread has just run an instruction that raises such a trap by itself. */
  bool (*is_after_trap)(lt_thread *thread);
  /* Disassembly (disasm.c): the instruction at the beginning of these bytes; fills everything but
   * `addr` and `bytes`. False if there is none. */
  bool (*disassemble)(const uint8_t *code, size_t size, uint64_t pc, enum lt_syntax syntax,
                      struct lt_instruction *ret);

  /* At the first instruction of a function: integer argument `index` from 0, read from memory where
   * it is on the stack; the address it returns to and the stack pointer after that. Negated
   * errno. `callee_pops`: how much higher than that a function may leave the stack pointer, as it
   * takes its arguments off the stack itself. */
  int (*function_arg)(lt_thread *thread, unsigned index, uint64_t *ret);
  int (*function_return)(lt_thread *thread, uint64_t *ret_pc, uint64_t *ret_sp);
  unsigned callee_pops;
  /* There: change an argument; return at once with this result. Where a function has returned to:
   * its result, if that is an integer, on general registers; any result changed. */
  int (*set_function_arg)(lt_thread *thread, unsigned index, uint64_t value);
  int (*function_skip)(lt_thread *thread, const struct lt_fn_arg *result);
  /* Programs in Go: the goroutine that the thread runs, and the upper end of its stack; false where
   * it runs none. Where in this code of a function's beginning it is decided whether there is room
   * on the stack, else 0; whether the function begins again there, with more room. */
  bool (*goroutine)(lt_thread *thread, uint64_t *ret_g, uint64_t *ret_top);
  size_t (*stack_check)(const uint8_t *code, size_t size);
  bool (*begins_again)(const struct lt_regs *regs);
  int64_t (*integer_result)(const struct lt_regs *regs);
  int (*set_result)(lt_thread *thread, const struct lt_fn_arg *result);

  /* Unwinding (unwind.c). Where no table helps: how many words are above the return address on the
   * stack, told from the code before (LT_CODE_BEFORE bytes of it) and at the program counter; -1
   * where that cannot be told. Whether the instruction before is a call. `trampolines` ends with
   * one of size 0. */
  const struct lt_dwarf_regs *dwarf;
  const struct lt_trampoline *trampolines;
  int (*return_words)(const uint8_t code[LT_CODE_BEFORE + LT_CODE_AFTER]);
  bool (*follows_call)(const uint8_t before[LT_CODE_BEFORE]);

  /* Variables (view.c, arguments.c). On fetched general registers, the address that thread-local
   * variables are counted from; where argument `index` is at the first instruction of a function
   * whose arguments up to it have these classes. */
  uint64_t (*thread_pointer)(const struct lt_regs *regs);
  void (*entry_argument)(const struct lt_arg_class *classes, size_t index,
                         struct lt_arg_place *ret);

  /* Whether the register is the program counter or a view of it. Setting it makes a pending system
   * call restart wrong; registers.c then calls `cancel_restart`, on fetched general registers. */
  bool (*is_pc)(const struct lt_reg *reg);
  void (*cancel_restart)(struct lt_regs *regs);
  /* Whether the kernel may refuse values of this register: registers.c writes it back at once, so
   * that whoever sets it hears of it. */
  bool (*is_checked)(const struct lt_reg *reg);
};

/* The ABI's struct. Never NULL for a valid enum. */
const struct lt_arch *lt_arch_get(enum lt_abi abi);
/* The ABI whose fetch and flush serve every thread, whatever its own ABI is. */
const struct lt_arch *lt_arch_native(void);
/* By AUDIT_ARCH_*; NULL if unknown. */
const struct lt_arch *lt_arch_by_audit(uint32_t audit);
/* The processor family's native fetch: which ABI the code at pc runs in (x86: by cs). `regs` is
 * fetched. */
enum lt_abi lt_arch_of(const struct lt_regs *regs);

extern const struct lt_arch lt_arch_x86_64;
extern const struct lt_arch lt_arch_i386;

#endif
