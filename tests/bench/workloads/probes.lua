-- Counting a function that does next to nothing, without a stop: seconds, and ns a call in the
-- "us/event" column's thousandths.
local bench = ...

local function calls(prefix, threads)
  return function(n) return ("%s%s %d %d"):format(prefix, bench.program("probe"), n, threads) end
end

local zero = bench.luatrace('on_break("probe", count())')

return {
  title = "100,000,000 calls of a function, counted",
  events = 100000000,
  base = "native1",
  rounds = 5,
  rows = {
    { id = "native1", text = "untraced, 1 thread", command = calls("", 1) },
    { id = "ours1", text = "luatrace, count, 1 thread", command = calls(zero, 1) },
    { id = "native2", text = "untraced, 2 threads", command = calls("", 2), base = "native2" },
    { id = "ours2", text = "luatrace, count, 2 threads",
      command = calls(zero, 2), base = "native2" },
  },
}
