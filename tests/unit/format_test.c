/* format_test.c - the line of a call: arguments by type and shape, results, both ABIs. */
#include "calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FDCWD ((uint64_t)-100)
#define HOLE ((uint64_t)0x20000000 + POOL_SIZE)

static int set_up(void **state)
{
  *state = calls_start();
  return 0;
}

static int tear_down(void **state)
{
  calls_end(*state);
  return 0;
}

/* ---- Strings and bytes -------------------------------------------------------------------- */

static void test_paths(void **state)
{
  struct calls *calls = *state;
  char longer[300], expected[400];
  uint64_t path = put_string(calls, "/etc/hostname");
  expect_call(calls, "openat", ARGS(FDCWD, path, 0x80000, 0755), 3,
              "openat(AT_FDCWD, \"/etc/hostname\", O_RDONLY|O_CLOEXEC) = 3");
  expect_call(calls, "openat", ARGS(5, path, 0x241, 0100644), -2,
              "openat(5, \"/etc/hostname\", O_WRONLY|O_CREAT|O_TRUNC, 0100644) = "
              "-1 ENOENT (No such file or directory)");
  expect_call(calls, "open", ARGS(HOLE, 0), -14,
              "open(0x20100000, O_RDONLY) = -1 EFAULT (Bad address)");
  expect_call(calls, "chdir", ARGS(0), -14, "chdir(NULL) = -1 EFAULT (Bad address)");
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = '\0';
  snprintf(expected, sizeof expected, "chdir(\"%s\") = 0", longer);
  expect_call(calls, "chdir", ARGS(put_string(calls, longer)), 0, expected);
}

static void test_path_before_a_hole(void **state)
{
  struct calls *calls = *state;
  memset(calls->pool + POOL_SIZE - 4, 'a', 4);
  expect_call(calls, "chdir", ARGS(HOLE - 4), -14, "chdir(0x200ffffc) = -1 EFAULT (Bad address)");
}

static void test_buffers(void **state)
{
  struct calls *calls = *state;
  uint64_t bytes = put(calls, "0123456789abcdefghijklmnopqrstuvwxyz\n", 37);
  expect_call(calls, "write", ARGS(1, bytes, 5), 5, "write(1, \"01234\", 5) = 5");
  expect_call(calls, "write", ARGS(1, bytes, 37), 37,
              "write(1, \"0123456789abcdefghijklmnopqrstuv\"..., 37) = 37");
  expect_call(calls, "write", ARGS(1, bytes, 0), 0, "write(1, \"\", 0) = 0");
  expect_call(calls, "write", ARGS(1, HOLE, 5), -14,
              "write(1, 0x20100000, 5) = -1 EFAULT (Bad address)");
  expect_call(calls, "read", ARGS(3, bytes, 37), 3, "read(3, \"012\", 37) = 3");
  expect_call(calls, "read", ARGS(3, bytes, 37), -9,
              "read(3, 0x20000000, 37) = -1 EBADF (Bad file descriptor)");
  enter(calls, LT_ABI_X86_64, "read", ARGS(3, bytes, 37));
  assert_string_equal(line(calls), "read(3, 0x20000000, 37) = ?");
  expect_call(calls, "getrandom", ARGS(bytes, 2, 1), 2,
              "getrandom(\"\\x30\\x31\", 2, GRND_NONBLOCK) = 2");
}

static void test_arrays_of_strings(void **state)
{
  struct calls *calls = *state;
  uint64_t path = put_string(calls, "/bin/ls");
  uint64_t argv[] = {put_string(calls, "ls"), put_string(calls, "-l\n"), 0};
  uint64_t envp[] = {path, path, path, 0};
  uint64_t args = put(calls, argv, sizeof argv), env = put(calls, envp, sizeof envp);
  expect_call(calls, "execve", ARGS(path, args, env), -13,
              "execve(\"/bin/ls\", [\"ls\", \"-l\\n\"], 0x20000050 /* 3 vars */) = "
              "-1 EACCES (Permission denied)");
  expect_call(calls, "execve", ARGS(path, 0, env + 16), -13,
              "execve(\"/bin/ls\", NULL, 0x20000060 /* 1 var */) = -1 EACCES (Permission denied)");
  expect_call(calls, "execve", ARGS(path, HOLE, HOLE), -14,
              "execve(\"/bin/ls\", 0x20100000, 0x20100000) = -1 EFAULT (Bad address)");
}

