-- Disassembly: t:disasm(), beside objdump.

local T = require "support"

-- Says address, bytes and text of all instructions of the program's function "work", and the line
-- as it is printed.
local SCRIPT = [[
on_syscall("exit_group", function(t)
  local p = t.process
  local symbol
  for _, s in ipairs(p:symbols("prog:*")) do if s.name == %q then symbol = s end end
  local at = symbol.addr
  while at < symbol.addr + symbol.size do
    local i = assert(t:disasm(at, 1, { syntax = %q }))[1]
    say(("%%x"):format(at - p:modules()[1].bias), (i.bytes:gsub(".", function(c)
      return ("%%02x "):format(c:byte()) end)), i.text, i.name, i.line)
    at = at + i.size
  end
end)
]]

local PROGRAM = [[
#include <math.h>
#include <stdio.h>
#include <string.h>
double table[100];
volatile int odd;
__attribute__((noinline)) double work(int n, const char *text)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    if (text[i % 3] == 'x' && odd)
      sum += sqrt(table[i]) * n;
    else
      sum -= (float)i / (n + 1);
    if (sum > 1e9)
      printf("%g %s\n", sum, text);
  }
  switch (n) {
  case 0: odd = 3; break;
  case 1: odd = 5; break;
  case 2: sum = (unsigned)odd >> 3; break;
  case 3: sum = odd * 7; break;
  case 4: memset(table, 0, sizeof table); break;
  case 5: sum = (long long)odd / 3; break;
  default: return sum < 0 ? -sum : sum;
  }
  return sum + strlen(text);
}
int main(int argc, char **argv)
{
  return work(argc, argv[0]) > 1e30;
}
]]

describe("disasm", function()
  local dir

  setup(function()
    dir = T.dir()
    T.file(PROGRAM, "prog.c")
  end)

  local function build(flags)
    return T.run(("cd %s && gcc -g %s -o prog prog.c -lm"):format(T.quote(dir), flags)).code == 0
  end

  local function ours(name, syntax)
    local result = T.ok(T.trace(SCRIPT:format(name, syntax), { dir .. "/prog" }))
    local list = {}
    for line in result.said:gmatch("[^\n]+") do
      local at, bytes, text, target = line:match("^(%x+)\t([%x ]*) \t([^\t]*)\t([^\t]*)")
      list[#list + 1] = { at = at, bytes = bytes, text = text, name = target }
    end
    return list
  end

  local function objdumps(name, syntax)
    local out = T.ok(T.run(("objdump -d -w -M %s --disassemble=%s %s/prog"):format(syntax, name,
      T.quote(dir)))).out
    local list = {}
    for at, bytes, text in out:gmatch("\n%s*(%x+):\t([%x ]-)%s*\t([^\n]*)") do
      list[#list + 1] = { at = at, bytes = bytes, text = text }
    end
    return list
  end

  -- What both call the same: objdump has prefixes that do nothing, and other names for some.
  local function mnemonic(text)
    for _, prefix in ipairs { "notrack", "bnd", "repz?", "data16", "cs", "es", "lock" } do
      text = text:gsub("^" .. prefix .. " ", "")
    end
    if text:find("^xchg +ax,ax") then return "nop" end
    return (text:match("^%S+"):gsub("^movabs", "mov"):gsub("^(stos).$", "%1")
      :gsub("^(v?cmp)%a+([sp][sd])$", "%1%2"))
  end

  for _, flags in ipairs { "-O0", "-O2 -fno-inline", "-O2 -m32 -fno-pic -no-pie", "-O3 -mavx2" } do
    it("has objdump's instructions: " .. flags, function()
      if not build(flags) then return pending("cannot be compiled here") end
      local want, got = objdumps("work", "intel"), ours("work", "intel")
      assert.truthy(#want > 30)
      assert.equal(#want, #got)
      for i, instruction in ipairs(want) do
        assert.equal(instruction.at, got[i].at)
        assert.equal(instruction.bytes, got[i].bytes)
        assert.equal(mnemonic(instruction.text), mnemonic(got[i].text),
          instruction.text .. " / " .. got[i].text)
        local target = instruction.text:match("^j%a+%s+(%x+) ")
        if target and not flags:find("pic") then
          assert.truthy(got[i].name and got[i].name:find("^work"), got[i].name)
        end
      end
    end)
  end

  it("prints lines as gdb does", function()
    build("-O0 -no-pie")
    local result = T.ok(T.trace([[
      on_syscall("exit_group", function(t)
        local main = t.process:symbol("main")
        say(t:disasm(main, 2))
        say(t:disasm(main, 2, { syntax = "att" }))
        local list = t:disasm(main, 40)
        for _, i in ipairs(list) do
          if i.name == "work" then say(i.text:match("^%a+"), i.line) end
        end
        say(#t:disasm(), t:disasm()[1].addr == t.pc)
      end)
    ]], { dir .. "/prog" }))
    local lines = T.lines(result.said)
    assert.truthy(lines[1]:find("^0x%x+ <main>: push rbp$"), lines[1])
    assert.truthy(lines[2]:find("^0x%x+ <main%+1>: mov rbp, rsp$"), lines[2])
    assert.truthy(lines[4]:find("mov %rsp, %rbp", 1, true), lines[4])
    assert.equal("call\t30", lines[5])
    assert.equal("1\ttrue", lines[6])
  end)

  it("shows what rip-relative operands are", function()
    build("-O0")
    local result = T.ok(T.trace([[
      on_syscall("exit_group", function(t)
        for _, i in ipairs(t:disasm(t.process:symbol("work"), 60)) do
          if i.name == "odd" then say(i) end
        end
      end)
    ]], { dir .. "/prog" }))
    assert.truthy(result.said:find("rip%+0x%x+%]  # 0x%x+ <odd>"), result.said)
  end)

  it("shows the program's own bytes under breakpoints", function()
    build("-O0")
    local result = T.ok(T.trace([[
      local before
      on_load(function(p, module)
        if module.name ~= "prog" then return end
        local t, work = p:threads()[1], p:symbol("work")
        before = tostring(t:disasm(work, 5))
        p:count { work, work + 1 }
        say(tostring(t:disasm(work, 5)) == before)
      end)
    ]], { dir .. "/prog" }))
    assert.equal("true\n", result.said)
  end)

  it("ends where memory ends, and goes on after what is no instruction", function()
    local result = T.ok(T.trace([[
      local done
      on_syscall("mmap", function(t, call)
        if done then return end
        done = true
        call:leave()
        local page = t:syscall("mmap", 0, 8192, 3, 0x22, -1, 0)
        t:syscall("munmap", page + 4096, 4096)
        t.mem:write(page + 4096 - 4, "\x90\x06\x90\x48")
        for _, i in ipairs(t:disasm(page + 4096 - 4, 10)) do say(i.size, i.text) end
        say(t:disasm(page + 4096, 1))
        say(select(3, t:disasm(1, 1)))
        say(#t:disasm(t.pc, 0), pcall(t.disasm, t, t.pc, 1, { syntax = "masm" }))
      end)
    ]], { "true" }))
    local lines = T.lines(result.said)
    assert.same({ "1\tnop", "1\t(bad)", "1\tnop", "1\t(bad)" }, { table.unpack(lines, 1, 4) })
    assert.truthy(lines[5]:find("^nil\tEFAULT"), lines[5])
    assert.equal("EFAULT", lines[6])
    assert.truthy(lines[7]:find('^0\tfalse\t.*syntax is "intel" or "att", not masm'), lines[7])
  end)
end)
