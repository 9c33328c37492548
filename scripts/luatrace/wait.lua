-- What a task can wait for: the end of a call, an event of a thread, a program that starts.

local core = require "luatrace.core"
local conditions = require "luatrace.conditions"
local errors = require "luatrace.errors"
local events = require "luatrace.events"
local holds = require "luatrace.holds"
local listeners = require "luatrace.listeners"
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"

local wait = {
  started_own = false, -- the script has launched or attached to something itself
}

-- Wait for something that t has to run for. Whatever the running task holds of it is let go
-- meanwhile.
local function wait_for(t)
  local task = tasks.current()
  holds.drop_fresh(task)
  local back = events.leave_body(t)
  if not back then return tasks.wait() end
  local function came_back(...)
    back()
    return ...
  end
  return came_back(tasks.wait())
end

-- What a task gets when the thread that it waits for is gone.
local function gone(t, awaited)
  local object = core.gone(t.tid)
  object.awaited = awaited
  return object
end

-- ---- call:leave() --------------------------------------------------------------------------

local leaves = {} -- by thread: list of the tasks that wait for the exit of its call, and its length

-- Let the call run; returns its result when it has run, as io.open does: the value, or nil, a
-- message and the name of the error.
function core.methods.call.leave(call)
  tasks.check_can_wait()
  if core.leave(call) then return core.result(call) end
  local t = core.call_thread(call)
  local list = leaves[t]
  if not list then
    subscribe.forever("thread-exit")
    list = { n = 0 }
    leaves[t] = list
  end
  list.n = list.n + 1
  list[list.n] = tasks.current()
  wait_for(t)
  return core.result(call)
end

-- The call of t has its result: those who wait wake in reverse order.
function wait.call_left(t)
  local list = leaves[t]
  if not list then return end
  for i = list.n, 1, -1 do
    local task = list[i]
    list[i] = nil
    list.n = i - 1
    tasks.wake(task)
  end
end

local function throw_leavers(t)
  local list = leaves[t]
  leaves[t] = nil
  if not list then return end
  for i = list.n, 1, -1 do tasks.throw(list[i], gone(t, "its call returned")) end
end

-- ---- t:wait{…} -----------------------------------------------------------------------------

-- Wait for the next event of this thread that the table asks for; returns its key and what the hook
-- would get.
function core.methods.thread.wait(t, what)
  core.check_live(t)
  local condition = conditions.compile(what, "wait")
  tasks.check_can_wait()
  subscribe.forever("thread-exit")
  condition:subscribe(true)
  core.watch(t)
  local task = tasks.current()
  listeners.add_waiter(t, {
    condition = condition,
    deliver = function(key, value)
      condition:subscribe(false)
      tasks.wake(task, key, value)
    end,
    gone = function()
      condition:subscribe(false)
      tasks.throw(task, gone(t, condition:describe()))
    end,
  })
  return wait_for(t)
end

-- ---- Programs that start -------------------------------------------------------------------

local starters = {} -- by process: the task that waits for it

local function environment(variables)
  local list = {}
  for name, value in pairs(variables) do
    if type(name) ~= "string" or type(value) ~= "string" and type(value) ~= "number" then
      core.raise("spawn: env is a table of names and values")
    end
    list[#list + 1] = name .. "=" .. value
  end
  table.sort(list)
  return list
end

local function check_command(command)
  if type(command) ~= "table" or type(command[1]) ~= "string" then
    core.raise('spawn needs a table with the program and its arguments: spawn { "ls", "-l" }')
  end
  for key in pairs(command) do
    if type(key) ~= "number" and key ~= "env" and key ~= "cwd" then
      core.raise(("spawn: there is no field '%s'; there are env and cwd"):format(tostring(key)))
    end
  end
end

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
  check_command(command)
  tasks.check_can_wait()
  return wait_for_start(core.spawn(command, command.env and environment(command.env),
    command.cwd))
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
  throw_leavers(t)
  listeners.thread_gone(t)
  holds.forget(t)
end

function wait.process_gone(p, status)
  wait.start_failed(p, errors.failure(core.errno("ESRCH"), "it ended before it could be traced"))
  listeners.process_gone(p, status)
  has_left(p)
end

-- Some threads and processes are gone without a record.
function wait.sweep()
  local lost = {}
  for t in pairs(leaves) do
    if not t.alive then lost[#lost + 1] = t end
  end
  for _, t in ipairs(lost) do wait.thread_gone(t) end
  lost = {}
  for p in pairs(starters) do
    if not p.alive then lost[#lost + 1] = p end
  end
  for _, one in pairs(leaving) do
    if not one.process.alive then lost[#lost + 1] = one.process end
  end
  for _, p in ipairs(lost) do wait.process_gone(p, nil) end
  listeners.sweep()
end

return wait
