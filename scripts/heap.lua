-- heap: what a program allocates and does not free, with the places in the program.
--
--   luatrace heap --top 5 ./server
--
-- Seen are the calls of malloc and its kin, whoever makes them: strdup, new in C++. Memory that is
-- still reachable at the end counts as not freed, too. Frees of what was never allocated, or was
-- freed before, are reported as they happen, unless the C library does it itself.

local blocks = require "heap.blocks"
local functions = require "heap.functions"
local report = require "heap.report"
local opts = args {
  usage = "[-n N] [-s N] [-e SECONDS] [-S SIGNAL] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Report memory of a program and its children that is not freed, and wrong frees.",
  { "n", "top", "N", "so many places of allocation in a report (10)" },
  { "s", "stacks", "N", "so many callers tell places apart (8); 0: only who calls malloc, faster" },
  { "e", "every", "SECONDS", "report what is live now and then" },
  { "S", "signal", "SIGNAL", "report when this signal comes, which the program does not get" },
  { "o", "output", "FILE", "write reports to FILE" },
}
local function number(name, default, least)
  local value = tonumber(opts[name] or default)
  if value and value >= least then return value end
  luatrace.mistake(("--%s is a number, not '%s'"):format(name, opts[name]))
end
report.top, functions.depth = number("top", 10, 0), math.floor(number("stacks", 8, 0))
report.out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local heaps = {} -- by process

local function heap_of(p, attached)
  local heap = heaps[p]
  if not heap then
    heap = blocks.new(p.pid, luatrace.escape(p.name or "?"), attached)
    heaps[p] = heap
  end
  return heap
end

local names = {}
for name in pairs(functions.by_name) do names[#names + 1] = name end
table.sort(names)
on_break(names, function(t, f) functions.called(t, f, heap_of(t.process)) end)

on_start(function(p) heap_of(p, p.kind == "attached") end)
on_clone(function(t, child)
  local heap, p = heap_of(t.process), child.process
  if child.kind == "vfork" then
    heaps[p] = heap -- the memory is the same one
  elseif child.kind ~= "thread" then
    heaps[p] = blocks.copy(heap, p.pid)
  end
end)
on_exec(function(t)
  heaps[t.process] = nil
  functions.forget(t)
end)
on_exit(function(p)
  local heap = heaps[p]
  heaps[p] = nil
  if heap and heap.pid == p.pid and heap.allocations > 0 then
    report.blocks(p, heap, "not freed")
  end
end)
on_end(function() report.all(heaps, "not freed yet") end)

if opts.every then every(number("every", 1, 0.01), function() report.all(heaps, "live") end) end
if opts.signal then
  on_signal(opts.signal, function(_, sig)
    sig:suppress()
    report.all(heaps, "live")
  end)
end
