-- Peak memory of the tracer with 1000 threads, each of which has had a handler of its own.
local bench = ...

local program = bench.program("calls 200000 getppid ")
local function peak(text)
  return tonumber(text:match("VmHWM:%s+(%d+)")) / 1024
end

local code = [[
on_syscall("getppid", function(t, call) call:leave() end)
on_end(function()
  for line in io.lines("/proc/self/status") do if line:find("VmHWM") then print(line) end end
end)]]

local rows = {}
for _, threads in ipairs { 1, 1000 } do
  rows[#rows + 1] = { id = "threads" .. threads, text = ("luatrace, %d threads"):format(threads),
    command = bench.luatrace(code) .. program .. threads, value = peak }
end

return { title = "peak memory in MiB", base = "threads1", rounds = 3, rows = rows,
  targets = { { "threads1000", most = 24 } } }
