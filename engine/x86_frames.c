/* x86_frames.c - what unwinding must know of the two x86 ABIs. */
#include <string.h>

#include "x86_state.h"

#define WORD_OF(field) (offsetof(struct user_regs_struct, field) / sizeof(uint64_t))

/* ---- DWARF's numbers ---------------------------------------------------------------------- */

static const uint8_t where_64[] = {
    WORD_OF(rax), WORD_OF(rdx), WORD_OF(rcx), WORD_OF(rbx), WORD_OF(rsi), WORD_OF(rdi),
    WORD_OF(rbp), WORD_OF(rsp), WORD_OF(r8),  WORD_OF(r9),  WORD_OF(r10), WORD_OF(r11),
    WORD_OF(r12), WORD_OF(r13), WORD_OF(r14), WORD_OF(r15), WORD_OF(rip),
};

static const char *const names_64[] = {
    "rax",  "rdx",  "rcx",  "rbx",  "rsi",  "rdi",   "rbp",   "rsp",   "r8",    "r9",    "r10",
    "r11",  "r12",  "r13",  "r14",  "r15",  "rip",   "xmm0",  "xmm1",  "xmm2",  "xmm3",  "xmm4",
    "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
    "st0",  "st1",  "st2",  "st3",  "st4",  "st5",   "st6",   "st7",
};

const struct lt_dwarf_regs lt_x86_64_dwarf = {
    .count = sizeof where_64,
    .sp = 7,
    .fp = 6,
    .pc = 16,
    .kept = 1 << 3 | 1 << 6 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15,
    .where = where_64,
    .name = names_64,
    .names = sizeof names_64 / sizeof *names_64,
};

static const uint8_t where_32[] = {
    WORD_OF(rax), WORD_OF(rcx), WORD_OF(rdx), WORD_OF(rbx), WORD_OF(rsp),
    WORD_OF(rbp), WORD_OF(rsi), WORD_OF(rdi), WORD_OF(rip),
};

static const char *const names_32[] = {
    "eax", "ecx",  "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",  "eip",  NULL,
    NULL,  "st0",  "st1",  "st2",  "st3",  "st4",  "st5",  "st6",  "st7",  NULL,
    NULL,  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
};

const struct lt_dwarf_regs lt_i386_dwarf = {
    .count = sizeof where_32,
    .sp = 4,
    .fp = 5,
    .pc = 8,
    .kept = 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7,
    .where = where_32,
    .name = names_32,
    .names = sizeof names_32 / sizeof *names_32,
};

/* ---- Signal handlers ---------------------------------------------------------------------- */

/* Offsets in the kernel's struct sigcontext, by DWARF number. */
static const uint8_t context_64[] = {104, 96, 112, 88, 72, 64, 80, 120, 0,
                                     8,   16, 24,  32, 40, 48, 56, 128};
static const uint8_t context_32[] = {44, 40, 36, 32, 28, 24, 20, 16, 56};

const struct lt_trampoline lt_x86_64_trampolines[] = {
    /* mov $15, %rax; syscall */
    {.size = 9,
     .code = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05},
     .base = 40, /* of struct ucontext */
     .saved = context_64},
    {.size = 0},
};

const struct lt_trampoline lt_i386_trampolines[] = {
    /* mov $173, %eax; int $0x80. The handler's third argument points to a struct ucontext. */
    {.size = 7,
     .code = {0xb8, 0xad, 0, 0, 0, 0xcd, 0x80},
     .indirect = true,
     .at = 8,
     .base = 20,
     .saved = context_32},
    /* pop %eax; mov $119, %eax; int $0x80. The struct sigcontext is above the signal number. */
    {.size = 8, .code = {0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80}, .base = 4, .saved = context_32},
    {.size = 0},
};

/* ---- Code without tables ------------------------------------------------------------------ */

int lt_x86_return_words(const uint8_t code[LT_CODE_BEFORE + LT_CODE_AFTER])
{
  static const struct {
    uint8_t size, code[4];
  } first[] = {
      {1, {0x55}},                   /* push %rbp */
      {4, {0xf3, 0x0f, 0x1e, 0xfa}}, /* endbr64 */
      {4, {0xf3, 0x0f, 0x1e, 0xfb}}, /* endbr32 */
      {2, {0xff, 0x25}},             /* jmp *address: a stub that jumps to a library */
      {3, {0xf2, 0xff, 0x25}},
      {2, {0xff, 0xa3}}, /* jmp *offset(%ebx) */
      {1, {0xc3}},       /* ret */
  };
  const uint8_t *at = code + LT_CODE_BEFORE;
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
    if (memcmp(at, first[i].code, first[i].size) == 0)
      return 0;
  }
  /* push %rbp has been run, mov %rsp, %rbp has not. */
  bool will_move =
      (at[0] == 0x48 && ((at[1] == 0x89 && at[2] == 0xe5) || (at[1] == 0x8b && at[2] == 0xec))) ||
      (at[0] == 0x89 && at[1] == 0xe5) || (at[0] == 0x8b && at[1] == 0xec);
  return at[-1] == 0x55 && will_move ? 1 : -1;
}

bool lt_x86_follows_call(const uint8_t before[LT_CODE_BEFORE])
{
  if (before[LT_CODE_BEFORE - 5] == 0xe8)
    return true;
  /* ff /2: through a register or memory, 2 to 7 bytes long. */
  for (unsigned size = 2; size <= 7; size++) {
    const uint8_t *at = before + LT_CODE_BEFORE - size;
    if (at[0] == 0xff && (at[1] >> 3 & 7) == 2)
      return true;
  }
  return false;
}
