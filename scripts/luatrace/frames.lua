-- f: a function that a thread has stopped in, as handlers of on_break and on_call get it.
--
-- What the thread has is read when a script looks at it. Once the thread has run on, only what was
-- looked at before still answers, besides name, module, addr and the like.

local core = require "luatrace.core"
local locations = require "luatrace.locations"
local nearest = require("luatrace.lazy").nearest
local quiet = require "luatrace.quiet"
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"
local turns = require "luatrace.turns"
local wait = require "luatrace.wait"

local frames = {
  describe = nil, -- breaks.lua: fills in name, module, file and line of an address
  caller = nil, -- where a function returns to, for a thread inside it; see backtrace.lua
  named = nil, -- variables.lua: an argument by its name; assigns if there is a fourth argument
  locals = nil, -- variables.lua: the object behind f.locals
}

local parts = { describe = "luatrace.breaks", named = "luatrace.variables",
  locals = "luatrace.variables" }

-- They are loaded when they are needed.
setmetatable(frames, { __index = function(_, key)
  if not parts[key] then return nil end
  require(parts[key])
  return rawget(frames, key)
end })

local KEPT = 6 -- arguments that still answer after f:leave()

-- What a frame knows of itself besides its fields: `kept` (arguments), `number` (of its return),
-- `left` (number of the stop after f:leave()), `kind` and `value` (of its result), `skipped` and
-- `lost`.
local get, set = rawget, rawset

-- ---- Arguments -----------------------------------------------------------------------------

local FRAME = {} -- key of the frame in its args
local Args = {}

local function check_position(key)
  if not locations.is_integer(key) then
    core.raise("the arguments of a function are counted from 1")
  end
end

local function pc_of(t) return t.pc end

-- The thread does not stand where it was. If it was killed there, that is what there is to say.
local function check_not_killed(t)
  local ok, problem = pcall(pc_of, t)
  if not ok and core.is_gone(problem) then error(problem, 0) end
end

local function over(f)
  check_not_killed(f.thread)
  core.raise(("this frame is over: thread %d has run on; look at its arguments before f:leave()")
    :format(f.thread.tid))
end

function Args:__index(key)
  local f = self[FRAME]
  if type(key) ~= "number" then
    if not frames.named then core.raise("the arguments of a function are counted from 1") end
    return frames.named(f, key)
  end
  check_position(key)
  local kept = get(f, "kept")
  kept = kept and kept[key]
  if kept ~= nil then return kept end
  if not f.entry then
    core.raise(("%s is not at its first instruction: its arguments have names, but no places")
      :format(tostring(f)))
  end
  if not core.stands(f.thread, f.seq) then over(f) end
  return core.function_arg(f.thread, f.seq, key)
end

function Args:__newindex(key, value)
  local f = self[FRAME]
  if type(key) ~= "number" then
    if not frames.named then core.raise("the arguments of a function are counted from 1") end
    frames.named(f, key, true, value)
    return
  end
  check_position(key)
  if not f.entry then
    core.raise(("%s is not at its first instruction: assign to its variables by name")
      :format(tostring(f)))
  end
  core.function_set_arg(f.thread, f.seq, key, value)
end

function Args:__tostring()
  return "arguments of " .. tostring(self[FRAME])
end

-- ---- Fields --------------------------------------------------------------------------------

local Frame = {}
local methods = {}
local fields = {}

function fields.args(f) return setmetatable({ [FRAME] = f }, Args) end

function fields.name(f) return frames.describe(f.thread, f.site).name end
function fields.module(f) return frames.describe(f.thread, f.site).module end
function fields.file(f) return frames.describe(f.thread, f.site).file end
function fields.line(f) return frames.describe(f.thread, f.site).line end
function fields.addr(f) return f.site.addr end

-- Where no symbol tells, the stack does: at a function's first instruction it has nothing but the
-- return address.
local function looks_like_entry(t)
  local pc, sp = frames.caller(t)
  return pc ~= nil and sp == t.sp + (t.abi == "i386" and 4 or 8)
end

function fields.entry(f)
  local site, t = f.site, f.thread
  if site.entry == nil then frames.describe(t, site) end
  if not site.entry and not site.name and not site.looked and core.stands(t, f.seq) then
    site.looked = true
    site.entry = looks_like_entry(t)
  end
  return site.entry
end

