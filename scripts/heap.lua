-- heap: what a program allocates and does not free, with the places in the program.
--
--   luatrace heap --top 5 ./server
--
-- Seen are the calls of malloc and its kin, whoever makes them: strdup, new in C++. Memory that is
-- still reachable at the end counts as not freed, too. Frees of what was never allocated, or was
-- freed before, are reported as they happen, unless the C library does it itself.

local blocks = require "heap.blocks"
local opts = args {
  usage = "[-n N] [-s N] [-e SECONDS] [-S SIGNAL] [-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Report memory of a program and its children that is not freed, and wrong frees.",
  { "n", "top", "N", "so many places of allocation in a report (10)" },
  { "s", "stacks", "N", "so many callers tell places apart (8); 0: only who calls malloc, faster" },
  { "e", "every", "SECONDS", "report what is live now and then" },
  { "S", "signal", "SIGNAL", "report when this signal comes, which the program does not get" },
  { "o", "output", "FILE", "write reports to FILE" },
}
local function number(name, default, least)
  local value = tonumber(opts[name] or default)
  if value and value >= least then return value end
  luatrace.mistake(("--%s is a number, not '%s'"):format(name, opts[name]))
end
local top, depth = number("top", 10, 0), math.floor(number("stacks", 8, 0))
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local heaps = {} -- by process
local inside = setmetatable({}, { __mode = "k" }) -- by thread: in one of the functions, or false

local function say(p, format, ...)
  out:write(("heap: %d "):format(p.pid), format:format(...), "\n")
end

local function plural(n, what) return ("%d %s%s"):format(n, what, n == 1 and "" or "s") end

local function heap_of(p, attached)
  local heap = heaps[p]
  if not heap then
    heap = blocks.new(p.pid, luatrace.escape(p.name or "?"), attached)
    heaps[p] = heap
  end
  return heap
end

-- ---- Places --------------------------------------------------------------------------------

