/* disasm.c - the instructions in a program's memory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"

#define WINDOW 4096

/* Bytes of memory that have been read ahead. */
struct window {
  lt_thread *thread;
  uint64_t addr;
  uint8_t bytes[WINDOW];
  size_t size;
};

/* The bytes from `addr` on: at least a whole instruction's, if there is so much memory. */
static size_t look(struct window *window, uint64_t addr, const uint8_t **ret)
{
  uint64_t skip = addr - window->addr;
  if (skip > window->size || window->size - skip < LT_INSTRUCTION_MAX) {
    ssize_t got = lt_mem_read(window->thread, addr, window->bytes, WINDOW);
    window->addr = addr;
    window->size = got > 0 ? (size_t)got : 0;
    skip = 0;
  }
  *ret = window->bytes + skip;
  return window->size - skip;
}

static void decode(const struct lt_arch *arch, const uint8_t *code, size_t size, uint64_t addr,
                   enum lt_syntax syntax, struct lt_instruction *ret)
{
  memset(ret, 0, sizeof *ret);
  if (!arch->disassemble(code, size, addr, syntax, ret)) {
    memset(ret, 0, sizeof *ret);
    ret->bad = true;
    ret->size = 1;
    ret->flow = LT_FLOW_END;
    snprintf(ret->text, sizeof ret->text, "(bad)");
  }
  ret->addr = addr;
  memcpy(ret->bytes, code, ret->size);
}

ssize_t lt_disasm(lt_thread *thread, uint64_t addr, size_t count, enum lt_syntax syntax,
                  struct lt_instruction *ret)
{
  const struct lt_arch *arch = lt_arch_get(lt_thread_abi(thread));
  struct window window = {.thread = thread, .addr = addr};
  size_t done = 0;
  int error = lt_thread_access(thread);
  if (error)
    return error;
  while (done < count) {
    const uint8_t *code;
    size_t size = look(&window, addr, &code);
    if (!size)
      break;
    decode(arch, code, size, addr, syntax, &ret[done]);
    addr += ret[done++].size;
  }
  if (!done && count)
    return lt_fail(thread->session, -EFAULT, "no memory can be read at %#llx",
                   (unsigned long long)addr);
  return (ssize_t)done;
}
