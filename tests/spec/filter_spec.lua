-- Filters: launched programs stop at the wanted system calls alone. What scripts see is the same
-- with and without; what programs see, too.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local NO_FILTER = { words = { "--no-filter" } }
local names = { "filter" }
if T.exists(T.fixture("filter-32")) then names[2] = "filter-32" end

local function fixture(...)
  return { T.fixture("filter"), ... }
end

-- The said text and the output with a filter, once the same was seen without one.
local function same(code, program)
  local with = T.ok(T.trace(code, program))
  local without = T.ok(T.trace(code, program, NO_FILTER))
  assert.equal(without.said, with.said)
  assert.equal(without.out, with.out)
  return with.said, with
end

-- Which stops the tracer had of each kind, as ptrace events.
local function stops(code, program, options)
  if not T.have("strace") then return nil end
  local log = T.temp()
  local words = { "strace", "-o", log, "-e", "trace=wait4", "-e", "signal=none", T.bin,
    "--cpu=free", "-e", code, "--" }
  for _, word in ipairs(program) do words[#words + 1] = word end
  T.ok(T.run(words, options))
  local _, filtered = T.read(log):gsub("PTRACE_EVENT_SECCOMP", "")
  local _, traced = T.read(log):gsub("SIGTRAP ?| ?0x80", "")
  return filtered, traced
end

describe("a filter", function()
  it("stops a program at the wanted calls and nowhere else", function()
    local filtered, traced = stops("on_syscall('getpgid', function() end)",
      fixture("many", "50"), { env = T.without_leak_check })
    if not filtered then return pending("no strace") end
    assert.equal(50, filtered)
    assert.equal(0, traced)
  end)

  it("leaves exits to those who wait for them", function()
    local filtered, traced = stops([[
      on_syscall('getpgid', function(t, call) call:leave() end)
      on_syscall('getppid', function() end)]], fixture("many", "20"),
      { env = T.without_leak_check })
    if not filtered then return pending("no strace") end
    assert.equal(40, filtered)
    assert.equal(20, traced)
  end)

  it("does not stop for unwanted arguments", function()
    local filtered = stops("on_syscall('getpgid', { pid = 12 }, function() end)",
      fixture("many", "50"), { env = T.without_leak_check })
    if not filtered then return pending("no strace") end
    assert.equal(0, filtered)
  end)

  for _, name in ipairs(names) do
    it("is inherited by children and threads, and kept by exec: " .. name, function()
      local code = [[
        local n = 0
        on_syscall("getppid", function() n = n + 1 end)
        on_end(function() say(n) end)]]
      assert.equal("20\n", (same(code, { T.fixture(name), "calls", "5" })))
    end)
  end

  it("hc4 holds through execs of both ABIs", function()
    if not names[2] then return pending("no 32-bit programs") end
    local code = [[
      local seen = {}
      on_syscall("getppid", function(t, call) seen[call.abi] = (seen[call.abi] or 0) + 1 end)
      on_end(function() say(seen.x86_64, seen.i386) end)]]
    local said = same(code, { "sh", "-c", ("%s many; exec %s many"):format(
      T.quote(T.fixture("filter")), T.quote(T.fixture("filter-32"))) })
    assert.matches("^%d+\t3\n$", said)
  end)

  it("ignores what the kernel ignores of an argument", function()
    for _, name in ipairs(names) do
      assert.equal("1\tjunk\n\n", (same([[
        on_syscall("write", { fd = 1 }, function(t, call) say(call.args.fd, call.args.buf) end)
      ]], { T.fixture(name), "junk" })))
    end
  end)

  it("is made when the program is launched: later handlers see their calls as well", function()
    local code = [[
      local n = 0
      on_syscall("getpgid", { pid = 77 }, function() end)
      on_start(function()
        on_syscall("getppid", function(t) n = n + 1 end)
      end)
      on_end(function() say(n) end)]]
    assert.equal("7\n", (same(code, fixture("many", "7"))))
  end)

  it("goes on when handlers come and go", function()
    local code = [[
      local first, second = 0, 0
      local handler
      handler = on_syscall("getppid", function()
        first = first + 1
        if first == 2 then
          handler:remove()
          on_syscall("getpgid", function(t, call)
            second = second + 1
            if second == 2 then on_syscall("exit_group", function() say("exit") end) end
          end)
        end
      end)
      on_end(function() say(first, second) end)]]
    assert.equal("exit\n2\t4\n", (same(code, fixture("many", "4"))))
  end)

  it("lets calls be changed at its stops", function()
    assert.equal("42\t42\n5\tnil\n", (same([[
      local n = 0
      on_syscall("getppid", function(t, call)
        n = n + 1
        if n == 1 then call:skip(42) say(call:leave(), call.ret) end
        if n == 2 then
          call:become("getpgid", { pid = -1 })
          local pgid, _, code = call:leave()
          say(code == "ESRCH" and 5 or code, pgid)
        end
      end)]], fixture("many", "3"))))
  end)

  it("lets calls be made for scripts at its stops", function()
    assert.equal("true\ttrue\n", (same([[
      local done
      on_syscall("getppid", function(t, call)
        if done then return end
        done = true
        local pid = t:syscall("getpid")
        say(pid == t.nspid, t:syscall("getppid") == call:leave())
      end)]], fixture("many", "3"))))
  end)
end)

-- ---- Predicates ----------------------------------------------------------------------------

describe("a predicate", function()
  local calls = { T.fixture("calls") }

  local function count(name, predicate)
    return tonumber((same(([[
      local n = 0
      on_syscall(%q, %s, function() n = n + 1 end)
      on_end(function() say(n) end)]]):format(name, predicate), calls)))
  end

  it("has bits, any bits, and none", function()
    local all = count("openat", "{}") or 0
    assert.is_true(all > 2)
    assert.equal(all, count("openat", "{ flags = { lacks = 'O_APPEND' } }"))
    assert.equal(0, count("openat", "{ flags = { has = 'O_APPEND' } }"))
    local closed = count("openat", "{ flags = { has = 'O_CLOEXEC' } }")
    assert.is_true(closed > 0)
    assert.equal(closed, count("openat", "{ flags = { any = { 'O_CLOEXEC', 'O_APPEND' } } }"))
    assert.equal(all - closed, count("openat", "{ flags = { lacks = 0x80000 } }"))
  end)

  it("has names for values", function()
    assert.equal(count("openat", "{ dfd = -100 }"), count("openat", "{ dfd = 'AT_FDCWD' }"))
  end)

  it("has ranges", function()
    assert.equal(count("close", "{ fd = { 77 } }"),
      count("close", "{ fd = { min = 77, max = 77 } }"))
    assert.equal(0, count("close", "{ fd = { max = -2 } }"))
    assert.is_true(count("close", "{ fd = { min = 3 } }") > 0)
  end)

  it("has beginnings, ends and globs of strings", function()
    assert.equal(1, count("openat", "{ filename = { prefix = '/nonexist' } }"))
    assert.equal(1, count("openat", "{ filename = { suffix = '/zero' } }"))
    assert.equal(1, count("openat", "{ filename = { glob = '/dev/z*' } }"))
  end)

  it("that makes no sense is refused, with the nearest that does", function()
    local function refused(code, ...)
      local result = T.ok(T.trace("\n" .. code, calls), 125)
      assert.matches(":2: ", result.err)
      for _, text in ipairs { ... } do assert.matches(text, result.err) end
    end
    refused("on_syscall('openat', { flags = { hass = 1 } }, print)", "hass", "'has'")
    refused("on_syscall('openat', { flags = 'O_APEND' }, print)", "O_APEND", "O_APPEND")
    refused("on_syscall('write', { fd = 'x' }, print)", "fd", "write")
    refused("on_syscall('write', { fd = 4294967297 }, print)", "4 bytes")
    refused("on_syscall('openat', { filename = 3 }, print)", "is a string")
    refused("on_syscall('write', { count = { prefix = 'x' } }, print)", "no string")
    refused("on_syscall('openat', { flags = { has = 1, lacks = 1 } }, print)", "both")
  end)

  it("that nothing passed is told of as such", function()
    local result = T.ok(T.trace("on_syscall('openat', { filename = '/no' }, print)", calls))
    assert.matches("openat was never called with the wanted arguments", result.err)
  end)
end)

-- ---- Programs with filters of their own -----------------------------------------------------

describe("hc63 a program's own filter", function()
  for _, how in ipairs { "errno", "trap", "kill", "thread", "trace" } do
    it("that says " .. how .. " does not hide its calls", function()
      local program = { T.fixture("seccomp-kill"), how }
      local plain = T.run(program)
      for _, code in ipairs { "on_syscall('getppid', function(t, call) say(call.name) end)",
                              "on_syscall('getppid', function(t, c) say(c.name) c:leave() end)",
                              "on_syscall('write', function() end)" } do
        for _, options in ipairs { {}, NO_FILTER } do
          local result = T.trace(code, program, options)
          assert.equal(plain.out, result.out)
          assert.equal(plain.code, result.code)
          assert.equal(plain.signal, result.signal)
          if code:find("getppid") then assert.equal("getppid\n", result.said) end
        end
      end
    end)
  end

  for _, name in ipairs(names) do
    it("that it installs for all threads does not hide theirs: " .. name, function()
      local said, result = same([[
        on_syscall("getppid", function(t, call)
          local _, _, code = call:leave()
          say(code)
        end)]], { T.fixture(name), "tsync" })
      assert.equal("ENOMSG\n", said)
      assert.same({ "error 42" }, T.expected(result.out))
    end)
  end

  it("is all that it sees", function()
    for _, name in ipairs(names) do
      local plain = T.ok(T.run { T.fixture(name), "asks" }).out
      local result = T.ok(T.trace("on_syscall('getppid', function() end)",
        { T.fixture(name), "asks" }))
      assert.equal(plain, result.out)
    end
  end)

  it("may be strict mode", function()
    for _, name in ipairs(names) do
      local plain = T.run { T.fixture(name), "strict" }
      assert.equal(9, plain.signal or plain.code - 128)
      local result = T.trace("on_syscall('getpgid', function() end)", { T.fixture(name), "strict" })
      assert.equal(plain.out, result.out)
      assert.equal(plain.signal, result.signal)
    end
  end)
end)

-- ---- Letting carriers go --------------------------------------------------------------------

describe("hc64 a program that carries a filter", function()
  local CHILD = "sleep 0.2; " .. T.quote(T.fixture("filter")) .. " many 3; echo over"

  it("lives on unobserved when it is let go, and luatrace says so once", function()
    local result = T.ok(T.trace([[
      local n = 0
      on_syscall("getppid", function() n = n + 1 end)
      on_syscall("execve", function(t) if n == 0 then t.process:detach() end end)
      on_end(function() say(n) end)]], { "sh", "-c", CHILD }))
    assert.equal("over\n", result.out)
    assert.equal("0\n", result.said)
    local _, times = result.err:gsub("cannot be let go", "")
    assert.equal(1, times, result.err)
    assert.matches("%-%-no%-filter", result.err)
  end)

  it("is let go for good with --no-filter", function()
    local result = T.ok(T.trace([[
      on_syscall("getppid", function() say("seen") end)
      on_start(function(p) p:detach() end)]], { "sh", "-c", "sleep 0.1" }, NO_FILTER))
    assert.not_matches("cannot be let go", result.err)
  end)

  it("may be a child that a script ignores", function()
    local result = T.ok(T.trace([[
      local n = 0
      on_syscall("getppid", function() n = n + 1 end)
      on_clone(function(t, child) if child.kind ~= "thread" then child:ignore() end end)
      on_end(function() say(n) end)]], fixture("calls", "5")))
    assert.equal("15\n", result.said)
    assert.matches("cannot be let go", result.err)
  end)

  it("is gone as far as scripts can tell", function()
    local result = T.ok(T.trace([[
      on_syscall("getppid", function() say("seen") end)
      local p = spawn { "sh", "-c", "sleep 0.1; kill -0 $$; exit 3" }
      p:detach()
      run()
      say(p.alive, p.pid > 0)]], nil))
    assert.equal("false\ttrue\n", result.said)
  end)

  it("hears signals and job control all the same", function()
    local result = T.ok(T.trace([[
      on_syscall("getppid", function() say("seen") end)
      on_start(function(p) p:detach() end)]], { "sh", "-c",
      "trap 'echo caught' USR1; kill -USR1 $$; (sleep 0.1; kill -CONT $$) & " ..
      "kill -STOP $$; echo on" }))
    assert.equal("caught\non\n", result.out)
    assert.equal("", result.said)
  end)

  it("needs no warning where nothing was subscribed when it was launched", function()
    local result = T.ok(T.trace([[
      local p = spawn { "sleep", "0.1" }
      on_syscall("getppid", function() say("seen") end)
      p:detach()]], nil))
    assert.not_matches("cannot be let go", result.err)
  end)

  it("is none with --no-follow", function()
    local result = T.ok(T.trace([[
      on_syscall("getppid", function() say("seen") end)]], { "sh", "-c", "true; exec true" },
      { words = { "--no-follow" } }))
    assert.not_matches("cannot be let go", result.err)
  end)
end)

describe("hc65 a call that kills", function()
  it("is seen at its entry, and the process dies of SIGSYS", function()
    local result = T.trace([[
      on_syscall("getppid", function() say("entry") end)
      on_exit(function(p, status) say(status.signal) end)
    ]], { T.fixture("seccomp-kill"), "kill" })
    assert.equal("entry\nSIGSYS\n", result.said)
    assert.equal(31, result.signal or result.code - 128)
  end)
end)

describe("a process of which one thread was let go", function()
  it("is left alone when the others that were watched have ended", function()
    local result = T.luatrace({ "-e", [[
      on_syscall("getppid", function() end)
      on_clone(function(t) t:ignore() end)
    ]], "--", T.fixture("functions"), "threads", "2", "4" }, { timeout = 10 })
    assert.is_false(result.timed_out)
    assert.equal("total 8\n", result.out)
  end)
end)
