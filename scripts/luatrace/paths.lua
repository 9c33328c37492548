-- The paths that a call names, and where they lead: call:paths() and t:resolve().

local core = require "luatrace.core"

local band = core.bit.band

-- ---- Whether the call follows a link that is the path's last part --------------------------

-- Calls that work on the link itself.
local on_link = {}
for name in ([[lstat lstat64 oldlstat readlink readlinkat lchown lchown32 lgetxattr lsetxattr
  llistxattr lremovexattr unlink unlinkat rmdir rename renameat renameat2 link mkdir mkdirat mknod
  mknodat symlink symlinkat]]):gmatch("%S+") do
  on_link[name] = true
end

-- Bits that say so. Each entry: the argument, the bit, and whether the bit makes the call follow.
local AT_SYMLINK_NOFOLLOW = 0x100
local bits = {
  linkat = { "flags", 0x400, true }, name_to_handle_at = { "flags", 0x400, true },
  fspick = { "flags", 2 }, umount2 = { "flags", 8 },
  inotify_add_watch = { "mask", 0x2000000 }, fanotify_mark = { "flags", 4 },
}
for name in ([[newfstatat fstatat64 statx fchownat fchmodat2 faccessat2 utimensat utimensat_time64
  execveat open_tree open_tree_attr mount_setattr]]):gmatch("%S+") do
  bits[name] = { "flags", AT_SYMLINK_NOFOLLOW }
end
for name in ([[setxattrat getxattrat listxattrat removexattrat file_getattr
  file_setattr]]):gmatch("%S+") do
  bits[name] = { "at_flags", AT_SYMLINK_NOFOLLOW }
end

local O_CREAT, O_EXCL, O_NOFOLLOW = 0x40, 0x80, 0x20000

local function opens_link(flags)
  return band(flags, O_NOFOLLOW) ~= 0
    or band(flags, O_CREAT) ~= 0 and band(flags, O_EXCL) ~= 0
end

-- `position` counts the paths of the call from 1.
local function follows(t, call, position)
  local name, how = call.name, bits[call.name]
  if on_link[name] then return false end
  if name == "move_mount" then -- MOVE_MOUNT_F_SYMLINKS, MOVE_MOUNT_T_SYMLINKS
    return band(call.args.flags, position == 1 and 0x1 or 0x10) ~= 0
  elseif name == "linkat" and position == 2 then
    return false
  elseif how then
    return (band(call.args[how[1]], how[2]) ~= 0) == (how[3] or false)
  elseif name == "open" or name == "openat" then
    return not opens_link(call.args.flags)
  elseif name == "openat2" then
    return not opens_link(t.mem:u64(call.args.how) or 0)
  end
  return true
end

-- ---- What scripts call ---------------------------------------------------------------------

-- The paths that the call names: a list of { name =, text =, dirfd =, follow = }.
function core.methods.call.paths(call)
  local list, t = core.paths(call), core.call_thread(call)
  for position, path in ipairs(list) do path.follow = follows(t, call, position) end
  return list
end

-- Where a path leads for this thread. Returns it without links, "." and "..", from the thread's
-- root; its last part need not exist, and is followed if it is a link unless `follow` is false.
function core.methods.thread.resolve(t, text, dirfd, follow)
  core.check_live(t)
  return core.resolve(t, text, dirfd, follow ~= false)
end
