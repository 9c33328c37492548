-- fakeroot: run a program that believes to be run by root.
--
--   luatrace fakeroot -- sh -c "tar -xf system.tar; chown -R daemon srv; tar -cf new.tar ."
--
-- User and group ids are 0, and can be set to others and back. Files of the user who runs it look
-- as if root owned them; chown does nothing but is remembered, and stat tells so to this program
-- and its children, whatever way leads to the file. What the kernel refuses stays refused.

local stats = require "luatrace.stats"
local opts = args {
  usage = "[-o FILE] [--] PROGRAM [ARGUMENT...]",
  about = "Run a program that believes to be run by root.",
  { "o", "output", "FILE", "write the changes of ownership to FILE" },
}
local out = opts.output and assert(io.open(opts.output, "w"))
local status = assert(io.open("/proc/self/status")):read("*a")
local my_uid, my_gid = status:match("\nUid:%s+(%d+).*\nGid:%s+(%d+)")

local gets = { getuid = 1, geteuid = 2, getresuid = 3, getgid = 1, getegid = 2, getresgid = 3 }
local sets = { setuid = { { 1, 2, 3 } }, setreuid = { { 1 }, { 2, 3 } },
  setresuid = { { 1 }, { 2 }, { 3 } } }
sets.setgid, sets.setregid, sets.setresgid = sets.setuid, sets.setreuid, sets.setresuid
local ids = {} -- by pid: by kind: real, effective, saved

local function ids_of(t, call)
  ids[t.pid] = ids[t.pid] or { uid = { 0, 0, 0 }, gid = { 0, 0, 0 } }
  return ids[t.pid][call.name:match("[ug]id")]
end

local function is_narrow(call) return call.abi == "i386" and not call.name:find("32$") end
local function given(call, id) -- -1: it stays what it is
  local limit = is_narrow(call) and 0x10000 or 0x100000000
  if id % limit ~= limit - 1 then return id % limit end
end
on_clone(function(t, child)
  if not ids[t.pid] or child.pid == t.pid then return end
  local uid, gid = ids[t.pid].uid, ids[t.pid].gid
  ids[child.pid] = { uid = { uid[1], uid[2], uid[3] }, gid = { gid[1], gid[2], gid[3] } }
end)
on_exit(function(p) ids[p.pid] = nil end)

on_syscall({ "get*uid*", "get*gid*" }, function(t, call)
  local which, own = gets[call.name:gsub("32$", "")], ids_of(t, call)
  if which and which < 3 then return call:skip(own[which]) end
  local kind = is_narrow(call) and "u16" or "u32"
  for i = 1, which and 3 or 0 do t.mem[kind](t.mem, call.args[i], own[i]) end
  if which then call:skip(0) end -- not getpgid
end)
on_syscall({ "set*uid*", "set*gid*", "setgroups*" }, function(t, call)
  local places = sets[call.name:gsub("32$", "")]
  for i, list in ipairs(places or {}) do
    local id, own = given(call, call.args[i]), ids_of(t, call)
    for _, place in ipairs(id and list or {}) do own[place] = id end
  end
  if places or call.name:find("^setgr") then call:skip(0) end -- not setpgid
end)
local owners = {} -- by file
on_syscall({ "*chown", "*chown32", "fchownat" }, function(t, call)
  local at, by_fd = call.name == "fchownat" and 1 or 0, call.name:find("^fchown")
  local flags = at == 1 and call.args[5] or by_fd and 0x1000 or call.name:find("^l") and 0x100 or 0
  local dirfd = by_fd and call.args[1] or -100
  local buffer, path = assert(t:alloc(256)), flags == 0x1000 and at == 0 and "" or call.args[1 + at]
  local ok, _, code = t:syscall("statx", dirfd, path, flags, 0x7ff, buffer)
  local file = ok and stats.key(t, buffer)
  t:free(buffer)
  if not ok then return call:fail(code) end
  owners[file] = owners[file] or {}
  owners[file].uid = given(call, call.args[2 + at]) or owners[file].uid
  owners[file].gid = given(call, call.args[3 + at]) or owners[file].gid
  if out then out:write(("%d: %s %s\n"):format(t.pid, tostring(call), file)) end
  call:skip(0)
end)
on_syscall(stats.names, function(t, call)
  if not call:leave() then return end
  local own = owners[stats.file(t, call)] or {}
  if stats.get(t, call, "uid") == tonumber(my_uid) then own.uid = own.uid or 0 end
  if stats.get(t, call, "gid") == tonumber(my_gid) then own.gid = own.gid or 0 end
  stats.change(t, call, own)
end)
