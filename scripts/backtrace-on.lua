-- backtrace-on: the stack at a system call, a signal or a crash.
--
--   luatrace backtrace-on 'openat,unlink*' -- make
--   luatrace backtrace-on --signal SIGTERM -- ./server
--   luatrace backtrace-on --crash -- ./prog
--
-- System calls are given as names, globs and %classes with commas between. A crash is a signal that
-- ends the program with a core dump, unless it has a handler for it.

local opts = args {
  usage = "[OPTION...] [CALLS] -- PROGRAM [ARGUMENT...]",
  about = "Print the stack of the thread that makes a system call, gets a signal or crashes.",
  parameters = true,
  { "s", "signal", "NAMES", "at these signals, with commas between" },
  { "c", "crash", nil, "where the program crashes" },
  { "n", "limit", "N", "at most N frames (256)" },
  { "f", "first", nil, "only the first time" },
  { "o", "output", "FILE", "write to FILE" },
}
local limit = tonumber(opts.limit or 256)
if not limit or limit % 1 ~= 0 or limit < 1 or limit > 65536 then
  luatrace.mistake("-n is a number of frames from 1 to 65536")
end
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local done

local function words(text)
  local list = {}
  for word in (text or ""):gmatch("[^,]+") do list[#list + 1] = word end
  return list
end

local function show(t, why)
  if done then return end
  done = opts.first
  local stack, message = t:backtrace { limit = limit }
  out:write(("%d (%s) %s\n"):format(t.tid, luatrace.escape(t.name or "?"), tostring(why)),
    tostring(stack or message), "\n\n")
end

local calls, signals = words(opts[1]), words(opts.signal)
if #calls == 0 and #signals == 0 and not opts.crash then
  luatrace.mistake("it needs system calls, --signal or --crash")
end
if #calls > 0 then on_syscall(calls, show) end
if #signals > 0 then on_signal(signals, show) end

-- Whether the program has a handler: bit n - 1 of a number in hexadecimal.
local function is_caught(t, sig)
  local caught = "0"
  for line in io.lines(("/proc/%d/task/%d/status"):format(t.pid, t.tid)) do
    caught = line:match("^SigCgt:%s*(%x+)") or caught
  end
  local bit = luatrace.bit.lshift(1, sig.number - 1)
  return luatrace.bit.band(tonumber(caught:sub(-8), 16), bit) ~= 0
end

if opts.crash then
  on_signal({ "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGXCPU",
    "SIGXFSZ", "SIGSYS" }, function(t, sig)
    if not is_caught(t, sig) then show(t, sig) end
  end)
end
