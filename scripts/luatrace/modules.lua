-- p:modules(), p:symbols(), t:where(), and on_load: what a process has mapped as code.

local core = require "luatrace.core"
local subscribe = require "luatrace.subscribe"

local modules = {
  lines = nil, -- set by lines.lua: called as (p, where), adds file, line and column to it
}

setmetatable(modules, { __index = function(_, key)
  if key ~= "lines" then return nil end
  require "luatrace.lines"
  return rawget(modules, key)
end })

local SYMBOLS_MAX = 100000 -- in one list

-- ---- Modules -------------------------------------------------------------------------------

local Module = {}
local owners = setmetatable({}, { __mode = "k" }) -- by module: its process

-- Whether it has debug information takes reading the file: only if somebody asks.
function Module:__index(key)
  if key ~= "has_debug" then return nil end
  local p = owners[self]
  local has = p and p.alive and core.module_has_debug(p, self.from) or false
  rawset(self, key, has)
  return has
end

function Module:__tostring()
  return ("%s %#x-%#x"):format(self.name, self.from, self.to)
end

-- Returns nil, a message and a code if they cannot be listed.
local function list_of(p)
  local list, message, code = core.modules(p)
  if not list then return nil, message, code end
  for _, module in ipairs(list) do
    owners[module] = p
    setmetatable(module, Module)
  end
  return list
end

function core.methods.process.modules(p)
  core.check_live(p)
  return list_of(p)
end

-- ---- Symbols -------------------------------------------------------------------------------

-- The symbols that match "glob" or "module glob:glob", in order of modules and addresses; `more` in
-- the list tells that it was cut.
function core.methods.process.symbols(p, pattern)
  if pattern == nil then pattern = "*" end
  if type(pattern) ~= "string" then
    core.raise("p:symbols needs a name or a pattern such as 'str*' or 'libc.so.6:mem*'")
  end
  core.check_live(p)
  local list, more, code = core.symbols(p, pattern, SYMBOLS_MAX)
  if not list then return nil, more, code end
  if more then list.more = true end
  return list
end

-- ---- Places --------------------------------------------------------------------------------

local Where = {}
local line_fields = { file = true, line = true, column = true, inlined = true }
-- By place: its process, until its lines were asked for.
local places = setmetatable({}, { __mode = "k" })

-- Lines are read when they are first asked for.
function Where:__index(key)
  local p = line_fields[key] and places[self]
  if not p then return nil end
  places[self] = nil
  if modules.lines and p.alive then modules.lines(p, self) end
  return rawget(self, key)
end

local function plus(text, offset)
  return offset == 0 and text or ("%s+%#x"):format(text, offset)
end

function Where:__tostring()
  if self.name then return ("%s (%s)"):format(plus(self.name, self.offset), self.module) end
  if self.module then return plus(self.module, self.offset) end
  return ("%#x"):format(self.addr)
end

-- What is at an address: a table with addr, and where they are known name, offset (from the name's
-- address, or into the file where there is no name), module and bias.
function modules.where(p, addr)
  local where = { addr = addr }
  local symbol = core.symbol_at(p, addr)
  if symbol then
    where.module, where.bias = symbol.module, symbol.bias
    where.name, where.raw, where.kind = symbol.name, symbol.raw, symbol.kind
    where.offset = addr - (symbol.addr or symbol.bias)
  end
  places[where] = p
  return setmetatable(where, Where)
end

local function check_address(addr, what)
  if type(addr) ~= "number" then core.raise(what .. " needs an address") end
end

function core.methods.thread.where(t, addr)
  core.check_live(t)
  if addr == nil then addr = t.pc end
  check_address(addr, "t:where")
  return modules.where(t.process, addr)
end

function core.methods.process.where(p, addr)
  core.check_live(p)
  check_address(addr, "p:where")
  return modules.where(p, addr)
end

-- ---- Changes -------------------------------------------------------------------------------

local known = setmetatable({}, { __mode = "k" }) -- by process: its modules, by address and file
local listeners = {}
local watching = false -- somebody wants to know

local function key_of(module)
  return ("%x:%d"):format(module.from, module.file)
end

-- What is new and what is gone since the last time. `afresh`: all of it is new.
local function difference(p, afresh)
  local new, gone, now = {}, {}, {}
  local before = not afresh and known[p] or {}
  for _, module in ipairs(list_of(p) or {}) do
    local key = key_of(module)
    now[key] = before[key] or module
    if not before[key] then new[#new + 1] = module end
  end
  for key, module in pairs(before) do
    if not now[key] then gone[#gone + 1] = module end
  end
  table.sort(gone, function(a, b) return a.from < b.from end)
  known[p] = now
  return new, gone
end

-- From now on: what is there already is not new.
function modules.watch()
  if watching then return end
  watching = true
  subscribe.forever("load")
  for _, p in ipairs(core.processes()) do difference(p, true) end
end

-- Call fn(p, t, new, gone) whenever modules of a process came or went: lists of modules. t stands
-- still for it.
function modules.on_change(fn)
  modules.watch()
  listeners[#listeners + 1] = fn
end

-- The modules of p may have changed; `afresh`: it runs a program that was not known before. Returns
-- the list of those that are new.
function modules.changed(p, t, afresh)
  if not watching then return {} end
  local new, gone = difference(p, afresh)
  if new[1] or gone[1] then
    for _, fn in ipairs(listeners) do fn(p, t, new, gone) end
  end
  return new
end

-- A child begins with what its creator has.
function modules.inherited(child, parent)
  if watching and child ~= parent then known[child] = known[parent] end
end

return modules
