-- System calls: hard cases 60, 62, 65 to 68; arguments, results and how calls print.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

describe("entry and exit", function()
  it("hc60 are told apart however tracing comes and goes", function()
    local result = T.ok(T.trace([[
      local n, bad = 0, 0
      local handle
      local function other(t, call) end
      on_syscall("getppid", function(t, call)
        n = n + 1
        if n % 3 == 0 then
          if handle then handle:remove() handle = nil else handle = on_syscall(other) end
        end
        if n % 5 == 0 then
          if call.done then bad = bad + 1 end
          local value = call:leave()
          if not value or value <= 0 or not call.done then bad = bad + 1 end
        end
      end)
      on_end(function() say(n, bad) end)
    ]], { T.fixture("exact"), "4", "300", "5", "0", "0" }))
    assert.equal("1200\t0\n", result.said)
  end)

  it("hc60 are right when luatrace comes in the middle of a call", function()
    finally(T.cleanup)
    local fifo = T.temp()
    os.execute("mkfifo " .. fifo)
    local program = T.start("exec 3<>" .. fifo .. "; read x <&3; read y <&3; echo $x $y")
    T.wait_until("the read", function() return T.state(program.pid) == "S" end)
    T.sleep(0.1)
    local tracer = T.trace([[
      on_start(function() say("start") end)
      on_syscall("read", function(t, call)
        if call.args.fd ~= 0 then return end -- the shell makes it its 0
        local n = call:leave()
        if n then say(n, (call.args.buf:gsub("\n", "."))) end
      end)
      on_syscall("write", { fd = 1 }, function(t, call) say((call.args.buf:gsub("\n", "."))) end)
    ]], nil, { start = true, words = { "-p", program.pid } })
    T.wait_until("the attach", function() return tracer:said():find("start") end)
    T.sleep(0.2)
    local file = io.open(fifo, "w")
    file:write("ab\ncd\n")
    file:close()
    T.ok(tracer:wait())
    assert.equal("ab cd\n", program:wait().out)
    -- each byte once; the call in which luatrace came is restarted and seen, or over before
    local said = T.read(tracer.said_path):gsub("^start\n", ""):gsub("^1\ta\n", "")
    assert.equal("1\tb\n1\t.\n1\tc\n1\td\n1\t.\nab cd.\n", said)
  end)

  it("hc60 come in turns for every thread", function()
    local result = T.ok(T.trace([[
      local inside, bad = {}, 0
      on_stop(function(t, stop)
        if stop.kind == "syscall-entry" then
          if inside[t.tid] then bad = bad + 1 end
          inside[t.tid] = true
        elseif stop.kind == "syscall-exit" then
          if not inside[t.tid] then bad = bad + 1 end
          inside[t.tid] = nil
        end
      end)
      on_exec(function(t, former) inside[former] = nil inside[t.tid] = true end)
      on_syscall(function(t, call) call:leave() end)
      on_end(function() say(bad) end)
    ]], { T.fixture("exact"), "4", "100", "20", "10", "5" }))
    assert.equal("0\n", result.said)
  end)
end)

