/* read_main.c - the process that reads object files: see read.h and read_message.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_fault.h"
#include "read.h"
#include "read_message.h"

#define FILES_MAX 24
#define MEMORY_MAX ((rlim_t)8 << 30)
#define SECONDS_MAX 300 /* of processor time for one question; the tracer loses patience earlier */
#define SOCKET 3

static lt_read_fn *const functions[LT_QUESTIONS] = {
    [LT_ASK_SYMBOLS] = lt_read_symbols,   [LT_ASK_LINES_AT] = lt_read_lines_at,
    [LT_ASK_LINES_OF] = lt_read_lines_of, [LT_ASK_LINES_ALL] = lt_read_lines_all,
    [LT_ASK_DEMANGLE] = lt_read_demangle, [LT_ASK_FILE] = lt_read_info,
    [LT_ASK_SCOPE] = lt_read_scope,       [LT_ASK_GLOBAL] = lt_read_global,
    [LT_ASK_TYPE] = lt_read_type,         [LT_ASK_FRAME] = lt_read_frame,
};

struct slot {
  uint32_t id;
  uint64_t used; /* when, in questions */
  struct lt_read_file *file;
  int error; /* why there is no file */
};

struct reader {
  struct slot slots[FILES_MAX];
  uint64_t questions;
  uint8_t *body; /* of the question at hand */
  size_t room;
};

/* ---- The socket --------------------------------------------------------------------------- */

static bool receive_all(void *ret, size_t size)
{
  uint8_t *at = ret;
  while (size) {
    ssize_t got = recv(SOCKET, at, size, 0);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return false;
    at += got;
    size -= (size_t)got;
  }
  return true;
}

static bool send_all(const void *bytes, size_t size)
{
  const uint8_t *at = bytes;
  while (size) {
    ssize_t sent = send(SOCKET, at, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent <= 0)
      return false;
    at += sent;
    size -= (size_t)sent;
  }
  return true;
}

/* A head, and what descriptors come with it (-1 for those that do not). */
static bool receive_head(struct lt_ask_head *ret, int fds[2])
{
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
  } control;
  struct iovec part = {ret, sizeof *ret};
  struct msghdr message = {
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control,
  };
  ssize_t got;
  do
    got = recvmsg(SOCKET, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  fds[0] = fds[1] = -1;
  if (got <= 0)
    return false;
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
    memcpy(fds, CMSG_DATA(rights), rights->cmsg_len - CMSG_LEN(0));
  return receive_all((uint8_t *)ret + got, sizeof *ret - (size_t)got) && ret->size <= LT_ASK_MAX;
}

static bool send_answer(int error, const struct lt_bytes *bytes)
{
  if (!error && (bytes->failed || bytes->size > LT_ANSWER_MAX))
    error = bytes->failed ? -ENOMEM : -E2BIG;
  struct lt_answer_head head = {.error = error, .size = error ? 0 : bytes->size};
  return send_all(&head, sizeof head) && (error || send_all(bytes->at, bytes->size));
}

/* Let the tracer have a descriptor by which it can end us without mistaking another for us. */
static bool send_hello(void)
{
  struct lt_answer_head head = {0};
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec part = {&head, sizeof head};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
  if (self >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    *rights = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof self), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(rights), &self, sizeof self);
  }
  bool sent = sendmsg(SOCKET, &message, MSG_NOSIGNAL) == sizeof head;
  if (self >= 0)
    close(self);
  return sent;
}

/* ---- Files -------------------------------------------------------------------------------- */

static struct slot *find_slot(struct reader *reader, uint32_t id)
{
  for (size_t i = 0; i < FILES_MAX; i++)
    if (reader->slots[i].used && reader->slots[i].id == id)
      return &reader->slots[i];
  return NULL;
}

static void empty(struct slot *slot)
{
  int root = slot->file ? slot->file->root : -1;
  lt_read_close(slot->file);
  if (root >= 0)
    close(root);
  *slot = (struct slot){0};
}

