-- Breakpoints in hard places: children, traps, faults, signals, calls, threads, code that changes.
-- The fixtures end with 0 where everything that the program did was right.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- Counts the hits of each location; says them at the end.
local function counting(...)
  local words = {}
  for _, where in ipairs { ... } do
    words[#words + 1] = ("%q"):format(where)
  end
  return ([[
    local n = {}
    for _, where in ipairs { %s } do
      n[where] = 0
      on_break(where, function() n[where] = n[where] + 1 end)
    end
    on_end(function() for where, count in pairs(n) do say(where, count) end end)
  ]]):format(table.concat(words, ", "))
end

-- Run a fixture with these breakpoints in each width; `check` gets the counts, what the fixture
-- expects and the result.
local function both(fixture, case, places, check, more)
  for _, width in ipairs { "", "-32" } do
    local program = T.fixture(fixture .. width)
    if T.exists(program) then
      local words = { program }
      for word in case:gmatch("%S+") do words[#words + 1] = word end
      local code = (more or "") .. counting(table.unpack(places))
      local result = T.ok(T.trace(code, words))
      local expected = {}
      for _, line in ipairs(T.expected(result.out)) do
        local name, value = line:match("^(%S+) (%S+)$")
        expected[name] = tonumber(value) or value
      end
      check(T.counts(result.said), expected, result)
    end
  end
end

local function expecting(want)
  return function(got) assert.same(want, got) end
end

describe("breakpoints and processes that share memory or do not", function()
  it("hc14: a child with CLONE_VM has them too", function()
    both("break-cases", "clone-vm", { "target" }, expecting { target = 40 })
  end)

  it("a forked child has its own", function()
    both("break-cases", "fork", { "target" }, expecting { target = 60 })
  end)

  it("hc15: a forked child that is let go is clean", function()
    both("break-cases", "fork", { "target" }, expecting { target = 40 },
      "on_clone(function(t, child) child:ignore() end)\n")
    local result = T.ok(T.trace(counting("target"), { T.fixture("break-cases"), "fork" },
      { words = { "--no-follow" } }))
    assert.equal(40, T.counts(result.said).target)
  end)

  it("hc16: a vfork child does not disarm its creator", function()
    both("break-cases", "vfork", { "target" }, expecting { target = 40 })
    both("break-cases", "vfork", { "target" }, function(got)
      assert.is_true(got.target == 20 or got.target == 40)
    end, "on_clone(function(t, child) child:ignore() end)\n")
  end)

  it("hc13: a child with CLONE_UNTRACED is traced all the same", function()
    local result = T.trace(counting("target"), { T.fixture("break-cases"), "untraced" })
    assert.equal(60, T.counts(result.said).target)
  end)

  it("hc13: and is out of reach without a filter, its creator is not", function()
    local result = T.trace(counting("target"), { T.fixture("break-cases"), "untraced" },
      { words = { "--no-filter" } })
    assert.equal(40, T.counts(result.said).target)
  end)
end)

describe("breakpoints and the program's own traps", function()
  local CALLS = 'on_syscall({ "rt_sigaction", "rt_sigprocmask" }, function() end)\n'

  it("hc37: SIGTRAP stays blocked and keeps its handler", function()
    both("break-traps", "blocked", { "target" }, expecting { target = 50 })
    both("break-traps", "blocked", { "target" }, expecting { target = 50 }, CALLS)
  end)

  it("hc37: SIGTRAP stays ignored", function()
    both("break-traps", "ignored", { "target" }, expecting { target = 50 })
    both("break-traps", "ignored", { "target" }, expecting { target = 50 }, CALLS)
  end)

  it("hc38: an int3 of its own and raise(SIGTRAP) are delivered", function()
    both("break-traps", "int3", { "target" }, function(got, expected)
      assert.equal(10, got.target)
      assert.equal(30, expected.traps)
    end)
  end)

  it("hc38: also with a breakpoint upon each", function()
    both("break-traps", "int3", { "at_int3", "at_cd03" }, function(got, expected)
      assert.same({ at_int3 = 10, at_cd03 = 10 }, got)
      assert.equal(30, expected.traps)
    end)
  end)

  it("hc39: a program that steps itself gets each of its traps", function()
    local places = { "at_popf", "at_stepped", "at_popf_end" }
    both("break-traps", "trap-flag", places, function(got, expected)
      assert.same({ at_popf = 1, at_stepped = 1, at_popf_end = 1 }, got)
      assert.equal(5, expected.steps)
    end)
  end)
end)

describe("breakpoints, faults and signals", function()
  it("hc42: a fault under a breakpoint is the program's, at its address, and one hit", function()
    both("break-traps", "fault", { "at_fault" }, expecting { at_fault = 10 })
  end)

  it("hc42: signals come between, and see no foreign address", function()
    both("break-traps", "ticks", { "target" }, function(got, expected)
      assert.equal(expected.target, got.target)
    end)
  end)

  it("hc42: programs that live by signals and make their own code", function()
    local ran = 0
    for _, program in ipairs { { "java", "-version" }, { "python3", "-c", "print(6 * 7)" } } do
      if T.have(program[1]) then
        local plain = T.ok(T.run(program))
        local traced = T.ok(T.trace(counting("malloc"), program, { timeout = 60 }))
        assert.equal(plain.out, traced.out)
        assert.is_true(T.counts(traced.said).malloc > 100)
        ran = ran + 1
      end
    end
    if ran == 0 then
      return pending("neither java nor python3")
    end
  end)

  it("a handler that never returns", function()
    both("break-traps", "longjmp", { "target" }, function(got, expected)
      assert.equal(expected.target, got.target)
    end)
  end)
end)

describe("breakpoints and calls", function()
  it("hc50: a read that blocks, is interrupted and restarted counts once", function()
    local program = { T.fixture("break-traps"), "read" }
    local result = T.ok(T.trace(counting("at_read"), program))
    local reads = tonumber(result.out:match("expect: reads (%d+)"))
    assert.equal(reads, T.counts(result.said).at_read)
  end)

  it("hc50: in 32 bits the program's results are right", function()
    if not T.exists(T.fixture("break-traps-32")) then
      return pending("no 32-bit fixtures")
    end
    local result = T.ok(T.trace(counting("at_read"), { T.fixture("break-traps-32"), "read" }))
    assert.is_true(T.counts(result.said).at_read >= 20)
  end)

  it("hc49: threads end at a breakpoint while others go on", function()
    both("break-traps", "thread-exits", { "at_exit_call", "target" },
      expecting { at_exit_call = 50, target = 2000 })
  end)

  it("hc49: a program execs while its threads run onto one", function()
    both("break-cases", "exec", { "target" }, function(got)
      assert.is_true(got.target >= 3 + 5)
    end)
  end)
end)

describe("breakpoints and instructions", function()
  it("hc54: rep counts once", function()
    both("break-traps", "rep", { "at_rep" }, expecting { at_rep = 10 })
  end)

  it("hc54: mov ss does not swallow what follows", function()
    both("break-traps", "mov-ss", { "at_mov_ss" }, expecting { at_mov_ss = 10 })
  end)

  it("a loop upon itself, a call of the next instruction, one through a register", function()
    both("break-traps", "branches", { "at_loop", "at_call", "target" },
      expecting { at_loop = 100, at_call = 1, target = 1 })
  end)
end)

describe("breakpoints and threads", function()
  it("hc47: 8 threads, 10,000 hits each on one function", function()
    local count = T.scale(10000)
    local program = { T.fixture("break-cases"), "threads", "8", tostring(count) }
    local result = T.ok(T.trace(counting("target"), program))
    assert.equal(8 * count, T.counts(result.said).target)
  end)

  it("hc47: 8 threads, 10,000 hits each on 100 functions", function()
    local count = math.floor(T.scale(10000) / 100) * 100
    local program = { T.fixture("break-cases"), "parts", "8", tostring(count) }
    local result = T.ok(T.trace([[
      local n = {}
      on_break("part_*", function(t, f) n[f.name] = (n[f.name] or 0) + 1 end)
      on_end(function() for name, count in pairs(n) do say(name, count) end end)
    ]], program, { timeout = 60 }))
    local names, hits = 0, T.counts(result.said)
    for name, number in pairs(hits) do
      names = names + 1
      assert.equal(9 * count / 100, number, name) -- eight threads, and once for comparison
    end
    assert.equal(100, names)
  end)

  it("hc47: in 32 bits", function()
    both("break-cases", "threads 8 1000", { "target" }, expecting { target = 8000 })
  end)

  it("hc48: a breakpoint that comes and goes under load", function()
    local result = T.ok(T.trace([[
      local hits, rounds = 0, 0
      local toggled
      local function count() hits = hits + 1 end
      on_break("part_10", function()
        rounds = rounds + 1
        if toggled then toggled:remove() toggled = nil else toggled = on_break("part_11", count) end
      end)
      on_end(function() say("rounds", rounds) say("hits", hits) end)
    ]], { T.fixture("break-cases"), "parts", "8", "5000" }))
    local got = T.counts(result.said)
    assert.equal(9 * 50, got.rounds)
    assert.is_true(got.hits > 0 and got.hits <= 450)
  end)
end)

describe("breakpoints and code that changes", function()
  it("hc57: code that the program rewrites is the program's", function()
    both("break-cases", "jit", {}, function(_, _, result)
      assert.matches("1", result.said)
    end, [[
      local once = false
      on_break("at_ready", function(t, f)
        on_break(f.args[1], function() if not once then once = true say(1) end end)
      end)
    ]])
  end)

  it("hc56: shared text that cannot be written is refused in words", function()
    local result = T.ok(T.trace([[
      on_break("at_ready", function(t, f)
        on_break(f.args[1], function() say("hit") end)
      end)
    ]], { T.fixture("break-cases"), "shared" }))
    assert.matches("hardware", result.err)
  end)

  it("hc56: a hardware breakpoint is what it needs", function()
    local result = T.ok(T.trace([[
      on_break("at_ready", function(t, f)
        on_break(f.args[1], { hardware = true }, function() say("hit") end)
      end)
    ]], { T.fixture("break-cases"), "shared" }))
    assert.equal("hit\n", result.said)
  end)

  it("hc55: the vdso", function()
    local result = T.ok(T.trace([[
      local n = 0
      on_break("[vdso]:__vdso_clock_gettime", { count = 3 }, function() n = n + 1 end)
      on_end(function() say(n) end)
    ]], { "date" }))
    assert.is_true(tonumber(result.said) > 0)
  end)
end)

describe("a program that is let go", function()
  after_each(T.cleanup)

  it("hc26: has its own text, at whatever moment", function()
    for _, at in ipairs { 1, 77, 1500 } do
      T.ok(T.trace(([[
        local n = 0
        on_break("target", function(t) n = n + 1 if n == %d then t.process:detach() end end)
      ]]):format(at), { T.fixture("break-cases"), "let-go" }))
    end
  end)

  it("hc27: has it when luatrace is killed", function()
    local stop = T.temp(".stop")
    local program = T.start_ready("break-cases", "until", stop)
    local tracer = T.attach(program, 'on_break("target", function() say("hit") end)')
    T.wait_until("a hit", function() return tracer:said():find("hit") end)
    tracer:signal("TERM")
    tracer:wait()
    T.file("", stop:match("[^/]+$"))
    T.ok(program:wait())
  end)
end)
