-- scripts/heap.lua: allocations, what is not freed, and wrong frees.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- luatrace heap OPTIONS -- FIXTURE MODE
local function heap(options, program)
  local words = { "heap" }
  for _, word in ipairs(options) do words[#words + 1] = word end
  words[#words + 1] = "--"
  for _, word in ipairs(program) do words[#words + 1] = word end
  return T.luatrace(words)
end

local function each(fn)
  fn(T.fixture("heap"))
  if T.exists(T.fixture("heap-32")) then fn(T.fixture("heap-32")) end
end

describe("heap", function()
  it("counts every allocation and what stays, as the program says", function()
    each(function(program)
      local result = T.ok(heap({}, { program, "leaks" }))
      local said = {}
      for what, number in result.err:gmatch("expect: (%l+) (%d+)") do said[what] = number end
      local text = result.err
      assert.equal(said.allocations, text:match("(%d+) allocations of"))
      assert.equal(said.bytes, text:match("(%d+) bytes in %d+ blocks not freed"))
      assert.equal(said.live, text:match("%d+ bytes in (%d+) blocks not freed"))
      assert.matches("1 allocation failed\n", text)
      assert.matches("52 frees", text)
    end)
  end)

  it("tells who allocated it, with the callers", function()
    local text = T.ok(heap({ "-s", "2" }, { T.fixture("heap"), "leaks" })).err
    assert.matches("\n  6000 bytes in 1 block of 1, allocated by\n    leak_large%+", text)
    assert.matches("\n    leak_small%+[^\n]*\n    leaks%+", text)
    assert.matches("\n  5 bytes in 1 block of 1, allocated by\n    strdup%+", text)
    text = T.ok(heap({ "-s", "0" }, { T.fixture("heap"), "leaks" })).err
    assert.matches("\n  200 bytes in 2 blocks of 2, allocated by\n    leak_small%+", text)
    assert.not_matches("\n    leak_small%+[^\n]*\n    leaks%+", text)
    text = T.ok(heap({ "-n", "1" }, { T.fixture("heap"), "leaks" })).err
    assert.matches("\n  and at %d+ other places\n", text)
  end)

  it("reports blocks that are freed twice, and what never was one, as it happens", function()
    local text = heap({}, { T.fixture("heap"), "twice" }).err
    assert.matches("free%(0x%x+%): freed already, by give_back%+.-\n    give_back%+[^\n]*\n", text)
    assert.matches("1 free of unknown blocks", text)
    text = heap({}, { T.fixture("heap"), "odd" }).err
    assert.matches("free%(0x%x+%): not allocated\n    give_back%+", text)
  end)

  it("matches blocks that one thread allocates and another frees", function()
    each(function(program)
      local text = T.ok(heap({ "-s", "1" }, { program, "threads" })).err
      local allocations, frees = text:match("(%d+) allocations of %d+ bytes, (%d+) frees")
      assert.is_true(tonumber(allocations) >= 2000)
      assert.is_true(tonumber(frees) >= 2000)
      assert.not_matches("unknown", text)
      assert.not_matches("giver", text)
    end)
  end)

  it("tells what a child has of its creator's from what is its own", function()
    local text = T.ok(heap({}, { T.fixture("heap"), "fork" })).err
    assert.matches("33 bytes in 1 block came from its creator\n", text)
    assert.matches("77 bytes in 1 block not freed:\n", text)
    assert.matches("33 bytes in 1 block not freed:\n", text)
    assert.not_matches("unknown", text)
  end)

  it("counts a program without libraries", function()
    local text = T.ok(heap({ "-s", "2" }, { T.fixture("heap-static"), "leaks" })).err
    assert.matches("\n  6000 bytes in 1 block of 1, allocated by\n    leak_large%+", text)
    assert.not_matches("unknown", text)
  end)

  it("reports at a signal that the program does not get, and at the end of an attachment",
    function()
      local program = T.start_ready("heap", "loop")
      local tracer = T.start { T.bin, "-p", program.pid, "heap", "-S", "SIGUSR2", "-s", "1" }
      finally(T.cleanup)
      T.wait_until("a report", function()
        program:signal("USR2")
        T.sleep(0.1)
        return tracer:err():find("blocks? live") or tracer:err():find("0 bytes in 0 blocks live")
      end)
      tracer:signal("INT")
      local result = tracer:wait()
      assert.matches("not freed yet", result.err)
      assert.not_matches("not allocated\n", result.err)
      assert.is_true(program:alive())
    end)

  it("has help, and refuses nonsense", function()
    assert.matches("%-%-stacks=N", T.ok(T.luatrace { "heap", "--help" }).out)
    local result = T.ok(T.luatrace { "heap", "-n", "many", "true" }, 125)
    assert.matches("%-%-top is a number", result.err)
    assert.not_matches("traceback", result.err)
  end)
end)
