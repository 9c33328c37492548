/* decode.c - the heart of the decoders: values, reading of words, printing by type, and the table
 * that leads from a name in the table of system calls to its decoder. */
#include "decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- The call ----------------------------------------------------------------------------- */

void lt_decode_init(struct lt_decode *d, lt_thread *thread, struct lt_text *text)
{
  *d = (struct lt_decode){.thread = thread, .call = &thread->call, .text = text};
  d->row = lt_syscall_find((enum lt_abi)thread->call.abi, thread->call.nr);
}

unsigned lt_decode_word(const struct lt_decode *d)
{
  return d->call->abi == LT_ABI_I386 ? 4 : 8;
}

uint64_t lt_arg_value(const struct lt_arg *arg, enum lt_abi abi, uint64_t raw)
{
  unsigned word = abi == LT_ABI_I386 ? 4 : 8;
  unsigned size = arg && arg->size && arg->size < word ? arg->size : word;
  unsigned unused = 64 - size * 8;
  if (arg && (arg->type == LT_ARG_INT || arg->type == LT_ARG_FD)) {
    return (uint64_t)((int64_t)(raw << unused) >> unused);
  }
  return raw << unused >> unused;
}

uint64_t lt_decode_arg(const struct lt_decode *d, unsigned index)
{
  if (index >= LT_CALL_ARGS) {
    return 0;
  }
  const struct lt_arg *arg = d->row && index < d->row->count ? &d->row->args[index] : NULL;
  return lt_arg_value(arg, (enum lt_abi)d->call->abi, d->call->args[index]);
}

bool lt_decode_succeeded(const struct lt_decode *d)
{
  return d->call->done && !d->call->is_error;
}

bool lt_decode_failed(const struct lt_decode *d)
{
  return d->call->done && d->call->is_error;
}

/* ---- Words -------------------------------------------------------------------------------- */

size_t lt_decode_words(struct lt_decode *d, uint64_t addr, uint64_t *ret, size_t count)
{
  uint32_t narrow[64];
  if (lt_decode_word(d) == 8) {
    return lt_decode_read_some(d, addr, ret, count * 8) / 8;
  }
  count = count < 64 ? count : 64;
  count = lt_decode_read_some(d, addr, narrow, count * 4) / 4;
  for (size_t i = 0; i < count; i++) {
    ret[i] = narrow[i];
  }
  return count;
}

size_t lt_decode_longs(struct lt_decode *d, uint64_t addr, int64_t *ret, size_t count)
{
  uint64_t words[64];
  count = lt_decode_words(d, addr, words, count < 64 ? count : 64);
  for (size_t i = 0; i < count; i++) {
    ret[i] = lt_decode_word(d) == 8 ? (int64_t)words[i] : (int32_t)words[i];
  }
  return count;
}

/* ---- Printing ----------------------------------------------------------------------------- */

void lt_show_pointer(struct lt_decode *d, uint64_t value)
{
  if (value) {
    lt_text_add(d->text, "%#" PRIx64, value);
  } else {
    lt_text_put(d->text, "NULL");
  }
}

void lt_show_string_at(struct lt_decode *d, uint64_t addr, size_t max)
{
  char string[LT_SHOW_PATH + 2];
  bool whole;
  max = max < sizeof(string) - 1 ? max : sizeof(string) - 1;
  /* One byte more than is shown tells whether it is cut. */
  ssize_t size = lt_decode_string(d, addr, string, max < LT_SHOW_PATH ? max + 1 : max, &whole);
  if (size < 0 || (!whole && (size_t)size <= max && max < LT_SHOW_PATH)) {
    lt_show_pointer(d, addr);
    return;
  }
  bool cut = (size_t)size > max || !whole;
  lt_text_quote(d->text, string, (size_t)size < max ? (size_t)size : max, LT_QUOTE);
  lt_text_put(d->text, cut ? "..." : "");
}

void lt_show_bytes_at(struct lt_decode *d, uint64_t addr, uint64_t size, enum lt_quote how)
{
  uint8_t bytes[LT_SHOW_BYTES] = {0};
  size_t shown = size < sizeof(bytes) ? (size_t)size : sizeof(bytes);
  if (!addr || (shown && !lt_decode_read(d, addr, bytes, shown))) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_quote(d->text, bytes, shown, how);
  lt_text_put(d->text, size > shown ? "..." : "");
}

