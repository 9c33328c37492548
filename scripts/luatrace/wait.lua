-- What a task can wait for: the end of a call, an event of a thread, a program that starts.

local core = require "luatrace.core"
local errors = require "luatrace.errors"
local holds = require "luatrace.holds"
local lazy = require "luatrace.lazy"
local quiet = require "luatrace.quiet"
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"
local turns = require "luatrace.turns"

local conditions = lazy.conditions
local events = lazy.events
local frames = lazy.frames
local freeze = lazy.freeze
local listeners = lazy.listeners
local remote = lazy.remote
local launch = lazy.launch
local timers = lazy.timers

local wait = {
  started_own = false, -- the script has launched or attached to something itself
}

local at_thread_gone, at_process_gone = {}, {} -- functions to be called with what is gone

-- Whoever keeps tasks that wait for a thread or a process.
function wait.on_thread_gone(fn) at_thread_gone[#at_thread_gone + 1] = fn end
function wait.on_process_gone(fn) at_process_gone[#at_process_gone + 1] = fn end

-- Wait for something that t has to run for. Whatever the running task holds of it is let go
-- meanwhile, and taken again if t has stopped for what was waited for.
-- `moves`: what comes first then is the thread that has stopped for it, which may be another.
local function wait_for(t, moves)
  local task = tasks.current()
  holds.drop_fresh(task)
  holds.let_run(task, t)
  local back = events.leave_body(t)
  if not back then return tasks.wait() end
  local function came_back(what, more)
    if what ~= nil or more ~= "timeout" then back(moves and what or t) end
    return what, more
  end
  return came_back(tasks.wait())
end

-- What a task gets when the thread that it waits for is gone.
local function gone(t, awaited)
  local object = core.gone(t.tid)
  object.awaited = awaited
  return object
end

wait.wait_for, wait.gone = wait_for, gone

-- Wait for something that threads of p have to run for.
function wait.wait_for_process(p)
  local task = tasks.current()
  holds.drop_fresh(task)
  for _, t in ipairs(p:threads()) do
    holds.let_run(task, t)
    events.leave_body(t)
  end
  return tasks.wait()
end

-- What a task gets when the process that it waits for is gone.
function wait.process_lost(p, awaited)
  local object = core.gone(p.pid)
  object.awaited = awaited
  return object
end

-- ---- call:leave() --------------------------------------------------------------------------

-- By thread: list of the tasks that wait for the exit of its call, the numbers of those calls, and
-- its length. A function that the thread runs for us makes calls while another one waits.
-- The first who waits where nothing else is to be looked at is with the thread's object instead,
-- and may have been woken by quick.c.
local leaves = {}
local waiting = 0 -- how many are in these lists

quiet.when(function() return waiting == 0 end)

-- What is usual is done in quick.c; this is the rest.
function wait.leave(call)
  tasks.check_can_wait()
  if core.leave(call) then return core.result(call) end
  quiet.disturb()
  local t = core.call_thread(call)
  local list = leaves[t]
  if not list then
    subscribe.forever("thread-exit")
    core.quick_leaves()
    list = { n = 0, seq = {} }
    leaves[t] = list
  end
  list.n, waiting = list.n + 1, waiting + 1
  list[list.n] = tasks.current()
  list.seq[list.n] = core.call_seq(t)
  wait_for(t)
  return core.result(call)
end

local quick_leave = core.quick_leave

local function left(problem, ...)
  if problem == nil then return ... end
  if problem == true then return wait.leave(...) end
  tasks.raise(problem)
end

-- Let the call run; returns its result when it has run, as io.open does: the value, or nil, a
-- message and the name of the error.
function core.methods.call.leave(call)
  return left(quick_leave(call))
end

local function wake_list(t, list)
  local seq = core.call_seq(t)
  for i = list.n, 1, -1 do
    local task = list[i]
    if list.seq[i] ~= seq then return end
    list[i] = nil
    list.n, waiting = i - 1, waiting - 1
    turns.run(t, tasks.wake, task)
  end
end

local function wake_leaver(t, task)
  tasks.wake(task, core.result(core.call(t)))
end

-- The call of t has its result: those who wait wake in reverse order.
function wait.call_left(t)
  if leaves[t] then wake_list(t, leaves[t]) end
  local task = core.take_leaver(t)
  if task then turns.run(t, wake_leaver, t, task) end
end

local function throw_leavers(t)
  local list = leaves[t] or { n = 0 }
  leaves[t] = nil
  waiting = waiting - list.n
  for i = list.n, 1, -1 do tasks.throw(list[i], gone(t, "its call returned")) end
  local task = core.take_leaver(t, true)
  if task then tasks.throw(task, gone(t, "its call returned")) end
end

-- ---- t:wait{…} -----------------------------------------------------------------------------

-- The table without its timeout, and that.
local function split_timeout(what)
  if type(what) ~= "table" or what.timeout == nil then return what end
  local rest = {}
  for key, value in pairs(what) do rest[key] = value end
  rest.timeout = nil
  return rest, timers.check(what.timeout, "wait: timeout")
end

-- Wait for the next event of this thread that the table asks for; returns its key and what the hook
-- would get, or nil and "timeout" when that time has passed.
function core.methods.thread.wait(t, what)
  core.check_live(t)
  local wanted, timeout = split_timeout(what)
  local condition = conditions.compile(wanted, "wait")
  tasks.check_can_wait()
  subscribe.forever("thread-exit")
  condition:subscribe(true)
  core.watch(t)
  local task, timer = tasks.current(), nil
  local function stop_waiting()
    condition:subscribe(false)
    if timer then timers.cancel(timer) end
  end
  local waiter = {
    condition = condition,
    deliver = function(key, value)
      stop_waiting()
      tasks.wake(task, key, value)
    end,
    gone = function()
      stop_waiting()
      tasks.throw(task, gone(t, condition:describe()))
    end,
  }
  listeners.add_waiter(t, waiter)
  if timeout then
    timer = timers.at(core.now() + timeout, function()
      listeners.remove_waiter(t, waiter)
      waiter.deliver(nil, "timeout")
    end)
  end
  return wait_for(t)
end

-- ---- Programs that start -------------------------------------------------------------------

local starters = {} -- by process: the task that waits for it

local function wait_for_start(p, message, code)
  wait.started_own = true
  if not p then return nil, message, code end
  starters[p] = tasks.current()
  tasks.on_end(holds.drop_fresh)
  return tasks.wait()
end

-- Launch a program and wait until it runs. Its first thread is held until the running task waits
-- again for anything but another start.
function wait.spawn(command)
  launch.check(command)
  tasks.check_can_wait()
  return launch.finish(command, wait_for_start(launch.spawn(command)))
end

local leaving = {} -- by pid: { process that is being let go, tasks that wait until it is }

-- Let the process go, each thread at its next stop.
local detach = core.methods.process.detach
function core.methods.process.detach(p)
  if not leaving[p.pid] then leaving[p.pid] = { process = p } end
  return detach(p)
end

-- The process is gone: it can be attached to again if it was only let go.
local function has_left(p)
  local list = leaving[p.pid]
  leaving[p.pid] = nil
  for _, task in ipairs(list or {}) do tasks.wake(task) end
end

-- Take control of a running process.
function wait.attach(pid)
  if type(pid) ~= "number" then core.raise("attach needs a process id") end
  tasks.check_can_wait()
  local still = leaving[pid]
  if still then
    still[#still + 1] = tasks.current()
    tasks.wait()
  end
  return wait_for_start(core.attach(pid))
end

-- t, the first thread of p, has come under control.
function wait.started(p, t)
  local task = starters[p]
  if not task then return end
  starters[p] = nil
  holds.add_fresh(task, t)
  tasks.wake(task, p)
end

function wait.start_failed(p, ...)
  local task = starters[p]
  if not task then return false end
  starters[p] = nil
  tasks.wake(task, ...)
  return true
end

-- ---- Ends ----------------------------------------------------------------------------------

function wait.thread_gone(t)
  turns.thread_gone(t)
  timers.thread_gone(t)
  throw_leavers(t)
  frames.thread_gone(t)
  remote.thread_gone(t)
  listeners.thread_gone(t)
  for _, fn in ipairs(at_thread_gone) do fn(t) end
  holds.forget(t)
end

function wait.process_gone(p, status)
  wait.start_failed(p, errors.failure(core.errno("ESRCH"), "it ended before it could be traced"))
  listeners.process_gone(p, status)
  freeze.process_gone(p)
  frames.process_gone(p)
  for _, fn in ipairs(at_process_gone) do fn(p) end
  has_left(p)
end

-- Some threads and processes are gone without a record.
function wait.sweep()
  local lost = {}
  for t in pairs(leaves) do
    if not t.alive then lost[#lost + 1] = t end
  end
  for t in core.take_lost do lost[#lost + 1] = t end
  for _, t in ipairs(lost) do wait.thread_gone(t) end
  lost = {}
  for p in pairs(starters) do
    if not p.alive then lost[#lost + 1] = p end
  end
  for _, one in pairs(leaving) do
    if not one.process.alive then lost[#lost + 1] = one.process end
  end
  for _, p in ipairs(lost) do wait.process_gone(p, nil) end
  remote.sweep()
  frames.sweep()
  timers.sweep()
  listeners.sweep()
end

return wait
