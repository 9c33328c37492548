-- Watchpoints: on_watch, p:watch, scripts/watch.lua.
-- ctest: TIMEOUT 240

local T = require "support"

describe("watchpoints", function()
  local watched = T.fixture("watched")

  after_each(T.cleanup)

  local function trace(code, mode, options)
    return T.ok(T.trace(code, { watched, table.unpack(mode) }, options))
  end

  it("tell who writes, and what", function()
    local result = trace([[on_watch("counter", function(t, w)
      say(w.old, w.new, w.where.name, w.size)
    end)]], { "count" })
    local lines = T.lines(result.said)
    assert.equal(10, #lines)
    for i = 1, 10 do
      assert.equal(("%d\t%d\tset_counter\t4"):format(i - 1, i), lines[i])
    end
  end)

  it("hc58 count exactly in threads that are born later", function()
    local count = T.scale(1000)
    for _ = 1, 2 do
      local result = trace([[
        local n, tids, distinct = 0, {}, 0
        on_watch("counter", function(t)
          n = n + 1
          if not tids[t.tid] then tids[t.tid] = true; distinct = distinct + 1 end
        end)
        on_end(function() say(n, distinct) end)]], { "threads", "8", tostring(count) })
      assert.equal(("%d\t8\n"):format(8 * count), result.said)
      assert.same({ "sum " .. 8 * count }, T.expected(result.out))
    end
  end)

  it("hc58 follow a forked child and leave out who is detached", function()
    local result = trace([[on_watch("counter", function(t, w)
      say(w.old, w.new, t.process.kind)
    end)]], { "fork" })
    local lines = T.lines(result.said)
    table.sort(lines)
    assert.same({ "0\t1\tlaunched", "1\t2\tfork", "1\t3\tlaunched" }, lines)
  end)

  it("hc58 look names up again after exec", function()
    local result = trace([[on_watch("counter", function(t, w) say(w.old, w.new) end)]], { "exec" })
    local lines = T.lines(result.said)
    assert.equal(11, #lines)
    assert.equal("0\t99", lines[1])
    assert.equal("9\t10", lines[11])
  end)

  it("know the sizes of variables, and signs", function()
    local result = trace([[
      for _, name in ipairs { "bytes", "half", "word", "large" } do
        on_watch(name, "w", { signed = true }, function(t, w) say(name, w.old, w.new, w.size) end)
      end]], { "sizes" })
    assert.equal("bytes\t0\t-1\t1\nhalf\t0\t-2\t2\nword\t0\t-3\t4\nlarge\t0\t-4\t8\n", result.said)
  end)

  it("split larger areas over several registers", function()
    local result = trace([[
      on_start(function(p)
        local area = p:symbol("area")
        say(p:watch(area + 32, 32, function(t, w) say(w.addr - area, w.new) end))
      end)]], { "area" })
    local lines = T.lines(result.said)
    assert.equal("32\t" .. (("x"):byte() << 40), lines[2])
  end)

  it("see reads as well", function()
    local result = trace([[on_watch("counter", "rw", function(t, w) say(w.old, w.new) end)]],
      { "read" })
    assert.equal("0\t0\n0\t0\n0\t0\n0\t7\n7\t7\n", result.said)
  end)

  it("see execution, once each time", function()
    local result = trace([[on_watch("set_counter", "x", function(t, w)
      say(t.regs.edi, w.pc == w.addr)
      t.regs.eax = 5 -- written back with the flags that it has
    end)]], { "count" })
    local want = {}
    for i = 1, 10 do want[i] = i .. "\ttrue" end
    assert.same(want, T.lines(result.said))
  end)

  it("name the users of the registers when there are no more", function()
    local result = trace([[
      for _, name in ipairs { "bytes", "half", "word", "large", "counter" } do
        on_watch(name, function() end)
      end]], { "sizes" })
    assert.truthy(result.err:find("4 debug registers, and all are in use", 1, true), result.err)
    assert.truthy(result.err:find("bytes, half, large, word", 1, true), result.err)
  end)

  it("give registers back", function()
    local result = trace([[
      on_start(function(p)
        for _ = 1, 3 do
          local hooks = {}
          for i, name in ipairs { "bytes", "half", "word", "large" } do
            hooks[i] = assert(p:watch(name, function() end))
          end
          say(select(3, p:watch("counter", function() end)))
          for _, hook in ipairs(hooks) do hook:remove() end
        end
        p:watch("counter", function(t, w) say(w.new); w:remove() end)
      end)]], { "count" })
    assert.equal("ENOSPC\nENOSPC\nENOSPC\n1\n", result.said)
  end)

  it("work by software, for areas of any size", function()
    local result = trace([[
      on_start(function(p)
        local t = p:run_until("main")
        local area = p:symbol("area")
        p:watch("area", { software = true }, function(t, w)
          say(w.addr - area, luatrace.bit.band(w.new, 0xff), w.where.name)
        end)
      end)]], { "area" })
    assert.equal(("37\t%d\tmain\n"):format(("x"):byte()), result.said)
  end)

  it("hc37 leave a blocked SIGTRAP alone where the program's calls are traced", function()
    local result = trace([[
      on_syscall({ "rt_sigprocmask", "rt_sigaction" }, function(t, call) call:leave() end)
      on_watch("counter", function(t, w) say(w.new) end)]], { "mask" })
    assert.equal("1\n2\n3\n", result.said)
    assert.same({ "blocked 1", "handled 1" }, T.expected(result.out))
  end)

  it("reach all threads of a running process, and none after a detach", function()
    local program = T.start_ready("threads", 4)
    local tracer = T.attach(program, [[
      on_start(function(p)
        for _, t in ipairs(p:threads()) do
          local stopped, sp = pcall(function() return t.sp end)
          if stopped then assert(p:watch(sp - sp % 8, 8, "rw")) break end
        end
        after(0.1, function() p:detach() end)
      end)]])
    T.ok(tracer:wait())
    T.untouched(program.pid)
    T.sleep(0.1)
    assert.is_true(program:alive())
  end)

  it("refuse what cannot be watched", function()
    local result = trace([[
      say(pcall(on_watch, "counter", "rx", print))
      say(pcall(on_watch, 4096, print))
      say(pcall(on_watch, "counter", { sice = 3 }, print))
      say(pcall(on_watch, "counter"))
      say(pcall(on_watch, 1/0, 4, print))
      on_start(function(p)
        say(p:watch(-4096, 4))
        say(p:watch("countr"))
        say(p:watch("area", { size = 64 }))
      end)]], { "count" })
    local lines = T.lines(result.said)
    for i, text in ipairs { "there is no mode 'rx'", "an address needs a size",
      "did you mean 'size'", "needs a function", "an address is an integer", "EINVAL",
      "ENOENT", "EINVAL" } do
      assert.truthy(lines[i]:find(text, 1, true), lines[i])
    end
  end)

  it("say what was never written", function()
    local result = trace([[on_watch("area", { size = 8 }, print); on_watch("no_such", print)]],
      { "count" })
    assert.truthy(result.err:find("'area' was never written", 1, true), result.err)
    assert.truthy(result.err:find("'no_such' was never found", 1, true), result.err)
  end)
end)
