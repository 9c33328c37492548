-- cover: which lines a program executes, and how often, without compiling it anew.
--
--   luatrace cover -o out.info -- ./prog && genhtml -o html out.info
--
-- The program needs debug information (-g), and counts are those of gcov where it is not optimised
-- (-O0). The file is a tracefile of lcov. What is looked at: the program that is launched, and all
-- programs and libraries with debug information below its directory, in all its processes.

local opts = args {
  usage = "[-1] [-o FILE] [-i GLOBS] [-x GLOBS] [--] PROGRAM [ARGUMENT...]",
  about = "Write which lines of a program are executed, and how often, for genhtml(1).",
  { "o", "output", "FILE", "write to FILE (coverage.info)" },
  { "1", "first", nil, "only whether a line is executed: nearly as fast as untraced" },
  { "i", "include", "GLOBS", "also these programs, libraries and sources; commas between" },
  { "x", "exclude", "GLOBS", "not these programs, libraries and sources" },
}
local labels = require "cover.labels"
local lines = require "cover.lines"
local path = opts.output or "coverage.info"
local out = assert(io.open(path, "w"))

-- ---- What to look at -----------------------------------------------------------------------

-- A pattern for a glob; "*" matches slashes too.
local function pattern_of(glob)
  local pattern = glob:gsub("[%^%$%(%)%%%.%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
  return "^" .. pattern .. "$"
end

local function matcher(globs)
  local patterns = {}
  for glob in (globs or ""):gmatch("[^,]+") do patterns[#patterns + 1] = pattern_of(glob) end
  return function(text)
    for _, pattern in ipairs(patterns) do
      if text:find(pattern) or text:match("[^/]*$"):find(pattern) then return true end
    end
    return false
  end
end

local included, excluded = matcher(opts.include), matcher(opts.exclude)
local program, directory -- of the first process

local function is_below(file, dir)
  return dir ~= nil and file:sub(1, #dir + 1) == dir .. "/"
end

local function wants_module(module)
  if excluded(module.path) or not (module.path == program or is_below(module.path, directory)
      or included(module.path)) then
    return false
  end
  return module.has_debug
end

-- The headers of the system are nobody's own.
local function wants_source(file)
  if file == "" or excluded(file) then return false end
  return included(file) or not is_below(file, "/usr")
end

local function wants_function(fn)
  for _, block in ipairs(fn.blocks) do
    for _, line in ipairs(block.lines) do
      if wants_source(line.file) then return true end
    end
  end
  return false
end

-- ---- Counting ------------------------------------------------------------------------------

local objects = {} -- in order: { functions, offsets, counts }
local by_file = {} -- by number of the file: the same; false: not wanted

-- The functions that count, and the places of their blocks, each once.
local function survey(p, module)
  local all, message = p:blocks(module)
  if not all then
    io.stderr:write("luatrace: cover: ", message, "\n")
    return false
  end
  local object = { functions = {}, offsets = {} }
  local index, seen = {}, {}
  for _, fn in ipairs(all) do
    if not seen[fn.entry] and wants_function(fn) then
      seen[fn.entry] = true
      object.functions[#object.functions + 1] = fn
      for _, block in ipairs(fn.blocks) do
        if not index[block.addr] then
          object.offsets[#object.offsets + 1] = block.addr - module.bias
          index[block.addr] = #object.offsets
        end
        block.index = index[block.addr]
      end
    end
  end
  return object
end

local function addresses(object, bias)
  local list = {}
  for i, offset in ipairs(object.offsets) do list[i] = offset + bias end
  return list
end

local function tell_failed(module, why)
  if why then
    io.stderr:write(("luatrace: cover: some of %s is not counted: %s\n"):format(
      luatrace.escape(module.name), why))
  end
end

on_load(function(p, module)
  if not program then program, directory = p.exe, p.cwd end
  local object = by_file[module.file]
  if object == nil then
    object = wants_module(module) and survey(p, module)
    by_file[module.file] = object
    if not object then return end
    objects[#objects + 1] = object
    object.counts = assert(p:count(addresses(object, module.bias), { once = opts.first }))
    tell_failed(module, object.counts.why)
  elseif object then
    tell_failed(module, select(2, object.counts:add(p, addresses(object, module.bias))))
  end
end)

-- ---- Writing -------------------------------------------------------------------------------

local sources, by_path = {}, {} -- { path, counts by line, functions }

local function source(file)
  local this = by_path[file]
  if not this then
    this = { path = file, counts = {}, functions = {} }
    by_path[file], sources[#sources + 1] = this, this
  end
  return this
end

local function add_line(file, line, count)
  if not wants_source(file) then return end
  local counts = source(file).counts
  local total = (counts[line] or 0) + count
  counts[line] = opts.first and math.min(total, 1) or total
end

local function add_function(fn, counts)
  if fn.line == 0 or not wants_source(fn.file) then return end
  local count = 0
  for i, block in ipairs(fn.blocks) do
    if block.addr == fn.entry then count = counts[i] end
  end
  local functions = source(fn.file).functions
  functions[#functions + 1] = { name = fn.name, line = fn.line, count = count }
end

local function evaluate(object)
  for _, fn in ipairs(object.functions) do
    local counts = {}
    for i, block in ipairs(fn.blocks) do counts[i] = object.counts:get(block.index) end
    if opts.first then lines.mark(fn, counts, add_line) else lines.count(fn, counts, add_line) end
    labels.count(fn, counts, add_line)
    add_function(fn, counts)
  end
end

-- A function may be there more than once: a copy for each object that has it.
local function write_functions(list)
  local totals, names, hit = {}, {}, 0
  table.sort(list, function(a, b)
    if a.line ~= b.line then return a.line < b.line end
    return a.name < b.name
  end)
  for _, fn in ipairs(list) do
    local name = luatrace.escape(fn.name)
    if not totals[name] then
      names[#names + 1] = name
      out:write(("FN:%d,%s\n"):format(fn.line, name))
    end
    totals[name] = (totals[name] or 0) + fn.count
  end
  for _, name in ipairs(names) do
    out:write(("FNDA:%d,%s\n"):format(totals[name], name))
    if totals[name] > 0 then hit = hit + 1 end
  end
  out:write(("FNF:%d\nFNH:%d\n"):format(#names, hit))
end

local function write_source(this)
  local numbers, hit = {}, 0
  for line in pairs(this.counts) do numbers[#numbers + 1] = line end
  table.sort(numbers)
  out:write(("TN:\nSF:%s\n"):format((this.path:gsub("[%c]", "?"))))
  write_functions(this.functions)
  for _, line in ipairs(numbers) do
    out:write(("DA:%d,%d\n"):format(line, this.counts[line]))
    if this.counts[line] > 0 then hit = hit + 1 end
  end
  out:write(("LF:%d\nLH:%d\nend_of_record\n"):format(#numbers, hit))
  return #numbers, hit
end

on_end(function()
  local all, hit = 0, 0
  for _, object in ipairs(objects) do evaluate(object) end
  table.sort(sources, function(a, b) return a.path < b.path end)
  for _, this in ipairs(sources) do
    local own, own_hit = write_source(this)
    all, hit = all + own, hit + own_hit
  end
  assert(out:close())
  if all == 0 then
    io.stderr:write("luatrace: cover: nothing to count: was the program compiled with -g?\n")
  else
    io.stderr:write(("luatrace: cover: %d of %d lines executed (%.1f %%), in %s\n"):format(hit, all,
      100 * hit / all, path))
  end
end)
