/* decode.h - how arguments are decoded and printed.
 *
 * To print one more kind of argument: write a function lt_show_NAME here and in the decode_*.c of
 * its family, give it a row in the table of decode_shapes.c, and say AS("name") in the table of
 * system calls. A decoder may read memory only through the functions below: they answer from what
 * lt_call_capture() kept, where that is right, and never beyond their bounds. */
#ifndef LT_DECODE_H
#define LT_DECODE_H

#include "flags.h"
#include "task.h"
#include "text.h"

#define LT_SHOW_BYTES 32  /* of a buffer or string, as `strace -s 32` */
#define LT_SHOW_ITEMS 32  /* of an array */
#define LT_SHOW_PATH 4095 /* of a file name */

struct lt_decode {
  lt_thread *thread;
  const struct lt_call *call;
  const struct lt_syscall *row; /* NULL for a number that no table has */
  struct lt_text *text;
  bool fresh;     /* read what the call wrote, not what was kept before it ran */
  bool recording; /* keep what is read: lt_call_capture() */
};

typedef void lt_show(struct lt_decode *d, unsigned index, uint64_t value);

/* What a name after AS(...) leads to. */
struct lt_shape {
  const char *name;
  lt_show *show;
  bool always; /* asked for NULL too, and before or without the success of a call that fills it */
};
const struct lt_shape *lt_shape_find(const char *name);

/* ---- The call ----------------------------------------------------------------------------- */

/* The bits of an argument that its declaration and the ABI leave, sign extended if signed. */
uint64_t lt_arg_value(const struct lt_arg *arg, enum lt_abi abi, uint64_t raw);
/* An argument of the call as a number; 0 beyond the last. */
uint64_t lt_decode_arg(const struct lt_decode *d, unsigned index);
/* Bytes of a pointer or long: 8 or 4. */
unsigned lt_decode_word(const struct lt_decode *d);
/* The call has returned without an error; with an error. */
bool lt_decode_succeeded(const struct lt_decode *d);
bool lt_decode_failed(const struct lt_decode *d);

/* ---- Memory ------------------------------------------------------------------------------- */

/* All bytes or none; nothing at address 0. */
bool lt_decode_read(struct lt_decode *d, uint64_t addr, void *ret, size_t size);
/* As many bytes as there are. */
size_t lt_decode_read_some(struct lt_decode *d, uint64_t addr, void *ret, size_t size);
/* A string of at most `max` bytes; `ret` has room for max + 1. Negative if there is nothing. */
ssize_t lt_decode_string(struct lt_decode *d, uint64_t addr, char *ret, size_t max, bool *whole);
/* Pointers or longs of the call's ABI: how many could be read. */
size_t lt_decode_words(struct lt_decode *d, uint64_t addr, uint64_t *ret, size_t count);
/* The same, signed. */
size_t lt_decode_longs(struct lt_decode *d, uint64_t addr, int64_t *ret, size_t count);

/* ---- Printing ----------------------------------------------------------------------------- */

void lt_show_pointer(struct lt_decode *d, uint64_t value);
/* Read a string and print it; its address if it cannot be read. */
void lt_show_string_at(struct lt_decode *d, uint64_t addr, size_t max);
/* Print `size` bytes of memory, cut to LT_SHOW_BYTES. */
void lt_show_bytes_at(struct lt_decode *d, uint64_t addr, uint64_t size, enum lt_quote how);
/* A fixed field that may lack its NUL. */
void lt_show_field(struct lt_decode *d, const char *bytes, size_t size);
/* "[a, b, ...]": `show` prints the element at an address; false if that cannot be read. */
typedef bool lt_show_item(struct lt_decode *d, uint64_t addr);
void lt_show_array(struct lt_decode *d, uint64_t addr, uint64_t count, size_t item_size,
                   lt_show_item *show);
/* By the type and shape of the argument. */
void lt_show_arg(struct lt_decode *d, unsigned index);

/* Shared between families. */
void lt_show_signal_number(struct lt_decode *d, int signo);
void lt_show_signal_set(struct lt_decode *d, const uint8_t *bytes, size_t size);
void lt_show_iovec_at(struct lt_decode *d, uint64_t addr, uint64_t count, bool data,
                      uint64_t limit);
void lt_show_ioctl_number(struct lt_decode *d, uint32_t request);
bool lt_show_timespec_at(struct lt_decode *d, uint64_t addr, bool wide);
bool lt_show_timeval_at(struct lt_decode *d, uint64_t addr);
void lt_show_open_flags_value(struct lt_decode *d, uint32_t value);
void lt_show_socket_address(struct lt_decode *d, uint64_t addr, uint64_t size);
void lt_show_device(struct lt_decode *d, uint64_t device);
void lt_show_tls(struct lt_decode *d, uint64_t value);
void lt_show_siginfo_at(struct lt_decode *d, uint64_t addr);

