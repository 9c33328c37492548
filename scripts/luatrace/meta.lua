---@meta luatrace

-- The whole Lua surface, for the Lua language server: completion, types and documentation in an
-- editor. Never loaded at run time. docs/reference.md is made from this file by
-- tests/lint/reference.lua, which describes the form that it reads:
--
--   a comment that begins with "--#" is a heading, the "--:" lines below it are its text,
--   "---" lines belong to the declaration below them.

--# Values
--:
--: **Numbers.** Addresses, registers and results are 64-bit integers. An unsigned value from 2^63
--: on shows as a negative integer; format it with `"%x"`, compare it with `math.ult`.
--:
--: **Failures.** What can go wrong in normal use returns three values: `nil`, a message for people
--: such as `"ENOENT: No such file or directory"`, and the name of the error such as `"ENOENT"`.
--: Misuse (a wrong type, an unknown name, a thread that is not stopped) raises an error at the
--: line of the script that did it.
--:
--: **Ids.** `tid` and `pid` are as luatrace itself sees them, also for programs in a pid namespace.
--:
--: **Lifetime.** A thread or process that has ended still answers `.tid`, `.pid` and `.alive`;
--: everything else raises `process 12 is gone`. A call or signal that is kept beyond its stop
--: raises `this call is over`.
--:
--: **Names.** Everything in this reference that is written as `luatrace.name` can be had from
--: `require "luatrace"` as well. Inside a script the hooks, `spawn`, `attach`, `run`, `args`,
--: `after`, `every`, `sleep`, `emulate`, `count`, `sum` and `hist` are also global; they are
--: written here without the prefix.

---@class luatrace
local luatrace = {}

---@alias luatrace.Selection string|string[]|true
---@alias luatrace.CallHandler fun(t: luatrace.Thread, call: luatrace.Call)
---@alias luatrace.Iterator fun(): luatrace.Thread|luatrace.Process, string, any
---@alias luatrace.StopHandler fun(t: luatrace.Thread, stop: luatrace.Stop)
---@alias luatrace.WatchHandler fun(t: luatrace.Thread, w: luatrace.Watch)
---@alias luatrace.SignalHandler fun(t: luatrace.Thread, sig: luatrace.Signal)

--# Hooks
--:
--: A hook registers a function, the handler, that is called at each event of a kind. Handlers of
--: the same kind run in the order of registration, and the thread runs on when all of them have
--: returned or wait. A handler is a coroutine: where it waits (`call:leave()`, `t:wait{…}`) only
--: its own thread is waited for, and all others run on.
--:
--: Every hook has a second spelling: a script may define the function instead.
--:
--: <!-- run: luatrace example.lua -- true
--:      expect: exited with 0 -->
--: ```lua
--: function on_exit(p, status)
--:   print(p.pid, status)
--: end
--: ```
--:
--: The definition gets every event of its kind. A later definition in the same script replaces it,
--: and assigning nil removes it. The registering function keeps working beside it, and each
--: script has definitions of its own.

--- What a hook returns.
---@class luatrace.Hook
---@field count integer times that the handler was called
local hook = {}

--- Stop calling the handler. What no other handler wants is not traced any more. Calls of it that
--- wait are not ended.
function hook:remove() end

--- A process has come under control: it was launched (and runs its program already), attached to,
--- or adopted (its parent died before it could name it). Its first thread stands still. Processes
--- made by a traced one are announced by `on_clone` instead.
---
--- Kernel: ptrace(2), `PTRACE_SEIZE`, `PTRACE_EVENT_EXEC` of the launch.
---@param handler fun(p: luatrace.Process)
---@return luatrace.Hook hook
function luatrace.on_start(handler) end

--- A thread is about to make a system call.
---
--- `selection` says which: a name (`"openat"`), a glob (`"*at"`, `"p[rw]*64"`), a class
--- (`"%file"`), or a list of these. Without it, or with true, every call. Names are looked up in
--- the tables of all ABIs, so `"open"` also means the one that a 32-bit program makes. An unknown
--- name, and a glob without a match, is an error that tells the nearest name.
--- `luatrace.syscalls` lists what is selected.
--- The classes are those of strace(1): `%file`, `%desc`, `%memory`, `%process`, `%signal`, `%ipc`,
--- `%network`, `%creds`, `%clock`, `%pure`, `%stat`, `%lstat`, `%fstat`, `%statfs`, `%fstatfs`,
--- `%%stat`, `%%statfs`.
---
--- `predicates` says for which values of arguments: a table from argument name to
--- - a number, a string, or a list of alternatives. Flags and other constants can be given by the
---   names that `tostring(call)` prints, several with `|` between: `"O_WRONLY|O_CREAT"`;
--- - a table of tests, all of which must hold: `has`, `any`, `lacks` for bits (all of these, one of
---   these, none of these; a number, a name or a list), `min` and `max` for numbers, `prefix`,
---   `suffix` and `glob` for strings (one or a list of alternatives; a `*` matches `/` too);
--- - a function that is given the value and returns a boolean. It is part of the handler.
---
--- All must hold. Values are compared as the kernel sees them: bits above an `int` do not count. An
--- argument that none of the selected calls has, and a test that fits none of them, is an error.
---
--- The kernel itself picks the calls of programs that luatrace launches, as far as predicates are
--- about numbers: others do not stop the program (see `--no-filter` in luatrace(1)). Strings and
--- what a filter cannot test are tested before Lua is entered.
---
--- The call has not run when the handler is entered; `call:leave()` lets it run.
---
--- <!-- run: luatrace example.lua -- cat /etc/hostname
---      expect: /etc/hostname%s+%d -->
--- ```lua
--- on_syscall({ "open", "openat" }, { filename = function(s) return s:find("^/etc/") end },
---   function(t, call)
---     local fd, message = call:leave()
---     print(t.pid, call.args.filename, fd or message)
---   end)
--- ```
---
--- Kernel: `PTRACE_EVENT_SECCOMP`, `PTRACE_SYSCALL` and `PTRACE_GET_SYSCALL_INFO` of ptrace(2),
--- seccomp(2). Calls through the vdso and
--- requests in an io_uring do not enter the kernel this way and are not seen.
---@overload fun(handler: luatrace.CallHandler): luatrace.Hook
---@overload fun(selection: luatrace.Selection, handler: luatrace.CallHandler): luatrace.Hook
---@overload fun(predicates: table<string, any>, handler: luatrace.CallHandler): luatrace.Hook
---@overload fun(aggregation: luatrace.Aggregation): luatrace.Aggregation
---@param selection luatrace.Selection names, globs, classes
---@param predicates table<string|integer, any> argument name (or number) to what its value must be
---@param handler luatrace.CallHandler or an aggregation, which is returned then; or a call log
---@return luatrace.Hook hook
function luatrace.on_syscall(selection, predicates, handler) end

--- A thread has made another thread or process. The handler runs before the child reports
--- anything, so what it prepares for the child is there in time. `child.kind` says what it is;
--- `child:ignore()` lets it go untraced. With `--no-follow` the hook is called for threads only.
---
--- <!-- run: luatrace example.lua -- sh -c "true & wait"
---      expect: made %d+ by fork -->
--- ```lua
--- on_clone(function(t, child)
---   print(t.tid, "made " .. child.tid .. " by " .. child.kind)
--- end)
--- ```
---
--- Kernel: `PTRACE_EVENT_FORK`, `_VFORK`, `_CLONE` of ptrace(2). A child made with
--- `CLONE_UNTRACED` is not seen.
---@param handler fun(t: luatrace.Thread, child: luatrace.Thread)
---@return luatrace.Hook hook
function luatrace.on_clone(handler) end

--- A process runs a new program. All its other threads are gone, and `t` is its first thread now.
--- `former_tid` is the id that the thread which called execve(2) had until then; it differs from
--- `t.tid` when that was not the first thread. Not called for the program that luatrace launches:
--- see `on_start`.
---
--- Kernel: `PTRACE_EVENT_EXEC` of ptrace(2).
---@param handler fun(t: luatrace.Thread, former_tid: integer)
---@return luatrace.Hook hook
function luatrace.on_exec(handler) end

--- A signal is about to be delivered to a thread. The handler may suppress or replace it.
--- `SIGKILL` is never seen here: it cannot be intercepted.
---
--- <!-- run: luatrace example.lua -- sh -c "kill -USR1 \$\$; echo survived"
---      expect: survived -->
--- ```lua
--- on_signal("SIGUSR1", function(t, sig)
---   print(t.tid, sig.name, "from", sig.pid)
---   sig:suppress()
--- end)
--- ```
---
--- Kernel: signal-delivery-stop of ptrace(2).
---@overload fun(handler: luatrace.SignalHandler): luatrace.Hook
---@param names string|string[] signal names, `"SIGUSR1"`, `"SIGRT_3"`; without it every signal
---@param handler luatrace.SignalHandler or an aggregation, which is returned then
---@return luatrace.Hook hook
function luatrace.on_signal(names, handler) end

--- A process has ended; called once per process, after the ends of its threads. Only `p.pid` and
--- `p.alive` can be asked any more.
---
--- Kernel: waitpid(2).
---@param handler fun(p: luatrace.Process, status: luatrace.Status)
---@return luatrace.Hook hook
function luatrace.on_exit(handler) end

--- A thread has ended, the first one of a process included. Only `t.tid`, `t.pid` and `t.alive` can
--- be asked any more.
---
--- Kernel: waitpid(2) with `__WALL`.
---@param handler fun(t: luatrace.Thread, status: luatrace.Status)
---@return luatrace.Hook hook
function luatrace.on_thread_exit(handler) end

--- A process has a module more: the program itself when it starts (or is attached to, or runs a
--- new program by execve(2)), its shared objects once the dynamic loader has mapped them, and later
--- what dlopen(3) loads. Called for each module that is new, before its constructors run; a thread
--- of the process stands still for it. Programs that are linked statically have only what they
--- start with.
---
--- Kernel: a breakpoint on the loader's `_dl_debug_state`, and /proc/PID/maps.
---
--- <!-- run: luatrace example.lua -- ls
---      expect: libc%.so -->
--- ```lua
--- on_load(function(p, module)
---   print(p.pid, module.name, ("%#x"):format(module.from))
--- end)
--- ```
---@param handler fun(p: luatrace.Process, module: luatrace.Module)
---@return luatrace.Hook hook
function luatrace.on_load(handler) end

--- A thread is about to run the instruction at a breakpoint. `f` is the function that it is in.
---
--- `where` says where breakpoints are set, in every traced process:
---
--: | where | |
--: |---|---|
--: | `"malloc"`, `"libc:malloc"` | a function, wherever there is one of that name; in one module |
--: | `"ns::f"`, `"ns::f(int)"` | C++ and Rust: all functions of that name, or one |
--: | `"main+0x12"` | so many bytes behind |
--: | `0x4010`, `"*0x4010"` | an address |
--: | `"file.c:120"` | all code of a line; the file by the end of its path |
--: | `"str*"`, `"libc:str*"` | functions by a glob (`*`, `?`, sets such as `[a-z]`) |
--: | `"libfoo.so:*"`, `"file.c:*"` | all functions of a module or source file |
--: | a list of these | |
---
--- A module is named by its file, or by what stands before `.` or `-` in its name. Functions that
--- only their own file knows are meant where no other function has the name.
---
--- What is not found yet is looked up again when the program loads a library, and after exec in the
--- new program. Forked children have the breakpoints of their creators. A function with several
--- implementations (IFUNC: `strlen`, `memcpy`) means the one that is chosen for this processor. At
--- the end, what was never found is named with the nearest name, and what was never reached, too.
---
--- Options: `once`; `count = n`, to be removed after n calls of the handler; `skip = n`, not to be
--- called for the first n hits; `when = function(t, f)`, called first: a hit counts if it returns
--- true; `thread = t` and `process = p`, for these alone; `from = "module"`, for calls from there
--- (`"program"` is the program itself); `enabled = false`; `after_prologue = true`, to stop where
--- the function has set up its frame; `hardware = true`, to use one of the processor's four debug
--- registers, with nothing written to the program.
---
--- Handlers at one address run in the order in which they were registered. Without a handler the
--- breakpoint is for those that are defined: `function on_break(t, f) ... end` is called for every
--- hit of any breakpoint of any script.
---
--- A breakpoint costs one stop a hit, and threads never miss one that another has just passed.
---
--- <!-- run: luatrace example.lua -- ls
---      expect: malloc%(%d+%) = 0x%x+ -->
--- ```lua
--- on_break("malloc", function(t, f)
---   print(("malloc(%d) = %#x"):format(f.args[1], f:leave()))
--- end)
--- ```
---
--- Kernel: an `int3` in the program's memory, `PTRACE_POKEUSER` of ptrace(2).
---@overload fun(where: luatrace.Location, handler?: luatrace.BreakHandler): luatrace.Breakpoint
---@overload fun(handler: luatrace.BreakHandler): luatrace.Hook
---@param where luatrace.Location
---@param options luatrace.BreakOptions
---@param handler? luatrace.BreakHandler or an aggregation, which is returned then
---@return luatrace.Breakpoint breakpoint
function luatrace.on_break(where, options, handler) end

