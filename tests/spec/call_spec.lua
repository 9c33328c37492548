-- on_call: calls of library functions.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local functions = T.fixture("functions")

local function trace(code, words, options)
  return T.ok(T.trace(code, words, options))
end

local COLLECT = [[
  local seen = {}
  on_call(%s, function(t, f) seen[#seen + 1] = f.name end)
  on_end(function() print(table.concat(seen, " ")) end)]]

local function collect(what, program, ...)
  return trace(COLLECT:format(what), { program, ... }).out
end

describe("on_call", function()
  it("sees what a program that is linked with -z now calls", function()
    for _, name in ipairs { "functions-now", "functions", "functions-32" } do
      local program = T.fixture(name)
      if T.exists(program) then
        local out = collect([["libc:*", { from = "program" }]], program, "fib", "3")
        assert.truthy(out:find(" setvbuf ", 1, true), out)
        assert.truthy(out:find(" strcmp strcmp printf", 1, true), out)
      end
    end
  end)

  it("tells calls of the program from those of its libraries", function()
    local result = trace([[
      local own, all = 0, 0
      on_call("malloc", { from = "program" }, function() own = own + 1 end)
      on_call("malloc", function(t, f)
        all = all + 1
        if f.caller.module ~= "libc.so.6" then print("from", f.caller.module) end
      end)
      on_end(function() print(own, all) end)]], { functions, "fib", "3" })
    assert.truthy(result.out:find("fib 2\n0\t[1-9]"), result.out)
  end)

  it("gives arguments and results", function()
    local result = trace([[
      on_call("str*cmp", { from = "program" }, function(t, f)
        local a, b = t.mem:str(f.args[1]), t.mem:str(f.args[2])
        print(f.name, a, b, f:leave("int") == 0)
      end)]], { functions, "fib", "1" })
    assert.equal("strcmp\tfib\ttypes\tfalse\nstrcmp\tfib\tfib\ttrue\nfib 1\n", result.out)
  end)

  it("sees functions of a program that is linked statically", function()
    local result = trace([[
      on_call("setvbuf", function(t, f) print(f.name, f.module, f.args[3], f:leave("int")) end)]],
      { T.fixture("functions-static"), "fib", "1" })
    assert.equal("setvbuf\tfunctions-static\t1\t0\nfib 1\n", result.out)
  end)

  it("sees what dlsym finds in what dlopen loads", function()
    local out = collect([["plugin*"]], functions, "plugin", T.fixture("plugin.so"), "2")
    assert.equal(2, select(2, out:gsub("plugin_choice", "")), out)
    assert.equal(2, select(2, out:gsub("plugin_twice", "")), out)
    assert.falsy(out:find("plugin_local", 1, true), out)
  end)

  it("leaves a program with breakpoints on all functions as it is", function()
    local result = trace([[
      local n = 0
      on_call("*", function(t, f) n = n + 1 f:leave() end)
      on_end(function() print(n > 300) end)]], { "sh", "-c", "echo a | cat; exit 0" },
      { timeout = 60 })
    assert.equal("a\ntrue\n", result.out)
  end)

  it("refuses what is no function", function()
    for _, code in ipairs { "on_call('libc:*')", "on_call(4096, print)",
      "on_call('file.c:12', print)", "on_call('f', { from = 1 }, print)" } do
      local result = T.trace(code, { "true" })
      assert.equal(125, result.code, code)
      assert.truthy(result.err:find("%(command line%):1: "), result.err)
    end
    local result = trace("on_call('mallok', print)", { "true" })
    assert.truthy(result.err:find("on_call: 'mallok' was never found.*did you mean 'malloc'"))
  end)
end)
