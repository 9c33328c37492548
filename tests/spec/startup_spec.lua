-- What luatrace does before a program runs: nothing that the script does not need.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- The modules of the prelude that are there in the end, in a line.
local function loaded(code, program)
  local result = T.ok(T.trace(code .. [[

    on_end(function()
      local names = {}
      for name in pairs(package.loaded) do
        names[#names + 1] = name:match("^luatrace%.(.*)$")
      end
      table.sort(names)
      say(table.concat(names, " "))
    end)]], program or { "true" }))
  return (result.said:match("([^\n]*)\n$"):gsub("^jit ", ""):gsub(" jit ", " "))
end

-- Those of every run, and what reports an exit.
local ALWAYS = "dispatch env errors holds hooks lazy library loading main objects quiet " ..
  "subscribe targets tasks turns wait"

-- The names of a line that are not in the other.
local function more(line, than)
  local names = {}
  for name in line:gmatch("%S+") do
    if not (" " .. than .. " "):find(" " .. name .. " ", 1, true) then names[#names + 1] = name end
  end
  return table.concat(names, " ")
end

describe("a script loads", function()
  it("nothing that it does not use", function()
    assert.equal("", more(loaded(""), ALWAYS))
  end)

  it("what on_syscall and call:leave() need", function()
    local code = 'on_syscall("write", function(t, call) call:leave() end)'
    assert.equal("select", more(loaded(code, { "echo" }), ALWAYS))
  end)

  it("timers for after, registers and memory without anything", function()
    assert.equal("timers", more(loaded("after(0, function() end)"), ALWAYS))
    assert.equal("", more(loaded([[
      on_start(function(p)
        for _, t in ipairs(p:threads()) do t.mem:read(t.regs.rsp, 8) end
      end)]]), ALWAYS))
  end)

  it("a module when one of its methods is called", function()
    local more_names = " " .. more(loaded(
      "on_start(function(p) p:threads()[1]:backtrace() end)"), ALWAYS) .. " "
    assert.truthy(more_names:find(" backtrace ", 1, true), more_names)
    assert.falsy(more_names:find(" watchpoints ", 1, true), more_names)
  end)

  it("breakpoints late, in a program that runs already", function()
    local result = T.ok(T.trace([[
      local hook
      hook = on_syscall("write", function()
        hook:remove()
        on_break("write", function(t, f) say("hit", f.args[1]) end)
      end)]], { "sh", "-c", "echo one; echo two" }))
    assert.equal("hit\t1\n", result.said)
  end)
end)

describe("the reader process", function()
  it("is not started for a script that asks no name", function()
    local result = T.ok(T.trace([[
      on_syscall("write", function(t, call) say(call.args.buf) end)
      on_exit(function()
        local pipe = io.popen("ls /proc/self/task >/dev/null; ps -o comm= --ppid " ..
          io.open("/proc/self/stat"):read("l"):match("^%d+"))
        say(pipe:read("a"):find("luatrace%-reader") == nil)
      end)]], { "echo" }))
    assert.matches("true\n$", result.said)
  end)
end)

describe("a name that is no method", function()
  it("is refused as before", function()
    local result = T.trace("on_start(function(p) p:nonsense() end)", { "true" })
    T.ok(result, 125)
    assert.matches("a process has no field 'nonsense'", result.err)
  end)

  it("finds no core", function()
    local result = T.ok(T.trace([[
      on_start(function(p) p:modules() end)
      on_end(function() say(pcall(require, "luatrace.core")) end)]], { "true" }))
    assert.matches("^false\t", result.said)
  end)
end)