describe("arguments", function()
  it("hc62 that were changed are back after the call", function()
    for _, name in ipairs { "args-kept", "args-kept-32" } do
      if T.exists(T.fixture(name)) then
        local result = T.ok(T.trace([[
          local first = true
          on_syscall("write", function(t, call)
            if call.args.count ~= 5 or not first then return end
            first = false
            call.args.fd = 2
            call.args[3] = 3
            say(call.args[1], call.args.fd, call:leave())
          end)
        ]], { T.fixture(name) }))
        assert.equal("result 3, registers kept\n", result.out)
        assert.equal("AAA", result.err)
        assert.matches("3\n$", result.said)
      end
    end
  end)

  it("hc62 that were changed are back when nobody waits for the exit", function()
    local result = T.ok(T.trace([[
      on_syscall("write", function(t, call) if call.args.count == 5 then call.args.fd = 2 end end)
    ]], { T.fixture("args-kept") }))
    assert.equal("result 5, registers kept\n", result.out)
    assert.equal("AAAA\n", result.err)
  end)

  it("can be counted, walked and named in two ways", function()
    local result = T.ok(T.trace([[
      on_syscall("openat", { filename = "/nonexistent/file" }, function(t, call)
        local names = {}
        for name, value in pairs(call.args) do names[#names + 1] = name end
        say(#call.args, table.concat(names, " "))
        say(call.args.dfd, call.args.dirfd, call.args.flags, call.args[1], call.args.pathname)
        local fine, message = pcall(function() return call.args.filname end)
        say(fine, message:find("filname", 1, true) ~= nil, message:find("filename", 1, true) ~= nil)
        say((pcall(function() call.args.fd = 3 end)), (pcall(function() call.args[7] = 1 end)))
      end)
    ]], { T.fixture("calls") }))
    local lines = T.lines(result.said)
    assert.equal("4\tdfd filename flags mode", lines[1])
    assert.matches("^%-100\t%-100\t0\t%-?%d+\t/nonexistent/file$", lines[2])
    assert.equal("false\ttrue\ttrue", lines[3])
    assert.equal("false\tfalse", lines[4])
  end)

  it("cannot be changed after the call", function()
    local result = T.ok(T.trace([[
      on_syscall("dup2", function(t, call)
        call:leave()
        say((pcall(function() call.args[1] = 1 end)))
      end)
    ]], { T.fixture("calls") }))
    assert.equal("false\n", result.said)
  end)

  it("of bytes are exact", function()
    local result = T.ok(T.trace([[
      on_syscall("write", function(t, call)
        if call.args.count == 15 then say((call.args.buf:gsub("[^%w]", function(c)
          return ("\\%d"):format(c:byte())
        end))) end
      end)
    ]], { T.fixture("calls") }))
    assert.equal([[hello\9world\10\0\1\255]] .. "\n", result.said)
  end)
end)

describe("a call", function()
  it("prints as strace prints it", function()
    local result = T.ok(T.trace([[
      on_syscall({ "openat", "dup2", "lseek", "access", "getppid" }, function(t, call)
        local before = tostring(call)
        call:leave()
        say(before)
        say(call)
      end)
    ]], { T.fixture("calls") }))
    local said = result.said:gsub(" +=", " =")
    for _, line in ipairs {
      'openat(AT_FDCWD, "/nonexistent/file", O_RDONLY) = ?',
      'openat(AT_FDCWD, "/nonexistent/file", O_RDONLY) = -1 ENOENT (No such file or directory)',
      "77) = 77", "= -1 ESPIPE (Illegal seek)",
      [["/with \"quotes\" and \303\251", F_OK) = -1 ENOENT]],
    } do
      assert.is_truthy(said:find(line, 1, true), line .. " in\n" .. said)
    end
    assert.matches("getppid%(%) = %?\ngetppid%(%) = %d+\n", said)
  end)

  it("hc65 that the program's own filter kills is the last one", function()
    local result = T.trace([[
      on_syscall("getppid", function(t, call)
        say("entry")
        pcall(call.leave, call) -- there is an exit stop, but nothing after it
      end)
      on_syscall("exit_group", function() say("exit_group") end)
      on_exit(function(p, s) say(s.signal, s.code) end)
    ]], { T.fixture("seccomp-kill"), "kill" })
    assert.equal(31, result.signal)
    assert.equal("entry\nSIGSYS\tnil\n", result.said)
  end)

  it("hc65 that kills one thread leaves the others", function()
    local result = T.ok(T.trace([[
      on_syscall("getppid", function(t, call) say("entry") end)
      on_thread_exit(function(t, s) say(s.signal or s.code) end)
      on_exit(function(p, s) say("exit", s.code) end)
    ]], { T.fixture("seccomp-kill"), "thread" }), 5)
    assert.equal("survived\n", result.out)
    assert.matches("^entry\n%w+\n5\nexit\t5\n$", result.said)
  end)

  it("hc65 that the filter refuses or traps does as without luatrace", function()
    for how, code in pairs { errno = 0, trap = 4 } do
      local program = { T.fixture("seccomp-kill"), how }
      local plain = T.run(program)
      local result = T.trace([[
        on_syscall("getppid", function(t, call) say(select(3, call:leave())) end)
        on_signal("SIGSYS", function(t, sig) say(sig.name) end)
      ]], program)
      assert.equal(code, result.code)
      assert.equal(plain.out, result.out)
    end
  end)

  it("hc66 that a signal interrupts restarts or fails as without luatrace", function()
    local program = { T.fixture("restarts"), "120" }
    local plain = T.run(program)
    for _, script in ipairs {
      "on_syscall(function(t, call) call:leave() end)",
      "on_stop(function() end) on_signal(function() end)",
    } do
      T.equal_text(plain.out, T.ok(T.trace(script, program, { timeout = 40 })).out, script)
    end
  end)

  it("hc66 that is restarted says so", function()
    local result = T.ok(T.trace([[
      local seen = {}
      on_syscall({ "nanosleep", "restart_syscall", "clock_nanosleep" }, function(t, call)
        local value, message, code = call:leave()
        seen[call.name .. " " .. tostring(code or value)] = true
      end)
      on_end(function() for what in pairs(seen) do say(what) end end)
    ]], { "sh", "-c", "(sleep 0.1; kill -STOP $$; sleep 0.1; kill -CONT $$) & exec sleep 0.5" }))
    assert.matches("ERESTART_RESTARTBLOCK", result.said)
    assert.matches("restart_syscall 0\n", result.said)
  end)

  it("hc67 of rt_sigreturn brings back every register", function()
    for _, name in ipairs { "sigloop", "sigloop-32" } do
      if T.exists(T.fixture(name)) then
        local result = T.ok(T.trace([[
          local n, returns = 0, 0
          on_syscall(function(t, call)
            local entry = call.name
            if entry:find("sigreturn") then n = n + 1 end
            call:leave()
            if entry:find("sigreturn") then returns = returns + 1 end
          end)
          on_end(function() say("sigreturn", n) say("left", returns) end)
        ]], { T.fixture(name), T.scale(200) }))
        assert.matches("intact " .. T.scale(200) .. "\n", result.out)
        local got = T.counts(result.said)
        assert.equal(T.counts(result.out).returns, got.sigreturn)
        assert.equal(got.sigreturn, got.left)
      end
    end
  end)

  it("hc68 is named after the interface it was made through", function()
    local result = T.ok(T.trace([[
      local n = {}
      on_syscall(function(t, call)
        local key = call.abi .. " " .. call.name
        n[key] = (n[key] or 0) + 1
        if call.name == "getppid" then assert(call:leave() > 0) end
      end)
      on_end(function() for key, count in pairs(n) do say(key, count) end end)
    ]], { T.fixture("int80") }))
    assert.matches("right 20, x32 ", result.out)
    for _, want in ipairs { "i386 getppid\t10\n", "i386 getpid\t10\n", "x86_64 getppid\t10\n" } do
      assert.is_truthy(result.said:find(want, 1, true), want .. " in\n" .. result.said)
    end
    assert.not_matches("x86_64 umount2", result.said)
    assert.not_matches("x86_64 writev", result.said)
  end)

  it("hc68 is selected by name in both interfaces", function()
    local result = T.ok(T.trace([[
      local n = {}
      on_syscall("getpid", function(t, call) n[call.abi] = (n[call.abi] or 0) + 1 end)
      on_end(function() say(n.i386) end)
    ]], { T.fixture("int80") }))
    assert.equal("10\n", result.said)
  end)
end)
