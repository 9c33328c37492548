/* x86_variables.c - for variables on the two x86 ABIs: thread-local storage, and arguments at the
 * first instruction of a function. */
#include "x86_state.h"

uint64_t lt_x86_64_thread_pointer(const struct lt_regs *regs)
{
  return lt_x86_view(regs)->fs_base;
}

uint64_t lt_i386_thread_pointer(const struct lt_regs *regs)
{
  return lt_x86_view(regs)->gs_base;
}

/* Six integers and eight numbers are in registers; what is more, and what is neither, is above the
 * return address. A struct is in registers as a whole or not at all. */
void lt_x86_64_entry_argument(const struct lt_arg_class *classes, size_t index,
                              struct lt_arg_place *ret)
{
  static const char *const registers[][8] = {
      {"rdi", "rsi", "rdx", "rcx", "r8", "r9"},
      {"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7"},
  };
  static const size_t counts[] = {6, 8};
  size_t used[2] = {0};
  uint64_t offset = 8;
  for (size_t i = 0; i <= index; i++) {
    const struct lt_arg_class *class = &classes[i];
    size_t next[2] = {used[0], used[1]};
    *ret = (struct lt_arg_place){.offset = offset};
    for (unsigned part = 0; part < class->count; part++)
      next[class->how[part]]++;
    if (!class->count || next[0] > counts[0] || next[1] > counts[1]) {
      offset += (class->size + 7) / 8 * 8;
      continue;
    }
    for (unsigned part = 0; part < class->count; part++)
      ret->reg[part] = registers[class->how[part]][used[class->how[part]]++];
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
