/* cursor.c - one frame of a stopped thread: its registers, its memory, and both as the surroundings of
 * an expression. unwind.c goes from frame to frame. See unwind.h. */
#include <errno.h>
#include <string.h>

#include "registers.h"
#include "unwind.h"

uint64_t lt_cursor_cut(const struct lt_cursor *cursor, uint64_t value)
{
  return cursor->arch->word == 4 ? (uint32_t)value : value;
}

/* ---- Memory ------------------------------------------------------------------------------- */

/* What is asked for lies above the stack pointer, mostly: the window begins there if it can. */
static void move_window(struct lt_cursor *cursor, uint64_t addr, size_t size)
{
  uint64_t from = addr;
  if (cursor->sp <= addr && addr - cursor->sp <= LT_WINDOW - size)
    from = cursor->sp;
  ssize_t got = lt_mem_read(cursor->thread, from, cursor->window, LT_WINDOW);
  if (got < 0 && from != addr) {
    from = addr;
    got = lt_mem_read(cursor->thread, from, cursor->window, LT_WINDOW);
  }
  cursor->window_at = from;
  cursor->window_size = got > 0 ? (size_t)got : 0;
}

static int read_memory(struct lt_cursor *cursor, uint64_t addr, void *ret, size_t size)
{
  for (int i = 0; i < 2; i++) {
    uint64_t at = addr - cursor->window_at;
    if (addr >= cursor->window_at && at <= cursor->window_size &&
        cursor->window_size - at >= size) {
      memcpy(ret, cursor->window + at, size);
      return 0;
    }
    if (i == 0)
      move_window(cursor, addr, size);
  }
  return -EFAULT;
}

int lt_cursor_word(struct lt_cursor *cursor, uint64_t addr, uint64_t *ret)
{
  *ret = 0;
  return read_memory(cursor, lt_cursor_cut(cursor, addr), ret,
                     cursor->arch->word); /* little-endian */
}

/* ---- The cursor as surroundings of an expression ------------------------------------------ */

int lt_cursor_reg(struct lt_cursor *cursor, unsigned number, uint64_t *ret)
{
  if (number >= cursor->arch->dwarf->count || !(cursor->known >> number & 1))
    return -ENODATA;
  *ret = cursor->reg[number];
  return 0;
}

static int around_reg(void *data, unsigned number, uint64_t *ret)
{
  return lt_cursor_reg(data, number, ret);
}

static int around_memory(void *data, uint64_t addr, void *ret, size_t size)
{
  return read_memory(data, addr, ret, size);
}

static int around_cfa(void *data, uint64_t *ret)
{
  return lt_cursor_cfa(data, ret);
}

void lt_cursor_around(struct lt_cursor *cursor, uint64_t bias, struct lt_surroundings *ret)
{
  *ret = (struct lt_surroundings){.data = cursor,
                                  .word = cursor->arch->word,
                                  .bias = bias,
                                  .reg = around_reg,
                                  .memory = around_memory,
                                  .cfa = around_cfa};
}

/* ---- Frames ------------------------------------------------------------------------------- */

int lt_cursor_start(lt_thread *thread, struct lt_cursor *ret)
{
  const struct lt_regs *regs;
  int error = lt_regs_general(thread, &regs);
  memset(ret, 0, offsetof(struct lt_cursor, window));
  if (error)
    return error;
  ret->thread = thread;
  ret->arch = lt_arch_get(lt_arch_of(regs));
  ret->exact = true;
  const struct lt_dwarf_regs *dwarf = ret->arch->dwarf;
  for (unsigned i = 0; i < dwarf->count; i++)
    ret->reg[i] = lt_cursor_cut(ret, regs->general[dwarf->where[i]]);
  ret->known = (1u << dwarf->count) - 1;
  ret->pc = ret->reg[dwarf->pc];
  ret->sp = ret->reg[dwarf->sp];
  return 0;
}

uint64_t lt_cursor_lookup(const struct lt_cursor *cursor)
{
  return cursor->exact ? cursor->pc : cursor->pc - 1;
}
