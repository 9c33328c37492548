-- call:address(): where a call connects or sends to, or what it binds.

local core = require "luatrace.core"

local AF_UNIX, AF_INET, AF_INET6 = 1, 2, 10
local ADDRESS_MAX = 128 -- sizeof(struct sockaddr_storage)

-- ---- The address in words ------------------------------------------------------------------

local function port_of(bytes)
  local high, low = bytes:byte(3, 4)
  return high * 256 + low
end

-- The longest run of zero groups is left out, as inet_ntop(3) does.
local function inet6(bytes)
  local groups, best, length = {}, 0, 1
  for i = 1, 8 do
    local high, low = bytes:byte(2 * i - 1, 2 * i)
    groups[i] = ("%x"):format(high * 256 + low)
  end
  for i = 1, 8 do
    local n = 0
    while groups[i + n] == "0" do n = n + 1 end
    if n > length then best, length = i, n end
  end
  if best == 0 then return table.concat(groups, ":") end
  return table.concat(groups, ":", 1, best - 1) .. "::" .. table.concat(groups, ":", best + length)
end

local function unix(bytes)
  local path = bytes:sub(3)
  if path:sub(1, 1) == "\0" then return "@" .. path:sub(2) end -- abstract: all of it counts
  return path:match("^[^%z]*")
end

local function in_words(bytes)
  local low, high = bytes:byte(1, 2)
  local family = high and low + 256 * high
  if family == AF_UNIX then
    return "unix:" .. unix(bytes)
  elseif family == AF_INET and #bytes >= 8 then
    return ("%d.%d.%d.%d:%d"):format(bytes:byte(5), bytes:byte(6), bytes:byte(7), bytes:byte(8),
      port_of(bytes))
  elseif family == AF_INET6 and #bytes >= 24 then
    return ("[%s]:%d"):format(inet6(bytes:sub(9, 24)), port_of(bytes))
  end
  return "family " .. (family or "?")
end

-- ---- Where the call has it -----------------------------------------------------------------

-- The positions of the address and its length among the arguments.
local places = { connect = 2, bind = 2, sendto = 5 }

-- Address and length of what the call refers to; 0 without one.
local function place(t, call)
  local position = places[call.name]
  if position then return call.args[position], call.args[position + 1] end
  if call.name ~= "sendmsg" and call.name ~= "sendmmsg" then return 0, 0 end
  local header = call.args[2] -- struct msghdr begins with the address and its length
  if call.abi == "i386" then return t.mem:u32(header) or 0, t.mem:u32(header + 4) or 0 end
  return t.mem:u64(header) or 0, t.mem:u32(header + 8) or 0
end

-- Returns the address in words and its bytes, or nil for a call without one, or nil, a message and
-- the name of the error.
function core.methods.call.address(call)
  local t = core.call_thread(call)
  local address, length = place(t, call)
  if address == 0 then return nil end
  length = math.min(length % 0x100000000, ADDRESS_MAX) -- an int, whatever the register has above
  local bytes, missing, code = t.mem:read(address, length)
  if not bytes then return nil, missing, code end
  return in_words(bytes), bytes
end
