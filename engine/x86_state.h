/* x86_state.h - what the two x86 ABIs share: how the kernel hands out registers, and where each
 * name finds its bytes in that. */
#ifndef LT_X86_STATE_H
#define LT_X86_STATE_H

#include <stddef.h>
#include <sys/user.h>

#include "arch.h"

/* What a register is a part of: the upper 4 bits of lt_reg.where. The lower 12 say where in it. */
enum lt_x86_part {
  LT_X86_GENERAL, /* byte offset in struct user_regs_struct */
  LT_X86_PC,      /* the same; a view of the program counter */
  LT_X86_CHECKED, /* the same; the kernel refuses some values */
  LT_X86_X87,     /* byte offset in the FXSAVE area */
  LT_X86_SSE,     /* the same */
  LT_X86_MXCSR,   /* the same; belongs to SSE and AVX alike */
  LT_X86_YMM,     /* number of the register: one half is in the FXSAVE area, one beyond it */
};

#define LT_X86_WHERE(part, at) (uint16_t)((part) << 12 | (at))

/* Entries of a register table. */
#define LT_X86_REG(name, type, size, part, at) \
  {                                            \
    name, type, size, LT_X86_WHERE(part, at)   \
  }
#define LT_X86_WORD(name, size, part, field) \
  LT_X86_REG(name, LT_REG_INT, size, part, offsetof(struct user_regs_struct, field))
#define I64(name, field) LT_X86_WORD(name, 8, LT_X86_GENERAL, field)
#define I32(name, field) LT_X86_WORD(name, 4, LT_X86_GENERAL, field)
#define I16(name, field) LT_X86_WORD(name, 2, LT_X86_GENERAL, field)
#define I8(name, field) LT_X86_WORD(name, 1, LT_X86_GENERAL, field)
#define HIGH(name, field) \
  LT_X86_REG(name, LT_REG_INT, 1, LT_X86_GENERAL, offsetof(struct user_regs_struct, field) + 1)
#define PC64(name) LT_X86_WORD(name, 8, LT_X86_PC, rip)
#define PC32(name) LT_X86_WORD(name, 4, LT_X86_PC, rip)
#define PC16(name) LT_X86_WORD(name, 2, LT_X86_PC, rip)
#define SEG(name, field) LT_X86_WORD(name, 2, LT_X86_CHECKED, field)
#define BASE(name, field) LT_X86_WORD(name, 8, LT_X86_CHECKED, field)
#define X87(name, at, size) LT_X86_REG(name, LT_REG_INT, size, LT_X86_X87, at)
#define ST(name, i) LT_X86_REG(name, LT_REG_FLOAT80, 10, LT_X86_X87, 32 + 16 * (i))
#define MXCSR(name) LT_X86_REG(name, LT_REG_INT, 4, LT_X86_MXCSR, 24)
#define XMM(name, i) LT_X86_REG(name, LT_REG_VECTOR, 16, LT_X86_SSE, 160 + 16 * (i))
#define YMM(name, i) LT_X86_REG(name, LT_REG_VECTOR, 32, LT_X86_YMM, i)

/* Code segment selectors of user mode. */
#define LT_X86_CS64 0x33
#define LT_X86_CS64_XEN 0xe033 /* under Xen's paravirtual kernels */

static inline struct user_regs_struct *lt_x86_user(struct lt_regs *regs)
{
  return (struct user_regs_struct *)regs->general;
}

static inline const struct user_regs_struct *lt_x86_view(const struct lt_regs *regs)
{
  return (const struct user_regs_struct *)regs->general;
}

/* Whether the code at the program counter is 64-bit code. */
bool lt_x86_is_64(const struct lt_regs *regs);

/* Members of struct lt_arch: see there. */
int lt_x86_fetch_general(pid_t tid, struct lt_regs *regs);
int lt_x86_flush_general(pid_t tid, const struct lt_regs *regs);
int lt_x86_fetch_vector(pid_t tid, struct lt_regs *regs);
int lt_x86_flush_vector(pid_t tid, const struct lt_regs *regs);
int lt_x86_get(const struct lt_regs *regs, const struct lt_reg *reg, void *ret);
int lt_x86_set(struct lt_regs *regs, const struct lt_reg *reg, const void *value);
bool lt_x86_is_vector(const struct lt_reg *reg);
bool lt_x86_is_pc(const struct lt_reg *reg);
bool lt_x86_is_checked(const struct lt_reg *reg);
uint64_t lt_x86_call_nr(const struct lt_regs *regs);
void lt_x86_cancel_restart(struct lt_regs *regs);
void lt_x86_set_pc(struct lt_regs *regs, uint64_t pc);
int lt_x86_flush_pc(pid_t tid, const struct lt_regs *regs);
void lt_x86_mend_call(struct lt_regs *regs, uint64_t back);
void lt_x86_set_call_nr(struct lt_regs *regs, uint64_t nr);
void lt_x86_begin_call(struct lt_regs *regs, uint64_t pc, uint64_t nr);
void lt_x86_redo_call(struct lt_regs *regs, uint64_t nr);
int lt_x86_return_words(const uint8_t code[LT_CODE_BEFORE + LT_CODE_AFTER]);
bool lt_x86_follows_call(const uint8_t before[LT_CODE_BEFORE]);
extern const struct lt_dwarf_regs lt_x86_64_dwarf, lt_i386_dwarf;
extern const struct lt_trampoline lt_x86_64_trampolines[], lt_i386_trampolines[];
/* What both ABIs ask for at the beginning of a function. */
void lt_x86_clean_state(struct lt_regs *regs);

