-- One run of the program of `faults`: with what failed, how it ended and what it wrote.
--
-- Calls are counted by process and name. A process is named by its place in the tree: "1" is the
-- program, "1.2" its second child. So they are the same calls in each run, as long as the threads
-- of one process do not race.

local runs = {}

local run -- the present one

-- ---- Counting and failing --------------------------------------------------------------------

on_start(function(p)
  p.data.who, p.data.children = "1", 0
  run.live[p] = true
end)

on_clone(function(t, child)
  if child.kind == "thread" then return end
  local mine, its = t.process.data, child.process.data
  mine.children = (mine.children or 0) + 1
  its.who = (mine.who or "?") .. "." .. mine.children
  run.live[child.process] = true
end)

on_exit(function(p, status)
  run.live[p] = nil
  run.status = p == run.first and status or run.status
  if status.signal and status.signal ~= "SIGKILL" then run.signal = status.signal end
end)

-- The name of the program is part of who it is, because a process can run several.
local function who_of(p)
  return (p.data.who or "?") .. " " .. luatrace.escape(p.name or "?")
end

local function count(t, call)
  local who = who_of(t.process)
  local key = who .. " " .. call.name
  local nth = (run.counts[key] or 0) + 1
  run.counts[key] = nth
  local fault = run.how.fault
  if not fault then
    run.how.each(t, call, who, nth)
  elseif fault.name == call.name and fault.nth == nth and fault.who == who then
    -- addresses differ from run to run, and would make reports differ
    run.call = tostring(call):gsub("%) += %?$", ") = -1 " .. fault.error)
      :gsub("0x%x%x%x%x%x%x+", "0x...")
    call:fail(fault.error)
  end
end

-- ---- Running ---------------------------------------------------------------------------------

local function take(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  os.remove(path)
  return text
end

-- how.fault: what is to fail. Without it how.each(t, call, who, nth) is called for each call of
-- how.names.
function runs.run(program, timeout, how)
  run = { how = how, counts = {}, live = {} }
  local this, output, messages = run, os.tmpname(), os.tmpname()
  local command = { stdin = "null", stdout = output, stderr = messages }
  for i, word in ipairs(program) do command[i] = word end
  local p, message = spawn(command)
  if not p then luatrace.mistake(message) end
  this.first = p
  local hook = on_syscall(how.fault and how.fault.name or how.names, count)
  local timer = after(timeout, function()
    this.hung = true
    for each in pairs(this.live) do each:kill() end
  end)
  for _ in luatrace.events { exit = true } do end -- until nothing is left
  timer:cancel()
  hook:remove()
  this.output, this.messages = take(output), take(messages)
  return this
end

-- What came of it in comparison with a run without a fault, with a detail and the call.
function runs.judge(result, normal)
  local fault = result.how.fault
  local line = result.call or fault.name .. "(...) = -1 " .. fault.error
  if result.hung then return "hung", "", line end
  if result.signal and result.signal ~= normal.signal then
    return "crashed", ": " .. result.signal, line
  elseif not result.call then
    return "not reached", "", line
  elseif tostring(result.status) ~= tostring(normal.status) then
    return "noticed", ": " .. tostring(result.status), line
  elseif result.output ~= normal.output then
    return "wrong output", ", but it " .. tostring(result.status), line
  elseif result.messages ~= normal.messages then
    return "warned", ", and it " .. tostring(result.status), line
  end
  return fault.soft and "coped" or "swallowed", "", line
end

-- Whether the call is about a library, a locale and the like: what happens before main().
function runs.is_system(t, call)
  local path, fd = call:paths()[1], nil
  if path and path.text ~= "" then
    if call.name:find("^exec") then return false end
    path = t:resolve(path.text, path.dirfd, path.follow) or path.text
  else
    for name, value in pairs(call.args) do
      if name == "fd" or name == "dfd" then fd = value end
    end
    path = fd and t:resolve(("/proc/self/fd/%d"):format(fd))
  end
  return path and (path:find("^/usr/lib") or path:find("^/lib") or path:find("^/etc/ld%.so")
    or path:find("locale")) and true or false
end

return runs
