/* main.c - luatrace, the program. */
#include <stdio.h>
#include <string.h>

#include "binding.h"
#include "cli.h"
#include "signals.h"

static void warn(void *data, const char *text)
{
  (void)data;
  bind_warn(text);
}

static bool create_session(struct binding *binding, const struct bind_options *options)
{
  const struct lt_options session_options = {
      .size = sizeof session_options,
      .no_follow = options->no_follow,
      .debuginfod = options->debuginfod,
      .cpu = options->cpu,
      .no_filter = options->no_filter,
  };
  const struct lt_hooks hooks = {
      .size = sizeof hooks,
      .stop = bind_hook,
      .thread_freed = bind_thread_freed,
      .process_freed = bind_process_freed,
      .warn = warn,
  };
  int error = lt_session_create(&session_options, &hooks, binding, &binding->session);
  if (error)
    bind_warnf("cannot trace: %s", strerror(-error));
  return error == 0;
}

/* Everything from the command line to the last process. */
static void trace(struct binding *binding, const struct bind_options *options)
{
  binding->end.code = 125;
  if (!create_session(binding, options))
    return;
  bind_signals_install(binding);
  if (bind_open(binding)) {
    binding->end = (struct bind_ending){0};
    bind_run(binding, options);
  }
  if (lt_process_first(binding->session))
    lt_shutdown(binding->session); /* may take a moment: signals still count */
  bind_close(binding);             /* nobody holds the other end of a pipe that programs write to */
  while (lt_linger(binding->session) != 0 && !bind_signals_terminated())
    continue;
  bind_signals_session_over();
  lt_session_destroy(binding->session);
  binding->session = NULL;
}

int main(int argc, char **argv)
{
  struct bind_options options;
  struct binding binding = {.fds = bind_fds_remember()};
  int code;
  if (bind_options_read(argc, argv, &options, &code)) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* lines come in order with those of the program */
    trace(&binding, &options);
  } else {
    binding.end.code = code;
  }
  bind_options_free(&options);
  bind_fds_free(binding.fds);
  bind_signals_exit(&binding.end);
}
