-- The records that stat(2) and its relatives fill, by name of the call and ABI: where their fields
-- are in the program's memory.

local stats = {}

-- Each layout: its size, and by field { offset, type of t.mem }.
local native = { size = 144, dev = { 0, "u64" }, ino = { 8, "u64" }, nlink = { 16, "u64" },
  mode = { 24, "u32" }, uid = { 28, "u32" }, gid = { 32, "u32" }, rdev = { 40, "u64" },
  length = { 48, "i64" }, blksize = { 56, "i64" }, mtime = { 88, "i64" } }
local i386_64 = { size = 96, dev = { 0, "u64" }, ino = { 88, "u64" }, nlink = { 20, "u32" },
  mode = { 16, "u32" }, uid = { 24, "u32" }, gid = { 28, "u32" }, rdev = { 32, "u64" },
  length = { 44, "i64" }, blksize = { 52, "u32" }, mtime = { 72, "u32" } }
local i386_old = { size = 64, dev = { 0, "u32" }, ino = { 4, "u32" }, nlink = { 10, "u16" },
  mode = { 8, "u16" }, uid = { 12, "u16" }, gid = { 14, "u16" }, rdev = { 16, "u32" },
  length = { 20, "u32" }, blksize = { 24, "u32" }, mtime = { 40, "u32" } }
local extended = { size = 256, ino = { 32, "u64" }, nlink = { 16, "u32" }, mode = { 28, "u16" },
  uid = { 20, "u32" }, gid = { 24, "u32" }, length = { 40, "u64" }, blksize = { 4, "u32" },
  mtime = { 112, "i64" }, mask = { 0, "u32" }, major = { 136, "u32" }, minor = { 140, "u32" } }

local BASIC = 0x7ff -- STATX_BASIC_STATS
local argument = { stat = 2, lstat = 2, fstat = 2, stat64 = 2, lstat64 = 2, fstat64 = 2,
  newfstatat = 3, fstatat64 = 3, statx = 5 }

-- Names of all these calls.
stats.names = {}
for name in pairs(argument) do stats.names[#stats.names + 1] = name end

local function layout(call)
  if call.name == "statx" then return extended end
  if call.name:sub(-2) == "64" then return i386_64 end
  return call.abi == "i386" and i386_old or native
end

-- Change fields of the record that the call has filled.
function stats.change(t, call, fields)
  local addr, where = call.args[argument[call.name]], layout(call)
  for name, value in pairs(fields) do
    local field = where[name]
    if field then t.mem[field[2]](t.mem, addr + field[1], value) end
  end
end

-- The value of a field, after the call.
function stats.get(t, call, name)
  local field = layout(call)[name]
  return field and t.mem[field[2]](t.mem, call.args[argument[call.name]] + field[1])
end

local function key(major, minor, ino) return ("%d:%d:%d"):format(major, minor, ino) end

-- The same key as below, of a record of statx(2) in the thread's memory.
function stats.key(t, addr)
  return key(t.mem:u32(addr + 136), t.mem:u32(addr + 140), t.mem:u64(addr + 32))
end

-- The file that the call tells about, as a key: the same for each way to it.
function stats.file(t, call)
  local ino = stats.get(t, call, "ino")
  local major, minor = stats.get(t, call, "major"), stats.get(t, call, "minor")
  local dev = stats.get(t, call, "dev")
  if dev then -- bits 8 to 19 and 32 up are the major number
    local low = dev % 2 ^ 32
    major = math.floor(low / 256) % 4096 + math.floor(dev / 2 ^ 32) * 4096
    minor = low % 256 + math.floor(low / 2 ^ 20) * 256
  end
  return key(major, minor, ino)
end

-- Fill the record of a call that the kernel does not make. False if it cannot be written.
function stats.fill(t, call, fields)
  local where = layout(call)
  if t.mem:write(call.args[argument[call.name]], ("\0"):rep(where.size)) ~= where.size then
    return false
  end
  stats.change(t, call, fields)
  if where.mask then stats.change(t, call, { mask = BASIC }) end
  return true
end

return stats
