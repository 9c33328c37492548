/* paths.c - the paths that a system call names, and where they lead.
 *
 * A path is followed here as the kernel would follow it for the traced thread: from its root, its
 * directory or one of its descriptors, through symbolic links and "..", in its mount namespace
 * (all by way of /proc/TID). The result is what it was at this moment: the file system can change
 * at any time. */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "binding.h"

#define LINKS_MAX 40 /* as the kernel's own limit */

/* ---- The paths of a call ------------------------------------------------------------------ */

/* The first path of these is kept as text, not looked up. */
static bool is_link_text(const struct lt_syscall *known, unsigned index)
{
  return index == 0 && strncmp(known->name, "symlink", 7) == 0;
}

static bool has_shape(const struct lt_arg *arg, const char *shape)
{
  return arg->shape && strcmp(arg->shape, shape) == 0;
}

/* core.paths(call) -> list of { name =, text =, dirfd = } without those that are NULL; text is nil
 * where it cannot be read */
static int core_paths(lua_State *L)
{
  struct bind_call call = bind_check_call(L, 1, BIND_CALL);
  const struct lt_call *now = bind_live_call(L, &call);
  const struct lt_syscall *known = lt_syscall_find((enum lt_abi)now->abi, now->nr);
  lua_Integer count = 0;
  lua_newtable(L);
  for (unsigned i = 0; known && known->known && i < known->count; i++) {
    if (!has_shape(&known->args[i], "path") || is_link_text(known, i) || now->args[i] == 0)
      continue;
    lua_createtable(L, 0, 4);
    bind_push_argument(L, call.thread, i);
    if (lua_type(L, -1) == LUA_TSTRING)
      lua_setfield(L, -2, "text");
    else
      lua_pop(L, 1);
    lua_pushstring(L, known->args[i].name);
    lua_setfield(L, -2, "name");
    if (i > 0 && has_shape(&known->args[i - 1], "dirfd")) {
      compat_push_int64(L, (int32_t)now->args[i - 1]);
      lua_setfield(L, -2, "dirfd");
    }
    lua_rawseti(L, -2, (int)++count);
  }
  return 1;
}

/* ---- Following a path --------------------------------------------------------------------- */

struct walk {
  pid_t pid, tid;
  unsigned links;           /* followed so far */
  char done[PATH_MAX];      /* from the thread's root, without links; "" is the root itself */
  char rest[2 * PATH_MAX];  /* still to be followed */
  char here[PATH_MAX + 64]; /* `done` as we see it */
};

static const char *seen_from_here(struct walk *walk, const char *more)
{
  int size = snprintf(walk->here, sizeof walk->here, "/proc/%d/root%s%s", (int)walk->tid,
                      walk->done, more);
  return size < (int)sizeof walk->here ? walk->here : "";
}

