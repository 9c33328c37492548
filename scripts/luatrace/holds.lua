-- Which threads stay stopped when a hook returns: those that somebody has a reason to hold.
--
-- Reasons: an event waits in a queue (events.lua), a loop's body looks at the thread, or a script
-- has just launched it and has not waited since.

local core = require "luatrace.core"

local holds = {
  hooked = nil, -- the thread whose hook runs: it is stopped without being held
}

local counts = {} -- by thread

function holds.add(t)
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

-- The thread is gone.
function holds.forget(t)
  counts[t] = nil
end

-- What the hook of t answers.
function holds.is_held(t)
  return counts[t] ~= nil
end

-- ---- Freshly launched threads: held until the task that launched them waits ----------------

local fresh = {} -- by task: list of threads

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

return holds
