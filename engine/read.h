/* read.h - what is read from object files, in the reader process (reader.c).
 *
 * Object files are the tracee's choice, and the libraries that read them were not made for hostile
 * ones. So nothing in the tracer itself parses them: a process of its own does, which can crash or
 * hang without harm. It answers questions about one file at a time; question and answer are bytes
 * without pointers. Functions here run in that process and know no thread, session or seam.
 * Addresses are those of the file (what its headers say), without the bias of a process. */
#ifndef LT_READ_H
#define LT_READ_H

#include <elfutils/libdwfl.h>
#include <gelf.h>

#include "bytes.h"

/* An open file with its separate debug information. */
struct lt_read_file {
  int fd;
  int root; /* O_PATH descriptor of the tracee's root directory, or -1 */
  Elf *elf;
  Dwfl *dwfl;                   /* with one module */
  Dwfl_Module *module;          /* loaded at bias 0: addresses are the file's */
  const char *name;             /* path as the tracee sees it; for looking beside it */
  bool debuginfod;              /* servers may be asked */
  struct lt_declared *declared; /* read_names.c: NULL until somebody asks */
};

/* The DWARF of the file, of its debug file, or NULL; *bias is what to add to its addresses to get
 * the file's. read_file.c. */
Dwarf *lt_read_dwarf(struct lt_read_file *file, Dwarf_Addr *bias);

enum lt_question {
  LT_ASK_SYMBOLS = 1, /* read_symbols.c */
  LT_ASK_LINES_AT,    /* read_lines.c: address -> file, line, column, inlined calls */
  LT_ASK_LINES_OF,    /* file and line -> addresses; or nearest lines */
  LT_ASK_LINES_ALL,   /* every line of the file's sources, for coverage */
  LT_ASK_FRAME,       /* read_frame.c: address -> rules to find the caller's registers */
  LT_ASK_SCOPE,       /* read_scope.c: address -> variables in scope */
  LT_ASK_GLOBAL,      /* name -> global variable */
  LT_ASK_TYPE,        /* read_type.c: name or reference -> type */
  LT_ASK_DEMANGLE,    /* read_symbols.c: a name, whatever the file */
  LT_ASK_FILE,        /* read_file.c: what there is to read */
  LT_QUESTIONS
};

/* Answers one question; read_main.c lists them all. Returns 0, or a negated errno: -ENOENT (the file has nothing about that),
 * -ENOEXEC (it is malformed), -EINVAL (the question is), -ENOMEM. */
typedef int lt_read_fn(struct lt_read_file *file, struct lt_bytes_in *question,
                       struct lt_bytes *ret);
lt_read_fn lt_read_info, lt_read_symbols, lt_read_demangle, lt_read_lines_at, lt_read_lines_of,
    lt_read_lines_all, lt_read_frame, lt_read_scope, lt_read_global, lt_read_type;

/* Make a file of an open descriptor, which is taken over; 0 or a negated errno. lt_read_close()
 * frees it. `name` and `root` as above. */
int lt_read_open(int fd, int root, const char *name, bool debuginfod, struct lt_read_file **ret);
void lt_read_close(struct lt_read_file *file);

#endif
