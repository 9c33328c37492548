-- p:blocks(), p:count(): the code of a module, and how often addresses are reached.

local core = require "luatrace.core"

-- The functions of a module, given by one of its addresses or as p:modules() has it.
function core.methods.process.blocks(p, module)
  core.check_live(p)
  local addr = type(module) == "table" and module.from or module
  if type(addr) ~= "number" then core.raise("p:blocks needs an address or a module") end
  return core.blocks(p, addr)
end

local Counts = {}
Counts.__index = Counts

-- Count at these addresses too; they are the same places as those of the first list, mapped in
-- another process or at another time. Returns how many could be counted, and why others could not.
local function add(counts, p, addrs)
  local done, why = 0, nil
  for i, addr in ipairs(addrs) do
    local ok, message = core.count_add(p, addr, counts.first + i - 1, counts.once)
    if ok then done = done + 1 else why = why or message end
  end
  return done, why
end

function Counts:add(p, addrs)
  core.check_live(p)
  if #addrs ~= self.n then core.raise("counts:add needs as many addresses as the first list") end
  return add(self, p, addrs)
end

-- How often the i-th address was reached.
function Counts:get(i)
  if type(i) ~= "number" or i < 1 or i > self.n then core.raise("there is no such count") end
  return core.counter(self.first + i - 1)
end

-- Count how often these addresses are reached, without calling anybody.
function core.methods.process.count(p, addrs, options)
  core.check_live(p)
  if type(addrs) ~= "table" then core.raise("p:count needs a list of addresses") end
  local first, message, code = core.counters_new(#addrs)
  if not first then return nil, message, code end
  local once = options ~= nil and options.once == true
  local counts = setmetatable({ first = first, n = #addrs, once = once }, Counts)
  counts.done, counts.why = add(counts, p, addrs)
  return counts
end
