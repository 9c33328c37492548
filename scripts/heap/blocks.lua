-- The blocks of memory that a process has: which there are, who allocated them, and sums.

local blocks = {}

local MOST_FREED = 1000000 -- addresses that are remembered after free()

-- By place of allocation: { frames = texts, live, live_bytes, count, bytes }. `key` is the place.
local function site_of(heap, key, describe)
  local site = heap.sites[key]
  if not site then
    site = { frames = describe(), live = 0, live_bytes = 0, count = 0, bytes = 0 }
    heap.sites[key] = site
  end
  return site
end

local function new(pid, name, attached)
  return { pid = pid, name = name, attached = attached, sites = {}, site_of = {}, size_of = {},
    freed_at = {}, freed = 0, live = 0, live_bytes = 0, peak = 0, peak_bytes = 0, allocations = 0,
    bytes = 0, frees = 0, failed = 0, inherited = 0, inherited_bytes = 0, unknown = 0 }
end
blocks.new = new

-- The heap of a forked child: it has the blocks of its creator, but did not allocate them.
function blocks.copy(heap, pid)
  local copy = new(pid, heap.name, heap.attached)
  copy.inherited, copy.inherited_bytes = heap.live, heap.live_bytes
  local site = { frames = { "its creator" }, live = 0, live_bytes = 0, count = 0, bytes = 0,
    inherited = true }
  for addr, size in pairs(heap.size_of) do
    copy.site_of[addr], copy.size_of[addr] = site, size
  end
  site.live, site.live_bytes = heap.live, heap.live_bytes
  copy.live, copy.live_bytes = heap.live, heap.live_bytes
  copy.peak, copy.peak_bytes = heap.live, heap.live_bytes
  return copy
end

local function put(heap, addr, size, site)
  heap.site_of[addr], heap.size_of[addr] = site, size
  site.live, site.live_bytes = site.live + 1, site.live_bytes + size
  heap.live, heap.live_bytes = heap.live + 1, heap.live_bytes + size
  if heap.live_bytes > heap.peak_bytes then
    heap.peak, heap.peak_bytes = heap.live, heap.live_bytes
  end
  if heap.freed_at[addr] then
    heap.freed_at[addr], heap.freed = nil, heap.freed - 1
  end
end

-- A block was allocated at the place that `key` stands for; describe() gives the texts for it.
function blocks.add(heap, addr, size, key, describe)
  local old = heap.site_of[addr]
  if old then blocks.take(heap, addr) end -- its free was not seen
  local site = site_of(heap, key, describe)
  site.count, site.bytes = site.count + 1, site.bytes + size
  heap.allocations, heap.bytes = heap.allocations + 1, heap.bytes + size
  put(heap, addr, size, site)
end

-- Put back what take() has taken.
function blocks.put_back(heap, addr, size, site) put(heap, addr, size, site) end

-- The block is no more. Returns its size and place; nil if there is none.
function blocks.take(heap, addr)
  local site, size = heap.site_of[addr], heap.size_of[addr]
  if not site then return nil end
  heap.site_of[addr], heap.size_of[addr] = nil, nil
  site.live, site.live_bytes = site.live - 1, site.live_bytes - size
  heap.live, heap.live_bytes = heap.live - 1, heap.live_bytes - size
  return size, site
end

-- The block was freed by the code that `pc` is in.
function blocks.note_free(heap, addr, pc)
  heap.frees = heap.frees + 1
  if heap.freed >= MOST_FREED then heap.freed_at, heap.freed = {}, 0 end
  heap.freed_at[addr], heap.freed = pc, heap.freed + 1
end

-- The places with the most live bytes, at most `most` of them, and how many there are.
function blocks.largest(heap, most)
  local list = {}
  for _, site in pairs(heap.sites) do
    if site.live > 0 then list[#list + 1] = site end
  end
  table.sort(list, function(a, b)
    if a.live_bytes ~= b.live_bytes then return a.live_bytes > b.live_bytes end
    return table.concat(a.frames) < table.concat(b.frames)
  end)
  local count = #list
  for i = count, most + 1, -1 do list[i] = nil end
  return list, count
end

return blocks
