-- Real programs give the same output as untraced. Each test is skipped where its program is absent.

local T = dofile((os.getenv("LUATRACE_SOURCE") or ".") .. "/tests/spec/support.lua")

local LEAVE = "on_syscall(function(t, call) call:leave() end) on_signal(function() end)"
local COUNT = "local n = 0 on_syscall(function() n = n + 1 end) on_signal(function() end)"

local function traced(script, command)
  return T.bin .. " -e " .. T.quote(script) .. " -- " .. command
end

-- The same output, errors and code, untraced and under both scripts.
local function same(command, options)
  local plain = T.run(command, options)
  assert.not_equal("", plain.out)
  for _, script in ipairs { COUNT, LEAVE } do
    local result = T.sound(T.run(traced(script, command), options))
    assert.equal(plain.out, result.out)
    assert.equal(plain.err, result.err)
    assert.equal(plain.code, result.code)
  end
end

describe("a real program", function()
  after_each(T.cleanup)

  it("redis-server answers under load", function()
    if not (T.have("redis-server") and T.have("redis-benchmark") and T.have("redis-cli")) then
      return pending("redis is not installed")
    end
    local dir = T.temp()
    os.execute("mkdir " .. dir)
    local socket = dir .. "/socket"
    local server = T.trace([[
      local n = { exit = 0, thread = 0 }
      on_clone(function(t, child) n[child.kind] = (n[child.kind] or 0) + 1 end)
      on_syscall({ "read", "write" }, function(t, call) call:leave() end)
      on_exit(function(p, s) n.exit = n.exit + 1 end)
      on_end(function()
        say("forks", n.fork or n.clone or n.vfork or 0)
        say("threads", n.thread)
      end)
    ]], { "redis-server", "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "" },
      { start = true })
    T.wait_until("the socket", function() return T.exists(socket) end)
    local benchmark = T.ok(T.run({ "redis-benchmark", "-s", socket, "-n", T.scale(5000), "-c", "8",
      "-t", "set,get,incr,lpush,lrange_100", "-q" }, { timeout = 60 }))
    assert.is_truthy(benchmark.out:find("requests per second", 1, true))
    assert.not_matches("[Ee]rror", benchmark.out .. benchmark.err)
    local client = "redis-cli -s " .. socket .. " "
    local keys = T.run(client .. "set answer 42; " .. client .. "get answer; " .. client ..
      "incr counter; " .. client .. "bgsave >/dev/null; sleep 0.5; " .. client ..
      "lastsave | wc -l; " ..
      client .. "eval 'return redis.call(\"get\", \"answer\")' 0")
    assert.equal("OK\n42\n1\n1\n42\n", keys.out)
    T.wait_until("the dump", function() return T.exists(dir .. "/dump.rdb") end)
    T.run(client .. "shutdown nosave")
    local result = T.ok(server:wait())
    assert.is_true(T.counts(result.said).threads > 0)
    assert.is_true(T.counts(result.said).forks > 0)
    os.execute("rm -rf " .. dir)
  end)

  it("make -j2 builds the same objects", function()
    if not (T.have("make") and T.have("gcc")) then
      return pending("make or gcc is not installed")
    end
    local dir = T.temp()
    os.execute("mkdir " .. dir)
    local name = dir:match("[^/]+$")
    for i = 1, 6 do
      T.file(("int f%d(int x) { return x * %d; }\n"):format(i, i), name .. "/f" .. i .. ".c")
    end
    T.file("int f1(int);\nint main(void) { return f1(0); }\n", name .. "/main.c")
    T.file("OBJECTS = main.o f1.o f2.o f3.o f4.o f5.o f6.o\nall: prog\nprog: $(OBJECTS)\n" ..
      "\t$(CC) -o $@ $^\n%.o: %.c\n\t$(CC) -O1 -c -o $@ $<\nclean:\n\trm -f *.o prog\n",
      name .. "/Makefile")
    local build = "make -s -j2 -C " .. dir .. " --no-print-directory"
    local sum = "; cd " .. dir .. "; sha256sum prog *.o; rm -f prog *.o"
    local plain = T.run(build .. sum, { timeout = 60 })
    assert.is_true(#T.lines(plain.out) == 8, plain.out .. plain.err)
    for _, script in ipairs { COUNT, LEAVE } do
      local result = T.sound(T.run(traced(script, build) .. sum, { timeout = 60 }))
      assert.equal(plain.out, result.out)
      assert.equal(plain.err, result.err)
    end
    os.execute("rm -rf " .. dir)
  end)

  it("node", function()
    if not T.have("node") then
      return pending("node is not installed")
    end
    local script = T.file([[
      const { Worker, isMainThread, parentPort } = require("worker_threads");
      const { execFileSync } = require("child_process");
      if (isMainThread) {
        console.log(execFileSync("/bin/echo", ["child"]).toString().trim());
        const worker = new Worker(__filename);
        worker.on("message", (sum) => { console.log("sum", sum); });
        worker.on("exit", () => {
          const read = require("fs").promises.readFile("/etc/hostname", "utf8");
          read.then((text) => console.log(text.length > 0));
        });
      } else {
        let sum = 0;
        for (let i = 0; i < 1e6; i++) sum += i;
        parentPort.postMessage(sum);
      }
    ]], "real.js")
    same("node " .. script, { timeout = 60 })
  end)

  it("hc42 java, whose faults are control flow", function()
    if not T.have("java") then
      return pending("java is not installed")
    end
    if not T.have("javac") then
      same("java -version 2>&1", { timeout = 60 })
      return
    end
    local source = T.file([[
      import java.util.concurrent.*;
      public class Real {
        static class Box { int value; }
        static int read(Box box) { return box.value; }
        public static void main(String[] arguments) throws Exception {
          int caught = 0;
          for (int i = 0; i < 20000; i++) {
            try {
              read(i % 100 == 0 ? null : new Box());
            } catch (NullPointerException e) {
              caught++;
            }
          }
          System.out.println("caught " + caught);
          ExecutorService pool = Executors.newFixedThreadPool(4);
          long sum = 0;
          java.util.List<Future<Long>> results = new java.util.ArrayList<>();
          for (int i = 0; i < 8; i++) {
            final long n = i;
            results.add(pool.submit(() -> { System.gc(); return n * n; }));
          }
          for (Future<Long> result : results) sum += result.get();
          pool.shutdown();
          System.out.println("sum " + sum);
        }
      }
    ]], "Real.java")
    T.ok(T.run({ "javac", "-d", T.dir(), source }, { timeout = 60 }))
    same("java -cp " .. T.dir() .. " Real", { timeout = 90 })
  end)

  it("hc42 go, whose runtime interrupts with SIGURG", function()
    if not T.have("go") then
      return pending("go is not installed")
    end
    local source = T.file([[
      package main
      import ("fmt"; "runtime"; "sync")
      func spin(n int) int { s := 0; for i := 0; i < n; i++ { s += i % 7 }; return s }
      func main() {
        runtime.GOMAXPROCS(4)
        var group sync.WaitGroup
        results := make([]int, 8)
        for i := range results {
          group.Add(1)
          go func(i int) { defer group.Done(); results[i] = spin(30000000); runtime.GC() }(i)
        }
        group.Wait()
        defer func() { fmt.Println(recover() != nil) }()
        fmt.Println(results)
        var nothing *int
        fmt.Println(*nothing)
      }
    ]], "real.go")
    T.ok(T.run({ "go", "build", "-o", T.dir() .. "/real-go", source },
      { timeout = 120, env = { GOCACHE = T.dir() .. "/gocache", GO111MODULE = "off" } }))
    same(T.dir() .. "/real-go", { timeout = 60 })
  end)

  it("python's multiprocessing", function()
    if not T.have("python3") then
      return pending("python3 is not installed")
    end
    local script = T.file([[
import multiprocessing, subprocess, threading
def square(x): return x * x
if __name__ == "__main__":
    with multiprocessing.Pool(3) as pool:
        print(pool.map(square, range(20)))
    print(subprocess.run(["sh", "-c", "exit 3"]).returncode)
    t = threading.Thread(target=lambda: print("thread")); t.start(); t.join()
]], "real.py")
    same("python3 " .. script, { timeout = 60 })
  end)

  it("a pipeline of shell tools", function()
    same("sh -c 'seq 1 2000 | sort -rn | head -n 500 | xz | xz -d | awk \"{ s += \\$1 } END " ..
      "{ print s }\"; yes | head -n 3; cat /nonexistent; exit 3'", { timeout = 60 })
  end)

  it("gdb's program in gdb, which a tracer of its own traces", function()
    if not T.have("strace") then
      return pending("strace is not installed")
    end
    -- hc76: a tracee that traces gets its own children; documented as EPERM for what we trace
    local result = T.sound(T.run(traced("on_end(function() end)",
      "strace -f -o /dev/null true"), { timeout = 20 }))
    assert.is_nil(result.signal)
  end)
end)
