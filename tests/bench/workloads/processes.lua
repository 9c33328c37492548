-- What an event costs with many processes.
local bench = ...

local entry = bench.luatrace('on_syscall("getppid", function(t, call) end)')
local rows, targets = {}, {}
for _, processes in ipairs { 1, 1000 } do
  local function calls(prefix)
    return function(n)
      return ("%s%s %d getppid 1 %d"):format(prefix, bench.program("calls"), n, processes)
    end
  end
  for _, one in ipairs { { "floor", bench.program("floor -e 110 ") }, { "luatrace", entry } } do
    rows[#rows + 1] = { id = one[1] .. processes, command = calls(one[2]),
      text = ("%s, %d processes"):format(one[1], processes), base = "floor" .. processes }
  end
  targets[#targets + 1] = { "luatrace" .. processes, "floor" .. processes, most = 1.2 }
end

return { title = "100,000 getppid calls among processes", events = 100000, base = "floor1",
  rows = rows, targets = targets }
