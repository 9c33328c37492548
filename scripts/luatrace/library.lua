-- What differs in Lua's own library while luatrace runs.

local core = require "luatrace.core"
local errors = require "luatrace.errors"
local tasks = require "luatrace.tasks"

local library = {}

local output -- the file of -o

-- os.exit ends tracing in order, with this exit code, and does not return.
local function exit(code)
  if code == nil or code == true then code = 0 end
  if code == false then code = 1 end
  if type(code) ~= "number" then core.raise("os.exit needs a number or a boolean") end
  errors.over = true
  core.stop(code % 256)
  tasks.exit()
end

-- Everything that is written without saying where goes to the file.
local function print_to_output(...)
  local texts = { ... }
  for i = 1, select("#", ...) do texts[i] = tostring(texts[i]) end
  io.output():write(table.concat(texts, "\t"), "\n")
end

function library.install()
  tasks.install()
  os.exit = exit
  io.popen = core.popen
end

function library.set_output(path)
  local file, message = io.open(path, "w")
  if not file then error(errors.plain("cannot write to " .. message), 0) end
  file:setvbuf("full")
  output = file
  io.output(file)
  _G.print = print_to_output
end

-- The end: whether all that was written has arrived.
function library.close_output()
  if not output or io.type(output) ~= "file" then return end
  local failed = core.has_failed(output)
  local ok, message = output:close()
  if failed or not ok then
    core.warn("the output file: " .. (message or "some of it could not be written"))
    core.fail()
  end
end

return library