void lt_show_field(struct lt_decode *d, const char *bytes, size_t size)
{
  lt_text_quote(d->text, bytes, strnlen(bytes, size), LT_QUOTE);
}

void lt_show_array(struct lt_decode *d, uint64_t addr, uint64_t count, size_t item_size,
                   lt_show_item *show)
{
  size_t start = d->text->length;
  if (!addr) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_put(d->text, "[");
  for (uint64_t i = 0; i < count; i++) {
    size_t before = d->text->length;
    lt_text_put(d->text, i ? ", " : "");
    if (i == LT_SHOW_ITEMS) {
      lt_text_put(d->text, "...");
      break;
    }
    if (!show(d, addr + i * item_size)) {
      lt_text_cut(d->text, i ? before : start);
      if (!i) {
        lt_show_pointer(d, addr);
        return;
      }
      lt_text_add(d->text, ", ... /* %#" PRIx64 " */", addr + i * item_size);
      break;
    }
  }
  lt_text_put(d->text, "]");
}

void lt_show_hex(struct lt_decode *d, unsigned index, uint64_t value)
{
  bool narrow = d->row->args[index].size == 4 || lt_decode_word(d) == 4;
  lt_text_add(d->text, "%#" PRIx64, narrow ? (uint32_t)value : value);
}

/* getcwd(2) counts the NUL. */
void lt_show_cwd(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_string_at(d, value, LT_SHOW_PATH);
}

void lt_show_hidden(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)d, (void)index, (void)value;
}

void lt_show_path(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_string_at(d, value, LT_SHOW_PATH);
}

/* The address, and how many there are in a comment. */
void lt_show_environment(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t words[64];
  size_t count = 0, got = 1;
  bool end = false;
  (void)index;
  lt_show_pointer(d, value);
  while (value && !end && got > 0 && count < 65536) {
    got = lt_decode_words(d, value + count * lt_decode_word(d), words, 64);
    for (size_t i = 0; i < got && !end; i++) {
      end = words[i] == 0;
      count += !end;
    }
  }
  if (end) {
    lt_text_add(d->text, " /* %zu var%s */", count, count == 1 ? "" : "s");
  } else if (value && count) {
    lt_text_add(d->text, " /* %zu vars, unterminated */", count);
  }
}

static bool show_string_item(struct lt_decode *d, uint64_t addr)
{
  uint64_t pointer;
  if (lt_decode_words(d, addr, &pointer, 1) != 1) {
    return false;
  }
  lt_show_string_at(d, pointer, LT_SHOW_BYTES);
  return true;
}

static void show_strings(struct lt_decode *d, uint64_t value)
{
  uint64_t pointer = 1;
  size_t count = 0;
  while (value && count <= LT_SHOW_ITEMS && pointer) {
    if (lt_decode_words(d, value + count * lt_decode_word(d), &pointer, 1) != 1) {
      pointer = 1;
      count++;
      break;
    }
    count += pointer != 0;
  }
  lt_show_array(d, value, count, lt_decode_word(d), show_string_item);
}

/* ---- Numbers in memory -------------------------------------------------------------------- */

void lt_show_int_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  int32_t number;
  (void)index;
  if (lt_decode_read(d, value, &number, sizeof(number))) {
    lt_text_add(d->text, "[%" PRId32 "]", number);
  } else {
    lt_show_pointer(d, value);
  }
}

void lt_show_uint_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t number;
  (void)index;
  if (lt_decode_read(d, value, &number, sizeof(number))) {
    lt_text_add(d->text, "[%" PRIu32 "]", number);
  } else {
    lt_show_pointer(d, value);
  }
}

static void show_word_at(struct lt_decode *d, uint64_t addr, bool hex)
{
  uint64_t number;
  if (lt_decode_words(d, addr, &number, 1) != 1) {
    lt_show_pointer(d, addr);
    return;
  }
  lt_text_put(d->text, "[");
  if (hex) {
    lt_show_pointer(d, number);
  } else {
    lt_text_add(d->text, "%" PRIu64, number);
  }
  lt_text_put(d->text, "]");
}

void lt_show_ulong_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_word_at(d, value, false);
}

void lt_show_ulong_hex_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  show_word_at(d, value, true);
}

