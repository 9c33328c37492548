-- Variables by name: t:locals(), t:var(), p:var(), p.vars, t:cast(), t:typeof().
--
-- variables.param() and variables.locals() are for frames (frames.lua).

local core = require "luatrace.core"
local nearest = require "luatrace.nearest"
local types = require "luatrace.types"
local values = require "luatrace.values"
require "luatrace.values_text"

local variables = {}

local Thread, Process = core.methods.thread, core.methods.process

-- ---- One variable --------------------------------------------------------------------------

-- A variable that was found: its scope, its position there, and what is known of it.
local function find(list, name, wanted)
  for i, variable in ipairs(list) do
    if variable.name == name and (not wanted or variable[wanted]) then return i, variable end
  end
end

local function read(t, scope, at, variable)
  local where, message, code = core.scope_locate(t, scope, at)
  if not where then return nil, message, code end
  local type
  type, message, code = types.get(t, variable.type_file, variable.type_where)
  if not type then return nil, message, code end
  return values.read(t, type, where, 0)
end

-- Raises what goes wrong: an assignment has no other way to say so.
local function assign(t, scope, at, variable, value)
  local where, message = core.scope_locate(t, scope, at)
  if not where then core.raise(message) end
  local type
  type, message = types.get(t, variable.type_file, variable.type_where)
  if not type then core.raise(message) end
  values.assign(t, type, where, 0, nil, value)
end

-- ---- Locals --------------------------------------------------------------------------------

local THREAD, SCOPE, LIST = {}, {}, {}
local Locals = { __metatable = "locals" }

