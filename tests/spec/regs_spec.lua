-- t.regs: names, views of parts, floating point, vectors, both ABIs; writes reach the program.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- `body` runs at the fixture's getppid with `r` as t.regs.
local function inside(body, fixture)
  local result = T.ok(T.trace([[
    on_syscall("getppid", function(t, call)
      local r = t.regs
      ]] .. body .. [[

    end)
  ]], { T.fixture(fixture or "registers") }))
  return T.lines(result.said), result.out
end

describe("t.regs", function()
  it("reads general registers and their parts", function()
    local lines = inside([[
      say(("%x %x %x"):format(r.rbx, r.r12, r.r13))
      say(("%x %x %x %x"):format(r.ebx, r.bx, r.bl, r.bh))
      say(("%x %x %x"):format(r.r12d, r.r12w, r.r12b))
      say(r.orig_rax == call.nr, r.rip == t.pc, r.rsp == t.sp, r.pc == t.pc, r.sp == t.sp)
      say(r.cs == 0x33, r.ss == 0x2b, r.fs_base ~= 0, r.rflags % 1 == 0)
    ]])
    assert.same({ "1122334455667788 ffffffffffffffff 8000000000000000", "55667788 7788 88 77",
                  "ffffffff ffff ff", "true\ttrue\ttrue\ttrue\ttrue",
                  "true\ttrue\ttrue\ttrue" }, lines)
  end)

  it("reads floating point and vectors", function()
    local lines = inside([[
      say(("%.6f"):format(r.st0))
      say((r.xmm7:gsub(".", function(c) return ("%02x"):format(c:byte()) end)))
      say(#r.xmm7, #r.ymm7, r.ymm7:sub(1, 16) == r.xmm7)
      say(r.xmm6:sub(1, 8) == "\0\0\0\0\0\0\248\63", r.mxcsr % 1 == 0, r.fctrl == 0x37f) -- 1.5
    ]])
    assert.same({ "3.141593", "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf", "16\t32\ttrue",
                  "true\ttrue\ttrue" }, lines)
  end)

  it("writes general registers; narrow writes follow the processor", function()
    local _, out = inside([[
      r.rbx = -2
      r.r12d = 5
      r.r13b = 0x7f
    ]])
    assert.matches("rbx fffffffffffffffe\n", out)
    assert.matches("r12 0000000000000005\n", out)
    assert.matches("r13 800000000000007f\n", out)
    _, out = inside([[
      r.bh = 0xee r.r12w = 0x1234 r.bl = 0xdd
      r.r13 = luatrace.bit.lshift(1, 63) + 1
    ]])
    assert.matches("rbx 112233445566eedd\n", out)
    assert.matches("r12 ffffffffffff1234\n", out)
    assert.matches("r13 8000000000000001\n", out)
  end)

  it("writes floating point and vectors", function()
    local _, out = inside([[
      r.xmm7 = ("\1\2\3\4"):rep(4)
      r.xmm6 = "\0\0\0\0\0\0\33\192" .. ("\0"):rep(8) -- -8.5
      r.st0 = 2.5
    ]])
    assert.matches("xmm6 %-8%.5\n", out)
    assert.matches("xmm7 01020304010203040102030401020304\n", out)
    assert.matches("st0 2%.500000\n", out)
  end)

  it("keeps a change across a wait, and reads afresh after it", function()
    local lines, out = inside([[
      r.rbx = 7
      say(r.rbx)
      local parent = call:leave()
      say(r.rbx, r.rax == parent)
      r.rbx = 8
    ]])
    assert.same({ "7", "7\ttrue" }, lines)
    assert.matches("rbx 0000000000000008\n", out)
  end)

  it("lists all registers with pairs", function()
    local lines = inside([[
      local n, kinds = 0, {}
      for name, value in pairs(r) do
        n = n + 1
        kinds[name] = type(value)
      end
      say(n > 50, kinds.rax, kinds.eflags, kinds.st3, kinds.xmm15, kinds.fs_base)
    ]])
    assert.same({ "true\tnumber\tnumber\tnumber\tstring\tnumber" }, lines)
  end)

  it("refuses unknown names and wrong values", function()
    local lines = inside([[
      local function message(f) local _, m = pcall(f) return (tostring(m):gsub("^.-:%d+: ", "")) end
      say(message(function() return r.rxa end))
      say(message(function() r.raxx = 1 end))
      say((pcall(function() r.rbx = "x" end)), (pcall(function() r.rbx = 1.5 end)))
      say((pcall(function() r.xmm1 = "short" end)), (pcall(function() r.xmm1 = 3 end)))
      say((pcall(function() r.bl = 256 end)), (pcall(function() r.ebx = 2 ^ 32 end)))
    ]])
    assert.matches("rxa", lines[1])
    assert.matches("raxx", lines[2])
    assert.same({ "false\tfalse", "false\tfalse", "false\tfalse" }, { table.unpack(lines, 3) })
  end)

  it("has the names of the i386 in a 32-bit program", function()
    if not T.exists(T.fixture("registers-32")) then
      return pending("no 32-bit fixtures")
    end
    local lines, out = inside([[
      say(t.abi, ("%x %x %x"):format(r.esi, r.edi, r.si), r.orig_eax == call.nr, r.eip == t.pc)
      say((pcall(function() return r.r12 end)), #r.xmm7, r.cs == 0x23)
      r.esi = 0x01020304
      r.di = 0xabcd
    ]], "registers-32")
    assert.same({ "i386\t11223344 ffffffff 3344\ttrue\ttrue", "false\t16\ttrue" }, lines)
    assert.matches("esi 01020304\nedi ffffabcd\n", out)
  end)

  it("assigns t.pc and t.sp too", function()
    local lines = inside([[
      local pc, sp = t.pc, t.sp
      t.sp = sp - 64
      say(r.rsp == sp - 64)
      t.sp = sp
      say(t.pc == pc, t.sp == sp)
    ]])
    assert.same({ "true", "true\ttrue" }, lines)
  end)
end)
