-- Values of the program's variables: what reading one gives. Assigning to one is in
-- values_assign.lua; how they look as text, in values_text.lua.
--
-- Numbers and booleans become Lua's own, enums the name of their enumerator. Everything else is an
-- object that reads when it is looked at: a Pointer, which has a value of its own, or an Object
-- (struct, union, array, function), which is somewhere: in memory, in registers, in both. They have
-- no methods, so that no member is hidden by one; what can be done with them is in luatrace.*.

local core = require "luatrace.core"
local nearest = require("luatrace.lazy").nearest
local types = require "luatrace.types"

local lua_type = type -- `type` is a type of the program's below
local values = {}

-- Keys that no member can have.
local THREAD, TYPE, WHERE, AT, ADDR = {}, {}, {}, {}, {}

local Pointer, Object = { __metatable = "pointer" }, { __metatable = "object" }

local function new_pointer(t, type, addr)
  return setmetatable({ [THREAD] = t, [TYPE] = type, [ADDR] = addr }, Pointer)
end

local function new_object(t, type, where, at)
  return setmetatable({ [THREAD] = t, [TYPE] = type, [WHERE] = where, [AT] = at }, Object)
end

local function is_pointer(value) return type(value) == "table" and rawget(value, ADDR) ~= nil end
local function is_object(value) return type(value) == "table" and rawget(value, WHERE) ~= nil end

function values.is_value(value) return is_pointer(value) or is_object(value) end

-- ---- Reading -------------------------------------------------------------------------------

local forms = { unsigned = "unsigned", signed = "signed", char = "signed", uchar = "unsigned",
  utf = "unsigned", bool = "bool", float = "float" }

-- The name of a number; the number itself if none has it.
local function enumerator(type, number)
  if not type.names then
    type.names = {}
    for _, part in ipairs(type.parts) do
      if type.names[part.value] == nil then type.names[part.value] = part.name end
    end
  end
  return type.names[number] or number
end

local function cut_sign(number, size)
  if size == 8 or number >= 0 then return number end
  return core.bit.band(number, core.bit.lshift(1, 8 * size) - 1)
end

-- Enumerators are as the debug information has them, some compilers without their sign.
local function read_enum(t, type, where, at, bits)
  local form = type.encoding == "signed" and "signed" or "unsigned"
  local number, message, code = core.number_get(t, where, form, at, type.size or 4, bits)
  if not number then return nil, message, code end
  local name = enumerator(type, number)
  if name == number and number < 0 then
    name = enumerator(type, cut_sign(number, type.size or 4))
    if lua_type(name) == "number" then name = number end
  end
  return name
end

local function read_pointer(t, type, where, at)
  local addr, message, code = core.number_get(t, where, "unsigned", at, types.pointer_size(t))
  if not addr then return nil, message, code end
  return new_pointer(t, type, addr)
end

local function read_reference(t, type, where, at)
  local addr, message, code = core.number_get(t, where, "unsigned", at, types.pointer_size(t))
  if not addr then return nil, message, code end
  local target
  target, message, code = types.target(t, type)
  if not target then return nil, message, code end
  return values.read(t, target, addr, 0)
end

-- The value of the object of this type `at` bits into `where`, which is an address or a location;
-- `bits`: of a bit-field. nil, a message and a code if it cannot be read.
function values.read(t, declared, where, at, bits)
  local type, message, code = types.plain(t, declared)
  if not type then return nil, message, code end
  local kind = type.kind
  if kind == "base" then
    local form = forms[type.encoding]
    if form then return core.number_get(t, where, form, at, type.size or 0, bits) end
    return core.object_read(t, where, core.bit.rshift(at, 3), type.size or 0)
  elseif kind == "enum" then
    return read_enum(t, type, where, at, bits)
  elseif kind == "pointer" then
    return read_pointer(t, type, where, at)
  elseif kind == "reference" then
    return read_reference(t, type, where, at)
  elseif kind == "member pointer" then
    return core.number_get(t, where, "signed", at, types.pointer_size(t))
  elseif kind == "void" then
    return nil, "EINVAL: there are no values of the type void", "EINVAL"
  end
  return new_object(t, type, where, at)
end

-- Reading inside an expression (v.x.y) has no room for nil, message, code: it raises.
local function read_or_raise(t, type, where, at, bits)
  local value, message = values.read(t, type, where, at, bits)
  if value == nil and message then core.raise(message) end
  return value
end

-- ---- Parts of objects ----------------------------------------------------------------------

local function bytes_into(addr, bits)
  return addr + core.bit.rshift(bits, 3)
end

