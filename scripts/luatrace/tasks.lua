-- Tasks: the coroutines in which the code of scripts runs.
--
-- Every handler, and the main chunk, runs as a task. A task waits by yielding WAIT, a token that
-- nobody else has, to whoever resumed it, and is woken by `wake` or `throw`. A script may have
-- coroutines of its own inside a task: the versions of coroutine.resume and wrap below pass the
-- token outwards, so that waiting works in them as well.
--
-- A task that has finished is kept and takes the next function by a plain resume, so that an event
-- makes no new coroutine.

local core = require "luatrace.core"
local errors = require "luatrace.errors"

local resume, raw_yield, raw_create = core.resume, coroutine.yield, coroutine.create
local raw_status, raw_close, isyieldable = coroutine.status, coroutine.close, coroutine.isyieldable

local DONE, WAIT, EXIT = {}, {}, errors.EXIT

local tasks = {
  main = nil, -- the main chunk's task while it lives
  ending = false, -- nothing can be waited for any more: on_end runs
}

local current -- the task that runs
local idle, idle_count = {}, 0 -- finished tasks
local IDLE_MAX = 256 -- more of them are left to the collector
local at_end = {} -- by task: what to call when it has ended, however that was

function tasks.current() return current end

-- ---- Running -------------------------------------------------------------------------------

-- Handlers get as many arguments as there are, so that on_exit(print) prints no nil.
local function body(fn, a, b)
  while true do
    if b ~= nil then
      fn(a, b)
    elseif a ~= nil then
      fn(a)
    else
      fn()
    end
    fn, a, b = raw_yield(DONE)
  end
end

local function ended(task)
  if task == tasks.main then tasks.main = nil end
  local clean_up = at_end[task]
  if clean_up then
    at_end[task] = nil
    for i = #clean_up, 1, -1 do clean_up[i](task) end
  end
end

-- A resume of `task` has returned.
local function settle(task, outer, ok, token)
  current = outer
  if not ok then
    local was_main = task == tasks.main
    ended(task)
    errors.failed(task, token, was_main)
  elseif token == DONE then
    ended(task)
    if idle_count < IDLE_MAX then
      idle_count = idle_count + 1
      idle[idle_count] = task
    end
  elseif token == EXIT then
    ended(task)
    if raw_close then raw_close(task) end
  elseif token ~= WAIT then
    local was_main = task == tasks.main
    ended(task)
    errors.failed(task, "coroutine.yield was called outside of a coroutine that the script made",
      was_main)
  end
end

local function run(task, ...)
  local outer = current
  current = task
  return settle(task, outer, resume(task, ...))
end

local function asker(fn, a)
  while true do fn, a = raw_yield(DONE, fn(a)) end
end

local idle_asker -- one of them that has finished

-- Call fn(a), which cannot wait; returns true and what it returns, or false and what went wrong.
function tasks.ask(fn, a)
  local outer, co = current, idle_asker or raw_create(asker)
  current, idle_asker = nil, nil
  local ok, token, answer = resume(co, fn, a)
  current = outer
  if ok and token == DONE then
    idle_asker = co
    return true, answer
  elseif ok then
    return false, "coroutine.yield was called outside of a coroutine that the script made"
  end
  return false, token
end

-- Run fn(a, b) as a task until it has finished or waits. Most tasks of breakpoints are short and
-- many: what settle() would do for them is done here.
function tasks.start(fn, a, b)
  local task, outer = idle[idle_count], current
  if task then
    idle[idle_count] = nil
    idle_count = idle_count - 1
  else
    task = raw_create(body)
  end
  current = task
  local ok, token = resume(task, fn, a, b)
  if token ~= DONE or at_end[task] or idle_count >= IDLE_MAX then
    return settle(task, outer, ok, token)
  end
  current = outer
  idle_count = idle_count + 1
  idle[idle_count] = task
end

-- The same for the main chunk: its errors always end the run.
function tasks.start_main(fn)
  tasks.main = raw_create(body)
  return run(tasks.main, fn)
