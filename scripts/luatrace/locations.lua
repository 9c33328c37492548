-- Locations: what on_break and others take for "where", and the addresses that it means.
--
--   0x4010  "*0x4010"               an address
--   "malloc"  "libc:malloc"         a function, of any module or of one
--   "ns::f"  "ns::f(int)"           C++ and Rust: all functions of that name, or exactly one
--   "main+0x12"                     an instruction
--   "file.c:120"                    a line
--   "str*"  "libc:str*"  "libc:*"   functions by a glob; "?" and sets such as "[a-z]" work too
--   "file.c:*"                      all functions of a source file

local core = require "luatrace.core"

local locations = {}

-- ---- Words ---------------------------------------------------------------------------------

-- The last single colon outside of parentheses and angle brackets: position or nil.
local function find_colon(text)
  local depth = 0
  for i = #text, 1, -1 do
    local char = text:sub(i, i)
    if char == ")" or char == ">" then
      depth = depth + 1
    elseif char == "(" or char == "<" then
      depth = depth - 1
    elseif char == ":" and depth <= 0 and text:sub(i - 1, i - 1) ~= ":"
      and text:sub(i + 1, i + 1) ~= ":" then
      return i
    end
  end
end

-- Parameters of C++ functions and operators have such characters too.
local function is_glob(name)
  return name:find("[%*%?%[]") ~= nil and not name:find("(", 1, true)
    and not name:find("operator", 1, true)
end

local sources = { c = true, h = true, cc = true, cpp = true, cxx = true, C = true, hh = true,
  hpp = true, hxx = true, H = true, inl = true, rs = true, go = true, s = true, S = true, m = true,
  mm = true, d = true, f = true, f90 = true, F90 = true, adb = true, zig = true, nim = true,
  y = true, l = true }

local function is_source(name)
  local ending = name:match("%.(%w+)$")
  return ending ~= nil and sources[ending] == true
end

local function address_of(text)
  local digits = text:match("^%*%s*(%w+)$") or text:match("^(0x%x+)$")
  return digits and tonumber(digits)
end

local function parse_name(spec, name)
  local symbol, offset = name:match("^(.-)%+(0x%x+)$")
  if not symbol then symbol, offset = name:match("^(.-)%+(%d+)$") end
  if symbol and symbol ~= "" and not symbol:find("operator$") then
    name, spec.offset = symbol, tonumber(offset)
  end
  spec.name = name
  spec.kind = is_glob(name) and "glob" or "symbol"
  return spec
end

local function parse_text(text)
  local spec = { label = text }
  local addr = address_of(text)
  if addr then
    spec.kind, spec.addr = "address", addr
    return spec
  elseif text:sub(1, 1) == "*" and text:find("^%*%s*[%w_]") and not text:find("^%*%a") then
    core.raise(("'%s' is no address"):format(text))
  end
  local colon = find_colon(text)
  if not colon then return parse_name(spec, text) end
  local before, after = text:sub(1, colon - 1), text:sub(colon + 1)
  if before == "" or after == "" then
    core.raise(("'%s' is no location: \"symbol\", \"module:symbol\", \"file.c:120\", \"glob*\" and "
      .. "\"*0x4010\" are"):format(text))
  elseif after:find("^%d+$") then
    spec.kind, spec.file, spec.line = "line", before, tonumber(after)
    return spec
  elseif after == "*" and is_source(before) then
    spec.kind, spec.file = "file", before
    return spec
  end
  spec.module = before
  return parse_name(spec, after)
end

-- Whether a number, which may be a float, has a value that the core can take.
function locations.is_integer(number)
  return number >= -2 ^ 63 and number < 2 ^ 63 and number == math.floor(number)
end

-- A location, in the words of the list above, made ready for resolve().
function locations.parse(where)
  if type(where) == "number" then
    if not locations.is_integer(where) then core.raise("an address is an integer") end
    return { kind = "address", addr = where, label = ("%#x"):format(where) }
  elseif where == "" then
    core.raise("a location is not an empty text")
  elseif type(where) ~= "string" then
    core.raise("a location is an address or a text such as \"malloc\", \"libc:str*\" or "
      .. "\"file.c:120\", not a " .. type(where))
  end
  return parse_text(where)
end

-- ---- Addresses -----------------------------------------------------------------------------

local resolvers = {}

function resolvers.address(_, spec)
  return { { addr = spec.addr } }
