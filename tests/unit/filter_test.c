/* filter_test.c - the seccomp program that is made of subscriptions: random ones, run over random
 * calls. Never too little; and exactly right where a filter can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "filter.h"

#define TRACED (SECCOMP_RET_TRACE | LT_FILTER_DATA)
#define ROUNDS 400
#define CALLS 300
#define SELECTORS 6
#define CHECKS 3
#define VALUES 5

static uint64_t state = 88172645463325252u;

static uint64_t any(void)
{
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static unsigned below(unsigned limit)
{
  return limit ? (unsigned)(any() >> 33) % limit : 0;
}

static enum lt_verdict on_stop(void *data, lt_thread *thread, const struct lt_stop *stop)
{
  (void)data, (void)thread, (void)stop;
  return LT_RESUME;
}

static lt_session *new_session(void)
{
  const struct lt_hooks hooks = {.size = sizeof hooks, .stop = on_stop};
  lt_session *session;
  assert_int_equal(lt_session_create(NULL, &hooks, NULL, &session), 0);
  return session;
}

/* ---- Running a program -------------------------------------------------------------------- */

static bool jumps(const struct sock_filter *at, uint32_t a)
{
  switch (BPF_OP(at->code)) {
  case BPF_JEQ:
    return a == at->k;
  case BPF_JGT:
    return a > at->k;
  case BPF_JGE:
    return a >= at->k;
  case BPF_JSET:
    return a & at->k;
  default:
    fail_msg("jump %#x", at->code);
    return false;
  }
}

static uint32_t run(const struct lt_filter *filter, const struct seccomp_data *data)
{
  uint32_t a = 0;
  for (unsigned pc = 0; pc < filter->length; pc++) {
    const struct sock_filter *at = &filter->code[pc];
    if (at->code == (BPF_LD | BPF_W | BPF_ABS) && at->k <= sizeof *data - sizeof a)
      memcpy(&a, (const char *)data + at->k, sizeof a);
    else if (at->code == (BPF_ALU | BPF_AND | BPF_K))
      a &= at->k;
    else if (at->code == (BPF_JMP | BPF_JA))
      pc += at->k;
    else if (BPF_CLASS(at->code) == BPF_JMP && BPF_SRC(at->code) == BPF_K)
      pc += jumps(at, a) ? at->jt : at->jf;
    else if (at->code == (BPF_RET | BPF_K))
      return at->k;
    else
      fail_msg("instruction %#x", at->code);
  }
  fail_msg("the program has no end");
  return 0;
}

static uint32_t audit_of(enum lt_abi abi)
{
  return abi == LT_ABI_X86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_I386;
}

/* ---- A model of the tests ------------------------------------------------------------------ */

static const int numbers[] = {0, 1, 2, 5, 9, 39, 44, 257, 317, 157, 425, 450, 460, 511};
#define NUMBERS (sizeof numbers / sizeof *numbers)

static const uint64_t interesting[] = {0,
                                       1,
                                       2,
                                       3,
                                       7,
                                       8,
                                       0x400,
                                       0xff,
                                       0xffff,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       0x100000000,
                                       0xffffffff00000001,
                                       0x8000000000000000,
                                       0x7fffffffffffffff,
                                       UINT64_MAX,
                                       UINT64_MAX - 99,
                                       0xffffff9c,
                                       0x0001000000000400,
                                       0xc000003e};
#define INTERESTING (sizeof interesting / sizeof *interesting)

static uint64_t value(void)
{
  uint64_t one = interesting[below(INTERESTING)];
  switch (below(6)) {
  case 0:
    return one ^ any() << 32; /* junk in the upper half */
  case 1:
    return one + 1 - below(3);
  case 2:
    return any() >> below(64);
  default:
    return one;
  }
}

static uint64_t narrow(const struct lt_check *check, enum lt_abi abi, uint64_t raw)
{
  unsigned bytes = abi == LT_ABI_I386 && check->size > 4 ? 4 : check->size;
  return bytes == 8 ? raw : raw & ((UINT64_C(1) << 8 * bytes) - 1);
}