--- A thread calls a function of a library. The same as `on_break`, but for functions that other
--- modules can call: those that a shared object exports, or all that are known outside of their own
--- file in a program that is linked statically. A name or glob without a module means those of all
--- libraries, and not those of the program itself.
---
--- The breakpoints are in the functions themselves, so that calls are seen however they come:
--- through tables that were filled at the start (`-z now`), by dlsym(3), in static programs, and
--- from one library into the other. `from = "program"` leaves the last ones out.
---
--- <!-- run: luatrace example.lua -- ls
---      expect: setlocale%sls -->
--- ```lua
--- on_call("libc:*", { from = "program" }, function(t, f)
---   print(f.name, f.caller.module)
--- end)
--- ```
---@overload fun(where: luatrace.Location, handler: luatrace.BreakHandler): luatrace.Breakpoint
---@param where luatrace.Location functions and globs
---@param options luatrace.BreakOptions
---@param handler luatrace.BreakHandler or an aggregation, which is returned then
---@return luatrace.Breakpoint breakpoint
function luatrace.on_call(where, options, handler) end

---@alias luatrace.Caller table<string, any> see `luatrace.Frame`
---@alias luatrace.BreakOptions table<string, any> see `on_break`
---@alias luatrace.Location string|integer|(string|integer)[]
---@alias luatrace.BreakHandler fun(t: luatrace.Thread, f: luatrace.Frame): any

--- What `on_break` and `on_call` return. tostring() says where and how often.
---@class luatrace.Breakpoint
---@field hits integer times that it was reached and `when` was true
---@field count integer times that the handler was called
---@field addresses integer[] where it is, or was, in any process
local breakpoint = {}

--- Take it out for good. Calls of the handler that wait go on.
function breakpoint:remove() end

--- Take it out until `enable`.
function breakpoint:disable() end

function breakpoint:enable() end

--- A function that a thread has stopped in: at its first instruction, if the breakpoint is there.
---
--- What the thread has is read when a script looks at it. After the thread has run on, `name`,
--- `module`, `addr`, `file` and `line` still answer, and after `f:leave()` the first six arguments;
--- all else raises "this frame is over". tostring() is its name.
---
--- `f.args` can be assigned. Floating point arguments have no number there: see `t.regs.xmm0`. What
--- `f.caller` has is `pc`, and where they are known `name`, `module`, `file` and `line`.
---@class luatrace.Frame
---@field thread luatrace.Thread that runs it
---@field addr integer of the breakpoint
---@field name? string of the function, as in the source
---@field module? string
---@field file? string source file of this instruction
---@field line? integer
---@field args table<integer|string, any> integers and pointers from 1 on; others by name
---@field locals table<string, any> variables by name: see `t:locals`
---@field regs luatrace.Registers those of the thread
---@field caller? luatrace.Caller where it returns to
---@field ret any the result after `f:leave()`; assigned, what the program gets
---@field entry boolean it is at its first instruction
local f = {}

--- Let the function run, and come back when it has returned. Other threads run on meanwhile.
---
--- The result is an integer of the size of a pointer, or what `kind` says: `"int"`, `"uint"`,
--- `"int64"`, `"ptr"`, `"bool"`, `"double"`, `"float"`, `"void"` (true), or `"string"`, what is at
--- the address that it returns (nil for NULL). A struct that is returned in memory comes as its
--- address.
---
--- Nothing on the program's stack is changed. Recursion, threads, signal handlers and coroutines
--- are told apart. Functions that end in a jump to another one return together with that; the one
--- that was called last is told first. Inside a function (a line, an offset) its return address is
--- found by unwinding.
---
--- In Go a goroutine may return on another thread than it was called on: `f.thread` is the one that
--- has returned, and is to be used instead of the handler's `t`. Results are integers in rax.
---
--- <!-- run: printf 'double half(double n) { return n / 2; }\n' >p.c && \
---      printf 'int main(void) { return half(3) > 2; }\n' >>p.c && \
---      gcc p.c -o p && luatrace example.lua ./p
---      expect: half: 1.5 -->
--- ```lua
--- on_break("half", function(t, f) print("half: " .. f:leave("double")) end)
--- ```
---
--- Errors: ECANCELED (it was left without returning: longjmp(3), an exception, exec, the end
--- of its goroutine; told when that shows), ENOENT (where it returns to cannot be found), ENOTSUP
--- (in Go, without symbols).
---@param kind? string
---@return any result
---@return string? message
---@return string? code
function f:leave(kind) end

--- The function is not run: it returns `value` (0 by default, as the type `kind` says) at once.
--- Handlers that come later see the decision: their `f:leave()` returns the value. Only at the
--- first instruction.
---
--- <!-- run: luatrace example.lua -- date -u
---      expect: 1970 -->
--- ```lua
--- on_break("clock_gettime", function(t, f)
---   t.mem:u64(f.args[2], 0)
---   t.mem:u64(f.args[2] + 8, 0)
---   f:skip(0)
--- end)
--- ```
---@param value? integer|number|boolean
---@param kind? string as for `f:leave`
function f:skip(value, kind) end

--- An instruction of the program has written to a variable, or read it, or is about to be run.
---
--- `what` is the name of a variable, looked up in each traced process as soon as it or the library
--- that has it is there (`"lib.so:name"` for one module), or an address. `mode` is `"w"` for writes
--- (those that leave the value as it is count), `"rw"` for reads and writes, `"x"` for the
--- execution of the instruction at the address of a function.
---
--- Options: `size`, the number of bytes (for a name: that of the variable); `signed`, to have the
--- values as signed numbers; `software`, to do without the processor's help: all threads of the
--- process are stepped, and the memory is compared after each instruction. That finds changes
--- (`"w"` only) in up to 4096 bytes, slows the program down thousands of times, and a change is
--- told of the thread whose step ended first.
---
--- All threads are watched, those that are made later too. A forked child watches its own copy of
--- the memory. After exec, names are looked up again and addresses mean nothing any more.
---
--- A processor has four debug registers for this, each for 1, 2, 4 or 8 aligned bytes: a larger or
--- unaligned area takes several. If none is left, a message names the users. What the kernel writes
--- for the program (read(2) into a buffer) is not seen, except by software.
---
--- <!-- not run: the guide has an example that is -->
--- ```lua
--- on_watch("counter", function(t, w)
---   print(w.old, w.new, w.where)
--- end)
--- ```
---
--- Kernel: the debug registers in `struct user`, by `PTRACE_POKEUSER` of ptrace(2).
---@overload fun(handler: luatrace.WatchHandler): luatrace.Hook
---@overload fun(what: string|integer, handler: luatrace.WatchHandler): luatrace.Hook
---@overload fun(what: string|integer, mode: string, handler: luatrace.WatchHandler): luatrace.Hook
---@param what string|integer
---@param mode "w"|"rw"|"x"
---@param options {size: integer?, signed: boolean?, software: boolean?}
---@param handler luatrace.WatchHandler
---@return luatrace.Hook hook
function luatrace.on_watch(what, mode, options, handler) end

--- Every stop and every end, as luatrace understood it, or those of some kinds (see Stops below).
--- Without `kinds` each thread stops at each event that ptrace(2) knows, so it is slow; it is meant
--- for learning and for finding out what happens.
---
--- <!-- run: luatrace example.lua -- true
---      expect: %d+%s+process%-exit -->
--- ```lua
--- on_stop(function(t, stop)
---   print(stop.seq, stop.kind, stop)
--- end)
--- ```
---@overload fun(handler: luatrace.StopHandler): luatrace.Hook
---@param kinds string|string[] such as `"group-stop"`
---@param handler luatrace.StopHandler
---@return luatrace.Hook hook
function luatrace.on_stop(kinds, handler) end

--- Tracing has ended: the last process is gone or was let go, or the script called `os.exit`. The
--- place for summaries.
---@param handler fun()
---@return luatrace.Hook hook
function luatrace.on_end(handler) end

--# Aggregations
--:
--: Where a handler would only count, an aggregation stands in its place: `count`, `sum` or `hist`.
--: It runs in the engine, without entering Lua, and needs the end of a system call only where it
--: looks at the result or the time.
--:
--: <!-- run: luatrace example.lua -- ls /usr
--:      expect: openat%s+%d+
--:      expect: values, average -->
--: ```lua
--: local files = on_syscall("%file", count { by = "name" })
--: local sizes = on_syscall("read", hist("ret"))
--: on_end(function()
--:   print(files)
--:   print(sizes)
--: end)
--: ```
--:
--: `on_syscall`, `on_signal`, `on_break` and `on_call` take one, and return it; the same one can be
--: given to several. What a key or value can be:
--:
--: | key or value | | where |
--: |---|---|---|
--: | `"name"` | of the system call, signal or function; a key | everywhere |
--: | `"ret"` | the result; as a value, of calls that succeed | calls, breakpoints |
--: | `"time"` | nanoseconds until the end, as luatrace sees them | calls, breakpoints |
--: | `"fd"`, `"filename"`, … | an argument by name: a number, or as a key a string | calls |
--: | `1`, `2`, … | an argument by position, as in its register | calls, breakpoints |
--: | `"error"` | the name of the error, `"ok"` where there is none; a key | calls |
--: | `"abi"` | `"x86_64"` or `"i386"`; a key | calls |
--: | `"nr"` | number of the system call or signal | calls, signals |
--: | `"caller"` | name of the function that called; a key | breakpoints |
--: | `"pc"` | the program counter | everywhere |
--: | `"tid"`, `"pid"`, `"comm"` | thread, process, name of the thread (a key) | everywhere |
--:
--: `{ 1, type = "i32" }` is the same as an `i32`: `i8` to `i64`, `u8` to `u64`, and as a key
--: `string`, which is where it points to. Registers of arguments and results that are shorter than
--: 64 bits have junk above. An argument that is called like something else in the table is
--: `{ arg = "pid" }`. Calls that lack an argument that is a key or value are not counted.
--:
--: Conditions of `on_syscall` hold for aggregations too, but for those that are functions.
--: `on_break` takes `when = { [1] = { min = 100 } }`: by the position of an argument a number,
--: `{ min =, max = }`, `{ has = mask }` or a list of these, with `type` if it is not 64 bits long.
--: Its options `process` and `after_prologue` work as well.
--:
--: What looks at `"ret"`, `"time"` or `"error"` is counted at the end of the call or function:
--: those that never come back, such as exit_group(2), are left out. At breakpoints without these,
--: with no keys but registers, and where nothing else wants the stop, luatrace counts by code that
--: it plants in the program where it can, and no thread stops; `stops` and `planted` tell.
--:
--: Counts are exact: no event is lost or sampled, whatever threads and forked children do. A
--: program that makes up millions of keys does not fill the memory: rows are limited, and what has
--: no row counts as "(others)", so that totals stay right.

--- Count events, by up to four keys.
---
--- `by` is a key or a list of keys; without it there is one number. `max`: the most rows (16384, of
--- histograms 4096).
---
--- <!-- run: luatrace example.lua -- sh -c 'kill -USR1 $$' || true
---      expect: SIGUSR1 -->
--- ```lua
--- local signals = on_signal(count { by = { "name", "comm" } })
--- on_end(function()
---   for name, comm, n in signals:pairs() do print(name, comm, n) end
--- end)
--- ```
---@param options? table<string, any> `by`, `max`
---@return luatrace.Aggregation aggregation
function luatrace.count(options) end

