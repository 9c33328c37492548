/* cpu_answer.c - the program sees its own CPUs.
 *
 * sched_getaffinity(2) would tell that a thread is pinned, sched_setaffinity(2) would undo that, and
 * some scheduling policies are refused to a thread that is. The kernel answers all of these itself:
 * whoever the call is about gets its own CPUs at the entry and is not pinned again before the call
 * is over. What it has then is its own from then on. So results, errors and the layout of masks are
 * the kernel's in every ABI, and a change of cpusets shows as it would. */
#include <string.h>
#include <unistd.h>

#include "cpu_state.h"
#include "engine.h"
#include "remote.h"

/* The call that the thread is about to make: its own, or one for us. */
static const struct lt_call *next_call(const lt_thread *thread)
{
  if (thread->remote)
    return thread->remote->reenters ? &thread->remote->own_call : &thread->remote->call;
  bool enters = thread->in_call && thread->stop.kind == LT_SYSCALL_ENTRY && !thread->skipped;
  return enters ? &thread->call : NULL;
}

static bool asks(const struct lt_call *call)
{
  return lt_arch_get((enum lt_abi)call->abi)->special(call->nr) == LT_SYS_CPUS;
}

bool lt_cpu_is_asking(const lt_thread *thread)
{
  const struct lt_call *call = next_call(thread);
  return call && asks(call);
}

/* In another pid namespace, numbers mean other threads. */
static bool same_numbers(const lt_thread *thread)
{
  char theirs[64], ours[64];
  return lt_k_proc_readlink(thread->tid, "ns/pid", theirs, sizeof theirs) < 0 ||
         lt_k_proc_readlink(getpid(), "ns/pid", ours, sizeof ours) < 0 || strcmp(theirs, ours) == 0;
}

static pid_t target_of(const lt_thread *thread)
{
  pid_t pid = (pid_t)(int32_t)next_call(thread)->args[0];
  if (pid == 0)
    return thread->tid;
  if (pid < 0) /* an error */
    return LT_ASKS_NOBODY;
  return same_numbers(thread) ? pid : LT_ASKS_ALL;
}

/* Call `visit` for each thread that is meant. */
static void each(lt_session *session, pid_t who, void (*visit)(lt_thread *thread))
{
  lt_thread *thread, *next;
  if (who == LT_ASKS_ALL) {
    HASH_ITER(hh, session->threads, thread, next)
      visit(thread);
    return;
  }
  thread = lt_task_thread(session, who);
  if (thread)
    visit(thread);
}

static void begin(lt_thread *thread)
{
  if (!thread->process || !thread->process->launched)
    return;
  thread->cpu.asked++;
  lt_cpu_unpin_running(thread);
}

static void end(lt_thread *thread)
{
  if (thread->cpu.asked == 0)
    return;
  thread->cpu.asked--;
  thread->cpu.realtime = false; /* looked at again */
  lt_cpu_read_back(thread);
}

void lt_cpu_ask(lt_thread *thread)
{
  thread->cpu.asks = target_of(thread);
  if (thread->cpu.asks)
    each(thread->session, thread->cpu.asks, begin);
}

void lt_cpu_asked(lt_thread *thread)
{
  pid_t who = thread->cpu.asks;
  thread->cpu.asks = LT_ASKS_NOBODY;
  each(thread->session, who, end);
}
