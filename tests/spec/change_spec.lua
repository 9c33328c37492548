-- Changing calls: arguments of every kind, results, the call itself; hard cases 35, 36 and 61.
-- ctest: TIMEOUT 300

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- Both builds of the fixture, where there is a 32-bit one.
local function each(fn)
  fn(T.fixture("change"))
  if T.exists(T.fixture("change-32")) then fn(T.fixture("change-32")) end
end

local function change(program, words, code, options)
  return T.ok(T.trace(code, { program, table.unpack(words) }, options))
end

-- Directory with the files "T-K" for T < threads, K < 3, each holding its name.
local function files(threads)
  local dir = T.dir() .. "/files"
  os.execute("mkdir -p " .. T.quote(dir))
  for i = 0, threads - 1 do
    for k = 0, 2 do
      local file = assert(io.open(("%s/%d-%d"):format(dir, i, k), "w"))
      file:write(i .. "-" .. k)
      file:close()
    end
  end
  return dir
end

local REWRITE = [[
  on_syscall({ "open", "openat" }, function(t, call)
    local i, k = call.args.filename:match("^/nowhere/(%%d+)/(%%d+)$")
    if i then
      call.args.filename = %q .. ("/."):rep(k %% 300) .. "/" .. i .. "-" .. k %% 3
    end
  end)
]]

-- The fixture asked for 3 s, got 375 ms (however busy the machine is) and found its own struct.
local function slept(result)
  local steps, kept = result.out:match("^(%d+) (%d)\n$")
  assert.equal("1", kept)
  assert.is_true(tonumber(steps) >= 7 and tonumber(steps) < 55, result.out)
end