-- Where it returns to, and the stack pointer after that; nil, message, code.
local function back(f)
  if get(f, "back_pc") then return get(f, "back_pc"), get(f, "back_sp") end
  if not core.stands(f.thread, f.seq) then over(f) end
  local pc, sp, code
  if f.entry then
    pc, sp, code = core.function_back(f.thread, f.seq)
  elseif frames.caller then
    pc, sp, code = frames.caller(f.thread)
  else
    core.raise(("%s is not at its first instruction: where it returns to is not known")
      :format(tostring(f)))
  end
  if pc then
    set(f, "back_pc", pc)
    set(f, "back_sp", sp)
  end
  return pc, sp, code
end
frames.back = back

local Caller = {}

function Caller:__index(key)
  if key ~= "name" and key ~= "module" and key ~= "file" and key ~= "line" then return nil end
  local about = frames.describe(rawget(self, "thread"), { addr = self.pc, call = true })
  return about[key]
end

-- nil where the stack has no return address.
function fields.caller(f)
  local pc = back(f)
  return pc and setmetatable({ pc = pc, thread = f.thread }, Caller)
end

-- Registers belong to a stop: before the function, or after f:leave().
local function regs(f)
  local t = f.thread
  local later = get(f, "left")
  if not core.stands(t, f.seq) and not (later and core.stands(t, later)) then
    core.raise(("this frame is over: thread %d has run on"):format(t.tid))
  end
  return t.regs
end

local names = { "name", "module", "addr", "file", "line", "args", "regs", "locals", "caller",
  "thread", "ret", "leave", "skip" }

function Frame:__index(key)
  local field = fields[key]
  if field then
    local value = field(self)
    set(self, key, value)
    return value
  end
  if methods[key] then return methods[key] end
  if key == "regs" then return regs(self) end
  if key == "locals" then
    if not frames.locals then core.raise("there is no debug information") end
    return frames.locals(self)
  end
  if key == "ret" then return get(self, "value") end
  core.raise(("a frame has no field '%s'%s"):format(tostring(key),
    type(key) == "string" and nearest(key, names) or ""))
end

-- f.ret = value after f:leave(): what the program gets.
function Frame:__newindex(key, value)
  if key ~= "ret" then
    core.raise(("field '%s' of a frame cannot be assigned; f.args and f.locals have what can be, "
      .. "and f.ret after f:leave()"):format(tostring(key)))
  end
  local seq = get(self, "left")
  if not seq then
    core.raise("the function has no result yet; f:skip(value) gives it one without running it, and "
      .. "after f:leave() its result can be assigned")
  end
  core.function_set_result(self.thread, seq, value, get(self, "kind"))
  set(self, "value", value)
end

function Frame:__tostring()
  local site = self.site
  local name = site.name or frames.describe(self.thread, site).name
  return name or ("%#x"):format(site.addr)
end

-- seq: core.seq of the stop
function frames.new(t, site, seq)
  return setmetatable({ thread = t, site = site, seq = seq }, Frame)
end

-- ---- f:leave() -----------------------------------------------------------------------------

local waiting = {} -- by number of the return: the task that waits for it, or a list of tasks
local owners = {} -- by thread: how many of its tasks wait; by process: those of its goroutines
local processes = setmetatable({}, { __mode = "k" }) -- by process that is in `owners`: its number
local threads = {} -- by number: the thread, or the process

quiet.when(function() return next(waiting) == nil end)

