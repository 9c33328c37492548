-- chaos: let system calls fail or take long, by name and number or by chance.
--
--   luatrace chaos write:ENOSPC:nth=3 '%network:ECONNRESET:p=0.05' read:delay=0.2 -- ./server
--
-- A rule is CALLS[:ERROR][:delay=SECONDS][:WHEN]. CALLS are names, globs and %classes with commas
-- between. WHEN says which of these calls, counted over all processes: nth=3 the third, nth=3+ from
-- the third on, nth=3-5, every=10 each tenth; p=0.1 says how probable it is for each of those. The
-- seed is printed; with --seed it happens again, as far as the program makes the same calls in the
-- same order.

local opts = args {
  usage = "[-s SEED] [-o FILE] RULE... -- PROGRAM [ARGUMENT...]",
  about = "Make system calls of a program fail or take long.",
  parameters = true,
  { "s", "seed", "SEED", "the seed of an earlier run" },
  { "o", "output", "FILE", "write to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local seed = tonumber(opts.seed or os.time() % 1000000)
if not seed or seed % 1 ~= 0 then luatrace.mistake("a seed is an integer") end
local next_random = luatrace.random(seed)

local function number(rule, word, text)
  return tonumber(text) or luatrace.mistake(("%s: %s is no number"):format(rule, word))
end

-- What a word of a rule does to it; the words with a name in front.
local words = {}
function words.delay(rule, text) rule.delay = number(rule.text, "delay", text) end
function words.p(rule, text) rule.p = number(rule.text, "p", text) end
function words.every(rule, text) rule.every = number(rule.text, "every", text) end
function words.nth(rule, text)
  local from, rest, to = text:match("^(%d+)([%+%-]?)(%d*)$")
  rule.from = number(rule.text, "nth", from)
  rule.to = rest == "+" and math.huge or tonumber(to) or rule.from
end

local function parse(text)
  local rule = { text = text, count = 0, from = 1, to = math.huge, every = 1, p = 1 }
  for word in text:gmatch("[^:]+") do
    local key, value = word:match("^(%l+)=(.*)$")
    if not rule.calls then
      rule.calls = {}
      for name in word:gmatch("[^,]+") do table.insert(rule.calls, name) end
      local ok, problem = pcall(luatrace.syscalls, rule.calls)
      if not ok then luatrace.mistake((problem:gsub("^.-:%d+: ", ""))) end
    elseif words[key] then
      words[key](rule, value)
    elseif luatrace.errno(word) then
      rule.error = word
    else
      luatrace.mistake(("%s: %s is no error, nor delay, nth, every or p"):format(text, word))
    end
  end
  if not (rule.error or rule.delay) then luatrace.mistake(text .. ": neither error nor delay") end
  return rule
end

local function is_due(rule)
  rule.count = rule.count + 1
  local counted = rule.count >= rule.from and rule.count <= rule.to
    and (rule.count - rule.from + 1) % rule.every == 0
  return counted and (rule.p >= 1 or next_random() < rule.p)
end

if not opts[1] then luatrace.mistake("no rule; the program follows a --") end
for _, text in ipairs(opts) do
  local rule = parse(text)
  rule.hook = on_syscall(rule.calls, function(t, call)
    if call.done or not is_due(rule) then return end
    local what = (rule.delay and " " .. rule.delay .. " s late" or "")
      .. (rule.error and " " .. rule.error or "")
    local line = tostring(call):gsub("%) += %?$", "):")
    out:write(("%7d #%d %s%s\n"):format(t.pid, rule.count, line, what))
    if rule.delay then call:delay(rule.delay) end
    if rule.error then call:fail(rule.error) end
  end)
end
out:write("chaos: seed ", seed, "\n")