describe("arguments", function()
  it("hc36 strings of any length find room, in 8 threads at once", function()
    local rewrite = REWRITE:format(files(8))
    each(function(program)
      local result = change(program, { "paths", 8, T.scale(500) }, rewrite, { timeout = 120 })
      assert.equal("bad 0\n", result.out)
    end)
  end)

  it("hc62 are put back: every register is as before, in a child too", function()
    local rewrite = REWRITE:format(files(1))
    each(function(program)
      change(program, { "registers" }, rewrite)
      local result = change(program, { "fork" }, [[
        on_syscall("clone", function(t, c)
          c.args[3] = 0
          say(c.args[3])
        end)]])
      assert.equal("0\n", result.said)
    end)
  end)

  it("give the program a result in terms of its own count", function()
    each(function(program)
      local function write(code)
        local result = change(program, { "write", 5, "Hello" },
          'on_syscall("write", { fd = 1 }, function(t, c) ' .. code .. " end)")
        return result.out, tonumber(result.err)
      end
      assert.same({ "olleH", 5 }, { write("c.args.buf = c.args.buf:reverse()") })
      assert.same({ ("Hello"):rep(100000), 5 }, { write("c.args.buf = c.args.buf:rep(100000)") })
      assert.same({ "J", 5 }, { write('c.args.buf = "J"') })
      assert.same({ "", 5 }, { write('c.args.buf = ""') })
      assert.same({ "a\0b", 5 }, { write('c.args.buf = "a\\0b"') })
      assert.same({ "He", 2 }, { write("c.args.count = 2") })
      assert.same({ "two", 5 }, { write('c.args.buf = "one" c.args.buf = "two"') })
    end)
  end)

  it("tell a part of our bytes as a part of the program's", function()
    each(function(program)
      local result = change(program, { "pipe" }, [[
        on_syscall("write", { fd = 9 }, function(t, call)
          call.args.buf = ("x"):rep(131072) -- the pipe holds 65536
          say(call:leave())
        end)]])
      assert.equal("50\n", result.out)
      assert.equal("50\n", result.said)
    end)
  end)

  it("print the example's text reversed, whatever its length", function()
    local code = 'on_syscall("write",{fd=1},function(t,c) c.args.buf = c.args.buf:reverse() end)'
    assert.equal("\nolleH", change("/bin/echo", { "Hello" }, code).out)
    local long = ("0123456789"):rep(400) -- echo writes it at once
    assert.equal("\n" .. long:reverse(), change("/bin/echo", { long }, code).out)
  end)

  it("take lists for the pieces of writev and readv", function()
    each(function(program)
      local result = change(program, { "writev", "ab", "cd", "ef" }, [[
        on_syscall("writev", function(t, c) c.args.vec = { "1234", "", "56789" } end)]])
      assert.equal("123456789", result.out)
      assert.equal("6\n", result.err)
      result = change(program, { "readv", 2, 8 }, [[
        on_syscall("readv", function(t, c) c:leave() c.args.vec = { "AB", "CDE" } end)]],
        { stdin = "abc" })
      assert.equal("5 AB|CDE\n", result.out)
    end)
  end)

  it("take lists for the strings of execve", function()
    each(function(program)
      local result = change(program, { "exec", "/bin/false", "x" }, [[
        on_syscall("execve", function(t, c)
          if c.args.filename ~= "/bin/false" then return end
          local env = c.args.envp
          env[#env + 1] = "CHANGED=yes"
          c.args.filename, c.args.envp = "/bin/sh", env
          c.args.argv = { "sh", "-c", "echo $CHANGED $0 $1", "a", ("b"):rep(5000) }
        end)]])
      assert.equal("yes a " .. ("b"):rep(5000) .. "\n", result.out)
    end)
  end)

  it("take tables for structs", function()
    each(function(program)
      assert.equal("0 1\n", change(program, { "sleep", 3000 }, [[
        on_syscall({ "nanosleep", "clock_nanosleep*" }, function(t, c)
          c.args.rqtp = { sec = 0, nsec = 1000 }
        end)]]).out)
      assert.equal("0 1 0 0\n", change(program, { "poll" }, [[
        on_syscall("poll", function(t, c) c.args.ufds = { { events = 4 } } end)]]).out)
      assert.equal("50 100 100\n", change(program, { "limit" }, [[
        on_syscall({ "setrlimit", "prlimit64" }, function(t, c)
          local name = c.name == "setrlimit" and "rlim" or "new_rlim"
          if c.args[c.name == "setrlimit" and 2 or 3] ~= 0 then
            c.args[name] = { cur = 50, max = 100 }
          end
        end)]]).out)
      assert.equal("12\n15\n", change(program, { "mask" }, [[
        on_syscall("rt_sigprocmask", { how = 2 }, function(t, c)
          if c.args.nset ~= 0 then c.args.nset = { "SIGUSR2", 15 } end
        end)]]).out)
    end)
  end)

  it("take what the kernel wrote into ours back to the program's", function()
    each(function(program)
      assert.equal("1 1 0 4\n", change(program, { "poll" }, [[
        on_syscall("poll", function(t, c)
          c.args.ufds = { { events = 1 }, { events = 4 }, { fd = -1 } }
        end)]]).out)
    end)
  end)

  it("hold when the call goes on after a stop of the process", function()
    local pause = [[
      os.execute(("(sleep 0.1; kill -STOP %d; sleep 0.1; kill -CONT %d) &"):format(t.pid, t.pid))
    ]]
    each(function(program)
      local result = change(program, { "poll", 3000 }, [[
        on_syscall("poll", function(t, c)
          say("poll")
          c.args.ufds = { { events = 1 }, { fd = -1 } }
          ]] .. pause .. [[
        end)]])
      assert.equal("1 1 1 0\n", result.out)
      assert.equal("poll\n", result.said)
      result = change(program, { "sleep", 3000 }, [[
        on_syscall({ "nanosleep", "clock_nanosleep*" }, function(t, c)
          c.args.rqtp = { sec = 0, nsec = 375e6 }
          ]] .. pause .. [[
        end)]])
      slept(result)
    end)
  end)

  it("are put back in a program that is let go in the middle of the call", function()
    each(function(program)
      local result = change(program, { "sleep", 3000 }, [[
        on_syscall({ "nanosleep", "clock_nanosleep*" }, function(t, c)
          c.args.rqtp = { sec = 0, nsec = 375e6 }
          t.process:detach()
        end)]])
      slept(result)
    end)
  end)

  it("take tables for addresses", function()
    each(function(program)
      local result = change(program, { "connect" }, [[
        on_syscall("connect", function(t, c)
          c.args.uservaddr = { path = "/nowhere/socket" }
          say(c.args[3], (tostring(c):match("AF_%w+")))
        end)]])
      assert.equal("97\n", result.out) -- EAFNOSUPPORT
      assert.equal("18\tAF_UNIX\n", result.said)
      result = change(program, { "connect" }, [[
        on_syscall("connect", function(t, c)
          c.args.uservaddr = { addr = "::1", port = 80 }
          say(c.args[3], (tostring(c):match("AF_%w+")))
        end)]])
      assert.equal("28\tAF_INET6\n", result.said)
    end)
  end)

  it("that the call has filled can be written after it", function()
    each(function(program)
      local function read(code, size)
        return change(program, { "read", size or 64 }, [[
          on_syscall("read", { fd = 0 }, function(t, c) c:leave() ]] .. code .. " end)",
          { stdin = "abcdef" }).out
      end
      assert.equal("3 xyz\n", read('c.args.buf = "xyz"'))
      assert.equal("12 abcdefabcdef\n", read("c.args.buf = c.args.buf:rep(2)"))
      assert.equal("4 abcd\n", read("c.ret = 4"))
      assert.equal("7 /a/b/c\n", change(program, { "cwd" }, [[
        on_syscall("getcwd", function(t, c) c:leave() c.args.buf = "/a/b/c" end)]]).out)
      local size = #T.read("/etc/passwd")
      assert.equal("4711 " .. size .. "\n", change(program, { "stat", "/etc/passwd" }, [[
        on_syscall({ "newfstatat", "statx", "stat64", "fstatat64" }, function(t, c)
          c:leave()
          c.args[c.name == "statx" and "buffer" or "statbuf"] = { uid = 4711 }
        end)]]).out)
      assert.equal("12345\n", change(program, { "time" }, [[
        on_syscall("clock_gettime", function(t, c)
          c:leave()
          c.args.tp = { sec = 12345 }
        end)]]).out)
    end)
  end)

  it("change in the order of the handlers, which see what those before them did", function()
    each(function(program)
      local result = change(program, { "write", 1, "a" }, [[
        for i = 1, 3 do
          on_syscall("write", { fd = 1 }, function(t, c) c.args.buf = c.args.buf .. i end)
        end
        on_syscall("write", { fd = 1 }, function(t, c) say(c.args.buf) c:leave() say(c.ret) end)]])
      assert.equal("a123", result.out)
      assert.equal("a123\n1\n", result.said)
    end)
  end)
end)

describe("results", function()
  it("hc61 are given without making the call", function()
    each(function(program)
      local function write(code)
        local result = change(program, { "write", 5, "Hello" },
          'on_syscall("write", { fd = 1 }, function(t, c) ' .. code .. " end)")
        assert.equal("", result.out)
        return result.err
      end
      assert.equal("0\n", write("c:skip()"))
      assert.equal("5\n", write("c:skip(5)"))
      assert.equal("-1\n", write('c:fail("EIO")'))
      assert.equal("3\n", write('c:skip(5) c.args.buf = "longer than that" c:leave() c.ret = 3'))
    end)
  end)

  it("can be assigned at the exit", function()
    each(function(program)
      local result = change(program, { "write", 5, "Hello" }, [[
        on_syscall("write", { fd = 1 }, function(t, c)
          c:leave() c.ret = -5 say(c:leave()) c.ret = 77
        end)]])
      assert.equal("Hello", result.out)
      assert.equal("77\n", result.err)
      assert.equal("nil\tEIO: Input/output error\tEIO\n", result.said)
    end)
  end)
end)

describe("another call", function()
  it("is made instead", function()
    each(function(program)
      local copy = T.temp()
      local result = change(program, { "write", 5, "Hello" }, ([[
        on_syscall("write", { fd = 1 }, function(t, c)
          c:become("openat", { -100, %q, 0x41, 420 })
          local fd = c:leave()
          say(c.name, fd)
          c.ret = 5
        end)]]):format(copy))
      assert.equal("", result.out)
      assert.equal("5\n", result.err)
      assert.matches("^openat\t[3-9]\n$", result.said) -- the lowest that is free
      assert.equal("", T.read(copy))
      result = change(program, { "write", 5, "Hello" }, [[
        on_syscall("write", { fd = 1 }, function(t, c)
          c:become("pwrite64", { buf = "abc" })
          c.args[4], c.args[5] = 0, 0
          say(c:leave())
        end)]])
      assert.equal("abc", result.out)
      assert.equal("3\n", result.err)
    end)
  end)
end)

describe("a program with a seccomp filter of its own", function()
  it("hc63 has its filter judge the call that is made instead", function()
    local program = { T.fixture("seccomp-kill"), "other" }
    assert.matches("result %d+ errno 0\n", T.ok(T.run(program)).out)
    local result = T.ok(T.trace([[
      on_syscall("getpgid", function(t, c) c:become("getppid") end)]], program))
    assert.equal("result -1 errno 42\n", result.out)
  end)

  it("hc64 finds no tracer that its filter could ask", function()
    local program = { T.fixture("seccomp-kill"), "trace" }
    local plain = T.ok(T.run(program)).out
    assert.equal("result -1 errno 38\n", plain)
    local result = T.ok(T.trace("on_syscall(function(t, c) c:leave() end)", program))
    assert.equal(plain, result.out)
  end)
end)

describe("misuse", function()
  local function refused(code, words, program)
    local result = T.trace([[
      local calls = { "write", "openat", "open", "poll", "connect", "execve", "read", "readv" }
      on_syscall(calls, function(t, c)
        local args = c.args
        if c.name:find("read") and args.fd ~= 0 then return end -- the loader's
        local ok, message = pcall(function() ]] .. code .. [[ end)
        say(ok, message)
      end)]], { program or T.fixture("change"), table.unpack(words or { "write", 5, "Hello" }) })
    return result.said
  end

  local function says(text, code, ...)
    local said = refused(code, ...)
    assert.truthy(said:find(text, 1, true), ("%s\n  said: %s"):format(code, said))
  end

  it("is refused in words", function()
    says("cannot hold a NUL byte (byte 2 is one)", 'args.filename = "a\\0b"',
      { "/etc/passwd" }, "/bin/cat")
    says("count of write is an integer, not a string", 'args.count = "5"')
    says("a register takes an integer, not a string", 'args[2] = "5"')
    says("write has no argument 'path' (it has fd, buf, count)", 'args.path = "5"')
    says("cannot be a boolean", "args.buf = true")
    says("is a string, not a table", "args.buf = {}")
    says("needs an integer", "args.count = 1.5")
    says("it is too late for call:skip", "c:leave() c:skip(1)")
    says("of its arguments, only what it has filled can still be changed",
      'c:leave() args.buf = "x"')
    says("the call has no result yet", "c.ret = 5")
    says("there is no error 'ENOENTT'; did you mean 'ENOENT'?", 'c:fail("ENOENTT")')
    says("there is no system call 'wriet'", 'c:become("wriet")')
    says("is a list of strings", 'args.argv = "x"', { "exec", "/bin/true" })
    says("has no field 'revent' (it has fd, events, revents)", "args.ufds = { { revent = 1 } }",
      { "poll" })
    says("is filled by the call", 'c.args.buf = "x"', { "read", 5 })
    says("is filled by the call", 'c.args.vec = { "x" }', { "readv", 1, 1 })
    says("has no room for 70000 in field 'events'", "args.ufds = { { events = 70000 } }",
      { "poll" })
    says("has no field 'ip' (it has family, addr, port", 'args.uservaddr = { ip = "::1" }',
      { "connect" })
    says("needs an IPv4 or IPv6 address, not 'localhost'",
      'args.uservaddr = { addr = "localhost" }', { "connect" })
  end)

  it("is refused for calls that are over, and waiting where that cannot be", function()
    local result = T.trace([[
      local kept
      on_syscall("write", { fd = 1 }, function(t, c)
        table.sort({ 2, 1 }, function(a, b)
          say(pcall(function() c.args.buf = ("x"):rep(10) end))
          return a < b
        end)
        c:leave()
        kept = c
      end)
      on_exit(function() say(pcall(function() kept:skip(1) end)) end)
    ]], { T.fixture("change"), "write", 5, "Hello" })
    assert.truthy(result.said:find("cannot wait inside table.sort", 1, true), result.said)
  end)
end)
