-- p:modules(), on_load, and the process that reads object files.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local FAULTS = T.build .. "/tests/luatrace-faults"

local function said(code, program)
  local result = T.ok(T.trace(code, program))
  return result.said, result
end

-- Compile C source; returns the path.
local function compile(name, source, flags, libraries)
  local path = T.dir() .. "/" .. name
  T.ok(T.run(("cc %s -o %s %s %s"):format(flags or "", path, T.file(source, name .. ".c"),
    libraries or "")))
  return path
end

local function library(name, source, flags)
  return compile(name, source, "-shared -fPIC " .. (flags or ""))
end

local both = { "loads" }
if T.exists(T.fixture("loads-32")) then both[2] = "loads-32" end

describe("p:modules", function()
  it("agrees with the map", function()
    for _, name in ipairs(both) do
      local text = said([[
        on_syscall("getppid", function(t)
          for _, m in ipairs(t.process:modules()) do
            local from, to, code
            for _, map in ipairs(t.mem:maps()) do
              if map.path == m.path then
                from, to = from or map.from, map.to
                code = code or map.perms:find("x")
              end
            end
            assert(from == m.from and to <= m.to and code, tostring(m))
            assert(m.path:sub(-#m.name) == m.name and m.readable and m.bias <= m.from)
            say((m.name:gsub("-.*", "")), m.bits, m.build_id and #m.build_id)
          end
        end)
      ]], { T.fixture(name) })
      local bits = name:match("32") or "64"
      for _, pattern in ipairs { "^loads\t", "\nlibc.so.6\t", "\nld\t?", "%[vdso%]\t" } do
        assert.truthy(text:find(pattern), text)
      end
      for line in text:gmatch("[^\n]+") do assert.equal(bits, line:match("\t(%d+)"), line) end
    end
  end)

  it("shows what is loaded and let go", function()
    local a = library("liba.so", "int a;")
    local text = said([[
      on_syscall("getppid", function(t)
        local there = 0
        for _, m in ipairs(t.process:modules()) do
          if m.name == "liba.so" then there = there + 1 end
        end
        say(there)
      end)
    ]], { T.fixture("loads"), a })
    assert.equal("0\n1\n0\n", text)
  end)

  it("knows a file's separate copies apart and their file the same", function()
    local text = said([[
      local first
      on_syscall("getppid", function(t)
        local m = t.process:modules()[1]
        if m.name ~= "loads" then return end
        if first then say(first == m.file) end
        first = m.file
      end)
    ]], { "sh", "-c", "$0; $0", T.fixture("loads") })
    assert.equal("true\n", text)
  end)

  it("works while the process runs", function()
    local text = said([[
      on_syscall("clock_nanosleep", function(t)
        after(0.05, function()
          local p = t.process
          say(#p:modules() > 2, #p:symbols("libc:malloc") > 0, p:where(p:modules()[1].from).module)
          p:kill()
        end)
      end)
      on_exit(function() os.exit(0) end)
    ]], { "sleep", "10" })
    assert.equal("true\ttrue\tsleep\n", text)
  end)

  it("has images that were deleted or replaced, and static ones", function()
    local source = "#include <unistd.h>\nint marked(void) { return 42; }\n" ..
      "int main(void) { getppid(); return marked() - 42; }\n"
    local code = [[
      on_syscall("getppid", function(t)
        os.execute(%q)
        local m = t.process:modules()[1]
        say(m.name, m.readable, m.has_debug, t.process:symbol("marked") ~= nil)
      end)
    ]]
    local prog = compile("image", source, "-g")
    assert.equal("image\ttrue\ttrue\ttrue\n", said(code:format("rm " .. prog), { prog }))
    prog = compile("image", source, "-g")
    assert.equal("image\ttrue\ttrue\ttrue\n",
      said(code:format(("rm %s; echo text >%s"):format(prog, prog)), { prog }))
    prog = compile("image", source, "-g -static")
    assert.equal("image\ttrue\ttrue\ttrue\n", said(code:format("true"), { prog }))
  end)

  it("sees files as the process sees them", function()
    if not T.has_namespaces() then pending("no namespaces here") end
    local prog = compile("inside", "#include <unistd.h>\nint marked;\n" ..
      "int main(void) { getppid(); return 0; }\n", "-g -static")
    local folder = T.dir() .. "/hidden"
    local text = said([[
      on_syscall("getppid", function(t)
        local m = t.process:modules()[1]
        if m.name ~= "inside" then return end
        say(m.path, m.readable, m.has_debug, t.process:symbol("inside:marked") ~= nil)
      end)
    ]], { "unshare", "-m", "sh", "-c",
      ("mkdir -p %s && mount -t tmpfs none %s && cp %s %s/inside && %s/inside"):format(folder,
        folder, prog, folder, folder) })
    assert.equal(folder .. "/inside\ttrue\ttrue\ttrue\n", text)
  end)
end)

describe("on_load", function()
  local collect = [[
    on_load(function(p, m) say("load", m.name) end)
    on_syscall("getppid", function(t) say("step") end)
  ]]

  it("tells of what is mapped at the start, before constructors run", function()
    local lib = library("libcon.so",
      "#include <unistd.h>\n__attribute__((constructor)) static void c(void) { getppid(); }\n" ..
      "int f(void) { return 0; }\n")
    local prog = compile("uses", "int f(void);\nint main(void) { return f(); }\n",
      "", lib .. " -Wl,-rpath," .. T.dir())
    local lines = T.lines((said(collect, { prog })))
    local at = {}
    for i, line in ipairs(lines) do at[line] = i end
    assert.equal("load\tuses", lines[1])
    assert.truthy(at["load\tlibcon.so"] and at["load\tlibc.so.6"])
    assert.truthy(at["load\tlibcon.so"] < at["step"])
    assert.equal(#lines, at["step"])
  end)

  it("tells of dlopen and again after dlclose", function()
    for _, name in ipairs(both) do
      local flags = name:find("32") and "-m32" or ""
      local a = library("libl1.so", "int a;", flags)
      local text = said([[
        on_syscall("getppid", function(t) say("step") end)
        function on_load(p, m) if m.name == "libl1.so" then say(m.name, m.bits) end end
      ]], { T.fixture(name), a, "libm.so.6", a })
      assert.equal(("step\nlibl1.so\t%s\n"):format(name:match("32") or 64) ..
        ("step\n"):rep(6), text)
    end
  end)

  it("tells of each program, and forgets at exec", function()
    local text = said([[
      on_load(function(p, m) if m.name:find("^libc") then say(p.exe:match("[^/]*$")) end end)
    ]], { "sh", "-c", "env true; exec env /bin/true" })
    local _, count = text:gsub("true\n", "")
    assert.equal(2, count, text)
    assert.truthy(text:find("^%w+\n"))
  end)

  it("does not tell a forked child of what it has from its creator", function()
    local text = said([[
      local n = 0
      on_load(function(p, m) if m.name:find("^libc") then say("libc") end end)
    ]], { "sh", "-c", "(true; true) & wait" })
    assert.equal("libc\n", text)
  end)

  it("tells of programs that are attached to", function()
    local program = T.start { "sleep", "30" }
    T.wait_until("sleep", function()
      return (T.read("/proc/" .. program.pid .. "/maps") or ""):find("libc") and
        T.state(program.pid) == "S"
    end)
    local tracer = T.trace([[
      local names = {}
      on_load(function(p, m) names[m.name] = true end)
      on_start(function(p)
        after(0, function()
          say(names["libc.so.6"], names.sleep)
          p:detach()
        end)
      end)
    ]], nil, { start = true, words = { "-p", program.pid } })
    local result = tracer:wait()
    assert.equal("true\ttrue\n", result.said, result.err)
    T.untouched(program.pid)
    T.cleanup()
  end)

  it("may be registered while programs run, and removed", function()
    local a, b = library("libr1.so", "int a;"), library("libr2.so", "int b;")
    local text = said([[
      local steps, hook = 0
      on_syscall("getppid", function(t)
        steps = steps + 1
        if steps == 2 then hook = on_load(function(p, m) say(m.name) end) end
        if steps == 3 then hook:remove() end
        say(steps)
      end)
    ]], { T.fixture("loads"), a, b, "libm.so.6" })
    assert.equal("1\n2\nlibr2.so\n3\n4\n5\n6\n7\n", text)
  end)

  it("says nothing of static programs but themselves", function()
    local prog = compile("alone", "int main(void) { return 0; }\n", "-static")
    assert.equal("load\talone\nload\t[vdso]\n", (said(collect, { prog })))
  end)

  it("works with musl", function()
    if not T.have("musl-gcc") then pending("no musl-gcc here") end
    local prog = T.dir() .. "/musl"
    T.ok(T.run { "musl-gcc", "-g", "-o", prog, T.source .. "/tests/fixtures/loads.c" })
    local a = T.dir() .. "/libmusl1.so"
    T.ok(T.run { "musl-gcc", "-shared", "-fPIC", "-nostdlib", "-o", a,
      T.file("int a(void) { return 1; }\n", "musl1.c") })
    local text = said([[
      on_syscall("getppid", function(t) say("step") end)
      on_load(function(p, m) say(m.name) end)
    ]], { prog, a })
    assert.truthy(text:find("^musl\n"), text)
    assert.truthy(text:find("step\nlibmusl1.so\nstep\n", 1, true), text)
    local static = T.dir() .. "/musl-static"
    T.ok(T.run { "musl-gcc", "-g", "-static", "-o", static, T.source .. "/tests/fixtures/loads.c" })
    assert.equal("true\n", (said([[
      on_syscall("getppid", function(t) say(t.process:symbol("main") ~= nil) end)
    ]], { static })))
  end)
end)

describe("the process that reads object files", function()
  local ask = [[
    on_syscall("getppid", function(t)
      local p = t.process
      say(p:symbol("main") ~= nil, p:symbol("libc:getpid") ~= nil, p:symbol("main") ~= nil)
    end)
  ]]

  local function with_fault(kind)
    local said_path = T.temp(".said")
    local code = ("local function say(...) local f = io.open(%q, 'a') "):format(said_path) ..
      "for _, v in ipairs { ... } do f:write(tostring(v), ' ') end f:close() end " .. ask
    local result = T.ok(T.sound(T.run({ FAULTS, "-e", code, "--", T.fixture("loads") },
      { env = { LUATRACE_FAULT_READER = kind .. ":loads" } })))
    return T.read(said_path), result.err
  end

  local function contained(kind, why)
    if not T.exists(FAULTS) then pending("luatrace-faults is not built") end
    local text, err = with_fault(kind)
    assert.equal("false true false ", text, err)
    local _, warnings = err:gsub("cannot be read", "")
    assert.equal(1, warnings, err)
    assert.truthy(err:find("loads cannot be read: " .. why, 1, true), err)
  end

  it("may crash", function() contained("crash", "the process that reads it has crashed") end)
  it("may hang", function() contained("hang", "it takes too long") end)
  it("may answer nonsense", function() contained("garbage", "what was read makes no sense") end)

  it("holds nothing of luatrace's open, and ends with it", function()
    local mark = T.dir() -- tells this luatrace's from others
    local result = T.ok(T.trace(([[
      file = io.open("/dev/null")
      on_syscall("getppid", function(t)
        t.process:symbol("main")
        for path in io.popen("grep -lx luatrace-reader /proc/[0-9]*/comm 2>/dev/null"):lines() do
          local pid = path:match("%%d+")
          local environ = io.open("/proc/" .. pid .. "/environ")
          if environ and environ:read("a"):find(%q, 1, true) then
            local list = io.popen("ls -l /proc/" .. pid .. "/fd"):read("a")
            say(pid, (list:gsub("[^\n]*%%-> ", ""):gsub("\n", " ")))
          end
        end
      end)
    ]]):format(mark), { T.fixture("loads") }, { env = { MARK = mark } }))
    local found = 0
    for pid, list in result.said:gmatch("(%d+)\t([^\n]*)") do
      found = found + 1
      assert.equal(1, select(2, list:gsub("socket:", "")), list)
      assert.equal(3, select(2, list:gsub("/dev/null", "")), list)
      T.wait_until("the end of the reader", function()
        return T.read("/proc/" .. pid .. "/comm") ~= "luatrace-reader\n"
      end)
    end
    assert.equal(1, found, result.said)
  end)
end)
