/* decode_process.c - processes and threads: creation, waiting, limits, scheduling. */
#include "decode.h"

#include <inttypes.h>
#include <string.h>

/* ---- Waiting ------------------------------------------------------------------------------ */

static void show_status(struct lt_decode *d, uint32_t status)
{
  uint32_t signo = status & 0x7f;
  if (status == 0xffff) {
    lt_text_put(d->text, "{WIFCONTINUED(s)}");
  } else if (signo == 0) {
    lt_text_add(d->text, "{WIFEXITED(s) && WEXITSTATUS(s) == %" PRIu32 "}", status >> 8 & 0xff);
  } else if (signo == 0x7f) {
    uint32_t stop = status >> 8 & 0xff;
    lt_text_put(d->text, "{WIFSTOPPED(s) && WSTOPSIG(s) == ");
    lt_show_signal_number(d, (int)(stop & 0x7f));
    lt_text_put(d->text, stop & 0x80 ? " | 0x80}" : "}");
  } else {
    lt_text_put(d->text, "{WIFSIGNALED(s) && WTERMSIG(s) == ");
    lt_show_signal_number(d, (int)signo);
    lt_text_put(d->text, status & 0x80 ? " && WCOREDUMP(s)}" : "}");
  }
  uint32_t event = status >> 16;
  if (event && status != 0xffff) {
    lt_text_add(d->text, " | %#" PRIx32 "<<16", event);
  }
}

void lt_show_wstatus(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t status;
  (void)index;
  if (d->call->ret == 0 || !lt_decode_read(d, value, &status, sizeof(status))) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "[");
  show_status(d, status);
  lt_text_put(d->text, "]");
}

void lt_show_rusage(struct lt_decode *d, unsigned index, uint64_t value)
{
  size_t start = d->text->length;
  (void)index;
  lt_text_put(d->text, "{ru_utime=");
  bool whole = lt_show_timeval_at(d, value);
  lt_text_put(d->text, ", ru_stime=");
  whole = whole && lt_show_timeval_at(d, value + 2 * lt_decode_word(d));
  lt_text_put(d->text, ", ...}");
  if (!whole) {
    lt_text_cut(d->text, start);
    lt_show_pointer(d, value);
  }
}

/* wait4(2) fills it only when there was something to wait for. */
void lt_show_rusage_wait(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (d->call->ret > 0) {
    lt_show_rusage(d, index, value);
  } else {
    lt_show_pointer(d, value);
  }
}

void lt_show_tms(struct lt_decode *d, unsigned index, uint64_t value)
{
  int64_t ticks[4];
  (void)index;
  if (lt_decode_longs(d, value, ticks, 4) != 4) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_add(d->text, "{tms_utime=%" PRId64 ", tms_stime=%" PRId64, ticks[0], ticks[1]);
  lt_text_add(d->text, ", tms_cutime=%" PRId64 ", tms_cstime=%" PRId64 "}", ticks[2], ticks[3]);
}

/* A segment of thread-local storage, as i386 has them. */
void lt_show_user_desc(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t w[4]; /* number, base, limit, bits */
  (void)index;
  if (!lt_decode_read(d, value, w, sizeof(w))) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_add(d->text, "{entry_number=%d, base_addr=%#08" PRIx32 ", limit=%#08" PRIx32,
              (int32_t)w[0], w[1], w[2]);
  lt_text_add(d->text, ", seg_32bit=%u, contents=%u, read_exec_only=%u", w[3] & 1, w[3] >> 1 & 3,
              w[3] >> 3 & 1);
  lt_text_add(d->text, ", limit_in_pages=%u, seg_not_present=%u, useable=%u", w[3] >> 4 & 1,
              w[3] >> 5 & 1, w[3] >> 6 & 1);
  if (lt_decode_word(d) == 8) {
    lt_text_add(d->text, ", lm=%u", w[3] >> 7 & 1);
  }
  lt_text_put(d->text, "}");
}

/* The address of thread-local storage; on i386, of a segment's description. */
void lt_show_tls(struct lt_decode *d, uint64_t value)
{
  if (lt_decode_word(d) == 4) {
    lt_show_user_desc(d, 0, value);
  } else {
    lt_show_pointer(d, value);
  }
}

/* ---- Creation ----------------------------------------------------------------------------- */

struct clone_fields {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
      set_tid_size, cgroup;
};

enum {
  CLONE_PIDFD = 0x1000,
  CLONE_SETTLS = 0x80000,
  CLONE_PARENT_SETTID = 0x100000,
  CLONE_CHILD_CLEARTID = 0x200000,
  CLONE_CHILD_SETTID = 0x1000000,
};

static void show_address_field(struct lt_decode *d, const char *name, uint64_t value)
{
  lt_text_add(d->text, ", %s=", name);
  lt_show_pointer(d, value);
}

static void show_clone_fields(struct lt_decode *d, const struct clone_fields *f, size_t size)
{
  lt_text_put(d->text, "{flags=");
  lt_flags_add(d->text, "clone3_bits", f->flags);
  if (f->flags & CLONE_PIDFD) {
    show_address_field(d, "pidfd", f->pidfd);
  }
  if (f->flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
    show_address_field(d, "child_tid", f->child_tid);
  }
  if (f->flags & CLONE_PARENT_SETTID) {
    show_address_field(d, "parent_tid", f->parent_tid);
  }
  lt_text_put(d->text, ", exit_signal=");
  lt_show_signal_number(d, (int)f->exit_signal);
  show_address_field(d, "stack", f->stack);
  lt_text_add(d->text, f->stack_size ? ", stack_size=%#" PRIx64 : ", stack_size=%" PRIu64,
              f->stack_size);
  if (f->flags & CLONE_SETTLS) {
    lt_text_put(d->text, ", tls=");
    lt_show_tls(d, f->tls);
  }
  if (size >= 80 && (f->set_tid || f->set_tid_size)) {
    show_address_field(d, "set_tid", f->set_tid);
    lt_text_add(d->text, ", set_tid_size=%" PRIu64, f->set_tid_size);
  }
  if (size >= 88 && f->cgroup) {
    lt_text_add(d->text, ", cgroup=%" PRIu64, f->cgroup);
  }
  lt_text_put(d->text, "}");
}

