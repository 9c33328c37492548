/* answers.h - what the reader has said about types and variables, kept by file and question. */
#ifndef LT_ANSWERS_H
#define LT_ANSWERS_H

#include "module.h"
#include "task.h"

struct lt_answers;

/* Ask about a file, or remember. The answer belongs to the session and holds until the next call.
 * Errors: as lt_reader_ask(), remembered too where they are the file's. */
int lt_answer(lt_session *session, struct lt_file *file, enum lt_question what,
              const struct lt_bytes *question, struct lt_bytes_in *ret);
void lt_answers_free(lt_session *session);

#endif
