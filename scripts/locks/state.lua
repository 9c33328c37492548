-- What is known of the locks of a process: who holds them, who waits, and sums.

local state = {
  waits = setmetatable({}, { __mode = "k" }), -- by thread: { lock, writes, since, site }
}

local now = luatrace.now
local waits = state.waits

function state.new(p, attached)
  return { pid = p.pid, name = luatrace.escape(p.name or "?"), attached = attached, locks = {},
    sites = {}, list = {} }
end

-- ---- Names ---------------------------------------------------------------------------------

-- The code that calls, as a text.
function state.site(process, t, f)
  local pc = f.caller and f.caller.pc or 0
  local text = process.sites[pc]
  if not text then
    local where = t:where(pc - 1)
    text = tostring(where)
    if where.name and where.file then
      text = ("%s at %s:%d (%s)"):format(where.name, where.file:match("[^/]*$"), where.line,
        where.module)
    end
    text = luatrace.escape(text)
    process.sites[pc] = text
  end
  return text
end

-- A variable by its name, anything else by its address.
local function name_of(t, addr)
  local where = t:where(addr)
  if where and where.name and where.kind == "object" then
    return luatrace.escape(tostring(where):match("^(.-) %(") or where.name)
  end
  return ("%#x"):format(addr)
end

function state.lock(process, t, addr, kind)
  local lock = process.locks[addr]
  if not lock then
    lock = { addr = addr, kind = kind, name = name_of(t, addr), taken = 0, contended = 0, busy = 0,
      wait = 0, longest_wait = 0, hold = 0, longest_hold = 0, readers = {}, depth = 0, places = {} }
    process.locks[addr] = lock
    table.insert(process.list, lock)
  end
  return lock
end

-- ---- Holders -------------------------------------------------------------------------------

-- The threads that keep `t` from taking the lock, as a list.
function state.holders(lock, t, writes)
  local list = {}
  if lock.owner and (lock.owner ~= t or not lock.recursive) then list[1] = lock.owner end
  if writes and lock.kind == "rwlock" then
    for reader in pairs(lock.readers) do list[#list + 1] = reader end
  end
  return list
end

-- Attached to a process, a lock's owner may be older than we are: the C library notes its id.
local OWNER = 8

function state.ask_owner(process, lock, t)
  if not process.attached or lock.owner or lock.kind ~= "mutex" or lock.taken > 0 then return end
  local tid = t.mem:i32(lock.addr + OWNER)
  for _, thread in ipairs(t.process:threads()) do
    if thread.nspid == tid and tid ~= 0 then
      lock.owner, lock.since, lock.site = thread, now(), nil
    end
  end
end

-- `t` has the lock now; it wrote or read locks.
function state.take(lock, t, writes, site)
  lock.taken = lock.taken + 1
  if not writes then
    lock.readers[t] = (lock.readers[t] or 0) + 1
  elseif lock.owner == t then
    lock.recursive = true
    lock.depth = lock.depth + 1
  else
    lock.owner, lock.depth = t, 1
  end
  if lock.depth <= 1 then lock.since, lock.site = now(), site end
end

-- `t` gives it back. Returns the thread that has it, if that is another one.
function state.give(lock, t)
  if lock.readers[t] then
    lock.readers[t] = lock.readers[t] > 1 and lock.readers[t] - 1 or nil
    return nil
  end
  local owner = lock.owner
  if owner == t and lock.depth > 1 then
    lock.depth = lock.depth - 1
    return nil
  end
  if owner then
    local held = now() - lock.since
    lock.hold = lock.hold + held
    if held > lock.longest_hold then lock.longest_hold, lock.hold_site = held, lock.site end
  end
  lock.owner, lock.depth = nil, 0
  return owner ~= t and owner or nil
end

-- ---- Waiting -------------------------------------------------------------------------------

-- `t` wants the lock. state.got() or state.failed() follows.
function state.want(lock, t, writes, site)
  local others = lock.owner and lock.owner ~= t
    or writes and lock.kind == "rwlock" and next(lock.readers) ~= nil
  waits[t] = { lock = lock, writes = writes, since = now(), site = site }
  if others then
    lock.contended = lock.contended + 1
    lock.places[site] = (lock.places[site] or 0) + 1
  end
end

-- It waits no longer.
function state.done(t)
  local wait = waits[t]
  waits[t] = nil
  if not wait then return end
  local lock, waited = wait.lock, now() - wait.since
  lock.wait = lock.wait + waited
  if waited > lock.longest_wait then lock.longest_wait, lock.wait_site = waited, wait.site end
end

-- ---- Deadlocks -----------------------------------------------------------------------------

local SETTLED = 0.05 -- seconds: a shorter wait may be over already

local function search(t, path, place, done)
  if done[t] then return nil end
  if place[t] then
    local cycle = {}
    for i = place[t], #path do cycle[#cycle + 1] = path[i] end
    return cycle
  end
  path[#path + 1] = t
  place[t] = #path
  local wait = waits[t]
  if wait and now() - wait.since < SETTLED then wait = nil end
  for _, holder in ipairs(wait and state.holders(wait.lock, t, wait.writes) or {}) do
    local cycle = search(holder, path, place, done)
    if cycle then return cycle end
  end
  path[#path] = nil
  place[t], done[t] = nil, true
end

-- The threads that wait for one another in a circle, each for the next: a list of such lists.
function state.cycles()
  local found, done = {}, {}
  for t in pairs(waits) do
    local cycle = search(t, {}, {}, done)
    if cycle then
      found[#found + 1] = cycle
      for _, member in ipairs(cycle) do done[member] = true end
    end
  end
  return found
end

return state
