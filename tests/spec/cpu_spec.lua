-- Tracer and program share a CPU, and the program does not notice: whatever tells it where it may
-- run says the same with and without us.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local affinity = T.fixture("affinity")
local ALL = "on_syscall(function() end)"
local cpus = tonumber(T.run({ "nproc" }).out)

-- With fewer CPUs than two there is nothing to share.
local function it_shares(what, test)
  it(what, function()
    if cpus < 2 then
      pending("there is only one CPU")
      return
    end
    test()
  end)
end

local function traced(code, program, ...)
  return T.ok(T.trace(code, program, { words = { ... } }))
end

local function list(text)
  return text:match("[%d,%-]+\n")
end

describe("a program that shares our CPU", function()
  after_each(T.cleanup)

  it_shares("is on one CPU", function()
    local result = traced(ALL, { affinity, "really" }, "--cpu=share")
    assert.matches("^before: %d+\nafter: %d+\n$", result.out)
  end)

  it_shares("is on one CPU, by itself", function()
    assert.matches("^before: %d+\nafter: %d+\n$", traced(ALL, { affinity, "really" }).out)
  end)

  it("is on its own with --cpu=free", function()
    local result = traced(ALL, { affinity, "really" }, "--cpu=free")
    assert.equal(T.run({ affinity, "really" }).out, result.out)
  end)

  for _, how in ipairs { "share", "auto", "free" } do
    for _, name in ipairs { "affinity", "affinity-32" } do
      if T.exists(T.fixture(name)) then
        it(("is told what it would be told (%s, %s)"):format(name, how), function()
          local program = { T.fixture(name) }
          local native = T.ok(T.run(program))
          T.equal_text(native.out, traced(ALL, program, "--cpu=" .. how).out, name)
        end)
      end
    end
  end

  it("is told so where few of its calls are traced", function()
    local native = T.ok(T.run({ affinity })).out
    T.equal_text(native, traced("on_syscall('getppid', function(t, call) call:leave() end)",
      { affinity }, "--cpu=share").out)
    T.equal_text(native, traced("on_clone(function() end)", { affinity }, "--cpu=share").out)
    T.equal_text(native, traced("", { affinity }, "--cpu=share").out)
  end)

  it("is told so when its calls are looked at and made by others", function()
    local result = traced([[
      on_syscall("sched_getaffinity", function(t, call)
        local before = t:syscall("sched_getaffinity", 0, 1024, call.args[3])
        local after = call:leave()
        say(before == after)
      end)]], { affinity, "count" }, "--cpu=share")
    assert.equal(T.run({ affinity, "count" }).out, result.out)
    assert.matches("^true\n", result.said)
  end)

  it("sees a pid that a handler has put there", function()
    local result = traced([[
      on_syscall("sched_getaffinity", function(t, call)
        if call.args[1] ~= 0 then call.args[1] = 0 end
      end)]], { affinity, "of", "0x7ffffff" }, "--cpu=share")
    assert.equal(T.run({ affinity, "show", "other" }).out, result.out)
  end)

  it("can be told where to run by a script", function()
    local result = traced([[
      local done
      on_syscall("getppid", function(t, call)
        if done then return end
        done = true
        call:leave()
        local one = t.mem:read(t.sp - 4096, 1024)
        t.mem:write(t.sp - 4096, "\1" .. ("\0"):rep(1023))
        say(t:syscall("sched_setaffinity", 0, 1024, t.sp - 4096))
        t.mem:write(t.sp - 4096, one)
      end)]], { "sh", "-c", "exec " .. affinity .. " really; exec " .. affinity .. " show" },
      "--cpu=share")
    if result.said ~= "0\n" then
      pending("CPU 0 is not ours")
      return
    end
    assert.matches("after: 0\n", result.out)
  end)

  for _, program in ipairs { "nproc", "taskset -p $$", "taskset -cp $$",
    "python3 -c 'import os; print(os.sched_getaffinity(0))'",
    "taskset 1 nproc", "taskset 1 sh -c 'taskset -p $$'" } do
    it("is told so: " .. program, function()
      if not T.have(program:match("%a[%w]*")) then
        pending(program .. " is not installed")
        return
      end
      local shell = { "sh", "-c", program }
      local function plain(text) -- without the pid
        return (text:gsub("pid %d+", "pid"))
      end
      local native = T.run(shell)
      local result = T.trace(ALL, shell, { words = { "--cpu=share" } })
      assert.equal(plain(native.out), plain(result.out))
      assert.equal(native.code, result.code)
    end)
  end

  it("tells another traced process the same", function()
    local shell = { "sh", "-c", "sleep 5 & " .. affinity .. " of $!; taskset -p $! | tail -c 5; "
      .. "kill $!" }
    local native = T.run(shell)
    assert.equal(native.out, traced(ALL, shell, "--cpu=share").out)
  end)

  it("tells another one in a pid namespace the same", function()
    if not T.has_namespaces() then
      pending("no pid namespaces here")
      return
    end
    local shell = { "unshare", "-pf", "--mount-proc", "sh", "-c",
      "sleep 5 & " .. affinity .. " of $!; kill $!" }
    local native = T.run(shell)
    assert.equal(native.out, traced(ALL, shell, "--cpu=share").out)
  end)
end)

