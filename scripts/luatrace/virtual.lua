-- Virtual files: paths whose contents a script makes up. emulate.file(path, handlers).
--
-- Where a program opens such a path it makes an empty memory file instead, so its descriptor is a
-- real one: numbers, copies, flags and inheritance are the kernel's. Calls on it are answered by
-- the handlers (virtual_calls.lua). Which open file a descriptor belongs to is asked of the kernel
-- at each call; nothing is remembered about descriptors.

local core = require "luatrace.core"
local emulate = require "luatrace.emulate"
local hooks = require "luatrace.hooks"
local tasks = require "luatrace.tasks"

local virtual = {}

local band = core.bit.band
local own = hooks.functions("luatrace.virtual")

local defined = {} -- by path: { path =, handlers = }
local last_parts = {} -- by last part of a path: how many of those
local files = {} -- by key of its memory file: file
local files_count = 0

local O_ACCMODE, O_CREAT, O_EXCL, O_NONBLOCK = 3, 0x40, 0x80, 0x800
local O_NOCTTY, O_TRUNC, O_LARGEFILE = 0x100, 0x200, 0x8000
local O_DIRECTORY, O_CLOEXEC = 0x10000, 0x80000
local AT_FDCWD = -100

-- ---- Paths ---------------------------------------------------------------------------------

-- Without ".", "..", and double slashes, by the text alone.
local function normal(path)
  local parts = {}
  for part in path:gmatch("[^/]+") do
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return "/" .. table.concat(parts, "/")
end

local function last_part(path) return path:match("([^/]+)/*$") end

local has_dirfd = { openat = true, openat2 = true, newfstatat = true, fstatat64 = true,
  statx = true, faccessat = true, faccessat2 = true }

local function dirfd_of(call)
  return has_dirfd[call.name] and call.args.dfd or AT_FDCWD
end

-- The definition of the path that a call names, or nil.
function virtual.find(t, dirfd, name)
  if type(name) ~= "string" or not last_parts[last_part(name)] then return nil end
  local base = ""
  if name:sub(1, 1) ~= "/" then
    base = dirfd == AT_FDCWD and t.process.cwd or core.descriptor_path(t, dirfd)
    if not base then return nil end
  end
  local found = defined[normal(base .. "/" .. name)]
  if found then return found end
  local real = t:resolve(name, dirfd) -- by way of links
  return real and defined[real]
end

-- ---- Open files ----------------------------------------------------------------------------

local File = {}
File.__index = File

function File:__tostring() return "virtual file " .. self.path end

-- The virtual file that a descriptor refers to, or nil.
function virtual.of(t, fd)
  if files_count == 0 or fd < 0 then return nil end
  local key = core.descriptor(t, fd)
  return key and files[key]
end

function virtual.any() return files_count > 0 end

-- What a file's handler answers to `operation`. The thread must be held.
function virtual.ask(file, t, operation, ...)
  file.thread = t
  return file.handlers[operation](file, ...)
end

local function close(file)
  if file.handlers.close then tasks.start(file.handlers.close, file) end
end

-- Descriptors may have gone: close the files that have none any more.
function virtual.sweep()
  if files_count == 0 then return end
  local open, over = core.memory_files(), {}
  for key, file in pairs(files) do
    if not open[key] then over[key] = file end
  end
  for key, file in pairs(over) do
    files[key] = nil
    files_count = files_count - 1
    close(file)
  end
end

-- ---- Opening -------------------------------------------------------------------------------

-- What the kernel would refuse of a device.
local function refused(flags)
  if band(flags, O_DIRECTORY) ~= 0 then return "ENOTDIR" end
  if band(flags, O_CREAT) ~= 0 and band(flags, O_EXCL) ~= 0 then return "EEXIST" end
end

local function open(t, call, path_index, definition, flags)
  local drop = emulate.hold(t)
  local file = setmetatable({ path = definition.path, handlers = definition.handlers, data = {},
    flags = flags, rest = "", thread = t }, File)
  local problem = refused(flags)
  if not problem and file.handlers.open then
    local ok, message, code = file.handlers.open(file, flags)
    if not ok and message then problem = code or message end
  end
  if not t.alive then return end
  if problem then
    core.answer(call, emulate.result("open of " .. file.path, nil, problem))
    return
  end
  core.become_memory(call, path_index, band(flags, O_CLOEXEC) ~= 0)
  local fd = emulate.run(call, drop)
  local key = fd and core.descriptor(t, fd)
  if not key then return end
  files[key] = file
  files_count = files_count + 1
end

local function flags_of(t, call)
  if call.name == "creat" then return 0x241 end
  if call.name == "openat2" then return t.mem:u64(call.args.how) or 0 end
  return call.args.flags
