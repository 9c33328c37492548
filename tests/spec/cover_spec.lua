-- cover: its counts are those of gcov, of the same sources compiled for that.

local T = require "support"

local sources = T.source .. "/tests/fixtures/cover/"

describe("cover", function()
  local dir

  setup(function() dir = T.dir() end)

  -- Compile a source, plainly and for gcov, each in a directory of its own.
  local built
  local function build(name, flags, link)
    if built == name .. (flags or "") then return end
    built = name .. (flags or "")
    local compiler = name:find("%.cc$") and "g++" or "gcc"
    for _, kind in ipairs { "plain", "gcov" } do
      local folder = dir .. "/" .. kind
      T.ok(T.run({ "mkdir", "-p", folder }))
      T.ok(T.run(("cd %s && %s -w -g -O0 %s %s %s -o prog %s"):format(T.quote(folder), compiler,
        kind == "gcov" and "--coverage" or "", flags or "", T.quote(sources .. name), link or ""),
        { timeout = 60 }))
    end
  end

  -- Counts by line: of a tracefile, of what gcov prints (the first count of a line).
  local function of_tracefile(path, name)
    local counts, file, functions = {}, nil, {}
    for _, line in ipairs(T.lines(assert(T.read(path)))) do
      file = line:match("^SF:(.*)") or file
      if file and file:match("[^/]*$") == name then
        local number, count = line:match("^DA:(%d+),(%d+)$")
        if number then counts[tonumber(number)] = tonumber(count) end
        count, number = line:match("^FNDA:(%d+),(.*)$")
        if number then functions[number] = tonumber(count) end
      end
    end
    return counts, functions
  end

  local function of_gcov(name, words)
    T.ok(T.run(("cd %s/gcov && rm -f *.gcda && ./prog %s >/dev/null"):format(T.quote(dir),
      words or "")))
    local text = T.ok(T.run(("cd %s/gcov && gcov -t prog-*.gcda"):format(T.quote(dir)))).out
    local counts = {}
    local from = text:find("Source:[^\n]*" .. name:gsub("%p", "%%%0")) or 1
    local to = text:find("0:Source:", from + 8, true) or #text
    for count, line in text:sub(from, to):gmatch("([%d#=]+)%*?: *(%d+):") do
      line = tonumber(line)
      if line > 0 and not counts[line] then counts[line] = tonumber(count) or 0 end
    end
    return counts
  end

  local function cover(words, program)
    local file = T.temp(".info")
    local command = { "cover", "-o", file }
    for _, word in ipairs(words) do command[#command + 1] = word end
    command[#command + 1] = "--"
    for _, word in ipairs(program) do command[#command + 1] = word end
    T.ok(T.luatrace(command, { cwd = dir .. "/plain" }))
    return file
  end

  local function compare(name, want, got)
    local number, differences = 0, {}
    for line in io.lines(sources .. name) do
      number = number + 1
      if want[number] ~= got[number] then
        differences[#differences + 1] = ("%d: gcov %s, cover %s: %s"):format(number,
          tostring(want[number]), tostring(got[number]), line)
      end
    end
    assert.same({}, differences)
  end

  for _, flags in ipairs { "", "-gdwarf-4 -fstack-protector-all -fcf-protection", "-m32",
    "-fomit-frame-pointer -static" } do
    it("counts as gcov does in C: " .. flags, function()
      if flags == "-m32" and not T.exists(T.fixture("show-32")) then
        return pending("no 32-bit programs here")
      end
      build("plain.c", flags)
      local counts, functions = of_tracefile(cover({}, { "./prog" }), "plain.c")
      compare("plain.c", of_gcov("plain.c"), counts)
      assert.equal(5, functions.fact)
      assert.equal(1, functions.main)
    end)
  end

  for _, flags in ipairs { "", "-fstack-protector-all" } do
    it("counts as gcov does in C++: " .. flags, function()
      build("plus.cc", flags)
      local counts, functions = of_tracefile(cover({}, { "./prog" }), "plus.cc")
      compare("plus.cc", of_gcov("plus.cc"), counts)
      assert.equal(5, functions.thrower)
      assert.equal(2, functions["int half<int>(int)"])
    end)
  end

  it("counts in threads, children and libraries that are loaded late", function()
    build("threads.c", "", "-pthread")
    for _, kind in ipairs { "plain", "gcov" } do
      T.ok(T.run(("gcc -g -O0 -shared -fPIC %slibrary.c -o %s/%s/library.so"):format(
        T.quote(sources), T.quote(dir), kind)))
    end
    for _ = 1, T.scale(3) do
      local file = cover({}, { "./prog", "./library.so" })
      compare("threads.c", of_gcov("threads.c", "./library.so"),
        (of_tracefile(file, "threads.c")))
      assert.equal(7, of_tracefile(file, "library.c")[6])
    end
  end)

  it("tells only whether lines were executed", function()
    build("threads.c", "", "-pthread")
    local want, got = {}, of_tracefile(cover({ "--first" }, { "./prog" }), "threads.c")
    for line, count in pairs(of_gcov("threads.c")) do want[line] = math.min(count, 1) end
    compare("threads.c", want, got)
  end)

  it("looks at what it is told to", function()
    build("threads.c", "", "-pthread")
    T.ok(T.run(("mkdir -p %s/apart && gcc -g -O0 -shared -fPIC %slibrary.c -o %s/apart/library.so"
      ):format(T.quote(dir), T.quote(sources), T.quote(dir))))
    local program = { "./prog", dir .. "/apart/library.so" }
    assert.same({}, (of_tracefile(cover({}, program), "library.c")))
    assert.equal(8, of_tracefile(cover({ "-i", "library*" }, program), "library.c")[5])
    local file = cover({ "--include", "*/apart/*", "--exclude", "*/threads.c" }, program)
    assert.equal(8, of_tracefile(file, "library.c")[5])
    assert.same({}, (of_tracefile(file, "threads.c")))
  end)

  it("says so where there is nothing to count", function()
    local result = T.ok(T.luatrace({ "cover", "-o", T.temp(), "--", "/bin/true" }))
    assert.truthy(result.err:find("compiled with -g?", 1, true))
  end)

  it("writes what genhtml reads", function()
    if not T.have("genhtml") then return pending("no genhtml") end
    build("plain.c")
    local file = cover({}, { "./prog" })
    local result = T.ok(T.run({ "genhtml", "-q", "-o", dir .. "/html", file }))
    assert.equal("", result.err)
    assert.truthy(T.read(dir .. "/html/index.html"))
  end)
end)
