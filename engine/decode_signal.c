/* decode_signal.c - signal numbers, sets, actions and siginfo. */
#include <inttypes.h>
#include <string.h>

#include "decode.h"

void lt_show_signal_number(struct lt_decode *d, int signo)
{
  const char *name = lt_signal_name(signo);
  if (name) {
    lt_text_put(d->text, name);
  } else {
    lt_text_add(d->text, "%d", signo);
  }
}

void lt_show_signal(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_signal_number(d, (int)value);
}

/* ---- Sets --------------------------------------------------------------------------------- */

static uint64_t set_bits(const uint8_t *bytes, size_t size)
{
  uint64_t bits = 0;
  for (size_t i = 0; i < size && i < 8; i++) {
    bits |= (uint64_t)bytes[i] << (8 * i);
  }
  return bits;
}

/* "[INT TERM]"; a set that is nearly full is told by what it lacks: "~[KILL STOP]". */
void lt_show_signal_set(struct lt_decode *d, const uint8_t *bytes, size_t size)
{
  unsigned count = (unsigned)(size < 8 ? size : 8) * 8;
  uint64_t bits = set_bits(bytes, size), all = count == 64 ? UINT64_MAX : (1ull << count) - 1;
  const char *separator = "";
  if ((unsigned)__builtin_popcountll(bits) >= count * 2 / 3) {
    bits = ~bits & all;
    lt_text_put(d->text, "~");
  }
  lt_text_put(d->text, "[");
  for (int signo = 1; signo <= (int)count; signo++) {
    if (bits >> (signo - 1) & 1) {
      lt_text_add(d->text, "%s%s", separator, lt_signal_name(signo) + 3);
      separator = " ";
    }
  }
  lt_text_put(d->text, "]");
}

static void show_set_at(struct lt_decode *d, uint64_t addr, uint64_t size)
{
  uint8_t bytes[8];
  if ((size == 8 || size == lt_decode_word(d)) && lt_decode_read(d, addr, bytes, size)) {
    lt_show_signal_set(d, bytes, size);
  } else {
    lt_show_pointer(d, addr);
  }
}

/* The size of the set is in the argument after it, or is the last one. */
static uint64_t set_size(const struct lt_decode *d, unsigned index)
{
  for (unsigned i = index + 1; i < d->row->count; i++) {
    const char *name = d->row->args[i].name;
    if (strcmp(name, "sigsetsize") == 0 || strcmp(name, "sizemask") == 0) {
      return lt_decode_arg(d, i);
    }
  }
  return 8;
}

void lt_show_sigset(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_set_at(d, value, set_size(d, index));
}

void lt_show_old_sigset(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_set_at(d, value, lt_decode_word(d));
}

/* A set in a register. */
void lt_show_sigmask(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_signal_set(d, (const uint8_t *)&value, lt_decode_word(d));
}

/* ---- Actions ------------------------------------------------------------------------------ */

#define SA_RESTORER 0x04000000u

struct action {
  uint64_t handler, restorer;
  uint32_t flags;
  uint8_t mask[8];
  size_t mask_size;
};

static void show_handler(struct lt_decode *d, uint64_t handler)
{
  const char *names[] = {"SIG_DFL", "SIG_IGN"};
  uint64_t error = lt_decode_word(d) == 8 ? UINT64_MAX : UINT32_MAX;
  if (handler < 2) {
    lt_text_put(d->text, names[handler]);
  } else if (handler == error) {
    lt_text_put(d->text, "SIG_ERR");
  } else {
    lt_show_pointer(d, handler);
  }
}

void lt_show_handler(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_handler(d, value);
}

