-- t.mem: reads up to holes, writes byte by byte to any page, strings, numbers, search, maps, and
-- lengths and addresses that make no sense.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- `body` runs at the fixture's getppid: `m` is t.mem, `at.NAME` the address that it printed.
local function inside(body, fixture)
  local result = T.ok(T.trace([[
    local at = {}
    on_syscall("write", { fd = 1 }, function(t, call)
      for name, address in call.args.buf:gmatch("([%w_]+) (%d+)\n") do
        at[name] = tonumber(address)
      end
    end)
    on_syscall("getppid", function(t, call)
      local m = t.mem
      ]] .. body .. [[

    end)
  ]], { T.fixture(fixture or "memory") }))
  return T.lines(result.said), result
end

local program = "target %.%.%.%.%.%.%.%.%.%.%.%.%.%.%.%.%.%.%.%.\n"

describe("t.mem:read", function()
  it("hc70 is byte-exact up to a hole and says what is missing", function()
    local lines = inside([[
      local bytes, missing = m:read(at.hole, 6 * 4096)
      say(#bytes, missing, bytes == ("a"):rep(8192))
      bytes, missing = m:read(at.hole + 8191, 2)
      say(bytes, missing)
      bytes, missing = m:read(at.hole + 100, 5000)
      say(#bytes, missing)
    ]])
    assert.same({ "8192\t16384\ttrue", "a\t1", "5000\tnil" }, lines)
  end)

  it("hc70 of a hole is EFAULT", function()
    local lines = inside([[
      say(m:read(at.hole + 2 * 4096, 10))
      say(m:read(0, 1))
      say(m:read(at.hole + 2 * 4096, 0) == "")
    ]])
    local failure = "nil\tEFAULT: Bad address\tEFAULT"
    assert.same({ failure, failure, "true" }, lines)
  end)

  it("hc71 reaches PROT_NONE and execute-only pages", function()
    local lines = inside([[
      say(m:read(at.exec_only, 9))
      say(m:read(at.hole + 4 * 4096, 3))
      say(#m:read(at.hole + 3 * 4096, 3 * 4096))
    ]])
    assert.same({ "exec-only", "aaa", "12288" }, lines)
  end)

  it("hc71 beyond the end of a mapped file is an error", function()
    local lines = inside([[
      say(m:read(at.past_end + 4096, 4))
      local bytes, missing = m:read(at.past_end + 4090, 10)
      say(#bytes, missing)
    ]])
    assert.equal("nil\tEFAULT: Bad address\tEFAULT", lines[1])
    assert.equal("6\t4", lines[2])
  end)

  it("hc74 bounds what it is asked for", function()
    local lines = inside([[
      local bit = luatrace.bit
      local least, most = bit.lshift(1, 63), bit.rshift(-1, 1)
      for _, n in ipairs { -1, least, most, 2 ^ 40 } do
        local fine, bytes, message, code = pcall(m.read, m, at.target, n)
        say(fine == false or (bytes == nil and code) or #bytes <= 2 ^ 30)
      end
      for _, address in ipairs { -1, -4096, least, most, 2 ^ 47 } do
        local bytes, message, code = m:read(address, 16)
        say(bytes, code)
      end
    ]])
    assert.equal(9, #lines)
    for i = 1, 4 do
      assert.is_true(lines[i] == "true" or lines[i] == "E2BIG", lines[i])
    end
    for i = 5, 9 do
      assert.matches("^nil\tE", lines[i])
    end
  end)

  it("hc74 survives random addresses and lengths", function()
    local lines = inside(([[
      math.randomseed(7)
      local fine = 0
      for i = 1, %d do
        local address = math.random(0)
        if i %% 3 == 0 then address = at.hole + math.random(-9000, 30000) end
        local n = i %% 5 == 0 and math.random(0) or math.random(0, 20000)
        local ok, bytes, missing = pcall(m.read, m, address, n)
        if ok and bytes and (#bytes > 0 or n == 0) then
          assert(#bytes <= n and (missing or 0) == n - #bytes)
        end
        pcall(m.str, m, address, n)
        pcall(m.u64, m, address)
        fine = fine + 1
      end
      say(fine)
    ]]):format(T.scale(2000)))
    assert.same({ tostring(T.scale(2000)) }, lines)
  end)

  it("refuses what is no address", function()
    local lines = inside([[
      for _, value in ipairs { "x", 1.5, {}, true } do say((pcall(m.read, m, value, 1))) end
      say((pcall(m.read, m, nil, 1)))
      say((pcall(m.read, m, at.target)))
    ]])
    assert.same({ "false", "false", "false", "false", "false", "false" }, lines)
  end)
end)

describe("t.mem:write", function()
  it("is byte-exact for every length and alignment", function()
    local lines, result = inside([[
      local base = at.target + 200
      local good = 0
      for offset = 0, 9 do
        for size = 0, 18 do
          m:write(base, ("#"):rep(40))
          local n = m:write(base + offset + 4, ("W"):rep(size))
          local now = m:read(base, 40)
          local want = ("#"):rep(offset + 4) .. ("W"):rep(size) .. ("#"):rep(36 - offset - size)
          if now == want and n == size then good = good + 1 end
        end
      end
      m:write(base, ("."):rep(40))
      say(good)
    ]])
    assert.same({ "190" }, lines)
    assert.matches(program, result.out)
  end)

  it("hc72 reaches read-only data and code, and nothing beyond", function()
    local lines, result = inside([[
      say(m:write(at.read_only, "new"))
      say(m:write(at.constant, "READ-ONLY"))
      local code = m:read(at.text, 64)
      local changed = code:gsub("\42", "\43", 1) -- 42 becomes 43
      say(m:write(at.text, changed))
      say(m:read(at.text, 64) == changed)
    ]])
    assert.same({ "3", "9", "64", "true" }, lines)
    assert.matches("read_only newr\n", result.out)
    assert.matches("constant READ%-ONLY data\n", result.out)
    assert.matches("function 43\n", result.out)
  end)

  it("hc72 crosses from a writable page to one that is not", function()
    local lines = inside([[
      say(m:write(at.hole + 4 * 4096 - 2, "wxyz"))
      say(m:read(at.hole + 4 * 4096 - 3, 6))
    ]])
    assert.same({ "4", "awxyza" }, lines)
  end)

  it("crosses pages", function()
    local _, result = inside([[ say(m:write(at.target + 4092, "ABCDEFGH")) ]])
    assert.matches("straddle ABCDEFGH\nbefore %.%. after", result.out)
  end)

  it("hc70 counts up to a hole", function()
    local lines = inside([[
      say(m:write(at.hole + 2 * 4096 - 3, "123456"))
      say(m:read(at.hole + 2 * 4096 - 4, 4))
      say(m:write(at.hole + 2 * 4096, "x"))
      say(m:write(8, "x"))
    ]])
    assert.same({ "3", "a123", "nil\tEFAULT: Bad address\tEFAULT",
                  "nil\tEFAULT: Bad address\tEFAULT" }, lines)
  end)
end)

describe("t.mem:str", function()
  it("stops at the NUL, at a page's end too", function()
    local lines = inside([[
      say(m:str(at.words))
      say(m:str(at.words + 7))
      m:write(at.target + 4090, "across it\0")
      say(m:str(at.target + 4090))
      say((m:str(at.words, 6)))
      say(m:str(at.words, 0) == "")
    ]])
    assert.same({ "needle in the haystack", "in the haystack", "across it", "needle", "true" },
      lines)
  end)

  it("hc70 gives what there is before a hole, and an error for nothing", function()
    local lines = inside([[
      say((m:str(at.hole + 2 * 4096 - 5)))
      say(m:str(at.hole + 2 * 4096))
      say(#m:str(at.hole, 100000))
    ]])
    assert.same({ "aaaaa", "nil\tEFAULT: Bad address\tEFAULT", "8192" }, lines)
  end)

  it("hc70 decodes string arguments at the edge of memory", function()
    local result = T.ok(T.trace([[
      on_syscall("open", function(t, call)
        local value = call.args.filename
        local text = type(value) == "string" and value:sub(1, 20)
        say(type(value), text or (value or 0) < 4096 or "wild")
        call:leave()
        tostring(call)
      end)
      on_syscall({ "read", "write" }, function(t, call)
        tostring(call)
        call:leave()
        tostring(call)
      end)
    ]], { T.fixture("wild-memory") }))
    local lines = T.lines(result.said)
    assert.equal("string\t/crossing-it", lines[1])
    assert.equal("string\t/at/edge", lines[2])
    -- the one without an end: either what there is or its address
    assert.is_truthy(lines[3] == "string\txxxxxxxxxx" or lines[3] == "number\twild", lines[3])
    assert.equal("number\ttrue", lines[4])
    assert.equal("nil\ttrue", lines[5])
    assert.matches("endless: Bad address\ndone\n", result.out)
  end)
end)

describe("a number in memory", function()
  it("is read as what it is said to be", function()
    local lines = inside([[
      local n = at.numbers
      say(m:u8(n), m:i8(n), m:u16(n), m:i16(n), m:u32(n), m:i32(n))
      say(("%x %x %x"):format(m:u64(n), m:i64(n), m:ptr(n + 8)))
      say(m:u8(n + 8), m:i16(n + 8), m:u32(n + 9))
      say(m:f32(at.f32), m:f64(at.f64), m:ptr(at.pointer) == at.words)
    ]])
    assert.same({ "255\t-1\t65279\t-257\t4244504319\t-50462977",
                  "f8f9fafbfcfdfeff f8f9fafbfcfdfeff 807060504030201", "1\t513\t84148994",
                  "1.5\t-2.25\ttrue" }, lines)
  end)

  it("is written with a second value", function()
    local lines = inside([[
      local a, least = at.target + 100, luatrace.bit.lshift(1, 63)
      m:u8(a, 0x41) m:u16(a + 1, 0x4342) m:u32(a + 3, 0x47464544)
      m:u64(a + 7, luatrace.bit.bor(luatrace.bit.lshift(0x4f4e4d4c, 32), 0x4b4a4948))
      say(m:read(a - 1, 17))
      m:i8(a, -1) m:i16(a + 1, -2) m:i32(a + 3, -3) m:i64(a + 7, least)
      say(m:i8(a), m:i16(a + 1), m:i32(a + 3), m:i64(a + 7) == least)
      m:f32(a, 0.5) m:f64(a + 4, 1e300) m:ptr(a + 12, a)
      say(m:f32(a), m:f64(a + 4), m:ptr(a + 12) == a)
    ]])
    assert.same({ ".ABCDEFGHIJKLMNO.", "-1\t-2\t-3\ttrue", "0.5\t1e+300\ttrue" }, lines)
  end)

  it("that does not fit is refused", function()
    local lines = inside([[
      local a = at.target + 100
      say((pcall(m.u8, m, a, 256)), (pcall(m.u8, m, a, -1)), (pcall(m.i8, m, a, 128)))
      say((pcall(m.u16, m, a, 65536)), (pcall(m.i32, m, a, 2 ^ 31)), (pcall(m.u8, m, a, 1.5)))
      say(m:read(a, 4))
    ]])
    assert.same({ "false\tfalse\tfalse", "false\tfalse\tfalse", "...." }, lines)
  end)

  it("that is only partly there is an error", function()
    local lines = inside([[
      say(m:u64(at.hole + 2 * 4096 - 4))
      say(m:u8(0))
      local list, missing = m:array(at.hole + 2 * 4096 - 8, "u32", 3)
      say(#list, missing)
      say(m:array(at.hole + 2 * 4096, "u32", 3))
    ]])
    local failure = "nil\tEFAULT: Bad address\tEFAULT"
    assert.same({ failure, failure, "2\t1", failure }, lines)
  end)

  it("comes in arrays", function()
    local lines = inside([[
      say(table.concat(m:array(at.numbers + 8, "u8", 8), " "))
      say(table.concat(m:array(at.numbers + 8, "u16", 4), " "))
      say(#m:array(at.numbers, "u64", 2), #m:array(at.numbers, "u8", 0))
      say((pcall(m.array, m, at.numbers, "u12", 1)), m:array(at.numbers, "u8", -1) == nil)
    ]])
    assert.same({ "1 2 3 4 5 6 7 8", "513 1027 1541 2055", "2\t0", "false\ttrue" }, lines)
  end)

  it("has a pointer's size in a 32-bit program", function()
    if not T.exists(T.fixture("memory-32")) then
      return pending("no 32-bit fixtures")
    end
    local lines = inside([[
      say(m:ptr(at.pointer) == at.words, m:str(m:ptr(at.pointer)), t.abi, call.args[1] == at.hole)
    ]], "memory-32")
    assert.same({ "true\tneedle in the haystack\ti386\ttrue" }, lines)
  end)
end)

describe("t.mem:search", function()
  it("finds bytes in bounds, across holes, and everywhere", function()
    local lines = inside([[
      say(m:search("needle", at.words - 100, at.words + 100) == at.words)
      say(m:search("needle", at.words + 1, at.words + 100))
      m:write(at.hole + 3 * 4096 + 10, "BEHIND")
      say(m:search("BEHIND", at.hole, at.hole + 6 * 4096) == at.hole + 3 * 4096 + 10)
      local found = m:search("BEH" .. "IND")
      say(found ~= nil and m:read(found, 6))
      say(m:search("no such bytes " .. "anywhere at all: " .. os.time() .. "x"))
      m:write(at.target + 4094, "EDGE")
      say(m:search("EDGE", at.target, at.target + 8192) == at.target + 4094)
      say(m:search("EDGE", at.target, at.target + 4097))
    ]])
    assert.same({ "true", "nil", "true", "BEHIND", "nil", "true", "nil" }, lines)
  end)

  it("refuses an empty pattern, and bounds that are none", function()
    local lines = inside([[
      say((pcall(m.search, m, "")))
      say(m:search("needle", at.words + 100, at.words))
    ]])
    assert.equal("false", lines[1])
    assert.matches("^nil", lines[2])
  end)
end)

describe("t.mem:maps", function()
  it("is what /proc says", function()
    local lines = inside([[
      local text = {}
      for _, map in ipairs(m:maps()) do
        text[#text + 1] = ("%08x-%08x %s %08x %d %s"):format(map.from, map.to, map.perms,
          map.offset, map.inode, map.path)
      end
      local proc = {}
      for line in io.lines("/proc/" .. t.pid .. "/maps") do
        local range, perms, offset, _, inode, path = line:match(
          "^(%S+) (%S+) (%S+) (%S+) (%S+) *(.*)$")
        proc[#proc + 1] = range .. " " .. perms .. " " .. offset .. " " .. inode .. " " .. path
      end
      say(#text > 10, table.concat(text, "|") == table.concat(proc, "|"))
      say(#t.process:maps() == #text)
    ]])
    assert.same({ "true\ttrue", "true" }, lines)
  end)
end)

describe("memory of a new program", function()
  it("hc73 is read afresh after exec", function()
    local result = T.ok(T.trace([[
      on_syscall("execve", function(t, call)
        t.mem:read(t.sp, 64)
        call:leave()
      end)
      on_exec(function(t)
        local argc = t.mem:u64(t.sp)
        say(argc, t.mem:str(t.mem:ptr(t.sp + 8)), t.mem:read(t.pc, 8) ~= ("\0"):rep(8))
      end)
    ]], { "sh", "-c", "exec env env true" }))
    assert.same({ "3\tenv\ttrue", "2\tenv\ttrue", "1\ttrue\ttrue" },
      T.lines(result.said))
  end)

  it("hc73 of a dead one raises or fails, never zeros", function()
    local result = T.ok(T.trace([[
      local t
      on_syscall("getppid", function(thread) t = thread end)
      on_end(function()
        local fine, bytes = pcall(function() return t.mem:read(t.sp, 8) end)
        say(fine and bytes)
      end)
    ]], { T.fixture("calls") }))
    assert.matches("^false\n", result.said)
  end)
end)

describe("reads under way", function()
  it("hc73 see a thread that is killed as gone", function()
    local result = T.trace([[
      on_syscall("getppid", function(t, call)
        local sp = t.sp
        t.process:kill()
        for i = 1, 1000 do
          local fine, bytes, message, code = pcall(t.mem.read, t.mem, sp, 64)
          if not (fine and bytes) then
            say("gone", fine and code or luatrace.is_gone(bytes))
            return
          end
          if bytes == ("\0"):rep(64) then say("zeros") end
        end
        say("alive")
      end)
    ]], { T.fixture("calls") })
    assert.equal(9, result.signal)
    assert.is_truthy(result.said == "gone\ttrue\n" or result.said == "gone\tESRCH\n" or
      result.said == "alive\n", result.said)
  end)
end)