end

-- Let a waiting task go on: its wait returns the values, or raises the problem.
function tasks.wake(task, ...)
  return run(task, nil, ...)
end

function tasks.throw(task, problem)
  return run(task, problem)
end

-- Call fn(task) when the running task has ended.
function tasks.on_end(fn)
  local list = at_end[current]
  if not list then
    list = {}
    at_end[current] = list
  end
  list[#list + 1] = fn
end

-- ---- Waiting -------------------------------------------------------------------------------

-- Names of the C functions of Lua's library, for messages. Made when the first one is needed.
local function library_name(fn)
  for module, content in pairs(package.loaded) do
    if type(content) == "table" and type(module) == "string" then
      for name, value in pairs(content) do
        if value == fn then return module == "_G" and name or module .. "." .. tostring(name) end
      end
    end
  end
end

local passes = { [pcall] = true, [xpcall] = true, [resume] = true, [error] = true }

-- What is between here and the coroutine's resume that cannot be yielded across.
local function obstacle()
  for level = 2, math.huge do
    local info = debug.getinfo(level, "Sfn")
    if not info then return "here" end
    if info.what == "C" and not passes[info.func] then
      return "inside " .. (library_name(info.func) or info.name or "a C function")
    end
  end
end

-- Raise an error if the running code cannot wait.
function tasks.check_can_wait()
  if not current then
    core.raise("cannot wait here: this code is not part of a handler")
  elseif tasks.ending then
    core.raise("cannot wait in on_end: nothing is traced any more")
  elseif not isyieldable() then
    core.raise("cannot wait " .. obstacle())
  end
end

local function delivered(problem, ...)
  if problem == nil then return ... end
  if core.is_gone(problem) then problem.where = core.where() end
  error(problem, 0)
end

-- Wait until somebody wakes the running task; returns what they pass on. Call check_can_wait()
-- first, before anybody is told whom to wake.
function tasks.wait()
  return delivered(raw_yield(WAIT))
end

-- End the running code for good.
function tasks.exit()
  if current and isyieldable() then raw_yield(EXIT) end
  error(EXIT, 0)
end

-- ---- Coroutines of scripts -----------------------------------------------------------------

local waiting = setmetatable({}, { __mode = "k" }) -- coroutines with a task that waits in them

-- coroutine.resume has returned in a script's coroutine `co`: hand what a script may see to the
-- script, and pass the tokens on to who understands them.
local passed

local function woken(co, ...)
  waiting[co] = nil
  return passed(co, resume(co, ...))
end

function passed(co, ok, token, ...)
  if not ok or (token ~= WAIT and token ~= EXIT) then return ok, token, ... end
  if token == EXIT then
    if raw_close then raw_close(co) end
    tasks.exit()
  end
  if not isyieldable() then
    return passed(co, resume(co, core.where() .. "cannot wait " .. obstacle()))
  end
  waiting[co] = true
  return woken(co, raw_yield(WAIT))
end

local function script_resume(co, ...)
  if waiting[co] then return false, "cannot resume non-suspended coroutine" end
  return passed(co, resume(co, ...))
end

local function unwrapped(co, ok, ...)
  if ok then return ... end
  local e = ...
  if raw_close and raw_status(co) == "suspended" then raw_close(co) end
  error(e, type(e) == "string" and 2 or 0)
end

local function script_wrap(fn)
  local co = raw_create(fn)
  return function(...) return unwrapped(co, script_resume(co, ...)) end
end

local function script_status(co)
  return waiting[co] and "normal" or raw_status(co)
end

local function script_close(co)
  if waiting[co] then error("cannot close a normal coroutine", 2) end
  return raw_close(co)
end

-- Put these in the place of Lua's own, for scripts and all libraries that they load.
function tasks.install()
  coroutine.resume, coroutine.wrap = script_resume, script_wrap
  coroutine.status = script_status
  if raw_close then coroutine.close = script_close end
end

return tasks
