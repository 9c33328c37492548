-- Arguments and results of library functions as text.

local prototypes = require "ltrace.prototypes"

local values = {
  most = 32, -- bytes of a string that are shown
  words = 3, -- arguments that are shown of a function without a prototype
  prototypes = prototypes,
  asking = setmetatable({}, { __mode = "k" }), -- by thread: it runs a function for us
}

local band = luatrace.bit.band
local MOST_FORMAT, MOST_LIST = 512, 16

-- ---- Numbers -------------------------------------------------------------------------------

local function signed(value)
  local low = band(value, 0xffffffff)
  return low >= 0x80000000 and low - 0x100000000 or low
end

local function unsigned(value) return band(value, 0xffffffff) end

local function hex(value)
  return value == 0 and "0" or ("%#x"):format(value)
end

-- Unknown words, and sizes: small ones are counts.
local function word(value)
  if value >= 0 and value < 65536 then return ("%d"):format(value) end
  return hex(value)
end

-- The floating-point number in the lowest bytes of a register.
local function float(bytes, size)
  local bits, bias = size == 8 and 52 or 23, size == 8 and 1023 or 127
  local mantissa = 0
  for i = size - 2, 1, -1 do mantissa = mantissa * 256 + bytes:byte(i) end
  local high = bytes:byte(size) * 256 + bytes:byte(size - 1)
  mantissa = mantissa % 2 ^ (8 * (size - 2))
  local spare = bits - 8 * (size - 2) -- bits of the mantissa in the two highest bytes
  mantissa = mantissa + (high % 2 ^ spare) * 2 ^ (8 * (size - 2))
  local exponent = math.floor(high / 2 ^ spare) % (2 * bias + 2)
  local sign = high >= 0x8000 and -1 or 1
  if exponent == 2 * bias + 1 then return mantissa == 0 and sign * math.huge or 0 / 0 end
  if exponent == 0 then return sign * mantissa * 2 ^ (1 - bias - bits) end
  return sign * (1 + mantissa * 2 ^ -bits) * 2 ^ (exponent - bias)
end

-- ---- Memory --------------------------------------------------------------------------------

local function quote(bytes, cut)
  return '"' .. luatrace.escape(bytes) .. '"' .. (cut and "..." or "")
end

