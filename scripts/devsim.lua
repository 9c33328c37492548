-- devsim: a serial sensor that is not there, for testing programs that read one.
--
--   luatrace devsim -d /dev/ttyS7 -i 0.5 -- python3 reader.py
--
-- The program opens the path, which need not exist, and gets a line such as "T=21.50" every
-- interval. It may set the interval by writing "RATE 0.1\n", and ask by writing "?\n". The settings
-- of a terminal (tcgetattr, tcsetattr, TIOCMGET) are kept and given back. poll and select work;
-- epoll refuses the descriptor, as it does those of all files.

local opts = args {
  usage = "[-d PATH] [-i SECONDS] [-n COUNT] [--] PROGRAM [ARGUMENT...]",
  about = "Run a program with a simulated serial sensor.",
  { "d", "device", "PATH", "where the sensor is (/dev/sensor0)" },
  { "i", "interval", "SECONDS", "between two readings (1)" },
  { "n", "count", "COUNT", "readings until the end of the file (no end)" },
  { "o", "output", "FILE", "write what the program sends to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w"))
local interval = tonumber(opts.interval or 1) or luatrace.mistake("the interval is a number")
local count = opts.count and (tonumber(opts.count) or luatrace.mistake("the count is a number"))

local function reading(n) return ("T=%.2f\n"):format(21.5 + 2 * math.sin(n / 5)) end

-- Readings are due by the clock; those that nobody fetched in time are lost, as on a wire.
local function is_due(file)
  return file.data.asked or file.data.next <= luatrace.now() or file.data.n == count
end

local termios = ("\0"):rep(8) .. "\189\12\0\0" .. ("\0"):rep(24) -- 9600 8N1, raw
local ioctls = {
  [0x5401] = function(t, arg) return t.mem:write(arg, termios) == #termios end, -- TCGETS
  [0x5415] = function(t, arg) return t.mem:u32(arg, 0x126) ~= false end, -- TIOCMGET
  [0x541B] = function(t, arg, file) -- FIONREAD
    t.mem:u32(arg, is_due(file) and #reading(1) or 0)
  end,
}
for request = 0x5402, 0x5404 do -- TCSETS, and with a wait
  ioctls[request] = function(t, arg) termios = t.mem:read(arg, #termios) or termios end
end
for _, request in ipairs { 0x5409, 0x540B, 0x540C, 0x540D, 0x5416, 0x5417, 0x5418 } do
  ioctls[request] = function() return true end -- breaks, flushing, exclusive use, modem lines
end

emulate.file(opts.device or "/dev/sensor0", {
  open = function(file)
    file.data.n, file.data.next = 0, luatrace.now() + interval
    return true
  end,
  read = function(file)
    local data = file.data
    if data.n == count then return "" end
    if not is_due(file) then return nil, "EAGAIN" end
    if not data.asked then data.next = luatrace.now() + interval end
    data.n, data.asked = data.n + 1, nil
    return reading(data.n)
  end,
  write = function(file, bytes)
    if out then out:write(bytes) end
    local rate = bytes:match("RATE (%d*%.?%d+)")
    if rate then
      interval = tonumber(rate)
      file.data.next = math.min(file.data.next, luatrace.now() + interval)
    end
    file.data.asked = bytes:find("?", 1, true) and true or file.data.asked
    return #bytes
  end,
  poll = function(file, events)
    return luatrace.bit.band(events, is_due(file) and 5 or 4) -- POLLIN, POLLOUT
  end,
  ioctl = function(file, request, arg)
    local answer = ioctls[request]
    if not answer then return nil, "ENOTTY" end
    if answer(file.thread, arg, file) == false then return nil, "EFAULT" end
    return 0
  end,
})
