-- t:backtrace() and p:backtraces(): the stacks of threads.

local core = require "luatrace.core"
local freeze = require "luatrace.freeze"

local DEFAULT, MOST = 256, 65536 -- frames

-- ---- Frames --------------------------------------------------------------------------------

local Frame = {}
Frame.__index = Frame

local function last_part(path)
  return path:match("([^/]+)$") or path
end

-- "main+0x12 at file.c:10 (prog)"; "??" for a function whose name is not known
function Frame:__tostring()
  local text = self.name or "??"
  if self.offset and self.offset ~= 0 then text = ("%s+0x%x"):format(text, self.offset) end
  if self.inlined then text = text .. " (inlined)" end
  if self.signal then text = "<signal handler called> " .. text end
  if self.file then text = ("%s at %s:%d"):format(text, last_part(self.file), self.line) end
  if self.module then text = ("%s (%s)"):format(text, self.module) end
  return core.escape(text)
end

-- ---- Stacks --------------------------------------------------------------------------------

local Stack = {}
Stack.__index = Stack

-- Why a stack ends too early, by the engine's word for it.
local reasons = {
  limit = "there are more frames than the limit",
  ["no-rules"] = "nothing tells how to find the caller of the last frame",
  ["no-memory"] = "the stack cannot be read where the caller of the last frame should be",
  loops = "the caller of the last frame would not be above it on the stack",
  gone = "the thread was killed",
}

function Stack:__tostring()
  local text = {}
  for i, frame in ipairs(self) do
    text[i] = ("#%-3d 0x%x in %s"):format(i - 1, frame.pc, tostring(frame))
  end
  if self.incomplete then text[#text + 1] = "(incomplete: " .. self.incomplete .. ")" end
  return table.concat(text, "\n")
end

local known = { limit = true, names = true, lines = true }

local function check_options(options)
  if options == nil then return {} end
  if type(options) ~= "table" then core.raise("backtrace: the options are a table") end
  for key in pairs(options) do
    if not known[key] then
      core.raise(("backtrace: unknown option '%s'; there are limit, names and lines"):format(
        tostring(key)))
    end
  end
  local limit = options.limit
  if limit ~= nil and (type(limit) ~= "number" or limit % 1 ~= 0 or limit < 1 or limit > MOST) then
    core.raise(("backtrace: limit is a whole number from 1 to %d"):format(MOST))
  end
  return options
end

-- Without names and lines only where the frames are is told.
local function stack_of(t, options)
  local limit = options.limit or DEFAULT
  local frames, reason, code = core.stack(t, limit, options.names ~= false, options.lines ~= false)
  if not frames then return nil, reason, code end
  for i = #frames, limit + 1, -1 do -- inlined calls are frames too
    frames[i] = nil
    reason = "limit"
  end
  for i = 1, #frames do setmetatable(frames[i], Frame) end
  frames.incomplete = reasons[reason]
  return setmetatable(frames, Stack)
end

-- The functions that the stopped thread is in, the innermost first.
function core.methods.thread.backtrace(t, options)
  options = check_options(options)
  local frames, message, code = stack_of(t, options)
  if code == "EBUSY" then
    core.raise(("thread %d is running; stop it or freeze it"):format(t.tid))
  end
  if not frames then return nil, message, code end
  return frames
end

local function stacks_of(p, options)
  local list = {}
  for _, t in ipairs(p:threads()) do
    local frames, message, code = stack_of(t, options)
    if code ~= "ESRCH" then list[#list + 1] = { thread = t, frames = frames, message = message } end
  end
  return list
end

-- The stacks of all threads at one moment: the process stands still for it.
function core.methods.process.backtraces(p, options)
  options = check_options(options)
  if freeze.is_ours(p) then return stacks_of(p, options) end
  return p:freeze(stacks_of, p, options)
end
