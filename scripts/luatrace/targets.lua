-- What the command line says to trace: the program, and the processes of -p. They are started when
-- the script calls run(), when it waits for events with nothing to give any, or when it has ended.

local core = require "luatrace.core"
local errors = require "luatrace.errors"
local lazy = require "luatrace.lazy"
local tasks = require "luatrace.tasks"
local wait = require "luatrace.wait"

local args = lazy.args
local events = lazy.events

local targets = {
  started = false,
}

local words, pids, script = {}, {}, nil
local options_read = false -- the script called args

function targets.set(options)
  words, pids, script = options.words, options.pids, options.script
end

function targets.any()
  return words[1] ~= nil or pids[1] ~= nil
end

-- What will be launched: the words without the "--" in front.
local function program_of(rest)
  local program = {}
  for i = rest[1] == "--" and 2 or 1, #rest do program[#program + 1] = rest[i] end
  return program
end

-- args{…}: the options of the script, from the command line.
function targets.args(declaration)
  if options_read then core.raise("args was called before: a script declares its options once") end
  options_read = true
  local opts, rest = args.read(script or "-e CODE", words, declaration)
  words = rest
  opts.program = opts.program or program_of(rest)
  return opts
end

-- The script was told something that it cannot do: end with a message for its user.
function targets.mistake(message)
  error(errors.plain(script and script .. ": " .. message or message), 0)
end

-- ---- Starting ------------------------------------------------------------------------------

-- Exit codes, as those of a shell.
local not_found = { ENOENT = 127, ENOTDIR = 127 }
local ours = { EPERM = 125, EIO = 125, ESRCH = 125, EINTR = 125, EAGAIN = 125, EMFILE = 125,
  ENFILE = 125, ENOMEM = 125 }

local function cannot_run(message, code)
  core.warn(message)
  errors.over = true
  core.stop(not_found[code] or ours[code] or 126)
end

-- The program of the command line could not be executed.
function targets.start_failed(errno)
  local _, message, code = errors.failure(errno)
  if code == "EINTR" then message = "it was killed before it could begin" end
  cannot_run(("cannot run %s: %s"):format(words[1] or "the program", message), code)
end

local function take_program()
  local first = words[1]
  if first == "--" then
    table.remove(words, 1)
  elseif first and script and not options_read and first:find("^%-.") then
    error(errors.plain(("the script %s has no options, so there can be no %s; "
      .. "put -- before a program of that name"):format(script, first)), 0)
  end
end

-- "ENOENT: x: no such file" without the name of the error: this is for people.
local function plain_words(message)
  return (message:gsub("^%u+: ", ""))
end

-- Attach to the processes and launch the program, once.
function targets.start()
  if targets.started then return end
  targets.started = true
  take_program()
  for _, pid in ipairs(pids) do
    local p, message = core.attach(pid)
    if not p then
      error(errors.plain("cannot attach: " .. plain_words(message)), 0)
    end
  end
  if not words[1] then return end
  local p, message, code = core.spawn(words)
  if not p then
    cannot_run(plain_words(message), code)
    tasks.exit()
  end
end

-- ---- Waiting for everything ----------------------------------------------------------------

local runners = {} -- tasks that wait until nothing is traced any more

-- Start what the command line says, and let events come in until nothing is traced any more.
function targets.run()
  if not targets.any() and not core.traced() and not wait.started_own then
    core.raise("there is nothing to run: name a program or give -p PID")
  end
  tasks.check_can_wait()
  targets.start()
  if not core.traced() then return end
  events.leave_loops()
  events.release_all()
  runners[#runners + 1] = tasks.current()
  tasks.wait()
end

-- luatrace.events{…}: starts what the command line says if nothing is traced.
function targets.events(what)
  return events.stream(nil, what, function()
    if not core.traced() and targets.any() then targets.start() end
  end)
end

-- Nothing is traced any more: wake who waited for that.
function targets.wake_runners()
  local list = runners
  runners = {}
  for _, task in ipairs(list) do tasks.wake(task) end
end

return targets
