-- How long t:backtrace() takes, cold and warm, at the first getppid of a program:
--
--   build/luatrace tests/bench/backtrace.lua build/tests/fixtures/stacks-O2 recursive 15

local rounds = 3000

local function microseconds(from, n)
  return (luatrace.now() - from) / n * 1e6
end

local function measure(t, what, options)
  local from = luatrace.now()
  local stack = t:backtrace(options)
  local cold = microseconds(from, 1)
  from = luatrace.now()
  for _ = 1, rounds do t:backtrace(options) end
  print(("%-24s %2d frames: first %8.0f us, then %5.1f us"):format(what, #stack, cold,
    microseconds(from, rounds)))
end

local done
on_syscall("getppid", function(t)
  if done then return end
  done = true
  measure(t, "addresses", { names = false })
  measure(t, "names", { lines = false })
  measure(t, "names and lines", {})
end)