-- Where a member is: address and bits left over, or location and bits.
local function place(where, at)
  if type(where) ~= "number" then return where, at end
  return bytes_into(where, at), at % 8
end

-- t, type, where and at of the struct that an object is, or that a pointer points to.
local function struct_of(value, name)
  local t, type = rawget(value, THREAD), rawget(value, TYPE)
  local where, at = rawget(value, WHERE), rawget(value, AT)
  if is_pointer(value) then
    local message
    type, message = types.plain(t, types.target(t, type))
    if not type then core.raise(message) end
    where, at = rawget(value, ADDR), 0
    if where == 0 and types.is_aggregate(type) then
      core.raise(("member '%s' of a null pointer"):format(tostring(name)))
    end
  end
  if not types.is_aggregate(type) then
    core.raise(("member '%s' of a %s, which has none"):format(tostring(name),
      types.name(t, rawget(value, TYPE))))
  end
  return t, type, where, at
end

local function find_member(value, name)
  local t, type, where, at = struct_of(value, name)
  local member = types.member(t, type, name)
  if not member then
    local known = types.member_names(t, type)
    core.raise(("%s has no member '%s'%s%s"):format(types.name(t, type), core.escape(name),
      nearest(name, known), type.incomplete and "; it is only declared, nowhere defined" or ""))
  end
  if member.part.elsewhere or not member.at then
    core.raise(("member '%s' is in a virtual base class, whose place is not known"):format(name))
  end
  where, at = place(where, at + member.at)
  return t, types.part_type(t, member.of, member.part), where, at, member.part.bits
end

-- Where element `index` is: of an array, or of what a pointer points to.
local function find_element(value, index)
  local t, type = rawget(value, THREAD), rawget(value, TYPE)
  local element, message, where, at
  if is_pointer(value) then
    element, message = types.target(t, type)
    where, at = rawget(value, ADDR), 0
  elseif type.kind == "array" then
    element, message = types.element(t, type)
    where, at = rawget(value, WHERE), rawget(value, AT)
    local length = types.length(type)
    if length and (index < 0 or index >= length) then
      core.raise(("index %d of an array of %d elements, which count from 0"):format(index, length))
    end
  else
    core.raise(("index %d of a %s, which is no array"):format(index, types.name(t, type)))
  end
  if not element then core.raise(message) end
  local size = types.size(t, element)
  if not size then
    core.raise(("the size of a %s is not known"):format(types.name(t, element)))
  end
  if is_pointer(value) and where == 0 then core.raise("element of a null pointer") end
  if type.kind == "pointer" then return t, element, where + index * size, at end
  where, at = place(where, at + index * size * 8)
  return t, element, where, at
end

local function find(value, key)
  if type(key) == "string" then return find_member(value, key) end
  if type(key) ~= "number" or key % 1 ~= 0 then
    core.raise("a member's name or an index expected, got " .. type(key))
  end
  return find_element(value, core.bit.bor(key, 0)) -- 2.0 is 2
end

local function index(value, key)
  return read_or_raise(find(value, key))
end

Pointer.__index = index
Object.__index = index

-- The address that a value stands for: of a pointer, its own; of an array or struct, where it is.
local function address_of(value)
  if value == nil then return 0 end
  if is_pointer(value) then return rawget(value, ADDR) end
  if is_object(value) then
    local where, at = rawget(value, WHERE), rawget(value, AT)
    if type(where) ~= "number" then core.raise("this object is in registers: it has no address") end
    return bytes_into(where, at)
  end
  return value
end

local function whole_bytes(at)
  if at % 8 ~= 0 then core.raise("an object that does not begin with a byte") end
  return core.bit.rshift(at, 3)
end

-- ---- Pointers as numbers -------------------------------------------------------------------

local function step_of(value)
  local t = rawget(value, THREAD)
  local target = types.target(t, rawget(value, TYPE))
  local size = target and types.size(t, target)
  return size and size > 0 and size or 1
end

function Pointer.__add(a, b)
  if not is_pointer(a) then a, b = b, a end
  if type(b) ~= "number" then core.raise("only an integer can be added to a pointer") end
  return new_pointer(rawget(a, THREAD), rawget(a, TYPE), rawget(a, ADDR) + b * step_of(a))
end

function Pointer.__sub(a, b)
  if not is_pointer(a) then core.raise("a pointer cannot be subtracted from a number") end
  if type(b) == "number" then
    return new_pointer(rawget(a, THREAD), rawget(a, TYPE), rawget(a, ADDR) - b * step_of(a))
  end
  if not is_pointer(b) then core.raise("only a pointer or an integer can be subtracted") end
  local apart, size = rawget(a, ADDR) - rawget(b, ADDR), step_of(a)
  return core.bit.bor((apart - apart % size) / size, 0)
