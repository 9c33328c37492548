-- How evenly 8 threads that do nothing else get their calls through: most / fewest.
local bench = ...

local function spread(text)
  local most, fewest = 0, math.huge
  for line in text:gmatch("[^\n]+") do
    local n = tonumber(line)
    if n then most, fewest = math.max(most, n), math.min(fewest, n) end
  end
  return most > 0 and most / fewest or nil
end

local program = bench.program("calls 1s getppid 8")

return {
  title = "calls of 8 threads in a second, most / fewest",
  base = "native",
  rows = {
    { id = "native", text = "untraced", command = program, value = spread },
    { id = "ours", text = "luatrace, entry handler", value = spread,
      command = bench.luatrace('on_syscall("getppid", function(t, call) end)') .. program },
    { id = "strace", text = "strace -f",
      command = "strace -f -e trace=getppid -o /dev/null " .. program, value = spread,
      needs = { "strace" } },
  },
  targets = { { "ours", most = 1.5 } },
}
