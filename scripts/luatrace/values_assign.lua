-- Assigning to the program's variables, and to members and elements of its objects (values.lua).

local core = require "luatrace.core"
local nearest = require("luatrace.lazy").nearest
local types = require "luatrace.types"
local lua_type = type -- `type` is a type of the program's below
local values = require "luatrace.values"

local function wrong(t, type, value)
  core.raise(("a %s cannot be assigned to a %s"):format(
    values.is_value(value) and values.typename(value) or lua_type(value), types.name(t, type)))
end

local function check(done, message)
  if not done then core.raise(message) end
end

local function assign_enum(t, type, where, at, bits, value)
  if lua_type(value) == "string" then
    local names = {}
    for i, part in ipairs(type.parts) do
      if part.name == value then
        value = part.value
        break
      end
      names[i] = part.name
    end
    if lua_type(value) == "string" then
      core.raise(("%s has no enumerator '%s'%s"):format(types.name(t, type), core.escape(value),
        nearest(value, names)))
    end
  end
  local form = type.encoding == "signed" and "signed" or "unsigned"
  if form == "unsigned" and lua_type(value) == "number" then
    value = values.cut_sign(value, type.size or 4)
  end
  check(core.number_set(t, where, form, at, type.size or 4, bits, value))
end

local function assign_pointer(t, type, where, at, value)
  local addr = values.address_of(value)
  if lua_type(addr) ~= "number" then wrong(t, type, value) end
  check(core.number_set(t, where, types.pointer_size(t) == 8 and "signed" or "unsigned", at,
    types.pointer_size(t), nil, addr))
end

-- A char array takes a string, with its NUL if there is room.
local function assign_text(t, type, where, at, value)
  local length = types.length(type)
  if length and #value > length then
    core.raise(("a string of %d bytes does not fit into a %s"):format(#value, types.name(t, type)))
  end
  if not length or #value < length then value = value .. "\0" end
  check(core.object_write(t, where, values.whole_bytes(at), value))
end

local function assign_copy(t, type, where, at, value)
  local size = types.size(t, type)
  local _, from = values.open(value)
  if not size or size ~= types.size(t, from) or from.kind ~= type.kind then
    wrong(t, type, value)
  end
  local bytes, message = values.bytes(value)
  check(bytes, message)
  check(core.object_write(t, where, values.whole_bytes(at), bytes))
end

local function assign_parts(t, type, where, at, value)
  local target = values.object(t, type, where, at)
  if type.kind == "array" then
    for i, element in ipairs(value) do target[i - 1] = element end
  else
    for name, element in pairs(value) do target[name] = element end
  end
end

local function assign_object(t, type, where, at, value)
  if values.is_object(value) then
    assign_copy(t, type, where, at, value)
  elseif lua_type(value) == "table" and not values.is_pointer(value) then
    assign_parts(t, type, where, at, value)
  elseif lua_type(value) == "string" and type.kind == "array"
    and types.size(t, types.element(t, type)) == 1 then
    assign_text(t, type, where, at, value)
  else
    wrong(t, type, value)
  end
end

-- Assign to the object of this type at a place, as values.read() has it. Raises what goes wrong.
function values.assign(t, declared, where, at, bits, value)
  local type, message = types.plain(t, declared)
  if not type then core.raise(message) end
  local kind = type.kind
  if kind == "base" and values.forms[type.encoding] then
    check(core.number_set(t, where, values.forms[type.encoding], at, type.size or 0, bits, value))
  elseif kind == "enum" then
    assign_enum(t, type, where, at, bits, value)
  elseif kind == "pointer" then
    assign_pointer(t, type, where, at, value)
  elseif kind == "reference" then
    local addr
    addr, message = core.number_get(t, where, "unsigned", at, types.pointer_size(t))
    if not addr then core.raise(message) end
    values.assign(t, types.target(t, type), addr, 0, nil, value)
  elseif kind == "array" or types.is_aggregate(type) then
    assign_object(t, type, where, at, value)
  else
    wrong(t, type, value)
  end
end

local function newindex(value, key, new)
  local t, type, where, at, bits = values.find(value, key)
  values.assign(t, type, where, at, bits, new)
end

values.Pointer.__newindex = newindex
values.Object.__newindex = newindex
