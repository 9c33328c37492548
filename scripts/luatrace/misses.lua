-- Silent misses: a handler that never ran is named at the end, with the calls that may have done
-- the work in the place of the one that it waited for.

local core = require "luatrace.core"
local hooks = require "luatrace.hooks"
local lazy = require "luatrace.lazy"

local aggregates, watchpoints = lazy.aggregates, lazy.watchpoints

local misses = {}

-- Calls that do the same: libraries use one where another was expected.
local families = {
  { "open", "openat", "openat2", "creat" },
  { "stat", "newfstatat", "statx", "stat64", "fstatat64", "oldstat" },
  { "lstat", "newfstatat", "statx", "lstat64", "fstatat64", "oldlstat" },
  { "fstat", "newfstatat", "statx", "fstat64", "oldfstat" },
  { "nanosleep", "clock_nanosleep", "clock_nanosleep_time64" },
  { "fork", "vfork", "clone", "clone3" },
  { "execve", "execveat" },
  { "select", "_newselect", "pselect6", "pselect6_time64" },
  { "poll", "ppoll", "ppoll_time64" },
  { "epoll_wait", "epoll_pwait", "epoll_pwait2" },
  { "epoll_create", "epoll_create1" },
  { "getdents", "getdents64" },
  { "access", "faccessat", "faccessat2" },
  { "unlink", "unlinkat" },
  { "rename", "renameat", "renameat2" },
  { "mkdir", "mkdirat" }, { "mknod", "mknodat" },
  { "readlink", "readlinkat" },
  { "chmod", "fchmodat", "fchmodat2" }, { "chown", "fchownat" },
  { "link", "linkat" }, { "symlink", "symlinkat" },
  { "utime", "utimes", "futimesat", "utimensat" },
  { "dup2", "dup3" }, { "pipe", "pipe2" },
  { "accept", "accept4" }, { "eventfd", "eventfd2" }, { "signalfd", "signalfd4" },
  { "inotify_init", "inotify_init1" },
  { "wait4", "waitid", "waitpid" },
  { "exit", "exit_group" },
  { "mmap", "mmap2" },
  { "signal", "sigaction", "rt_sigaction" },
  { "sigprocmask", "rt_sigprocmask" },
  { "lseek", "_llseek" }, { "fcntl", "fcntl64" }, { "truncate", "truncate64" },
  { "ftruncate", "ftruncate64" }, { "statfs", "statfs64" }, { "fstatfs", "fstatfs64" },
  { "futex", "futex_time64" },
  { "time", "gettimeofday", "clock_gettime", "clock_gettime64" },
}

-- Calls that other ones replace, but that are not what the others are replaced by.
local replaced_by = {
  send = { "sendto", "sendmsg", "write" },
  recv = { "recvfrom", "recvmsg", "read" },
  read = { "readv", "pread64", "recvfrom" },
  write = { "writev", "pwrite64", "sendto" },
  kill = { "tgkill", "tkill" },
  rmdir = { "unlinkat" },
  lchown = { "fchownat" },
  setrlimit = { "prlimit64" },
  getrlimit = { "prlimit64", "ugetrlimit" },
  sendfile = { "copy_file_range", "splice", "sendfile64" },
}

-- Answered in the program itself, without entering the kernel.
local in_vdso = { time = true, gettimeofday = true, clock_gettime = true, clock_getres = true,
  getcpu = true, clock_gettime64 = true }

local function is_member(family, name)
  for _, one in ipairs(family) do
    if one == name then return true end
  end
  return false
end

local function siblings_of(name)
  local siblings, seen = {}, { [name] = true }
  local function add(list)
    for _, one in ipairs(list) do
      if not seen[one] then
        seen[one] = true
        siblings[#siblings + 1] = one
      end
    end
  end
  for _, family in ipairs(families) do
    if is_member(family, name) then add(family) end
  end
  add(replaced_by[name] or {})
  return siblings
end

-- "clock_nanosleep (12 times)", of those that were seen.
local function used_instead(siblings, counts)
  local used = {}
  for _, one in ipairs(siblings) do
    local n = counts[one]
    if n then used[#used + 1] = ("%s (%d time%s)"):format(one, n, n == 1 and "" or "s") end
  end
  return used
end

-- Only those that this machine's first ABI has: the others are no advice.
local function worth_a_look(siblings)
  local list = {}
  for _, one in ipairs(siblings) do
    if core.syscall_number(0, one) then list[#list + 1] = one end
  end
  return list
end

local function explain(name, counts)
  if in_vdso[name] then return "the vdso answers it without a system call" end
  local siblings = siblings_of(name)
  local used = used_instead(siblings, counts)
  if used[1] then return "this program used " .. table.concat(used, ", ") end
  local others = worth_a_look(siblings)
  if others[1] then return "the program may use " .. table.concat(others, ", ") .. " instead" end
end

local function report(selection, counts)
  local line
  if selection.predicated then -- calls with other arguments were not seen
    line = selection.label .. " was never called with the wanted arguments"
  else
    local why = selection.single and explain(selection.names[1], counts)
    line = selection.label .. " was never called" .. (why and "; " .. why or "")
  end
  core.warn(line)
end

-- Tell about the handlers that never ran.
function misses.report()
  watchpoints.misses()
  local counts, told = hooks.call_counts(), {}
  for _, handler in ipairs(hooks.handlers("syscall")) do
    local label = handler.selection.label
    local ours = tostring(handler.owner):find("^luatrace%.") -- of emulate.file
    if handler.count == 0 and not handler.selection.all and not told[label] and not ours then
      told[label] = true
      report(handler.selection, counts)
    end
  end
  aggregates.misses(function(selection)
    if not selection.all and not told[selection.label] then
      told[selection.label] = true
      report(selection, counts)
    end
  end)
end

return misses
