-- Calls whose arguments nobody asked for.
local bench = ...

local calls = bench.counted("calls", " write")

return {
  title = "2,000,000 writes to descriptor 3, descriptor 1 asked for",
  events = 2000000,
  base = "filter",
  rows = {
    { id = "native", text = "untraced", command = calls("") },
    { id = "filter", text = "hand-written filter, no tracer",
      command = calls(bench.program("filtered 1 1 ")) },
    { id = "ours", text = "luatrace, write { fd = 1 }",
      command = calls(bench.luatrace('on_syscall("write", { fd = 1 }, function() end)')) },
  },
  targets = { { "ours", "filter", most = 1.05 } },
}