-- `size`: it has no more bytes than that, and perhaps no NUL.
local function text_at(t, addr, size)
  if addr == 0 then return "nil" end
  local most = math.max(values.most, 0)
  if size and size >= 0 and size < most then most = size end
  if most == 0 then return '""' end
  local text, cut = t.mem:str(addr, most)
  if not text then return hex(addr) end
  return quote(text, cut and not (size and #text >= size))
end

local function bytes_at(t, addr, size)
  if addr == 0 then return "nil" end
  if size < 0 then return hex(addr) end
  if size == 0 then return '""' end
  local bytes = t.mem:read(addr, math.min(size, math.max(values.most, 1)))
  return bytes and quote(bytes, size > #bytes) or hex(addr)
end

local function list_at(t, addr)
  if addr == 0 then return "nil" end
  local step, words = t.abi == "i386" and 4 or 8, {}
  for i = 0, MOST_LIST - 1 do
    local item = t.mem:ptr(addr + i * step)
    if not item or item == 0 then return "[" .. table.concat(words, ", ") .. "]" end
    words[#words + 1] = text_at(t, item)
  end
  return "[" .. table.concat(words, ", ") .. ", ...]"
end

local function function_at(t, addr)
  if addr == 0 then return "nil" end
  local where = t:where(addr)
  return where and where.name and luatrace.escape(tostring(where):match("^[^ ]+")) or hex(addr)
end

local streams = { _IO_2_1_stdin_ = "stdin", _IO_2_1_stdout_ = "stdout", _IO_2_1_stderr_ = "stderr",
  __stdin_FILE = "stdin", __stdout_FILE = "stdout", __stderr_FILE = "stderr" }
local named_streams = setmetatable({}, { __mode = "k" }) -- by process and address: the text

local function stream_at(t, addr)
  if addr == 0 then return "nil" end
  local known = named_streams[t.process] or {}
  named_streams[t.process] = known
  if not known[addr] then
    local where = t:where(addr)
    known[addr] = where and where.offset == 0 and streams[where.name] or hex(addr)
  end
  return known[addr]
end

local signals = {}
for _, name in ipairs { "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1",
  "SEGV", "USR2", "PIPE", "ALRM", "TERM", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "WINCH" }
do
  signals[luatrace.signo("SIG" .. name)] = "SIG" .. name
end

local function character(value)
  local code = signed(value)
  if code < 0 or code > 255 then return code == -1 and "EOF" or tostring(code) end
  return "'" .. luatrace.escape(string.char(code)):gsub('^\\"$', '"') .. "'"
end

-- ---- Kinds ---------------------------------------------------------------------------------

-- Each is given the thread, the value and, for what has a size, that.
local kinds = {
  int = function(_, value) return ("%d"):format(signed(value)) end,
  uint = function(_, value) return ("%d"):format(unsigned(value)) end,
  long = function(t, value) return ("%d"):format(t.abi == "i386" and signed(value) or value) end,
  ulong = function(_, value) return word(value) end,
  llong = function(_, value) return ("%d"):format(value) end,
  oct = function(_, value)
    return unsigned(value) == 0 and "0" or ("0%o"):format(unsigned(value))
  end,
  hex = function(_, value) return hex(unsigned(value)) end,
  ptr = function(_, value) return value == 0 and "nil" or hex(value) end,
  dbl = function(_, value) return ("%.6g"):format(value) end,
  signal = function(_, value) return signals[signed(value)] or tostring(signed(value)) end,
  char = function(_, value) return character(value) end,
  bool = function(_, value) return value == 0 and "false" or "true" end,
  void = function() return "<void>" end,
  str = text_at, buf = bytes_at, strs = list_at, fn = function_at, file = stream_at,
}
kinds.fd, kinds.pid, kinds.ssize, kinds.off = kinds.int, kinds.int, kinds.long, kinds.long
kinds.mode, kinds.size, kinds.ullong, kinds.flt = kinds.oct, kinds.ulong, kinds.ulong,
  kinds.dbl

kinds["int*"] = function(t, addr)
  local value = addr ~= 0 and t.mem:i32(addr)
  return value and ("[%d]"):format(value) or kinds.ptr(t, addr)
end
kinds["ptr*"] = function(t, addr)
  local value = addr ~= 0 and t.mem:ptr(addr)
  return value and "[" .. kinds.ptr(t, value) .. "]" or kinds.ptr(t, addr)
end
kinds["str*"] = function(t, addr)
  local value = addr ~= 0 and t.mem:ptr(addr)
  return value and "[" .. text_at(t, value) .. "]" or kinds.ptr(t, addr)
end

-- ---- Arguments -----------------------------------------------------------------------------

local floating = { dbl = 8, flt = 4 }
local O_CREAT, O_TMPFILE = 0x40, 0x400000 -- open has a mode only with one of them
local wide = { llong = true, ullong = true }

-- Where the next argument is: words in registers or on the stack, floating-point numbers of 64-bit
-- programs in registers of their own.
local function reader_of(t, f)
  return { t = t, args = f.args, words = 0, floats = 0, narrow = t.abi == "i386" }
end

local function next_float(reader, size)
  if reader.narrow then
    local addr = reader.t.sp + 4 + 4 * reader.words
    reader.words = reader.words + size / 4
    return size == 8 and reader.t.mem:f64(addr) or size == 4 and reader.t.mem:f32(addr)
  end
  reader.floats = reader.floats + 1
  if reader.floats > 8 then return nil end -- on the stack, among others
  return float(reader.t.regs["xmm" .. reader.floats - 1], size)
end

-- nil: it cannot be read.
local function next_argument(reader, kind)
  if floating[kind] then return next_float(reader, floating[kind]) end
  reader.words = reader.words + 1
  local value = reader.args[reader.words]
  if reader.narrow and wide[kind] then
    reader.words = reader.words + 1
    local high = reader.args[reader.words]
    value = value and high and unsigned(value) + signed(high) * 0x100000000
  end
  return value
end

local conversions = { d = "int", i = "int", u = "uint", x = "hex", X = "hex", o = "oct",
  c = "char", s = "str", p = "ptr", f = "dbl", F = "dbl", e = "dbl", E = "dbl", g = "dbl",
  G = "dbl", a = "dbl", A = "dbl", n = "ptr" }
local long = { int = "long", uint = "ulong", hex = "ptr", oct = "ulong", char = "int", str = "ptr" }

-- The kind of argument of a conversion, such as "%-10.3ld"; nil: it cannot be told.
local function conversion_kind(length, letter)
  local kind = conversions[letter]
  if not kind or length == "L" or length == "q" then return nil end
  if length == "ll" or length == "j" then
    return (kind == "int" and "llong") or (kind ~= "str" and "ullong") or nil
  elseif length == "l" or length == "z" or length == "t" then
    return long[kind] or kind
  end
  return kind
end

-- Add the arguments that the format at `addr` asks for.
local function add_formatted(reader, addr, list)
  local t = reader.t
  list[#list + 1] = text_at(t, addr)
  local format = addr ~= 0 and t.mem:str(addr, MOST_FORMAT) or ""
  if format:find("%%%d+%$") then -- numbered arguments
    list[#list + 1] = "..."
    return
  end
  for flags, length, letter in format:gsub("%%%%", ""):gmatch(
    "%%([%-+ #0'I%d%.%*]*)([hlLqjzt]*)(%a?)") do
    local width = 0
    for star in flags:gmatch("%*") do
      width = next_argument(reader, "int")
      list[#list + 1] = width and star and kinds.int(t, width) or "?"
    end
    local kind = conversion_kind(length, letter)
    local value = kind and next_argument(reader, kind)
    if not value then
      list[#list + 1] = "..."
      return
    end
    local size = kind == "str" and (tonumber(flags:match("%.(%d+)")) or
      (flags:find("%.%*") and signed(width or 0))) or nil
    list[#list + 1] = kinds[kind](t, value, size)
  end
end

local function unknown_arguments(reader)
  local list = {}
  for i = 1, values.words do list[i] = word(reader.args[i] or 0) end
  list[#list + 1] = "..."
  return list
end

-- The arguments as a list of texts, in which false stands for what is shown after the return; and
-- what values.late() needs for that, nil if there is nothing.
function values.arguments(t, f, name)
  local reader, prototype = reader_of(t, f), prototypes[name]
  if not prototype then return unknown_arguments(reader) end
  local raw, list, late = {}, {}, nil
  for i, arg in ipairs(prototype.args) do
    if arg.kind == "format" then
      add_formatted(reader, next_argument(reader, "ptr") or 0, list)
      break
    end
    if arg.kind == "mode" and band(raw[i - 1], O_CREAT + O_TMPFILE) == 0 then break end
    raw[i] = next_argument(reader, arg.kind) or 0
    if arg.late then late = raw end
  end
  local texts = {}
  for i, arg in ipairs(prototype.args) do
    if not raw[i] then break end
    local size = arg.size and arg.size ~= "r" and raw[arg.size]
    texts[i] = not arg.late and kinds[arg.kind](t, raw[i], size or nil)
  end
  for i = 1, #list do texts[#texts + 1] = list[i] end
  return texts, late and { raw = raw, args = prototype.args }
end

-- Fill in the arguments that are shown after the return. `failed`: nothing was put there.
function values.late(t, list, late, result, failed)
  for i, arg in ipairs(late.args) do
    if list[i] == false then
      local size = arg.size
      if size then size = size == "r" and (result or -1) or late.raw[size] end
      list[i] = failed and hex(late.raw[i]) or kinds[arg.kind](t, late.raw[i], size)
    end
  end
end

-- ---- Results -------------------------------------------------------------------------------

local leave_as = { int = "int", fd = "int", pid = "int", char = "int", signal = "int",
  uint = "uint", hex = "uint", oct = "uint", ssize = "int64", long = "int64", off = "int64",
  llong = "int64", dbl = "double", flt = "float", void = "void", bool = "int" }

-- What f:leave() is told about the result of a function.
function values.result_type(t, name)
  local prototype = prototypes[name]
  local kind = prototype and leave_as[prototype.result] or "ptr"
  if kind == "int64" and t.abi == "i386" and prototype.result ~= "llong" then return "int" end
  return kind
end

-- Whether the result says that the function has failed.
function values.failed(t, name, result)
  local prototype = prototypes[name]
  if not prototype or not prototype.fails then return false end
  local kind = prototype.result
  if kind == "ptr" and name == "mmap" then
    return result == -1 or t.abi == "i386" and result == 0xffffffff
  elseif kind == "ptr" or kind == "str" or kind == "file" then
    return result == 0 and not name:find("^readdir")
  end
  return result == -1
end

local errno_at = setmetatable({}, { __mode = "k" }) -- by thread: its errno; false: not known

-- The thread runs another program.
function values.forget(t) errno_at[t] = nil end

-- Why the function has failed: " ENOENT". The thread is asked once where its errno is.
function values.reason(t)
  if errno_at[t] == nil then
    values.asking[t] = true
    errno_at[t] = t:call("__errno_location") or false
    values.asking[t] = nil
  end
  local value = errno_at[t] and t.mem:i32(errno_at[t])
  local name = value and luatrace.errno(value)
  return name and " " .. name or ""
end

function values.result(t, name, result)
  local prototype = prototypes[name]
  if not prototype then return hex(result) end
  if prototype.result == "void" then return "<void>" end
  return kinds[prototype.result](t, result)
end

return values
