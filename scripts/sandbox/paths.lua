-- What the sandbox does with calls that name paths, or that change the file of a descriptor.

local paths = {}

-- Whether the path, or a directory that it is in, is one of these.
local function is_below(path, roots)
  while path ~= "" and not roots[path] do path = path:match("^(.*)/") end
  return path ~= "" or roots["/"]
end

local writers = {}
for _, name in ipairs(luatrace.syscalls { "unlink*", "rmdir", "rename*", "mkdir*", "mknod*", "link",
  "linkat", "symlink*", "*chmod*", "*chown*", "utime", "utimes", "*utimesat", "utimensat*",
  "truncate*", "*setxattr*", "*removexattr*", "file_setattr", "creat" }) do
  writers[name] = true
end

local function writes(call)
  if call.name ~= "open" and call.name ~= "openat" then return writers[call.name] end
  return luatrace.bit.band(call.args.flags, 0x243) ~= 0 -- for writing, O_CREAT, O_TRUNC
end

-- Returns the path to hand to the kernel, or nil if the call was refused. Descriptors of things
-- that have no name can be opened again, as /dev/stdin does.
local function check(t, call, policy, text, dirfd, follow)
  local real, _, error = t:resolve(text, dirfd, follow)
  if not real then return call:fail(error) end
  local own = real:find(("^/proc/%d/fd/%%d+$"):format(t.pid))
  local allowed = is_below(real, policy.may_write)
    or not writes(call) and is_below(real, policy.may_read)
  if own or allowed then
    return real .. (text:match("[^/](/)$") or "")
  end
  policy.refuse(t, call, real)
end

local function check_all(t, call, policy)
  local list = call:paths()
  for _, path in ipairs(list) do
    local real = ""
    if path.text ~= "" then
      real = check(t, call, policy, path.text, path.dirfd, path.follow)
    elseif writes(call) then -- a descriptor, that may be open for reading only
      real = check(t, call, policy, ("/proc/self/fd/%d"):format(path.dirfd)) and ""
    end
    if not real then return end
    call.args[path.name] = real
  end
  if not list[1] and writes(call) then -- chmod of a descriptor, and the like
    check(t, call, policy, ("/proc/self/fd/%d"):format(call.args[1]))
  end
end

-- policy: may_read and may_write, sets of paths, and refuse(t, call, what).
function paths.add(checks, policy)
  local function check_call(t, call) check_all(t, call, policy) end
  for _, name in ipairs(luatrace.syscalls "%file") do checks[name] = check_call end
  for name in pairs(writers) do checks[name] = check_call end
end

return paths
