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
local names = {}
for name in (opts.trace or ""):gsub("^trace=", ""):gmatch("[^,]+") do names[#names + 1] = name end

local calls = sum("time", { by = { "name", "error" } }) -- nanoseconds
on_syscall(opts.trace and names or true, calls)

-- A row for each call, with the times that it failed, and one for all.
local function rows()
  local list, by_name = {}, {}
  local total = { name = "total", seconds = 0, calls = 0, errors = 0 }
  for _, row in ipairs(calls:rows()) do
    local name, failed = row.key.name, row.key.error ~= "ok"
    local this = by_name[name] or { name = name, seconds = 0, calls = 0, errors = 0 }
    if not by_name[name] then by_name[name], list[#list + 1] = this, this end
    for _, one in ipairs { this, total } do
      one.seconds = one.seconds + row.sum / 1e9
      one.calls = one.calls + row.count
      if failed then one.errors = one.errors + row.count end
    end
  end
  local time, more = calls:others() -- of numbers that the program made up, too many of them
  total.seconds, total.calls = total.seconds + time / 1e9, total.calls + more
  table.sort(list, function(a, b) return a.seconds > b.seconds end)
  return list, total
end

local function print_row(this, seconds)
  local share = seconds > 0 and 100 * this.seconds / seconds or 0
  local each = this.calls > 0 and 1e6 * this.seconds / this.calls or 0
  local errors = this.errors > 0 and this.errors or ""
  out:write(("%6.2f %11.6f %11.0f %9d %9s %s\n"):format(
    share, this.seconds, each, this.calls, errors, this.name))
end

on_end(function()
  local line = "------ ----------- ----------- --------- --------- ----------------\n"
  local list, total = rows()
  out:write("% time     seconds  usecs/call     calls    errors syscall\n", line)
  for _, this in ipairs(list) do print_row(this, total.seconds) end
  out:write(line)
  print_row(total, total.seconds)
end)
