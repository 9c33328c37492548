-- Processes whose system calls a script answers: p:emulate(fn) and call:pass(). And what answering
-- a call takes, which virtual.lua uses as well.

local core = require "luatrace.core"
local holds = require "luatrace.holds"
local quiet = require "luatrace.quiet"
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"
local wait = require "luatrace.wait"

local emulate = {
  any = false, -- p:emulate was called
}

quiet.when(function() return not emulate.any end)

-- ---- Answering -----------------------------------------------------------------------------

-- Keep t stopped until the running task has ended, or the function that is returned is called.
function emulate.hold(t)
  local held = true
  holds.add(t)
  local function drop()
    if held then
      held = false
      holds.drop(t)
    end
  end
  tasks.on_end(drop)
  return drop
end

-- A script's answer as the number that the program is to see: an integer, true (0), or nil and the
-- name of an error; nil, a message and a name will do, as call:leave() and io.open return them.
-- Returns nil where there is no answer at all. `who` is for messages.
function emulate.result(who, value, problem, code)
  if value == true then return 0 end
  if value ~= nil then
    if type(value) == "number" and value % 1 == 0 then return math.floor(value) end
    core.raise(("%s answers an integer, or nil and the name of an error, not a %s"):format(
      who, type(value)))
  end
  if problem == nil and code == nil then return nil end
  local name = code or problem
  local number = type(name) == "number" and name or type(name) == "string" and core.errno(name)
  if not number then
    core.raise(("%s: there is no error '%s'"):format(who, tostring(name)))
  end
  return -number
end

-- Let the kernel make the call, as it is now, and wait for its result, which is returned as by
-- call:leave(). `drop` gives up the hold on the thread.
function emulate.run(call, drop)
  if not call.done then core.leave(call) end
  drop()
  return call:leave()
end

-- ---- p:emulate(fn) -------------------------------------------------------------------------

local emulators = setmetatable({}, { __mode = "k" }) -- by process: fn
local serving = {} -- by task: { call =, drop = } while an emulator's function runs

-- Every call of the process and of its children is answered by fn(t, call); nil: by the kernel
-- again.
function core.methods.process.emulate(p, fn)
  core.check_live(p)
  if fn ~= nil and type(fn) ~= "function" then
    core.raise("p:emulate needs a function that answers calls, or nil, not a " .. type(fn))
  end
  subscribe.forever("clone")
  quiet.disturb()
  emulate.any = true
  emulators[p] = fn
  core.emulate(p, fn ~= nil)
end

-- t has made a child: its calls are answered as those of its creator.
function emulate.cloned(t, child)
  local fn = emulate.any and emulators[t.process]
  if fn and child.alive then emulators[child.process] = fn end
end

local leave = wait.leave

-- The kernel makes the call after all; returns what call:leave() does.
function core.methods.call.pass(call)
  tasks.check_can_wait()
  if call.done then return core.result(call) end
  local served = serving[tasks.current()]
  core.leave(call)
  core.pass(call)
  if not served then return leave(call) end
  served.drop()
  local t = core.call_thread(call)
  local function held_again(...)
    if t.alive then served.drop = emulate.hold(t) end
    return ...
  end
  return held_again(leave(call))
end

-- In an emulator's function there is nothing else that a call could run in.
function wait.leave(call)
  local served = serving[tasks.current()]
  if served and not call.done and core.emulated(core.call_thread(call)) then return call:pass() end
  return leave(call)
end

local function conclude(t, call, ...)
  local ret = emulate.result("the function of p:emulate", ...)
  if not ret or not t.alive then return end
  if call.done then
    if call.ret ~= ret then call.ret = ret end
  else
    core.answer(call, ret)
  end
end

local function end_serving(task) serving[task] = nil end

local function serve(t, call)
  local task = tasks.current()
  serving[task] = { call = call, drop = emulate.hold(t) }
  tasks.on_end(end_serving)
  return conclude(t, call, emulators[t.process](t, call))
end

-- Nobody but the kernel can end a signal handler, or go on with a call that a stop interrupted.
local only_kernel = { rt_sigreturn = true, sigreturn = true, restart_syscall = true }

-- t is about to make a call; the handlers of it have run.
function emulate.entry(t, call)
  if not t.alive or not core.emulated(t) then return end
  call = call or core.call(t)
  if only_kernel[call.name] then
    core.pass(call)
  elseif emulators[t.process] then
    tasks.start(serve, t, call)
  end
end

return emulate
