-- watch: who writes this variable?
--
--   luatrace watch counter -- ./prog
--   luatrace watch -r libfoo.so:state -- ./prog      reads as well
--   luatrace watch -c counter -- ./prog              only the summary
--
-- A line for each write: the thread, the function and line, the old and the new value. At the end,
-- how often each place has written.

local opts = args {
  usage = "[-r] [-c] [-s] [-x] [-S BYTES] NAME [NAME...] -- program [args]",
  about = "Print who writes a variable, and what.",
  parameters = true,
  { "r", "reads", nil, "reads as well" },
  { "c", "count", nil, "only the summary" },
  { "s", "signed", nil, "the values are signed numbers" },
  { "x", "hex", nil, "print the values in hexadecimal" },
  { "S", "size", "BYTES", "watch so many bytes (default: the size of the variable)" },
  { nil, "software", nil, "watch by stepping: slow, but for up to 4096 bytes" },
}

if not opts[1] then
  luatrace.mistake("name a variable, then -- and the program")
end

local size = opts.size and tonumber(opts.size)
if opts.size and not size then luatrace.mistake("--size needs a number of bytes") end

local places, order, total = {}, {}, 0

local function last_part(path) return path:match("([^/]+)$") or path end

local function describe(where)
  if not where then return "?" end
  local text = where.name or tostring(where)
  if where.line then text = ("%s %s:%d"):format(text, last_part(where.file or "?"), where.line) end
  return luatrace.escape(text)
end

local function value(number)
  return (opts.hex and "%#x" or "%d"):format(number)
end

local function count(name, place)
  local key = name .. "\0" .. place
  if not places[key] then
    places[key] = { name = name, place = place, count = 0 }
    order[#order + 1] = places[key]
  end
  places[key].count = places[key].count + 1
  total = total + 1
end

for i = 1, #opts do
  local name = opts[i]
  on_watch(name, opts.reads and "rw" or "w",
    { size = size, signed = opts.signed, software = opts.software }, function(t, w)
      local place = describe(w.where)
      count(name, place)
      if opts.count then return end
      local change = w.old == w.new and value(w.new) or value(w.old) .. " -> " .. value(w.new)
      print(("%d %s: %s  %s"):format(t.tid, luatrace.escape(name), change, place))
    end)
end

on_end(function()
  table.sort(order, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.place < b.place
  end)
  if total > 0 then print(("%8s  %s"):format("times", "where")) end
  for _, one in ipairs(order) do
    local of = #opts > 1 and luatrace.escape(one.name) .. ": " or ""
    print(("%8d  %s%s"):format(one.count, of, one.place))
  end
end)
