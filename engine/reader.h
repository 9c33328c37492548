/* reader.h - the tracer's side of the process that reads object files (read.h). */
#ifndef LT_READER_H
#define LT_READER_H

#include "bytes.h"
#include "read.h"
#include "task.h"

struct lt_reader; /* one per session, started at the first question */

/* A file that is mapped as code somewhere: one record for all processes that have it. */
struct lt_file;

/* Ask about a file. In case of success the caller frees `ret` with lt_bytes_free(). Errors: those of
 * lt_read_fn; -EIO: the reader crashed or hung over this file, which is not asked about again (the
 * first time a warning says so); -ESRCH, -EACCES: it cannot be opened. */
int lt_reader_ask(lt_session *session, struct lt_file *file, enum lt_question what,
                  const struct lt_bytes *question, struct lt_bytes *ret);
void lt_reader_free(lt_session *session);

#endif
