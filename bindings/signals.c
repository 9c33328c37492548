/* signals.c - signals that are sent to luatrace itself.
 *
 * Handlers only count, wake the engine up, and at worst break a loop in Lua; what a signal means
 * is decided when the loop is back (bind_signals_noticed):
 *
 *   SIGINT, SIGQUIT   belong to a launched program, which gets them from the terminal as we do.
 *                     With none, tracing ends. The second one that comes before the loop is back
 *                     breaks what Lua is doing, the third one ends everything on the spot.
 *   SIGTERM, SIGHUP   are passed on to the launched program. With none, tracing ends.
 *   SIGTSTP, SIGTTIN  stop us too, but only when the launched program has stopped, so that its
 *                     stop is handled.
 *   SIGPIPE           ends tracing if it is our own output that nobody reads, and then us.
 *   SIGTTOU           is ignored: a traced shell may take the terminal from us.
 *
 * There is one process-wide state, because signal handlers have no other way to find it. */
#include "signals.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static struct {
  struct binding *volatile binding; /* NULL: there is nothing to act on any more */
  volatile sig_atomic_t interrupts; /* SIGINTs since the loop was back */
  volatile sig_atomic_t interrupted, terminated, stopped, broken; /* signal that came, or 0 */
  volatile sig_atomic_t waking;   /* the engine has not noticed yet */
  volatile sig_atomic_t stop_now; /* the program stopped: it is our turn */
  bool has_timer, ignores_ttou;
} state;

/* ---- Handlers ----------------------------------------------------------------------------- */

