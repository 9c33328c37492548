-- dryrun: what a program would do to files, without doing it.
--
--   luatrace dryrun -- rm -rf build
--
-- Calls that remove, rename, make or change files are reported and not made; the program is told
-- that they succeeded. Where it opens a file for writing, it gets /dev/null. So it may be surprised
-- when it looks for what it believes to have made, and what it does from there on may differ. What
-- is in /dev, and descriptors that were open before (standard output), can be written.

local opts = args {
  usage = "[-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Report what a program would do to files, and do none of it.",
  { "o", "output", "FILE", "write to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local band = luatrace.bit.band
local hooks = {}

-- Report it with the files' names, links in their directories followed.
local function report(t, call, what)
  local names = {}
  for i, path in ipairs(call:paths()) do
    local name = t:resolve(path.text, path.dirfd, path.follow) or path.text or "?"
    names[i] = luatrace.escape(name)
  end
  if not names[1] then -- a call with a descriptor: 0 to 2 are known by these names, too
    local name = t:resolve(("/proc/self/fd/%d"):format(call.args[1]))
    if name == "/dev/null" then return end -- this was reported when it was opened
    names[1] = luatrace.escape(name or "?")
  end
  out:write(("%7d would %s %s\n"):format(t.pid, what, table.concat(names, " ")))
end

local changes = {
  { "remove", "unlink", "unlinkat", "rmdir" },
  { "rename", "rename*" },
  { "make", "mkdir*", "mknod*", "link", "linkat", "symlink*" },
  { "change the mode of", "*chmod*" },
  { "change the owner of", "*chown*" },
  { "change the times of", "utime", "utimes", "futimesat", "utimensat*" },
  { "change the size of", "truncate*", "ftruncate*", "fallocate" },
  { "change attributes of", "*setxattr*", "*removexattr*", "file_setattr" },
  { "mount or unmount", "mount", "umount*", "move_mount", "pivot_root", "swapon", "swapoff" },
}
for _, change in ipairs(changes) do
  local what = table.remove(change, 1)
  hooks[#hooks + 1] = on_syscall(change, function(t, call)
    report(t, call, what)
    call:skip(0)
  end)
end

-- ---- Opening for writing -----------------------------------------------------------------------

local O_CREAT, O_TRUNC, KEEP = 0x40, 0x200, 0x80c03 -- access mode, O_APPEND, O_NONBLOCK, O_CLOEXEC

local function open_flags(t, call)
  if call.name == "creat" then return O_CREAT + 1 end
  if call.name == "openat2" then return t.mem:u64(call.args.how) or 0 end
  return call.args.flags
end

hooks[#hooks + 1] = on_syscall({ "open", "openat", "openat2", "creat" }, function(t, call)
  local flags, path = open_flags(t, call), call:paths()[1]
  if band(flags, 3 + O_CREAT + O_TRUNC) == 0 or not path then return end
  local name = t:resolve(path.text, path.dirfd, false) -- /dev/stderr is a link to something open
  if name and name:find("^/dev/") and not name:find("^/dev/shm/") then return end
  report(t, call, "write")
  call:become("open", { "/dev/null", band(flags, KEEP) })
end)

on_end(function() -- what was never called is no surprise here
  for _, hook in ipairs(hooks) do hook:remove() end
end)
