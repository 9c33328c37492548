-- What an event costs: system calls of luatrace's own, memory of Lua's; and that the straight path
-- of most events does what the general one does.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local calls, hits = T.build .. "/tests/bench/calls", T.build .. "/tests/bench/hits"

local function said(code, program)
  return T.lines(T.ok(T.trace(code, program)).said)
end

describe("no garbage is made", function()
  -- Bytes that Lua has more after 5000 events than after 1000.
  local function grown(handler)
    local lines = said(([[
      local n, sum, at = 0, 0, nil
      local function event()
        n = n + 1
        if n == 1000 then
          collectgarbage()
          collectgarbage("stop")
          at = collectgarbage("count")
        elseif n == 6000 then
          say(math.ceil((collectgarbage("count") - at) * 1024), sum)
        end
      end
      %s
    ]]):format(handler), { handler:find("on_break") and hits or calls, "6000" })
    return tonumber(lines[1]:match("^-?%d+"))
  end

  local cases = {
    { "by a handler of entries", [[on_syscall("getppid", function(t) event() end)]] },
    { "by one that takes the call", [[on_syscall("getppid", function(t, call)
        sum = sum + call.args[1] % 7 + call.nr
        event()
      end)]] },
    { "by call:leave()", [[on_syscall("getppid", function(t, call)
        sum = sum + call:leave() % 7
        event()
      end)]] },
    { "by a handler of hits", [[on_break("probe", function(t) event() end)]] },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      assert.is_true(grown(case[2]) < 4096)
    end)
  end
end)

describe("the system calls of luatrace", function()
  if not T.have("strace") then
    pending("strace is not installed")
    return
  end

  -- By name: how many there are for so many getppid.
  local function counted(code, count)
    local path = T.dir() .. "/counts"
    T.ok(T.run({ "strace", "-c", "-U", "calls,name", "-o", path, T.bin, "--cpu=free", "-e", code,
      "--", calls, tostring(count) }, { env = T.without_leak_check }))
    local counts = {}
    for number, name in T.read(path):gmatch("(%d+) ([%w_]+)\n") do
      counts[name] = tonumber(number)
    end
    return counts
  end

  -- For each of 2000 events.
  local function per_event(code)
    local few, many, each = counted(code, 500), counted(code, 2500), { others = 0 }
    for name, number in pairs(many) do
      local more = (number - (few[name] or 0)) / 2000
      if name == "ptrace" or name == "wait4" then
        each[name] = more
      elseif name ~= "total" and name ~= "sigaltstack" then -- a sanitizer's own at each longjmp
        each.others = each.others + more
      end
    end
    return each
  end

  it("are two requests and a wait at an entry", function()
    local each = per_event([[on_syscall("getppid", function(t, call) end)]])
    assert.is_true(each.ptrace < 2.05, "ptrace: " .. each.ptrace)
    assert.is_true(each.wait4 < 1.3, "wait4: " .. each.wait4)
    assert.is_true(each.others < 0.1, "others: " .. each.others)
  end)

  it("are twice as many with call:leave()", function()
    local each = per_event([[on_syscall("getppid", function(t, call) call:leave() end)]])
    assert.is_true(each.ptrace < 4.05, "ptrace: " .. each.ptrace)
    assert.is_true(each.wait4 < 2.5, "wait4: " .. each.wait4)
    assert.is_true(each.others < 0.1, "others: " .. each.others)
  end)
end)

-- An on_stop handler wants to see every stop, which then takes the general path.
local general = "on_stop('group-stop', function() end) "