/* The id that means "leave it" is printed as -1. */
static void show_id(struct lt_decode *d, uint32_t id, uint32_t none)
{
  if (id == none) {
    lt_text_put(d->text, "-1");
  } else {
    lt_text_add(d->text, "%" PRIu32, id);
  }
}

void lt_show_id(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_id(d, (uint32_t)value, d->row->args[index].size == 2 ? 0xffff : UINT32_MAX);
}

static bool show_id_item(struct lt_decode *d, uint64_t addr)
{
  uint32_t id;
  if (!lt_decode_read(d, addr, &id, sizeof(id))) {
    return false;
  }
  show_id(d, id, UINT32_MAX);
  return true;
}

static bool show_id16_item(struct lt_decode *d, uint64_t addr)
{
  uint16_t id;
  if (!lt_decode_read(d, addr, &id, sizeof(id))) {
    return false;
  }
  show_id(d, id, 0xffff);
  return true;
}

void lt_show_id_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_array(d, value, 1, 4, show_id_item);
}

void lt_show_id16_at(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)index;
  lt_show_array(d, value, 1, 2, show_id16_item);
}

/* getgroups fills as many as it returns; setgroups takes as many as it says. */
static void show_groups(struct lt_decode *d, unsigned index, uint64_t addr, size_t size)
{
  int64_t count = (int64_t)lt_decode_arg(d, 0);
  if (d->row->args[index].out) {
    count = d->call->ret < count ? d->call->ret : count;
  }
  if (count < 0 || count > 65536) {
    lt_show_pointer(d, addr);
  } else {
    lt_show_array(d, addr, (uint64_t)count, size, size == 2 ? show_id16_item : show_id_item);
  }
}

void lt_show_groups(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_groups(d, index, value, 4);
}

void lt_show_groups16(struct lt_decode *d, unsigned index, uint64_t value)
{
  show_groups(d, index, value, 2);
}

/* ---- 64 bits in two registers of i386 ----------------------------------------------------- */

static uint64_t joined(const struct lt_decode *d, unsigned index)
{
  return (uint32_t)lt_decode_arg(d, index) | lt_decode_arg(d, index + 1) << 32;
}

void lt_show_split(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)value;
  lt_text_add(d->text, "%" PRId64, (int64_t)joined(d, index));
}

void lt_show_split_unsigned(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)value;
  lt_text_add(d->text, "%" PRIu64, joined(d, index));
}

void lt_show_split_fanotify(struct lt_decode *d, unsigned index, uint64_t value)
{
  (void)value;
  lt_flags_add(d->text, "fanotify_mask", joined(d, index));
}

/* ---- By type ------------------------------------------------------------------------------ */

static void show_buffer(struct lt_decode *d, const struct lt_arg *arg, uint64_t value)
{
  uint64_t length = lt_decode_arg(d, (unsigned)arg->length);
  if (arg->out) {
    length = d->call->ret >= 0 && (uint64_t)d->call->ret < length ? (uint64_t)d->call->ret : length;
  }
  lt_show_bytes_at(d, value, length, LT_QUOTE);
}

static void show_plain(struct lt_decode *d, const struct lt_arg *arg, uint64_t value)
{
  switch (arg->type) {
  case LT_ARG_INT:
  case LT_ARG_FD: lt_text_add(d->text, "%" PRId64, (int64_t)value); break;
  case LT_ARG_UINT: lt_text_add(d->text, "%" PRIu64, value); break;
  case LT_ARG_STRING: lt_show_string_at(d, value, LT_SHOW_BYTES); break;
  case LT_ARG_BUFFER: show_buffer(d, arg, value); break;
  case LT_ARG_STRINGS: show_strings(d, value); break;
  default: lt_show_pointer(d, value); break;
  }
}

static uint64_t bits_of(const struct lt_arg *arg, uint64_t value)
{
  return arg->size == 4 ? (uint32_t)value : value;
}

