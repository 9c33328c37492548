-- Tasks: the coroutines in which the code of scripts runs.
--
-- Every handler, and the main chunk, runs as a task. A task waits by yielding WAIT, a token that
-- nobody else has, to whoever resumed it, and is woken by `wake` or `throw`. A script may have
-- coroutines of its own inside a task: the versions of coroutine.resume and wrap below pass the
-- token outwards, so that waiting works in them as well.
--
-- tasks.c runs them, and keeps those that have finished for the next functions.

local core = require "luatrace.core"
local errors = require "luatrace.errors"

local resume, raw_yield, wake = core.resume, coroutine.yield, core.wake
local raw_create = coroutine.create
local raw_status, raw_close, isyieldable = coroutine.status, coroutine.close, coroutine.isyieldable

local WAIT, EXIT = {}, errors.EXIT

local tasks = {
  main = nil, -- the main chunk's task while it lives
  ending = false, -- nothing can be waited for any more: on_end runs
  -- Run fn(a, b) as a task until it has finished or waits.
  start = core.start,
  -- The task that runs.
  current = core.current,
  -- Call fn(a), which cannot wait; returns true and what it returns, or false and what went wrong.
  ask = core.ask,
}

local at_end = {} -- by task: what to call when it has ended, however that was

-- ---- Running -------------------------------------------------------------------------------

local function ended(task)
  if task == tasks.main then tasks.main = nil end
  local clean_up = at_end[task]
  if clean_up then
    at_end[task] = nil
    core.ending(task, false)
    for i = #clean_up, 1, -1 do clean_up[i](task) end
  end
end

-- A task has come to an end that is not usual, or has yielded something else than WAIT.
core.settle(WAIT, function(task, how, value)
  local was_main = task == tasks.main
  ended(task)
  if how == "failed" then
    errors.failed(task, value, was_main)
  elseif value == EXIT then
    if raw_close then raw_close(task) end
  elseif how == "yielded" then
    errors.failed(task, "coroutine.yield was called outside of a coroutine that the script made",
      was_main)
  end
end)

-- The same for the main chunk: its errors always end the run.
function tasks.start_main(fn)
  tasks.start(function()
    tasks.main = tasks.current()
    tasks.on_end(function() end)
    return fn()
  end)
end

-- Let a waiting task go on: its wait returns the values, or raises the problem.
function tasks.wake(task, ...)
  return wake(task, nil, ...)
end

function tasks.throw(task, problem)
  return wake(task, problem)
end

-- Call fn(task) when the running task has ended.
function tasks.on_end(fn)
  local task = tasks.current()
  local list = at_end[task]
  if not list then
    list = {}
    at_end[task] = list
    core.ending(task, true)
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
  if not tasks.current() then
    core.raise("cannot wait here: this code is not part of a handler")
  elseif tasks.ending then
    core.raise("cannot wait in on_end: nothing is traced any more")
  elseif not isyieldable() then
    core.raise("cannot wait " .. obstacle())
  end
end

-- Raise what a task got instead of what it waited for.
function tasks.raise(problem)
  if core.is_gone(problem) then problem.where = core.where() end
  error(problem, 0)
end

local function delivered(problem, ...)
  if problem == nil then return ... end
  tasks.raise(problem)
end

-- Wait until somebody wakes the running task; returns what they pass on. Call check_can_wait()
-- first, before anybody is told whom to wake.
function tasks.wait()
  return delivered(raw_yield(WAIT))
end

-- End the running code for good.
function tasks.exit()
  if tasks.current() and isyieldable() then raw_yield(EXIT) end
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
