/* demangle.h - names of C++ and Rust as they are in the source. For the reader: names are the
 * program's choice. */
#ifndef LT_DEMANGLE_H
#define LT_DEMANGLE_H

#include <stdbool.h>

/* NULL if the name is not mangled; else to be freed. `full`: with the types of its parameters. */
char *lt_demangle(const char *name, bool full);

#endif
