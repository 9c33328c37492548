-- What Lua has allocated after a million events, with its collector stopped, in KiB.
local bench = ...

local function script(parameters)
  return ([[
local sum, n, before = 0, 0, nil
on_syscall("getppid", function(%s)
  sum = sum + n
  n = n + 1
  if n == 1000 then collectgarbage() collectgarbage("stop") before = collectgarbage("count") end
  if n == 1001000 then print(collectgarbage("count") - before) end
end)]]):format(parameters)
end

local function row(id, text, parameters)
  return { id = id, text = text, value = function(out) return tonumber(out:match("[-%d.e]+")) end,
    command = bench.luatrace(script(parameters)) .. bench.program("calls 1001100") }
end

return {
  title = "garbage of 1,000,000 events in KiB, the collector stopped",
  base = "thread", rounds = 1,
  rows = { row("thread", "function(t)", "t"), row("call", "function(t, call)", "t, call") },
  targets = { { "thread", most = 4 }, { "call", most = 4 } },
}
