-- Types of the program's debug information, as tables, made when first asked for.
--
-- core.type_get() fills them: kind, name, encoding, size (bytes; nil if unknown), file and where
-- (what identifies it), target (`where` of what it points to, is an array of, names or returns),
-- parts (members, enumerators, dimensions, parameters; see bindings/types.c), tagged (C's "struct
-- name"), incomplete. Types that no debug information names (a pointer to something, an array) have
-- a field `of` instead of `target`.

local core = require "luatrace.core"

local types = {}

local CHAIN_MAX = 64
local CACHE_MAX = 20000

types.void = { kind = "void", name = "void", parts = {} }

-- ---- Getting -------------------------------------------------------------------------------

local cache, cached = {}, 0 -- file -> where -> type

local function keep(file, where, type)
  if cached >= CACHE_MAX then cache, cached = {}, 0 end
  local of_file = cache[file]
  if not of_file then
    of_file = {}
    cache[file] = of_file
  end
  of_file[where] = type
  cached = cached + 1
  return type
end

-- The type at `where` of a file; nil, a message and a code if it cannot be read.
function types.get(t, file, where)
  if where == nil or where == 0 then return types.void end
  local known = cache[file] and cache[file][where]
  if known then return known end
  local type, message, code = core.type_get(t, file, where)
  if not type then return nil, message, code end
  return keep(file, where, type)
end

-- What a type points to, is an array of, names or returns.
function types.target(t, type)
  if type.of then return type.of end
  return types.get(t, type.file, type.target)
end

function types.part_type(t, type, part)
  if part.of then return part.of end
  return types.get(t, type.file, part.where)
end

local passing = { typedef = true, const = true, volatile = true, qualified = true }

-- The type below typedefs and qualifiers.
function types.plain(t, type)
  local message, code
  for _ = 1, CHAIN_MAX do
    if type == nil then return nil, message, code end
    if not passing[type.kind] then return type end
    type, message, code = types.target(t, type)
  end
  return nil, "ELOOP: a type that is named after itself", "ELOOP"
end

-- ---- Made here -----------------------------------------------------------------------------

function types.pointer_size(t)
  return t.abi == "i386" and 4 or 8
end

function types.pointer_to(t, type)
  return { kind = "pointer", name = "", of = type, size = types.pointer_size(t), parts = {} }
end

-- `lengths`: of its dimensions, outermost first; false: unknown.
function types.array_of(type, lengths)
  local parts = {}
  for i, length in ipairs(lengths) do parts[i] = { name = "", value = length or nil } end
  return { kind = "array", name = "", of = type, parts = parts }
end

-- What an array of several dimensions is an array of.
function types.element(t, type)
  if #type.parts < 2 then return types.target(t, type) end
  if not type.inner then
    local of, message, code = types.target(t, type)
    if not of then return nil, message, code end
    local lengths = {}
    for i = 2, #type.parts do lengths[i - 1] = type.parts[i].value or false end
    type.inner = types.array_of(of, lengths)
  end
  return type.inner
end

-- Number of elements; nil if that is not known (a flexible array).
function types.length(type)
  local first = type.parts[1]
  return first and first.value
end

-- In bytes; nil if that is not known.
function types.size(t, type)
  for _ = 1, CHAIN_MAX do
    if type == nil then return nil end
    if type.size then return type.size end
    if type.kind == "array" then
      local length = types.length(type)
      local size = length and types.size(t, types.element(t, type))
      return size and size * length
    end
    if not passing[type.kind] then return nil end
    type = types.target(t, type)
  end
  return nil
end

-- ---- Names ---------------------------------------------------------------------------------

local tags = { struct = "struct ", union = "union ", enum = "enum ", class = "class " }
local qualifiers = { const = "const", volatile = "volatile" }

local function parameters(t, type, depth)
  local list = {}
  for i, part in ipairs(type.parts) do
    list[i] = part.more and "..." or types.name(t, types.part_type(t, type, part), depth)
  end
  return "(" .. (#list == 0 and type.tagged and "void" or table.concat(list, ", ")) .. ")"
end

-- Arrays and functions are written behind what is declared, pointers before it.
local function declare(t, type, inner, depth)
  if depth > 16 or not type then return "..." .. inner end
  local kind = type.kind
  if kind == "pointer" or kind == "reference" then
    if type.unspecified then return type.name .. inner end
    local target = types.target(t, type)
    local mark = kind == "pointer" and "*" or type.rvalue and "&&" or "&"
    local below = target and target.kind
    if below == "array" or below == "function" then
      return declare(t, target, "(" .. mark .. inner .. ")", depth + 1)
    end
    return declare(t, target, mark .. inner, depth + 1)
  elseif kind == "array" then
    local dimensions = {}
    for i, part in ipairs(type.parts) do dimensions[i] = ("[%s]"):format(part.value or "") end
    return declare(t, types.target(t, type), inner .. table.concat(dimensions), depth + 1)
  elseif kind == "function" then
    return declare(t, types.target(t, type), inner .. parameters(t, type, depth + 1), depth + 1)
  elseif qualifiers[kind] or kind == "qualified" then
    local target, word = types.target(t, type), qualifiers[kind]
    if not word then return declare(t, target, inner, depth + 1) end
    if target and target.kind == "pointer" then
      return declare(t, target, " " .. word .. inner, depth + 1)
    end
    return word .. " " .. declare(t, target, inner, depth + 1)
  end
  local name = type.name
  if name == "" then name = "{...}" end
  if tags[kind] and (type.tagged or type.name == "") then name = tags[kind] .. name end
  if inner ~= "" then return name .. " " .. inner end
  return name
end

-- As C writes it: "struct node *", "int [2][3]", "int (*)(int, const char *)".
function types.name(t, type, depth)
  return declare(t, type, "", depth or 0)
end

-- ---- By name -------------------------------------------------------------------------------

local signed, unsigned = "signed", "unsigned"

-- Base types of C do not depend on the program having any. Sizes for 64-bit programs, and others.
local base = {
  ["char"] = { "char", 1 }, ["signed char"] = { "char", 1 }, ["unsigned char"] = { "uchar", 1 },
  ["short"] = { signed, 2 }, ["unsigned short"] = { unsigned, 2 },
  ["int"] = { signed, 4 }, ["unsigned int"] = { unsigned, 4 },
  ["long"] = { signed, 8, 4 }, ["unsigned long"] = { unsigned, 8, 4 },
  ["long long"] = { signed, 8 }, ["unsigned long long"] = { unsigned, 8 },
  ["float"] = { "float", 4 }, ["double"] = { "float", 8 }, ["long double"] = { "float", 16, 12 },
  ["_Bool"] = { "bool", 1 }, ["bool"] = { "bool", 1 },
}

-- These are taken from the program where it has them.
local usual = {
  int8_t = { signed, 1 }, int16_t = { signed, 2 }, int32_t = { signed, 4 },
  int64_t = { signed, 8 }, uint8_t = { unsigned, 1 }, uint16_t = { unsigned, 2 },
  uint32_t = { unsigned, 4 }, uint64_t = { unsigned, 8 }, size_t = { unsigned, 8, 4 },
  ssize_t = { signed, 8, 4 }, intptr_t = { signed, 8, 4 }, uintptr_t = { unsigned, 8, 4 },
}

local function made_base(t, name, row)
  local size = t.abi == "i386" and row[3] or row[2]
  return { kind = "base", name = name, encoding = row[1], size = size, parts = {} }
end

local known_words = { unsigned = true, signed = true, char = true, short = true, int = true,
  long = true }

-- "unsigned long" for "long unsigned int"; nil if these are not words of such a type.
local function plain_words(name)
  local count = {}
  for word in name:gmatch("%S+") do
    if not known_words[word] then return nil end
    count[word] = (count[word] or 0) + 1
  end
  local sign = count.unsigned and "unsigned " or ""
  if count.char then return (count.signed and "signed " or sign) .. "char" end
  if count.short then return sign .. "short" end
  if count.long then return sign .. (count.long > 1 and "long long" or "long") end
  return next(count) and sign .. "int"
end

local function find_named(t, name)
  if name == "void" then return types.void end
  local words = plain_words(name) or name
  if base[words] then return made_base(t, words, base[words]) end
  local type, message, code = core.type_find(t, name)
  if type then return keep(type.file, type.where, type) end
  if usual[name] then return made_base(t, name, usual[name]) end
  return nil, message, code
end

-- Cut what stands behind the name: pointers, and dimensions of an array. Returns what is left and a
-- list, the last mark first.
local function cut_marks(text)
  local marks = {}
  while true do
    text = text:gsub("%s+$", "")
    local rest, length = text:match("^(.-)%[(%d*)%]$")
    if rest then
      marks[#marks + 1] = tonumber(length) or false
    elseif text:find("[^%w_]const$") or text:find("[^%w_]volatile$")
      or text:find("[^%w_]restrict$") then
      rest = text:match("^(.-)%a+$")
    elseif text:find("%*$") then
      rest = text:sub(1, -2)
      marks[#marks + 1] = "*"
    end
    if not rest then return text, marks end
    text = rest
  end
end

-- The type that a text names, with pointers and arrays: "const struct node *", "char *[4]".
function types.parse(t, text)
  local name, marks = cut_marks(text)
  for _ = 1, 4 do name = name:gsub("^%s*const%s+", ""):gsub("^%s*volatile%s+", "") end
  name = name:gsub("^%s+", ""):gsub("%s+", " ")
  if name == "" or #marks > 16 then
    core.raise(("'%s' is no type; types are written as in C, such as 'struct node *'"):format(text))
  end
  local type, message, code = find_named(t, name)
  local at = #marks
  while type and at >= 1 do
    if marks[at] == "*" then
      type = types.pointer_to(t, type)
      at = at - 1
    else
      local lengths = {}
      while at >= 1 and marks[at] ~= "*" do
        lengths[#lengths + 1] = marks[at]
        at = at - 1
      end
      type = types.array_of(type, lengths)
    end
  end
  return type, message, code
end

-- ---- Members -------------------------------------------------------------------------------

local DEPTH_MAX = 12

local function inner_type(t, type, part)
  local inner = types.part_type(t, type, part)
  inner = inner and types.plain(t, inner)
  return inner and not part.elsewhere and inner.kind ~= "array" and inner
end

local function add(found, name, member)
  if found.names[name] then return end
  found.names[name] = member
  found.order[#found.order + 1] = name
end

-- What has no name of its own is looked into after what has one, so that it hides nothing.
local function collect(t, type, from, found, depth)
  local later = {}
  for _, part in ipairs(type.parts) do
    local at = part.value and from + part.value
    if part.name ~= "" and not part.base then
      add(found, part.name, { part = part, of = type, at = at })
    elseif at and depth > 0 then
      later[#later + 1] = part
    end
  end
  for _, part in ipairs(later) do -- members without a name, and base classes
    local inner = inner_type(t, type, part)
    if inner then
      if part.base and not found.names[inner.name] then
        found.names[inner.name] = { part = part, of = type, at = from + part.value }
      end
      collect(t, inner, from + part.value, found, depth - 1)
    end
  end
end

local function members(t, type)
  if not type.members then
    type.members = { names = {}, order = {} }
    collect(t, type, 0, type.members, DEPTH_MAX)
  end
  return type.members
end

-- The member with this name: { part, of: the struct that it is in, at: offset in bits }, or nil. A
-- base class is one under its own name.
function types.member(t, type, name)
  return members(t, type).names[name]
end

-- The names of all members, in order; those of base classes come last.
function types.member_names(t, type)
  return members(t, type).order
end

local aggregates = { struct = true, class = true, union = true }

function types.is_aggregate(type)
  return aggregates[type.kind] or false
end

-- Whether text is made of it.
function types.is_char(type)
  return type ~= nil and type.kind == "base" and type.size == 1 and type.encoding == "char"
end

return types
