-- t:backtrace() and p:backtraces(), compared with gdb's.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- Each way of the fixture ends at one of these calls.
local CALLS = { "getppid", "clock_gettime", "clock_gettime64" }

-- A frame in a form that gdb and luatrace can both give: the function, the lower bits of the
-- address (which no placement of the program changes), and what kind of frame it is.
local SCRIPT = [[
local function show(t)
  local words = t.process.cmdline
  if t.process.data.done or not words[1]:find("stacks") then return end
  t.process.data.done = true
  say("way", words[2])
  local stack = t:backtrace()
  for _, frame in ipairs(stack) do
    local kind = frame.signal and "signal" or frame.inlined and "inlined" or "call"
    say("frame", frame.signal and "-" or frame.name or "?", ("%03x"):format(frame.pc % 4096), kind)
  end
  say("end", stack.incomplete)
end
for _, name in ipairs { CALLS } do on_syscall(name, show) end
]]
SCRIPT = SCRIPT:gsub("CALLS", '"' .. table.concat(CALLS, '", "') .. '"')

local GDB = [[
import gdb

def show():
  frame = gdb.newest_frame()
  while frame:
    kind = frame.type()
    if kind != gdb.TAILCALL_FRAME:
      words = {gdb.SIGTRAMP_FRAME: "signal", gdb.INLINE_FRAME: "inlined"}
      name = frame.name() or "?"
      name = "-" if kind == gdb.SIGTRAMP_FRAME else name.split("(")[0]
      print("frame\t%s\t%03x\t%s" % (name, frame.pc() & 0xfff, words.get(kind, "call")))
    frame = frame.older()

for setting in ["confirm off", "debuginfod enabled off", "backtrace past-main on",
                "backtrace past-entry on"]:
  gdb.execute("set " + setting)
for signal in ["SIGUSR1", "SIGSEGV"]:
  gdb.execute("handle %s nostop noprint pass" % signal)
gdb.execute("catch syscall getppid")
gdb.execute("catch syscall clock_gettime")
for way in "WAYS".split():
  gdb.execute("run " + way)
  print("\nway\t" + way)
  show()
  gdb.execute("kill")
]]

-- What was said of each way: the frames, each as a line, and why they end.
local function by_way(text)
  local frames, ends, way = {}, {}, nil
  for line in text:gmatch("[^\n]+") do
    way = line:match("^way\t(%S+)") or way
    local frame = line:match("^frame\t(.*)")
    if frame then frames[way] = (frames[way] or "") .. frame .. "\n" end
    if way then ends[way] = line:match("^end\t(.*)") or ends[way] end
  end
  return frames, ends
end

-- One run for all ways: files are read once.
local function by_luatrace(program, ways)
  local loop = ("for way in %s; do %s $way || exit; done"):format(table.concat(ways, " "),
    T.quote(program))
  return by_way(T.ok(T.trace(SCRIPT, { "sh", "-c", loop }, { timeout = 60 })).said)
end

local function by_gdb(program, ways)
  local script = T.file((GDB:gsub("WAYS", table.concat(ways, " "))), "frames.py")
  return by_way(T.run({ "gdb", "-nx", "-batch", "-x", script, program }, { timeout = 60 }).out)
end

-- Functions of libraries have several names; those of the fixtures have one.
local own = {}
for name in ([[point third second nested recursive last_call tail_caller compare sorted
  innermost inner with_inlined handler raised on_other_stack fault first at_first wild_call
  vdso thread_body thread main]]):gmatch("%S+") do own[name] = true end

local function without_library_names(frames)
  return (frames:gsub("([^\t\n]*)(\t%x+\t%a+\n)", function(name, rest)
    return (own[name] or name:find("^stacks::")) and name .. rest or "-" .. rest
  end))
end

local has_gdb = T.have("gdb") and T.run({ "gdb", "-nx", "-batch", "-ex",
  "python print('python')" }).out:find("python") ~= nil

