-- The run as a whole: scripts, then what they want traced, then the end. loop.c calls these four
-- functions.

local core = require "luatrace.core"
local dispatch = require "luatrace.dispatch"
local errors = require "luatrace.errors"
local hooks = require "luatrace.hooks"
local lazy = require "luatrace.lazy"
local library = require "luatrace.library"
local loading = require "luatrace.loading"
local targets = require "luatrace.targets"
local tasks = require "luatrace.tasks"
local wait = require "luatrace.wait"
require "luatrace"

local breaks = lazy.breaks
local events = lazy.events
local misses = lazy.misses
local streams = lazy.streams
local timers = lazy.timers

local main = {}

dispatch.start_failed = targets.start_failed

-- ---- The main chunk ------------------------------------------------------------------------

-- arg and ... are as lua(1) has them.
local function run_chunk(chunk, name, words)
  arg = { [0] = name }
  for i, word in ipairs(words) do arg[i] = word end
  chunk((table.unpack or unpack)(words))
end

-- -l MODULE or -l NAME=MODULE
local function load_module(text)
  local name, module = text:match("^([%a_][%w_]*)=(.+)$")
  module = module or text
  _G[name or module] = require(module)
end

local function run_scripts(options)
  for i, step in ipairs(options.steps) do
    if step.module then
      load_module(step.module)
    else
      run_chunk(loading.code(step.code, "-e " .. i), "-e", options.words)
    end
  end
  if options.script then
    run_chunk(loading.script(options.script), options.script, options.words)
  end
end

-- A script that only registers handlers wants what the command line names to run.
local function run_what_is_left()
  if targets.started or wait.started_own then return end
  if targets.any() then
    targets.run()
  elseif hooks.any then
    error(errors.plain("there is nothing to trace: name a program or give -p PID"), 0)
  end
end

-- Begin: run the scripts as the main task until it waits or has ended.
function main.start(options)
  errors.go_on, errors.verbose = options.go_on, options.verbose
  library.install()
  loading.install()
  targets.set(options)
  tasks.start_main(function()
    if options.output then library.set_output(options.output) end
    run_scripts(options)
    run_what_is_left()
  end)
end

-- ---- While it runs -------------------------------------------------------------------------

-- Time has passed; a descriptor can be read or written.
function main.timers(...) return timers.fire(...) end
function main.ready(...) return streams.ready(...) end

-- Nothing is traced any more. Returns whether there is again, or something else is waited for:
-- whoever waited for this goes on.
function main.idle()
  targets.wake_runners()
  events.finish_all()
  if not core.traced() and (timers.awaited() or streams.awaited()) then return true end
  if not core.traced() and tasks.main then
    tasks.throw(tasks.main, errors.plain("the script waits, but nothing is traced any more"))
  end
  return core.traced()
end

-- Threads or processes are gone without a record.
main.sweep = wait.sweep

-- ---- The end -------------------------------------------------------------------------------

-- Nothing is traced any more and nothing will be.
function main.finish()
  local complete = not errors.over
  tasks.ending = true
  for _, handler in ipairs(hooks.handlers("end")) do
    handler.count = handler.count + 1
    tasks.start(handler.fn)
  end
  if complete and dispatch.started and hooks.any then
    misses.report()
    breaks.misses()
  end
  library.close_output()
end

return main
