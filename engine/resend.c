/* resend.c - signals that are delivered later than they came, with the siginfo that they came
 * with.
 *
 * The kernel lets nobody queue a signal that looks as if it came from itself. So a stand-in is
 * queued that carries a number of ours as its value; when the thread stops for it, it gets the
 * siginfo that belongs to it, and is delivered without being reported again. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <utlist.h>

#include "engine.h"

#define RESENT_MAX 64 /* for one thread, at a time */

struct lt_resent {
  siginfo_t info;
  struct lt_resent *prev, *next;
};

static bool is_full(const lt_thread *thread)
{
  int count = 0;
  struct lt_resent *one;
  DL_COUNT(thread->resent, one, count);
  return count >= RESENT_MAX;
}

int lt_signal_resend(lt_thread *thread, const siginfo_t *info)
{
  if (is_full(thread))
    return lt_fail(thread->session, -EAGAIN, "too many signals wait for thread %d",
                   (int)thread->tid);
  struct lt_resent *one = malloc(sizeof *one);
  if (!one)
    return lt_fail(thread->session, -ENOMEM, "out of memory");
  one->info = *info;
  siginfo_t token = {.si_signo = info->si_signo, .si_code = SI_QUEUE};
  token.si_pid = getpid();
  token.si_uid = getuid();
  token.si_value.sival_ptr = one;
  int error = lt_k_sigqueue(thread->process->pid, thread->tid, info->si_signo, &token);
  if (error) {
    free(one);
    return lt_fail(thread->session, error, "signal %d cannot be sent to thread %d: %s",
                   info->si_signo, (int)thread->tid, lt_errno_text(-error));
  }
  DL_APPEND(thread->resent, one);
  return 0;
}

static void drop(lt_thread *thread, struct lt_resent *one)
{
  DL_DELETE(thread->resent, one); /* NOLINT(clang-analyzer-core.NullDereference): it is in there */
  free(one);
}

/* A signal below SIGRTMIN that finds another of its number pending vanishes in it: its stand-in
 * never comes, and is forgotten with the one that did. */
static void drop_merged(lt_thread *thread, int signo)
{
  struct lt_resent *one, *next;
  DL_FOREACH_SAFE(thread->resent, one, next)
    if (one->info.si_signo == signo && signo < 32)
      drop(thread, one);
}

static struct lt_resent *find(const lt_thread *thread, const siginfo_t *token)
{
  struct lt_resent *one;
  bool ours = token->si_code == SI_QUEUE && token->si_pid == getpid();
  DL_FOREACH(thread->resent, one)
    if (ours && token->si_value.sival_ptr == one && token->si_signo == one->info.si_signo)
      return one;
  return NULL;
}

bool lt_resent_arrives(lt_thread *thread, int signo)
{
  siginfo_t token;
  if (!thread->resent || lt_request(thread, PTRACE_GETSIGINFO, 0, (uintptr_t)&token) != 0)
    return false;
  struct lt_resent *one = find(thread, &token);
  if (one) {
    lt_request(thread, PTRACE_SETSIGINFO, 0, (uintptr_t)&one->info);
    drop(thread, one);
  }
  drop_merged(thread, signo);
  return one != NULL;
}

void lt_resent_free(lt_thread *thread)
{
  while (thread->resent)
    drop(thread, thread->resent);
}
