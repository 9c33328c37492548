-- flame: stacks as flame graphs want them.
--
--   luatrace flame -o out.folded -- ./prog && flamegraph.pl out.folded > out.svg
--   luatrace flame --at openat -- make
--   luatrace -p 1234 flame --seconds 10 -o out.folded
--
-- By the clock: as often as --rate says, the threads that run are stopped, looked at, and let run
-- on. With --at: each time that a system call or a function is entered. Each line has the functions
-- from the outermost to the innermost with ";" between, and how often they were seen; speedscope
-- and flamegraph.pl read that.

local opts = args {
  usage = "[OPTION...] [--] PROGRAM [ARGUMENT...]",
  about = "Count the stacks of a program, for flame graphs.",
  { "r", "rate", "N", "look N times a second (99)" },
  { "w", "waiting", nil, "count threads that wait as well" },
  { "a", "at", "WHERE", "at system calls or functions, with commas between" },
  { "s", "seconds", "N", "let the program go after N seconds" },
  { "t", "threads", nil, "begin each stack with the name of the thread" },
  { "n", "limit", "N", "at most N frames (1024)" },
  { "o", "output", "FILE", "write to FILE" },
}

local function number(name, default, most)
  local value = tonumber(opts[name] or default)
  if value and not (value > 0 and value <= most) or opts[name] and not value then
    luatrace.mistake(("--%s is a number above 0, at most %d"):format(name, most))
  end
  return value
end

local rate, seconds = number("rate", 99, 10000), number("seconds", nil, 1e9)
local limit = math.floor(number("limit", 1024, 65536))
local out = opts.output and assert(io.open(opts.output, "w")) or io.stdout
local counts = {}

-- ---- Counting ------------------------------------------------------------------------------

-- ";" and spaces have a meaning in the format.
local function word(text)
  return (luatrace.escape(text):gsub("[;%s]", "_"))
end

local function function_of(frame)
  if frame.name then return word(frame.name) .. (frame.inlined and "_[i]" or "") end
  return frame.module and word("[" .. frame.module .. "]") or "[unknown]"
end

local function count(t, stack)
  local names = { opts.threads and word(t.name or "?") or word(t.process.name or "?") }
  if stack.incomplete then names[#names + 1] = "[incomplete]" end
  for i = #stack, 1, -1 do names[#names + 1] = function_of(stack[i]) end
  local folded = table.concat(names, ";")
  counts[folded] = (counts[folded] or 0) + 1
end

on_end(function()
  local folded = {}
  for stack in pairs(counts) do folded[#folded + 1] = stack end
  table.sort(folded)
  for _, stack in ipairs(folded) do out:write(stack, " ", counts[stack], "\n") end
end)

-- ---- When ----------------------------------------------------------------------------------

-- A thread runs or would, as /proc says.
local function runs(t)
  local file = io.open(("/proc/%d/task/%d/stat"):format(t.pid, t.tid))
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text:match("^.*%) (%a)") == "R"
end

-- fn(...), or nil where a thread or process has ended meanwhile.
local function unless_gone(fn, ...)
  local ok, result = pcall(fn, ...)
  if not ok and not luatrace.is_gone(result) then error(result, 0) end
  return ok and result or nil
end

local function sample(p)
  local busy = {}
  for _, t in ipairs(p:threads()) do
    if opts.waiting or runs(t) then busy[#busy + 1] = t end
  end
  if #busy == 0 then return end
  p:freeze(function()
    for _, t in ipairs(busy) do
      local stack = unless_gone(t.backtrace, t, { limit = limit })
      if stack then count(t, stack) end
    end
  end)
end

local processes = {}
on_start(function(p) processes[p.pid] = p end)
on_clone(function(_, child) processes[child.pid] = child.process end)
on_exit(function(p) processes[p.pid] = nil end)

if opts.at then
  local function hit(t)
    local stack = t:backtrace { limit = limit }
    if stack then count(t, stack) end
  end
  for where in opts.at:gmatch("[^,]+") do
    if pcall(luatrace.syscalls, where) then
      on_syscall(where, hit)
    else
      on_break(where, hit)
    end
  end
else
  every(1 / rate, function()
    for _, p in pairs(processes) do
      if p.alive then unless_gone(sample, p) end
    end
  end)
end

if seconds then
  after(seconds, function()
    for _, p in pairs(processes) do
      if p.alive then p:detach() end
    end
  end)
end