end

-- Two pointers are equal if their addresses are.
function Pointer.__eq(a, b)
  return is_pointer(a) and is_pointer(b) and rawget(a, ADDR) == rawget(b, ADDR)
end

-- Addresses have no sign.
function Pointer.__lt(a, b)
  local left, right = address_of(a), address_of(b)
  if (left < 0) ~= (right < 0) then return right < 0 end
  return left < right
end

function Pointer.__le(a, b)
  return address_of(a) == address_of(b) or Pointer.__lt(a, b)
end

-- Two objects are equal if they are the same one.
function Object.__eq(a, b)
  return is_object(a) and is_object(b) and rawget(a, WHERE) == rawget(b, WHERE)
    and rawget(a, AT) == rawget(b, AT) and rawget(a, TYPE) == rawget(b, TYPE)
end

function Object.__len(value)
  local type = rawget(value, TYPE)
  if type.kind ~= "array" then
    core.raise("the length of a " .. values.typename(value) .. ", which is no array")
  end
  local length = types.length(type)
  if not length then core.raise("the length of this array is not known") end
  return length
end

-- Members by name, or elements from 0 on.
local function members(value)
  local names, at = types.member_names(struct_of(value, "?")), 0
  return function()
    at = at + 1
    if names[at] then return names[at], value[names[at]] end
  end
end

function Object.__pairs(value)
  if rawget(value, TYPE).kind ~= "array" then return members(value) end
  local at, length = -1, #value
  return function()
    at = at + 1
    if at < length then return at, value[at] end
  end
end

Pointer.__pairs = members

-- ---- What luatrace.* does with them --------------------------------------------------------

local function check_value(value, what)
  if not values.is_value(value) then
    core.raise(("luatrace.%s: a pointer, struct or array of the program expected, got %s"):format(
      what, type(value)))
  end
  return rawget(value, THREAD), rawget(value, TYPE)
end

function values.addr(value)
  check_value(value, "addr")
  return address_of(value)
end

function values.typename(value)
  local t, type = check_value(value, "typename")
  return (types.name(t, type))
end

function values.sizeof(value)
  local t, type = check_value(value, "sizeof")
  local size = types.size(t, type)
  if not size then return nil, "ENODATA: the size of this type is not known", "ENODATA" end
  return size
end

function values.deref(value)
  local t, type = check_value(value, "deref")
  if not is_pointer(value) then core.raise("luatrace.deref: a pointer expected") end
  local target, message, code = types.target(t, type)
  if not target then return nil, message, code end
  if rawget(value, ADDR) == 0 then return nil, "EFAULT: a null pointer", "EFAULT" end
  return values.read(t, target, rawget(value, ADDR), 0)
end

function values.bytes(value)
  local t, type = check_value(value, "bytes")
  if is_pointer(value) then core.raise("luatrace.bytes: a struct or array expected") end
  local size = types.size(t, type)
  if not size then return nil, "ENODATA: the size of this type is not known", "ENODATA" end
  return core.object_read(t, rawget(value, WHERE), whole_bytes(rawget(value, AT)), size)
end

values.null = new_pointer(nil, { kind = "pointer", name = "", of = types.void, size = 8,
  parts = {} }, 0)

-- ---- Casts ---------------------------------------------------------------------------------

-- The object of this type at an address; of a pointer type, a pointer with that value.
function values.cast(t, type, addr)
  local plain, message, code = types.plain(t, type)
  if not plain then return nil, message, code end
  if plain.kind == "pointer" then return new_pointer(t, plain, addr) end
  if plain.kind == "array" or types.is_aggregate(plain) then
    return new_object(t, plain, addr, 0)
  end
  core.raise(("t:cast: a pointer, struct, union or array type expected; t:cast(\"%s *\", addr)[0] "
    .. "is what is there"):format(types.name(t, type)))
end

values.address_of, values.whole_bytes, values.bytes_into = address_of, whole_bytes, bytes_into
values.find, values.forms, values.cut_sign, values.check = find, forms, cut_sign, check_value

-- What values_assign.lua and values_text.lua need to know of a value.
function values.open(value)
  return rawget(value, THREAD), rawget(value, TYPE), rawget(value, WHERE), rawget(value, AT),
    rawget(value, ADDR)
end

values.Pointer, values.Object, values.object = Pointer, Object, new_object
values.is_pointer, values.is_object = is_pointer, is_object

return values
