-- Variables by name: f.locals, f.args.NAME, t:locals(), t:var(), p:var(), p.vars, t:cast(),
-- t:typeof().

local core = require "luatrace.core"
local frames = require "luatrace.frames"
local functions = require "luatrace.functions"
local nearest = require("luatrace.lazy").nearest
local types = require "luatrace.types"
local values = require "luatrace.values"
require "luatrace.values_assign"
require "luatrace.values_text"

local variables = {}

-- ---- One variable --------------------------------------------------------------------------

-- A variable is a position in a scope, and where its type is described: what core.scope_find()
-- returns.

local function read(t, scope, at, file, where)
  local place, message, code = core.scope_locate(t, scope, at)
  if not place then return nil, message, code end
  local type
  type, message, code = types.get(t, file, where)
  if not type then return nil, message, code end
  return values.read(t, type, place, 0)
end

-- Raises what goes wrong: an assignment has no other way to say so.
local function assign(t, value, scope, at, file, where)
  local place, message = core.scope_locate(t, scope, at)
  if not place then core.raise(message) end
  local type
  type, message = types.get(t, file, where)
  if not type then core.raise(message) end
  values.assign(t, type, place, 0, nil, value)
end

local function check_name(name)
  if type(name) == "string" then return end
  core.raise("the name of a variable expected, got " .. type(name))
end

-- ---- Locals --------------------------------------------------------------------------------

local THREAD, SCOPE = {}, {}
local Locals = { __metatable = "locals" }

local function unknown(t, scope, name)
  local names = {}
  for i, variable in ipairs(scope and core.scope_list(scope) or {}) do names[i] = variable.name end
  for _, near in ipairs(core.near_globals(t, name)) do names[#names + 1] = near end
  return ("ENOENT: there is no variable '%s' here%s"):format(core.escape(name),
    nearest(name, names))
end

local function find_local(locals, name)
  check_name(name)
  local scope = rawget(locals, SCOPE)
  local at, file, where = core.scope_find(scope, name)
  if not at then core.raise(unknown(rawget(locals, THREAD), scope, name)) end
  return scope, at, file, where
end

function Locals.__index(locals, name)
  return (read(rawget(locals, THREAD), find_local(locals, name)))
end

function Locals.__newindex(locals, name, value)
  assign(rawget(locals, THREAD), value, find_local(locals, name))
end

-- Innermost first; what an inner one hides is left out. The value is nil where there is none.
function Locals.__pairs(locals)
  local t, scope = rawget(locals, THREAD), rawget(locals, SCOPE)
  local list, at, seen = core.scope_list(scope), 0, {}
  return function()
    repeat at = at + 1 until not list[at] or (list[at].name ~= "" and not seen[list[at].name])
    local variable = list[at]
    if not variable then return nil end
    seen[variable.name] = true
    return variable.name, (read(t, scope, at, variable.type_file, variable.type_where))
  end
end

function Locals.__tostring(locals)
  local names, seen = {}, {}
  for _, variable in ipairs(core.scope_list(rawget(locals, SCOPE))) do
    if variable.name ~= "" and not seen[variable.name] then names[#names + 1] = variable.name end
    seen[variable.name] = true
  end
  return core.escape("locals: " .. table.concat(names, ", "))
end

local function new_locals(t, scope)
  return setmetatable({ [THREAD] = t, [SCOPE] = scope }, Locals)
end

-- The parameters and variables that can be named in a frame (0: the innermost).
function core.methods.thread.locals(t, frame)
  if frame ~= nil and type(frame) ~= "number" then
    core.raise("t:locals: the number of a frame expected, got " .. type(frame))
  end
  local scope, message, code = core.scope(t, frame or 0)
  if not scope then return nil, message, code end
  return new_locals(t, scope)
end

-- ---- Frames --------------------------------------------------------------------------------

-- The scope of a frame, kept in it. Raises where there is none, or the thread has run on.
local function scope_of(f)
  local t = f.thread
  if not core.stands(t, f.seq) then
    core.raise(("this frame is over: thread %d has run on"):format(t.tid))
  end
  local kept = rawget(f, SCOPE)
  if kept then return t, kept end
  local scope, message = core.scope(t, 0)
  if not scope then core.raise(message) end
  rawset(f, SCOPE, scope)
  return t, scope
end

function frames.locals(f)
  return new_locals(scope_of(f))
end

-- f.args.NAME
function frames.named(f, name, is_assignment, value)
  check_name(name)
  local t, scope = scope_of(f)
  local at, file, where = core.scope_find(scope, name, true)
  if not at then
    local names = {}
    for _, one in ipairs(core.scope_list(scope)) do
      if one.parameter then names[#names + 1] = one.name end
    end
    core.raise(("%s has no parameter '%s'%s"):format(tostring(f), core.escape(name),
      nearest(name, names)))
  end
  if not is_assignment then return (read(t, scope, at, file, where)) end
  assign(t, value, scope, at, file, where)
end

-- ---- By name -------------------------------------------------------------------------------

-- Returns scope, position and type; or nil, a message and a code.
local function look_up(t, name, only_global)
  check_name(name)
  local scope = not only_global and core.scope(t, 0)
  if scope then
    local at, file, where = core.scope_find(scope, name)
    if at then return scope, at, file, where end
  end
  local found, message, code = core.global(t, name)
  if not found then
    if code == "ENOENT" then message = unknown(t, scope, name) end
    return nil, message, code
  end
  local variable = core.scope_list(found)[1]
  return found, 1, variable.type_file, variable.type_where
end

local function get(t, name, only_global)
  local scope, at, file, where = look_up(t, name, only_global)
  if not scope then return nil, at, file end
  return read(t, scope, at, file, where)
end

local function set(t, name, value, only_global)
  local scope, at, file, where = look_up(t, name, only_global)
  if not scope then return nil, at, file end
  assign(t, value, scope, at, file, where)
  return true
end

function core.methods.thread.var(t, name)
  core.check_live(t)
  return get(t, name)
end

function core.methods.thread.set(t, name, value)
  core.check_live(t)
  return set(t, name, value)
end

function core.methods.process.var(p, name)
  return get(functions.stopped_thread(p, "p:var"), name, true)
end

function core.methods.process.set(p, name, value)
  return set(functions.stopped_thread(p, "p:set"), name, value, true)
end

local Vars = { __metatable = "vars" }

-- nil for one that is optimised out; a name that there is not is a mistake.
function Vars.__index(vars, name)
  local t = functions.stopped_thread(rawget(vars, THREAD), "p.vars")
  local value, message, code = get(t, name, true)
  if value == nil and code ~= "ENODATA" then core.raise(message) end
  return value
end

function Vars.__newindex(vars, name, value)
  local t = functions.stopped_thread(rawget(vars, THREAD), "p.vars")
  local done, message = set(t, name, value, true)
  if not done then core.raise(message) end
end

-- p.vars
function variables.all(p) return setmetatable({ [THREAD] = p }, Vars) end

-- ---- Types ---------------------------------------------------------------------------------

-- The object of a type at an address, or a pointer.
function core.methods.thread.cast(t, name, addr)
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
function core.methods.thread.typeof(t, name)
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

-- What luatrace.* does with values.
for _, name in ipairs { "addr", "bytes", "deref", "null", "sizeof", "str", "typename" } do
  variables[name] = values[name]
end

return variables
