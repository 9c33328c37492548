-- count: how often each system call was made, how long it took and how often it failed.
--
--   luatrace count make -j2
--
-- Time is what passed on the clock between the beginning and the end of a call, waiting included
-- (strace -c counts processor time unless it is given -w). A call that never comes back, such as
-- exit_group, is not counted.

local opts = args {
  usage = "[-e CALLS] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Count the system calls of a program and its children, and the time they took.",
  { "e", "trace", "CALLS", "only these: names, globs and %classes with commas between" },
  { "o", "output", "FILE", "write the table to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local rows, by_name = {}, {}

local function row(name)
  local this = by_name[name]
  if not this then
    this = { name = name, seconds = 0, calls = 0, errors = 0 }
    by_name[name], rows[#rows + 1] = this, this
  end
  return this
end

local names = {}
for name in (opts.trace or ""):gsub("^trace=", ""):gmatch("[^,]+") do names[#names + 1] = name end

on_syscall(opts.trace and names or true, function(_, call)
  local name, began = call.name, luatrace.now()
  local ok = call:leave()
  local this = row(name)
  this.seconds = this.seconds + luatrace.now() - began
  this.calls = this.calls + 1
  if not ok then this.errors = this.errors + 1 end
end)

local function print_row(this, seconds)
  local share = seconds > 0 and 100 * this.seconds / seconds or 0
  local each = this.calls > 0 and 1e6 * this.seconds / this.calls or 0
  local errors = this.errors > 0 and this.errors or ""
  out:write(("%6.2f %11.6f %11.0f %9d %9s %s\n"):format(
    share, this.seconds, each, this.calls, errors, this.name))
end

on_end(function()
  local line = "------ ----------- ----------- --------- --------- ----------------\n"
  local total = { name = "total", seconds = 0, calls = 0, errors = 0 }
  for _, this in ipairs(rows) do
    for _, key in ipairs { "seconds", "calls", "errors" } do total[key] = total[key] + this[key] end
  end
  table.sort(rows, function(a, b) return a.seconds > b.seconds end)
  out:write("% time     seconds  usecs/call     calls    errors syscall\n", line)
  for _, this in ipairs(rows) do print_row(this, total.seconds) end
  out:write(line)
  print_row(total, total.seconds)
end)
