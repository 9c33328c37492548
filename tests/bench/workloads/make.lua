-- make -j2 of a small C project.
local bench = ...

local dir = bench.temporary .. "/luatrace-bench-make." .. tostring({}):match("0x(%x+)")
os.execute("mkdir -p " .. dir)

-- Each of them some 700 lines, which take the compiler about a quarter of a second.
local files = 12
local objects = {}
for i = 1, files do
  local lines = { "#include <stdio.h>", "#include <stdlib.h>", "#include <string.h>" }
  for j = 1, 100 do
    lines[#lines + 1] = ([[
int part%d_%d(const int *a, int n)
{
  int sum = %d;
  for (int i = 0; i < n; i++)
    sum = a[i] %% 3 ? sum * 7 + a[i] : sum - (int)strlen("text") * i;
  return sum;
}]]):format(i, j, j)
  end
  bench.write(("%s/part%d.c"):format(dir, i), table.concat(lines, "\n") .. "\n")
  objects[i] = ("part%d.o"):format(i)
end
bench.write(dir .. "/main.c", "int main(void) { return 0; }\n")
bench.write(dir .. "/Makefile", ("CFLAGS = -O2\nOBJECTS = main.o %s\n"
  .. "program: $(OBJECTS)\n\tcc -o $@ $(OBJECTS)\n"
  .. "clean:\n\trm -f program $(OBJECTS)\n"):format(table.concat(objects, " ")))

local clean = ("make -s -C %s clean; exec "):format(dir)
local function make(prefix)
  return ("sh -c %s"):format(bench.quote(clean .. prefix .. "make -s -j2 -C " .. dir))
end

return {
  title = ("make -j2 of %d C files"):format(files + 1),
  base = "native",
  rows = {
    { id = "native", text = "untraced", command = make(""), needs = { "make", "cc" } },
    { id = "exec", text = "luatrace, on_exec", needs = { "make", "cc" },
      command = make(bench.luatrace("on_exec(function() end)")) },
    { id = "opens", text = "luatrace opens", needs = { "make", "cc" },
      command = make(bench.build .. "/luatrace opens -o /dev/null ") },
    { id = "opens-all", text = "  without the filter", needs = { "make", "cc" },
      command = make(bench.build .. "/luatrace --no-filter opens -o /dev/null ") },
    { id = "bpf", text = "strace -f --seccomp-bpf, opens", needs = { "make", "cc", "strace" },
      command = make("strace -f --seccomp-bpf -e trace=open,openat -o /dev/null ") },
  },
  targets = { { "exec", "native", most = 1.05 }, { "opens", "native", most = 1.25 } },
  finish = function() os.execute("rm -rf " .. dir) end,
}
