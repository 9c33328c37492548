-- Operands of aggregations: what keys, values and conditions look at, as a script says it and as
-- the engine gets it: { source, index, size, signed }, see struct lt_operand.

local core = require "luatrace.core"
local nearest = require("luatrace.lazy").nearest

local operands = {}

local sources = core.sources

local places = {
  call = { "name", "nr", "abi", "tid", "pid", "comm", "error", "ret", "time", "pc" },
  ["break"] = { "name", "tid", "pid", "comm", "pc", "caller", "ret", "time" },
  signal = { "name", "nr", "tid", "pid", "comm", "pc" },
}
local known = {} -- by place: set of these
local everywhere = {}
for place, names in pairs(places) do
  known[place] = {}
  for _, name in ipairs(names) do known[place][name], everywhere[name] = true, true end
end

local types = { i8 = { 1, true }, u8 = { 1, false }, i16 = { 2, true }, u16 = { 2, false },
  i32 = { 4, true }, u32 = { 4, false }, i64 = { 8, true }, u64 = { 8, false },
  string = { 0, false } }
local type_names = {}
for name in pairs(types) do type_names[#type_names + 1] = name end

-- ---- What scripts say ------------------------------------------------------------------------

local function check_type(action, kind)
  if kind ~= nil and not types[kind] then
    core.raise(("%s: there is no type '%s'%s"):format(action, tostring(kind),
      nearest(tostring(kind), type_names)))
  end
end

-- Whether it is one key, and not a list of some.
function operands.is_one(what)
  return type(what) ~= "table" or what.arg ~= nil or what.type ~= nil
end

-- A key or value: the name of something that there always is or of an argument, the position of an
-- argument, or { one of these, type = TYPE }, or { arg = NAME } for an argument that is called like
-- something else.
function operands.parse(action, what)
  local spec = {}
  if type(what) == "table" then
    spec.arg, spec.type = what.arg, what.type
    check_type(action, spec.type)
    what = what[1]
  end
  if spec.arg == nil and type(what) == "string" and everywhere[what] then
    spec.source = what
  elseif spec.arg == nil then
    spec.arg = what
  end
  if type(spec.arg) == "number" then
    if spec.arg < 1 or spec.arg > 16 or spec.arg % 1 ~= 0 then
      core.raise(("%s: there is no argument %s"):format(action, tostring(spec.arg)))
    end
    spec.label = "arg" .. ("%d"):format(spec.arg)
  elseif type(spec.arg or spec.source) == "string" then
    spec.label = spec.arg or spec.source
  else
    core.raise(("%s: keys and values have names or positions, not a %s"):format(action,
      type(spec.arg)))
  end
  return spec
end

-- For messages.
function operands.what(spec, is_value)
  if spec.source then return is_value and "value" or "key" end
  return is_value and "number as its argument" or "argument"
end

-- "; did you mean …?" for an argument that none of these calls has.
function operands.near(spec, calls)
  local names, seen = {}, {}
  local function add(name)
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  for _, name in ipairs(places.call) do add(name) end
  for _, call in ipairs(calls) do
    for _, name in ipairs(core.argument_names(call.abi, call.nr)) do add(name) end
  end
  return type(spec.arg) == "string" and nearest(spec.arg, names) or ""
end

-- ---- What the engine gets --------------------------------------------------------------------

local function generic(spec)
  local form = types[spec.type or "u64"]
  return { sources[spec.source], 0, form[1], form[2] }
end

local function register(index, kind, is_key)
  if kind == "string" then return is_key and { sources.string, index, 0, false } or nil end
  local form = types[kind or "u64"]
  return { sources.arg, index, form[1], form[2] }
end

local texts = { comm = true }

-- nil: the call lacks it.
function operands.of_call(spec, abi, nr, is_key)
  if spec.source then
    if not known.call[spec.source] or (texts[spec.source] and not is_key) then return nil end
    return generic(spec)
  end
  if type(spec.arg) == "number" then
    return spec.arg <= 6 and register(spec.arg - 1, spec.type, is_key) or nil
  end
  local operand, is_string = core.argument_operand(abi, nr, spec.arg)
  if not operand then return nil end
  if spec.type and spec.type ~= "string" then return register(operand[2], spec.type, is_key) end
  if is_string then
    if not is_key then return nil end
    operand[1] = sources.string
  end
  return operand
end

local function not_here(action, spec, place)
  core.raise(("%s: on_%s has no '%s'%s; it has %s"):format(action, place, spec.label,
    nearest(spec.label, places[place]), table.concat(places[place], ", ")))
end

function operands.of_signal(action, spec)
  if not spec.source or not known.signal[spec.source] then not_here(action, spec, "signal") end
  return generic(spec)
end

local function_names = { name = "function", caller = "caller_name" }

function operands.of_break(action, spec, is_key)
  if spec.source then
    if not known["break"][spec.source] or (texts[spec.source] and not is_key) then
      not_here(action, spec, "break")
    end
    local function_name = function_names[spec.source]
    if function_name and not spec.type then
      if not is_key then not_here(action, spec, "break") end
      return { sources[function_name], 0, 0, false }
    end
    return generic(spec)
  elseif type(spec.arg) ~= "number" then
    core.raise(("%s: on_break knows arguments by their positions, not '%s'%s"):format(action,
      spec.label, nearest(spec.label, places["break"])))
  end
  local operand = register(spec.arg - 1, spec.type, is_key)
  if not operand then core.raise(action .. ": a string is a key, not a value") end
  return operand
end

-- ---- Conditions ------------------------------------------------------------------------------

local EQUAL, RANGE, HAS = 0, 1, 2

local function add(list, kind, a, b)
  list[#list + 1], list[#list + 2], list[#list + 3] = kind, a, b
end

-- { kind, a, b, … } of what an argument must be: a number, { min =, max = }, { has = mask }, or a
-- list of these.
local function alternatives(label, wanted)
  local list = {}
  local single = type(wanted) ~= "table" or wanted.min or wanted.max or wanted.has
  for _, one in ipairs(single and { wanted } or wanted) do
    if type(one) == "table" and (one.min or one.max) then
      add(list, RANGE, one.min or false, one.max or false)
    elseif type(one) == "table" and one.has then
      add(list, HAS, one.has, 0)
    elseif type(one) == "number" or core.is_integer(one) then
      add(list, EQUAL, one, 0)
    else
      core.raise(("argument %s is compared with numbers, { min =, max = } or { has = }, "
        .. "where no function is called; not with a %s"):format(label, type(one)))
    end
  end
  if not list[1] then core.raise(("argument %s is compared with nothing"):format(label)) end
  return list
end

local function has_negative(list)
  for i = 1, #list, 3 do
    if list[i] == RANGE and ((list[i + 1] and list[i + 1] < 0) or (list[i + 2] and list[i + 2] < 0))
    then
      return true
    end
  end
  return false
end

-- `when` of on_break: by position of the argument.
function operands.tests_of_break(when)
  local tests = {}
  for position, wanted in pairs(when) do
    local label = tostring(position)
    if type(position) ~= "number" or position < 1 or position > 16 or position % 1 ~= 0 then
      core.raise(("on_break: when has arguments by position, such as { [1] = 100 }, not '%s'")
        :format(label))
    end
    local kind = type(wanted) == "table" and wanted.type or nil
    check_type("on_break", kind)
    local list = alternatives(label, wanted)
    local operand = register(position - 1, kind or (has_negative(list) and "i64" or "u64"), false)
    if not operand then core.raise("on_break: strings cannot be compared in the engine") end
    tests[#tests + 1] = { operand, list }
  end
  return tests
end

-- The same for the same operands and tests.
function operands.identity(value, keys, tests)
  local parts = {}
  local function put(list)
    for i = 1, #list do
      if type(list[i]) == "table" then put(list[i]) else parts[#parts + 1] = tostring(list[i]) end
    end
    parts[#parts + 1] = ";"
  end
  put(value or {})
  put(keys)
  put(tests)
  return table.concat(parts, " ")
end

-- ---- Keys as scripts see them ----------------------------------------------------------------

local decoders = {
  name = core.key_name,
  abi = function(number) return core.abis[number] end,
  error = function(number) return number == 0 and "ok" or core.errno(number) or number end,
}

function operands.decode(spec, value)
  local decoder = decoders[spec.source]
  if decoder and type(value) ~= "string" then return decoder(value) end
  return value
end

local encoders = {
  name = function(name) return type(name) == "string" and core.key_name(name) end,
  abi = function(name)
    for abi = 0, core.last_abi do
      if core.abis[abi] == name then return abi end
    end
  end,
  error = function(name) return name == "ok" and 0 or name and core.errno(name) end,
}

-- `of_functions`: names are those of functions.
function operands.encode(spec, value, of_functions)
  local encoder = encoders[spec.source]
  if not encoder or (of_functions and spec.source == "name") then
    if type(value) == "string" or type(value) == "number" or core.is_integer(value) then
      return value
    end
    core.raise(("key %s is a number or a string, not a %s"):format(spec.label, type(value)))
  end
  local number = encoder(value)
  if not number then
    core.raise(("there is no %s '%s'"):format(spec.label, tostring(value)))
  end
  return number
end

return operands
