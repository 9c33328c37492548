-- The names of the functions that a program takes from shared libraries.
--
-- They are read from the program's memory: the symbols that its relocations refer to and that it
-- does not define. So it makes no difference how it calls them (through a procedure linkage table
-- or not) and when they are bound. The memory is the program's to change: all sizes are bounded.

local imports = {}

local MOST_HEADERS = 256
local MOST_BYTES = 16 * 1024 * 1024 -- of one table
local PT_DYNAMIC, PT_INTERP = 2, 3
local STT_NOTYPE, STT_FUNC, STT_GNU_IFUNC = 0, 2, 10

local function number(bytes, at, size)
  local value = 0
  for i = at + size - 1, at, -1 do value = value * 256 + (bytes:byte(i) or 0) end
  return value
end

-- The sizes of things: { word, header, entries, relocations, symbols, and where their fields are }.
local elf64 = { word = 8, phoff = 0x20, phentsize = 0x36, phnum = 0x38, vaddr = 0x10, memsz = 0x28,
  rela = 24, rel = 16, symbol = 24, info = 4, shndx = 6 }
local elf32 = { word = 4, phoff = 0x1c, phentsize = 0x2a, phnum = 0x2c, vaddr = 0x8, memsz = 0x14,
  rela = 12, rel = 8, symbol = 16, info = 12, shndx = 14 }

local function whole(t, addr, size)
  if size <= 0 or size > MOST_BYTES then return "" end
  return t.mem:read(addr, size) or ""
end

-- The program headers: where the dynamic section is, and whether a loader is wanted.
local function read_headers(t, module)
  local head = t.mem:read(module.from, 64)
  if not head or #head < 64 or head:sub(1, 4) ~= "\127ELF" then return nil end
  local elf = head:byte(5) == 2 and elf64 or elf32
  local size, count = number(head, elf.phentsize + 1, 2), number(head, elf.phnum + 1, 2)
  if size < 0x20 or count > MOST_HEADERS then return nil end
  local offset = number(head, elf.phoff + 1, elf.word)
  local headers = whole(t, module.from + offset, size * count)
  local found = { elf = elf }
  for at = 1, #headers - size + 1, size do
    local kind = number(headers, at, 4)
    if kind == PT_INTERP then found.dynamic = true end
    if kind == PT_DYNAMIC then
      found.addr = module.bias + number(headers, at + elf.vaddr, elf.word)
      found.size = number(headers, at + elf.memsz, elf.word)
    end
  end
  return found
end

local STRTAB, SYMTAB, RELA, RELASZ, STRSZ, REL, RELSZ, PLTREL, PLTRELSZ, JMPREL =
  5, 6, 7, 8, 10, 17, 18, 20, 2, 23

local function read_dynamic(t, module, headers)
  local word, values = headers.elf.word, {}
  local bytes = whole(t, headers.addr, headers.size)
  for at = 1, #bytes - 2 * word + 1, 2 * word do
    local tag = number(bytes, at, word)
    if tag == 0 then break end
    values[tag] = number(bytes, at + word, word)
  end
  -- The loader makes addresses of these offsets when it runs.
  for _, tag in ipairs { STRTAB, SYMTAB, RELA, REL, JMPREL } do
    local value = values[tag]
    if value and (value < module.from or value >= module.to) then
      values[tag] = value + module.bias
    end
  end
  return values
end

-- Add the numbers of the symbols that a table of relocations refers to; returns the highest.
local function add_symbols(t, elf, addr, size, entry, wanted, highest)
  local bytes = whole(t, addr, size)
  for at = 1, #bytes - entry + 1, entry do
    local index = elf.word == 8 and number(bytes, at + 12, 4) or number(bytes, at + 5, 3)
    if index > 0 then
      wanted[index] = true
      highest = math.max(highest, index)
    end
  end
  return highest
end

local function symbols_of(t, elf, values)
  local wanted, highest = {}, 0
  local entry = values[PLTREL] == REL and elf.rel or elf.rela
  if values[JMPREL] then
    highest = add_symbols(t, elf, values[JMPREL], values[PLTRELSZ] or 0, entry, wanted, highest)
  end
  if values[RELA] then
    highest = add_symbols(t, elf, values[RELA], values[RELASZ] or 0, elf.rela, wanted, highest)
  end
  if values[REL] then
    highest = add_symbols(t, elf, values[REL], values[RELSZ] or 0, elf.rel, wanted, highest)
  end
  return wanted, highest
end

local function is_function(info)
  local kind = info % 16
  return kind == STT_NOTYPE or kind == STT_FUNC or kind == STT_GNU_IFUNC
end

-- The names that `module` imports, sorted; nil if it is no dynamic program or cannot be read. `t`
-- is a stopped thread.
function imports.of(t, module)
  local headers = read_headers(t, module)
  if not headers or not headers.dynamic or not headers.addr then return nil end
  local elf, values = headers.elf, read_dynamic(t, module, headers)
  if not values[SYMTAB] or not values[STRTAB] then return nil end
  local wanted, highest = symbols_of(t, elf, values)
  local table_bytes = whole(t, values[SYMTAB], (highest + 1) * elf.symbol)
  local strings = whole(t, values[STRTAB], values[STRSZ] or 0)
  local names = {}
  for index in pairs(wanted) do
    local at = index * elf.symbol + 1
    local defined = number(table_bytes, at + elf.shndx, 2) ~= 0
    local name = strings:match("^[%w_%.$]+", number(table_bytes, at, 4) + 1)
    if name and not defined and is_function(table_bytes:byte(at + elf.info) or 1) then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

-- The module that is the program itself.
function imports.program(p)
  local exe = p.exe
  for _, module in ipairs(p:modules() or {}) do
    if module.path == exe then return module end
  end
end

return imports
