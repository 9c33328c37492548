-- ltrace: the calls that a program makes into its libraries, with arguments and results.
--
--   luatrace ltrace -e 'str*,mem*' sort names.txt
--
-- Without -e and --from that is every function of a shared library that the program was linked with
-- or found by dlsym. A program that is linked statically has no libraries any more; the functions
-- of the C library that are known by name are shown, as far as its own code calls them.

local count = require "ltrace.count"
local imports = require "ltrace.imports"
local lines = require "ltrace.lines"
local values = require "ltrace.values"
local opts = args {
  usage = "[-crT] [-e NAMES] [-x NAMES] [-l LIBRARY] [-s SIZE] [-o FILE] [--] PROGRAM...",
  about = "Print the library calls of a program and its children.",
  { "e", "trace", "NAMES", "only these functions: names and globs with commas between" },
  { "x", "exclude", "NAMES", "not these" },
  { "l", "library", "NAME", "only functions of this library: libm, libz.so.1" },
  { nil, "from", "MODULE", "calls from this library, not from the program; '*': from anywhere" },
  { "c", "count", nil, "count calls and the time in them" },
  { "s", "size", "SIZE", "most bytes of a string that are shown (32)" },
  { "a", "words", "N", "arguments to show of an unknown function (3)" },
  { "r", "relative", nil, "begin lines with the seconds since the one before" },
  { "T", "spent", nil, "end lines with the seconds that the call took" },
  { "o", "output", "FILE", "write to FILE; each line begins with a thread id" },
}
local function number(text, option)
  local value = tonumber(text)
  if value and value >= 0 and value % 1 == 0 then return value end
  luatrace.mistake(("%s is a number, not '%s'"):format(option, text))
end
lines.out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
lines.file, lines.relative, lines.spent = opts.output ~= nil, opts.relative, opts.spent
if opts.size then values.most = number(opts.size, "--size") end
if opts.words then values.words = number(opts.words, "--words") end

-- ---- Names ---------------------------------------------------------------------------------

local function words(text)
  local list = {}
  for name in (text or ""):gmatch("[^,]+") do list[#list + 1] = name end
  return list
end

-- A function that tells whether a name matches one of the globs.
local function matcher(globs)
  local patterns = {}
  for i, glob in ipairs(globs) do
    patterns[i] = "^" .. glob:gsub("[%%%.%-%+%^%$%(%)]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
      .. "$"
  end
  return function(name)
    for _, pattern in ipairs(patterns) do
      if name:find(pattern) then return true end
    end
    return false
  end
end

local wanted, excluded = words(opts.trace), matcher(words(opts.exclude))
local matches = wanted[1] and matcher(wanted) or function(name)
  return name ~= "__libc_start_main" and name ~= "__cxa_finalize" and name ~= "__gmon_start__"
    and not name:find("^_ITM_") -- what the compiler adds to each program
end
local function is_wanted(name) return matches(name) and not excluded(name) end
local function of_library(name) return opts.library and opts.library .. ":" .. name or name end

-- ---- Calls ---------------------------------------------------------------------------------

local hooks = {}
local aliases = {} -- by address: the name that dlsym was given
local static = setmetatable({}, { __mode = "k" }) -- by process: it is linked statically

-- Whether a function of a static program is called by the library itself, as far as one can tell.
local function is_inner(t, f)
  local caller = f.caller
  if caller and caller.file then return false end
  local depth = opts.count and count.depth(t) or lines.depth(t)
  return not caller or depth > 0 or (caller.name or "_"):find("^_") ~= nil
end

local function show(t, f, name)
  if lines.is_passed_on(t, t.sp) then return end
  local arguments, late = values.arguments(t, f, name)
  local call = lines.begin(t, name, arguments, t.sp)
  local result, message = f:leave(values.result_type(t, name))
  if result == nil then
    lines.finish(t, call, "? (" .. message:gsub("^%w+: ", "") .. ")")
    return
  end
  local failed = values.failed(t, name, result)
  if late then values.late(t, arguments, late, result, failed) end
  lines.finish(t, call, values.result(t, name, result) .. (failed and values.reason(t) or ""))
end

local function handler(t, f)
  local name = aliases[f.addr] or f.name
  if excluded(name) or values.asking[t] or static[t.process] and is_inner(t, f) then return end
  if opts.count then count.call(t, f, name) else show(t, f, name) end
end

local function watch(locations, from)
  if locations[1] then hooks[#hooks + 1] = on_call(locations, { from = from }, handler) end
end

-- ---- Programs ------------------------------------------------------------------------------

local asked = {} -- by name: it is watched

local function watch_names(names)
  local list = {}
  for _, name in ipairs(names) do
    if not asked[name] and is_wanted(name) then
      asked[name], list[#list + 1] = true, of_library(name)
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
    if not addr or addr == 0 or not name or asked[name] or not is_wanted(name) then return end
    if opts.library or aliases[addr] then return end
    aliases[addr] = name
    hooks[#hooks + 1] = on_break(addr, { from = "program" }, handler)
  end)
end

-- A static program: once it has come to main(), when the library is ready.
local function watch_static(p)
  static[p] = true
  local names = wanted
  if not names[1] then
    for name in pairs(values.prototypes) do
      if not name:find(" ", 1, true) then names[#names + 1] = name end
    end
    -- Of two names of one function the first is shown: "open", not "open64".
    table.sort(names, function(a, b)
      if #a ~= #b then return #a < #b end
      return a < b
    end)
  end
  hooks[#hooks + 1] = on_break("main", { process = p, once = true }, function()
    hooks[#hooks + 1] = on_break(names, { process = p }, handler)
  end)
end

local function began(p)
  local program = imports.program(p)
  local t = p:threads()[1]
  local names = program and t and imports.of(t, program)
  if not names then
    watch_static(p)
    return
  end
  static[p] = nil
  for _, name in ipairs(names) do
    if name == "dlsym" then watch_dlsym() end
  end
  watch_names(names)
end

if opts.from then
  local list = {}
  for i, name in ipairs(wanted[1] and wanted or { "*" }) do list[i] = of_library(name) end
  watch(list, opts.from ~= "*" and opts.from or nil)
else
  on_start(began)
  on_exec(function(t) began(t.process) end)
end

-- ---- The rest ------------------------------------------------------------------------------

on_exec(function(t)
  lines.drop(t)
  values.forget(t)
end)
if not opts.count then
  on_signal(function(t, sig) lines.note(t, "--- " .. tostring(sig) .. " ---") end)
  on_thread_exit(function(t, status)
    lines.drop(t)
    lines.note(t, "+++ " .. tostring(status) .. " +++")
  end)
end

on_end(function()
  local hits = 0
  for _, hook in ipairs(hooks) do
    hits = hits + hook.count
    hook:remove()
  end
  lines.stop()
  if opts.count then count.print(lines.out) end
  if hits == 0 then
    io.stderr:write("ltrace: no library call was seen; a program that is stripped and linked "
      .. "statically has none that could be found\n")
  end
end)
