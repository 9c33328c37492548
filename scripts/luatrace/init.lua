-- luatrace: what `require "luatrace"` returns. In scripts the hooks, spawn, attach, run and args
-- are global as well (env.lua).

local aggregates = require "luatrace.aggregates"
require "luatrace.breaks"
local core = require "luatrace.core"
local env = require "luatrace.env"
local hooks = require "luatrace.hooks"
local random = require "luatrace.random"
local select = require "luatrace.select"
local targets = require "luatrace.targets"
local timers = require "luatrace.timers"
local values = require "luatrace.values"
require "luatrace.variables"
local virtual = require "luatrace.virtual"
require "luatrace.backtrace"
require "luatrace.virtual_calls"
require "luatrace.virtual_waits"
local wait = require "luatrace.wait"

local luatrace = hooks.functions("luatrace")

luatrace.call_log = function(file, options) return core.call_log(file, options or {}) end
luatrace.count = aggregates.count
luatrace.sum = aggregates.sum
luatrace.hist = aggregates.hist
luatrace.spawn = wait.spawn
luatrace.attach = wait.attach
luatrace.after = timers.after
luatrace.every = timers.every
luatrace.sleep = timers.sleep
luatrace.run = targets.run
luatrace.events = targets.events
luatrace.args = targets.args
luatrace.emulate = { file = virtual.file }
luatrace.mistake = targets.mistake

luatrace.version = core.version
luatrace.bit = core.bit
luatrace.key = core.key
luatrace.now = core.now
luatrace.random = random
luatrace.escape = core.escape
luatrace.is_gone = core.is_gone
luatrace.errno = core.errno
luatrace.signo = core.signo
luatrace.syscalls = select.names
luatrace.addr = values.addr
luatrace.bytes = values.bytes
luatrace.deref = values.deref
luatrace.null = values.null
luatrace.sizeof = values.sizeof
luatrace.str = values.str
luatrace.typename = values.typename

env.set_public(luatrace)

return luatrace
