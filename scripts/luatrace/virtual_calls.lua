-- Virtual files: the calls that programs make on their descriptors (virtual.lua), answered by the
-- file's handlers.

local core = require "luatrace.core"
local emulate = require "luatrace.emulate"
local virtual = require "luatrace.virtual"

local BYTES_MAX = 1024 * 1024 -- moved by one call, which may always do less than it was asked for
local REST_MS = 10 -- between two questions whether there is something to read

local function refuse(call, name) core.answer(call, -core.errno(name)) end

-- ---- The program's memory ------------------------------------------------------------------

-- What a call moves, as a list of { address, size }, and their sum.
local function regions(t, call)
  local list, total = {}, 0
  local function add(addr, size)
    size = math.min(size, BYTES_MAX - total)
    if size > 0 then list[#list + 1], total = { addr, size }, total + size end
  end
  if not call.name:find("v", 1, true) then
    add(call.args[2], call.args[3])
    return list, total
  end
  local count = math.min(call.args.vlen, 1024)
  local words = t.mem:array(call.args[2], call.abi == "i386" and "u32" or "u64", 2 * count)
  if not words then return nil end
  for i = 1, #words - 1, 2 do add(words[i], words[i + 1]) end
  return list, total
end

local function gather(t, list)
  local parts = {}
  for i, one in ipairs(list) do
    parts[i] = t.mem:read(one[1], one[2])
    if not parts[i] or #parts[i] < one[2] then return nil end
  end
  return table.concat(parts)
end

local function scatter(t, list, bytes)
  local from = 1
  for _, one in ipairs(list) do
    local part = bytes:sub(from, from + one[2] - 1)
    if part ~= "" and t.mem:write(one[1], part) ~= #part then return false end
    from = from + #part
  end
  return true
end

-- ---- Waiting until a handler has something -------------------------------------------------

-- A descriptor that blocks, and a handler that says EAGAIN: the kernel lets the program wait for a
-- moment, in which signals reach it, and the program makes its call again.
local function rest(call, drop)
  core.become_rest(call, REST_MS)
  if emulate.run(call, drop) then core.redo(call) else core.restart(call) end
end

local function must_wait(file, problem, code)
  return (code or problem) == "EAGAIN" and virtual.blocks(file)
end

-- ---- Reading and writing -------------------------------------------------------------------

-- Where pread and pwrite begin; nil for the others.
local function offset_of(call)
  if not call.name:find("^p") then return nil end
  local low = call.args[4]
  return call.abi == "i386" and low + call.args[5] * 2 ^ 32 or low
end

-- What the last answer had too much comes first.
local function take(file, t, size, offset)
  local bytes, problem, code = file.rest, nil, nil
  if bytes == "" or offset then
    bytes, problem, code = virtual.ask(file, t, "read", size, offset)
  end
  if bytes == nil and problem == nil then bytes = "" end
  if bytes ~= nil and type(bytes) ~= "string" then
    core.raise(("read of %s answers a string, not a %s"):format(file.path, type(bytes)))
  end
  if bytes and not offset then file.rest = bytes:sub(size + 1) end
  return bytes and bytes:sub(1, size), problem, code
end

local function read(file, t, call, list, size)
  local drop, offset = emulate.hold(t), offset_of(call)
  local bytes, problem, code = take(file, t, size, offset)
  if not t.alive then return end
  if bytes then
    core.answer(call, scatter(t, list, bytes) and #bytes or virtual.EFAULT)
  elseif must_wait(file, problem, code) then
    rest(call, drop)
  else
    core.answer(call, emulate.result("read of " .. file.path, nil, problem, code))
  end
end

local function write(file, t, call, list, size)
  local drop, offset, bytes = emulate.hold(t), offset_of(call), gather(t, list)
  if not bytes then return refuse(call, "EFAULT") end
  local done, problem, code = virtual.ask(file, t, "write", bytes, offset)
  if not t.alive then return end
  if done == true or done == nil and problem == nil then done = size end
  if done == nil and must_wait(file, problem, code) then
    rest(call, drop)
  else
    core.answer(call, math.min(emulate.result("write of " .. file.path, done, problem, code), size))
  end
end

-- The descriptor's mode first, then what the file can do at all.
local function transfer(operation, allowed, act)
  return function(t, call)
    local file = virtual.of(t, call.args.fd)
    if not file then return end
    if not allowed(file) then return refuse(call, "EBADF") end
    if not file.handlers[operation] then return refuse(call, "EINVAL") end
    if offset_of(call) and not file.handlers.lseek then return refuse(call, "ESPIPE") end
    local list, size = regions(t, call)
    if not list then return refuse(call, "EFAULT") end
    return act(file, t, call, list, size)
  end
end

-- ---- The others ----------------------------------------------------------------------------

-- An answer in numbers; without a handler the error that devices give.
local function numeric(operation, otherwise, arguments)
  return function(t, call)
    local file = virtual.of(t, call.args.fd)
    if not file then return end
    if not file.handlers[operation] then return refuse(call, otherwise) end
    emulate.hold(t)
    local ret = emulate.result(operation .. " of " .. file.path,
      virtual.ask(file, t, operation, arguments(call)))
    if t.alive then core.answer(call, ret or 0) end
  end
end

local function seek(t, call)
  local file = virtual.of(t, call.args.fd)
  if not file then return end
  if not file.handlers.lseek then return refuse(call, "ESPIPE") end
  emulate.hold(t)
  local long = call.name == "_llseek"
  local offset = long and call.args[2] * 2 ^ 32 + call.args[3] or call.args.offset
  if long and offset >= 2 ^ 63 then offset = offset - 2 ^ 64 end
  local ret = emulate.result("lseek of " .. file.path,
    virtual.ask(file, t, "lseek", math.floor(offset), call.args.whence)) or 0
  if not t.alive then return end
  if long and ret >= 0 then
    t.mem:i64(call.args[4], ret)
    ret = 0
  end
  core.answer(call, ret)
end

-- stat of an open file, by descriptor or by an empty path below it.
local function watch_fstat(on_syscall, stats)
  on_syscall({ "fstat", "fstat64", "newfstatat", "fstatat64", "statx" }, function(t, call)
    local by_fd = call.name:find("^fstat6?4?$")
    if not by_fd and call.args.pathname ~= "" then return end
    local file = virtual.of(t, by_fd and call.args.fd or call.args.dfd)
    if not file then return end
    emulate.hold(t)
    local fields = virtual.stat(file, t)
    if t.alive then core.answer(call, stats.fill(t, call, fields) and 0 or virtual.EFAULT) end
  end)
end

local F_GETFL, F_SETFL = 3, 4

local function flags(t, call)
  local file = virtual.of(t, call.args.fd)
  if not file then return end
  if call.args.cmd == F_GETFL then
    core.answer(call, virtual.status_flags(file))
  elseif call.args.cmd == F_SETFL then
    local bit, settable = core.bit, 0x2c00 -- O_APPEND, O_NONBLOCK, FASYNC
    file.flags = bit.bor(bit.band(file.flags, bit.bnot(settable)),
      bit.band(call.args.arg, settable))
    core.answer(call, 0)
  end
end

-- What an empty memory file would do, and a device does not.
local function never(name)
  return function(t, call)
    if virtual.of(t, call.args.fd) then refuse(call, name) end
  end
end

function virtual.watch_calls(own, stats)
  local on = own.on_syscall
  on({ "read", "readv", "pread64", "preadv", "preadv2" },
    transfer("read", virtual.reads, read))
  on({ "write", "writev", "pwrite64", "pwritev", "pwritev2" },
    transfer("write", virtual.writes, write))
  on({ "lseek", "_llseek" }, seek)
  on("ioctl", numeric("ioctl", "ENOTTY", function(call) return call.args.cmd, call.args[3] end))
  on({ "fcntl", "fcntl64" }, flags)
  on({ "ftruncate", "ftruncate64", "fallocate" }, never("EINVAL"))
  on({ "mmap", "mmap2" }, function(t, call)
    if #call.args >= 5 and virtual.of(t, call.args.fd) then refuse(call, "ENODEV") end
  end)
  watch_fstat(on, stats)
end

return virtual
