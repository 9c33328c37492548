-- What threads do on a script's behalf: system calls, functions, machine code, shared objects. The
-- program must find itself as it was.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- Both builds of a fixture.
local function builds(name)
  local list = { T.fixture(name) }
  if T.exists(T.fixture(name .. "-32")) then list[2] = T.fixture(name .. "-32") end
  return list
end

local ONE_CALL = { "1", "1", "0", "0", "0" } -- for the fixture "exact": one getppid call

-- Run `code` as the body of a handler at the first getppid call of the fixture.
local function at_getppid(fixture, code)
  return T.ok(T.trace(([[
    local over
    on_syscall("getppid", function(t, call)
      if over then return end
      over = true
      local p = t.process
      %s
    end)
  ]]):format(code), { fixture, table.unpack(ONE_CALL) })).said
end

local CLOBBER = [[
  local clobber = "\xdb\xe3\xf8\xfd\xfc" -- fninit clc std cld
  for i = 0, 7 do clobber = clobber .. "\x66\x0f\xef" .. string.char(0xc0 + i * 9) end
  clobber = clobber .. "\x31\xc0\x31\xc9\x31\xd2"
  local function work(t)
    assert(t:inject(clobber) == 0)
    assert(t:call("snprintf", 0, 0, "%f %s", 1.5, "x", { returns = "int" }) == 10)
    assert(t:syscall("getpid") == t.pid)
    local addr = assert(t:alloc("some text"))
    assert(t.mem:str(addr) == "some text" and t:free(addr))
  end
]]

describe("system calls of a stopped thread", function()
  after_each(T.cleanup)

  it("return as leave() does", function()
    for _, fixture in ipairs(builds("exact")) do
      assert.equal("true\nnil\tENOENT\nEBADF\n", at_getppid(fixture, [[
        say(t:syscall("getpid") == t.pid)
        local value, message, code = t:syscall("openat", -100, "/nonexistent/file", 0)
        say(value, code)
        say((select(3, t:syscall("close", 12345))))
      ]]))
    end
  end)

  it("leave the call that they are made in alone", function()
    for _, fixture in ipairs(builds("exact")) do
      local said = at_getppid(fixture, [[
        t:syscall("getpid")
        say(tostring(call))
        local before = call:leave()
        t:syscall("getpid")
        say(call.ret == before, call.ret == p.ppid, call.name)
      ]])
      assert.equal("getppid() = ?\ntrue\ttrue\tgetppid\n", said)
    end
  end)

  it("work in every kind of handler", function()
    local result = T.ok(T.trace([[
      local seen = {}
      local function try(name)
        return function(t)
          for _ = 1, 3 do
            seen[name] = t:syscall("getpid") == t.pid and t:inject("\x31\xc0") == 0
          end
        end
      end
      on_start(function(p) try "start" (p:threads()[1]) end)
      on_clone(try "clone") on_exec(try "exec")
      on_signal("SIGUSR1", try "signal") on_syscall("getppid", try "syscall")
      on_stop({ "birth" }, try "birth")
      on_end(function()
        for _, name in ipairs { "start", "clone", "exec", "signal", "syscall", "birth" } do
          say(name, seen[name])
        end
      end)
    ]], { T.fixture("exact"), "2", "5", "2", "1", "1" }))
    assert.equal("start\ttrue\nclone\ttrue\nexec\ttrue\nsignal\ttrue\nsyscall\ttrue\nbirth\ttrue\n",
      result.said)
  end)

  it("are made one after the other where several handlers want them", function()
    local result = T.ok(T.trace([[
      local order = {}
      for i = 1, 3 do
        on_syscall("getppid", function(t, call)
          for _ = 1, 5 do assert(t:syscall("getpid") == t.pid) end
          say(i, call.name)
          call:leave()
          assert(t:syscall("gettid") == t.tid)
        end)
      end
    ]], { T.fixture("exact"), table.unpack(ONE_CALL) }))
    assert.equal("1\tgetppid\n2\tgetppid\n3\tgetppid\n", result.said)
  end)

  it("are refused in words where they cannot be made", function()
    local result = T.ok(T.trace([[
      local function tell(...)
        say((tostring((select(2, ...))):gsub("^.-:%d+: ", ""):gsub("%d+", "N")))
      end
      on_start(function(p)
        local t = p:threads()[1]
        tell(t:syscall("execve", "/bin/true", 0, 0))
        tell(t:syscall("fork"))
        tell(pcall(t.syscall, t, "getpit"))
        tell(pcall(t.syscall, t, "getpid", {}))
        tell(pcall(t.syscall, t, "getpid", 1, 2, 3, 4, 5, 6, 7))
        tell(pcall(t.mmap, t, { size = 1 }))
        tell(pcall(t.mmap, t, { length = 1, prot = "rq" }))
        tell(pcall(t.free, t, 16))
        tell(pcall(table.sort, { 1, 2 }, function() t:syscall("getpid") end))
      end)
      on_stop({ "exiting" }, function(t) tell(t:syscall("getpid")) end)
      on_thread_exit(function(t) tell(pcall(t.syscall, t, "getpid")) end)
    ]], { "/bin/true" }))
    assert.equal([[
EINVAL: execve cannot be made on a program's behalf
EINVAL: fork cannot be made on a program's behalf
there is no system call 'getpit' in xN_N; did you mean 'getpid'?
getpid: argument N is an integer or a string, not a table
getpid: a system call has at most N arguments
t:mmap: there is no field 'size'; there are length, prot, flags, addr, fd, offset
t:mmap: prot is a number or some of the letters rwx, not 'rq'
t:free: NxN did not come from t:alloc in this process
cannot wait inside table.sort
ESRCH: thread N is exiting: it cannot make a call for us
thread N is gone
]], result.said)
  end)

  it("map and unmap memory", function()
    for _, fixture in ipairs(builds("exact")) do
      local said = at_getppid(fixture, [[
        local addr = assert(t:mmap { length = 8192, prot = "rw" })
        say(t.mem:write(addr + 4096, "x"), t.mem:read(addr, 1) == "\0")
        local fd = t:syscall("openat", -100, "/proc/self/maps", 0)
        say(select(3, t:mmap { length = 10, prot = "r", fd = fd, flags = "private" }))
        say(select(3, t:mmap { length = 4096, addr = addr }))
        say(t:munmap(addr, 8192), (t.mem:read(addr, 1)))
        say(t:mmap { length = 4096, addr = addr } == addr, t:munmap(addr, 4096))
      ]])
      assert.equal("1\ttrue\nENODEV\nEEXIST\ntrue\tnil\ntrue\ttrue\n", said)
    end
  end)
end)

