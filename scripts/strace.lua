-- strace: every system call on a line, with signals and ends in between, as strace -f prints it.
--
--   luatrace strace -T -e openat,%network curl -s example.org
--
-- A line that another thread interrupts ends in "<unfinished ...>" and is resumed further down.

local opts = args {
  usage = "[-tT] [-e CALLS] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Print every system call, signal and end of a program and its children.",
  { "e", "trace", "CALLS", "only these: names, globs and %classes with commas between" },
  { "o", "output", "FILE", "write to FILE; each line begins with a thread id" },
  { "t", "time", nil, "begin lines with the time of day" },
  { "T", "spent", nil, "end lines with the seconds that the call took" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local log = luatrace.call_log(out, { tids = opts.output ~= nil, live = opts.output == nil,
  time = opts.time, spent = opts.spent })

local names = {}
for name in (opts.trace or ""):gsub("^trace=", ""):gmatch("[^,]+") do names[#names + 1] = name end
on_syscall(opts.trace and names or true, log)
on_signal(function(t, sig) log:line(t, "--- " .. tostring(sig) .. " ---") end)
on_thread_exit(function(t, status)
  log:lost(t)
  log:line(t, "+++ " .. tostring(status) .. " +++")
end)
on_end(function() log:close() end)
