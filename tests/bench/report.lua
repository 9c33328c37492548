-- Printing what was measured: tables for people, JSON for programs.

local report = {}

local function number(value, format)
  return value and (format or "%.2f"):format(value) or ""
end

local function calls_text(calls)
  if not calls then return "" end
  local names, parts = {}, {}
  for name in pairs(calls) do names[#names + 1] = name end
  table.sort(names, function(a, b) return calls[a] > calls[b] end)
  for i = 1, math.min(#names, 3) do
    parts[i] = ("%s %.2f"):format(names[i], calls[names[i]])
  end
  return table.concat(parts, ", ")
end

local columns = "%-36s %9s %9s %9s %9s %8s %7s %8s %7s  %s"

local function base_of(set, row)
  return row.base and set.by_id[row.base] or set.by_id[set.base]
end

-- How many times the row that it is compared with.
function report.ratio(set, row)
  local base = base_of(set, row)
  return row.median and base and base ~= row and base.median and row.median / base.median
end

local function print_row(set, row)
  if not row.median then
    print(("%-36s %s"):format(row.text, row.problem or "failed"))
    return
  end
  local ratio = report.ratio(set, row)
  print(columns:format(row.text, number(row.min, "%.4g"), number(row.median, "%.4g"),
    number(row.max, "%.4g"), set.events and number(row.median / set.events * 1e6) or "",
    number(ratio), number(row.processor), number(row.instructions, "%.0f"),
    row.peak and row.peak > 0 and number(row.peak / 1024, "%.1f") or "", calls_text(row.calls)))
end

function report.table(set)
  print(("\n%s%s"):format(set.title, set.busy and ", another processor busy" or ""))
  print((columns:format("", "min", "median", "max", set.events and "us/event" or "", "x base",
    "CPU s", "instr.", "MiB", "tracer's calls an event"):gsub("%s+$", "")))
  for _, row in ipairs(set.rows) do print_row(set, row) end
  for _, target in ipairs(set.targets or {}) do
    local row, base = set.by_id[target[1]], set.by_id[target[2]]
    local value = row and row.median
    if target[2] then value = value and base.median and value / base.median end
    local words = target.least and "at least" or "at most"
    local met = value and (target.least and value >= target.least or
      target.most and value <= target.most)
    print(("  %s%s: %s, target %s %g: %s"):format(row.text,
      base and " / " .. base.text or "", value and ("%.3g"):format(value) or "not measured", words,
      target.least or target.most, not value and "-" or met and "met" or "NOT met"))
  end
end

-- ---- JSON ----------------------------------------------------------------------------------

local function encode(value)
  if type(value) == "number" then
    return math.type(value) == "integer" and tostring(value) or ("%.9g"):format(value)
  elseif type(value) ~= "table" then
    return type(value) == "string" and '"' .. value:gsub('[%c"\\]', function(c)
      return ("\\u%04x"):format(c:byte())
    end) .. '"' or tostring(value)
  end
  local parts = {}
  if #value > 0 or not next(value) then
    for i, one in ipairs(value) do parts[i] = encode(one) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = encode(key) .. ":" .. encode(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local kept = { "id", "text", "min", "median", "max", "processor", "instructions", "calls", "peak",
  "problem", "samples" }

function report.json(sets)
  local list = {}
  for i, set in ipairs(sets) do
    local out = { name = set.name, title = set.title, events = set.events, unit = set.unit or "s",
      busy = set.busy or false, rows = {} }
    for j, row in ipairs(set.rows) do
      local one = { ratio = report.ratio(set, row) or nil }
      for _, key in ipairs(kept) do one[key] = row[key] end
      out.rows[j] = one
    end
    list[i] = out
  end
  print(encode(list))
end

return report
