-- Hooks: the registering functions (on_syscall and the others), definitions, and the lists of
-- handlers that dispatch.lua walks.

local core = require "luatrace.core"
local lazy = require "luatrace.lazy"
local quiet = require "luatrace.quiet"
local subscribe = require "luatrace.subscribe"

local aggregates = lazy.aggregates
local conditions = lazy.conditions
local modules = lazy.modules
local selections = lazy.select

local hooks = {
  any = false, -- whether anything was ever registered
}

-- By kind: the handlers in order of registration. The lists are replaced, never changed, so that
-- they can be walked while handlers come and go.
local handlers = { start = {}, syscall = {}, clone = {}, exec = {}, signal = {}, exit = {},
  thread_exit = {}, stop = {}, ["break"] = {}, load = {}, watch = {}, ["end"] = {} }

function hooks.handlers(kind) return handlers[kind] end

-- ---- Handlers of system calls, by ABI and number -------------------------------------------

local cache = {} -- by ABI: by number: list of { handler, tests }, with the call's name
local counts = {} -- by name: how many calls were seen, of lists that are no longer in the cache

local quick = {} -- list of { abi, nr, list }: those whose one handler quick.c calls

-- Take over what quick.c has counted.
local function collect()
  for _, one in ipairs(quick) do
    local count = core.quick_count(one.abi, one.nr)
    one.list.count = one.list.count + count
    local handler = one.list[1].handler
    handler.calls = handler.calls + count
  end
end

local function forget_cache()
  collect()
  for _, one in ipairs(quick) do core.quick_forget(one.abi, one.nr) end
  quick = {}
  for _, lists in pairs(cache) do
    for _, list in pairs(lists) do
      if list.count > 0 then counts[list.name] = (counts[list.name] or 0) + list.count end
    end
  end
  cache = {}
  for abi = 0, core.last_abi do cache[abi] = {} end
end
forget_cache()

local UNKNOWN = "unknown" -- all numbers without a name share a list: programs may make up any

