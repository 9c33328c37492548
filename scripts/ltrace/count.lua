-- ltrace -c: how often each function was called, and the time in it.

local count = {}

local now = luatrace.now
local rows, by_name = {}, {}
-- By thread: how deep in calls it is, and by depth the seconds in calls below and the stack
-- pointer.
local stacks = setmetatable({}, { __mode = "k" })

local function row_of(name)
  local row = by_name[name]
  if not row then
    row = { name = name, calls = 0, total = 0, own = 0 }
    by_name[name], rows[#rows + 1] = row, row
  end
  return row
end

local function stack_of(t)
  local stack = stacks[t]
  if not stack then
    stack = { depth = 0, sp = {} }
    stacks[t] = stack
  end
  return stack
end

function count.depth(t)
  local stack = stacks[t]
  return stack and stack.depth or 0
end

function count.call(t, f, name)
  local row, stack = row_of(name), stack_of(t)
  local depth, sp = stack.depth + 1, t.sp
  if depth > 1 and stack.sp[depth - 1] == sp then return end -- passed on by the one around it
  row.calls = row.calls + 1
  stack.depth, stack[depth], stack.sp[depth] = depth, 0, sp
  local began = now()
  f:leave("void")
  local spent = now() - began
  stack.depth = depth - 1
  row.total = row.total + spent
  row.own = row.own + spent - stack[depth]
  if depth > 1 then stack[depth - 1] = stack[depth - 1] + spent end
end

local function print_row(out, row, seconds)
  local share = seconds > 0 and 100 * row.own / seconds or 0
  out:write(("%6.2f %11.6f %11.6f %9d %s\n"):format(share, row.own, row.total, row.calls, row.name))
end

-- Own time is without the calls below, such as those of a function that qsort calls.
function count.print(out)
  local all = { name = "total", calls = 0, own = 0, total = 0 }
  for _, row in ipairs(rows) do
    all.calls, all.own = all.calls + row.calls, all.own + row.own
  end
  all.total = all.own
  table.sort(rows, function(a, b) return a.own > b.own end)
  local line = "------ ----------- ----------- --------- ----------------\n"
  out:write("% time own seconds       total     calls function\n", line)
  for _, row in ipairs(rows) do print_row(out, row, all.own) end
  out:write(line)
  print_row(out, all, all.own)
end

return count
