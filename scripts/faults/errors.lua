-- Which errors are plausible for which calls. A call has those of the first row that it is in.
-- After those with a question mark a good program tries again, or does it in another way.

local rows = {
  -- Failing here says nothing about the program: it ends, or it cannot fail.
  { { "exit", "exit_group", "rt_sigreturn", "sigreturn", "restart_syscall", "%pure", "arch_prctl",
      "set_thread_area", "set_tid_address", "set_robust_list", "rseq", "futex*", "sched_yield",
      "rt_sigprocmask", "rt_sigaction", "brk", "munmap", "mprotect" } },
  { { "open", "openat", "openat2", "creat" }, "EACCES", "EMFILE", "ENOSPC" },
  { { "read", "pread64", "readv", "preadv*" }, "EIO", "EINTR?" },
  { { "write", "pwrite64", "writev", "pwritev*" }, "ENOSPC", "EIO", "EINTR?" },
  { { "sendfile*", "copy_file_range", "splice", "tee" }, "EIO", "EINVAL?" },
  { { "fallocate", "truncate*", "ftruncate*", "link", "linkat", "symlink*", "mkdir*", "mknod*",
      "rename*" }, "ENOSPC", "EACCES" },
  { { "close", "fsync", "fdatasync", "sync_file_range*", "msync", "syncfs" }, "EIO" },
  { { "getdents*", "lseek", "_llseek", "ioctl", "fcntl*" }, "EIO", "EINVAL" },
  { { "flock" }, "EWOULDBLOCK?", "EINTR?" },
  { { "fork", "vfork", "clone", "clone3" }, "EAGAIN", "ENOMEM" },
  { { "execve", "execveat" }, "EACCES", "ENOENT", "ENOMEM" },
  { { "wait4", "waitpid", "waitid", "*poll*", "*select*", "pause", "*nanosleep*", "rt_sigsuspend",
      "*sigtimedwait*" }, "EINTR?" },
  { { "pipe*", "dup*", "eventfd*", "epoll_create*", "timerfd_create", "inotify_init*" }, "EMFILE" },
  { { "socket", "socketpair" }, "EMFILE", "EAFNOSUPPORT" },
  { { "connect" }, "ECONNREFUSED", "ETIMEDOUT", "EINTR?" },
  { { "accept*" }, "EMFILE", "ECONNABORTED", "EINTR?" },
  { { "send*", "recv*" }, "ECONNRESET", "EINTR?" },
  { { "bind", "listen" }, "EADDRINUSE" },
  { { "getrandom" }, "ENOSYS?", "EINTR?" },
  { { "%file" }, "EACCES", "ENOENT" },
  { { "%memory" }, "ENOMEM" },
  { { "%creds" }, "EPERM" },
  { { "%desc" }, "EIO" },
}

local errors, by_name = {}, {}

for _, row in ipairs(rows) do
  for _, name in ipairs(luatrace.syscalls(row[1])) do
    by_name[name] = by_name[name] or row
  end
end

-- Calls visit(error, soft) for each plausible error of the call `name`, often none.
function errors.each(name, visit)
  local row = by_name[name] or {}
  for i = 2, #row do
    local error = row[i]:match("^%u+%d*")
    visit(error, error ~= row[i])
  end
end

return errors
