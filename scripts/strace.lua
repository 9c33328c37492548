-- strace: every system call on a line, with signals and ends in between, as strace -f prints it.
--
--   luatrace strace -T -e openat,%network curl -s example.org
--
-- A line that another thread interrupts ends in "<unfinished ...>" and is resumed further down.

local opts = args {
  usage = "[-tT] [-e CALLS] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Print every system call, signal and end of a program and its children.",
  { "e", "trace", "CALLS", "only these: names, globs and %classes with commas between" },
  { "o", "output", "FILE", "write to FILE; each line begins with a thread id" },
  { "t", "time", nil, "begin lines with the time of day" },
  { "T", "spent", nil, "end lines with the seconds that the call took" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local calls, open = {}, nil -- by thread: the call it is in; the one whose line has no end yet
local first, several -- the first thread that had a line; whether others had one

local function begin(t, text)
  if open then out:write(open.text:sub(open.shown + 1), " <unfinished ...>\n") end
  first, several = first or t, several or first and first ~= t
  local id = opts.output and "%-5d " or several and "[pid %5d] " or ""
  open, text = nil, id:format(t.tid) .. (opts.time and os.date("%H:%M:%S ") or "") .. text
  out:write(text)
  return #text
end

local function finish(t, whole)
  local call, from = calls[t], 1
  while call.text:byte(from) == whole:byte(from) do from = from + 1 end
  if open == call and from > call.shown then
    from, open = call.shown + 1, nil
  else
    call.column = begin(t, "<... " .. call.name .. " resumed>")
  end
  local rest, result = whole:sub(from):match("^(.*%)) += (.*)$")
  local spent = ("<%.6f>"):format(luatrace.now() - call.began)
  if opts.spent and result ~= "?" then result = result .. " " .. spent end
  out:write(rest, (" "):rep(39 - call.column - #rest), " = ", result, "\n")
  calls[t] = nil
end

local names = {}
for name in (opts.trace or ""):gsub("^trace=", ""):gmatch("[^,]+") do names[#names + 1] = name end
on_syscall(opts.trace and names or true, function(t, call)
  local text = tostring(call):gsub("%) += %?$", "")
  local shown = text:find("[ (=]0x") or #text -- what is at an address may come with the result
  local column = begin(t, text:sub(1, shown))
  open = { text = text, shown = shown, column = column, name = call.name, began = luatrace.now() }
  calls[t] = open
  call:leave()
  finish(t, tostring(call))
end)
on_signal(function(t, sig) begin(t, "--- " .. tostring(sig) .. " ---\n") end)
on_thread_exit(function(t, status)
  if calls[t] then finish(t, calls[t].text .. ") = ?") end
  begin(t, "+++ " .. tostring(status) .. " +++\n")
end)
on_end(function() if open then out:write(" <detached ...>\n") end end)
