-- locks: who waits for whom in the locks of a program's threads; deadlocks while they are there.
--
--   luatrace locks ./server
--
-- Mutexes, read-write locks and condition variables of pthreads are seen, and what is made of them:
-- std::mutex, mtx_lock. A lock counts as contended if somebody else had it when it was wanted.
-- Times include what tracing costs: compare them with one another, not with the clock.

local report = require "locks.report"
local state = require "locks.state"
local opts = args {
  usage = "[-n N] [-e SECONDS] [-S SIGNAL] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Report deadlocks, and how long locks are waited for and held.",
  { "n", "top", "N", "so many locks in the summary (10)" },
  { "e", "every", "SECONDS", "how often to look for deadlocks (1)" },
  { "S", "signal", "SIGNAL", "report who waits when this comes, which the program does not get" },
  { "o", "output", "FILE", "write reports to FILE" },
}
report.out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
report.top = tonumber(opts.top or 10) or luatrace.mistake("--top is a number")
local seconds = tonumber(opts.every or 1)
if not seconds or seconds <= 0 then luatrace.mistake("--every is a number of seconds") end
local processes = {} -- by process
local EOWNERDEAD = luatrace.errno("EOWNERDEAD")

local function process_of(p)
  local process = processes[p]
  if not process then
    process = state.new(p, p.kind == "attached")
    processes[p] = process
  end
  return process
end

-- ---- Functions -----------------------------------------------------------------------------

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

local functions = {
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

local names = {}
for name in pairs(functions) do names[#names + 1] = name end
table.sort(names)
on_break(names, function(t, f)
  -- A lock that a function above takes on its way is part of what that waits for.
  if not state.waits[t] then functions[f.name](t, f, process_of(t.process)) end
end)

-- ---- Deadlocks -----------------------------------------------------------------------------

local told = {} -- by the threads of a circle: the process; it was reported and is still there

every(seconds, function()
  local there = {}
  for _, cycle in ipairs(state.cycles()) do
    local name = report.members(cycle)
    there[name] = true
    if not told[name] and cycle[1].alive then
      told[name] = cycle[1].pid
      report.deadlock(cycle)
    end
  end
  for name, pid in pairs(told) do
    if not there[name] then
      report.say(pid, "the deadlock of %s is over", name)
      told[name] = nil
    end
  end
end)

-- ---- The rest ------------------------------------------------------------------------------

on_start(process_of)
on_exec(function(t)
  local process = processes[t.process]
  processes[t.process], state.waits[t] = nil, nil
  if process then report.summary(process) end
end)
on_thread_exit(function(t) state.waits[t] = nil end)
on_exit(function(p)
  if processes[p] then report.summary(processes[p]) end
  processes[p] = nil
end)
on_end(function()
  for _, process in pairs(processes) do report.summary(process) end
end)
if opts.signal then
  on_signal(opts.signal, function(_, sig)
    sig:suppress()
    report.waiting()
  end)
end
