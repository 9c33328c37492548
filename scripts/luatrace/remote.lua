-- What a thread does on a script's behalf: system calls, room for what is passed to them, calls of
-- its own functions.
--
-- The engine is asked to begin and the running task waits; the thread then stands where it stood. A
-- thread does one thing at a time: whoever else wants something of it at the same stop waits for
-- its turn. A function that the thread runs for us has stops of its own, at which handlers may ask
-- for more: `turns` is a stack.

local core = require "luatrace.core"
local quiet = require "luatrace.quiet"
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"

local remote = {
  under_way = 0, -- how many things threads do for us
}

local turns = {} -- by thread: { owner = task, queue = list of tasks, outer = turn or nil }

quiet.when(function() return remote.under_way == 0 end)

-- ---- Waiting for the thread ----------------------------------------------------------------

-- How many things t is doing for us, one inside the other.
function remote.depth(t)
  local turn = turns[t]
  return turn and turn.depth or 0
end

local function wait_for_turn(t)
  while turns[t] and core.remote_busy(t) do
    table.insert(turns[t].queue, tasks.current())
    tasks.wait()
  end
end

-- begin(t, ...) is a primitive that asks the engine for something and returns true, or nil, a
-- message and a code. Returns what remote.done() is told, or the failure.
function remote.run(t, begin, ...)
  core.check_live(t)
  tasks.check_can_wait()
  quiet.disturb()
  wait_for_turn(t)
  local ok, message, code = begin(t, ...)
  if not ok then return nil, message, code end
  subscribe.forever("thread-exit")
  core.watch(t)
  remote.under_way = remote.under_way + 1
  turns[t] = { owner = tasks.current(), queue = {}, outer = turns[t], depth = remote.depth(t) + 1 }
  return tasks.wait()
end

-- What was asked for last is done: t stands where it stood.
function remote.done(t, ...)
  local turn = turns[t]
  if not turn then return end
  turns[t] = turn.outer
  remote.under_way = remote.under_way - 1
  tasks.wake(turn.owner, ...)
  for _, task in ipairs(turn.queue) do tasks.wake(task) end
end

local function throw(t, task)
  local problem = core.gone(t.tid)
  problem.awaited = "it had done what the script asked for"
  tasks.throw(task, problem)
end

function remote.thread_gone(t)
  local turn = turns[t]
  turns[t] = nil
  while turn do
    remote.under_way = remote.under_way - 1
    throw(t, turn.owner)
    for _, task in ipairs(turn.queue) do throw(t, task) end
    turn = turn.outer
  end
end

-- Some threads are gone without a record.
function remote.sweep()
  local lost = {}
  for t in pairs(turns) do
    if not t.alive then lost[#lost + 1] = t end
  end
  for _, t in ipairs(lost) do remote.thread_gone(t) end
end

-- ---- Room ----------------------------------------------------------------------------------

-- Room for `size` bytes in t's process until its present call is over (elsewhere: until it runs
-- on).
-- Waits only if none is mapped yet. Returns the address, or nil, a message and a code.
function remote.room(t, size)
  local addr, message, code = core.scratch_take(t, size)
  if addr or code ~= "EAGAIN" then return addr, message, code end
  local ok
  ok, message, code = remote.run(t, core.scratch_grow, size)
  if not ok then return nil, message, code end
  addr, message, code = core.scratch_take(t, size)
  if code == "EAGAIN" then -- the mmap failed, or somebody else was quicker
    return nil, "ENOMEM: no room could be mapped in the program", "ENOMEM"
  end
  return addr, message, code
end

