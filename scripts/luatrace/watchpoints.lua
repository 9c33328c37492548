-- Watchpoints: on_watch and p:watch, and what happens in Lua when memory that is watched is used.
--
-- A name is looked up in each process that is traced, again when it runs another program, and in
-- what it loads. The engine gives each watched area a number, under which a forked child has it
-- too.

local core = require "luatrace.core"
local errors = require "luatrace.errors"
local hooks = require "luatrace.hooks"
local locations = require "luatrace.locations"
local modules = require "luatrace.modules"
local nearest = require("luatrace.lazy").nearest
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"
local turns = require "luatrace.turns"

local watchpoints = {}

local handlers = {} -- list, in order of registration; replaced, never changed
local by_number = {} -- by number of the engine: { handler, uses = how many processes have it }
local numbers = {} -- by process: by handler: number
local MODES = { w = 1, rw = 2, x = 3 }

-- ---- In one process ------------------------------------------------------------------------

local function labels_of(p)
  local list = {}
  for handler in pairs(numbers[p] or {}) do list[#list + 1] = handler.label end
  table.sort(list)
  return table.concat(list, ", ")
end

local function note(handler, p, number)
  numbers[p] = numbers[p] or {}
  numbers[p][handler] = number
  local one = by_number[number]
  if one then
    one.uses = one.uses + 1
  else
    by_number[number] = { handler = handler, uses = 1 }
  end
end

local function drop(p, number)
  local one = by_number[number]
  one.uses = one.uses - 1
  if one.uses == 0 then by_number[number] = nil end
  core.watchpoint_remove(p, number)
end

-- Returns true, or nil, a message and a code.
local function arm(handler, p, addr, size)
  local number, message, code = core.watchpoint_add(p, addr, size or 1, MODES[handler.mode],
    handler.software)
  if code == "ENOSPC" then
    message = message .. "; they watch " .. labels_of(p)
  end
  if not number then return nil, message, code end
  handler.resolved = true
  note(handler, p, number)
  return true
end

-- ---- Names ---------------------------------------------------------------------------------

-- Address and size of a variable; or nil, a message and a code.
local function find(p, name)
  if core.variable_place then
    local addr, size = core.variable_place(p, name)
    if addr then return addr, size end
  end
  local list, message, code = core.symbols(p, name, 64)
  if not list then return nil, message, code end
  local best
  for _, symbol in ipairs(list) do
    local better = not best or (best.kind ~= "object" and symbol.kind == "object")
      or (best.is_local and not symbol.is_local and symbol.kind == best.kind)
    if symbol.name and better then best = symbol end
  end
  if not best then return nil, ("ENOENT: there is no variable '%s'"):format(name), "ENOENT" end
  return best.addr, best.size
end

local function place(handler, p)
  local what = handler.what
  if type(what) == "number" then return what, handler.size end
  local addr, size, code = find(p, what)
  if not addr then return nil, size, code end
  return addr, handler.size or size
end

local function check_size(handler, size)
  if handler.mode == "x" or (size and size > 0) then return true end
  return nil, ("EINVAL: nobody knows how large '%s' is; say { size = 4 }"):format(handler.label),
    "EINVAL"
end

-- Watch it in this process, if it is there. Returns true, or nil, a message and a code.
local function resolve(handler, p)
  if handler.removed or (numbers[p] and numbers[p][handler]) then return true end
  if handler.process and handler.process ~= p then return true end
  local addr, size, code = place(handler, p)
  if not addr then return nil, size, code end
  local ok, message
  ok, message, code = check_size(handler, size)
  if ok then ok, message, code = arm(handler, p, addr, size) end
  return ok, message, code
end

local function resolve_or_warn(handler, p)
  local ok, message, code = resolve(handler, p)
  if not ok and code ~= "ENOENT" and code ~= "ESRCH" and not handler.told then
    handler.told = true
    core.warn(("on_watch: %s: %s"):format(handler.label, message))
  end
end

-- ---- What happens to processes -------------------------------------------------------------

local copies = { fork = true, vfork = true, clone = true }

function watchpoints.started(p)
  if not handlers[1] or copies[p.kind] then return end
  for _, handler in ipairs(handlers) do resolve_or_warn(handler, p) end
end

local function forget(p)
  local own = numbers[p]
  numbers[p] = nil
  for _, number in pairs(own or {}) do drop(p, number) end
end

watchpoints.process_gone = forget

-- It runs another program: addresses mean nothing any more, names may.
function watchpoints.executed(p)
  forget(p)
  for _, handler in ipairs(handlers) do
    if type(handler.what) == "string" then resolve_or_warn(handler, p) end
  end
end

-- A forked child has a copy of all.
function watchpoints.cloned(t, child)
  if not child.alive or not copies[child.kind] then return end
  local p, from = child.process, numbers[t.process]
  if p == t.process or not from or numbers[p] then return end
  for handler, number in pairs(from) do note(handler, p, number) end
end

local function loaded(p)
  for _, handler in ipairs(handlers) do
    if type(handler.what) == "string" then resolve_or_warn(handler, p) end
  end
end

-- ---- Hits ----------------------------------------------------------------------------------

local Watch = {}
local handlers_of = setmetatable({}, { __mode = "k" }) -- by what a handler gets: the handler

function Watch:__index(key)
  if key == "where" then
    local t = self.thread
    if not t.alive then return nil end
    local at = self.mode == "x" and self.pc or self.pc - 1 -- it is past the instruction
    return modules.where(t.process, at)
  end
  return Watch[key]
end

-- Watch it no longer.
function Watch:remove()
  local handler = handlers_of[self]
  if handler then handler:remove() end
end

function Watch:__tostring()
  if self.mode == "x" then return ("%s is run at %#x"):format(self.name, self.addr) end
  return ("%s: %d -> %d at %#x"):format(self.name, self.old, self.new, self.pc)
end

local function call(handler, t, w)
  if handler.removed or errors.over then return end
  handler.count = handler.count + 1
  if handler.fn then tasks.start(handler.fn, t, w) end
end

-- The `size` bytes as a signed number, where the script wants that.
local function signed(value, size)
  if size >= 8 then return value end
  local limit = 2 ^ (8 * size - 1)
  return value >= limit and value - math.floor(2 * limit) or value
end

function watchpoints.hit(t, number, addr, pc, old, new, size)
  local one = by_number[number]
  if not one then return end
  local handler = one.handler
  if handler.signed then old, new = signed(old, size), signed(new, size) end
  local w = setmetatable({ thread = t, name = handler.label, mode = handler.mode, addr = addr,
    pc = pc, old = old, new = new, size = size }, Watch)
  handlers_of[w] = handler
  turns.run(t, call, handler, t, w)
  local defined = hooks.handlers("watch")
  for i = 1, #defined do turns.run(t, call, defined[i], t, w) end
  return w
end

-- ---- Handles -------------------------------------------------------------------------------

local Handle = {}
Handle.__index = Handle

-- Watch it no longer, in any process.
function Handle:remove()
  if self.removed then return end
  self.removed = true
  local rest = {}
  for _, handler in ipairs(handlers) do
    if handler ~= self then rest[#rest + 1] = handler end
  end
  handlers = rest
  for p, own in pairs(numbers) do
    local number = own[self]
    own[self] = nil
    if number then drop(p, number) end
  end
  subscribe.kind("watch", false)
end

function Handle:__tostring()
  return ("on_watch(\"%s\", \"%s\"): %d hit%s%s"):format(self.label, self.mode, self.count,
    self.count == 1 and "" or "s", self.removed and ", removed" or "")
end

-- ---- Registering ---------------------------------------------------------------------------

local known_options = { size = "number", software = "boolean", signed = "boolean" }

local function take_options(handler, options)
  for name, value in pairs(options) do
    local wanted = known_options[name]
    if not wanted then
      core.raise(("on_watch: there is no option '%s'%s"):format(tostring(name),
        nearest(tostring(name), { "size", "software", "signed" })))
    elseif type(value) ~= wanted then
      core.raise(("on_watch: %s is a %s, not a %s"):format(name, wanted, type(value)))
    end
    handler[name] = value
  end
end

-- What follows the name or address, in any order: a size, a mode, options, a function.
local function take(handler, value)
  if type(value) == "number" then
    handler.size = value
  elseif type(value) == "string" then
    if not MODES[value] then
        core.raise(("on_watch: there is no mode '%s'; there are w, rw and x"):format(value))
    end
    handler.mode = value
  elseif type(value) == "table" then
    take_options(handler, value)
  elseif type(value) == "function" then
    handler.fn = value
  elseif value ~= nil then
    core.raise("on_watch cannot do anything with a " .. type(value))
  end
end

local function make(owner, what, ...)
  if (type(what) ~= "string" or what == "") and type(what) ~= "number" then
    core.raise("on_watch needs the name of a variable or an address")
  elseif type(what) == "number" and not locations.is_integer(what) then
    core.raise("on_watch: an address is an integer")
  end
  local handler = setmetatable({ kind = "watch", owner = owner, what = what, mode = "w",
    count = 0, removed = false }, Handle)
  handler.label = type(what) == "number" and ("%#x"):format(what) or what
  for i = 1, select("#", ...) do take(handler, (select(i, ...))) end
  local size = handler.size
  if size and (size < 1 or size > 4096 or size ~= math.floor(size)) then
    core.raise("on_watch: size is a number of bytes from 1 to 4096")
  elseif type(what) == "number" and not size and handler.mode ~= "x" then
    core.raise("on_watch: an address needs a size, such as { size = 4 }")
  elseif handler.software and handler.mode ~= "w" then
    core.raise("on_watch: software watches for changes only: its mode is \"w\"")
  end
  return handler
end

local listening = false

local function add(handler)
  local list = {}
  for i = 1, #handlers do list[i] = handlers[i] end
  list[#list + 1] = handler
  handlers = list
  subscribe.kind("watch", true)
  hooks.any = true
  if listening then return end
  listening = true
  subscribe.forever("exec")
  subscribe.forever("clone")
  modules.on_change(loaded)
end

-- on_watch(what, [mode], [options], fn)
hooks.add("watch", function(owner, ...)
  local handler = make(owner, ...)
  if not handler.fn then core.raise("on_watch needs a function as its last argument") end
  add(handler)
  for _, p in ipairs(core.processes()) do resolve_or_warn(handler, p) end
  return handler
end)

-- p:watch(what, [size], [mode], [options], [fn])
function core.methods.process.watch(p, ...)
  core.check_live(p)
  local handler = make("p:watch", ...)
  handler.process = p
  add(handler)
  local ok, message, code = resolve(handler, p)
  if ok then return handler end
  handler:remove()
  return nil, message, code
end

-- ---- The end -------------------------------------------------------------------------------

-- Handlers that never ran.
function watchpoints.misses()
  for _, handler in ipairs(handlers) do
    if handler.count == 0 and not handler.process and not handler.told then
      local what = not handler.resolved and "was never found" or handler.mode == "x"
        and "was never run" or handler.mode == "w" and "was never written" or "was never used"
      core.warn(("on_watch: '%s' %s"):format(handler.label, what))
    end
  end
end

return watchpoints
