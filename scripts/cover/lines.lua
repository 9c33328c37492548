-- How often lines were executed, from how often blocks were.
--
-- The rule is gcov's. A block counts for all its lines, but a line that ends blocks counts how
-- often these were entered from other lines, and how often it went round in a loop of its own: so
-- `for (i = 0; i < 10; i++)` is 11, and a condition with && is 1, however many blocks it has.

local lines = {}

local STEPS_MAX = 20000 -- when looking for loops within one line
local PASSES_MAX = 1000 -- over the blocks of a function

-- ---- Arcs: how often one block followed another --------------------------------------------

-- Every pair of blocks that may follow each other: { from, to, count }.
local function make_arcs(blocks)
  local arcs, out, into = {}, {}, {}
  for i = 1, #blocks do out[i], into[i] = {}, {} end
  local function add(i, k)
    if not k or (out[i][1] and out[i][1].to == k) then return end
    local arc = { from = i, to = k }
    arcs[#arcs + 1] = arc
    out[i][#out[i] + 1] = arc
    into[k][#into[k] + 1] = arc
  end
  for i, block in ipairs(blocks) do
    add(i, block.next)
    add(i, block.target)
  end
  return arcs, out, into
end

-- The one arc of the list whose count is unknown, and the sum of the others.
local function only_unknown(list)
  local unknown, sum = nil, 0
  for _, arc in ipairs(list) do
    if arc.count then
      sum = sum + arc.count
    elseif unknown then
      return nil
    else
      unknown = arc
    end
  end
  return unknown, sum
end

-- What goes in and what comes out of a block is as much as its count, as long as all but one are
-- known.
-- Ways into a block may be unknown (jump tables, exceptions), ways out are not: they come first.
local function solve_once(lists, counts)
  local changed = false
  for i, list in ipairs(lists) do
    local arc, sum = only_unknown(list)
    if arc then
      arc.count = math.max(0, math.min(counts[i] - sum, counts[arc.from], counts[arc.to]))
      changed = true
    end
  end
  return changed
end

local function solve(out, into, counts)
  for _ = 1, PASSES_MAX do
    if not (solve_once(out, counts) or solve_once(into, counts)) then return end
  end
end

-- Of a call: not all return, and fork and setjmp return more than once.
local function returned(arc, into, counts)
  if into[2] then return math.min(counts[arc.from], counts[arc.to]) end
  return counts[arc.to]
end

local function count_arcs(blocks, counts)
  local arcs, out, into = make_arcs(blocks)
  for i, block in ipairs(blocks) do
    local arc = out[i][1]
    if arc and not out[i][2] then
      arc.count = counts[i]
      if block.flow == "call" then arc.count = returned(arc, into[arc.to], counts) end
    end
  end
  solve(out, into, counts)
  for _, arc in ipairs(arcs) do arc.count = arc.count or 0 end
  return out, into
end

-- ---- Loops within a line -------------------------------------------------------------------

-- How often the blocks of a set went round among themselves: each loop counts as often as its
-- rarest arc, which is then used up.
local function loops(set, order, out)
  local left, total, steps = {}, 0, 0
  local start, visited, path = nil, {}, {}
  local function take()
    local least = math.huge
    for _, arc in ipairs(path) do least = math.min(least, left[arc]) end
    if least <= 0 then return end
    total = total + least
    for _, arc in ipairs(path) do left[arc] = left[arc] - least end
  end
  local function follow(i)
    for _, arc in ipairs(out[i]) do
      steps = steps + 1
      if set[arc.to] and arc.to >= start and left[arc] > 0 and steps < STEPS_MAX then
        path[#path + 1] = arc
        if arc.to == start then
          take()
        elseif not visited[arc.to] then
          visited[arc.to] = true
          follow(arc.to)
          visited[arc.to] = nil
        end
        path[#path] = nil
      end
    end
  end
  for _, i in ipairs(order) do
    for _, arc in ipairs(out[i]) do left[arc] = arc.count end
  end
  for _, i in ipairs(order) do
    start = i
    follow(i)
  end
  return total
end

local function entered(order, set, out, into, counts)
  local count = 0
  for _, i in ipairs(order) do
    count = count + counts[i]
    for _, arc in ipairs(into[i]) do
      if set[arc.from] then count = count - arc.count end
    end
  end
  return count + loops(set, order, out)
end

-- ---- A function ----------------------------------------------------------------------------

-- Calls add(file, line, count) for each line of a function. counts[i] is how often its block i was
-- entered.
function lines.count(fn, counts, add)
  local out, into = count_arcs(fn.blocks, counts)
  local rows, by_line = {}, {}
  for i, block in ipairs(fn.blocks) do
    for k, line in ipairs(block.lines) do
      local key = line.line .. ":" .. line.file
      local row = by_line[key]
      if not row then
        row = { line = line, sum = 0, set = {}, order = {} }
        by_line[key], rows[#rows + 1] = row, row
      end
      row.sum = row.sum + counts[i]
      if k == #block.lines then
        row.set[i] = true
        row.order[#row.order + 1] = i
      end
    end
  end
  for _, row in ipairs(rows) do
    local count = row.sum
    if row.order[1] then count = entered(row.order, row.set, out, into, counts) end
    add(row.line.file, row.line.line, count)
  end
end

-- The same where it is only known whether a block was entered.
function lines.mark(fn, counts, add)
  for i, block in ipairs(fn.blocks) do
    for _, line in ipairs(block.lines) do
      add(line.file, line.line, counts[i] > 0 and 1 or 0)
    end
  end
end

return lines
