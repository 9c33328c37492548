-- Aggregations as text: tables and bars. And the bounds of buckets.

local core = require "luatrace.core"

local show = {}

-- ---- Buckets -------------------------------------------------------------------------------

-- Bounds of bucket i from 1: from <= value < to; nil where there is none.
local function log2_bounds(i)
  if i == 1 then return nil, 0 end
  if i == 2 then return 0, 1 end
  return 2 ^ (i - 3), i < 65 and 2 ^ (i - 2) or nil
end

local function linear_bounds(self, i, count)
  if i == 1 then return nil, self.from end
  if i == count then return self.to, nil end
  local from = self.from + (i - 2) * self.step
  return from, math.min(from + self.step, self.to)
end

local function integer(number) return number and core.to_integer(number) end

-- List of { from, to, count } from the first to the last that has any.
function show.buckets(self, counts)
  local first, last
  for i = 1, #counts do
    if counts[i] ~= 0 then first, last = first or i, i end
  end
  local list = {}
  for i = first or 1, last or 0 do
    local from, to
    if self.linear then
      from, to = linear_bounds(self, i, #counts)
    else
      from, to = log2_bounds(i)
    end
    list[#list + 1] = { from = integer(from), to = integer(to), count = counts[i] }
  end
  return list
end

-- ---- Text ----------------------------------------------------------------------------------

-- 64-bit integers under any Lua.
local function number_text(number)
  if type(number) == "number" and number % 1 ~= 0 then return ("%.1f"):format(number) end
  return (tostring(number):gsub("U?LL$", ""):gsub("%.0$", ""))
end

local hex = { pc = true, caller = true }

local function key_text(spec, value)
  if type(value) == "string" then return core.escape(value) end
  if hex[spec.source] then return ("0x%x"):format(value) end
  return number_text(value)
end

local units = { { 2 ^ 60, "E" }, { 2 ^ 50, "P" }, { 2 ^ 40, "T" }, { 2 ^ 30, "G" }, { 2 ^ 20, "M" },
  { 2 ^ 10, "K" } }

local function short(self, number)
  for _, unit in ipairs(self.linear and {} or units) do
    if number >= unit[1] then return ("%d%s"):format(number / unit[1], unit[2]) end
  end
  return number_text(number)
end

local function label_of(self, bucket)
  if not bucket.from then return ("(..., %s)"):format(short(self, bucket.to)) end
  if not bucket.to then return ("[%s, ...)"):format(short(self, bucket.from)) end
  if bucket.to - bucket.from == 1 then return ("[%s]"):format(short(self, bucket.from)) end
  return ("[%s, %s)"):format(short(self, bucket.from), short(self, bucket.to))
end

local BAR = 40

local function add_bars(lines, self, buckets)
  local most, wide, long = 1, 0, 0
  for _, bucket in ipairs(buckets) do
    if bucket.count > most then most = bucket.count end
    wide = math.max(wide, #label_of(self, bucket))
    long = math.max(long, #number_text(bucket.count))
  end
  for _, bucket in ipairs(buckets) do
    local filled = math.floor(BAR * tonumber(bucket.count) / tonumber(most))
    lines[#lines + 1] = ("%-" .. wide .. "s  %" .. long .. "s |%-" .. BAR .. "s|"):format(
      label_of(self, bucket), number_text(bucket.count), ("@"):rep(filled))
  end
end

local OTHERS = "(others)"

local function summary(row, unit)
  local average = row.count ~= 0 and row.sum / row.count or 0
  return ("%s value%s, average %s%s, sum %s%s"):format(number_text(row.count),
    row.count == 1 and "" or "s", ("%.1f"):format(tonumber(average)), unit, number_text(row.sum),
    unit)
end

local function histograms(self, rows, others)
  local unit = self.value.source == "time" and " ns" or ""
  local lines = {}
  local function add(title, row)
    if lines[1] then lines[#lines + 1] = "" end
    lines[#lines + 1] = (title ~= "" and title .. ": " or "") .. summary(row, unit)
    add_bars(lines, self, row.buckets)
  end
  for _, row in ipairs(rows) do
    local parts = {}
    for i, spec in ipairs(self.keys) do
      parts[i] = spec.label .. " " .. key_text(spec, row.key[i])
    end
    add(table.concat(parts, ", "), row)
  end
  if others.count ~= 0 then
    add(OTHERS, { count = others.count, sum = others.sum,
      buckets = show.buckets(self, others.buckets) })
  end
  return lines
end

-- Cells of a table: keys at the left, numbers at the right.
local function lay_out(cells, keys)
  local wide, lines = {}, {}
  for _, line in ipairs(cells) do
    for i, cell in ipairs(line) do wide[i] = math.max(wide[i] or 0, #cell) end
  end
  for _, line in ipairs(cells) do
    local parts = {}
    for i, cell in ipairs(line) do
      local pad = (" "):rep(wide[i] - #cell)
      parts[i] = i <= keys and cell .. pad or pad .. cell
    end
    lines[#lines + 1] = table.concat(parts, "  ")
  end
  return lines
end

local function numbers_of(self, row, line)
  line[#line + 1] = number_text(row.count)
  if self.action ~= "sum" then return line end
  line[#line + 1] = number_text(row.sum)
  line[#line + 1] = ("%.1f"):format(row.count ~= 0 and tonumber(row.sum / row.count) or 0)
  return line
end

local function titles(self)
  local line = {}
  for i, spec in ipairs(self.keys) do line[i] = spec.label end
  line[#line + 1] = "count"
  if self.action == "sum" then
    line[#line + 1] = self.value.source == "time" and "sum (ns)" or "sum"
    line[#line + 1] = "average"
  end
  return line
end

local function table_of(self, rows, others)
  local cells = { titles(self) }
  for _, row in ipairs(rows) do
    local line = {}
    for i, spec in ipairs(self.keys) do line[i] = key_text(spec, row.key[i]) end
    cells[#cells + 1] = numbers_of(self, row, line)
  end
  if others.count ~= 0 then
    local line = {}
    for i in ipairs(self.keys) do line[i] = i == 1 and OTHERS or "" end
    cells[#cells + 1] = numbers_of(self, others, line)
  end
  return lay_out(cells, #self.keys)
end

-- The whole aggregation, without a newline at the end.
function show.text(self, rows, others)
  if not rows[1] and others.count == 0 then return "(nothing was counted)" end
  local lines
  if self.action == "hist" then
    lines = histograms(self, rows, others)
  elseif #self.keys == 0 and self.action == "count" then
    return number_text(rows[1].count)
  else
    lines = table_of(self, rows, others)
  end
  return table.concat(lines, "\n")
end

return show
