-- Which system calls a handler gets: names, lists, globs, classes, predicates; and what is said to
-- names that do not exist.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local calls = { T.fixture("calls") }

-- The distinct names that a selection brings from the fixture, sorted, as one string.
local function selected(selection)
  local result = T.ok(T.trace(([[
    local seen = {}
    on_syscall(%s function(t, call) seen[call.name] = true end)
    on_end(function()
      local names = {}
      for name in pairs(seen) do names[#names + 1] = name end
      table.sort(names)
      say(table.concat(names, " "))
    end)
  ]]):format(selection), calls))
  return (result.said:gsub("\n$", ""))
end

local function refused(code)
  local result = T.ok(T.trace(code, calls), 125)
  assert.equal("", result.out) -- the program never ran
  return result.err
end

describe("a selection", function()
  it("is a name", function()
    assert.equal("getppid", selected('"getppid",'))
  end)

  it("is a list of names, globs and classes", function()
    local names = selected('{ "getppid", "pip*", "dup2" },'):gsub("pipe2", "pipe")
    assert.equal("dup2 getppid pipe", names)
  end)

  it("is a glob", function()
    local names = selected('"*at",')
    assert.matches("openat", names)
    assert.not_matches("read", names)
    for name in names:gmatch("%S+") do
      assert.matches("at$", name)
    end
  end)

  it("knows ? and sets in globs", function()
    assert.equal("getppid", selected('"get?pi[cde]",'))
  end)

  it("is a class as strace writes it", function()
    local names = " " .. selected('"%file",') .. " "
    for _, name in ipairs { "openat", "access", "execve" } do
      if name ~= "execve" then -- the launch itself is not shown
        assert.matches(" " .. name .. " ", names)
      end
    end
    assert.not_matches(" read ", names)
    assert.not_matches(" getppid ", names)
  end)

  for class, member in pairs { desc = "read", memory = "mmap", process = "exit_group" } do
    it("knows class %" .. class, function()
      assert.matches(" " .. member .. " ", " " .. selected('"%' .. class .. '",') .. " ")
    end)
  end

  it("may be absent: every call", function()
    local names = " " .. selected("") .. " "
    for _, name in ipairs { "openat", "read", "write", "getppid", "mmap", "exit_group" } do
      assert.matches(" " .. name .. " ", names)
    end
  end)

  it("has the classes that strace has", function()
    for _, class in ipairs { "file", "desc", "memory", "process", "signal", "ipc", "network",
                             "creds", "clock", "pure" } do
      local result = T.ok(T.trace(('say(#luatrace.syscalls("%%%s") > 0) os.exit(0)'):format(class)))
      assert.equal("true\n", result.said, class)
    end
  end)

  it("finds names that only i386 has", function()
    assert.equal("", selected('"socketcall",'))
    if T.exists(T.fixture("calls-32")) then
      local result = T.ok(T.trace([[
        on_syscall("mmap2", function(t, call) say(call.name, call.abi) end)
      ]], { T.fixture("calls-32") }))
      assert.matches("^mmap2\ti386\n", result.said)
    end
  end)

  it("can be listed", function()
    local result = T.ok(T.trace([[
      say(table.concat(luatrace.syscalls("dup*"), " "))
      say(table.concat(luatrace.syscalls({ "write", "read" }), " "))
      os.exit(0)
    ]]))
    assert.equal("dup dup2 dup3\nread write\n", result.said)
  end)
end)

describe("an unknown selection", function()
  it("names the nearest call, at the caller's line", function()
    local message = refused('\n\non_syscall("opennat", print)')
    assert.matches(":3: ", message)
    assert.matches("opennat", message)
    assert.matches("openat", message)
  end)

  it("is refused within a list", function()
    local message = refused('on_syscall({ "read", "wirte" }, print)')
    assert.matches("wirte", message)
    assert.matches("write", message)
  end)

  it("may be a glob that matches nothing", function()
    assert.matches("xyz%*", refused('on_syscall("xyz*", print)'))
  end)

  it("may be a class that does not exist", function()
    local message = refused('on_syscall("%flie", print)')
    assert.matches("%%flie", message)
    assert.matches("%%file", message)
  end)

  it("may be of the wrong type", function()
    assert.matches(":1: ", refused("on_syscall(12, print)"))
    assert.matches(":1: ", refused("on_syscall({ 12 }, print)"))
    assert.matches(":1: ", refused("on_syscall('read')"))
  end)

  it("may be a signal", function()
    local message = refused('on_signal("SIGUSR", print)')
    assert.matches("SIGUSR1", message)
  end)
end)

describe("a predicate", function()
  local function count(predicate, name)
    local result = T.ok(T.trace(([[
      local n = 0
      on_syscall(%q, %s, function(t, call) n = n + 1 end)
      on_end(function() say(n) end)
    ]]):format(name, predicate), calls))
    return tonumber(result.said)
  end

  it("compares integers", function()
    assert.equal(1, count("{ fd = 77 }", "close"))
    assert.equal(0, count("{ fd = 1234 }", "close"))
  end)

  it("compares strings", function()
    assert.equal(1, count('{ filename = "/nonexistent/file" }', "openat"))
  end)

  it("knows the manual page's names", function()
    assert.equal(1, count('{ pathname = "/nonexistent/file" }', "openat"))
    assert.equal(1, count("{ oldfd = { 3, 4, 5, 6 }, newfd = 77 }", "dup2"))
  end)

  it("takes alternatives", function()
    assert.equal(2, count('{ filename = { "/nonexistent/file", "/dev/zero", "/no" } }', "openat"))
  end)

  it("takes a function", function()
    assert.equal(1, count('{ filename = function(name) return name:find("^/dev") ~= nil end }',
      "openat"))
  end)

  it("compares descriptors as signed", function()
    assert.equal(2, count('{ dfd = -100, filename = function(n) return n ~= nil and ' ..
      'not n:find("lib") and not n:find("ld.so") end }', "openat"))
  end)

  it("on an unknown argument is refused", function()
    local message = refused('\non_syscall("openat", { filname = "x" }, print)')
    assert.matches(":2: ", message)
    assert.matches("filname", message)
  end)

  it("needs the argument in one of the calls only", function()
    local result = T.ok(T.trace([[
      local n = {}
      on_syscall({ "close", "getppid" }, { fd = 77 }, function(t, call)
        n[call.name] = (n[call.name] or 0) + 1
      end)
      on_end(function() say(n.close, n.getppid) end)
    ]], calls))
    assert.equal("1\tnil\n", result.said)
  end)
end)

describe("a handler that never fired", function()
  it("is named at the end, with its siblings", function()
    local result = T.ok(T.trace('on_syscall("nanosleep", function() end)',
      { "sleep", "0.01" }))
    assert.matches("nanosleep was never called", result.err)
    assert.matches("clock_nanosleep", result.err)
  end)

  it("is not named when it fired, or was removed", function()
    local result = T.ok(T.trace([[
      on_syscall("getppid", function() end)
      on_syscall("nanosleep", function() end):remove()
    ]], calls))
    assert.not_matches("never called", result.err)
  end)
end)
