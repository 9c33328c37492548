-- luacheck's settings; ./dev lint runs it.
std = "min" -- what Lua 5.4 and LuaJIT have in common
max_line_length = 100
cache = false
exclude_files = { "build*" }

-- The names inside a script. Those of hooks may be defined: `function on_exit(p, status)`.
local hooks = {
  "on_start", "on_syscall", "on_clone", "on_exec", "on_signal", "on_exit", "on_thread_exit",
  "on_stop", "on_end", "on_watch", "on_break", "on_call", "on_load",
}
local names = { "spawn", "attach", "run", "args", "after", "every", "sleep", "emulate", "luatrace",
  "count", "sum", "hist" }

files["scripts"] = { globals = hooks, read_globals = names }
-- The prelude asks what the Lua it runs in has, and puts functions of its own into its tables.
files["scripts/luatrace"] = {
  globals = { "arg", "coroutine", "io", "os", "package", "table", "unpack" },
  read_globals = { "jit" },
}
files["scripts/luatrace/jit.lua"] = { std = "luajit" }
files["scripts/luatrace/meta.lua"] = { globals = names, ignore = { "112", "212", "241" } }
files["tests/spec"] = { std = "lua54+busted" }
files["tests/bench"] = { std = "lua54", globals = hooks, read_globals = names }
files["tests/lint"] = { std = "lua54" }
