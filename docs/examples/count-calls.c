/* count-calls.c - how often a program makes each system call: the engine without Lua.
 *
 *   cc count-calls.c $(pkg-config --cflags --libs luatrace) -o count-calls
 *   ./count-calls ls
 */
#include <luatrace.h>
#include <stdio.h>

#define CALLS 1024

struct counts {
  unsigned long of[LT_ABI_COUNT][CALLS];
};

/* Called for each stop of each thread. */
static enum lt_verdict on_stop(void *data, lt_thread *thread, const struct lt_stop *stop)
{
  struct counts *counts = data;

  (void)thread;
  if (stop->kind == LT_SYSCALL_ENTRY && stop->u.call.nr < CALLS)
    counts->of[stop->u.call.abi][stop->u.call.nr]++;
  return LT_RESUME;
}

static void print(const struct counts *counts)
{
  for (int abi = 0; abi < LT_ABI_COUNT; abi++)
    for (int nr = 0; nr < CALLS; nr++) {
      const struct lt_syscall *call = lt_syscall_find((enum lt_abi)abi, (uint64_t)nr);

      if (counts->of[abi][nr] > 0)
        printf("%8lu %s\n", counts->of[abi][nr], call != NULL ? call->name : "(unknown)");
    }
}

int main(int argc, char **argv)
{
  static struct counts counts;
  const struct lt_hooks hooks = {.size = sizeof hooks, .stop = on_stop};
  const struct lt_spawn spawn = {.size = sizeof spawn, .argv = argv + 1};
  lt_session *session;
  lt_process *process;

  if (argc < 2 || lt_session_create(NULL, &hooks, &counts, &session) < 0) {
    fprintf(stderr, "usage: count-calls PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  for (int abi = 0; abi < LT_ABI_COUNT; abi++)
    lt_subscribe_syscall(session, (enum lt_abi)abi, LT_ALL_SYSCALLS, true);
  bool failed = lt_spawn(session, &spawn, &process) < 0 || lt_run(session) < 0;
  if (failed)
    fprintf(stderr, "count-calls: %s\n", lt_error(session));
  lt_session_destroy(session);
  print(&counts);
  return failed;
}
