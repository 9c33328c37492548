-- Subscriptions: the engine is asked for what at least one handler or waiter wants, and for nothing
-- else.

local core = require "luatrace.core"

local subscribe = {}

local kinds = {} -- by kind of record: how many want it
local calls = {} -- by ABI: by number (and ALL): how many want it
local ALL = "all"
for abi = 0, core.last_abi do calls[abi] = {} end

-- Want records of this kind (on = true), or want them no longer.
function subscribe.kind(kind, on)
  local before = kinds[kind] or 0
  local now = before + (on and 1 or -1)
  kinds[kind] = now
  if (before == 0) ~= (now == 0) then core.subscribe(kind, on) end
end

local function call(abi, key, on)
  local counts = calls[abi]
  local before = counts[key] or 0
  local now = before + (on and 1 or -1)
  counts[key] = now
  if (before == 0) ~= (now == 0) then
    core.subscribe_call(abi, key ~= ALL and key or nil, on)
  end
end

-- The same for the entries of the system calls of a selection (select.lua).
function subscribe.selection(selection, on)
  for abi = 0, core.last_abi do
    if selection.all then
      call(abi, ALL, on)
    else
      for nr, tests in pairs(selection.calls[abi]) do
        if tests.selector then core.select(tests.selector, on) else call(abi, nr, on) end
      end
    end
  end
end

local always = {}

-- Want records of this kind from now on; repeating it costs nothing.
function subscribe.forever(kind)
  if not always[kind] then
    always[kind] = true
    subscribe.kind(kind, true)
  end
end

return subscribe
