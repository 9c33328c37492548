-- What the specs share: running programs with and without luatrace, and looking at processes.
--
-- Each spec file loads this afresh, so each has a private directory, and spec files can run at the
-- same time. Environment: LUATRACE_BUILD (build directory), LUATRACE_SOURCE (this repository),
-- LUATRACE_TEST_SCALE (multiplies the loops; 1 fits an ordinary run).

local lfs = require "lfs"
local system = require "system"

local T = {}

T.source = os.getenv("LUATRACE_SOURCE") or lfs.currentdir()
T.build = os.getenv("LUATRACE_BUILD") or (T.source .. "/build")
T.bin = T.build .. "/luatrace"

local sanitized = (os.getenv("LUATRACE_SANITIZE") or "") ~= ""
local scale = tonumber(os.getenv("LUATRACE_TEST_SCALE") or "1") * (sanitized and 0.3 or 1)
local patience = sanitized and 4 or 1 -- multiplies time limits

-- A number of rounds, scaled; never less than 1.
function T.scale(n)
  return math.max(1, math.floor(n * scale))
end

-- Environment for a luatrace that is traced itself or may not use ptrace: LeakSanitizer needs it.
T.without_leak_check = { ASAN_OPTIONS = (os.getenv("ASAN_OPTIONS") or "") .. ":detect_leaks=0" }

-- ---- Words, lines, files --------------------------------------------------------------------

-- One word for sh.
function T.quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

-- A command for sh: a string as it is, a list with each word quoted.
local function shell(command)
  if type(command) == "string" then
    return "sh -c " .. T.quote(command)
  end
  local words = {}
  for i, word in ipairs(command) do
    words[i] = T.quote(word)
  end
  return table.concat(words, " ")
end

function T.lines(text)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  return lines
end

-- Lua 5.4 writes the float 2 as "2.0", LuaJIT as "2": the text with the second.
function T.whole(text)
  return (text:gsub("(%d)%.0%f[^%w.]", "%1"))
end

-- The fixture's own account: what follows "expect: " on its output lines, as a list.
function T.expected(text)
  local expected = {}
  for line in ("\n" .. text):gmatch("\nexpect: ([^\n]*)") do
    expected[#expected + 1] = line
  end
  return expected
end

-- The same as a table, for lines of the form "expect: NAME NUMBER".
function T.counts(text)
  local counts = {}
  for name, number in text:gmatch("(%S+)%s+(%-?%d+)%s*\n") do
    counts[name] = tonumber(number)
  end
  return counts
end

-- Raise unless two texts are equal; says which lines differ.
function T.equal_text(want, got, what)
  if want == got then
    return
  end
  local a, b, report = T.lines(want), T.lines(got), {}
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] and #report < 10 then
      report[#report + 1] = ("line %d\n  want: %s\n  got:  %s"):format(i, a[i] or "(none)",
        b[i] or "(none)")
    end
  end
  error((what or "text") .. " differs:\n" .. table.concat(report, "\n"), 2)
end

function T.read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local text = file:read("a")
  file:close()
  return text
end

local directory -- made at first use

local function remove(path)
  os.execute("rm -rf " .. T.quote(path))
end

-- This spec file's private directory.
function T.dir()
  if not directory then
    local pipe = assert(io.popen('mktemp -d "${TMPDIR:-/tmp}/luatrace-spec.XXXXXX"'))
    directory = pipe:read("l")
    pipe:close()
    assert(directory, "no temporary directory")
    T.sentinel = setmetatable({}, { __gc = function() remove(directory) end })
  end
  return directory
end

-- A copy of a program that every user can reach: the source tree may be below a closed folder.
function T.for_others(path)
  local copy = T.dir() .. "/" .. path:match("[^/]+$")
  os.execute(("chmod 711 %s && cp -p %s %s && chmod 755 %s"):format(T.quote(T.dir()),
    T.quote(path), T.quote(copy), T.quote(copy)))
  return copy
end

-- Whether a pid namespace with its own /proc can be made here (not in every chroot).
function T.has_namespaces()
  return T.root and T.run({ "unshare", "-pf", "--mount-proc", "true" }).code == 0
end

local serial = 0

-- A fresh name in the private directory.
function T.temp(suffix)
  serial = serial + 1
  return T.dir() .. "/" .. serial .. (suffix or "")
end

-- Write a file, named or not, in the private directory; returns its path.
function T.file(content, name)
  local path = name and (T.dir() .. "/" .. name) or T.temp()
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return path
end

function T.have(program)
  return (os.execute("command -v " .. T.quote(program) .. " >/dev/null 2>&1"))
