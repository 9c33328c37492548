-- ltrace: the calls that a program makes into its libraries, with arguments and results.
--
--   luatrace ltrace -e 'str*,mem*' sort names.txt
--
-- Without -e and --from that is every function of a shared library that the program was linked with
-- or found by dlsym. A program that is linked statically has no libraries any more; the functions
-- of the C library that are known by name are shown, as far as its own code calls them.

local count = require "ltrace.count"
local lines = require "ltrace.lines"
local names = require "ltrace.names"
local programs = require "ltrace.programs"
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
lines.out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
lines.file, lines.relative, lines.spent = opts.output ~= nil, opts.relative, opts.spent
values.most = math.floor(tonumber(opts.size or 32) or luatrace.mistake("--size is a number"))
values.words = math.floor(tonumber(opts.words or 3) or luatrace.mistake("--words is a number"))
names.choose(opts.trace, opts.exclude, opts.library)

local function show(t, f, name)
  if lines.is_passed_on(t, t.sp) then return end
  local arguments, late = values.arguments(t, f, name)
  local call = lines.begin(t, name, arguments, t.sp)
  local result, message, code = f:leave(values.result_type(t, name))
  if result == nil then
    return lines.finish(t, call, "? (" .. (code == "ECANCELED" and "left" or message) .. ")")
  end
  local failed = values.failed(t, name, result)
  if late then values.late(t, arguments, late, result, failed) end
  lines.finish(t, call, values.result(t, name, result) .. (failed and values.reason(t) or ""))
end

function programs.handler(t, f, name)
  if names.is_excluded(name) or values.asking[t] then return end
  local depth = (opts.count and count or lines).depth(t)
  if programs.static[t.process] and programs.is_inner(f, depth) then return end
  if opts.count then count.call(t, f, name) else show(t, f, name) end
end

if opts.from then
  programs.watch_from(opts.from ~= "*" and opts.from or nil)
else
  on_start(programs.began)
  on_exec(function(t) programs.began(t.process) end)
end
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
  lines.stop()
  if opts.count then count.print(lines.out) end
  if programs.stop() == 0 then
    io.stderr:write("ltrace: no library call was seen; in a program that is stripped and linked "
      .. "statically none can be found\n")
  end
end)
