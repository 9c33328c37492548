-- Handlers are coroutines: call:leave(), t:wait(), waiting in a script's own coroutines, waiting
-- where it is impossible, and threads that die while somebody waits.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local calls = { T.fixture("calls") }

local function said(code, program, options)
  return T.lines(T.ok(T.trace(code, program or calls, options), options and options.code).said)
end

describe("leave", function()
  it("returns the value", function()
    local lines = said([[
      on_syscall("dup2", function(t, call)
        say(call.done, call.ret)
        local value = call:leave()
        say(value, call.ret, call.done, call.name)
      end)
    ]])
    assert.same({ "false\tnil", "77\t77\ttrue\tdup2" }, lines)
  end)

  it("returns nil, a message and the error's name", function()
    local lines = said([[
      on_syscall("openat", { filename = "/nonexistent/file" }, function(t, call)
        say(call:leave())
        say(call.ret)
      end)
    ]])
    assert.same({ "nil\tENOENT: No such file or directory\tENOENT", "-2" }, lines)
  end)

  it("keeps string arguments for afterwards", function()
    local lines = said([[
      on_syscall("openat", function(t, call)
        call:leave()
        if call.args.filename:find("^/dev") then say(call.args.filename, call.args.pathname) end
      end)
    ]])
    assert.same({ "/dev/zero\t/dev/zero" }, lines)
  end)

  it("gives buffers that the call fills", function()
    local lines = said([[
      on_syscall("read", function(t, call)
        local n = call:leave()
        if n == 15 then say((call.args.buf:gsub("[^%g ]", "."))) end
      end)
    ]])
    assert.same({ "hello.world...." }, lines)
  end)

  it("can be called once more after the exit", function()
    local lines = said([[
      local first = true
      on_syscall("getppid", function(t, call)
        local a, b = call:leave(), call:leave()
        if first then say(a == b, a > 0) end
        first = false
      end)
    ]])
    assert.same({ "true\ttrue" }, lines)
  end)

  it("of one thread leaves the others running", function()
    local lines = said([[
      local waiting, others = 0, 0 -- shells that wait for a child
      on_syscall({ "wait4", "waitid" }, function(t, call)
        waiting = waiting + 1
        local pid = call:leave()
        waiting = waiting - 1
        say("left", pid ~= nil)
      end)
      on_syscall("getppid", function(t, call)
        if waiting > 0 and t.name == "calls" then others = others + 1 end
      end)
      on_end(function() say(others) end)
    ]], { "sh", "-c", "(sleep 0.3; " .. T.fixture("calls") .. "; :); :" })
    assert.same({ "left\ttrue", "3" }, { lines[1], lines[#lines] })
  end)

  it("sees what the call returned to several handlers alike", function()
    local lines = said([[
      for i = 1, 2 do
        on_syscall("dup2", function(t, call) say(i, (call:leave())) end)
      end
    ]])
    assert.same({ "2\t77", "1\t77" }, lines)
  end)

  it("of a call that never returns ends the handler silently", function()
    local result = T.ok(T.trace([[
      on_syscall("exit_group", function(t, call)
        say("enter")
        call:leave()
        say("never")
      end)
    ]], calls))
    assert.equal("enter\n", result.said)
    assert.equal("", result.err)
  end)

  it("hc8 raises gone too where the thread was killed at the very entry", function()
    local result = T.trace([[
      on_syscall("getppid", function(t, call)
        os.execute("kill -9 " .. t.pid .. "; sleep 0.05")
        local _, problem = pcall(function() return t.regs.rax end)
        say(luatrace.is_gone(problem))
        _, problem = pcall(call.leave, call)
        say(luatrace.is_gone(problem))
        call:leave() -- uncaught, it ends the handler and nothing else
        say("not reached")
      end)
    ]], { T.fixture("calls") })
    assert.equal(9, result.signal)
    assert.equal("true\ntrue\n", result.said)
    assert.equal("", result.err)
  end)

  it("raises gone where it is caught", function()
    local lines = said([[
      on_syscall("exit_group", function(t, call)
        local fine, gone = pcall(call.leave, call)
        say(fine, luatrace.is_gone(gone), gone.tid == t.tid, tostring(gone) ==
          "thread " .. t.tid .. " is gone", t.alive)
      end)
    ]])
    assert.same({ "false\ttrue\ttrue\ttrue\tfalse" }, lines)
  end)

  it("works through a script's own coroutine", function()
    local lines = said([[
      on_syscall("dup2", function(t, call)
        local co = coroutine.wrap(function(x)
          local y = coroutine.yield(x + 1)
          coroutine.yield(call:leave())
          return y
        end)
        say(co(1))
        say(co(5))
        say(co())
      end)
    ]])
    assert.same({ "2", "77", "5" }, lines)
  end)

  it("works through nested coroutines and pcall", function()
    local lines = said([[
      on_syscall("dup2", function(t, call)
        local outer = coroutine.create(function()
          local inner = coroutine.wrap(function() return pcall(call.leave, call) end)
          return inner()
        end)
        say(coroutine.resume(outer))
        say(coroutine.status(outer))
      end)
    ]])
    assert.same({ "true\ttrue\t77", "dead" }, lines)
  end)

  it("is impossible inside table.sort, and says so", function()
    local result = T.trace([[
      on_syscall("dup2", function(t, call)
        table.sort({ 3, 2, 1 }, function(a, b) call:leave() return a < b end)
      end)
    ]], calls)
    T.ok(result, 125)
    assert.matches("cannot wait inside table%.sort", result.err)
  end)

  it("is impossible inside string.gsub, and says so", function()
    local result = T.trace([[
      on_syscall("dup2", function(t, call)
        ("x"):gsub("x", function() call:leave() end)
      end)
    ]], calls)
    T.ok(result, 125)
    assert.matches("cannot wait inside string%.gsub", result.err)
  end)
end)

describe("a call kept too long", function()
  it("raises, but the thread still answers", function()
    local lines = said([[
      local kept, thread
      on_syscall("dup2", function(t, call) kept, thread = call, t end)
      on_syscall("getppid", function(t, call)
        if not kept then return end
        local fine, message = pcall(function() return kept.args[1] end)
        say(fine, (message:gsub("^.-: ", "")))
        say((select(2, pcall(kept.leave, kept)):gsub("^.-: ", "")))
        kept = nil
      end)
      on_end(function() say(thread.alive, thread.tid > 0, thread.pid > 0) end)
    ]])
    assert.same({ "false\tthis call is over", "this call is over", "false\ttrue\ttrue" }, lines)
  end)

  it("raises on every use", function()
    local lines = said([[
      local kept
      on_syscall("dup2", function(t, call) kept = call end)
      on_end(function()
        local uses = {
          function() return kept.args.oldfd end,
          function() kept.args[1] = 1 end,
          function() return tostring(kept.args) .. #kept.args end,
        }
        for _, use in ipairs(uses) do
          local fine, message = pcall(use)
          message = tostring(message)
          say(fine, message:find("this call is over") ~= nil or message:find("is gone") ~= nil)
        end
      end)
    ]])
    assert.same({ "false\ttrue", "false\ttrue", "false\ttrue" }, lines)
  end)
end)

describe("t:wait", function()
  it("returns the kind and what the hook would get", function()
    local lines = said([[
      on_start(function(p)
        local t = p:threads()[1]
        local kind, call = t:wait { syscall = "dup2" }
        say(kind, call.name, call.args.newfd)
        kind, call = t:wait { syscall = "getppid" }
        say(kind, call.name)
        local _, status = t:wait { thread_exit = true }
        say(status.code)
      end)
    ]])
    assert.same({ "syscall\tdup2\t77", "syscall\tgetppid", "0" }, lines)
  end)

  it("takes signals", function()
    local lines = said([[
      on_start(function(p)
        local kind, sig = p:threads()[1]:wait { signal = "SIGUSR1" }
        say(kind, sig.name)
      end)
    ]], { "sh", "-c", "trap : USR1; kill -USR1 $$" })
    assert.same({ "signal\tSIGUSR1" }, lines)
  end)

  it("raises gone when the thread dies first", function()
    local lines = said([[
      on_start(function(p)
        local t = p:threads()[1]
        local fine, e = pcall(t.wait, t, { signal = "SIGUSR2" })
        say(fine, luatrace.is_gone(e))
      end)
    ]])
    assert.same({ "false\ttrue" }, lines)
  end)

  it("refuses unknown keys", function()
    local result = T.ok(T.trace([[
      on_start(function(p) p:threads()[1]:wait { sycall = "read" } end)
    ]], calls), 125)
    assert.matches("sycall", result.err)
  end)
end)

describe("a straight-line script", function()
  it("spawns, loops over events and ends", function()
    local lines = said(([[
      local p = assert(spawn { %q })
      say(p.alive, p.kind)
      local n = 0
      for t, kind, what in p:events { syscall = "getppid", exit = true } do
        if kind == "syscall" then n = n + 1 else say(kind, what.code) end
      end
      say(n)
    ]]):format(calls[1]), {}, {})
    assert.same({ "true\tlaunched", "exit\t0", "3" }, lines)
  end)

  it("reads registers and memory in the loop's body", function()
    local lines = said(([[
      local p = assert(spawn { %q })
      for t, kind, call in p:events { syscall = "write" } do
        if call.args.fd == 1 then
          say(t.mem:read(call.args[2], 4), t.pc > 0, call:leave())
        end
      end
    ]]):format(calls[1]), {})
    assert.same({ "done\ttrue\t5" }, lines)
  end)

  it("queues what comes while the body waits", function()
    local lines = said(([[
      local p = assert(spawn { %q, "4", "50", "0", "0", "0" })
      local n = 0
      for t, kind, call in p:events { syscall = "getppid" } do
        n = n + 1
        call:leave()
      end
      say(n)
    ]]):format(T.fixture("exact")), {})
    assert.same({ "200" }, lines)
  end)

  it("sees every process through luatrace.events", function()
    local lines = said(([[
      assert(spawn { %q })
      local codes = {}
      for p, kind, status in luatrace.events { exit = true } do
        codes[#codes + 1] = status.code
      end
      say(table.concat(codes, " "))
    ]]):format(T.fixture("families")), {})
    assert.same({ "1 2 3 0" }, lines)
  end)

  it("returns the error triple for a program that is not there", function()
    local lines = said([[
      local p, message, code = spawn { "/nonexistent/program" }
      say(p, message:find("ENOENT", 1, true) ~= nil, code)
    ]], {})
    assert.same({ "nil\ttrue\tENOENT" }, lines)
  end)

  it("runs the command line's program with run()", function()
    local lines = said([[
      local n = 0
      on_syscall("getppid", function() n = n + 1 end)
      run()
      say(n)
    ]])
    assert.same({ "3" }, lines)
  end)

  it("passes environment and directory", function()
    local result = T.ok(T.trace([[
      local p = assert(spawn { "sh", "-c", "echo $MINE; pwd; echo $HOME",
        env = { MINE = "yes", PATH = os.getenv("PATH") }, cwd = "/usr" })
      run()
    ]]))
    assert.equal("yes\n/usr\n\n", result.out)
  end)

  it("uses access to a running thread as a mistake, and says so", function()
    local lines = said(([[
      local p = assert(spawn { %q, "2", "1000", "0", "0", "0" })
      local other
      on_clone(function(t, child) other = child end)
      on_syscall("getppid", function(t, call)
        if other and t.tid ~= other.tid then
          local fine, message = pcall(function() return t.process and other.regs.rip end)
          if not fine then
            say((message:gsub("^.-: ", ""):gsub("%%d+", "N")))
            os.exit(0)
          end
        end
      end)
      run()
      say("thread N is running; only a stopped thread's registers and memory can be used")
    ]]):format(T.fixture("exact")), {})
    assert.equal("thread N is running; only a stopped thread's registers and memory can be used",
      lines[1])
  end)
end)

describe("the dead", function()
  it("answer who they were, and nothing else", function()
    local lines = said([[
      local p, t
      on_start(function(process) p, t = process, process:threads()[1] end)
      on_end(function()
        say(p.pid > 0, p.alive, t.tid == p.pid, t.alive)
        local fine, message = pcall(function() return p:threads() end)
        say(fine, tostring(message):find("process " .. p.pid .. " is gone", 1, true) ~= nil)
        fine, message = pcall(function() return t.pc end)
        say(fine, tostring(message):find("thread " .. t.tid .. " is gone", 1, true) ~= nil)
      end)
    ]])
    assert.same({ "true\tfalse\ttrue\tfalse", "false\ttrue", "false\ttrue" }, lines)
  end)
end)