-- Put bytes there; returns as room() does.
function remote.place(t, bytes)
  local addr, message, code = remote.room(t, #bytes)
  if not addr then return nil, message, code end
  local done
  done, message, code = t.mem:write(addr, bytes)
  if done == #bytes then return addr end
  return nil, message or "EFAULT: Bad address", code or "EFAULT"
end

-- ---- System calls --------------------------------------------------------------------------

-- Integers as they are; strings by their addresses, with a NUL behind them. Also returns what was
-- placed, to be given back by release(). On failure nil, a message and a code.
function remote.place_arguments(t, list)
  local values, placed = {}, {}
  for i = 1, list.n do
    local value = list[i]
    if type(value) == "string" then
      local addr, message, code = remote.place(t, value .. "\0")
      if not addr then return nil, message, code end
      placed[#placed + 1] = { addr, #value + 1 }
      value = addr
    elseif value == nil then
      value = 0
    end
    values[i] = value
  end
  return values, placed
end

function remote.release(t, placed, ...)
  if t.alive then
    for _, one in ipairs(placed) do core.scratch_give(t, one[1], one[2]) end
  end
  return ...
end

local function call(t, name, list)
  local values, placed, code = remote.place_arguments(t, list)
  if not values then return nil, placed, code end
  return remote.release(t, placed, remote.run(t, core.remote_call, name, values))
end

local function check_arguments(name, list)
  if list.n > 6 then core.raise(name .. ": a system call has at most 6 arguments") end
  for i = 1, list.n do
    local kind = type(list[i])
    if kind ~= "number" and kind ~= "string" and kind ~= "nil" then
      core.raise(("%s: argument %d is an integer or a string, not a %s"):format(name, i, kind))
    end
  end
end

-- Have the stopped thread make a system call; returns as call:leave() does.
function core.methods.thread.syscall(t, name, ...)
  if type(name) ~= "string" then core.raise("t:syscall needs the name of a system call") end
  local list = { n = select("#", ...), ... }
  check_arguments(name, list)
  return call(t, name, list)
end

local PAGE = 4096
local PROT = { r = 1, w = 2, x = 4 }
local MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS = 0x01, 0x02, 0x10, 0x20
local MAP_FIXED_NOREPLACE = 0x100000

-- "rw" or a number
local function protection(value)
  if value == nil then return 3 end
  if type(value) == "number" then return value end
  local bits = 0
  for letter in tostring(value):gmatch("[^-]") do
    if not PROT[letter] then
      core.raise(("t:mmap: prot is a number or some of the letters rwx, not '%s'"):format(value))
    end
    bits = core.bit.bor(bits, PROT[letter])
  end
  return bits
end

local map_flags = { shared = MAP_SHARED, private = MAP_PRIVATE, fixed = MAP_FIXED,
  noreplace = MAP_FIXED_NOREPLACE, anonymous = MAP_ANONYMOUS }

-- "shared,fixed" or a number; by default private and anonymous, or at exactly addr if that is given
local function mapping_flags(what)
  if type(what.flags) == "number" then return what.flags end
  local bits = 0
  for word in (what.flags or ""):gmatch("[^,| ]+") do
    if not map_flags[word] then
      core.raise(("t:mmap: there is no flag '%s'; there are shared, private, fixed, noreplace, "
        .. "anonymous"):format(word))
    end
    bits = core.bit.bor(bits, map_flags[word])
  end
  if core.bit.band(bits, MAP_SHARED) == 0 then bits = core.bit.bor(bits, MAP_PRIVATE) end
  if not what.fd then bits = core.bit.bor(bits, MAP_ANONYMOUS) end
  if what.addr and not what.flags then bits = core.bit.bor(bits, MAP_FIXED_NOREPLACE) end
  return bits
end

local map_fields = { length = true, prot = true, flags = true, addr = true, fd = true,
  offset = true }

local function integer(what, name, default)
  local value = what[name]
  if value == nil then value = default end
  if type(value) ~= "number" then core.raise("t:mmap: " .. name .. " must be an integer") end
  return value
end

-- Map memory in the thread's process; returns the address, or nil, a message and a code.
function core.methods.thread.mmap(t, what)
  if type(what) ~= "table" then
    core.raise("t:mmap needs a table: t:mmap { length = 4096, prot = \"rw\" }")
  end
  for key in pairs(what) do
    if not map_fields[key] then
      core.raise(("t:mmap: there is no field '%s'; there are length, prot, flags, addr, fd, offset")
        :format(tostring(key)))
    end
  end
  local length, addr = integer(what, "length"), integer(what, "addr", 0)
  local offset, name = integer(what, "offset", 0), "mmap"
  core.check_live(t)
  if core.remote_abi(t) == "i386" then
    if offset % PAGE ~= 0 then return nil, "EINVAL: Invalid argument", "EINVAL" end
    name, offset = "mmap2", math.floor(offset / PAGE)
  end
  return call(t, name, { n = 6, addr, length, protection(what.prot), mapping_flags(what),
    integer(what, "fd", -1), offset })
end

function core.methods.thread.munmap(t, addr, length)
  if type(addr) ~= "number" or type(length) ~= "number" then
    core.raise("t:munmap needs an address and a length")
  end
  local ok, message, code = call(t, "munmap", { n = 2, addr, length })
  if not ok then return nil, message, code end
  return true
end

-- ---- Memory of the script's own ------------------------------------------------------------

local sizes = setmetatable({}, { __mode = "k" }) -- by process: by address: how much is mapped

-- Memory in the program for `what` bytes, or with the bytes `what` and a NUL in it. It stays until
-- t:free(), exec or the end. Returns the address, or nil, a message and a code.
function core.methods.thread.alloc(t, what)
  if type(what) ~= "string" and (type(what) ~= "number" or what <= 0) then
    core.raise("t:alloc needs a number of bytes or a string")
  end
  local length = type(what) == "string" and #what + 1 or what
  local addr, message, code = t:mmap { length = length }
  if not addr then return nil, message, code end
  local p = t.process
  sizes[p] = sizes[p] or {}
  sizes[p][addr] = length
  if type(what) == "string" then t.mem:write(addr, what .. "\0") end
  return addr
end

function core.methods.thread.free(t, addr)
  local own = sizes[t.process]
  local length = own and own[addr]
  if not length then
    core.raise(("t:free: %s did not come from t:alloc in this process"):format(
      type(addr) == "number" and ("%#x"):format(addr) or type(addr)))
  end
  own[addr] = nil
  return t:munmap(addr, length)
end

return remote