-- The callers of the function, as texts.
local function callers(t)
  local texts = {}
  for i, frame in ipairs(t:backtrace { limit = math.max(depth, 1) + 1 } or {}) do
    if i > 1 then texts[#texts + 1] = tostring(frame.name and frame or t:where(frame.pc)) end
  end
  return texts
end

-- What tells the place of this call from others.
local function place(t, f)
  if depth == 0 then return f.caller and f.caller.pc or 0 end
  local stack, pcs = t:backtrace { limit = depth + 1, names = false } or {}, {}
  for i = 2, #stack do pcs[#pcs + 1] = ("%x"):format(stack[i].pc) end
  return table.concat(pcs, " ")
end

local known = setmetatable({}, { __mode = "k" }) -- by heap and place: its texts

-- At the entry of a function: the place, named the first time that it is seen.
local function here(t, f, heap)
  local key, names = place(t, f), known[heap] or {}
  known[heap] = names
  names[key] = names[key] or callers(t)
  return key, names[key]
end

-- ---- Functions -----------------------------------------------------------------------------

local function leave(t, f, kind)
  inside[t] = true
  local result = f:leave(kind)
  inside[t] = false
  return result
end

local function add(heap, addr, size, key, texts)
  blocks.add(heap, addr, size, key, function() return texts end)
end

local function allocate(t, f, heap, size)
  local key, texts = here(t, f, heap)
  local addr = leave(t, f, "ptr")
  if addr and addr ~= 0 then
    add(heap, addr, size, key, texts)
  elseif size ~= 0 or not addr then
    heap.failed = heap.failed + 1
  end
end

local functions = {}
function functions.malloc(t, f, heap) allocate(t, f, heap, f.args[1]) end
function functions.calloc(t, f, heap) allocate(t, f, heap, f.args[1] * f.args[2]) end
function functions.memalign(t, f, heap) allocate(t, f, heap, f.args[2]) end
functions.aligned_alloc, functions.valloc, functions.pvalloc =
  functions.memalign, functions.malloc, functions.malloc

function functions.posix_memalign(t, f, heap)
  local at, size, key, texts = f.args[1], f.args[3], here(t, f, heap)
  if leave(t, f, "int") == 0 then
    add(heap, t.mem:ptr(at) or 0, size, key, texts)
  else
    heap.failed = heap.failed + 1
  end
end

local freed_last = setmetatable({}, { __mode = "k" }) -- by thread: the address
local freed_by = setmetatable({}, { __mode = "k" }) -- by thread: the module of the function

-- A free in a module that passes it on to the next one is one free.
local function is_passed_on(t, f, addr)
  return freed_last[t] == addr and freed_by[t] ~= f.module
end

-- The C library may do so: it keeps blocks that were freed for the thread, and memory of its own.
local function is_by_library(f)
  local caller = f.caller
  return caller and caller.module == f.module
    and (f.module:find(".so", 1, true) or (caller.name or ""):find("^_") ~= nil)
end

local function complain(t, f, heap, addr)
  local pc = heap.freed_at[addr]
  if is_passed_on(t, f, addr) or is_by_library(f) then return end
  heap.unknown = heap.unknown + 1
  if not pc and heap.attached then return end -- allocated before we came
  say(t, pc and "%s(%#x): freed already, by %s" or "%s(%#x): not allocated", f.name, addr,
    pc and luatrace.escape(tostring(t:where(pc))))
  for _, text in ipairs(callers(t)) do out:write("    ", text, "\n") end
end

function functions.free(t, f, heap)
  local addr = f.args[1]
  if addr == 0 then return end
  if blocks.take(heap, addr) then
    blocks.note_free(heap, addr, f.caller and f.caller.pc or 0)
  else
    complain(t, f, heap, addr)
  end
  freed_last[t], freed_by[t] = addr, f.module
end

function functions.realloc(t, f, heap)
  local old, size, pc = f.args[1], f.args[2], f.caller and f.caller.pc or 0
  if old == 0 then return allocate(t, f, heap, size) end
  local key, texts = here(t, f, heap)
  -- Another thread may get the old block before this one returns.
  local old_size, site = blocks.take(heap, old)
  if not old_size then complain(t, f, heap, old) end
  local addr = leave(t, f, "ptr")
  if addr and (addr ~= 0 or size == 0) then
    if old_size then blocks.note_free(heap, old, pc) end
    if addr ~= 0 then add(heap, addr, size, key, texts) end
  else
    if old_size then blocks.put_back(heap, old, old_size, site) end
    heap.failed = heap.failed + 1
  end
end

local names = {}
for name in pairs(functions) do names[#names + 1] = name end
table.sort(names)
on_break(names, function(t, f)
  if not inside[t] then functions[f.name](t, f, heap_of(t.process)) end
end)

-- ---- Reports -------------------------------------------------------------------------------

local function report(p, heap, what)
  say(p, "(%s) %s of %s, %s; at most %s in %s at a time", heap.name,
    plural(heap.allocations, "allocation"), plural(heap.bytes, "byte"), plural(heap.frees, "free"),
    plural(heap.peak_bytes, "byte"), plural(heap.peak, "block"))
  if heap.failed > 0 then say(p, "%s failed", plural(heap.failed, "allocation")) end
  if heap.unknown > 0 then say(p, "%s of unknown blocks", plural(heap.unknown, "free")) end
  if heap.inherited > 0 then
    say(p, "%s in %s came from its creator", plural(heap.inherited_bytes, "byte"),
      plural(heap.inherited, "block"))
  end
  local list, count = blocks.largest(heap, top)
  say(p, "%s in %s %s%s", plural(heap.live_bytes, "byte"), plural(heap.live, "block"), what,
    heap.live > 0 and ":" or "")
  for _, site in ipairs(list) do
    out:write(("  %s in %s of %d, allocated by\n"):format(plural(site.live_bytes, "byte"),
      plural(site.live, "block"), site.count))
    for _, text in ipairs(site.frames) do out:write("    ", text, "\n") end
  end
  if count > #list then
    out:write(("  and at %s\n"):format(plural(count - #list, "other place")))
  end
  out:flush()
end

local function report_all(what)
  local list = {}
  for p, heap in pairs(heaps) do
    if heap.pid == p.pid and heap.allocations > 0 then list[#list + 1] = p end
  end
  table.sort(list, function(a, b) return a.pid < b.pid end)
  for _, p in ipairs(list) do report(p, heaps[p], what) end
end

on_start(function(p) heap_of(p, p.kind == "attached") end)
on_clone(function(t, child)
  local heap, p = heap_of(t.process), child.process
  if child.kind == "vfork" then
    heaps[p] = heap -- the memory is the same one
  elseif child.kind ~= "thread" then
    heaps[p] = blocks.copy(heap, p.pid)
  end
end)
on_exec(function(t) heaps[t.process], inside[t] = nil, nil end)
on_exit(function(p)
  local heap = heaps[p]
  heaps[p] = nil
  if heap and heap.pid == p.pid and heap.allocations > 0 then report(p, heap, "not freed") end
end)
on_end(function() report_all("not freed yet") end)

if opts.every then every(number("every", 1, 0.01), function() report_all("live") end) end
if opts.signal then
  on_signal(opts.signal, function(_, sig)
    sig:suppress()
    report_all("live")
  end)
end
