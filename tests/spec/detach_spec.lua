-- Attach and detach again and again: hard cases 24, 25, 41 and 66. A program that is under signals,
-- or in calls that block, must not notice.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local start, attach, untouched = T.start_ready, T.attach, T.untouched

describe("attach and detach", function()
  after_each(T.cleanup)

  it("hc24 during a storm of signals loses none", function()
    local n = T.scale(2000)
    local program = start("rt-signals", n, 1000000 // n)
    for _ = 1, 5 do
      local tracer = attach(program, "on_signal(function() end)")
      T.sleep(0.05)
      tracer:signal("INT")
      T.ok(tracer:wait())
    end
    local result = T.ok(program:wait(20))
    assert.matches("received " .. n .. ", out of order 0, wrong siginfo 0\n", result.out)
  end)

  it("hc25 again and again under real-time signals lose none", function()
    local n = T.scale(6000)
    local program = start("rt-signals", n, "500")
    local result = T.ok(T.trace(([[
      local rounds = 0
      for i = 1, %d do
        local p, message, code = attach(%d)
        if not p then say(message) break end
        if i %% 3 == 0 then
          for t in p:events { signal = true } do break end
        end
        p:detach()
        run() -- until it is done
        rounds = rounds + 1
      end
      say("rounds", rounds)
    ]]):format(T.scale(1000), program.pid), nil, { timeout = 30 }))
    assert.equal("rounds\t" .. T.scale(1000) .. "\n", result.said)
    untouched(program.pid)
    result = T.ok(program:wait(20))
    assert.matches("received " .. n .. ", out of order 0, wrong siginfo 0\n", result.out)
  end)

  it("hc41 again and again meet every kind of stop", function()
    local program = T.start { T.fixture("exact"), "4", "4000", "400", "200", "50" }
    local result = T.trace(([[
      local rounds = 0
      on_syscall(function() end)
      for i = 1, %d do
        local p = attach(%d)
        if not p then break end
        for t in p:events { stop = true } do break end
        if p.alive then p:detach() end
        run()
        rounds = rounds + 1
      end
      say(rounds)
    ]]):format(T.scale(300), program.pid), nil, { timeout = 30 })
    T.ok(result)
    assert.is_true(tonumber(result.said) > 10, result.said)
    local ended = T.ok(program:wait(20))
    assert.matches("expect: signal 1600\n", ended.out)
  end)

  it("hc66 do not disturb calls that block", function()
    -- these fail with EINTR after any stop, says signal(7)
    local function restartable(text)
      return (text:gsub("undisturbed epoll_wait: [^\n]*", ""):gsub("undisturbed semop: [^\n]*", "")
        :gsub("undisturbed msgrcv: [^\n]*", ""))
    end
    local plain = T.run { T.fixture("restarts"), "100" }
    local program = start("restarts", "100")
    local result = T.ok(T.trace(([[
      local rounds = 0
      while true do
        local p = attach(%d)
        if not p then break end
        if p.alive then p:detach() end
        run()
        rounds = rounds + 1
        local later = luatrace.now() + 0.005
        while luatrace.now() < later do end
      end
      say(rounds)
    ]]):format(program.pid), nil, { timeout = 30 }))
    assert.is_true(tonumber(result.said) > 50, result.said)
    T.equal_text(restartable(plain.out), restartable(T.ok(program:wait()).out))
  end)
end)
