-- Nothing but starting and ending, twenty times.
local bench = ...

local function twenty(command)
  return "sh -c " .. bench.quote(("for i in $(seq 20); do %s; done"):format(command))
end

return {
  title = "starting and ending, 20 times",
  events = 20,
  base = "strace",
  rows = {
    { id = "native", text = "true", command = twenty("/bin/true") },
    { id = "ours", text = "luatrace -e '' true",
      command = twenty(bench.build .. "/luatrace -e '' /bin/true") },
    { id = "strace", text = "strace -o /dev/null true", needs = { "strace" },
      command = twenty("strace -o /dev/null /bin/true") },
    { id = "handler", text = "luatrace, one on_syscall", command = twenty(bench.luatrace(
      'on_syscall("getppid", function() end)') .. "/bin/true") },
    { id = "break", text = "luatrace, one on_break", command = twenty(bench.luatrace(
      'on_break("malloc", { once = true }, function() end)') .. "/bin/true") },
    { id = "gdb", text = "gdb -batch -ex run", needs = { "gdb" },
      command = twenty("gdb -q -batch -ex run /bin/true") },
  },
  targets = { { "ours", "strace", most = 1 } },
}
