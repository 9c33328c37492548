-- Aggregations: count, sum and hist stand where the function of a handler would, and run in the
-- engine: no Lua is entered for what they count.

local core = require "luatrace.core"
local nearest = require("luatrace.lazy").nearest
local operands = require "luatrace.operands"
local show = require "luatrace.aggregates_text"

local aggregates = {}

local Aggregation = {}

-- How many addresses are counted by planted code is known to the engine alone, at any time.
function Aggregation.__index(self, name)
  if name == "planted" or name == "stops" or name == "reason" then
    local planted, reason = core.aggregation_planted(self.handle)
    if name == "reason" then return reason end
    return name == "planted" and planted or self.addresses - planted
  end
  return Aggregation[name]
end

function aggregates.is(what) return getmetatable(what) == Aggregation end

-- ---- Making --------------------------------------------------------------------------------

local actions = { count = 0, sum = 1, hist = 2 }
local options_of = {
  count = { by = true, max = "number" },
  sum = { by = true, max = "number" },
  hist = { by = true, max = "number", from = "number", to = "number", step = "number" },
}

local function check_options(action, options)
  if type(options) ~= "table" then
    core.raise(("%s: options are a table such as { by = \"name\" }"):format(action))
  end
  local names = {}
  for name in pairs(options_of[action]) do names[#names + 1] = name end
  for name, value in pairs(options) do
    local wanted = options_of[action][name]
    if not wanted then
      core.raise(("%s: there is no option '%s'%s"):format(action, tostring(name),
        nearest(tostring(name), names)))
    elseif wanted ~= true and type(value) ~= wanted then
      core.raise(("%s: %s is a %s, not a %s"):format(action, name, wanted, type(value)))
    end
  end
end

local function check_linear(options)
  local some = options.from or options.to or options.step
  if some and not (options.to and options.step and options.step >= 1) then
    core.raise("hist: linear buckets need to and step, such as { from = 0, to = 100, step = 10 }")
  end
end

local function keys_of(action, by)
  local list = {}
  for i, key in ipairs(by == nil and {} or operands.is_one(by) and { by } or by) do
    list[i] = operands.parse(action, key)
  end
  if by ~= nil and not list[1] then core.raise(action .. ": by is a key or a list of keys") end
  if list[5] then core.raise(action .. ": there can be four keys at most") end
  return list
end

local function make(action, value, options)
  options = options == nil and {} or options
  check_options(action, options)
  check_linear(options)
  if options.max and (options.max < 1 or options.max > 2 ^ 20) then
    core.raise(action .. ": max is a number of rows, up to 1048576")
  end
  local self = setmetatable({ action = action, keys = keys_of(action, options.by),
    value = value ~= nil and operands.parse(action, value) or nil, linear = options.step ~= nil,
    from = options.from or 0, to = options.to, step = options.step, addresses = 0,
    attached = {}, owners = {} }, Aggregation)
  local handle, message = core.aggregation(actions[action], #self.keys, options.max, self.from,
    self.to, self.step)
  if not handle then core.raise(action .. ": " .. message) end
  self.handle = handle
  return self
end

function aggregates.count(options) return make("count", nil, options) end

local function with_value(action)
  return function(value, options)
    if value == nil or not operands.is_one(value) then
      core.raise(("%s needs a value first, such as %s(\"ret\")"):format(action, action))
    end
    return make(action, value, options)
  end
end

aggregates.sum = with_value "sum"
aggregates.hist = with_value "hist"

-- ---- Attaching -----------------------------------------------------------------------------

-- An attachment of the engine for these operands.
local function attach(self, value, keys, tests)
  local one, message = core.aggregation_attach(self.handle, value, keys, tests)
  if not one then core.raise(self.action .. ": " .. message) end
  self.attached[one] = true
  return one
end

local function free(self, one)
  if self.attached[one] then core.attachment_free(one) end
  self.attached[one] = nil
end

local function all_calls()
  local list = {}
  for abi = 0, core.last_abi do
    for index = 0, math.huge do
      local name, nr = core.syscall_at(abi, index)
      if not name then break end
      list[#list + 1] = { abi = abi, nr = nr }
    end
  end
  return list
end

-- The calls of a selection, each with the tests that its arguments must pass.
local function calls_of(selection)
  if selection.all then return all_calls() end
  local list = {}
  for abi = 0, core.last_abi do
    for nr, tests in pairs(selection.calls[abi]) do
      list[#list + 1] = { abi = abi, nr = nr, tests = tests }
    end
  end
  return list
end

-- The operands of the aggregation for one call; nil if it lacks an argument.
local function measure(self, abi, nr, missed)
  local keys, value = {}, nil
  for i, key in ipairs(self.keys) do
    keys[i] = operands.of_call(key, abi, nr, true)
    if not keys[i] then missed[key] = (missed[key] or 0) + 1 end
  end
  if self.value then
    value = operands.of_call(self.value, abi, nr, false)
    if not value then missed[self.value] = (missed[self.value] or 0) + 1 end
  end
  if #keys < #self.keys or (self.value and not value) then return nil end
  return { keys = keys, value = value }
end

local function names_an_argument(self)
  for _, key in ipairs(self.keys) do
    if type(key.arg) == "string" then return true end
  end
  return self.value ~= nil and type(self.value.arg) == "string"
end

local function refuse(self, missed, calls, label)
  for key, count in pairs(missed) do
    if count == #calls then
      core.raise(("%s: %s has no %s '%s'%s"):format(self.action, label,
        operands.what(key, key == self.value), key.label, operands.near(key, calls)))
    end
  end
  core.raise(("%s: %s has no call with all of these"):format(self.action, label))
end

local function attach_each(self, selection)
  local calls, missed, made, any = calls_of(selection), {}, {}, false
  for _, call in ipairs(calls) do
    local one = measure(self, call.abi, call.nr, missed)
    if one then
      any = true
      local tests = call.tests or {}
      if tests.ask then
        core.raise("what is counted cannot be asked of a function; use a handler")
      end
      local id = operands.identity(one.value, one.keys, {})
      made[id] = made[id] or attach(self, one.value, one.keys, {})
      assert(core.aggregate_call(made[id], call.abi, call.nr, tests.selector))
    end
  end
  if not any then refuse(self, missed, calls, selection.label) end
end

local function attach_all(self)
  for abi = 0, core.last_abi do
    local one = measure(self, abi, 0, {})
    assert(core.aggregate_call(attach(self, one.value, one.keys, {}), abi, nil))
  end
end

local function attach_signals(self, signals)
  local keys = {}
  for i, key in ipairs(self.keys) do keys[i] = operands.of_signal(self.action, key) end
  local value = self.value and operands.of_signal(self.action, self.value)
  assert(core.aggregate_signals(attach(self, value, keys, {}), signals))
end

-- The aggregation stands in the place of a handler's function.
function aggregates.register(handler, self)
  if handler.kind == "syscall" then
    if handler.selection.all and not names_an_argument(self) then
      attach_all(self)
    else
      attach_each(self, handler.selection)
      self.owners[#self.owners + 1] = { selection = handler.selection }
    end
  elseif handler.kind == "signal" then
    attach_signals(self, handler.signals)
  else
    core.raise(("on_%s takes a function; system calls, signals and breakpoints can be counted")
      :format(handler.kind))
  end
  aggregates.registered[#aggregates.registered + 1] = self
  return self
end

aggregates.registered = {} -- those of system calls and signals

-- For breaks.lua: { add = function(p, addr, check), remove = function() }. `when`: table of what
-- arguments must be.
function aggregates.feed(self, when, remove)
  local keys = {}
  for i, key in ipairs(self.keys) do keys[i] = operands.of_break(self.action, key, true) end
  local value = self.value and operands.of_break(self.action, self.value, false)
  local one = attach(self, value, keys, operands.tests_of_break(when or {}))
  self.of_functions = true
  local feed = {}
  function feed.add(p, addr, check)
    one = one or attach(self, value, keys, operands.tests_of_break(when or {}))
    return core.aggregate_break(one, p, addr, check)
  end
  function feed.stop()
    if one then free(self, one) end
    one = nil
  end
  self.owners[#self.owners + 1] = { remove = remove }
  return feed
end

-- ---- Reading -------------------------------------------------------------------------------

local function row_of(self, raw)
  local row = { key = {}, count = raw.count }
  for i, key in ipairs(self.keys) do
    row.key[i] = operands.decode(key, raw[i])
    row.key[key.label] = row.key[i]
  end
  if self.action ~= "count" then
    row.sum = raw.sum
    row.average = raw.count ~= 0 and raw.sum / raw.count or 0
  end
  if raw.buckets then row.buckets = show.buckets(self, raw.buckets) end
  return row
end

local function main_value(self, row)
  if self.action == "sum" then return row.sum end
  return row.count
end

local function compare_keys(a, b)
  for i = 1, #a.key do
    local x, y = a.key[i], b.key[i]
    if x ~= y then
      if type(x) ~= type(y) then return type(x) == "number" end
      return x < y
    end
  end
  return false
end

-- The rows as tables, the greatest first; `order` "key": by key.
function Aggregation:rows(order)
  if order ~= nil and order ~= "key" and order ~= "value" then
    core.raise("rows are sorted by \"value\" or by \"key\"")
  end
  local list, message, code = core.aggregation_rows(self.handle, #self.keys)
  if not list then return nil, message, code end
  for i, raw in ipairs(list) do list[i] = row_of(self, raw) end
  table.sort(list, function(a, b)
    local x, y = main_value(self, a), main_value(self, b)
    if order == "key" or x == y then return compare_keys(a, b) end
    return x > y
  end)
  return list
end

local unpack = table.unpack or unpack

-- for key..., value in agg:pairs() do
function Aggregation:pairs(order)
  local rows, i = assert(self:rows(order)), 0
  return function()
    i = i + 1
    local row = rows[i]
    if not row then return nil end
    local values = { unpack(row.key, 1, #self.keys) }
    values[#self.keys + 1] = self.action == "hist" and row or main_value(self, row)
    return unpack(values, 1, #self.keys + 1)
  end
end

Aggregation.__pairs = Aggregation.pairs

-- The count, the sum, or the row of a histogram for one key.
function Aggregation:get(...)
  if select("#", ...) ~= #self.keys then
    core.raise(("get needs %d key%s"):format(#self.keys, #self.keys == 1 and "" or "s"))
  end
  local keys = { ... }
  for i, key in ipairs(self.keys) do keys[i] = operands.encode(key, keys[i], self.of_functions) end
  local raw = core.aggregation_find(self.handle, #self.keys, unpack(keys, 1, #self.keys))
  if self.action == "hist" then return raw and row_of(self, raw) end
  if not raw then return 0 end
  return self.action == "sum" and raw.sum or raw.count
end

-- How often something was counted; of sums the sum comes first.
local function totals(self, sum, count)
  if self.action == "sum" then return sum, count end
  return count
end

-- How often something was counted.
local function count_of(self)
  local first, second = self:total()
  return second or first
end

function Aggregation:total()
  local others = core.aggregation_others(self.handle)
  local sum, count = others.sum, others.count
  for _, raw in ipairs(assert(core.aggregation_rows(self.handle, #self.keys))) do
    sum, count = sum + raw.sum, count + raw.count
  end
  return totals(self, sum, count)
end

-- How much has no row of its own, as there are too many.
function Aggregation:others()
  local raw = core.aggregation_others(self.handle)
  return totals(self, raw.sum, raw.count)
end

function Aggregation:clear() core.aggregation_clear(self.handle) end

-- Count no longer. What has been counted can still be read.
function Aggregation:remove()
  for _, owner in ipairs(self.owners) do
    if owner.remove then owner.remove() end
  end
  self.owners = {}
  for one in pairs(self.attached) do core.attachment_free(one) end
  self.attached = {}
end

function Aggregation:__tostring()
  return show.text(self, assert(self:rows()), core.aggregation_others(self.handle))
end

aggregates.count_of = count_of

-- ---- The end -------------------------------------------------------------------------------

-- Selections of which nothing was counted: calls tell(selection).
function aggregates.misses(tell)
  for _, self in ipairs(aggregates.registered) do
    local count = count_of(self)
    for _, owner in ipairs(self.owners) do
      if count == 0 and owner.selection then tell(owner.selection) end
    end
  end
end

return aggregates
