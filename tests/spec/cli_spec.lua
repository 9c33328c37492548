-- The command line: options, where scripts are found, exit codes, errors in one line with a remedy.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- Run luatrace, expect this exit code and a message on stderr in one line.
local function fails(words, code, pattern, options)
  local result = T.ok(T.luatrace(words, options), code)
  assert.matches(pattern, result.err)
  assert.equal("", result.out)
  assert.equal(1, #T.lines(result.err), result.err)
  assert.matches("^luatrace: ", result.err)
  return result
end

describe("an option", function()
  it("-V prints the version", function()
    local result = T.ok(T.luatrace { "-V" })
    assert.matches("^luatrace %d+%.%d+%.%d+", result.out)
    assert.equal("", result.err)
  end)

  it("-h prints help on stdout", function()
    local result = T.ok(T.luatrace { "-h" })
    for _, word in ipairs { "-e", "-l", "-p", "-o", "-v", "-V", "-h", "--no-follow",
                            "--on-error", "--cpu" } do
      assert.is_truthy(result.out:find(word, 1, true), word)
    end
    assert.equal(result.out, T.ok(T.luatrace { "--help" }).out)
  end)

  it("-e runs code before the program starts", function()
    local result = T.ok(T.luatrace { "-e", 'print("first")', "--", "echo", "second" })
    assert.equal("first\nsecond\n", result.out)
  end)

  it("-e needs no --", function()
    assert.equal("x -n\n", T.ok(T.luatrace { "-e", "", "echo", "x", "-n" }).out)
  end)

  it("-e may be given twice, each with its own globals", function()
    local result = T.ok(T.luatrace { "-e", "x = 1; function on_end() print('a', x) end", "-e",
                                     "function on_end() print('b', x) end", "--", "true" })
    assert.equal("a\t1\nb\tnil\n", result.out)
  end)

  it("-l requires a module", function()
    T.file("return { answer = 42 }", "cli_module.lua")
    local result = T.ok(T.luatrace({ "-l", "cli_module", "-e", "print(cli_module.answer)", "--",
                                     "true" }, { env = { LUA_PATH = T.dir() .. "/?.lua;;" } }))
    assert.equal("42\n", result.out)
  end)

  it("-o sends what scripts print to a file", function()
    local path = T.temp()
    local result = T.ok(T.luatrace { "-o", path, "-e", "print('to file') io.write('too\\n')", "--",
                                     "echo", "to stdout" })
    assert.equal("to stdout\n", result.out)
    assert.equal("to file\ntoo\n", T.read(path))
  end)

  it("-o to a place that cannot be written is refused", function()
    fails({ "-o", "/nonexistent/file", "-e", "", "--", "true" }, 125, "/nonexistent/file")
  end)

  it("-v tells more, on stderr", function()
    local result = T.ok(T.luatrace { "-v", "-e", "", "--", "true" })
    assert.not_equal("", result.err)
  end)

  it("--no-follow leaves children alone", function()
    local result = T.ok(T.luatrace { "--no-follow", "-e", [[
      on_exit(function(p, s) print("exit", s.code) end)
      on_clone(function(t, child) print("clone", child.kind) end)
    ]], "--", T.fixture("families") })
    assert.equal(0, select(2, result.out:gsub("clone\tfork", "")))
    assert.equal(1, select(2, result.out:gsub("exit\t", "")))
    assert.matches("exit\t0", result.out)
    assert.matches("sum 6", result.out)
  end)

  it("that is unknown is refused with a remedy", function()
    fails({ "--nonsense", "true" }, 125, "%-%-nonsense.*luatrace %-%-?h")
    fails({ "-Z", "true" }, 125, "Z.*luatrace %-%-?h")
  end)

  it("without its value is refused", function()
    for _, option in ipairs { "-e", "-l", "-p", "-o" } do
      fails({ option }, 125, "%" .. option)
    end
  end)

  it("--on-error takes stop or go", function()
    fails({ "--on-error=maybe", "-e", "", "--", "true" }, 125, "stop or go.*maybe")
  end)

  it("-p takes a process id", function()
    fails({ "-p", "x12", "-e", "" }, 125, "x12")
    fails({ "-p", "0", "-e", "" }, 125, "0")
    fails({ "-p", "-3", "-e", "" }, 125, "%-3")
    fails({ "-p", "99999999999999", "-e", "" }, 125, "99999999999999")
  end)

  it("-p of a process that does not exist says so", function()
    fails({ "-p", "4194303", "-e", "" }, 125, "4194303")
  end)
end)

describe("a command line", function()
  it("without anything is explained", function()
    fails({}, 125, "luatrace %-%-?h")
  end)

  it("with a script that is not there names where it looked", function()
    fails({ "nosuchscript", "true" }, 125, "nosuchscript")
    fails({ "./nosuch.lua", "true" }, 125, "nosuch%.lua.*[Nn]o such file")
  end)

  it("with a misspelt shipped script names the nearest", function()
    fails({ "starce", "true" }, 125, "strace")
  end)

  it("with a script that does not compile shows the line", function()
    local path = T.file("\n\nlocal = 3\n", "broken.lua")
    fails({ path, "true" }, 125, "broken%.lua:3:")
    fails({ "-e", "x = = 1", "true" }, 125, ":1:")
  end)

  it("with an empty script runs the program", function()
    local path = T.file("", "empty.lua")
    assert.equal("hi\n", T.ok(T.luatrace { path, "echo", "hi" }).out)
    assert.equal("hi\n", T.ok(T.luatrace { path, "--", "echo", "hi" }).out)
  end)

  it("passes words that look like options to the program", function()
    local path = T.file("", "none.lua")
    assert.equal("log -- f\n", T.ok(T.luatrace { path, "echo", "log", "--", "f" }).out)
  end)

  it("finds a shipped script by its bare name", function()
    local result = T.ok(T.luatrace { "exits", "--", "sh", "-c", "exit 0" })
    assert.not_equal("", result.out .. result.err)
  end)

  it("prefers a shipped script to a file of that name without a suffix", function()
    local here = T.dir() .. "/here"
    os.execute("mkdir -p " .. here)
    T.file('print("mine")', "here/exits")
    T.file('print("my lua")', "here/own.lua")
    local result = T.ok(T.luatrace({ "exits", "true" }, { cwd = here }))
    assert.not_matches("mine", result.out)
    assert.equal("mine\n", T.ok(T.luatrace({ "./exits", "true" }, { cwd = here })).out)
    assert.equal("my lua\n", T.ok(T.luatrace({ "own.lua", "true" }, { cwd = here })).out)
  end)

  it("finds scripts in LUATRACE_PATH first", function()
    local dir = T.dir() .. "/path"
    os.execute("mkdir -p " .. dir)
    T.file('print("from path")', "path/exits.lua")
    local result = T.ok(T.luatrace({ "exits", "true" }, { env = { LUATRACE_PATH = dir } }))
    assert.equal("from path\n", result.out)
  end)

  it("runs a script by its shebang line", function()
    local path = T.file("#!" .. T.bin .. "\non_exit(function(p, s) print('code', s.code) end)\n",
      "shebang.lua")
    os.execute("chmod +x " .. path)
    local result = T.ok(T.run { path, "sh", "-c", "exit 5" }, 5)
    assert.equal("code\t5\n", result.out)
  end)

  it("looks for modules beside the script, never in the current directory", function()
    local dir, cwd = T.dir() .. "/beside", T.dir() .. "/cwd"
    os.execute("mkdir -p " .. dir .. " " .. cwd)
    T.file('return "beside"', "beside/friend.lua")
    T.file('return "cwd"', "cwd/stranger.lua")
    T.file('print(require "friend", (pcall(require, "stranger")))', "beside/main.lua")
    local result = T.ok(T.luatrace({ dir .. "/main.lua", "true" }, { cwd = cwd }))
    assert.equal("beside\tfalse\n", result.out)
  end)
end)

describe("the exit status", function()
  it("is the program's", function()
    local codes = {}
    for code = 0, 255, 17 do
      codes[#codes + 1] = T.luatrace({ "-e", "", "--", T.fixture("die"), "exit", code }).code
    end
    assert.same({ 0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238, 255 }, codes)
  end)

  it("is a death by the program's signal, without a core of luatrace's own", function()
    for _, signal in ipairs { 1, 2, 3, 6, 9, 11, 13, 15, 31 } do
      local result = T.luatrace({ "-e", "", "--", T.fixture("die"), "signal", signal },
        { cwd = T.dir() })
      assert.equal(signal, result.signal)
    end
    assert.is_false(T.exists(T.dir() .. "/core"))
  end)

  it("is 127 for a program that is not there", function()
    fails({ "-e", "", "--", "/nonexistent/program" }, 127, "/nonexistent/program")
    fails({ "-e", "", "--", "nosuchprogram" }, 127, "nosuchprogram")
  end)

  it("is 126 for a program that cannot be executed", function()
    fails({ "-e", "", "--", "/etc/hostname" }, 126, "/etc/hostname")
    fails({ "-e", "", "--", "/usr" }, 126, "/usr")
    fails({ "-e", "", "--", T.file("\127ELFnonsense", "nonsense") }, 126, "nonsense")
  end)

  it("is the script's with os.exit", function()
    local result = T.ok(T.luatrace { "-e", [[
      on_syscall("getppid", function() os.exit(33) end)
      on_end(function() print("end ran") end)
    ]], "--", T.fixture("calls") }, 33)
    assert.equal("end ran\n", result.out) -- the program was killed before its "done"
    assert.equal(0, T.luatrace({ "-e", "os.exit(true)", "--", "true" }).code)
    assert.equal(1, T.luatrace({ "-e", "os.exit(false)", "--", "true" }).code)
  end)

  it("is the first program's, and waits for the last", function()
    local result = T.trace("on_exit(function(p, s) say(s.code) end)",
      { "sh", "-c", "(sleep 0.3; exit 7) & exit 4" })
    T.ok(result, 4)
    assert.equal("4\n0\n7\n", result.said)
  end)

  it("is 125 for a script's error", function()
    local result = T.ok(T.luatrace { "-e", "error('no')", "--", "echo", "x" }, 125)
    assert.equal("", result.out)
  end)
end)
