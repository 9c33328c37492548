-- Which threads stay stopped when a hook returns: those that somebody has a reason to hold.
--
-- Reasons: an event waits in a queue (events.lua), a loop's body looks at the thread, a script has
-- just launched it and has not waited since, delays its call (timers.lua), works on its process
-- while that is frozen (freeze.lua), or has said so (t:hold).

local core = require "luatrace.core"
local quiet = require "luatrace.quiet"
local subscribe = require "luatrace.subscribe"

local holds = {
  hooked = nil, -- the thread whose hook runs, unless that is quiet: stopped without being held
}

local counts = {} -- by thread

quiet.when(function() return next(counts) == nil end)

function holds.add(t)
  quiet.disturb()
  counts[t] = (counts[t] or 0) + 1
end

-- Take one reason back. The thread runs on with the last one.
function holds.drop(t)
  local count = counts[t]
  if not count then return end -- it is gone
  if count > 1 then
    counts[t] = count - 1
    return
  end
  counts[t] = nil
  if t ~= holds.hooked then core.release(t) end
end

local by_script = {} -- by thread: true if a script has said so

-- The thread is gone.
function holds.forget(t)
  counts[t] = nil
  by_script[t] = nil
end

-- What the hook of t answers.
function holds.is_held(t)
  return counts[t] ~= nil
end

-- ---- Freshly launched threads: held until the task that launched them waits ----------------

local fresh = {} -- by task: list of threads

quiet.when(function() return next(fresh) == nil end)

function holds.add_fresh(task, t)
  holds.add(t)
  local list = fresh[task]
  if list then
    list[#list + 1] = t
  else
    fresh[task] = { t }
  end
end

function holds.drop_fresh(task)
  local list = fresh[task]
  if list then
    fresh[task] = nil
    for _, t in ipairs(list) do holds.drop(t) end
  end
end

-- ---- A thread of a frozen process, held until the task that froze it waits for it ------------

local standing = {} -- by task: thread

quiet.when(function() return next(standing) == nil end)

function holds.stand(task, t)
  holds.add(t)
  standing[task] = t
end

-- `t` nil: whichever it is.
function holds.let_run(task, t)
  local own = standing[task]
  if own and (t == nil or t == own) then
    standing[task] = nil
    holds.drop(own)
  end
end

-- ---- Scripts -------------------------------------------------------------------------------

-- Run fn() while t stands still, as in a hook of t; afterwards it runs on if nobody holds it.
function holds.visit(t, fn)
  quiet.disturb()
  local outer = holds.hooked
  holds.hooked = t
  fn()
  holds.hooked = outer
  if outer ~= t and not counts[t] and t.alive then core.release(t) end
end

-- Keep t stopped when the running code ends or waits, until t:release().
function core.methods.thread.hold(t)
  core.check_live(t)
  if not core.hold(t) then
    core.raise(("thread %d is running; only a thread that stands still can be held"):format(t.tid))
  end
  if not by_script[t] then
    subscribe.forever("thread-exit")
    core.watch(t)
    by_script[t] = true
    holds.add(t)
  end
end

-- Let it run on. Returns whether it was held by t:hold().
function core.methods.thread.release(t)
  if not by_script[t] then return false end
  by_script[t] = nil
  holds.drop(t)
  return true
end

return holds
