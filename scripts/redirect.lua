-- redirect: let a program find other files than the ones that it asks for.
--
--   luatrace redirect /etc/passwd=fake.txt '/usr/share/*=/tmp/share/*' -- id
--
-- A rule is FROM=TO. A * in FROM stands for any text, slashes included; each * in TO for what it
-- stood for. What the program names is compared after ".." and the links in its directories have
-- been followed, and as it wrote it. The first rule that fits is used, once. Every call that takes
-- a path is redirected, execve included; addresses of Unix sockets are not.

local opts = args {
  usage = "[-v] [-o FILE] FROM=TO... -- PROGRAM [ARGUMENT...]",
  about = "Run a program with other files in the place of some.",
  parameters = true,
  { "v", "verbose", nil, "say what is redirected" },
  { "o", "output", "FILE", "write that to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w"))
  or opts.verbose and io.stderr
local here = io.popen("pwd -P"):read("*l")
local rules = {}

local function absolute(path)
  if path:sub(1, 1) == "/" then return path end
  return here .. "/" .. path:gsub("^%./", "")
end

for _, rule in ipairs(opts) do
  local from, to = rule:match("^([^=]+)=(.+)$")
  if not from then luatrace.mistake("a rule is FROM=TO, not " .. rule) end
  local pattern = absolute(from):gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", "(.*)")
  rules[#rules + 1] = { pattern = "^" .. pattern .. "$", to = absolute(to) }
end
if not rules[1] then luatrace.mistake("no rule; the program follows a --") end

-- The path that is meant instead, or nil.
local function other(path)
  for _, rule in ipairs(rules) do
    local found = { path:match(rule.pattern) }
    if found[1] then
      local at = 0
      return (rule.to:gsub("%*", function()
        at = at + 1
        return found[at] or ""
      end))
    end
  end
end

on_syscall("%file", function(t, call)
  for _, path in ipairs(call:paths()) do
    local real = t:resolve(path.text, path.dirfd, false)
    local to = path.text and other(path.text) or real and other(real)
    if to then
      if out then
        out:write(("%7d %s: %s -> %s\n"):format(t.pid, call.name, luatrace.escape(path.text), to))
      end
      call.args[path.name] = to
    end
  end
end)
