-- Selections of system calls: names, globs ("*at"), classes ("%file"), lists of these, and what the
-- arguments must be.
--
-- A selection knows for each ABI and number the tests that the arguments of a call must pass: a
-- list, empty if there are none. A call without an argument that is tested for is not selected.

local core = require "luatrace.core"

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

-- ---- Tests on arguments --------------------------------------------------------------------

-- Under LuaJIT an integer beyond 2^53 is no key itself.
local function key(value)
  if jit and type(value) == "number" then return core.key(value) end
  return value
end

local allowed = { number = true, string = true, ["function"] = true }

-- What the value of an argument is compared with: `set`, or the functions in `ask`.
local function make_test(name, wanted)
  local test = { set = {}, ask = {} }
  for _, one in ipairs(type(wanted) == "table" and wanted or { wanted }) do
    if type(one) == "function" then
      test.ask[#test.ask + 1] = one
    elseif allowed[type(one)] then
      test.set[key(one)] = true
    else
      core.raise(("argument '%s' cannot be compared with a %s"):format(tostring(name), type(one)))
    end
  end
  if not next(test.set) and not test.ask[1] then
    core.raise(("argument '%s' is compared with nothing"):format(tostring(name)))
  end
  return test
end

local function index_of(abi, nr, name)
  if type(name) == "number" then return name >= 1 and name <= 6 and name - 1 or nil end
  return core.argument_index(abi, nr, name)
end

-- The tests for one call, or nil if it lacks one of the arguments. Those that need the script's
-- code are in `ask`: they run as part of the handler.
local function tests_for(abi, nr, predicates, used)
  local tests = { ask = nil }
  local complete = true
  for name, test in pairs(predicates) do
    local index = index_of(abi, nr, name)
    if index then
      used[name] = true
      local one = { index = index, raw = type(name) == "number", set = test.set, ask = test.ask }
      if test.ask[1] then
        tests.ask = tests.ask or {}
        tests.ask[#tests.ask + 1] = one
      else
        tests[#tests + 1] = one
      end
    else
      complete = false
    end
  end
  return complete and tests or nil
end

local function value_of(t, test)
  if test.raw then return core.raw_argument(t, test.index) end
  return core.argument(t, test.index)
end

-- Whether the call that t is about to make passes the tests that need no code of the script.
function select.passes(tests, t)
  for i = 1, #tests do
    local value = value_of(t, tests[i])
    if value == nil or not tests[i].set[key(value)] then return false end
  end
  return true
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
    if not used[name] then
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
  local tests, used, seen = {}, {}, {}
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
    selection.calls[abi][nr] = tests_for(abi, nr, tests, used)
  end
  for _, word in ipairs(words or { "*" }) do add_word(word, add) end
  check_used(tests, used, selection.label)
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
