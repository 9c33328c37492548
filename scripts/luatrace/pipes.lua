-- Pipes, terminals and files that spawn connects to a program's standard descriptors.

local core = require "luatrace.core"
local streams = require "luatrace.streams"

local pipes = {}

local Set = {} -- the streams of a program that is being launched
Set.__index = Set

function Set:close_theirs()
  for _, d in ipairs(self.theirs) do core.close(d) end
end

function Set:close()
  for _, one in pairs(self.ours) do
    if type(one) == "table" then one:close() else core.close(one) end
  end
end

-- The program runs: the ends that are ours become p.stdin, p.stdout and p.stderr.
function Set:attach(p)
  self.ours = streams.attach(p, self.ours, self.terminal)
end

local function open_terminal(set, how)
  local ours, theirs, code = core.terminal()
  if not ours then return nil, theirs, code end
  local other, message
  other, message, code = core.duplicate(ours)
  if not other then return nil, message, code end
  set.ours = { stdin = ours, stdout = other }
  set.theirs = { theirs }
  set.terminal = true
  how.stdin, how.stdout, how.stderr, how.terminal = theirs, theirs, theirs, true
  return set
end

-- Returns what the program gets and what is ours, if anything; or nil, a message and a code.
local function open_one(name, what, how)
  if what == "pipe" then
    local from, to, code = core.pipe()
    if not from then return nil, to, code end
    if name == "stdin" then return from, to end
    return to, from
  elseif what == "stdout" and name == "stderr" then
    return how.stdout or 1
  end
  local path = what == "null" and "/dev/null" or what
  local d, message, code = core.open(path, name ~= "stdin")
  if d then return d end
  return nil, (message:gsub(": ", ": " .. name .. ": " .. path .. ": ", 1)), code
end

-- Open what the command says; `how` gets what the program finds as its descriptors.
function pipes.open(how, command)
  local set = setmetatable({ ours = {}, theirs = {} }, Set)
  if command.pty then return open_terminal(set, how) end
  for _, name in ipairs { "stdin", "stdout", "stderr" } do
    if command[name] then
      local theirs, ours, code = open_one(name, command[name], how)
      if not theirs then
        set:close_theirs()
        set:close()
        return nil, ours, code
      end
      how[name], set.ours[name] = theirs, ours
      if type(theirs) ~= "number" then set.theirs[#set.theirs + 1] = theirs end
    end
  end
  return set
end

return pipes
