-- documented: does scripts/luatrace/meta.lua name all that scripts can use, and nothing else?
--
--   luatrace tests/lint/documented.lua
--
-- Compares the file with the tables and objects of the luatrace that runs this.

local luatrace = require "luatrace"
local root = os.getenv("LUATRACE_SOURCE") or "."
local failures = {}

local function fail(...) failures[#failures + 1] = string.format(...) end

-- ---- What the file says ------------------------------------------------------------------------

-- Class name -> set of fields and methods; "" has the globals.
local function read_meta(path)
  local classes, variables, class = { [""] = {} }, { luatrace = "luatrace" }, nil
  for line in io.lines(path) do
    local field = line:match("^%-%-%-@field ([%w_]+)")
    local variable = line:match("^local (%w+) = {}$")
    local owner, name = line:match("^function ([%w_.]+)[.:]([%w_]+)%(")
    if not owner then owner, name = line:match("^([%w_.]+)%.([%w_]+) = ") end
    class = line:match("^%-%-%-@class ([%w_.]+)") or class
    if class then classes[class] = classes[class] or {} end
    if field then
      classes[class][field] = true
    elseif variable then
      variables[variable] = class
    elseif owner then
      owner = variables[owner] or owner
      classes[owner] = classes[owner] or {}
      classes[owner][name] = true
    end
    local global = line:match("^([%w_]+) = luatrace%.")
    if global then classes[""][global] = true end
  end
  return classes
end

-- ---- What there is -----------------------------------------------------------------------------

local function names_of(...)
  local names = {}
  for _, source in ipairs { ... } do
    for name in pairs(source) do
      if type(name) == "string" and not name:find("^__") then names[name] = true end
    end
  end
  return names
end

local meta = read_meta(root .. "/scripts/luatrace/meta.lua")

-- Objects made in C: their __index has the methods and the fields as upvalues. Methods are there
-- once they have been looked at (lazy.lua).
local function members_of(object, class)
  local index = debug.getmetatable(object).__index
  local _, methods = debug.getupvalue(index, 1)
  for name in pairs(meta[class]) do local _ = methods[name] end
  local _, fields = debug.getupvalue(index, 2)
  return names_of(methods, fields)
end


local function compare(class, there)
  for name in pairs(there) do
    if not meta[class][name] then fail("%s: %s is not in meta.lua", class, name) end
  end
  for name in pairs(meta[class]) do
    if not there[name] then fail("%s: there is no %s", class, name) end
  end
end

-- What is only in meta.lua must at least be readable.
local function compare_plain(class, object, methods)
  for name in pairs(names_of(methods)) do
    if not meta[class][name] then fail("%s: %s is not in meta.lua", class, name) end
  end
  for name in pairs(meta[class]) do
    local ok, value = pcall(function() return object[name] end)
    local said = tostring(value)
    if not ok and not said:find("there is no debug information", 1, true) then
      fail("%s: %s: %s", class, name, said)
    end
  end
end

assert(luatrace.null ~= nil) -- it is there from now on
compare("luatrace", names_of(luatrace))
compare("luatrace.bit", names_of(luatrace.bit))
compare("luatrace.emulate", names_of(luatrace.emulate))

-- A script's globals are the hooks and what env.lua shares.
for name in pairs(meta[""]) do
  if _G[name] == nil then fail("%s is not global", name) end
end

-- ---- Objects: those of a short trace -----------------------------------------------------------

local stops, seen = {}, {}

local function once(class, check, ...)
  if not seen[class] then
    seen[class] = true
    check(class, ...)
  end
end

luatrace.on_start(function(p)
  local t = p:threads()[1]
  once("luatrace.Process", compare, members_of(p, "luatrace.Process"))
  once("luatrace.Thread", compare, members_of(t, "luatrace.Thread"))
  once("luatrace.Memory", compare, members_of(t.mem, "luatrace.Memory"))
  once("luatrace.Map", compare, names_of(t.mem:maps()[1]))
  local module, symbol, where = p:modules()[1], p:symbols("__tls_get_addr")[1], t:where()
  once("luatrace.Module", compare_plain, module, names_of(module))
  if symbol then once("luatrace.Symbol", compare, names_of(symbol)) end
  once("luatrace.Where", compare_plain, where, names_of(where))
  local instruction, counts = t:disasm()[1], p:count {}
  once("luatrace.Instruction", compare_plain, instruction, names_of(instruction))
  once("luatrace.Counts", compare_plain, counts, names_of(debug.getmetatable(counts)))
  p:watch(t.sp - 8, 8, function(_, w)
    once("luatrace.Watch", compare_plain, w, names_of(w, debug.getmetatable(w)))
    w:remove()
  end)
  t:step()
end)

local breakpoint
breakpoint = luatrace.on_break("execve", function(_, f)
  once("luatrace.Frame", compare_plain, f, { leave = f.leave, skip = f.skip })
  once("luatrace.Breakpoint", compare_plain, breakpoint,
    names_of(debug.getmetatable(breakpoint)))
end)

luatrace.on_syscall("execve", function(_, call)
  once("luatrace.Call", compare, members_of(call, "luatrace.Call"))
  local path = call:paths()[1]
  once("luatrace.Path", compare_plain, path, path)
end)

luatrace.on_signal("USR1", function(t, sig)
  local stack = t:backtrace()
  once("luatrace.Stack", compare_plain, stack, {})
  once("luatrace.StackFrame", compare_plain, stack[1], names_of(stack[1]))
  local methods = names_of(debug.getmetatable(sig))
  once("luatrace.Signal", compare_plain, sig, methods)
  sig:suppress()
end)

luatrace.on_stop(function(_, stop)
  for name in pairs(stop) do stops[name] = true end
end)

local hook
hook = luatrace.on_exit(function(_, status)
  once("luatrace.Status", compare_plain, status, names_of(status))
  once("luatrace.Hook", compare_plain, hook, names_of(debug.getmetatable(hook)))
end)

local aggregation = luatrace.count()
once("luatrace.Aggregation", compare_plain, aggregation,
  names_of(debug.getmetatable(aggregation)))
once("luatrace.CallLog", compare, names_of(debug.getmetatable(
  luatrace.call_log(io.stderr)).__index))
local timer = luatrace.after(0, function() end)
once("luatrace.Timer", compare_plain, timer, names_of(timer, debug.getmetatable(timer)))
local virtual = luatrace.emulate.file("/documented", {})
once("luatrace.Virtual", compare_plain, virtual, names_of(debug.getmetatable(virtual)))
virtual:remove()

local p = luatrace.spawn { "sh", "-c", "kill -USR1 $$; /bin/true & wait; kill -TERM $$",
  stdout = "pipe" }
once("luatrace.Stream", compare_plain, p.stdout, names_of(debug.getmetatable(p.stdout)))
luatrace.run()
compare("luatrace.Stop", stops)

-- These are described in words, or are tables that scripts make, or were compared above.
local unchecked = { [""] = true, ["luatrace.Registers"] = true, ["luatrace.Args"] = true,
  ["luatrace.Events"] = true, ["luatrace.Gone"] = true, ["luatrace.Handlers"] = true,
  ["luatrace.File"] = true, ["luatrace.Stop"] = true, ["luatrace.Bit"] = true,
  ["luatrace.Emulate"] = true, ["luatrace.Line"] = true, ["luatrace.Function"] = true,
  ["luatrace.Block"] = true, ["luatrace.Inlined"] = true, ["luatrace.Row"] = true,
  ["luatrace.Bucket"] = true }
for class in pairs(meta) do
  local checked = seen[class] or unchecked[class] or not class:find("^luatrace%.%u")
  if not checked then
    fail("%s was not checked", class)
  end
end

table.sort(failures)
for _, failure in ipairs(failures) do io.stderr:write(failure, "\n") end
os.exit(#failures == 0 and 0 or 1)
