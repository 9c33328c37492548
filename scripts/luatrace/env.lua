-- The environments of scripts. Each script has its own, in which hooks, spawn and the like are
-- global: assigning to the name of a hook registers, and never shadows the registering function.

local hooks = require "luatrace.hooks"

local env = {}

local public -- the table that require "luatrace" returns

-- What is global in scripts besides the hooks.
local shared = { "spawn", "attach", "run", "args", "emulate", "after", "every", "sleep",
  "count", "sum", "hist" }

function env.set_public(luatrace) public = luatrace end

-- LuaJIT cannot break a loop of compiled code (Ctrl-C), so the code of scripts is interpreted
-- unless it asks for more: jit.on(true, true).
local interpret = jit and jit.off

function env.interpreted(chunk, message)
  if chunk and interpret then interpret(chunk, true) end
  return chunk, message
end

-- load, loadfile and dofile give a chunk the environment of the script that calls them.
local function add_loaders(names, own)
  function names.load(chunk, name, mode, ...)
    if select("#", ...) > 0 then return load(chunk, name, mode, ...) end
    return env.interpreted(load(chunk, name, mode, own))
  end
  function names.loadfile(path, mode, ...)
    if select("#", ...) > 0 then return loadfile(path, mode, ...) end
    return env.interpreted(loadfile(path, mode, own))
  end
  function names.dofile(path)
    local chunk, message = env.interpreted(loadfile(path, nil, own))
    if not chunk then error(message, 0) end
    return chunk()
  end
end

local function make(owner, target)
  local own = target or {}
  local names = hooks.functions(owner)
  names.luatrace = public
  for _, name in ipairs(shared) do names[name] = public[name] end
  setmetatable(names, { __index = _G })
  local environment = setmetatable(target and {} or own, {
    __index = names,
    __newindex = function(_, key, value)
      if hooks.is_hook(key) then
        hooks.define(owner, key, value)
      else
        rawset(own, key, value)
      end
    end,
  })
  names._G = environment
  add_loaders(names, environment)
  return environment
end

-- For a script: its globals are its own.
function env.for_script(owner)
  return make(owner)
end

-- For a module that was found beside a script: its globals are everybody's, as usual in Lua, but
-- its definitions of hooks are its own.
function env.for_module(owner)
  return make(owner, _G)
end

return env
