-- What must be the same whatever Lua luatrace was built for: exact 64-bit values, how they look,
-- and what scripts may do with them.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local function said(code)
  return T.lines(T.ok(T.trace(code)).said)
end

local BITS = [[
  local bit = luatrace.bit
  local least, most = bit.lshift(1, 63), bit.rshift(-1, 1)
]]

describe("a 64-bit value", function()
  it("keeps all its bits", function()
    assert.same({ "-9223372036854775808\t9223372036854775807", "8000000000000000 7fffffffffffffff",
                  "-1", "9007199254740991\t9007199254740993", "true\ttrue\ttrue",
                  "1234567890123456789" }, said(BITS .. [[
      say(least, most)
      say(("%x %x"):format(least, most))
      say(bit.bnot(0))
      say(bit.bor(bit.lshift(1, 52), bit.lshift(1, 52) - 1), bit.bor(bit.lshift(1, 53), 1))
      say(bit.bxor(least, most) == -1, least < most, most + 1 == least)
      say(bit.bor(bit.lshift(0x112210f4, 32), 0x7de98115))
    ]]))
  end)

  it("looks like an integer wherever it is written", function()
    local result = T.ok(T.luatrace { "-e", BITS .. [[
      print(most, 140737488355327, bit.lshift(3, 50), 1.5)
      io.write(most, " ", 140737488355327, " ", least, "\n")
      io.stdout:write(most, "\n")
      print("most " .. tostring(most), ("%s %d %#x"):format(most, most, most))
      print("most " .. most, tostring(2^53 - 1))
    ]] })
    assert.equal("9223372036854775807\t140737488355327\t3377699720527872\t1.5\n" ..
      "9223372036854775807 140737488355327 -9223372036854775808\n" ..
      "9223372036854775807\n" ..
      "most 9223372036854775807\t9223372036854775807 9223372036854775807 0x7fffffffffffffff\n" ..
      "most 9223372036854775807\t9007199254740991\n",
      (result.out:gsub("9%.007199254741e%+15", "9007199254740991"))) -- a float in 5.4
  end)

  it("has a key for tables", function()
    assert.same({ "large\tsmall\tnil" }, said(BITS .. [[
      local key, t = luatrace.key, {}
      t[key(most)], t[key(7)] = "large", "small"
      say(t[key(bit.bxor(least, -1))], t[7], t[key(least)])
    ]]))
  end)

  it("is exact in registers, arguments and memory", function()
    local result = T.ok(T.trace(BITS .. [[
      on_syscall("getppid", function(t, call)
        local r = t.regs
        r.r14 = least + 3
        say(r.r14, r.r14 == least + 3, r.r14 - least)
        call.args[1] = most
        say(call.args[1])
        local room = t.sp - 4096
        t.mem:u64(room, least)
        say(t.mem:u64(room) == least, t.mem:i64(room), #t.mem:read(room, 8))
        say(pcall(function() r.r14 = 2 ^ 65 end))
      end)
      on_syscall("getppid", { least }, function() say("never") end)
    ]], { T.fixture("registers") }))
    local lines = T.lines(result.said)
    assert.same({ "-9223372036854775805\ttrue\t3", "9223372036854775807",
                  "true\t-9223372036854775808\t8" }, { table.unpack(lines, 1, 3) })
    assert.matches("^false\t.*no integer representation", lines[4])
    assert.is_nil(lines[5])
  end)

  it("selects calls", function()
    local result = T.ok(T.trace(BITS .. [[
      on_syscall("getppid", function(t, call) call.args[1] = most end)
      on_syscall("getppid", { most }, function(t, call) say(call.args[1] == most) end)
    ]], { T.fixture("registers") }))
    assert.matches("^true\n", result.said)
  end)
end)

describe("Lua's own library", function()
  it("has what scripts share under both", function()
    assert.same({ "3\t1 2 3", "true\texit\t0", "nil\texit\t3", "nil\tsignal\t9", "6" }, said [[
      local packed = table.pack(1, 2, 3)
      say(packed.n, table.concat({ table.unpack(packed) }, " "))
      say(os.execute("true"))
      say(os.execute("exit 3"))
      say(os.execute("kill -9 $$"))
      local sum = 0
      for _, n in pairs(setmetatable({}, { __pairs = function() return next, { 1, 2, 3 } end })) do
        sum = sum + n
      end
      say(sum)
    ]])
  end)

  it("closes files of io.popen once", function()
    assert.same({ "one\ttrue\texit\t0", "false\tclosed file" }, said [[
      local pipe = io.popen("echo one")
      say(pipe:read("l"), io.close(pipe))
      say((pcall(pipe.close, pipe)), io.type(pipe))
    ]])
  end)
end)

describe("an event loop", function()
  it("that is left early lets the program end", function()
    local result = T.ok(T.trace([[
      local n = 0
      for _ in luatrace.events { syscall = "getppid" } do
        n = n + 1
        if n == 2 then break end
      end
      run()
      say(n)]], { T.fixture("calls") }))
    assert.equal("2\n", result.said)
  end)
end)
