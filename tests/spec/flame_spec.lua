-- The script flame: folded stacks.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

after_each(T.cleanup)

-- The stacks of a text, and how often each was seen.
local function folded(text)
  local counts = {}
  for line in text:gmatch("[^\n]+") do
    local stack, count = line:match("^(%S+) (%d+)$")
    assert.is_truthy(stack, "not a folded stack: " .. line)
    counts[stack] = tonumber(count)
  end
  return counts
end

local function total(counts, pattern)
  local sum = 0
  for stack, count in pairs(counts) do
    if stack:find(pattern) then sum = sum + count end
  end
  return sum
end

describe("flame", function()
  it("counts the stacks at a system call or function", function()
    local stacks = T.fixture("stacks-O2")
    local counts = folded(T.ok(T.luatrace { "flame", "--at", "getppid", "--", stacks,
      "inlined" }).out)
    assert.equal(1, total(counts,
      "^stacks%-O2;_start;.*;main;with_inlined;inner_%[i%];innermost_%[i%];point;getppid$"))
    counts = folded(T.ok(T.luatrace { "flame", "--at", "recursive", "-n", "40", "--",
      T.fixture("stacks-O0"), "recursive", 5 }).out)
    assert.equal(1, total(counts, ";main;recursive$"))
    assert.equal(6, total(counts, ";main;recursive"))
  end)

  it("samples by the clock the threads that run", function()
    local result = T.ok(T.luatrace({ "flame", "-r", "200", "--", T.fixture("spinning"), 1,
      300000000 }, { timeout = 60 }))
    local counts = folded((result.out:gsub("ready\n", "")))
    assert.is_truthy(total(counts, ";body;spin$") > 5, result.out)
    assert.is_truthy(total(counts, ";main;") < total(counts, ";body;spin$"), result.out)
  end)

  it("lets an attached program go when its time is over", function()
    local program = T.start_ready("spinning", 2)
    local path = T.temp()
    T.ok(T.luatrace { "-p", program.pid, "flame", "-s", "1", "-w", "-t", "-o", path })
    local counts = folded(T.read(path))
    assert.is_truthy(total(counts, "^spinning;.*;spin$") > 3, T.read(path))
    assert.is_truthy(total(counts, ";main;") > 3, T.read(path))
    assert.is_truthy(program:alive())
    T.untouched(program.pid)
  end)

  it("refuses numbers that make no sense", function()
    assert.matches("rate is a number", T.luatrace({ "flame", "-r", "0", "--", "true" }).err)
    assert.matches("limit is a number", T.luatrace({ "flame", "-n", "x", "--", "true" }).err)
  end)
end)
