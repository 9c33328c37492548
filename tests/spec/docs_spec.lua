-- Every example in the documentation runs and does what the text says. A comment in front of a
-- block of code says how; it does not show when the page is rendered:
--
--   <!-- run: luatrace example.lua -- true
--        expect: exited with 0
--        exit: 0 -->
--
-- The command is one for sh, run in an empty directory with luatrace in PATH; it goes on after a
-- line that ends with a backslash. A block marked as lua is there as example.lua. Without a
-- command, the block itself (marked as sh) is what is run. "expect" is a Lua pattern that the
-- output must contain, standard error included; there may be several. "exit" is the exit code, 0
-- if it is left out. A block that cannot run here is preceded by <!-- not run: reason -->. A block
-- marked as lua needs one or the other.

local lfs = require "lfs"
local T = require "support"

local function pages()
  local list = { "README.md" }
  for name in lfs.dir(T.source .. "/docs") do
    if name:find("%.md$") then list[#list + 1] = "docs/" .. name end
  end
  table.sort(list)
  return list
end

-- What a comment asks for; nil if it is about something else.
local function parse_comment(comment)
  if comment:find("^%s*not run: ") then return { skipped = true } end
  comment = comment:gsub("%s*\\\n%s*", " ")
  local command = (comment .. "\n"):match("^%s*run:[ \t]*([^\n]-)[ \t]*\n")
  if not command then return nil end
  local example = { command = command, expect = {}, exit = 0 }
  for key, value in comment:gmatch("\n%s*(%l+):%s*([^\n]-)%s*%f[\n\0]") do
    if key == "expect" then table.insert(example.expect, value) end
    if key == "exit" then example.exit = tonumber(value) end
  end
  return example
end

-- The blocks of a page in order: { line, language, code, example or nil }.
local function blocks(text)
  local list, comment, block, number = {}, nil, nil, 0
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local fence = line:match("^```(%a*)")
    if block and fence then
      list[#list + 1], block, comment = block, nil, nil
    elseif block then
      block.code = block.code .. line .. "\n"
    elseif fence then
      block = { line = number, language = fence, code = "", example = nil }
      block.example = comment and parse_comment(comment:match("^<!%-%-(.*)%-%->"))
    elseif comment and not comment:find("%-%->") then
      comment = comment .. "\n" .. line
    elseif line:find("^<!%-%-") then
      comment = line
    elseif line ~= "" then
      comment = nil
    end
  end
  return list
end

local function try(block)
  local directory = T.temp()
  lfs.mkdir(directory)
  if block.language == "lua" then
    local file = assert(io.open(directory .. "/example.lua", "w"))
    file:write(block.code)
    file:close()
  end
  local command = block.example.command ~= "" and block.example.command or block.code
  local result = T.run("{ " .. command .. "\n} 2>&1",
    { cwd = directory, timeout = 30, env = { PATH = T.build .. ":" .. os.getenv("PATH") } })
  T.ok(T.sound(result), block.example.exit)
  for _, pattern in ipairs(block.example.expect) do
    if not result.out:find(pattern) then
      error(("%s: no %q in the output:\n%s"):format(command, pattern, result.out))
    end
  end
end

for _, page in ipairs(pages()) do
  local text = T.read(T.source .. "/" .. page)
  describe(page, function()
    for _, block in ipairs(text and blocks(text) or {}) do
      local name = "line " .. block.line
      if block.language == "lua" then
        it(name .. " says whether it can run", function() assert.is_not_nil(block.example) end)
      end
      if block.example and not block.example.skipped then
        it(name .. " runs", function() try(block) end)
      end
    end
  end)
end

describe("docs/reference.md", function()
  local env = { LUATRACE_SOURCE = T.source }

  it("is what meta.lua says", function()
    T.ok(T.run({ "lua5.4", T.source .. "/tests/lint/reference.lua", "--check" }, { env = env }))
  end)

  it("has all that scripts can use, and nothing else", function()
    T.ok(T.luatrace({ T.source .. "/tests/lint/documented.lua" }, { env = env }))
  end)
end)
