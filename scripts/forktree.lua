-- forktree: which process made which, what each of them ran, when, how long, and how it ended.
--
--   luatrace forktree make -j2
--
-- A process that never ran a program of its own shows that of its parent, in parentheses. One that
-- ran several shows them in order: "sh -c ./run => ./run".

local opts = args {
  usage = "[-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Print the tree of the processes that a program makes, when it has ended.",
  { "o", "output", "FILE", "write to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local zero = luatrace.now()
local roots, nodes = {}, {} -- nodes: by pid, those of processes that are alive

local function command(p)
  return luatrace.escape(table.concat(p.cmdline, " "))
end

local function plant(siblings, pid, node)
  node.pid, node.from, node.children = pid, luatrace.now(), {}
  nodes[pid], siblings[#siblings + 1] = node, node
end

on_start(function(p)
  local parent = nodes[p.ppid]
  plant(parent and parent.children or roots, p.pid, { runs = command(p) })
end)

on_clone(function(t, child)
  local parent = nodes[t.pid]
  if child.kind ~= "thread" then
    plant(parent.children, child.pid, { runs = parent.runs, forked = true })
  end
end)

on_exec(function(t)
  local node = nodes[t.pid]
  node.runs = (node.forked and "" or node.runs .. " => ") .. command(t.process)
  node.forked = false
end)

on_exit(function(p, status)
  nodes[p.pid].to, nodes[p.pid].status = luatrace.now(), tostring(status)
  nodes[p.pid] = nil
end)

local function print_node(node, indent)
  local runs = node.forked and "(" .. node.runs .. ")" or node.runs
  out:write(("%7d %8.3f %8.3f  %s%s: %s\n"):format(node.pid, node.from - zero,
    (node.to or luatrace.now()) - node.from, indent, runs, node.status or "still running"))
  for _, child in ipairs(node.children) do print_node(child, indent .. "  ") end
end

on_end(function()
  out:write("    PID    BEGAN      RAN  COMMAND: END\n")
  for _, node in ipairs(roots) do print_node(node, "") end
end)
