/* filter_build.c - subscriptions as a seccomp program.
 *
 * libseccomp makes one program per ABI, always as if for the native one: it then takes the numbers
 * of our own table as they are, instead of translating them by the names that it knows. The part
 * that says whose calls these are is put right afterwards, and the programs are joined.
 *
 * What cannot be tested there is left out, so that too many calls stop: memory that arguments point
 * to, long sets, ranges that no single comparison of 64 unsigned bits states. The kernel looks at
 * the lower bits alone of arguments that it declares as narrower, so the filter does, too. */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <utlist.h>

#include "filter.h"

#define RULES_MAX 32   /* about one argument of a call */
#define ANY_BITS_MAX 8 /* of a test that asks for any of them */

/* ---- One argument ------------------------------------------------------------------------- */

/* Comparisons of one argument, one of which must hold; none: whatever it is. */
struct options {
  struct scmp_arg_cmp list[RULES_MAX];
  unsigned count;
};

static struct scmp_arg_cmp masked(unsigned arg, uint64_t mask, uint64_t value)
{
  if (mask == UINT64_MAX)
    return (struct scmp_arg_cmp){arg, SCMP_CMP_EQ, value, 0};
  return (struct scmp_arg_cmp){arg, SCMP_CMP_MASKED_EQ, mask, value};
}

static void add_values(struct options *options, const struct lt_check *check, uint64_t mask)
{
  if (check->count > RULES_MAX)
    return;
  for (size_t i = 0; i < check->count; i++)
    options->list[options->count++] = masked(check->arg, mask, check->values[i]);
}

static void add_any(struct options *options, const struct lt_check *check)
{
  uint64_t bits = check->values[0];
  if (__builtin_popcountll(bits) > ANY_BITS_MAX)
    return;
  for (; bits; bits &= bits - 1)
    options->list[options->count++] = masked(check->arg, bits & -bits, bits & -bits);
}

static void add_range(struct options *options, const struct lt_check *check, uint64_t mask)
{
  uint64_t min = check->values[0], max = check->values[1];
  if (mask != UINT64_MAX || check->is_signed)
    return;
  if (max == UINT64_MAX)
    options->list[options->count++] = (struct scmp_arg_cmp){check->arg, SCMP_CMP_GE, min, 0};
  else if (min == 0)
    options->list[options->count++] = (struct scmp_arg_cmp){check->arg, SCMP_CMP_LE, max, 0};
}

/* A second test of an argument is left out: a rule can have one. */
static void add_check(struct options options[LT_CALL_ARGS], const struct lt_check *check,
                      enum lt_abi abi)
{
  struct options *own = &options[check->arg];
  uint64_t mask = lt_check_mask(check, abi);
  if (own->count)
    return;
  switch (check->kind) {
  case LT_CHECK_ONE_OF:
    add_values(own, check, mask);
    break;
  case LT_CHECK_BITS:
    own->list[own->count++] = masked(check->arg, check->values[0], check->values[1]);
    break;
  case LT_CHECK_ANY:
    add_any(own, check);
    break;
  case LT_CHECK_RANGE:
    add_range(own, check, mask);
    break;
  default:
    break;
  }
}

/* ---- Rules -------------------------------------------------------------------------------- */

static int add_rule(scmp_filter_ctx context, int nr, const struct scmp_arg_cmp *tests,
                    unsigned count)
{
  int error =
      seccomp_rule_add_exact_array(context, SCMP_ACT_TRACE(LT_FILTER_DATA), nr, count, tests);
  return error == -EEXIST ? 0 : error;
}

/* Tests of several arguments in several rules grow into trees without measure. So there is one rule with
 * all its tests, or one argument that all rules are about. */
struct rules {
  unsigned selectors;
  struct options all[LT_CALL_ARGS]; /* of all selectors; none: one of them does not test it */
  bool untested[LT_CALL_ARGS];
};

static void add_options(struct rules *rules, const struct options own[LT_CALL_ARGS])
{
  for (unsigned arg = 0; arg < LT_CALL_ARGS; arg++) {
    struct options *all = &rules->all[arg];
    unsigned count = all->count + own[arg].count;
    rules->untested[arg] |= own[arg].count == 0 || count > RULES_MAX;
    if (rules->untested[arg])
      continue;
    memcpy(all->list + all->count, own[arg].list, own[arg].count * sizeof *all->list);
    all->count = count;
  }
  rules->selectors++;
}

