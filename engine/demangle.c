/* demangle.c - names of C++ and Rust as they are in the source. For the reader: names are the
 * program's choice. libiberty limits its recursion; names and results are limited here. */
#include <stdlib.h>
#include <string.h>

#include <demangle.h>

#include "read_symbols.h"

#define NAME_MAX_SIZE 4096
#define RESULT_MAX_SIZE 16384

char *lt_demangle(const char *name, bool full)
{
  int options = DMGL_ANSI | DMGL_AUTO | (full ? DMGL_PARAMS : 0);
  if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R') ||
      strnlen(name, NAME_MAX_SIZE) == NAME_MAX_SIZE)
    return NULL;
  char *text = cplus_demangle(name, options);
  if (text && strnlen(text, RESULT_MAX_SIZE) == RESULT_MAX_SIZE) {
    free(text);
    return NULL;
  }
  return text;
}
