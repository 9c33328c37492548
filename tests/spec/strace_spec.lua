-- The strace script against strace itself, line by line, on programs that do the same every time.
-- Addresses, ids and times are normalised.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- Thread ids, wherever they stand: they may be small numbers on a young machine.
local function without_ids(text)
  for _, name in ipairs { "set_tid_address", "getpid", "getppid", "gettid", "getpgrp", "getsid",
    "fork", "vfork", "clone", "clone3", "wait4", "waitid" } do
    text = text:gsub("(%f[%w]" .. name .. "%([^\n]*%) += )[1-9]%d*", "%1N")
  end
  for _, before in ipairs { "si_pid=", "kill%(", "tkill%(", "tgkill%(", "tgkill%(N, ",
    "sigqueueinfo%(", "sigqueueinfo%(N, ", "wait4%(", "getpgid%(", "_tid=%[" } do
    text = text:gsub("(" .. before .. ")[1-9]%d*", "%1N")
  end
  return text
end

local function normal(text)
  text = without_ids(text)
  text = text:gsub("0x%x%x%x%x%x%x+", "ADDRESS"):gsub("%f[%d]%d%d%d%d+%f[%D]", "N")
  text = text:gsub('(%a )%d+"%.%.%.', '%1N"...') -- a number cut short
  text = text:gsub(" +=", " ="):gsub('getrandom%("[^"]*"', 'getrandom("RANDOM"')
  return text
end

-- The lines of a trace, from where the program's own code begins, without its launch.
local function lines(text, from)
  local list = {}
  local started = not from
  for line in text:gmatch("[^\n]+") do
    started = started or line:find(from, 1, true) ~= nil
    if started then
      list[#list + 1] = normal(line)
    end
  end
  return list
end

local function compare(program, options)
  options = options or {}
  local command = {}
  for i, word in ipairs(program) do
    command[i] = T.quote(word)
  end
  command = table.concat(command, " ")
  local theirs = T.run("strace -f " .. (options.strace or "") .. " -o " .. T.dir() .. "/theirs " ..
    command, options)
  local ours = T.sound(T.run(T.bin .. " strace -o " .. T.dir() .. "/ours " ..
    (options.luatrace or "") .. " -- " .. command, options))
  assert.equal(normal(theirs.out), normal(ours.out))
  assert.equal(theirs.code, ours.code)
  local want, got = T.read(T.dir() .. "/theirs"), T.read(T.dir() .. "/ours")
  -- pids are the first word of each line in both
  want, got = lines(want:gsub("%f[^\n\0]%d+ +", ""), options.from),
    lines(got:gsub("%f[^\n\0]%d+ +", ""), options.from)
  if not options.from and want[1] and want[1]:find("^execve") and
      not (got[1] or ""):find("^execve") then
    table.remove(want, 1) -- the launch
  end
  local different = {}
  for i = 1, math.max(#want, #got) do
    if want[i] ~= got[i] then
      different[#different + 1] = ("line %d\n  strace:   %s\n  luatrace: %s"):format(i,
        want[i] or "(none)", got[i] or "(none)")
    end
  end
  if #different > 0 then
    error(("%d of %d lines differ:\n%s"):format(#different, #want,
      table.concat(different, "\n", 1, math.min(#different, 25))))
  end
  assert.is_true(#want > 3)
end

describe("luatrace strace prints what strace prints for", function()
  if not T.have("strace") then
    pending("strace is not installed")
    return
  end

  it("opens, reads, writes, pipes, maps", function()
    compare({ T.fixture("calls") })
  end)

  it("the same in 32 bits", function()
    if not T.exists(T.fixture("calls-32")) then
      return pending("no 32-bit fixtures")
    end
    compare({ T.fixture("calls-32") })
  end)

  it("cat", function()
    compare({ "cat", "/etc/hostname" })
  end)

  it("true", function()
    compare({ "/bin/true" })
  end)

  it("ls", function()
    compare({ "ls", "-l", "/etc/hostname" })
  end)

  it("a program that is not there, an exit code", function()
    compare({ T.fixture("die"), "exit", "3" })
  end)

  it("a death by signal", function()
    compare({ T.fixture("die"), "signal", "15" })
  end)

  it("signals and handlers", function()
    compare({ T.fixture("sigloop"), "3" })
  end)

  it("queued signals", function()
    compare({ T.fixture("sigqueue"), "4" })
  end)

  it("strings at the edge of memory", function()
    compare({ T.fixture("wild-memory") })
  end)

  it("echo and sleep", function()
    compare({ "sleep", "0.01" })
    compare({ "echo", "tab\there", "and \"quotes\"" })
  end)

  it("a selection", function()
    compare({ T.fixture("calls") }, { strace = "-e trace=openat,%memory",
                                      luatrace = "-e openat,%memory" })
  end)

  it("long strings and many arguments", function()
    compare({ "sh", "-c", "exec /bin/echo " .. ("x"):rep(100) .. " 2 3 4 5 6 7 8" })
  end)
end)
