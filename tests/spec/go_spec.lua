-- Programs in Go: goroutines change threads, and their stacks move.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local WORKERS = 16
local CALLS = 296 -- of main.work: worker i makes 11 + i

-- The program, built once; false where there is no Go.
local program
local function build()
  if program ~= nil then return program end
  program = false
  if not T.have("go") then return false end
  local dir = T.dir()
  T.file(T.read(T.source .. "/tests/fixtures/goroutines.go"), "goroutines.go")
  local ok = os.execute("cd " .. T.quote(dir) .. " && export HOME=$PWD GOCACHE=$PWD/cache && "
    .. "GO111MODULE=off GOFLAGS= CGO_ENABLED=0 go build -o goroutines goroutines.go")
  assert(ok, "go build has failed")
  program = dir .. "/goroutines"
  return program
end

local function trace(code)
  local result = T.ok(T.trace(code, { program }))
  assert.equal("sum 1840\n", result.out)
  return result.said
end

describe("a program in Go", function()
  teardown(T.cleanup)

  it("returns on any thread, from stacks that have moved", function()
    if not build() then return pending("no go") end
    local said = trace([[
      local calls, right, own = 0, 0, 0
      on_break("main.work", function(t, f)
        calls = calls + 1
        local id, n = f.args[1], f.args[2]
        if f:leave() == id + n then right = right + 1 end
        if f.regs.rax == id + n and f.thread.process == t.process then own = own + 1 end
      end)
      local talks = 0
      on_break("main.talks", function(t, f)
        if f:leave() == f.args[1] * 10 then talks = talks + 1 end
      end)
      on_exit(function() say(calls, right, own, talks) end)
    ]])
    assert.equal(("%d\t%d\t%d\t%d\n"):format(CALLS, CALLS, CALLS, WORKERS), said)
  end)

  it("tells of functions that are left by a panic or with their goroutine", function()
    if not build() then return pending("no go") end
    local said = trace([[
      for _, name in ipairs { "main.fails", "main.quits", "main.guarded" } do
        local calls, lost, right = 0, 0, 0
        on_break(name, function(t, f)
          calls = calls + 1
          local value, _, code = f:leave()
          if code == "ECANCELED" then lost = lost + 1 end
          if value == f.args[1] * 2 then right = right + 1 end
        end)
        on_exit(function() say(name, calls, lost, right) end)
      end
    ]])
    local want = ("main.fails\t%d\t%d\t0\nmain.quits\t%d\t%d\t0\nmain.guarded\t%d\t0\t%d\n"):format(
      WORKERS, WORKERS, WORKERS, WORKERS, WORKERS, WORKERS)
    assert.equal(want, said)
  end)

  it("does not return for a goroutine that used the same stack before", function()
    if not build() then return pending("no go") end
    local said = trace([[
      local first, others = 0, 0
      on_break("main.quits", { count = 3 }, function(t, f)
        local _, _, code = f:leave()
        if code == "ECANCELED" then first = first + 1 end
      end)
      on_break("main.talks", { skip = 2, count = 5 }, function(t, f)
        if f:leave() == f.args[1] * 10 then others = others + 1 end
      end)
      on_exit(function() say(first, others) end)
    ]])
    assert.equal("3\t5\n", said)
  end)

  it("ends while its functions run", function()
    if not build() then return pending("no go") end
    local said = trace([[
      on_break("runtime.main", function(t, f)
        local ok, problem = pcall(f.leave, f)
        say(ok, luatrace.is_gone(problem), problem.tid == t.pid)
      end)
    ]])
    assert.equal("false\ttrue\ttrue\n", said)
  end)

  it("has names, lines, stacks, assigned arguments and signals", function()
    if not build() then return pending("no go") end
    local said = trace([[
      on_break("main.work", { once = true }, function(t, f)
        say(f.name, f.module, f.file:match("[^/]*$"), f.entry, f.caller.name)
      end)
      on_break("main.guarded", { once = true }, function(t, f)
        local names = {}
        for i, frame in ipairs(t:backtrace()) do names[i] = frame.name end
        say(table.concat(names, " "))
        local id = f.args[1]
        f.args[1] = 1000
        say(f:leave())
        f.ret = id * 2
      end)
      local n = 0
      on_signal("SIGURG", function() n = n + 1 end)
      on_exit(function() say(n >= 3) end)
    ]])
    local at, stack, rest = said:match("^([^\n]*)\n([^\n]*)\n(.*)$")
    assert.equal("main.work\tgoroutines\tgoroutines.go\ttrue\tmain.worker", at)
    assert.truthy(stack:find("^main%.guarded main%.worker .*runtime%.goexit"), stack)
    assert.equal("2000\ntrue\n", rest)
  end)
end)
