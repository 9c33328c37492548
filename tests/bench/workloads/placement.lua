-- What sharing a processor brings to programs of different kinds, every system call of which stops:
-- each program with --cpu=free, auto and share.
local bench = ...

local scratch = bench.temporary .. "/luatrace-bench-cpu." .. tostring({}):match("0x(%x+)")
local source = {}
for i = 1, 150 do
  source[i] = ("int f%d(int *a, int n) { int s = %d; for (int i = 0; i < n; i++) s += a[i] * %d; "
    .. "return s; }"):format(i, i, i)
end
bench.write(scratch .. ".c", table.concat(source, "\n"))
os.execute(("head -c 6000000 %s/luatrace >%s.data"):format(bench.build, scratch))

local function sh(text) return "sh -c " .. bench.quote(text) end
local gcc = "cc -O2 -c -o /dev/null " .. scratch .. ".c"

-- The most that `auto` is to take of what `free` takes.
local programs = {
  { "one thread", bench.program("calls 8000"), 0.3 },
  { "a pipeline that copies",
    sh("dd if=/dev/zero bs=4k count=2000 2>/dev/null | cat | cat >/dev/null"), 1.05 },
  { "cat | gzip | wc", sh(("cat %s.data | gzip -5 | wc -c"):format(scratch)), 1.05 },
  { "two compilers", sh(("%s & %s & wait"):format(gcc, gcc)), 1.05 },
  { "8 threads that call", bench.program("calls 20000 getppid 8"), 1.05 },
  { "300 forks", sh("i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done"), 1.05 },
  { "2 threads, computing between calls", bench.program("calls 20000 work 2"), 1.05 },
  { "8 threads that compute", bench.program("duet 8 0 200"), 1.05 },
  { "one hot, one computing thread", bench.program("duet 1 20000 300"), 1.05 },
  { "a shell's loop", sh("i=0; while [ $i -lt 2500 ]; do : >/dev/null; i=$((i+1)); done"), 0.3 },
}

local rows, targets = {}, {}
for i, program in ipairs(programs) do
  for _, mode in ipairs { "free", "auto", "share" } do
    rows[#rows + 1] = { id = mode .. i, base = "free" .. i,
      text = mode == "free" and program[1] or "  --cpu=" .. mode,
      command = bench.luatrace("on_syscall(function() end)", "--cpu=" .. mode) .. program[2] }
  end
  targets[i] = { "auto" .. i, "free" .. i, most = program[3] }
end

return {
  title = "every system call traced; --cpu=free, then the others",
  base = "free1",
  rows = rows,
  targets = targets,
  finish = function() os.execute(("rm -f %s.c %s.data"):format(scratch, scratch)) end,
}
