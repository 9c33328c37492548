-- A program behaves as untraced: hard case 44. The fixture reports everything about itself; the
-- report must be the same, with a handler for every system call.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local EVERYTHING = [[
  on_syscall(function(t, call) call:leave() end)
  on_signal(function() end)
  on_clone(function() end)
  on_exec(function() end)
  on_exit(function() end)
]]

-- Run `command` for sh twice; %s stands for luatrace with its arguments, and for nothing.
local function same(command, options)
  local plain = T.run(command:gsub("%%s", ""), options)
  local traced = T.sound(T.run(command:gsub("%%s", function()
    return T.bin .. " -e " .. T.quote(EVERYTHING) .. " --"
  end), options))
  T.equal_text(plain.out, traced.out, "stdout")
  T.equal_text(plain.err, traced.err, "stderr")
  assert.equal(plain.code, traced.code)
  assert.equal(plain.signal, traced.signal)
  assert.not_equal("", plain.out)
end

local report = T.fixture("self-report") .. " one 'two three' ''"

describe("a launched program", function()
  it("hc44 has the same status, descriptors, signals, limits, environment", function()
    same("exec %s " .. report)
  end)

  it("hc44 has the same in 32 bits", function()
    if not T.exists(T.fixture("self-report-32")) then
      return pending("no 32-bit fixtures")
    end
    same("exec %s " .. T.fixture("self-report-32"))
  end)

  it("hc44 inherits ignored signals as nohup sets them", function()
    same("trap '' HUP INT QUIT PIPE CHLD USR1 ALRM TERM WINCH; exec %s " .. report)
  end)

  it("hc44 inherits blocked signals", function()
    if not T.have("python3") then
      return pending("python3 is not installed")
    end
    same("exec python3 -c 'import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, " ..
      "[2, 10, 14, 15, 17, 40]); os.execvp(sys.argv[1], sys.argv[1:])' %s " .. report)
  end)

  it("hc44 inherits descriptors beyond the standard ones", function()
    same("exec 5</dev/zero 9>/dev/null; exec %s " .. report)
  end)

  it("hc44 inherits closed standard descriptors", function()
    same("exec 0<&-; exec %s " .. report)
    same("exec %s " .. report .. " 2>&-")
    same("exec 3<&0 </dev/null; exec 0<&- 4<&-; exec %s " .. report)
  end)

  it("hc44 inherits affinity, nice value, umask, limits", function()
    same("ulimit -c 12 -n 200 -s 4096; umask 027; exec taskset 1 nice -n 3 %s " .. report)
  end)

  it("hc44 has the same environment and directory", function()
    same("cd /usr; exec env -i A=1 B='x y' PATH=$PATH %s " .. report)
    same("cd /usr; unset PWD OLDPWD; exec %s " .. report)
  end)

  it("hc44 has the same session and process group", function()
    same("%s " .. report .. "; :")
  end)

  it("hc44 started by a thread or a child sees the same too", function()
    same("exec %s sh -c " .. T.quote(report .. "; exec " .. report))
  end)

  it("hc44 keeps what luatrace opens out of its children", function()
    local output = T.temp()
    local plain = T.run(report)
    local traced = T.ok(T.luatrace({ "-o", output, "-e", [[
      local kept = io.open("/dev/null")
      local pipe = io.popen("cat", "w")
      on_syscall(function() end)
    ]], "--", "sh", "-c", report }))
    T.equal_text(plain.out, traced.out)
  end)

  it("reads and writes the same standard streams", function()
    same("printf 'a\\nb\\n' | %s sh -c 'cat; echo err >&2; cat <&0' | cat")
    same("%s cat", { stdin = ("line\n"):rep(10000) })
  end)

  it("has no tracer that it could see but TracerPid", function()
    same("exec %s sh -c 'grep -c . /proc/self/maps; ls -l /proc/self/fd | wc -l; " ..
      "cat /proc/self/oom_score_adj /proc/self/sessionid'")
  end)

  it("has the same exit status, 0 to 255", function()
    local result = T.ok(T.run("for i in $(seq 0 255); do " .. T.bin .. " -e " ..
      T.quote(EVERYTHING) .. " -- " .. T.fixture("die") .. " exit $i; echo $i $?; done",
      { timeout = 60 }))
    local n = 0
    for want, got in result.out:gmatch("(%d+) (%d+)\n") do
      assert.equal(want, got)
      n = n + 1
    end
    assert.equal(256, n)
  end)

  it("dies by the same signal, any of them", function()
    for signal = 1, 64 do
      -- not those that stop or do nothing, nor the two that belong to libc
      if not ({ [17] = 1, [18] = 1, [19] = 1, [20] = 1, [21] = 1, [22] = 1, [23] = 1, [28] = 1,
                [32] = 1, [33] = 1 })[signal] then
        local result = T.luatrace({ "-e", "", "--", T.fixture("die"), "signal", signal })
        assert.equal(signal, result.signal)
      end
    end
  end)

  it("has children that die the same", function()
    for _, how in ipairs { "exit 7", "signal 9", "signal 11", "signal 34", "thread 255" } do
      same("exec %s " .. T.fixture("waitstatus") .. " " .. T.fixture("die") .. " " .. how)
    end
  end)

  it("sees its own time, not the tracer's, in itself", function()
    same("exec %s sh -c 'ulimit -t 100; ulimit -t; nice; trap; kill -l 9; pwd -P'")
  end)
end)
