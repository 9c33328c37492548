/* format.c - the line of a call: name, arguments, result, and what strace(1) adds behind it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

/* ---- Calls with a form of their own ------------------------------------------------------- */

#define CLONE_SETTLS 0x80000
#define CLONE_SETS_PARENT (0x100000 | 0x1000) /* CLONE_PARENT_SETTID, CLONE_PIDFD */
#define CLONE_SETS_CHILD (0x1000000 | 0x200000)

/* Index of an argument by the kernel's name; clone's order differs between ABIs. */
static unsigned index_of(const struct lt_decode *d, const char *name)
{
  unsigned i = 0;
  while (i < d->row->count && strcmp(d->row->args[i].name, name) != 0) {
    i++;
  }
  return i;
}

static void show_clone_flags(struct lt_decode *d, uint64_t flags)
{
  uint64_t rest = lt_flags_known(d->text, "clone_bits", flags & ~0xffull);
  if (rest) {
    lt_text_add(d->text, "%#" PRIx64 "|", rest);
  }
  if (flags & 0xff) {
    lt_show_signal_number(d, flags & 0xff);
  } else if (flags) {
    lt_text_cut(d->text, d->text->length - 1);
  } else {
    lt_text_put(d->text, "0");
  }
}

static void show_clone(struct lt_decode *d)
{
  uint64_t flags = lt_decode_arg(d, 0), parent = lt_decode_arg(d, 2);
  lt_text_put(d->text, "child_stack=");
  lt_show_pointer(d, lt_decode_arg(d, 1));
  lt_text_put(d->text, ", flags=");
  show_clone_flags(d, flags);
  if (flags & CLONE_SETS_PARENT) {
    lt_text_put(d->text, ", parent_tid=");
    d->fresh = true;
    if (lt_decode_succeeded(d) && parent) {
      lt_show_int_at(d, 2, parent);
    } else {
      lt_show_pointer(d, parent);
    }
    d->fresh = false;
  }
  if (flags & CLONE_SETTLS) {
    lt_text_put(d->text, ", tls=");
    lt_show_tls(d, lt_decode_arg(d, index_of(d, "tls")));
  }
  if (flags & CLONE_SETS_CHILD) {
    lt_text_put(d->text, ", child_tidptr=");
    lt_show_pointer(d, lt_decode_arg(d, index_of(d, "child_tidptr")));
  }
}

/* Where the signal mask lies in the frame that the stack pointer is at. */
#define FRAME_MASK_X86_64 296
#define FRAME_MASK_I386_RT 248
#define FRAME_MASK_I386_LOW 80   /* of sigreturn: the first word; */
#define FRAME_MASK_I386_HIGH 712 /* and the second, after the floating point state */

static bool read_frame_mask(struct lt_decode *d, uint8_t *ret)
{
  uint64_t sp = d->call->sp;
  if (d->call->abi == LT_ABI_X86_64) {
    return lt_decode_read(d, sp + FRAME_MASK_X86_64, ret, 8);
  }
  if (strcmp(d->row->name, "rt_sigreturn") == 0) {
    return lt_decode_read(d, sp + FRAME_MASK_I386_RT, ret, 8);
  }
  return lt_decode_read(d, sp + FRAME_MASK_I386_LOW, ret, 4) &&
         lt_decode_read(d, sp + FRAME_MASK_I386_HIGH, ret + 4, 4);
}

static void show_sigreturn(struct lt_decode *d)
{
  uint8_t mask[8];
  if (read_frame_mask(d, mask)) {
    lt_text_put(d->text, "{mask=");
    lt_show_signal_set(d, mask, sizeof(mask));
    lt_text_put(d->text, "}");
  }
}

static void show_getrandom(struct lt_decode *d)
{
  uint64_t addr = lt_decode_arg(d, 0);
  d->fresh = true;
  if (lt_decode_succeeded(d)) {
    lt_show_bytes_at(d, addr, (uint64_t)d->call->ret, LT_QUOTE_HEX);
  } else {
    lt_show_pointer(d, addr);
  }
  lt_text_add(d->text, ", %" PRIu64 ", ", lt_decode_arg(d, 1));
  lt_show_arg(d, 2);
}

static void show_restart(struct lt_decode *d)
{
  lt_text_put(d->text, "<... resuming interrupted system call ...>");
}

static const struct {
  const char *name;
  void (*show)(struct lt_decode *d);
} forms[] = {
    {"clone", show_clone},
    {"getrandom", show_getrandom},
    {"restart_syscall", show_restart},
    {"rt_sigreturn", show_sigreturn},
    {"sigreturn", show_sigreturn},
};

static bool show_form(struct lt_decode *d)
{
  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
    if (forms[i].name[0] == d->row->name[0] && strcmp(forms[i].name, d->row->name) == 0) {
      forms[i].show(d);
      return true;
    }
  }
  return false;
}

/* ---- Arguments ---------------------------------------------------------------------------- */

/* A decoder that prints nothing takes its argument out of the line. */
static void show_args(struct lt_decode *d)
{
  bool any = false;
  for (unsigned i = 0; i < d->row->count; i++) {
    size_t start = d->text->length;
    lt_text_put(d->text, any ? ", " : "");
    size_t before = d->text->length;
    lt_show_arg(d, i);
    if (d->text->length == before) {
      lt_text_cut(d->text, start);
    } else {
      any = true;
    }
  }
}

static void show_unknown(struct lt_decode *d)
{
  if (d->call->nr == LT_NR_UNKNOWN) {
    lt_text_put(d->text, "unknown(");
    return;
  }
  lt_text_add(d->text, "syscall_%#" PRIx64 "(", d->call->nr);
  for (unsigned i = 0; i < LT_CALL_ARGS; i++) {
    lt_text_add(d->text, "%s%#" PRIx64, i ? ", " : "", lt_decode_arg(d, i));
  }
}

void lt_show_call(struct lt_decode *d)
{
  struct lt_inner inner;
  if (!d->row) {
    show_unknown(d);
  } else {
    lt_unfold(d, &inner);
    lt_text_put(d->text, d->row->name);
    lt_text_put(d->text, "(");
    if (!show_form(d)) {
      show_args(d);
    }
  }
  d->fresh = true;
  lt_text_put(d->text, ") = ");
  lt_show_result(d);
}

size_t lt_call_format(lt_thread *thread, char *ret, size_t size)
{
  return lt_call_line(thread, false, ret, size);
}

size_t lt_call_line(lt_thread *thread, bool keep, char *ret, size_t size)
{
  struct lt_text text = {.size = size};
  struct lt_decode d;
  text.bytes = ret;
  lt_decode_init(&d, thread, &text);
  d.recording = keep && !thread->call.done;
  if (thread->in_call) {
    lt_show_call(&d);
  }
  lt_text_end(&text);
  return text.length;
}
