-- What spawn's table says: the program and its words, environment, directory, streams, identity.

local core = require "luatrace.core"
local errors = require "luatrace.errors"
local lazy = require "luatrace.lazy"

local nearest = lazy.nearest
local pipes = lazy.pipes

local launch = {}

local fields = { "env", "cwd", "stdin", "stdout", "stderr", "pty", "uid", "gid" }
local known = {}
for _, name in ipairs(fields) do known[name] = true end

-- ---- Misuse --------------------------------------------------------------------------------

local function check_stream(name, value)
  if value ~= nil and (type(value) ~= "string" or value == "") then
    core.raise(('spawn: %s is "pipe", "null"%s or a path, not a %s'):format(name,
      name == "stderr" and ', "stdout"' or "", type(value)))
  end
end

local function check_identity(name, value)
  if value == nil or type(value) == "string" then return end
  if type(value) ~= "number" or value % 1 ~= 0 or value < 0 or value > 4294967294 then
    core.raise(("spawn: %s is a number or a name"):format(name))
  end
end

function launch.check(command)
  if type(command) ~= "table" or type(command[1]) ~= "string" then
    core.raise('spawn needs a table with the program and its arguments: spawn { "ls", "-l" }')
  end
  for key in pairs(command) do
    if type(key) ~= "number" and not known[key] then
      core.raise(("spawn: there is no field '%s'%s; there are %s"):format(tostring(key),
        nearest(tostring(key), fields), table.concat(fields, ", ")))
    end
  end
  for _, name in ipairs { "stdin", "stdout", "stderr" } do
    check_stream(name, command[name])
    if command.pty and command[name] then
      core.raise("spawn: with pty the terminal is " .. name .. "; give one of the two")
    end
  end
  check_identity("uid", command.uid)
  check_identity("gid", command.gid)
end

-- ---- What the primitive gets ---------------------------------------------------------------

local function environment(variables)
  if type(variables) ~= "table" then core.raise("spawn: env is a table of names and values") end
  local list = {}
  for name, value in pairs(variables) do
    if type(name) ~= "string" or type(value) ~= "string" and type(value) ~= "number" then
      core.raise("spawn: env is a table of names and values")
    end
    list[#list + 1] = name .. "=" .. value
  end
  table.sort(list)
  return list
end

local function group_of(command)
  if type(command.gid) ~= "string" then return command.gid end
  local gid = core.group(command.gid)
  if gid then return gid end
  return nil, errors.failure(core.errno("ENOENT"), "there is no group '" .. command.gid .. "'")
end

local function no_user(user)
  if type(user) == "string" then
    return errors.failure(core.errno("ENOENT"), "there is no user '" .. user .. "'")
  end
  return errors.failure(core.errno("EINVAL"), ("user %d is not in the user database, so spawn "
    .. "needs a gid too"):format(user))
end

-- uid, gid and supplementary groups: those of the user, or of the group alone where only that is
-- given. Who is no superuser can only be who luatrace is, and has no groups to drop.
local function set_identity(how, command)
  if command.uid == nil and command.gid == nil then return true end
  local gid, _, message, code = group_of(command)
  if code then return nil, message, code end
  local own_uid, own_gid = core.ids()
  local uid, first, groups
  if command.uid ~= nil then
    uid, first, groups = core.user(command.uid)
    if not uid and (type(command.uid) == "string" or not gid) then return no_user(command.uid) end
  end
  how.uid, how.gid = uid or command.uid, gid or first
  if not core.superuser and (how.uid or own_uid) == own_uid and how.gid == own_gid then
    return true
  end
  how.groups = groups and not command.gid and groups or { how.gid }
  return true
end

local spawned = {} -- by command: its streams, until its process is known

-- The arguments of core.spawn, called; what it returns.
function launch.spawn(command)
  local env = command.env and environment(command.env)
  local how = {}
  local ok, message, code = set_identity(how, command)
  if not ok then return nil, message, code end
  local set, p
  set, message, code = pipes.open(how, command)
  if not set then return nil, message, code end
  p, message, code = core.spawn(command, env, command.cwd, how)
  set:close_theirs()
  if not p then
    set:close()
    return nil, message, code
  end
  set:attach(p)
  spawned[command] = set
  return p
end

-- The program runs, or it could not: then its streams are of no use.
function launch.finish(command, p, ...)
  local set = spawned[command]
  spawned[command] = nil
  if not p and set then set:close() end
  return p, ...
end

-- ---- What could not be done ----------------------------------------------------------------

local steps = {
  [1] = "its descriptors cannot be put in place",
  [2] = "it cannot have a terminal of its own",
  [3] = "its directory cannot be entered",
  [4] = "its groups cannot be changed",
  [5] = "its group cannot be changed",
  [6] = "its user cannot be changed",
}

-- nil, message and code for a program that could not be run.
function launch.failure(errno, step)
  local text = core.errno_text(errno)
  if not steps[step] then return errors.failure(errno) end
  local hint = step >= 4 and not core.superuser and " (only the superuser can)" or ""
  return errors.failure(errno, steps[step] .. ": " .. text .. hint)
end

return launch
