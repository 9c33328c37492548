-- Time and order: timers, timeouts, delayed calls, held threads, frozen processes.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

after_each(T.cleanup)

local function said(code, program, options)
  return T.lines(T.ok(T.trace(code, program, options), options and options.code).said)
end

describe("sleep", function()
  it("waits without a program", function()
    assert.same({ "true" }, said [[
      local before = luatrace.now()
      sleep(0.1)
      local took = luatrace.now() - before
      say(took >= 0.1 and took < 1)
    ]])
  end)

  it("lets programs run on", function()
    assert.same({ "first", "second", "exited with 0", "slept" }, said [[
      local p
      on_exit(function(q, status) if q == p then say(status) end end)
      p = spawn { "sh", "-c", "echo first; sleep 0.05; echo second", stdout = "pipe" }
      after(0, function() for line in p.stdout:lines() do say(line) end end)
      sleep(0.4)
      say("slept")
    ]])
  end)

  it("keeps the run going in a handler, after the last program has ended", function()
    assert.same({ "exited with 0", "slept" }, said([[
      on_exit(function(_, status)
        say(status)
        sleep(0.1)
        say("slept")
      end)
    ]], { "true" }))
  end)

  it("ends with os.exit, SIGTERM and errors", function()
    assert.same({ "exits" }, said([[
      after(0.05, function() say("exits") os.exit(7) end)
      sleep(100)
    ]], nil, { code = 7 }))
    assert.equal(125, T.trace('after(0.05, function() error("x") end) sleep(100)').code)
    local process = T.trace('say("sleeps") sleep(100)', nil, { start = true })
    T.wait_until("sleep", function() return process:said():find("sleeps") end)
    process:signal("TERM")
    assert.is_false(process:wait(5).timed_out)
  end)
end)

describe("after and every", function()
  it("call in the order of their times", function()
    assert.same({ "a", "b", "c" }, said [[
      after(0.10, function() say("c") end)
      after(0.02, function() say("a") end)
      after(0.05, function() say("b") end)
      sleep(0.2)
    ]])
  end)

  it("hold no end up", function()
    local result = T.ok(T.trace([[
      every(0.01, function() end)
      after(10, function() say("never") end)
    ]], { "true" }))
    assert.equal("", result.said)
    assert.is_true(result.seconds < 5)
  end)

  it("repeat until they are cancelled", function()
    assert.same({ "3\t3\ttrue" }, said [[
      local count, tick = 0, nil
      tick = every(0.01, function(handle)
        count = count + 1
        if count == 3 then handle:cancel() end
        assert(handle == tick)
      end)
      local never = after(0.05, function() count = count + 100 end)
      never:cancel()
      sleep(0.15)
      say(count, tick.count, tostring(tick):find("^every%(0.01%) timer, called 3 times$") ~= nil)
    ]])
  end)

  it("leave out the ticks that come while a call waits", function()
    assert.same({ "2" }, said [[
      local count = 0
      every(0.02, function() count = count + 1 sleep(0.13) end)
      sleep(0.25)
      say(count)
    ]])
  end)

  it("keep many timers in order", function()
    assert.same({ "true\t1500" }, said [[
      local fired, last, good, timers = 0, 0, true, {}
      for i = 1, 3000 do
        local seconds = (i * 7919 % 3000) / 30000
        local due = luatrace.now() + seconds
        timers[i] = after(seconds, function()
          good = good and due >= last - 0.01 and i % 2 == 1
          fired, last = fired + 1, due
        end)
      end
      for i = 2, 3000, 2 do timers[i]:cancel() end
      sleep(0.3)
      say(good, fired)
    ]])
  end)

  it("fire while stops pour in", function()
    assert.same({ "true" }, said([[
      local count = 0
      on_syscall(function() end)
      every(0.01, function() count = count + 1 end)
      on_end(function() say(count > 5) end)
    ]], { "sh", "-c", "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done" }))
  end)
end)