/* x86_function.c: members of struct lt_arch. */
int lt_x86_function_arg(lt_thread *thread, unsigned index, uint64_t *ret);
int lt_x86_set_function_arg(lt_thread *thread, unsigned index, uint64_t value);
int lt_x86_function_return(lt_thread *thread, uint64_t *ret_pc, uint64_t *ret_sp);
int lt_x86_function_skip(lt_thread *thread, const struct lt_fn_arg *result);
int64_t lt_x86_integer_result(const struct lt_regs *regs);
int lt_x86_set_result(lt_thread *thread, const struct lt_fn_arg *result);

/* x86_go.c: the same. Whether the thread runs code that keeps to Go's convention of registers. */
bool lt_x86_goroutine(lt_thread *thread, uint64_t *ret_g, uint64_t *ret_top);
size_t lt_x86_stack_check(const uint8_t *code, size_t size);
bool lt_x86_begins_again(const struct lt_regs *regs);
bool lt_x86_go_abi(lt_thread *thread, const struct lt_regs *regs);

/* x86_step.c, x86_debug.c: the same. */
unsigned lt_x86_look(const struct lt_regs *regs, const uint8_t *code, size_t size);
bool lt_x86_has_trap_flag(const struct lt_regs *regs);
bool lt_x86_restart_pending(const struct lt_regs *regs);
void lt_x86_mend_flags(lt_thread *thread);
unsigned lt_x86_branches(const struct lt_regs *regs, const uint8_t *code, size_t size,
                         uint64_t addr, uint64_t *ret, unsigned max);
int lt_x86_set_debug(lt_thread *thread, const struct lt_debug_slot *slots);
int lt_x86_take_debug(lt_thread *thread, unsigned *ret);
bool lt_x86_is_after_trap(lt_thread *thread);

/* The end of user memory with 4-level page tables: debug registers watch nothing above. */
#define LT_X86_TOP 0x7ffffffff000

/* x86_variables.c */
uint64_t lt_x86_64_thread_pointer(const struct lt_regs *regs);
uint64_t lt_i386_thread_pointer(const struct lt_regs *regs);
void lt_x86_64_entry_argument(const struct lt_arg_class *classes, size_t index,
                              struct lt_arg_place *ret);
void lt_i386_entry_argument(const struct lt_arg_class *classes, size_t index,
                            struct lt_arg_place *ret);
bool lt_x86_mark_restart(struct lt_regs *regs);
bool lt_x86_take_mark(struct lt_regs *regs);

/* What the struct lt_arch of both ABIs has in common. */
#define LT_X86_SHARED                                                                             \
  .fetch_general = lt_x86_fetch_general, .flush_general = lt_x86_flush_general,                   \
  .fetch_vector = lt_x86_fetch_vector, .flush_vector = lt_x86_flush_vector,                       \
  .is_vector = lt_x86_is_vector, .get = lt_x86_get, .set = lt_x86_set, .call_nr = lt_x86_call_nr, \
  .set_call_nr = lt_x86_set_call_nr, .begin_call = lt_x86_begin_call,                             \
  .redo_call = lt_x86_redo_call, .is_pc = lt_x86_is_pc, .cancel_restart = lt_x86_cancel_restart,  \
  .is_checked = lt_x86_is_checked, .function_arg = lt_x86_function_arg,                           \
  .set_function_arg = lt_x86_set_function_arg, .function_return = lt_x86_function_return,         \
  .function_skip = lt_x86_function_skip, .integer_result = lt_x86_integer_result,                 \
  .goroutine = lt_x86_goroutine, .stack_check = lt_x86_stack_check,                               \
  .begins_again = lt_x86_begins_again, .set_result = lt_x86_set_result,                           \
  .return_words = lt_x86_return_words, .follows_call = lt_x86_follows_call,                       \
  .set_pc = lt_x86_set_pc, .flush_pc = lt_x86_flush_pc, .mend_call = lt_x86_mend_call,            \
  .mark_restart = lt_x86_mark_restart, .take_mark = lt_x86_take_mark, .trap_bytes = {0xcc},       \
  .trap_size = 1, .trap_advance = 1, .look = lt_x86_look, .has_trap_flag = lt_x86_has_trap_flag,  \
  .restart_pending = lt_x86_restart_pending, .mend_flags = lt_x86_mend_flags,                     \
  .branches = lt_x86_branches, .top = LT_X86_TOP, .set_debug = lt_x86_set_debug,                  \
  .take_debug = lt_x86_take_debug, .is_after_trap = lt_x86_is_after_trap

#endif