describe("functions of the program", function()
  after_each(T.cleanup)

  it("get arguments and return results", function()
    for _, fixture in ipairs(builds("exact")) do
      local said = at_getppid(fixture, [[
        say(t:call("strlen", "hello"), t:call("toupper", 97, { returns = "int" }))
        say(t:call("strtod", "2.5", 0, { returns = "double" }))
        say(t:call("ldexp", 1.5, 3, { returns = "double" }))
        say(t:call("ldexp", { double = 2 }, 3, { returns = "double" }))
        say(t:call("atoi", "-7", { returns = "int" }), t:call("atoll", "-7", { returns = "int64" }))
        local room = t:alloc(300)
        local format = "%d %s %.2f %d %lld %d" .. (" %.1f"):rep(9) .. " %d"
        local n = t:call("snprintf", room, 300, format, 1, "two", 3.25, 4, { int64 = -5000000000 },
          6, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, -10, { returns = "int" })
        say(n, t.mem:str(room))
        say(t:call(p:symbol("getpid")) == t.pid, t:call("libc.so.6:getpid") == t.pid)
      ]])
      assert.equal("5\t65\n2.5\n12\n16\n-7\t-7\n66\t1 two 3.25 4 -5000000000 6 " ..
        "1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5 -10\ntrue\ttrue\n", T.whole(said))
    end
  end)

  it("leave registers, memory and signals as they were", function()
    for _, fixture in ipairs(builds("bit-exact")) do
      local result = T.ok(T.trace(CLOBBER .. [[
        local n = 0
        on_syscall("getppid", function(t, call)
          work(t)
          call:leave()
          work(t)
          n = n + 1
        end)
        on_signal("SIGUSR1", function(t, sig)
          work(t)
          assert(sig.pid == t.pid)
          n = n + 1
        end)
        on_exit(function() say(n) end)
      ]], { fixture, "20", "100" }))
      assert.equal("same for 20 rounds\n", result.out)
      assert.equal("40\n", result.said)
    end
  end)

  it("run in a program that was attached to, which finds nothing changed", function()
    for _, fixture in ipairs(builds("bit-exact")) do
      local program = T.start { fixture, "300", "10000000" }
      T.wait_until("it runs", function()
        return (T.status(program.pid, "Name") or ""):find("bit-exact", 1, true)
      end)
      T.sleep(0.05)
      local before = T.read("/proc/" .. program.pid .. "/maps")
      for _ = 1, 5 do
        T.ok(T.trace(CLOBBER .. [[
          on_start(function(p)
            work(p:threads()[1])
            p:detach()
          end)
        ]], nil, { words = { "-p", tostring(program.pid) } }))
      end
      -- The C library may have got itself more heap for the functions; nothing else is new.
      local after = T.read("/proc/" .. program.pid .. "/maps")
      local function shape(maps)
        return (maps:gsub("[^\n]*%[heap%]\n", ""):gsub("[^\n]*%[stack%]\n", ""))
      end
      assert.equal(shape(before), shape(after))
      local result = program:wait(60)
      assert.equal("same for 300 rounds\n", result.out)
    end
  end)

  it("are given up when luatrace has to go", function()
    for _, fixture in ipairs(builds("bit-exact")) do
      for _, what in ipairs { 't:call("sleep", 1000)', 't:inject("\\xeb\\xfe")' } do
        local program = T.start { fixture, "100", "10000000" }
        local tracer = T.trace(([[
          on_syscall("getppid", function(t)
            say("in it")
            %s
          end)
        ]]):format(what), nil, { start = true, words = { "-p", tostring(program.pid) } })
        T.wait_until("it is in the function", function() return tracer:said() ~= "" end)
        T.sleep(0.05)
        tracer:signal("TERM")
        tracer:wait()
        assert.is_nil(T.read("/proc/" .. program.pid .. "/maps"):find("rwxp", 1, true))
        assert.equal("same for 100 rounds\n", program:wait(60).out)
      end
    end
  end)

  it("have stops that handlers see, at which more can be done", function()
    for _, fixture in ipairs(builds("exact")) do
      local result = T.ok(T.trace([[
        local depth = 0
        on_syscall("getppid", function(t, call)
          depth = depth + 1
          local own = depth
          if depth < 4 then
            say("down", own, t:call("getppid") == t.process.ppid, tostring(call))
          end
          say("up", own, call:leave() == t.process.ppid, t:syscall("getpid") == t.pid)
        end)
        on_signal("SIGUSR2", function(t, sig)
          say(sig.name, t:call("getpid") == t.pid)
          sig:suppress()
        end)
        local raised
        on_syscall("getppid", function(t)
          if raised then return end
          raised = true
          say("raise", t:call("raise", 12))
        end)
      ]], { fixture, table.unpack(ONE_CALL) }))
      local said = result.said
      assert.truthy(said:find("SIGUSR2\ttrue\nraise\t0\n", 1, true))
      said = said:gsub("SIGUSR2\ttrue\nraise\t0\n", "")
      assert.equal([[
up	4	true	true
down	3	true	getppid() = ?
up	3	true	true
down	2	true	getppid() = ?
up	2	true	true
down	1	true	getppid() = ?
up	1	true	true
]], said)
    end
  end)

  it("that crash are undone and reported", function()
    for _, fixture in ipairs(builds("bit-exact")) do
      local result = T.ok(T.trace([[
        on_syscall("getppid", function(t)
          local _, message, code = t:call(16)
          say(message, code)
          say(select(3, t:inject("\x0f\x0b")))
          say(select(3, t:call("abort")))
        end)
      ]], { fixture, "1" }))
      assert.equal("SIGSEGV at 0x10 in the function\tSIGSEGV\nSIGILL\nSIGABRT\n", result.said)
      assert.equal("same for 1 rounds\n", result.out)
    end
  end)

  it("may be repaired by a handler", function()
    assert.equal("SIGSEGV\n42\n", at_getppid(T.fixture("exact"), [[
      local handle = on_signal("SIGSEGV", function(_, sig)
        say(sig.name)
        t.regs.rax = t:alloc("\42")
        sig:suppress()
      end)
      say(t:inject("\x31\xc0\x0f\xb6\x00")) -- xor eax, eax; movzx eax, byte [rax]
      handle:remove()
    ]]))
  end)

  it("can be called whatever the program does with SIGSEGV", function()
    local source = T.file([[
      #include <signal.h>
      #include <stdio.h>
      #include <unistd.h>
      int main(int argc, char **argv) {
        sigset_t set, now;
        struct sigaction action;
        sigfillset(&set);
        if (argc > 1) sigprocmask(SIG_BLOCK, &set, NULL);
        if (argc > 2) signal(SIGSEGV, SIG_IGN);
        getppid();
        sigprocmask(SIG_BLOCK, NULL, &now);
        sigaction(SIGSEGV, NULL, &action);
        return sigismember(&now, SIGSEGV) != (argc > 1) ||
               (action.sa_handler == SIG_IGN) != (argc > 2);
      }
    ]], "segv.c")
    local program = T.dir() .. "/segv"
    T.ok(T.run({ "cc", "-o", program, source }))
    local code = [[on_syscall("getppid", function(t) say(t:call("strlen", "abc")) end)]]
    assert.equal("3\n", T.ok(T.trace(code, { program })).said)
    assert.equal("3\n", T.ok(T.trace(code, { program, "block" })).said)
    local said = T.ok(T.trace(code, { program, "block", "ignore" })).said
    assert.truthy(said:find("ignores SIGSEGV: its functions cannot be called\tENOTSUP\n$")
      or said:find("ENOTSUP") or said:find("EOPNOTSUPP"), said)
  end)

  it("of many threads are called at once", function()
    for _, fixture in ipairs(builds("exact")) do
      local result = T.ok(T.trace([[
        local n = 0
        on_syscall("getppid", function(t, call)
          local text = ("%d-%.3f"):format(t.tid, t.tid + 0.5)
          local room = t:alloc(100)
          assert(t:call("snprintf", room, 100, "%d-%.3f", t.tid, t.tid + 0.5,
            { returns = "int" }) == #text)
          assert(t.mem:str(room) == text and t:free(room))
          assert(t:call("strlen", ("x"):rep(t.tid % 5000)) == t.tid % 5000)
          n = n + 1
        end)
        on_end(function() say(n) end)
      ]], { fixture, "8", "50", "5", "0", "0" }))
      assert.equal("400\n", result.said)
    end
  end)

  it("that end or replace the program end the wait", function()
    local result = T.trace([[
      on_syscall("getppid", function(t) t:call("_exit", 3) say("not reached") end)
    ]], { T.fixture("exact"), table.unpack(ONE_CALL) })
    T.ok(result, 3)
    assert.equal("", result.said)
    assert.equal("nil\tECANCELED: Operation canceled\tECANCELED\n", at_getppid(T.fixture("exact"),
      [[say(t:call("execlp", "true", "true", 0))]]))
  end)

  it("are found by name", function()
    for _, fixture in ipairs(builds("exact")) do
      local said = at_getppid(fixture, [[
        local main = p:symbol("main")
        say(main ~= nil, p:symbol("exact:main") == main, p:symbol("no_such"))
        say(p:symbol("libc.so:no_such"))
        say(p:symbol("libnone.so:getpid"), p:symbol("") , p:symbol(":"))
        local memcpy, text, room = p:symbol("memcpy"), t:alloc("copied"), t:alloc(16)
        say(t:call(memcpy, room, text, 7) == room, t.mem:str(room))
      ]]):gsub("%d+", "N"):gsub("exact%-N", "exact")
      assert.equal("true\ttrue\tnil\tENOENT: process N has no symbol 'no_such'\tENOENT\n" ..
        "nil\tENOENT: process N has no symbol 'libc.so:no_such'\tENOENT\n" ..
        "nil\tnil\tnil\tENOENT: process N has no symbol ':'\tENOENT\n" ..
        "true\tcopied\n", said)
    end
  end)
end)

describe("p:symbol", function()
  -- Files that say wrong things about themselves: the headers and tables of a real object, with
  -- bytes changed at random or cut off.
  local function mutations(path, count)
    local whole, list = T.read(path), {}
    for i = 1, count do
      local bytes = { whole:byte(1, -1) }
      local tables = #bytes - 4096 -- section headers are at the end
      for _ = 1, math.random(1, 40) do
        local at = math.random() < 0.4 and math.random(1, 200) or
          math.random() < 0.7 and math.random(tables, #bytes) or math.random(1, #bytes)
        if at > 5 then bytes[at] = math.random() < 0.3 and 255 or math.random(0, 255) end
      end
      local text = {}
      for at = 1, i % 5 == 0 and math.random(1, #bytes) or #bytes do
        text[at] = string.char(bytes[at])
      end
      list[i] = T.file(table.concat(text), "hostile" .. i .. ".so")
    end
    return list
  end

  it("survives hostile files", function()
    local source = T.file("int answer(void) { return 42; }\nint other = 1;\n", "hostile.c")
    local object = T.dir() .. "/object.so"
    T.ok(T.run({ "cc", "-shared", "-fPIC", "-g", "-o", object, source }))
    math.randomseed(os.time())
    for _ = 1, T.scale(5) do
      local files = mutations(object, 100)
      local result = T.ok(T.trace([[
        on_syscall("getppid", function(t)
          local p = t.process
          p:symbol("answer")
          say((p:symbol("no_such_symbol")))
          say((p:symbol("hostile1.so:answer_")))
        end)
      ]], { T.fixture("map-files"), table.unpack(files) }))
      assert.equal("nil\nnil\n", result.said)
    end
  end)

  it("does not open what is not the file that is mapped", function()
    local fifo, file = T.dir() .. "/replaced.so", T.file("x", "replaced.so")
    local result = T.ok(T.trace(([[
      on_syscall("getppid", function(t)
        os.remove("%s")
        os.execute("mkfifo %s")
        say((t.process:symbol("no_such_symbol")))
      end)
    ]]):format(fifo, fifo), { T.fixture("map-files"), file }))
    assert.equal("nil\n", result.said)
  end)
end)

describe("p:dlopen", function()
  it("loads a shared object", function()
    local source = T.file("int answer(void) { return 42; }\n", "answer.c")
    for i, fixture in ipairs(builds("exact")) do
      local object = T.dir() .. "/answer" .. i .. ".so"
      T.ok(T.run(("cc %s -shared -fPIC -o %s %s"):format(i == 2 and "-m32" or "", object, source)))
      local said = at_getppid(fixture, ([[
        say(p:dlopen("%s") ~= 0, t:call("answer", { returns = "int" }))
        say(p:dlopen("/nonexistent.so"))
      ]]):format(object))
      assert.equal("true\t42\nnil\tELIBACC: /nonexistent.so: cannot open shared object file: " ..
        "No such file or directory\tELIBACC\n", said)
    end
  end)

  it("says why it cannot", function()
    local source = T.file("#include <unistd.h>\nint main(void) { getppid(); return 0; }\n",
      "none.c")
    local program = T.dir() .. "/none"
    T.ok(T.run({ "cc", "-static", "-o", program, source }))
    local result = T.ok(T.trace([[
      on_syscall("getppid", function(t)
        say(t.process:dlopen("x.so"))
        say(t:call("strlen", "static"), t:call("none:getpid") == t.pid)
      end)
    ]], { program }))
    local lines = T.lines(result.said)
    assert.truthy(lines[1]:find("^nil\tE"), lines[1])
    assert.equal("6\ttrue", lines[2])
  end)
end)

describe("calls injected into threads that block", function()
  -- these fail with EINTR after any stop, says signal(7)
  local function restartable(text)
    return (text:gsub("undisturbed epoll_wait: [^\n]*", ""):gsub("undisturbed semop: [^\n]*", "")
      :gsub("undisturbed msgrcv: [^\n]*", ""))
  end

  it("hc66 let them restart, or end with EINTR, as they would have", function()
    local plain = T.ok(T.run { T.fixture("restarts"), "100" })
    local result = T.ok(T.trace([[
      local processes, good, bad = {}, 0, 0
      on_start(function(p) processes[#processes + 1] = p end)
      on_clone(function(t, child)
        if child.kind ~= "thread" then processes[#processes + 1] = child.process end
      end)
      local function inject(p)
        for _, t in ipairs(p:threads()) do
          if t:syscall("getpid") == p.pid then good = good + 1 else bad = bad + 1 end
        end
      end
      every(0.01, function()
        for _, p in ipairs(processes) do
          pcall(function() p:freeze(function() inject(p) end) end) -- it may end meanwhile
        end
      end)
      on_end(function() say(good, bad) end)
    ]], { T.fixture("restarts"), "100" }, { timeout = 30 }))
    local good, bad = result.said:match("(%d+)\t(%d+)")
    assert.is_true(tonumber(good) > 50, result.said)
    assert.equal("0", bad)
    T.equal_text(restartable(plain.out), restartable(result.out))
  end)
end)
