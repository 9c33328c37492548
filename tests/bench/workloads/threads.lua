-- What an event costs with many threads.
local bench = ...

local entry = bench.luatrace('on_syscall("getppid", function(t, call) end)')
local rows, targets = {}, {}
for _, threads in ipairs { 1, 100, 1000 } do
  local function calls(prefix)
    return function(n)
      return ("%s%s %d getppid %d"):format(prefix, bench.program("calls"), n, threads) end
  end
  for _, one in ipairs { { "floor", bench.program("floor -e 110 ") }, { "luatrace", entry },
    { "luatrace --cpu=free", bench.luatrace('on_syscall("getppid", function(t, call) end)',
      "--cpu=free") } } do
    rows[#rows + 1] = { id = one[1] .. threads, text = ("%s, %d threads"):format(one[1], threads),
      command = calls(one[2]), base = "floor" .. threads }
  end
  targets[#targets + 1] = { "luatrace" .. threads, "floor" .. threads, most = 1.2 }
end

return { title = "100,000 getppid calls among threads", events = 100000, base = "floor1",
  rows = rows, targets = targets }
