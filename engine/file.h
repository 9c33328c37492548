/* file.h - the files that are mapped as code: one record for all processes of a session that have
 * the same one (files.c). */
#ifndef LT_FILE_H
#define LT_FILE_H

#include <uthash.h>

#include "module.h"

/* What makes two files the same; compared as bytes. */
struct lt_file_key {
  uint64_t device, inode, size, modified, changed; /* times in nanoseconds */
};

/* A part of the file that is loaded. */
struct lt_segment {
  uint64_t offset, addr, file_size, size;
};

#define LT_SEGMENTS_MAX 64
#define LT_BUILD_ID_MAX 64

struct lt_names; /* symbol_index.c */
void lt_names_free(struct lt_names *names);

struct lt_file {
  lt_session *session;
  struct lt_file_key key;
  uint32_t id;   /* for the reader */
  unsigned uses; /* by modules */
  char *path;    /* as a process that maps it sees it */
  bool readable; /* it could be opened; else only what memory shows is known */
  bool memory;   /* it is no file: its bytes are in the tracees' memory (vdso) */
  bool is_64;
  bool bad;         /* the reader came to grief over it */
  uint32_t open_in; /* the reader that has been given it; 0: none */
  bool asked;       /* is_go and has_dwarf are known */
  bool is_go, has_dwarf;
  uint8_t build_id[LT_BUILD_ID_MAX];
  uint32_t build_id_size;
  uint32_t segment_count;
  struct lt_segment segments[LT_SEGMENTS_MAX];
  struct lt_names *names;   /* symbols, once asked for */
  struct lt_frames *frames; /* rules of its unwind tables (frames.c) */
  int names_error;          /* why there are none: negated errno */
  UT_hash_handle hh;        /* by key, in the session */
};

/* What the maps of a process say of a file. */
struct lt_mapped {
  const char *path;
  uint64_t inode;
  uint64_t from, to, offset; /* the first map of it */
};

/* The record of what this thread's process has mapped so, with one more use. NULL: it is no program,
 * or out of memory. The thread may run. */
struct lt_file *lt_file_get(lt_session *session, pid_t tid, const struct lt_mapped *mapped);
struct lt_file *lt_file_use(struct lt_file *file);
void lt_file_release(struct lt_file *file);
void lt_files_free(lt_session *session);
/* Open it as a process that has it sees it, and that process's root directory (-1 if that cannot be
 * opened). A negated errno. */
int lt_file_open(struct lt_file *file, int *root);

/* modules.c: a thread whose process has the file, and where; false if there is none any more. */
bool lt_file_mapped(const struct lt_file *file, pid_t *tid, struct lt_mapped *ret);

/* frames.c */
void lt_frames_free(struct lt_frames *frames);

/* Ask the reader what is not in the headers: is_go, has_dwarf. */
void lt_file_ask(struct lt_file *file);

#endif