/* ---- Results ------------------------------------------------------------------------------ */

static void test_results(void **state)
{
  struct calls *calls = *state;
  expect_call(calls, "getpid", ARGS(0), 4242, "getpid() = 4242");
  expect_call(calls, "brk", ARGS(0), 0x555500001000, "brk(NULL) = 0x555500001000");
  expect_call(calls, "mmap", ARGS(0, 8192, 3, 0x22, (uint64_t)-1, 0), 0x7f0000000000,
              "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
              "0x7f0000000000");
  expect_call(calls, "umask", ARGS(077), 022, "umask(077) = 022");
  expect_call(calls, "fcntl", ARGS(3, 1, 0), 1, "fcntl(3, F_GETFD) = 0x1 (flags FD_CLOEXEC)");
  expect_call(calls, "fcntl", ARGS(3, 3, 0), 0x8002,
              "fcntl(3, F_GETFL) = 0x8002 (flags O_RDWR|O_LARGEFILE)");
  expect_call(calls, "pause", ARGS(0), -514,
              "pause() = ? ERESTARTNOHAND (To be restarted if no handler)");
  expect_call(calls, "wait4", ARGS((uint64_t)-1, 0, 0, 0), -512,
              "wait4(-1, NULL, 0, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)");
  expect_call(calls, "close", ARGS(3), -3000, "close(3) = -1 (errno 3000)");
  enter(calls, LT_ABI_X86_64, "exit_group", ARGS(7));
  assert_string_equal(line(calls), "exit_group(7) = ?");
}

static void test_unknown_calls(void **state)
{
  struct calls *calls = *state;
  enter(calls, LT_ABI_X86_64, "getpid", ARGS(1, 0, 3, 4, 5, 6));
  calls->tracee->thread.call.nr = 1000;
  leave(calls, -38);
  assert_string_equal(line(calls), "syscall_0x3e8(0x1, 0, 0x3, 0x4, 0x5, 0x6) = "
                                   "-1 ENOSYS (Function not implemented)");
  calls->tracee->thread.call.nr = LT_NR_UNKNOWN;
  assert_string_equal(line(calls), "unknown() = -1 ENOSYS (Function not implemented)");
  calls->tracee->thread.in_call = false;
  assert_string_equal(line(calls), "");
}

/* Whatever the room, the length is that of the whole line and nothing is written behind. */
static void test_length(void **state)
{
  struct calls *calls = *state;
  char bytes[64];
  uint64_t path = put_string(calls, "/etc/hostname");
  enter(calls, LT_ABI_X86_64, "openat", ARGS(FDCWD, path, 0x80000, 0));
  leave(calls, 3);
  size_t whole = strlen(line(calls));
  for (size_t room = 0; room < sizeof bytes; room++) {
    memset(bytes, '#', sizeof bytes);
    assert_int_equal(lt_call_format(&calls->tracee->thread, bytes, room), whole);
    assert_true(room == 0 || strnlen(bytes, room) == (whole < room ? whole : room - 1));
    for (size_t i = room; i < sizeof bytes; i++) {
      assert_int_equal(bytes[i], '#');
    }
  }
}

/* ---- Flags and numbers -------------------------------------------------------------------- */

