-- Values as text: the program's strings, and all values like gdb's print shows them:
-- {x = 1, name = 0x4006f4 "text", next = 0x0}. What the program controls is escaped, and length and
-- depth are bounded.

local core = require "luatrace.core"
local types = require "luatrace.types"
local lua_type = type -- `type` is a type of the program's below
local values = require "luatrace.values"

local DEPTH_MAX = 8
local ELEMENTS_MAX = 200
local STRING_MAX = 200
local LENGTH_MAX = 8000
local SLICE_MAX = 4096

-- ---- Strings ---------------------------------------------------------------------------------

-- A struct with a pointer and a length, as Rust's &str.
local function slice(value, t, type)
  if not types.is_aggregate(type) or not types.member(t, type, "data_ptr")
    or not types.member(t, type, "length") then
    return nil
  end
  return value.data_ptr, value.length
end

local function array_text(value, max)
  local t, type, where, at = values.open(value)
  local length = types.length(type)
  if not length then
    if lua_type(where) ~= "number" then
      return nil, "ENODATA: its length is not known", "ENODATA"
    end
    return t.mem:str(values.bytes_into(where, at), max)
  end
  local bytes, message, code = core.object_read(t, where, values.whole_bytes(at),
    math.min(length, max or length))
  if not bytes then return nil, message, code end
  return (bytes:match("^[^%z]*"))
end

-- The C string that a pointer points to, or that is in an array.
function values.str(value, max)
  if type(value) == "string" then return value end
  local t, type = values.check(value, "str")
  if values.is_pointer(value) then
    local addr = values.addr(value)
    if addr == 0 then return nil, "EFAULT: a null pointer", "EFAULT" end
    return t.mem:str(addr, max)
  end
  if type.kind == "array" then return array_text(value, max) end
  local from, length = slice(value, t, type)
  if not from then core.raise("luatrace.str: a " .. types.name(t, type) .. " is no string") end
  return t.mem:read(values.addr(from), math.min(length, max or SLICE_MAX))
end

-- ---- Everything else -------------------------------------------------------------------------

local show

local function quoted(bytes, cut)
  return '"' .. core.escape(bytes) .. '"' .. (cut and "..." or "")
end

local function hex(addr) return ("0x%x"):format(addr) end

local function unreadable(message)
  return "<" .. core.escape(message:match("^%u+: (.*)") or message) .. ">"
end

local function show_pointer(t, type, addr)
  local target = addr ~= 0 and types.plain(t, types.target(t, type) or types.void)
  if not target or not types.is_char(target) then return hex(addr) end
  local content, cut = t.mem:str(addr, STRING_MAX)
  return content and hex(addr) .. " " .. quoted(content, cut) or hex(addr)
end

local function show_number(type, number)
  if type.encoding == "char" or type.encoding == "uchar" then
    if number >= 32 and number < 127 then return ("%d '%s'"):format(number, string.char(number)) end
  elseif type.encoding == "float" then
    return ("%.9g"):format(number)
  elseif type.encoding == "unsigned" and number < 0 then
    return core.unsigned(number) -- Lua has it with a sign
  end
  return tostring(number)
end

local function show_chars(t, where, at, length)
  local bytes, message = core.object_read(t, where, core.bit.rshift(at, 3),
    math.min(length, STRING_MAX))
  if not bytes then return unreadable(message) end
  local content = bytes:gsub("%z+$", "")
  return quoted(content, length > STRING_MAX)
end

