/* filter.c - the filter that a launched program carries: a snapshot of what was subscribed when it
 * was launched, inherited by all its descendants and never got rid of.
 *
 * A process whose snapshot has all that is subscribed now runs at full speed between the calls that
 * somebody wants. When something is subscribed later that is not in it, its calls are traced one
 * and all, as those of a process that carries none. */
#include "filter.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utlist.h>

#include "aggregate.h"
#include "breaks.h"
#include "proc.h"

/* ---- What is wanted ----------------------------------------------------------------------- */

#define KIND(kind) (1u << (kind))

static bool wants_all(const lt_session *session, enum lt_abi abi)
{
  return session->kinds & KIND(LT_SYSCALL_ENTRY) || session->all_calls[abi] ||
         lt_aggregate_wants_whole(session, abi, LT_ALL_SYSCALLS);
}

static bool wants_whole(const lt_session *session, enum lt_abi abi, int nr)
{
  return session->calls[abi][nr / 64] >> (nr % 64) & 1 ||
         lt_aggregate_wants_whole(session, abi, nr);
}

static bool wants_calls(const lt_session *session)
{
  if (session->kinds & (KIND(LT_SYSCALL_ENTRY) | KIND(LT_SYSCALL_EXIT)) ||
      lt_aggregate_any_call(session))
    return true;
  for (int abi = 0; abi < LT_ABI_COUNT; abi++)
    if (session->all_calls[abi] || session->call_count[abi])
      return true;
  return false;
}

/* ---- Making ------------------------------------------------------------------------------- */

static bool is_available(void)
{
  uint32_t action = SECCOMP_RET_TRACE;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* Whoever has no privilege may install one only after having given up to gain any. */
static bool has_privilege(void)
{
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  return syscall(SYS_capget, &header, data) == 0 && data[0].effective >> CAP_SYS_ADMIN & 1;
}

static int add_id(struct lt_filter *filter, uint32_t id)
{
  uint32_t *ids = realloc(filter->selectors, (filter->selector_count + 1) * sizeof *ids);
  if (!ids)
    return -ENOMEM;
  ids[filter->selector_count++] = id;
  filter->selectors = ids;
  return 0;
}

static int compare_ids(const void *a, const void *b)
{
  uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
  return one < other ? -1 : one > other;
}

static int take_snapshot(const lt_session *session, struct lt_filter *filter)
{
  int error = 0;
  for (int abi = 0; abi < LT_ABI_COUNT; abi++) {
    filter->all |= wants_all(session, (enum lt_abi)abi);
    for (int nr = 0; nr < LT_SELECTABLE; nr++) {
      const struct lt_selector *selector;
      if (wants_whole(session, (enum lt_abi)abi, nr))
        filter->whole[abi][nr / 64] |= (uint64_t)1 << (nr % 64);
      DL_FOREACH(session->selectors[abi][nr], selector)
        error = error ? error : add_id(filter, selector->id);
    }
  }
  if (filter->selector_count)
    qsort(filter->selectors, filter->selector_count, sizeof *filter->selectors, compare_ids);
  return error;
}

static void release(struct lt_filter *filter)
{
  if (!filter)
    return;
  free(filter->code);
  free(filter->selectors);
  free(filter);
}

static bool expects_breaks(const lt_session *session)
{
  return session->kinds & (KIND(LT_BREAK) | KIND(LT_LOAD) | KIND(LT_RETURN));
}

/* Where the exit of every call is wanted there is nothing to gain. With `no_follow` the children are
 * to be let go, which those that carry a filter cannot be. */
static bool is_useful(const lt_session *session)
{
  return !session->options.no_filter && !session->options.no_follow &&
         (wants_calls(session) || expects_breaks(session)) &&
         !(session->kinds & KIND(LT_SYSCALL_EXIT));
}

struct lt_filter *lt_filter_new(lt_session *session)
{
  if (!is_useful(session) || !is_available())
    return NULL;
  struct lt_filter *filter = calloc(1, sizeof *filter);
  if (!filter)
    return NULL;
  filter->breaks = expects_breaks(session);
  filter->hides_privs = !has_privilege() && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
  if (take_snapshot(session, filter) != 0 || lt_filter_build(session, filter) != 0) {
    release(filter);
    return NULL;
  }
  session->has_filters = true;
  return filter;
}

/* ---- Installing --------------------------------------------------------------------------- */

static int set_filter(struct sock_fprog *program, unsigned flags)
{
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program) == 0 ? 0 : errno;
}