static void test_numbers(void **state)
{
  struct calls *calls = *state;
  uint64_t path = put_string(calls, "x");
  expect_call(calls, "lseek", ARGS(3, (uint64_t)-5, 1), 0, "lseek(3, -5, SEEK_CUR) = 0");
  expect_call(calls, "lseek", ARGS(3, 0, 9), -22,
              "lseek(3, 0, 0x9 /* SEEK_??? */) = -1 EINVAL (Invalid argument)");
  expect_call(calls, "chown", ARGS(path, 0xffffffff, 5), 0, "chown(\"x\", -1, 5) = 0");
  expect_call(calls, "kill", ARGS((uint64_t)-7, 9), 0, "kill(-7, SIGKILL) = 0");
  expect_call(calls, "kill", ARGS(7, 33), 0, "kill(7, SIGRT_1) = 0");
  expect_call(calls, "mknod", ARGS(path, 020666, 0x103), 0,
              "mknod(\"x\", S_IFCHR|0666, makedev(0x1, 0x3)) = 0");
  expect_call(calls, "mknod", ARGS(path, 010600, 0x103), 0, "mknod(\"x\", S_IFIFO|0600) = 0");
  expect_call(calls, "socket", ARGS(2, 0x80801, 0), 3,
              "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, IPPROTO_IP) = 3");
  expect_call(calls, "clone", ARGS(0x1200011, 0, 0, HOLE, 0), 12,
              "clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, "
              "child_tidptr=0x20100000) = 12");
  expect_call(calls, "ioctl", ARGS(1, 0x5451, 0), 0, "ioctl(1, FIOCLEX) = 0");
  expect_call(calls, "ioctl", ARGS(1, 0xc0481234, 5), -25,
              "ioctl(1, _IOC(_IOC_READ|_IOC_WRITE, 0x12, 0x34, 0x48), 0x5) = "
              "-1 ENOTTY (Inappropriate ioctl for device)");
  expect_call(calls, "mremap", ARGS(4096, 1, 2, 1, 7), 8192,
              "mremap(0x1000, 1, 2, MREMAP_MAYMOVE) = 0x2000");
  expect_call(calls, "clock_gettime", ARGS(0xfffffffa, 0), 0,
              "clock_gettime(MAKE_PROCESS_CPUCLOCK(0, CPUCLOCK_SCHED), NULL) = 0");
}

static void test_futex(void **state)
{
  struct calls *calls = *state;
  uint64_t one_second = put(calls, (uint64_t[]){1, 0}, 16);
  expect_call(calls, "futex", ARGS(64, 128, 2, one_second, 9, 9), -110,
              "futex(0x40, FUTEX_WAIT_PRIVATE, 2, {tv_sec=1, tv_nsec=0}) = "
              "-1 ETIMEDOUT (Connection timed out)");
  expect_call(calls, "futex", ARGS(64, 129, 1, 7, 9, 9), 0,
              "futex(0x40, FUTEX_WAKE_PRIVATE, 1) = 0");
  expect_call(calls, "futex", ARGS(64, 0x189, 0, 0, 0, 0xffffffff), 0,
              "futex(0x40, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, NULL, "
              "FUTEX_BITSET_MATCH_ANY) = 0");
}

/* ---- Structs ------------------------------------------------------------------------------ */

static void test_stat(void **state)
{
  struct calls *calls = *state;
  uint8_t bytes[144] = {0};
  uint64_t path = put_string(calls, "f");
  memcpy(bytes + 24, &(uint32_t){0100644}, 4);
  memcpy(bytes + 48, &(uint64_t){1234}, 8);
  uint64_t stat = put(calls, bytes, sizeof bytes);
  expect_call(calls, "stat", ARGS(path, stat), 0,
              "stat(\"f\", {st_mode=S_IFREG|0644, st_size=1234, ...}) = 0");
  expect_call(calls, "stat", ARGS(path, stat), -2,
              "stat(\"f\", 0x20000010) = -1 ENOENT (No such file or directory)");
  memset(bytes, 0, sizeof bytes);
  memcpy(bytes + 16, &(uint32_t){020620}, 4);
  memcpy(bytes + 32, &(uint64_t){0x8801}, 8);
  stat = put(calls, bytes, 96);
  expect_call_i386(calls, "fstat64", ARGS(0, stat), 0,
                   "fstat64(0, {st_mode=S_IFCHR|0620, st_rdev=makedev(0x88, 0x1), ...}) = 0");
}

