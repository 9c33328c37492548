-- Breakpoints: a function that is called 20,000 times.
local bench = ...

local function hits(prefix, more)
  return function(n) return prefix .. bench.program("hits ") .. n .. (more or "") end
end

local gdb = bench.temporary .. "/luatrace-bench-gdb.py"
bench.write(gdb, 'class B(gdb.Breakpoint):\n  def stop(self):\n    return False\nB("probe")\n')

local empty = 'on_break("probe", function(t, f) end)'
local leave = 'on_break("probe", function(t, f) f:leave() end)'

return {
  title = "20,000 breakpoint hits",
  events = 20000,
  base = "floor-shared",
  rows = {
    { id = "native", text = "untraced", command = hits("") },
    { id = "floor-shared", text = "floor: one stop, shared CPU",
      command = hits(bench.program("floor -s -b "), " trap") },
    { id = "floor", text = "floor: one stop, any CPU",
      command = hits(bench.program("floor -b "), " trap") },
    { id = "empty", text = "luatrace, empty handler",
      command = hits(bench.luatrace(empty)), tracer = true },
    { id = "empty-free", text = "  without CPU sharing",
      command = hits(bench.luatrace(empty, "--cpu=free")),
      base = "floor" },
    { id = "leave", text = "luatrace, leave()",
      command = hits(bench.luatrace(leave)), tracer = true },
    { id = "count", text = "luatrace, count",
      command = hits(bench.luatrace('on_break("probe", count())')) },
    { id = "gdb", text = "gdb, Python breakpoint", needs = { "gdb" },
      command = hits("gdb -q -batch -x " .. gdb .. " -ex run --args ") },
    { id = "ltrace", text = "ltrace", needs = { "ltrace" },
      command = hits("ltrace -o /dev/null -x probe -L ") },
    { id = "bpftrace", text = "bpftrace, uprobe", needs = { "bpftrace" }, command = function(n)
      return ("bpftrace -e 'uprobe:%s:probe { @n = count(); }' -c '%s'"):format(
        bench.program("hits"), bench.program("hits ") .. n)
    end },
  },
  targets = {
    { "empty", "floor-shared", most = 1.2 },
    { "gdb", "empty", least = 15 },
    { "ltrace", "empty", least = 6 },
  },
  finish = function() os.remove(gdb) end,
}
