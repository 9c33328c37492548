-- args{…}: the options of a script, by the rules of getopt(3), and its --help.

local core = require "luatrace.core"
local errors = require "luatrace.errors"
local tasks = require "luatrace.tasks"

local args = {}

-- ---- The declaration -----------------------------------------------------------------------

local function check_option(option)
  local short, long, value, help = option[1], option[2], option[3], option[4]
  if short and (type(short) ~= "string" or not short:find("^%w$")) then
    core.raise("args: an option's letter is one letter or digit, or nil")
  elseif type(long) ~= "string" or not long:find("^%w[%w%-_]*$") then
    core.raise('args: an option is { "o", "output", "FILE", "write to FILE" }')
  end
  return { short = short, long = long, value = value, help = help or "" }
end

-- Each entry is { letter or nil, long name, value or nil, help }.
local function declared(declaration)
  local options = {}
  for _, option in ipairs(declaration) do options[#options + 1] = check_option(option) end
  return options
end

-- ---- Help and mistakes ---------------------------------------------------------------------

local function option_line(option)
  local short = option.short and ("-%s, "):format(option.short) or "    "
  local long = "--" .. option.long .. (option.value and "=" .. option.value or "")
  return ("  %s%-22s %s\n"):format(short, long, option.help)
end

local function help(script, declaration, options)
  local text = { ("Usage: luatrace %s %s\n"):format(script, declaration.usage or "") }
  if declaration.about then text[#text + 1] = declaration.about .. "\n" end
  text[#text + 1] = "\n"
  for _, option in ipairs(options) do text[#text + 1] = option_line(option) end
  text[#text + 1] = option_line { short = "h", long = "help", help = "print this" }
  return table.concat(text)
end

local function mistake(script, message)
  error(errors.plain(("%s: %s; try 'luatrace %s --help'"):format(script, message, script)), 0)
end

-- ---- Reading -------------------------------------------------------------------------------

local Reader = {}
Reader.__index = Reader

function Reader:find(key, name)
  for _, option in ipairs(self.options) do
    if option[key] == name then return option end
  end
  if name == "help" or name == "h" then return { long = "help" } end
  mistake(self.script, "unknown option " .. (key == "long" and "--" or "-") .. name)
end

function Reader:set(option, value, shown)
  if option.value and value == nil then
    self.at = self.at + 1
    value = self.words[self.at]
    if value == nil then mistake(self.script, shown .. " needs a value: " .. option.value) end
  end
  self.opts[option.long] = value == nil or value
end

function Reader:read_long(word)
  local name, value = word:match("^%-%-([^=]+)=(.*)$")
  local option = self:find("long", name or word:sub(3))
  if value and not option.value then
    mistake(self.script, "--" .. option.long .. " takes no value")
  end
  self:set(option, value, "--" .. option.long)
end

function Reader:read_short(word)
  local at = 2
  while at <= #word do
    local letter = word:sub(at, at)
    local option = self:find("short", letter)
    at = at + 1
    if option.value and at <= #word then
      self:set(option, word:sub(at), "-" .. letter)
      return
    end
    self:set(option, nil, "-" .. letter)
  end
end

-- Read options up to the first word that is none; returns the words that are left.
function Reader:read()
  while self.at <= #self.words do
    local word = self.words[self.at]
    if word == "--" or word == "-" or word:sub(1, 1) ~= "-" then break end
    if word:sub(1, 2) == "--" then self:read_long(word) else self:read_short(word) end
    self.at = self.at + 1
  end
  local rest = {}
  for i = self.at, #self.words do rest[#rest + 1] = self.words[i] end
  return rest
end

-- Words before a "--", for a script that declared parameters; without a "--", all of them.
local function take_parameters(opts, words)
  for i, word in ipairs(words) do
    if word == "--" then
      local rest = {}
      for k = i, #words do rest[#rest + 1] = words[k] end
      return rest
    end
    opts[i] = word
  end
  return {}
end

-- Read the options of `script` from the front of `words`. Returns them by their long names, and the
-- words that are left: the program. A declaration with `parameters` takes the words before the "--"
-- too, as opts[1], opts[2], and so on.
function args.read(script, words, declaration)
  if type(declaration) ~= "table" then core.raise("args needs a table of options") end
  local options = declared(declaration)
  local reader = setmetatable(
    { script = script, words = words, options = options, opts = {}, at = 1 }, Reader)
  local rest = reader:read()
  if reader.opts.help then
    io.stdout:write(help(script, declaration, options))
    core.stop(0)
    errors.over = true
    tasks.exit()
  end
  if declaration.parameters then rest = take_parameters(reader.opts, rest) end
  return reader.opts, rest
end

return args
