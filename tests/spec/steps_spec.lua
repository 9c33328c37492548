-- Stepping: t:step, t:next, t:stepline, t:finish, t:run_until, p:run_until.
-- ctest: TIMEOUT 240

local T = require "support"

describe("stepping", function()
  local stepped, watched = T.fixture("stepped"), T.fixture("watched")
  local env = { GLIBC_TUNABLES = "" }

  after_each(T.cleanup)

  -- Run a straight-line script; t stands at main of `stepped MODE` first.
  local function from_main(mode, code, options)
    options = options or {}
    local head = ([[local p = spawn { %q, %q }; local t = p:run_until("main"); ]]):format(stepped,
      mode)
    options.env = env
    return T.trace(head .. code, nil, options)
  end

  -- Step through `region` from its first instruction to its return, with other things that `code`
  -- wants; what the program says must be what it says without a tracer.
  local function through(mode, region, code)
    local result = T.ok(from_main(mode, ([[
      t:run_until(%q)
      local sp, n = t.sp, 0
      t:run_until(function(t) n = n + 1; return t.sp > sp end)
      say(n)
    ]]):format(region) .. (code or "") .. " run()"))
    assert.same(T.expected(T.run({ stepped, mode }).out), T.expected(result.out))
    return result
  end

  it("counts instructions exactly", function()
    local result = T.ok(from_main("count", [[
      t:run_until("count_region")
      local from = t.pc
      say(t:step() - from, t:step() - from, t:step() - from, t:step() - from)
      local back = t.mem:u64(t.sp)
      local pc = t:step(1998)
      say(pc == back, t.pc == back)
    ]]))
    assert.equal("5\t7\t5\t7\n", result.said:match("^[^\n]*\n"))
    -- 1 + 2 * 1000 are behind us after 1 + 2 + 1 + 1998 - 1 steps; the return is one more
    assert.equal("true\ttrue", T.lines(result.said)[2])
  end)

  it("counts as a bare loop of PTRACE_SINGLESTEP does", function()
    local result = through("count", "count_region")
    local bare = T.expected(T.run({ stepped, "bare" }).out)
    assert.same({ "bare 2002" }, bare)
    assert.same(bare, { "bare " .. result.said:match("%d+") })
  end)

  it("hc39 delivers the traps of the program's own trap flag", function()
    through("own", "own_region")
  end)

  it("hc51 keeps the trap flag out of the stored flags", function()
    through("flags", "flags_region")
  end)

  it("hc51 keeps the trap flag out of r11", function()
    through("call", "call_region")
  end)

  it("hc54 steps one iteration of a rep prefix", function()
    local result = from_main("repeat", [[
      t:run_until("repeat_region")
      while not (t.mem:u8(t.pc) == 0xf3 and t.mem:u8(t.pc + 1) == 0xa4) do t:step() end
      local pc = t.pc
      say(t.regs.rcx)
      t:step(4)
      say(t.regs.rcx, t.pc - pc)
      t:step()
      say(t.regs.rcx, t.pc - pc)
      run()
    ]])
    assert.equal("5\n1\t0\n0\t2\n", T.ok(result).said)
    assert.same({ "copied hello" }, T.expected(result.out))
  end)

  it("hc54 mends what an instruction in the shadow of mov ss stores", function()
    through("shadow", "shadow_region")
  end)

  it("hc53 lets restartable sequences commit", function()
    local result = through("sequence", "sequence_region")
    assert.is_true(tonumber(result.err:match("aborts (%d+)")) < 10, result.err)
  end)

  it("hc37 leaves SIGTRAP blocked, with its handler, and waiting", function()
    through("blocked", "blocked_region")
  end)

  it("hc37 leaves SIGTRAP ignored", function()
    through("ignored", "ignored_region")
  end)

  it("hc52 arrives at the first instruction of a handler", function()
    local result = T.ok(from_main("signal", [[
      local handler = p:symbol("on_usr1")
      on_signal("SIGUSR1", function(t)
        local pc = t:step()
        say(pc == handler, t.regs.edi)
      end)
      run()
    ]]))
    assert.equal("true\t10\n", result.said)
    assert.same({ "signals 1" }, T.expected(result.out))
  end)

  it("hc52 steps through a signal and its handler", function()
    through("signal", "signal_region")
  end)

  it("hc50 steps over a call that blocks while others run", function()
    through("block", "block_region")
  end)

  it("reports system calls on the way", function()
    local result = T.ok(from_main("call", [[
      t:run_until("call_region")
      local sp = t.sp
      on_syscall("getpid", function(t, call) say("entry", call:leave() == t.pid) end)
      local n = 0
      t:run_until(function(t) n = n + 1; return t.sp > sp end)
      say(n < 20)
      run()
    ]]))
    assert.equal("entry\ttrue\ntrue\n", result.said)
  end)

  it("steps over breakpoints", function()
    local result = T.ok(from_main("count", [[
      local region = p:symbol("count_region")
      local hits = 0
      on_break(region, function() hits = hits + 1 end)
      on_break(region + 5, function() hits = hits + 1 end)
      on_break(region + 7, function() hits = hits + 1 end)
      t:run_until("count_region")
      local sp, n = t.sp, 0
      t:run_until(function(t) n = n + 1; return t.sp > sp end)
      say(n, hits)
    ]]))
    assert.equal("2002\t2001\n", result.said)
  end)

  it("shows the program's own addresses while it steps over breakpoints", function()
    local result = T.ok(from_main("count", [[
      local region = p:symbol("count_region")
      for _, offset in ipairs { 0, 5, 7, 9 } do on_break(region + offset, function() end) end
      t:run_until(region)
      local strange = 0
      for _ = 1, 200 do
        local offset = t:step() - region
        if offset ~= 5 and offset ~= 7 then strange = strange + 1 end
      end
      say(strange)
    ]]))
    assert.equal("0\n", result.said)
  end)

  it("lets several handlers step the same thread", function()
    local result = T.ok(from_main("count", [[
      on_break("count_region", { once = true }, function(t)
        local from = t.pc
        t:step(2)
        say("two", t.pc - from)
      end)
      on_break("count_region", { once = true }, function(t)
        local from = t.pc
        t:step(3)
        say("three", t.pc - from)
      end)
      run()
    ]]))
    table.sort(T.lines(result.said))
    local lines = T.lines(result.said)
    table.sort(lines)
    assert.same({ "three\t5", "two\t7" }, lines)
  end)

  it("steps lines, over calls and into them", function()
    local result = T.ok(from_main("calls", [[
      t:run_until("calls_region")
      local function place()
        local where = t:where()
        return where.name
      end
      local names = {}
      for _ = 1, 3 do t:next(); names[#names + 1] = place() end
      say(table.concat(names, " "))
    ]]))
    assert.is_nil(result.said:find("called", 1, true))
    assert.truthy(result.said:find("calls_region", 1, true))
    result = T.ok(from_main("calls", [[
      t:run_until("calls_region")
      for _ = 1, 3 do
        t:stepline()
        if t:where().name == "called" then say("into") break end
      end
      say(t:finish() ~= nil, t:where().name)
    ]]))
    assert.equal("into\ntrue\tcalls_region\n", result.said)
  end)

  it("runs to the return of the frame, not of a deeper one", function()
    local result = T.ok(from_main("calls", [[
      t:run_until("called")
      local sp = t.sp
      t:run_until("called")
      t:run_until("called")
      say(t.regs.edi)
      t:finish()
      say(t:where().name, t.regs.eax, t.sp < sp)
    ]]))
    assert.equal("8\ncalled\t8\ttrue\n", result.said)
  end)

  it("says when a process ends before", function()
    local result = T.trace([[spawn { "true" }:run_until("main_is_not_here")]], nil)
    assert.equal(125, result.code)
    assert.truthy(result.err:find("ended before reaching main_is_not_here", 1, true), result.err)
    result = from_main("count", [[t:run_until("abort")]])
    assert.truthy(result.err:find("ended before reaching abort", 1, true), result.err)
  end)

  it("gives up at the limit, and refuses what makes no sense", function()
    local result = T.ok(from_main("count", [[
      say(t:run_until("abort", { limit = 50 }))
      say(pcall(t.step, t, 0))
      say(pcall(t.run_until, t, "main", { limt = 3 }))
      say(t:run_until("count_regio"))
      say(pcall(t.run_until, t, function(t) t:step() end))
    ]]))
    local lines = T.lines(result.said)
    assert.truthy(lines[1]:find("ETIME$"), lines[1])
    assert.truthy(lines[2]:find("1 or more", 1, true), lines[2])
    assert.truthy(lines[3]:find("no option 'limt'", 1, true), lines[3])
    assert.truthy(lines[4]:find("did you mean 'count_region'", 1, true), lines[4])
    assert.truthy(lines[5]:find("cannot wait", 1, true), lines[5])
  end)

  it("is for threads that stand still", function()
    local result = T.trace([[
      on_break("work", { count = 1 }, function(t)
        for _, other in ipairs(t.process:threads()) do
          if other ~= t then
            for _, name in ipairs { "step", "next", "stepline", "finish" } do
              say(pcall(other[name], other))
            end
            return
          end
        end
      end)]], { watched, "threads", "2", "100" })
    local lines = T.lines(result.said)
    assert.equal(4, #lines, result.err)
    for _, line in ipairs(lines) do
      assert.truthy(line:find("^false\t%(command line%):%d+: thread %d+ is running; only a stop"),
        line)
    end
  end)

  it("goes on through exec", function()
    local result = T.ok(from_main("execute", [[
      on_exec(function() say("exec") end)
      t:run_until(function(t) return t.process.cmdline[2] == "count" end, { limit = 100000 })
      say(t.process.cmdline[2])
      t:step(10)
    ]]))
    assert.equal("exec\ncount\n", result.said)
  end)

  it("hc26 detaches in the middle of a step", function()
    for _ = 1, T.scale(5) do
      local result = T.ok(from_main("blocked", [[
        t:run_until("blocked_region")
        after(0.005, function() p:detach() end)
        pcall(t.step, t, 100000000)
      ]], { words = {} }))
      assert.same(T.expected(T.run({ stepped, "blocked" }).out), T.expected(result.out))
    end
  end)

  it("steps one thread while others run", function()
    local result = T.ok(T.trace([[
      local p = spawn { ]] .. ("%q"):format(watched) .. [[, "threads", "4", "2000" }
      local t = p:run_until("work")
      say(t:step(500) ~= nil)
      run()
    ]], nil))
    assert.same({ "sum 8000" }, T.expected(result.out))
    assert.equal("true\n", result.said)
  end)
end)
