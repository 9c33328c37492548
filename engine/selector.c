/* selector.c - which calls of one number somebody wants: tests of their arguments.
 *
 * The tests of all selectors of a call decide whether the hook hears of it; the same tests, as far
 * as it can make them, are in the filter that launched programs carry (filter_build.c). */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "filter.h"

#define CHECKS_MAX 64
#define VALUES_MAX 65536

/* ---- Making ------------------------------------------------------------------------------- */

static void free_texts(struct lt_check *check)
{
  for (size_t i = 0; check->texts && i < check->count; i++)
    free((char *)check->texts[i].bytes);
  free((void *)check->texts);
  free((void *)check->values);
}

static int copy_texts(const struct lt_check *from, struct lt_check *to)
{
  struct lt_words *texts = calloc(from->count, sizeof *texts);
  to->texts = texts;
  for (size_t i = 0; texts && i < from->count; i++) {
    char *bytes = malloc(from->texts[i].size + 1);
    if (!bytes)
      return -ENOMEM;
    memcpy(bytes, from->texts[i].bytes, from->texts[i].size);
    bytes[from->texts[i].size] = '\0';
    texts[i] = (struct lt_words){bytes, from->texts[i].size};
  }
  return texts ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
  uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
  return one < other ? -1 : one > other;
}

/* Values are kept as the bits that count; a set in order. */
static int copy_values(const struct lt_check *from, enum lt_abi abi, struct lt_check *to)
{
  uint64_t *values = malloc(from->count * sizeof *values);
  if (!values)
    return -ENOMEM;
  for (size_t i = 0; i < from->count; i++)
    values[i] =
        from->kind == LT_CHECK_RANGE ? from->values[i] : from->values[i] & lt_check_mask(from, abi);
  if (from->kind == LT_CHECK_ONE_OF)
    qsort(values, from->count, sizeof *values, compare);
  to->values = values;
  return 0;
}

static bool is_text(const struct lt_check *check)
{
  return check->kind >= LT_CHECK_TEXT;
}

static bool makes_sense(const struct lt_check *check)
{
  bool two = check->kind == LT_CHECK_BITS || check->kind == LT_CHECK_RANGE;
  bool size = check->size == 1 || check->size == 2 || check->size == 4 || check->size == 8;
  return check->arg < LT_CALL_ARGS && check->kind <= LT_CHECK_GLOB && size &&
         check->count <= VALUES_MAX && (two ? check->count == 2 : check->count > 0) &&
         (is_text(check) ? check->texts != NULL : check->values != NULL);
}

static int copy_checks(lt_selector *selector, const struct lt_check *checks, size_t count)
{
  selector->checks = calloc(count + 1, sizeof *checks);
  if (!selector->checks)
    return -ENOMEM;
  for (size_t i = 0; i < count; i++) {
    struct lt_check *to = &selector->checks[i];
    *to = checks[i];
    to->values = NULL;
    to->texts = NULL;
    selector->count = i + 1;
    int error =
        is_text(to) ? copy_texts(&checks[i], to) : copy_values(&checks[i], selector->abi, to);
    if (error)
      return error;
  }
  return 0;
}

static void leave(lt_selector *selector)
{
  if (--selector->users > 0)
    return;
  DL_DELETE2(selector->session->every_selector, selector, older, newer);
  for (size_t i = 0; i < selector->count; i++)
    free_texts(&selector->checks[i]);
  free(selector->checks);
  free(selector);
}

int lt_selector_new(lt_session *session, enum lt_abi abi, int nr, const struct lt_check *checks,
                    size_t count, lt_selector **ret)
{
  if ((unsigned)abi >= LT_ABI_COUNT || nr < 0 || nr >= LT_SELECTABLE)
    return lt_fail(session, -EINVAL, "there is no system call %d", nr);
  for (size_t i = 0; i < count; i++)
    if (count > CHECKS_MAX || !makes_sense(&checks[i]))
      return lt_fail(session, -EINVAL, "test %zu of an argument makes no sense", i + 1);
  lt_selector *selector = calloc(1, sizeof *selector);
  int error = selector ? 0 : -ENOMEM;
  if (selector) {
    *selector = (lt_selector){.session = session, .abi = abi, .nr = nr, .users = 1};
    selector->id = ++session->selector_ids;
    DL_APPEND2(session->every_selector, selector, older, newer);
    error = copy_checks(selector, checks, count);
  }
  if (error) {
    if (selector)
      leave(selector);
    return lt_fail(session, error, "out of memory");
  }
  *ret = selector;
  return 0;
}

