-- Selections of system calls: names, globs ("*at"), classes ("%file"), lists of these, and what the
-- arguments must be.
--
-- A selection knows for each ABI and number the tests that the arguments of a call must pass: a
-- selector that the engine tests (and as far as can be the kernel), and those that the script's own
-- functions make; neither if there are none. A call without an argument that is tested for is not
-- selected.

local core = require "luatrace.core"
local nearest = require("luatrace.lazy").nearest

local select = {}

local Selection = {}
Selection.__index = Selection

local NO_TESTS = {}

-- The tests for a call, or nil if it is not selected.
function Selection:tests(abi, nr)
  if self.all then return NO_TESTS end
  return self.calls[abi][nr]
end

-- ---- All system calls ----------------------------------------------------------------------

local catalog -- list of { name, abi, nr, classes }, made when it is first needed

local function all_calls()
  if catalog then return catalog end
  catalog = {}
  for abi = 0, core.last_abi do
    for index = 0, math.huge do
      local name, nr, classes = core.syscall_at(abi, index)
      if not name then break end
      catalog[#catalog + 1] = { name = name, abi = abi, nr = nr, classes = classes }
    end
  end
  return catalog
end

-- ---- One word of a selection: calls add(name, abi, nr) for each call, returns whether any ------

local function add_name(name, add)
  local found = false
  for abi = 0, core.last_abi do
    local nr = core.syscall_number(abi, name)
    if nr then
      found = true
      add(name, abi, nr)
    end
  end
  return found
end

local function pattern_of_set(set)
  local negated, members = set:match("^(!?)(.*)$")
  return "[" .. (negated == "!" and "^" or "") .. members:gsub("[%^%]%%]", "%%%0") .. "]"
end

-- A glob has "*", "?" and sets such as "[a-z]" and "[!a-z]", as in a shell.
local function pattern_of(glob)
  local parts, at = {}, 1
  while at <= #glob do
    local char, set = glob:sub(at, at), glob:match("^%[([^%]]+)%]", at)
    if set then
      parts[#parts + 1] = pattern_of_set(set)
      at = at + #set + 1
    else
      parts[#parts + 1] = char == "*" and ".*" or char == "?" and "." or char:gsub("%W", "%%%0")
    end
    at = at + 1
  end
  return "^" .. table.concat(parts) .. "$"
end

local function add_glob(glob, add)
  local pattern, found = pattern_of(glob), false
  for _, call in ipairs(all_calls()) do
    if call.name:find(pattern) then
      found = true
      add(call.name, call.abi, call.nr)
    end
  end
  return found
end

local function add_class(class, add)
  local bit = core.class_bit(class)
  if not bit then
    core.raise(("there is no class %%%s of system calls; there are %%%s"):format(class,
      table.concat(core.class_names(), " %")))
  end
  for _, call in ipairs(all_calls()) do
    if core.has_class(call.classes, bit) then add(call.name, call.abi, call.nr) end
  end
  return true
end

local function unknown(name)
  local near = core.syscall_nearest(name)
  core.raise(("there is no system call '%s'%s"):format(name,
    near and ("; did you mean '" .. near .. "'?") or ""))
end

local function add_word(word, add)
  if type(word) ~= "string" then
    core.raise("a selection of system calls has names, not a " .. type(word))
  elseif word:sub(1, 1) == "%" then
    add_class(word:sub(2), add)
  elseif word:find("[%*%?%[]") then
    if not add_glob(word, add) then core.raise(("no system call matches '%s'"):format(word)) end
  elseif not add_name(word, add) then
    unknown(word)
  end
end

-- ---- What a script says of an argument -----------------------------------------------------

-- Under LuaJIT an integer beyond 2^53 is no key itself.
local function key(value)
  if jit and type(value) == "number" then return core.key(value) end
  return value
end

local fields = { "has", "any", "lacks", "min", "max", "prefix", "suffix", "glob" }
local is_text = { prefix = true, suffix = true, glob = true }
local is_mask = { has = true, any = true, lacks = true }
local known = {}
for _, field in ipairs(fields) do known[field] = true end

local function check_field(name, field, value)
  if not known[field] then
    core.raise(("argument '%s' has no test '%s'%s; there are %s"):format(name, tostring(field),
      nearest(tostring(field), fields), table.concat(fields, ", ")))
  end
  local is_list = type(value) == "table" and value[1] ~= nil
  local kind = type(is_list and value[1] or value)
  local fits = kind == "string" or kind == "number" and not is_text[field]
  if not fits or is_list and (field == "min" or field == "max") then
    core.raise(("argument '%s': %s is a %s, not a %s"):format(name, field,
      is_text[field] and "string" or is_mask[field] and "number or the name of a flag"
      or "number", type(value)))
  end
end

-- What the value of an argument must be: one of `values` or as one of the functions `ask` says, and
-- whatever `fields` say.
local function make_test(name, wanted)
  local test = { name = tostring(name), raw = type(name) == "number", values = {}, ask = {} }
  if type(wanted) == "table" and wanted[1] == nil and next(wanted) ~= nil then
    for field, value in pairs(wanted) do check_field(test.name, field, value) end
    test.fields = wanted
    return test
  end
  for _, one in ipairs(type(wanted) == "table" and wanted or { wanted }) do
    if type(one) == "function" then
      test.ask[#test.ask + 1] = one
    elseif type(one) == "number" or type(one) == "string" then
      test.values[#test.values + 1] = one
    else
      core.raise(("argument '%s' cannot be compared with a %s"):format(test.name, type(one)))
    end
  end
  if not test.values[1] and not test.ask[1] then
    core.raise(("argument '%s' is compared with nothing"):format(test.name))
  end
  return test
end

-- ---- The same for an argument of one call: what does not fit it raises a reason -------------

-- An argument: { abi, nr, index, kind, size, signed, call = name, name = as the script has it }.
local function misfit(argument, text)
  error({ misfit = ("argument '%s' of %s %s"):format(argument.name, argument.call, text) }, 0)
end

-- A number as the argument can have it.
local function check_number(argument, value)
  local top = 2 ^ (8 * argument.size)
  if value % 1 ~= 0 then misfit(argument, "is an integer, not " .. tostring(value)) end
  if argument.size < 8 and (value >= top or value < -top / 2) then
    misfit(argument, ("has %d bytes: it cannot be %s"):format(argument.size, tostring(value)))
  end
  return value
end

-- "O_APPEND", or several with "|" between.
local function constant(argument, text)
  local sum = 0
  for word in (text .. "|"):gmatch("%s*(.-)%s*|") do
    local abi, nr, index = argument.abi, argument.nr, argument.index
    local value = not argument.raw and core.constant(abi, nr, index, word)
    if not value then
      local names = argument.raw and {} or core.constants(abi, nr, index)
      misfit(argument, names[1] and ("has no value '%s'%s"):format(word, nearest(word, names))
        or ("is a number, not '%s'"):format(word))
    end
    sum = core.bit.bor(sum, value)
  end
  return sum
end

local function number(argument, value)
  if type(value) == "string" then return constant(argument, value) end
  return check_number(argument, value)
end

local function bits(argument, value)
  local sum = 0
  for _, one in ipairs(type(value) == "table" and value or { value }) do
    sum = core.bit.bor(sum, number(argument, one))
  end
  return sum
end

local function texts(argument, field, value)
  if argument.kind ~= "text" then
    misfit(argument, ("is no string: it has no %s"):format(field))
  end
  return type(value) == "table" and value or { value }
end

local function range(argument, min, max)
  min, max = min and number(argument, min), max and number(argument, max)
  if not argument.signed and argument.size == 8 and max and max < 0 then
    misfit(argument, "is never negative")
  end
  if not argument.signed and min and min < 0 then min = nil end
  return { min or false, max or false }
end

local function field_checks(argument, wanted, checks)
  local function add(kind, list)
    checks[#checks + 1] = { arg = argument.index, raw = argument.raw, kind = kind, list = list }
  end
  for field in pairs(is_text) do
    if wanted[field] then add(field, texts(argument, field, wanted[field])) end
  end
  local is_number = wanted.has or wanted.any or wanted.lacks or wanted.min or wanted.max
  if argument.kind == "text" and is_number then
    misfit(argument, "is a string: it has no bits and no order")
  end
  if wanted.has or wanted.lacks then
    local has, lacks = bits(argument, wanted.has or 0), bits(argument, wanted.lacks or 0)
    if core.bit.band(has, lacks) ~= 0 then misfit(argument, "cannot both have and lack a bit") end
    add("bits", { core.bit.bor(has, lacks), has })
  end
  if wanted.any then add("any", { bits(argument, wanted.any) }) end
  if wanted.min or wanted.max then add("range", range(argument, wanted.min, wanted.max)) end
end

-- The values that a script lists: strings for a string, numbers for the others.
local function values_of(argument, values)
  local list = {}
  for i, value in ipairs(values) do
    if argument.kind ~= "text" then
      list[i] = number(argument, value)
    elseif type(value) == "string" then
      list[i] = value
    else
      misfit(argument, ("is a string, not the number %s"):format(tostring(value)))
    end
  end
  return list
end

local function add_test(argument, test, checks, asked)
  if test.fields then return field_checks(argument, test.fields, checks) end
  local list = values_of(argument, test.values)
  if not test.ask[1] then
    local kind = argument.kind == "text" and "text" or "one_of"
    checks[#checks + 1] = { arg = argument.index, raw = argument.raw, kind = kind, list = list }
    return
  end
  local set = {}
  for _, value in ipairs(list) do set[key(value)] = true end
  asked[#asked + 1] = { index = argument.index, raw = argument.raw, set = set, ask = test.ask }
end

local function find_argument(abi, nr, name, call)
  if type(name) == "number" then
    return name >= 1 and name <= 6 and { index = name - 1, raw = true, kind = "number", size = 8,
      name = tostring(name), call = call, abi = abi, nr = nr }
  end
  local index = core.argument_index(abi, nr, name)
  if not index then return nil end
  local kind, size, signed = core.argument_kind(abi, nr, index)
  return { abi = abi, nr = nr, index = index, kind = kind, size = size, signed = signed,
    name = name, call = call }
end

-- The tests for one call, or nil if it lacks one of the arguments or one is of another kind. Those
-- that need the script's code are in `ask`: they run as part of the handler.
local function tests_for(abi, nr, predicates, used, call)
  local checks, asked, complete = {}, {}, true
  for name, test in pairs(predicates) do
    local argument = find_argument(abi, nr, name, call)
    local ok, reason = false, nil
    if argument then ok, reason = pcall(add_test, argument, test, checks, asked) end
    if reason and not reason.misfit then error(reason, 0) end
    if ok then used.names[name] = true elseif reason then used.reason = reason.misfit end
    complete = complete and ok
  end
  if not complete then return nil end
  local tests = { ask = asked[1] and asked or nil }
  if checks[1] then tests.selector = core.selector(abi, nr, checks) end
  return tests
end

-- ---- Testing -------------------------------------------------------------------------------

-- Whether the call that t is about to make passes the tests that need no code of the script.
function select.passes(tests, t)
  local selector = tests.selector
  return not selector or core.passes(selector, t)
end

local function value_of(t, test)
  if test.raw then return core.raw_argument(t, test.index) end
  return core.argument(t, test.index)
end

-- The same for the others.
function select.passes_asked(tests, t)
  for _, test in ipairs(tests.ask) do
    local value = value_of(t, test)
    local passed = value ~= nil and test.set[key(value)] or false
    for _, ask in ipairs(test.ask) do passed = passed or ask(value) end
    if not passed then return false end
  end
  return true
end

-- ---- Making a selection --------------------------------------------------------------------

local function check_used(predicates, used, label)
  for name in pairs(predicates) do
    if not used.names[name] and used.reason then
      core.raise(label .. ": " .. used.reason)
    elseif not used.names[name] then
      core.raise(("%s: no selected system call has an argument '%s'"):format(label, tostring(name)))
    end
  end
end

-- A selection with nothing in it yet.
local function empty(words)
  local selection = setmetatable({ all = false, calls = {}, names = {}, label = "" }, Selection)
  for abi = 0, core.last_abi do selection.calls[abi] = {} end
  selection.label = words and table.concat(words, ", ") or "all system calls"
  return selection
end

local function words_of(what)
  if what == nil or what == true then return nil end
  if type(what) == "string" then return { what } end
  if type(what) ~= "table" or #what == 0 then
    core.raise("system calls are selected by a name, a glob, a %class or a list of these")
  end
  return what
end

-- `what` is a word, a list of words, or nil (or true) for all calls. `predicates` may be nil.
function select.compile(what, predicates)
  local words = words_of(what)
  local tests, seen = {}, {}
  local used = { names = {}, reason = nil } -- of tests; why one fits no call
  for name, wanted in pairs(predicates or {}) do tests[name] = make_test(name, wanted) end
  for _, word in ipairs(words or {}) do
    if type(word) ~= "string" then add_word(word) end -- raises
  end
  local selection = empty(words)
  if not words and not predicates then
    selection.all = true
    return selection
  end
  local function add(name, abi, nr)
    if not seen[name] then
      seen[name] = true
      selection.names[#selection.names + 1] = name
    end
    selection.calls[abi][nr] = tests_for(abi, nr, tests, used, name)
  end
  for _, word in ipairs(words or { "*" }) do add_word(word, add) end
  check_used(tests, used, selection.label)
  selection.predicated = predicates ~= nil
  selection.single = words and #words == 1 and not words[1]:find("[%%%*%?%[]")
  return selection
end

-- The sorted names that a selection means.
function select.names(what)
  local names, seen = {}, {}
  for _, word in ipairs(words_of(what) or { "*" }) do
    add_word(word, function(name)
      if not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end)
  end
  table.sort(names)
  return names
end

return select
