-- reference: docs/reference.md from scripts/luatrace/meta.lua.
--
--   lua5.4 tests/lint/reference.lua > docs/reference.md
--   lua5.4 tests/lint/reference.lua --check      is docs/reference.md what this would write?
--
-- The head of meta.lua says what form it has. The language server shows the same lines, so the
-- two cannot disagree.

local root = os.getenv("LUATRACE_SOURCE") or "."

local function read(path)
  local file = assert(io.open(root .. "/" .. path))
  local text = file:read("a")
  file:close()
  return text
end

-- ---- Reading -----------------------------------------------------------------------------------

-- The type at the start of an annotation, and what follows it. A type ends at a space outside of
-- brackets that does not follow a colon or a comma.
local function split_type(text)
  local depth = 0
  for at = 1, #text do
    local c = text:sub(at, at)
    if c:find("[({<%[]") then depth = depth + 1 end
    if c:find("[)}>%]]") then depth = depth - 1 end
    if c == " " and depth == 0 and not text:sub(at - 1, at - 1):find("[:,]") then
      return text:sub(1, at - 1), text:sub(at + 1)
    end
  end
  return text, ""
end

local tags = {}

function tags.class(block, rest) block.class = rest end

function tags.field(block, rest)
  local name, more = rest:match("^(%S+)%s+(.*)$")
  local type, text = split_type(more)
  table.insert(block.fields, { name = name, type = type, text = text })
end

function tags.param(block, rest)
  local name, more = rest:match("^(%S+)%s+(.*)$")
  local type, text = split_type(more)
  table.insert(block.params, { name = name, type = type, text = text })
end

tags["return"] = function(block, rest)
  local type, more = split_type(rest)
  local name, text = more:match("^(%S*)%s*(.*)$")
  table.insert(block.returns, { name = name, type = type, text = text })
end

function tags.overload(block, rest)
  local names = {}
  for name in rest:match("^fun(%b())"):gsub("fun%b()", ""):gmatch("([%w_?]+):") do
    names[#names + 1] = name
  end
  table.insert(block.overloads, names)
end

function tags.type(block, rest) block.type = rest end

local aliases = {} -- short for a type; one that is explained has an entry of its own instead

function tags.alias(block, rest)
  local name, type = rest:match("^(%S+)%s+(.*)$")
  if #block.text > 0 then block.class = name else aliases[name] = type end
end

local function new_block()
  return { text = {}, fields = {}, params = {}, returns = {}, overloads = {} }
end

-- Turn the file into a list of headings and declarations.
local function parse(source)
  local items, block = {}, new_block()
  for line in source:gmatch("([^\n]*)\n") do
    local tag, rest = line:match("^%-%-%-@(%w+)%s*(.*)$")
    local comment = line:match("^%-%-%- ?(.*)$")
    local heading, below = line:match("^%-%-# (.*)$"), line:match("^%-%-: ?(.*)$")
    if tag then
      if tags[tag] then tags[tag](block, rest) end
    elseif comment then
      table.insert(block.text, comment)
    elseif heading then
      table.insert(items, { heading = heading, text = {} })
    elseif below then
      table.insert(items[#items].text, below)
    else
      block.name = line:match("^function ([%w_.:]+)%(") or line:match("^([%w_.]+) = nil$")
      block.call = line:match("^function") ~= nil
      if block.name or block.class then table.insert(items, block) end
      block = new_block()
    end
  end
  return items
end

-- ---- Writing -----------------------------------------------------------------------------------

local out = {}

local function put(...)
  for _, line in ipairs { ... } do out[#out + 1] = line end
end

local function put_text(lines)
  for i, line in ipairs(lines) do
    if i == 1 and line ~= "" then put("") end
    put(line)
  end
end

-- "luatrace.Thread" as a reader calls it; the bars of a type must not end a table's cell.
local function type_name(type)
  type = type:gsub("[%w.]+", aliases)
  return "`" .. type:gsub("luatrace%.(%u)", "%1"):gsub("|", " or ") .. "`"
end

local function put_fields(fields)
  put("", "| field | type | |", "|---|---|---|")
  for _, field in ipairs(fields) do
    local name = field.name:gsub("%?$", "")
    put(("| `%s` | %s | %s |"):format(name, type_name(field.type), field.text))
  end
end

-- How a function is written in a script: `receiver` is what stands for the module or the object.
local function shown_name(name, global)
  local short = name:match("^luatrace%.([%w_]+)$")
  if short and global[short] then return short end
  return (name:gsub("^mem:", "t.mem:"))
end

local function names_of(list)
  local names = {}
  for _, each in ipairs(list) do names[#names + 1] = each.name end
  return names
end

-- One line of a function's list. What comes with every failure needs no explanation.
local function put_value(mark, value)
  local explained = value.name == "message" or value.name == "code"
  if explained and value.text == "" then return end
  put(("- %s`%s` %s%s"):format(mark, value.name, type_name(value.type),
    value.text ~= "" and ": " .. value.text or ""))
end

local function put_function(block, name)
  put("", "### " .. name, "", "```")
  local forms = { names_of(block.params), table.unpack(block.overloads) }
  local results = table.concat(names_of(block.returns), ", ")
  for _, params in ipairs(forms) do
    local call = ("%s(%s)"):format(name, table.concat(params, ", "))
    put(results ~= "" and call .. " -> " .. results or call)
  end
  put("```")
  put_text(block.text)
  if #block.params + #block.returns > 0 then put("") end
  for _, param in ipairs(block.params) do put_value("", param) end
  for _, result in ipairs(block.returns) do put_value("returns ", result) end
end

local function put_item(item, global)
  if item.heading then
    put("", "## " .. item.heading)
    put_text(item.text)
  elseif item.call then
    put_function(item, shown_name(item.name, global))
  elseif item.name then
    put("", "### " .. item.name)
    put_text(item.text)
    put("", "A " .. type_name(item.type) .. ".")
  else
    local title = item.class:gsub("^luatrace%.", "")
    if #item.text > 0 then put("", "### " .. title) end
    put_text(item.text)
    if #item.fields > 0 and item.fields[1].name:sub(1, 1) ~= "[" then
      put_fields(item.fields)
    end
  end
end

local source = read("scripts/luatrace/meta.lua")
local global = {}
for name in source:gmatch("\n([%w_]+) = luatrace%.[%w_]+") do global[name] = true end

put("# Reference", "",
  "<!-- Written by tests/lint/reference.lua from scripts/luatrace/meta.lua: change that file. -->")
for _, item in ipairs(parse(source)) do
  if item.class ~= "luatrace" then put_item(item, global) end
end
local text = table.concat(out, "\n") .. "\n"

if arg[1] == "--check" then
  if read("docs/reference.md") ~= text then
    io.stderr:write("docs/reference.md is out of date: ",
      "lua5.4 tests/lint/reference.lua > docs/reference.md\n")
    os.exit(1)
  end
else
  io.write(text)
end
