/* aggregate_value.c - operands and tests: what a stopped thread gives an aggregation. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aggregate.h"

#define COMM_BYTES 16
#define KIND_SIGNAL UINT64_C(0xff)

/* ---- Names -------------------------------------------------------------------------------- */

static uint64_t name_key(uint64_t kind, uint64_t number)
{
  return kind << 32 | (uint32_t)number;
}

/* A call that other ABIs have too is the same for all: it has the first one's number. */
static uint64_t call_key(const struct lt_call *call, uint64_t nr)
{
  if (call->abi == LT_ABI_X86_64)
    return name_key(0, nr);
  const struct lt_syscall *row = lt_syscall_find((enum lt_abi)call->abi, nr);
  const struct lt_syscall *same = row ? lt_syscall_named(LT_ABI_X86_64, row->name) : NULL;
  if (same && same->nr[LT_ABI_X86_64] >= 0)
    return name_key(0, (uint64_t)same->nr[LT_ABI_X86_64]);
  return name_key(call->abi, nr);
}

const char *lt_key_name(int64_t number, char *ret, size_t size)
{
  uint64_t kind = (uint64_t)number >> 32, low = (uint32_t)number;
  const char *name = NULL;
  if (kind == KIND_SIGNAL)
    name = lt_signal_name((int)low);
  else if (kind < LT_ABI_COUNT && lt_syscall_find((enum lt_abi)kind, low))
    name = lt_syscall_find((enum lt_abi)kind, low)->name;
  if (name)
    snprintf(ret, size, "%s", name);
  else
    snprintf(ret, size, "%s_%llu", kind == KIND_SIGNAL ? "signal" : "syscall",
             (unsigned long long)low);
  return ret;
}

bool lt_key_named(const char *name, int64_t *ret)
{
  int signo = strncmp(name, "SIG", 3) == 0 ? lt_signal_number(name) : 0;
  if (signo > 0) {
    *ret = (int64_t)name_key(KIND_SIGNAL, (uint64_t)signo);
    return true;
  }
  for (uint32_t abi = 0; abi < LT_ABI_COUNT; abi++) {
    const struct lt_syscall *row = lt_syscall_named((enum lt_abi)abi, name);
    if (row && row->nr[abi] >= 0) {
      const struct lt_call call = {.abi = abi};
      *ret = (int64_t)call_key(&call, (uint64_t)row->nr[abi]);
      return true;
    }
  }
  return false;
}

/* ---- Operands ----------------------------------------------------------------------------- */

uint64_t lt_operand_narrow(const struct lt_operand *operand, uint64_t value)
{
  if (operand->size == 0 || operand->size >= 8)
    return value;
  unsigned unused = 64 - operand->size * 8u;
  if (operand->is_signed)
    return (uint64_t)((int64_t)(value << unused) >> unused);
  return value << unused >> unused;
}

static int argument(const struct lt_occasion *occasion, const struct lt_operand *operand,
                    uint64_t *ret)
{
  lt_thread *thread = occasion->thread;
  uint64_t value = 0;
  int error = 0;
  if (occasion->kind != LT_BREAK)
    value = thread->call.args[operand->index];
  else
    error = lt_arch_get(lt_thread_abi(thread))->function_arg(thread, operand->index, &value);
  *ret = lt_operand_narrow(operand, value);
  return error;
}

static int caller(lt_thread *thread, uint64_t *ret)
{
  uint64_t sp;
  return lt_arch_get(lt_thread_abi(thread))->function_return(thread, ret, &sp);
}

static uint64_t of_result(const struct lt_call *call, uint8_t source)
{
  if (source == LT_FROM_ERROR)
    return call->is_error ? (uint64_t)-call->ret : 0;
  return (uint64_t)call->ret;
}

