-- ctest: TIMEOUT 300
-- Every request that the engine makes about another process may fail, and any thread may vanish
-- before it: the fault injector sweeps over all of a short trace. Hard case 8. Whatever happens,
-- the run ends, with a documented exit code, and leaves nothing behind.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local FAULTS = T.build .. "/tests/luatrace-faults"

local SCRIPT = [[
  on_syscall({ "getppid", "write" }, function(t, call)
    local bytes = t.mem:read(t.sp, 64)
    if call.name == "getppid" then t.regs.r15 = t.regs.r15 end
    call:leave()
    local text = tostring(call)
  end)
  on_clone(function(t, child) end)
  on_signal(function(t, sig) local name = sig.name end)
  on_thread_exit(function() end)
  on_exit(function(p, status) end)
]]

-- Runs one fault in a group of its own, and looks for what is left of it afterwards. Prints a line
-- only when something is wrong.
local RUN = [[
  k=$1
  mark=fault_$$_$k
  began=$(date +%s)
  LUATRACE_MARK=$mark LUATRACE_FAULT=$k:$KIND timeout -s KILL 10 $COMMAND \
    >$DIR/$mark.out 2>$DIR/$mark.err </dev/null
  code=$?
  took=$(($(date +%s) - began))
  wrong=
  case $code in
  0|125|126|127|130) ;;
  137) [ $KIND = vanish ] || wrong="killed";;
  *) wrong="exit code $code";;
  esac
  [ $took -lt 9 ] || wrong="$wrong hangs"
  ! grep -q -e Sanitizer -e 'runtime error' $DIR/$mark.err || wrong="$wrong sanitizer"
  ! grep -q 'luatrace[.][a-z_]*:[0-9]' $DIR/$mark.err || wrong="$wrong error of our own"
  [ -z "$EXPECT" ] || [ $KIND = vanish ] || [ $code -ne 0 ] ||
    [ "$(cat $DIR/$mark.out)" = "$EXPECT" ] || wrong="$wrong output"
  for pause in 0.02 0.2 0.5; do
    sleep $pause
    left=$(grep -lz LUATRACE_MARK=$mark /proc/[0-9]*/environ 2>/dev/null)
    [ -n "$left" ] || break
  done
  [ -z "$left" ] || wrong="$wrong leaves $left"
  [ -z "$wrong" ] || { echo "$k:$KIND: $wrong"; head -c 600 $DIR/$mark.err; }
  rm -f $DIR/$mark.*
]]

local function calls_of(command)
  local log = T.temp(".calls")
  local result = T.sound(T.run(command, { env = { LUATRACE_FAULT_LOG = log } }))
  local text = T.read(log) or ""
  return tonumber(text:match("calls (%d+)")) or 0, result
end

-- `expect` is what the program prints, whatever fails.
local function sweep(kind, command, most, expect)
  local calls, result = calls_of(command)
  assert.is_true(calls > 50, "calls " .. calls .. result.err)
  local stride = math.max(1, math.ceil(calls / T.scale(most)))
  local script = T.file(RUN, "run-fault.sh")
  local swept = T.run(("seq %d %d %d | xargs -P2 -n1 sh %s"):format(1 + os.time() % stride, stride,
    calls + 2, script), { timeout = 250, env = { KIND = kind, COMMAND = command, DIR = T.dir(),
      EXPECT = expect or "" } })
  assert.is_false(swept.timed_out)
  assert.equal("", swept.out)
end

describe("a fault", function()
  local script
  setup(function() script = T.file(SCRIPT, "faults.lua") end)

  local function command(options, program)
    return ("%s %s %s -- %s"):format(FAULTS, options, script, program)
  end

  if not T.exists(FAULTS) then
    pending("luatrace-faults is not built")
    return
  end

  it("can be asked for, and shows", function()
    local shows = 0 -- some requests can fail without consequence
    for k = 1, 10 do
      local result = T.run(command("", T.fixture("calls")),
        { env = { LUATRACE_FAULT = k .. ":EAGAIN", LUATRACE_MARK = "x" } })
      shows = shows + (result.code ~= 0 and 1 or 0)
    end
    assert.is_true(shows > 0)
  end)

  for kind, most in pairs { vanish = 300, ESRCH = 100, EIO = 50, EPERM = 50, EAGAIN = 40,
                            EINTR = 40, ENOMEM = 40 } do
    it("hc8 " .. kind .. " at any request neither hangs nor leaks", function()
      sweep(kind, command("", T.fixture("exact") .. " 3 5 2 2 1"), most)
    end)
  end

  it("hc8 vanish with errors in handlers ignored", function()
    sweep("vanish", command("--on-error=go", T.fixture("exact") .. " 3 5 2 2 1"), 100)
  end)
end)

