-- sandbox: a program may use these files and addresses; everything else is refused and reported.
--
--   luatrace sandbox -r /usr:/etc/ld.so.cache -w /tmp/work -n 127.0.0.1:8080 -- ./program
--
-- Paths are followed first (links, "..", descriptors of directories). What was checked is what the
-- kernel gets: a copy that the program has no pointer to. It is for programs that are careless or
-- curious; what one that fights back can do is in docs/scripting.md, Security.

local opts = args {
  usage = "[-r PATHS] [-w PATHS] [-n ADDRESSES] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Run a program that may use these files and addresses only.",
  { "r", "read", "PATHS", "what may be read; without it the system's programs and libraries" },
  { "w", "write", "PATHS", "what may be read, written and made" },
  { "n", "net", "ADDRESSES", "where it may connect or listen: 127.0.0.1:80,[::1]:*,unix:/run/x" },
  { "o", "output", "FILE", "write refusals to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local SYSTEM = "/usr:/lib:/lib32:/lib64:/bin:/sbin:/etc/ld.so.cache:/etc/ld.so.preload:"
  .. "/etc/locale.alias:/dev/urandom"
local policy, checks, told = {}, {}, {}

function policy.refuse(t, call, what, error)
  local line = ("refused: %s %s\n"):format(call.name, luatrace.escape(what))
  if not told[line] then out:write(("%7d %s"):format(t.pid, line)) end
  told[line] = true
  call:fail(error or "EACCES")
end

-- The set of the words between separators, as `change` has them.
local function set(text, separator, change)
  local found = {}
  for word in (text or ""):gmatch("[^" .. separator .. "]+") do found[change(word)] = true end
  return found
end

on_start(function(p)
  local function real(path) return p:threads()[1]:resolve(path) or path end
  policy.may_read = policy.may_read or set(opts.read or SYSTEM, ":", real)
  policy.may_write = policy.may_write or set((opts.write or "") .. ":/dev/null", ":", real)
end)

require("sandbox.paths").add(checks, policy)
require("sandbox.calls").add(checks, policy, set(opts.net, ",", tostring))

-- Every call is looked at: one that luatrace does not know could be anything.
on_syscall(function(t, call)
  if not policy.may_read then return end -- this is luatrace, about to run the program
  local check = checks[call.name]
  if check then check(t, call) elseif call.name:find("^syscall_") then call:fail("ENOSYS") end
end)
