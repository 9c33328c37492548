-- Variables and types by name: what the fixture prints, what gdb prints, and what the program says
-- after its variables were assigned to.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- `body` runs at the n-th call of getppid: `t`, and `v`, its locals.
local function look(stage, body, fixture)
  local result = T.ok(T.trace([[
    local stage = 0
    on_syscall("getppid", function(t)
      stage = stage + 1
      if stage ~= ]] .. stage .. [[ then return end
      local v, p = t:locals(), t.process
      ]] .. body .. [[

    end)
  ]], { T.fixture(fixture or "variables-O0"), "word" }))
  return T.lines(result.said), result
end

local function pending_without(fixture)
  if T.exists(T.fixture(fixture)) then return false end
  pending("no " .. fixture)
  return true
end

-- The builds that place variables differently.
local function each_build(what, names, check)
  for _, name in ipairs(names) do
    it(what .. " (" .. name .. ")", function()
      if not pending_without(name) then check(name) end
    end)
  end
end

local ALL = { "variables-O0", "variables", "variables-O2", "variables-dwarf4", "variables-static",
  "variables-O0-32" }
local PLAIN = { "variables-O0", "variables-dwarf4", "variables-static", "variables-O0-32" }

describe("global variables", function()
  each_build("have the values of their types", ALL, function(build)
    local lines = look(1, [[
      local all = t:var("all")
      say(all.schar, all.uchar, all.plain, all.s, all.us, all.i, all.u, all.l, all.ul, all.ll)
      say(all.ull, luatrace.bit.rshift(all.ull, 1), all.f, all.d, all.ld, all.yes, all.no)
      say(all.nothing, all.nothing == luatrace.null)
      say(t:var("colour"), t:var("strange"), t:var("counter"), t:var("ratio"))
      say(all.l % 1 == 0, type(all.f), type(all.yes), type(t:var("colour")))
    ]], build)
    assert.same({
      "-5\t250\t65\t-30000\t60000\t-2000000000\t4000000000\t-123456789\t3456789012\t"
        .. "-1234567890123456789",
      "-446744073709551616\t9000000000000000000\t1.5\t-2.25\t3.125\ttrue\tfalse",
      "0x0\ttrue",
      "BLUE\t77\t100\t0.5",
      "true\tnumber\tboolean\tstring",
    }, lines)
  end)

  it("of 128 bits are numbers or digits", function()
    local lines = look(1, [[
      local all = t:var("all")
      say(all.huge, type(all.huge))
      all.huge = -3
      say(all.huge, type(all.huge))
    ]])
    assert.same({ "1267650600228229401496703205381\tstring", "-3\tnumber" }, lines)
  end)

  each_build("can be bit-fields", ALL, function(build)
    local lines = look(1, [[
      local b = t:var("bits")
      say(b.a, b.b, b.c, b.d, b.wide, b.tiny, b.flag)
    ]], build)
    assert.same({ "5\t-9\t1\t300000\t78187493530\t-2\ttrue" }, lines)
  end)

  each_build("can be unions, arrays of arrays, unnamed members", ALL, function(build)
    local lines = look(1, [[
      local m, both = t:var("mixed"), t:var("both")
      say(both.number, both.word, both.bytes[3], #both.bytes)
      say(m.at.x, m.at.y, m.inner, m.one, m.label, luatrace.str(m.label) == "label", #m.label)
      say(#m.matrix, #m.matrix[1], m.matrix[1][2], m.matrix[0][0], m.path[2].y, m.colour)
      say(luatrace.typename(m.call), luatrace.typename(m.matrix), luatrace.sizeof(m.path))
    ]], build)
    lines[1] = T.whole(lines[1])
    assert.same({
      "1\t1065353216\t63\t4",
      "1\t2\t-7\t99\tlabel\ttrue\t12",
      "2\t3\t6\t1\t60\tGREEN",
      "int (*)(int, const char *)\tint [2][3]\t24",
    }, lines)
  end)

  each_build("are followed through pointers", ALL, function(build)
    local lines = look(1, [[
      local node, names = t:var("head"), {}
      say(node.next.next.value, node.next.next.next, luatrace.typename(node.next))
      local at = t:cast("struct node *", node)
      while at ~= luatrace.null do
        names[#names + 1] = luatrace.str(at.name)
        at = at.next
      end
      say(#names, names[1], names[2], (names[3]:gsub("\n", "N")))
      say(t:var("words")[1], luatrace.str(t:var("words")[2]), t:var("words")[3])
      local f = t:var("flexible")
      say(f.count, f.items[0], f.items[1], f.items[2])
    ]], build)
    assert.same({
      '3\t0x0\tstruct node *',
      '3\thead\tsecond\tthird "quoted"N',
      "one\ttwo\t0x0",
      "3\t0\t11\t22",
    }, lines)
  end)

  each_build("can be a thread's own", PLAIN, function(build)
    local lines = look(1, [[
      say(t:var("per_thread"), t:var("thread_point"))
      t:set("per_thread", 5)
      t:var("thread_point").y = 6
    ]], build)
    assert.same({ "31\t{x = 8, y = 9}" }, lines)
  end)

  it("that are static are named by file or function too", function()
    local lines = look(1, [[
      say(t:var("only_here"), t:var("variables.c:only_here"), t:var("static_inside::calls"))
      say(t:var("other.c:only_here"))
    ]])
    assert.equal("42\t42\t1000", lines[1])
    assert.truthy(lines[2]:find("^nil\tENOENT: there is no variable 'other.c:only_here'"))
  end)

  it("are read and assigned through p.vars, p:var and p:set", function()
    local lines, result = look(1, [[
      say(p.vars.counter, p:var("counter"), p:set("counter", 3), p.vars.counter)
      p.vars.counter = p.vars.counter + 4
      p.vars.ratio = 2
      say(p:var("conter"))
      say(p:var("number"))
      say(pcall(function() return p.vars.conter end))
      say(pcall(function() p.vars.counter = "text" end))
      say(pcall(function() p.vars.counter = 2^31 end))
    ]])
    assert.equal("100\t100\ttrue\t3", lines[1])
    assert.truthy(lines[2]:find("^nil\tENOENT: .*did you mean 'counter'%?\tENOENT$"), lines[2])
    assert.truthy(lines[3]:find("^nil\tENOENT"), lines[3])
    assert.truthy(lines[4]:find("did you mean 'counter'?", 1, true), lines[4])
    assert.truthy(lines[5]:find("an integer expected, got string", 1, true), lines[5])
    assert.truthy(lines[6]:find("2147483648 does not fit into 32 signed bits", 1, true), lines[6])
    assert.truthy(result.out:find("counter 7\nratio 2.000\n"), result.out)
  end)
end)

describe("locals", function()
  each_build("have the values that the program prints", PLAIN, function(build)
    local lines = look(2, [[
      say(v.number, v.text, v.where.x, v.where.y, v.real, v.count, v.buffer, v.list[3])
      say(v.pointer.y, v.own.value, v.own.name, v.own.next.name, v.shade, v.half, v.ready)
      say(v.pointer == t:cast("struct point *", v.where), v.list)
    ]], build)
    assert.same({ "21\tword\t3\t4\t2.5\t42\thello\t4",
      "4\t21\tword\thead\tGREEN\t1.25\ttrue", "true\t{1, 2, 3, 4}" }, lines)
  end)

  it("are found through location lists in optimised code", function()
    local lines = look(2, [[
      say(v.text, v.where.x, v.where.y, v.count, v.buffer, v.list[3], v.own.value, v.ready)
    ]], "variables-O2")
    assert.same({ "word\t3\t4\t42\thello\t4\t21\ttrue" }, lines)
  end)

  each_build("of inner blocks hide those of outer ones", PLAIN, function(build)
    for stage, value in pairs { [3] = "three", [4] = "2", [5] = "1" } do
      local lines = look(stage, "say(v.value, t:var('value'), v.depth)", build)
      assert.same({ value .. "\t" .. value .. "\t1" }, lines)
    end
  end)

  each_build("of inlined functions come before those around them",
    { "variables-O0", "variables", "variables-O2" }, function(build)
      local lines = look(6, "say(v.factor, v.product, v.where.x, v.outer, v.here.y)", build)
      assert.same({ "3\t18\t6\t6\t7" }, lines)
    end)

  it("that are static live on", function()
    assert.same({ "1005\t5" }, (look(7, "say(v.calls, v.by)")))
  end)

  it("that are optimised out are nil, and say so", function()
    local lines = look(8, "say(v.gone, t:var('gone')) say(v.stays)", "variables-O2")
    assert.equal("nil\tnil\tENODATA: gone is optimised out here\tENODATA", lines[1])
    assert.equal("10", lines[2])
    lines = look(1, "say(t:var('only_here')) say(p.vars.only_here)", "variables-O2")
    assert.same({ "nil\tENODATA: only_here is optimised out here\tENODATA", "nil" }, lines)
  end)

  it("are listed by pairs, innermost first", function()
    local lines = look(3, [[
      local names = {}
      for name, value in pairs(v) do names[#names + 1] = name .. "=" .. tostring(value) end
      say(table.concat(names, " "))
      say(v)
    ]])
    assert.same({ "syscall_number=110 value=three depth=1",
      "locals: syscall_number, value, depth" }, lines)
  end)

  it("of callers are found through the stack", function()
    local lines = look(2, [[
      local main = t:locals(1)
      say(main.argc, main.argv[1])
      main.argc = 12
      say(main.argc, t:locals(1).argc)
      say(t:locals(1000))
    ]])
    assert.same({ "2\tword", "12\t12" }, { lines[1], lines[2] })
    assert.truthy(lines[3]:find("^nil\tENOENT: "), lines[3])
  end)

  it("of callers are in registers that were saved", function()
    local lines, result = look(8, [[
      local main = t:locals(1)
      say(t:locals(0).other, main.argc)
    ]], "variables")
    assert.equal(1, #lines, result.err)
    assert.truthy(lines[1]:find("^9\t"), lines[1])
  end)

  it("with a wrong name are refused with the nearest one", function()
    local lines = look(2, [[
      say(pcall(function() return v.cuont end))
      say(pcall(function() return v.where.z end))
      say(pcall(function() v.wher = 1 end))
      say(pcall(function() return v.list[4] end))
      say(pcall(function() return v.own.next.next.next.next.value end))
    ]])
    assert.truthy(lines[1]:find("no variable 'cuont' here; did you mean 'count'?", 1, true))
    assert.truthy(lines[2]:find("struct point has no member 'z'", 1, true), lines[2])
    assert.truthy(lines[3]:find("did you mean 'where'?", 1, true), lines[3])
    assert.truthy(lines[4]:find("index 4 of an array of 4 elements", 1, true), lines[4])
    assert.truthy(lines[5]:find("member 'value' of a null pointer", 1, true), lines[5])
  end)

  it("without debug information are missing with a reason", function()
    if not T.have("strip") then return pending("no strip") end
    local copy = T.temp()
    T.ok(T.run { "strip", "-o", copy, T.fixture("variables-O0") })
    local result = T.ok(T.trace([[
      local seen
      on_syscall("getppid", function(t)
        if seen then return end
        seen = true
        say(t:locals())
        say(t:var("counter"))
        say(t:cast("struct node *", 8))
        say(t:cast("unsigned short *", t.sp)[0] == t.mem:u16(t.sp))
      end)
    ]], { copy, "word" }))
    local lines = T.lines(result.said)
    assert.truthy(lines[1]:find("^nil\tENOENT: there is no debug information"), lines[1])
    assert.truthy(lines[2]:find("^nil\tENOENT: there is no variable 'counter' here"), lines[2])
    assert.truthy(lines[3]:find("^nil\tENOENT: no debug information has a type"), lines[3])
    assert.equal("true", lines[4])
  end)
end)

describe("assigning", function()
  each_build("changes what the program computes with", PLAIN, function(build)
    local _, result = look(2, [[
      v.count = 1000
      v.buffer = "changed"
      v.list[0] = 7
      v.list = { 70, 2, 3, 99 }
      v.where.y = 44
      v.pointer.x = 33
      v.own.value = -1
      v.own.name = v.own.next.name
      v.shade = "BLUE"
      v.half = 0.125
      v.ready = false
    ]], build)
    assert.truthy(result.out:find("count 1000\nbuffer changed\nlist 70 99\nwhere 33 44\n"
      .. "own %-1 head\nshade %-2\nhalf 0.125\nready 0\n"), result.out)
  end)

  each_build("reaches members, bit-fields, elements and pointers", PLAIN, function(build)
    local _, result = look(1, [[
      local b, m, all, head = t:var("bits"), t:var("mixed"), t:var("all"), t:var("head")
      b.a, b.b, b.c, b.d, b.wide, b.tiny, b.flag = 2, -16, 0, 524287, 0xabcdef0123, 1, false
      m.at.x, m.one, m.label, m.matrix[1][2], m.path[2].y = 11, -99, "twelve bytes", 66, 600
      m.colour = 0
      all.schar, all.uchar, all.plain, all.s, all.us, all.ll = 100, 0, 66, 1, 2, -1
      all.f, all.d, all.ld, all.yes = 0.25, 1e10, -0.5, false
      head.next = head.next.next
      head.value = 17
      p.vars.colour, p.vars.strange, p.vars.only_here = "RED", 78, -42
    ]], build)
    assert.truthy(result.out:find("only_here %-42\n"), result.out)
    assert.truthy(result.out:find("bits 2 %-16 0 524287 abcdef0123 1 0\n"), result.out)
    assert.truthy(result.out:find("mixed 11 %-99 twelve bytesB?.- 66 600 0\n"), result.out)
    assert.truthy(result.out:find("all 100 0 B 1 2 %-1 0.25 10000000000.000 %-0.500 0\n"))
    assert.truthy(result.out:find('head 17 third "quoted"\n'), result.out)
    assert.truthy(result.out:find("colour 0\nstrange 78\n"), result.out)
  end)

  it("of null, tables and whole structs", function()
    local lines, result = look(1, [[
      local m = t:var("mixed")
      m.path[0] = { x = 1000, y = 2000 }
      m.path[2] = m.path[0]
      say(m.path)
      t:var("head").next = nil
      say(t:var("head").next)
      say(pcall(function() m.path[1] = m.matrix end))
      say(pcall(function() m.label = ("x"):rep(13) end))
      say(pcall(function() m.colour = "GREN" end))
      say(pcall(function() t:var("bits").a = 8 end))
      say(pcall(function() t:var("bits").b = -17 end))
      say(pcall(function() t:var("all").d = "1" end))
    ]])
    assert.equal("{{x = 1000, y = 2000}, {x = 30, y = 40}, {x = 1000, y = 2000}}", lines[1])
    assert.equal("0x0", lines[2])
    assert.truthy(lines[3]:find("a int [2][3] cannot be assigned to a struct point", 1, true))
    assert.truthy(lines[4]:find("a string of 13 bytes does not fit into a char [12]", 1, true))
    assert.truthy(lines[5]:find("no enumerator 'GREN'; did you mean 'GREEN'?", 1, true), lines[5])
    assert.truthy(lines[6]:find("8 does not fit into 3 unsigned bits", 1, true), lines[6])
    assert.truthy(lines[7]:find("-17 does not fit into 5 signed bits", 1, true), lines[7])
    assert.truthy(lines[8]:find("a number expected, got string", 1, true), lines[8])
    assert.truthy(result.out:find("head 1 none\n"), result.out)
  end)

  it("reaches variables in registers", function()
    local _, result = look(8, "v.stays = 4321", "variables-O2")
    assert.truthy(result.out:find("optimised 4321\n"), result.out)
  end)

  it("is refused for objects of a stop that is over", function()
    local result = T.ok(T.trace([[
      local stage, kept = 0
      on_syscall("getppid", function(t)
        stage = stage + 1
        if stage == 8 then kept = t:locals() end
        if stage == 9 then say(pcall(function() return kept.other end)) say(pcall(pairs, kept)) end
        if stage == 9 then say(pcall(function() kept.other = 1 end)) end
      end)
    ]], { T.fixture("variables-O2"), "word" }))
    assert.truthy(T.lines(result.said)[3]:find("has run since", 1, true), result.said)
  end)
end)

describe("types", function()
  it("are described", function()
    local lines = look(1, [[
      local function show(name)
        local d, list = t:typeof(name), {}
        for _, m in ipairs(d.members or d.values or {}) do
          list[#list + 1] = ("%s %s %s %s"):format(m.name, m.type or m.value, m.offset or "",
            m.bits or "")
        end
        say(d.name, d.kind, d.size, d.length or d.target or "", table.concat(list, "; "))
      end
      show "struct node"
      show "struct bits *"
      show "enum colour"
      show "number_t"
      show "struct point [3][2]"
      show "unsigned long int"
      say(t:typeof("struct bits").members[2].bit, t:typeof("struct bits").members[2].bits)
      say(t:typeof("struct nodes"))
      say(t:typeof("struct opaque").size)
      say(pcall(t.typeof, t, "*"))
    ]])
    assert.equal("struct node\tstruct\t24\t\tvalue int 0 ; name const char * 8 ; "
      .. "next struct node * 16 ", lines[1])
    assert.equal("struct bits *\tpointer\t8\tstruct bits\t", lines[2])
    assert.equal("enum colour\tenum\t4\t\tRED 0  ; GREEN 5  ; BLUE -2  ", lines[3])
    assert.equal("number_t\tbase\t4\t\t", lines[4])
    assert.equal("struct point [3][2]\tarray\t48\t3\t", lines[5])
    assert.equal("unsigned long\tbase\t8\t\t", lines[6])
    assert.equal("3\t5", lines[7])
    assert.truthy(lines[8]:find("^nil\tENOENT: no debug information has a type 'struct nodes'"))
    assert.equal("nil", lines[9])
    assert.truthy(lines[10]:find("is no type", 1, true), lines[10])
  end)

  it("are cast to", function()
    local lines = look(1, [[
      local head = t:var("head")
      local addr = luatrace.addr(head)
      say(t:cast("struct node *", addr).next.name, t:cast("struct node", addr).value)
      say(t:cast("int *", addr)[0], t:cast("unsigned char *", addr)[0])
      say(pcall(t.cast, t, "int", addr))
    ]])
    assert.same({ "second\t1", "1\t1" }, { lines[1], lines[2] })
    assert.truthy(lines[3]:find("t:cast(\"int *\", addr)[0] is what is there", 1, true), lines[3])
  end)

  it("of pointers count in their elements", function()
    local lines = look(2, [[
      local first = t:cast("int *", v.list)
      say(first[2], (first + 3)[0], (first + 3) - first, luatrace.deref(first + 1))
      say(first < first + 1)
      say(luatrace.addr(first + 2) - luatrace.addr(first), luatrace.bytes(v.list) == t.mem:read(
        luatrace.addr(v.list), 16))
      say(pcall(function() return t:cast("void *", 4).x end))
      say(luatrace.deref(luatrace.null))
      say(pcall(function() return t:cast("int *", 16)[0] end))
    ]])
    assert.equal("3\t4\t3\t2", lines[1])
    assert.equal("true", lines[2])
    assert.equal("8\ttrue", lines[3])
    assert.truthy(lines[4]:find("^false"), lines[4])
    assert.truthy(lines[5]:find("^nil\tE"), lines[5])
    assert.truthy(lines[6]:find("EFAULT: there is no memory at 0x10", 1, true), lines[6])
  end)
end)

describe("tostring", function()
  -- gdb's words without what differs from run to run, and without the letters of characters.
  local function plain(text)
    return (text:gsub("0x%x+", "ADDR"):gsub(" <[^>]*>", ""):gsub(" '[^']+'", "")
      :gsub("^%$%d+ = ", ""):gsub(", ADDR, ADDR}", ", ADDR}"))
  end

  it("agrees with gdb's print", function()
    if not T.have("gdb") then return pending("no gdb") end
    local expressions = { "all", "bits", "both.word", "mixed.at", "mixed.matrix",
      "mixed.path", "mixed.colour", "mixed.label", "head", "second", "third", "colour", "strange",
      "words", "only_here", "counter", "ratio", "per_thread", "thread_point" }
    local words = { "gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex",
      "set print null-stop on", "-ex", "catch syscall getppid", "-ex", "run" }
    local code = {}
    for _, expression in ipairs(expressions) do
      words[#words + 1] = "-ex"
      words[#words + 1] = "print " .. expression
      code[#code + 1] = ("t:var(%q)%s"):format(expression:match("^[%w_]+"),
        expression:match("%..*") or "")
    end
    words[#words + 1] = "--args"
    words[#words + 1] = T.fixture("variables-O0")
    words[#words + 1] = "word"
    local printed = {}
    for line in T.run(words, { timeout = 60 }).out:gmatch("[^\n]+") do
      if line:find("^%$%d+ = ") then printed[#printed + 1] = plain(line) end
    end
    if #printed < #expressions then return pending("gdb cannot run the fixture here") end
    local said = look(1, "local function q(x) return (tostring(x):gsub('\\n', '\\\\n')) end\nsay(q("
      .. table.concat(code, "))\nsay(q(") .. "))")
    for i, line in ipairs(said) do
      local want = printed[i]
      if expressions[i] == "mixed.label" then want = want:gsub('"', "") end
      assert.equal(want, plain(line), expressions[i])
    end
    assert.equal(#expressions, #said)
  end)

  it("is bounded and harmless", function()
    local lines = look(1, [[
      local whole = tostring(t:cast("struct everything [400]", t:var("anything")))
      say(#whole < 100000, whole:find("%.%.%.") ~= nil)
      t.mem:write(luatrace.addr(t:var("mixed").label), "a\27[2J\"\n")
      say(tostring(t:var("mixed")):match('label = ("[^,]*),'))
    ]])
    assert.equal("true\ttrue", lines[1])
    assert.equal([["a\33[2J\"\n"]], lines[2])
  end)
end)

describe("arguments by name", function()
  local SCRIPT = [[
    on_break("locals", function(t, f)
      say(f.args.number, f.args.text, f.args.number == f.args[1])
      say(f.args.where, t:var("where").y, f.args.real)
      say(pcall(function() return f.args.nmber end))
      f.args.number = 5
    end)
  ]]

  each_build("are right at the first instruction", ALL, function(build)
    local result = T.ok(T.trace(SCRIPT, { T.fixture(build), "word" }))
    local lines = T.lines(result.said)
    assert.equal("21\tword\ttrue", lines[1])
    assert.equal("{x = 3, y = 4}\t4\t2.5", lines[2])
    assert.truthy(lines[3]:find("locals has no parameter 'nmber'; did you mean 'number'?", 1, true),
      lines[3])
    assert.truthy(result.out:find("count 10\n"), result.out)
  end)

  it("are found in a breakpoint's locals after the prologue", function()
    local result = T.ok(T.trace([[
      on_break("locals", { after_prologue = true }, function(t, f)
        say(f.locals.number, f.locals.text, f.locals.where, f.locals.real)
        f.locals.number = 6
      end)
    ]], { T.fixture("variables-O0"), "word" }))
    assert.equal("21\tword\t{x = 3, y = 4}\t2.5\n", result.said)
    assert.truthy(result.out:find("count 12\n"), result.out)
  end)

  it("do not outlive their stop", function()
    local result = T.ok(T.trace([[
      on_break("locals", function(t, f)
        f:leave()
        say(pcall(function() return f.args.number end))
        say(pcall(function() return f.locals.count end))
      end)
    ]], { T.fixture("variables-O0"), "word" }))
    for _, line in ipairs(T.lines(result.said)) do
      assert.truthy(line:find("this frame is over", 1, true), line)
    end
  end)
end)

describe("C++", function()
  local function inside(code)
    return T.lines(T.ok(T.trace([[
      local stage = 0
      on_syscall("getppid", function(t)
        stage = stage + 1
        local v = t:locals()
        ]] .. code .. [[

      end)
    ]], { T.fixture("objects-O0") })).said)
  end

  it("has name spaces, static members, bases, references", function()
    if pending_without("objects-O0") then return end
    local lines = inside [[
      if stage == 1 then
        say(t:var("space::counter"), t:var("::space::counter"), t:var("space::inner::pair").second)
        say(t:var("space::inner::colour"), t:var("hidden"), t:var("Box<int>::boxes"))
        say(t:var("Shape::shapes"), v.this.sides, v.this.name, v.this.Named.name, v.scale)
        say(t:cast("Square *", v.this).at.second, luatrace.typename(v.this))
        t:cast("Square *", v.this).sides = 6
      else
        say(v.pair, v.pair.first, luatrace.typename(v.pair), v.box, v.out, v.temporary, v.nothing)
        v.out = 100
        say(v.out)
      end
    ]]
    assert.same({ "11\t11\t2", "green\t12\t5", "21\t4\tsquare\tsquare\t10", "8\tShape *",
      "{first = 1, second = 2}\t1\tspace::inner::Pair\t{content = 2.5}\t3\t41\t0x0", "100" }, lines)
  end)
end)
