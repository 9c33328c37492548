-- The functions that take locks and give them back, by name; each is called with the thread, the
-- frame, and what is known of the process (see locks.state).

local report = require "locks.report"
local state = require "locks.state"

local EOWNERDEAD = luatrace.errno("EOWNERDEAD")

local function take(kind, writes, try)
  return function(t, f, process)
    local lock = state.lock(process, t, f.args[1], kind)
    local site = state.site(process, t, f)
    state.ask_owner(process, lock, t)
    if not try then state.want(lock, t, writes, site) end
    local result = f:leave("int")
    state.done(t)
    if result == 0 or result == EOWNERDEAD then
      state.take(lock, t, writes, site)
    elseif try then
      lock.busy = lock.busy + 1
    end
  end
end

local function give(kind)
  return function(t, f, process)
    local lock = state.lock(process, t, f.args[1], kind)
    local owner = state.give(lock, t)
    if owner and owner.alive and not lock.told then
      lock.told = true
      report.say(t.pid, "thread %d unlocks %s %s at %s, which thread %d holds", t.tid, kind,
        lock.name, state.site(process, t, f), owner.tid)
    end
  end
end

-- The mutex is given back while the thread waits.
local function wait(t, f, process)
  local site = state.site(process, t, f)
  local condition = state.lock(process, t, f.args[1], "condition")
  local mutex = state.lock(process, t, f.args[2], "mutex")
  local depth = mutex.depth
  mutex.depth = math.min(depth, 1)
  state.give(mutex, t)
  state.want(condition, t, true, site)
  f:leave("int")
  state.done(t)
  condition.taken = condition.taken + 1
  state.take(mutex, t, true, site)
  mutex.depth = math.max(depth, 1)
end

-- What was at this address is no lock any more, or a new one.
local function forget(_, f, process)
  local lock = process.locks[f.args[1]]
  if lock then lock.owner, lock.depth, lock.readers, lock.recursive = nil, 0, {}, nil end
end

return {
  pthread_mutex_lock = take("mutex", true), pthread_mutex_timedlock = take("mutex", true),
  pthread_mutex_clocklock = take("mutex", true), pthread_mutex_trylock = take("mutex", true, true),
  pthread_mutex_unlock = give("mutex"),
  pthread_rwlock_rdlock = take("rwlock", false), pthread_rwlock_wrlock = take("rwlock", true),
  pthread_rwlock_timedrdlock = take("rwlock", false),
  pthread_rwlock_timedwrlock = take("rwlock", true),
  pthread_rwlock_clockrdlock = take("rwlock", false),
  pthread_rwlock_clockwrlock = take("rwlock", true),
  pthread_rwlock_tryrdlock = take("rwlock", false, true),
  pthread_rwlock_trywrlock = take("rwlock", true, true),
  pthread_rwlock_unlock = give("rwlock"),
  pthread_cond_wait = wait, pthread_cond_timedwait = wait, pthread_cond_clockwait = wait,
  pthread_mutex_init = forget, pthread_mutex_destroy = forget, pthread_rwlock_init = forget,
  pthread_rwlock_destroy = forget,
}
