-- Counts at functions without a stop: exact, whatever the program does, and gone without a trace.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local fixture = T.fixture "probes"
local native = io.popen("uname -m"):read("l") == "x86_64"
if not native then
  pending("planted code is made for x86-64")
  return
end

-- Run with this count of `name`, which the fixture says how often it calls. Returns what the script
-- says at the end, as a list of lines.
local function counted(name, script, arguments, program)
  local command = { program or fixture }
  for _, word in ipairs(arguments) do command[#command + 1] = word end
  local result = T.ok(T.trace(([[
    local name = %q
    %s
    on_end(function() said() end)]]):format(name, script), command, { timeout = 60 }))
  local want = T.counts(result.out)[name]
  assert(want and want > 0, result.out .. result.err)
  return T.lines(result.err), want
end

local plain = [[
  local hits = on_break(name, count())
  function said() io.stderr:write(hits:total(), " ", hits.planted, " ", hits.stops, "\n") end]]

local function exact(name, arguments, planted, program)
  local lines, want = counted(name, plain, arguments, program)
  assert.same({ ("%d %d %d"):format(want, planted, 1 - planted) }, lines)
end

describe("counts without a stop", function()
  it("are exact with 8 threads", function()
    exact("work", { "threads", 8, T.scale(1000000) }, 1)
  end)

  it("are exact with one thread, however the program was linked", function()
    for _, name in ipairs { "probes", "probes-fixed", "probes-now", "probes-O0" } do
      exact("work", { "threads", 1, T.scale(300000) }, 1, T.fixture(name))
    end
  end)

  it("are exact in forked children", function()
    exact("work", { "forks", 6, T.scale(100000) }, 1)
  end)

  it("are exact in recursion", function()
    exact("deep", { "deep", T.scale(30000) }, 1)
  end)

  it("are exact when a shared object comes and goes", function()
    local n = T.scale(20000)
    local lines, want = counted("probed_plugin", [[
      local hits = on_break(name, count())
      function said()
        io.stderr:write(hits:total(), hits.planted > 0 and " planted" or "", "\n")
      end]],
      { "loads", T.fixture "probed.so", 5, n })
    assert.equal(5 * n, want)
    assert.same({ want .. " planted" }, lines)
  end)

  it("are exact under signals, whose handlers see nothing of it", function()
    exact("work", { "signals", 1500 }, 1)
  end)

  it("are made at stops where a second thread cannot be told apart", function()
    local lines, want = counted("work", plain, { "raw", T.scale(2000) })
    assert.matches("^" .. want .. " ", lines[1])
  end)

  it("are made at stops in 32-bit programs", function()
    if not T.exists(T.fixture "probes-32") then return pending("no 32-bit fixtures") end
    exact("work", { "threads", 2, 1000 }, 0, T.fixture "probes-32")
  end)

  it("count an instruction that faults once", function()
    local lines, want = counted("load", plain, { "faults", 5000 })
    assert.matches("^" .. want .. " ", lines[1])
  end)
end)

describe("a function is counted whatever it begins with:", function()
  local refused = { form_tiny = "too short", form_jump = "too short", form_loop = "jumps back",
    form_call = "cannot be run elsewhere", form_back = "too short",
    form_hidden = "into the middle" }

  for _, program in ipairs { "probes", "probes-fixed" } do
    it(program, function()
      local n = T.scale(20000)
      local result = T.ok(T.trace([[
        local hits = {}
        for _, name in ipairs { "frame", "endbr", "pushes", "wide", "relative", "branch", "jump",
                                "far_jump", "flags", "red_zone", "scratch", "loop", "call", "back",
                                "start", "tiny", "hidden" } do
          hits["form_" .. name] = on_break("form_" .. name, count())
        end
        on_end(function()
          for name, one in pairs(hits) do
            print("got", name, one:total(), one.planted, one.reason)
          end
        end)]], { T.fixture(program), "forms", n }, { timeout = 60 }))
      local seen = 0
      for name, total, planted, reason in
        result.out:gmatch("got%s+(%S+)%s+(%d+)%s+(%d+)%s+([^\n]+)") do
        local want = name == "form_start" and 3 * n or name == "form_frame" and 2 * n or n
        assert.equal(want, tonumber(total), name)
        if refused[name] then
          assert.matches(refused[name], reason, 1, false, name)
          assert.equal(name == "form_hidden" and "1" or "0", planted, name)
        else
          assert.equal("1", planted, name .. ": " .. reason)
        end
        seen = seen + 1
      end
      assert.equal(17, seen)
    end)
  end
end)

-- ---- Without a trace -------------------------------------------------------------------------

local function bytes_at(pid, address, count)
  local file = assert(io.open(("/proc/%d/mem"):format(pid), "rb"))
  file:seek("set", address)
  local bytes = file:read(count)
  file:close()
  return bytes
end

-- Maps of code, and of anything shared.
local function maps_of(pid)
  local list = {}
  for line in io.lines(("/proc/%d/maps"):format(pid)) do
    local range, perms = line:match("^(%x+%-%x+) (%S+)")
    if perms:find("x") or perms:find("s") then list[#list + 1] = range .. " " .. perms end
  end
  return table.concat(list, "\n")
end

local function descriptors_of(pid)
  local pipe = io.popen(("ls /proc/%d/fd"):format(pid))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

describe("planted code is removed without a trace", function()
  after_each(T.cleanup)

  it("at a detach under load", function()
    local program = T.start_ready("probes", "spin", 4)
    local pid, address = program:out():match("expect: ready (%d+) (0x%x+)")
    local before, maps, fds = bytes_at(pid, tonumber(address), 64), maps_of(pid),
      descriptors_of(pid)
    for _ = 1, T.scale(3) do
      local script = [[
        local hits = on_break("work", count())
        every(0.02, function()
          if hits.planted == 1 then
            io.stderr:write("planted\n")
            os.exit(0)
          end
        end)]]
      local result = T.run({ T.bin, "-p", pid, "-e", script }, { timeout = 60 })
      assert.matches("planted", result.err)
      assert.equal(0, result.code)
      T.untouched(pid)
      T.equal_text(maps, maps_of(pid), "maps")
      assert.equal(before, bytes_at(pid, tonumber(address), 64))
      assert.equal(fds, descriptors_of(pid))
    end
    program:signal("USR1")
    local result = program:wait()
    assert.equal(0, result.code)
    assert.matches("expect: over", result.out)
  end)

  it("when it is counted no longer, and reads do not see it", function()
    local result = T.ok(T.trace([[
      local hits = on_break("work", count())
      local function code(t) return t.mem:read(t.process:symbol("work"), 64) end
      local function raw(t)
        local file = io.open(("/proc/%d/mem"):format(t.pid), "rb")
        file:seek("set", t.process:symbol("work"))
        local bytes = file:read(64)
        file:close()
        return bytes
      end
      on_syscall("%process", function(t, call)
        if call.name ~= "exit_group" then return end
        print("planted", hits.planted, "differs", raw(t) ~= code(t), raw(t):byte(1) == 0xe9)
        hits:remove()
        print("removed", raw(t) == code(t))
      end)]], { fixture, "threads", 1, 20000 }, { timeout = 60 }))
    assert.matches("planted%s+1%s+differs%s+true%s+true", result.out)
    assert.matches("removed%s+true", result.out)
  end)

  it("where somebody listens later, and comes back", function()
    local n = T.scale(5000)
    local result = T.ok(T.trace(([[
      local hits, heard = on_break("work", count()), 0
      local handler
      on_clone(function(t, child)
        if handler then
          handler:remove()
          handler = nil
        else
          handler = on_break("work", function() heard = heard + 1 end)
        end
      end)
      on_end(function() print("total", hits:total(), heard, hits.planted) end)]]),
      { fixture, "forks", 3, n }, { timeout = 60 }))
    local total, heard, planted = result.out:match("total%s+(%d+)%s+(%d+)%s+(%d+)")
    assert.equal(5 * n, tonumber(total))
    assert.is_true(tonumber(heard) > 0)
    assert.equal("1", planted)
  end)
end)

-- What is counted, each in a run of its own, with `when` and the aggregation.
local measures = {
  "{}, count()", "{}, sum(1)", '{}, sum({ arg = 1, type = "i8" })', "{}, hist(1)",
  '{}, hist { arg = 1, type = "i16" }', '{}, count { by = { arg = 1, type = "u8" } }',
  '{}, sum(2, { by = { arg = 1, type = "u8" } })', "{}, count { by = { 1, 2 } }",
  '{}, count { by = { { arg = 1, type = "i32" }, "pc" } }',
  "{ when = { [1] = { min = 100, max = 250 } } }, count()",
  '{ when = { [1] = { min = -3, max = 9, type = "i8" } } }, sum(1)',
  "{ when = { [1] = { has = 5 } } }, sum(1)",
  "{ when = { [1] = { 5, 7, 9 }, [2] = 1 } }, count { by = 1 }",
  "{ when = { [2] = 2 } }, count()",
}

describe("planted code", function()
  for _, measure in ipairs(measures) do
    it("counts as stops do: " .. measure, function()
      local function rows(listens)
        local result = T.ok(T.trace(([[
          local one = on_break("work", %s)
          %s
          on_end(function()
            print(("planted %%d"):format(one.planted))
            local lines = {}
            for _, row in ipairs(one:rows()) do
              local words = { row.count, row.sum or "" }
              for i = 1, #one.keys do words[#words + 1] = one.keys[i].label == "pc" or row[i] end
              for _, bucket in ipairs(row.buckets or {}) do
                words[#words + 1] = ("%%s:%%d"):format(bucket.from, bucket.count)
              end
              for i = 1, #words do words[i] = tostring(words[i]) end
              lines[#lines + 1] = table.concat(words, " ")
            end
            table.sort(lines)
            print(table.concat(lines, "\n"))
          end)]]):format(measure, listens and 'on_break("work", function() end)' or ""),
          { fixture, "threads", 1, 1500 }, { timeout = 60 }))
        return result.out
      end
      local planted, stops = rows(false), rows(true)
      assert.matches("planted 1", planted)
      assert.matches("planted 0", stops)
      T.equal_text(stops:gsub("planted %d", ""), planted:gsub("planted %d", ""), "rows")
    end)
  end
end)
