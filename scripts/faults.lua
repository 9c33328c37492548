-- faults: does a program notice when a system call fails? It is run once for each call and error.
--
--   luatrace faults -- sh -c 'sort input > output'
--
-- The first run counts the calls that can fail, process by process. Then each of them fails in a
-- run of its own, with each plausible error. Reported are crashes, hangs, and errors that were
-- swallowed: the program exited as ever and wrote the same (to standard output and standard error;
-- files are not compared). The runs are real: what the program does to files is done each time. Its
-- standard input is empty.

local errors = require "faults.errors"
local runs = require "faults.runs"
local opts = args {
  usage = "[-al] [-e CALLS] [-m N] [-n RUNS] [-s SEED] [-t SECONDS] [-o FILE] [--] PROGRAM...",
  about = "Run a program with each of its system calls failing once.",
  { "a", "all", nil, "report the errors that it noticed, too" },
  { "e", "trace", "CALLS", "only these: names, globs and %classes with commas between" },
  { "l", "libraries", nil, "let calls fail that concern the system's libraries and locales" },
  { "m", "most", "N", "of each call of each process only the first N (10)" },
  { "n", "runs", "RUNS", "only so many, chosen at random" },
  { "s", "seed", "SEED", "choose those of an earlier run" },
  { "t", "timeout", "SECONDS", "a run that takes longer hangs (10)" },
  { "o", "output", "FILE", "write to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w")) or io.stderr
local seed, most = tonumber(opts.seed or os.time() % 1000000), tonumber(opts.most or 10)
if not opts.program[1] then luatrace.mistake("name a program") end
if not seed or seed % 1 ~= 0 then luatrace.mistake("a seed is an integer") end

local names = {}
for name in (opts.trace or ""):gmatch("[^,]+") do names[#names + 1] = name end

-- ---- The plan ----------------------------------------------------------------------------------

local plan = {}
local seen = {} -- by process and call: how many of them are in the plan
local function add(t, call, who, nth)
  local name, key = call.name, who .. call.name
  if (seen[key] or 0) == most or not opts.libraries and runs.is_system(t, call) then return end
  seen[key] = (seen[key] or 0) + 1
  errors.each(name, function(error, soft)
    plan[#plan + 1] = { name = name, who = who, nth = nth, error = error, soft = soft }
  end)
end

local timeout = tonumber(opts.timeout or 10)
local normal = runs.run(opts.program, timeout, { names = opts.trace and names or true, each = add })
if normal.hung then luatrace.mistake("the program runs longer than the timeout") end

if opts.runs then
  local next_random, chosen = luatrace.random(seed), {}
  for _ = 1, math.min(tonumber(opts.runs) or 0, #plan) do
    chosen[#chosen + 1] = table.remove(plan, next_random(#plan))
  end
  plan = chosen
end
out:write(("faults: %s, %d runs%s\n"):format(tostring(normal.status), #plan,
  opts.runs and ", seed " .. seed or ""))

-- ---- The runs ----------------------------------------------------------------------------------

local counts, bad = {}, { crashed = true, hung = true, swallowed = true, ["wrong output"] = true }
local found = 0

for _, fault in ipairs(plan) do
  local outcome, detail, line = runs.judge(
    runs.run(opts.program, timeout, { fault = fault }), normal)
  counts[outcome] = (counts[outcome] or 0) + 1
  if bad[outcome] then found = found + 1 end
  if bad[outcome] or opts.all then
    out:write(("%-12s %s #%d: %s%s\n"):format(outcome, fault.who, fault.nth, line, detail))
  end
end

local list = {}
for outcome, count in pairs(counts) do list[#list + 1] = count .. " " .. outcome end
table.sort(list, function(a, b) return a:match("%a+") < b:match("%a+") end)
out:write("faults: ", table.concat(list, ", "), "\n")
os.exit(found > 0 and 1 or 0)
