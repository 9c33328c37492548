/* x86_variables.c - for variables on the two x86 ABIs: thread-local storage, and arguments at the
 * first instruction of a function. */
#include "x86_state.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

uint64_t lt_x86_64_thread_pointer(const struct lt_regs *regs)
{
  return lt_x86_view(regs)->fs_base;
}

uint64_t lt_i386_thread_pointer(const struct lt_regs *regs)
{
  return lt_x86_view(regs)->gs_base;
}

/* Six integers and eight numbers are in registers; what is more, and what is neither, is above the
 * return address. */
void lt_x86_64_entry_argument(const struct lt_arg_class *classes, size_t index,
                              struct lt_arg_place *ret)
{
  static const char *const integers[] = {"rdi", "rsi", "rdx", "rcx", "r8", "r9"};
  static const char *const numbers[] = {"xmm0", "xmm1", "xmm2", "xmm3",
                                        "xmm4", "xmm5", "xmm6", "xmm7"};
  size_t used[2] = {0};
  uint64_t offset = 8;
  for (size_t i = 0; i <= index; i++) {
    const char *const *names = classes[i].how == LT_ARG_IN_FLOAT ? numbers : integers;
    size_t count = classes[i].how == LT_ARG_IN_FLOAT ? COUNT(numbers) : COUNT(integers);
    size_t *next = &used[classes[i].how == LT_ARG_IN_FLOAT];
    if (classes[i].how != LT_ARG_ON_STACK && *next < count) {
      *ret = (struct lt_arg_place){.reg = names[(*next)++]};
      continue;
    }
    *ret = (struct lt_arg_place){.offset = offset};
    offset += (classes[i].size + 7) / 8 * 8;
  }
}

/* All of them are above the return address. */
void lt_i386_entry_argument(const struct lt_arg_class *classes, size_t index,
                            struct lt_arg_place *ret)
{
  uint64_t offset = 4;
  for (size_t i = 0; i < index; i++)
    offset += (classes[i].size + 3) / 4 * 4;
  *ret = (struct lt_arg_place){.offset = offset};
}