--- Add up a value, and count.
---
--- <!-- run: luatrace example.lua -- sh -c "echo hello"
---      expect: 6 bytes in 1 -->
--- ```lua
--- local written = on_syscall("write", { fd = 1 }, sum("ret"))
--- on_end(function() print(("%d bytes in %d calls"):format(written:total())) end)
--- ```
---@param value luatrace.Key
---@param options? table<string, any> `by`, `max`
---@return luatrace.Aggregation aggregation
function luatrace.sum(value, options) end

--- How a value is distributed: how often it was in which range, with its count and sum. Ranges are
--- powers of two, or with `to` and `step` (and `from`, 0) of equal size, at most 1024 of them.
---
--- <!-- run: luatrace example.lua -- ls
---      expect: %[8, 16%)%s+%d+ |@* *| -->
--- ```lua
--- local sizes = on_break("libc:malloc", hist(1, { by = "pid" }))
--- on_end(function() print(sizes) end)
--- ```
---@param value luatrace.Key
---@param options? table<string, any> `by`, `max`, `from`, `to`, `step`
---@return luatrace.Aggregation aggregation
function luatrace.hist(value, options) end

---@alias luatrace.Key string|integer|{ arg: string|integer, type: string? }

--- What `count`, `sum` and `hist` make. It can be read at any time. `tostring` gives a table or
--- bars for people.
---@class luatrace.Aggregation
---@field stops integer addresses at which threads stop to be counted (`on_break`)
---@field planted integer addresses at which they are, or were, counted without a stop
---@field reason? string why not, at the last address where that could not be
local aggregation = {}

--- The count for one key (as many values as it has keys), the sum, or of a histogram the row, nil
--- where there is none.
---@param ... string|integer
---@return integer|luatrace.Row|nil value
function aggregation:get(...) end

--- Iterate over keys and values, the greatest first: `for name, fd, n in a:pairs()`. The value is a
--- count, a sum, or the row of a histogram.
---@param order? "value"|"key"
---@return fun(): ...
function aggregation:pairs(order) end

--- All rows as tables, the greatest first.
---@param order? "value"|"key"
---@return luatrace.Row[]? rows
---@return string? message
---@return string? code
function aggregation:rows(order) end

--- How much there is in all rows, with what has no row: the count, or the sum and the count.
---@return integer total
---@return integer? count of a sum
function aggregation:total() end

--- How much of that has no row of its own.
---@return integer total
---@return integer? count of a sum
function aggregation:others() end

--- Forget what has been counted, and go on.
function aggregation:clear() end

--- Count no longer. What has been counted can still be read.
function aggregation:remove() end

--- What was counted for one key.
---@class luatrace.Row
---@field key table the keys by position and name: `row.key[1]`, `row.key.name`, `row.key.arg1`
---@field count integer
---@field sum integer? of `sum` and `hist`; 64 bits that wrap
---@field average number? the same
---@field buckets luatrace.Bucket[]? of `hist`, from the first to the last that has any

---@class luatrace.Bucket
---@field from integer? the least value; nil: there is no lower bound
---@field to integer? values are less; nil: there is no upper bound
---@field count integer

--# Starting and waiting
--:
--: A script that only registers hooks needs none of these: when its main chunk has run, luatrace
--: launches the program of the command line and hands out events until everything has ended.
--: A straight-line script launches programs itself and waits for what it wants to see.

--- Launch a program and wait until it runs. Its first thread is held until the script waits again.
--- The program dies with luatrace. Named fields of the table:
---
--- - `env`: a table of variables, which replaces the environment
--- - `cwd`: the directory to start in
--- - `stdin`, `stdout`, `stderr`: `"pipe"` for a stream that the script holds (see Streams),
---   `"null"` for /dev/null, or the path of a file; `stderr = "stdout"` sends both the same way
--- - `pty = true`: a terminal for all three; `p.stdin` and `p.stdout` are its other end
--- - `uid`, `gid`: the user and the group to run as; luatrace must be root
---
--- <!-- run: luatrace example.lua
---      expect: exited with 3
---      exit: 3 -->
--- ```lua
--- local p = assert(spawn { "sh", "-c", "exit $CODE", env = { CODE = "3" } })
--- on_exit(print)
--- print(p.pid, p.exe)
--- ```
---
--- Errors: `ENOENT`, `EACCES`, `ENOEXEC` (the program cannot be run), `EPERM` (ptrace is not
--- permitted), `EMFILE`, `EAGAIN`, `ENOMEM`.
---
--- Kernel: fork(2), `PTRACE_SEIZE`, `PTRACE_O_EXITKILL`, execve(2). A program without `/` is
--- looked up in `PATH`.
---@param command table the program and its arguments, and the named fields
---@return luatrace.Process? p
---@return string? message
---@return string? code
function luatrace.spawn(command) end

