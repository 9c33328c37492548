/* answers.c - see answers.h. All files share a room of some megabytes; when it is full, everything
 * is forgotten and asked again as needed. */
#include "answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define ROOM_MAX ((size_t)32 << 20)

struct answer {
  UT_hash_handle hh; /* by `key` */
  struct lt_bytes bytes;
  int error;
  size_t key_size;
  uint8_t key[]; /* file, question */
};

struct lt_answers {
  struct answer *table;
  size_t size;
};

static void forget(struct lt_answers *answers)
{
  struct answer *one = answers->table, *next;
  HASH_CLEAR(hh, answers->table);
  for (; one; one = next) {
    next = one->hh.next;
    lt_bytes_free(&one->bytes);
    free(one);
  }
  answers->table = NULL;
  answers->size = 0;
}

void lt_answers_free(lt_session *session)
{
  if (session->answers)
    forget(session->answers);
  free(session->answers);
  session->answers = NULL;
}

static int give(const struct answer *answer, struct lt_bytes_in *ret)
{
  *ret = (struct lt_bytes_in){.at = answer->bytes.at, .size = answer->bytes.size};
  return answer->error;
}

/* Whether it would be the same if it were asked again. */
static bool is_lasting(int error)
{
  return error == 0 || error == -ENOENT || error == -ENOEXEC || error == -EINVAL || error == -EIO;
}

/* The key is moved along, as answers are. */
static struct answer *new_answer(const struct lt_bytes *key)
{
  struct answer *answer = key->failed ? NULL : calloc(1, sizeof *answer + key->size);
  if (!answer)
    return NULL;
  answer->key_size = key->size;
  memcpy(answer->key, key->at, key->size);
  return answer;
}

int lt_answer(lt_session *session, struct lt_file *file, enum lt_question what,
              const struct lt_bytes *question, struct lt_bytes_in *ret)
{
  struct lt_bytes key = {0};
  struct answer *answer = NULL;
  *ret = (struct lt_bytes_in){0};
  if (!session->answers && !(session->answers = calloc(1, sizeof *session->answers)))
    return -ENOMEM;
  struct lt_answers *answers = session->answers;
  lt_put_u32(&key, file->id);
  lt_put_u8(&key, (uint8_t)what);
  lt_put(&key, question->at, question->size);
  if (!key.failed)
    HASH_FIND(hh, answers->table, key.at, key.size, answer);
  if (answer) {
    lt_bytes_free(&key);
    return give(answer, ret);
  }
  answer = new_answer(&key);
  lt_bytes_free(&key);
  if (!answer)
    return -ENOMEM;
  answer->error = lt_reader_ask(session, file, what, question, &answer->bytes);
  if (!is_lasting(answer->error)) {
    int error = answer->error;
    lt_bytes_free(&answer->bytes);
    free(answer);
    return error;
  }
  if (answers->size > ROOM_MAX)
    forget(answers);
  answers->size += answer->bytes.size + answer->key_size + sizeof *answer;
  HASH_ADD(hh, answers->table, key, (unsigned)answer->key_size, answer);
  return give(answer, ret);
}