static struct slot *oldest_slot(struct reader *reader)
{
  struct slot *oldest = &reader->slots[0];
  for (size_t i = 1; i < FILES_MAX; i++)
    if (reader->slots[i].used < oldest->used)
      oldest = &reader->slots[i];
  return oldest;
}

static void open_file(struct reader *reader, uint32_t id, struct lt_bytes_in *body, int fds[2])
{
  bool debuginfod = lt_get_u8(body);
  const char *name = lt_get_string(body);
  struct slot *slot = find_slot(reader, id);
  if (!slot)
    slot = oldest_slot(reader);
  empty(slot);
  *slot = (struct slot){.id = id, .used = ++reader->questions};
  slot->error = fds[0] < 0 || body->failed
                    ? -EINVAL
                    : lt_read_open(fds[0], fds[1], name, debuginfod, &slot->file);
  if (slot->error && fds[1] >= 0)
    close(fds[1]);
}

static bool answer(struct reader *reader, const struct lt_ask_head *head, struct lt_bytes_in *body)
{
  struct slot *slot = find_slot(reader, head->id);
  struct lt_bytes bytes = {0};
  int error = -EINVAL;
  if (!slot) {
    error = -ENOMEDIUM;
  } else {
    slot->used = ++reader->questions;
    lt_fault_reader(slot->file ? slot->file->name : "");
    if (slot->error)
      error = slot->error;
    else if (head->what < LT_QUESTIONS && functions[head->what])
      error = functions[head->what](slot->file, body, &bytes);
  }
  bool sent = send_answer(error, &bytes);
  lt_bytes_free(&bytes);
  return sent;
}

/* ---- Life --------------------------------------------------------------------------------- */

static void limit(int resource, rlim_t value)
{
  struct rlimit limits;
  if (getrlimit(resource, &limits) == 0 && value < limits.rlim_max) {
    limits.rlim_cur = value;
    setrlimit(resource, &limits);
  }
}

/* The limit counts the whole life: move it on. */
static void limit_seconds(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  limit(RLIMIT_CPU, (rlim_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + SECONDS_MAX);
}

/* Nothing of the tracer's is kept: neither its descriptors nor what it does with signals, among them
 * those of its terminal. */
static void settle_down(int socket, bool debuginfod)
{
  sigset_t none;
  for (int signo = 1; signo <= 64; signo++)
    sigaction(signo, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3 && null >= 0; fd++)
    dup2(null, fd);
  if (socket != SOCKET)
    dup2(socket, SOCKET);
  fcntl(SOCKET, F_SETFD, FD_CLOEXEC);
  close_range(SOCKET + 1, ~0u, 0);
  if (!debuginfod)
    unsetenv("DEBUGINFOD_URLS");
  prctl(PR_SET_NAME, "luatrace-reader");
  limit(RLIMIT_CORE, 0);
#ifndef __SANITIZE_ADDRESS__
  limit(RLIMIT_AS, MEMORY_MAX);
#endif
  int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) {
    dprintf(score, "1000"); /* if memory runs out, it shall be us */
    close(score);
  }
}

static bool go_on(struct reader *reader)
{
  struct lt_ask_head head;
  int fds[2];
  if (!receive_head(&head, fds))
    return false;
  if (head.size > reader->room) {
    free(reader->body);
    reader->room = head.size;
    reader->body = malloc(reader->room);
    if (!reader->body)
      return false;
  }
  if (!receive_all(reader->body, head.size))
    return false;
  struct lt_bytes_in body = {.at = reader->body, .size = head.size};
  limit_seconds();
  if (head.what != LT_ASK_OPEN)
    return answer(reader, &head, &body);
  open_file(reader, head.id, &body, fds);
  return true;
}

_Noreturn void lt_read_main(int socket, bool debuginfod)
{
  settle_down(socket, debuginfod);
  struct reader *reader = calloc(1, sizeof *reader);
  bool going = reader && send_hello();
  while (going)
    going = go_on(reader);
  _exit(0);
}