/* Older kernels know no SPEC_ALLOW, without which some slow the program down. */
int lt_filter_install(const struct lt_filter *filter)
{
  struct sock_fprog program = {(unsigned short)filter->length, filter->code};
  if (filter->hides_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return errno;
  int error = set_filter(&program, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  return error == EINVAL ? set_filter(&program, 0) : error;
}

void lt_filter_spare(struct lt_filter *filter, bool carried)
{
  if (!filter)
    return;
  free(filter->code);
  filter->code = NULL;
  if (!carried)
    release(filter);
}

/* ---- Who carries it ----------------------------------------------------------------------- */

void lt_filter_share(lt_process *process, struct lt_filter *filter)
{
  if (filter)
    filter->users++;
  lt_filter_leave(process);
  process->filter = filter;
}

void lt_filter_leave(lt_process *process)
{
  struct lt_filter *filter = process->filter;
  process->filter = NULL;
  if (filter && --filter->users == 0)
    release(filter);
}

void lt_filter_guess(lt_process *process)
{
  struct lt_proc_status own = {0}, status = {0};
  if (!process->session->has_filters)
    return;
  bool known = lt_proc_status(getpid(), &own) == 0 && lt_proc_status(process->pid, &status) == 0;
  if (known && status.filters <= own.filters && own.filters + status.filters > 0)
    return;
  struct lt_filter *filter = calloc(1, sizeof *filter);
  if (!filter)
    return;
  filter->unknown = true;
  lt_filter_share(process, filter);
}

/* ---- Whether it is enough ----------------------------------------------------------------- */

static bool has_whole(const struct lt_filter *filter, enum lt_abi abi, int nr)
{
  return filter->whole[abi][nr / 64] >> (nr % 64) & 1;
}

static bool has_selector(const struct lt_filter *filter, const struct lt_selector *selector)
{
  return has_whole(filter, selector->abi, selector->nr) ||
         (filter->selector_count &&
          bsearch(&selector->id, filter->selectors, filter->selector_count, sizeof selector->id,
                  compare_ids));
}

static bool covers_abi(const struct lt_filter *filter, const lt_session *session, enum lt_abi abi)
{
  if (wants_all(session, abi))
    return false;
  for (int nr = 0; nr < LT_SELECTABLE; nr++) {
    const struct lt_selector *selector;
    if (!has_whole(filter, abi, nr) && wants_whole(session, abi, nr))
      return false;
    DL_FOREACH(session->selectors[abi][nr], selector)
      if (!has_selector(filter, selector))
        return false;
  }
  return true;
}

static bool compute_covers(const struct lt_filter *filter, const lt_session *session)
{
  if (filter->unknown || session->kinds & KIND(LT_SYSCALL_EXIT))
    return false;
  for (int abi = 0; abi < LT_ABI_COUNT && !filter->all; abi++)
    if (!covers_abi(filter, session, (enum lt_abi)abi))
      return false;
  return true;
}

static bool covers(struct lt_filter *filter, const lt_session *session)
{
  if (filter->version != session->calls_version + 1) {
    filter->version = session->calls_version + 1;
    filter->covers = compute_covers(filter, session);
  }
  return filter->covers;
}

bool lt_filter_stops(const lt_thread *thread)
{
  const lt_process *process = thread->process;
  return process->filter && !process->filter->unknown && !process->own_filter;
}

bool lt_filter_lacks(const lt_thread *thread)
{
  const lt_process *process = thread->process;
  const lt_session *session = thread->session;
  if (thread->strict)
    return true;
  if (thread->silent)
    return false;
  if (!process->filter || process->own_filter || !covers(process->filter, session))
    return wants_calls(session);
  return lt_sites_any(process) && !process->filter->breaks && !process->filter->all;
}
