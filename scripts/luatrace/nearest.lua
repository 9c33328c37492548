-- "did you mean …?": the known name that is most like a mistaken one.

-- The number of letters to insert, delete, replace or swap with their neighbour to make b of a.
local function distance(a, b)
  local before, last = nil, {}
  for j = 0, #b do last[j] = j end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
      if before and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, last = last, row
  end
  return last[#b]
end

-- "; did you mean 'strace'?" for the nearest of the list of names, "" if none is near.
return function(mistaken, names)
  local best, least = nil, math.max(1, math.floor(#mistaken / 3)) + 1
  for _, name in ipairs(names) do
    local d = distance(mistaken:lower(), name:lower())
    if d < least then best, least = name, d end
  end
  return best and ("; did you mean '%s'?"):format(best) or ""
end
