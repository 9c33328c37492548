-- t:step() and its kin: threads that run for so long, and the tasks that wait until they have.
--
-- The engine has a thread step for one purpose at a time. Tasks that only count instructions share
-- it; others wait until those before them are done.

local core = require "luatrace.core"
local functions = require "luatrace.functions"
local hooks = require "luatrace.hooks"
local locations = require "luatrace.locations"
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"
local turns = require "luatrace.turns"
local wait = require "luatrace.wait"

local steps = {}

-- By thread: { how = what the engine was asked for, waiters = list of { task, left, awaited },
-- later = list of the same with `how` }
local stepping = {}

local asked = {} -- by thread: the function that says when to stop, and what went wrong in it

-- ---- Asking the engine ---------------------------------------------------------------------

local function is_count(how)
  return next(how) == "count" and next(how, "count") == nil
end

-- The tasks that count have `done` instructions less to go; ask for what is left of the shortest.
local function ask_again(t, state, done)
  local least
  for _, waiter in ipairs(state.waiters) do
    waiter.left = waiter.left - done
    if not least or waiter.left < least then least = waiter.left end
  end
  return core.step(t, { count = least })
end

-- Join those who count already.
local function join(t, state, waiter)
  local on, done = core.stepping(t)
  if not on then done = 0 end
  core.step_cancel(t)
  waiter.left = waiter.left + done
  table.insert(state.waiters, waiter)
  return ask_again(t, state, done)
end

-- Whoever waits where nothing else is to be looked at is with the thread's object (quick.c): a
-- second one makes it one of several.
local function state_of(t)
  local task, count = core.take_stepper(t)
  if task then
    stepping[t] = { how = { count = count }, later = {},
      waiters = { { task = task, left = count, awaited = "it had stepped" } } }
  end
  return stepping[t]
end

local function begin(t, how, waiter)
  local state = state_of(t)
  if not state then
    local ok, message, code = core.step(t, how)
    if not ok then return nil, message, code end
    stepping[t] = { how = how, waiters = { waiter }, later = {} }
    asked[t] = waiter.fn
    return true
  end
  if is_count(how) and is_count(state.how) and not state.later[1] then
    return join(t, state, waiter)
  end
  waiter.how = how
  table.insert(state.later, waiter)
  return true
end

-- Why it stopped and the number of instructions; or nil, a message and a code.
local function outcome(why, count, awaited)
  if why == "lost" then
    return nil, "ECANCELED: exec has replaced the program before " .. awaited, "ECANCELED"
  elseif why == "failed" then
    return nil, "EFAULT: there is no code at that address any more", "EFAULT"
  end
  return why, count
end

-- Let t run as `how` says (see core.step) and wait for that; `awaited` is for the error if t ends
-- before. Returns why it stopped, and the number of instructions; or nil, a message and a code.
function steps.run(t, how, awaited, fn)
  core.check_live(t)
  tasks.check_can_wait()
  subscribe.forever("thread-exit")
  core.quick_leaves()
  local waiter = { task = tasks.current(), left = how.count, awaited = awaited, fn = fn }
  how.asks = fn ~= nil or nil
  local ok, message, code = begin(t, how, waiter)
  if not ok then return nil, message, code end
  core.watch(t)
  local why, count = wait.wait_for(t)
  if waiter.problem then error(waiter.problem, 0) end
  return outcome(why, count, awaited)
end

-- ---- Answers -------------------------------------------------------------------------------

-- Those who waited for others are next.
local function begin_later(t, state)
  stepping[t], asked[t] = nil, nil
  for i, waiter in ipairs(state.later) do
    local how = waiter.how
    waiter.how = nil
    local ok, message, code = begin(t, how, waiter)
    if not ok then turns.run(t, tasks.wake, waiter.task, nil, message, code) end
    if stepping[t] and i == 1 then stepping[t].later = stepping[t].later or {} end
  end
end

-- The engine has done what it was asked for.
function steps.stepped(t, why, count)
  local state = state_of(t)
  if not state then return end
  local finished, rest = {}, {}
  for _, waiter in ipairs(state.waiters) do
    local over = why ~= "count" or not waiter.left or waiter.left <= count
    table.insert(over and finished or rest, waiter)
  end
  state.waiters = rest
  if rest[1] then
    ask_again(t, state, count)
  else
    begin_later(t, state)
  end
  for _, waiter in ipairs(finished) do turns.run(t, tasks.wake, waiter.task, why, count) end
