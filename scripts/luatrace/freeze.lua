-- p:freeze(fn): a process stands still while a script works on it.

local core = require "luatrace.core"
local holds = require "luatrace.holds"
local quiet = require "luatrace.quiet"
local tasks = require "luatrace.tasks"
local timers = require "luatrace.timers"

local freeze = {}

local PATIENCE = 1 -- seconds; a thread that has not stopped by then is in the kernel, and will not
-- run any of the program's instructions before it does

local frozen = {} -- by process: { process, task, queue = tasks that want to freeze it next }
local by_task = {} -- by task: list of what it has frozen

local function thaw(one)
  local p = one.process
  if frozen[p] ~= one then return end
  frozen[p] = nil
  core.thaw(p)
  holds.let_run(one.task)
  for _, task in ipairs(one.queue) do tasks.wake(task) end
end

local function thaw_all(task)
  local list = by_task[task]
  by_task[task] = nil
  for _, one in ipairs(list or {}) do thaw(one) end
end

-- The task may end without coming back to where it froze the process.
local function remember(one)
  local list = by_task[one.task]
  if not list then
    tasks.on_end(thaw_all)
    list = {}
    by_task[one.task] = list
  end
  for i = #list, 1, -1 do
    if frozen[list[i].process] ~= list[i] then table.remove(list, i) end
  end
  list[#list + 1] = one
end

local function wait_for_turn(p, task)
  while frozen[p] do
    if frozen[p].task == task then
      core.raise(("process %d is frozen already, by this code"):format(p.pid))
    end
    table.insert(frozen[p].queue, task)
    tasks.wait()
    core.check_live(p)
  end
end

local function wait_until_still(p)
  local pause, deadline = 0.001, core.now() + PATIENCE
  while p.alive and not core.still(p) and core.now() < deadline do
    timers.pause(pause)
    pause = math.min(pause * 2, 0.016)
  end
  core.check_live(p)
end

-- The thread whose event is being handled is not stopped by us: it stands still already, and runs
-- only if the script waits for something that it has to run for.
local function own_thread(p)
  quiet.disturb()
  local t = holds.hooked
  return t and t.alive and t.process == p and t or nil
end

-- LuaJIT closes no values. It can wait inside of pcall, which costs the traceback.
local function thawed(one, ok, ...)
  thaw(one)
  if not ok then error((...), 0) end
  return ...
end

local function once(_, done)
  if not done then return true end
end

-- Stop all other threads of the process, call fn(...), and let them run on, also if it fails. What
-- they were about to report is reported afterwards. Returns what fn returns.
function core.methods.process.freeze(p, fn, ...)
  if type(fn) ~= "function" then core.raise("p:freeze needs a function") end
  core.check_live(p)
  tasks.check_can_wait()
  local task = tasks.current()
  wait_for_turn(p, task)
  local one = { process = p, task = task, queue = {} }
  local own = own_thread(p)
  frozen[p] = one
  remember(one)
  core.freeze(p, own)
  if own then holds.stand(task, own) end
  if not coroutine.close then
    return thawed(one, pcall(function(...)
      wait_until_still(p)
      return fn(...)
    end, ...))
  end
  -- Lua 5.4 closes the fourth value on each way out.
  local guard = setmetatable({}, { __close = function() thaw(one) end })
  for _ in once, nil, nil, guard do -- luacheck: ignore 512 (it is there for the guard)
    wait_until_still(p)
    return fn(...)
  end
end

-- Whether the running code has frozen the process.
function freeze.is_ours(p)
  return frozen[p] ~= nil and frozen[p].task == tasks.current()
end

-- The process is gone: nobody waits for its thaw any more.
function freeze.process_gone(p)
  if frozen[p] then
    local queue = frozen[p].queue
    frozen[p].queue = {}
    for _, task in ipairs(queue) do tasks.wake(task) end
  end
end

return freeze