static void test_times(void **state)
{
  struct calls *calls = *state;
  uint64_t request = put(calls, (uint64_t[]){1, 500}, 16),
           rest = put(calls, (uint64_t[]){0, 7}, 16);
  expect_call(calls, "nanosleep", ARGS(request, rest), 0,
              "nanosleep({tv_sec=1, tv_nsec=500}, 0x20000010) = 0");
  expect_call(calls, "nanosleep", ARGS(request, rest), -516,
              "nanosleep({tv_sec=1, tv_nsec=500}, {tv_sec=0, tv_nsec=7}) = "
              "? ERESTART_RESTARTBLOCK (Interrupted by signal)");
  request = put(calls, (uint32_t[]){3, (uint32_t)-4}, 8);
  expect_call_i386(calls, "nanosleep", ARGS(request, 0), 0,
                   "nanosleep({tv_sec=3, tv_nsec=-4}, NULL) = 0");
  request = put(calls, (uint64_t[]){3, 4}, 16);
  expect_call_i386(calls, "clock_gettime64", ARGS(1, request), 0,
                   "clock_gettime64(CLOCK_MONOTONIC, {tv_sec=3, tv_nsec=4}) = 0");
}

static void test_signals(void **state)
{
  struct calls *calls = *state;
  uint64_t none = put(calls, (uint64_t[]){0}, 8), all = put(calls, (uint64_t[]){~0ull}, 8);
  uint64_t some = put(calls, (uint64_t[]){1ull << 1 | 1ull << 39}, 8);
  expect_call(calls, "rt_sigprocmask", ARGS(0, some, none, 8), 0,
              "rt_sigprocmask(SIG_BLOCK, [INT RT_8], [], 8) = 0");
  expect_call(calls, "rt_sigprocmask", ARGS(2, all, 0, 8), 0,
              "rt_sigprocmask(SIG_SETMASK, ~[], NULL, 8) = 0");
  uint64_t action = put(calls, (uint64_t[]){0x4000, 0x14000000, 0x5000, 1ull << 14}, 32);
  expect_call(calls, "rt_sigaction", ARGS(17, action, 0, 8), 0,
              "rt_sigaction(SIGCHLD, {sa_handler=0x4000, sa_mask=[TERM], "
              "sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x5000}, NULL, 8) = 0");
  action = put(calls, (uint32_t[]){1, 0, 0, 0, 0}, 20);
  expect_call_i386(
      calls, "rt_sigaction", ARGS(2, 0, action, 8), 0,
      "rt_sigaction(SIGINT, NULL, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=0}, 8) = 0");
}

