-- faketime: run a program at another time of day.
--
--   luatrace faketime -t "2031-05-06 07:08:09" date
--   luatrace faketime -t +3600 make
--
-- The clock of the day is usually read without a system call, by code that the kernel maps into
-- each program (the vdso), which no tracer can see. So the program is not told of that code: the
-- entry AT_SYSINFO_EHDR is taken out of what the kernel passes to it at exec, and libc then makes
-- real calls. A program that was attached to has found it already; its time cannot be changed.
--
-- Times of files, and absolute times that a program waits for, stay those of the real clock.

local opts = args {
  usage = "-t TIME [-f] [--] PROGRAM [ARGUMENT...]",
  about = "Run a program and its children at another time of day.",
  { "t", "time", "TIME", "YYYY-MM-DD [HH:MM:SS], or +SECONDS or -SECONDS from now" },
  { "f", "frozen", nil, "the clock stands still" },
  { "o", "output", "FILE", "write what was changed to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w"))

local function parse(text)
  if text:match("^[+-]%d+%.?%d*$") then return tonumber(text:match("^%+?(.*)")) end
  local year, month, day, rest = text:match("^(%d+)-(%d+)-(%d+)(.*)$")
  local hour, min, sec = (rest or ""):match("^[ T](%d+):(%d+):?(%d*)$")
  if not year or (rest ~= "" and not hour) then
    luatrace.mistake("'" .. text .. "' is no time: YYYY-MM-DD [HH:MM:SS], +SECONDS or -SECONDS")
  end
  return os.time { year = year, month = month, day = day, hour = hour or 0, min = min or 0,
    sec = tonumber(sec) or 0 } - os.time()
end

local offset = parse(opts.time or luatrace.mistake("the time is missing (-t TIME)"))
local began = os.time()

-- AT_IGNORE takes the place of AT_SYSINFO_EHDR.
local function hide_vdso(t)
  local word = t.abi == "i386" and 4 or 8
  local kind, addr = word == 4 and "u32" or "u64", t.sp + word
  for _ = 1, 2 do -- past argv, then past the environment
    while t.mem[kind](t.mem, addr) ~= 0 do addr = addr + word end
    addr = addr + word
  end
  repeat
    local key = t.mem[kind](t.mem, addr)
    if key == 33 then t.mem[kind](t.mem, addr, 1) end
    addr = addr + 2 * word
  until key == 0 or not key
end

on_start(function(p) if p.kind == "launched" then hide_vdso(p:threads()[1]) end end)
on_exec(hide_vdso)

local function shift(t, addr, kind, step)
  local seconds = t.mem[kind](t.mem, addr)
  if addr == 0 or not seconds then return end
  t.mem[kind](t.mem, addr, math.floor((opts.frozen and began or seconds) + offset))
  if opts.frozen then t.mem[kind](t.mem, addr + step, 0) end
  if out then out:write(("%d: %d\n"):format(t.tid, seconds)) end
end

local function shift_result(t, call, seconds)
  call.ret = math.floor((opts.frozen and began or seconds) + offset)
  if call.args[1] ~= 0 then shift(t, call.args[1], call.abi == "i386" and "i32" or "i64", 0) end
end

local of_day = { [0] = true, [5] = true, [11] = true } -- CLOCK_REALTIME, _COARSE, CLOCK_TAI
on_syscall({ "clock_gettime", "clock_gettime64", "gettimeofday", "time" }, function(t, call)
  local by_clock = call.name:find("clock") ~= nil
  if by_clock and not of_day[call.args[1]] then return end
  local ret = call:leave()
  if not ret then return end
  if call.name == "time" then return shift_result(t, call, ret) end
  local narrow = call.abi == "i386" and call.name ~= "clock_gettime64"
  shift(t, call.args[by_clock and 2 or 1], narrow and "i32" or "i64", narrow and 4 or 8)
end)
