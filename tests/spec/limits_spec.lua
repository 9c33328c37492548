-- Want of resources: hard case 75. A clear error, and no abandoned program.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local sanitized = (os.getenv("LUATRACE_SANITIZE") or "") ~= ""

-- Whether a process with this environment mark is still there.
local function left_over(mark)
  return T.run("grep -lz " .. mark .. " /proc/[0-9]*/environ 2>/dev/null").out
end

-- What the test's own runner left open does not count.
local CLOSE = "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; "

-- Run luatrace under a limit; it ends well, or with one clear line and nothing left behind.
local function limited(limit, words, acceptable)
  local mark = "LUATRACE_MARK=" .. T.temp():gsub("%W", "_")
  local parts = {}
  for i, word in ipairs(words) do
    parts[i] = T.quote(word)
  end
  local name, value = mark:match("^(.-)=(.*)$")
  local result = T.sound(T.run(CLOSE .. limit .. "; exec " .. T.bin .. " " ..
    table.concat(parts, " "), { env = { [name] = value } }))
  assert.is_nil(result.signal)
  if not acceptable or not acceptable(result) then
    assert.equal(125, result.code, result.err)
    assert.matches("luatrace: ", result.err)
  end
  assert.equal("", left_over(mark))
  return result
end

local EVERYTHING = "on_syscall(function(t, call) call:leave() end) on_clone(function() end)"

describe("hc75 few descriptors", function()
  for n = 4, 12 do -- below that, the dynamic loader fails
    it("(" .. n .. ") make a clear error or do not matter", function()
      limited("ulimit -n " .. n, { "-e", EVERYTHING, "--", T.fixture("families") },
        function(result) return result.code == 0 and result.out:find("sum 6") end)
    end)
  end

  it("that run out in the middle raise in the script", function()
    local result = limited("ulimit -n 20", { "-e", [[
      local files = {}
      on_syscall("getppid", function(t, call)
        repeat
          local file, message = io.open("/dev/null")
          files[#files + 1] = file
        until not file
        local maps, why, code = t.mem:maps()
        print(maps == nil, code)
        local bytes = t.mem:read(t.sp, 8)
        print(bytes and #bytes)
      end)
    ]], "--", T.fixture("families") }, function(result) return result.code == 0 end)
    assert.matches("true\tEMFILE\n8\n", result.out)
    assert.matches("sum 6\n", result.out)
  end)
end)

describe("hc75 few processes", function()
  it("make a clear error", function()
    if not T.root then
      return pending("needs root")
    end
    local result = T.sound(T.run({ "setpriv", "--reuid=12345", "--regid=12345", "--clear-groups",
      "prlimit", "--nproc=1", T.for_others(T.bin),
      "-e", "", "--", "true" }, { env = T.without_leak_check }))
    assert.equal(125, result.code)
    assert.matches("luatrace: .*[Rr]esource temporarily unavailable", result.err)
  end)
end)

describe("hc75 little memory", function()
  it("makes a clear error, and nothing stays behind", function()
    if sanitized then
      return pending("the sanitizer needs all the address space")
    end
    local result = limited("ulimit -v 60000", { "-e", [[
      local kept = {}
      on_syscall("getppid", function() for i = 1, 1e9 do kept[i] = ("x"):rep(1000) .. i end end)
    ]], "--", T.fixture("calls") })
    assert.matches("memory", result.err)
  end)
end)

describe("hc75 a tracer in a seccomp sandbox", function()
  it("makes a clear error", function()
    local result = T.sound(T.run({ T.fixture("no-ptrace"), T.bin, "-e", "", "--", "echo", "ran" },
      { env = T.without_leak_check }))
    assert.equal(125, result.code)
    assert.equal("", result.out)
    assert.matches("luatrace: .*ptrace", result.err)
  end)

  it("that lacks process_vm_readv reads memory all the same", function()
    local result = T.ok(T.sound(T.run { T.fixture("no-ptrace"), "vm", T.bin, "-e", [[
      on_syscall("openat", { filename = "/nonexistent/file" }, function(t, call)
        print(call.args.filename, #t.mem:read(t.sp, 16), t.mem:write(t.sp - 512, "x"))
      end)
    ]], "--", T.fixture("calls") }))
    assert.matches("/nonexistent/file\t16\t1\n", result.out)
  end)
end)

describe("hc75 a full disk", function()
  it("under -o is reported", function()
    if not T.exists("/dev/full") then
      return pending("no /dev/full")
    end
    local result = T.luatrace({ "-o", "/dev/full", "-e", [[
      on_end(function() for i = 1, 10000 do print("line", i) end end)
    ]], "--", "true" })
    assert.equal(125, result.code)
    assert.matches("No space left", result.err)
  end)
end)
