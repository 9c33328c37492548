-- args{...}: a script's own options, by getopt's rules.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local SCRIPT = [[
  local options = args {
    { "o", "output", "FILE", "write to FILE" },
    { "n", "count", "N", "how many" },
    { "v", "verbose", nil, "say more" },
    { nil, "long-only", nil, "without a letter" },
    usage = "[-o FILE] -- prog", about = "Does something useful.",
  }
  print(options.output, options.count, options.verbose, options["long-only"],
    table.concat(options, ","))
]]

local function script()
  return T.file(SCRIPT, "options.lua")
end

local function run(...)
  return T.luatrace { script(), ... }
end

local function first(...)
  return T.ok(run(...)).out:match("[^\n]*")
end

describe("args", function()
  it("gives nothing where nothing was said", function()
    assert.equal("nil\tnil\tnil\tnil\t", first("--", "echo", "hi"))
    assert.equal("nil\tnil\tnil\tnil\t", first("echo", "hi"))
  end)

  for _, spelling in ipairs {
    { "-o", "f", "-v" }, { "-of", "-v" }, { "-vof" }, { "-vo", "f" }, { "--output=f", "--verbose" },
    { "--output", "f", "--verbose" },
  } do
    it("reads " .. table.concat(spelling, " "), function()
      local words = { table.unpack(spelling) }
      words[#words + 1] = "--"
      words[#words + 1] = "true"
      assert.equal("f\tnil\ttrue\tnil\t", first(table.unpack(words)))
    end)
  end

  it("reads options without a letter", function()
    assert.equal("nil\tnil\tnil\ttrue\t", first("--long-only", "true"))
  end)

  it("stops at the first word that is no option", function()
    local result = T.ok(run("-v", "echo", "-o", "x"))
    assert.equal("nil\tnil\ttrue\tnil\t\n-o x\n", result.out)
  end)

  it("has parameters, which end at --, only where they are declared", function()
    local path = T.file(SCRIPT:gsub("usage =", "parameters = true, usage ="), "parameters.lua")
    local result = T.ok(T.luatrace { path, "-v", "one", "two", "--", "echo", "hi" })
    assert.equal("nil\tnil\ttrue\tnil\tone,two\nhi\n", result.out)
    result = T.ok(run("-v", "echo", "one", "--", "two"))
    assert.equal("nil\tnil\ttrue\tnil\t\none -- two\n", result.out)
  end)

  it("takes a value that looks like an option", function()
    assert.equal("-v\tnil\tnil\tnil\t", first("-o", "-v", "--", "true"))
  end)

  it("offers --help", function()
    local result = T.ok(run("--help"))
    for _, text in ipairs { "-o", "--output", "FILE", "write to FILE", "--verbose", "say more",
                            "--long-only", "Does something useful.", "[-o FILE] -- prog" } do
      assert.is_truthy(result.out:find(text, 1, true), text .. " in:\n" .. result.out)
    end
  end)

  local function refuse(pattern, ...)
    local result = T.ok(run(...), 125)
    assert.matches(pattern, result.err)
    assert.equal("", result.out)
    assert.equal(1, #T.lines(result.err), result.err)
  end

  it("refuses unknown options", function()
    refuse("%-x", "-x", "--", "true")
    refuse("nonsense", "--nonsense", "--", "true")
  end)

  it("refuses a missing value", function()
    refuse("output", "--output")
    refuse("o", "-o")
  end)

  it("refuses a value where none belongs", function()
    refuse("verbose", "--verbose=yes", "--", "true")
  end)

  it("is not for scripts that declare none", function()
    local path = T.file("print('script')", "plain.lua")
    assert.equal("script\nx -e -n\n", T.ok(T.luatrace { path, "echo", "x", "-e", "-n" }).out)
    local result = T.luatrace { path, "-x", "true" }
    assert.not_equal(0, result.code)
  end)

  it("finds mistakes in the declaration", function()
    local path = T.file("\nargs { { 12 } }", "mistake.lua")
    local result = T.ok(T.luatrace { path, "true" }, 125)
    assert.matches("mistake%.lua:2:", result.err)
  end)
end)
