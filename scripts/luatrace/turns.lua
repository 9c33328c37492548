-- Turns: who runs when, at a stop whose thread does something for us in between (remote.lua).
--
-- A system call or a function call on a script's behalf takes the thread away from its stop and
-- back. The handler that asked for it waits; those that have not run yet at this stop have their
-- turn when the thread stands there again, so that each sees what those before it have done.
--
-- A function that the thread runs for us has stops of its own, whose handlers run at once: what is
-- left to do is kept by how many such things are under way.

local lazy = require "luatrace.lazy"
local quiet = require "luatrace.quiet"

local remote = lazy.remote

local turns = {}

local begun = {} -- by thread: how many things it did for us when its latest stop came; nil: none
local rest = {} -- by thread: by that number: list of what is still to run: { fn, arguments }

quiet.when(function() return next(begun) == nil and next(rest) == nil end)

local function forget(t, depth)
  rest[t][depth] = nil
  if next(rest[t]) == nil then rest[t] = nil end
end

-- A stop of t is being dispatched.
function turns.begin(t)
  local depth = remote.depth(t)
  begun[t] = depth > 0 and depth or nil
  if rest[t] then forget(t, depth) end
end

-- Call fn(a, b, c, d) at this stop of t: now, or when it is its turn. Without a thread (false):
-- now.
function turns.run(t, fn, a, b, c, d)
  local depth = begun[t] or 0
  local list = rest[t] and rest[t][depth]
  if not list and remote.depth(t) == depth then return fn(a, b, c, d) end
  if not list then
    list = { from = 1 }
    rest[t] = rest[t] or {}
    rest[t][depth] = list
  end
  list[#list + 1] = { fn, a, b, c, d }
end

-- t stands again where it stood: go on with what is left to do there.
function turns.go_on(t)
  local depth = remote.depth(t)
  begun[t] = depth > 0 and depth or nil
  local list = rest[t] and rest[t][depth]
  while list and remote.depth(t) == depth do
    local one = list[list.from]
    if not one or not t.alive then
      forget(t, depth)
      return
    end
    list.from = list.from + 1
    one[1](one[2], one[3], one[4], one[5])
  end
end

function turns.thread_gone(t)
  begun[t], rest[t] = nil, nil
end

return turns