static bool is_procfs(const char *path)
{
  struct statfs fs;
  return statfs(path, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Where /proc says that the thread's link leads, seen from its own root. */
static int read_place(struct walk *walk, const char *name, char *ret)
{
  char link[64], root[PATH_MAX];
  snprintf(link, sizeof link, "/proc/%d/root", (int)walk->tid);
  ssize_t root_size = readlink(link, root, sizeof root);
  snprintf(link, sizeof link, "/proc/%d/%s", (int)walk->tid, name);
  ssize_t size = readlink(link, ret, PATH_MAX - 1);
  if (size < 0 || root_size < 0)
    return strncmp(name, "fd/", 3) == 0 ? -EBADF : -errno;
  ret[size] = '\0';
  bool inside = root_size > 1 && strncmp(ret, root, (size_t)root_size) == 0 &&
                (ret[root_size] == '/' || ret[root_size] == '\0');
  if (inside)
    memmove(ret, ret + root_size, (size_t)(size - root_size) + 1);
  return ret[0] == '/' || (inside && ret[0] == '\0') ? 0 : -ENOTDIR;
}

/* Put the text of a link in front of what is left. */
static int follow(struct walk *walk, const char *text)
{
  char rest[sizeof walk->rest];
  if (++walk->links > LINKS_MAX)
    return -ELOOP;
  int size = snprintf(rest, sizeof rest, "%s%s%s", text, *walk->rest ? "/" : "", walk->rest);
  if (size >= (int)sizeof rest)
    return -ENAMETOOLONG;
  memcpy(walk->rest, rest, (size_t)size + 1);
  if (text[0] == '/')
    walk->done[0] = '\0';
  return 0;
}

/* The link `name` in `done`: its text, adapted to the thread. In a proc file system "self" is the
 * thread's process, and a link to something without a name is an end in itself. Returns the size;
 * -EINVAL for what is no link. */
static ssize_t read_link(struct walk *walk, const char *name, char text[PATH_MAX])
{
  char tail[NAME_MAX + 2];
  snprintf(tail, sizeof tail, "/%s", name);
  ssize_t size = readlink(seen_from_here(walk, tail), text, PATH_MAX - 1);
  if (size < 0)
    return -errno;
  text[size] = '\0';
  if (!is_procfs(seen_from_here(walk, "")))
    return size;
  if (strcmp(name, "self") == 0)
    return snprintf(text, PATH_MAX, "%d", (int)walk->pid);
  if (strcmp(name, "thread-self") == 0)
    return snprintf(text, PATH_MAX, "%d/task/%d", (int)walk->pid, (int)walk->tid);
  bool deleted = size > 10 && strcmp(text + size - 10, " (deleted)") == 0;
  bool nameless = text[0] != '/' && strchr(text, ':');
  return deleted || nameless ? -EINVAL : size;
}

static int append(struct walk *walk, const char *name)
{
  size_t size = strlen(walk->done), more = strlen(name);
  if (size + more + 2 > sizeof walk->done)
    return -ENAMETOOLONG;
  walk->done[size] = '/';
  memcpy(walk->done + size + 1, name, more + 1);
  return 0;
}

/* One component. `last`: nothing follows, so it need not exist. */
static int step(struct walk *walk, const char *name, bool last, bool follow_last)
{
  char text[PATH_MAX];
  bool up = strcmp(name, "..") == 0;
  if (up || strcmp(name, ".") == 0) {
    if (access(seen_from_here(walk, "/."), F_OK) != 0)
      return -errno;
    char *slash = strrchr(walk->done, '/');
    if (up && slash)
      *slash = '\0';
    return 0;
  }
  ssize_t size = last && !follow_last ? -EINVAL : read_link(walk, name, text);
  if (size >= 0)
    return follow(walk, text);
  if (size != -EINVAL && !(size == -ENOENT && last))
    return (int)size;
  return append(walk, name);
}

static int resolve(struct walk *walk, bool follow_last)
{
  while (*walk->rest) {
    char *from = walk->rest + strspn(walk->rest, "/"), name[NAME_MAX + 1];
    size_t size = strcspn(from, "/"), skip = strspn(from + size, "/");
    bool last = from[size + skip] == '\0';
    if (size > NAME_MAX)
      return -ENAMETOOLONG;
    memcpy(name, from, size);
    name[size] = '\0';
    bool slash = last && skip > 0; /* a slash at the end follows the link in front of it */
    memmove(walk->rest, from + size + skip, strlen(from + size + skip) + 1);
    int error = size ? step(walk, name, last, follow_last || slash) : 0;
    if (error)
      return error;
  }
  return 0;
}

/* Where the path begins. */
static int begin(struct walk *walk, const char *text, int64_t dirfd)
{
  char name[32] = "cwd", place[PATH_MAX];
  if (text[0] == '/')
    return 0;
  if (dirfd >= 0)
    snprintf(name, sizeof name, "fd/%lld", (long long)dirfd);
  int error = read_place(walk, name, place);
  if (!error && strcmp(place, "/") != 0)
    memcpy(walk->done, place, strlen(place) + 1);
  return error;
}

/* core.resolve(t, text, dirfd, follow) -> path | nil, message, code */
static int core_resolve(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  if (lua_isnil(L, 2))
    return bind_failure(L, EFAULT);
  size_t size;
  const char *text = luaL_checklstring(L, 2, &size);
  int64_t dirfd = lua_isnoneornil(L, 3) ? -1 : bind_check_int64(L, 3);
  struct walk walk = {.pid = box->pid, .tid = box->tid};
  bind_live_thread(L, box);
  if (size == 0 || strlen(text) != size)
    return bind_failure(L, size ? EINVAL : ENOENT);
  if (size >= PATH_MAX)
    return bind_failure(L, ENAMETOOLONG);
  memcpy(walk.rest, text, size + 1);
  int error = begin(&walk, text, dirfd);
  if (!error)
    error = resolve(&walk, lua_toboolean(L, 4));
  if (error)
    return bind_failure(L, error);
  lua_pushstring(L, walk.done[0] ? walk.done : "/");
  return 1;
}

void bind_open_paths(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"paths", core_paths},
      {"resolve", core_resolve},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