local function add_waiter(number, t, task)
  quiet.disturb()
  local other = waiting[number]
  if not other then
    waiting[number] = task
    threads[number] = t
    owners[t] = (owners[t] or 0) + 1
  elseif type(other) == "table" then
    other[#other + 1] = task
  else
    waiting[number] = { other, task }
  end
end

local function take_waiters(number)
  local waiter, t = waiting[number], threads[number]
  waiting[number], threads[number] = nil, nil
  if t then owners[t] = owners[t] > 1 and owners[t] - 1 or nil end
  return waiter
end

local LOST = "ECANCELED: the function was left without returning (longjmp, an exception, exec)"

-- The value of the result of the function, which has just returned in thread `t`.
local function result(f, t, kind)
  local value, message, code = core.function_result(t, kind)
  if value == nil then return nil, message, code end
  if kind == "string" then
    if value == 0 then return nil end
    value, message = t.mem:str(value)
    if not value then return nil, message, "EFAULT" end
  end
  set(f, "value", value)
  return value
end

local function left(f, kind, t, lost, addr)
  set(f, "back_pc", addr)
  set(f, "thread", t) -- a goroutine may have gone to another
  if lost then
    set(f, "lost", true)
    return nil, LOST, "ECANCELED"
  end
  set(f, "left", core.seq(t))
  set(f, "kind", kind)
  return result(f, t, kind)
end

-- Another handler has skipped the function, or it was waited for already.
local function over_already(f, kind)
  if get(f, "lost") then return nil, LOST, "ECANCELED" end
  local same = get(f, "skipped") or get(f, "kind") == kind
  if same or not core.stands(f.thread, get(f, "left")) then return get(f, "value") end
  return result(f, f.thread, kind)
end

local function keep_arguments(f)
  if get(f, "kept") then return end
  set(f, "kept", core.function_args(f.thread, f.seq, KEPT))
end

local function ask(f)
  local t = f.thread
  if not core.stands(t, f.seq) then
    check_not_killed(t)
    core.raise(("too late to wait for this function: thread %d has run on"):format(t.tid))
  end
  if f.entry then
    keep_arguments(f)
    return core.return_watch(t, f.seq)
  end
  local pc, sp, code = back(f)
  if not pc then return nil, sp, code end
  return core.return_watch_at(t, f.seq, pc, sp)
end

-- Let the function run. Returns its result when it has returned, as the C type that is named
-- ("int", "uint", "int64", "ptr", "double", "float", "bool", "string", "void"; an integer by
-- default); or nil, a message and "ECANCELED" if it was left by longjmp or an exception.
function methods.leave(f, kind)
  core.check_result(kind)
  tasks.check_can_wait()
  if get(f, "skipped") or get(f, "left") or get(f, "lost") then return over_already(f, kind) end
  local number = get(f, "number")
  if not number then
    local moves, code
    number, moves, code = ask(f)
    if not number then return nil, moves, code end
    set(f, "number", number)
    set(f, "moves", moves)
  end
  if not get(f, "moves") and core.quick_return(f.thread, number) then
    return left(f, kind, tasks.wait())
  end
  subscribe.forever("thread-exit")
  core.quick_leaves()
  local t, owner = f.thread, f.thread
  if get(f, "moves") then
    owner = t.process
    processes[owner] = t.pid
  end
  add_waiter(number, owner, tasks.current())
  return left(f, kind, wait.wait_for(t, true))
end

-- A function has returned in t to this address, or was left without that.
function frames.returned(t, number, lost, addr)
  local waiter = take_waiters(number)
  local first = core.take_returner(t, number)
  if first and waiter then
    waiter = type(waiter) == "table" and waiter or { waiter }
    table.insert(waiter, 1, first)
  end
  waiter = waiter or first
  if type(waiter) ~= "table" then
    if waiter then turns.run(t, tasks.wake, waiter, t, lost, addr) end
    return
  end
  for i = #waiter, 1, -1 do turns.run(t, tasks.wake, waiter[i], t, lost, addr) end
end

-- A thread is gone, or a process.
local function throw_returner(t)
  local task = core.take_returner(t)
  if task then tasks.throw(task, wait.gone(t, "its function returned")) end
end

local function gone(t, tid)
  if not owners[t] then return end
  local numbers = {}
  for number, owner in pairs(threads) do
    if owner == t then numbers[#numbers + 1] = number end
  end
  table.sort(numbers)
  for i = #numbers, 1, -1 do
    local waiter = take_waiters(numbers[i])
    for _, task in ipairs(type(waiter) == "table" and waiter or { waiter }) do
      tasks.throw(task, wait.gone({ tid = tid }, "its function returned"))
    end
  end
end

function frames.thread_gone(t)
  gone(t, t.tid)
  throw_returner(t)
end


function frames.process_gone(p) gone(p, p.pid) end

-- Some threads are gone without a record.
function frames.sweep()
  local lost = {}
  for t in pairs(owners) do
    if not t.alive then lost[#lost + 1] = t end
  end
  for _, t in ipairs(lost) do gone(t, processes[t] or t.tid) end
end

-- ---- f:skip() ------------------------------------------------------------------------------

-- The function is not run: it returns `value`, 0 by default, as the type `kind`, at once.
function methods.skip(f, value, kind)
  if value == nil then value = 0 end
  if not f.entry then
    core.raise(("%s is not at its first instruction: it is too late to skip it"):format(
      tostring(f)))
  end
  keep_arguments(f)
  core.function_skip(f.thread, f.seq, value, kind)
  set(f, "skipped", true)
  set(f, "value", value)
end

return frames
