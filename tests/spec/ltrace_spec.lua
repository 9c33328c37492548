-- scripts/ltrace.lua: library calls, their arguments and results.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- luatrace ltrace OPTIONS -- PROGRAM, which writes to a file: its lines, without the thread ids.
local function ltrace(options, program, code)
  local file, words = T.temp(), { "ltrace", "-o" }
  words[#words + 1] = file
  for _, word in ipairs(options) do words[#words + 1] = word end
  words[#words + 1] = "--"
  for _, word in ipairs(program) do words[#words + 1] = word end
  local result = T.ok(T.luatrace(words), code)
  local text = T.read(file)
  local lines = {}
  for _, line in ipairs(T.lines(text)) do
    local id = line:match("^%d+") or ""
    lines[#lines + 1] = id ~= "" and line:sub(math.max(#id, 5) + 2) or line
  end
  return table.concat(lines, "\n") .. "\n", result, text
end

local function has(text, line)
  if not ("\n" .. text):find("\n" .. line .. "\n", 1, true) then
    error(("no line %q in\n%s"):format(line, text), 2)
  end
end

local function count(text, pattern) return select(2, text:gsub(pattern, "")) end

-- The builds of the fixture: bound at start without a procedure linkage table, static, 32 bits.
local function builds()
  local list = { "libcalls", "libcalls-now", "libcalls-static" }
  for _, name in ipairs { "libcalls-32", "libcalls-static-32" } do
    if T.exists(T.fixture(name)) then list[#list + 1] = name end
  end
  return list
end

describe("ltrace", function()
  for _, name in ipairs(builds()) do
    it("shows arguments and results of " .. name, function()
      local text = ltrace({}, { T.fixture(name), "values" })
      has(text, 'strcmp("values", "values") = 0')
      has(text, [[strlen("hello \"you\"\n") = 12]])
      has(text, 'snprintf("-7 -42  2.50 x 99%", 128, "%d %s %5.2f %c %lu%%", -7, "-42", 2.5, '
        .. "'x', 99) = 18")
      has(text, 'snprintf("hel|", 5, "%.*s|%lld", 3, "hel", -5000000000) = 15')
      has(text, 'strtol("-42", nil, 10) = -42')
      has(text, 'fopen("/nonexistent", "r") = nil ENOENT')
      local fd = text:match('open%("/dev/zero", 0%) = (%d+)\n')
      has(text, ([[read(%s, "\0\0\0\0", 4) = 4]]):format(fd))
      has(text, ("close(%s) = 0"):format(fd))
      has(text, 'strlen("' .. ("y"):rep(32) .. '"...) = 100')
      has(text, 'strtod("2.5", nil) = 2.5')
      has(text, "+++ exited with 0 +++")
      local block = text:match("malloc%(1000%) = (0x%x+)\n")
      has(text, ("free(%s) = <void>"):format(block))
      assert.matches("memset%(0x%x+, 121, 100%) = 0x%x+\n", text)
      assert.matches('getenv%("LIBCALLS"%) = nil\n', text)
    end)

    it("counts the calls of 4 threads in " .. name, function()
      local text = ltrace({ "-c" }, { T.fixture(name), "threads" })
      assert.matches(" 1000 strtol\n", text)
      assert.matches(" 4 pthread_create\n", text)
      assert.matches(" 4 pthread_join\n", text)
    end)
  end

  it("shows calls inside of others with their own lines", function()
    local text = ltrace({ "-e", "qsort,strcmp" }, { T.fixture("libcalls"), "nested" })
    assert.matches("\nqsort%(0x%x+, 2, 8, compare <unfinished %.%.%.>\n"
      .. '  strcmp%("pear", "apple"%) = %d+\n<%.%.%. qsort resumed>%) = <void>\n', text)
  end)

  it("loses no call of threads, and has each line twice that another interrupts", function()
    local text, _, raw = ltrace({ "-e", "strtol" }, { T.fixture("libcalls"), "threads" })
    assert.equal(1000, count(text, '%) = %-42\n'))
    assert.equal(count(text, "<unfinished %.%.%.>\n"), count(text, "<%.%.%. strtol resumed>"))
    local tids, different = {}, 0
    for tid in raw:gmatch("(%d+) +strtol") do
      different = different + (tids[tid] and 0 or 1)
      tids[tid] = true
    end
    assert.equal(4, different)
  end)

  it("shows what dlsym has found", function()
    local text = ltrace({}, { T.fixture("libcalls"), "found" })
    assert.matches('dlsym%(nil, "strpbrk"%) = 0x%x+\n', text)
    has(text, 'strpbrk("one two", " ") = " two"')
  end)

  it("shows a call that does not come back", function()
    local text = ltrace({ "-e", "exit" }, { T.fixture("libcalls"), "exit" }, 7)
    assert.equal("exit(7) = ?\n+++ exited with 7 +++\n", text)
  end)

  it("selects by name, exclusion and library", function()
    local program = { T.fixture("libcalls"), "values" }
    local text = ltrace({ "-e", "str*", "-x", "strto?,strcmp" }, program)
    assert.matches("^strlen", text)
    assert.not_matches("strto", text)
    assert.not_matches("strcmp", text)
    assert.not_matches("malloc", text)
    assert.matches("malloc%(1000%)", (ltrace({ "-l", "libc" }, program)))
    local _, result = ltrace({ "-l", "libm" }, program)
    assert.matches("no library call was seen", result.err)
  end)

  it("shows calls from elsewhere with --from", function()
    local program = { T.fixture("libcalls"), "values" }
    local own = count(ltrace({ "-e", "malloc" }, program), "malloc%(")
    local libc = count(ltrace({ "-e", "malloc", "--from", "libc" }, program), "malloc%(")
    local all = count(ltrace({ "-e", "malloc", "--from", "*" }, program), "malloc%(")
    assert.equal(1, own)
    assert.is_true(libc >= 1) -- fopen
    assert.equal(own + libc, all)
  end)

  it("bounds strings, and shows unknown functions as words", function()
    local program = { T.fixture("libcalls"), "values" }
    has(ltrace({ "-s", "4" }, program), 'strlen("yyyy"...) = 100')
    assert.matches("pthread_attr_init%(0x%x+, %w+, %.%.%.%) = 0\n",
      (ltrace({ "-a", "2" }, { T.fixture("libcalls"), "unknown" })))
  end)

  it("follows children and other programs", function()
    local program = T.fixture("libcalls")
    local text = ltrace({ "-e", "strcmp,qsort" }, { "sh", "-c", program .. " nested & wait" })
    assert.equal(1, count(text, 'strcmp%("pear", "apple"%)'))
    text = ltrace({ "-e", "execv*,dlsym,strpbrk" }, { "sh", "-c", "exec " .. program .. " found" })
    has(text, 'strpbrk("one two", " ") = " two"')
  end)

  it("counts as the program says, as often as it is run", function()
    for _ = 1, T.scale(3) do
      local text = ltrace({ "-c", "-e", "strtol" }, { T.fixture("libcalls"), "threads" })
      assert.matches(" 1000 strtol\n.* 1000 total\n", text)
    end
  end)

  it("agrees with ltrace(1)", function()
    if not T.have("ltrace") then return pending("no ltrace here") end
    local theirs = T.run { "ltrace", "-f", "-e", "strtol", T.fixture("libcalls"), "threads" }
    if theirs.code ~= 0 then return pending("ltrace(1) fails here") end
    local ours = ltrace({ "-e", "strtol" }, { T.fixture("libcalls"), "threads" })
    assert.equal(count(theirs.err, "strtol%("), count(ours, "strtol%("))
  end)

  it("has help, and refuses nonsense", function()
    assert.matches("%-%-from=MODULE", T.ok(T.luatrace { "ltrace", "--help" }).out)
    local result = T.ok(T.luatrace { "ltrace", "-s", "some", "true" }, 125)
    assert.matches("%-%-size is a number", result.err)
    assert.not_matches("traceback", result.err)
  end)
end)
