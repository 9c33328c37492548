-- Attach: hard cases 5, 21 to 23 and 28 to 31, and that a program which was attached to goes on as
-- if nothing had been.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local start, attach, untouched = T.start_ready, T.attach, T.untouched

-- The bytes of the program's own text, from its memory and from its file.
local function text(pid)
  local path = T.run { "readlink", "/proc/" .. pid .. "/exe" }.out:gsub("\n$", "")
  for line in io.lines("/proc/" .. pid .. "/maps") do
    local from, to, offset, name = line:match("^(%x+)%-(%x+) r%-xp (%x+) %S+ %d+ +(.*)$")
    if name == path then
      local size = tonumber(to, 16) - tonumber(from, 16)
      local memory = assert(io.open("/proc/" .. pid .. "/mem", "rb"))
      memory:seek("set", tonumber(from, 16))
      local bytes = memory:read(size)
      memory:close()
      local file = assert(io.open(path, "rb"))
      file:seek("set", tonumber(offset, 16))
      local original = file:read(size) or ""
      file:close()
      return bytes, original .. ("\0"):rep(size - #original)
    end
  end
end

describe("attach", function()
  after_each(T.cleanup)

  it("to 50 threads for two seconds, then Ctrl-C, leaves no trace", function()
    local program = start("threads", "50")
    assert.equal(50, #T.tids(program.pid))
    local tracer = attach(program, [[
      local seen, n = {}, 0
      on_syscall("getppid", function(t, call)
        call:leave()
        if not seen[t.tid] then seen[t.tid] = true n = n + 1 end
      end)
      on_end(function() say("threads", n) end)
    ]])
    for _, tid in ipairs(T.tids(program.pid)) do
      assert.equal(tostring(tracer.pid), T.status(program.pid, "TracerPid", tid))
    end
    T.sleep(2)
    tracer:signal("INT")
    local result = T.ok(tracer:wait())
    assert.matches("threads\t50\n", result.said)
    untouched(program.pid)
    assert.equal(50, #T.tids(program.pid))
    local memory, file = text(program.pid)
    assert.is_true(memory == file and #memory > 0)
    assert.is_true(program:alive())
    program:signal("TERM")
    result = T.ok(program:wait())
    assert.equal("ready\nworked\n", result.out)
  end)

  it("by attach() in a script gives a process with all its threads", function()
    local program = start("threads", "10")
    local result = T.ok(T.trace(([[
      local p = assert(attach(%d))
      say(p.kind, p.pid, p.alive, #p:threads(), p.name)
      local n = 0
      for t, kind, call in p:events { syscall = "getppid" } do
        n = n + 1
        if n == 30 then break end
      end
      p:detach()
      say(n)
    ]]):format(program.pid)))
    assert.equal("attached\t" .. program.pid .. "\ttrue\t10\tthreads\n30\n", result.said)
    untouched(program.pid)
    program:signal("TERM")
    T.ok(program:wait())
  end)

  it("works again at once after detach", function()
    local program = start("threads", "10")
    local result = T.ok(T.trace(([[
      for i = 1, 20 do
        local p = assert(attach(%d))
        p:detach()
      end
      say("done")
    ]]):format(program.pid)))
    assert.equal("done\n", result.said)
    untouched(program.pid)
  end)

  it("to a process that then ends reports its end", function()
    local program = start("threads", "3")
    local tracer = attach(program, "on_exit(function(p, s) say(p.pid, s) end)")
    program:signal("TERM")
    local result = T.ok(tracer:wait())
    assert.equal("start\n" .. program.pid .. "\texited with 0\n", result.said)
    assert.equal("ready\nworked\n", T.ok(program:wait()).out)
  end)

  it("to several processes at once", function()
    local one, two = start("threads", "2"), start("threads", "3")
    local tracer = T.trace("on_start(function(p) say('start', p.pid) end) " ..
      "on_exit(function(p) say('exit', p.pid) end)", nil,
      { start = true, words = { "-p", one.pid, "-p", two.pid } })
    T.wait_until("both", function() return select(2, tracer:said():gsub("start", "")) == 2 end)
    one:signal("TERM")
    T.ok(one:wait())
    two:signal("TERM")
    T.ok(two:wait())
    local result = T.ok(tracer:wait())
    assert.matches("exit\t" .. one.pid .. "\nexit\t" .. two.pid .. "\n$", result.said)
  end)

  it("follows the children that come later", function()
    local program = T.start("trap 'kill $!; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    T.wait_until("ready", function() return program:out():find("ready") end)
    local tracer = attach(program, "on_exit(function(p, s) say('child', s.code) end)")
    T.wait_until("children", function() return tracer:said():find("child\t0") end)
    tracer:signal("INT")
    T.ok(tracer:wait())
    assert.is_true(program:alive())
    untouched(program.pid)
  end)

  it("ends with SIGTERM and SIGHUP in order, and by that signal", function()
    for name, number in pairs { TERM = 15, HUP = 1 } do
      local program = start("threads", "3")
      local tracer = attach(program, "on_end(function() say('end') end)")
      tracer:signal(name)
      local result = tracer:wait()
      assert.equal("start\nend\n", result.said)
      assert.equal(number, result.signal)
      untouched(program.pid)
      program:signal("TERM")
      T.ok(program:wait())
    end
  end)

  it("leaves the program alone when luatrace is killed", function()
    local program = start("threads", "10")
    local tracer = attach(program, "on_syscall(function(t, call) call:leave() end)")
    T.sleep(0.2)
    tracer:signal("KILL")
    tracer:wait()
    T.wait_until("no tracer", function() return T.status(program.pid, "TracerPid") == "0" end)
    T.sleep(0.1)
    untouched(program.pid)
    program:signal("TERM")
    assert.equal("ready\nworked\n", T.ok(program:wait()).out)
  end)

  it("hc5 whose leader has left already works through the others", function()
    local program = T.start { T.fixture("leader-exits"), "group", "1500" }
    T.wait_until("the leader's end", function() return T.state(program.pid) == "Z" end)
    local tracer = attach({ pid = program.pid }, [[
      local n = 0
      on_syscall("getppid", function(t, call)
        n = n + 1
        if n == 1 then say(#t.process:threads() >= 1, #t.mem:read(t.sp, 8)) end
      end)
      on_exit(function(p, s) say(p.pid, s.code == 3 or not s.known) end)
      on_end(function() say(n) end)
    ]])
    local result = T.ok(tracer:wait())
    assert.equal("start\ntrue\t8\n" .. program.pid .. "\ttrue\n10\n", result.said)
    assert.equal(3, program:wait().code)
  end)

  it("hc21 during execve by a thread never blocks", function()
    local program = start("exec-storm", "12")
    local rounds = 0
    for _ = 1, T.scale(20) do
      local tracer = T.trace("on_end(function() end)", nil,
        { start = true, words = { "-p", program.pid } })
      T.sleep(0.05 + math.random() * 0.1)
      tracer:signal("INT")
      local result = tracer:wait(5)
      assert.is_false(result.timed_out)
      rounds = rounds + ((result.code == 0 or result.code == 130) and 1 or 0)
      if result.code ~= 0 then -- killed before it was ready, or refused: in words
        assert.is_truthy(result.signal == 2 or result.code == 125, result.err)
      end
    end
    assert.is_true(rounds >= T.scale(20) / 2, rounds .. " of " .. T.scale(20))
    local result = T.ok(program:wait(15))
    assert.equal("ready\ndone\n", result.out)
  end)

  it("hc22 to a thread bomb misses no thread", function()
    for _ = 1, T.scale(5) do
      local program = start("thread-bomb", "2")
      local tracer = attach(program)
      for _ = 1, 5 do
        for _, tid in ipairs(T.tids(program.pid)) do
          local tracer_pid = T.status(program.pid, "TracerPid", tid)
          local state = T.state(program.pid, tid)
          if state and state ~= "X" and state ~= "Z" and tracer_pid then
            assert.equal(tostring(tracer.pid), tracer_pid)
          end
        end
      end
      tracer:signal("INT")
      T.ok(tracer:wait())
      untouched(program.pid)
      assert.equal("ready\ndone\n", T.ok(program:wait()).out)
    end
  end)

  it("hc23 to a stopped program leaves it stopped", function()
    local program = start("threads", "4")
    program:signal("STOP")
    T.wait_until("the stop", function() return T.state(program.pid) == "T" end)
    local tracer = attach(program, [[
      on_stop(function(t, stop) if stop.kind == "group-stop" then say(stop.kind) end end)
    ]])
    T.sleep(0.2)
    for _, tid in ipairs(T.tids(program.pid)) do
      assert.matches("[Tt]", T.state(program.pid, tid))
    end
    tracer:signal("INT")
    T.ok(tracer:wait())
    for _, tid in ipairs(T.tids(program.pid)) do
      assert.equal("T", T.state(program.pid, tid))
    end
    program:signal("CONT")
    program:signal("TERM")
    assert.equal("ready\nworked\n", T.ok(program:wait()).out)
  end)

  it("hc23 to a stopped program sees it continue", function()
    local program = start("threads", "2")
    program:signal("STOP")
    T.wait_until("the stop", function() return T.state(program.pid) == "T" end)
    local tracer = attach(program, "on_exit(function(p, s) say(s) end)")
    program:signal("CONT")
    program:signal("TERM")
    assert.matches("exited with 0", T.ok(tracer:wait()).said)
    assert.equal("ready\nworked\n", T.ok(program:wait()).out)
  end)
end)

describe("a refusal", function()
  after_each(T.cleanup)

  local function refused(pid, pattern, prefix)
    local bin = prefix and T.for_others(T.bin) or T.bin
    local words = { bin, "-e", "", "-p", pid }
    if prefix then
      table.move(words, 1, #words, #prefix + 1, words)
      table.move(prefix, 1, #prefix, 1, words)
    end
    local result = T.ok(T.sound(T.run(words)), 125)
    assert.equal(1, #T.lines(result.err), result.err)
    assert.matches(pattern, result.err)
  end

  local nobody = { "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups" }

  it("hc28 names another tracer", function()
    local program = start("threads", "2")
    local tracer = attach(program)
    refused(program.pid, "traced")
    refused(program.pid, tostring(tracer.pid))
  end)

  it("hc28 names another user", function()
    if not T.root then
      return pending("needs root")
    end
    local program = start("threads", "2")
    refused(program.pid, "user", nobody)
    refused(program.pid, "root", nobody)
  end)

  it("hc28 names a program that is not dumpable", function()
    if not T.root then
      return pending("needs root")
    end
    local program = T.start { nobody[1], nobody[2], nobody[3], nobody[4],
                              T.for_others(T.fixture("not-dumpable")) }
    T.wait_until("ready", function() return program:out():find("ready") end)
    refused(program.pid, "dumpable", nobody)
  end)

  it("hc28 names Yama", function()
    local scope = T.read("/proc/sys/kernel/yama/ptrace_scope")
    if not scope or tonumber(scope) == 0 or not T.root then
      return pending("Yama is not active")
    end
    local program = T.start { nobody[1], nobody[2], nobody[3], nobody[4],
                              T.for_others(T.fixture("threads")) }
    T.wait_until("ready", function() return program:out():find("ready") end)
    refused(program.pid, "ptrace_scope", nobody)
  end)

  it("hc28 names a kernel thread, and a process that is not there", function()
    if T.root and T.exists("/proc/2") and (T.status(2, "Kthread") == "1") then
      refused(2, "kernel")
    end
    refused(4194304 - 1, "no process")
  end)

  it("comes as a triple in a script", function()
    local result = T.ok(T.trace([[
      local p, message, code = attach(4194303)
      say(p, message:find("^ESRCH") ~= nil, code)
    ]]))
    assert.equal("nil\ttrue\tESRCH\n", result.said)
  end)

  it("hc30 of itself and its ancestors", function()
    local result = T.ok(T.sound(T.run("exec " .. T.bin .. " -e '' -p $$")), 125)
    assert.matches("this tracer", result.err)
    result = T.sound(T.run(T.bin .. " -e '' -p $$; echo $?"))
    assert.equal("125\n", result.out)
    assert.matches("ancestor", result.err)
    result = T.sound(T.run("sh -c '" .. T.bin .. " -e \"\" -p '$$; :"))
    assert.matches("ancestor", result.err)
  end)

  it("hc30 of its own tracer", function()
    local path = T.temp()
    local a = T.trace(([[
      on_start(function() say("start") end)
      on_signal("SIGUSR1", function(t, sig)
        sig:suppress()
        local file = io.open(%q)
        local p, message, code = attach(file:read("n"))
        file:close()
        say(p, message, code)
        os.exit(3)
      end)
    ]]):format(path), { "sleep", "100" }, { start = true, env = T.without_leak_check })
    T.wait_until("A", function() return a:said():find("start") end)
    local b = attach(a)
    T.file(tostring(b.pid), path:match("[^/]+$"))
    local sleeper = T.run("cat /proc/" .. a.pid .. "/task/*/children").out:match("%d+")
    os.execute("kill -USR1 " .. sleeper)
    local result = a:wait(5)
    assert.is_false(result.timed_out)
    assert.equal(3, result.code)
    assert.matches("nil\t.*traces.*\tEINVAL", result.said)
    b:wait(5)
  end)

  it("hc29 is reported when a set-uid program runs unprivileged", function()
    if not T.root then
      return pending("needs root")
    end
    local copy = T.dir() .. "/suid"
    T.ok(T.run("chmod 755 " .. T.dir() .. "; cp " .. T.fixture("effective-uid") .. " " .. copy ..
      " && chmod 4755 " .. copy))
    if T.run({ nobody[1], nobody[2], nobody[3], nobody[4], copy }).code ~= 10 then
      return pending("set-uid programs do not work here")
    end
    local words = { nobody[1], nobody[2], nobody[3], nobody[4], T.for_others(T.bin), "-e", "",
                    "--" }
    words[#words + 1] = copy
    local direct = T.ok(T.sound(T.run(words)), 20)
    assert.matches("set%-uid", direct.err)
    words[#words] = "sh"
    words[#words + 1] = "-c"
    words[#words + 1] = copy .. "; exit $?"
    local indirect = T.ok(T.sound(T.run(words)), 20)
    assert.matches("set%-uid", indirect.err)
  end)

  it("hc29 comes in words for memory that has closed", function()
    if not T.root then
      return pending("needs root")
    end
    local script = T.file([[
      local said
      on_syscall("getppid", function(t, call)
        if said then return end
        said = true
        local bytes, message, code = t.mem:read(t.sp, 8)
        print(bytes and #bytes or message, code, t.regs.rip ~= 0)
        print(tostring(call))
      end)
    ]], "dumpable.lua")
    os.execute("chmod 755 " .. T.dir() .. "; chmod 644 " .. script)
    local result = T.ok(T.sound(T.run { nobody[1], nobody[2], nobody[3], nobody[4],
                                        T.for_others(T.bin), script, "--",
                                        T.for_others(T.fixture("not-dumpable")), "5" }))
    assert.matches("ready\n", result.out)
    assert.is_truthy(result.out:find("8\tnil\ttrue") or result.out:find("EPERM[^\n]*\tEPERM\ttrue"),
      result.out)
    assert.matches("getppid%(%)", result.out)
    assert.matches("done\n", result.out)
  end)
end)

describe("a script's own children", function()
  it("hc31 keep their status: io.popen and os.execute", function()
    local result = T.ok(T.trace([[
      on_syscall("getppid", function(t, call)
        local pipe = io.popen("echo hi; exit 3")
        say(pipe:read("a"))
        say(pipe:close())
        say(os.execute("exit 4"))
        pipe = io.popen("cat >/dev/null; kill -9 $$", "w")
        pipe:write("x")
        call:leave()
        say(pipe:close())
      end)
      on_end(function()
        local pipe = io.popen("sleep 0.1; exit 5")
        say(pipe:close())
      end)
    ]], { T.fixture("calls") }))
    local once = "hi\n\nnil\texit\t3\nnil\texit\t4\nnil\tsignal\t9\n"
    assert.equal(once:rep(3) .. "nil\texit\t5\n", result.said)
  end)

  it("hc31 that end while the program runs are kept for close", function()
    local result = T.ok(T.trace([[
      local pipe
      on_start(function() pipe = io.popen("exit 7") end)
      on_exit(function() say(pipe:close()) end)
    ]], { "sleep", "0.3" }))
    assert.equal("nil\texit\t7\n", result.said)
  end)
end)
