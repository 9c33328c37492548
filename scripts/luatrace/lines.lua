-- p:lines(), t:disasm(): the source lines of code, and the code itself.

local core = require "luatrace.core"
local modules = require "luatrace.modules"

-- ---- Lines ---------------------------------------------------------------------------------

-- Where code of the line is: "file.c:120". The file's name may have colons and spaces of its own.
function core.methods.process.lines(p, where)
  local file, line
  if type(where) == "string" then file, line = where:match("^(.+):(%d+)$") end
  if not file then core.raise('p:lines: a line is "file.c:120"') end
  core.check_live(p)
  return core.line_addresses(p, file, math.min(tonumber(line), 0x7fffffff))
end

-- t:where() and p:where() have these fields.
function modules.lines(p, where)
  local line = core.line_at(p, where.addr)
  if not line then return end
  where.file, where.line, where.column = line.file, line.line, line.column
  where.inlined = line.inlined
end

-- ---- Disassembly ---------------------------------------------------------------------------

local Instruction = {}
Instruction.__index = Instruction

-- Operands relative to the instruction pointer do not show their address.
local function target(instruction)
  if not instruction.target then return "" end
  local shown = ("0x%x"):format(instruction.target)
  local name = instruction.name and " <" .. instruction.name .. ">" or ""
  if instruction.text:find(shown .. "$") then return name end
  return "  # " .. shown .. name
end

function Instruction:__tostring()
  local at = self.at and (" <%s>"):format(self.at) or ""
  return ("0x%x%s: %s%s"):format(self.addr, at, self.text, target(self))
end

local Listing = {}

function Listing:__tostring()
  local lines = {}
  for i, instruction in ipairs(self) do lines[i] = tostring(instruction) end
  return table.concat(lines, "\n")
end

local SYNTAXES = { intel = true, att = true }

-- n instructions from an address on (the program counter). Fewer where memory ends.
function core.methods.thread.disasm(t, addr, n, options)
  core.check_live(t)
  local syntax = options and options.syntax or "intel"
  if not SYNTAXES[syntax] then
    core.raise(('t:disasm: syntax is "intel" or "att", not %s'):format(tostring(syntax)))
  end
  local list, message, code = core.disasm(t, addr or t.pc, n or 1, syntax == "att")
  if not list then return nil, message, code end
  for _, instruction in ipairs(list) do setmetatable(instruction, Instruction) end
  return setmetatable(list, Listing)
end
