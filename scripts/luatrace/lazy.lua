-- Modules of the prelude that are loaded when something of them is first used, so that a script
-- pays for nothing that it does not use.
--
-- `lazy.NAME` stands for the module luatrace.NAME. Looking at a field loads it, except at those
-- that `idle` has: they are what the module would answer while nobody has used it. The methods
-- that a module gives to threads, processes and calls load it too.

local core = require "luatrace.core"

local require = require

local function nothing() end
local function no() return false end
local function none() return {} end

-- Processes that breaks.lua must know when it is loaded.
local begun = {} -- by process: "started" or "executed"

local idle = {
  aggregates = { is = no, misses = nothing },
  breaks = {
    started = function(p) begun[p] = "started" end,
    executed = function(p) begun[p] = "executed" end,
    forget = function(p) begun[p] = nil end,
    misses = nothing,
  },
  emulate = { any = false, cloned = nothing },
  events = {
    leave_body = nothing, leave_loops = nothing, release_all = nothing, finish_all = nothing,
  },
  frames = { thread_gone = nothing, process_gone = nothing, sweep = nothing },
  freeze = { process_gone = nothing, is_ours = no },
  listeners = {
    any = no, next_turn = nothing, streams = none, thread_gone = nothing, process_gone = nothing,
    sweep = nothing,
  },
  modules = { changed = none, inherited = nothing },
  remote = {
    under_way = 0, depth = function() return 0 end, thread_gone = nothing, sweep = nothing,
  },
  streams = { process_gone = nothing, awaited = no },
  timers = { thread_gone = nothing, sweep = nothing, awaited = no, fire = nothing },
  watchpoints = {
    started = nothing, executed = nothing, cloned = nothing, process_gone = nothing,
    misses = nothing,
  },
}

-- Where methods are.
local homes = {
  call = {
    addresses = "address", calls = "skip fail become", emulate = "pass", paths = "paths",
    timers = "delay",
  },
  process = {
    backtrace = "backtraces", counts = "blocks count", emulate = "emulate", events = "events",
    freeze = "freeze", functions = "symbol dlopen", lines = "lines",
    modules = "modules symbols where", steps = "run_until", variables = "var set",
    watchpoints = "watch",
  },
  thread = {
    backtrace = "backtrace", functions = "call inject", lines = "disasm", modules = "where",
    paths = "resolve", remote = "syscall mmap munmap alloc free",
    steps = "step run_until finish next stepline", variables = "locals var set cast typeof",
  },
}

local lazy, proxies = {}, {}

local function make(_, name)
  local proxy, meta = {}, {}
  for key, answer in pairs(idle[name] or {}) do proxy[key] = answer end
  local function load() return require("luatrace." .. name) end
  function meta.__index(_, key) return load()[key] end
  function meta.__newindex(_, key, value) load()[key] = value end
  function meta.__call(_, ...) return load()(...) end
  proxies["luatrace." .. name] = proxy
  lazy[name] = setmetatable(proxy, meta)
  return proxy
end

-- A module of the prelude has been loaded: what stands for it is it from now on.
core.when_loaded(function(name, module)
  local proxy = proxies[name]
  if not proxy or type(module) ~= "table" then return end
  for key in pairs(idle[name:match("[^.]*$")] or {}) do proxy[key] = nil end
  local meta = getmetatable(proxy)
  meta.__index, meta.__newindex = module, module
  if name == "luatrace.breaks" then
    for p, what in pairs(begun) do module[what](p) end
  end
end)

local function home_of(list, method)
  for name, methods in pairs(list) do
    for one in methods:gmatch("%S+") do
      if one == method then return name end
    end
  end
end

for class, list in pairs(homes) do
  setmetatable(core.methods[class], { __index = function(methods, method)
    local name = type(method) == "string" and home_of(list, method)
    if not name then return nil end
    require("luatrace." .. name)
    return rawget(methods, method)
  end })
end

core.on_assign(function(...) return lazy.calls.assign(...) end)
core.set_vars(function(p) return lazy.variables.all(p) end)

return setmetatable(lazy, { __index = make })
