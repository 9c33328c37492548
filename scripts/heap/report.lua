-- What `heap` prints.

local blocks = require "heap.blocks"

local report = { out = io.stderr, top = 10 }

local function say(pid, format, ...)
  report.out:write(("heap: %d "):format(pid), format:format(...), "\n")
end
report.say = say

local function plural(n, what) return ("%d %s%s"):format(n, what, n == 1 and "" or "s") end

-- The blocks of a process, which are `what`: "not freed", "live".
function report.blocks(p, heap, what)
  say(p.pid, "(%s) %s of %s, %s; at most %s in %s at a time", heap.name,
    plural(heap.allocations, "allocation"), plural(heap.bytes, "byte"), plural(heap.frees, "free"),
    plural(heap.peak_bytes, "byte"), plural(heap.peak, "block"))
  if heap.failed > 0 then say(p.pid, "%s failed", plural(heap.failed, "allocation")) end
  if heap.unknown > 0 then say(p.pid, "%s of unknown blocks", plural(heap.unknown, "free")) end
  if heap.inherited > 0 then
    say(p.pid, "%s in %s came from its creator", plural(heap.inherited_bytes, "byte"),
      plural(heap.inherited, "block"))
  end
  local list, count = blocks.largest(heap, report.top)
  say(p.pid, "%s in %s %s%s", plural(heap.live_bytes, "byte"), plural(heap.live, "block"), what,
    heap.live > 0 and ":" or "")
  for _, site in ipairs(list) do
    report.out:write(("  %s in %s of %d, allocated by\n"):format(plural(site.live_bytes, "byte"),
      plural(site.live, "block"), site.count))
    for _, text in ipairs(site.frames) do report.out:write("    ", text, "\n") end
  end
  if count > #list then
    report.out:write(("  and at %s\n"):format(plural(count - #list, "other place")))
  end
  report.out:flush()
end

-- Those of all processes that have allocated something.
function report.all(heaps, what)
  local list = {}
  for p, heap in pairs(heaps) do
    if heap.pid == p.pid and heap.allocations > 0 then list[#list + 1] = p end
  end
  table.sort(list, function(a, b) return a.pid < b.pid end)
  for _, p in ipairs(list) do report.blocks(p, heaps[p], what) end
end

return report
