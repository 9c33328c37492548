/* reader.c - the tracer's side of the process that reads object files: see reader.h.
 *
 * The reader is no child of ours, so that waiting for tracees never meets it: it is forked by a
 * child that ends at once. It ends with the socket between us. A question is answered in one go; what
 * goes wrong over a file (a crash, a hang, an answer that makes no sense) ends the reader and the
 * file's chances, and the next question starts another. */
#include "reader.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cpu.h"
#include "engine.h"
#include "file.h"
#include "read_message.h"

#define NS 1000000000u
#ifdef LT_FAULTS
#define PATIENCE ((uint64_t)1 * NS) /* a test waits for it */
#else
#define PATIENCE ((uint64_t)30 * NS)
#endif
#define PATIENCE_FOR_SERVERS ((uint64_t)600 * NS)

struct lt_reader {
  int socket, self; /* pidfd or -1 */
  uint32_t number;  /* of the readers of this session, from 1 */
};

/* ---- The socket, with a deadline ---------------------------------------------------------- */

static int wait_for(int socket, short events, uint64_t deadline)
{
  for (;;) {
    uint64_t now = lt_k_now(), left = deadline > now ? deadline - now : 0;
    struct pollfd fd = {.fd = socket, .events = events};
    int ready = poll(&fd, 1, (int)(left / 1000000u));
    if (ready > 0)
      return 0;
    if (ready < 0 && errno != EINTR)
      return -errno;
    if (ready == 0 && left < 1000000u)
      return -ETIME;
  }
}

static int receive_all(int socket, void *ret, size_t size, uint64_t deadline)
{
  uint8_t *at = ret;
  while (size) {
    ssize_t got = recv(socket, at, size, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0 && errno == EAGAIN) {
      int error = wait_for(socket, POLLIN, deadline);
      if (error)
        return error;
      continue;
    }
    if (got <= 0)
      return -EPIPE;
    at += got;
    size -= (size_t)got;
  }
  return 0;
}

static int send_all(int socket, const void *bytes, size_t size, uint64_t deadline)
{
  const uint8_t *at = bytes;
  while (size) {
    ssize_t sent = send(socket, at, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0 && errno == EAGAIN) {
      int error = wait_for(socket, POLLOUT, deadline);
      if (error)
        return error;
      continue;
    }
    if (sent < 0)
      return -EPIPE;
    at += sent;
    size -= (size_t)sent;
  }
  return 0;
}

/* A head with up to two descriptors. There is always room for it: all before it was answered. */
static int send_head(int socket, const struct lt_ask_head *head, const int *fds, size_t count)
{
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control = {0};
  struct iovec part = {(void *)head, sizeof *head};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof *fds);
    memcpy(CMSG_DATA(rights), fds, count * sizeof *fds);
  }
  ssize_t sent;
  do
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == sizeof *head ? 0 : -EPIPE;
}

/* ---- Its life ----------------------------------------------------------------------------- */

static void end(lt_session *session)
{
  struct lt_reader *reader = session->reader;
  if (!reader)
    return;
  session->reader = NULL;
  close(reader->socket);
  if (reader->self >= 0) {
    syscall(SYS_pidfd_send_signal, reader->self, SIGKILL, NULL, 0);
    close(reader->self);
  }
  free(reader);
}

void lt_reader_free(lt_session *session)
{
  end(session);
}

/* The first word of a reader: that it lives, and a descriptor to end it by. */
static int receive_hello(struct lt_reader *reader)
{
  struct lt_answer_head head;
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec part = {&head, sizeof head};
  struct msghdr message = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control,
  };
  int error = wait_for(reader->socket, POLLIN, lt_k_now() + 10 * (uint64_t)NS);
  if (error)
    return error;
  if (recvmsg(reader->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != sizeof head)
    return -EPIPE;
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  if (rights && rights->cmsg_type == SCM_RIGHTS && rights->cmsg_len == CMSG_LEN(sizeof(int)))
    memcpy(&reader->self, CMSG_DATA(rights), sizeof reader->self);
  return 0;
}

static int fork_reader(lt_session *session, int sockets[2])
{
  pid_t child = lt_k_fork();
  if (child == 0) {
    lt_cpu_in_child(session);
    if (fork() == 0)
      lt_read_main(sockets[1], session->options.debuginfod);
    _exit(0);
  }
  int status;
  while (child > 0 && lt_k_waitpid(child, &status, __WALL) == -EINTR) {
  }
  return child < 0 ? child : 0;
}

