-- Single steps, in us a step. Starting the program is not counted for luatrace and gdb, which say
-- themselves how long they took; the bare loop steps from exec on and is divided by its own count.
local bench = ...

local steps = 50000
local loop = bench.program("loop")

local function luatrace(code)
  code = ([[
    local p = spawn { %q, "100000000" }
    local t = p:run_until("work")
    local n, from = %d, luatrace.now()
    %s
    print("took", (luatrace.now() - from) / n * 1e6)
    p:kill()]]):format(loop, steps, code)
  return bench.build .. "/luatrace -e " .. bench.quote(code)
end

local function took(text) return tonumber(text:match("took%s+([%d.e-]+)")) end

local few = steps // 50
local python = ("python import time; a = time.time(); [gdb.execute('stepi', to_string=True) "
  .. "for _ in range(%d)]; print('took', (time.time() - a) / %d * 1e6)"):format(few, few)

local function floor(options)
  return ("sh -c %s"):format(bench.quote(([[
    from=$(date +%%s%%N)
    n=$(%s -t %s %s %d 2>&1 >/dev/null | sed -n 's/ stops//p')
    to=$(date +%%s%%N)
    echo "took $(( (to - from) / n ))"]]):format(bench.program("floor"), options, loop,
    steps // 4)))
end

local function nanoseconds(text) return took(text) and took(text) / 1000 end

return {
  title = ("%d single steps, us a step"):format(steps),
  base = "floor-shared",
  rows = {
    { id = "floor-shared", text = "floor, shared CPU", command = floor("-s"), value = nanoseconds },
    { id = "floor", text = "floor, any CPU", command = floor(""), value = nanoseconds },
    { id = "many", text = "t:step(n)", command = luatrace("t:step(n)"), value = took },
    { id = "one", text = "t:step() n times", command = luatrace("for _ = 1, n do t:step() end"),
      value = took },
    { id = "predicate", text = "run_until(function)", value = took, command = luatrace(
      "local i = 0; t:run_until(function() i = i + 1; return i == n end)") },
    { id = "gdb", text = "gdb's Python, stepi", needs = { "gdb" }, value = took,
      command = ("gdb -q -batch -ex 'break work' -ex run -ex %s --args %s 100000000"):format(
        bench.quote(python), loop) },
  },
  targets = { { "many", "floor-shared", most = 1.2 }, { "predicate", "floor-shared", most = 1.2 } },
}