void lt_show_arg(struct lt_decode *d, unsigned index)
{
  const struct lt_arg *arg = &d->row->args[index];
  const struct lt_shape *shape = arg->shape ? lt_shape_find(arg->shape) : NULL;
  const struct lt_flags *flags = arg->shape && !shape ? lt_flags_find(arg->shape) : NULL;
  uint64_t value = lt_decode_arg(d, index);
  d->fresh = arg->out && !arg->in;
  if (d->fresh && !lt_decode_succeeded(d) && !(shape && shape->always)) {
    lt_show_pointer(d, value);
  } else if (arg->type == LT_ARG_STRUCT && !value && !(shape && shape->always)) {
    lt_show_pointer(d, value);
  } else if (shape) {
    shape->show(d, index, value);
  } else if (flags) {
    lt_flags_show(d->text, flags, bits_of(arg, value));
  } else {
    show_plain(d, arg, value);
  }
  d->fresh = false;
}

/* ---- The table ---------------------------------------------------------------------------- */

/* In order of the names: looked up by bisection. */
static const struct lt_shape shapes[] = {
  {"arch_prctl_arg", lt_show_arch_prctl_arg, false},
  {"cap_data", lt_show_cap_data, false},
  {"cap_header", lt_show_cap_header, false},
  {"clock", lt_show_clock, false},
  {"clone_args", lt_show_clone_args, false},
  {"cpu_set", lt_show_cpu_set, false},
  {"cpu_set_out", lt_show_cpu_set_out, false},
  {"cwd", lt_show_cwd, false},
  {"dev", lt_show_dev, false},
  {"dirents", lt_show_dirents, false},
  {"dirents64", lt_show_dirents64, false},
  {"dirfd", lt_show_dirfd, false},
  {"environment", lt_show_environment, false},
  {"epoll_event", lt_show_epoll_event, false},
  {"epoll_events", lt_show_epoll_events, false},
  {"fanotify_init", lt_show_fanotify_init, false},
  {"fcntl_arg", lt_show_fcntl_arg, false},
  {"fd_pair", lt_show_fd_pair, false},
  {"fd_set", lt_show_fd_set, false},
  {"futex", lt_show_futex, false},
  {"futex_time", lt_show_futex_time, true},
  {"futex_time_64", lt_show_futex_time_64, true},
  {"futex_uaddr2", lt_show_futex_uaddr2, true},
  {"futex_val", lt_show_futex_val, false},
  {"futex_val3", lt_show_futex_val3, false},
  {"groups", lt_show_groups, false},
  {"groups16", lt_show_groups16, false},
  {"groups16_out", lt_show_groups16, false},
  {"groups_out", lt_show_groups, false},
  {"handler", lt_show_handler, false},
  {"hex", lt_show_hex, false},
  {"hidden", lt_show_hidden, false},
  {"id", lt_show_id, false},
  {"id16_ptr", lt_show_id16_at, false},
  {"id_ptr", lt_show_id_at, false},
  {"int", lt_show_int_at, false},
  {"ioctl", lt_show_ioctl, false},
  {"ioctl_arg", lt_show_ioctl_arg, false},
  {"ioprio", lt_show_ioprio, false},
  {"iovec", lt_show_iovec, true},
  {"iovec_raw", lt_show_iovec_raw, false},
  {"ipc_call", lt_show_ipc_call, false},
  {"ipc_get", lt_show_ipc_get, false},
  {"ipc_key", lt_show_ipc_key, false},
  {"itimerspec", lt_show_itimerspec, false},
  {"itimerspec_64", lt_show_itimerspec_64, false},
  {"itimerval", lt_show_itimerval, false},
  {"kcmp_index", lt_show_kcmp_index, false},
  {"kexec", lt_show_kexec_flags, false},
  {"key", lt_show_key, false},
  {"llseek_offset", lt_show_llseek_offset, false},
  {"membarrier_cpu", lt_show_membarrier_cpu, false},
  {"mincore", lt_show_mincore, false},
  {"mknod_dev", lt_show_mknod_dev, false},
  {"mknod_mode", lt_show_mknod_mode, false},
  {"mmap", lt_show_mmap_flags, false},
  {"mmsghdr", lt_show_mmsghdr, false},
  {"mmsghdr_out", lt_show_mmsghdr_out, false},
  {"mode", lt_show_mode, false},
  {"mount_data", lt_show_mount_data, false},
  {"mpol", lt_show_mpol, false},
  {"mq_attr", lt_show_mq_attr, true},
  {"mq_mode", lt_show_mq_mode, false},
  {"mremap_addr", lt_show_mremap_addr, false},
  {"msgbuf", lt_show_msgbuf, false},
  {"msgctl", lt_show_ipc_command, false},
  {"msghdr", lt_show_msghdr, false},
  {"msghdr_out", lt_show_msghdr_out, false},
  {"offset", lt_show_offset, false},
  {"offset64", lt_show_offset64, false},
  {"offset_pair", lt_show_offset_pair, false},
  {"old_mmap", lt_show_old_mmap, false},
  {"old_select", lt_show_old_select, false},
  {"old_sigaction", lt_show_old_sigaction, false},
  {"old_sigset", lt_show_old_sigset, false},
  {"open_flags", lt_show_open_flags, false},
  {"open_how", lt_show_open_how, false},
  {"open_mode", lt_show_open_mode, false},
  {"optname", lt_show_optname, false},
  {"page_offset", lt_show_page_offset, false},
  {"path", lt_show_path, false},
  {"personality", lt_show_personality, false},
  {"pollfds", lt_show_pollfds, false},
  {"prctl_arg", lt_show_prctl_arg, true},
  {"ptrace_arg", lt_show_ptrace_arg, false},
  {"reboot_arg", lt_show_reboot_arg, true},
  {"rlimit", lt_show_rlimit, false},
  {"rlimit64", lt_show_rlimit64, false},
  {"rusage", lt_show_rusage, false},
  {"rusage_wait", lt_show_rusage_wait, false},
  {"sched_param", lt_show_sched_param, false},
  {"sembuf", lt_show_sembuf, false},
  {"semctl", lt_show_ipc_command, false},
  {"shmctl", lt_show_ipc_command, false},
  {"shmget", lt_show_shmget, false},
  {"sigaction", lt_show_sigaction, false},
  {"sigevent", lt_show_sigevent, false},
  {"siginfo", lt_show_siginfo, false},
  {"sigmask", lt_show_sigmask, false},
  {"signal", lt_show_signal, false},
  {"sigset", lt_show_sigset, false},
  {"sigset_pack", lt_show_sigset_pack, false},
  {"sock_protocol", lt_show_sock_protocol, false},
  {"sock_type", lt_show_sock_type, false},
  {"sockaddr", lt_show_sockaddr, false},
  {"sockaddr_out", lt_show_sockaddr_out, false},
  {"socklen", lt_show_socklen, false},
  {"sockopt", lt_show_sockopt, false},
  {"sockopt_out", lt_show_sockopt_out, false},
  {"split", lt_show_split, false},
  {"split_fanotify", lt_show_split_fanotify, false},
  {"split_unsigned", lt_show_split_unsigned, false},
  {"stack", lt_show_stack, false},
  {"stat", lt_show_stat, false},
  {"stat64", lt_show_stat64, false},
  {"statfs", lt_show_statfs, false},
  {"statfs64", lt_show_statfs64, false},
  {"statx", lt_show_statx, false},
  {"statx_at", lt_show_statx_flags, false},
  {"swapon", lt_show_swap_flags, false},
  {"sysinfo", lt_show_sysinfo, false},
  {"syslog_type", lt_show_syslog_type, false},
  {"time", lt_show_time, false},
  {"timespec", lt_show_timespec, false},
  {"timespec_64", lt_show_timespec_64, false},
  {"timespec_rest", lt_show_timespec_rest, true},
  {"timespec_rest_64", lt_show_timespec_rest_64, true},
  {"timespecs2", lt_show_timespecs2, false},
  {"timespecs2_64", lt_show_timespecs2_64, false},
  {"timeval", lt_show_timeval, false},
  {"timevals2", lt_show_timevals2, false},
  {"timezone", lt_show_timezone, false},
  {"tms", lt_show_tms, false},
  {"uint", lt_show_uint_at, false},
  {"ulong", lt_show_ulong_at, false},
  {"ulong_hex", lt_show_ulong_hex_at, false},
  {"user_desc", lt_show_user_desc, false},
  {"utimbuf", lt_show_utimbuf, false},
  {"utsname", lt_show_utsname, false},
  {"wstatus", lt_show_wstatus, false},
};

static int compare(const void *name, const void *shape)
{
  return strcmp(name, ((const struct lt_shape *)shape)->name);
}

const struct lt_shape *lt_shape_find(const char *name)
{
  return bsearch(name, shapes, sizeof(shapes) / sizeof(shapes[0]), sizeof(shapes[0]), compare);
}
