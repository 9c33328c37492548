/* decode_ipc.c - System V objects: keys, flags, commands, operations, and ipc of i386. */
#include "decode.h"

#include <inttypes.h>

#define IPC_64 0x100
#define SHM_HUGE_SHIFT 26

void lt_show_ipc_key(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  if (value) {
    lt_text_add(d->text, "%#" PRIx32, (uint32_t)value);
  } else {
    lt_text_put(d->text, "IPC_PRIVATE");
  }
}

/* Flags with permissions at the end. */
static void show_get_flags(struct lt_decode *d, const char *set, uint32_t value, uint32_t huge)
{
  uint64_t rest = lt_flags_known(d->text, set, value & ~0777u);
  if (rest) {
    lt_text_add(d->text, "%#" PRIx64 "|", rest);
  }
  if (huge) {
    lt_text_add(d->text, "%" PRIu32 "<<SHM_HUGE_SHIFT|", huge);
  }
  lt_text_add(d->text, "%#03" PRIo32, value & 0777);
}

void lt_show_ipc_get(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_get_flags(d, "ipc_bits", (uint32_t)value, 0);
}

void lt_show_shmget(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t huge = (uint32_t)value >> SHM_HUGE_SHIFT;
  (void)index;
  show_get_flags(d, "shm_bits", (uint32_t)value & ((1u << SHM_HUGE_SHIFT) - 1), huge);
}

/* The bit that i386 sets for the modern layout is no part of the command. */
void lt_show_ipc_command(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (value & IPC_64) {
    lt_text_put(d->text, "IPC_64|");
  }
  lt_flags_add(d->text, d->row->args[index].shape, (uint32_t)value & ~(uint32_t)IPC_64);
}

static bool show_operation(struct lt_decode *d, uint64_t addr)
{
  struct {
    uint16_t number;
    int16_t change;
    uint16_t flags;
  } op;
  if (!lt_decode_read(d, addr, &op, sizeof(op))) {
    return false;
  }
  lt_text_add(d->text, "{sem_num=%u, sem_op=%d, sem_flg=", op.number, op.change);
  lt_flags_add(d->text, "sem_bits", op.flags);
  lt_text_put(d->text, "}");
  return true;
}

void lt_show_sembuf(struct lt_decode *d, unsigned index, uint64_t value)
{
  lt_show_array(d, value, (uint32_t)lt_decode_arg(d, index + 1), 6, show_operation);
}

/* A long with the type, then the text. */
void lt_show_msgbuf(struct lt_decode *d, unsigned index, uint64_t value)
{
  int64_t type;
  uint64_t size = d->row->args[index].out ? (uint64_t)d->call->ret : lt_decode_arg(d, index + 1);
  if (lt_decode_longs(d, value, &type, 1) != 1) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_add(d->text, "{mtype=%" PRId64 ", mtext=", type);
  lt_show_bytes_at(d, value + lt_decode_word(d), size, LT_QUOTE);
  lt_text_put(d->text, "}");
}

/* ipc of i386: a version and a call in one word. */
void lt_show_ipc_call(struct lt_decode *d, unsigned index, uint64_t value)
{
  const char *names[] = {NULL,     "SEMOP", "SEMGET", "SEMCTL", "SEMTIMEDOP", NULL,     NULL,
                         NULL,     NULL,    NULL,     NULL,     "MSGSND",     "MSGRCV", "MSGGET",
                         "MSGCTL", NULL,    NULL,     NULL,     NULL,         NULL,     NULL,
                         "SHMAT",  "SHMDT", "SHMGET", "SHMCTL"};
  uint32_t call = (uint32_t)value & 0xffff;
  (void)index;
  if ((uint32_t)value >> 16) {
    lt_text_add(d->text, "%" PRIu32 "<<16|", (uint32_t)value >> 16);
  }
  if (call < sizeof(names) / sizeof(names[0]) && names[call]) {
    lt_text_put(d->text, names[call]);
  } else {
    lt_text_add(d->text, "%" PRIu32, call);
  }
}
