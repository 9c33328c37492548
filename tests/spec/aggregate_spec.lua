-- count, sum and hist: what they count, by which keys, and what they print.

local T = require "support"

local fixture = T.fixture("aggregates")

-- Run the fixture under a script that ends by saying things; returns the lines.
local function said(code, ...)
  return T.lines(T.ok(T.trace(code, { fixture, ... })).said)
end

local function refused(code, pattern)
  local result = T.trace(code, { "true" })
  assert.not_equal(0, result.code)
  assert.matches(pattern, result.err)
end

describe("counts of system calls", function()
  it("are exact with 8 threads", function()
    local n = T.scale(2000)
    local lines = said([[
      local by_tid = on_syscall("getppid", count { by = { "tid", "name" } })
      local all = on_syscall(count { by = "name" })
      on_end(function()
        say(#by_tid:rows(), by_tid:total())
        for tid, name, value in by_tid:pairs() do say(name, value, by_tid:get(tid, name)) end
        say(all:get("getppid"), all:get("munlockall"))
      end)]], "threads", 8, n)
    assert.equal(("8\t%d"):format(8 * n), lines[1])
    for i = 2, 9 do assert.equal(("getppid\t%d\t%d"):format(n, n), lines[i]) end
    assert.equal(8 * n .. "\t0", lines[10])
  end)

  it("are exact in forked children", function()
    local n = T.scale(500)
    local lines = said([[
      local by_pid = on_syscall("getppid", count { by = "pid" })
      on_end(function()
        say(#by_pid:rows())
        for _, value in by_pid:pairs() do say(value) end
      end)]], "forks", 6, n)
    assert.equal("7", lines[1])
    for i = 2, 8 do assert.equal(tostring(n), lines[i]) end
  end)

  it("have handlers beside them", function()
    assert.same({ "20\t20\t20\t20" }, said([[
      local calls, before, after = 0, on_syscall("getppid", count()), nil
      on_syscall("getppid", function(t, call) calls = calls + 1 call:leave() end)
      after = on_syscall("getppid", count { by = "error" })
      on_end(function() say(calls, before:total(), after:total(), after:get("ok")) end)]],
      "threads", 2, 10))
  end)

  it("go by strings, and by addresses where there is no string", function()
    local lines = said([[
      local files = on_syscall({ "openat" }, count { by = { "filename", "error" } })
      on_end(function()
        say(files:get("/nowhere/three", "ENOENT"), files:get("/nowhere/one\n", "ENOENT"))
        say(files:get(16, "EFAULT"), files:get("/nowhere/three", "ok"))
        say(tostring(files):match("/nowhere/o[^ ]*"))
      end)]], "paths")
    assert.same({ "3\t1", "1\t0", "/nowhere/one\\n" }, lines)
  end)

  it("know calls of 32-bit programs by the same names", function()
    if not T.exists(T.fixture("aggregates-32")) then return pending("no 32-bit programs") end
    local result = T.ok(T.trace([[
      local both = on_syscall("getppid", count { by = { "name", "abi" } })
      local names = on_syscall("getppid", count { by = "name" })
      on_end(function()
        say(both:get("getppid", "i386"), #names:rows(), names:get("getppid") == both:total())
      end)]],
      { "sh", "-c", fixture .. " threads 1 5; " .. fixture .. "-32 threads 1 7" }))
    assert.equal("7\t1\ttrue\n", result.said)
  end)

  it("go on in what is executed", function()
    assert.same({ "9\t9" }, said([[
      local n, hits = on_syscall("getppid", count()), on_break("work", count())
      on_end(function() say(n:total(), hits:total()) end)]], "exec", 9))
  end)

  it("leave out calls without the argument, and calls that do not meet a condition", function()
    assert.same({ "3\t1\t5" }, said([[
      local n = on_syscall("close", { fd = { 1001, 1003, 1004 } }, count())
      local odd = on_syscall("close", { fd = 1001 }, count { by = "fd" })
      local files = on_syscall({ "close", "getpid" }, count { by = "fd" })
      on_end(function()
        local many = 0
        for fd, value in files:pairs() do if fd >= 1000 then many = many + value end end
        say(n:total(), odd:total(), many)
      end)]], "keys", 5))
  end)
end)

describe("bounds", function()
  it("put what has no row with the others", function()
    local lines = said([[
      local n = on_syscall("close", count { by = "fd", max = 10 })
      on_end(function()
        local rows, known = n:rows(), 0
        for _, row in ipairs(rows) do known = known + row.count end
        say(#rows, n:total() == known + n:others(), n:others() >= 990,
          tostring(n):find("(others)", 1, true) ~= nil)
      end)]], "keys", 1000)
    assert.same({ "10\ttrue\ttrue\ttrue" }, lines)
  end)

  it("hold for strings", function()
    local lines = said([[
      local n = on_syscall("openat", count { by = "filename", max = 2 })
      on_end(function() say(#n:rows(), n:others() > 0) end)]], "paths")
    assert.same({ "2\ttrue" }, lines)
  end)
end)

describe("sums and histograms", function()
  it("take results of calls that succeed", function()
    local lines = said([[
      local bytes = on_syscall("read", sum("ret"))
      local pipe = on_syscall("read", sum("ret", { by = "count" }))
      local sizes = on_syscall("read", hist("ret", { by = "count" }))
      local steps = on_syscall("read", hist("ret", { by = "count", from = 2, to = 8, step = 3 }))
      local failed = on_syscall("read", count { by = "error" })
      on_end(function()
        say(pipe:get(64), select(2, bytes:total()) >= 5, failed:get("EBADF"))
        local function show(row)
          local parts = { row.count, row.sum, ("%.1f"):format(row.average) }
          for _, b in ipairs(row.buckets) do
            parts[#parts + 1] = ("%s-%s:%d"):format(b.from, b.to, b.count)
          end
          say((table.concat(parts, " ")))
        end
        show(sizes:get(64))
        show(steps:get(64))
        say(steps:get(65))
      end)]], "reads")
    assert.same({ "24\ttrue\t1", "5 24 4.8 1-2:1 2-4:2 4-8:0 8-16:2",
      "5 24 4.8 nil-2:1 2-5:2 5-8:0 8-nil:2", "nil" }, lines)
  end)

  it("measure times", function()
    local lines = said([[
      local slept = on_syscall("clock_nanosleep", sum("time"))
      local slow = on_syscall("clock_nanosleep", hist("time"))
      on_end(function()
        local total, n = slept:total()
        say(n, total >= 4 * 5e6, total < 60e9, slow:get().buckets[1].from >= 2 ^ 22)
      end)]], "sleeps", 4)
    assert.same({ "4\ttrue\ttrue\ttrue" }, lines)
  end)

  it("take arguments", function()
    assert.same({ "10\t3" }, said([[
      local n = on_syscall("close", { fd = { 1001, 1002, 1003 } }, sum(1))
      local m = on_syscall("close", { fd = { 1001, 1002, 1003 } }, sum("fd"))
      on_end(function() say(n:total() - 2996, select(2, m:total())) end)]], "keys", 5))
  end)

  it("print bars", function()
    local lines = T.lines(T.ok(T.trace([[
      local sizes = on_syscall("read", hist("ret", { by = "count" }))
      on_end(function() print(sizes) end)]], { fixture, "reads" })).out)
    local at
    for i, line in ipairs(lines) do
      if line == "count 64: 5 values, average 4.8, sum 24" then at = i end
    end
    assert.is_truthy(at)
    assert.equal("[1]      1 |" .. ("@"):rep(20) .. (" "):rep(20) .. "|", lines[at + 1])
    assert.equal("[2, 4)   2 |" .. ("@"):rep(40) .. "|", lines[at + 2])
    assert.equal("[4, 8)   0 |" .. (" "):rep(40) .. "|", lines[at + 3])
    assert.equal("[8, 16)  2 |" .. ("@"):rep(40) .. "|", lines[at + 4])
  end)

  it("print tables", function()
    local result = T.ok(T.trace([[
      local n = on_syscall("close", { fd = { 1001, 1002 } }, sum("fd", { by = { "fd", "name" } }))
      local nothing = on_syscall("munlockall", count { by = "pid" })
      local one = on_syscall("close", { fd = { 1001, 1002 } }, count())
      on_end(function() print(n) print(nothing) print(one) end)]], { fixture, "keys", 5 }))
    assert.equal(table.concat({
      "fd    name   count   sum  average",
      "1002  close      1  1002   1002.0",
      "1001  close      1  1001   1001.0",
      "(nothing was counted)", "2", "" }, "\n"), result.out)
    assert.matches("munlockall was never called", result.err)
  end)
end)

describe("counts at breakpoints", function()
  it("are exact with 8 threads, by arguments", function()
    local n = T.scale(1000) * 4
    local lines = said([[
      local hits = on_break("work", count { by = { 1, "tid" } })
      local texts = on_break("work", count { by = { arg = 3, type = "string" } })
      local signs = on_break("work", sum({ arg = 2, type = "i32" }, { by = "pid" }))
      on_end(function()
        say(hits:total(), #hits:rows(), texts:get("three"), signs:total())
        for kind, _, value in hits:pairs() do
          if value ~= ]] .. n // 4 .. [[ then say("wrong", kind, value) end
        end
      end)]], "threads", 8, n)
    assert.same({ ("%d\t32\t%d\t0\t%d"):format(8 * n, 2 * n, 8 * n) }, lines)
  end)

  it("are exact in forked children", function()
    local n = T.scale(300)
    local lines = said([[
      local hits = on_break("work", count { by = "pid" })
      on_end(function()
        say(#hits:rows(), hits:total())
        for _, value in hits:pairs() do say(value) end
      end)]], "forks", 4, n)
    assert.equal("5\t" .. 5 * n, lines[1])
    for i = 2, 6 do assert.equal(tostring(n), lines[i]) end
  end)

  it("take conditions", function()
    assert.same({ "2\t3\t3\t4\t1" }, said([[
      local function some(when) return on_break("work", { when = when }, count()) end
      local equal, range = some { [1] = 1 }, some { [1] = { min = 1 } }
      local mask = some { [1] = { has = 2 } }
      local negative = some { [2] = { max = -1, type = "i32" } }
      local both = some { [1] = { 1, { min = 3, max = 9 } }, [2] = { 1, -1, type = "i32" } }
      on_end(function()
        say(equal:total(), range:total() - 3, mask:total() - 1, both:total(), negative:total() - 3)
      end)]], "threads", 1, 8))
  end)

  it("know the caller, and say how they count", function()
    local lines = said([[
      local hits = on_break("work", count { by = "caller" })
      local at = on_break("work", count { by = "pc" })
      local raw = on_break("work", count { by = { { "caller", type = "u64" }, "name" } })
      on_end(function()
        say(hits:get("toil"), #at:rows(), hits.stops + hits.planted)
        say(tostring(at):match("0x%x+") ~= nil, raw:rows()[1].key.name, raw:rows()[1].key[1] > 4096)
      end)]], "threads", 2, 5)
    assert.same({ "10\t1\t1", "true\twork\ttrue" }, lines)
  end)

  it("have handlers beside them", function()
    assert.same({ "10\t10" }, said([[
      local calls, hits = 0, on_break("work", count())
      on_break("work", function() calls = calls + 1 end)
      on_end(function() say(calls, hits:total()) end)]], "threads", 1, 10))
  end)

  it("take results and times of functions", function()
    local n = T.scale(100) * 4
    local lines = said([[
      local results = on_break("work", count { by = "ret" })
      local sums = on_break("work", sum("ret", { by = { 1, "tid" } }))
      local times = on_break("work", hist("time"))
      local third = on_break("work", { when = { [1] = 3 } }, sum("ret"))
      local left = 0
      on_break("work", function(t, f) if f:leave("int64") < 4 then left = left + 1 end end)
      on_end(function()
        for ret, calls in results:pairs("key") do say(ret, calls) end
        say(sums:total())
        say(#sums:rows(), times:total(), left)
        say(third:total())
      end)]], "threads", 2, n)
    local each = n // 2
    assert.same({ "0\t" .. each, "1\t" .. each, "2\t" .. each, "3\t" .. each,
      ("%d\t%d"):format(6 * each, 2 * n), ("8\t%d\t%d"):format(2 * n, 2 * n),
      ("%d\t%d"):format(2 * each // 2 * 2, each) }, lines)
  end)

  it("leave out functions that do not return", function()
    local result = T.ok(T.trace([[
      local exits = on_break("exit", count { by = "ret" })
      local calls = on_break("exit", count())
      on_end(function() say(exits:total(), calls:total()) end)]], { fixture, "threads", 1, 1 }))
    assert.equal("0\t1\n", result.said)
  end)

  it("go by the names of functions", function()
    local lines = said([[
      local calls = on_call("libc:*getpid*", count { by = { "name", "pid" } })
      local own = on_break({ "work", "toil" }, count { by = "name" })
      on_end(function() say(own:get("work"), own:get("toil"), calls:total() >= 0) end)]],
      "threads", 3, 5)
    assert.same({ "15\t3\ttrue" }, lines)
  end)

  it("are removed while functions run", function()
    assert.same({ "0\t1\t0" }, said([[
      local gone, kept = on_break("main", hist("time")), on_break("main", count { by = "ret" })
      local late = on_break("phases", hist("time"))
      on_syscall("getuid", function()
        gone:remove()
        late:remove()
      end)
      on_end(function() say(gone:total(), kept:total(), late:total()) end)]], "phases", 7))
  end)

  it("name what was never found or reached", function()
    local result = T.trace([[on_break("wrok", count()) on_break("work", count())]],
      { fixture, "sleeps", 1 })
    assert.matches("'wrok' was never found", result.err)
    assert.matches("'work' was never reached", result.err)
  end)
end)

describe("a program that is attached to", function()
  after_each(T.cleanup)

  it("is counted, and let go", function()
    local program = T.start_ready("aggregates", "until", 4)
    local tracer = T.attach(program, [[
      local calls, hits = on_syscall("getppid", count()), on_break("work", count())
      local times = on_break("work", hist("time"))
      every(0.01, function()
        if calls:total() > 20 and hits:total() > 20 and times:total() > 20 then os.exit(0) end
      end)
      on_end(function() say("over") end)]])
    local result = T.ok(tracer:wait())
    assert.matches("over", result.said)
    assert.is_true(program:alive())
    assert.equal("0", T.status(program.pid, "TracerPid"))
  end)
end)

describe("counts of signals", function()
  it("go by name", function()
    assert.same({ "4\t1\t1" }, said([[
      local all, one = on_signal(count { by = "name" }), on_signal("SIGUSR2", count())
      on_end(function() say(all:get("SIGUSR1"), all:get("SIGUSR2"), one:total()) end)]],
      "signals", 4))
  end)
end)

describe("an aggregation", function()
  it("is cleared and removed while the program runs", function()
    assert.same({ "7\t7", "0\t0", "7\t7", "7\t7" }, said([[
      local calls, hits = on_syscall("getppid", count()), on_break("work", count { by = 1 })
      on_syscall("getuid", function()
        say(calls:total(), hits:total())
        calls:clear()
        hits:clear()
        say(calls:total(), hits:total())
      end)
      on_syscall("geteuid", function()
        say(calls:total(), hits:total())
        calls:remove()
        hits:remove()
      end)
      on_end(function() say(calls:total(), hits:total()) end)]], "phases", 7))
  end)

  it("is added while the program runs", function()
    assert.same({ "7\t7" }, said([[
      local calls, hits
      on_syscall("geteuid", function()
        calls, hits = on_syscall("getppid", count { by = "error" }), on_break("work", count())
      end)
      on_end(function() say(calls:total(), hits:total()) end)]], "phases", 7))
  end)

  it("takes from several places", function()
    assert.same({ "14" }, said([[
      local n = count()
      on_syscall("getppid", n)
      on_break("work", n)
      on_end(function() say(n:total()) end)]], "threads", 1, 7))
  end)

  it("sorts by value or by key", function()
    assert.same({ "three 2 none 1 two 1", "none 1 three 2 two 1" }, said([[
      local texts = on_break("work", { when = { [1] = { 0, 2, 3 } } },
        count { by = { arg = 3, type = "string" } })
      on_break("work", { when = { [1] = 3 } }, texts)
      on_end(function()
        for _, order in ipairs { "value", "key" } do
          local parts = {}
          for text, n in texts:pairs(order) do parts[#parts + 1] = text .. " " .. n end
          say(table.concat(parts, " "))
        end
      end)]], "threads", 1, 4))
  end)

  it("refuses what it does not know, with the nearest name", function()
    refused([[on_syscall(count { bye = "name" })]], "no option 'bye'; did you mean 'by'%?")
    refused([[on_syscall("openat", count { by = "filname" })]], "did you mean 'filename'%?")
    refused([[on_syscall("read", sum("cuont"))]], "'cuont'; did you mean 'count'%?")
    refused([[on_syscall("openat", sum("filename"))]], "has no number as its argument 'filename'")
    refused([[on_break("main", count { by = "error" })]], "on_break has no 'error'")
    refused([[on_break("main", hist("caller"))]], "on_break has no 'caller'")
    refused([[on_break("main", hist("size"))]], "by their positions")
    refused([[on_break("main", { when = function() end }, count())]], "when is a table")
    refused([[on_break("main", { once = true }, count())]], "once needs a function")
    refused([[on_break("main", { when = { size = 1 } }, count())]], "by position")
    refused([[on_break("main", count { by = { arg = 1, type = "i31" } })]], "did you mean 'i32'%?")
    refused([[on_exec(count())]], "on_exec takes a function")
    refused([[on_signal(count { by = "ret" })]], "on_signal has no 'ret'")
    refused([[sum()]], "sum needs a value")
    refused([[hist("ret", { to = 10 })]], "need to and step")
    refused([[hist("ret", { to = 1000000, step = 1 })]], "at most 1024 buckets")
    refused([[count { by = { 1, 2, 3, 4, 5 } }]], "four keys at most")
    refused([[count { max = 0 }]], "max is a number of rows")
    refused([[count { by = 0 }]], "no argument 0")
    refused([[count():get("x")]], "get needs 0 keys")
    refused([[count { by = "name" }:get("raed")]], "no name 'raed'")
    refused([[on_syscall("openat", { filename = print }, count())]], "function")
  end)
end)

describe("luatrace count", function()
  it("has the numbers of strace -c", function()
    local result = T.ok(T.luatrace { "count", fixture, "keys", "100" })
    local row = result.err:match("[^\n]+ close\n")
    local calls, errors = row:match("(%d+)%s+(%d+) close")
    assert.is_true(tonumber(calls) >= 100)
    assert.equal("100", errors)
    assert.matches("100%.00 +[%d.]+ +%d+ +%d+ +%d+ total\n", result.err)
  end)
end)
