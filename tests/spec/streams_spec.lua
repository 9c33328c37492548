-- Standard streams and terminals of programs that a script launches, and as whom they run.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

after_each(T.cleanup)

local function said(code, options)
  return T.lines(T.ok(T.trace(code, nil, options), options and options.code).said)
end

describe("pipes", function()
  it("carry what is written and read", function()
    assert.same({ "true", "A B", "C\\n", "D", "nil" }, said [[
      local p = spawn { "tr", "a-z", "A-Z", stdin = "pipe", stdout = "pipe" }
      say(p.stdin:write("a b\n", "c\nd"))
      p.stdin:close()
      say(p.stdout:read())
      local l = p.stdout:read("L")
      say((l:gsub("\n", "\\n")))
      say(p.stdout:read("a"))
      say(p.stdout:read("l"))
    ]])
  end)

  it("are read by number of bytes, by line and to the end", function()
    assert.same({ "ab", "c,de", "nil", "0", "nil", "0" }, said [[
      local p = spawn { "printf", "abc\nde", stdout = "pipe" }
      say(p.stdout:read(2))
      say((p.stdout:read(100):gsub("\n", ",")))
      say(p.stdout:read(1))
      say(#p.stdout:read("a"))
      say(p.stdout:read("l"))
      say(#p.stdout:read(0))
    ]])
  end)

  it("can be read when the program has ended", function()
    assert.same({ "exited with 3", "false", "out", "err", "true" }, said([[
      local p = spawn { "sh", "-c", "echo out; echo err >&2; exit 3", stdout = "pipe",
        stderr = "pipe" }
      on_exit(function(_, status) say(status) end)
      run()
      say(p.alive)
      say(p.stdout:read())
      say(p.stderr:read())
      say(p.stdout == p.stdout)
    ]], { code = 3 }))
  end)

  it("can be read in on_exit and in on_end", function()
    assert.same({ "one", "two" }, said [[
      local p = spawn { "printf", "one\ntwo\n", stdout = "pipe" }
      on_exit(function() say(p.stdout:read()) end)
      on_end(function() say(p.stdout:read()) end)
    ]])
  end)

  it("join standard error to standard output", function()
    assert.same({ "1,2,", "nil" }, said [[
      local p = spawn { "sh", "-c", "echo 1; echo 2 >&2", stdout = "pipe", stderr = "stdout" }
      say((p.stdout:read("a"):gsub("\n", ",")))
      say(p.stderr)
    ]])
  end)

  it("join standard error to luatrace's own output", function()
    local result = T.ok(T.trace([[
      local p = spawn { "sh", "-c", "echo message >&2", stderr = "stdout" }
      run()
    ]]))
    assert.equal("message\n", result.out)
    assert.equal("", result.err)
  end)

  it("carry more than a pipe holds, both ways at once", function()
    local lines = said [[
      local p = spawn { "cat", stdin = "pipe", stdout = "pipe" }
      local block = ("0123456789abcdef"):rep(65536)
      after(0, function()
        for _ = 1, 8 do p.stdin:write(block) end
        p.stdin:close()
      end)
      local all = p.stdout:read("a")
      say(#all, all == block:rep(8))
    ]]
    assert.same({ 8 * 1024 * 1024 .. "\ttrue" }, lines)
  end)

  it("give all lines of much output", function()
    assert.same({ "200000\t200000" }, said [[
      local p = spawn { "seq", "200000", stdout = "pipe" }
      local count, last = 0, nil
      for line in p.stdout:lines() do count, last = count + 1, line end
      say(count, last)
    ]])
  end)

  it("make the program wait when nobody reads, and lose nothing", function()
    assert.same({ "true", "3000000" }, said [[
      local p = spawn { "head", "-c", "3000000", "/dev/zero", stdout = "pipe" }
      sleep(0.3)
      say(p.alive)
      say(#p.stdout:read("a"))
    ]])
  end)

  it("report EPIPE and go on", function()
    assert.same({ "nil\tEPIPE: Broken pipe\tEPIPE", "exited with 0" }, said [[
      local p = spawn { "true", stdin = "pipe" }
      on_exit(function(_, status)
        local ok, message, code
        repeat ok, message, code = p.stdin:write("x") until not ok
        say(ok, message, code)
        say(status)
      end)
      run()
    ]])
  end)

  it("work while system calls are traced", function()
    local lines = said [[
      local writes = 0
      on_syscall("write", { fd = 1 }, function(_, call)
        if call:leave() then writes = writes + 1 end
      end)
      local p = spawn { "sh", "-c", "while read x; do echo $x; done", stdin = "pipe",
        stdout = "pipe" }
      for i = 1, 200 do
        p.stdin:write(i, "\n")
        if p.stdout:read() ~= tostring(i) then say("wrong", i) end
      end
      p.stdin:close()
      say(p.stdout:read("a") == "")
      say(writes)
    ]]
    assert.same({ "true", "200" }, lines)
  end)

  it("serve two programs that talk through a script", function()
    assert.same({ "600" }, said [[
      local a = spawn { "cat", stdin = "pipe", stdout = "pipe" }
      local b = spawn { "cat", stdin = "pipe", stdout = "pipe" }
      local count = 0
      after(0, function() for line in b.stdout:lines() do
        count = count + 1
        if count == 600 then a.stdin:close() else a.stdin:write(line + 1, "\n") end
      end end)
      a.stdin:write("1\n")
      for line in a.stdout:lines() do b.stdin:write(line, "\n") end
      b.stdin:close()
      run()
      say(count)
    ]])
  end)

  it("give waiting tasks their turns", function()
    assert.same({ "1 2 3" }, said [[
      local p = spawn { "sh", "-c", "for i in 1 2 3; do sleep 0.05; echo $i; done",
        stdout = "pipe" }
      local got = {}
      for i = 1, 3 do after(0, function() table.insert(got, (p.stdout:read())) end) end
      run()
      sleep(0.05)
      say(table.concat(got, " "))
    ]])
  end)
end)

describe("files", function()
  it("are opened for the program", function()
    local input, output = T.file("text\n"), T.temp()
    said(([[ spawn { "cat", stdin = %q, stdout = %q } ]]):format(input, output))
    assert.equal("text\n", T.read(output))
  end)

  it("that cannot be opened are a failure", function()
    assert.same({ "nil\tENOENT: stdin: /nonexistent/x: No such file or directory\tENOENT" }, said [[
      say(spawn { "cat", stdin = "/nonexistent/x" })
    ]])
  end)

  it("can be nothing", function()
    assert.same({ "0" }, said [[
      local p = spawn { "sh", "-c", "cat; echo lost >&2", stdin = "null", stdout = "pipe",
        stderr = "null" }
      say(#p.stdout:read("a"))
    ]])
  end)
end)

describe("expect", function()
  it("returns the captures, and leaves what follows", function()
    assert.same({ "7\tx", "rest" }, said [[
      local p = spawn { "printf", "noise key=7 val=x,rest\n", stdout = "pipe" }
      say(p.stdout:expect("key=(%d+) val=(%w+),"))
      say(p.stdout:read())
    ]])
  end)

  it("returns the match where there are no captures", function()
    assert.same({ "b+" }, said [[
      local p = spawn { "printf", "aab+c", stdout = "pipe" }
      say(p.stdout:expect("b%+"))
    ]])
  end)

  it("gives up after a time, and keeps what came", function()
    assert.same({ "nil\ttimeout", "true", "early", "late" }, said [[
      local p = spawn { "sh", "-c", "echo early; sleep 0.4; echo late", stdout = "pipe" }
      local before = luatrace.now()
      say(p.stdout:expect("late", 0.1))
      say(luatrace.now() - before < 0.35)
      say(p.stdout:expect("early"))
      say(p.stdout:expect("late", 5))
    ]])
  end)

  it("says when the output has ended", function()
    assert.same({ "nil\teof", "something" }, said [[
      local p = spawn { "echo", "something", stdout = "pipe" }
      say(p.stdout:expect("else", 5))
      say(p.stdout:read())
    ]])
  end)

  it("anchors to what was not read yet", function()
    assert.same({ "b", "nil\teof" }, said [[
      local p = spawn { "printf", "ab\nc", stdout = "pipe" }
      p.stdout:read(1)
      say(p.stdout:expect("^b"))
      say(p.stdout:expect("^c"))
    ]])
  end)

  it("finds something behind megabytes of something else", function()
    assert.same({ "found" }, said [[
      local p = spawn { "sh", "-c", "head -c 5000000 /dev/zero; echo found", stdout = "pipe" }
      say((p.stdout:expect("f%w+")))
    ]])
  end)
end)

describe("a terminal", function()
  it("is one for the program", function()
    assert.same({ "true\ttrue\ttrue", "24 80", "yes" }, said [[
      local p = spawn { "sh", "-c",
        "test -t 0 && test -t 1 && test -t 2 && stty size && echo yes >/dev/tty", pty = true }
      say(p.stdin ~= nil, p.stdout ~= nil, p.stderr == nil)
      say((p.stdout:expect("(%d+ %d+)\r\n")))
      say((p.stdout:expect("(yes)")))
    ]])
  end)

  it("passes control characters on", function()
    assert.same({ "killed by SIGINT" }, said([[
      local p = spawn { "cat", pty = true }
      on_exit(function(_, status) say(status) end)
      p.stdin:write("x\n")
      p.stdout:expect("x\r\nx\r\n")
      p.stdin:write("\3")
      run()
      os.exit(0)
    ]]))
  end)

  it("ends when its input is closed", function()
    assert.same({ "abc", "abc", "exited with 0" }, said [[
      local p = spawn { "cat", pty = true }
      on_exit(function(_, status) say(status) end)
      p.stdin:write("abc")
      p.stdin:close()
      say((p.stdout:expect("abc")))
      say((p.stdout:expect("abc")))
      run()
    ]])
  end)

  it("of the first program gets luatrace's SIGINT", function()
    local process = T.trace([[
      spawn { "sleep", "20", pty = true }
      say("runs")
      run()
    ]], nil, { start = true })
    T.wait_until("the program", function() return process:said():find("runs") end)
    T.sleep(0.05)
    process:signal("INT")
    local result = process:wait(5)
    assert.is_false(result.timed_out)
  end)
end)

describe("a launched program", function()
  it("gets no descriptors of ours and the mask that we had", function()
    local show = "ls /proc/self/fd | wc -l; grep SigBlk /proc/self/status"
    local plain = T.lines(T.run({ "sh", "-c", show }).out)
    assert.same(plain, said(([[
      local other = spawn { "cat", stdin = "pipe", stdout = "pipe" }
      other.stdin:write("go\n")
      other.stdout:read()
      local p = spawn { "sh", "-c", %q, stdin = "null", stdout = "pipe", stderr = "null" }
      say(p.stdout:read())
      say(p.stdout:read())
      other.stdin:close()
    ]]):format(show)))
  end)
end)

describe("uid and gid", function()
  if not T.root then return end

  it("change the user with all groups", function()
    assert.same({ "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)" }, said [[
      local p = spawn { "id", uid = "nobody", stdout = "pipe" }
      say(p.stdout:read())
    ]])
  end)

  it("may be numbers that nobody has", function()
    assert.same({ "54321 54322 54322" }, said [[
      local p = spawn { "sh", "-c", "echo $(id -u) $(id -g) $(id -G)", uid = 54321, gid = 54322,
        stdout = "pipe" }
      say(p.stdout:read())
    ]])
  end)

  it("are real, effective and saved", function()
    assert.same({ "Uid:\t65534\t65534\t65534\t65534" }, said [[
      local p = spawn { "grep", "^Uid", "/proc/self/status", uid = "nobody", stdout = "pipe" }
      say(p.stdout:read())
    ]])
  end)

  it("that cannot be had are a failure", function()
    assert.same({
      "nil\tENOENT: there is no user 'nonesuch'\tENOENT",
      "nil\tENOENT: there is no group 'nonesuch'\tENOENT",
      "nil\tEINVAL: user 54321 is not in the user database, so spawn needs a gid too\tEINVAL",
    }, said [[
      say(spawn { "id", uid = "nonesuch" })
      say(spawn { "id", gid = "nonesuch" })
      say(spawn { "id", uid = 54321 })
    ]])
  end)

  it("take privileges", function()
    local binary = T.temp()
    os.execute(("cp %s %s && chmod 755 %s %s"):format(T.bin, binary, binary, T.dir()))
    local result = T.run({ "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary,
      "-e", 'print(spawn { "id", uid = 0 }) print(spawn { "true", uid = 65534 })' })
    assert.matches("nil\tEPERM: its groups cannot be changed: Operation not permitted "
      .. "%(only the superuser can%)\tEPERM\nprocess %d+\n", result.out)
  end)
end)

describe("misuse of spawn and of streams", function()
  local function message(code)
    local lines = said("local ok, message = pcall(function() " .. code .. " end) say(message) "
      .. "os.exit(0)")
    return (lines[1]:gsub("^[^:]*:%d+: ", ""))
  end

  it("is told", function()
    assert.equal("spawn: there is no field 'stdout_'; did you mean 'stdout'?; there are env, cwd, "
      .. "stdin, stdout, stderr, pty, uid, gid", message [[ spawn { "ls", stdout_ = "pipe" } ]])
    assert.equal('spawn: stdin is "pipe", "null" or a path, not a boolean',
      message [[ spawn { "ls", stdin = true } ]])
    assert.equal("spawn: with pty the terminal is stdout; give one of the two",
      message [[ spawn { "ls", pty = true, stdout = "pipe" } ]])
    assert.equal("spawn: uid is a number or a name", message [[ spawn { "ls", uid = 1.5 } ]])
    local begin = [[ local p = spawn { "cat", stdin = "pipe", stdout = "pipe" } ]]
    assert.matches("^stdin of process %d+ cannot be read %(read%)$",
      message(begin .. "p.stdin:read()"))
    assert.matches("^stdout of process %d+ cannot be written to$",
      message(begin .. "p.stdout:write('x')"))
    assert.matches("^stdin of process %d+ is closed$",
      message(begin .. "p.stdin:close() p.stdin:write('x')"))
    assert.equal('read takes a number of bytes, "l", "L" or "a"',
      message(begin .. "p.stdout:read('n')"))
    assert.equal("expect needs a Lua pattern", message(begin .. "p.stdout:expect()"))
    assert.equal("expect: malformed pattern (missing ']')",
      message(begin .. "p.stdout:expect('[')"))
    assert.equal("write: argument 1 is a table, not a string",
      message(begin .. "p.stdin:write({})"))
  end)

  it("cannot wait where nothing can, and does no harm", function()
    assert.same({ "true", "hello" }, said [[
      local p = spawn { "cat", stdin = "pipe", stdout = "pipe" }
      local ok, message = pcall(table.sort, { 1, 2, 3 }, function() return p.stdout:read() end)
      say(not ok and message:find("cannot wait inside table.sort", 1, true) ~= nil)
      p.stdin:write("hello\n")
      say(p.stdout:read())
      p.stdin:close()
    ]])
  end)
end)