/* decode_multiplex.c: turn a call that stands for others into the one that it stands for. */
struct lt_inner {
  struct lt_syscall row;
  struct lt_call call;
};
bool lt_unfold(struct lt_decode *d, struct lt_inner *inner);
/* decode_result.c: the result and what strace prints after it. */
void lt_show_result(struct lt_decode *d);
/* capture.c: bytes that were kept from this address on; 0 if none. */
size_t lt_capture_find(const lt_thread *thread, uint64_t addr, const uint8_t **ret, bool *whole);
int lt_capture_keep(lt_thread *thread, uint64_t addr, const void *bytes, size_t size, bool whole);
/* format.c: print the call with `d`, whose text is set. */
void lt_show_call(struct lt_decode *d);
void lt_decode_init(struct lt_decode *d, lt_thread *thread, struct lt_text *text);

/* ---- Decoders by family ------------------------------------------------------------------- */

/* decode.c, decode_number.c */
lt_show lt_show_hex, lt_show_hidden, lt_show_path, lt_show_cwd, lt_show_environment, lt_show_int_at,
    lt_show_uint_at, lt_show_ulong_at, lt_show_ulong_hex_at, lt_show_id, lt_show_id_at,
    lt_show_id16_at, lt_show_groups, lt_show_groups16, lt_show_split, lt_show_split_unsigned,
    lt_show_split_fanotify;
/* decode_fs.c */
lt_show lt_show_dirfd, lt_show_open_flags, lt_show_open_mode, lt_show_mode, lt_show_mknod_mode,
    lt_show_mknod_dev, lt_show_dev, lt_show_fd_pair, lt_show_offset, lt_show_offset64,
    lt_show_offset_pair, lt_show_llseek_offset, lt_show_iovec, lt_show_iovec_raw, lt_show_dirents,
    lt_show_dirents64, lt_show_open_how, lt_show_mount_data, lt_show_statx_flags,
    lt_show_fanotify_init, lt_show_swap_flags, lt_show_mq_mode, lt_show_mq_attr;
/* decode_stat.c */
lt_show lt_show_stat, lt_show_stat64, lt_show_statx, lt_show_statfs, lt_show_statfs64;
/* decode_ioctl.c */
lt_show lt_show_ioctl, lt_show_ioctl_arg, lt_show_fcntl_arg;
/* decode_poll.c */
lt_show lt_show_pollfds, lt_show_fd_set, lt_show_sigset_pack, lt_show_epoll_event,
    lt_show_epoll_events, lt_show_old_select;
/* decode_net.c, decode_msg.c */
lt_show lt_show_sockaddr, lt_show_sockaddr_out, lt_show_socklen, lt_show_sock_type,
    lt_show_sock_protocol, lt_show_optname, lt_show_sockopt, lt_show_sockopt_out, lt_show_msghdr,
    lt_show_msghdr_out, lt_show_mmsghdr, lt_show_mmsghdr_out;
/* decode_time.c */
lt_show lt_show_timespec, lt_show_timespec_64, lt_show_timespec_rest, lt_show_timespec_rest_64,
    lt_show_timespecs2, lt_show_timespecs2_64, lt_show_timeval, lt_show_timevals2,
    lt_show_itimerval, lt_show_itimerspec, lt_show_itimerspec_64, lt_show_timezone, lt_show_utimbuf,
    lt_show_time, lt_show_clock;
/* decode_signal.c */
lt_show lt_show_signal, lt_show_sigset, lt_show_old_sigset, lt_show_sigmask, lt_show_sigaction,
    lt_show_old_sigaction, lt_show_siginfo, lt_show_sigevent, lt_show_handler, lt_show_stack;
/* decode_process.c, decode_system.c */
lt_show lt_show_wstatus, lt_show_rusage, lt_show_rusage_wait, lt_show_rlimit, lt_show_rlimit64,
    lt_show_clone_args, lt_show_cpu_set, lt_show_cpu_set_out, lt_show_sched_param,
    lt_show_prctl_arg, lt_show_arch_prctl_arg, lt_show_cap_header, lt_show_cap_data, lt_show_tms,
    lt_show_utsname, lt_show_sysinfo, lt_show_reboot_arg, lt_show_key, lt_show_ioprio,
    lt_show_personality, lt_show_syslog_type, lt_show_kexec_flags, lt_show_ptrace_arg,
    lt_show_kcmp_index, lt_show_membarrier_cpu, lt_show_user_desc;
/* decode_memory.c */
lt_show lt_show_mmap_flags, lt_show_mremap_addr, lt_show_old_mmap, lt_show_page_offset,
    lt_show_futex, lt_show_futex_val, lt_show_futex_time, lt_show_futex_time_64,
    lt_show_futex_uaddr2, lt_show_futex_val3, lt_show_mpol, lt_show_mincore;
/* decode_ipc.c */
lt_show lt_show_ipc_key, lt_show_ipc_get, lt_show_shmget, lt_show_ipc_command, lt_show_sembuf,
    lt_show_msgbuf, lt_show_ipc_call;

#endif