/* What can be said without the thread's registers or memory. */
static uint64_t plain(const struct lt_occasion *occasion, uint8_t source)
{
  const lt_thread *thread = occasion->thread;
  bool signal = occasion->kind == LT_SIGNAL;
  uint64_t nr = signal ? (uint64_t)thread->stop.u.signal.signo : thread->entered_nr;
  switch (source) {
  case LT_FROM_RET:
  case LT_FROM_ERROR:
    return occasion->kind == LT_BREAK ? 0 : of_result(&thread->call, source);
  case LT_FROM_TIME:
    return occasion->time;
  case LT_FROM_NAME:
    return signal ? name_key(KIND_SIGNAL, nr) : call_key(&thread->call, nr);
  case LT_FROM_NR:
    return nr;
  case LT_FROM_ABI:
    return thread->call.abi;
  case LT_FROM_TID:
    return (uint64_t)thread->tid;
  case LT_FROM_PID:
    return (uint64_t)thread->process->pid;
  default:
    return 0;
  }
}

/* Negated errno: the thread is gone, or its stack is not there. */
static int evaluate(const struct lt_occasion *occasion, const struct lt_operand *operand,
                    uint64_t *ret)
{
  switch (operand->source) {
  case LT_FROM_ARG:
    return argument(occasion, operand, ret);
  case LT_FROM_PC:
    if (occasion->kind == LT_SYSCALL_ENTRY || occasion->kind == LT_SYSCALL_EXIT)
      *ret = occasion->thread->call.ip;
    else
      return lt_thread_pc(occasion->thread, ret);
    return 0;
  case LT_FROM_CALLER:
    return caller(occasion->thread, ret);
  default:
    *ret = plain(occasion, operand->source);
    return 0;
  }
}

/* ---- Strings ------------------------------------------------------------------------------ */

/* Returns the length, or a negated errno; `bytes` is where they are. */
static ssize_t string_of_call(lt_thread *thread, unsigned index, const char **bytes, uint64_t *raw)
{
  struct lt_value value;
  int error = lt_call_arg(thread, index, &value);
  if (error)
    return error;
  *raw = value.raw;
  if (value.type != LT_ARG_STRING)
    return -EFAULT;
  *bytes = value.bytes;
  return (ssize_t)(value.size < LT_KEY_TEXT ? value.size : LT_KEY_TEXT);
}

static ssize_t comm_of(const lt_thread *thread, char *ret)
{
  char name[32];
  snprintf(name, sizeof name, "task/%d/comm", (int)thread->tid);
  int fd = lt_k_proc_open(thread->process->pid, name, O_RDONLY);
  if (fd < 0)
    return fd;
  ssize_t size = lt_k_pread(fd, ret, COMM_BYTES, 0);
  close(fd);
  return size > 0 && ret[size - 1] == '\n' ? size - 1 : size;
}

/* The function that has an address, or where in its module that is. */
static ssize_t function_at(const lt_thread *thread, uint64_t addr, char ret[LT_KEY_TEXT + 1])
{
  struct lt_symbol symbol;
  int error = lt_symbol_at(thread->process, addr, &symbol);
  if (error)
    return error;
  if (symbol.name)
    snprintf(ret, LT_KEY_TEXT, "%s", symbol.name);
  else
    snprintf(ret, LT_KEY_TEXT, "%s+0x%llx", symbol.module,
             (unsigned long long)(addr - symbol.bias));
  return (ssize_t)strlen(ret);
}

static ssize_t function_of(const struct lt_occasion *occasion, uint8_t source, char *ret,
                           uint64_t *addr)
{
  bool is_caller = source == LT_FROM_CALLER_NAME;
  int error = is_caller ? caller(occasion->thread, addr) : lt_thread_pc(occasion->thread, addr);
  return error ? error : function_at(occasion->thread, *addr - is_caller, ret);
}

