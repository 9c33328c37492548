-- Terminals and job control: hard case 43. pty-run plays a person at a new terminal.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local SHELL = { "env", "TERM=dumb", "PS1=$ ", "HISTFILE=", "bash", "--norc", "--noprofile",
                "--noediting", "-i" }

-- luatrace in front of a command, as a list.
local function traced(command, script)
  return { T.bin, "-e", script or "on_syscall(function(t, call) call:leave() end)", "--",
           table.unpack(command) }
end

-- The transcript of steps played at a command.
local function play(steps, command)
  local words = { T.fixture("pty-run") }
  for _, step in ipairs(steps) do
    words[#words + 1] = step
  end
  words[#words + 1] = "--"
  for _, word in ipairs(command) do
    words[#words + 1] = word
  end
  return T.sound(T.run(words, { timeout = 40 })).out
end

-- The same transcript with and without luatrace, and what it must contain.
local function same(steps, command, pattern)
  local plain = play(steps, command)
  assert.matches(pattern, plain)
  T.equal_text(plain, play(steps, traced(command)))
  T.equal_text(plain, play(steps, traced(command, "on_end(function() end)")))
end

describe("at a terminal", function()
  it("a program reads and writes", function()
    same({ "expect:name?", "send:Ada\\n", "expect:Ada!" },
      { "sh", "-c", "printf 'name? '; read n; echo \"hello $n!\"" }, "hello Ada!\n%[exited 0%]")
  end)

  it("hc43 Ctrl-C goes to the program, which may handle it", function()
    same({ "expect:ready", "send:^C", "expect:caught", "sleep:200", "send:^C", "expect:caught" },
      { "bash", "-c", "n=0; trap 'echo caught; n=$((n+1)); [ $n = 2 ] && exit 7' INT; " ..
        "echo ready; while :; do sleep 0.05; done" }, "%[exited 7%]")
  end)

  it("hc43 Ctrl-C ends a program that does not handle it", function()
    local steps = { "expect:ready", "sleep:100", "send:^C" }
    same(steps, { "sh", "-c", "echo ready; exec sleep 100" }, "%[killed 2%]")
  end)

  it("hc43 Ctrl-C once does not end luatrace before the program", function()
    local out = play({ "expect:ready", "send:^C", "sleep:100", "send:^C", "expect:end" },
      traced({ "bash", "-c", "trap '' INT; echo ready; sleep 0.6; echo end; exit 3" },
        "on_exit(function(p, s) print('code', s.code) end)"))
    assert.matches("end\n", out)
    assert.matches("code\t3\n", out)
    assert.matches("%[exited 3%]", out)
  end)

  it("hc43 the program is in the terminal's foreground group", function()
    local out = play({ "expect:ready", "foreground", "sleep:50" },
      traced { "sh", "-c", "sleep 0.1; echo ready; sleep 0.2" })
    assert.matches("%[foreground: command%]", out)
    assert.matches("%[exited 0%]", out)
  end)

  it("hc43 Ctrl-Z and fg under a shell stop and continue luatrace and program", function()
    local out = play({
      "expect:$ ", "send:" .. T.bin .. " -e 'on_end(function() print([[over]]) end)' -- sh -c " ..
        "'echo up; sleep 0.7; echo down'\\n",
      "expect:up", "sleep:200", "send:^Z", "expect:Stopped", "sleep:800", "send:jobs\\n",
      "expect:Stopped", "send:echo shell; fg\\n", "expect:shell", "expect:down", "expect:over",
      "send:exit 5\\n",
    }, SHELL)
    assert.not_matches("never came", out)
    assert.matches("%[exited 5%]", out)
    assert.is_true(out:find("down\n", 1, true) > out:find("shell\n", 1, true)) -- it stood still
  end)

  it("hc43 Ctrl-Z twice, then Ctrl-C", function()
    local command = T.bin .. " -e 'on_syscall(function() end)' -- sh -c 'echo up; sleep 100'"
    local out = play({
      "expect:$ ", "send:" .. command .. "\\n", "expect:up", "sleep:200", "send:^Z",
      "expect:Stopped", "send:fg\\n", "sleep:300", "send:^Z", "expect:Stopped", "send:bg\\n",
      "sleep:200", "send:jobs\\n", "expect:Running", "send:fg\\n", "sleep:200", "send:^C",
      "sleep:300", "send:echo status $?\\n", "expect:status 130", "send:exit 0\\n",
    }, SHELL)
    assert.not_matches("never came", out)
    assert.matches("%[exited 0%]", out)
  end)

  it("hc43 a shell's job control works inside luatrace", function()
    same({
      "expect:$ ", "send:sleep 100\\n", "sleep:200", "send:^Z", "expect:Stopped",
      "expect:$ ", "send:jobs\\n", "expect:Stopped", "expect:$ ", "send:bg\\n",
      "expect:&", "expect:$ ", "send:jobs\\n", "expect:Running", "expect:$ ", "send:fg\\n",
      "sleep:200", "send:^C", "expect:$ ", "send:echo $?\\n", "expect:130", "expect:$ ",
      "send:cat\\n", "sleep:100", "send:typed\\n", "expect:typed", "expect:typed", "send:^D",
      "expect:$ ", "send:seq 3 | sort -r; echo ok\\n", "expect:ok\n", "expect:$ ",
      "send:exit 4\\n",
    }, SHELL, "%[exited 4%]")
  end)

  it("hc43 the terminal's size change reaches the program", function()
    same({ "expect:ready", "sleep:50" },
      { "bash", "-c", "trap 'echo resized' WINCH; echo ready; stty cols 99; stty size; sleep 0.1" },
      "99")
  end)

  it("hc43 works under script(1)", function()
    if not T.have("script") then
      return pending("script is not installed")
    end
    local result = T.sound(T.run({ "script", "-qec", T.bin .. " -e '' -- sh -c 'tty; exit 6'",
                                   "/dev/null" }))
    assert.equal(6, result.code)
    assert.matches("^/dev/pts/%d+", result.out)
  end)
end)

describe("Ctrl-C", function()
  it("a second time breaks a handler that loops", function()
    local out = play({ "expect:looping", "send:^C", "sleep:300", "send:^C", "sleep:300" },
      traced({ "sh", "-c", "trap '' INT; exec " .. T.fixture("calls") },
        "on_syscall('getppid', function() print('looping') io.flush() while true do end end)"))
    assert.matches("interrupted", out)
    assert.matches("%[exited 125%]", out)
  end)

  it("a second time breaks a loop in the chunk", function()
    local out = play({ "expect:looping", "send:^C", "sleep:300", "send:^C", "sleep:300" },
      { T.bin, "-e", "io.write('looping\\n') io.flush() while true do end", "--", "true" })
    assert.not_matches("%[hangs%]", out)
  end)

  it("a third time ends luatrace whatever the script does", function()
    local out = play({ "expect:looping", "send:^C", "sleep:200", "send:^C", "sleep:200",
                       "send:^C", "sleep:200" },
      traced({ "sh", "-c", "trap '' INT; exec " .. T.fixture("calls") }, [[
        on_syscall("getppid", function()
          io.write("looping\n") io.flush()
          while true do pcall(function() while true do end end) end
        end)
      ]]))
    assert.not_matches("%[hangs%]", out)
    assert.not_matches("%[exited 0%]", out)
  end)
end)
