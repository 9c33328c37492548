-- The scripts about stacks: stack, backtrace-on, callgraph.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

after_each(T.cleanup)

describe("stack", function()
  it("prints the threads of a running process and lets it go", function()
    local program = T.start_ready("spinning", 2)
    local result = T.ok(T.luatrace { "stack", "-p", program.pid })
    assert.matches("^process " .. program.pid .. " %(spinning%)\n", result.out)
    local threads = 0
    for _ in result.out:gmatch("\nthread %d+ %(") do threads = threads + 1 end
    assert.equal(3, threads)
    assert.matches("#%d+ +0x%x+ in main%+", result.out)
    assert.matches("#%d+ +0x%x+ in spin%+0x%x+ at spinning.c:%d+ %(spinning%)", result.out)
    assert.is_truthy(program:alive())
    T.untouched(program.pid)
  end)

  it("takes a limit and an output file", function()
    local program = T.start_ready("spinning", 1)
    local path = T.temp()
    local result = T.ok(T.luatrace { "stack", "-n", "1", "-o", path, "-p", program.pid })
    assert.equal("", result.out)
    local text = T.read(path)
    assert.matches("#0 ", text)
    assert.is_nil(text:find("#1 ", 1, true))
    assert.matches("incomplete", text)
  end)

  it("says what it cannot do", function()
    assert.matches("needs the number of a process", T.luatrace({ "stack" }).err)
    assert.matches("needs the number of a process", T.luatrace({ "stack", "-p", "x" }).err)
    local result = T.luatrace { "stack", "-p", "2147483647" }
    assert.not_equal(0, result.code)
    assert.matches("stack: .*2147483647", result.err)
  end)
end)

describe("backtrace-on", function()
  local stacks = T.fixture("stacks-O0")

  it("prints the stack at system calls", function()
    local result = T.ok(T.luatrace { "backtrace-on", "getppid", "--", stacks, "nested" })
    assert.matches("^%d+ %(stacks%-O0%) getppid%(%) = %?\n#0 .- in getppid.-\n#1 .- in point.-\n" ..
      "#2 .- in third.-\n#3 .- in second.-\n#4 .- in nested.-\n#5 .- in main", result.err)
  end)

  it("prints it at signals, the first time only if asked to", function()
    local result = T.ok(T.luatrace { "backtrace-on", "-f", "-s", "SIGSEGV,SIGUSR1", "--", stacks,
      "fault" })
    assert.matches("SIGSEGV.-\n#0 .- in fault", result.err)
    assert.is_nil(result.err:find("#0.*#0"))
  end)

  it("prints it at crashes, and not for signals with a handler", function()
    local result = T.luatrace { "backtrace-on", "--crash", "--", "sh", "-c",
      stacks .. " fault; kill -ABRT $$" }
    assert.equal(6, result.signal)
    assert.matches("^%d+ %(sh%) SIGABRT.-\n#0 .- in kill", result.err)
    assert.is_nil(result.err:find("SIGSEGV"))
  end)

  it("needs to know when", function()
    assert.matches("needs system calls", T.luatrace({ "backtrace-on", "--", "true" }).err)
  end)
end)

describe("callgraph", function()
  local stacks = T.fixture("stacks-O0")

  it("counts calls by caller", function()
    local result = T.ok(T.luatrace { "callgraph", "point", "rec*", "--", stacks, "recursive", 5 })
    assert.equal("         5  recursive -> recursive\n         1  main -> recursive\n" ..
      "         1  recursive -> point\n", result.out)
  end)

  it("writes a graph", function()
    local result = T.ok(T.luatrace { "callgraph", "-d", "point", "--", stacks, "sorted" })
    assert.equal('digraph calls {\n  node [shape=box];\n  "compare" -> "point" [label=1];\n}\n',
      result.out)
  end)

  it("takes the program's own functions if none are named", function()
    local result = T.ok(T.luatrace { "callgraph", "--", stacks, "nested" })
    for _, edge in ipairs { "main -> nested", "nested -> second", "second -> third",
      "third -> point" } do
      assert.is_truthy(result.out:find(" 1  " .. edge .. "\n", 1, true), result.out)
    end
  end)
end)