static void set_timer(long microseconds)
{
  struct itimerval timer = {{0, microseconds}, {0, microseconds}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

/* The engine may be about to block: SIGALRM repeats this until it has noticed. */
static void wake_up(void)
{
  int before = errno;
  if (!state.binding)
    return;
  state.waking = 1;
  lt_interrupt(state.binding->session);
  if (state.has_timer)
    set_timer(20000);
  errno = before;
}

static void on_alarm(int signo)
{
  (void)signo;
  if (state.waking && state.binding)
    lt_interrupt(state.binding->session);
}

static void break_lua(lua_State *L, lua_Debug *ar)
{
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  if (state.interrupts >= 2)
    luaL_error(L, "interrupted");
}

static void on_interrupt(int signo)
{
  if (!state.binding)
    return;
  state.interrupts++;
  if (state.interrupts >= 3) {
    lt_emergency(state.binding->session);
    _exit(128 + signo);
  }
  if (state.interrupts == 2 && state.binding->running)
    lua_sethook(state.binding->running, break_lua,
                LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  state.interrupted = signo;
  wake_up();
}

static void on_terminate(int signo)
{
  state.terminated = signo;
  wake_up();
}

static bool program_lives(const struct binding *binding)
{
  return binding->launched && !binding->first_over;
}

static void on_stop(int signo)
{
  int before = errno;
  if (state.binding && program_lives(state.binding)) {
    state.stopped = signo;
    wake_up();
  } else {
    raise(SIGSTOP);
  }
  errno = before;
}

static void on_pipe(int signo)
{
  state.broken = signo;
  wake_up();
}

/* ---- Installing --------------------------------------------------------------------------- */

/* True if it was installed: a signal that luatrace was started ignoring stays ignored. */
static bool install(int signo, void (*handler)(int), int flags)
{
  struct sigaction before, action = {.sa_handler = handler, .sa_flags = flags};
  sigemptyset(&action.sa_mask);
  return sigaction(signo, NULL, &before) == 0 && before.sa_handler == SIG_DFL &&
         sigaction(signo, &action, NULL) == 0;
}

void bind_signals_install(struct binding *binding)
{
  state.binding = binding;
  state.has_timer = install(SIGALRM, on_alarm, 0);
  install(SIGINT, on_interrupt, 0);
  install(SIGQUIT, on_interrupt, 0);
  install(SIGTERM, on_terminate, 0);
  install(SIGHUP, on_terminate, 0);
  install(SIGTSTP, on_stop, 0);
  install(SIGTTIN, on_stop, 0);
  install(SIGPIPE, on_pipe, SA_RESTART); /* not ignored: children would inherit that */
  state.ignores_ttou = install(SIGTTOU, SIG_IGN, 0);
}

void bind_signals_session_over(void)
{
  state.binding = NULL;
}

void bind_signals_ignored(sigset_t *ret)
{
  sigemptyset(ret);
  if (state.ignores_ttou)
    sigaddset(ret, SIGTTOU);
}

/* ---- Acting ------------------------------------------------------------------------------- */

static void end_run(struct binding *binding, struct bind_ending end)
{
  if (binding->end.decided)
    return;
  binding->end = end;
  binding->end.decided = true;
}

static void act_on_interrupt(struct binding *binding, int signo)
{
  if (program_lives(binding)) {
    if (binding->first_apart) /* our terminal did not send it there */
      kill(binding->first, signo);
    return;
  }
  bool attached = lt_process_first(binding->session) != NULL;
  if (signo == SIGINT && attached && !binding->launched)
    end_run(binding, (struct bind_ending){.code = 0}); /* the usual way to end -p */
  else
    end_run(binding, (struct bind_ending){.code = 128 + signo, .signal = signo});
}

static void act_on_termination(struct binding *binding, int signo)
{
  if (program_lives(binding) && kill(binding->first, signo) == 0)
    return;
  end_run(binding, (struct bind_ending){.code = 128 + signo, .signal = signo});
}

static void stop_ourselves(void)
{
  state.stop_now = 0;
  fflush(stdout);
  raise(SIGSTOP);
}

/* Wait for the program to stop, unless it has done so already. */
static void act_on_stop(struct binding *binding)
{
  lt_process *process = lt_process_find(binding->session, binding->first);
  binding->stop_asked = true;
  lt_subscribe(binding->session, LT_GROUP_STOP, true);
  lt_thread *thread = process ? lt_process_first_thread(process) : NULL;
  const struct lt_stop *last = thread ? lt_thread_stop(thread) : NULL;
  if (last && last->kind == LT_GROUP_STOP)
    bind_signals_program_stopped(binding);
}

void bind_signals_program_stopped(struct binding *binding)
{
  if (!binding->stop_asked)
    return;
  binding->stop_asked = false;
  state.stop_now = 1; /* when the engine has settled the thread */
  lt_interrupt(binding->session);
}

void bind_signals_noticed(struct binding *binding)
{
  state.interrupts = 0;
  if (state.waking) {
    state.waking = 0;
    if (state.has_timer)
      set_timer(0);
  }
  int interrupted = state.interrupted, terminated = state.terminated;
  state.interrupted = state.terminated = 0;
  if (interrupted)
    act_on_interrupt(binding, interrupted);
  if (terminated)
    act_on_termination(binding, terminated);
  if (state.stopped) {
    state.stopped = 0;
    act_on_stop(binding);
  }
  if (state.broken) {
    state.broken = 0;
    if (ferror(stdout)) /* and not a pipe of the script's own */
      end_run(binding, (struct bind_ending){.code = 128 + SIGPIPE, .signal = SIGPIPE});
  }
  if (state.stop_now)
    stop_ourselves();
}

bool bind_signals_terminated(void)
{
  if (state.waking) {
    state.waking = 0;
    if (state.has_timer)
      set_timer(0);
  }
  return state.terminated != 0;
}

/* ---- The end ------------------------------------------------------------------------------ */

void bind_signals_exit(const struct bind_ending *end)
{
  if (end->signal) {
    struct rlimit none = {0, 0}; /* the core that matters is the program's */
    sigset_t set;
    setrlimit(RLIMIT_CORE, &none);
    signal(end->signal, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, end->signal);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(end->signal);
  }
  exit(end->code);
}