/* A string that cannot be read is its address. False: there is no room for it. */
static bool text_cell(const struct lt_occasion *occasion, lt_aggregation *aggregation,
                      const struct lt_operand *operand, unsigned index, struct lt_cells *cells)
{
  char buffer[LT_KEY_TEXT + 1];
  const char *bytes = buffer;
  uint64_t addr = 0;
  ssize_t size;
  bool whole;
  if (operand->source == LT_FROM_COMM) {
    size = comm_of(occasion->thread, buffer);
  } else if (operand->source != LT_FROM_STRING) {
    size = function_of(occasion, operand->source, buffer, &addr);
  } else if (occasion->kind != LT_BREAK) {
    size = string_of_call(occasion->thread, operand->index, &bytes, &addr);
  } else {
    int error = argument(occasion, operand, &addr);
    size = error ? error : lt_mem_string(occasion->thread, addr, buffer, LT_KEY_TEXT, &whole);
  }
  cells->number[index] = addr;
  if (size < 0)
    return true;
  cells->texts |= (uint64_t)1 << index;
  return lt_aggregate_text(aggregation, bytes, (size_t)size, &cells->number[index]);
}

/* ---- Tests -------------------------------------------------------------------------------- */

static bool in_range(const struct lt_test *test, const struct lt_alternative *range, uint64_t value)
{
  if (test->operand.is_signed)
    return (int64_t)value >= (int64_t)range->a && (int64_t)value <= (int64_t)range->b;
  return value >= range->a && value <= range->b;
}

bool lt_test_passes(const struct lt_test *test, uint64_t value)
{
  for (uint32_t i = 0; i < test->count; i++) {
    const struct lt_alternative *one = &test->any[i];
    bool passes = one->kind == LT_TEST_EQUAL   ? value == one->a
                  : one->kind == LT_TEST_RANGE ? in_range(test, one, value)
                                               : (value & one->a) == one->a;
    if (passes)
      return true;
  }
  return false;
}

static bool passes_all(const struct lt_measure *measure, const struct lt_occasion *occasion)
{
  uint64_t value;
  for (size_t i = 0; i < measure->test_count; i++)
    if (evaluate(occasion, &measure->tests[i].operand, &value) != 0 ||
        !lt_test_passes(&measure->tests[i], value))
      return false;
  return true;
}

/* ---- Counting ----------------------------------------------------------------------------- */

static bool is_text(const struct lt_operand *operand)
{
  return operand->source == LT_FROM_STRING || operand->source == LT_FROM_COMM ||
         operand->source >= LT_FROM_FUNCTION;
}

static int find_cells(const lt_attachment *attachment, const struct lt_occasion *occasion,
                      struct lt_cells *ret)
{
  *ret = (struct lt_cells){0};
  for (unsigned i = 0; i < attachment->aggregation->shape.keys; i++) {
    const struct lt_operand *key = &attachment->measure.key[i];
    if (is_text(key)) {
      if (!text_cell(occasion, attachment->aggregation, key, i, ret))
        return -ENOSPC;
    } else {
      int error = evaluate(occasion, key, &ret->number[i]);
      if (error)
        return error;
    }
  }
  return 0;
}

int lt_attachment_look(const lt_attachment *attachment, const struct lt_occasion *occasion,
                       struct lt_cells *ret_cells, uint64_t *ret_value)
{
  const struct lt_measure *measure = &attachment->measure;
  if (!passes_all(measure, occasion))
    return -EAGAIN;
  int error = evaluate(occasion, &measure->value, ret_value);
  return error ? error : find_cells(attachment, occasion, ret_cells);
}

void lt_attachment_add(const lt_attachment *attachment, int error, const struct lt_cells *cells,
                       uint64_t value)
{
  lt_aggregation *aggregation = attachment->aggregation;
  if (error == 0)
    lt_aggregate_value(aggregation, lt_aggregate_tally(aggregation, cells), (int64_t)value);
  else if (error == -ENOSPC)
    lt_aggregate_value(aggregation, lt_aggregate_others(aggregation), (int64_t)value);
}

void lt_attachment_count(const lt_attachment *attachment, const struct lt_occasion *occasion)
{
  const struct lt_measure *measure = &attachment->measure;
  struct lt_cells cells;
  uint64_t value = 0;
  bool failed = occasion->kind == LT_SYSCALL_EXIT && occasion->thread->call.is_error;
  if (failed && measure->value.source == LT_FROM_RET) /* which has no result */
    return;
  int error = lt_attachment_look(attachment, occasion, &cells, &value);
  lt_attachment_add(attachment, error, &cells, value);
}
