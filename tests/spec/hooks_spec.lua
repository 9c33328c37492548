-- Each hook in both spellings, and the rules of registering: order, removal, counts, environments.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local function said(code, program, options)
  local result = T.ok(T.trace(code, program, options), options and options.code)
  return T.lines(result.said), result
end

local calls, families = { T.fixture("calls") }, { T.fixture("families") }

-- What each hook must say when its handler, given here as parameters and body, is installed.
local hooks = {
  {
    hook = "on_start", program = families, handler = "(p) say(p.kind, p.pid > 0, p.alive)",
    expect = { "launched\ttrue\ttrue" },
  },
  {
    hook = "on_syscall", program = calls,
    handler = "(t, call) if call.name == 'getppid' then say(call.name, call.abi, t.alive) end",
    expect = { "getppid\tx86_64\ttrue", "getppid\tx86_64\ttrue", "getppid\tx86_64\ttrue" },
  },
  {
    hook = "on_clone", program = families,
    handler = "(t, child) say(child.kind, child.tid ~= t.tid, child.pid == t.pid, child.parent)",
    pattern = { "^fork\ttrue\tfalse\t", "^vfork\ttrue\tfalse\t", "^clone\ttrue\tfalse\t",
                "^thread\ttrue\ttrue\t" },
  },
  {
    hook = "on_exec", program = { "sh", "-c", "exec env /bin/true" },
    handler = "(t, former) say(t.process.exe, former == t.tid)",
    pattern = { "/env\ttrue$", "/true\ttrue$" },
  },
  {
    hook = "on_signal", program = { "sh", "-c", "trap : USR1; kill -USR1 $$; :" },
    handler = "(t, sig) say(sig.name, sig.pid == t.pid, sig.uid)",
    pattern = { "^SIGUSR1\ttrue\t%d+$" },
  },
  {
    hook = "on_exit", program = families, handler = "(p, status) say(status.code, status.signal)",
    expect = { "1\tnil", "2\tnil", "3\tnil", "0\tnil" },
  },
  {
    hook = "on_thread_exit", program = families, handler = "(t, status) say(status.code)",
    expect = { "1", "2", "3", "0", "0" },
  },
  {
    hook = "on_stop", program = { T.fixture("die"), "exit", "3" },
    handler = "(t, stop) if stop.kind == 'process-exit' then say(stop.kind, stop.pid > 0) end",
    expect = { "process-exit\ttrue" },
    code = 3,
  },
  { hook = "on_end", program = calls, handler = "() say('over')", expect = { "over" } },
}

