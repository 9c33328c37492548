-- Timers: what happens when time has passed. The loop asks for `fire` when the earliest is due; a
-- thread that a script holds or delays stands still meanwhile, and all others run on.

local core = require "luatrace.core"
local errors = require "luatrace.errors"
local holds = require "luatrace.holds"
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"
local turns = require "luatrace.turns"

local timers = {}

-- ---- The heap: timers in the order of their times ------------------------------------------

local heap, size = {}, 0 -- heap[1] is the earliest; each timer knows its place
local serial = 0

local function before(a, b)
  if a.time ~= b.time then return a.time < b.time end
  return a.serial < b.serial
end

local function put(timer, at)
  heap[at] = timer
  timer.at = at
end

local function rise(timer, at)
  while at > 1 do
    local parent = heap[math.floor(at / 2)]
    if not before(timer, parent) then break end
    put(parent, at)
    at = math.floor(at / 2)
  end
  put(timer, at)
end

local function sink(timer, at)
  while at * 2 <= size do
    local child = at * 2
    if child < size and before(heap[child + 1], heap[child]) then child = child + 1 end
    if not before(heap[child], timer) then break end
    put(heap[child], at)
    at = child
  end
  put(timer, at)
end

local function take(timer)
  local at, last = timer.at, heap[size]
  timer.at = nil
  heap[size] = nil
  size = size - 1
  if last == timer then return end
  rise(last, at)
  sink(last, last.at)
end

local told -- the deadline that the loop knows

local function tell()
  local earliest = heap[1] and heap[1].time
  if earliest ~= told then
    told = earliest
    core.set_deadline(earliest)
  end
end

-- Call fn(timer) when core.now() is `time`.
function timers.at(time, fn)
  serial = serial + 1
  size = size + 1
  local timer = { time = time, fn = fn, serial = serial }
  rise(timer, size)
  tell()
  return timer
end

-- Also for one that has fired.
function timers.cancel(timer)
  if timer.at then
    take(timer)
    tell()
  end
end

-- Call what is due. What is set meanwhile has its turn the next time.
function timers.fire()
  local now, last = core.now(), serial
  while heap[1] and heap[1].time <= now and heap[1].serial <= last and not errors.over do
    local timer = heap[1]
    take(timer)
    timer.fn(timer)
  end
  told = nil
  tell()
end

-- ---- Waiting for time to pass --------------------------------------------------------------

local sleepers = 0 -- tasks that go on when time has passed, whatever else happens

-- Whether anybody waits for time alone: then the run is not over when nothing is traced any more.
function timers.awaited() return sleepers > 0 end

-- What a script gives as a time.
function timers.check(seconds, what)
  if type(seconds) ~= "number" or seconds < 0 or seconds ~= seconds then
    core.raise(what .. " needs a number of seconds, 0 or more")
  end
  return seconds
end

-- The running task waits this long. It keeps what it holds.
function timers.pause(seconds)
  local task = tasks.current()
  sleepers = sleepers + 1
  timers.at(core.now() + seconds, function()
    sleepers = sleepers - 1
    tasks.wake(task)
  end)
  tasks.wait()
end

-- Wait; everything that is traced runs on meanwhile.
function timers.sleep(seconds)
  timers.check(seconds, "sleep")
  tasks.check_can_wait()
  holds.drop_fresh(tasks.current())
  timers.pause(seconds)
end

-- ---- after, every --------------------------------------------------------------------------

local Timer = {}
Timer.__index = Timer
local states = setmetatable({}, { __mode = "k" }) -- by handle: what this file knows of it

-- Do not call it any more. A call of it that waits goes on.
function Timer:cancel()
  local state = states[self]
  state.cancelled = true
  if state.timer then timers.cancel(state.timer) end
end

function Timer:__tostring()
  local state = states[self]
  return ("%s(%g) timer, called %d times"):format(state.name, state.seconds, self.count)
end

local function run(handle, state)
  handle.count = handle.count + 1
  state.busy = true
  tasks.start(function()
    tasks.on_end(function() state.busy = false end)
    state.fn(handle)
  end)
end

-- The next tick that is still to come: what was missed is left out.
local function next_tick(state)
  local now = core.now()
  local time = state.time + state.seconds
  if time <= now then time = time + math.ceil((now - time) / state.seconds) * state.seconds end
  return time
end

local function schedule(handle, state, time)
  state.time = time
  state.timer = timers.at(time, function()
    state.timer = nil
    if not state.busy then run(handle, state) end
    if state.name == "every" and not state.cancelled then
      schedule(handle, state, next_tick(state))
    end
  end)
end

local function make(name, seconds, fn)
  timers.check(seconds, name)
  if type(fn) ~= "function" then core.raise(name .. " needs a function as its second argument") end
  local handle = setmetatable({ count = 0 }, Timer)
  local state = { name = name, seconds = seconds, fn = fn, busy = false, cancelled = false }
  states[handle] = state
  schedule(handle, state, core.now() + seconds)
  return handle
end

-- Call fn(handle) once, when this time has passed.
function timers.after(seconds, fn) return make("after", seconds, fn) end

-- Call fn(handle) again and again. While a call of it waits, its ticks are left out.
function timers.every(seconds, fn)
  if type(seconds) == "number" and seconds < 0.001 then
    core.raise("every needs a number of seconds, 0.001 or more")
  end
  return make("every", seconds, fn)
end

-- ---- call:delay ----------------------------------------------------------------------------

local delayed = {} -- by thread: list of { task, timer }

local function forget(t, one)
  local rest = {}
  for _, other in ipairs(delayed[t] or {}) do
    if other ~= one then rest[#rest + 1] = other end
  end
  delayed[t] = rest[1] and rest or nil
end

local function delay_over(t, one)
  sleepers = sleepers - 1
  forget(t, one)
  holds.visit(t, function()
    holds.drop(t)
    tasks.wake(one.task)
  end)
end

-- Keep the call from the kernel for a while: its thread stands still, everything else runs on.
function core.methods.call.delay(call, seconds)
  timers.check(seconds, "call:delay")
  local t = core.call_thread(call)
  if call.done then core.raise("call:delay: the call has been made already") end
  if not core.hold(t) then core.raise("too late to delay this call: the thread runs on already") end
  tasks.check_can_wait()
  subscribe.forever("thread-exit")
  core.watch(t)
  holds.add(t)
  sleepers = sleepers + 1
  local one = { task = tasks.current() }
  one.timer = timers.at(core.now() + seconds, function() turns.run(t, delay_over, t, one) end)
  delayed[t] = delayed[t] or {}
  table.insert(delayed[t], one)
  tasks.wait()
end

-- The thread is gone: those who delay a call of it are told.
function timers.thread_gone(t)
  local list = delayed[t]
  delayed[t] = nil
  for _, one in ipairs(list or {}) do
    timers.cancel(one.timer)
    sleepers = sleepers - 1
    local problem = core.gone(t.tid)
    problem.awaited = "its call was made"
    tasks.throw(one.task, problem)
  end
end

-- Some threads are gone without a record.
function timers.sweep()
  local lost = {}
  for t in pairs(delayed) do
    if not t.alive then lost[#lost + 1] = t end
  end
  for _, t in ipairs(lost) do timers.thread_gone(t) end
end

return timers
