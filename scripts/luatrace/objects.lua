-- The small objects that handlers get: signals, ends, stops. They are plain Lua; threads, processes
-- and calls are made in C.

local core = require "luatrace.core"
local lazy = require "luatrace.lazy"
local tasks = require "luatrace.tasks"

local timers = lazy.timers

local objects = {}

-- ---- Signals: what on_signal gets ----------------------------------------------------------

local Signal = {}
local info_fields = { code = true, pid = true, uid = true, addr = true, value = true,
  status = true }
local states = setmetatable({}, { __mode = "k" }) -- by signal: its thread and stop, siginfo later

function objects.signal(t, number)
  local sig = setmetatable({ number = number, name = core.signo(number) }, Signal)
  states[sig] = { thread = t, seq = core.seq(t) }
  return sig
end

-- What came with the signal is read when it is first asked for.
function Signal:__index(key)
  if not info_fields[key] then return Signal[key] end
  local state = states[self]
  if not state.info then
    if not state.thread.alive or core.seq(state.thread) ~= state.seq then
      core.raise("this signal is over")
    end
    state.info = core.signal_info(state.thread)
  end
  return state.info[key]
end

-- What the program is to find in siginfo. Which fields there are depends on the code: assign that
-- first.
function Signal:__newindex(key, value)
  if not info_fields[key] then
    core.raise(("field '%s' of a signal cannot be assigned; code, pid, uid, addr, status and value "
      .. "can, and sig:replace(name) delivers another one"):format(tostring(key)))
  end
  local state = states[self]
  core.signal_change(state.thread, state.seq, key, value)
  state.info = nil
end

local function replace(sig, number)
  local state = states[sig]
  if not state.thread.alive or not core.signal_replace(state.thread, state.seq, number) then
    core.raise("this signal is over")
  end
end

-- Do not deliver the signal.
function Signal:suppress() replace(self, 0) end

-- Deliver another one (name or number) in its place.
function Signal:replace(other) replace(self, other) end

local function deliver_later(t, bytes, when)
  local function deliver()
    if t.alive then core.signal_resend(t, bytes) end
  end
  if type(when) == "number" then return timers.at(core.now() + when, deliver) end
  tasks.start(function()
    t:wait(when)
    deliver()
  end)
end

-- Deliver the signal later, to the same thread and with what came with it: after so many seconds,
-- or at the thread's next event that a table as for t:wait asks for. Handlers do not see it again.
-- It is lost with the thread, and when tracing ends before.
function Signal:defer(when)
  if type(when) ~= "table" then timers.check(when, "sig:defer") end
  local state = states[self]
  local bytes = state.thread.alive and core.signal_bytes(state.thread, state.seq)
  replace(self, 0)
  deliver_later(state.thread, bytes, when)
end

-- Names of si_code: where a signal comes from, for all signals and for single ones.
local codes = { [0] = "SI_USER", [128] = "SI_KERNEL", [-1] = "SI_QUEUE", [-2] = "SI_TIMER",
  [-3] = "SI_MESGQ", [-4] = "SI_ASYNCIO", [-5] = "SI_SIGIO", [-6] = "SI_TKILL" }
local own_codes = {
  SIGCHLD = { "CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED",
    "CLD_CONTINUED" },
  SIGSEGV = { "SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR" },
  SIGBUS = { "BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR" },
  SIGFPE = { "FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF", "FPE_FLTUND", "FPE_FLTRES",
    "FPE_FLTINV", "FPE_FLTSUB" },
  SIGILL = { "ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR", "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG",
    "ILL_COPROC", "ILL_BADSTK" },
  SIGTRAP = { "TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT" },
  SIGSYS = { "SYS_SECCOMP" },
}

local function code_name(sig)
  local own = own_codes[sig.name]
  return codes[sig.code] or own and own[sig.code] or tostring(sig.code)
end

local function child_status(sig)
  if sig.code == 1 then return sig.status end
  return core.signo(sig.status) or sig.status
end

-- As strace(1) prints it between the dashes.
function Signal:__tostring()
  local text = self.name .. " {si_signo=" .. self.name
  if not pcall(function() return self.code end) then return text .. "}" end
  text = text .. ", si_code=" .. code_name(self)
  if self.pid then text = text .. (", si_pid=%d, si_uid=%d"):format(self.pid, self.uid) end
  if self.status then text = text .. (", si_status=%s"):format(child_status(self)) end
  if self.addr then
    text = text .. ", si_addr=" .. (self.addr == 0 and "NULL" or ("%#x"):format(self.addr))
  end
  if self.value then
    local low = core.bit.band(self.value, 0xffffffff)
    if low >= 0x80000000 then low = low - 0x100000000 end
    text = text .. (", si_int=%d, si_ptr=%#x"):format(low, self.value)
  end
  return text .. "}"
end

-- ---- Ends: what on_exit and on_thread_exit get ---------------------------------------------

local Status = {}
Status.__index = Status

function objects.status(code, signo, dumped, known)
  return setmetatable({ code = code, signo = signo, signal = signo and core.signo(signo),
    core = dumped, known = known }, Status)
end

function Status:__tostring()
  if not self.known then return "ended, nobody knows how" end
  if not self.signal then return "exited with " .. self.code end
  return "killed by " .. self.signal .. (self.core and " (core dumped)" or "")
end

-- ---- Stops: what on_stop gets --------------------------------------------------------------

local Stop = {}
Stop.__index = Stop

-- The record that is being dispatched.
function objects.stop()
  return setmetatable(core.record(), Stop)
end

local function ending(stop)
  return tostring(objects.status(stop.code, stop.signal and core.signo(stop.signal), stop.core,
    stop.known))
end

local how = { launched = "was launched", attached = "was attached to",
  adopted = "was adopted: its creator is gone" }

local words = {
  start = function(s) return how[s.how] or ("was made by " .. s.how) end,
  birth = function(s) return how[s.how] or ("was made by " .. s.how) end,
  ["syscall-entry"] = function(s) return "is about to call " .. s.name end,
  ["syscall-exit"] = function(s) return ("returns %d from %s"):format(s.ret or 0, s.name) end,
  signal = function(s) return "is about to get " .. (s.signal or "a signal") end,
  clone = function(s) return ("made %d by %s"):format(s.child, s.how) end,
  ["vfork-done"] = function() return "has its memory back from its vfork child" end,
  exec = function(s)
    local was = s.former_tid ~= s.tid and (", called by thread %d"):format(s.former_tid) or ""
    return "runs a new program" .. was
  end,
  interrupt = function() return "was interrupted by luatrace" end,
  ["break"] = function(s) return ("has reached the breakpoint at %#x"):format(s.addr) end,
  ["return"] = function(s) return ("has returned to %#x"):format(s.addr) end,
  ["group-stop"] = function(s) return "is stopped by " .. (s.signal or "a signal") end,
  continue = function() return "is continued" end,
  stepped = function(s) return ("has run %d instructions"):format(s.count) end,
  watch = function(s) return ("has used %d bytes at %#x"):format(s.size, s.addr) end,
  exiting = function(s) return "is about to end: " .. ending(s) end,
  ["thread-exit"] = function(s) return "(thread) " .. ending(s) end,
  ["process-exit"] = function(s) return "(process) " .. ending(s) end,
  load = function() return "has mapped or unmapped shared objects" end,
  ["spawn-failed"] = function() return "could not run its program" end,
}

function Stop:__tostring()
  return self.tid .. " " .. words[self.kind](self)
end

return objects
