-- What happens when a script fails: tracebacks with its lines, --on-error, odd error values.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local calls = { T.fixture("calls") }

describe("an error in a handler", function()
  local script = "\n\n" .. [[
    local function deep() error("went wrong") end
    on_syscall("getppid", function(t, call)
      deep()
    end)
  ]]

  it("shows the script's line numbers and a traceback", function()
    local result = T.trace(script, calls, { script = true })
    T.ok(result, 125)
    assert.matches("%.lua:3: went wrong", result.err)
    assert.matches("traceback", result.err)
    assert.matches("%.lua:5:", result.err)
    assert.not_matches("%[C%]: in %?\n.*%[C%]: in %?\n.*%[C%]: in %?", result.err)
  end)

  it("kills what was launched, by default", function()
    local result = T.trace(script, { "sh", "-c", T.fixture("calls") .. "; echo survived" })
    T.ok(result, 125)
    assert.equal("", result.out)
  end)

  it("does the same with --on-error=stop", function()
    local result = T.trace(script, calls, { words = { "--on-error=stop" } })
    T.ok(result, 125)
    assert.equal("", result.out)
  end)

  it("goes on with --on-error=go", function()
    local result = T.trace(script, calls, { words = { "--on-error=go" } })
    assert.matches("done", result.out)
    assert.equal(3, select(2, result.err:gsub("went wrong", "")))
    assert.equal(0, result.code)
  end)

  it("lets go of what was attached to", function()
    local program = T.start { T.fixture("threads"), "4" }
    finally(T.cleanup)
    T.wait_until("threads", function() return program:out():find("ready") end)
    local result = T.trace([[
      on_syscall("getppid", function() error("attached") end)
    ]], nil, { words = { "-p", program.pid } })
    T.ok(result, 125)
    assert.matches("attached", result.err)
    assert.equal("0", T.status(program.pid, "TracerPid"))
    program:signal("TERM")
    assert.equal("ready\nworked\n", program:wait().out)
  end)

  it("after a wait shows the same", function()
    local result = T.trace("\n\n" .. [[
      on_syscall("getppid", function(t, call)
        call:leave()
        error("afterwards")
      end)
    ]], calls, { script = true })
    T.ok(result, 125)
    assert.matches("%.lua:5: afterwards", result.err)
  end)

  it("in a definition shows the same", function()
    local result = T.trace("\nfunction on_exit() error('defined') end", calls, { script = true })
    T.ok(result, 125)
    assert.matches("%.lua:2: defined", result.err)
  end)

  it("in on_end is reported", function()
    local result = T.trace("on_end(function() error('late') end)", calls)
    T.ok(result, 125)
    assert.matches("late", result.err)
    assert.matches("done", result.out)
  end)

  it("at a place that stops more than once is reported once with stop", function()
    local result = T.trace("on_syscall(function() error('only once') end)",
      { T.fixture("exact") })
    T.ok(result, 125)
    assert.equal(1, select(2, result.err:gsub("only once", "")))
  end)
end)

describe("an error value", function()
  for name, value in pairs { ["a table"] = "{ code = 3 }", ["nil"] = "nil", ["a number"] = "12.5",
                             ["a boolean"] = "false", ["a function"] = "print" } do
    it("may be " .. name, function()
      local result = T.trace(("\non_syscall('getppid', function() error(%s) end)"):format(value),
        calls)
      T.ok(result, 125)
      assert.not_equal("", result.err)
    end)
  end

  it("may have a __tostring, even one that fails", function()
    local result = T.trace([[
      on_syscall("getppid", function()
        error(setmetatable({}, { __tostring = function() return "in words" end }))
      end)
    ]], calls)
    T.ok(result, 125)
    assert.matches("in words", result.err)
    result = T.trace([[
      on_syscall("getppid", function()
        error(setmetatable({}, { __tostring = function() error("no words") end }))
      end)
    ]], calls)
    T.ok(result, 125)
    assert.not_equal("", result.err)
  end)

  it("may be too deep a recursion", function()
    local result = T.trace([[
      local function f() return 1 + f() end
      on_syscall("getppid", function() f() end)
    ]], calls)
    T.ok(result, 125)
    assert.matches("stack overflow", result.err)
  end)

  it("may be a want of memory", function()
    local result = T.trace([[
      on_syscall("getppid", function() local s = ("x"):rep(1e6):rep(1e9) end)
    ]], calls)
    T.ok(result, 125)
    assert.not_equal("", result.err)
  end)
end)

describe("an error in the chunk", function()
  it("stops before the program runs", function()
    local result = T.trace("\nerror('early')", calls, { script = true })
    T.ok(result, 125)
    assert.matches("%.lua:2: early", result.err)
    assert.equal("", result.out)
  end)

  it("kills what the chunk has spawned", function()
    local result = T.trace(([[
      local p = spawn { "sleep", "100" }
      say(p.pid)
      error("after spawn")
    ]]):format(), nil)
    T.ok(result, 125)
    assert.is_nil(T.state(tonumber(result.said:match("%d+"))))
  end)

  it("is what becomes of gone in the main chunk", function()
    local result = T.trace(([[
      local p = spawn { %q }
      p:threads()[1]:wait { signal = "SIGUSR2" }
    ]]):format(calls[1]), nil)
    T.ok(result, 125)
    assert.matches("thread %d+ ended before", result.err)
  end)
end)

describe("misuse", function()
  for code, pattern in pairs {
    ["spawn()"] = "spawn", ["spawn {}"] = "spawn", ["attach('x')"] = "attach",
    ["luatrace.errno({})"] = "errno", ["args(3)"] = "args",
    ["on_syscall('openat', 3)"] = "on_syscall", ["nosuch.thing = 3"] = "nosuch",
  } do
    it("raises at the caller's line: " .. code, function()
      local result = T.trace("\n\n\n" .. code, calls, { script = true })
      T.ok(result, 125)
      assert.matches("%.lua:4:", result.err)
      assert.matches(pattern, result.err)
    end)
  end
end)