/* What the kernel wrote through the pointers in it. */
static void show_clone_results(struct lt_decode *d, const struct clone_fields *f)
{
  int32_t id;
  const char *separator = " => {";
  size_t start = d->text->length;
  d->fresh = true;
  if (f->flags & CLONE_PARENT_SETTID && lt_decode_read(d, f->parent_tid, &id, sizeof(id))) {
    lt_text_add(d->text, "%sparent_tid=[%d]", separator, id);
    separator = ", ";
  }
  if (f->flags & CLONE_PIDFD && lt_decode_read(d, f->pidfd, &id, sizeof(id))) {
    lt_text_add(d->text, "%spidfd=[%d]", separator, id);
  }
  lt_text_put(d->text, d->text->length > start ? "}" : "");
}

void lt_show_clone_args(struct lt_decode *d, unsigned index, uint64_t value)
{
  struct clone_fields fields = {0};
  uint64_t size = lt_decode_arg(d, index + 1);
  size = size < sizeof(fields) ? size : sizeof(fields);
  if (size < 64 || !lt_decode_read(d, value, &fields, size)) {
    lt_show_pointer(d, value);
    return;
  }
  show_clone_fields(d, &fields, size);
  if (lt_decode_succeeded(d)) {
    show_clone_results(d, &fields);
  }
}

/* ---- What else names processes ------------------------------------------------------------ */

/* PTRACE_TRACEME looks at no other argument. */
void lt_show_ptrace_arg(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (lt_decode_arg(d, 0) == 0) {
    return;
  }
  if (index == 1) {
    lt_text_add(d->text, "%d", (int32_t)value);
  } else {
    lt_show_pointer(d, value);
  }
}

/* The last two arguments of kcmp(2) count only for KCMP_FILE and KCMP_EPOLL_TFD. */
void lt_show_kcmp_index(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t type = (uint32_t)lt_decode_arg(d, 2);
  (void)index;
  if (type == 0 || type >= 7) {
    lt_text_signed(d->text, (int64_t)value);
  }
}

/* The last argument of membarrier(2) counts only with MEMBARRIER_CMD_FLAG_CPU. */
void lt_show_membarrier_cpu(struct lt_decode *d, unsigned index, uint64_t value)
{
  if (lt_decode_arg(d, index - 1) & 1) {
    lt_text_add(d->text, "%d", (int32_t)value);
  }
}

/* ---- Limits ------------------------------------------------------------------------------- */

static void show_limit(struct lt_decode *d, uint64_t limit, uint64_t none, const char *none_name)
{
  if (limit == none) {
    lt_text_put(d->text, none_name);
  } else if (limit > 1024 && limit % 1024 == 0) {
    lt_text_add(d->text, "%" PRIu64 "*1024", limit / 1024);
  } else {
    lt_text_unsigned(d->text, limit);
  }
}

static void show_limits(struct lt_decode *d, const uint64_t *limits, uint64_t none,
                        const char *none_name)
{
  lt_text_put(d->text, "{rlim_cur=");
  show_limit(d, limits[0], none, none_name);
  lt_text_put(d->text, ", rlim_max=");
  show_limit(d, limits[1], none, none_name);
  lt_text_put(d->text, "}");
}

void lt_show_rlimit(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t limits[2];
  (void)index;
  if (lt_decode_words(d, value, limits, 2) != 2) {
    lt_show_pointer(d, value);
  } else {
    show_limits(d, limits, lt_decode_word(d) == 8 ? UINT64_MAX : UINT32_MAX, "RLIM_INFINITY");
  }
}

void lt_show_rlimit64(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t limits[2];
  (void)index;
  if (!lt_decode_read(d, value, limits, sizeof(limits))) {
    lt_show_pointer(d, value);
  } else {
    show_limits(d, limits, UINT64_MAX, "RLIM64_INFINITY");
  }
}

/* ---- Scheduling --------------------------------------------------------------------------- */

static void show_cpus(struct lt_decode *d, uint64_t addr, uint64_t size)
{
  uint8_t bits[1024];
  const char *separator = "";
  if (!addr || size > sizeof(bits) || (size && !lt_decode_read(d, addr, bits, size))) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_put(d->text, "[");
  for (uint64_t cpu = 0; cpu < size * 8; cpu++) {
    if (bits[cpu / 8] >> (cpu % 8) & 1) {
      lt_text_add(d->text, "%s%" PRIu64, separator, cpu);
      separator = " ";
    }
  }
  lt_text_put(d->text, "]");
}

void lt_show_cpu_set(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_cpus(d, value, lt_decode_arg(d, index - 1));
}

/* sched_getaffinity(2) returns how many bytes it filled. */
void lt_show_cpu_set_out(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_cpus(d, value, (uint64_t)d->call->ret);
}

void lt_show_sched_param(struct lt_decode *d, unsigned index, uint64_t value)
{
  lt_show_int_at(d, index, value);
}

void lt_show_ioprio(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_text_put(d->text, "IOPRIO_PRIO_VALUE(");
  lt_flags_add(d->text, "ioprio_class", (uint32_t)value >> 13);
  lt_text_add(d->text, ", %" PRIu64 ")", value & 0x1fff);
}
