-- Changing a system call: its arguments, its result, the call itself.

local core = require "luatrace.core"
local lazy = require "luatrace.lazy"

local nearest = lazy.nearest
local remote = lazy.remote

local calls = {}

-- ---- Arguments -----------------------------------------------------------------------------

-- args.NAME = value. Room in the program for what the value says is mapped first, if there is none;
-- meanwhile the running task waits.
local function assign(args, name, value)
  local needed = core.set_argument(args, name, value)
  while needed ~= true do
    local t = core.call_thread(args)
    local ok, message = remote.run(t, core.scratch_grow, needed)
    if not ok then
      core.raise(("there is no room for %d bytes in process %d: %s"):format(needed, t.pid, message))
    end
    needed = core.set_argument(args, name, value)
  end
end

-- call.NAME = value, args.NAME = value
function calls.assign(object, name, value)
  if core.is_args(object) then return assign(object, name, value) end
  core.assign_call(object, name, value)
end

-- ---- Results -------------------------------------------------------------------------------

-- The kernel does not make the call; the program sees the value, 0 by default, as its result.
function core.methods.call.skip(call, value)
  core.skip(call, value or 0, "call:skip")
end

local function errno(code)
  local number = code
  if type(code) == "string" then number = core.errno(code) end
  if type(number) ~= "number" or not core.errno(number) then
    local names = {}
    for i = 1, 133 do names[#names + 1] = core.errno(i) end
    core.raise(("call:fail: there is no error '%s'%s"):format(tostring(code),
      type(code) == "string" and nearest(code, names) or ""))
  end
  return number
end

-- The same; the program sees a failure with this error, a name or a number.
function core.methods.call.fail(call, code)
  core.skip(call, -errno(code), "call:fail")
end

-- ---- The call itself -----------------------------------------------------------------------

-- The values by position, as if by name, so that strings and tables are placed.
local function assign_list(call, list)
  local names = {}
  for name in pairs(call.args) do names[#names + 1] = name end
  for i, value in pairs(list) do
    if type(i) == "number" and i > #names then
      core.raise(("%s has %d arguments"):format(call.name, #names))
    end
    assign(call.args, names[i] or i, value)
  end
end

-- Make it another system call. `list` has its arguments by position or by name; those that are left
-- out stay what the registers hold.
function core.methods.call.become(call, name, list)
  if list ~= nil and type(list) ~= "table" then
    core.raise("call:become needs a table with the arguments, not a " .. type(list))
  end
  core.become(call, name)
  if list then assign_list(call, list) end
end

return calls
