-- scripts/locks.lua: who waits for whom, deadlocks, and the summary.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local function locks(options, program)
  local words = { "locks" }
  for _, word in ipairs(options) do words[#words + 1] = word end
  words[#words + 1] = "--"
  for _, word in ipairs(program) do words[#words + 1] = word end
  return T.ok(T.luatrace(words))
end

local function each(fn)
  fn(T.fixture("locks"))
  if T.exists(T.fixture("locks-32")) then fn(T.fixture("locks-32")) end
end

describe("locks", function()
  it("counts what is taken, by the names of variables", function()
    each(function(program)
      local text = locks({}, { program, "count", "50" }).err
      assert.matches("\n +50 +0 +0 [%d. ]+ mutex first_lock\n", text)
      assert.matches("\n +2 +0 +0 [%d. ]+ rwlock table_lock\n", text)
      assert.matches("\n +2 +0 +0 [%d. ]+ mutex 0x%x+\n", text)
      assert.matches("longest hold [%d.]+ s, taken at [%w_]+ at locks%.c:%d+", text)
    end)
  end)

  it("tells which locks threads wait for, and where", function()
    each(function(program)
      local text = locks({}, { program, "contend" }).err
      assert.matches("\n +%d+ +1 +1 [%d. ]+ mutex first_lock\n"
        .. "    contended 1 time at contender at locks%.c:%d+", text)
      assert.matches("    longest wait [%d.]+ s at contender", text)
    end)
  end)

  it("reports a deadlock once while it is there, and that it is over", function()
    each(function(program)
      local result = locks({ "-e", "0.1" }, { program, "deadlock" })
      assert.matches("expect: over", result.out)
      local text = result.err
      assert.equal(1, select(2, text:gsub("deadlock of 2 threads\n", "")))
      local first, second = text:match("the deadlock of (%d+), (%d+) is over\n")
      assert.is_truthy(second)
      for _, case in ipairs { { first, "second_lock", second }, { second, "first_lock", first } } do
        assert.matches(("  thread %d %%b() waits since [%%d.]+ s for mutex %s at [^\n]*"
          .. "held by thread %d "):format(case[1], case[2], case[3]), text)
      end
      assert.matches("\n    #%d+ +0x%x+ in impatient", text) -- the stacks
      assert.matches("\n    #%d+ +0x%x+ in main", text)
    end)
  end)

  it("reports a thread that unlocks what another holds", function()
    local text = locks({}, { T.fixture("locks"), "foreign" }).err
    assert.matches("thread %d+ unlocks mutex first_lock at stranger[^\n]*, "
      .. "which thread %d+ holds\n", text)
  end)

  it("tells who waits when a signal asks, in a program that it was attached to", function()
    local program = T.start_ready("locks", "stuck")
    local tracer = T.start { T.bin, "-p", program.pid, "locks", "-S", "SIGUSR2" }
    finally(T.cleanup)
    T.wait_until("a report", function()
      program:signal("USR2")
      T.sleep(0.1)
      return tracer:err():find("waits since [%d.]+ s for mutex second_lock")
    end)
    tracer:signal("INT")
    assert.matches("held by thread " .. program.pid .. " [^\n]*, "
      .. "which took it before luatrace came", tracer:wait().err)
  end)

  it("has help, and refuses nonsense", function()
    assert.matches("%-%-every=SECONDS", T.ok(T.luatrace { "locks", "--help" }).out)
    local result = T.ok(T.luatrace { "locks", "-e", "often", "true" }, 125)
    assert.matches("%-%-every is a number", result.err)
    assert.not_matches("traceback", result.err)
  end)
end)
