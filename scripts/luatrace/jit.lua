-- What LuaJIT lacks beside Lua 5.4, and 64-bit integers for the binding. Loaded under LuaJIT alone,
-- before the rest of the prelude (compat_jit.c).
--
-- An integer that is not within 2^53 of 0 is a cdata. Printed it looks like any other integer, and
-- so does a number of more than 14 digits.

local ffi = require "ffi"

local istype, format, floor, raw_tostring = ffi.istype, string.format, math.floor, tostring
local raw_type, raw_unpack = type, unpack
local int64, uint64 = ffi.typeof "int64_t", ffi.typeof "uint64_t"

local function is_wide(value) return istype(int64, value) or istype(uint64, value) end

-- ---- Text ----------------------------------------------------------------------------------

local function install_text()
  local meta = debug.getmetatable(ffi.new("int64_t"))
  local other_text = meta.__tostring
  function meta.__tostring(value)
    if is_wide(value) then return (format("%d", value)) end
    return other_text(value)
  end
  function meta.__concat(a, b) return raw_tostring(a) .. raw_tostring(b) end

  debug.setmetatable(0, { __tostring = function(value)
    local long = value >= 1e14 or value <= -1e14
    local integer = long and value == floor(value) and value < 2 ^ 63 and value >= -2 ^ 63
    return (format(integer and "%d" or "%.14g", value))
  end })
end

-- ---- Files ---------------------------------------------------------------------------------

local function texts(first, ...)
  if raw_type(first) == "number" or raw_type(first) == "cdata" then first = raw_tostring(first) end
  if select("#", ...) == 0 then return first end
  return first, texts(...)
end

-- `ours`: by file of io.popen, what the binding needs to close it.
local function install_files(ours)
  local methods = debug.getmetatable(io.stdout).__index
  local close, write = methods.close, methods.write

  function methods.close(file)
    local known = ours[file]
    if not known or io.type(file) ~= "file" then return close(file) end
    close(file)
    return known[2](known[1])
  end
  function io.close(file) return methods.close(file or io.output()) end

  function methods.write(file, ...)
    if select("#", ...) == 0 then return file end
    local ok, message, number = write(file, texts(...))
    if ok then return file end
    return ok, message, number
  end
  function io.write(...) return methods.write(io.output(), ...) end
end

-- ---- Functions of Lua 5.4 ------------------------------------------------------------------

-- A wait status as a result.
local function executed(status)
  if status == -1 then return nil, "exit", -1 end
  local signal = status % 128
  if signal ~= 0 then return nil, "signal", signal end
  local code = floor(status / 256)
  return code == 0 or nil, "exit", code
end

local function install_functions()
  function table.pack(...) return { n = select("#", ...), ... } end
  table.unpack = raw_unpack

  local raw_pairs, raw_execute = pairs, os.execute
  function _G.pairs(t)
    local kind = raw_type(t)
    local meta = (kind == "table" or kind == "userdata") and debug.getmetatable(t)
    local own = meta and rawget(meta, "__pairs")
    if own then return own(t) end
    return raw_pairs(t)
  end

  function os.execute(command)
    if command == nil then return raw_execute() ~= 0 end
    return executed(raw_execute(command))
  end
end

-- ---- Tables with a length of their own -----------------------------------------------------

-- Only userdata have one here, so the prelude's tables with a `__len` are behind such.
local contents = setmetatable({}, { __mode = "k" })

local function set_metatable(t, meta)
  if not meta or not rawget(meta, "__len") then return setmetatable(t, meta) end
  local proxy = newproxy()
  contents[proxy] = t
  debug.setmetatable(proxy, meta)
  return proxy
end

local function raw_get(t, key)
  if raw_type(t) == "userdata" then
    local content = contents[t]
    return content and content[key]
  end
  return rawget(t, key)
end

-- ---- For the binding -----------------------------------------------------------------------

local box = ffi.new("int64_t[1]")

local function make() return box[0] end

local function unpack(value)
  if not is_wide(value) then return false end
  box[0] = value
  return true
end

-- For the prelude such integers are numbers, and tables with a length are tables.
local function type_of(value)
  local kind = raw_type(value)
  if kind == "cdata" and is_wide(value) then return "number" end
  if kind == "userdata" and contents[value] then return "table" end
  return kind
end

return function(ours)
  setmetatable(ours, { __mode = "k" })
  install_text()
  install_files(ours)
  install_functions()
  local names = { type = type_of, rawget = raw_get, setmetatable = set_metatable }
  return box, make, unpack, setmetatable(names, { __index = _G, __newindex = _G })
end
