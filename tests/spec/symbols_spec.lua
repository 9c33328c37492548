-- Symbols: where they come from, how they are found by name, pattern and address.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- Compile the source (C, or by the name's extension) to a program; returns its path.
local function build(name, source, flags, compiler)
  local path = T.dir() .. "/" .. name:gsub("%..*", "")
  T.ok(T.run(("%s -o %s %s %s"):format(compiler or "cc", path, T.file(source, name), flags or "")))
  return path
end

local function run(command)
  T.ok(T.run("cd " .. T.dir() .. " && " .. command))
end

-- What the body, with t and p, says when the program calls getppid.
local function at_getppid(program, body)
  return T.ok(T.trace(([[
    on_syscall("getppid", function(t)
      local p = t.process
      %s
    end)
  ]]):format(body), { program })).said
end

local SOURCE = [[
#include <unistd.h>
int table[40] = { 1 };
static __attribute__((noinline)) int hidden(int a) { getppid(); return a; }
int shown(int a) { return hidden(a) + table[a]; }
__asm__(".globl label\nlabel: nop\n nop\n ret\n");
int main(void) { return shown(0) - 1; }
]]

-- What is known of SOURCE; the name of its module is the program's.
local ALL = [[
  for _, name in ipairs { "table", "hidden", "shown", "label", "main" } do
    local s = p:symbols(name)[1]
    if s then say(s.name, s.kind, s.is_local, s.size > 0, p:symbol(name) == s.addr) end
  end
]]
local KNOWN = "table\tobject\tfalse\ttrue\ttrue\nhidden\tfunction\ttrue\ttrue\ttrue\n" ..
  "shown\tfunction\tfalse\ttrue\ttrue\nlabel\tother\tfalse\tfalse\ttrue\n" ..
  "main\tfunction\tfalse\ttrue\ttrue\n"

describe("symbols come from", function()
  local kinds = { [""] = "PIE", ["-no-pie"] = "at fixed addresses", ["-static"] = "static",
    ["-static-pie -fPIE"] = "static PIE" }
  for flag, what in pairs(kinds) do
    it("programs, " .. what, function()
      assert.equal(KNOWN, at_getppid(build("plain.c", SOURCE, flag), ALL))
    end)
  end

  it("32-bit programs", function()
    if not T.exists(T.fixture("exact-32")) then pending("no 32-bit programs here") end
    for _, flag in ipairs { "-m32", "-m32 -static", "-m32 -no-pie" } do
      assert.equal(KNOWN, at_getppid(build("narrow.c", SOURCE, flag), ALL))
    end
  end)

  it("separate debug files, by link", function()
    build("linked.c", SOURCE, "-g -Wl,--build-id=none")
    run("objcopy --only-keep-debug linked linked.debug && " ..
      "objcopy --strip-all --add-gnu-debuglink=linked.debug linked && " ..
      "mkdir -p .debug && mv linked.debug .debug")
    assert.equal(KNOWN, at_getppid(T.dir() .. "/linked", ALL))
    run("rm .debug/linked.debug")
    assert.equal("", at_getppid(T.dir() .. "/linked", ALL))
  end)

  it("separate debug files in the tracee's root, by build id", function()
    if not T.has_namespaces() then pending("no namespaces here") end
    build("byid.c", SOURCE, "-g -static -Wl,--build-id")
    run("mkdir -p root/proc && objcopy --only-keep-debug byid byid.debug && strip byid && " ..
      "id=$(readelf -n byid | sed -n 's/.*Build ID: //p') && " ..
      "to=root/usr/lib/debug/.build-id/$(echo $id | cut -c1-2) && mkdir -p $to && " ..
      "mv byid.debug $to/$(echo $id | cut -c3-).debug && cp byid root/byid")
    local said = T.ok(T.trace([[
      on_syscall("getppid", function(t)
        local p = t.process
        if p.name ~= "byid" then return end
    ]] .. ALL .. "end)", { "chroot", T.dir() .. "/root", "/byid" })).said
    assert.equal(KNOWN, said)
  end)

  it("a compressed symbol table inside the file", function()
    if not T.have("xz") then pending("no xz here") end
    build("mini.c", SOURCE, "-g")
    run("objcopy -S --remove-section .comment --keep-symbol=hidden --keep-symbol=shown " ..
      "--keep-symbol=table --keep-symbol=label --keep-symbol=main mini mini.syms && " ..
      "xz -f mini.syms && strip mini && objcopy --add-section .gnu_debugdata=mini.syms.xz mini")
    local said = at_getppid(T.dir() .. "/mini", ALL)
    assert.equal(KNOWN, said)
  end)

  it("servers, if they may be asked", function()
    if T.run("ldconfig -p | grep libdebuginfod").code ~= 0 then pending("no libdebuginfod here") end
    build("served.c", SOURCE, "-g -Wl,--build-id")
    run("objcopy --only-keep-debug served served.debug && strip served && " ..
      "id=$(readelf -n served | sed -n 's/.*Build ID: //p') && mkdir -p server/buildid/$id && " ..
      "mv served.debug server/buildid/$id/debuginfo")
    for _, words in ipairs { {}, { "--debuginfod" } } do
      local result = T.ok(T.trace("on_syscall('getppid', function(t) local p = t.process " .. ALL ..
        " end)", { T.dir() .. "/served" }, { words = words, env = {
          DEBUGINFOD_URLS = "file://" .. T.dir() .. "/server",
          DEBUGINFOD_CACHE_PATH = T.dir() .. "/cache" } }))
      assert.equal(words[1] and KNOWN or "", result.said)
      assert.equal(words[1] ~= nil, T.exists(T.dir() .. "/cache"))
    end
  end)

  it("what is exported, where the rest was stripped", function()
    build("bare.c", SOURCE, "-rdynamic -s")
    assert.equal((KNOWN:gsub("hidden[^\n]*\n", "")), at_getppid(T.dir() .. "/bare", ALL))
  end)

  it("code that jumps to other modules, as objdump names it", function()
    for _, how in ipairs { "", "-fcf-protection=none", "-no-pie", "-Wl,-z,now", "-m32",
      "-m32 -no-pie" } do
      if how:find("-m32") and not T.exists(T.fixture("exact-32")) then break end
      local program = build("jumps.c", SOURCE, how)
      local said = at_getppid(program, [[
        for _, s in ipairs(p:symbols("jumps:*@plt")) do
          say(("%x %s %s"):format(s.addr - s.bias, s.name, s.kind))
        end
      ]])
      local want = {}
      for addr, name in T.run({ "objdump", "-d", program }).out:gmatch("(%x+) <([^>]*@plt)>:") do
        want[#want + 1] = ("%x %s plt\n"):format(tonumber(addr, 16), name)
      end
      assert.truthy(#want >= 1)
      assert.equal(table.concat(want), said, how)
    end
  end)

  it("the vdso", function()
    assert.equal("__vdso_clock_gettime\ttrue\n", at_getppid(T.fixture("loads"), [[
      local s = p:symbols("*vdso*:__vdso_clock_gettime")[1]
      say(s.name, tostring(t:where(s.addr)) == "clock_gettime ([vdso])" or
        tostring(t:where(s.addr)) == "__vdso_clock_gettime ([vdso])")
    ]]))
  end)
end)

describe("names", function()
  it("of C++ are as in the source", function()
    if not T.have("c++") then pending("no C++ compiler here") end
    local program = build("names.cc", [[
      #include <unistd.h>
      namespace shop {
        struct Cart {
          int n = 0;
          __attribute__((noinline)) void add(int a) { n += a; }
          __attribute__((noinline)) void add(const char *, long) { n++; getppid(); }
        };
        template <class T> __attribute__((noinline)) T twice(T a) { __asm__(""); return a + a; }
      }
      int main() { shop::Cart c; c.add(1); c.add("", 2); return shop::twice<int>(1) - 2; }
    ]], "-O0", "c++")
    assert.equal("shop::Cart::add(int)\t_ZN4shop4Cart3addEi\nshop::Cart::add\t2\n" ..
      "shop::twice<int>\ttrue\nshop::Cart::add\ttrue\nnil\ttrue\n", at_getppid(program, [[
        local one = p:symbol("shop::Cart::add(int)")
        say("shop::Cart::add(int)", t:where(one).raw)
        say(t:where(one).name, #p:symbols("shop::Cart::add"))
        local s = p:symbols("names:shop::tw*")[1]
        say(s.name, p:symbol("names:shop::twice<int>") == s.addr)
        say(t:where(p:symbol("_ZN4shop4Cart3addEPKcl")).name, #p:symbols("*Cart*add*long*") == 1)
        local none, message = p:symbol("shop::Cart::ad")
        say(none, message:find("did you mean 'shop::Cart::add'?", 1, true) ~= nil)
      ]]))
  end)

  it("of Rust are as in the source", function()
    if not T.have("rustc") then pending("no rustc here") end
    for _, mangling in ipairs { "legacy", "v0" } do
      local flags = "-C symbol-mangling-version=" .. mangling .. (mangling == "legacy" and
        " -Z unstable-options" or "")
      local path = T.dir() .. "/crab"
      local source = T.file([[
        mod shop { #[inline(never)] pub fn add(a: u32) -> u32 { unsafe { super::getppid(); } a } }
        extern "C" { fn getppid() -> i32; }
        fn main() { std::process::exit(shop::add(0) as i32) }
      ]], "crab.rs")
      local made = T.run(("rustc -g %s -o %s %s"):format(flags, path, source), { timeout = 60 })
      if made.code ~= 0 then
        made = T.run(("rustc -g -o %s %s"):format(path, source), { timeout = 60 })
      end
      T.ok(made)
      assert.equal("crab::shop::add\n", at_getppid(path,
        [[say((p:symbols("crab:*shop::add*")[1].name:gsub("::h%x+$", "")))]]))
    end
  end)

  it("that are hostile are bounded", function()
    local names = {}
    for i, text in ipairs { ("Z"):rep(3000), "ZN" .. ("1a"):rep(20000) .. "E",
      "Z1f" .. ("P"):rep(9000), "ZN1aIXadL_Z" .. ("N1aIXadL_Z"):rep(500), "R" .. ("NvC"):rep(3000),
      "ZZ" .. ("Z"):rep(70000) } do
      names[i] = (".globl _%s\n_%s: nop\n"):format(text, text)
    end
    local path = T.dir() .. "/long"
    T.ok(T.run(("cc -o %s %s %s"):format(path, T.file(table.concat(names), "long.s"),
      T.file("#include <unistd.h>\nint main(void) { getppid(); return 0; }\n", "long.c"))))
    assert.equal("true\ttrue\n", at_getppid(path,
      [[say(p:symbol("main") ~= nil, #p:symbols("long:_*") >= 5)]]))
  end)

  it("that are almost right are guessed", function()
    assert.equal("ENOENT: process N has no symbol 'libc:mallocc'; did you mean 'malloc'?\n",
      (at_getppid(T.fixture("loads"), [[say((select(2, p:symbol("libc:mallocc"))))]])
        :gsub("process %d+", "process N")))
  end)

  it("exported come before local ones, and the program before its libraries", function()
    local path = T.dir() .. "/order"
    T.ok(T.run(("cc -o %s %s %s"):format(path, T.file([[
      #include <unistd.h>
      static __attribute__((used, noinline)) int same(void) { return 1; }
      int puts(const char *s) { getppid(); return same() + (s != 0); }
      int main(void) { puts(""); return 0; }
    ]], "one.c"), T.file("int same(void) { return 2; }\n", "two.c"))))
    assert.equal("2\torder\n", at_getppid(path,
      [[say(t:call("same", { returns = "int" }), t:where(p:symbol("puts")).module)]]))
  end)
end)

describe("p:symbols", function()
  it("matches modules and names", function()
    assert.equal("0\ttrue\ttrue\ttrue\ttrue\n", at_getppid(T.fixture("loads"), [[
      local all = p:symbols("libc:str*")
      local sorted = true
      for i = 2, #all do sorted = sorted and all[i - 1].addr <= all[i].addr end
      for _, s in ipairs(all) do assert(s.raw:find("^str") or s.name:find("^str"), s.name) end
      say(#p:symbols("nothing-like-this:*"), #all > 20, sorted,
        #p:symbols("str*") >= #all, #p:symbols("libc.so.6:str[cn]*mp") >= 2)
    ]]))
  end)

  it("refuses what is no pattern", function()
    local result = T.trace([[on_start(function(p) p:symbols(1) end)]], { "true" })
    assert.truthy(result.err:find("p:symbols needs a name or a pattern", 1, true), result.err)
  end)
end)

describe("t:where", function()
  it("names addresses", function()
    local program = build("place.c", SOURCE, "-no-pie")
    assert.equal("shown (place)\nshown+0x1 (place)\nlabel+0x2 (place)\ntable+0x8 (place)\n" ..
      "true\ttrue\ttrue\n0x10\n", at_getppid(program, [[
        local f = p:symbol("shown")
        say(t:where(f))
        say(t:where(f + 1))
        say(t:where(p:symbol("label") + 2))
        say(t:where(p:symbol("table") + 8))
        local m = p:modules()[1]
        say(t:where(m.from + 8).offset == m.from + 8, t:where().module:find("^libc") ~= nil,
          t:where(t.sp).module == nil)
        say(t:where(16))
      ]]))
  end)

  it("knows nothing of a stripped function but its module", function()
    build("mute.c", SOURCE, "-s")
    assert.equal("true\n", at_getppid(T.dir() .. "/mute", [[
      local m = p:modules()[1]
      local where = t:where(m.from + 0x1150)
      say(where.module == "mute" and where.name == nil and where.offset == 0x1150)
    ]]))
  end)
end)
