-- Conditions: which events a t:wait{…} or an events{…} is for.

local core = require "luatrace.core"
local nearest = require("luatrace.lazy").nearest
local select = require "luatrace.select"
local subscribe = require "luatrace.subscribe"

local conditions = {}

local Condition = {}
Condition.__index = Condition

-- The kinds of record that an entry of the table needs; none for those that come always.
local records = { signal = "signal", clone = "clone", exec = "exec", thread_exit = "thread-exit" }

-- All kinds of record, for on_stop and { stop = true }.
local all_kinds = { "birth", "syscall-entry", "syscall-exit", "signal", "clone", "vfork-done",
  "exec", "interrupt", "group-stop", "continue", "break", "return", "load", "stepped", "watch",
  "exiting", "thread-exit" }
local always = { start = true, ["process-exit"] = true, ["spawn-failed"] = true }
local known_kinds = {}
for _, kind in ipairs(all_kinds) do known_kinds[kind] = true end
for kind in pairs(always) do known_kinds[kind] = true end

local function list_of(what)
  if type(what) == "table" then return what end
  return { what }
end

local function unknown_signal(name)
  local names = {}
  for number = 1, 64 do names[number] = core.signo(number) or "" end
  core.raise(("there is no signal '%s'%s"):format(tostring(name), nearest(tostring(name), names)))
end

-- true, or the set of the numbers of these signals.
function conditions.signals(what)
  if what == nil or what == true then return true end
  local set = {}
  for _, one in ipairs(list_of(what)) do
    local number = type(one) == "number" and one or type(one) == "string" and core.signo(one)
    if not number or number < 1 or number > 64 then unknown_signal(one) end
    set[number] = true
  end
  if not next(set) then core.raise("signals are selected by a name or a list of names") end
  return set
end

-- true, or the set of these kinds of record.
function conditions.stops(what)
  if what == nil or what == true then return true end
  local set = {}
  for _, one in ipairs(list_of(what)) do
    if not known_kinds[one] then
      core.raise(("there is no stop kind '%s'"):format(tostring(one)))
    end
    set[one] = true
  end
  if not next(set) then core.raise("stops are selected by a kind or a list of kinds") end
  return set
end

-- Want the records that on_stop needs, or want them no longer.
function conditions.subscribe_stops(stops, on)
  for _, kind in ipairs(all_kinds) do
    if stops == true or stops[kind] then subscribe.kind(kind, on) end
  end
end

local makers = {
  syscall = function(what) return select.compile(what) end,
  signal = conditions.signals,
  stop = conditions.stops,
}

-- `what` is the table that the script gave.
function conditions.compile(what, caller)
  if type(what) ~= "table" or not next(what) then
    core.raise(caller .. " needs a table that says for what, such as { syscall = true }")
  end
  local condition = setmetatable({}, Condition)
  for key, value in pairs(what) do
    if not (makers[key] or records[key] or key == "exit") then
      core.raise(("%s: there is no event '%s'; there are syscall, signal, clone, exec, exit, "
        .. "thread_exit, stop"):format(caller, tostring(key)))
    end
    if value then condition[key] = makers[key] and makers[key](value) or true end
  end
  return condition
end

-- Want what the condition needs, or want it no longer.
function Condition:subscribe(on)
  for key, kind in pairs(records) do
    if self[key] then subscribe.kind(kind, on) end
  end
  if self.syscall then subscribe.selection(self.syscall, on) end
  if self.stop then conditions.subscribe_stops(self.stop, on) end
end

-- The key of the condition that an event meets, or nil. The event: `name` as in the table (nil if
-- only stops have it), `kind` of the record, what the hook gets, and of a call the ABI and number.
function Condition:meets(name, kind, what, abi, nr)
  local wanted = name and self[name]
  if wanted then
    if name == "syscall" then
      if wanted:tests(abi, nr) then return name end
    elseif name ~= "signal" or wanted == true or wanted[what.number] then
      return name
    end
  end
  local stops = self.stop
  if stops and (stops == true or stops[kind]) then return "stop" end
end

-- In words, for "thread 12 ended before …".
function Condition:describe()
  local list = {}
  if self.syscall then list[1] = self.syscall.label end
  for _, key in ipairs { "signal", "clone", "exec", "exit", "thread_exit", "stop" } do
    if self[key] then list[#list + 1] = "its next " .. key:gsub("_", " ") end
  end
  return table.concat(list, " or ")
end

return conditions
