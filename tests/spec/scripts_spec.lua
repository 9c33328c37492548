-- The scripts that come with luatrace: strace, count, opens, forktree, exits.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local function run(name, options, program)
  local words = { name }
  for _, word in ipairs(options) do
    words[#words + 1] = word
  end
  words[#words + 1] = "--"
  for _, word in ipairs(program) do
    words[#words + 1] = word
  end
  return T.luatrace(words)
end

describe("every shipped script", function()
  for _, name in ipairs { "strace", "count", "opens", "forktree", "exits" } do
    it(name .. " has fewer than 60 lines", function()
      local text = T.read(T.source .. "/scripts/" .. name .. ".lua")
      assert.is_true(select(2, text:gsub("\n", "")) < 60)
    end)

    it(name .. " has help, and refuses nonsense", function()
      local result = T.ok(T.luatrace { name, "--help" })
      assert.matches("%-o", result.out)
      assert.equal("", result.err)
      T.ok(T.luatrace { name, "--nonsense", "true" }, 125)
    end)

    it(name .. " leaves the program's output and code alone", function()
      local result = T.ok(run(name, {}, { "sh", "-c", "echo out; exit 3" }), 3)
      assert.equal("out\n", result.out)
    end)

    it(name .. " writes to a file with -o", function()
      local path = T.temp()
      local result = T.ok(run(name, { "-o", path }, { "sh", "-c", "cat /etc/hostname; :" }))
      assert.equal("", result.err)
      assert.not_equal("", T.read(path))
      assert.equal(T.read("/etc/hostname"), result.out)
    end)

    it(name .. " survives a program that is full of threads and deaths", function()
      local result = T.ok(run(name, {}, { T.fixture("exact"), "4", "20", "5", "5", "3" }))
      assert.matches("expect: exit 9", result.out)
    end)

    it(name .. " escapes what the program controls", function()
      local evil = T.dir() .. "/evil\27[31m\nname"
      os.execute("cp /bin/true " .. T.quote(evil))
      local result = T.ok(run(name, {}, { "sh", "-c", T.quote(evil) .. "; cat " .. T.quote(evil) ..
                                          "/x; :" }))
      assert.not_matches("\27", (result.err:gsub("cat: .-\n", "")))
    end)
  end
end)

describe("opens", function()
  it("says who opened what, and what failed", function()
    local result = T.ok(run("opens", {}, { T.fixture("calls") }))
    assert.matches("%d+ +calls +%d+ +/dev/zero\n", result.err)
    assert.matches("%d+ +calls +ENOENT +/nonexistent/file\n", result.err)
  end)

  it("-f shows failures only", function()
    local result = T.ok(run("opens", { "-f" }, { T.fixture("calls") }))
    assert.equal(1, #T.lines(result.err))
    assert.matches("/nonexistent/file", result.err)
  end)
end)

describe("exits", function()
  it("has a line for each process", function()
    local result = T.ok(run("exits", {}, { T.fixture("families") }))
    local lines = T.lines(result.err)
    assert.equal(4, #lines)
    for i, code in ipairs { 1, 2, 3, 0 } do
      assert.matches("^ *%d+ +%d+%.%d+s  exited with " .. code .. " ", lines[i])
    end
  end)

  it("-b shows the bad ones only", function()
    local result = T.ok(run("exits", { "-b" },
      { "sh", "-c", "true; false; sh -c 'kill -9 $$'; :" }))
    assert.matches("killed by SIGKILL", result.err)
    assert.not_matches("exited with 0", result.err)
  end)
end)

describe("forktree", function()
  it("shows who made whom", function()
    local result = T.ok(run("forktree", {}, { "sh", "-c", "sh -c '/bin/true; exit 4'; :" }))
    local lines = T.lines(result.err)
    assert.equal(4, #lines, result.err)
    assert.matches("sh %-c .*: exited with 0$", lines[2])
    assert.matches("  sh %-c .*: exited with 4$", lines[3])
    assert.matches("    /bin/true: exited with 0$", lines[4])
  end)
end)

describe("count", function()
  it("is a table in the manner of strace -c, sorted by time", function()
    local result = T.ok(run("count", {}, { T.fixture("calls") }))
    assert.matches("calls +errors +syscall", result.err)
    assert.matches("\n *%d+%.%d+ +%d+%.%d+ +%d+ +3 +getppid\n", result.err)
    assert.matches(" +%d+ +%d* *total\n$", result.err)
    local before = math.huge
    local rows = 0
    local row = "\n *%d+%.%d+ +(%d+%.%d+) +%d+ +%d+ +%d* +(%l[%l%d_]+)"
    for seconds, name in result.err:gmatch(row) do
      if name ~= "total" then
        assert.is_true(tonumber(seconds) <= before)
        before, rows = tonumber(seconds), rows + 1
      end
    end
    assert.is_true(rows > 10)
  end)

  it("counts errors", function()
    local result = T.ok(run("count", { "-e", "openat,lseek" }, { T.fixture("calls") }))
    assert.matches(" 1 +1 +lseek\n", result.err)
    assert.not_matches("getppid", result.err)
  end)
end)