static int64_t extend(const struct lt_check *check, enum lt_abi abi, uint64_t raw)
{
  unsigned bytes = abi == LT_ABI_I386 && check->size > 4 ? 4 : check->size, shift = 64 - 8 * bytes;
  return (int64_t)(raw << shift) >> shift;
}

static bool holds(const struct lt_check *check, enum lt_abi abi, uint64_t raw)
{
  uint64_t now = narrow(check, abi, raw);
  int64_t number = extend(check, abi, raw);
  switch (check->kind) {
  case LT_CHECK_ONE_OF:
    for (size_t i = 0; i < check->count; i++)
      if (narrow(check, abi, check->values[i]) == now)
        return true;
    return false;
  case LT_CHECK_BITS:
    return (now & narrow(check, abi, check->values[0])) == narrow(check, abi, check->values[1]);
  case LT_CHECK_ANY:
    return now & narrow(check, abi, check->values[0]);
  default:
    return check->is_signed
               ? (int64_t)check->values[0] <= number && number <= (int64_t)check->values[1]
               : check->values[0] <= now && now <= check->values[1];
  }
}

struct wanted {
  enum lt_abi abi;
  int nr;
  unsigned count;
  struct lt_check checks[CHECKS];
  uint64_t values[CHECKS][VALUES];
  lt_selector *selector;
};

static void make_check(struct lt_check *check, uint64_t values[VALUES])
{
  static const uint8_t sizes[] = {4, 4, 8, 8, 2, 1};
  check->arg = (uint8_t)below(LT_CALL_ARGS);
  check->kind = (uint8_t)below(LT_CHECK_RANGE + 1);
  check->size = sizes[below(sizeof sizes)];
  check->is_signed = below(2);
  check->count = check->kind == LT_CHECK_ONE_OF ? 1 + below(VALUES)
                 : check->kind == LT_CHECK_ANY  ? 1
                                                : 2;
  for (size_t i = 0; i < VALUES; i++)
    values[i] = value();
  if (check->kind == LT_CHECK_BITS)
    values[1] &= values[0];
  if (check->kind == LT_CHECK_RANGE && below(2))
    values[below(2)] = below(2) ? 0 : UINT64_MAX;
  check->values = values;
}

static void make_wanted(lt_session *session, struct wanted *wanted)
{
  *wanted = (struct wanted){.abi = below(3) ? LT_ABI_X86_64 : LT_ABI_I386};
  wanted->nr = numbers[below(NUMBERS)];
  wanted->count = below(CHECKS + 1);
  for (unsigned i = 0; i < wanted->count; i++)
    make_check(&wanted->checks[i], wanted->values[i]);
  assert_int_equal(lt_selector_new(session, wanted->abi, wanted->nr, wanted->checks, wanted->count,
                                   &wanted->selector),
                   0);
  lt_selector_subscribe(wanted->selector, true);
}

static bool passes(const struct wanted *wanted, enum lt_abi abi, const struct seccomp_data *data)
{
  if (abi != wanted->abi || data->nr != wanted->nr)
    return false;
  for (unsigned i = 0; i < wanted->count; i++)
    if (!holds(&wanted->checks[i], abi, data->args[wanted->checks[i].arg]))
      return false;
  return true;
}

/* A call near what is wanted, so that tests fail by one argument alone, or none. */
static struct seccomp_data make_call(const struct wanted *near, enum lt_abi *ret)
{
  enum lt_abi abi = below(8) ? near->abi : LT_ABI_I386;
  struct seccomp_data data = {.nr = below(8) ? near->nr : numbers[below(NUMBERS)],
                              .arch = audit_of(abi)};
  for (int i = 0; i < LT_CALL_ARGS; i++)
    data.args[i] = value();
  for (unsigned i = 0; i < near->count; i++)
    if (below(4))
      data.args[near->checks[i].arg] = near->values[i][below(2)] ^ (below(2) ? any() << 32 : 0);
  if (abi == LT_ABI_I386 && below(4))
    for (int i = 0; i < LT_CALL_ARGS; i++)
      data.args[i] &= UINT32_MAX;
  *ret = abi;
  return data;
}

