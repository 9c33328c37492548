/* cli.h - what the command line of luatrace says. */
#ifndef LT_CLI_H
#define LT_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "luatrace.h"

/* -e CODE or -l MODULE, in the order of the command line. */
struct bind_step {
  char kind; /* 'e' or 'l' */
  const char *text;
};

struct bind_options {
  struct bind_step *steps;
  size_t step_count;
  int *pids; /* of -p */
  size_t pid_count;
  const char *output;             /* of -o, else NULL */
  const char *script;             /* the script operand, else NULL */
  char **words;                   /* what follows it (with -e: all operands), ends with NULL */
  bool verbose, no_follow, go_on; /* -v, --no-follow, --on-error=go */
  bool debuginfod, no_filter;
  enum lt_cpu_sharing cpu; /* --cpu */
};

/* Read the command line. Returns true to go on; false with the exit code in `ret` when everything
 * was said already (help, version, a mistake). Release with bind_options_free(). */
bool bind_options_read(int argc, char **argv, struct bind_options *options, int *ret);
void bind_options_free(struct bind_options *options);

#endif