static void test_waiting(void **state)
{
  struct calls *calls = *state;
  const struct {
    uint32_t status;
    const char *shown;
  } cases[] = {
      {0x0300, "{WIFEXITED(s) && WEXITSTATUS(s) == 3}"},
      {0x008b, "{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV && WCOREDUMP(s)}"},
      {0x137f, "{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}"},
      {0xffff, "{WIFCONTINUED(s)}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char expected[200];
    uint64_t status = put(calls, &cases[i].status, 4);
    snprintf(expected, sizeof expected, "wait4(-1, [%s], WNOHANG, NULL) = 9", cases[i].shown);
    expect_call(calls, "wait4", ARGS((uint64_t)-1, status, 1, 0), 9, expected);
  }
  uint64_t status = put(calls, &cases[0].status, 4);
  char expected[200];
  snprintf(expected, sizeof expected, "wait4(-1, %#lx, WNOHANG, NULL) = 0", (unsigned long)status);
  expect_call(calls, "wait4", ARGS((uint64_t)-1, status, 1, 0), 0, expected);
}

static void test_sockets(void **state)
{
  struct calls *calls = *state;
  uint64_t in = put(calls, "\2\0\0\x50\x7f\0\0\1\0\0\0\0\0\0\0\0", 16);
  expect_call(calls, "connect", ARGS(3, in, 16), -111,
              "connect(3, {sa_family=AF_INET, sin_port=htons(80), "
              "sin_addr=inet_addr(\"127.0.0.1\")}, 16) = -1 ECONNREFUSED (Connection refused)");
  uint64_t path = put(calls, "\1\0/run/x\0yy", 12), hidden = put(calls, "\1\0\0a\"", 5);
  expect_call(calls, "bind", ARGS(3, path, 12), 0,
              "bind(3, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 12) = 0");
  expect_call(calls, "bind", ARGS(3, hidden, 5), 0,
              "bind(3, {sa_family=AF_UNIX, sun_path=@\"a\\\"\"}, 5) = 0");
  uint64_t length = put(calls, &(uint32_t){16}, 4);
  expect_call(calls, "accept", ARGS(3, in, length), 4,
              "accept(3, {sa_family=AF_INET, sin_port=htons(80), "
              "sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 4");
  uint64_t one = put(calls, &(uint32_t){1}, 4);
  expect_call(calls, "setsockopt", ARGS(3, 1, 2, one, 4), 0,
              "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0");
  expect_call(calls, "setsockopt", ARGS(3, 6, 1, one, 4), 0,
              "setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 4) = 0");
}

static void test_messages(void **state)
{
  struct calls *calls = *state;
  uint64_t data = put_string(calls, "hello");
  uint64_t vector = put(calls, (uint64_t[]){data, 5}, 16);
  uint64_t control = put(calls, (uint64_t[]){20, 1 | 1ull << 32, 7}, 24);
  uint64_t message = put(calls, (uint64_t[]){0, 0, vector, 1, control, 24, 0}, 56);
  expect_call(calls, "writev", ARGS(1, vector, 1), 5,
              "writev(1, [{iov_base=\"hello\", iov_len=5}], 1) = 5");
  expect_call(calls, "readv", ARGS(1, vector, 1), 2,
              "readv(1, [{iov_base=\"he\", iov_len=5}], 1) = 2");
  expect_call(
      calls, "sendmsg", ARGS(3, message, 0x4000), 5,
      "sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"hello\", iov_len=5}], "
      "msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, "
      "cmsg_type=SCM_RIGHTS, cmsg_data=[7]}], msg_controllen=24, msg_flags=0}, "
      "MSG_NOSIGNAL) = 5");
}

static void test_waiting_for_descriptors(void **state)
{
  struct calls *calls = *state;
  uint64_t set = put(calls, (uint64_t[]){1 << 3 | 1 << 5}, 8);
  uint64_t time = put(calls, (uint64_t[]){0, 99}, 16);
  uint64_t fds = put(calls, (uint32_t[]){3, 1 | 1 << 16, (uint32_t)-1, 4}, 16);
  uint64_t event = put(calls, (uint32_t[]){0x80000001, 7, 0}, 12);
  expect_call(calls, "poll", ARGS(fds, 2, (uint64_t)-1), 1,
              "poll([{fd=3, events=POLLIN}, {fd=-1}], 2, -1) = 1 ([{fd=3, revents=POLLIN}])");
  expect_call(calls, "poll", ARGS(fds, 1, 5), 0,
              "poll([{fd=3, events=POLLIN}], 1, 5) = 0 (Timeout)");
  expect_call(calls, "select", ARGS(6, set, 0, 0, time), 2,
              "select(6, [3 5], NULL, NULL, {tv_sec=0, tv_usec=99}) = "
              "2 (in [3 5], left {tv_sec=0, tv_usec=99})");
  expect_call(calls, "select", ARGS((uint64_t)-1, set, 0, 0, 0), -22,
              "select(-1, 0x20000000, NULL, NULL, NULL) = -1 EINVAL (Invalid argument)");
  expect_call(calls, "epoll_ctl", ARGS(4, 1, 3, event), 0,
              "epoll_ctl(4, EPOLL_CTL_ADD, 3, {events=EPOLLIN|EPOLLET, data={u32=7, u64=7}}) = 0");
  expect_call(calls, "epoll_wait", ARGS(4, event, 10, 0), 1,
              "epoll_wait(4, [{events=EPOLLIN|EPOLLET, data={u32=7, u64=7}}], 10, 0) = 1");
}

/* ---- i386 --------------------------------------------------------------------------------- */

static void test_i386(void **state)
{
  struct calls *calls = *state;
  uint64_t path = put_string(calls, "x");
  expect_call_i386(calls, "chown", ARGS(path, 0xffff, 7), 0, "chown(\"x\", -1, 7) = 0");
  expect_call_i386(calls, "pread64", ARGS(3, path, 1, 0xfffffffe, 0xffffffff), 1,
                   "pread64(3, \"x\", 1, -2) = 1");
  expect_call_i386(calls, "mmap2", ARGS(0, 4096, 1, 2, 3, 5), (int64_t)0xf7000000,
                   "mmap2(NULL, 4096, PROT_READ, MAP_PRIVATE, 3, 0x5000) = 0xf7000000");
  uint64_t map = put(calls, (uint32_t[]){0, 4096, 3, 0x22, UINT32_MAX, 0}, 24);
  expect_call_i386(calls, "mmap", ARGS(map), (int64_t)0xf7000000,
                   "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
                   "0xf7000000");
  expect_call_i386(calls, "clone", ARGS(0x11, 0, 0, 0, 0), 9,
                   "clone(child_stack=NULL, flags=SIGCHLD) = 9");
  expect_call_i386(calls, "write", ARGS(1, path | 0xdead00000000, 1), 1, "write(1, \"x\", 1) = 1");
}

static void test_i386_multiplexers(void **state)
{
  struct calls *calls = *state;
  uint64_t args = put(calls, (uint32_t[]){1, 2, 0}, 12);
  expect_call_i386(calls, "socketcall", ARGS(1, args), 3, "socket(AF_UNIX, SOCK_DGRAM, 0) = 3");
  expect_call_i386(calls, "socketcall", ARGS(77, args), -22,
                   "socketcall(0x4d /* SYS_??? */, 0x20000000) = -1 EINVAL (Invalid argument)");
  expect_call_i386(calls, "socketcall", ARGS(1, HOLE), -14,
                   "socketcall(SYS_SOCKET, 0x20100000) = -1 EFAULT (Bad address)");
  expect_call_i386(calls, "ipc", ARGS(2, 0, 5, 03600, 0, 0), 8,
                   "semget(IPC_PRIVATE, 5, IPC_CREAT|IPC_EXCL|0600) = 8");
  uint64_t addr = put(calls, (uint32_t[]){0xf7001000}, 4);
  expect_call_i386(calls, "ipc", ARGS(21, 8, 010000, addr, 0, 0), 0,
                   "shmat(8, NULL, SHM_RDONLY) = 0xf7001000");
}

/* ---- Capture ------------------------------------------------------------------------------ */

/* What was there before the call is what the line says after it, though the memory is other. */
static void test_captured_line(void **state)
{
  struct calls *calls = *state;
  uint64_t path = put_string(calls, "/bin/ls");
  uint64_t args = put(calls, (uint64_t[]){put_string(calls, "ls"), 0}, 16);
  enter(calls, LT_ABI_X86_64, "execve", ARGS(path, args, args));
  assert_int_equal(lt_call_capture(&calls->tracee->thread), 0);
  assert_int_equal(lt_call_capture(&calls->tracee->thread), 0);
  memset(calls->pool, 0xee, POOL_SIZE);
  leave(calls, 0);
  assert_string_equal(line(calls), "execve(\"/bin/ls\", [\"ls\"], 0x20000020 /* 1 var */) = 0");
}

static void test_captured_struct(void **state)
{
  struct calls *calls = *state;
  uint64_t in = put(calls, "\2\0\0\x50\x7f\0\0\1\0\0\0\0\0\0\0\0", 16);
  uint64_t length = put(calls, &(uint32_t){16}, 4);
  enter(calls, LT_ABI_X86_64, "getsockname", ARGS(3, in, length));
  assert_int_equal(lt_call_capture(&calls->tracee->thread), 0);
  *(uint32_t *)(void *)(calls->pool + 16) = 2;
  leave(calls, 0);
  assert_string_equal(line(calls), "getsockname(3, {sa_family=AF_INET}, [16 => 2]) = 0");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_paths),         TEST(test_path_before_a_hole),
      TEST(test_buffers),       TEST(test_arrays_of_strings),
      TEST(test_results),       TEST(test_unknown_calls),
      TEST(test_length),        TEST(test_numbers),
      TEST(test_futex),         TEST(test_stat),
      TEST(test_times),         TEST(test_signals),
      TEST(test_waiting),       TEST(test_sockets),
      TEST(test_messages),      TEST(test_waiting_for_descriptors),
      TEST(test_i386),          TEST(test_i386_multiplexers),
      TEST(test_captured_line), TEST(test_captured_struct),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
