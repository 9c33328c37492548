-- A backtrace of some 20 frames at each of 2000 calls, in us a call: the time of the first is left
-- out for luatrace and given in a row of its own.
local bench = ...

local program = bench.program("deep 2000 16")

local function luatrace(options)
  return bench.luatrace(([[
local n, from, first, frames = 0, nil, nil, 0
on_syscall("getppid", function(t)
  local before = luatrace.now()
  frames = #t:backtrace(%s)
  n = n + 1
  if n == 1 then first, from = luatrace.now() - before, luatrace.now() end
end)
on_end(function()
  print("took", (luatrace.now() - from) / (n - 1) * 1e6, "first", first * 1e6, "frames", frames)
end)]]):format(options)) .. program
end

local function took(text) return tonumber(text:match("took%s+([%d.e-]+)")) end
local function first(text) return tonumber(text:match("first%s+([%d.e-]+)")) end

return {
  title = "backtrace of 20 frames at a call, us",
  base = "names",
  rows = {
    { id = "plain", text = "luatrace, no backtrace", value = took, command = bench.luatrace([[
local n, from = 0, luatrace.now()
on_syscall("getppid", function(t) n = n + 1 end)
on_end(function() print("took", (luatrace.now() - from) / n * 1e6) end)]]) .. program },
    { id = "addresses", text = "addresses, warm", value = took,
      command = luatrace("{ names = false }") },
    { id = "names", text = "names, warm", value = took, command = luatrace("{ lines = false }") },
    { id = "lines", text = "names and lines, warm", value = took, command = luatrace("") },
    { id = "cold", text = "names and lines, the first", value = first, command = luatrace("") },
    { id = "strace", text = "strace -k", needs = { "strace" },
      command = "strace -k -e trace=getppid -o /dev/null "
      .. program, divide = 2000e-6 },
  },
  targets = { { "strace", "names", least = 20 } },
}
