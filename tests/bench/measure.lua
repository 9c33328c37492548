-- Measuring one command: time, memory, system calls and instructions of its own process.

local measure = {}

local build = os.getenv("LUATRACE_BUILD") or "build"
local scratch = os.tmpname()

function measure.quote(s)
  return "'" .. s:gsub("'", "'\\''") .. "'"
end

local quote = measure.quote

function measure.output(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("a")
  pipe:close()
  return text
end

local function read(path)
  local file = io.open(path)
  local text = file and file:read("a") or ""
  if file then file:close() end
  return text
end

function measure.write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

function measure.has(program)
  return os.execute("command -v " .. quote(program) .. " >/dev/null 2>&1") == true
end

-- A command whose output decides runs through a shell, so that it may be redirected.
local function shell(command)
  return "sh -c " .. quote("exec " .. command)
end

-- Run once: { seconds, processor, peak (KiB), output } or nil and what it said, where it failed and
-- `any_status` is not set.
function measure.run(command, any_status)
  local said = measure.output(("%s/tests/bench/timed %s %s"):format(build, scratch, shell(command)))
  local seconds, user, system, peak, status =
    read(scratch):match("(%S+) (%S+) (%S+) (%S+) (%S+)")
  if not status or tonumber(status) ~= 0 and not any_status then return nil, said end
  return { seconds = tonumber(seconds), processor = tonumber(user) + tonumber(system),
    peak = tonumber(peak), output = said }
end

-- What of `pattern` the command's own process makes, by the table of strace -c.
local function counted(command, names)
  measure.output(("strace -qq -c -e trace=%s -o %s %s"):format(names, scratch, shell(command)))
  local counts, total = {}, 0
  for line in read(scratch):gmatch("[^\n]+") do
    local calls, name = line:match("^%s*[%d.]+%s+[%d.]+%s+%d+%s+(%d+)%s+%d*%s*([%w_]+)$")
    if name and name ~= "total" then
      counts[name] = tonumber(calls)
      total = total + tonumber(calls)
    end
  end
  return counts, total
end

-- Per event, from the difference of a long and a short run: system calls of the tracer. `command`
-- is a function of the number of events.
function measure.calls(command, few, many)
  local names = "wait4,waitid,ptrace,process_vm_readv,pread64,write,sched_setaffinity,"
    .. "rt_sigprocmask,rt_sigtimedwait,ppoll"
  local short, long = counted(command(few), names), counted(command(many), names)
  local each = {}
  for name, calls in pairs(long) do
    local one = (calls - (short[name] or 0)) / (many - few)
    if one > 0.005 then each[name] = one end
  end
  return each
end

local function instructions_of(command)
  local out = scratch .. ".callgrind"
  measure.output("valgrind --tool=callgrind --trace-children=no --callgrind-out-file="
    .. out .. " " .. command)
  local total = read(out):match("summary: (%d+)") or read(out):match("totals: (%d+)")
  os.remove(out)
  return tonumber(total)
end

-- The same: instructions in user space.
function measure.instructions(command, few, many)
  local short, long = instructions_of(command(few)), instructions_of(command(many))
  return short and long and (long - short) / (many - few)
end

function measure.median(list)
  local sorted = {}
  for i, value in ipairs(list) do sorted[i] = value end
  table.sort(sorted)
  return sorted[#sorted // 2 + 1], sorted[1], sorted[#sorted]
end

-- While `fn` runs, one processor is kept busy by somebody else.
function measure.while_busy(fn)
  local pid = measure.output("sh -c 'while :; do :; done' >/dev/null 2>&1 & echo $!"):match("%d+")
  local ok, problem = pcall(fn)
  os.execute("kill " .. pid)
  assert(ok, problem)
end

function measure.finish()
  os.remove(scratch)
end

return measure