/* What the filter stops at besides, for the engine's own sake. */
static bool is_ours(enum lt_abi abi, const struct seccomp_data *data)
{
  const struct lt_arch *arch = lt_arch_get(abi);
  return (uint64_t)data->nr == arch->seccomp_nr || (uint64_t)data->nr == arch->prctl_nr ||
         arch->special((uint64_t)data->nr) != LT_SYS_OTHER;
}

static bool engine_passes(const struct wanted *wanted, lt_session *session, enum lt_abi abi,
                          const struct seccomp_data *data)
{
  lt_thread thread = {.session = session, .in_call = true};
  thread.call.abi = abi;
  memcpy(thread.call.args, data->args, sizeof data->args);
  return abi == wanted->abi && data->nr == wanted->nr &&
         lt_selector_passes(wanted->selector, &thread);
}

static void check_round(void)
{
  lt_session *session = new_session();
  struct wanted all[SELECTORS] = {{0}};
  unsigned count = 1 + below(SELECTORS);
  for (unsigned i = 0; i < count; i++)
    make_wanted(session, &all[i]);
  struct lt_filter *filter = lt_filter_new(session);
  assert_non_null(filter);
  for (int i = 0; i < CALLS; i++) {
    enum lt_abi abi;
    struct seccomp_data data = make_call(&all[below(count)], &abi);
    bool wanted = false, named = false;
    for (unsigned k = 0; k < count; k++) {
      bool one = passes(&all[k], abi, &data);
      assert_int_equal(one, engine_passes(&all[k], session, abi, &data));
      wanted |= one;
      named |= abi == all[k].abi && data.nr == all[k].nr;
    }
    uint32_t said = run(filter, &data);
    if (wanted && said != TRACED)
      fail_msg("call %d of ABI %d is missed", data.nr, (int)abi);
    if (!named && !is_ours(abi, &data) && said != SECCOMP_RET_ALLOW)
      fail_msg("call %d of ABI %d is stopped for nothing", data.nr, (int)abi);
  }
  lt_filter_spare(filter, false);
  lt_session_destroy(session);
}

static bool can_filter(void)
{
  lt_session *session = new_session();
  lt_subscribe_syscall(session, LT_ABI_X86_64, 39, true);
  struct lt_filter *filter = lt_filter_new(session);
  lt_filter_spare(filter, false);
  lt_session_destroy(session);
  return filter != NULL;
}

static void random_selectors(void **unused)
{
  (void)unused;
  if (!can_filter())
    skip();
  for (int i = 0; i < ROUNDS; i++)
    check_round();
}

/* ---- What must be exact -------------------------------------------------------------------- */

static uint32_t verdict(const struct lt_filter *filter, uint32_t arch, int nr, uint64_t first,
                        uint64_t second)
{
  struct seccomp_data data = {.nr = nr, .arch = arch, .args = {first, second}};
  return run(filter, &data);
}

static struct lt_filter *filter_of(lt_session *session, const struct lt_check *checks, size_t count)
{
  lt_selector *selector;
  assert_int_equal(lt_selector_new(session, LT_ABI_X86_64, 1, checks, count, &selector), 0);
  lt_selector_subscribe(selector, true);
  return lt_filter_new(session);
}

/* write { fd = { 1, 3 } }: an int, whatever is above it. */
static void sets_of_narrow_values(void **unused)
{
  (void)unused;
  static const uint64_t fds[] = {1, 3};
  const struct lt_check check = {.kind = LT_CHECK_ONE_OF, .size = 4, .count = 2, .values = fds};
  lt_session *session = new_session();
  struct lt_filter *filter = filter_of(session, &check, 1);
  if (filter) {
    for (uint64_t fd = 0; fd < 6; fd++) {
      uint32_t wanted = fd == 1 || fd == 3 ? TRACED : SECCOMP_RET_ALLOW;
      assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 1, fd, 0), wanted);
      assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 1, fd | UINT64_C(0xffffffff) << 32, 0),
                       wanted);
    }
    assert_int_equal(verdict(filter, AUDIT_ARCH_I386, 1, 1, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 0x40000001, 1, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(verdict(filter, AUDIT_ARCH_AARCH64, 1, 1, 0), SECCOMP_RET_ALLOW);
  }
  lt_filter_spare(filter, false);
  lt_session_destroy(session);
}

