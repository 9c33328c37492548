-- opens: every file that is opened, by whom, and what came of it.
--
--   luatrace opens --failed -- git status
--
-- Each line has the pid and the name of the process, the descriptor or the error, and the path as
-- the program gave it. A path below an open directory is written "<3>/path", 3 being the directory.

local opts = args {
  usage = "[-f] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Print the files that a program and its children open.",
  { "f", "failed", nil, "only what could not be opened" },
  { "o", "output", "FILE", "write to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr

local function path(call)
  local name = call.args.filename
  if type(name) ~= "string" then return "(not a readable address)" end
  local below = call.name:find("at") and call.args.dfd or -1 -- open and creat have no dfd
  if below >= 0 and name:sub(1, 1) ~= "/" then name = "<" .. below .. ">/" .. name end
  return luatrace.escape(name)
end

on_syscall({ "open", "creat", "openat", "openat2" }, function(t, call)
  local fd, _, err = call:leave()
  if fd and opts.failed then return end
  local by = luatrace.escape(t.process.name)
  out:write(("%7d %-15s %8s  %s\n"):format(t.pid, by, fd or err, path(call)))
end)
