-- t:call(), t:inject(), p:symbol(), p:dlopen(): functions of the program, run by its threads.

local core = require "luatrace.core"
local remote = require "luatrace.remote"

local functions = {}

-- ---- Calling -------------------------------------------------------------------------------

local RETURNS = { int = true, int64 = true, uint = true, ptr = true, double = true, float = true,
  void = true }

-- The options in the last argument, if that is a table of options and not an argument.
local function take_options(list)
  local last = list[list.n]
  if type(last) ~= "table" or last.returns == nil then return "ptr" end
  list[list.n] = nil
  list.n = list.n - 1
  if not RETURNS[last.returns] then
    core.raise(("t:call: returns is int, uint, int64, ptr, double, float or void, not '%s'"):format(
      tostring(last.returns)))
  end
  return last.returns
end

-- The result as the C type that the caller names.
local function result(returns, abi, integer, double, single)
  if returns == "double" then return double end
  if returns == "float" then return single end
  if returns == "void" then return true end
  local narrow = returns == "int" or returns == "uint" or (returns == "ptr" and abi == "i386")
  if not narrow then return integer end
  local low = core.bit.band(integer, 0xffffffff)
  if returns == "int" and low >= 0x80000000 then return low - 0x100000000 end
  return low
end

local function finished(returns, abi, integer, ...)
  if integer == nil then return nil, ... end
  return result(returns, abi, integer, ...)
end

local function call(t, addr, list, returns)
  local values, placed, code = remote.place_arguments(t, list)
  if not values then return nil, placed, code end
  local abi = t.abi
  return finished(returns, abi, remote.release(t, placed, remote.run(t, core.function_call, addr,
    values, list.n)))
end

-- Run fn, an address or the name of a symbol ("puts", "libm.so:cos"), and return what it returns;
-- nil, a message and a code if it cannot be run or crashes.
function core.methods.thread.call(t, fn, ...)
  local list = { n = select("#", ...), ... }
  local returns = take_options(list)
  core.check_live(t)
  if type(fn) == "string" then
    local message, code
    fn, message, code = functions.address(t, fn)
    if not fn then return nil, message, code end
  elseif type(fn) ~= "number" then
    core.raise("t:call needs an address or the name of a function")
  end
  return call(t, fn, list, returns)
end

-- ---- Symbols -------------------------------------------------------------------------------

-- The address of a symbol; that of a function with several versions (memcpy) is chosen by a
-- function of the program.
function functions.address(t, name)
  local addr, indirect, code = core.symbol(t, name)
  if not addr then return nil, indirect, code end
  if not indirect then return addr end
  return call(t, addr, { n = 0 }, "ptr")
end

-- A thread of p whose registers and memory can be used; `what` is the function that needs it.
local function stopped_thread(p, what)
  core.check_live(p)
  for _, t in ipairs(p:threads()) do
    if core.is_stopped(t) then return t end
  end
  core.raise(("%s: no thread of process %d is stopped"):format(what, p.pid))
end
functions.stopped_thread = stopped_thread

function core.methods.process.symbol(p, name)
  if type(name) ~= "string" then core.raise("p:symbol needs a name") end
  local addr, message, code = functions.address(stopped_thread(p, "p:symbol"), name)
  if addr then return addr end
  if code ~= "ENOENT" then return nil, message, code end
  local near = core.symbol_nearest(p, name)
  return nil, near and ("%s; did you mean '%s'?"):format(message, near) or message, code
end

-- ---- Machine code --------------------------------------------------------------------------

local RET = "\195"

-- Run machine code as a function without arguments; what runs off its end returns. Returns what it
-- leaves in rax (eax), or nil, a message and a code.
function core.methods.thread.inject(t, code)
  if type(code) ~= "string" or code == "" then core.raise("t:inject needs machine code") end
  local length = #code + #RET
  local addr, message, name = t:mmap { length = length, prot = "rwx" }
  if not addr then return nil, message, name end
  core.scratch_adopt(t, addr, length) -- given back even if the thread is let go meanwhile
  local done
  done, message, name = t.mem:write(addr, code .. RET)
  local value
  if done == length then
    value, message, name = call(t, addr, { n = 0 }, "ptr")
  end
  if t.alive then
    core.scratch_disown(t, addr)
    t:munmap(addr, length)
  end
  if value then return value end
  return nil, message, name
end

-- ---- Shared objects ------------------------------------------------------------------------

local RTLD_NOW, RTLD_GLOBAL = 2, 0x100
local RTLD_DLOPEN = 0x80000000 -- what __libc_dlopen_mode asks for besides

local function dlerror(t, path)
  local text = t:call("dlerror")
  if not text or text == 0 then return "dlopen could not load " .. path end
  return (t.mem:str(text))
end

-- Have the program load a shared object. Returns its handle, or nil, a message and a code.
function core.methods.process.dlopen(p, path)
  if type(path) ~= "string" then core.raise("p:dlopen needs a path") end
  local t = stopped_thread(p, "p:dlopen")
  local mode = RTLD_NOW + RTLD_GLOBAL
  local open = functions.address(t, "dlopen")
  if not open then
    open = functions.address(t, "__libc_dlopen_mode")
    mode = core.bit.bor(mode, RTLD_DLOPEN)
  end
  if not open then
    return nil, "ENOSYS: the program has no dlopen: it is linked statically, "
      .. "or its libraries are not loaded yet", "ENOSYS"
  end
  local handle, message, code = t:call(open, path, mode)
  if not handle then return nil, message, code end
  if handle == 0 then return nil, "ELIBACC: " .. dlerror(t, path), "ELIBACC" end
  return handle
end

return functions
