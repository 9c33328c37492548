-- call:paths(), t:resolve() and call:address(): what a call names, and where that leads.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local dir

before_each(function()
  dir = T.temp()
  assert(os.execute("mkdir " .. T.quote(dir) .. " && cd " .. T.quote(dir) .. [[ &&
    mkdir -p a/b && echo x > a/b/f && ln -s b a/link && ln -s f a/b/g && ln -s a/../a/link/g h &&
    ln -s loop loop && ln -s /nowhere/x dangling && ln -s a/new fresh]]))
end)

-- What t:resolve(path, …) gives at the start of a program in `dir`, a result a line.
local function resolve(paths, more, program)
  local code = ([[
    on_exec(function(t)
      for _, path in ipairs { %s } do
        local text, message, code = t:resolve(path%s)
        say(text or code)
      end
    end)]]):format('"' .. table.concat(paths, '", "') .. '"', more or "")
  program = program or { "sh", "-c", "exec /bin/true" }
  local said = T.ok(T.trace(code, program, { cwd = dir })).said
  return T.lines((said:gsub(dir:gsub("%p", "%%%0"), "D")))
end

describe("t:resolve", function()
  it("follows links, dots and slashes", function()
    assert.same({ "D", "D/a/b/f", "D/a/b/f", "D/a/b/f", "D/a/b", "D/a", "/", "/etc" },
      resolve { ".", "a/b/f", "h", "./a//link/../b/g", "a/link/", "a/link/..", "/../..", "/etc/." })
  end)

  it("can leave the last part alone, unless a slash follows it", function()
    assert.same({ "D/h", "D/a/b/g", "D/a/b", "D/loop" },
      resolve({ "h", "a/link/g", "a/link/", "loop" }, ", nil, false"))
  end)

  it("takes what is not there yet", function()
    assert.same({ "D/new", "D/a/new", "ENOENT", "ENOENT" },
      resolve { "new", "fresh", "dangling", "no/where" })
  end)

  it("fails as the kernel would", function()
    assert.same({ "ELOOP", "ELOOP", "ENOTDIR", "ENOTDIR", "ENOENT", "ENAMETOOLONG" },
      resolve { "loop", "loop/x", "a/b/f/x", "a/b/f/..", "", ("x"):rep(300) })
    assert.same({ "EBADF" }, resolve({ "x" }, ", 99"))
    assert.same({ "ENAMETOOLONG" }, resolve { ("x/"):rep(3000) })
  end)

  it("goes from a descriptor", function()
    assert.same({ "D/a/b/f", "/etc" }, resolve({ "b/f", "/etc" }, ", 7",
      { "sh", "-c", "exec 7< a; exec /bin/true" }))
  end)

  it("sees /proc as the thread does", function()
    local seen = resolve({ "/proc/self/cwd/a", "/proc/thread-self/root/etc", "/proc/self/fd/7",
      "/dev/fd/7" }, "", { "sh", "-c", "exec 7< a/b/f; exec /bin/true" })
    assert.same({ "D/a", "/etc", "D/a/b/f", "D/a/b/f" }, seen)
    local result = T.ok(T.trace([[
      on_exec(function(t)
        say(t:resolve("/proc/self/status") == "/proc/" .. t.pid .. "/status",
          t:resolve("/dev/stdin") == "/proc/" .. t.pid .. "/fd/0")
      end)]], { "sh", "-c", "echo | /bin/cat" }))
    assert.matches("true\ttrue\n", result.said)
  end)

  if T.root then
    it("stays within the thread's root", function()
      assert(os.execute("cd " .. T.quote(dir) .. " && mkdir -p root/etc && " ..
        "ln -s /etc/x root/link && echo in > root/etc/x"))
      local python = "/usr/bin/python3"
      if not T.exists(python) then return end
      local result = T.ok(T.trace([[
        on_syscall("getppid", function(t)
          say(t:resolve("/link"), t:resolve("../../link"), t:resolve("etc"))
        end)]], { python, "-c", 'import os\nos.chroot("root")\nos.chdir("/")\nos.getppid()' },
        { cwd = dir }))
      assert.equal("/etc/x\t/etc/x\t/etc\n", result.said)
    end)
  end
end)

