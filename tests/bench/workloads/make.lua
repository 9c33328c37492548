-- make -j2 of a small C project.
local bench = ...

local dir = bench.temporary .. "/luatrace-bench-make." .. tostring({}):match("0x(%x+)")
os.execute("mkdir -p " .. dir)

local files = 24
local objects = {}
for i = 1, files do
  bench.write(("%s/part%d.c"):format(dir, i), ([[
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int part%d(int n) { char b[64]; snprintf(b, sizeof b, "%%d", n); return (int)strlen(b) + rand(); }
]]):format(i))
  objects[i] = ("part%d.o"):format(i)
end
bench.write(dir .. "/main.c", "int main(void) { return 0; }\n")
bench.write(dir .. "/Makefile", ("OBJECTS = main.o %s\nprogram: $(OBJECTS)\n\tcc -o $@ $(OBJECTS)\n"
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
      command = make(bench.build .. "/luatrace -o /dev/null opens ") },
    { id = "opens-all", text = "  without the filter", needs = { "make", "cc" },
      command = make(bench.build .. "/luatrace --no-filter -o /dev/null opens ") },
    { id = "bpf", text = "strace -f --seccomp-bpf, opens", needs = { "make", "cc", "strace" },
      command = make("strace -f --seccomp-bpf -e trace=open,openat -o /dev/null ") },
  },
  targets = { { "exec", "native", most = 1.05 }, { "opens", "native", most = 1.25 } },
  finish = function() os.execute("rm -rf " .. dir) end,
}
