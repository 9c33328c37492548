-- Virtual files: poll(2) and select(2) with their descriptors among others.
--
-- The handlers are asked first. If one of their files is ready, the kernel looks at the other
-- descriptors without waiting, and both answers are put together. If none is, the kernel waits for
-- the others alone, for a moment; then everything is asked again. Signals reach the program while
-- the kernel waits.

local core = require "luatrace.core"
local emulate = require "luatrace.emulate"
local remote = require "luatrace.remote"
local virtual = require "luatrace.virtual"

local REST_MS = 10
local POLLIN, POLLOUT, POLLERR = 1, 4, 8
local DESCRIPTORS_MAX = 65536

local band, bor = core.bit.band, core.bit.bor
local deadlines = setmetatable({}, { __mode = "k" }) -- by thread that waits again and again

-- What a file is ready for, of these events: what its handler says, or anything.
local function readiness(file, t, events)
  if not file.handlers.poll then return band(events, POLLIN + POLLOUT) end
  if file.rest ~= "" and band(events, POLLIN) ~= 0 then return POLLIN end
  local ready = virtual.ask(file, t, "poll", events)
  if ready == true then return band(events, POLLIN + POLLOUT) end
  if not ready then return 0 end
  return band(ready, bor(events, 0x38)) -- errors are reported unasked
end

-- ---- Time ----------------------------------------------------------------------------------

-- Seconds that the call may wait, or nil for ever. `at` is the argument with the time.
local function patience(t, call, at, unit)
  if unit == "ms" then
    local ms = call.args.timeout
    return ms >= 0 and ms / 1000 or nil
  end
  local addr = call.args[at]
  if addr == 0 then return nil end
  local narrow = call.abi == "i386" and not call.name:find("time64")
  local kind, step = narrow and "i32" or "i64", narrow and 4 or 8
  local fraction = t.mem[kind](t.mem, addr + step) or 0
  return (t.mem[kind](t.mem, addr) or 0) + fraction / (unit == "us" and 1e6 or 1e9)
end

-- Milliseconds for the kernel to wait this time; 0 at the deadline.
local function next_rest(t, seconds)
    if not seconds then return REST_MS end
  deadlines[t] = deadlines[t] or core.now() + seconds
  return math.max(0, math.min(REST_MS, math.ceil((deadlines[t] - core.now()) * 1000)))
end

-- The kernel has waited `ms` with the result `count` (nil: a signal ended it) and no virtual file
-- is ready. Whether the program is to make its call again.
local function goes_on(t, call, count, ms)
  if count == 0 and ms > 0 then
    core.redo(call)
    return true
  end
  deadlines[t] = nil
  if not count then core.restart(call, true) end
  return not count
end

-- ---- poll ----------------------------------------------------------------------------------