-- The debugger's work on a program with threads: it goes on, with the right result, without what
-- has failed.
local WORK = {
  breakpoints = [[
    on_break("work", function(t, f)
      local stack = tostring(t:backtrace())
      for name in pairs(f.locals) do local value = f.locals[name] end
      local first, caller, result = f.args[1], f.caller.name, f:leave()
    end)
    on_load(function(p, module) local name, id = module.name, module.build_id end)
  ]],
  ["debug registers"] = [[
    local n = 0
    on_break("work", { hardware = true }, function(t, f)
      n = n + 1
      if n == 7 then t.process:detach() else f:leave() end
    end)
    on_watch("calls", "rw", function(t, w) local where, old = tostring(w.where), w.old end)
  ]],
  steps = [[
    local done
    on_break("main", function(t, f)
      if done then return end
      done = true
      t:step(5)
      t:next()
      t:run_until("threads")
      t:run_until(function() return t.regs.rax == 0x1234567 end, { limit = 20, over = true })
      t:stepline()
      t:finish()
    end)
  ]],
}

describe("a fault in a debugger", function()
  if not T.exists(FAULTS) then
    pending("luatrace-faults is not built")
    return
  end

  for name, code in pairs(WORK) do
    for kind, most in pairs { vanish = 6, ESRCH = 6, EIO = 6, EINTR = 3 } do
      it("at work with " .. name .. ", " .. kind .. ", leaves the program right", function()
        sweep(kind, ("%s %s -- %s threads 2 4"):format(FAULTS,
          T.file(code, (name:gsub(" ", "-")) .. ".lua"), T.fixture("functions")), most, "total 8")
      end)
    end
  end
end)

describe("a fault while attached", function()
  if not T.exists(FAULTS) then
    pending("luatrace-faults is not built")
    return
  end
  after_each(T.cleanup)

  for _, kind in ipairs { "ESRCH", "EIO", "EPERM", "EINTR", "EAGAIN", "ENOMEM" } do
    it(kind .. " leaves the program running", function()
      local program = T.start { T.fixture("threads"), "4" }
      T.wait_until("threads", function() return program:out():find("ready") end)
      local code = [[
        local n = 0
        on_syscall("getppid", function(t, call)
          call:leave()
          n = n + 1
          if n == 10 then os.exit(0) end
        end)
      ]]
      local script = T.file(code, "attached.lua")
      local base = FAULTS .. " -p " .. program.pid .. " " .. script
      local calls = calls_of(base)
      local stride = math.max(1, math.ceil(calls / T.scale(15)))
      for k = 1, calls, stride do
        local result = T.run(base, { timeout = 10, env = { LUATRACE_FAULT = k .. ":" .. kind } })
        assert.is_false(result.timed_out, kind .. " at " .. k .. "\n" .. result.err)
        assert.is_truthy(({ [0] = 1, [125] = 1, [130] = 1 })[result.code or -1],
          k .. ": " .. tostring(result.code or result.signal) .. result.err)
        assert.is_true(program:alive())
        for _, tid in ipairs(T.tids(program.pid)) do
          assert.equal("0", T.status(program.pid, "TracerPid", tid) or "0", kind .. " at " .. k)
          assert.is_truthy(("RSD"):find(T.state(program.pid, tid) or "S"), kind .. " at " .. k)
        end
      end
      program:signal("TERM")
      assert.equal("ready\nworked\n", T.ok(program:wait()).out)
    end)
  end
end)
