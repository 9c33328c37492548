-- The scripts that change what programs do: redirect, chaos, faults, sandbox, dryrun.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- luatrace NAME options -- program
local function run(name, options, program, how)
  local words = { name }
  for _, word in ipairs(options) do words[#words + 1] = word end
  words[#words + 1] = "--"
  for _, word in ipairs(program) do words[#words + 1] = word end
  return T.luatrace(words, how)
end

-- Both builds of the fixture "show", where there is a 32-bit one.
local function each(fn)
  fn(T.fixture("show"))
  if T.exists(T.fixture("show-32")) then fn(T.fixture("show-32")) end
end

local function sh(code) return { "sh", "-c", code } end

local function count(text, pattern) return select(2, text:gsub(pattern, "")) end

-- A fresh directory.
local function directory()
  local dir = T.temp()
  assert(os.execute("mkdir " .. T.quote(dir)))
  return dir
end

local function put(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

describe("every script of these", function()
  for _, name in ipairs { "redirect", "chaos", "faults", "sandbox", "dryrun" } do
    it(name .. " has fewer than 80 lines, each module fewer than 130", function()
      local text = T.read(T.source .. "/scripts/" .. name .. ".lua")
      assert.is_true(count(text, "\n") < 80)
      for _, module in ipairs { "calls", "paths", "errors", "runs" } do
        text = T.read(("%s/scripts/%s/%s.lua"):format(T.source, name, module)) or ""
        assert.is_true(count(text, "\n") < 130)
      end
    end)

    it(name .. " has help, and refuses nonsense", function()
      local result = T.ok(T.luatrace { name, "--help" })
      assert.matches("%-o", result.out)
      assert.equal("", result.err)
      result = T.ok(T.luatrace { name, "--nonsense", "true" }, 125)
      assert.not_matches("traceback", result.err)
    end)
  end
end)

describe("those that change one run", function()
  local options = { redirect = { "-v", "/nowhere/*=/etc/*" }, chaos = { "getpgrp:EIO" },
    sandbox = { "-r", "/" }, dryrun = {} }

  for name, words in pairs(options) do
    it(name .. " leaves what it does not change alone", function()
      local result = T.ok(run(name, words, sh("echo out; cat /etc/hostname; exit 3")), 3)
      assert.equal("out\n" .. T.read("/etc/hostname"), result.out)
    end)

    it(name .. " survives a program that is full of threads and deaths", function()
      local result = T.ok(run(name, words, { T.fixture("exact"), "4", "20", "5", "5", "3" }))
      assert.matches("expect: exit 9", result.out)
    end)
  end

  it("escape what the program controls", function()
    local evil = "'/tmp/evil\27[31m\n'"
    for name, words in pairs { redirect = { "-v", "/tmp/ev*=/nowhere" }, dryrun = {}, sandbox = {},
      chaos = { "unlink*:EIO" } } do
      local result = run(name, words, sh("unlink " .. evil .. " 2>/dev/null; :"))
      assert.matches("/evil\\33", result.err)
      assert.not_matches("\27", result.err)
    end
  end)
end)

describe("redirect", function()
  local dir, real, fake

  before_each(function()
    dir = directory()
    real, fake = dir .. "/real", dir .. "/fake"
    put(real, "real\n")
    put(fake, "fake\n")
  end)

  it("has another file opened", function()
    each(function(program)
      assert.equal("fake\n", T.ok(run("redirect", { real .. "=" .. fake }, { program, real })).out)
      assert.equal("real\n", T.ok(run("redirect", { real .. "x=" .. fake }, { program, real })).out)
    end)
  end)

  it("knows the file by other names", function()
    assert(os.execute("cd " .. T.quote(dir) .. " && mkdir a && ln -s .. a/up"))
    each(function(program)
      local result = T.ok(run("redirect", { real .. "=" .. fake },
        { program, "real", "./real", "a/../real", "a/up/real" }, { cwd = dir }))
      assert.equal(("fake\n"):rep(4), result.out)
    end)
  end)

  it("takes relative paths", function()
    each(function(program)
      local result = T.ok(run("redirect", { "real=./fake" }, { program, real }, { cwd = dir }))
      assert.equal("fake\n", result.out)
    end)
  end)

  it("takes patterns, and uses the first rule that fits", function()
    put(dir .. "/b.real", "b\n")
    put(dir .. "/b.fake", "B\n")
    each(function(program)
      local result = T.ok(run("redirect", { "-v", real .. "=" .. fake, dir .. "/*.r*l=" .. dir ..
        "/*.fake", "/*real=/nowhere" }, { program, real, dir .. "/b.real" }))
      assert.equal("fake\nB\n", result.out)
      assert.equal(2, count(result.err, "open[^\n]* %-> "))
    end)
  end)

  it("runs another program", function()
    local result = T.ok(run("redirect", { "/bin/true=" .. T.fixture("show") },
      sh("/bin/true /etc/hostname")))
    assert.equal(T.read("/etc/hostname"), result.out)
  end)

  it("changes both paths of a call", function()
    T.ok(run("redirect", { dir .. "/x=" .. real, dir .. "/y=" .. dir .. "/z" },
      { "mv", dir .. "/x", dir .. "/y" }))
    assert.equal("real\n", T.read(dir .. "/z"))
    assert.is_nil(T.read(real))
  end)

  it("needs a rule", function()
    T.ok(run("redirect", {}, { "true" }), 125)
    T.ok(run("redirect", { "nonsense" }, { "true" }), 125)
  end)
end)

describe("chaos", function()
  it("lets the third write fail, and says so", function()
    local out = T.temp()
    local result = T.ok(run("chaos", { "write:EIO:nth=3" },
      { "dd", "if=/dev/zero", "of=" .. out, "bs=1k", "count=5" }), 1)
    assert.matches("#3 write%(1, .*, 1024%): EIO\n", result.err)
    assert.matches("Input/output error", result.err)
    assert.equal(2048, #T.read(out))
  end)

  it("understands nth with a range, and every", function()
    local function failures(rule)
      local result = run("chaos", { rule },
        sh("for i in 1 2 3 4 5 6; do kill -0 $$; done"))
      local numbers = {}
      for number in result.err:gmatch("#(%d+) kill") do numbers[#numbers + 1] = number end
      return table.concat(numbers, " ")
    end
    assert.equal("2 3 4", failures("kill:EIO:nth=2-4"))
    assert.equal("5 6", failures("kill:EIO:nth=5+"))
    assert.equal("2 4 6", failures("kill:EIO:every=2"))
    assert.equal("1 2 3 4 5 6", failures("kill:EIO"))
  end)

  it("is the same again with the same seed", function()
    local function report(seed)
      local result = run("chaos", { "-s", seed, "kill:EIO:p=0.5" },
        sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do kill -0 $$; done"))
      assert.matches("chaos: seed " .. seed .. "\n", result.err)
      local lines = {}
      for number in result.err:gmatch("#(%d+) kill%(") do lines[#lines + 1] = "#" .. number end
      return table.concat(lines, " ")
    end
    local one = report("1")
    assert.equal(one, report("1"))
    assert.not_equal(one, report("2"))
    local hits = count(one, "#")
    assert.is_true(hits > 2 and hits < 14)
  end)

  it("delays", function()
    local result = T.ok(run("chaos", { "write:delay=0.2" }, { "echo", "late" }))
    assert.equal("late\n", result.out)
    assert.is_true(result.seconds >= 0.2)
  end)

  it("refuses rules that mean nothing", function()
    for _, rule in ipairs { "write", "wirte:EIO", "write:ENOPE", "write:EIO:nth=x",
      "write:EIO:p=often" } do
      local result = T.ok(run("chaos", { rule }, { "true" }), 125)
      assert.not_matches("traceback", result.err)
    end
  end)

  if T.have("sqlite3") then
    it("finds that sqlite3 survives every failed sync", function()
      local calls, reported = 0, 0 -- it does not mind if a directory cannot be synced
      for nth = 1, 20 do
        local db = T.temp(".db")
        local result = run("chaos", { "fdatasync,fsync:EIO:nth=" .. nth },
          { "sqlite3", db, "create table t(x); insert into t values(1); insert into t values(2);" })
        if not result.err:find("#" .. nth .. " f%l*sync") then break end
        calls = nth
        if result.err:find("disk I/O error", 1, true) then reported = reported + 1 end
        local check = T.run({ "sqlite3", db, "pragma integrity_check" })
        assert.equal("ok\n", check.out)
      end
      assert.is_true(calls > 3 and reported > 1)
    end)
  end
end)

describe("faults", function()
  it("reports what was noticed and what was swallowed", function()
    local result = T.ok(run("faults", { "-a" }, sh("cat /etc/hostname > out.txt"),
      { cwd = directory() }), 1)
    assert.matches("^faults: exited with 0, %d+ runs\n", result.err)
    assert.matches('\nnoticed +1 sh #%d+: openat%([^\n]*"out.txt"[^\n]*EACCES: exited with 2\n',
      result.err)
    assert.matches("\nswallowed +1 sh #%d+: close%(%d+%) = %-1 EIO\n", result.err)
    assert.matches('\nnoticed +1.1 cat #%d+: openat%([^\n]*"/etc/hostname"', result.err)
    assert.matches("\nfaults: [^\n]*%d+ noticed, %d+ swallowed", result.err)
    assert.not_matches("not reached", result.err)
  end)

  it("gives the same report again, also for a choice by seed", function()
    local function report(...)
      local result = run("faults", { "-a", ... }, { T.fixture("show"), "/etc/hostname" })
      return result.err
    end
    assert.equal(report(), report())
    local some = report("-n", "3", "-s", "5")
    assert.matches(", 3 runs, seed 5\n", some)
    assert.equal(some, report("-n", "3", "-s", "5"))
  end)

  it("recognizes a hang and a crash", function()
    local result = T.ok(run("faults", { "-t", "0.5", "-e", "openat" },
      sh("cat /etc/hostname || sleep 60")), 1)
    assert.matches("\nhung +1.1 cat #%d+: openat", result.err)
    result = T.ok(run("faults", { "-e", "openat" },
      sh("cat /etc/hostname || kill -SEGV $$")), 1)
    assert.matches("\ncrashed +1.1 cat #%d+: openat[^\n]*: SIGSEGV\n", result.err)
  end)

  it("exits with 0 where all is noticed", function()
    local result = T.ok(run("faults", { "-e", "write" }, { T.fixture("show"), "/etc/hostname" }))
    assert.matches("faults: [%w ,]*%d+ noticed\n", result.err)
  end)

  it("says that a program cannot be run", function()
    T.ok(run("faults", {}, { "/nowhere/at/all" }), 125)
    T.ok(T.luatrace { "faults" }, 125)
  end)
end)

describe("dryrun", function()
  -- Everything below a directory: names, modes, sizes, times, contents.
  local function state(dir)
    return T.run("cd " .. T.quote(dir) .. " && find . -printf '%p %m %s %T@ %l\\n' | sort && " ..
      "find . -type f | sort | xargs -r cat").out
  end

  it("lists what rm -rf would remove, and leaves it whole", function()
    local dir = directory()
    assert(os.execute("cd " .. T.quote(dir) .. " && mkdir -p D/sub && echo x > D/sub/file"))
    local before = state(dir)
    local result = T.ok(run("dryrun", {}, { "rm", "-rf", "D" }, { cwd = dir }))
    assert.equal(before, state(dir))
    for _, name in ipairs { "/D/sub/file\n", "/D/sub\n", "/D\n" } do
      assert.equal(1, count(result.err, "would remove " .. dir:gsub("%p", "%%%0") .. name))
    end
  end)

  it("does nothing that a script of changes asks for", function()
    local dir = directory()
    assert(os.execute("cd " .. T.quote(dir) .. " && mkdir d && echo text > f && ln -s f l"))
    local before = state(dir)
    local result = run("dryrun", {}, sh([[
      echo more >> f; echo new > n; mv f g; cp f h; chmod 600 f; chown 12 f
      touch -h -d 2001-01-01 f; ln f k; ln -s f m; mkdir e; rmdir d; truncate -s 1 f
      mknod p p; unlink l; true]]),
      { cwd = dir })
    assert.equal(before, state(dir))
    for _, what in ipairs { "write", "rename", "change the mode of", "change the owner of",
      "change the times of", "make", "remove" } do
      assert.matches("would " .. what .. " /", result.err)
    end
  end)

  it("does not keep a program from reading, or from its own output", function()
    local result = T.ok(run("dryrun", {}, sh("cat /etc/hostname; echo err > /dev/stderr")))
    assert.equal(T.read("/etc/hostname"), result.out)
    assert.equal("err\n", result.err)
  end)

  it("knows 32-bit programs, and says nothing of programs that change nothing", function()
    each(function(program)
      local result = T.ok(run("dryrun", {}, { program, "/etc/hostname" }))
      assert.equal("", result.err)
    end)
  end)
end)

describe("sandbox", function()
  local dir

  before_each(function()
    dir = directory()
    assert(os.execute("cd " .. T.quote(dir) .. " && mkdir in out && ln -s ../out in/link && " ..
      "ln -s ../out/x in/file"))
    put(dir .. "/in/x", "allowed\n")
    put(dir .. "/out/x", "forbidden\n")
  end)

  local function sandbox(options, program)
    return run("sandbox", options, program, { cwd = dir })
  end

  local system = "/usr:/lib:/lib64:/etc/ld.so.cache:" .. T.build

  it("lets a program read and write where it may", function()
    each(function(program)
      local result = T.ok(sandbox({ "-r", system .. ":in" }, { program, "in/x" }))
      assert.equal("allowed\n", result.out)
    end)
    local result = T.ok(sandbox({ "-w", "in" }, sh("cd in; echo y > y; mv y z; cat z; rm z")))
    assert.equal("y\n", result.out)
  end)

  it("refuses the rest, and says so", function()
    each(function(program)
      for _, path in ipairs { "out/x", "in/../out/x", "in/link/x", "in/file", dir .. "/out/x",
        "/proc/self/cwd/out/x", "/proc/self/root" .. dir .. "/out/x" } do
        local result = T.ok(sandbox({ "-r", system .. ":in" }, { program, path }), 1)
        assert.equal("", result.out)
        assert.matches("refused: open%l* " .. dir:gsub("%p", "%%%0") .. "/out/x\n", result.err)
        assert.matches("Permission denied", result.err)
      end
    end)
  end)

  it("tells reading from writing", function()
    local before = T.run("stat -c '%a %Y' in/x", { cwd = dir }).out
    local result = sandbox({ "-r", system .. ":in" }, sh([[
      echo x > in/x; echo x >> in/x; rm -f in/x; mv in/x in/y; chmod 777 in/x; touch in/x
      truncate -s 0 in/x; ln in/x in/z; mkdir in/d; chmod 777 /proc/self/fd/0 < in/x; true]]))
    assert.equal("allowed\n", T.read(dir .. "/in/x"))
    assert.equal(before, T.run("stat -c '%a %Y' in/x", { cwd = dir }).out)
    assert.is_false(T.exists(dir .. "/in/d"))
    assert.is_true(count(result.err, "refused: ") > 5)
  end)

  it("cannot be tricked by a thread that changes the path after the check", function()
    assert(os.execute("cd " .. T.quote(dir) .. " && mkdir aaa baa && cp in/x aaa && cp out/x baa"))
    each(function(program)
      local words = { program, "race", "aaa/x", "baa/x", tostring(T.scale(5000)) }
      local result = T.ok(sandbox({ "-r", system .. ":aaa" }, words))
      assert.equal("forbidden 0\n", result.out)
    end)
  end)

  it("checks addresses", function()
    local python = "/usr/bin/python3"
    if not T.exists(python) then return end
    local code = [[
import socket
def show(f):
  try: f(); print("done", flush=True)
  except OSError as e: print(e.errno, flush=True)
for kind, port in ((socket.SOCK_STREAM, 1), (socket.SOCK_STREAM, 2), (socket.SOCK_DGRAM, 1),
                   (socket.SOCK_DGRAM, 2)):
  show(lambda: socket.socket(socket.AF_INET, kind).connect(("127.0.0.1", port)))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
show(lambda: s.sendto(b"x", ("127.0.0.1", 2)))
show(lambda: s.sendmsg([b"x"], [], 0, ("127.0.0.1", 2)))
show(lambda: socket.socket(socket.AF_UNIX).connect("/run/nothing"))
show(lambda: socket.socket(socket.AF_INET).bind(("127.0.0.1", 0)))
]]
    local result = T.ok(sandbox({ "-r", "/", "-n", "127.0.0.1:1,unix:/run/nothing" },
      { python, "-c", code }))
    assert.equal("111\n13\ndone\n13\n13\n13\n2\n13\n", result.out)
    assert.matches("refused: connect 127.0.0.1:2\n", result.err)
    assert.matches("refused: bind 127.0.0.1:0\n", result.err)
  end)

  it("hands over messages whose header it has checked", function()
    local python = "/usr/bin/python3"
    if not T.exists(python) then return end
    local result = T.ok(sandbox({ "-r", "/" }, { python, "-c", [[
import socket
a, b = socket.socketpair()
print(a.sendmsg([b"hello ", b"world"]), b.recv(20))
]] }))
    assert.equal("11 b'hello world'\n", result.out)
  end)

  it("refuses devices, and ways around it", function()
    local python = "/usr/bin/python3"
    if not T.exists(python) then return end
    local result = T.ok(sandbox({ "-r", "/usr:/lib:/lib64:/etc", "-w", "in" }, { python, "-c", [[
import ctypes, os
def show(f):
  try: f(); print("done", flush=True)
  except OSError as e: print(e.errno, flush=True)
show(lambda: os.mknod("in/disk", 0o60600, os.makedev(8, 0)))
show(lambda: os.mkfifo("in/fifo"))
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
  if libc.syscall(*words) < 0: raise OSError(ctypes.get_errno(), "")
show(lambda: call(425, 1, 0))     # io_uring_setup
show(lambda: call(101, 0, 0, 0))  # ptrace
show(lambda: call(9999))          # no system call
pid = libc.syscall(56, 0x800011, 0, 0, 0, 0) # clone, CLONE_UNTRACED
if pid == 0:
  show(lambda: os.open("out/x", 0))
  os._exit(0)
os.waitpid(pid, 0)
]] }))
    local lines = T.lines(result.out)
    table.sort(lines)
    assert.same({ "1", "1", "1", "13", "38", "done" }, lines)
  end)

  it("keeps threads and children in", function()
    local result = sandbox({ "-w", "in" }, sh("(cat out/x; true) | cat; sh -c 'cat out/x'"))
    assert.equal("", result.out)
    assert.matches("refused: openat [^\n]*/out/x\n", result.err)
  end)
end)
