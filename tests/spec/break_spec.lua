-- Breakpoints and function returns; hard cases 15, 47, 48 and 59.
-- ctest: TIMEOUT 300

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local functions = T.fixture("functions")

-- The same in 64 and 32 bits, and linked statically.
local function each(fn)
  fn(functions)
  fn(T.fixture("functions-static"))
  if T.exists(T.fixture("functions-32")) then fn(T.fixture("functions-32")) end
end

local function trace(code, words, options)
  return T.ok(T.trace(code, words, options))
end

local function lines(result)
  return table.concat(T.lines(result.out), "|")
end

local LEAVE = [[
  local kinds = { minus = "int", positive = "uint", wide = "int64", half = "double",
    third = "float", text = "string", is_even = "bool", nothing = "void" }
  on_break({ %s }, function(t, f)
    local name = f.name
    local value, _, code = f:leave(kinds[name] or "int")
    print(name, value, code)
  end)
]]

local function leave(names, words, options)
  return trace(LEAVE:format(names), words, options)
end

describe("f:leave()", function()
  it("gives results of every type", function()
    each(function(program)
      local result = leave([["minus", "positive", "wide", "half", "third", "text", "is_even",
        "nothing", "sum"]], { program, "types" })
      for _, line in ipairs { "minus\t-7\tnil", "positive\t2147483649\tnil", "half\t1.5\tnil",
        "wide\t3298534883328\tnil", "third\t0.25\tnil", "text\tsome text\tnil", "text\tnil\tnil",
        "is_even\ttrue\tnil", "nothing\ttrue\tnil", "sum\t87654321\tnil" } do
        assert.truthy(("\n" .. result.out):find("\n" .. line .. "\n", 1, true), line)
      end
    end)
  end)

  it("gives a struct as its address", function()
    local result = trace([[
      on_break("make", function(t, f)
        local addr = f:leave()
        print(t.mem:u64(addr), t.mem:u64(addr + 8), t.mem:u64(addr + 16))
      end)]], { functions, "types" })
    assert.truthy(result.out:find("5\t6\t7\n", 1, true), result.out)
  end)

  it("tells the calls of a recursive function apart", function()
    each(function(program)
      local result = trace([[
        local good, calls = true, 0
        local want = { [0] = 0, 1 }
        for i = 2, 12 do want[i] = want[i - 1] + want[i - 2] end
        on_break("fib", function(t, f)
          local n = f.args[1]
          calls = calls + 1
          good = f:leave("int") == want[n] and good
        end)
        on_end(function() print(good, calls) end)]], { program, "fib", "12" })
      assert.equal("fib 144|true\t465", lines(result))
    end)
  end)

  it("reports functions that end in jumps at the same stop, the newest first", function()
    each(function(program)
      local result = leave([["jumps", "last"]], { program, "tail", "1" })
      assert.equal("last\t12\tnil|jumps\t12\tnil|tail 12", lines(result))
    end)
  end)

  it("says that longjmp has left a function", function()
    each(function(program)
      local result = leave([["inner", "outer"]], { program, "longjmp", "3" })
      local lost = select(2, result.out:gsub("nil\tECANCELED", ""))
      assert.equal(6, lost, result.out)
      assert.truthy(result.out:find("left 3\n", 1, true))
      assert.equal(2, select(2, result.out:gsub("%d\tnil\n", "")), result.out)
    end)
  end)

  it("says that an exception has left a function", function()
    if not T.exists(T.fixture("functions-cxx")) then return pending("no C++ compiler") end
    local result = leave([["throws", "passes", "catches"]], { T.fixture("functions-cxx"), "20" })
    assert.equal(20, select(2, result.out:gsub("throws\tnil\tECANCELED", "")))
    assert.equal(20, select(2, result.out:gsub("passes\tnil\tECANCELED", "")))
    assert.equal(20, select(2, result.out:gsub("catches\t%-1\tnil", "")))
    assert.truthy(result.out:find("catches\t1\tnil\n", 1, true))
    assert.truthy(result.out:find("\n-20 1\n", 1, true))
  end)

  it("works on other stacks: coroutines, signal handlers", function()
    each(function(program)
      local result = leave([["host", "visits"]], { program, "contexts" })
      assert.equal("host\t100\tnil|visits\t2\tnil|host\t101\tnil|visits\t3\tnil|host\t102\tnil"
        .. "|total 303", lines(result))
      for _, alternate in ipairs { "0", "1" } do
        result = leave([["handled", "interrupted"]], { program, "signals", alternate })
        assert.equal("handled\t20\tnil|interrupted\t1\tnil|handled\t20\tnil|interrupted\t2\tnil|"
          .. "handled\t20\tnil|interrupted\t3\tnil|total 6", lines(result))
      end
    end)
  end)

  it("does not carry over to a forked child, which returns undisturbed", function()
    each(function(program)
      local result = trace([[
        on_break({ "makes_child", "in_child" }, function(t, f)
          local name = f.name
          print(name, f:leave("int") > 0)
        end)]], { program, "children" })
      local seen = T.lines(result.out)
      table.sort(seen) -- the child may be there before its creator is back
      assert.same({ "child 7, 2", "in_child\ttrue", "in_child\ttrue", "makes_child\ttrue" }, seen)
    end)
  end)

  it("ends with the thread, and with exec", function()
    local result = trace([[
      on_break("ends", function(t, f)
        print(pcall(f.leave, f))
      end)]], { functions, "endings" })
    assert.truthy(result.out:find("^false\tthread %d+ is gone\nended\n$") or
      result.out:find("^ended\nfalse\tthread %d+ is gone\n$"), result.out)
    each(function(program)
      result = leave([["runs_another", "fib"]], { program, "exec" })
      assert.truthy(result.out:find("^runs_another\tnil\tECANCELED\nfib"), result.out)
      assert.truthy(result.out:find("fib\t2\tnil\nfib 2\n$"), result.out)
    end)
  end)

  it("may be called by several handlers, and asked for other types", function()
    local result = trace([[
      on_break("minus", function(t, f)
        print("a", f:leave("int"), f:leave("uint"), f.caller.name)
      end)
      on_break("minus", function(t, f) print("b", f:leave("int")) end)]], { functions, "types" })
    assert.truthy(result.out:find("^.-b\t%-7\na\t%-7\t4294967289\tmain\n"), result.out)
  end)

  it("hc59 works inside of a function, by unwinding", function()
    local result = trace([[
      on_break("fib", { after_prologue = true }, function(t, f)
        print(f.caller.name, f:leave("int"))
      end)]], { functions, "fib", "1" })
    assert.equal("main\t1|fib 1", lines(result))
  end)

  it("lets the result be changed", function()
    each(function(program)
      local result = trace([[
        on_break("fib", function(t, f)
          if f.args[1] == 1 then f:leave("int") f.ret = 10 end
        end)]], { program, "fib", "2" })
      assert.equal("fib 10", lines(result))
    end)
  end)
end)

