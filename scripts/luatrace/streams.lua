-- Streams: p.stdin, p.stdout and p.stderr of programs that spawn has connected to us.
--
-- What a program writes is read as it comes, up to LIMIT bytes that nobody has asked for yet; then
-- the program has to wait. So its output is there when it has ended, and little of it never makes
-- it wait. Reading and writing wait in the event loop, where everything else runs on.

local core = require "luatrace.core"
local events = require "luatrace.events"
local tasks = require "luatrace.tasks"
local timers = require "luatrace.timers"

local streams = {}

local LIMIT = 1024 * 1024 -- bytes
local KEPT = 512 * 1024 -- of them, where a pattern is waited for
local ROUND = 16 -- chunks that are read before others have their turn

local Stream = {}
Stream.__index = Stream

-- By stream and by descriptor: its state.
--   d, name           its descriptor; what messages call it
--   closed, terminal  it was closed; it is one
--   waiting           list of the tasks to wake when something has changed
-- To read:
--   chunks, from, size  what was read: its parts, the first byte not asked for yet, and how many
--   reader, hungry      the task whose turn it is; it wants more than there is
--   watched, ended      the loop tells of more; there will be no more
-- To write:
--   writer, last      the task whose turn it is; the last byte
local states = setmetatable({}, { __mode = "k" })
local by_descriptor = setmetatable({}, { __mode = "k" })

local awaited = 0 -- tasks that wait for a stream

-- Whether anybody waits: then the run is not over when nothing is traced any more.
function streams.awaited() return awaited > 0 end

local function make(d, fields)
  core.unblock(d)
  local stream = setmetatable({}, Stream)
  fields.d, fields.waiting, fields.closed = d, {}, false
  states[stream] = fields
  by_descriptor[d] = fields
  return stream
end

local function open_state(stream)
  local state = states[stream]
  if not state then core.raise("stream expected (methods are called with a colon)") end
  if state.closed then core.raise(state.name .. " is closed") end
  return state
end

function Stream:__tostring()
  local state = states[self]
  return state.name .. (state.closed and " (closed)" or "")
end

-- ---- Waiting -------------------------------------------------------------------------------

local function remove(list, value)
  for i = #list, 1, -1 do
    if list[i] == value then table.remove(list, i) end
  end
end

local function wake_all(state)
  local list = state.waiting
  state.waiting = {}
  for _, task in ipairs(list) do tasks.wake(task) end
end

-- Whose turn it was and who cannot wait must not keep others from theirs.
local function check_can_wait(state)
  local ok, problem = pcall(tasks.check_can_wait)
  if ok then return end
  local task = tasks.current() or true
  if state.reader == task then state.reader, state.hungry = nil, nil end
  if state.writer == task then state.writer = nil end
  error(problem, 0)
end

-- Wait until something has changed; "timeout" if that is not before `deadline`. Nothing that the
-- running task holds stays stopped meanwhile: it may be what the change has to come from.
local function wait_for_change(state, deadline)
  check_can_wait(state)
  events.release_all()
  local task, timer = tasks.current(), nil
  table.insert(state.waiting, task)
  awaited = awaited + 1
  if deadline then
    timer = timers.at(deadline, function()
      remove(state.waiting, task)
      tasks.wake(task, "timeout")
    end)
  end
  local what = tasks.wait()
  awaited = awaited - 1
  if timer then timers.cancel(timer) end
  if state.closed then core.raise(state.name .. " was closed") end
  return what
end

-- ---- Reading: what comes in ----------------------------------------------------------------

local function await(state)
  local wanted = not state.ended and (state.size < LIMIT or state.hungry == true)
  if wanted ~= (state.watched == true) then
    state.watched = wanted
    core.await(state.d, wanted and "r" or nil)
  end
end

