-- luatrace.random(seed): random numbers that are the same everywhere for the same seed.
--
-- The minimal standard generator of Park and Miller: each number is 48271 times the one before,
-- modulo 2^31 - 1. The products stay below 2^53, so every Lua computes the same.

local core = require "luatrace.core"

local FACTOR, MODULUS = 48271, 2147483647

-- Returns a function: next() is a number from 0 up to but not including 1, next(n) an integer from
-- 1 to n.
return function(seed)
  if type(seed) ~= "number" or seed ~= math.floor(seed) then
    core.raise("random needs an integer as its seed")
  end
  local low = seed % 40009 -- its square makes neighbouring seeds differ in every number
  local state = (seed % (MODULUS - 1) + low * low) % (MODULUS - 1) + 1
  local function next(n)
    state = state * FACTOR % MODULUS
    local fraction = (state - 1) / (MODULUS - 1)
    return n and math.floor(fraction * n) + 1 or fraction
  end
  for _ = 1, 4 do next() end
  return next
end
