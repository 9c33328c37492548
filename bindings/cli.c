/* cli.c - the command line. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USAGE_ERROR 125

enum { NO_FOLLOW = 256, ON_ERROR, DEBUGINFOD, CPU, NO_FILTER };

static const char help[] =
    "Usage: luatrace [OPTION...] SCRIPT [SCRIPT OPTION...] [--] [PROGRAM [ARGUMENT...]]\n"
    "       luatrace [OPTION...] -e CODE [--] [PROGRAM [ARGUMENT...]]\n"
    "       luatrace [OPTION...] -p PID SCRIPT\n"
    "Trace a program, and let a Lua script decide what happens at every stop.\n"
    "\n"
    "SCRIPT is a file (with a / or ending in .lua) or the name of a script that comes with\n"
    "luatrace: strace, count, opens, forktree, exits, redirect, chaos, faults, sandbox, dryrun,\n"
    "faketime, devsim, fakeroot, stack, backtrace-on, flame, callgraph.\n"
    "\n"
    "  -e CODE               run CODE instead of a script; may be given more than once\n"
    "  -l MODULE             require MODULE first\n"
    "  -p, --attach=PID      trace a running process; may be given more than once\n"
    "  -o, --output=FILE     what the script prints goes to FILE\n"
    "      --cpu=auto|share|free\n"
    "                        take turns on one CPU with the program where that is quicker (auto),\n"
    "                        always (share), or never (free)\n"
    "      --debuginfod      ask the servers in DEBUGINFOD_URLS for debug information\n"
    "      --no-filter           stop the program at every system call if any is traced, instead\n"
    "                        of having the kernel pick them; it can be let go then\n"
    "      --no-follow       do not trace the processes that the program makes\n"
    "      --on-error=stop|go\n"
    "                        after an error in a handler: stop (the default) kills what was\n"
    "                        launched and lets go of what was attached to; go traces on\n"
    "  -v, --verbose         say on stderr what is done\n"
    "  -V, --version         print the version\n"
    "  -h, --help            print this\n"
    "\n"
    "Exit status: that of the program, by the same signal if it was killed by one;\n"
    "125 for a mistake or an error in a script, 126 if the program cannot be executed,\n"
    "127 if it was not found.\n";

static const struct option long_options[] = {
    {"attach", required_argument, NULL, 'p'},
    {"output", required_argument, NULL, 'o'},
    {"no-follow", no_argument, NULL, NO_FOLLOW},
    {"cpu", required_argument, NULL, CPU},
    {"no-filter", no_argument, NULL, NO_FILTER},
    {"debuginfod", no_argument, NULL, DEBUGINFOD},
    {"on-error", required_argument, NULL, ON_ERROR},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool mistake(int *ret, const char *what, const char *which)
{
  fprintf(stderr, "luatrace: %s%s; try 'luatrace --help'\n", what, which);
  *ret = USAGE_ERROR;
  return false;
}

/* ---- Collecting --------------------------------------------------------------------------- */

static bool add_step(struct bind_options *options, char kind, const char *text)
{
  size_t size = (options->step_count + 1) * sizeof *options->steps;
  struct bind_step *grown = realloc(options->steps, size);
  if (!grown)
    return false;
  grown[options->step_count++] = (struct bind_step){kind, text};
  options->steps = grown;
  return true;
}

static bool add_pid(struct bind_options *options, const char *text)
{
  char *end;
  errno = 0;
  long pid = strtol(text, &end, 10);
  if (errno || *end || end == text || pid <= 0 || pid > INT32_MAX)
    return false;
  int *grown = realloc(options->pids, (options->pid_count + 1) * sizeof *grown);
  if (!grown)
    return false;
  grown[options->pid_count++] = (int)pid;
  options->pids = grown;
  return true;
}

static bool read_cpu(struct bind_options *options, const char *text)
{
  static const struct {
    const char *name;
    enum lt_cpu_sharing value;
  } names[] = {{"auto", LT_CPU_AUTO}, {"share", LT_CPU_SHARE}, {"free", LT_CPU_FREE}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(text, names[i].name) == 0) {
      options->cpu = names[i].value;
      return true;
    }
  return false;
}

static bool has_code(const struct bind_options *options)
{
  for (size_t i = 0; i < options->step_count; i++)
    if (options->steps[i].kind == 'e')
      return true;
  return false;
}

/* ---- Reading ------------------------------------------------------------------------------ */

static bool unknown_option(int argc, char **argv, int letter, int *ret)
{
  char text[3] = {'-', (char)optopt, '\0'};
  bool is_long = optopt == 0 || optopt > 255;
  const char *which = is_long && optind > 0 && optind <= argc ? argv[optind - 1] : text;
  return mistake(ret, letter == ':' ? "a value is missing after " : "unknown option ", which);
}

static bool read_option(int letter, struct bind_options *options, int *ret)
{
  switch (letter) {
  case 'e':
  case 'l':
    return add_step(options, (char)letter, optarg) || mistake(ret, "out of memory", "");
  case 'p':
    return add_pid(options, optarg) || mistake(ret, "-p needs a process id, not ", optarg);
  case 'o':
    options->output = optarg;
    return true;
  case 'v':
    options->verbose = true;
    return true;
  case NO_FOLLOW:
    options->no_follow = true;
    return true;
  case NO_FILTER:
    options->no_filter = true;
    return true;
  case DEBUGINFOD:
    options->debuginfod = true;
    return true;
  case CPU:
    return read_cpu(options, optarg) || mistake(ret, "--cpu is auto, share or free, not ", optarg);
  case ON_ERROR:
    options->go_on = strcmp(optarg, "go") == 0;
    return options->go_on || strcmp(optarg, "stop") == 0 ||
           mistake(ret, "--on-error is stop or go, not ", optarg);
  case 'V':
    printf("luatrace %s\n", lt_version());
    *ret = 0;
    return false;
  default:
    fputs(help, stdout);
    *ret = 0;
    return false;
  }
}

bool bind_options_read(int argc, char **argv, struct bind_options *options, int *ret)
{
  int letter;
  opterr = 0;
  *options = (struct bind_options){0};
  while ((letter = getopt_long(argc, argv, "+:e:l:p:o:vVh", long_options, NULL)) != -1) {
    bool going = letter == '?' || letter == ':' ? unknown_option(argc, argv, letter, ret)
                                                : read_option(letter, options, ret);
    if (!going)
      return false;
  }
  options->words = argv + optind;
  if (has_code(options))
    return true;
  if (options->words[0])
    options->script = *options->words++;
  if (!options->script && options->step_count == 0 && options->pid_count == 0)
    return mistake(ret, "there is no script to run", "");
  return true;
}

void bind_options_free(struct bind_options *options)
{
  free(options->steps);
  free(options->pids);
}
