/* decode_multiplex.c - socketcall(2) and ipc(2) of i386 printed as the calls they stand for. */
#include "decode.h"

#include <string.h>

/* The row of the inner call. Some have no number of their own on i386. */
static const struct lt_syscall *inner_row(const char *name)
{
  const struct lt_syscall *row = lt_syscall_named(LT_ABI_I386, name);
  return row ? row : lt_syscall_named(LT_ABI_X86_64, name);
}

static void become(struct lt_decode *d, struct lt_inner *inner, const char *row, const char *name)
{
  inner->row = *inner_row(row);
  inner->row.name = name;
  inner->call = *d->call;
  memset(inner->call.args, 0, sizeof(inner->call.args));
}

static void finish(struct lt_decode *d, struct lt_inner *inner)
{
  d->row = &inner->row;
  d->call = &inner->call;
}

/* ---- socketcall --------------------------------------------------------------------------- */

static const struct {
  const char *row, *name;
  uint8_t count;
} sockets[] = {
    {NULL, NULL, 0},
    {"socket", "socket", 3},
    {"bind", "bind", 3},
    {"connect", "connect", 3},
    {"listen", "listen", 2},
    {"accept", "accept", 3},
    {"getsockname", "getsockname", 3},
    {"getpeername", "getpeername", 3},
    {"socketpair", "socketpair", 4},
    {"sendto", "send", 4},
    {"recvfrom", "recv", 4},
    {"sendto", "sendto", 6},
    {"recvfrom", "recvfrom", 6},
    {"shutdown", "shutdown", 2},
    {"setsockopt", "setsockopt", 5},
    {"getsockopt", "getsockopt", 5},
    {"sendmsg", "sendmsg", 3},
    {"recvmsg", "recvmsg", 3},
    {"accept4", "accept4", 4},
    {"recvmmsg", "recvmmsg", 5},
    {"sendmmsg", "sendmmsg", 4},
};

static bool unfold_socketcall(struct lt_decode *d, struct lt_inner *inner)
{
  uint64_t args[LT_CALL_ARGS], call = lt_decode_arg(d, 0);
  size_t count = call < sizeof(sockets) / sizeof(sockets[0]) ? sockets[call].count : 0;
  if (!count || lt_decode_words(d, lt_decode_arg(d, 1), args, count) != count) {
    return false;
  }
  become(d, inner, sockets[call].row, sockets[call].name);
  memcpy(inner->call.args, args, count * sizeof(args[0]));
  inner->row.count = (uint8_t)count;
  finish(d, inner);
  return true;
}

/* ---- ipc ---------------------------------------------------------------------------------- */

/* Which arguments of ipc(call, first, second, third, ptr, fifth) become those of the inner call;
 * 'm' is a message buffer whose address and type lie behind ptr. */
static const struct {
  const char *name;
  char args[6];
  uint8_t call;
} objects[] = {
    {"semop", "142", 1},       {"semget", "123", 2},   {"semctl", "123p", 3},
    {"semtimedop", "1425", 4}, {"msgsnd", "1423", 11}, {"msgrcv", "1m2t3", 12},
    {"msgget", "12", 13},      {"msgctl", "124", 14},  {"shmat", "142", 21},
    {"shmdt", "4", 22},        {"shmget", "123", 23},  {"shmctl", "124", 24},
};

static bool unfold_args(struct lt_decode *d, const char *how, uint64_t *args)
{
  uint64_t behind[2] = {0};
  bool needs = strpbrk(how, "mtp") != NULL;
  if (needs && lt_decode_words(d, lt_decode_arg(d, 4), behind, strchr(how, 'm') ? 2 : 1) == 0) {
    return false;
  }
  for (unsigned i = 0; how[i]; i++) {
    switch (how[i]) {
    case 'm':
    case 'p':
      args[i] = behind[0];
      break;
    case 't':
      args[i] = behind[1];
      break;
    default:
      args[i] = lt_decode_arg(d, (unsigned)(how[i] - '0'));
      break;
    }
  }
  return true;
}

static bool unfold_ipc(struct lt_decode *d, struct lt_inner *inner)
{
  uint64_t args[LT_CALL_ARGS] = {0}, call = (uint32_t)lt_decode_arg(d, 0);
  for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
    if (objects[i].call != call) {
      continue; /* another version of the interface in the upper half matches nothing */
    }
    if (!unfold_args(d, objects[i].args, args)) {
      return false;
    }
    become(d, inner, objects[i].name, objects[i].name);
    memcpy(inner->call.args, args, sizeof(args));
    finish(d, inner);
    return true;
  }
  return false;
}

/* shmat returns its address through `third`. */
static void unfold_result(struct lt_decode *d, struct lt_inner *inner, uint64_t third)
{
  uint64_t addr;
  d->fresh = true;
  if (lt_decode_succeeded(d) && strcmp(inner->row.name, "shmat") == 0 &&
      lt_decode_words(d, third, &addr, 1) == 1) {
    inner->call.ret = (int64_t)addr;
  }
  d->fresh = false;
}

bool lt_unfold(struct lt_decode *d, struct lt_inner *inner)
{
  if (d->call->abi != LT_ABI_I386) {
    return false;
  }
  if (strcmp(d->row->name, "socketcall") == 0) {
    return unfold_socketcall(d, inner);
  }
  uint64_t third = lt_decode_arg(d, 3);
  if (strcmp(d->row->name, "ipc") != 0 || !unfold_ipc(d, inner)) {
    return false;
  }
  unfold_result(d, inner, third);
  return true;
}
