-- callgraph: who calls whom, and how often.
--
--   luatrace callgraph 'prog:*' -- ./prog
--   luatrace callgraph --dot 'libz.so.1:*' -- ./prog | dot -Tsvg > calls.svg
--
-- The first words say which functions are counted, as on_break takes them; a caller may be any
-- function. Without them: all functions of the program's own file.

local opts = args {
  usage = "[OPTION...] [FUNCTIONS...] -- PROGRAM [ARGUMENT...]",
  about = "Count the calls of functions by caller.",
  parameters = true,
  { "d", "dot", nil, "write a graph for dot(1)" },
  { "o", "output", "FILE", "write to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stdout
local edges, by_key = {}, {}

local function name_of(frame)
  if not frame then return "(nobody)" end
  return luatrace.escape(frame.name or ("[%s]"):format(frame.module or "?"))
end

local function count(t)
  local stack = t:backtrace { limit = 2, lines = false }
  if not stack then return end
  local callee, caller = name_of(stack[1]), name_of(stack[2])
  local key = caller .. "\0" .. callee
  local edge = by_key[key]
  if not edge then
    edge = { caller = caller, callee = callee, count = 0 }
    by_key[key], edges[#edges + 1] = edge, edge
  end
  edge.count = edge.count + 1
end

local function watch(where)
  on_break(where, count)
end

for _, where in ipairs(opts) do watch(where) end
if not opts[1] then
  local program = opts.program[1] or luatrace.mistake("it needs a program")
  watch((program:match("[^/]+$") or program) .. ":*")
end

-- ---- The end -------------------------------------------------------------------------------

local function before(a, b)
  if a.count ~= b.count then return a.count > b.count end
  if a.caller ~= b.caller then return a.caller < b.caller end
  return a.callee < b.callee
end

local function quoted(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

on_end(function()
  table.sort(edges, before)
  if not opts.dot then
    for _, edge in ipairs(edges) do
      out:write(("%10d  %s -> %s\n"):format(edge.count, edge.caller, edge.callee))
    end
    return
  end
  out:write("digraph calls {\n  node [shape=box];\n")
  for _, edge in ipairs(edges) do
    out:write(("  %s -> %s [label=%d];\n"):format(quoted(edge.caller), quoted(edge.callee),
      edge.count))
  end
  out:write("}\n")
end)
