-- Which functions `ltrace` shows: what -e, -x and -l say.

local names = {
  wanted = {}, -- list of names and globs; empty: all
  library = nil, -- only functions of this one
}

-- The words of a list with commas.
local function words(text)
  local list = {}
  for name in (text or ""):gmatch("[^,]+") do list[#list + 1] = name end
  return list
end

-- A function that tells whether a name matches one of the globs.
local function matcher(globs)
  local patterns = {}
  for i, glob in ipairs(globs) do
    patterns[i] = "^" .. glob:gsub("[%%%.%-%+%^%$%(%)]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
      .. "$"
  end
  return function(name)
    for _, pattern in ipairs(patterns) do
      if name:find(pattern) then return true end
    end
    return false
  end
end

-- What the compiler adds to each program.
local function is_of_compiler(name)
  return name == "__libc_start_main" or name == "__cxa_finalize" or name == "__gmon_start__"
    or name:find("^_ITM_") ~= nil
end

-- The values of the options: the names that are wanted, those that are not, and a library.
function names.choose(trace, exclude, library)
  names.wanted, names.is_excluded, names.library = words(trace), matcher(words(exclude)), library
  names.matches = matcher(names.wanted)
end

function names.is_wanted(name)
  if names.is_excluded(name) then return false end
  if names.wanted[1] then return names.matches(name) end
  return not is_of_compiler(name)
end

-- The location of a function.
function names.location(name)
  return names.library and names.library .. ":" .. name or name
end

return names