static void flags_and_ranges(void **unused)
{
  (void)unused;
  static const uint64_t bits[] = {0x601, 0x401}, range[] = {4096, UINT64_MAX};
  const struct lt_check checks[] = {
      {.arg = 0, .kind = LT_CHECK_BITS, .size = 4, .count = 2, .values = bits},
      {.arg = 1, .kind = LT_CHECK_RANGE, .size = 8, .count = 2, .values = range},
  };
  lt_session *session = new_session();
  struct lt_filter *filter = filter_of(session, checks, 2);
  if (filter) {
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 1, 0x401, 4096), TRACED);
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 1, 0x441, UINT64_C(1) << 40), TRACED);
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 1, 0x401, 4095), SECCOMP_RET_ALLOW);
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 1, 0x601, 4096), SECCOMP_RET_ALLOW);
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 1, 0x400, 4096), SECCOMP_RET_ALLOW);
  }
  lt_filter_spare(filter, false);
  lt_session_destroy(session);
}

static void what_the_engine_needs(void **unused)
{
  (void)unused;
  lt_session *session = new_session();
  lt_subscribe_syscall(session, LT_ABI_X86_64, 39, true);
  struct lt_filter *filter = lt_filter_new(session);
  if (filter) {
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 39, 0, 0), TRACED);
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 317, 1, 0), TRACED);
    assert_int_equal(verdict(filter, AUDIT_ARCH_I386, 354, 1, 0), TRACED);
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 157, PR_SET_SECCOMP, 2), TRACED);
    assert_int_equal(verdict(filter, AUDIT_ARCH_I386, 172, PR_GET_SECCOMP, 0), TRACED);
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, 157, PR_SET_NAME, 0), SECCOMP_RET_ALLOW);
    assert_int_equal(verdict(filter, AUDIT_ARCH_X86_64, -1, 0, 0), SECCOMP_RET_ALLOW);
  }
  lt_filter_spare(filter, false);
  lt_session_destroy(session);
}

static void nothing_wanted(void **unused)
{
  (void)unused;
  lt_session *session = new_session();
  assert_null(lt_filter_new(session));
  lt_subscribe(session, LT_SYSCALL_EXIT, true);
  assert_null(lt_filter_new(session));
  lt_session_destroy(session);
}

static void nonsense_is_refused(void **unused)
{
  (void)unused;
  static const uint64_t values[] = {1, 2};
  const struct lt_check good = {.size = 4, .count = 1, .values = values};
  struct lt_check bad = good;
  lt_session *session = new_session();
  lt_selector *selector;
  assert_int_equal(lt_selector_new(session, LT_ABI_X86_64, LT_SELECTABLE, &good, 1, &selector),
                   -EINVAL);
  bad.arg = LT_CALL_ARGS;
  assert_int_equal(lt_selector_new(session, LT_ABI_X86_64, 1, &bad, 1, &selector), -EINVAL);
  bad = good;
  bad.size = 3;
  assert_int_equal(lt_selector_new(session, LT_ABI_X86_64, 1, &bad, 1, &selector), -EINVAL);
  bad = good;
  bad.kind = LT_CHECK_RANGE;
  assert_int_equal(lt_selector_new(session, LT_ABI_X86_64, 1, &bad, 1, &selector), -EINVAL);
  lt_session_destroy(session);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_selectors), cmocka_unit_test(sets_of_narrow_values),
      cmocka_unit_test(flags_and_ranges), cmocka_unit_test(what_the_engine_needs),
      cmocka_unit_test(nothing_wanted),   cmocka_unit_test(nonsense_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
