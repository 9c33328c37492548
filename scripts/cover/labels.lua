-- Lines that have a label and nothing else. They have no code, so debug information does not know
-- them; gcov counts them as what comes next. The source has to be there to be read.

local labels = {}

local LINES_MAX = 1000000 -- of one file

local ACCESS = { public = true, protected = true, private = true, signals = true }
local ENDINGS = { c = true, cc = true, cpp = true, cxx = true, C = true, h = true, hh = true,
  hpp = true, hxx = true, inc = true }

-- Without comments and what may follow a label.
local function bare(line)
  line = line:gsub("/%*.-%*/", ""):gsub("//.*$", "")
  return (line:gsub("^%s+", ""):gsub("%s*{?%s*$", ""))
end

local function is_label(text)
  if text:find("^case%W.*[^:]:$") then return true end
  local name = text:match("^([%a_][%w_]*)%s*:$")
  return name ~= nil and not ACCESS[name]
end

local function read(path)
  local found = {}
  local file = ENDINGS[path:match("%.(%w+)$") or ""] and io.open(path)
  if not file then return found end
  local number, first = 0, nil
  for line in file:lines() do
    number = number + 1
    local text = bare(line)
    if is_label(text) then
      first = first or number
    elseif text ~= "" then
      if first then found[number] = first end
      first = nil
    end
    if number == LINES_MAX then break end
  end
  file:close()
  return found
end

local known = {} -- by path

-- By line: the line of the first label in front of it.
function labels.of(path)
  local found = known[path]
  if not found then
    found = read(path)
    known[path] = found
  end
  return found
end

-- Calls add(file, line, count) for the labels in a function. counts[i] is that of its block i.
function labels.count(fn, counts, add)
  local done = {}
  for i, block in ipairs(fn.blocks) do
    local line = block.lines[1]
    local label = line and line.file == fn.file and labels.of(line.file)[line.line]
    if label and label > fn.line and not done[label] then
      done[label] = true
      add(line.file, label, counts[i])
    end
  end
end

return labels
