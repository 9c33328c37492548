-- Every call of a program that makes only getppid calls: what one stop costs, and two.
local bench = ...

local calls = bench.counted("calls")

local function floor(options) return calls(bench.program("floor ") .. options .. " ") end
local entry = 'on_syscall("getppid", function(t, call) end)'
local leave = 'on_syscall("getppid", function(t, call) call:leave() end)'
local function luatrace(code, options) return calls(bench.luatrace(code, options)) end

return {
  title = "100,000 getppid calls",
  events = 100000,
  base = "floor-entry-shared",
  rows = {
    { id = "native", text = "untraced", command = calls("") },
    { id = "floor-entry-shared", text = "floor: one seccomp stop, shared CPU",
      command = floor("-s -e 110") },
    { id = "entry", text = "luatrace, entry handler", command = luatrace(entry), tracer = true },
    { id = "entry-free", text = "  without CPU sharing", command = luatrace(entry, "--cpu=free") },
    { id = "entry-all", text = "  without the filter", command = luatrace(entry, "--no-filter"),
      tracer = true },
    { id = "floor-entry", text = "floor: one seccomp stop, any CPU", command = floor("-e 110") },
    { id = "count", text = "luatrace, count in C", tracer = true,
      command = luatrace('on_syscall("getppid", count())') },
    { id = "floor-exit-shared", text = "floor: two stops, shared CPU",
      command = floor("-s -x 110") },
    { id = "leave", text = "luatrace, leave()", command = luatrace(leave), tracer = true,
      base = "floor-exit-shared" },
    { id = "leave-free", text = "  without CPU sharing", command = luatrace(leave, "--cpu=free"),
      base = "floor-exit-shared" },
    { id = "exit-always", text = "  entry handler, exits always taken", base = "floor-exit-shared",
      command = luatrace(entry .. ' on_stop("syscall-exit", function() end)'), tracer = true },
    { id = "floor-exit", text = "floor: two stops, any CPU", command = floor("-x 110") },
    { id = "strace", text = "strace -f -e getppid", needs = { "strace" }, tracer = true,
      command = calls("strace -f -e trace=getppid -o /dev/null ") },
  },
  targets = {
    { "entry", "floor-entry-shared", most = 1.15 },
    { "leave", "floor-exit-shared", most = 1.15 },
  },
}
