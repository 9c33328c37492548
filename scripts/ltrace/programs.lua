-- Where the functions are that `ltrace` shows, in each program that is run.

local imports = require "ltrace.imports"
local names = require "ltrace.names"
local prototypes = require "ltrace.prototypes"

local programs = {
  handler = nil, -- called as on_call's, with the name that is shown behind it
  static = setmetatable({}, { __mode = "k" }), -- by process: it is linked statically
}

local hooks, mains = {}, {} -- those of functions; those that wait for a program's main()
local aliases = {} -- by address: the name that dlsym was given

-- What is shown of a name, which may be anything.
local escaped = setmetatable({}, { __index = function(cache, name)
  local text = luatrace.escape(name)
  cache[name] = text
  return text
end })

local function handle(t, f)
  return programs.handler(t, f, escaped[aliases[f.addr] or f.name])
end

local function watch(locations, from)
  if locations[1] then hooks[#hooks + 1] = on_call(locations, { from = from }, handle) end
end

local asked = {} -- by name: it is watched

local function watch_names(imported)
  local list = {}
  for _, name in ipairs(imported) do
    if not asked[name] and names.is_wanted(name) then
      asked[name], list[#list + 1] = true, names.location(name)
    end
  end
  watch(list, "program")
end

-- What dlsym finds.
local function watch_dlsym()
  if asked.dlsym_result then return end
  asked.dlsym_result = true
  hooks[#hooks + 1] = on_call("dlsym", { from = "program" }, function(t, f)
    local name = t.mem:str(f.args[2], 256)
    local addr = f:leave("ptr")
    if not addr or addr == 0 or not name or asked[name] or not names.is_wanted(name) then return end
    if names.library or aliases[addr] then return end
    aliases[addr] = name
    hooks[#hooks + 1] = on_break(addr, { from = "program" }, handle)
  end)
end

-- All that are known by name. Of two names of one function the first is shown: "open", not
-- "open64".
local function known_names()
  local list = {}
  for name in pairs(prototypes) do
    if not name:find(" ", 1, true) then list[#list + 1] = name end
  end
  table.sort(list, function(a, b)
    if #a ~= #b then return #a < #b end
    return a < b
  end)
  return list
end

-- A static program: once it has come to main(), when the library is ready.
local function watch_static(p)
  programs.static[p] = true
  local list = names.wanted[1] and names.wanted or known_names()
  mains[#mains + 1] = on_break("main", { process = p, once = true }, function()
    hooks[#hooks + 1] = on_break(list, { process = p }, handle)
  end)
end

-- Whether a function of a static program is called by the library itself, as far as one can
-- tell. `depth`: how many calls of others it is inside of.
function programs.is_inner(f, depth)
  local caller = f.caller
  if caller and caller.file then return false end
  return not caller or depth > 0 or (caller.name or "_"):find("^_") ~= nil
end

-- The process begins a program.
function programs.began(p)
  local program = imports.program(p)
  local t = p:threads()[1]
  local imported = program and t and imports.of(t, program)
  if not imported then
    watch_static(p)
    return
  end
  programs.static[p] = nil
  for _, name in ipairs(imported) do
    if name == "dlsym" then watch_dlsym() end
  end
  watch_names(imported)
end

-- Calls from a module that is not the program; nil: from everywhere.
function programs.watch_from(module)
  local list = {}
  for i, name in ipairs(names.wanted[1] and names.wanted or { "*" }) do
    list[i] = names.location(name)
  end
  watch(list, module)
end

-- Let go of everything. Returns how many calls there were.
function programs.stop()
  local hits = 0
  for _, hook in ipairs(hooks) do
    hits = hits + hook.count
    hook:remove()
  end
  for _, hook in ipairs(mains) do hook:remove() end
  return hits
end

return programs