end

local function watch_opens()
  own.on_syscall({ "open", "creat", "openat", "openat2" }, function(t, call)
    local found = virtual.find(t, dirfd_of(call), call.args.pathname)
    if found then open(t, call, has_dirfd[call.name] and 1 or 0, found, flags_of(t, call)) end
  end)
end

-- ---- Closing -------------------------------------------------------------------------------

local function watch_closes()
  own.on_syscall({ "close", "close_range", "dup2", "dup3" }, function(_, call)
    if files_count == 0 then return end
    if call:leave() then virtual.sweep() end
  end)
  own.on_exec(virtual.sweep)
  own.on_exit(virtual.sweep)
end

-- ---- Paths in other calls ------------------------------------------------------------------

-- The answer of stat(2): a character device unless the handler says otherwise.
function virtual.stat(file, t)
  local fields = file.handlers.fstat and virtual.ask(file, t, "fstat") or {}
  local mode = fields.mode or 0x21b6 -- S_IFCHR | 0666
  return { mode = mode, nlink = fields.nlink or 1, uid = fields.uid or 0, gid = fields.gid or 0,
    length = fields.size or 0, rdev = fields.rdev or 0, blksize = 4096, ino = fields.ino or 1,
    mtime = fields.mtime or 0 }
end

local function watch_paths(stats)
  own.on_syscall({ "stat", "lstat", "stat64", "lstat64", "newfstatat", "fstatat64", "statx" },
    function(t, call)
      local definition = virtual.find(t, dirfd_of(call), call.args.pathname)
      if not definition then return end
      emulate.hold(t)
      local file = setmetatable({ path = definition.path, handlers = definition.handlers,
        data = {}, flags = 0 }, File)
      local fields = virtual.stat(file, t)
      if t.alive then core.answer(call, stats.fill(t, call, fields) and 0 or virtual.EFAULT) end
    end)
  own.on_syscall({ "access", "faccessat", "faccessat2" }, function(t, call)
    if virtual.find(t, dirfd_of(call), call.args.pathname) then core.answer(call, 0) end
  end)
end

-- ---- emulate.file --------------------------------------------------------------------------

local operations = { open = true, read = true, write = true, lseek = true, ioctl = true,
  close = true, fstat = true, poll = true }

local function check(path, handlers)
  if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
    core.raise("emulate.file needs a path that begins with /")
  end
  if type(handlers) ~= "table" then
    core.raise("emulate.file needs a table of functions: read, write, …")
  end
  for name, fn in pairs(handlers) do
    if not operations[name] then
      core.raise(("emulate.file: there is no operation '%s' (there are open, read, write, lseek, "
        .. "ioctl, close, fstat and poll)"):format(tostring(name)))
    elseif type(fn) ~= "function" then
      core.raise(("emulate.file: %s is a function, not a %s"):format(name, type(fn)))
    end
  end
end

local watching = false

local function watch()
  if watching then return end
  watching = true
  local stats = require "luatrace.stats"
  watch_opens()
  watch_closes()
  watch_paths(stats)
  virtual.watch_calls(own, stats)
  virtual.watch_waits(own)
end

local Handle = {}
Handle.__index = Handle

-- The path is the file system's again; files that are open stay what they are.
function Handle:remove()
  if defined[self.path] ~= self.definition then return end
  defined[self.path] = nil
  local last = last_part(self.path)
  last_parts[last] = last_parts[last] > 1 and last_parts[last] - 1 or nil
end

-- For all traced processes, `path` is a file whose operations are answered by these functions.
function virtual.file(path, handlers)
  check(path, handlers)
  watch()
  path = normal(path)
  local last = last_part(path)
  if not last then core.raise("emulate.file: the root directory cannot be a virtual file") end
  if not defined[path] then last_parts[last] = (last_parts[last] or 0) + 1 end
  defined[path] = { path = path, handlers = handlers }
  return setmetatable({ path = path, definition = defined[path] }, Handle)
end

-- How a file was opened.
function virtual.reads(file) return band(file.flags, O_ACCMODE) ~= 1 end
function virtual.writes(file) return band(file.flags, O_ACCMODE) ~= 0 end
function virtual.blocks(file) return band(file.flags, O_NONBLOCK) == 0 end

-- As fcntl(2) tells: without what only mattered when it was opened.
function virtual.status_flags(file)
  local bit = core.bit
  return bit.bor(band(file.flags, bit.bnot(O_CREAT + O_EXCL + O_NOCTTY + O_TRUNC + O_CLOEXEC)),
    O_LARGEFILE)
end

virtual.EFAULT = -core.errno("EFAULT")

return virtual
