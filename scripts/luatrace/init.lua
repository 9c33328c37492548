-- luatrace: what `require "luatrace"` returns. In scripts the hooks, spawn, attach, run and args
-- are global as well (env.lua).

local core = require "luatrace.core"
local env = require "luatrace.env"
local hooks = require "luatrace.hooks"
local lazy = require "luatrace.lazy"
local targets = require "luatrace.targets"
local wait = require "luatrace.wait"

local luatrace = hooks.functions("luatrace")

-- Functions whose modules are loaded when one of them is called.
local function later(module, ...)
  for _, name in ipairs { ... } do
    luatrace[name] = function(...) return lazy[module][name](...) end
  end
end

luatrace.call_log = function(file, options) return core.call_log(file, options or {}) end
luatrace.spawn = wait.spawn
luatrace.attach = wait.attach
luatrace.run = targets.run
luatrace.events = targets.events
luatrace.args = targets.args
luatrace.mistake = targets.mistake

later("aggregates", "count", "sum", "hist")
later("timers", "after", "every", "sleep")
later("variables", "addr", "bytes", "deref", "sizeof", "str", "typename")

function luatrace.random(...) return lazy.random(...) end
function luatrace.syscalls(...) return lazy.select.names(...) end
luatrace.emulate = { file = function(...)
  require "luatrace.virtual_calls"
  require "luatrace.virtual_waits"
  return lazy.virtual.file(...)
end }

luatrace.version = core.version
luatrace.bit = core.bit
luatrace.key = core.key
luatrace.now = core.now
luatrace.escape = core.escape
luatrace.is_gone = core.is_gone
luatrace.errno = core.errno
luatrace.signo = core.signo

-- The null pointer is a value of the program's.
setmetatable(luatrace, { __index = function(_, name)
  if name ~= "null" then return nil end
  luatrace.null = lazy.variables.null
  return luatrace.null
end })

env.set_public(luatrace)

return luatrace
