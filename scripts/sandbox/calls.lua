-- What the sandbox does with calls that name no path: addresses are checked, and what would lead
-- around the checks is refused.

local band = luatrace.bit.band
local calls = {}

-- "10.0.0.1:*" allows every port, "*" everything.
local function is_allowed(allowed, address)
  return allowed["*"] or allowed[address] or allowed[address:gsub(":%d+$", ":*")]
end

-- The checks of calls with addresses, by name. What was checked is what the kernel gets.
local function add_addresses(checks, policy, allowed)
  local function check(t, call)
    local address, bytes, error = call:address()
    if error then return call:fail(error) end
    if not address then return end -- the socket is connected
    if address ~= "family 0" and not is_allowed(allowed, address) then
      return policy.refuse(t, call, address)
    end
    call.args.addr = bytes
  end
  checks.connect, checks.bind, checks.sendto = check, check, check

  -- A header has more pointers than could be checked here: without an address it is copied.
  function checks.sendmsg(t, call)
    local address, _, error = call:address()
    if address and not allowed["*"] then return policy.refuse(t, call, address) end
    local header = t.mem:read(call.args.msg, call.abi == "i386" and 28 or 56)
    if error or not header then return call:fail("EFAULT") end
    if not allowed["*"] then
      call.args.msg = ("\0"):rep(call.abi == "i386" and 8 or 16)
        .. header:sub(call.abi == "i386" and 9 or 17)
    end
  end

  -- One message is sent, which is a result that programs must expect.
  function checks.sendmmsg(t, call)
    if allowed["*"] then return end
    local vector, flags, abi = call.args.mmsg, call.args.flags, call.abi
    local size = abi == "i386" and 28 or 56
    local address = call:address()
    if address then return policy.refuse(t, call, address) end
    local header = t.mem:read(vector, size)
    if not header or #header < size then return call:fail("EFAULT") end
    call:become("sendmsg", { call.args.fd, ("\0"):rep(abi == "i386" and 8 or 16)
      .. header:sub(abi == "i386" and 9 or 17), flags })
    local sent = call:leave()
    if not sent then return end
    t.mem:u32(vector + size, sent)
    call.ret = 1
  end

  function checks.socketcall(t, call) -- the old way in for 32-bit programs; they know the new one
    local op = call.args.call
    if op == 2 or op == 3 or op == 11 or op == 16 or op == 20 then
      policy.refuse(t, call, "an address in memory", "ENOSYS")
    end
  end
end

-- Files without paths, other programs' memory, other views of the file system, calls whose paths
-- are in memory that cannot be handed over.
local around = { "io_uring_*", "ptrace", "process_vm_*", "process_madvise", "pidfd_getfd",
  "open_by_handle_at", "name_to_handle_at", "userfaultfd", "bpf", "perf_event_open", "chroot",
  "pivot_root", "*mount*", "fsopen", "fsconfig", "fspick", "open_tree*", "unshare", "setns",
  "swapon", "swapoff", "quotactl*", "*kexec*", "*_module", "acct", "reboot", "uselib",
  "fanotify_*", "_sysctl" }

-- The C library does without these.
local missing = { "openat2", "clone3" }

-- Whoever can make the node of a disk can write to it.
local function add_devices(checks, policy)
  local S_IFMT, S_IFCHR, S_IFBLK = 0xf000, 0x2000, 0x6000
  for _, name in ipairs { "mknod", "mknodat" } do
    local check_paths = checks[name]
    checks[name] = function(t, call)
      local kind = band(call.args.mode, S_IFMT)
      if kind == S_IFCHR or kind == S_IFBLK then
        return policy.refuse(t, call, "a device", "EPERM")
      end
      check_paths(t, call)
    end
  end
end

-- Adds to `checks`, which has those of paths already.
function calls.add(checks, policy, allowed)
  add_addresses(checks, policy, allowed)
  add_devices(checks, policy)
  for _, name in ipairs(luatrace.syscalls(around)) do
    checks[name] = function(t, call) policy.refuse(t, call, "not in a sandbox", "EPERM") end
  end
  for _, name in ipairs(missing) do
    checks[name] = function(_, call) call:fail("ENOSYS") end
  end
  function checks.clone(_, call)
    local CLONE_UNTRACED, flags = 0x800000, call.args.clone_flags
    if band(flags, CLONE_UNTRACED) ~= 0 then call.args.clone_flags = flags - CLONE_UNTRACED end
  end
end

return calls
