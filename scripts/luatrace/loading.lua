-- Finding scripts and modules.
--
-- luatrace may run as root in a directory that somebody else can write to, so nothing is ever
-- loaded from the current directory unless the command line names it.

local core = require "luatrace.core"
local env = require "luatrace.env"
local errors = require "luatrace.errors"
local lazy = require "luatrace.lazy"

local nearest = lazy.nearest

local loading = {}

local own_directory -- of the script on the command line; nil without one
local searchers = package.searchers or package.loaders

-- The directories of shipped scripts, in order.
local function shipped()
  local list = {}
  for dir in (os.getenv("LUATRACE_PATH") or ""):gmatch("[^:]+") do list[#list + 1] = dir end
  local program = core.executable()
  local bin = program and program:match("^(.*)/[^/]*$")
  if bin then
    list[#list + 1] = bin .. "/../share/luatrace/scripts"
    list[#list + 1] = bin .. "/../scripts"
  end
  return list
end

-- The names of the shipped scripts.
local function shipped_names()
  local names = {}
  for _, dir in ipairs(shipped()) do
    for _, file in ipairs(core.directory(dir)) do
      names[#names + 1] = file:match("^(.*)%.lua$")
    end
  end
  return names
end

-- ---- Scripts -------------------------------------------------------------------------------

-- The file that a script's name on the command line stands for: one with a slash or ".lua" is a
-- file, any other the name of a shipped script.
local function find_script(name)
  if name == "-" then return nil end -- standard input
  if name:find("/", 1, true) or name:find("%.lua$") then return name end
  for _, dir in ipairs(shipped()) do
    local path = dir .. "/" .. name .. ".lua"
    if core.is_file(path) then return path end
  end
  local hint = core.is_file(name) and ("; for the file in this directory, say ./%s"):format(name)
  error(errors.plain(("there is no script '%s'%s"):format(name,
    hint or nearest(name, shipped_names()))), 0)
end

local function checked(chunk, message)
  if not chunk then error(errors.plain(message), 0) end
  return chunk
end

-- The chunk of the script that the command line names.
function loading.script(name)
  local path = find_script(name)
  own_directory = path and (path:match("^(.*)/[^/]*$") or ".")
  if own_directory == "" then own_directory = "/" end
  errors.note("script: %s", path or "standard input")
  if path and not core.is_file(path) then
    error(errors.plain(("cannot open the script %s: no such file"):format(path)), 0)
  end
  return checked(env.interpreted(loadfile(path, nil, env.for_script(name))))
end

-- The chunk of an -e.
function loading.code(code, owner)
  return checked(env.interpreted(load(code, "=(command line)", nil, env.for_script(owner))))
end

-- ---- Modules -------------------------------------------------------------------------------

-- Modules beside the script, and beside the shipped ones.
local function search_directories(name)
  local tried = {}
  local directories = shipped()
  if own_directory then table.insert(directories, 1, own_directory) end
  local file = name:gsub("%.", "/")
  for _, dir in ipairs(directories) do
    for _, ending in ipairs { ".lua", "/init.lua" } do
      local path = dir .. "/" .. file .. ending
      if core.is_file(path) then
        local chunk, message = env.interpreted(loadfile(path, nil, env.for_module(name)))
        if not chunk then error(message, 0) end
        return chunk, path
      end
      tried[#tried + 1] = "no file '" .. path .. "'"
    end
  end
  return (package.searchers and "" or "\n\t") .. table.concat(tried, "\n\t") -- 5.4 adds its own
end

-- Entries of a search path that do not depend on the current directory.
local function absolute_entries(path)
  local kept = {}
  for entry in path:gmatch("[^;]+") do
    if entry:sub(1, 1) == "/" then kept[#kept + 1] = entry end
  end
  return table.concat(kept, ";")
end

-- require looks for embedded modules (package.preload), then beside the script, then beside the
-- shipped scripts, then where Lua's modules are installed.
function loading.install()
  package.path = absolute_entries(package.path)
  package.cpath = absolute_entries(package.cpath)
  table.insert(searchers, 2, search_directories)
end

return loading