describe("t:wait with a timeout", function()
  it("returns nil and \"timeout\"", function()
    assert.same({ "nil\ttimeout", "true", "exit\texited with 0" }, said [[
      local p = spawn { "sleep", "0.3" }
      local t = p:threads()[1]
      local before = luatrace.now()
      say(t:wait { signal = true, timeout = 0.1 })
      say(luatrace.now() - before < 0.25)
      say(t:wait { exit = true, timeout = 5 })
    ]])
  end)

  it("is not bothered by a timer that has not fired", function()
    assert.same({ "50", "true" }, said [[
      local p = spawn { "sh", "-c", "while :; do kill -0 $$; done" }
      local t, count = p:threads()[1], 0
      for _ = 1, 50 do
        if t:wait { syscall = "kill", timeout = 0.3 } == "syscall" then count = count + 1 end
      end
      say(count)
      sleep(0.4)
      say(p.alive)
      os.exit(0)
    ]])
  end)

  it("refuses what is no time", function()
    local lines = said [[
      local p = spawn { "sleep", "0.1" }
      local t = p:threads()[1]
      for _, timeout in ipairs { -1, "x" } do
        local ok, message = pcall(t.wait, t, { exit = true, timeout = timeout })
        say(message)
      end
    ]]
    for _, line in ipairs(lines) do
      assert.matches("wait: timeout needs a number of seconds, 0 or more$", line)
    end
    assert.equal(2, #lines)
  end)
end)

describe("call:delay", function()
  it("keeps the call from the kernel", function()
    assert.same({ "true", "true" }, said([[
      on_syscall("write", function(_, call)
        local before = luatrace.now()
        call:delay(0.1)
        say(luatrace.now() - before >= 0.1)
        say(call:leave() == 3)
      end)
    ]], { "echo", "hi" }))
  end)

  it("lets the handler look at the call and change it afterwards", function()
    local result = T.ok(T.trace([[
      on_syscall("write", function(t, call)
        call:delay(0.02)
        say(call.args.buf, t.regs.rdx)
        if call.args.buf == "abc" then call.args[3] = 2 end
      end)
    ]], { "printf", "abc" }))
    assert.equal("ab", result.out:sub(1, 2))
    assert.matches("^abc\t3\n", result.said)
  end)

  it("blocks no other thread", function()
    assert.same({ "true" }, said([[
      local begin
      on_syscall("getppid", function(t, call)
        begin = begin or luatrace.now()
        call:delay(0.2)
      end)
      on_end(function() say(luatrace.now() - begin < 0.9) end)
    ]], { T.fixture("freeze"), "30", "1" }))
  end)

  it("ends when the thread is killed", function()
    assert.same({ "thread is gone", "killed by SIGKILL" }, said([[
      on_syscall("write", function(t, call)
        after(0.05, function() t.process:kill() end)
        local ok, problem = pcall(call.delay, call, 60)
        say((tostring(problem):gsub("%d+ ", "")))
      end)
      on_exit(function(_, status) say(status) os.exit(0) end)
    ]], { "echo", "hi" }))
  end)

  it("refuses a call that is under way or over", function()
    assert.same({ "call:delay: the call has been made already",
      "too late to delay this call: the thread runs on already" }, said([[
      local function message(...)
        local ok, text = pcall(...)
        return (text:gsub("^[^:]*:%d+: ", ""))
      end
      on_syscall("write", function(t, call)
        call:leave()
        say(message(call.delay, call, 1))
      end)
      on_syscall("clock_nanosleep", function(t, call)
        sleep(0.05)
        say(message(call.delay, call, 1))
      end)
    ]], { "sh", "-c", "echo; exec sleep 0.2" }))
  end)
end)

describe("t:hold and t:release", function()
  it("let a handler order two threads", function()
    local lines = said([[
      local first
      on_syscall("getppid", function(t, call)
        if first == nil then
          first = t
          t:hold()
          call:leave()
          say("first")
        elseif first then
          call:leave()
          say("second")
          say(first:release(), first:release())
          first = false
        end
      end)
    ]], { T.fixture("freeze"), "6", "1" })
    assert.same({ "second", "true\tfalse", "first" }, { lines[1], lines[2], lines[3] })
  end)

  it("hold it with its registers and memory in reach", function()
    assert.same({ "held", "abc" }, said([[
      on_syscall("write", function(t, call)
        t:hold()
        local addr = call.args[2]
        say("held")
        after(0.05, function()
          say(t.mem:read(addr, 3))
          t:release()
        end)
      end)
    ]], { "printf", "abc" }))
  end)

  it("refuse a running thread", function()
    local lines = said [[
      local p = spawn { "sleep", "0.2" }
      local t = p:threads()[1]
      sleep(0.05)
      local ok, message = pcall(t.hold, t)
      say((message:gsub("%d+ is", "N is")))
    ]]
    assert.matches("thread N is running; only a thread that stands still can be held$", lines[1])
  end)

  it("notice that a held thread is killed", function()
    assert.same({ "killed by SIGKILL", "false" }, said([[
      local held
      on_syscall("write", function(t)
        held = t
        t:hold()
        after(0.05, function() t.process:kill() end)
      end)
      on_exit(function(_, status)
        say(status)
        say(held:release())
        os.exit(0)
      end)
    ]], { "echo", "hi" }))
  end)
end)

-- Freezes the fixture some times, with a look at its shared words at both ends of a pause.
local FREEZE = [[
  local rounds, pause = ...
  local seen, frozen, addr = { calls = 0, forks = 0 }, false, nil
  on_syscall("getppid", function() seen.calls = seen.calls + 1 if frozen then say("call") end end)
  on_clone(function(_, child)
    if child.kind == "fork" then seen.forks = seen.forks + 1 end
    if frozen then say("clone") end
  end)
  on_syscall("write", function(_, call)
    addr = addr or tonumber(call.args.buf:match("^shared (%d+)"))
  end)
  on_syscall("getpgid", function(t)
    local p = t.process
    for i = 1, rounds do
      local before = luatrace.now()
      p:freeze(function()
        frozen = true
        if luatrace.now() - before > 0.5 then say("slow") end
        local laps = t.mem:read(addr, 520)
        sleep(pause)
        if t.mem:read(addr, 520) ~= laps then say("not still") end
        for _, other in ipairs(p:threads()) do
          if not pcall(function() return other.pc end) then say("runs") end
        end
        frozen = false
      end)
      sleep(0.002)
    end
    p:freeze(function() t.mem:u32(addr, 1) end)
  end)
  on_end(function() say("counts", seen.calls, seen.forks) end)
]]

local function freeze(name, threads, rounds)
  local code = ("local function script(...) %s end script(%d, 0.005)"):format(FREEZE, rounds)
  local result = T.ok(T.trace(code, { T.fixture(name), threads }, { timeout = 60 }))
  local made = T.counts(result.out:gsub("expect: ", ""))
  assert.same({ ("counts\t%d\t%d"):format(made.calls, made.forks) }, T.lines(result.said))
  assert.is_true(made.calls > 0)
end

describe("p:freeze", function()
  for _, name in ipairs { "freeze", "freeze-32" } do
    it("stops everything, and loses nothing: " .. name, function()
      if not T.exists(T.fixture(name)) then return end
      freeze(name, 8, T.scale(60))
      freeze(name, 32, T.scale(15))
    end)
  end

  it("returns what the function returns, and thaws after an error", function()
    assert.same({ "1\t2", "oops", "3", "true" }, said([[
      on_syscall("getppid", function(t, call)
        local p = t.process
        say(p:freeze(function(a, b) return a, b end, 1, 2))
        local ok, message = pcall(p.freeze, p, function() error("oops", 0) end)
        say(message)
        say(p:freeze(function() return 3 end))
        say(call:leave() ~= nil)
        os.exit(0)
      end)
    ]], { T.fixture("freeze"), "2", "1" }))
  end)

  it("thaws when the handler fails in it", function()
    local result = T.trace([[
      local count = 0
      on_syscall("getppid", function(t)
        count = count + 1
        if count == 1 then t.process:freeze(function() sleep(0.01) error("oops") end) end
      end)
      on_exit(function(_, status) say(status) end)
    ]], { T.fixture("freeze"), "4", "5" }, { words = { "--on-error=go" } })
    assert.matches("oops", result.err)
    assert.matches("exited with 0\n$", result.said)
  end)

  it("lets the thread of the event run when the function waits for its call", function()
    assert.same({ "true\ttrue" }, said([[
      on_syscall("getpgid", function(t, call)
        local value = t.process:freeze(function() return call:leave() end)
        say(value ~= nil, value == call.ret)
      end)
    ]], { T.fixture("freeze"), "4", "20" }))
  end)

  it("does not wait for a vfork parent", function()
    assert.same({ "true" }, said([[
      on_clone(function(t, child)
        if child.kind == "vfork" then
          after(0.1, function()
            local before = luatrace.now()
            t.process:freeze(function() say(luatrace.now() - before < 0.3) end)
          end)
        end
      end)
    ]], { T.fixture("vfork-hold"), "1", "600", "0" }))
  end)

  it("loses nothing when its threads make calls for the script", function()
    local result = T.ok(T.trace([[
      local calls, forks, addr = 0, 0, nil
      on_syscall("getppid", function() calls = calls + 1 end)
      on_clone(function(_, child) if child.kind == "fork" then forks = forks + 1 end end)
      on_syscall("write", function(_, call)
        addr = addr or tonumber(call.args.buf:match("^shared (%d+)"))
      end)
      on_syscall("getpgid", function(t)
        local p = t.process
        for _ = 1, 30 do
          p:freeze(function()
            for _, other in ipairs(p:threads()) do
              if other:syscall("gettid") ~= other.tid then say("wrong") end
            end
          end)
          sleep(0.002)
        end
        p:freeze(function() t.mem:u32(addr, 1) end)
      end)
      on_end(function() say("counts", calls, forks) end)
    ]], { T.fixture("freeze"), "8" }))
    local made = T.counts(result.out:gsub("expect: ", ""))
    assert.same({ ("counts\t%d\t%d"):format(made.calls, made.forks) }, T.lines(result.said))
  end)

  it("takes turns", function()
    assert.same({ "one", "one ends", "two" }, said [[
      local p = spawn { "sleep", "0.5" }
      after(0.02, function()
        p:freeze(function() say("one") sleep(0.1) say("one ends") end)
      end)
      after(0.05, function() p:freeze(function() say("two") end) end)
      run()
    ]])
  end)

  it("notices that the process is killed", function()
    assert.same({ "killed by SIGKILL", "frozen\tfalse" }, said([[
      on_exit(function(_, status) say(status) end)
      local p = spawn { "sleep", "10" }
      after(0.05, function() p:kill() end)
      p:freeze(function() sleep(0.3) say("frozen", p.alive) end)
      os.exit(0)
    ]]))
  end)

  it("can be left by detaching and by ending", function()
    assert.same({ "detached" }, said [[
      local p = spawn { "sleep", "0.2" }
      p:freeze(function() p:detach() sleep(0.05) end)
      say("detached")
    ]])
    assert.same({}, said([[
      local p = spawn { "sleep", "10" }
      p:freeze(function() os.exit(4) end)
    ]], nil, { code = 4 }))
  end)

  it("refuses misuse", function()
    assert.same({ "p:freeze needs a function", "frozen already, by this code" }, said [[
      local p = spawn { "sleep", "0.1" }
      local ok, message = pcall(p.freeze, p)
      say((message:gsub("^[^:]*:%d+: ", "")))
      p:freeze(function()
        ok, message = pcall(p.freeze, p, print)
        say((message:gsub("^.-is ", "")))
      end)
    ]])
  end)
end)

describe("programs that are attached to", function()
  it("are frozen and run on unharmed", function()
    local program = T.start { T.fixture("freeze"), "6", "300000" }
    T.wait_until("the threads", function() return program:out():find("shared") end)
    local addr = program:out():match("shared (%d+)")
    local result = T.ok(T.trace(([[
      local p = assert(attach(%d))
      for _ = 1, 20 do
        p:freeze(function()
          local t = p:threads()[1]
          local laps = t.mem:read(%s, 520)
          sleep(0.002)
          if laps ~= t.mem:read(%s, 520) then say("not still") end
        end)
      end
      p:freeze(function() p:threads()[1].mem:u32(%s, 1) end)
      p:detach()
    ]]):format(program.pid, addr, addr, addr)))
    assert.equal("", result.said)
    local ended = program:wait(20)
    assert.is_false(ended.timed_out)
    assert.equal(0, ended.code)
  end)
end)
