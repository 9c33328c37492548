-- Calls that nobody asked for, beside one subscription and beside a hundred.
local bench = ...

local calls = bench.counted("calls", " getuid")

local hundred = {}
for i, name in ipairs { "mount", "umount2", "swapon", "swapoff", "reboot", "sethostname",
  "setdomainname", "init_module", "delete_module", "quotactl", "setxattr", "lsetxattr", "fsetxattr",
  "getxattr", "lgetxattr", "fgetxattr", "listxattr", "llistxattr", "flistxattr", "removexattr",
  "lremovexattr", "fremovexattr", "io_setup", "io_destroy", "io_getevents", "io_submit",
  "io_cancel",
  "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete",
  "clock_settime", "mbind", "set_mempolicy", "get_mempolicy", "mq_open", "mq_unlink",
  "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr", "kexec_load", "add_key",
  "request_key", "keyctl", "ioprio_set", "ioprio_get", "inotify_init", "inotify_add_watch",
  "inotify_rm_watch", "migrate_pages", "mkdirat", "mknodat", "fchownat", "futimesat", "unlinkat",
  "renameat", "linkat", "symlinkat", "fchmodat", "pselect6", "ppoll", "unshare", "splice", "tee",
  "sync_file_range", "vmsplice", "move_pages", "utimensat", "epoll_pwait", "signalfd",
  "timerfd_create", "eventfd", "fallocate", "timerfd_settime", "timerfd_gettime", "accept4",
  "signalfd4", "eventfd2", "epoll_create1", "dup3", "pipe2", "inotify_init1", "preadv", "pwritev",
  "rt_tgsigqueueinfo", "perf_event_open", "recvmmsg", "fanotify_init", "fanotify_mark",
  "name_to_handle_at", "open_by_handle_at", "clock_adjtime", "syncfs", "sendmmsg", "setns",
  "process_vm_readv", "process_vm_writev", "kcmp" } do
  hundred[i] = ("%q"):format(name)
end
local many = ("on_syscall({ %s }, function() end)"):format(table.concat(hundred, ", "))

return {
  title = "5,000,000 getuid calls that nobody asked for",
  events = 5000000,
  base = "filter",
  rows = {
    { id = "native", text = "untraced", command = calls("") },
    { id = "filter", text = "bare one-rule filter, no tracer",
      command = calls(bench.program("filtered 110 ")) },
    { id = "one", text = "luatrace, one subscription",
      command = calls(bench.luatrace('on_syscall("getppid", function() end)')) },
    { id = "hundred", text = "luatrace, 100 subscriptions", command = calls(bench.luatrace(many)) },
    { id = "bpf", text = "strace -f --seccomp-bpf", needs = { "strace" },
      command = calls("strace -f --seccomp-bpf -e trace=getppid -o /dev/null ") },
  },
  targets = {
    { "one", "filter", most = 1.03 },
    { "hundred", "filter", most = 1.05 },
    { "one", "bpf", most = 1 },
  },
}
