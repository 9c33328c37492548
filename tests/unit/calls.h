/* calls.h - a stopped tracee with a piece of shared memory, in a call that a test makes up: for
 * tests of decoding and formatting. */
#ifndef LT_TEST_CALLS_H
#define LT_TEST_CALLS_H

#include "tracee.h"

#define POOL_SIZE ((size_t)1 << 20)

/* The memory is at one address below 4 GiB in the test and in the tracee, so that structs of both
 * ABIs can point into it. The page behind it is a hole. */
struct calls {
  struct tracee *tracee;
  uint8_t *pool;
  size_t used;
};

struct calls *calls_start(void);
void calls_end(struct calls *calls);
/* Forget what was put into the pool. */
void calls_clear(struct calls *calls);
/* Copy something into the pool; its address. */
uint64_t put(struct calls *calls, const void *bytes, size_t size);
uint64_t put_string(struct calls *calls, const char *string);

/* Begin a call; -1 may stand for arguments that do not matter. */
void enter(struct calls *calls, enum lt_abi abi, const char *name, const uint64_t args[6]);
/* It returns; errors are negated as the kernel has them. */
void leave(struct calls *calls, int64_t result);
/* The line of the call, whole. Holds until the next. */
const char *line(struct calls *calls);

#define ARGS(...) ((const uint64_t[6]){__VA_ARGS__})
/* Enter and leave a call of x86_64, or of i386, and compare the line. */
#define expect_call(calls, name, args, result, expected) \
  expect_call_(calls, LT_ABI_X86_64, name, args, result, expected, __FILE__, __LINE__)
#define expect_call_i386(calls, name, args, result, expected) \
  expect_call_(calls, LT_ABI_I386, name, args, result, expected, __FILE__, __LINE__)
void expect_call_(struct calls *calls, enum lt_abi abi, const char *name, const uint64_t args[6],
                  int64_t result, const char *expected, const char *file, int at);

#endif