local same = {
  { "results and failures", [[
      on_syscall({ "openat", "read", "lseek" }, function(t, call)
        local before = call.done
        local value, message, code = call:leave()
        say(call.name, before, call.done, call.args[3], value, message, code)
      end)]] },
  { "arguments that are looked at afterwards", [[
      on_syscall("openat", function(t, call)
        call:leave()
        say(call.args.filename, #call.args, tostring(call):match("^[^=]+"))
        for name, value in pairs(call.args) do say(name, value) end
      end)]] },
  { "several who wait for a call", [[
      on_syscall("getppid", function(t, call) say("first", call:leave() > 0) end)
      on_syscall("getppid", function(t, call) say("second", call:leave() > 0) end)
      on_syscall("getppid", function(t, call) say("third") end)]] },
  { "changes", [[
      local n = 0
      on_syscall("getppid", function(t, call)
        n = n + 1
        if n == 1 then call:skip(7) elseif n == 2 then call:fail("EPERM") end
        local value, message = call:leave()
        say(n == 3 and value > 0 or value, message)
        if n < 3 then call.ret = n end
        say(call.ret ~= nil)
      end)]] },
  { "handlers that come and go", [[
      local h, n = nil, 0
      h = on_syscall("getppid", function(t, call)
        n = n + 1
        say(n, h.count)
        if n == 2 then
          h:remove()
          on_syscall("getppid", function() say("another") end)
        end
      end)
      on_end(function() say(h.count) end)]] },
  { "system calls that scripts have made", [[
      on_syscall("getppid", function(t, call)
        say(t:syscall("getpid") == t.pid, call:leave() == t:syscall("getppid"))
      end)]] },
  { "threads that are held", [[
      on_syscall("getppid", function(t, call)
        t:hold()
        after(0.001, function() say("released", t:release()) end)
        say(call:leave() > 0)
      end)]] },
  { "processes that are frozen", [[
      on_syscall("getppid", function(t, call)
        say(t.process:freeze(function() return t.alive end), call:leave() > 0)
      end)]] },
  { "waits for something else", [[
      local n = 0
      on_syscall("getppid", function(t, call)
        n = n + 1
        if n == 1 then
          local kind, what = t:wait { syscall = "getppid" }
          say(kind, what.name, what:leave() > 0)
        else
          say(n, call.name)
        end
      end)]] },
  { "coroutines", [[
      local function leave(call) return coroutine.wrap(function() return call:leave() end)() end
      on_syscall("getppid", function(t, call)
        say(leave(call) > 0, pcall(table.sort, { 1, 2, 3 }, function() call:leave() end))
      end)]] },
  { "errors", [[
      on_syscall("lseek", function(t, call) call:leave() error("on purpose", 0) end)]] },
  { "calls that are kept", [[
      local kept
      on_syscall("getppid", function(t, call)
        say(kept == call, pcall(function() return kept and kept.nr end))
        kept = call
        say(call == kept, call.args == call.args, rawequal(call, call.args))
      end)]] },
  { "deaths", [[
      on_syscall("exit_group", function(t, call)
        say(pcall(call.leave, call) == false)
      end)
      on_thread_exit(function(t, status) say(tostring(status)) end)]] },
  { "hits", [[
      local h = on_break("probe", function(t, f)
        say(f.name, f.args[1], f.entry, f:leave(), f.args[2])
      end)
      on_end(function() say(h.hits, h.count) end)]], hits },
  { "several who wait for a function", [[
      on_break("probe", function(t, f) say("first", f:leave()) end)
      on_break("probe", function(t, f) say("second", f:leave()) end)]], hits },
  { "breakpoints that go", [[
      local h, n = nil, 0
      h = on_break("probe", function(t, f)
        n = n + 1
        if n == 2 then h:disable() say(h.hits) h:enable() elseif n == 3 then h:remove() end
      end)
      on_end(function() say(n, h.hits, h.count) end)]], hits },
  { "steps", [[
      on_break("probe", function(t, f)
        local from, pcs = t.pc, {}
        for i = 1, 5 do pcs[i] = t:step() - from end
        say(table.concat(pcs, " "), t:step(3) - from, pcall(t.step, t, 0))
      end, { once = true })
      on_break("probe", function(t, f)
        local n = 0
        local from, to = t.pc, t:run_until(function() n = n + 1 return n == 4 end)
        say(to - from)
      end)]], hits },
}

describe("the straight path does what the general one does for", function()
  for _, case in ipairs(same) do
    it(case[1], function()
      local program = case[3] and { case[3], "4" } or { T.fixture("calls") }
      local straight, other = T.trace(case[2], program), T.trace(general .. case[2], program)
      assert.equal(other.said, straight.said)
      assert.equal(other.code, straight.code)
      local function own(text) return (text:gsub("(:)%d+(:)", "%1N%2")) end -- numbers of lines
      assert.equal(own(other.err), own(straight.err))
      assert.is_true(#straight.said > 0 or straight.code ~= 0)
    end)
  end
end)

describe("a call log", function()
  it("writes the same where others want the calls as well", function()
    local function logged(more)
      local path = T.dir() .. "/log"
      T.ok(T.trace(([[
        local log = luatrace.call_log(assert(io.open(%q, "w")), { tids = true })
        on_syscall({ "openat", "getppid", "exit_group", "read" }, log)
        on_signal(function(t, sig) log:line(t, tostring(sig)) end)
        on_thread_exit(function(t, status)
          log:lost(t)
          log:line(t, tostring(status))
        end)
        on_end(function() log:close() end)
        %s]]):format(path, more or ""), { T.fixture("calls") }))
      return (T.read(path):gsub("%f[^\n\0]%d+ +", ""):gsub("getppid%(%) += %d+", "getppid() = N"))
    end
    local alone = logged()
    assert.is_truthy(alone:find('openat(AT_FDCWD, "/nonexistent/file", O_RDONLY) = -1 ENOENT', 1,
      true))
    assert.is_truthy(alone:find("exit_group%(0%) += %?\nexited with 0\n$"))
    assert.equal(alone, logged("on_syscall('getppid', function(t, call) call:leave() end)"))
    assert.equal(alone, logged(general))
  end)

  it("takes only open files", function()
    local result = T.trace("luatrace.call_log(5)", { "true" })
    assert.is_truthy(result.err:find("call_log needs an open file, not a number", 1, true))
  end)
end)
