-- The functions that allocate and free, by name; each is called with the thread, the frame and the
-- heap of the process (see heap.blocks).

local blocks = require "heap.blocks"
local report = require "heap.report"

local functions = {
  depth = 8, -- callers that tell places apart; 0: the caller alone, and no stack is fetched
  by_name = {},
}
local by_name = functions.by_name
local inside = setmetatable({}, { __mode = "k" }) -- by thread: in one of the functions, or false

-- ---- Places --------------------------------------------------------------------------------

-- The callers of the function, as texts.
local function callers(t)
  local texts = {}
  for i, frame in ipairs(t:backtrace { limit = math.max(functions.depth, 1) + 1 } or {}) do
    if i > 1 then
      texts[#texts + 1] = frame.name and tostring(frame)
        or luatrace.escape(tostring(t:where(frame.pc)))
    end
  end
  return texts
end

-- What tells the place of this call from others.
local function place(t, f)
  if functions.depth == 0 then return f.caller and f.caller.pc or 0 end
  local stack, pcs = t:backtrace { limit = functions.depth + 1, names = false } or {}, {}
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

function by_name.malloc(t, f, heap) allocate(t, f, heap, f.args[1]) end
function by_name.calloc(t, f, heap) allocate(t, f, heap, f.args[1] * f.args[2]) end
function by_name.memalign(t, f, heap) allocate(t, f, heap, f.args[2]) end
by_name.aligned_alloc, by_name.valloc, by_name.pvalloc =
  by_name.memalign, by_name.malloc, by_name.malloc

function by_name.posix_memalign(t, f, heap)
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
  local format = pc and "%s(%#x): freed already, by %s" or "%s(%#x): not allocated"
  report.say(t.pid, format, f.name, addr, pc and luatrace.escape(tostring(t:where(pc))))
  for _, text in ipairs(callers(t)) do report.out:write("    ", text, "\n") end
end

function by_name.free(t, f, heap)
  local addr = f.args[1]
  if addr == 0 then return end
  if blocks.take(heap, addr) then
    blocks.note_free(heap, addr, f.caller and f.caller.pc or 0)
  else
    complain(t, f, heap, addr)
  end
  freed_last[t], freed_by[t] = addr, f.module
end

function by_name.realloc(t, f, heap)
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

-- A thread has called one of them.
function functions.called(t, f, heap)
  if not inside[t] then by_name[f.name](t, f, heap) end
end

-- The thread runs another program.
function functions.forget(t) inside[t] = nil end

return functions