describe("call:paths", function()
  local function paths(code)
    local python = "/usr/bin/python3"
    if not T.exists(python) then return nil end
    local result = T.ok(T.trace([[
      on_syscall("%file", function(t, call)
        for _, path in ipairs(call:paths()) do
          if path.text and path.text:find("^mark") then
            say(call.name, path.name, path.text, path.dirfd or "-", path.follow)
          end
        end
      end)]], { python, "-c",
      "import os\ndef t(f):\n  try: f()\n  except OSError: pass\n" .. code }, { cwd = dir }))
    return T.lines(result.said)
  end

  it("says what is relative to what, and whether links are followed", function()
    local seen = paths([[
t(lambda: os.open("mark1", 0))
t(lambda: os.open("mark2", os.O_NOFOLLOW))
t(lambda: os.open("mark3", os.O_CREAT | os.O_EXCL))
t(lambda: os.stat("mark4", dir_fd=3))
t(lambda: os.lstat("mark5"))
t(lambda: os.rename("mark6", "mark7"))
t(lambda: os.symlink("mark8", "mark9"))
t(lambda: os.unlink("mark10"))
t(lambda: os.readlink("mark11"))
t(lambda: os.link("mark12", "mark13", src_dir_fd=3, follow_symlinks=True))
t(lambda: os.execv("mark14", ["x"]))
t(lambda: os.utime("mark15", follow_symlinks=False))
]])
    if not seen then return end
    local found = {}
    for _, line in ipairs(seen) do
      local name, argument, text, dirfd, follow = line:match("^(%S+)\t(%S+)\t(%S+)\t(%S+)\t(%S+)$")
      found[text] = { name, argument, dirfd, follow }
    end
    assert.same({ "openat", "filename", "-100", "true" }, found.mark1)
    assert.same({ "openat", "filename", "-100", "false" }, found.mark2)
    assert.same({ "openat", "filename", "-100", "false" }, found.mark3)
    assert.same({ "newfstatat", "filename", "3", "true" }, found.mark4)
    assert.equal("false", found.mark5[4])
    assert.same({ "rename", "oldname", "-", "false" }, found.mark6)
    assert.same({ "rename", "newname", "-", "false" }, found.mark7)
    assert.is_nil(found.mark8) -- only text
    assert.same({ "symlink", "newname", "-", "false" }, found.mark9)
    assert.equal("false", found.mark10[4])
    assert.equal("false", found.mark11[4])
    assert.equal("true", found.mark12[4])
    assert.equal("false", found.mark13[4])
    assert.same({ "execve", "filename", "-", "true" }, found.mark14)
    assert.same({ "utimensat", "filename", "-100", "false" }, found.mark15)
  end)
end)

describe("call:address", function()
  it("has the address in words", function()
    local python = "/usr/bin/python3"
    if not T.exists(python) then return end
    local result = T.ok(T.trace([[
      on_syscall({ "connect", "bind", "sendto", "sendmsg" }, function(t, call)
        local text, bytes = call:address()
        say(call.name, text, bytes and #bytes)
      end)]], { python, "-c", [[
import socket
def t(f):
  try: f()
  except OSError: pass
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
v = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
x = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
t(lambda: u.connect(("127.0.0.1", 258)))
t(lambda: u.send(b"x"))
t(lambda: u.sendto(b"x", ("10.1.2.3", 1)))
t(lambda: u.sendmsg([b"x"], [], 0, ("127.0.0.1", 7)))
t(lambda: v.bind(("::1", 0)))
t(lambda: v.connect(("2001:db8::1:0:0:5", 80)))
t(lambda: x.connect("/run/sock"))
t(lambda: x.connect("\0name"))
]] }))
    assert.same({ "connect\t127.0.0.1:258\t16", "sendto\tnil\tnil", "sendto\t10.1.2.3:1\t16",
      "sendmsg\t127.0.0.1:7\t16", "bind\t[::1]:0\t28", "connect\t[2001:db8::1:0:0:5]:80\t28",
      "connect\tunix:/run/sock\t12", "connect\tunix:@name\t7" }, T.lines(result.said))
  end)
end)

describe("luatrace.random", function()
  it("is the same everywhere", function()
    local result = T.ok(T.trace([[
      local next = luatrace.random(1)
      local sum = 0
      for _ = 1, 1000 do sum = sum + next(6) end
      say(sum, next(100), next(100))
      say(pcall(luatrace.random, "x"))]], nil))
    local sum, rest = result.said:match("^(%d+)\t(%d+\t%d+)\n")
    assert.is_true(tonumber(sum) > 3300 and tonumber(sum) < 3700)
    local state = (1 + 1) % 2147483646 + 1
    local function next_number(n)
      state = state * 48271 % 2147483647
      return (state - 1) * n // 2147483646 + 1
    end
    for _ = 1, 1004 do next_number(6) end
    assert.equal(next_number(100) .. "\t" .. next_number(100), rest)
    assert.matches("false\t.*random needs an integer", result.said)
  end)
end)
