-- Every call decoded and printed.
local bench = ...

local calls = bench.counted("calls")

local ours = bench.build .. "/luatrace strace -o /dev/null "
local theirs = "strace -o /dev/null "

return {
  title = "50,000 getppid calls, each printed",
  events = 50000,
  base = "strace",
  rows = {
    { id = "ours", text = "luatrace strace", command = calls(ours), tracer = true },
    { id = "strace", text = "strace",
      command = calls(theirs), needs = { "strace" }, tracer = true },
    { id = "ours-one", text = "luatrace strace, taskset -c 0",
      command = calls("taskset -c 0 " .. ours) },
    { id = "strace-one", text = "strace, taskset -c 0", command = calls("taskset -c 0 " .. theirs),
      needs = { "strace" } },
    { id = "ours-free", text = "luatrace --cpu=free strace",
      command = calls(bench.build .. "/luatrace --cpu=free strace -o /dev/null ") },
  },
  targets = {
    { "ours", "strace", most = 0.25 },
    { "ours", "strace-one", most = 1 },
  },
}
