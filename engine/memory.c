/* memory.c - tracee memory: any address, any length, exact to the byte.
 *
 * Three ways, from quick to patient. process_vm_readv(2) and process_vm_writev(2) respect page
 * protection. /proc/TID/mem does not, where the kernel allows that: it reads what the program made
 * unreadable and writes to its text. ptrace(2) does the same by words where the file is refused.
 * What none of them reaches is a hole. What we have planted (breaks.c) is not to be seen. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "breaks.h"
#include "probe.h"
#include "registers.h"

/* The least page that any processor has: nothing becomes inaccessible between two multiples. */
#define PAGE ((size_t)4096)
#define WORD sizeof(unsigned long)

/* What is left to do of one access. */
struct range {
  uint64_t addr;
  bool write;
  uint8_t *to;         /* reading */
  const uint8_t *from; /* writing */
  size_t size;
};

/* One way: does some of the range from its start, returns the number of bytes or an error. */
typedef ssize_t way(lt_thread *thread, const struct range *range);

void lt_mem_forget(lt_process *process)
{
  if (process->mem_fd >= 0)
    close(process->mem_fd);
  process->mem_fd = -1;
}

static ssize_t by_call(lt_thread *thread, const struct range *range)
{
  if (range->write)
    return lt_k_vm_write(thread->tid, range->addr, range->from, range->size);
  return lt_k_vm_read(thread->tid, range->addr, range->to, range->size);
}

/* The leader of a process can be a zombie with nothing to open; this thread is not. */
static int open_mem(lt_thread *thread)
{
  lt_process *process = thread->process;
  if (process->mem_fd >= 0)
    return 0;
  int fd = lt_k_proc_open(thread->tid, "mem", O_RDWR);
  if (fd == -EACCES || fd == -EPERM)
    fd = lt_k_proc_open(thread->tid, "mem", O_RDONLY);
  if (fd < 0)
    return fd;
  process->mem_fd = fd;
  return 0;
}

static ssize_t by_file(lt_thread *thread, const struct range *range)
{
  if (!thread->process)
    return -EFAULT;
  ssize_t done = 0;
  /* No bytes: the descriptor belongs to memory that is gone, or the thread has none any more. */
  for (int attempt = 0; attempt < 2 && !done; attempt++) {
    int error = open_mem(thread);
    if (error)
      return error;
    int fd = thread->process->mem_fd;
    if (range->write)
      done = lt_k_pwrite(fd, range->from, range->size, range->addr);
    else
      done = lt_k_pread(fd, range->to, range->size, range->addr);
    if (!done)
      lt_mem_forget(thread->process);
  }
  return done;
}

/* One aligned word, of which the range covers `size` bytes from `skip` on. */
static int do_word(lt_thread *thread, const struct range *range, size_t done, size_t skip,
                   size_t size)
{
  uint64_t addr = range->addr + done - skip;
  unsigned long word = 0;
  int error = 0;
  if (!range->write || size < WORD)
    error = lt_k_peek(thread->tid, addr, &word);
  if (error)
    return error;
  if (!range->write) {
    memcpy(range->to + done, (uint8_t *)&word + skip, size);
    return 0;
  }
  memcpy((uint8_t *)&word + skip, range->from + done, size);
  return (int)lt_k_ptrace(PTRACE_POKEDATA, thread->tid, (uintptr_t)addr, word);
}

/* By words up to the end of the page: the next one may be open to a quicker way. */
static ssize_t by_words(lt_thread *thread, const struct range *range)
{
  size_t size = PAGE - range->addr % PAGE, done = 0;
  if (size > range->size)
    size = range->size;
  while (done < size) {
    size_t skip = (range->addr + done) % WORD;
    size_t some = size - done < WORD - skip ? size - done : WORD - skip;
    int error = do_word(thread, range, done, skip, some);
    if (error)
      return done && error != -ESRCH ? (ssize_t)done : error;
    done += some;
  }
  return (ssize_t)done;
}

static bool is_refusal(ssize_t error)
{
  return error == -EPERM || error == -EACCES;
}

/* Do some of the range by the first way that works; 0 is never returned. ptrace(2) says EIO for a
 * hole and for memory that it may not touch alike, so that what was refused before tells. */
static ssize_t advance(lt_thread *thread, const struct range *range)
{
  static way *const ways[] = {by_call, by_file, by_words};
  unsigned refusals = 0;
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    ssize_t done = ways[i](thread, range);
    if (done > 0 || done == -ESRCH)
      return done;
    refusals += is_refusal(done);
  }
  return refusals >= 2 ? -EPERM : -EFAULT;
}

static int failed(lt_thread *thread, const struct range *range, int error)
{
  const char *what = range->write ? "write to" : "read";
  if (error == -ESRCH)
    return lt_touch_failed(thread, error, range->write ? "write to memory" : "read memory");
  return lt_fail(thread->session, error, "cannot %s address 0x%llx of thread %d: %s", what,
                 (unsigned long long)range->addr, (int)thread->tid, strerror(-error));
}