end

T.root = (os.execute('test "$(id -u)" = 0'))

-- The path of a test program; "NAME-32" is the 32-bit build of NAME.
function T.fixture(name)
  return T.build .. "/tests/fixtures/" .. name
end

function T.exists(path)
  return lfs.attributes(path, "mode") ~= nil
end

-- ---- Running to the end ---------------------------------------------------------------------

local function environment(env)
  if not env then
    return ""
  end
  local words = { "env" }
  for name, value in pairs(env) do
    words[#words + 1] = value and T.quote(name .. "=" .. value) or "-u " .. T.quote(name)
  end
  return table.concat(words, " ") .. " "
end

local function redirections(base, options)
  local input = "/dev/null"
  if options.stdin then
    input = base .. ".in"
    local file = assert(io.open(input, "wb"))
    file:write(options.stdin)
    file:close()
  end
  return string.format(" <%s >%s.out 2>%s.err", T.quote(input), base, base)
end

local function outcome(base, _, how, number)
  local result = { out = T.read(base .. ".out") or "", err = T.read(base .. ".err") or "" }
  result[how == "signal" and "signal" or "code"] = number
  for _, suffix in ipairs { ".in", ".out", ".err" } do
    os.remove(base .. suffix)
  end
  return result
end

-- Run a command (a string for sh, or a list of words) to its end.
-- options: stdin = text, timeout = seconds (20), env = { NAME = value or false }, cwd = path.
-- Returns { out, err, code or signal, seconds, timed_out }.
function T.run(command, options)
  options = options or {}
  local base = T.temp()
  local limit = (options.timeout or 20) * patience
  local cd = options.cwd and ("cd " .. T.quote(options.cwd) .. " && ") or ""
  local started = system.monotime()
  local result = outcome(base, os.execute(string.format("%sexec timeout -k 2 %s %s%s%s", cd, limit,
    environment(options.env), shell(command), redirections(base, options))))
  result.seconds = system.monotime() - started
  result.timed_out = result.seconds >= limit
  return result
end

local function describe(result)
  return string.format("exit code %s, signal %s, %.1f s\n-- stdout\n%s\n-- stderr\n%s",
    tostring(result.code), tostring(result.signal), result.seconds or 0, result.out:sub(-4000),
    result.err:sub(-4000))
end

-- Raise unless the run was sound: in time, and without a sanitizer's report.
function T.sound(result)
  if result.timed_out then
    error("timed out: " .. describe(result), 2)
  end
  if result.err:find("Sanitizer", 1, true) or result.err:find("runtime error:", 1, true) then
    error("sanitizer report: " .. describe(result), 2)
  end
  return result
end

-- Raise unless a run ended with this exit code (0).
function T.ok(result, code)
  if result.code ~= (code or 0) then
    error("expected exit code " .. (code or 0) .. ", got " .. describe(result), 2)
  end
  return result
end

-- Run luatrace with these words after its name.
function T.luatrace(words, options)
  return T.sound(T.run({ T.bin, table.unpack(words) }, options))
end

-- Defines say(...) in front of a script, on its first line: a channel of its own, apart from what
-- the program, print and luatrace itself write.
local SAY = [[local say; do local out = assert(io.open(%q, "a")); out:setvbuf("line"); ]] ..
  [[say = function(...) local w = {}; for i = 1, select("#", ...) do ]] ..
  [[w[i] = tostring((select(i, ...))) end; out:write(table.concat(w, "\t"), "\n") end end; ]]

-- Trace a program (list of words) with a script given as text. The script may call say(...);
-- result.said has what it said. options.script = true: as a file, not with -e. options.words:
-- more words for luatrace, before the script.
function T.trace(code, program, options)
  options = options or {}
  local said = T.temp(".said")
  T.file("", said:match("[^/]+$"))
  local words = {}
  for _, word in ipairs(options.words or {}) do
    words[#words + 1] = word
  end
  code = SAY:format(said) .. code
  if options.script then
    words[#words + 1] = T.file(code, (said:match("[^/]+$"):gsub("said$", "lua")))
  else
    words[#words + 1] = "-e"
    words[#words + 1] = code
  end
  if program and program[1] then
    words[#words + 1] = "--"
    for _, word in ipairs(program) do
      words[#words + 1] = word
    end
  end
  if options.start then
    local process = T.start({ T.bin, table.unpack(words) }, options)
    process.said_path = said
    return process
  end
  local result = T.luatrace(words, options)
  result.said = T.read(said)
  return result
end

-- ---- In the background ----------------------------------------------------------------------

T.sleep = system.sleep

-- Wait until cond() is true; returns its value, or raises after `timeout` (10) seconds.
function T.wait_until(what, cond, timeout)
  local deadline = system.monotime() + (timeout or 10) * patience
  while true do
    local value = cond()
    if value then
      return value
    end
    if system.monotime() > deadline then
      error("waited in vain for: " .. what, 2)
    end
    system.sleep(0.005)
  end
end

-- The state letter of a process or thread ("S", "T", "t", "Z"), nil when it does not exist.
function T.state(pid, tid)
  local stat = T.read("/proc/" .. pid .. (tid and ("/task/" .. tid) or "") .. "/stat")
  return stat and stat:match("^.*%) (%a)")
end

-- A field of /proc/PID/status (of a thread's where tid is given), as text.
function T.status(pid, field, tid)
  local text = T.read("/proc/" .. pid .. (tid and ("/task/" .. tid) or "") .. "/status")
  return text and ("\n" .. text):match("\n" .. field .. ":%s*([^\n]*)")
end

function T.tids(pid)
  local tids = {}
  local fine, iterator, object = pcall(lfs.dir, "/proc/" .. pid .. "/task")
  if fine then
    for name in iterator, object do
      tids[#tids + 1] = tonumber(name)
    end
  end
  return tids
end

local Process = {}
Process.__index = Process
local running = {}

-- All of them: one cannot be waited for while its tracer is another that hangs.
local function kill_all()
  for process in pairs(running) do
    process:signal("CONT")
    process:signal("KILL")
  end
end

-- Start a command in the background. The object has .pid and the methods below; whatever is still
-- there at T.cleanup() is killed.
function T.start(command, options)
  options = options or {}
  local base = T.temp()
  local cd = options.cwd and ("cd " .. T.quote(options.cwd) .. " && ") or ""
  local pipe = assert(io.popen(cd .. "echo $$; exec " .. environment(options.env) ..
    shell(command) .. redirections(base, options)))
  local pid = tonumber(pipe:read("l"))
  local process = setmetatable({ base = base, pipe = pipe, pid = pid }, Process)
  running[process] = true
  return process
end

-- "INT", "KILL", ...
function Process:signal(name)
  return (os.execute(string.format("kill -%s %d 2>/dev/null", name, self.pid)))
end

-- Whether it runs; a leader that has left, with threads that live on, counts.
function Process:alive()
  local state = self.pipe and T.state(self.pid)
  return state ~= nil and (state ~= "Z" or #T.tids(self.pid) > 1)
end

-- What it has written so far.
function Process:out()
  return T.read(self.base .. ".out") or ""
end

function Process:err()
  return T.read(self.base .. ".err") or ""
end

function Process:said()
  return T.read(self.said_path) or ""
end

-- Wait for its end, at most `timeout` (10) seconds; then all background processes are killed.
-- Returns what T.run() returns.
function Process:wait(timeout)
  local deadline = system.monotime() + (timeout or 10) * patience
  local timed_out = false
  while self:alive() do
    if system.monotime() > deadline then
      timed_out = true
      kill_all()
      break
    end
    system.sleep(0.005)
  end
  local result = outcome(self.base, self.pipe:close())
  result.timed_out = timed_out
  result.said = self.said_path and T.read(self.said_path)
  self.pipe = nil
  running[self] = nil
  return result
end

-- Kill what a test left running. For after_each().
function T.cleanup()
  kill_all()
  for process in pairs(running) do
    process:wait()
  end
end

-- ---- Programs to attach to -------------------------------------------------------------------

-- A fixture in the background that has said "ready".
function T.start_ready(...)
  local program = T.start { T.fixture((...)), select(2, ...) }
  T.wait_until("ready", function() return program:out():find("ready") end)
  return program
end

-- luatrace attached to it, once the script's on_start has said "start".
function T.attach(program, code)
  local tracer = T.trace("on_start(function() say('start') end) " .. (code or ""), nil,
    { start = true, words = { "-p", program.pid } })
  T.wait_until("the attach", function()
    assert(tracer:alive(), tracer:err())
    return tracer:said():find("start")
  end)
  return tracer
end

-- Every thread untraced and in no stopped state.
function T.untouched(pid)
  local check = require "luassert"
  for _, tid in ipairs(T.tids(pid)) do
    check.equal("0", T.status(pid, "TracerPid", tid) or "0")
    check.is_truthy(("RSDZX"):find(T.state(pid, tid) or "X", 1, true), T.state(pid, tid))
  end
end

return T