end

core.step_until(function(t)
  local fn, state = asked[t], stepping[t]
  if not fn then return true end
  local ok, answer = tasks.ask(fn, t)
  if ok then return answer end
  state.waiters[1].problem = answer
  return true
end)

wait.on_thread_gone(function(t)
  local state = state_of(t)
  stepping[t], asked[t] = nil, nil
  for _, list in ipairs { state and state.waiters or {}, state and state.later or {} } do
    for _, waiter in ipairs(list) do
      tasks.throw(waiter.task, wait.gone(t, waiter.awaited))
    end
  end
end)

-- ---- Where to ------------------------------------------------------------------------------

local function count_of(n, what)
  if n == nil then return 1 end
  if type(n) ~= "number" or n < 1 or n ~= math.floor(n) then
    core.raise(what .. " needs a number of steps: 1 or more")
  end
  return n
end

local MOST_PLACES = 8

-- The addresses that `where` stands for in the process of t; or nil, a message and a code.
local function addresses(t, where)
  local spec = locations.parse(where)
  local places, message, code = locations.resolve(t.process, spec)
  if not places then return nil, message .. locations.hint(t.process, spec), code end
  if #places > MOST_PLACES then
    return nil, ("E2BIG: '%s' is at %d addresses; a thread can run to one of %d"):format(spec.label,
      #places, MOST_PLACES), "E2BIG"
  end
  local list = {}
  for i, place in ipairs(places) do
    list[i] = place.addr
    if place.indirect then
      local addr
      addr, message, code = functions.address(t, spec.label)
      if not addr then return nil, message, code end
      list[i] = addr
    end
  end
  return list
end

local function describe(where)
  if type(where) == "number" then return ("reaching %#x"):format(where) end
  if type(where) == "string" then return "reaching " .. where end
  return "its condition held"
end

-- ---- Instructions --------------------------------------------------------------------------

local Thread = core.methods.thread

-- What a method returns after a run: the new program counter, or nil, a message and a code.
local function arrived(t, why, ...)
  if not why then return nil, ... end
  return t.pc
end

local quick_step = core.quick_step

local function stepped(t, problem, why, count)
  if problem == nil and why == true then return t.pc end
  if problem == nil then return arrived(t, outcome(why, count, "it had stepped")) end
  if problem ~= true then tasks.raise(problem) end
  return arrived(t, steps.run(t, { count = count_of(count, "t:step") }, "it had stepped"))
end

-- Run n instructions. What is usual is done in quick.c.
function Thread.step(t, n)
  return stepped(t, quick_step(t, n))
end

local function check_options(options, known)
  for key in pairs(options) do
    if not known[key] then
      core.raise(("run_until: there is no option '%s'; there are limit and over"):format(
        tostring(key)))
    end
  end
  return options
end

-- Run to a place, or until a function of t, called after each instruction, says true.
function Thread.run_until(t, where, options)
  options = check_options(options or {}, { limit = true, over = true })
  local limit = options.limit and count_of(options.limit, "run_until: limit")
  local how, fn = { count = limit, over = options.over }, nil
  core.check_live(t)
  if type(where) == "function" then
    fn = where
  else
    local message, code
    how.at, message, code = addresses(t, where)
    if not how.at then return nil, message, code end
  end
  local why, message, code = steps.run(t, how, describe(where), fn)
  if why == "count" then
    return nil, ("ETIME: %d instructions have been run before %s"):format(limit, describe(where)),
      "ETIME"
  end
  return arrived(t, why, message, code)
end

-- ---- Functions -----------------------------------------------------------------------------

-- Where the function that t is in returns to, and the stack pointer then; or nil, a message and a
-- code.
local function caller_of(t)
  local frames, message, code = core.stack(t, 2, false)
  if code == "EBUSY" then
    core.raise(("thread %d is running; only a stopped thread can finish a function"):format(t.tid))
  elseif not frames then
    return nil, message, code
  end
  local frame = frames[2]
  if not frame then
    return nil, "ENOENT: nothing is known of a caller of the function", "ENOENT"
  end
  return frame.pc, frame.sp
end

local function run_to(t, pc, sp, awaited)
  return steps.run(t, { at = { pc }, sp = sp - 1 }, awaited)
end

-- Run until the function has returned.
function Thread.finish(t)
  core.check_live(t)
  local pc, sp, code = caller_of(t)
  if not pc then return nil, sp, code end
  return arrived(t, run_to(t, pc, sp, "the function had returned"))
end

-- ---- Lines ---------------------------------------------------------------------------------

local function same_line(a, b)
  return a.line == b.line and a.file == b.file and a.name == b.name
end

local function line_at(t, pc)
  local line = core.line_at(t, pc)
  return line and line.line and line
end

-- Whether the code of a line begins at pc, and it does not go on there.
local function begins(t, pc, line)
  local before = line_at(t, pc - 1)
  return not before or not same_line(before, line)
end

-- A function of t for steps.run: has it come to another line than `from`, or where none is known?
local function leaves(from)
  return function(t)
    local pc = t.pc
    local line = line_at(t, pc)
    return not line or (not same_line(line, from) and begins(t, pc, line))
  end
end

-- t has just called a function: where that returns to.
local function return_address(t)
  if t.abi == "i386" then return t.mem:u32(t.sp), t.sp + 4 end
  return t.mem:u64(t.sp), t.sp + 8
end

-- One source line: over the functions that it calls, or into those whose lines are known.
local function step_line(t, over)
  local from = line_at(t, t.pc)
  if not from then return steps.run(t, { count = 1, over = over }, "it had stepped") end
  local bottom = t.sp
  while true do
    local why, message, code = steps.run(t, { over = over }, "the end of its line", leaves(from))
    if not why then return nil, message, code end
    local pc = t.pc
    local line = line_at(t, pc)
    if line and not over then -- the prologue of a function belongs to the step into it
      local after = core.after_prologue(t, pc)
      if after and after ~= pc then return run_to(t, after, 0, "the end of its prologue") end
    end
    if line or over or t.sp >= bottom then return true end
    local back, sp = return_address(t)
    why, message, code = run_to(t, back, sp, "a function without lines had returned")
    if not why then return nil, message, code end
    local now = line_at(t, t.pc)
    if now and not same_line(now, from) and begins(t, t.pc, now) then return true end
  end
end

local function step_lines(t, n, over)
  core.check_live(t)
  for _ = 1, n do
    local ok, message, code = step_line(t, over)
    if not ok then return nil, message, code end
  end
  return t.pc
end

-- Run n source lines, or instructions where no lines are known; functions that are called count as
-- a part of them.
function Thread.next(t, n)
  return step_lines(t, count_of(n, "t:next"), true)
end

-- The same, into functions whose lines are known.
function Thread.stepline(t, n)
  return step_lines(t, count_of(n, "t:stepline"), false)
end

-- ---- Processes -----------------------------------------------------------------------------

local arrivals = {} -- by process: list of { task, awaited, handler }

local on_break = hooks.functions("luatrace.steps").on_break

-- Let the process run until one of its threads comes to a place; returns that thread.
function core.methods.process.run_until(p, where)
  core.check_live(p)
  if type(where) == "function" then
    core.raise("p:run_until needs a place; t:run_until takes a function")
  end
  tasks.check_can_wait()
  local one = { task = tasks.current(), awaited = describe(where) }
  one.handler = on_break(where, { once = true, process = p }, function(t)
    for i, other in ipairs(arrivals[p] or {}) do
      if other == one then table.remove(arrivals[p], i) end
    end
    return tasks.wake(one.task, t)
  end)
  arrivals[p] = arrivals[p] or {}
  table.insert(arrivals[p], one)
  core.watch(p)
  return wait.wait_for_process(p)
end

wait.on_process_gone(function(p)
  local list = arrivals[p]
  arrivals[p] = nil
  for _, one in ipairs(list or {}) do
    one.handler:remove()
    tasks.throw(one.task, wait.process_lost(p, one.awaited))
  end
end)

return steps
