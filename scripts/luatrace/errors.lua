-- What happens when the code of a script fails: the message, and whether tracing goes on.

local core = require "luatrace.core"
local quiet = require "luatrace.quiet"

local errors = {
  go_on = false, -- --on-error=go
  over = false, -- an error or os.exit has ended the run: no handler is entered any more
  verbose = false, -- -v
}

-- An error that says all there is to say: reported without a traceback.
local Plain = {}
Plain.__index = Plain
function Plain:__tostring() return self.message end

function errors.plain(message)
  return setmetatable({ message = message }, Plain)
end

-- Raised (or yielded, see tasks.lua) by os.exit to leave the running code for good.
errors.EXIT = setmetatable({}, { __tostring = function() return "luatrace is exiting" end })

-- Say something on stderr if the user wants to know what is done (-v).
function errors.note(...)
  if errors.verbose then core.warn(string.format(...)) end
end

-- Lines of a traceback that help nobody: what the prelude does between those of the script.
local noise = { "^\tluatrace[%.%w]*:%d", "^\t%(%.%.%.tail calls", "^\t%[C%]: in field 'raise'" }

local function is_noise(line)
  for _, pattern in ipairs(noise) do
    if line:find(pattern) then return true end
  end
end

quiet.when(function() return not errors.over end)

-- The traceback of the script's own code. The prelude's names for functions of the script (a
-- traceback names what the caller called) become words.
local function own_lines(trace)
  local lines = {}
  for line in trace:gmatch("[^\n]+") do
    line = line:gsub(" in local 'chunk'$", " in main chunk"):gsub(" in %w+ 'fn'$", " in a handler")
    if not is_noise(line) then lines[#lines + 1] = line end
  end
  if lines[1] then lines[#lines] = lines[#lines]:gsub(" in function <[^>]*>$", " in a handler") end
  if not lines[2] or (not lines[3] and lines[2]:find("^\t%[C%]")) then return "" end
  return "\n" .. table.concat(lines, "\n")
end

local function text_of(e)
  if type(e) == "string" or type(e) == "number" then return tostring(e) end
  local meta = getmetatable(e)
  if type(meta) == "table" and meta.__tostring then
    local ok, text = pcall(tostring, e)
    if ok then return text end
  end
  return "(error object is a " .. type(e) .. " value)"
end

-- A handler may be ended by the end of its thread without a word; the main chunk may not.
local function gone_text(e, is_main)
  if is_main and e.awaited then
    return ("%sthread %d ended before %s"):format(e.where, e.tid, e.awaited)
  end
  return e.where .. e.message
end

-- The code that ran in the coroutine `co` failed with `e`.
function errors.failed(co, e, is_main)
  if e == errors.EXIT then return end
  local gone = core.is_gone(e)
  if gone and e.quiet and not is_main then return end
  local text = gone and gone_text(e, is_main) or text_of(e)
  text = text:gsub("^luatrace[%.%w]*:%d+: ", "") -- a line of the prelude is nobody's mistake
  local plain = gone or getmetatable(e) == Plain
  core.warn(text .. (plain and "" or own_lines(debug.traceback(co))))
  if is_main or not errors.go_on then
    quiet.disturb()
    errors.over = true
    core.fail()
  end
end

-- nil, "ENOENT: No such file or directory", "ENOENT"
function errors.failure(number, detail)
  local name = core.errno(number) or ("error " .. number)
  return nil, name .. ": " .. (detail or core.errno_text(number)), name
end

return errors