static void show_action(struct lt_decode *d, const struct action *action)
{
  lt_text_put(d->text, "{sa_handler=");
  show_handler(d, action->handler);
  lt_text_put(d->text, ", sa_mask=");
  lt_show_signal_set(d, action->mask, action->mask_size);
  lt_text_put(d->text, ", sa_flags=");
  lt_flags_add(d->text, "sa_flags", action->flags);
  if (action->flags & SA_RESTORER) {
    lt_text_put(d->text, ", sa_restorer=");
    lt_show_pointer(d, action->restorer);
  }
  lt_text_put(d->text, "}");
}

/* As rt_sigaction has it: handler, flags, restorer, mask. */
void lt_show_sigaction(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t words[3];
  unsigned word = lt_decode_word(d);
  struct action action = {.mask_size = set_size(d, index)};
  action.mask_size = action.mask_size < 8 ? action.mask_size : 8;
  if (lt_decode_words(d, value, words, 3) != 3 ||
      !lt_decode_read(d, value + 3 * word, action.mask, action.mask_size)) {
    lt_show_pointer(d, value);
    return;
  }
  action.handler = words[0];
  action.flags = (uint32_t)words[1];
  action.restorer = words[2];
  show_action(d, &action);
}

/* As sigaction of i386 has it: handler, mask, flags, restorer. */
void lt_show_old_sigaction(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t words[4];
  struct action action = {.mask_size = 4};
  (void)index;
  if (lt_decode_words(d, value, words, 4) != 4) {
    lt_show_pointer(d, value);
    return;
  }
  action.handler = words[0];
  memcpy(action.mask, &words[1], 4);
  action.flags = (uint32_t)words[2];
  action.restorer = words[3];
  show_action(d, &action);
}

void lt_show_stack(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t words[3];
  (void)index;
  if (lt_decode_words(d, value, words, 3) != 3) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "{ss_sp=");
  lt_show_pointer(d, words[0]);
  lt_text_put(d->text, ", ss_flags=");
  lt_flags_add(d->text, "ss_flags", (uint32_t)words[1]);
  lt_text_add(d->text, ", ss_size=%" PRIu64 "}", words[2]);
}

/* ---- siginfo ------------------------------------------------------------------------------ */

/* Fields after si_signo, si_errno and si_code; 64-bit ABIs pad to 8 bytes. */
struct siginfo_start {
  int32_t signo, error, code;
};

#define SIG_CHLD 17
#define SI_TKILL_CODE (-6)
#define SI_KERNEL_CODE 0x80

static void show_code(struct lt_decode *d, const struct siginfo_start *start)
{
  const char *name = lt_flags_name("si_code", (uint32_t)start->code);
  if (!name && start->signo == SIG_CHLD) {
    name = lt_flags_name("cld_code", (uint32_t)start->code);
  }
  if (name) {
    lt_text_add(d->text, ", si_code=%s", name);
  } else {
    lt_text_add(d->text, ", si_code=%#x", (unsigned)start->code);
  }
}

/* Ticks of 1/100 s, and seconds in a comment. */
static void show_ticks(struct lt_decode *d, int64_t ticks)
{
  lt_text_signed(d->text, ticks);
  if (ticks > 0) {
    lt_text_add(d->text, " /* %" PRId64 ".%02" PRId64 " s */", ticks / 100, ticks % 100);
  }
}

static void show_child(struct lt_decode *d, uint64_t addr, int code)
{
  int32_t fields[3]; /* pid, uid, status */
  int64_t times[2];
  unsigned word = lt_decode_word(d);
  if (!lt_decode_read(d, addr, fields, sizeof(fields)) ||
      lt_decode_longs(d, addr + (word == 8 ? 16 : 12), times, 2) != 2) {
    return;
  }
  lt_text_add(d->text, ", si_pid=%d, si_uid=%u, si_status=", fields[0], (unsigned)fields[1]);
  if (code == 1) {
    lt_text_add(d->text, "%d", fields[2]);
  } else {
    lt_show_signal_number(d, fields[2]);
  }
  lt_text_put(d->text, ", si_utime=");
  show_ticks(d, times[0]);
  lt_text_put(d->text, ", si_stime=");
  show_ticks(d, times[1]);
}

