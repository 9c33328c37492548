-- Scripts in the kernel's place: p:emulate, call:pass, and virtual files.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local function each_abi(name, test)
  for _, suffix in ipairs { "", "-32" } do
    local program = T.fixture(name .. suffix)
    if T.exists(program) then test(program, suffix) end
  end
end

describe("p:emulate", function()
  local pass_all = "on_start(function(p) p:emulate(function(_, call) return call:pass() end) end)"

  it("answers calls that the kernel never sees", function()
    local result = T.ok(T.trace([[
      on_start(function(p)
        p:emulate(function(t, call)
          if call.name == "getpid" or call.name == "getppid" then return 4242 end
          if call.name == "write" and call.args.fd == 1 then
            say(t.pid == p.pid, (call.args.buf:gsub("\n", "")))
            return #call.args.buf
          end
          return call:pass()
        end)
      end)
    ]], { "sh", "-c", "echo pid $$ of $PPID; exit 3" }), 3)
    assert.equal("", result.out)
    assert.matches("true\tpid 4242 of 4242\n", result.said)
  end)

  it("says ENOSYS for a call without an answer, and refuses what is no answer", function()
    local result = T.ok(T.trace([[
      on_start(function(p)
        p:emulate(function(_, call)
          if call.name ~= "mkdir" then return call:pass() end
        end)
      end)
      on_syscall("mkdir", function(_, call) say(select(3, call:leave())) end)
    ]], { "mkdir", T.dir() .. "/never" }), 1)
    assert.equal("ENOSYS\n", result.said)
    assert.is_false(T.exists(T.dir() .. "/never"))
    T.ok(T.luatrace { "-e", "on_start(function(p) p:emulate(function() return 'x' end) end)",
      "true" }, 125)
    T.ok(T.luatrace { "-e", "on_start(function(p) p:emulate(1) end)", "true" }, 125)
    result = T.ok(T.luatrace { "-e", "on_syscall(function(_, call) call:pass() end)", "true" }, 125)
    assert.matches("only a call of an emulated process", result.err)
  end)

  it("takes errors as nil and a name, and changes what the kernel said", function()
    local result = T.ok(T.trace([[
      on_start(function(p)
        p:emulate(function(_, call)
          if call.name == "unlinkat" or call.name == "unlink" then return nil, "EBUSY" end
          local value, message, code = call:pass()
          if call.name == "read" and value == 3 then return 2 end
          return value, message, code
        end)
      end)
    ]], { "sh", "-c", "printf abc | cat; rm /etc/hostname 2>&1; :" }))
    assert.matches("^ab", result.out)
    assert.matches("busy", result.out)
  end)

  for _, name in ipairs { "exact", "families", "exec-thread", "rt-signals", "sigloop",
    "registers", "stop-cont", "vfork-hold", "abi-chain", "self-report" } do
    it("passes everything on without a trace: " .. name, function()
      each_abi(name, function(program)
        local alone = T.run({ program }, { timeout = 20 })
        local traced = T.luatrace({ "-e", pass_all, "--", program }, { timeout = 20 })
        assert.equal(alone.code, traced.code, traced.err)
        assert.equal(alone.out, traced.out)
      end)
    end)
  end

  it("waits without holding others up, and makes calls in the program", function()
    local result = T.ok(T.trace([[
      on_start(function(p)
        p:emulate(function(t, call)
          if call.name == "getppid" then
            sleep(0.01)
            return (t:syscall("getpid"))
          end
          return call:pass()
        end)
      end)
      on_syscall("getppid", function(t, call) say(call:leave() == t.pid) end)
    ]], { T.fixture("calls") }))
    assert.equal("true\ntrue\ntrue\n", result.said)
  end)

  it("ends with nil, and with the process", function()
    local result = T.ok(T.trace([[
      local n = 0
      on_start(function(p)
        p:emulate(function(t, call)
          n = n + 1
          if n == 10 then p:emulate(nil) end
          return call:pass()
        end)
      end)
      on_end(function() say(n) end)
    ]], { "sh", "-c", "/bin/true; echo done" }))
    assert.equal("done\n", result.out)
    assert.equal("10\n", result.said)
  end)
end)

