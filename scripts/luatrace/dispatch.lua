-- Dispatch: what happens in Lua at each record of the engine. hook.c calls one function for each
-- kind; it answers whether the thread is to be held.
--
-- The order at a stop: whoever waits for the end of the call, then the handlers as they were
-- registered, then other waiters and loops.

local core = require "luatrace.core"
local errors = require "luatrace.errors"
local hooks = require "luatrace.hooks"
local holds = require "luatrace.holds"
local lazy = require "luatrace.lazy"
local quiet = require "luatrace.quiet"
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"
local turns = require "luatrace.turns"
local wait = require "luatrace.wait"

local breaks = lazy.breaks
local emulate = lazy.emulate
local frames = lazy.frames
local launch = lazy.launch
local listeners = lazy.listeners
local modules = lazy.modules
local objects = lazy.objects
local remote = lazy.remote
local select = lazy.select
local steps = lazy.steps
local streams = lazy.streams
local watchpoints = lazy.watchpoints

local dispatch = {
  started = false, -- a program has come under control
  start_failed = nil, -- called as (p, errno) if a program cannot run that no task waits for
}

local on = {}

-- ---- Handlers ------------------------------------------------------------------------------

local function call_handler(handler, a, b)
  if handler.removed or errors.over then return end
  handler.count = handler.count + 1
  tasks.start(handler.fn, a, b)
end

-- `at` is the thread that stands still for the handlers; false for one that is gone.
local function call_all(at, kind, a, b)
  local list = hooks.handlers(kind)
  for i = 1, #list do turns.run(at, call_handler, list[i], a, b) end
end

-- on_stop handlers for this kind of record.
local function call_stop_handlers(t, kind, at)
  local list = hooks.handlers("stop")
  if not list[1] then return end
  local stop
  for i = 1, #list do
    local handler = list[i]
    if handler.stops == true or handler.stops[kind] then
      stop = stop or objects.stop()
      turns.run(at, call_handler, handler, t, stop)
    end
  end
end

local function offer(t, kind, what, name)
  if t.alive then listeners.offer(t, t.process, name, kind, what) end
end

-- What comes after the handlers of a hook. `at` is t, or false where t makes no calls for us.
local function tell_listeners(at, t, kind, what, name)
  call_stop_handlers(t, kind, at)
  if listeners.any(t) and t.alive then turns.run(at, offer, t, kind, what, name) end
end

local function begin(t)
  holds.hooked = t
  listeners.next_turn()
  turns.begin(t)
end

local function finish(t)
  holds.hooked = nil
  quiet.look()
  return holds.is_held(t)
end

quiet.begin = begin
local rest = {} -- by kind: what comes after the handlers of a stop that was quiet at first

-- ---- System calls --------------------------------------------------------------------------

-- Tests that run the script's code are part of the handler.
local function ask_and_call(handler, tests, t, call)
  if not select.passes_asked(tests, t) then return end
  handler.count = handler.count + 1
  return handler.fn(t, call)
end

-- Returns the call's object, made when the first handler needs it.
local function call_entry_handler(entry, t, call)
  local handler, tests = entry.handler, entry.tests
  if handler.removed or errors.over or not select.passes(tests, t) then return call end
  call = call or core.call(t)
  if tests.ask then
    tasks.start(function() return ask_and_call(handler, tests, t, call) end)
  else
    handler.count = handler.count + 1
    tasks.start(handler.fn, t, call)
  end
  return call
end

local function offer_entry(t, call, abi, nr)
  if t.alive then
    listeners.offer(t, t.process, "syscall", "syscall-entry", call or core.call(t), abi, nr)
  end
end

local function end_entry(t, abi, nr, call)
  call_stop_handlers(t, "syscall-entry", t)
  if emulate.any then turns.run(t, emulate.entry, t, call) end
  if listeners.any(t) and t.alive then turns.run(t, offer_entry, t, call, abi, nr) end
  return finish(t)
end

on["syscall-entry"] = function(t, abi, nr)
  begin(t)
  local list, call = hooks.calls(abi, nr), nil
  for i = 1, #list do call = turns.run(t, call_entry_handler, list[i], t, call) or call end
  return end_entry(t, abi, nr, call)
end

rest["syscall-entry"] = end_entry

rest["syscall-exit"] = function(t)
  tell_listeners(t, t, "syscall-exit")
  return finish(t)
end

on["syscall-exit"] = function(t)
  begin(t)
  wait.call_left(t)
  return rest["syscall-exit"](t)
end

-- ---- Programs that run without the privileges of their files ------------------------------

local told = {} -- by path

-- The kernel ignores set-uid under a tracer that is no superuser: whoever wonders why the program
-- fails must be told.
local function check_privilege(p)
  local path, what = core.lost_privilege(p)
  if path and not told[path] then
    told[path] = true
    core.warn(("%s is %s, but it runs without that privilege under a tracer; "
      .. "to trace it as it is, run luatrace as root"):format(path, what))
  end
end

if not core.superuser then subscribe.forever("exec") end

-- ---- Other stops ---------------------------------------------------------------------------