local function compare(fixture, ways)
  local program = T.fixture(fixture)
  if not T.exists(program) then return pending(fixture .. " was not built") end
  if not has_gdb then return pending("gdb with Python was not found") end
  local wanted = by_gdb(program, ways)
  local got, ends = by_luatrace(program, ways)
  for _, way in ipairs(ways) do
    assert.is_truthy(wanted[way], "gdb found no stack: " .. way)
    assert.equal("nil", ends[way])
    T.equal_text(without_library_names(wanted[way]), without_library_names(got[way]),
      fixture .. " " .. way)
  end
end

local WAYS = { "nested", "recursive", "tail", "sorted", "inlined", "raised", "altstack", "fault",
  "first", "wild", "thread" }

describe("t:backtrace agrees with gdb", function()
  for _, fixture in ipairs { "stacks", "stacks-O0", "stacks-O2", "stacks-static", "stacks-32",
    "stacks-O2-32" } do
    it("about " .. fixture, function() compare(fixture, WAYS) end)
  end

  it("in the vdso", function() compare("stacks-O2", { "vdso" }) end)

  it("about C++, in handlers and destructors of exceptions", function()
    compare("stacks-cxx", { "catcher", "destructor", "templates" })
  end)
end)

-- Functions of the fixture, the innermost first, with "-" for a signal.
local function functions(program)
  local frames, ends = by_luatrace(program[1], { program[2] })
  local names = {}
  for name in frames[program[2]]:gmatch("([^\t\n]+)\t[^\n]*\n") do
    if name == "-" or not name:find("^_") then names[#names + 1] = name end
    if name == "main" then break end -- what called it has a name only in debug symbols
  end
  -- What raise calls has a name only in debug symbols, too, and it begins with "_".
  return (table.concat(names, " "):gsub("%? raise", "raise")), ends[program[2]]
end

describe("t:backtrace", function()
  it("follows frame pointers where there are no unwind tables", function()
    local bare = T.fixture("stacks-bare")
    assert.equal("getppid point third second nested main", (functions { bare, "nested" }))
    assert.equal("getppid point handler - raise raised main", (functions { bare, "raised" }))
    assert.equal("getppid point handler - raise on_other_stack main",
      (functions { bare, "altstack" }))
    assert.equal("getppid point handler - first at_first main", (functions { bare, "first" }))
    assert.equal("getppid point handler - ? wild_call main", (functions { bare, "wild" }))
    assert.matches("clock_gettime vdso main$", (functions { bare, "vdso" }))
    local _, ending = functions { bare, "nested" }
    assert.equal("nil", ending)
  end)

  it("comes out of the 32-bit vdso", function()
    for _, fixture in ipairs { "stacks-32", "stacks-O2-32" } do
      if T.exists(T.fixture(fixture)) then
        local names, ending = functions { T.fixture(fixture), "vdso" }
        assert.matches("clock_gettime vdso main$", (names:gsub(" %?", "")))
        assert.equal("nil", ending)
      end
    end
  end)

  it("is right at every instruction: prologues, stubs, the dynamic loader", function()
    for _, fixture in ipairs { "stacks", "stacks-O0", "stacks-O2", "stacks-static", "stacks-32",
      "stacks-O2-32" } do
      if T.exists(T.fixture(fixture)) then
        local result = T.ok(T.trace([[
          on_break("nested", { once = true }, function(t)
            local steps, seen = 0, {}
            repeat
              t:step(1)
              steps = steps + 1
              local stack, names = t:backtrace { lines = false }, {}
              for i, frame in ipairs(stack) do names[i] = frame.name or "?" end
              local text = table.concat(names, " ")
              if names[1] ~= "main" and (stack.incomplete or not text:find("nested main ")) then
                say(("%x"):format(t.pc), text, stack.incomplete)
              end
              local top = names[1]
              seen[top] = true
            until names[1] == "main" or steps > 20000
            say("end", steps > 30 and steps < 20000, seen.second, seen.third, seen.point,
              seen.getppid)
          end)]], { T.fixture(fixture), "nested" }, { env = { LD_BIND_NOW = false } }))
        assert.equal("end\ttrue\ttrue\ttrue\ttrue\ttrue\n", result.said)
      end
    end
  end)

  it("says where it lost the way in a stack that is broken", function()
    for _, fixture in ipairs { "stacks", "stacks-O2", "stacks-bare", "stacks-32" } do
      local program = T.fixture(fixture)
      if T.exists(program) then
        local names, ending = functions { program, "corrupt" }
        assert.matches("^%S+ point corrupt", (names:gsub("^__kernel_vsyscall ", "")))
        assert.matches("nothing tells how", ending)
      end
    end
  end)

  it("has at most as many frames as it is asked for", function()
    local result = T.ok(T.trace([[
      on_syscall("getppid", function(t)
        for _, limit in ipairs { 1, 10, 256, 2000 } do
          local stack = t:backtrace { limit = limit }
          say(#stack, stack.incomplete)
        end
        say(#t:backtrace())
        for _, options in ipairs { { limit = 0 }, { limit = 65537 }, { limit = 1.5 },
            { many = 1 } } do
          say((select(2, pcall(t.backtrace, t, options))))
        end
      end)]], { T.fixture("stacks-O0"), "recursive", 1000 }))
    local more = "\tthere are more frames than the limit\n"
    assert.equal("1" .. more .. "10" .. more .. "256" .. more .. "1007\tnil\n256\n",
      (result.said:gsub("[^\n]*limit is a whole number from 1 to 65536\n", "")
        :gsub("[^\n]*unknown option 'many'[^\n]*\n", "")))
    assert.equal(9, #T.lines(result.said))
  end)

  it("has files, lines and a text", function()
    local result = T.ok(T.trace([[
      on_syscall("getppid", function(t)
        local stack = t:backtrace()
        say(stack[2].name, stack[2].module, stack[2].file:match("[^/]+$"), stack[2].line > 0)
        say(stack)
        say(stack[2])
        local plain = t:backtrace { lines = false }[2]
        say(plain.name, plain.file)
        plain = t:backtrace { names = false }[2]
        say(plain.name, plain.pc == stack[2].pc)
      end)]], { T.fixture("stacks-O0"), "nested" }))
    local lines = T.lines(result.said)
    assert.equal("point\tstacks-O0\tstacks.c\ttrue", lines[1])
    assert.matches("^#0   0x%x+ in getppid%+0x%x+", lines[2])
    assert.matches("^#1   0x%x+ in point%+0x%x+ at stacks.c:%d+ %(stacks%-O0%)$", lines[3])
    assert.matches("^point%+0x%x+ at stacks.c:%d+ %(stacks%-O0%)$", lines[#lines - 2])
    assert.equal("point\tnil", lines[#lines - 1])
    assert.equal("nil\ttrue", lines[#lines])
  end)

  it("works at signals, clones and where the thread begins", function()
    local result = T.ok(T.trace([[
      on_signal("SIGSEGV", function(t) say("signal", t:backtrace()[1].name) end)
      on_start(function(p) say("start", #p:threads()[1]:backtrace() > 0) end)
      on_clone(function(t) say("clone", #t:backtrace() > 3) end)
    ]], { "sh", "-c", T.fixture("stacks") .. " first; true" }))
    assert.equal("start\ttrue\nclone\ttrue\nsignal\tfirst\n", result.said)
  end)

  it("raises for a thread that runs", function()
    local result = T.trace([[
      on_start(function(p)
        local t = p:threads()[1]
        after(0.1, function()
          say((select(2, pcall(t.backtrace, t))))
          p:kill()
        end)
      end)]], { "sleep", "10" })
    assert.matches("thread %d+ is running; stop it or freeze it", result.said)
  end)
end)

describe("p:backtraces", function()
  it("has the stacks of all threads", function()
    local result = T.ok(T.trace([[
      local done
      on_syscall("getppid", function(t)
        if done then return end
        done = true
        local function names(list)
          local all = {}
          for _, one in ipairs(list) do
            for _, frame in ipairs(one.frames) do
              if frame.file and frame.file:find("stacks.c$") then all[#all + 1] = frame.name end
            end
            all[#all + 1] = one.thread == t and "own" or "other"
          end
          return table.concat(all, " ")
        end
        say(names(t.process:backtraces()))
        say(t.process:freeze(function() return names(t.process:backtraces { limit = 50 }) end))
      end)]], { T.fixture("stacks-O0"), "thread" }))
    local line = "thread main other point thread_body own\n"
    assert.equal(line .. line, result.said)
  end)
end)
