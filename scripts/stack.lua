-- stack: what each thread of a running process is doing.
--
--   luatrace stack -p 1234
--
-- The threads are stopped together for as long as it takes to look at their stacks, and run on as
-- before. A line ends with the source file where there is debug information.

local opts = args {
  usage = "-p PID [OPTION...]",
  about = "Print the stack of each thread of a running process.",
  { "p", "pid", "PID", "the process" },
  { "n", "limit", "N", "at most N frames of each thread (256)" },
  { "o", "output", "FILE", "write to FILE" },
}
local pid = tonumber(opts.pid or "")
if not pid or pid % 1 ~= 0 or pid < 1 then
  luatrace.mistake("it needs the number of a process: -p PID")
end
local limit = tonumber(opts.limit or 256)
if not limit or limit % 1 ~= 0 or limit < 1 or limit > 65536 then
  luatrace.mistake("-n is a number of frames from 1 to 65536")
end
local out = opts.output and assert(io.open(opts.output, "w")) or io.stdout

local p, message = attach(pid)
if not p then luatrace.mistake((message:gsub("^%u+: ", ""))) end

out:write(("process %d (%s)\n"):format(p.pid, luatrace.escape(p.name or "?")))
for _, one in ipairs(p:backtraces { limit = limit }) do
  local t = one.thread
  out:write(("\nthread %d (%s)\n"):format(t.tid, luatrace.escape(t.name or "?")))
  out:write(tostring(one.frames or one.message), "\n")
end
p:detach()
