/* remote_test.c - calls made by a tracee for us, from every kind of stop; scratch room; skipped
 * calls. The tracee checks that it notices nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "luatrace.h"

struct run {
  uint32_t at;      /* bit per kind of stop at which a call is made */
  bool scratch;     /* take room instead */
  uint64_t skip_nr; /* a call that is skipped with ret 4711 */
  int wanted, done, wrong, refused;
  int pid, code; /* the command, and how it ended: -1 by a signal */
};

static void begin(struct run *run, lt_thread *thread)
{
  const uint64_t none[LT_CALL_ARGS] = {0};
  uint64_t room;
  int error;
  if (!run->scratch)
    error = lt_remote_call(thread, SYS_getpid, none);
  else if (lt_scratch_take(thread, 5000, &room) == 0)
    return;
  else
    error = lt_scratch_grow(thread, 5000);
  run->wanted += error == 0;
  run->refused += error != 0;
}

static void end(struct run *run, lt_thread *thread, const struct lt_stop *stop)
{
  uint64_t room;
  char back[6] = "";
  run->done++;
  if (!run->scratch) {
    run->wrong += stop->u.call.ret != stop->pid;
    return;
  }
  run->wrong += lt_scratch_take(thread, 5000, &room) != 0 ||
                lt_mem_write(thread, room, "hello", 6) != 6 ||
                lt_mem_read(thread, room, back, 6) != 6 || strcmp(back, "hello") != 0;
}

static enum lt_verdict on_stop(void *data, lt_thread *thread, const struct lt_stop *stop)
{
  struct run *run = data;
  if (stop->kind == LT_REMOTE_DONE) {
    end(run, thread, stop);
    return LT_RESUME;
  }
  if (stop->kind == LT_PROCESS_EXIT && stop->pid == run->pid)
    run->code = stop->u.exit.code;
  if (stop->kind == LT_SYSCALL_ENTRY) {
    lt_call_want_exit(thread);
    if (stop->u.call.nr == run->skip_nr)
      run->wrong += lt_call_skip(thread, 4711) != 0;
  }
  if (run->at >> stop->kind & 1)
    begin(run, thread);
  return LT_RESUME;
}

static void subscribe_to_all(lt_session *session)
{
  for (int kind = 1; kind < LT_KIND_COUNT; kind++)
    if (kind != LT_EXITING && kind != LT_SYSCALL_ENTRY && kind != LT_SYSCALL_EXIT)
      assert_int_equal(lt_subscribe(session, (enum lt_kind)kind, true), 0);
  for (int abi = 0; abi < LT_ABI_COUNT; abi++)
    assert_int_equal(lt_subscribe_syscall(session, (enum lt_abi)abi, LT_ALL_SYSCALLS, true), 0);
}

/* Run a shell command in a session that makes calls at the stops of `run->at`. */
static void shell(struct run *run, const char *command)
{
  const struct lt_hooks hooks = {.size = sizeof hooks, .stop = on_stop};
  const char *const argv[] = {"sh", "-c", command, NULL};
  struct lt_spawn spawn = {.size = sizeof spawn, .argv = (char *const *)argv};
  lt_session *session;
  lt_process *process;
  run->code = -1;
  if (!run->skip_nr)
    run->skip_nr = UINT64_MAX;
  assert_int_equal(lt_session_create(NULL, &hooks, run, &session), 0);
  subscribe_to_all(session);
  assert_int_equal(lt_spawn(session, &spawn, &process), 0);
  run->pid = lt_process_pid(process);
  assert_int_equal(lt_run(session), 0);
  lt_session_destroy(session);
  assert_int_equal(run->wrong, 0);
  assert_int_equal(run->done, run->wanted);
}

/* Forks, execs, a pipe, a signal handler, a wait; ends with 7 where it got all it should. */
static const char work[] = "trap 'n=$((n+1))' USR1; n=0; kill -USR1 $$; kill -USR1 $$;"
                           "x=$(echo one | cat; /bin/echo two);"
                           "[ \"$x\" = 'one\ntwo' ] && [ $n = 2 ] && exit 7";

static void check_at(enum lt_kind kind, bool scratch, int least)
{
  struct run run = {.at = 1u << kind, .scratch = scratch};
  shell(&run, work);
  assert_int_equal(run.code, 7);
  assert_int_equal(run.refused, 0);
  assert_true(run.done >= least);
}

static void at_entry(void **state)
{
  (void)state;
  check_at(LT_SYSCALL_ENTRY, false, 100);
  check_at(LT_SYSCALL_ENTRY, true, 1);
}

static void at_exit_stop(void **state)
{
  (void)state;
  check_at(LT_SYSCALL_EXIT, false, 100);
  check_at(LT_SYSCALL_EXIT, true, 1);
}

static void at_signal(void **state)
{
  (void)state;
  check_at(LT_SIGNAL, false, 2);
}

static void inside_clone_and_exec(void **state)
{
  (void)state;
  check_at(LT_CLONE, false, 2);
  check_at(LT_EXEC, false, 1);
  check_at(LT_START, false, 1);
}

static void at_birth(void **state)
{
  (void)state;
  check_at(LT_BIRTH, false, 2);
  check_at(LT_BIRTH, true, 1);
}

/* sigsuspend's mask would be lost: the call is refused in words, and nothing is. */
static void refused_in_sigsuspend(void **state)
{
  (void)state;
  struct run run = {.at = 1u << LT_SIGNAL};
  shell(&run, "sleep 0.1 & wait; exit 7"); /* dash waits in sigsuspend for SIGCHLD */
  assert_int_equal(run.code, 7);
}

static void skipped(void **state)
{
  (void)state;
  struct run run = {.skip_nr = SYS_getppid};
  shell(&run, "exit 7"); /* dash asks for its parent at the start */
  assert_int_equal(run.code, 7);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(at_entry),  cmocka_unit_test(at_exit_stop),
      cmocka_unit_test(at_signal), cmocka_unit_test(inside_clone_and_exec),
      cmocka_unit_test(at_birth),  cmocka_unit_test(refused_in_sigsuspend),
      cmocka_unit_test(skipped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
