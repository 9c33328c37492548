-- Faults that a script repairs, and signals that it changes or puts off.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

for _, suffix in ipairs { "", "-32" } do
  local program = T.fixture("repair" .. suffix)
  if T.exists(program) then
    describe("a fault" .. suffix, function()
      it("is gone when a page is there", function()
        local result = T.ok(T.trace([[
          on_signal("SIGSEGV", function(t, sig)
            say(sig.addr == 0x70000000)
            assert(t:mmap { addr = 0x70000000, length = 4096, prot = "rw" })
            t.mem:u32(0x70000000, 42)
            sig:suppress()
          end)
        ]], { program, "segv" }))
        assert.equal("read: 42\n", result.out)
        assert.equal("true\n", result.said)
      end)

      it("is gone when a register is right", function()
        local result = T.ok(T.trace([[
          on_signal("SIGFPE", function(t, sig) t.regs.ecx = 2; sig:suppress() end)
          on_signal("SIGILL", function(t, sig) t.pc = t.pc + 2; sig:suppress() end)
        ]], { program, "fpe", "ill" }))
        assert.equal("divided: 42\nafter the instruction\n", result.out)
      end)

      it("kills as ever when nobody repairs it", function()
        local result = T.luatrace { "-e", "on_signal(function() end)", program, "segv" }
        assert.equal(11, result.signal)
      end)
    end)

    describe("a signal" .. suffix, function()
      it("comes with the siginfo that a script gives it", function()
        local result = T.ok(T.trace([[
          on_signal("SIGUSR1", function(_, sig)
            sig.pid, sig.uid = 1234, 99
            say(sig.pid, sig.uid, sig.code)
            sig.code = -1
            sig.value = 5
          end)
          on_signal("SIGRT_2", function(_, sig) sig.value = 77 end)
        ]], { program, "info" }))
        assert.matches("signal 10 code %-1 pid 1234 uid 99 value 5\n", result.out)
        assert.matches("signal 34 code %-1 pid %d+ uid %d+ value 77\n2 came\n", result.out)
        assert.equal("1234\t99\t0\n", result.said)
      end)

      it("keeps it when it is replaced, in either order", function()
        for _, code in ipairs { "sig:replace('SIGRT_2') sig.pid = 7",
          "sig.pid = 7 sig:replace('SIGRT_2')" } do
          local result = T.ok(T.trace("on_signal('SIGUSR1', function(_, sig) " .. code .. " end)",
            { program, "info" }))
          assert.matches("^signal 34 code 0 pid 7 ", result.out)
        end
      end)

      it("refuses fields that it does not have", function()
        for code, message in pairs {
          ["sig.addr = 1"] = "sig.addr: a SIGUSR1 with code 0 has none",
          ["sig.nme = 1"] = "field 'nme' of a signal cannot be assigned",
          ["sig.pid = {}"] = "sig.pid is an integer, not a table",
          ["sig:defer('x')"] = "sig:defer needs",
        } do
          local result = T.ok(T.luatrace { "-e", "on_signal('SIGUSR1', function(_, sig) " .. code
            .. " end)", program, "info" }, 125)
          assert.matches(message, result.err, 1, true)
        end
      end)

      it("is delivered later with what came with it", function()
        local result = T.ok(T.trace([[
          on_signal("SIGUSR1", function(_, sig) say(sig.code); sig:defer(0.25) end)
        ]], { program, "late" }))
        assert.matches("^at once: 0\nsignal 10 code 0 pid %d+ uid %d+ value 0\nlater\n$",
          result.out)
        assert.equal("0\n", result.said)
        result = T.ok(T.trace([[
          on_signal("SIGUSR1", function(_, sig) sig:defer { syscall = "*nanosleep*" } end)
        ]], { program, "late" }))
        assert.matches("^at once: 0\nsignal 10 code 0 pid %d+ .*\nsoon\n$", result.out)
      end)
    end)
  end
end
