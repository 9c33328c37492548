/* unwind_test.c - stacks that a hostile program may have: unwinding ends, in bounds, and says why. The
 * code that they return to is in no file, so that only their own words count. */
#include "tracee.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "file.h"
#include "space.h"
#include "unwind.h"
#include "x86_state.h"

#define SIZE ((size_t)1 << 20)
#define CODE ((size_t)4096) /* bytes at the start that are code; the rest is the stack */
#define TRAMPOLINE ((size_t)2048)
#define CONTEXT ((size_t)40) /* of a signal, above the stack pointer */

static const uint8_t trampoline[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};

struct stack {
  struct tracee *tracee;
  uint8_t *bytes; /* shared with the tracee, at the same address */
};

static uint64_t addr_of(const struct stack *stack, size_t at)
{
  return (uintptr_t)stack->bytes + at;
}

static void put(struct stack *stack, size_t at, uint64_t word)
{
  memcpy(stack->bytes + at, &word, sizeof word);
}

/* Each address in the code follows what looks like a call. */
static struct stack start(void)
{
  struct stack stack;
  stack.bytes = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(stack.bytes, MAP_FAILED);
  memset(stack.bytes, 0xe8, CODE);
  memcpy(stack.bytes + TRAMPOLINE, trampoline, sizeof trampoline);
  stack.tracee = tracee_start(tracee_idle, NULL);
  return stack;
}

static void end(struct stack *stack)
{
  lt_modules_free(stack->tracee->space.modules);
  lt_files_free(&stack->tracee->session);
  tracee_end(stack->tracee);
  munmap(stack->bytes, SIZE);
}

/* The thread is where these registers say, for us alone. */
static void set(struct stack *stack, size_t pc, size_t sp, size_t fp)
{
  struct lt_regs *regs;
  assert_int_equal(lt_regs_change(&stack->tracee->thread, &regs), 0);
  struct user_regs_struct *user = (struct user_regs_struct *)regs->general;
  user->rip = addr_of(stack, pc);
  user->rsp = addr_of(stack, sp);
  user->rbp = addr_of(stack, fp);
  regs->general_dirty = false;
}

static size_t frames(struct stack *stack, size_t limit, enum lt_stack_end *why)
{
  struct lt_stack found;
  assert_int_equal(lt_backtrace(&stack->tracee->thread, limit, &found), 0);
  size_t count = found.count;
  *why = found.end;
  lt_stack_free(&found);
  return count;
}

static void test_chain(void **state)
{
  (void)state;
  enum { FRAMES = 40000 };
  struct stack stack = start();
  enum lt_stack_end why;
  for (size_t i = 0; i <= FRAMES; i++) {
    put(&stack, CODE + 16 * i, i < FRAMES ? addr_of(&stack, CODE + 16 * (i + 1)) : 0);
    put(&stack, CODE + 16 * i + 8, addr_of(&stack, 64));
  }
  set(&stack, 64, CODE, CODE);
  assert_int_equal(frames(&stack, 1, &why), 1);
  assert_int_equal(why, LT_STACK_LIMIT);
  assert_int_equal(frames(&stack, 256, &why), 256);
  assert_int_equal(why, LT_STACK_LIMIT);
  assert_int_equal(frames(&stack, LT_STACK_MAX, &why), FRAMES + 2);
  assert_int_equal(why, LT_STACK_COMPLETE);
  struct lt_stack none;
  assert_int_equal(lt_backtrace(&stack.tracee->thread, 0, &none), -EINVAL);
  assert_int_equal(lt_backtrace(&stack.tracee->thread, LT_STACK_MAX + 1, &none), -EINVAL);
  end(&stack);
}

/* Frame pointers that point to themselves, down, nowhere, and not to a word. */
static void test_pointers(void **state)
{
  (void)state;
  struct stack stack = start();
  enum lt_stack_end why;
  put(&stack, CODE + 256, addr_of(&stack, CODE + 256));
  put(&stack, CODE + 264, addr_of(&stack, 64));
  set(&stack, 64, CODE + 128, CODE + 256);
  assert_int_equal(frames(&stack, 256, &why), 2);
  assert_int_equal(why, LT_STACK_NO_RULES);
  set(&stack, 64, CODE + 512, CODE + 256);
  assert_int_equal(frames(&stack, 256, &why), 1);
  set(&stack, 64, CODE + 128, SIZE + ((size_t)1 << 30));
  assert_int_equal(frames(&stack, 256, &why), 1);
  set(&stack, 64, CODE + 128, CODE + 259);
  assert_int_equal(frames(&stack, 256, &why), 1);
  assert_int_equal(why, LT_STACK_NO_RULES);
  end(&stack);
}

static void put_signal(struct stack *stack, size_t sp, size_t next)
{
  put(stack, sp + CONTEXT + 120, addr_of(stack, next));       /* rsp */
  put(stack, sp + CONTEXT + 128, addr_of(stack, TRAMPOLINE)); /* rip */
}

/* Signal frames may lead anywhere: round in circles as well. */
static void test_circles(void **state)
{
  (void)state;
  struct stack stack = start();
  enum lt_stack_end why;
  for (size_t length = 1; length < 9; length++) {
    for (size_t i = 0; i < length; i++)
      put_signal(&stack, CODE + 512 * i, CODE + 512 * ((i + 1) % length));
    set(&stack, TRAMPOLINE, CODE, CODE);
    assert_true(frames(&stack, LT_STACK_MAX, &why) <= 4 * length + 2);
    assert_int_equal(why, LT_STACK_LOOPS);
  }
  end(&stack);
}

static void test_noise(void **state)
{
  (void)state;
  struct stack stack = start();
  uint32_t seed = 5;
  for (unsigned round = 0; round < 300; round++) {
    for (size_t at = CODE; at < CODE + 65536; at += 8) {
      uint64_t word = (uint64_t)tracee_random(&seed) << 32 | tracee_random(&seed);
      if (word % 4 == 0)
        word = addr_of(&stack, CODE + word / 4 % 65536 / 8 * 8);
      else if (word % 4 == 1)
        word = addr_of(&stack, 16 + word / 4 % 1024);
      else if (word % 4 == 2)
        word = addr_of(&stack, TRAMPOLINE);
      put(&stack, at, word);
    }
    set(&stack, round % 2 ? TRAMPOLINE : 64, CODE + round * 8, CODE + round * 16);
    enum lt_stack_end why;
    size_t count = frames(&stack, 1000, &why);
    assert_true(count >= 1 && count <= 1000);
    assert_int_not_equal(why, LT_STACK_GOES_ON);
  }
  end(&stack);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_chain),
      cmocka_unit_test(test_pointers),
      cmocka_unit_test(test_circles),
      cmocka_unit_test(test_noise),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