static int start_new(lt_session *session)
{
  int sockets[2];
  struct lt_reader *reader = calloc(1, sizeof *reader);
  if (!reader)
    return -ENOMEM;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    int error = -errno;
    free(reader);
    return error;
  }
  *reader = (struct lt_reader){.socket = sockets[0], .self = -1, .number = ++session->readers};
  session->reader = reader;
  int error = fork_reader(session, sockets);
  close(sockets[1]);
  if (!error)
    error = receive_hello(reader);
  if (error)
    end(session);
  return error;
}

/* The one that is there, or a new one. It never speaks unasked: then it is gone, or mad. */
static struct lt_reader *get(lt_session *session, int *error)
{
  *error = 0;
  if (session->reader) {
    struct pollfd fd = {.fd = session->reader->socket, .events = POLLIN};
    if (poll(&fd, 1, 0) > 0)
      end(session);
  }
  if (!session->reader)
    *error = start_new(session);
  return session->reader;
}

/* ---- Questions ---------------------------------------------------------------------------- */

static uint64_t deadline_of(const lt_session *session)
{
  return lt_k_now() + (session->options.debuginfod ? PATIENCE_FOR_SERVERS : PATIENCE);
}

static int give_file(lt_session *session, struct lt_file *file)
{
  int fds[2];
  struct lt_bytes body = {0};
  fds[0] = lt_file_open(file, &fds[1]);
  if (fds[0] < 0)
    return fds[0];
  lt_put_u8(&body, session->options.debuginfod);
  lt_put_string(&body, file->path);
  struct lt_ask_head head = {.what = LT_ASK_OPEN, .id = file->id, .size = body.size};
  int error =
      body.failed ? -ENOMEM : send_head(session->reader->socket, &head, fds, fds[1] >= 0 ? 2 : 1);
  if (!error)
    error = send_all(session->reader->socket, body.at, body.size, deadline_of(session));
  if (!error)
    file->open_in = session->reader->number;
  close(fds[0]);
  if (fds[1] >= 0)
    close(fds[1]);
  lt_bytes_free(&body);
  return error;
}

/* The error is the answer's; *broken: there is none. */
static int exchange(lt_session *session, const struct lt_ask_head *head,
                    const struct lt_bytes *question, struct lt_bytes *ret, bool *broken)
{
  int socket = session->reader->socket;
  uint64_t deadline = deadline_of(session);
  struct lt_answer_head answer;
  int error = send_head(socket, head, NULL, 0);
  if (!error)
    error = send_all(socket, question->at, question->size, deadline);
  if (!error)
    error = receive_all(socket, &answer, sizeof answer, deadline);
  if (!error && (answer.size > LT_ANSWER_MAX || answer.error > 0 || answer.error < -4095 ||
                 (answer.error && answer.size)))
    error = -EBADMSG;
  *broken = error;
  if (error || answer.error)
    return error ? error : answer.error;
  ret->at = malloc(answer.size + 1);
  ret->size = ret->room = answer.size;
  if (!ret->at)
    *broken = true; /* what is in the socket must not be taken for the next answer */
  error = ret->at ? receive_all(socket, ret->at, answer.size, deadline) : -ENOMEM;
  if (error) {
    *broken = true;
    lt_bytes_free(ret);
  }
  return error;
}

static int give_up(lt_session *session, struct lt_file *file, int error)
{
  end(session);
  if (error == -ENOMEM)
    return error;
  file->bad = true;
  const char *why = error == -ETIME     ? "it takes too long"
                    : error == -EBADMSG ? "what was read makes no sense"
                                        : "the process that reads it has crashed";
  lt_fail(session, -EIO, "%s cannot be read: %s", file->path, why);
  if (session->hooks.warn)
    session->hooks.warn(session->data, session->error);
  return -EIO;
}

int lt_reader_ask(lt_session *session, struct lt_file *file, enum lt_question what,
                  const struct lt_bytes *question, struct lt_bytes *ret)
{
  *ret = (struct lt_bytes){0};
  if (file->bad)
    return lt_fail(session, -EIO, "%s could not be read", file->path);
  if (question->failed || question->size > LT_ASK_MAX)
    return -EINVAL;
  int error;
  const struct lt_reader *reader = get(session, &error);
  if (!reader)
    return lt_fail(session, error, "no process to read object files: %s", lt_errno_text(-error));
  struct lt_ask_head head = {.what = what, .id = file->id, .size = question->size};
  for (int attempt = 0; attempt < 2; attempt++) {
    bool broken = false;
    if (file->open_in != reader->number)
      error = give_file(session, file);
    if (error == -EPIPE)
      return give_up(session, file, error);
    if (error)
      return lt_fail(session, error, "%s cannot be opened: %s", file->path, lt_errno_text(-error));
    error = exchange(session, &head, question, ret, &broken);
    if (broken)
      return give_up(session, file, error);
    if (error != -ENOMEDIUM)
      return error;
    file->open_in = 0;
    error = 0;
  }
  return -EIO;
}
