-- What `locks` prints.

local state = require "locks.state"

local report = { out = io.stderr, top = 10, frames = 32 }

local function say(pid, format, ...)
  report.out:write(("locks: %d "):format(pid), format:format(...), "\n")
end
report.say = say

local function plural(n, what) return ("%d %s%s"):format(n, what, n == 1 and "" or "s") end

local function title(t)
  return t.alive and ("thread %d (%s)"):format(t.tid, luatrace.escape(t.name or "?"))
    or ("thread %d (ended)"):format(t.tid)
end

-- ---- Who waits -----------------------------------------------------------------------------

local function waiting_line(t)
  local wait = state.waits[t]
  local lock, seconds, text = wait.lock, luatrace.now() - wait.since, {}
  for _, holder in ipairs(state.holders(lock, t, wait.writes)) do
    text[#text + 1] = ("held by %s, which took it %s"):format(
      holder == t and "itself" or title(holder),
      lock.site and "at " .. lock.site or "before luatrace came")
  end
  return ("%s waits since %.1f s for %s %s at %s%s"):format(title(t), seconds, lock.kind, lock.name,
    wait.site, #text > 0 and ", " .. table.concat(text, "; ") or "")
end

local function by_tid(a, b) return a.tid < b.tid end

-- Everybody who waits.
function report.waiting()
  local list = {}
  for t in pairs(state.waits) do
    if t.alive then list[#list + 1] = t end
  end
  table.sort(list, by_tid)
  for _, t in ipairs(list) do say(t.pid, "%s", waiting_line(t)) end
  if not list[1] then report.out:write("locks: nobody waits\n") end
  report.out:flush()
end

-- What names a circle of threads.
local function members(cycle)
  local tids = {}
  for i, t in ipairs(cycle) do tids[i] = t.tid end
  table.sort(tids)
  return table.concat(tids, ", ")
end

-- A circle of threads that wait for one another, with their stacks.
local function tell(cycle)
  local p = cycle[1].process
  local stacks = {}
  for _, one in ipairs(p:backtraces { limit = report.frames } or {}) do
    stacks[one.thread.tid] = one.frames
  end
  table.sort(cycle, by_tid)
  say(p.pid, "deadlock of %s", plural(#cycle, "thread"))
  for _, t in ipairs(cycle) do
    if state.waits[t] then report.out:write("  ", waiting_line(t), "\n") end
    for line in tostring(stacks[t.tid] or "(no stack)"):gmatch("[^\n]+") do
      report.out:write("    ", line, "\n")
    end
  end
  report.out:flush()
end

local told = {} -- by the threads of a circle: the process; it was reported and is still there

-- Look for circles of threads: tell what is new, and what is over.
function report.deadlocks()
  local there = {}
  for _, cycle in ipairs(state.cycles()) do
    local name = members(cycle)
    there[name] = true
    if not told[name] and cycle[1].alive then
      told[name] = cycle[1].pid
      tell(cycle)
    end
  end
  for name, pid in pairs(told) do
    if not there[name] then
      say(pid, "the deadlock of %s is over", name)
      told[name] = nil
    end
  end
end

-- ---- The summary ---------------------------------------------------------------------------

local function details(lock)
  local out, sites = report.out, {}
  for site, count in pairs(lock.places) do sites[#sites + 1] = { site = site, count = count } end
  table.sort(sites, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.site < b.site
  end)
  for i = 1, math.min(#sites, 3) do
    out:write(("    contended %s at %s\n"):format(plural(sites[i].count, "time"), sites[i].site))
  end
  if lock.contended > 0 then
    out:write(("    longest wait %.6f s at %s\n"):format(lock.longest_wait, lock.wait_site or "?"))
  end
  if lock.hold_site then
    out:write(("    longest hold %.6f s, taken at %s\n"):format(lock.longest_hold, lock.hold_site))
  end
end

local function rank(a, b)
  if a.contended ~= b.contended then return a.contended > b.contended end
  if a.taken ~= b.taken then return a.taken > b.taken end
  return a.addr < b.addr
end

function report.summary(process)
  local list, taken, contended = process.list, 0, 0
  if not list[1] then return end
  for _, lock in ipairs(list) do
    taken, contended = taken + lock.taken, contended + lock.contended
  end
  table.sort(list, rank)
  say(process.pid, "(%s) %s, taken %s, %d contended", process.name, plural(#list, "lock"),
    plural(taken, "time"), contended)
  report.out:write("     taken contended       busy   waited s     held s lock\n")
  for i = 1, math.min(#list, report.top) do
    local lock = list[i]
    report.out:write(("%10d %9d %10d %10.6f %10.6f %s %s\n"):format(lock.taken, lock.contended,
      lock.busy, lock.wait, lock.hold, lock.kind, lock.name))
    details(lock)
  end
  if #list > report.top then
    report.out:write(("  and %s\n"):format(plural(#list - report.top, "other")))
  end
  report.out:flush()
end

return report
