/* aggregate.c - aggregations: made, fed by attachments, read, freed. See aggregate.h. */
#include "aggregate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* ---- Shape -------------------------------------------------------------------------------- */

static bool is_linear_sane(const struct lt_aggregate_shape *shape)
{
  uint64_t width = (uint64_t)shape->to - (uint64_t)shape->from;
  return shape->from < shape->to && (width - 1) / shape->step <= LT_BUCKETS_MAX - 3;
}

static size_t buckets_of(const struct lt_aggregate_shape *shape)
{
  if (shape->action != LT_ACTION_HIST)
    return 0;
  return shape->step ? lt_aggregate_bucket(shape, INT64_MAX) + 1 : LT_BUCKETS_LOG2;
}

int lt_aggregation_new(lt_session *session, const struct lt_aggregate_shape *shape,
                       lt_aggregation **ret)
{
  if (shape->action > LT_ACTION_HIST || shape->keys > LT_KEYS_MAX)
    return lt_fail(session, -EINVAL, "an aggregation has at most %d keys", LT_KEYS_MAX);
  if (shape->action == LT_ACTION_HIST && shape->step && !is_linear_sane(shape))
    return lt_fail(session, -EINVAL, "a histogram has at most %d buckets, from a lower bound up",
                   LT_BUCKETS_MAX - 2);
  lt_aggregation *aggregation = calloc(1, sizeof *aggregation);
  if (aggregation) {
    memcpy(&aggregation->shape, shape, shape->size < sizeof *shape ? shape->size : sizeof *shape);
    aggregation->session = session;
    aggregation->buckets = buckets_of(shape);
    aggregation->rows = lt_rows_new(aggregation);
  }
  if (!aggregation || !aggregation->rows) {
    free(aggregation);
    return lt_fail(session, -ENOMEM, "out of memory");
  }
  DL_APPEND(session->aggregations, aggregation);
  *ret = aggregation;
  return 0;
}

/* ---- Attachments -------------------------------------------------------------------------- */

static bool needs_exit(const struct lt_operand *operand)
{
  return operand->source == LT_FROM_RET || operand->source == LT_FROM_TIME ||
         operand->source == LT_FROM_ERROR;
}

static void note(lt_attachment *attachment, const struct lt_operand *operand)
{
  attachment->at_exit = attachment->at_exit || needs_exit(operand);
  attachment->timed = attachment->timed || operand->source == LT_FROM_TIME;
  attachment->texts = attachment->texts || operand->source == LT_FROM_STRING;
}

static bool is_sane(const struct lt_operand *operand)
{
  return operand->source <= LT_FROM_CALLER_NAME && operand->size <= 8;
}

static bool is_measure_sane(const lt_aggregation *aggregation, const struct lt_measure *measure)
{
  bool sane = is_sane(&measure->value);
  for (unsigned i = 0; i < aggregation->shape.keys; i++)
    sane = sane && is_sane(&measure->key[i]);
  for (size_t i = 0; i < measure->test_count; i++)
    sane = sane && is_sane(&measure->tests[i].operand);
  return sane;
}

static void free_tests(struct lt_measure *measure)
{
  for (size_t i = 0; i < measure->test_count; i++)
    free((void *)measure->tests[i].any);
  free((void *)measure->tests);
}

/* The measure's tests become copies. False: out of memory; then it has none. */
static bool copy_tests(struct lt_measure *measure)
{
  const struct lt_test *from = measure->tests;
  size_t count = measure->test_count;
  struct lt_test *tests = count ? calloc(count, sizeof *tests) : NULL;
  bool whole = tests || !count;
  measure->tests = tests;
  measure->test_count = tests ? count : 0;
  for (size_t i = 0; tests && i < count; i++) {
    size_t size = from[i].count * sizeof *from[i].any;
    struct lt_alternative *any = malloc(size + 1);
    tests[i] = from[i];
    tests[i].any = any;
    if (any)
      memcpy(any, from[i].any, size);
    whole = whole && any;
  }
  if (!whole) {
    free_tests(measure);
    measure->tests = NULL;
    measure->test_count = 0;
  }
  return whole;
}

int lt_aggregation_attach(lt_aggregation *aggregation, const struct lt_measure *measure,
                          lt_attachment **ret)
{
  lt_session *session = aggregation->session;
  if (!is_measure_sane(aggregation, measure))
    return lt_fail(session, -EINVAL, "an operand of an aggregation makes no sense");
  lt_attachment *attachment = calloc(1, sizeof *attachment);
  if (!attachment)
    return lt_fail(session, -ENOMEM, "out of memory");
  attachment->aggregation = aggregation;
  attachment->measure = *measure;
  if (!copy_tests(&attachment->measure)) {
    free(attachment);
    return lt_fail(session, -ENOMEM, "out of memory");
  }
  note(attachment, &measure->value);
  for (unsigned i = 0; i < aggregation->shape.keys; i++)
    note(attachment, &measure->key[i]);
  for (size_t i = 0; i < measure->test_count; i++)
    note(attachment, &measure->tests[i].operand);
  DL_APPEND(aggregation->attachments, attachment);
  *ret = attachment;
  return 0;
}

void lt_attachment_free(lt_attachment *attachment)
{
  lt_feeds_forget(attachment);
  DL_DELETE(attachment->aggregation->attachments, attachment);
  free_tests(&attachment->measure);
  free(attachment);
}

/* ---- Reading, and the end ----------------------------------------------------------------- */

void lt_aggregate_source_add(lt_aggregation *aggregation, struct lt_aggregate_source *source)
{
  DL_APPEND(aggregation->sources, source);
}

void lt_aggregate_source_remove(lt_aggregation *aggregation, struct lt_aggregate_source *source)
{
  DL_DELETE(aggregation->sources, source);
}

void lt_aggregate_fold(lt_aggregation *aggregation)
{
  struct lt_aggregate_source *source, *next;
  DL_FOREACH_SAFE(aggregation->sources, source, next)
    source->fold(source);
}

void lt_aggregation_clear(lt_aggregation *aggregation)
{
  lt_aggregate_fold(aggregation);
  lt_rows_clear(aggregation);
}

void lt_aggregation_free(lt_aggregation *aggregation)
{
  while (aggregation->attachments) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): taken out */
    lt_attachment_free(aggregation->attachments);
  DL_DELETE(aggregation->session->aggregations, aggregation);
  lt_rows_free(aggregation->rows);
  free(aggregation->planted);
  free(aggregation);
}

void lt_aggregations_free(lt_session *session)
{
  lt_aggregate_free_returns(session);
  while (session->aggregations) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): taken out */
    lt_aggregation_free(session->aggregations);
  lt_feeds_free(session);
}
