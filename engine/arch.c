/* arch.c - the list of ABIs. */
#include "arch.h"

static const struct lt_arch *const arches[LT_ABI_COUNT] = {
    [LT_ABI_X86_64] = &lt_arch_x86_64,
    [LT_ABI_I386] = &lt_arch_i386,
};

const struct lt_arch *lt_arch_get(enum lt_abi abi)
{
  return (unsigned)abi < LT_ABI_COUNT ? arches[abi] : NULL;
}

const struct lt_arch *lt_arch_native(void)
{
  return &lt_arch_x86_64;
}

const struct lt_arch *lt_arch_by_audit(uint32_t audit)
{
  for (int i = 0; i < LT_ABI_COUNT; i++)
    if (arches[i]->audit == audit)
      return arches[i];
  return NULL;
}