local function show_array(t, type, where, at, state)
  local element, length = types.element(t, type), types.length(type)
  local size = element and types.size(t, element)
  if not size or not length then return "{...}" end
  local plain = types.plain(t, element)
  if types.is_char(plain) then return show_chars(t, where, at, length) end
  local list = {}
  for i = 0, length - 1 do
    if i >= ELEMENTS_MAX or state.left <= 0 then
      list[#list + 1] = "..."
      break
    end
    list[#list + 1] = show(t, element, where, at + i * size * 8, nil, state)
  end
  return "{" .. table.concat(list, ", ") .. "}"
end

-- Of an enum of Rust, which variant is there.
local function chosen(t, type, where, at)
  local chooser
  for _, part in ipairs(type.parts) do
    if part.chooses then chooser = part end
  end
  local number = chooser and core.number_get(t, where, "unsigned", at + chooser.value,
    types.size(t, types.part_type(t, type, chooser)) or 1)
  local otherwise
  for _, part in ipairs(type.parts) do
    if part.variant and part.discriminant == number and not part.otherwise then return part end
    if part.otherwise then otherwise = part end
  end
  return otherwise
end

local function show_part(t, type, part, where, at, state)
  if part.elsewhere or not part.value then return "<virtual base>" end
  return show(t, types.part_type(t, type, part), where, at + part.value, part.bits, state)
end

local function show_struct(t, type, where, at, state)
  local list, variant = {}, chosen(t, type, where, at)
  for _, part in ipairs(type.parts) do
    local shown = not part.chooses and (not part.variant or part == variant)
    if shown and state.left <= 0 then
      list[#list + 1] = "..."
      break
    elseif shown then
      local name = part.name
      if part.base then
        local base = types.plain(t, types.part_type(t, type, part))
        name = "<" .. (base and base.name or "?") .. ">"
      end
      local value = show_part(t, type, part, where, at, state)
      list[#list + 1] = name ~= "" and core.escape(name) .. " = " .. value or value
    end
  end
  return "{" .. table.concat(list, ", ") .. "}"
end

-- The text of Rust's strings.
local function show_slice(t, type, where, at)
  local content, message = values.str(values.object(t, type, where, at), STRING_MAX)
  return content and quoted(content) or unreadable(message)
end

local function show_plain(t, type, where, at, bits, state)
  if type.name == "&str" then return show_slice(t, type, where, at) end
  if type.kind == "array" then return show_array(t, type, where, at, state) end
  if types.is_aggregate(type) then return show_struct(t, type, where, at, state) end
  local value, message = values.read(t, type, where, at, bits)
  if value == nil then return unreadable(message or "?") end
  if values.is_value(value) then
    local _, of, from, bit, addr = values.open(value)
    if addr then return show_pointer(t, of, addr) end
    if type.kind == "reference" then return "@" .. hex(values.addr(value)) end
    return of.kind == "function" and hex(values.addr(value)) or show(t, of, from, bit, nil, state)
  end
  if type.kind == "base" and lua_type(value) == "number" then return show_number(type, value) end
  if type.kind == "base" and type.encoding == "other" then return quoted(value) end
  return core.escape(tostring(value))
end

function show(t, declared, where, at, bits, state)
  local type = types.plain(t, declared)
  if not type then return "<unknown type>" end
  if state.depth >= DEPTH_MAX then return "..." end
  state.depth = state.depth + 1
  local shown = show_plain(t, type, where, at, bits, state)
  state.depth = state.depth - 1
  state.left = state.left - (types.is_aggregate(type) and 2 or #shown)
  return shown
end

-- A char pointer and a char array are their text; "0x0" is a null pointer.
function values.Pointer.__tostring(value)
  local t, type, _, _, addr = values.open(value)
  if addr == 0 or not t then return "0x0" end
  local target = types.plain(t, types.target(t, type) or types.void)
  if not types.is_char(target) then return hex(addr) end
  return t.mem:str(addr) or hex(addr)
end

function values.Object.__tostring(value)
  local t, type, where, at = values.open(value)
  if type.kind == "function" then return hex(values.addr(value)) end
  if type.kind == "array" and types.is_char(types.plain(t, types.element(t, type))) then
    return values.str(value) or "<unreadable>"
  end
  return show(t, type, where, at, nil, { depth = 0, left = LENGTH_MAX })
end

local function concat(a, b) return tostring(a) .. tostring(b) end

values.Pointer.__concat, values.Object.__concat = concat, concat

return values