-- A lone handler that asks nothing before it is called. One without a second parameter needs no
-- object for the call.
local function make_quick(abi, nr, list)
  local one = list[1]
  if list[2] or not one or one.tests.ask then return end
  local info = debug.getinfo(one.handler.fn, "u")
  core.quick_call(abi, nr, one.handler.fn, info.isvararg or info.nparams > 1, one.handler.log,
    one.tests.selector)
  quick[#quick + 1] = { abi = abi, nr = nr, list = list }
end

local function make_list(abi, nr)
  local name = core.syscall_name(abi, nr)
  local key = name and nr or UNKNOWN
  local list = cache[abi][key]
  if list then return list end
  list = { name = name or UNKNOWN, count = 0 }
  for _, handler in ipairs(handlers.syscall) do
    local tests = handler.selection:tests(abi, nr)
    if tests then list[#list + 1] = { handler = handler, tests = tests } end
  end
  cache[abi][key] = list
  if name then make_quick(abi, nr, list) end
  return list
end

-- The handlers of a call: list of { handler, tests }.
function hooks.calls(abi, nr)
  local list = cache[abi][nr] or make_list(abi, nr)
  list.count = list.count + 1
  return list
end

-- By name: how often each system call was seen.
function hooks.call_counts()
  forget_cache()
  return counts
end

-- ---- Registering and removing --------------------------------------------------------------

local Handle = {}

-- h.count: times it was called
function Handle:__index(key)
  if key ~= "count" then return Handle[key] end
  collect()
  return self.calls
end

function Handle:__newindex(key, value)
  rawset(self, key == "count" and "calls" or key, value)
end

local record_of = { clone = "clone", exec = "exec", signal = "signal", ["break"] = "break",
  watch = "watch",
  thread_exit = "thread-exit" }

local function subscribe_handler(handler, on)
  if handler.kind == "load" then
    if on then modules.watch() end
  elseif record_of[handler.kind] then
    subscribe.kind(record_of[handler.kind], on)
  elseif handler.kind == "syscall" then
    subscribe.selection(handler.selection, on)
  elseif handler.kind == "stop" then
    conditions.subscribe_stops(handler.stops, on)
  end
end

quiet.when(function() return handlers.stop[1] == nil and handlers["break"][1] == nil end)

local function replace_list(kind, add, remove)
  quiet.disturb()
  local list = {}
  for _, handler in ipairs(handlers[kind]) do
    if handler ~= remove then list[#list + 1] = handler end
  end
  if add then list[#list + 1] = add end
  handlers[kind] = list
  if kind == "syscall" then forget_cache() end
end

local function register(handler)
  handler.calls = 0
  handler.removed = false
  setmetatable(handler, Handle)
  replace_list(handler.kind, handler)
  subscribe_handler(handler, true)
  hooks.any = true
  return handler
end

-- Stop calling the handler. Calls of it that wait go on.
function Handle:remove()
  if self.removed then return end
  self.removed = true
  replace_list(self.kind, nil, self)
  subscribe_handler(self, false)
end

function Handle:__tostring()
  return ("on_%s handler, called %d times"):format(self.kind, self.count)
end

-- ---- The registering functions: parse(handler, ...) gets what stands before the function ----

local function nothing(handler, what)
  if what ~= nil then core.raise("on_" .. handler.kind .. " takes a function and nothing else") end
end

-- A lone table: a list is a selection, one with names says what arguments must be.
local function is_predicates(what)
  return type(what) == "table" and what[1] == nil and next(what) ~= nil
end

local parsers = {
  start = nothing, clone = nothing, exec = nothing, exit = nothing, thread_exit = nothing,
  ["break"] = nothing, load = nothing, watch = nothing, ["end"] = nothing,
  syscall = function(handler, selection, predicates)
    if predicates == nil and is_predicates(selection) then
      selection, predicates = nil, selection
    end
    if predicates ~= nil and type(predicates) ~= "table" then
      core.raise("on_syscall: what arguments must be is said by a table, such as { fd = 1 }")
    end
    handler.selection = selections.compile(selection, predicates)
  end,
  signal = function(handler, names) handler.signals = conditions.signals(names) end,
  stop = function(handler, kinds) handler.stops = conditions.stops(kinds) end,
}

local function count_instead(handler, aggregation, ...)
  parsers[handler.kind](handler, ...)
  hooks.any = true
  return aggregates.register(handler, aggregation)
end

-- What a log does at a call where others want something as well.
local function log_call(log)
  return function(t, call)
    core.log_entry(log, t)
    call:leave()
    core.log_exit(log, t)
  end
end

local function make_handler(kind, owner, fn, ...)
  if aggregates.is(fn) then return count_instead({ kind = kind, owner = owner }, fn, ...) end
  local log = kind == "syscall" and core.is_call_log(fn) and fn or nil
  if not log and type(fn) ~= "function" then
    core.raise("on_" .. kind .. " needs a function as its last argument")
  end
  local handler = { kind = kind, owner = owner, fn = log and log_call(log) or fn, log = log }
  parsers[kind](handler, ...)
  return register(handler)
end

local registrars = {} -- by kind: what on_KIND does instead, if its arguments are of another form
local homes = { ["break"] = "luatrace.breaks", call = "luatrace.breaks",
  watch = "luatrace.watchpoints" } -- the modules that add these

-- on_KIND(...) calls fn(owner, ...). Where handlers have a list of this kind, it can be defined as
-- well.
function hooks.add(kind, fn) registrars[kind] = fn end

-- Registering functions for a script: name to function. Each handler knows its owner.
function hooks.functions(owner)
  local functions = {}
  for kind in pairs(parsers) do
    functions["on_" .. kind] = function(...)
      local count, first, second, third = select("#", ...), ...
      if count <= 1 then return make_handler(kind, owner, first) end
      if count == 2 then return make_handler(kind, owner, second, first) end
      return make_handler(kind, owner, third, first, second)
    end
  end
  for kind, home in pairs(homes) do
    functions["on_" .. kind] = function(...)
      require(home)
      return registrars[kind](owner, ...)
    end
  end
  return functions
end

-- ---- Definitions: function on_syscall(t, call) … end ---------------------------------------

local definitions = {} -- by owner: by name: handler

function hooks.is_hook(name)
  return type(name) == "string" and name:sub(1, 3) == "on_" and parsers[name:sub(4)] ~= nil
end

-- A script has assigned to the name of a hook: its earlier definition is replaced.
function hooks.define(owner, name, fn)
  if fn ~= nil and type(fn) ~= "function" then
    core.raise(("%s is a hook: it can be a function or nil, not a %s"):format(name, type(fn)))
  end
  local own = definitions[owner] or {}
  definitions[owner] = own
  if own[name] then own[name]:remove() end
  own[name] = fn and make_handler(name:sub(4), owner, fn) or nil
end

return hooks