describe("a hook", function()
  for _, case in ipairs(hooks) do
    local function check(lines)
      local want = case.expect or case.pattern
      assert.equal(#want, #lines, table.concat(lines, "\n"))
      for i, line in ipairs(lines) do
        if case.expect then
          assert.equal(want[i], line)
        else
          assert.matches(want[i], line)
        end
      end
    end

    it(case.hook .. " by registering", function()
      check((said(("%s(function%s end)"):format(case.hook, case.handler), case.program, case)))
    end)

    it(case.hook .. " by definition", function()
      check((said(("function %s%s end"):format(case.hook, case.handler), case.program, case)))
    end)
  end

  it("is also a field of the module", function()
    assert.same({ "getppid", "true" }, {
      table.unpack((said([[
        local lt = require "luatrace"
        local once
        lt.on_syscall("getppid", function(t, call)
          if not once then say(call.name) end
          once = true
        end)
        lt.on_end(function() say(lt.version:find("^%d+%.%d+%.%d+$") ~= nil) end)
      ]], calls))),
    })
  end)
end)

describe("registering", function()
  it("returns a handle that counts and removes", function()
    local lines = said([[
      local handle
      handle = on_syscall("getppid", function()
        if handle.count == 2 then handle:remove() end
      end)
      on_end(function() say(handle.count) end)
    ]], calls)
    assert.same({ "2" }, lines)
  end)

  it("lets a handler be removed before it ever ran", function()
    local lines = said([[
      local a = on_syscall("getppid", function() say("a") end)
      on_syscall("getppid", function() say("b") end)
      a:remove()
      a:remove()
    ]], calls)
    assert.same({ "b", "b", "b" }, lines)
  end)

  it("from within a handler takes effect at once", function()
    local lines = said([[
      on_start(function()
        on_syscall("getppid", function(t, call) say(call.name) end)
      end)
    ]], calls)
    assert.equal(3, #lines)
  end)

  it("keeps the order on one stop", function()
    local lines = said([[
      for i = 1, 3 do
        on_syscall("getppid", function() say(i) end)
      end
      function on_syscall(t, call)
        if call.name == "getppid" then say("defined") end
      end
    ]], calls)
    local once = { "1", "2", "3", "defined" }
    local want = {}
    for i = 1, 12 do
      want[i] = once[(i - 1) % 4 + 1]
    end
    assert.same(want, lines)
  end)

  it("wakes those who wait for the exit in reverse order", function()
    local lines = said([[
      local first = true
      for i = 1, 3 do
        on_syscall("getppid", function(t, call) call:leave() say(i) end)
      end
    ]], calls)
    assert.same({ "3", "2", "1", "3", "2", "1", "3", "2", "1" }, lines)
  end)

  it("refuses what is no function, at the caller's line", function()
    local result = T.trace("\non_exit(12)", calls)
    T.ok(result, 125)
    assert.matches(":2: .*on_exit", result.err)
    assert.matches("function", result.err)
  end)
end)

describe("a definition", function()
  it("replaces the script's earlier one", function()
    local lines = said([[
      function on_exit() say("first") end
      function on_exit() say("second") end
    ]], calls)
    assert.same({ "second" }, lines)
  end)

  it("goes away when nil is assigned", function()
    local lines = said([[
      local n = 0
      function on_syscall(t, call)
        if call.name ~= "getppid" then return end
        n = n + 1
        say(n)
        if n == 2 then on_syscall = nil end
      end
    ]], calls)
    assert.same({ "1", "2" }, lines)
  end)

  it("never shadows the registering function", function()
    local lines = said([[
      function on_syscall(t, call) if call.name == "getppid" then say("defined") end end
      on_syscall("getppid", function() say("registered") end)
    ]], calls)
    assert.equal(6, #lines)
    assert.same({ "defined", "registered" }, { lines[1], lines[2] })
  end)

  it("of something else than a function is refused", function()
    local result = T.trace("\n\non_exit = 'later'", calls)
    T.ok(result, 125)
    assert.matches(":3: ", result.err)
  end)

  it("belongs to one script, as do other globals", function()
    local result = T.ok(T.luatrace { "-e", "x = 1; function on_exit() x = x + 1 print('a', x) end",
                                     "-e", "function on_exit() print('b', x) end", "--", "true" })
    assert.equal("a\t2\nb\tnil\n", result.out)
  end)

  it("in a module that a script requires is the module's own", function()
    T.file([[
      function on_exit()
        counter = (counter or 0) + 1
        io.stderr:write("module ", counter, "\n")
      end
    ]], "hooks_module.lua")
    local lines, result = said([[
      require "hooks_module"
      function on_exit() say("script") end
    ]], calls, { script = true })
    assert.same({ "script" }, lines)
    assert.equal("module 1\n", result.err)
  end)
end)

describe("events", function()
  it("come to on_clone before anything that the child reports", function()
    local lines = said([[
      local known = {}
      on_start(function(p) known[p.pid] = true end)
      on_clone(function(t, child) known[child.tid] = true end)
      on_syscall(function(t, call)
        if call.name == "execve" and not next(known) then return end -- the launch
        if not known[t.tid] then say("unknown", t.tid, call.name) end
      end)
    ]], { T.fixture("exact") })
    assert.same({}, lines)
  end)

  it("of an ignored child stay away, and it runs on", function()
    local lines, result = said([[
      on_clone(function(t, child) if child.kind ~= "thread" then child:ignore() end end)
      local n = 0
      on_syscall("getppid", function(t, call) n = n + 1 end)
      on_exit(function(p, status) say("exit", status.code) end)
      on_end(function() say("getppid", n) end)
    ]], families)
    assert.same({ "exit\t0", "getppid\t2" }, lines)
    assert.matches("sum 6", result.out)
  end)

  it("stop for the rest of a thread after t:ignore()", function()
    local lines = said([[
      on_syscall("getppid", function(t, call) say("once") t:ignore() end)
    ]], calls)
    assert.same({ "once" }, lines)
  end)

  it("carry the data of thread and process from one to the next", function()
    local lines = said([[
      on_syscall("getppid", function(t, call)
        t.data.n = (t.data.n or 0) + 1
        t.process.data.n = (t.process.data.n or 0) + 1
        if t.data.n == 3 then say(t.data.n, t.process.data.n) end
      end)
    ]], calls)
    assert.same({ "3\t3" }, lines)
  end)

  it("say in words what they are", function()
    local lines = said([[
      on_syscall("getppid", function(t, call)
        say(tostring(t):find(tostring(t.tid), 1, true) ~= nil)
        say(tostring(t.process):find(tostring(t.pid), 1, true) ~= nil)
        say(tostring(call))
      end)
      on_exit(function(p, status) say(status) end)
    ]], calls)
    assert.same({ "true", "true" }, { lines[1], lines[2] })
    assert.matches("^getppid%(%) += %?$", lines[3])
    assert.equal("exited with 0", lines[#lines])
  end)

  it("tell how a process was killed", function()
    local result = T.trace("on_exit(function(p, s) say(s, s.code, s.signal, s.signo, s.core) end)",
      { T.fixture("die"), "signal", "15" })
    assert.equal(15, result.signal)
    assert.equal("killed by SIGTERM\tnil\tSIGTERM\t15\tfalse\n", result.said)
  end)
end)