static void collect(struct rules *rules, const struct lt_selector *selector)
{
  struct options own[LT_CALL_ARGS];
  for (unsigned i = 0; i < LT_CALL_ARGS; i++)
    own[i].count = 0;
  for (size_t i = 0; i < selector->count; i++)
    add_check(own, &selector->checks[i], selector->abi);
  add_options(rules, own);
}

static int add_single_rule(scmp_filter_ctx context, int nr, const struct rules *rules)
{
  struct scmp_arg_cmp tests[LT_CALL_ARGS];
  unsigned count = 0;
  for (unsigned arg = 0; arg < LT_CALL_ARGS; arg++)
    if (!rules->untested[arg])
      tests[count++] = rules->all[arg].list[0];
  return add_rule(context, nr, tests, count);
}

static int add_rules(scmp_filter_ctx context, int nr, const struct rules *rules)
{
  const struct options *best = NULL;
  bool single = rules->selectors == 1;
  for (unsigned arg = 0; arg < LT_CALL_ARGS; arg++) {
    const struct options *one = &rules->all[arg];
    if (rules->untested[arg])
      continue;
    single = single && one->count == 1;
    if (!best || one->count < best->count)
      best = one;
  }
  if (single || !best)
    return add_single_rule(context, nr, rules);
  int error = 0;
  for (unsigned i = 0; error == 0 && i < best->count; i++)
    error = add_rule(context, nr, &best->list[i], 1);
  return error;
}

static int add_selectors(const lt_session *session, scmp_filter_ctx context, enum lt_abi abi,
                         int nr)
{
  const struct lt_selector *selector;
  struct rules rules = {.selectors = 0};
  DL_FOREACH(session->selectors[abi][nr], selector)
    collect(&rules, selector);
  return rules.selectors ? add_rules(context, nr, &rules) : 0;
}

/* What the engine itself has to see: see filter_guard.c and cpu_answer.c. */
static int add_guards(const lt_session *session, scmp_filter_ctx context, enum lt_abi abi)
{
  static const int asked[] = {PR_GET_SECCOMP, PR_SET_SECCOMP, PR_GET_NO_NEW_PRIVS,
                              PR_SET_NO_NEW_PRIVS};
  const struct lt_arch *arch = lt_arch_get(abi);
  int error = add_rule(context, (int)arch->seccomp_nr, NULL, 0);
  for (unsigned i = 0; error == 0 && i < sizeof asked / sizeof *asked; i++) {
    struct scmp_arg_cmp test = masked(0, UINT32_MAX, (uint64_t)asked[i]);
    error = add_rule(context, (int)arch->prctl_nr, &test, 1);
  }
  for (int nr = 0; error == 0 && session->cpus && nr < LT_SELECTABLE; nr++)
    if (arch->special((uint64_t)nr) == LT_SYS_CPUS)
      error = add_rule(context, nr, NULL, 0);
  return error;
}

/* What matters where breakpoints are: children that are hidden from us (births.c), and what the
 * program does with SIGTRAP (trap_state.c). */
static int add_breaks(scmp_filter_ctx context, enum lt_abi abi)
{
  const struct lt_arch *arch = lt_arch_get(abi);
  const struct scmp_arg_cmp untraced = masked(0, CLONE_UNTRACED, CLONE_UNTRACED);
  const struct scmp_arg_cmp trap = masked(0, UINT32_MAX, SIGTRAP), changes = {1, SCMP_CMP_NE, 0, 0};
  int error = add_rule(context, (int)arch->sigaction_nr, &trap, 1);
  if (error == 0)
    error = add_rule(context, (int)arch->sigprocmask_nr, &changes, 1);
  for (int nr = 0; error == 0 && nr < LT_SELECTABLE; nr++) {
    enum lt_special special = arch->special((uint64_t)nr);
    if (special == LT_SYS_CLONE)
      error = add_rule(context, nr, &untraced, 1);
    else if (special == LT_SYS_CLONE3)
      error = add_rule(context, nr, NULL, 0);
  }
  return error;
}