describe("emulate.file", function()
  local device = [[
    local lines = { "one\n", "two and more\n", "three\n" }
    emulate.file("/dev/not-there", {
      open = function(file, flags) file.data.n = 0; say("open", flags % 4) return true end,
      read = function(file)
        if not lines[file.data.n + 1] then return "" end
        file.data.n = file.data.n + 1
        if file.data.n == 2 and not file.data.waited then
          file.data.n, file.data.waited = 1, true
          return nil, "EAGAIN"
        end
        sleep(0.01)
        return lines[file.data.n]
      end,
      write = function(_, bytes) say("write", (bytes:gsub("\n", ""))) end,
      ioctl = function(_, request) if request == 5 then return 7 end return nil, "ENOTTY" end,
      close = function() say("close") end,
    })
  ]]

  it("answers reads and writes of a path that need not exist", function()
    local result = T.ok(T.trace(device, { "sh", "-c", [[
      cat /dev/not-there; cd /dev; head -n 1 < ../dev/./not-there; echo hello > not-there
      test -c /dev/not-there && echo exists; exec 5< /dev/not-there; read x <&5; cat <&5; :]] }))
    assert.equal("one\ntwo and more\nthree\none\nexists\ntwo and more\nthree\n", result.out)
    local n = T.counts((result.said:gsub("\t.-\n", "\t1\n"):gsub("close", "close\t1")))
    assert.truthy(n)
    assert.equal(4, select(2, result.said:gsub("open", "")))
    assert.equal(4, select(2, result.said:gsub("close", "")))
    assert.matches("write\thello\n", result.said)
  end)

  it("refuses in the words of a device", function()
    if not T.have("python3") then return end
    local result = T.ok(T.trace(device, { "python3", "-c", [[
import os, fcntl, mmap
def error(f, *a):
  try: f(*a)
  except OSError as e: print(e.errno)
fd = os.open("/dev/not-there", os.O_RDONLY | os.O_NONBLOCK)
print(os.read(fd, 2), os.read(fd, 9))
error(os.read, fd, 9)
error(os.write, fd, b"x")
error(os.lseek, fd, 0, 0)
error(mmap.mmap, fd, 10, mmap.MAP_PRIVATE)
error(fcntl.ioctl, fd, 6)
print(fcntl.ioctl(fd, 5), fcntl.fcntl(fd, fcntl.F_GETFL) & 0o7777)
copy = os.dup(fd); os.close(fd)
print(os.read(copy, 3), flush=True)
if os.fork() == 0:
  print(os.read(copy, 99), flush=True); os._exit(0)
os.wait()
error(os.open, "/dev/not-there/", os.O_RDONLY | os.O_DIRECTORY)
]] }))
    assert.equal("b'on' b'e\\n'\n11\n9\n29\n19\n25\n7 2048\nb'two'\nb' and more\\n'\n20\n",
      result.out)
    assert.equal("open\t0\nclose\n", result.said)
  end)

  it("waits in poll and select, interrupted by signals as the kernel would", function()
    if not T.have("python3") then return end
    local result = T.ok(T.trace([[
      local ready = false
      emulate.file("/dev/slow", {
        open = function() after(0.6, function() ready = true end) return true end,
        read = function() if ready then return "now" end return nil, "EAGAIN" end,
        poll = function() return ready end,
      })
    ]], { "python3", "-c", [[
import os, select, signal
n = 0
def count(*_):
  global n; n += 1
signal.signal(signal.SIGALRM, count)
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
fd = os.open("/dev/slow", os.O_RDONLY)
r, w = os.pipe()
p = select.poll(); p.register(fd, select.POLLIN); p.register(r, select.POLLIN)
print(p.poll(60), select.select([fd, r], [], [], 0.06))
os.write(w, b"x")
print(select.select([fd, r], [], [], 5)[0] == [r], p.poll(5000) == [(r, 1)])
os.read(r, 1)
print(os.read(fd, 9), n > 5)
print(select.select([fd, r], [], [], 5)[0] == [fd], p.poll(5000) == [(fd, 1)])
signal.setitimer(signal.ITIMER_REAL, 0)
]] }))
    assert.equal("[] ([], [], [])\nTrue True\nb'now' True\nTrue True\n", result.out)
  end)

  it("says what is wrong with its arguments", function()
    for code, message in pairs {
      ["emulate.file('x', {})"] = "begins with /",
      ["emulate.file('/x', { reed = print })"] = "there is no operation 'reed'",
      ["emulate.file('/x', { read = 1 })"] = "read is a function, not a number",
      ["emulate.file('/x')"] = "needs a table of functions",
    } do
      assert.matches(message, T.ok(T.luatrace { "-e", code, "true" }, 125).err)
    end
  end)
end)

describe("the scripts", function()
  it("devsim is a sensor", function()
    local result = T.ok(T.luatrace { "devsim", "-d", "/dev/ttyS77", "-i", "0.05", "-n", "3", "cat",
      "/dev/ttyS77" })
    assert.equal("T=21.90\nT=22.28\nT=22.63\n", result.out)
  end)

  it("faketime changes the time of day", function()
    local result = T.ok(T.luatrace { "faketime", "-f", "-t", "2031-05-06 07:08:09", "--",
      "sh", "-c", "date '+%F %T'; date '+%F %T'" })
    assert.equal("2031-05-06 07:08:09\n2031-05-06 07:08:09\n", result.out)
    T.ok(T.luatrace { "faketime", "-t", "soon", "date" }, 125)
  end)

  it("fakeroot is consistent", function()
    local result = T.ok(T.luatrace { "fakeroot", "--", "sh", "-c", ([[
      cd %s; id -u; echo x > f; chown 5:6 f; ln f g; stat -c %%u:%%g g
      chown -h 7 g; stat -c %%u:%%g f; chown 1 nothing 2>&1; :]]):format(T.dir()) })
    assert.matches("^0\n5:6\n7:6\nchown: .*No such file", result.out)
  end)
end)
