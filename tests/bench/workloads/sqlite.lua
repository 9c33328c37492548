-- Counting every call of a database that inserts 100,000 rows, 20 to a transaction.
local bench = ...

local dir = bench.temporary .. "/luatrace-bench-sqlite." .. tostring({}):match("0x(%x+)")
os.execute("mkdir -p " .. dir)
local lines = { "pragma synchronous = off;", "create table rows (id integer, text);" }
for i = 1, 100000 do
  if i % 20 == 1 then lines[#lines + 1] = "begin;" end
  lines[#lines + 1] = ("insert into rows values (%d, 'row number %d');"):format(i, i)
  if i % 20 == 0 then lines[#lines + 1] = "commit;" end
end
bench.write(dir .. "/insert.sql", table.concat(lines, "\n"))

local function insert(prefix)
  local line = ("rm -f %s/db; exec %s sqlite3 %s/db < %s/insert.sql"):format(dir, prefix, dir, dir)
  return "sh -c " .. bench.quote(line)
end

return {
  title = "sqlite3 inserting 100,000 rows, every call counted",
  base = "native",
  rows = {
    { id = "native", text = "untraced", command = insert(""), needs = { "sqlite3" } },
    { id = "ours", text = "luatrace count", needs = { "sqlite3" },
      command = insert(bench.build .. "/luatrace count -o /dev/null ") },
    { id = "strace", text = "strace -c", needs = { "sqlite3", "strace" },
      command = insert("strace -c -f -o /dev/null ") },
    { id = "perf", text = "perf trace -s", needs = { "sqlite3", "perf" },
      command = insert("perf trace -s -o /dev/null ") },
  },
  targets = { { "ours", "strace", most = 1 }, { "ours", "perf", most = 1 } },
  finish = function() os.execute("rm -rf " .. dir) end,
}
