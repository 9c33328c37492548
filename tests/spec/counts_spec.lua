-- The same counts per system call as strace -f -c, for every call whose count agrees in three runs
-- of strace: what differs between those is the program's own business.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

-- strace -c leaves out calls that never return, as its manual says.
local no_return = { exit = true, exit_group = true, execve = true, rt_sigreturn = true,
                    sigreturn = true, restart_syscall = true }

local function strace_counts(command, options)
  local path = T.temp()
  T.run("exec strace -f -c -o " .. path .. " " .. command, options)
  local counts = {}
  for line in io.lines(path) do
    local calls, name = line:match("^ *[%d.]+ +[%d.]+ +%d+ +(%d+) .-([%l%d_]+)$")
    if calls and name ~= "total" then
      counts[name] = (counts[name] or 0) + tonumber(calls)
    end
  end
  return counts
end

local SCRIPT = [[
  local n = {}
  on_syscall(function(t, call) n[call.name] = (n[call.name] or 0) + 1 end)
  on_end(function() for name, count in pairs(n) do io.stderr:write(name, " ", count, "\n") end end)
]]

-- The counts that a second script has at the exits.
local AT_EXITS = [[
  local n = {}
  on_syscall(function(t, call) call:leave() n[call.name] = (n[call.name] or 0) + 1 end)
  on_end(function() for name, count in pairs(n) do io.stderr:write(name, " ", count, "\n") end end)
]]

local function luatrace_counts(script, command, options)
  local path = T.temp()
  local result = T.sound(T.run(T.bin .. " -e " .. T.quote(script) .. " -- " .. command .. " 2>" ..
    path, options))
  return T.counts(T.read(path)), result
end

-- Whether a thread has to wait for another is a matter of timing.
local by_timing = { futex = true, restart_syscall = true }

local function compare(command, options)
  local runs = {}
  for i = 1, 3 do
    runs[i] = strace_counts(command, options)
  end
  local agreed, compared = {}, 0
  for name, count in pairs(runs[1]) do
    local same = runs[2][name] == count and runs[3][name] == count
    if same and not no_return[name] and not by_timing[name] then
      agreed[name] = count
      compared = compared + 1
    end
  end
  assert.is_true(compared > 5, "strace does not agree with itself")
  for _, script in ipairs { SCRIPT, AT_EXITS } do
    local got = luatrace_counts(script, command, options)
    for name, count in pairs(agreed) do
      if got[name] ~= count then -- once more, lest the fourth run be the odd one
        got = luatrace_counts(script, command, options)
      end
      assert.equal(count, got[name], name)
    end
  end
end

describe("counts equal strace's for", function()
  if not T.have("strace") then
    pending("strace is not installed")
    return
  end

  it("ls -R /usr/include", function()
    if not T.exists("/usr/include") then
      return pending("no /usr/include")
    end
    compare("ls -R /usr/include >/dev/null", { timeout = 60 })
  end)

  it("a shell that forks", function()
    compare("sh -c 'for i in 1 2 3; do /bin/true; done'")
  end)

  it("gcc -c", function()
    if not T.have("gcc") then
      return pending("gcc is not installed")
    end
    local source = T.file("int main(void) { return 0; }\n", "small.c")
    compare("gcc -c " .. source .. " -o " .. T.dir() .. "/small.o", { timeout = 60 })
  end)

  it("python3", function()
    if not T.have("python3") then
      return pending("python3 is not installed")
    end
    compare("python3 -c 'import json'", { timeout = 60, env = { PYTHONHASHSEED = "0" } })
  end)

  it("xz with two threads", function()
    if not T.have("xz") then
      return pending("xz is not installed")
    end
    local path = T.dir() .. "/data"
    T.run("seq 1 200000 >" .. path)
    compare("xz -T2 -1 -k -c " .. path .. " >/dev/null", { timeout = 60 })
  end)

  it("a 32-bit program", function()
    if not T.exists(T.fixture("calls-32")) then
      return pending("no 32-bit fixtures")
    end
    compare(T.fixture("calls-32"))
    compare(T.fixture("exact-32") .. " 2 20 5 4 2")
  end)
end)
