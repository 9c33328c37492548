-- The lines of `ltrace`: one for each call, in two parts where something else comes between.

local lines = {
  out = io.stderr,
  file = false, -- each line begins with a thread id
  relative = false, -- lines begin with the seconds since the one before
  spent = false, -- lines end with the seconds that the call took
}

local stacks = setmetatable({}, { __mode = "k" }) -- by thread: the calls that it is in
local open -- the call whose line has no end yet
local first, several -- the first thread that had a line; whether others had one
local latest -- when the line before began

local function stack_of(t)
  local stack = stacks[t]
  if not stack then
    stack = {}
    stacks[t] = stack
  end
  return stack
end

-- How deep in calls the thread is.
function lines.depth(t)
  local stack = stacks[t]
  return stack and #stack or 0
end

-- Whether the innermost call has passed control on to a function: its stack pointer would be `sp`.
function lines.is_passed_on(t, sp)
  local stack = stacks[t]
  local call = stack and stack[#stack]
  return call and call.sp == sp
end

local function begin(t, text, depth)
  if open then lines.out:write(" <unfinished ...>\n") end
  open = nil
  first, several = first or t, several or first and first ~= t
  if lines.file or several then
    lines.out:write((lines.file and "%-5d " or "[pid %5d] "):format(t.tid))
  end
  if lines.relative then
    local now = luatrace.now()
    lines.out:write(("%9.6f "):format(now - (latest or now)))
    latest = now
  end
  lines.out:write(("  "):rep(depth), text)
end

-- A line of its own.
function lines.note(t, text)
  begin(t, text, 0)
  lines.out:write("\n")
end

-- The line of a call: up to the first argument that is not known yet, which is false. `sp`:
-- the stack pointer at the entry. Returns the call.
function lines.begin(t, name, arguments, sp)
  local known = #arguments
  for i = 1, #arguments do
    if arguments[i] == false then
      known = i - 1
      break
    end
  end
  local stack = stack_of(t)
  local call = { name = name, arguments = arguments, shown = known, sp = sp,
    began = luatrace.now() }
  begin(t, name .. "(" .. table.concat(arguments, ", ", 1, known), #stack)
  stack[#stack + 1], open = call, call
  return call
end

-- Its end: the other arguments and the result.
function lines.finish(t, call, result)
  local stack, depth = stack_of(t), 0
  for i = #stack, 1, -1 do
    if stack[i] == call then depth = i - 1 end
  end
  for i = #stack, depth + 1, -1 do stack[i] = nil end
  if open ~= call then
    begin(t, "<... " .. call.name .. " resumed>", depth)
  elseif call.shown > 0 and call.shown < #call.arguments then
    lines.out:write(", ")
  end
  open = nil
  local rest = table.concat(call.arguments, ", ", call.shown + 1)
  local spent = lines.spent and (" <%.6f>"):format(luatrace.now() - call.began) or ""
  lines.out:write(rest, ") = ", result, spent, "\n")
end

-- The thread comes back from none of its calls: it has ended, or runs another program.
function lines.drop(t)
  local stack = stacks[t]
  stacks[t] = nil
  for i = #(stack or {}), 1, -1 do
    local call = stack[i]
    for k = call.shown + 1, #call.arguments do call.arguments[k] = "..." end
    lines.finish(t, call, "?")
  end
end

-- Tracing has ended.
function lines.stop()
  if open then lines.out:write(" <detached ...>\n") end
  open = nil
end

return lines