-- Take what is there now.
local function fill(state)
  for _ = 1, ROUND do
    local bytes = not state.ended and core.take(state.d)
    if not bytes then
      if bytes == false then state.ended = true end
      break
    end
    state.chunks[#state.chunks + 1] = bytes
    state.size = state.size + #bytes
    if state.size >= LIMIT and not state.hungry then break end
  end
end

-- A descriptor can be read or written.
function streams.ready(d)
  local state = by_descriptor[d]
  if state.chunks then
    fill(state)
    wake_all(state)
    if not state.closed then await(state) end
  else
    core.await(d, nil)
    wake_all(state)
  end
end

local by_process = setmetatable({}, { __mode = "k" }) -- by process: its streams, by name

-- The process has ended: whoever waits gets its last words before others hear of its end.
function streams.process_gone(p)
  for _, stream in pairs(by_process[p] or {}) do
    local state = states[stream]
    if state.chunks and not state.closed then
      fill(state)
      wake_all(state)
      if not state.closed then await(state) end
    end
  end
end

-- All that was read and not asked for, as one string.
local function content(state)
  if state.chunks[2] then state.chunks = { table.concat(state.chunks) } end
  return state.chunks[1] or ""
end

-- The bytes up to `to` are asked for now. What is left is not copied each time: `from` says where
-- it begins.
local function consume(state, to)
  local text, from = content(state), state.from
  local taken = text:sub(from, to)
  state.size = state.size - #taken
  if state.size == 0 then
    state.chunks, state.from = {}, 1
  elseif to >= #text / 2 then
    state.chunks, state.from = { text:sub(to + 1) }, 1
  else
    state.from = to + 1
  end
  return taken
end

-- Call test(state) until it returns something but nil; nil and "timeout" if that is not before
-- `deadline`. At the end of the stream test has the last word.
local function await_test(state, test, deadline)
  while true do
    local ended = state.ended
    if test(state) then return true end
    if ended then return nil, "eof" end
    local before = state.size
    fill(state)
    if state.size == before and not state.ended then
      if deadline and core.now() >= deadline then return nil, "timeout" end
      state.hungry = true
      await(state)
      wait_for_change(state, deadline)
    end
  end
end

-- ---- Reading: what scripts call ------------------------------------------------------------

local readers = {}

function readers.a(state)
  await_test(state, function() return false end)
  return consume(state, #content(state))
end

local function line(state, keep)
  local searched = state.from -- nothing up to here
  local at
  await_test(state, function()
    local text = content(state)
    at = text:find("\n", math.max(searched, state.from), true)
    searched = #text + 1
    return at
  end)
  if state.size == 0 then return nil end
  local text = consume(state, at or #content(state))
  return not keep and at and text:sub(1, -2) or text
end

function readers.l(state) return line(state, false) end
function readers.L(state) return line(state, true) end

local function read_bytes(state, count)
  await_test(state, function() return state.size >= count end)
  if state.size == 0 and count > 0 then return nil end
  return consume(state, state.from - 1 + math.min(count, state.size))
end

-- Tasks that read the same stream have their turns: what one waits for, another must not take.
local function in_turn(state, fn, ...)
  while state.reader do wait_for_change(state) end
  local task = tasks.current() or true
  state.reader = task
  local function done(...)
    state.reader, state.hungry = nil, nil
    if not state.closed then await(state) end
    if state.waiting[1] then wake_all(state) end
    return ...
  end
  return done(fn(state, ...))
end

local function readable(stream, what)
  local state = open_state(stream)
  if not state.chunks then core.raise(("%s cannot be read (%s)"):format(state.name, what)) end
  return state
end

-- read(n), read("l") (the default), read("L") or read("a"), as of a Lua file.
function Stream:read(format)
  local state = readable(self, "read")
  if format == nil then format = "l" end
  if type(format) == "number" and format >= 0 then
    return in_turn(state, read_bytes, math.floor(format))
  end
  local reader = readers[type(format) == "string" and format:gsub("^%*", "") or ""]
  if not reader then core.raise('read takes a number of bytes, "l", "L" or "a"') end
  return in_turn(state, reader)
end

function Stream:lines()
  readable(self, "lines")
  return function() return self:read("l") end
end

-- A pattern that matches nothing for long must not keep everything: the oldest bytes are left out.
local function trim(state)
  if state.size > LIMIT then
    consume(state, #content(state) - KEPT)
  end
end

local function outcome(from, to, ...)
  if not from then return nil end
  return { from, to, n = select("#", ...), ... }
end

local function expect(state, pattern, deadline)
  local found
  local _, problem = await_test(state, function()
    local text = content(state)
    if state.from > 1 then -- anchors are meant for what was not asked for yet
      text = text:sub(state.from)
      state.chunks, state.from = { text }, 1
    end
    found = outcome(text:find(pattern))
    if not found then trim(state) end
    return found
  end, deadline)
  if not found then return nil, problem end
  local text = consume(state, found[2]):sub(found[1])
  if found.n == 0 then return text end
  return (table.unpack or unpack)(found, 3, 2 + found.n)
end

-- Read up to the end of what matches; returns the captures, or the match where there are none. nil
-- and "timeout" or "eof" if it does not come: then what was read is still there.
function Stream:expect(pattern, timeout)
  local state = readable(self, "expect")
  if type(pattern) ~= "string" then core.raise("expect needs a Lua pattern") end
  local ok, message = pcall(string.find, "", pattern)
  if not ok then core.raise("expect: " .. tostring(message)) end
  local deadline = timeout and core.now() + timers.check(timeout, "expect: timeout")
  return in_turn(state, expect, pattern, deadline)
end

-- ---- Writing -------------------------------------------------------------------------------

local function write_all(state, text)
  local at = 0
  while at < #text do
    local count, message, code = core.give(state.d, text, at)
    if not count then return nil, message, code end
    at = at + count
    if at < #text then
      core.await(state.d, "w")
      wait_for_change(state)
    end
  end
  return true
end

local function written(state, ...)
  state.writer = nil
  if state.waiting[1] then wake_all(state) end
  return ...
end

-- Returns true when the last byte has been taken, or nil, a message and a code: EPIPE if nobody
-- reads any more.
function Stream:write(...)
  local state = open_state(self)
  if state.chunks then core.raise(state.name .. " cannot be written to") end
  local parts = { ... }
  for i = 1, select("#", ...) do
    if type(parts[i]) ~= "string" and type(parts[i]) ~= "number" then
      core.raise(("write: argument %d is a %s, not a string"):format(i, type(parts[i])))
    end
  end
  local text = table.concat(parts)
  while state.writer do wait_for_change(state) end
  state.writer = tasks.current() or true
  if text ~= "" then state.last = text:sub(-1) end
  return written(state, write_all(state, text))
end

-- ---- The end -------------------------------------------------------------------------------

-- Close it. A program that reads a pipe finds its end; one that reads the terminal is told in a
-- terminal's way, by control-D (twice behind the beginning of a line).
function Stream:close()
  local state = states[self]
  if not state or state.closed then return true end
  if state.terminal and not state.chunks then
    local line_begins = state.last == nil or state.last == "\n" or state.last == "\r"
    core.give(state.d, line_begins and "\4" or "\4\4", 0)
  end
  state.closed = true
  core.close(state.d)
  wake_all(state)
  return true
end

-- ---- For pipes.lua --------------------------------------------------------------------------

-- Make streams of descriptors, by name, that lead to the program p.
function streams.attach(p, descriptors, terminal)
  local found = {}
  for name, d in pairs(descriptors) do
    local fields = { name = ("%s of process %d"):format(name, p.pid), terminal = terminal }
    if name ~= "stdin" then fields.chunks, fields.size, fields.from = {}, 0, 1 end
    found[name] = make(d, fields)
    if fields.chunks then await(fields) end
  end
  by_process[p] = found
  core.set_streams(p, found.stdin, found.stdout, found.stderr)
  return found
end

return streams