-- The descriptors of virtual files in the list: { at = address, fd =, ready = } each.
local function polled(t, call)
  local found, base = {}, call.args[1]
  for i = 0, math.min(call.args.nfds, DESCRIPTORS_MAX) - 1 do
    local at = base + 8 * i
    local fd = t.mem:i32(at)
    local file = fd and virtual.of(t, fd)
    if file then found[#found + 1] = { at = at, fd = fd, file = file } end
  end
  return found
end

local function ask_polled(t, found)
  local any = false
  for _, one in ipairs(found) do
    one.ready = readiness(one.file, t, t.mem:u16(one.at + 4) or 0)
    any = any or one.ready ~= 0
  end
  return any
end

-- The kernel passes over negative descriptors.
local function hide(t, found)
  for _, one in ipairs(found) do t.mem:i32(one.at, -1 - one.fd) end
end

local function show(t, found)
  for _, one in ipairs(found) do t.mem:i32(one.at, one.fd) end
end

local function poll(t, call, found, seconds)
  local drop = emulate.hold(t)
  local any = ask_polled(t, found)
  if not t.alive then return end
  local ms = any and 0 or next_rest(t, seconds)
  hide(t, found)
  core.become_poll(call, ms)
  local count = emulate.run(call, drop)
  show(t, found)
  if not any and goes_on(t, call, count, ms) then return end
  deadlines[t] = nil
  if not count then return end
  for _, one in ipairs(found) do
    t.mem:u16(one.at + 6, one.ready)
    if one.ready ~= 0 then count = count + 1 end
  end
  if count ~= call.ret then call.ret = count end
end

-- ---- select --------------------------------------------------------------------------------

local asks = { POLLIN, POLLOUT, POLLERR } -- what the three sets ask for

-- Sets of descriptors as the program has them: list of { addr, bytes }, and their size.
local function read_sets(t, call)
  local size = math.ceil(math.min(call.args.n, DESCRIPTORS_MAX) / 64) * 8
  local sets = {}
  for i = 1, 3 do
    local addr = call.args[i + 1]
    sets[i] = addr ~= 0 and size > 0 and { addr = addr, bytes = t.mem:read(addr, size) or "" }
  end
  return sets, math.min(call.args.n, DESCRIPTORS_MAX)
end

local function has_bit(bytes, fd)
  local byte = bytes:byte(math.floor(fd / 8) + 1)
  return byte and math.floor(byte / 2 ^ (fd % 8)) % 2 == 1
end

local function with_bit(bytes, fd, on)
  if has_bit(bytes, fd) == on then return bytes end
  local at = math.floor(fd / 8) + 1
  local byte = bytes:byte(at) + (on and 1 or -1) * 2 ^ (fd % 8)
  return bytes:sub(1, at - 1) .. string.char(math.floor(byte)) .. bytes:sub(at + 1)
end

local function selected(t, sets, limit)
  local found = {}
  for fd = 0, limit - 1 do
    local events = 0
    for i = 1, 3 do
      if sets[i] and has_bit(sets[i].bytes, fd) then events = bor(events, asks[i]) end
    end
    local file = events ~= 0 and virtual.of(t, fd)
    if file then found[#found + 1] = { fd = fd, file = file, events = events } end
  end
  return found
end

-- Write the sets with the bits of virtual files as `bit` says.
local function write_sets(t, sets, found, bit)
  for i = 1, 3 do
    local bytes = sets[i] and t.mem:read(sets[i].addr, #sets[i].bytes)
    for _, one in ipairs(bytes and found or {}) do
      bytes = with_bit(bytes, one.fd, bit(one, i))
    end
    if bytes then t.mem:write(sets[i].addr, bytes) end
  end
end

local function restore_sets(t, sets)
  for i = 1, 3 do
    if sets[i] then t.mem:write(sets[i].addr, sets[i].bytes) end
  end
end

local function count_ready(sets, found)
  local count = 0
  for _, one in ipairs(found) do
    for i = 1, 3 do
      local asked = sets[i] and has_bit(sets[i].bytes, one.fd)
      if asked and band(one.ready, asks[i]) ~= 0 then count = count + 1 end
    end
  end
  return count
end

local function is_ready(sets)
  return function(one, i)
    return has_bit(sets[i].bytes, one.fd) and band(one.ready, asks[i]) ~= 0
  end
end

-- Room in the program for the time that the kernel is to wait. The address; nil if there is none.
local function place_time(t, call, ms)
  local addr = remote.room(t, 16)
  if not addr then return nil end
  local narrow = call.abi == "i386" and not call.name:find("time64")
  local kind, step = narrow and "i32" or "i64", narrow and 4 or 8
  t.mem[kind](t.mem, addr, 0)
  t.mem[kind](t.mem, addr + step, ms * (call.name:find("^pselect") and 1000000 or 1000))
  return addr
end

local function choose(t, call, sets, found, seconds)
  local drop = emulate.hold(t)
  for _, one in ipairs(found) do one.ready = readiness(one.file, t, one.events) end
  if not t.alive then return end
  local ready = count_ready(sets, found)
  local ms = ready > 0 and 0 or next_rest(t, seconds)
  local time = place_time(t, call, ms)
  if not time then return end
  write_sets(t, sets, found, function() return false end)
  call.args[5] = time
  local count = emulate.run(call, drop)
  local over = ready > 0 or (count and count > 0) or (count == 0 and ms == 0)
  if not over then restore_sets(t, sets) end
  if ready == 0 and goes_on(t, call, count, ms) then return end
  deadlines[t] = nil
  if not count or ready == 0 then return end
  write_sets(t, sets, found, is_ready(sets))
  call.ret = count + ready
end

-- ---- Watching ------------------------------------------------------------------------------

local function watch_poll(on, name, at, unit)
  on(name, function(t, call)
    if not virtual.any() then return end
    local found = polled(t, call)
    if found[1] then return poll(t, call, found, patience(t, call, at, unit)) end
  end)
end

local function watch_select(on, name, unit)
  on(name, function(t, call)
    if not virtual.any() or #call.args < 5 then return end -- old_select has one argument
    local sets, limit = read_sets(t, call)
    local found = selected(t, sets, limit)
    if found[1] then return choose(t, call, sets, found, patience(t, call, 5, unit)) end
  end)
end

function virtual.watch_waits(own)
  local on = own.on_syscall
  watch_poll(on, "poll", 3, "ms")
  watch_poll(on, "ppoll", 3, "ns")
  watch_poll(on, "ppoll_time64", 3, "ns")
  watch_select(on, "select", "us")
  watch_select(on, "_newselect", "us")
  watch_select(on, "pselect6", "ns")
  watch_select(on, "pselect6_time64", "ns")
end

return virtual