describe("a program that is let go", function()
  after_each(T.cleanup)
  local own = list(T.run({ affinity, "really" }).out)

  -- luatrace ends before such a program does: cat waits for it.
  local function detached(program)
    local code = "on_syscall('getppid', function(t) t.process:detach() end)"
    return T.sound(T.run(("%s --cpu=share -e %s %s | cat"):format(T.bin, T.quote(code), program)))
  end

  it("has its own CPUs", function()
    assert.equal(own, detached(affinity .. " really").out:match("after: (.*)"))
  end)

  it("has the CPUs that it has chosen", function()
    if not T.have("taskset") then
      pending("taskset is not installed")
      return
    end
    local program = "taskset 1 " .. affinity .. " really"
    local native, result = T.run(program), detached(program)
    assert.equal(native.out:match("after.*"), result.out:match("after.*"))
  end)

  it("has its own CPUs as an ignored child", function()
    local result = traced("on_clone(function(t, child) child:ignore() end) " .. ALL,
      { affinity, "child" }, "--cpu=share")
    assert.equal("child: " .. own, result.out:match("child: [^\n]*\n"))
  end)

  it("has its own CPUs with --no-follow", function()
    local result = traced(ALL, { affinity, "child" }, "--cpu=share", "--no-follow")
    assert.equal("child: " .. own, result.out:match("child: [^\n]*\n"))
  end)

  it("has its own CPUs where nothing shows what it asks", function()
    local result = traced("on_break('main', function() end)", { affinity, "really" },
      "--cpu=share", "--no-filter")
    assert.equal("before: " .. own .. "after: " .. own, result.out)
  end)

  it("is told what it would be told while it hits breakpoints and may share", function()
    local native = T.ok(T.run({ affinity, "hits", "2000" }))
    local result = traced("on_break('hit', function() end)", { affinity, "hits", "2000" })
    local function told(text) return (text:gsub("really: [^\n]*", "")) end
    assert.equal(told(native.out), told(result.out))
  end)
end)

describe("luatrace itself", function()
  after_each(T.cleanup)

  it("gives its own CPUs to io.popen", function()
    local result = traced([[on_syscall("getppid", function()
        say(io.popen("nproc"):read("a"))
        say(io.popen("nproc"):read("a"))
      end)]], { affinity, "really" }, "--cpu=share")
    assert.equal((cpus .. "\n\n"):rep(2), result.said)
  end)

  it("gives its own CPUs to what it launches later", function()
    local result = traced(([[
      local first = true
      on_syscall("getppid", function()
        if first then spawn { %q, "count" } end
        first = false
      end)]]):format(affinity), { affinity, "really" }, "--cpu=share")
    assert.matches("\n" .. cpus .. "\n", "\n" .. result.out)
  end)

  it("gives its own CPUs to the reader of object files", function()
    local mark = "CPU_SPEC_MARK=" .. T.temp():gsub("%W", "_")
    local result = T.ok(T.run(("%s %s --cpu=share -e %s %s really"):format(mark, T.bin, T.quote(([[
      on_syscall("getppid", function(t)
        t:backtrace()
        local self = io.open("/proc/self/stat"):read("a"):match("^%%d+")
        for name in io.popen("grep -slz %s /proc/[0-9]*/environ"):lines() do
          local pid = name:match("%%d+")
          local file = io.open("/proc/" .. pid .. "/status")
          local status = file and file:read("a") or ""
          if pid ~= self and status:find("^Name:%%s*luatrace") then
            print("reader: " .. status:match("Cpus_allowed_list:%%s*(%%S+)"))
          end
        end
      end)]]):format(mark)), affinity)))
    local own = list(T.run({ affinity, "really" }).out)
    assert.matches("reader: " .. own:gsub("%-", "%%-"), result.out)
  end)

  it("takes its own CPU where the program is not allowed on the other", function()
    if not T.have("taskset") then
      pending("taskset is not installed")
      return
    end
    local result = T.trace([[
      local count = 0
      on_syscall("getppid", function() count = count + 1 end)
      on_end(function() say(count) end)]],
      { "taskset", "2", T.build .. "/tests/bench/calls", "3000" }, { words = { "--cpu=share" } })
    if result.code == 0 then
      assert.equal("3000\n", result.said)
    end
  end)

  it("lets two of it finish", function()
    local calls = T.build .. "/tests/bench/calls"
    local first = T.trace(ALL, { calls, "20000" }, { start = true })
    local second = T.trace(ALL, { calls, "20000", "getppid", "4" }, { start = true })
    T.ok(first:wait(60))
    T.ok(second:wait(60))
  end)

  it("leaves attached programs alone", function()
    local program = T.start { "sleep", "30" }
    local before = T.status(program.pid, "Cpus_allowed_list")
    local tracer = T.attach(program, ALL)
    assert.equal(before, T.status(program.pid, "Cpus_allowed_list"))
    assert.equal(before, T.status(tracer.pid, "Cpus_allowed_list"))
    tracer:signal("INT")
    tracer:wait()
    assert.equal(before, T.status(program.pid, "Cpus_allowed_list"))
  end)

  it("refuses other words", function()
    for _, word in ipairs { "fast", "", "shared" } do
      local result = T.luatrace { "--cpu=" .. word, "-e", "", "true" }
      assert.equal(125, result.code)
      assert.equal("luatrace: --cpu is auto, share or free, not " .. word
        .. "; try 'luatrace --help'\n", result.err)
    end
    assert.equal(125, T.luatrace({ "--cpu" }).code)
  end)
end)