local function unknown(t, list, name)
  local names = {}
  for i, variable in ipairs(list) do names[i] = variable.name end
  for _, near in ipairs(core.near_globals(t, name)) do names[#names + 1] = near end
  return ("ENOENT: there is no variable '%s' here%s"):format(core.escape(name),
    nearest(name, names)), "ENOENT"
end

local function check_name(name)
  if type(name) ~= "string" then core.raise("the name of a variable expected, got " .. type(name)) end
end

function Locals.__index(locals, name)
  check_name(name)
  local t, list = rawget(locals, THREAD), rawget(locals, LIST)
  local at, variable = find(list, name)
  if not at then core.raise((unknown(t, list, name))) end
  return (read(t, rawget(locals, SCOPE), at, variable))
end

function Locals.__newindex(locals, name, value)
  check_name(name)
  local t, list = rawget(locals, THREAD), rawget(locals, LIST)
  local at, variable = find(list, name)
  if not at then core.raise((unknown(t, list, name))) end
  assign(t, rawget(locals, SCOPE), at, variable, value)
end

-- Innermost first; what an inner one hides is left out. The value is nil where there is none.
function Locals.__pairs(locals)
  local t, scope, list = rawget(locals, THREAD), rawget(locals, SCOPE), rawget(locals, LIST)
  local at, seen = 0, {}
  return function()
    repeat at = at + 1 until not list[at] or (list[at].name ~= "" and not seen[list[at].name])
    local variable = list[at]
    if not variable then return nil end
    seen[variable.name] = true
    return variable.name, (read(t, scope, at, variable))
  end
end

function Locals.__tostring(locals)
  local names, seen = {}, {}
  for _, variable in ipairs(rawget(locals, LIST)) do
    if not seen[variable.name] then names[#names + 1] = variable.name end
    seen[variable.name] = true
  end
  return core.escape("locals: " .. table.concat(names, ", "))
end

-- The parameters and variables that can be named in a frame of a stopped thread (0: the innermost);
-- nil, a message and a code.
function variables.locals(t, frame)
  local scope, message, code = core.scope(t, frame or 0)
  if not scope then return nil, message, code end
  return setmetatable({ [THREAD] = t, [SCOPE] = scope, [LIST] = core.scope_list(scope) }, Locals)
end

function Thread.locals(t, frame)
  if frame ~= nil and type(frame) ~= "number" then
    core.raise("t:locals: the number of a frame expected, got " .. type(frame))
  end
  return variables.locals(t, frame)
end

-- The value of a parameter of the function that the frame is of; nil, a message and a code, ENOENT
-- if it has no such parameter.
function variables.param(t, name, frame)
  local scope, message, code = core.scope(t, frame or 0)
  if not scope then return nil, message, code end
  local list = core.scope_list(scope)
  local at, variable = find(list, name, "parameter")
  if at then return read(t, scope, at, variable) end
  local names = {}
  for _, one in ipairs(list) do
    if one.parameter then names[#names + 1] = one.name end
  end
  return nil, ("ENOENT: the function has no parameter '%s'%s"):format(core.escape(name),
    nearest(name, names)), "ENOENT"
end

-- Assign to it. True, or nil, a message and a code where there is no such parameter.
function variables.set_param(t, name, value, frame)
  local scope, message, code = core.scope(t, frame or 0)
  if not scope then return nil, message, code end
  local at, variable = find(core.scope_list(scope), name, "parameter")
  if not at then
    return nil, ("ENOENT: the function has no parameter '%s'"):format(core.escape(name)), "ENOENT"
  end
  assign(t, scope, at, variable, value)
  return true
end

-- ---- By name -------------------------------------------------------------------------------

-- Returns scope, position, variable; or nil, a message and a code. `only_global`: no locals.
local function look_up(t, name, only_global)
  local list = {}
  if not only_global then
    local scope = core.scope(t, 0)
    if scope then
      list = core.scope_list(scope)
      local at, variable = find(list, name)
      if at then return scope, at, variable end
    end
  end
  local scope, message, code = core.global(t, name)
  if scope then return scope, 1, core.scope_list(scope)[1] end
  if code == "ENOENT" then message, code = unknown(t, list, name) end
  return nil, message, code
end

local function get(t, name, only_global)
  local scope, at, variable = look_up(t, name, only_global)
  if not scope then return nil, at, variable end
  return read(t, scope, at, variable)
end

local function set(t, name, value, only_global)
  local scope, at, variable = look_up(t, name, only_global)
  if not scope then return nil, at, variable end
  assign(t, scope, at, variable, value)
  return true
end

function Thread.var(t, name)
  core.check_live(t)
  check_name(name)
  return get(t, name)
end

function Thread.set(t, name, value)
  core.check_live(t)
  check_name(name)
  return set(t, name, value)
end

-- Memory belongs to the process, but only a thread that stands still can be asked for it.
local function stopped_thread(p, what)
  core.check_live(p)
  for _, t in ipairs(p:threads()) do
    if core.is_stopped(t) then return t end
  end
  core.raise(("%s: no thread of process %d is stopped"):format(what, p.pid))
end

function Process.var(p, name)
  check_name(name)
  return get(stopped_thread(p, "p:var"), name, true)
end

function Process.set(p, name, value)
  check_name(name)
  return set(stopped_thread(p, "p:set"), name, value, true)
end

local Vars = { __metatable = "vars" }

function Vars.__index(vars, name)
  check_name(name)
  local value, message, code = get(stopped_thread(rawget(vars, THREAD), "p.vars"), name, true)
  if value == nil and code == "ENOENT" then core.raise(message) end
  return value
end

function Vars.__newindex(vars, name, value)
  check_name(name)
  local done, message = set(stopped_thread(rawget(vars, THREAD), "p.vars"), name, value, true)
  if not done then core.raise(message) end
end

core.set_vars(function(p) return setmetatable({ [THREAD] = p }, Vars) end)

-- ---- Types ---------------------------------------------------------------------------------

-- The object of a type at an address, or a pointer.
function Thread.cast(t, name, addr)
  core.check_live(t)
  if type(name) ~= "string" then core.raise("t:cast: the name of a type expected") end
  if values.is_value(addr) then addr = values.address_of(addr) end
  if type(addr) ~= "number" then
    core.raise("t:cast: an address or a pointer expected, got " .. type(addr))
  end
  local found, message, code = types.parse(t, name)
  if not found then return nil, message, code end
  return values.cast(t, found, core.bit.bor(addr, 0))
end

local function describe_parts(t, plain)
  local list = {}
  for i, part in ipairs(plain.parts) do
    local entry = { name = part.name ~= "" and part.name or nil }
    if plain.kind == "enum" then
      entry.value = part.value
    elseif part.value then
      entry.offset, entry.bit = core.bit.rshift(part.value, 3), part.value % 8
      entry.bits = part.bits
    end
    if plain.kind ~= "enum" then entry.type = types.name(t, types.part_type(t, plain, part)) end
    list[i] = entry
  end
  return list
end

-- What a type is: a table with name, kind, size, and members, values, length or target.
function Thread.typeof(t, name)
  core.check_live(t)
  local found, message, code
  if type(name) == "string" then
    found, message, code = types.parse(t, name)
  elseif values.is_value(name) then
    found = select(2, values.open(name))
  else
    core.raise("t:typeof: the name of a type, or a value, expected")
  end
  if not found then return nil, message, code end
  local plain
  plain, message, code = types.plain(t, found)
  if not plain then return nil, message, code end
  local described = { name = types.name(t, found), kind = plain.kind,
    size = types.size(t, plain) }
  if types.is_aggregate(plain) then described.members = describe_parts(t, plain) end
  if plain.kind == "enum" then described.values = describe_parts(t, plain) end
  if plain.kind == "array" then described.length = types.length(plain) end
  if plain.kind == "array" or plain.kind == "pointer" then
    local target = plain.kind == "array" and types.element(t, plain) or types.target(t, plain)
    described.target = target and types.name(t, target)
  end
  return described
end

return variables