static int add_calls(const lt_session *session, const struct lt_filter *filter,
                     scmp_filter_ctx context, enum lt_abi abi)
{
  int error = 0;
  for (int nr = 0; error == 0 && nr < LT_SELECTABLE; nr++) {
    if (filter->whole[abi][nr / 64] >> (nr % 64) & 1)
      error = add_rule(context, nr, NULL, 0);
    else
      error = add_selectors(session, context, abi, nr);
  }
  if (error == 0 && filter->breaks)
    error = add_breaks(context, abi);
  return error ? error : add_guards(session, context, abi);
}

/* ---- Programs ----------------------------------------------------------------------------- */

struct program {
  struct sock_filter *code;
  unsigned length;
};

static int read_program(int fd, struct program *ret)
{
  off_t size = lseek(fd, 0, SEEK_END);
  if (size <= 0 || size % (off_t)sizeof *ret->code)
    return -EIO;
  ret->code = malloc((size_t)size);
  if (!ret->code)
    return -ENOMEM;
  ret->length = (unsigned)((size_t)size / sizeof *ret->code);
  return pread(fd, ret->code, (size_t)size, 0) == size ? 0 : -EIO;
}

static int export_program(scmp_filter_ctx context, struct program *ret)
{
  int fd = memfd_create("filter", MFD_CLOEXEC);
  if (fd < 0)
    return -errno;
  int error = seccomp_export_bpf(context, fd);
  if (error == 0)
    error = read_program(fd, ret);
  close(fd);
  return error;
}

/* It begins by comparing the ABI, and is about another one. */
static int change_abi(struct program *program, enum lt_abi abi)
{
  struct sock_filter *code = program->code;
  bool known = program->length > 2 && code[0].code == (BPF_LD | BPF_W | BPF_ABS) &&
               code[0].k == offsetof(struct seccomp_data, arch) &&
               code[1].code == (BPF_JMP | BPF_JEQ | BPF_K) && code[1].k == lt_arch_native()->audit;
  if (!known)
    return -ENOTSUP;
  code[1].k = lt_arch_get(abi)->audit;
  return 0;
}

static int make_program(const lt_session *session, const struct lt_filter *filter, enum lt_abi abi,
                        struct program *ret)
{
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
  if (!context)
    return -ENOMEM;
  seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
  seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree; older ones make a list */
  int error = add_calls(session, filter, context, abi);
  if (error == 0)
    error = export_program(context, ret);
  seccomp_release(context);
  return error ? error : change_abi(ret, abi);
}

/* Each begins anew, so whose calls they are is all that has to be told before. */
static int join(const struct program program[LT_ABI_COUNT], struct lt_filter *filter)
{
  unsigned length = 1, at = 0;
  for (unsigned abi = 0; abi < LT_ABI_COUNT; abi++)
    length += program[abi].length + 2;
  if (length + 1 > BPF_MAXINSNS)
    return -E2BIG;
  struct sock_filter *code = calloc(length + 1, sizeof *code);
  if (!code)
    return -ENOMEM;
  code[at++] =
      (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  for (unsigned abi = 0; abi < LT_ABI_COUNT; abi++) {
    uint32_t audit = lt_arch_get((enum lt_abi)abi)->audit;
    code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit, 1, 0);
    code[at++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, program[abi].length);
    memcpy(code + at, program[abi].code, program[abi].length * sizeof *code);
    at += program[abi].length;
  }
  code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter->code = code;
  filter->length = at;
  return 0;
}

static int build_all(struct lt_filter *filter)
{
  filter->code = malloc(sizeof *filter->code);
  if (!filter->code)
    return -ENOMEM;
  *filter->code = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | LT_FILTER_DATA);
  filter->length = 1;
  return 0;
}

int lt_filter_build(const lt_session *session, struct lt_filter *filter)
{
  struct program program[LT_ABI_COUNT] = {{NULL, 0}};
  if (filter->all)
    return build_all(filter);
  int error = 0;
  for (unsigned abi = 0; error == 0 && abi < LT_ABI_COUNT; abi++)
    error = make_program(session, filter, (enum lt_abi)abi, &program[abi]);
  if (error == 0)
    error = join(program, filter);
  for (unsigned abi = 0; abi < LT_ABI_COUNT; abi++)
    free(program[abi].code);
  return error;
}