/* It has become one that calls are stopped for, or is no longer. */
static void update(lt_selector *selector, bool was)
{
  lt_session *session = selector->session;
  lt_selector **list = &session->selectors[selector->abi][selector->nr];
  bool is = selector->on || selector->counted;
  if (is && !was)
    DL_APPEND(*list, selector);
  if (was && !is)
    DL_DELETE(*list, selector);
  if (is == was)
    return;
  session->call_count[selector->abi] += (unsigned)is - (unsigned)was;
  session->calls_version++;
  lt_remode(session);
}

void lt_selector_subscribe(lt_selector *selector, bool on)
{
  bool was = selector->on || selector->counted;
  selector->on = on;
  update(selector, was);
}

void lt_selector_count(lt_selector *selector, bool on)
{
  bool was = selector->on || selector->counted;
  selector->counted += on ? 1 : -1u;
  selector->users += on;
  update(selector, was);
  if (!on)
    leave(selector);
}

void lt_selector_free(lt_selector *selector)
{
  if (!selector)
    return;
  lt_selector_subscribe(selector, false);
  leave(selector);
}

/* ---- Testing ------------------------------------------------------------------------------ */

uint64_t lt_check_mask(const struct lt_check *check, enum lt_abi abi)
{
  unsigned word = lt_arch_get(abi)->word, size = check->size < word ? check->size : word;
  return size == 8 ? UINT64_MAX : ((uint64_t)1 << (size * 8)) - 1;
}

static bool is_in(const struct lt_check *check, uint64_t value)
{
  return bsearch(&value, check->values, check->count, sizeof value, compare) != NULL;
}

static bool is_within(const struct lt_check *check, uint64_t value, uint64_t mask)
{
  uint64_t top = mask ^ (mask >> 1);
  int64_t number = (int64_t)(value & top ? value | ~mask : value);
  if (!check->is_signed)
    return check->values[0] <= value && value <= check->values[1];
  return (int64_t)check->values[0] <= number && number <= (int64_t)check->values[1];
}

static bool matches(const char *glob, const struct lt_value *value)
{
  char *text = memchr(value->bytes, '\0', value->size) ? NULL : strndup(value->bytes, value->size);
  bool found = text && fnmatch(glob, text, 0) == 0;
  free(text);
  return found;
}

static bool text_passes(const struct lt_check *check, const struct lt_words *wanted,
                        const struct lt_value *value)
{
  switch (check->kind) {
  case LT_CHECK_PREFIX:
    return value->size >= wanted->size && memcmp(value->bytes, wanted->bytes, wanted->size) == 0;
  case LT_CHECK_SUFFIX:
    return !value->cut && value->size >= wanted->size &&
           memcmp(value->bytes + value->size - wanted->size, wanted->bytes, wanted->size) == 0;
  case LT_CHECK_GLOB:
    return !value->cut && matches(wanted->bytes, value);
  default:
    return value->size == wanted->size && memcmp(value->bytes, wanted->bytes, wanted->size) == 0;
  }
}

static bool texts_pass(const struct lt_check *check, lt_thread *thread)
{
  struct lt_value value;
  if (lt_call_arg(thread, check->arg, &value) != 0 || !value.bytes)
    return false;
  for (size_t i = 0; i < check->count; i++)
    if (text_passes(check, &check->texts[i], &value))
      return true;
  return false;
}

static bool passes(const struct lt_check *check, lt_thread *thread)
{
  uint64_t mask = lt_check_mask(check, (enum lt_abi)thread->call.abi);
  uint64_t value = thread->call.args[check->arg] & mask;
  switch (check->kind) {
  case LT_CHECK_ONE_OF:
    return is_in(check, value);
  case LT_CHECK_BITS:
    return (value & check->values[0]) == check->values[1];
  case LT_CHECK_ANY:
    return value & check->values[0];
  case LT_CHECK_RANGE:
    return is_within(check, value, mask);
  default:
    return texts_pass(check, thread);
  }
}

bool lt_selector_passes(const lt_selector *selector, lt_thread *thread)
{
  if (!thread->in_call)
    return false;
  for (size_t i = 0; i < selector->count; i++)
    if (!passes(&selector->checks[i], thread))
      return false;
  return true;
}

bool lt_selectors_pass(lt_thread *thread)
{
  const struct lt_call *call = &thread->call;
  const lt_selector *selector;
  if (call->nr >= LT_SELECTABLE)
    return false;
  DL_FOREACH(thread->session->selectors[call->abi][call->nr], selector)
    if (selector->on && lt_selector_passes(selector, thread))
      return true;
  return false;
}
