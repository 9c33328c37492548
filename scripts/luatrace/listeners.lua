-- Listeners: who is told of an event besides the handlers. A waiter (t:wait) waits for one event of
-- one thread; a stream (events.lua) wants all events of a process or of everything.

local objects = require "luatrace.objects"
local quiet = require "luatrace.quiet"

local listeners = {}

local waiters = {} -- by thread: list of { condition, deliver(kind, what), gone(), born }
local exit_waiters = {} -- by pid: those that wait for the process, whose thread is gone
local streams = {} -- list; replaced, never changed, so that it can be walked while it changes
local turn = 0 -- counts the events: a listener is not told of the event that made it

quiet.when(function() return next(waiters) == nil and streams[1] == nil end)

-- ---- Adding and removing -------------------------------------------------------------------

function listeners.add_waiter(t, waiter)
  quiet.disturb()
  waiter.born = turn
  local list = waiters[t]
  if list then
    list[#list + 1] = waiter
  else
    waiters[t] = { waiter }
  end
end

-- It may have been taken already.
function listeners.remove_waiter(t, waiter)
  for _, lists in ipairs { waiters[t] or {}, exit_waiters[t.pid] or {} } do
    for i = #lists, 1, -1 do
      if lists[i] == waiter then table.remove(lists, i) end
    end
  end
  if waiters[t] and not waiters[t][1] then waiters[t] = nil end
end

function listeners.add_stream(stream)
  quiet.disturb()
  local list = {}
  for i = 1, #streams do list[i] = streams[i] end
  list[#list + 1] = stream
  stream.born = turn
  streams = list
end

function listeners.remove_stream(stream)
  local list = {}
  for i = 1, #streams do
    if streams[i] ~= stream then list[#list + 1] = streams[i] end
  end
  streams = list
end

function listeners.streams() return streams end

-- ---- Events --------------------------------------------------------------------------------

-- A new event begins.
function listeners.next_turn() turn = turn + 1 end

-- Whether anybody might want an event of t: without, nothing needs to be made for it.
function listeners.any(t)
  return waiters[t] ~= nil or streams[1] ~= nil
end

-- Take the waiters out of the list of t that an event is for.
local function take(t, name, kind, what, abi, nr)
  local list, taken, rest = waiters[t], nil, {}
  for _, waiter in ipairs(list) do
    local key = waiter.born < turn and waiter.condition:meets(name, kind, what, abi, nr)
    if key then
      taken = taken or {}
      taken[#taken + 1] = { waiter, key }
    else
      rest[#rest + 1] = waiter
    end
  end
  waiters[t] = rest[1] and rest or nil
  return taken
end

-- Tell those who want it. `first` is what a stream yields first: the thread, or for "exit" the
-- process. `t` may be nil.
function listeners.offer(t, p, name, kind, what, abi, nr)
  local stop
  local function subject(key)
    if key ~= "stop" then return what end
    stop = stop or objects.stop()
    return stop
  end
  local taken = waiters[t] and take(t, name, kind, what, abi, nr)
  for _, one in ipairs(taken or {}) do one[1].deliver(one[2], subject(one[2])) end
  for _, stream in ipairs(streams) do
    if stream.born < turn and not stream.closed and (not stream.process or stream.process == p) then
      local key = stream.condition:meets(name, kind, what, abi, nr)
      if key then stream:deliver(t, p, key, subject(key)) end
    end
  end
end

-- ---- Ends ----------------------------------------------------------------------------------

-- The thread is gone: those who wait for it are told, but for those who want its process's end.
function listeners.thread_gone(t)
  local list = waiters[t]
  waiters[t] = nil
  for _, waiter in ipairs(list or {}) do
    if waiter.condition.exit then
      local pid = t.pid
      exit_waiters[pid] = exit_waiters[pid] or {}
      table.insert(exit_waiters[pid], waiter)
    else
      waiter.gone()
    end
  end
end

-- The process is gone; status is nil if nobody knows because it was let go.
function listeners.process_gone(p, status)
  local list = exit_waiters[p.pid]
  exit_waiters[p.pid] = nil
  for _, waiter in ipairs(list or {}) do
    if status then waiter.deliver("exit", status) else waiter.gone() end
  end
  for _, stream in ipairs(streams) do
    if stream.process == p then stream:finish() end
  end
end

-- Threads that are gone without a record, because they were let go.
function listeners.sweep()
  local lost = {}
  for t in pairs(waiters) do
    if not t.alive then lost[#lost + 1] = t end
  end
  for _, t in ipairs(lost) do listeners.thread_gone(t) end
  for _, stream in ipairs(streams) do
    if stream.process and not stream.process.alive then
      listeners.process_gone(stream.process, nil)
    end
  end
end

return listeners
