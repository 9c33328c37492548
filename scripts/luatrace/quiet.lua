-- Quiet: whether nobody but the handlers of calls, and those who wait for their ends, can want a
-- stop. While that is so, quick.c deals with most of them without the rest of the prelude.
--
-- Whoever keeps something that may want more says so: `when` at first, and `disturb` each time that
-- something is added to it.

local core = require "luatrace.core"

local quiet = {
  begin = nil, -- dispatch.lua: a stop of this thread is being dealt with in the general way
}

local tests = {}
local on = false

-- test() is true while there is nothing.
function quiet.when(test) tests[#tests + 1] = test end

-- From now on stops are dealt with in the general way; the one that is under way as well.
function quiet.disturb()
  on = false
  local t = core.disturb()
  if t then quiet.begin(t) end
end

-- A stop has been dealt with in the general way: is that needed for the next one?
function quiet.look()
  if on then return end
  for i = 1, #tests do
    if not tests[i]() then return end
  end
  on = true
  core.quick()
end

return quiet