describe("frames", function()
  it("have arguments, also after f:leave()", function()
    each(function(program)
      local result = trace([[
        on_break("sum", function(t, f)
          print(f.args[1], f.args[2], f.args[7], f.args[8])
          f:leave()
          print(f.args[1], f.args[6])
        end)]], { program, "types" })
      assert.truthy(result.out:find("1\t2\t7\t8\n1\t6\n", 1, true), result.out)
    end)
  end)

  it("let arguments be changed", function()
    each(function(program)
      local result = trace([[
        on_break("sum", function(t, f) f.args[1] = 9 f.args[8] = 0 end)]], { program, "types" })
      assert.truthy(result.out:find(" 7654329\n", 1, true), result.out)
    end)
  end)

  it("are skipped with a result", function()
    each(function(program)
      local result = trace([[
        on_break("fib", function(t, f) if f.args[1] == 3 then f:skip(40) end end)
        on_break("fib", function(t, f)
          if f.args[1] == 3 then print("skipped", f:leave("int")) end
        end)]], { program, "fib", "4" })
      assert.equal("skipped\t40|fib 41", lines(result))
      result = trace([[on_break("half", function(t, f) f:skip(0.125, "double") end)]],
        { program, "types" })
      assert.truthy(result.out:find(" 0.125 0.25 ", 1, true), result.out)
    end)
  end)

  it("know their names, places and callers", function()
    local result = trace([[
      on_break("last", function(t, f)
        print(f.name, f.module, f.file:match("[^/]+$"), f.line > 10, f.caller.name, tostring(f))
        f:leave()
        print(f.name, f.module)
      end)]], { functions, "tail" })
    assert.equal("last\tfunctions\tfunctions.c\ttrue\tmain\tlast|last\tfunctions|tail 21",
      lines(result))
  end)

  it("are over when the thread has run on", function()
    local result = trace([[
      local kept
      on_break("fib", function(t, f) kept = kept or f end)
      on_break("main", function(t, f) f:leave() print(kept.name, pcall(function()
        return kept.args[1] end)) end)]], { functions, "fib", "1" })
    assert.truthy(result.out:find("fib\tfalse\t.*this frame is over"), result.out)
  end)

  it("count arguments with integers", function()
    local result = T.trace([[on_break("fib", function(t, f)
      say(pcall(function() return f.args[1 / 0] end))
      say(pcall(function() f.args[1.5] = 1 end)) end)]], { functions, "fib", "1" })
    for _, line in ipairs(T.lines(result.said)) do
      assert.truthy(line:find("false%s+%(command line%):%d: .*are counted from 1"), line)
    end
    assert.equal(2, #T.lines(result.said), result.err)
  end)

  it("refuse unknown fields with the nearest one", function()
    local result = T.trace([[on_break("fib", function(t, f) print(f.modul) end)]],
      { functions, "fib", "1" })
    assert.truthy(result.err:find("a frame has no field 'modul'; did you mean 'module'?", 1, true))
  end)
end)

describe("locations", function()
  it("are symbols, with module or offset, addresses, lines and globs", function()
    local result = trace([[
      local n = 0
      local function count() n = n + 1 end
      on_break("fib", count)
      on_break("functions:fib", count)
      on_break("fi?", count)
      on_break("functions:f[i]b", count)
      on_break({ "fib", "main" }, count)
      on_break("main", function(t, f)
        on_break(f.addr, print)
        on_break(t.process:symbol("fib"), count)
        on_break(("*0x%x"):format(t.process:symbol("fib")), count)
        on_break(("functions.c:%d"):format(t:where(t.process:symbol("fib")).line), count)
      end)
      on_end(function() print(n) end)]], { functions, "fib", "1" })
    assert.equal("fib 1|9", lines(result))
  end)

  it("are all functions of a source file, or of a module", function()
    local result = trace([[
      local seen = {}
      on_break("functions.c:*", function(t, f) seen[#seen + 1] = f.name end)
      on_end(function() print(table.concat(seen, " ")) end)]], { functions, "fib", "1" })
    assert.equal("fib 1|main fib", lines(result))
    result = trace([[
      local seen = {}
      on_break("plugin.so:plugin*", function(t, f) seen[#seen + 1] = f.name end)
      on_end(function() print(table.concat(seen, " ")) end)]],
      { functions, "plugin", T.fixture("plugin.so"), "1" })
    assert.equal("0 100|", lines(result):gsub("plugin.*$", ""):gsub("^4", "0"))
  end)

  it("are all overloads of a C++ function, or one", function()
    if not T.exists(T.fixture("functions-cxx")) then return pending("no C++ compiler") end
    local program = T.fixture("functions-cxx")
    local function count(where)
      return lines(trace(([[
        local h = on_break(%q, function() end)
        on_end(function() print(#h.addresses, h.hits) end)]]):format(where), { program }))
        :match("[^|]*$")
    end
    assert.equal("3\t3", count("ns::f"))
    assert.equal("1\t1", count("ns::f(int)"))
    assert.equal("1\t1", count("ns::thing::get"))
    assert.equal("1\t1", count("ns::f(char const*)"))
  end)

  it("are named with the nearest one if they are never found, or never reached", function()
    local result = trace([[
      on_break("fibb", print) on_break("minus", print) on_break("functions.c:99999", print)]],
      { functions, "fib", "1" })
    assert.truthy(result.err:find("'fibb' was never found.*did you mean 'fib'?"), result.err)
    assert.truthy(result.err:find("'minus' was never reached", 1, true))
    assert.truthy(result.err:find("no code at functions.c:99999", 1, true))
  end)

  it("are refused if they mean nothing", function()
    for _, code in ipairs { "on_break()", "on_break({}, print)", "on_break(1.5, print)",
      "on_break(1/0, print)", "on_break(2^63, print)", "on_break('', print)",
      "on_break('x:', print)", "on_break('f', { onse = true }, print)",
      "on_break('f', { count = 0 }, print)", "on_break('f', 'g')" } do
      local result = T.trace(code, { "true" })
      assert.equal(125, result.code, code)
      assert.truthy(result.err:find("%(command line%):1: "), result.err)
    end
  end)
end)

describe("breakpoints", function()
  it("are refused where there is data", function()
    local result = trace([[
      on_start(function(p) on_break(p:threads()[1].sp, function() end) end)
    ]], { functions, "words" })
    assert.matches("there is data, not code", result.err)
  end)

  it("wait for what dlopen loads, each time", function()
    local result = leave([["plugin_work", "plugin_local", "plugin_choice"]],
      { functions, "plugin", T.fixture("plugin.so"), "3" })
    local once = "plugin_choice\t%d\tnil|plugin_local\t%d\tnil|plugin_work\t%d\tnil|"
      .. "plugin_local\t%d\tnil|plugin_work\t%d\tnil|%d %d"
    local want = {}
    for i = 0, 2 do
      local work = (i + 1) * 2
      want[#want + 1] = once:format(100 + i, i + 1, work, i + 1, work, 2 * work, 100 + i)
    end
    assert.equal(table.concat(want, "|"), lines(result))
  end)

  it("stop at the chosen implementation of a function that has several", function()
    local result = trace([[
      local n = 0
      on_break("strlen", function(t, f)
        if f.caller.module == "functions" then n = n + 1 end
      end)
      on_break("main", function(t, f)
        local before = n
        t:call("strlen", "four")
        print(n >= before)
      end)
      on_end(function() print(n >= 0) end)]], { functions, "types" })
    assert.truthy(result.out:find("true\n", 1, true))
    assert.falsy(result.err:find("never", 1, true), result.err)
  end)

  it("take options", function()
    local function hits(options, more)
      return lines(trace(([[
        local calls = 0
        local h = on_break("fib", %s, function(t, f) calls = calls + 1 end)
        %s
        on_end(function() print(calls, h.hits) end)]]):format(options, more or ""),
        { functions, "fib", "5" })):match("[^|]*$")
    end
    assert.equal("15\t15", hits("{}"))
    assert.equal("1\t1", hits("{ once = true }"))
    assert.equal("3\t3", hits("{ count = 3 }"))
    assert.equal("11\t15", hits("{ skip = 4 }"))
    assert.equal("2\t6", hits("{ skip = 4, count = 2 }"))
    assert.equal("5\t5", hits("{ when = function(t, f) return f.args[1] == 1 end }"))
    assert.equal("0\t0", hits("{ enabled = false }"))
    assert.equal("15\t15", hits("{ enabled = false }",
      "on_break('main', function() h:enable() end)"))
    assert.equal("15\t15", hits("{ after_prologue = true }"))
    assert.equal("14\t14", hits("{ from = 'functions', when = function(t, f) "
      .. "return f.caller.name == 'fib' end }"))
    assert.equal("0\t0", hits("{ from = 'libc' }"))
  end)

  it("may be for one process or one thread", function()
    local result = trace([[
      local first
      on_break("in_child", { when = function(t) return t.pid ~= first end }, function(t)
        print("child") end)
      on_start(function(p)
        if first then return end
        first = p.pid
        on_break("in_child", { process = p }, function() print("parent") end)
      end)]], { functions, "children" })
    assert.equal("child|parent|child 7, 2", lines(result))
    result = trace([[
      local n = 0
      on_clone(function(t, child)
        if not first then
          first = child
          on_break("work", { thread = child }, function(t) n = n + 1 end)
        end
      end)
      on_end(function() print(n) end)]], { functions, "threads", "4", "50" })
    assert.equal("total 200|50", lines(result))
  end)

  it("hc48 are removed, disabled and made in handlers", function()
    local result = trace([[
      local n = 0
      local h
      h = on_break("fib", function(t, f)
        n = n + 1
        if n == 3 then h:remove() end
      end)
      local g = on_break("fib", function() end)
      on_break("fib", function() if g.hits == 5 then g:disable() end end)
      on_break("main", function()
        on_break("fib", { once = true }, function() print("late") end)
      end)
      on_end(function() print(n, h, g) end)]], { functions, "fib", "5" })
    assert.equal('late|fib 5|3\ton_break("fib"): 1 address, 3 hits, removed\t'
      .. 'on_break("fib"): 1 address, 5 hits, disabled', lines(result))
  end)

  it("can be defined, for all of them", function()
    local result = trace([[
      on_break("fib")
      local n = 0
      function on_break(t, f) n = n + 1 end
      on_end(function() print(n) end)]], { functions, "fib", "5" })
    assert.equal("fib 5|15", lines(result))
  end)

  it("may be in debug registers, of which there are four", function()
    each(function(program)
      local result = trace([[
        local h = on_break("fib", { hardware = true }, function(t, f) f:leave() end)
        on_break("fib", { hardware = true, skip = 2, count = 2 }, function() print("skipped") end)
        on_break("main", function() on_break("fib", { once = true }, function() print("late") end)
        end)
        on_end(function() print(h.hits) end)]], { program, "fib", "5" })
      assert.equal("late|skipped|skipped|fib 5|15", lines(result))
    end)
    local result = trace([[
      on_break({ "fib", "minus", "half", "text" }, { hardware = true }, function() end)
      on_break("last", { hardware = true }, function() end)]], { functions, "fib", "5" })
    assert.truthy(result.err:find("on_break: last: ENOSPC: ", 1, true), result.err)
  end)

  it("hc47 count exactly in threads, with every result", function()
    each(function(program)
      local rounds = T.scale(500)
      local result = trace([[
        local n, good = 0, 0
        on_break("work", function(t, f)
          n = n + 1
          local a = f.args[1]
          if f:leave("int") == a + 1 then good = good + 1 end
        end)
        on_end(function() print(n, good) end)]],
        { program, "threads", "8", tostring(rounds) }, { timeout = 100 })
      assert.equal(("total %d|%d\t%d"):format(8 * rounds, 8 * rounds, 8 * rounds), lines(result))
    end)
  end)

  it("hc15 are a forked child's as well, and new after exec", function()
    each(function(program)
      local result = trace([[
        on_break("fib", function(t, f) print(f.args[1]) end)
        on_exec(function() print("exec") end)]], { program, "exec" })
      assert.equal("exec|3|2|1|0|1|fib 2", lines(result))
    end)
  end)

  it("are found in a running process", function()
    local result = trace([[
      on_break("main", { once = true }, function(t, f)
        local p = t.process
        after(0, function()
          on_break("work", { once = true }, function() print("hit") end)
        end)
      end)]], { functions, "threads", "4", "50000000" }, { timeout = 60 })
    assert.equal("hit|total 200000000", lines(result))
  end)
end)