static ssize_t transfer(lt_thread *thread, struct range range)
{
  int error = lt_touch(thread);
  if (error)
    return error;
  if (range.size > LT_MEM_MAX)
    return lt_fail(thread->session, -E2BIG, "%zu bytes of memory at once are too many: at most %zu",
                   range.size, LT_MEM_MAX);
  if (range.size && range.addr > UINT64_MAX - (range.size - 1))
    range.size = (size_t)(UINT64_MAX - range.addr) + 1; /* memory does not go round */
  size_t size = range.size;
  while (range.size) {
    ssize_t done = advance(thread, &range);
    if (done < 0 && (range.size == size || done == -ESRCH))
      return failed(thread, &range, (int)done);
    if (done < 0)
      break;
    range.addr += (size_t)done;
    range.size -= (size_t)done;
    if (range.write)
      range.from += done;
    else
      range.to += done;
  }
  return (ssize_t)(size - range.size);
}

ssize_t lt_mem_read(lt_thread *thread, uint64_t addr, void *ret, size_t size)
{
  ssize_t done = transfer(thread, (struct range){.addr = addr, .to = ret, .size = size});
  if (done > 0)
    lt_sites_hide(thread->process, addr, ret, (size_t)done);
  return done;
}

bool lt_mem_read_two(lt_thread *thread, const struct lt_k_range range[2])
{
  if (lt_thread_access(thread) != 0 ||
      lt_k_vm_read_two(thread->tid, range) != (ssize_t)(range[0].size + range[1].size))
    return false;
  for (int i = 0; i < 2; i++)
    lt_sites_hide(thread->process, range[i].addr, range[i].ret, range[i].size);
  return true;
}

ssize_t lt_mem_write(lt_thread *thread, uint64_t addr, const void *bytes, size_t size)
{
  struct range range = {.addr = addr, .write = true, .from = bytes, .size = size};
  if (thread->process)
    lt_probe_clear(thread->process, addr, size);
  uint8_t *covered = lt_sites_cover(thread->process, addr, bytes, size);
  if (covered)
    range.from = covered;
  ssize_t done = transfer(thread, range);
  if (covered && done > 0)
    lt_sites_written(thread->process, addr, bytes, (size_t)done);
  free(covered);
  return done;
}

/* A stopped thread is the best to ask: ptrace(2) answers for no other. */
static lt_thread *any_thread(const lt_process *process)
{
  for (lt_thread *thread = process->threads; thread; thread = thread->next)
    if (thread->state == LT_ST_STOPPED)
      return thread;
  return process->threads;
}

static ssize_t raw_some(lt_thread *thread, const struct range *range)
{
  ssize_t done = range->write ? -EFAULT : by_call(thread, range);
  if (done <= 0)
    done = by_file(thread, range);
  if (done <= 0 && thread->state == LT_ST_STOPPED)
    done = by_words(thread, range);
  return done;
}

/* A failure is believed when repeated, as in lt_request(): what is not taken out stays behind. */
static ssize_t raw(lt_process *process, struct range range)
{
  lt_thread *thread = any_thread(process);
  size_t size = range.size;
  ssize_t done = thread ? 1 : -ESRCH;
  while (range.size && done > 0) {
    done = raw_some(thread, &range);
    if (done <= 0)
      done = raw_some(thread, &range);
    if (done <= 0)
      break;
    range.addr += (size_t)done;
    range.size -= (size_t)done;
    if (range.write)
      range.from += done;
    else
      range.to += done;
  }
  return range.size < size ? (ssize_t)(size - range.size) : done ? done : -ESRCH;
}

ssize_t lt_mem_raw_read(lt_process *process, uint64_t addr, void *ret, size_t size)
{
  return raw(process, (struct range){.addr = addr, .to = ret, .size = size});
}

ssize_t lt_mem_raw_write(lt_process *process, uint64_t addr, const void *bytes, size_t size)
{
  return raw(process, (struct range){.addr = addr, .write = true, .from = bytes, .size = size});
}

ssize_t lt_mem_string(lt_thread *thread, uint64_t addr, char *ret, size_t max, bool *whole)
{
  size_t length = 0, room = max < SIZE_MAX ? max + 1 : max; /* the NUL may be the last byte */
  *whole = false;
  ret[0] = '\0';
  if (max > LT_MEM_MAX)
    return lt_fail(thread->session, -E2BIG, "a string of %zu bytes is too long: at most %zu", max,
                   LT_MEM_MAX);
  while (length < room) {
    size_t size = PAGE - (addr + length) % PAGE;
    if (size > room - length)
      size = room - length;
    ssize_t got = lt_mem_read(thread, addr + length, ret + length, size);
    const char *end = got > 0 ? memchr(ret + length, '\0', (size_t)got) : NULL;
    if (end) {
      *whole = true;
      return end - ret;
    }
    if (got < 0 && (!length || got != -EFAULT)) {
      ret[length] = '\0';
      return got;
    }
    length += got > 0 ? (size_t)got : 0;
    if (got < (ssize_t)size)
      break;
  }
  length = length > max ? max : length;
  ret[length] = '\0';
  return (ssize_t)length;
}