end

function resolvers.line(p, spec)
  local list, message, code = core.line_addresses(p, spec.file, spec.line)
  if not list then return nil, message, code end
  return list
end

function resolvers.file(p, spec)
  local list, message, code = core.file_functions(p, spec.file)
  if not list then return nil, message, code end
  for _, place in ipairs(list) do place.entry = true end
  return list
end

local function places_of(symbols, offset)
  local list, seen = {}, {}
  for _, symbol in ipairs(symbols) do
    local addr = symbol.addr + (offset or 0)
    if not seen[addr] then
      seen[addr] = true
      local entry = (offset or 0) == 0
      list[#list + 1] = { addr = addr, name = symbol.name, module = symbol.module, entry = entry,
        indirect = symbol.indirect and entry }
    end
  end
  return list
end

-- What a module's name in a location means: the file's name, or what stands before ".", "-" or " ".
local function is_called(name, wanted)
  if name == wanted then return true end
  return name:sub(1, #wanted) == wanted and name:find("^[. -]", #wanted + 1) ~= nil
end
locations.is_called = is_called

-- The symbols of a location, of all modules or of the new ones.
local function find(p, spec, new)
  if not new then
    return core.code_symbols(p, spec.module and spec.module .. ":" .. spec.name or spec.name)
  end
  local all = {}
  for _, module in ipairs(new) do
    local wanted = not spec.module or is_called(module.name, spec.module)
      or spec.module:find("[%*%?%[/]")
    for _, symbol in ipairs(wanted and core.code_symbols(p, module.name .. ":" .. spec.name) or {})
    do
      all[#all + 1] = symbol
    end
  end
  return all
end

local function keep(symbols, test)
  local kept = {}
  for _, symbol in ipairs(symbols) do
    if test(symbol) then kept[#kept + 1] = symbol end
  end
  return kept
end

local function is_exported(symbol) return not symbol.is_local and not symbol.is_plt end
local function is_local(symbol) return symbol.is_local end

-- What is known outside of its file comes before what is not, and all of it is meant: a program and
-- a library may have a function of the same name.
function resolvers.symbol(p, spec, new, loading)
  local found, message, code = find(p, spec, new)
  if not found then return nil, message, code end
  local best = keep(found, is_exported)
  if best[1] or loading then return places_of(best, spec.offset) end
  best = keep(found, is_local)
  return places_of(best[1] and best or found, spec.offset)
end

local function is_function(symbol) return not symbol.is_plt and not symbol.untyped end

-- The name of the program's own file.
local function name_of_program(p)
  return p.exe and p.exe:gsub(" %(deleted%)$", ""):match("[^/]*$")
end

locations.name_of_program = name_of_program

-- Functions that other modules can call. Those of the program count only if it is named, or has
-- everything in it.
local function callable(p, spec, found)
  local own = not spec.module and name_of_program(p)
  local list = keep(found, function(symbol)
    return is_exported(symbol) and not symbol.untyped and symbol.module ~= own
  end)
  if list[1] or not own then return list end
  return keep(found, function(symbol) return is_exported(symbol) and not symbol.untyped end)
end

function resolvers.glob(p, spec, new)
  local found, message, code = find(p, spec, new)
  if not found then return nil, message, code end
  if spec.exported then return places_of(callable(p, spec, found)) end
  return places_of(keep(found, is_function))
end

-- The places that a location means in a process: a list of { addr, name, module, entry, indirect }
-- in which `entry` tells that it is the first instruction of a function and `indirect` that it is
-- a function which returns the address of the one that is meant. Or nil, a message and a code.
-- `new`: a list of modules (p:modules()) to look in, where they are symbols. `loading`: what else
-- the program needs is not mapped yet.
function locations.resolve(p, spec, new, loading)
  local list, message, code = resolvers[spec.kind](p, spec, new, loading)
  if list and not list[1] then
    return nil, ("ENOENT: there is no function '%s'"):format(spec.label), "ENOENT"
  end
  return list, message, code
end

-- "; did you mean 'malloc'?" for a location that was not found in this process.
function locations.hint(p, spec)
  if not spec.name or spec.name:find("[%*%?%[]") then return "" end
  local near = core.nearest_symbol(p, spec.name)
  if not near or near == spec.name then return "" end
  return ("; did you mean '%s'?"):format(near)
end

return locations