on.signal = function(t, number)
  begin(t)
  local list, sig = hooks.handlers("signal"), nil
  for i = 1, #list do
    local handler = list[i]
    if handler.signals == true or handler.signals[number] then
      sig = sig or objects.signal(t, number)
      turns.run(t, call_handler, handler, t, sig)
    end
  end
  if listeners.any(t) and t.alive then sig = sig or objects.signal(t, number) end
  tell_listeners(t, t, "signal", sig, "signal")
  return finish(t)
end

-- The modules of t's process may have changed.
local function tell_modules(t, afresh)
  local p = t.process
  local new = modules.changed(p, t, afresh)
  for _, module in ipairs(new) do call_all(t, "load", p, module) end
end

on.load = function(t)
  begin(t)
  tell_modules(t)
  tell_listeners(t, t, "load")
  return finish(t)
end

on.clone = function(t, child)
  begin(t)
  emulate.cloned(t, child)
  if child.alive then modules.inherited(child.process, t.process) end
  watchpoints.cloned(t, child)
  call_all(t, "clone", t, child)
  tell_listeners(t, t, "clone", child, "clone")
  return finish(t)
end

on.exec = function(t, former_tid)
  begin(t)
  if not core.superuser then check_privilege(t.process) end
  breaks.forget(t.process)
  call_all(t, "exec", t, former_tid)
  tell_modules(t, true)
  breaks.executed(t.process)
  watchpoints.executed(t.process)
  tell_listeners(t, t, "exec", former_tid, "exec")
  return finish(t)
end

-- Stops that only on_stop and { stop = … } can ask for.
local function plain_stop(kind)
  on[kind] = function(t)
    begin(t)
    tell_listeners(kind ~= "exiting" and t, t, kind)
    return finish(t)
  end
end

for _, kind in ipairs { "birth", "vfork-done", "interrupt", "group-stop", "continue", "exiting" } do
  plain_stop(kind)
end

-- ---- Breakpoints ---------------------------------------------------------------------------

-- Nobody has waited for the break before its handlers ran.
rest["break"] = function(t)
  call_stop_handlers(t, "break", t)
  return finish(t)
end

on["break"] = function(t, id, seq)
  begin(t)
  local f = breaks.hit(t, id, seq)
  tell_listeners(t, t, "break", f, "break")
  return finish(t)
end

rest["return"] = function(t)
  tell_listeners(t, t, "return")
  return finish(t)
end

on["return"] = function(t, number, lost, addr)
  begin(t)
  frames.returned(t, number, lost, addr)
  return rest["return"](t)
end

-- ---- What threads do for us ----------------------------------------------------------------

on["function-done"] = function(t, ...)
  return on["remote-done"](t, ...)
end

on["remote-done"] = function(t, ...)
  holds.hooked = t
  remote.done(t, ...)
  turns.go_on(t)
  return finish(t)
end

-- ---- Steps and watchpoints -----------------------------------------------------------------

function rest.stepped(t)
  tell_listeners(t, t, "stepped")
  return finish(t)
end

on.stepped = function(t, why, count)
  begin(t)
  steps.stepped(t, why, count)
  return rest.stepped(t)
end

on.watch = function(t, ...)
  begin(t)
  local w = watchpoints.hit(t, ...)
  tell_listeners(t, t, "watch", w, "watch")
  return finish(t)
end

-- ---- Beginnings and ends -------------------------------------------------------------------

on.start = function(p, t)
  begin(t)
  dispatch.started = true
  if not core.superuser and p.kind == "launched" then check_privilege(p) end
  if errors.verbose then
    errors.note("process %d: %s: %s", p.pid, p.kind, table.concat(p.cmdline, " "))
  end
  call_all(t, "start", p)
  tell_modules(t, true)
  breaks.started(p)
  watchpoints.started(p)
  tell_listeners(t, t, "start")
  turns.run(t, wait.started, p, t)
  return finish(t)
end

on["spawn-failed"] = function(p, t, errno, step)
  begin(t)
  local failure = { launch.failure(errno, step) }
  if not wait.start_failed(p, failure[1], failure[2], failure[3]) then
    dispatch.start_failed(errno)
  end
  return finish(t)
end

on["thread-exit"] = function(t, code, signo, dumped, known)
  begin(t)
  local status = objects.status(code, signo, dumped, known)
  call_all(false, "thread_exit", t, status)
  call_stop_handlers(t, "thread-exit")
  if listeners.any(t) then
    listeners.offer(t, t.process, "thread_exit", "thread-exit", status)
  end
  wait.thread_gone(t)
  return finish(t)
end

on["process-exit"] = function(p, t, code, signo, dumped, known)
  begin(t)
  local status = objects.status(code, signo, dumped, known)
  if errors.verbose then errors.note("process %d: %s", p.pid, tostring(status)) end
  streams.process_gone(p)
  breaks.forget(p)
  watchpoints.process_gone(p)
  call_all(false, "exit", p, status)
  call_stop_handlers(t, "process-exit")
  if listeners.any(t) then listeners.offer(t, p, "exit", "process-exit", status) end
  wait.process_gone(p, status)
  return finish(t)
end


core.dispatch(on)
core.rest(rest)

return dispatch
