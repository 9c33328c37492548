/* calls.c - see calls.h. */
#include "calls.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define POOL_AT ((void *)0x20000000)

static char text[1 << 16];

struct calls *calls_start(void)
{
  int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  struct calls *calls = calloc(1, sizeof *calls);
  assert_non_null(calls);
  calls->pool = mmap(POOL_AT, POOL_SIZE + 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
  assert_ptr_equal(calls->pool, POOL_AT);
  assert_int_equal(munmap(calls->pool + POOL_SIZE, 4096), 0);
  calls->tracee = tracee_start(tracee_idle, NULL);
  return calls;
}

void calls_end(struct calls *calls)
{
  lt_capture_free(&calls->tracee->thread);
  tracee_end(calls->tracee);
  munmap(calls->pool, POOL_SIZE);
  free(calls);
}

void calls_clear(struct calls *calls)
{
  calls->used = 0;
}

uint64_t put(struct calls *calls, const void *bytes, size_t size)
{
  assert_true(calls->used + size <= POOL_SIZE);
  uint8_t *at = calls->pool + calls->used;
  memcpy(at, bytes, size);
  calls->used += (size + 15) & ~(size_t)15;
  return (uint64_t)(uintptr_t)at;
}

uint64_t put_string(struct calls *calls, const char *string)
{
  return put(calls, string, strlen(string) + 1);
}

void enter(struct calls *calls, enum lt_abi abi, const char *name, const uint64_t args[6])
{
  lt_thread *thread = &calls->tracee->thread;
  const struct lt_syscall *call = lt_syscall_named(abi, name);
  assert_non_null(call);
  memset(&thread->call, 0, sizeof thread->call);
  thread->call.nr = (uint64_t)call->nr[abi];
  thread->call.abi = abi;
  memcpy(thread->call.args, args, sizeof thread->call.args);
  thread->in_call = true;
  lt_capture_forget(thread);
}

void leave(struct calls *calls, int64_t result)
{
  lt_thread *thread = &calls->tracee->thread;
  thread->call.done = 1;
  thread->call.ret = result;
  thread->call.is_error = result < 0 && result > -4096;
}

const char *line(struct calls *calls)
{
  size_t length = lt_call_format(&calls->tracee->thread, text, sizeof text);
  assert_true(length < sizeof text);
  assert_int_equal(strlen(text), length);
  return text;
}

void expect_call_(struct calls *calls, enum lt_abi abi, const char *name, const uint64_t args[6],
                  int64_t result, const char *expected, const char *file, int at)
{
  enter(calls, abi, name, args);
  leave(calls, result);
  _assert_string_equal(line(calls), expected, file, at);
}
