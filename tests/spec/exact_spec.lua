-- No event is lost: a fixture with exact counters agrees with what scripts count, run after run.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local COUNT = [[
  local n = {}
  local function add(name) n[name] = (n[name] or 0) + 1 end
  on_clone(function(t, child) add(child.kind) end)
  on_exec(function() add("exec") end)
  on_signal("SIGUSR1", function() add("signal") end)
  on_thread_exit(function() add("thread-exit") end)
  on_exit(function() add("exit") end)
  on_end(function() for name, number in pairs(n) do say(name, number) end end)
]]

local function compare(rounds, program, more)
  for round = 1, rounds do
    local result = T.ok(T.trace(COUNT .. more, program))
    local got, want = T.counts(result.said), {}
    for _, line in ipairs(T.expected(result.out)) do
      local name, number = line:match("^(%S+) (%d+)$")
      want[name] = tonumber(number)
    end
    for name, number in pairs(want) do
      assert.equal(number, got[name] or 0, ("round %d: %s"):format(round, name))
    end
    assert.is_true(want.exit > 1)
  end
end

describe("counts are exact", function()
  it("for calls, threads, forks, programs, signals", function()
    compare(T.scale(100), { T.fixture("exact"), "4", "100", "10", "10", "5" },
      'on_syscall("getppid", function() add("getppid") end)')
  end)

  it("when every call is waited for", function()
    compare(T.scale(25), { T.fixture("exact"), "4", "100", "10", "10", "5" }, [[
      on_syscall(function(t, call)
        if call.name == "getppid" then add("getppid") end
        call:leave()
      end)
    ]])
  end)

  it("when every stop is asked for", function()
    compare(T.scale(10), { T.fixture("exact"), "8", "50", "20", "10", "5" }, [[
      on_stop(function(t, stop) end)
      on_syscall("getppid", function() add("getppid") end)
    ]])
  end)

  it("in 32 bits", function()
    if not T.exists(T.fixture("exact-32")) then
      return pending("no 32-bit fixtures")
    end
    compare(T.scale(5), { T.fixture("exact-32"), "4", "100", "10", "10", "5" },
      'on_syscall("getppid", function() add("getppid") end)')
  end)
end)
