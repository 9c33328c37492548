-- Source lines: p:lines(), and file, line, column and inlined calls of t:where().

local T = require "support"

local PLAIN = [[
#include <stdio.h>
static int twice(int n)
{
  return n * 2;
}

static inline __attribute__((always_inline)) int thrice(int n)
{
  __asm__ volatile("" : "+r"(n)); return n * 3;
}

int main(int argc, char **argv)
{
  int sum = 0;
  for (int i = 0; i < 3; i++)
    sum += twice(i + argc);

  sum += thrice(sum);
  sum -= thrice(argc);
  printf("%d %s\n", sum, argv[0] ? "yes" : "no");
  return 0;
}
]]

local TEMPLATE = [[
#include <unistd.h>
template <class T>
T half(T value)
{
  return value / 2;
}

namespace shop {
struct Cart {
  int add(int n) { return n + 1; }
};
}

int main(int argc, char **)
{
  auto lambda = [](int n) {
    return n + 4;
  };
  shop::Cart cart;
  return half(argc) + half(argc * 1.5) + cart.add(lambda(1)) > 100;
}
]]

-- Says what p:lines(...) gives for each of these, at the program's end.
local SCRIPT = [[
on_syscall("exit_group", function(t)
  for _, where in ipairs { %s } do
    local places, message = t.process:lines(where)
    if not places then say(where, message) end
    for _, place in ipairs(places or {}) do
      local at = t:where(place.addr)
      local inlined = {}
      for _, call in ipairs(at.inlined or {}) do
        inlined[#inlined + 1] = call.name .. ":" .. call.line
      end
      say(where, place.name, place.line, at.line, at.file == place.file, place.module,
        table.concat(inlined, " "))
    end
  end
end)
]]

describe("lines", function()
  local dir

  setup(function()
    dir = T.dir()
    T.ok(T.run({ "mkdir", "-p", dir .. "/a b" }))
    T.file(PLAIN, "a b/plain.c")
    T.file(TEMPLATE, "template.cc")
  end)

  local function lines(compile, ...)
    local words = {}
    for i, where in ipairs { ... } do words[i] = ("%q"):format(where) end
    T.ok(T.run("cd " .. T.quote(dir) .. " && " .. compile .. " -o prog", { timeout = 60 }))
    local result = T.ok(T.trace(SCRIPT:format(table.concat(words, ", ")), { dir .. "/prog" }))
    return T.lines(result.said)
  end

  it("finds the code of a line", function()
    assert.same({
      "plain.c:4\ttwice\t4\t4\ttrue\tprog\t",
      "a b/plain.c:15\tmain\t15\t15\ttrue\tprog\t",
      "./../a b/plain.c:4\ttwice\t4\t4\ttrue\tprog\t",
    }, lines("gcc -g -O0 'a b/plain.c'", "plain.c:4", "a b/plain.c:15", "./../a b/plain.c:4"))
  end)

  it("finds all inlined copies", function()
    for _, level in ipairs { "-O0", "-O2" } do
      local found = lines("gcc -g " .. level .. " 'a b/plain.c'", "plain.c:9")
      assert.equal(2, #found)
      assert.equal("plain.c:9\tthrice\t9\t9\ttrue\tprog\tthrice:18", found[1])
      assert.equal("plain.c:9\tthrice\t9\t9\ttrue\tprog\tthrice:19", found[2])
    end
  end)

  it("finds all instances of a template, and functions in functions", function()
    local found = lines("g++ -g -O0 template.cc", "template.cc:5", "template.cc:10",
      "template.cc:17")
    table.sort(found)
    assert.same({
      "template.cc:10\tshop::Cart::add\t10\t10\ttrue\tprog\t",
      "template.cc:17\toperator()\t17\t17\ttrue\tprog\t",
      "template.cc:5\thalf<double>\t5\t5\ttrue\tprog\t",
      "template.cc:5\thalf<int>\t5\t5\ttrue\tprog\t",
    }, found)
  end)

  it("goes past the prologue where the line begins a function", function()
    local result = T.ok(T.trace([[
      on_syscall("exit_group", function(t)
        local p = t.process
        for _, line in ipairs { 3, 4 } do say(p:lines("plain.c:" .. line)[1].addr) end
      end)
    ]], { dir .. "/prog" }, lines("gcc -g -O0 'a b/plain.c'", "plain.c:4") and {}))
    local addrs = T.lines(result.said)
    assert.equal(addrs[1], addrs[2])
  end)

  it("names the nearest line, or file", function()
    assert.same({
      "plain.c:17\tENOENT: no code at plain.c:17; the nearest lines with code are 16 and 18",
      "plain.c:900\tENOENT: no code at plain.c:900; the nearest line with code is 22",
      "plane.c:4\tENOENT: there is no source file plane.c; did you mean plain.c?",
      "other/plain.c:4\tENOENT: there is no source file other/plain.c; did you mean plain.c?",
    }, lines("gcc -g -O0 'a b/plain.c'", "plain.c:17", "plain.c:900", "plane.c:4",
      "other/plain.c:4"))
  end)

  it("says that there is no debug information", function()
    local found = lines("gcc -static -s 'a b/plain.c'", "plain.c:4")
    assert.truthy(found[1]:find("compile with -g", 1, true), found[1])
  end)

  it("takes a file and a number", function()
    for _, bad in ipairs { "'main'", "'x.c'", "12", "'x.c:'", "nil" } do
      local result = T.trace("on_start(function(p) p:lines(" .. bad .. ") end)", { "true" })
      assert.equal(125, result.code)
      assert.truthy(result.err:find('a line is "file.c:120"', 1, true), result.err)
    end
  end)

  it("agrees with gdb about single addresses", function()
    if not T.have("gdb") then return pending("no gdb") end
    lines("gcc -g -O2 -no-pie 'a b/plain.c'", "plain.c:4")
    local result = T.ok(T.trace([[
      on_syscall("exit_group", function(t)
        local p = t.process
        for addr = p:symbol("main"), p:symbol("main") + 60, 3 do
          say(("%x %d"):format(addr, t:where(addr).line or 0))
        end
      end)
    ]], { dir .. "/prog" }))
    local commands, want = {}, {}
    for addr in result.said:gmatch("(%x+) ") do
      commands[#commands + 1] = "-ex 'info line *0x" .. addr .. "'"
    end
    local out = T.ok(T.run("gdb -batch -nx " .. table.concat(commands, " ") .. " " ..
      T.quote(dir .. "/prog"))).out
    for line in out:gmatch("[^\n]+") do
      want[#want + 1] = line:match("^Line (%d+) ") or "0"
    end
    local got = {}
    for line in result.said:gmatch(" (%d+)\n") do got[#got + 1] = line end
    assert.same(want, got)
  end)

  for _, kind in ipairs { "plain.c", "plus.cc" } do
    it("has gdb's breakpoints: " .. kind, function()
      if not T.have("gdb") then return pending("no gdb") end
      local source = T.source .. "/tests/fixtures/cover/" .. kind
      T.ok(T.run(("g%s -w -g -O0 -no-pie %s -o %s/prog"):format(
        kind == "plain.c" and "cc" or "++", T.quote(source), T.quote(dir)), { timeout = 60 }))
      local _, count = assert(T.read(source)):gsub("\n", "")
      local result = T.ok(T.trace(([[
        on_syscall("exit_group", function(t)
          for line = 1, %d, 2 do
            local addrs = {}
            for i, place in ipairs(t.process:lines("%s:" .. line) or {}) do
              addrs[i] = ("%%x"):format(place.addr)
            end
            say(line, table.concat(addrs, " "))
          end
        end)
      ]]):format(count, kind), { dir .. "/prog" }))
      local commands = { "gdb -batch -nx -ex 'set breakpoint pending off'" }
      for line = 1, count, 2 do
        commands[#commands + 1] = ("-ex 'echo LINE %d\\n' -ex 'break %s:%d' -ex 'info break'"
          .. " -ex delete"):format(line, kind, line)
      end
      commands[#commands + 1] = T.quote(dir .. "/prog")
      local got = {}
      for line, addrs in result.said:gmatch("(%d+)\t([^\n]*)") do got[tonumber(line)] = addrs end
      local out = T.run(table.concat(commands, " "), { timeout = 60 }).out
      local want, line = {}, nil -- gdb takes a later line where one has no code: nil
      for _, text in ipairs(T.lines(out)) do
        line = tonumber(text:match("^LINE (%d+)")) or line
        local addr, at = text:match("0x0*(%x+) in .*:(%d+)")
        if addr then
          want[line] = want[line] or {}
          table.insert(want[line], tonumber(at) == line and addr or "elsewhere")
        end
      end
      local compared = 0
      for number, addrs in pairs(want) do
        table.sort(addrs)
        if addrs[#addrs] ~= "elsewhere" then
          assert.equal(number .. ": " .. table.concat(addrs, " "), number .. ": " .. got[number])
          compared = compared + 1
        end
      end
      assert.truthy(compared > 20, compared)
    end)
  end
end)
