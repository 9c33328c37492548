-- locks: who waits for whom in the locks of a program's threads; deadlocks while they are there.
--
--   luatrace locks ./server
--
-- Mutexes, read-write locks and condition variables of pthreads are seen, and what is made of them:
-- std::mutex, mtx_lock. A lock counts as contended if somebody else had it when it was wanted.
-- Times include what tracing costs: compare them with one another, not with the clock.

local functions = require "locks.functions"
local report = require "locks.report"
local state = require "locks.state"
local opts = args {
  usage = "[-n N] [-e SECONDS] [-S SIGNAL] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Report deadlocks, and how long locks are waited for and held.",
  { "n", "top", "N", "so many locks in the summary (10)" },
  { "e", "every", "SECONDS", "how often to look for deadlocks (1)" },
  { "S", "signal", "SIGNAL", "report who waits when this comes, which the program does not get" },
  { "o", "output", "FILE", "write reports to FILE" },
}
report.out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
report.top = tonumber(opts.top or 10) or luatrace.mistake("--top is a number")
local seconds = tonumber(opts.every or 1)
if not seconds or seconds <= 0 then luatrace.mistake("--every is a number of seconds") end
local processes = {} -- by process

local function process_of(p)
  local process = processes[p]
  if not process then
    process = state.new(p, p.kind == "attached")
    processes[p] = process
  end
  return process
end

local names = {}
for name in pairs(functions) do names[#names + 1] = name end
table.sort(names)
on_break(names, function(t, f)
  -- A lock that a function above takes on its way is part of what that waits for.
  if not state.waits[t] then functions[f.name](t, f, process_of(t.process)) end
end)

every(seconds, report.deadlocks)

on_start(process_of)
on_exec(function(t)
  local process = processes[t.process]
  processes[t.process], state.waits[t] = nil, nil
  if process then report.summary(process) end
end)
on_thread_exit(function(t) state.waits[t] = nil end)
on_exit(function(p)
  if processes[p] then report.summary(processes[p]) end
  processes[p] = nil
end)
on_end(function()
  for _, process in pairs(processes) do report.summary(process) end
end)
if opts.signal then
  on_signal(opts.signal, function(_, sig)
    sig:suppress()
    report.waiting()
  end)
end
