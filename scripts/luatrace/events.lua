-- p:events{…} and luatrace.events{…}: events as the turns of a loop.
--
-- The thread of an event stays stopped while the body of the loop runs. What comes in while the
-- body waits for something else is queued, its thread held.

local core = require "luatrace.core"
local conditions = require "luatrace.conditions"
local holds = require "luatrace.holds"
local listeners = require "luatrace.listeners"
local quiet = require "luatrace.quiet"
local tasks = require "luatrace.tasks"

local events = {}

local Stream = {}
Stream.__index = Stream

local bodies = {} -- by task: the streams whose loops it runs

quiet.when(function() return next(bodies) == nil end)

-- ---- The thread that the body looks at -----------------------------------------------------

local function release_body(stream)
  local t = stream.body
  stream.body = nil
  if t then holds.drop(t) end
end

-- The running task waits for something that t must run for: t leaves the body. Returns what to call
-- with the thread that is stopped for it then; or nil.
function events.leave_body(t)
  local list = bodies[tasks.current()]
  for _, stream in ipairs(list or {}) do
    if stream.body == t then
      release_body(stream)
      return function(now)
        if not stream.closed and now.alive then
          stream.body = now
          holds.add(now)
        end
      end
    end
  end
end

-- The running task waits for everything: nothing that it holds may stay stopped.
function events.release_all()
  for _, stream in ipairs(bodies[tasks.current()] or {}) do release_body(stream) end
  holds.drop_fresh(tasks.current())
end

-- ---- What comes in -------------------------------------------------------------------------

-- An event that the stream is for. An end cannot be held, and neither can a process.
function Stream:deliver(t, p, key, what)
  local held = key ~= "exit" and t or nil
  if held then holds.add(held) end
  local event = { first = key == "exit" and p or t, key = key, what = what, held = held }
  local task = self.waiting
  if not task then
    self.last = self.last + 1
    self.queue[self.last] = event
    return
  end
  self.waiting = nil
  tasks.wake(task, event)
end

-- No more events will come.
function Stream:finish()
  self.finished = true
  local task = self.waiting
  if task then
    self.waiting = nil
    tasks.wake(task, nil)
  end
end

-- ---- The loop ------------------------------------------------------------------------------

local function take(stream)
  local at = stream.from
  local event = stream.queue[at]
  if event then
    stream.queue[at] = nil
    stream.from = at + 1
  end
  return event
end

local function close(stream)
  if stream.closed then return end
  stream.closed = true
  stream.condition:subscribe(false)
  listeners.remove_stream(stream)
  release_body(stream)
  for event in take, stream do
    if event.held then holds.drop(event.held) end
  end
end

local function close_all(task)
  local list = bodies[task]
  bodies[task] = nil
  for _, stream in ipairs(list or {}) do close(stream) end
  holds.drop_fresh(task)
end

-- The running task calls run(). LuaJIT does not close the fourth value of a loop: one that was left
-- early is noticed here, or when the task ends.
function events.leave_loops()
  local list = not coroutine.close and bodies[tasks.current()]
  for _, stream in ipairs(list or {}) do close(stream) end
end

-- The stream is heard from its first turn on.
local function open(stream)
  stream.opened = true
  stream.condition:subscribe(true)
  listeners.add_stream(stream)
  local task = tasks.current()
  if not bodies[task] then
    quiet.disturb()
    bodies[task] = {}
    tasks.on_end(close_all)
  end
  table.insert(bodies[task], stream)
end

local function next_event(stream)
  if stream.closed then return nil end
  tasks.check_can_wait()
  if not stream.opened then
    open(stream)
    if stream.prepare then stream.prepare() end
  end
  release_body(stream)
  holds.drop_fresh(tasks.current())
  local event = take(stream)
  if not event and not stream.finished then
    stream.waiting = tasks.current()
    event = tasks.wait()
  end
  if not event then
    close(stream)
    return nil
  end
  stream.body = event.held
  return event.first, event.key, event.what
end

-- `process` nil: of everything. `prepare` is called before the first wait.
function events.stream(process, what, prepare)
  local stream = setmetatable({
    process = process,
    condition = conditions.compile(what, "events"),
    prepare = prepare,
    queue = {}, from = 1, last = 0,
    waiting = nil, -- the task that waits for the next event
    body = nil, -- the thread that the loop's body looks at
    opened = false, finished = false, closed = false,
  }, Stream)
  -- Lua 5.4 closes the fourth value when the loop is left early.
  local guard = setmetatable({}, { __close = function() close(stream) end })
  return next_event, stream, nil, guard
end

-- Nothing is traced any more.
function events.finish_all()
  for _, stream in ipairs(listeners.streams()) do stream:finish() end
end

function core.methods.process.events(p, what)
  core.check_live(p)
  return events.stream(p, what)
end

return events