static void show_sender(struct lt_decode *d, uint64_t addr, int code)
{
  int32_t fields[2]; /* pid, uid */
  uint64_t value;
  if (!lt_decode_read(d, addr, fields, sizeof(fields))) {
    return;
  }
  lt_text_add(d->text, ", si_pid=%d, si_uid=%u", fields[0], (unsigned)fields[1]);
  if (code && code != SI_TKILL_CODE && lt_decode_words(d, addr + 8, &value, 1) == 1) {
    lt_text_add(d->text, ", si_int=%d, si_ptr=", (int32_t)value);
    lt_show_pointer(d, value);
  }
}

/* SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV */
static bool is_fault(int signo)
{
  return signo == 4 || signo == 5 || signo == 7 || signo == 8 || signo == 11;
}

static void show_fault(struct lt_decode *d, uint64_t addr)
{
  uint64_t where;
  if (lt_decode_words(d, addr, &where, 1) == 1) {
    lt_text_put(d->text, ", si_addr=");
    lt_show_pointer(d, where);
  }
}

void lt_show_siginfo_at(struct lt_decode *d, uint64_t addr)
{
  struct siginfo_start start;
  uint64_t fields = addr + (lt_decode_word(d) == 8 ? 16 : 12);
  if (!lt_decode_read(d, addr, &start, sizeof(start))) {
    lt_show_pointer(d, addr);
    return;
  }
  if (!start.signo) {
    lt_text_put(d->text, "{}");
    return;
  }
  lt_text_put(d->text, "{si_signo=");
  lt_show_signal_number(d, start.signo);
  show_code(d, &start);
  if (start.error) {
    const char *name = lt_errno_name(start.error);
    if (name) {
      lt_text_add(d->text, ", si_errno=%s", name);
    } else {
      lt_text_add(d->text, ", si_errno=%d", start.error);
    }
  }
  if (start.signo == SIG_CHLD && start.code > 0) {
    show_child(d, fields, start.code);
  } else if (start.code > 0 && is_fault(start.signo)) {
    show_fault(d, fields);
  } else if (start.code != SI_KERNEL_CODE) {
    show_sender(d, fields, start.code);
  }
  lt_text_put(d->text, "}");
}

void lt_show_siginfo(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_siginfo_at(d, value);
}

/* struct sigevent: a value (int or pointer), a signal, how to notify, and for threads which. */
void lt_show_sigevent(struct lt_decode *d, unsigned index, uint64_t value)
{
  const char *ways[] = {"SIGEV_SIGNAL", "SIGEV_NONE", "SIGEV_THREAD"};
  uint64_t word;
  int32_t fields[3]; /* signal, notify, thread */
  (void)index;
  if (lt_decode_words(d, value, &word, 1) != 1 ||
      !lt_decode_read(d, value + lt_decode_word(d), fields, sizeof(fields))) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "{");
  if (word) {
    lt_text_add(d->text, "sigev_value={sival_int=%d, sival_ptr=%#" PRIx64 "}, ", (int32_t)word,
                word);
  }
  lt_text_put(d->text, "sigev_signo=");
  if (fields[1] == 0 || fields[1] == 4) {
    lt_show_signal_number(d, fields[0]);
  } else {
    lt_text_add(d->text, "%d", fields[0]);
  }
  lt_text_put(d->text, ", sigev_notify=");
  if (fields[1] >= 0 && fields[1] < 3) {
    lt_text_put(d->text, ways[fields[1]]);
  } else if (fields[1] == 4) {
    lt_text_add(d->text, "SIGEV_THREAD_ID, sigev_notify_thread_id=%d", fields[2]);
  } else {
    lt_text_add(d->text, "%#x /* SIGEV_??? */", (unsigned)fields[1]);
  }
  lt_text_put(d->text, "}");
}
