-- exits: the end of every process: its pid, how long it ran, its exit code or signal, its command.
--
--   luatrace exits make check
--
-- The time is counted from when luatrace first saw the process.

local opts = args {
  usage = "[-b] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Print how each process of a program ends.",
  { "b", "bad", nil, "only those that end with a signal or a code other than 0" },
  { "o", "output", "FILE", "write to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local began, command = {}, {} -- by pid: a process that has ended cannot be asked any more

local function ran(p)
  began[p.pid] = began[p.pid] or luatrace.now()
  command[p.pid] = luatrace.escape(table.concat(p.cmdline, " "))
end

on_start(ran)
on_exec(function(t) ran(t.process) end)
on_clone(function(t, child)
  if child.kind ~= "thread" then
    began[child.pid], command[child.pid] = luatrace.now(), command[t.pid]
  end
end)

on_exit(function(p, status)
  if status.code ~= 0 or not opts.bad then
    local seconds = luatrace.now() - began[p.pid]
    out:write(("%7d %9.3fs  %-16s %s\n"):format(p.pid, seconds, tostring(status), command[p.pid]))
  end
  began[p.pid], command[p.pid] = nil, nil
end)