--- Take control of a running process and all its threads.
---
--- Errors: `ESRCH` (no such process), `EPERM` (the message says why: another tracer, another
--- user, Yama's ptrace_scope, not dumpable), `EINVAL` (luatrace itself or one of its ancestors).
---
--- Kernel: `PTRACE_SEIZE` of ptrace(2). The process is not stopped by a signal, but a system call
--- that it waits in may return `EINTR` once: see signal(7), the calls that are never restarted.
---@param pid integer
---@return luatrace.Process? p
---@return string? message
---@return string? code
function luatrace.attach(pid) end

--- Launch the program of the command line and attach to the processes of `-p`, unless that was done
--- already, and hand out events to the handlers until nothing is traced any more. Done by itself
--- when the main chunk has run.
function luatrace.run() end

--- Which events `events` and `wait` yield. Leave out what is not wanted.
---@class luatrace.Events
---@field syscall? luatrace.Selection system calls, as in `on_syscall`; true for all
---@field signal? luatrace.Selection signals, as in `on_signal`; true for all
---@field clone? boolean new threads and processes
---@field exec? boolean new programs
---@field exit? boolean ends of processes
---@field thread_exit? boolean ends of threads
---@field stop? luatrace.Selection stop records, by kind as in `on_stop`; true for all
---@field timeout? number for `t:wait`: seconds after which it comes back with nil

--- The events of all processes, one by one, as a `for` loop. Each turn gets the thread, the kind
--- (the key of the table above), and what the hook of that kind would be given: a call, a signal,
--- a child, a status, a stop, for `exec` the former tid. For `exit` the first value is the process.
---
--- The thread stands still during the loop's body. Events that come in while the body itself waits
--- are kept, their threads held, for later turns. The loop ends when nothing is traced any more.
--- If nothing is traced yet, what the command line names is started first.
---
--- <!-- run: luatrace example.lua -- sh -c "true; true"
---      expect: 0 -->
--- ```lua
--- for p, kind, status in luatrace.events { exit = true } do
---   print(p.pid, kind, status.code)
--- end
--- ```
---@param events luatrace.Events
---@return luatrace.Iterator iterator
function luatrace.events(events) end

--# Time
--:
--: Timers run beside everything else: no thread is stopped for them, and a handler that waits does
--: not delay them. They do not keep luatrace running when nothing is traced any more.

--- What `after` and `every` return.
---@class luatrace.Timer
---@field count integer times that it has fired
local timer = {}

--- Forget the timer. One that has fired already, or was cancelled, may be cancelled again.
function timer:cancel() end

--- Call the function once, after this time. It may wait, as a handler may.
---
--- <!-- run: luatrace example.lua -- sleep 10
---      exit: 143 -->
--- ```lua
--- on_start(function(p)
---   after(0.1, function() p:threads()[1]:signal("SIGTERM") end)
--- end)
--- ```
---@param seconds number
---@param fn fun(timer: luatrace.Timer)
---@return luatrace.Timer timer
function luatrace.after(seconds, fn) end

--- Call the function again and again, each time after this time. A turn is left out while the one
--- before it still waits for something.
---@param seconds number
---@param fn fun(timer: luatrace.Timer)
---@return luatrace.Timer timer
function luatrace.every(seconds, fn) end

--- Wait. Everything else runs on, the thread of a handler as well unless it is held.
---
--- <!-- run: luatrace example.lua -- sleep 1
---      expect: still there -->
--- ```lua
--- on_start(function(p)
---   sleep(0.2)
---   print(p.alive and "still there" or "gone")
--- end)
--- ```
---@param seconds number
function luatrace.sleep(seconds) end

--# Threads: t
--:
--: The registers and the memory of a thread can be used while it stands still, which it does in
--: every handler and in the body of an event loop. On a running thread that raises `thread 12 is
--: running; only a stopped thread's registers and memory can be used`.

---@class luatrace.Thread
---@field tid integer id of the thread; answers after its end too
---@field pid integer id of its process; answers after its end too
---@field alive boolean whether it is still traced; answers after its end too
---@field process luatrace.Process its process
---@field pc integer program counter; assigning it cancels the restart of an interrupted call
---@field sp integer stack pointer; can be assigned
---@field abi string `"x86_64"` or `"i386"`: what its code is at this stop
---@field kind luatrace.Kind how it came to be
---@field parent integer? tid of its creator, where known
---@field nspid integer? its id as it sees it itself, in its own pid namespace
---@field name string? its name, as /proc/PID/task/TID/comm has it
---@field regs luatrace.Registers its registers
---@field mem luatrace.Memory its memory
---@field data table for the script's own use, empty at first
local t = {}

--- Wait until the next event of this thread that the table asks for. Everything else runs on.
--- Raises a `gone` object when the thread ends first, unless that was asked for.
---
--- <!-- run: luatrace example.lua -- sh -c "exec true"
---      expect: exec -->
--- ```lua
--- on_start(function(p)
---   local kind = p:threads()[1]:wait { exec = true }
---   print(kind)
--- end)
--- ```
---
--- With `timeout = seconds` in the table it waits no longer than that, and returns nil and
--- `"timeout"`.
---
--- <!-- run: luatrace example.lua -- sleep 1
---      expect: timeout -->
--- ```lua
--- on_start(function(p)
---   print(p:threads()[1]:wait { exec = true, timeout = 0.1 })
--- end)
--- ```
---@param events luatrace.Events
---@return string? kind the key of the event
---@return any what what the hook of that kind would be given
function t:wait(events) end

--- Keep the thread stopped when this handler ends or waits for something else, until `t:release`.
--- A thread that is held for ever keeps its program from ending.
---
--- <!-- run: luatrace example.lua -- sh -c "echo one & wait; echo two"
---      expect: one -->
--- ```lua
--- -- The first process that writes waits for half a second, at its first write.
--- on_syscall("write", { fd = 1 }, function(t, call)
---   if t.data.held then return end
---   t.data.held = true
---   t:hold()
---   after(0.5, function() t:release() end)
--- end)
--- ```
function t:hold() end

--- Take `t:hold` back: the thread runs on, unless something else holds it.
---@return boolean held whether it was held
function t:release() end

--- Let the thread make a system call for the script, wherever it stands, and wait for the result.
--- Afterwards the thread is as it was, also when it had been waiting in a call of its own: that is
--- resumed as after a signal. Arguments are integers, or strings, which are placed in the memory
--- of the program while the call runs. Other signals wait meanwhile. Calls that make or replace
--- programs are refused.
---
--- <!-- run: luatrace example.lua -- sh -c "pwd -P"
---      expect: ^/%s -->
--- ```lua
--- on_start(function(p)
---   assert(p:threads()[1]:syscall("chdir", "/"))
--- end)
--- ```
---
--- Errors: those of the call; `ENOSYS` where a filter of the program forbids it.
---
--- Kernel: the instruction is made to run in the thread with `PTRACE_SETREGSET` of ptrace(2).
---@param name string the system call
---@param ... integer|string its arguments
---@return integer|true|nil value
---@return string? message
---@return string? code
function t:syscall(name, ...) end

--- Map memory into the thread's process. Fields:
---
--- - `length`
--- - `prot`: some of the letters `"rwx"`, `"rw"` without it; or an integer, as in mmap(2)
--- - `addr`: the kernel chooses without it; with it nothing else may be mapped there
--- - `flags`: some of the words `"shared,private,fixed,noreplace,anonymous"`, or an integer
--- - `fd`, `offset`: of a file that the program has open
---
--- Errors: those of mmap(2).
---@param map table
---@return integer? addr
---@return string? message
---@return string? code
function t:mmap(map) end

--- Errors: those of munmap(2).
---@param addr integer
---@param length integer
---@return boolean? ok
---@return string? message
---@return string? code
function t:munmap(addr, length) end

--- Map memory for a number of bytes, or for a string, which is written there with a NUL behind it.
--- It stays until `t:free`, or until the process runs another program.
---
--- Errors: `ENOMEM` and others of mmap(2).
---@param what integer|string how many bytes, or the bytes
---@return integer? addr
---@return string? message
---@return string? code
function t:alloc(what) end

--- Give back what `t:alloc` found.
---@param addr integer
---@return boolean? ok
---@return string? message
---@return string? code
function t:free(addr) end

--- Let the thread call a function of the program, wherever it stands, and wait for the result.
--- What happens meanwhile (system calls, signals, crashes) reaches handlers as always. Afterwards
--- the registers are as they were; what the function did to memory stays.
---
--- The function is an address, the name of a symbol, or `"libc.so.6:malloc"`. Arguments are
--- integers, strings (placed in memory), and floats: a number with a fraction, or `{ double = 2 }`.
--- A table at the end says what comes back: `{ returns = "double" }`, `"int"`, `"uint"`, `"int64"`,
--- `"ptr"` (which is what it is without one), `"float"` or `"void"`.
---
--- The function runs in a thread that was in the middle of something else. One that takes a lock
--- which the thread holds waits for ever, as it would in a signal handler.
---
--- <!-- run: luatrace example.lua -- sh -c true
---      expect: 5 -->
--- ```lua
--- on_syscall("exit_group", function(t)
---   print(t:call("libc.so.6:strlen", "hello"))
--- end)
--- ```
---
--- Errors: `ENOENT` (no such symbol); the name of the signal if the function crashed.
---@param fn integer|string
---@param ... any its arguments
---@return integer|number|nil value
---@return string? message
---@return string? code
function t:call(fn, ...) end

--- Run machine code as a function without arguments: it is placed in memory, run by the thread, and
--- taken away. It returns at its end, or where it has a return instruction. What it leaves in `rax`
--- (`eax`) is the result.
---
--- <!-- run: luatrace example.lua -- true
---      expect: 42 -->
--- ```lua
--- on_start(function(p)
---   print(p:threads()[1]:inject("\184\42\0\0\0")) -- mov $42, %eax
--- end)
--- ```
---
--- Errors: those of mmap(2); the name of the signal if the code crashed.
---@param code string
---@return integer? value
---@return string? message
---@return string? code
function t:inject(code) end

--- What is at an address of the program: the symbol and the module that have it. Without an
--- address, where the thread stands (then it must be stopped).
---
--- <!-- run: luatrace example.lua -- true
---      expect: libc%.so -->
--- ```lua
--- on_syscall("exit_group", function(t)
---   print(t:where())
--- end)
--- ```
---@param addr? integer
---@return luatrace.Where where
function t:where(addr) end

--- The instructions from an address on, as the program has them: breakpoints do not show.
--- `tostring` of the list, or of one of its elements, is as gdb prints it:
--- `0x401136 <main+4>: call 0x401030 <puts>`. A byte that begins no instruction is `(bad)`. The
--- list is shorter than `n` where memory ends.
---
--- <!-- run: luatrace example.lua -- true
---      expect: 0x%x+ -->
--- ```lua
--- on_syscall("exit_group", function(t)
---   print(t:disasm(t.pc, 3))
--- end)
--- ```
---
--- Errors: `EFAULT` (no memory there).
---@param addr? integer where to begin; the program counter
---@param n? integer how many; 1, at most 65536
---@param options? { syntax: "intel"|"att" } "intel" if left out
---@return luatrace.Instruction[]? instructions
---@return string? message
---@return string? code
function t:disasm(addr, n, options) end

--- An instruction of `t:disasm`.
---@class luatrace.Instruction
---@field addr integer
---@field size integer bytes
---@field bytes string
---@field text string such as `"mov rax, [rbp-0x8]"`
---@field at? string the symbol that it belongs to, such as `"main+4"`
---@field target? integer where it branches to, or the memory that it names by a fixed address
---@field name? string the symbol of the target
---@field line? integer of the source

--- Where a path leads for this thread: from its root, its directory or the descriptor `dirfd`,
--- through symbolic links and `..`, in its mount namespace. Returns it from the root and without
--- links. The last part need not exist; it is followed if it is a link unless `follow` is false.
---
--- <!-- run: luatrace example.lua -- true
---      expect: ^/proc/%d+/status -->
--- ```lua
--- on_start(function(p)
---   print(p:threads()[1]:resolve("/proc/self/../self/status"))
--- end)
--- ```
---
--- Errors: `ENOENT`, `ENOTDIR`, `ELOOP`, `EACCES`, `ENAMETOOLONG`, `EBADF`. The answer is true for
--- the moment only: the file system can change before the program uses the path.
---@param text string? nil gives `EFAULT`
---@param dirfd? integer a descriptor of the program's; its current directory without one
---@param follow? boolean
---@return string? path
---@return string? message
---@return string? code
function t:resolve(text, dirfd, follow) end

--- Send a signal to this thread, whether it runs or not.
---
--- Errors: `ESRCH`, `EINVAL` (no such signal), `EAGAIN` (the queue is full).
---
--- Kernel: tgkill(2), rt_tgsigqueueinfo(2) with a value.
---@param signal string|integer `"SIGUSR1"` or a number
---@param with? {value: integer} a value for the receiver's `si_value`
---@return boolean? ok
---@return string? message
---@return string? code
function t:signal(signal, with) end

--- Let this thread run on untraced, from its next stop on, as if it had never been traced. For a
--- new child in `on_clone`; to let a whole process go see `p:detach`.
---
--- Errors: `ESRCH`.
---
--- Kernel: `PTRACE_DETACH` of ptrace(2).
---@return boolean? ok
---@return string? message
---@return string? code
function t:ignore() end

--- Run `n` instructions, and wait for that. Everything that happens on the way is reported to its
--- handlers as always, and other threads run on.
---
--- One instruction is what the processor takes for one: an iteration of a `rep` prefix; `mov ss`
--- together with the next. A system call counts with its exit. Where a signal comes, the delivery
--- to its handler counts, and the thread then stands at the first instruction of the handler.
--- Restartable sequences (rseq) are run as one.
---
--- Returns the new program counter. Errors: `ECANCELED` if exec has replaced what was to be
--- reached. Raises for a thread that is running, and, if the thread ends before, an object that
--- says so.
---
--- <!-- run: luatrace example.lua true
---      expect: %x+%s+%x+ -->
--- ```lua
--- on_start(function(p)
---   local t = p:threads()[1]
---   print(("%x %x"):format(t.pc, t:step(3)))
--- end)
--- ```
---
--- Kernel: `PTRACE_SINGLESTEP` of ptrace(2), `PTRACE_SYSCALL` for system calls.
---@param n? integer 1 or more; 1 if left out
---@return integer? pc
---@return string? message
---@return string? code
function t:step(n) end

--- Run `n` lines of the source, and wait for that; where no lines are known, instructions.
--- Functions that are called, and signal handlers, are run at full speed as a part of the line. One
--- that is left by longjmp or an exception is run on from there until something else stops the
--- thread.
---
--- Returns and errors: as `t:step`.
---@param n? integer 1 or more; 1 if left out
---@return integer? pc
---@return string? message
---@return string? code
function t:next(n) end

--- The same, into the functions that are called if their lines are known: to the first line behind
--- their prologue.
---@param n? integer 1 or more; 1 if left out
---@return integer? pc
---@return string? message
---@return string? code
function t:stepline(n) end

--- Run at full speed until the function that the thread is in has returned to its caller.
---
--- Returns and errors: as `t:step`; `ENOENT` if nothing is known of a caller.
---@return integer? pc
---@return string? message
---@return string? code
function t:finish() end

--- Run until the thread comes to a place: a location as for `on_break` or an address; at full
--- speed, by a breakpoint of luatrace's own. A thread that is there already runs to its next
--- arrival. Or step until a function that is called with the thread after each instruction returns
--- true; it cannot wait.
---
--- Options: `limit`, the number of instructions after which to give up (the thread is then stepped
--- all the way); `over`, to run called functions and signal handlers as a part of the call when
--- stepping.
---
--- Returns the new program counter. Errors: `ENOENT`, `E2BIG` (a location of more than eight
--- addresses), `ETIME` (the limit), those of `t:step`.
---
--- <!-- not run: the guide has an example that is -->
--- ```lua
--- on_start(function(p)
---   local t = p:run_until("main")
---   t:run_until("set_counter")
---   print(t:where(), t.regs.edi)
--- end)
--- ```
---@param where string|integer|fun(t: luatrace.Thread): boolean?
---@param options? {limit: integer?, over: boolean?}
---@return integer? pc
---@return string? message
---@return string? code
function t:run_until(where, options) end

--- The functions that the thread is in, the innermost first: through signal handlers, the vdso,
--- optimised code without frame pointers, and libraries without debug information.
---
--- Callers are found by the files' unwind tables (`.eh_frame`, `.debug_frame`). Where there are
--- none, code that keeps frame pointers is followed, and the return address of a function that has
--- just been entered is found. A stack that cannot be told to its end is not an error: it has
--- `incomplete`, and its last frame is where the way was lost.
---
--- Options: `limit`, how many frames at most (256; up to 65536); `lines = false`, no source lines
--- and no inlined calls; `names = false`, addresses alone. Without lines a stack costs
--- microseconds.
---
--- Errors: `ESRCH`. Raises for a thread that is running.
---
--- <!-- run: luatrace example.lua -- sh -c "true"
---      expect: #0 .* in _Exit -->
--- ```lua
--- on_syscall("exit_group", function(t)
---   print(t:backtrace { limit = 5 })
--- end)
--- ```
---@param options? { limit: integer?, lines: boolean?, names: boolean? }
---@return luatrace.Stack? frames
---@return string? message
---@return string? code
function t:backtrace(options) end

--- What `t:backtrace` returns: a list. tostring() gives it a line for each frame.
---@class luatrace.Stack
---@field [integer] luatrace.StackFrame from 1
---@field incomplete string? why the last frame has no caller although it should; nil: it has none

--- A frame of a stack. tostring(): `"main+0x12 at file.c:10 (prog)"`.
---@class luatrace.StackFrame
---@field name string? the function
---@field offset integer? of `pc` in it
---@field module string? name of the file that it is in
---@field file string? the source file
---@field line integer?
---@field pc integer the address at which it goes on
---@field lookup integer an address in the instruction that it is at: before `pc` for a caller
---@field sp integer its stack pointer
---@field inlined boolean? it has no frame of its own: the compiler put it into the next one
---@field signal boolean? what the kernel has a signal handler return to: it interrupted the next
---@field guessed boolean? it was found by the looks of the stack, without unwind tables

--- How a thread came to be traced: `"launched"`, `"attached"`, `"adopted"`; or was made: `"fork"`,
--- `"vfork"`, `"clone"` (a process whose end does not signal `SIGCHLD`), `"thread"`.
---@alias luatrace.Kind "launched"|"attached"|"adopted"|"fork"|"vfork"|"clone"|"thread"

--# Registers: t.regs
--:
--: Read and assigned by name, in lower case: `t.regs.rax`. An unknown name is an error.
--:
--: | names | values |
--: |---|---|
--: | `rax` … `r15`, `rip`, `rflags`, `orig_rax`, `fs_base`, `gs_base` | integers |
--: | `eax` … `r15d`, `eflags`; `ax` … `r15w`; `al`, `ah`, `sil` … `r15b` | parts of these |
--: | `pc`, `sp`, `flags` | the same registers under names that every ABI has |
--: | `cs` `ds` `es` `fs` `gs` `ss` | segments, 16 bits |
--: | `st0` … `st7` | x87, as numbers (a double holds fewer digits than the register) |
--: | `fctrl` `fstat` `ftag` `fop` `fiseg` `fioff` `foseg` `fooff` | x87 control and status |
--: | `xmm0` … `xmm15`, `ymm0` … `ymm15` | byte strings of 16 and 32 bytes, lowest byte first |
--: | `mxcsr` | integer |
--:
--: A 32-bit program has those of the i386 (`eax`, `eip`, `orig_eax`, eight `xmm`). Narrow writes
--: follow the processor: writing a 32-bit part clears the upper half, writing 8 or 16 bits leaves
--: the rest. Registers are read when first looked at and written back when the thread runs on.
--:
--: <!-- run: luatrace example.lua -- true
--:      expect: stack at 7f -->
--: ```lua
--: on_start(function(p)
--:   local regs = p:threads()[1].regs
--:   print(("stack at %x"):format(regs.rsp))
--:   for name, value in pairs(regs) do
--:     if name == "rip" then print(("code at %x"):format(value)) end
--:   end
--: end)
--: ```
--:
--: Kernel: `PTRACE_GETREGSET`, `PTRACE_SETREGSET` with `NT_PRSTATUS` and `NT_X86_XSTATE` of
--: ptrace(2).

---@class luatrace.Registers
---@field [string] integer|number|string

--# Memory: t.mem
--:
--: Addresses are those of the program. Writes reach read-only pages too. A single access is
--: limited to 1 GiB.
--:
--: Kernel: process_vm_readv(2), process_vm_writev(2), /proc/PID/mem (proc_pid_mem(5)), ptrace(2).

---@class luatrace.Memory
local mem = {}

--- Read bytes.
---
--- Errors: `EFAULT` (nothing can be read at `addr`), `ESRCH`, `E2BIG`. Where only a part can be
--- read, that part is returned together with the number of bytes that are missing.
---@param addr integer
---@param n integer bytes
---@return string? bytes
---@return integer|string|nil missing how many could not be read, or the message of the error
---@return string? code
function mem:read(addr, n) end

--- Write bytes. Returns how many were written, which is fewer than asked for when a hole follows.
---
--- Errors: as for `read`.
---@param addr integer
---@param bytes string
---@return integer? n
---@return string? message
---@return string? code
function mem:write(addr, bytes) end

--- Read a string up to its NUL byte, which is not part of the result. `cut` is true where no NUL
--- was found within `max` bytes, or before memory that cannot be read.
---
--- Errors: `EFAULT`, `ESRCH`, `E2BIG`.
---@param addr integer
---@param max? integer most bytes to read, 4096 without it
---@return string? text
---@return boolean|string|nil cut or the message of the error
---@return string? code
function mem:str(addr, max) end

--- Read an unsigned 8-bit integer or, with a second argument, write it and return true. A number
--- that does not fit is an error. The calls below do the same for other types.
---
--- <!-- run: luatrace example.lua -- true
---      expect: 1 argument -->
--- ```lua
--- on_start(function(p)
---   local t = p:threads()[1]
---   print(t.mem:u64(t.sp) .. " argument") -- argc is at the top of the stack
--- end)
--- ```
---
--- Errors: as for `read`; a value that is only partly readable is `EFAULT`.
---@param addr integer
---@param value? integer
---@return integer|true|nil value
---@return string? message
---@return string? code
function mem:u8(addr, value) end

--- Unsigned, 16 bits.
---@param addr integer
---@param value? integer
---@return integer|true|nil value
---@return string? message
---@return string? code
function mem:u16(addr, value) end

--- Unsigned, 32 bits.
---@param addr integer
---@param value? integer
---@return integer|true|nil value
---@return string? message
---@return string? code
function mem:u32(addr, value) end

--- Unsigned, 64 bits; from 2^63 on it shows as a negative integer.
---@param addr integer
---@param value? integer
---@return integer|true|nil value
---@return string? message
---@return string? code
function mem:u64(addr, value) end

--- Signed, 8 bits.
---@param addr integer
---@param value? integer
---@return integer|true|nil value
---@return string? message
---@return string? code
function mem:i8(addr, value) end

--- Signed, 16 bits.
---@param addr integer
---@param value? integer
---@return integer|true|nil value
---@return string? message
---@return string? code
function mem:i16(addr, value) end

--- Signed, 32 bits.
---@param addr integer
---@param value? integer
---@return integer|true|nil value
---@return string? message
---@return string? code
function mem:i32(addr, value) end

--- Signed, 64 bits.
---@param addr integer
---@param value? integer
---@return integer|true|nil value
---@return string? message
---@return string? code
function mem:i64(addr, value) end

--- A float of 32 bits.
---@param addr integer
---@param value? number
---@return number|true|nil value
---@return string? message
---@return string? code
function mem:f32(addr, value) end

--- A float of 64 bits.
---@param addr integer
---@param value? number
---@return number|true|nil value
---@return string? message
---@return string? code
function mem:f64(addr, value) end

--- An address, as wide as the thread's ABI has it.
---@param addr integer
---@param value? integer
---@return integer|true|nil value
---@return string? message
---@return string? code
function mem:ptr(addr, value) end

--- Read `n` values of one type that follow each other. Where only some can be read, these are
--- returned together with the number that is missing.
---
--- Errors: as for `read`.
---@param addr integer
---@param type string `"u8"` … `"f64"` or `"ptr"`
---@param n integer
---@return (integer|number)[]? values
---@return integer|string|nil missing how many could not be read, or the message of the error
---@return string? code
function mem:array(addr, type, n) end

--- Find bytes; the address of the first match, or nil. Without bounds all readable maps are
--- searched.
---@param bytes string
---@param from? integer first address
---@param to? integer address behind the last
---@return integer? addr
---@return string? message
---@return string? code
function mem:search(bytes, from, to) end

--- One line of /proc/PID/maps.
---@class luatrace.Map
---@field from integer first address
---@field to integer address behind the last
---@field perms string such as `"r-xp"`
---@field offset integer in the file
---@field inode integer of the file, 0 without one
---@field path string of the file, or a name such as `"[stack]"`, or `""`

--- The memory map of the process, by address.
---
--- Kernel: proc_pid_maps(5).
---@return luatrace.Map[]? maps
---@return string? message
---@return string? code
function mem:maps() end

--# Processes: p

---@class luatrace.Process
---@field pid integer id of the process; answers after its end too
---@field alive boolean whether it is still traced; answers after its end too
---@field kind luatrace.Kind how it came to be
---@field exe string? path of its program, as /proc/PID/exe has it
---@field cmdline string[] its arguments
---@field cwd string? its directory
---@field name string? its name, as /proc/PID/comm has it
---@field ppid integer id of its parent
---@field stdin luatrace.Stream? to its standard input, after `spawn{…, stdin = "pipe"}`
---@field stdout luatrace.Stream? from its standard output, after `spawn{…, stdout = "pipe"}`
---@field stderr luatrace.Stream? from its standard error, after `spawn{…, stderr = "pipe"}`
---@field vars table<string, any> its global and static variables by name: read and assigned
---@field data table for the script's own use, empty at first
local p = {}

--- Its threads that are traced.
---@return luatrace.Thread[] threads
function p:threads() end

--- Let the process go, each thread at its next stop, as if it had never been traced. Registers and
--- memory that were changed stay as they are.
---
--- Errors: `ESRCH`.
---
--- Kernel: `PTRACE_INTERRUPT`, `PTRACE_DETACH` of ptrace(2).
---@return boolean? ok
---@return string? message
---@return string? code
function p:detach() end

--- Kill the process with `SIGKILL`. Its end is reported as any other.
---
--- Errors: `ESRCH`.
---
--- Kernel: kill(2).
---@return boolean? ok
---@return string? message
---@return string? code
function p:kill() end

--- The memory map of the process: see `t.mem:maps`.
---@return luatrace.Map[]? maps
---@return string? message
---@return string? code
function p:maps() end

--- The events of this process, one by one: see `luatrace.events`.
---
--- <!-- run: luatrace example.lua
---      expect: write -->
--- ```lua
--- local p = spawn { "echo", "hello" }
--- for t, kind, call in p:events { syscall = "write" } do
---   print(t.tid, kind, call)
--- end
--- ```
---@param events luatrace.Events
---@return luatrace.Iterator iterator
function p:events(events) end

--- Stop all other threads of the process, call `fn`, and let them run on, whatever becomes of `fn`.
--- A thread that is in the kernel for longer counts as standing still: it runs none of the
--- program's instructions before `fn` is done. What `fn` returns is returned.
---
--- <!-- run: luatrace example.lua -- true
---      expect: 1 thread -->
--- ```lua
--- on_syscall("exit_group", function(t)
---   t.process:freeze(function()
---     print(#t.process:threads() .. " thread(s) stand still")
---   end)
--- end)
--- ```
---@param fn fun(...): any
---@param ... any what `fn` is given
---@return any ... what `fn` returns
function p:freeze(fn, ...) end

--- The stacks of all threads at one moment: the process is frozen for it (`p:freeze`).
---
--- <!-- run: luatrace example.lua -- sleep 0.2
---      expect: _start -->
--- ```lua
--- on_start(function(p)
---   sleep(0.1)
---   for _, one in ipairs(p:backtraces()) do
---     print(one.thread)
---     print(one.frames or one.message)
---   end
--- end)
--- ```
---@param options? { limit: integer?, lines: boolean?, names: boolean? } as for `t:backtrace`
---@return { thread: luatrace.Thread, frames: luatrace.Stack?, message: string? }[] stacks
function p:backtraces(options) end

--- The address of a function or variable, by its name in the program and the libraries that it has
--- loaded: `"main"`, `"libc.so.6:malloc"`.
---
--- C++ and Rust names may be given as they are in the source, without parameters or with them:
--- `"shop::Cart::add"`, `"shop::Cart::add(int)"`. Exported symbols come before local ones, the
--- program before its libraries. A thread of the process must stand still.
---
--- Errors: `ENOENT`, with the name that was perhaps meant.
---
--- Kernel: the symbol tables of the ELF files in /proc/PID/maps, elf(5).
---@param name string
---@return integer? addr
---@return string? message
---@return string? code
function p:symbol(name) end

--- Something that the process has mapped as code. `tostring(module)` has its name and addresses.
---@class luatrace.Module
---@field name string the last part of its path, such as `"libc.so.6"`, or `"[vdso]"`
---@field path string as in /proc/PID/maps: as the process sees it, maybe with " (deleted)"
---@field from integer first address
---@field to integer address behind the last
---@field bias integer what to add to the addresses in the file to get those of the process
---@field build_id? string hexadecimal digits
---@field file integer a number of the file: modules with the same one are of the same file
---@field bits integer 64 or 32
---@field readable boolean whether the file could be opened
---@field has_debug boolean whether it has DWARF, in its file or in a separate one; read when asked

--- The modules of the process, by address. Its threads may run meanwhile.
---
--- Kernel: proc_pid_maps(5).
---@return luatrace.Module[]? modules
---@return string? message
---@return string? code
function p:modules() end

---@class luatrace.Symbol
---@field name string as it is in the source: C++ and Rust names without parameters
---@field raw string as it is in the object file
---@field addr integer
---@field size integer bytes, 0 if it is not known
---@field module string name of its module
---@field bias integer of that module
---@field kind string `"function"`, `"object"`, `"other"` (without a type: from assembly, or the
--- linker's) or `"plt"` (made up: code that jumps to a function of another module)
---@field indirect boolean `addr` is that of a function which chooses the function (IFUNC)
---@field is_local boolean known in its own object file only

--- The symbols of the process that match: `"str*"` in all modules, or `"libc.so.6:mem*"` in those
--- whose name matches too (`"libc"` is enough). `*`, `?` and `[set]` are as in a shell. What is
--- compared is the name in the object file, and the demangled one without and with its parameters.
--- In the order of modules and addresses; at most 100000, and then `more` is true in the list.
---
--- They come from `.symtab`, `.dynsym`, separate debug files and `.gnu_debugdata`. A module that
--- cannot be read has none, and luatrace says so once.
---
--- <!-- run: luatrace example.lua -- true
---      expect: malloc -->
--- ```lua
--- on_syscall("exit_group", function(t)
---   for _, symbol in ipairs(t.process:symbols("libc:*alloc")) do
---     print(symbol.name, symbol.kind, symbol.size)
---   end
--- end)
--- ```
---@param pattern? string everything without it
---@return luatrace.Symbol[]? symbols
---@return string? message
---@return string? code
function p:symbols(pattern) end

--- What is at an address of a process. `tostring(where)` is `"malloc+0x12 (libc.so.6)"`, or
--- `"libc.so.6+0x9a3c2"` without a name, or the address alone.
---@class luatrace.Where
---@field addr integer
---@field name? string of the symbol that has the address, or of the nearest without a size below it
---@field offset? integer from the beginning of that; into the file where there is no name
---@field raw? string the name as it is in the object file
---@field kind? string of the symbol
---@field module? string
---@field bias? integer of the module
---@field file? string of the source; read when asked
---@field line? integer
---@field column? integer
---@field inlined? luatrace.Inlined[] the calls that it is part of, innermost first

--- A call that the compiler has replaced by the body of the function: what was called, from where.
---@class luatrace.Inlined
---@field name string
---@field file string
---@field line integer
---@field column? integer

--- See `t:where`. The process may run.
---@param addr integer
---@return luatrace.Where where
function p:where(addr) end

--- Let the process run until one of its threads comes to a place, a location as for `on_break`; it
--- need not be loaded yet. Returns that thread, which stands still for the caller as in a handler.
--- Raises an object that says so if the process ends before.
---
--- <!-- not run: the guide has an example that is -->
--- ```lua
--- local p = spawn { "./prog" }
--- local t = p:run_until("main")
--- print(t:where())
--- t:step()
--- p:detach()
--- ```
---@param where string|integer
---@return luatrace.Thread t
function p:run_until(where) end

--- `on_watch` for this process alone. What follows the name or address may be left out: a size in
--- bytes, a mode, options, a function. Returns a hook.
---
--- Errors: `ENOENT`, `ENOSPC` (all debug registers are in use), `EINVAL` (an address of the
--- kernel's, a size).
---@param what string|integer
---@param ... integer|string|table|luatrace.WatchHandler
---@return luatrace.Hook? hook
---@return string? message
---@return string? code
function p:watch(what, ...) end
--- Where the code of a source line is: each function and each inlined copy that has statements of
--- this line, with the address where the first of them begins (after the prologue, if the line
--- begins a function). The file is named by its path or the last parts of it: `"io.c:120"` means
--- every `io.c`, `"net/io.c:120"` only those in a directory `net`. Its threads may run.
---
--- <!-- not run: the program is the reader's -->
--- ```lua
--- for _, place in ipairs(assert(p:lines("io.c:120"))) do
---   print(("%#x"):format(place.addr), place.file, place.name, place.module)
--- end
--- ```
---
--- Errors: `ENOENT`, with a message that names the nearest line that has code, or the file name
--- that is most like the one asked for.
---@param where string such as `"file.c:120"`
---@return luatrace.Line[]? places
---@return string? message
---@return string? code
function p:lines(where) end

--- A place of `p:lines`.
---@class luatrace.Line
---@field addr integer
---@field file string path as the compiler knew it
---@field line integer
---@field name? string the function, or inlined copy of one
---@field module string

--- The functions of a module that its debug information knows, as blocks: runs of instructions that
--- are entered at their beginning and left at their end. At least one thread of the process stands
--- still. The script `cover` is made of this and `p:count`.
---
--- Errors: `ENOENT` (no debug information), `EBUSY` (all threads run).
---@param module luatrace.Module|integer a module, or any address in it
---@return luatrace.Function[]? functions
---@return string? message
---@return string? code
function p:blocks(module) end

--- A function of `p:blocks`.
---@class luatrace.Function
---@field name string demangled, with its parameters
---@field file string where it is declared
---@field line integer
---@field entry integer address
---@field blocks luatrace.Block[] by address

--- A block of a function.
---@class luatrace.Block
---@field addr integer
---@field flow string how it ends: `next`, `call`, `branch`, `jump`, `indirect`, `return`, `end`
---@field next? integer the block that follows it in memory, if the thread may go there
---@field target? integer the block that it branches to
---@field lines { file: string, line: integer }[] the statements in it

--- Count how often the threads of the process reach each of these addresses. No handler is called,
--- so it costs one stop each time and nothing in Lua. Forked children count on the same counters.
--- Needs no stopped thread.
---
--- <!-- run: luatrace example.lua -- ls
---      expect: [1-9]%d* -->
--- ```lua
--- local counts
--- on_load(function(p, module)
---   if module.name:find("^libc") then counts = p:count { p:symbol("malloc") } end
--- end)
--- on_end(function() print(counts:get(1)) end)
--- ```
---
--- Errors: `ENOMEM`. Addresses that cannot be counted (no memory there) are left out: `why` tells.
---@param addrs integer[]
---@param options? { once: boolean } once: count to 1, and cost nothing from then on
---@return luatrace.Counts? counts
---@return string? message
---@return string? code
function p:count(addrs, options) end

--- Counters, as `p:count` makes them.
---@class luatrace.Counts
---@field done integer how many addresses are counted
---@field why string? the message about the last one that cannot be
local counts = {}

--- How often the i-th address of the list was reached.
---@param i integer
---@return integer count
function counts:get(i) end

--- Count in another process too, or where a library was loaded anew: the same places, in the same
--- order, at the addresses that they have there.
---@param process luatrace.Process
---@param addrs integer[]
---@return integer done how many are counted
---@return string? why the others are not
function counts:add(process, addrs) end

--- Load a shared object into the process: dlopen(3), called by one of its threads that stands
--- still.
---
--- Errors: `ELIBACC` with the message of dlerror(3); `ENOSYS` for a program without dlopen.
---@param path string
---@return integer? handle
---@return string? message
---@return string? code
function p:dlopen(path) end

--- From now on no system call of this process reaches the kernel: `fn(t, call)` answers each. What
--- it returns is the result, as `call:leave` gives it: a value, or nil and the name of the error.
--- `call:pass()` lets the kernel do it. Children are emulated as well. With nil as `fn` the kernel
--- makes the calls again.
---
--- <!-- run: luatrace example.lua -- sh -c "echo \$(id -u)"
---      expect: 4711 -->
--- ```lua
--- on_exec(function(t)
---   t.process:emulate(function(_, call)
---     if call.name:find("^gete?uid") then return 4711 end
---     return call:pass()
---   end)
--- end)
--- ```
---
--- Kernel: `PTRACE_SYSEMU` of ptrace(2).
---@param fn? fun(t: luatrace.Thread, call: luatrace.Call): integer?, string?
function p:emulate(fn) end

--# Variables and types
--:
--: What the program's debug information (DWARF, `-g`) says about its variables and types. A
--: variable's value is read when the script looks at it.
--:
--: | C, C++, Rust | Lua |
--: |---|---|
--: | integers, char | integer; what needs more than 64 bits is a string of digits |
--: | bool | boolean |
--: | float, double, long double | float |
--: | enum | the enumerator's name as a string, or the integer if it has none |
--: | pointer | object: `v.member` of what it points to, `v[i]`, `v + 1`, `v == luatrace.null` |
--: | struct, class, union | object: `v.member`, `pairs(v)`; members of base classes are its own |
--: | array | object: `v[i]` from 0 on, `#v`, `pairs(v)` |
--: | reference | what it refers to |
--:
--: `tostring` of an object is what gdb's print shows, of a char pointer or char array its text.
--: Objects have no methods, so that every member can be had by its name: what else can be done with
--: them is in `luatrace.addr`, `luatrace.str` and the others below. Unsigned 64-bit numbers from
--: 2^63 on show as negative integers.
--:
--: Assigning to a variable, member or element writes it: numbers that fit, booleans, an
--: enumerator's name, pointers (an object, an address or nil), strings to char arrays, tables of
--: members or elements, objects of the same type. What does not fit raises.
--:
--: A variable that is optimised out at the instruction where the thread stands reads as nil;
--: `t:var` says so. Memory that cannot be read raises. An object in memory can be kept for as long
--: as the memory means the same; one in registers, until the thread runs on.

--- The parameters and variables that can be named where the thread stands, in the function of
--- this frame. Indexed by name: reads and assigns; an inner block's variable hides an outer one's.
--- Where a function was inlined, those of its caller can be named too. `pairs` goes through them,
--- innermost first. Functions that were compiled without optimisation have copied their parameters
--- only after their first instructions; before, parameters are taken from where the calling
--- convention has them (not those behind an object of C++, which may be passed in several ways).
---
--- Errors: ENOENT (no debug information about this code, or no such frame), EIO.
---@param frame? integer 0 (default): the innermost frame, 1: its caller, ... as in `t:backtrace`
---@return table<string, any>? locals
---@return string? message
---@return string? code
function t:locals(frame) end

--- The value of a variable: one that can be named where the thread stands, else a global or static
--- one: `"counter"`, `"file.c:counter"`, `"space::counter"`, `"Class::member"`, or
--- `"function::counter"` for one that is static in a function. Thread-local variables of the
--- program are this thread's.
---
--- Errors: ENOENT (there is no such variable; the message has the nearest name), ENODATA (optimised
--- out, or not available at this instruction), EFAULT.
---@param name string
---@return any value see "Variables and types"
---@return string? message
---@return string? code
function t:var(name) end

--- Assign to the variable that `t:var` finds. What does not fit raises.
---@param name string
---@param value any
---@return true? done
---@return string? message
---@return string? code
function t:set(name, value) end

--- The object of this type at an address: a struct, union or array, or a pointer with that value.
--- The type is written as in C: `"struct node *"`, `"char *[4]"`, `"ns::Class"`, `"size_t *"`. C's
--- own types are known without debug information.
---
--- Errors: ENOENT (no such type).
---@param type string
---@param addr integer|table address, or a pointer or object
---@return table? value
---@return string? message
---@return string? code
function t:cast(type, addr) end

--- What a type is: `name`, `kind` (`"struct"`, `"union"`, `"class"`, `"enum"`, `"base"`,
--- `"pointer"`, `"array"`, `"function"`, ...), `size` in bytes if known, and `members` (each with
--- name, type, offset in bytes, and for bit-fields bit and bits), `values` (of an enum: name and
--- value), `length` (of an array), `target` (of arrays and pointers). Of a typedef, what it names.
---
--- Errors: ENOENT (no such type).
---@param type string|table its name, or an object of it
---@return table? description
---@return string? message
---@return string? code
function t:typeof(type) end

--- The value of a global or static variable, as `t:var` has it. A thread of the process must stand
--- still. `p.vars.NAME` is the same, but raises for a name that there is not; `p.vars.NAME = value`
--- assigns.
---
--- <!-- run: luatrace example.lua \
---      "$(dirname "$(command -v luatrace)")/tests/fixtures/variables" word
---      expect: counter%s+100 -->
--- ```lua
--- on_syscall("getppid", function(t)
---   print("counter", t.process:var("counter"))
---   t.process.vars.counter = 7
--- end)
--- ```
---@param name string
---@return any value
---@return string? message
---@return string? code
function p:var(name) end

--- Assign to the global or static variable that `p:var` finds. What does not fit raises.
---@param name string
---@param value any
---@return true? done
---@return string? message
---@return string? code
function p:set(name, value) end

--- The address that a pointer has, or that an object is at.
---@param value table pointer or object
---@return integer addr
function luatrace.addr(value) end

--- What a pointer points to. `pointer[0]` is the same, but raises what goes wrong.
---
--- Errors: EFAULT.
---@param pointer table
---@return any value
---@return string? message
---@return string? code
function luatrace.deref(pointer) end

--- The C string that a char pointer points to or that is in a char array, as Lua's strings, which
--- can be compared; also the text of a Rust `&str`. A string is returned as it is.
---
--- Errors: EFAULT (a null pointer, no memory there).
---@param value table|string
---@param max? integer bytes at most (4096)
---@return string? text
---@return boolean|string|nil cut true where no end was found within `max`; else the message
---@return string? code
function luatrace.str(value, max) end

--- The bytes of a struct, union or array.
---
--- Errors: EFAULT, ENODATA (parts of it are optimised out, or its size is not known).
---@param value table
---@return string? bytes
---@return string? message
---@return string? code
function luatrace.bytes(value) end

--- The name of the type of an object, as C writes it: `"struct node *"`.
---@param value table
---@return string name
function luatrace.typename(value) end

--- The size of an object in bytes; of a pointer its own.
---
--- Errors: ENODATA (not known).
---@param value table
---@return integer? size
---@return string? message
---@return string? code
function luatrace.sizeof(value) end

--- The null pointer: `while node ~= luatrace.null do … node = node.next end`.
---@type table
luatrace.null = nil

--# Virtual files
--:
--: A path that need not exist, whose calls are answered by a script.

--- What answers the calls. Each function is given the open file and may wait. It returns what the
--- call returns (of `read`, `""` is the end), or nil and the name of an error; `EAGAIN` lets a
--- thread that may wait try again.
---@class luatrace.Handlers
---@field open? fun(file: luatrace.File, flags: integer): any nil and an error refuse it
---@field read? fun(file: luatrace.File, n: integer, offset: integer?): string?, string?
---@field write? fun(file: luatrace.File, bytes: string, offset: integer?): integer?, string?
---@field lseek? fun(file: luatrace.File, offset: integer, whence: integer): integer?, string?
---@field ioctl? fun(file: luatrace.File, request: integer, argument: integer): integer?, string?
---@field fstat? fun(file: luatrace.File): table `mode`, `size`, `uid`, `gid`, `rdev`, `mtime` …
---@field poll? fun(file: luatrace.File, events: integer): integer|boolean|nil
---@field close? fun(file: luatrace.File) its last descriptor is gone

--- An open file: what one open(2) has made, and all descriptors that are copies of it.
---@class luatrace.File
---@field path string
---@field flags integer of open(2)
---@field thread luatrace.Thread the thread whose call is answered
---@field data table for the script's own use, empty at first

--- What `emulate.file` returns.
---@class luatrace.Virtual
---@field path string
local virtual = {}

--- The path is the file system's again. Files that are open stay what they are.
function virtual:remove() end

---@class luatrace.Emulate
luatrace.emulate = {}

--- Let `path` be a virtual file for all traced processes. Calls that have no function here fail as
--- they do for a device without them.
---
--- <!-- run: luatrace example.lua -- cat /dev/sensor0
---      expect: 21.5 -->
--- ```lua
--- emulate.file("/dev/sensor0", {
---   read = function(file)
---     if file.data.done then return "" end
---     file.data.done = true
---     return "21.5\n"
---   end,
--- })
--- ```
---@param path string absolute
---@param handlers luatrace.Handlers
---@return luatrace.Virtual virtual
function luatrace.emulate.file(path, handlers) end

--# Streams
--:
--: `p.stdin`, `p.stdout` and `p.stderr` of a program that was launched with `stdin = "pipe"` and
--: the like. All of these wait without keeping anything else from running.
--:
--: <!-- run: luatrace example.lua
--:      expect: 42 -->
--: ```lua
--: local p = assert(spawn { "sh", "-c", "read n; echo $((n + 1))", stdin = "pipe",
--:   stdout = "pipe" })
--: p.stdin:write("41\n")
--: print(p.stdout:read("l"))
--: ```

---@class luatrace.Stream
local stream = {}

--- Write all of it, strings and numbers, one after the other.
---
--- Errors: `EPIPE` when nobody reads any more.
---@param ... string|number
---@return boolean? ok
---@return string? message
---@return string? code
function stream:write(...) end

--- Close our end. A program that reads a pipe finds its end; one that reads a terminal is told by
--- control-D.
---@return boolean ok
function stream:close() end

--- Read: `"l"` a line without its end, `"L"` one with it, `"a"` all that comes until the end, a
--- number so many bytes, fewer at the end. Nil at the end.
---@param what string|integer|nil `"l"` without it
---@return string? text
function stream:read(what) end

--- The lines, for a `for` loop.
---@return fun(): string?
function stream:lines() end

--- Read until what has come matches a Lua pattern. Returns its captures (the match, if it has
--- none), or nil and `"timeout"` or `"eof"`; what was read then can still be read. What follows the
--- match is left for the next read.
---
--- <!-- run: luatrace example.lua
---      expect: ^Debian GNU/Linux %d+ -->
--- ```lua
--- local p = assert(spawn { "cat", "/etc/os-release", stdout = "pipe" })
--- print(p.stdout:expect('PRETTY_NAME="(.-)"', 5))
--- ```
---@param pattern string
---@param timeout? number seconds; none without it
---@return string? ... captures
function stream:expect(pattern, timeout) end

--# System calls: call
--:
--: `tostring(call)` is the line that strace(1) would print, `= ?` while there is no result. Strings
--: in it are escaped and cut to a bounded length.
--:
--: What the kernel is asked can be changed before the call runs (`call.args`, `call:become`), it
--: can be left out (`call:skip`, `call:fail`), and what it answered can be changed after
--: `call:leave()`: `call.ret` is the result that the program sees, a negated errno for a failure.
--:
--: <!-- run: luatrace example.lua -- id -u
--:      expect: 4711 -->
--: ```lua
--: on_syscall("geteuid", function(t, call)
--:   call:leave()
--:   call.ret = 4711
--: end)
--: ```

---@class luatrace.Call
---@field name string as in the manual, `"openat"`; `"syscall_999"` for a number without a name
---@field nr integer number in its ABI
---@field abi string `"x86_64"` or `"i386"`: which interface the call was made through
---@field ret integer? the result, a negated errno for a failure; nil before it has run
---@field done boolean whether the call has run
---@field args luatrace.Args its arguments
local call = {}

--- Let the call run and come back when it is done. What its arguments point to is kept, so that
--- `call.args` still answers as it was. Waits: only this thread runs meanwhile as far as this
--- handler is concerned, and a call that blocks makes the handler wait as long.
---
--- Returns the result, or `nil`, a message and the name of the error. A call that the kernel is
--- going to restart after a signal returns `ERESTARTSYS` or a relative of it, as in strace(1). A
--- call that does not come back (exit_group(2)) ends the handler.
---@return integer|true|nil value
---@return string? message
---@return string? code
function call:leave() end

--- The kernel shall not make this call: the program sees `value`, 0 without one, as its result.
--- Handlers that come after, and `call:leave`, see it as well.
---
--- <!-- run: echo x > kept; luatrace example.lua -- rm kept; ls
---      expect: kept -->
--- ```lua
--- on_syscall("unlink*", function(t, call)
---   print("would remove " .. call.args.pathname)
---   call:skip()
--- end)
--- ```
---@param value? integer
function call:skip(value) end

--- The kernel shall not make this call: it fails with this error.
---
--- <!-- run: luatrace example.lua -- head -c 5 /etc/passwd
---      expect: No space left on device
---      exit: 1 -->
--- ```lua
--- on_syscall("write", { fd = 1 }, function(t, call)
---   call:fail("ENOSPC")
--- end)
--- ```
---@param error string|integer such as `"ENOENT"`
function call:fail(error) end

--- Make it another call: the kernel makes that one, with these arguments, and the program sees its
--- result. Arguments are assigned in order, as to `call.args`; those that are left out keep their
--- registers. The name must exist in the call's ABI.
---
--- <!-- run: luatrace example.lua -- cat /nowhere
---      expect: %w -->
--- ```lua
--- on_syscall("openat", { filename = "/nowhere" }, function(t, call)
---   call:become("open", { "/etc/hostname", 0 })
--- end)
--- ```
---@param name string
---@param args? table integers, strings, tables as in `call.args`
function call:become(name, args) end

--- Wait before the kernel sees the call. Only this thread waits.
---
--- <!-- run: luatrace example.lua -- sh -c "echo slow"
---      expect: slow -->
--- ```lua
--- on_syscall("write", { fd = 1 }, function(t, call) call:delay(0.1) end)
--- ```
---@param seconds number
function call:delay(seconds) end

--- In `p:emulate`: let the kernel do this one. Returns what it returned, as `call:leave` does.
---@return integer|true|nil value
---@return string? message
---@return string? code
function call:pass() end

--- A log writes a line for each system call, as strace(1) does: it stands where the function of
--- an `on_syscall` handler would, and runs in C. A line that another one interrupts ends in
--- `<unfinished ...>`, and is resumed when the call has run.
---
--- `file`: an open file. Options: `tids`: lines begin with the thread's id (otherwise with
--- `[pid 12]`, and only when several threads have had lines); `time`: with the time of day;
--- `spent`: lines end in the seconds between the stops at the call's entry and at its exit; `live`:
--- the beginning of a line is written at once, and not only when its end is known.
---
--- <!-- run: luatrace example.lua -- true -->
--- ```lua
--- local log = luatrace.call_log(io.stderr, { live = true })
--- on_syscall("%network", log)
--- on_end(function() log:close() end)
--- ```
---@param file file*
---@param options? { tids: boolean?, time: boolean?, spent: boolean?, live: boolean? }
---@return luatrace.CallLog
function luatrace.call_log(file, options) end

---@class luatrace.CallLog
local log = {}

--- Write a line that is about the thread.
---@param thread luatrace.Thread
---@param text string without a newline
function log:line(thread, text) end

--- The thread is gone: a call that it was in ends in `= ?`.
---@param thread luatrace.Thread
function log:lost(thread) end

--- Nothing more is traced: a line that has no end yet ends in `<detached ...>`.
function log:close() end

--- A path that a call names.
---@class luatrace.Path
---@field name string the argument's name
---@field text string? as the program gave it, which may be empty; nil where it cannot be read
---@field dirfd integer? the descriptor of the directory that it is relative to; negative: the cwd
---@field follow boolean whether the call follows a link that is its last part

--- The paths that the call names, in order. Without those that are NULL, and without the text that
--- symlink(2) stores.
---
--- <!-- run: luatrace example.lua -- ls .
---      expect: execve%s+/ -->
--- ```lua
--- on_syscall("%file", function(t, call)
---   for _, path in ipairs(call:paths()) do
---     print(call.name, t:resolve(path.text, path.dirfd, path.follow))
---   end
--- end)
--- ```
---@return luatrace.Path[] paths
function call:paths() end

--- Where connect(2), sendto(2), sendmsg(2) or sendmmsg(2) (its first message) go, or what bind(2)
--- takes: `"127.0.0.1:80"`, `"[::1]:80"`, `"unix:/run/x"`, `"unix:@abstract"`, and for others
--- `"family 16"`. Nil for a call without an address.
---
--- <!-- run: luatrace example.lua -- getent passwd root
---      expect: unix:/ -->
--- ```lua
--- on_syscall("connect", function(t, call) print(call:address()) end)
--- ```
---
--- Errors: `EFAULT`.
---@return string? address
---@return string? bytes as it is in memory, or the message of the error
---@return string? code
function call:address() end

--# Arguments: call.args
--:
--: `call.args[1]` … `call.args[6]` are the raw registers as they were at the entry.
--: `call.args.NAME` is the decoded value: integers signed or unsigned as declared, descriptors
--: always signed, strings and buffers as Lua strings. Names are those of the kernel's declaration;
--: where the manual page has another, it works too: `filename` and `pathname`, `ufds` and `fds`.
--: A name that the call does not have is an error. An array of strings (the `argv` of execve(2)) is
--: a list. A string or buffer at NULL is nil, one that cannot be read is its address. Structures
--: are given as their address.
--:
--: A buffer that the call fills (that of read(2)) is nil until `call:leave()` has come back.
--:
--: **Changing them.** Before the call runs, both spellings can be assigned integers. The kernel
--: sees the new value, and the program finds its register unchanged afterwards. What an argument
--: points to is assigned as a value, to the name:
--:
--: - a string, for a path or a buffer. It may be longer than the program's: it is placed in memory
--:   that luatrace has mapped, where nothing else of the program writes, and which is given back
--:   when the call is over. A path must not contain a NUL byte. For a buffer with a length
--:   argument the length is set too, and the result is told in terms of the program's own: it sees
--:   all of its bytes written if all of ours were.
--: - a list of strings, for `argv` and `envp` of execve(2) and for the buffers of writev(2)
--: - a table of fields, for a structure: `timespec` and `timeval` (`sec`, `nsec` or `usec`),
--:   `itimerval`, `rlimit` (`cur`, `max`), a socket address (`family`, `addr`, `port`, `path`), a
--:   list of `pollfd`, a list of names for a signal set. Fields that it leaves out keep the values
--:   that the program gave them, and an unknown one is an error that lists those there are.
--:
--: The first such assignment in a process waits for memory to be mapped, so it needs a place that
--: can wait, as every handler is.
--:
--: <!-- run: luatrace example.lua -- echo Hello
--:      expect: olleH -->
--: ```lua
--: on_syscall("write", { fd = 1 }, function(t, call)
--:   call.args.buf = call.args.buf:reverse()
--: end)
--: ```
--:
--: After `call:leave()`, what the call has filled can be assigned: a string to a buffer (to those
--: of readv(2) a list of them too), which must fit the room that the program gave; the result,
--: which counts bytes, is set to its size. A table to a structure, also to a `stat` or `statx`
--: (`mode`, `uid`, `gid`, `size`, `mtime`, …).
--:
--: <!-- run: luatrace example.lua -- head -c 4 /etc/passwd
--:      expect: ^ROOT -->
--: ```lua
--: on_syscall("read", function(t, call)
--:   local n = call:leave()
--:   if n and n > 0 then call.args.buf = call.args.buf:upper() end
--: end)
--: ```
--:
--: `pairs(call.args)` gives names and decoded values in the order of the declaration,
--: `#call.args` how many there are. Arguments that luatrace has no names for have numbers only.

---@class luatrace.Args
---@field [integer] integer
---@field [string] integer|string|table|nil

--# Signals: sig
--:
--: `tostring(sig)` is what strace(1) prints between the dashes. `code`, `pid`, `addr` and `value`
--: can be assigned: the program's handler finds the new values in its siginfo_t.
--:
--: A fault can be repaired: correct the register, or map a page with `t:mmap`, and suppress the
--: signal; the instruction is then tried again.
--:
--: Kernel: `PTRACE_GETSIGINFO` of ptrace(2); the members are those of siginfo_t in sigaction(2).

---@class luatrace.Signal
---@field name string `"SIGINT"`, `"SIGRT_3"`
---@field number integer
---@field code integer where it comes from, si_code
---@field pid integer? who sent it
---@field uid integer? whose process that was
---@field addr integer? the address that faulted, for `SIGSEGV` and its like
---@field value integer? what was sent with it
---@field status integer? of `SIGCHLD`: the exit code, or the number of the signal
local sig = {}

--- Do not deliver the signal.
function sig:suppress() end

--- Deliver another signal in its place.
---@param signal string|integer name or number
function sig:replace(signal) end

--- Deliver it later, to the same thread and with what came with it: after so many seconds, or at
--- the thread's next event that a table asks for, as that of `t:wait`. The thread runs on
--- meanwhile. Handlers do not see the signal again. It is lost if the thread or tracing ends
--- before.
---
--- <!-- run: luatrace example.lua -- sh -c "trap 'echo late' USR1; kill -USR1 \$\$; sleep 0.2; :"
---      expect: late -->
--- ```lua
--- on_signal("SIGUSR1", function(t, sig) sig:defer(0.1) end)
--- ```
---@param when number|luatrace.Events
function sig:defer(when) end

--# Watchpoints: w
--:
--: What handlers of `on_watch` get. `tostring(w)`: `"counter: 1 -> 2 at 0x401136"`.

---@class luatrace.Watch
---@field thread luatrace.Thread
---@field name string what is watched, as the script wrote it
---@field mode "w"|"rw"|"x"
---@field addr integer the first byte that was used, of a large area the piece that it belongs to
---@field size integer bytes of that piece
---@field old integer its value before; the same as `new` for a read, or if nothing has changed
---@field new integer
---@field pc integer the program counter: past the instruction, but for `"x"`
---@field where luatrace.Where? the instruction
local w = {}

--- Watch this no longer, in all processes.
function w:remove() end

--# Ends: status
--:
--: `tostring(status)` is `exited with 0` or `killed by SIGSEGV (core dumped)`.

---@class luatrace.Status
---@field code integer? exit code; nil for a death by signal
---@field signal string? name of the signal that killed it; nil for an exit
---@field signo integer? its number
---@field core boolean whether a core was dumped
---@field known boolean false where the kernel kept the status to itself

--# Stops: stop
--:
--: `tostring(stop)` says in words what happened.
--:
--: | kind | more fields |
--: |---|---|
--: | `"start"`, `"birth"` | `how`, `parent` |
--: | `"syscall-entry"`, `"syscall-exit"` | `name`, `nr`, `abi`, `args` (raw), `ret` |
--: | `"signal"`, `"group-stop"` | `signal` |
--: | `"clone"` | `child`, `how`, `flags` (of clone(2)) |
--: | `"exec"` | `former_tid` |
--: | `"vfork-done"`, `"interrupt"`, `"continue"`, `"load"`, `"spawn-failed"` | |
--: | `"stepped"` | `count` |
--: | `"watch"` | `addr`, `size`, `old`, `new`, `pc` |
--: | `"exiting"`, `"thread-exit"`, `"process-exit"` | `code`, `signal`, `core`, `known` |

---@class luatrace.Stop
---@field kind string what happened
---@field seq integer counts the stops of the run from 1
---@field status integer as waitpid(2) gave it
---@field tid integer
---@field pid integer
---@field signal string? name of the signal
---@field child integer? tid of the new thread
---@field how luatrace.Kind? how it came to be
---@field parent integer? tid of the creator
---@field flags integer? of clone(2), 0 where they could not be read
---@field former_tid integer? tid of the thread that called execve(2)
---@field name string? of the system call
---@field nr integer? number of the system call
---@field abi string? of the system call
---@field args integer[]? the six registers
---@field ret integer? its result
---@field count integer? of instructions
---@field addr integer? of memory, of a breakpoint, or where a function has returned to
---@field id integer? number of the breakpoint
---@field hardware boolean? it is in a debug register
---@field size integer? of that
---@field old integer? its value before
---@field new integer? its value after
---@field pc integer? the program counter
---@field code integer? exit code
---@field core boolean? a core was dumped
---@field known boolean? the status is known

--# Options of a script
--:
--: A script that calls `args` has options of its own, on the command line after its name. They end
--: at the first word that is none, or at `--`; the words that are left are the program. A script
--: that does not call it takes none. `--help` and an error message for unknown options come with
--: it.

--- Declare and read the options. Each entry is a list: the letter (or nil), the long name, the name
--- of its value (nil for a switch), and a line of help. `usage` and `about` are shown by `--help`.
--- With `parameters = true` the words in front of a `--` belong to the script too: `opts[1]`,
--- `opts[2]` and so on; the program has to follow the `--`. `opts.program` is a list of the words
--- of the program, for a script that launches it itself.
---
--- <!-- run: luatrace example.lua --times 2 -v -- true
---      expect: times 2 -->
--- ```lua
--- local opts = args {
---   usage = "[-v] [-n N] [--] PROGRAM [ARGUMENT...]",
---   about = "Show how options work.",
---   { "n", "times", "N", "how often" },
---   { "v", "verbose", nil, "say more" },
--- }
--- if opts.verbose then print("times " .. tonumber(opts.times)) end
--- ```
---@param options table
---@return table<string|integer, string|true> opts by long name; what was not given is nil
function luatrace.args(options) end

--- End the script because it was told something that it cannot do: the message is printed without
--- a traceback, and the exit code is 125.
---@param message string
function luatrace.mistake(message) end

--# Helpers

--- The version, `"0.1.0"`.
---@type string
luatrace.version = nil

--- Seconds on a clock that only goes forward; differences of it are times. Not the time of day.
---
--- Kernel: `CLOCK_MONOTONIC` of clock_gettime(2).
---@return number seconds
function luatrace.now() end

--- A generator of random numbers. The same seed gives the same numbers everywhere. What it returns
--- is a function: `next()` gives a number from 0 up to 1, `next(n)` an integer from 1 to n.
---
--- <!-- run: luatrace example.lua
---      expect: ^19%s+52%s+40 -->
--- ```lua
--- local next = luatrace.random(0)
--- next()
--- print(next(100), next(100), next(100)) --> 19 52 40
--- ```
---@param seed integer
---@return fun(n: integer?): number next
function luatrace.random(seed) end

--- The text with control characters, quotes, backslashes and bytes beyond ASCII written as in a C
--- string, without quotes around it. What a traced program says about itself may contain anything:
--- escape it before it goes to a terminal.
---
--- <!-- run: luatrace example.lua
---      expect: one\ttwo\33%[2J -->
--- ```lua
--- print(luatrace.escape("one\ttwo\27[2J")) --> one\ttwo\33[2J
--- ```
---@param text string
---@return string escaped
function luatrace.escape(text) end

--- The names that a selection means, sorted; every name without one.
---
--- <!-- run: luatrace example.lua
---      expect: open openat openat2 -->
--- ```lua
--- print(table.concat(luatrace.syscalls { "open", "openat*" }, " ")) --> open openat openat2
--- ```
---@param selection? string|string[] as in `on_syscall`
---@return string[] names
function luatrace.syscalls(selection) end

--- The number of an error by name, or the name by number; nil where there is none.
---
--- Kernel: errno(3).
---@param error string|integer `"ENOENT"` or 2
---@return integer|string|nil other
function luatrace.errno(error) end

--- The number of a signal by name (with or without `SIG`), or the name by number.
---
--- Kernel: signal(7).
---@param signal string|integer `"SIGINT"` or 2
---@return integer|string|nil other
function luatrace.signo(signal) end

--- Whether an error that `pcall` caught says that a thread ended while its handler waited. Its
--- `tid` says which.
---
--- <!-- run: luatrace example.lua -- true
---      expect: ended in exit_group -->
--- ```lua
--- on_syscall("exit_group", function(t, call)
---   local ok, err = pcall(function() return call:leave() end)
---   if not ok and luatrace.is_gone(err) then print(err.tid .. " ended in exit_group") end
--- end)
--- ```
---@param err any
---@return boolean gone
function luatrace.is_gone(err) end

--- What is raised where a handler waits and its thread ends: `tostring` gives `thread 12 is gone`.
---@class luatrace.Gone
---@field tid integer? the thread
---@field pid integer? the process

--- A key for a table that stands for a 64-bit value, the same for equal values under every Lua.
---@param value integer
---@return integer|string key
function luatrace.key(value) end

--- Bits of 64-bit integers, the same under every Lua.
---@class luatrace.Bit
luatrace.bit = {}

---@param ... integer
---@return integer bits
function luatrace.bit.band(...) end

---@param ... integer
---@return integer bits
function luatrace.bit.bor(...) end

---@param ... integer
---@return integer bits
function luatrace.bit.bxor(...) end

---@param a integer
---@return integer bits
function luatrace.bit.bnot(a) end

--- Zeros come in from the right.
---@param a integer
---@param n integer how far
---@return integer bits
function luatrace.bit.lshift(a, n) end

--- Zeros come in from the left.
---@param a integer
---@param n integer how far
---@return integer bits
function luatrace.bit.rshift(a, n) end

--# Lua's own library
--:
--: `os.exit(code)` in a script ends tracing in order: `on_end` handlers run, what was launched is
--: killed, what was attached to is let go, and luatrace exits with the code.
--:
--: `io.popen` works as usual beside traced programs. `require` looks into luatrace itself, the
--: script's own directory, the directory of the shipped scripts and Lua's installed paths, never
--: into the current directory.

on_start = luatrace.on_start
on_syscall = luatrace.on_syscall
on_clone = luatrace.on_clone
on_exec = luatrace.on_exec
on_signal = luatrace.on_signal
on_exit = luatrace.on_exit
on_thread_exit = luatrace.on_thread_exit
on_stop = luatrace.on_stop
on_break = luatrace.on_break
on_call = luatrace.on_call
on_load = luatrace.on_load
on_watch = luatrace.on_watch
on_end = luatrace.on_end
spawn = luatrace.spawn
attach = luatrace.attach
run = luatrace.run
args = luatrace.args
after = luatrace.after
every = luatrace.every
sleep = luatrace.sleep
emulate = luatrace.emulate
count = luatrace.count
sum = luatrace.sum
hist = luatrace.hist

return luatrace
