/* errors.c - the error boundary, and the ways in which primitives fail.
 *
 * Normal failures return nil, a message and a name. Misuse raises an error that names the line of
 * the script, however deep in the prelude it was noticed. A thread that died under a handler
 * raises a `gone` object. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"

#define GONE "luatrace.gone" /* registry key of its metatable */

/* ---- Where -------------------------------------------------------------------------------- */

/* The prelude's chunks are named "=luatrace.NAME" ("=luatrace" for init.lua). */
static bool is_prelude(const lua_Debug *ar)
{
  return strncmp(ar->source, "=luatrace", 9) == 0;
}

/* Push "script.lua:12: ", the line of a script that runs now; "" if there is none. */
static void push_where(lua_State *L)
{
  lua_Debug ar;
  for (int level = 0; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline > 0 && !is_prelude(&ar)) {
      lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

void bind_raise(lua_State *L, const char *format, ...)
{
  char text[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  push_where(L);
  lua_pushstring(L, text);
  lua_concat(L, 2);
  lua_error(L);
  abort(); /* lua_error() does not return */
}

/* ---- Failures ----------------------------------------------------------------------------- */

int bind_failure_text(lua_State *L, int error, const char *text)
{
  const char *name = lt_errno_name(abs(error));
  lua_pushnil(L);
  if (name)
    lua_pushfstring(L, "%s: %s", name, text);
  else
    lua_pushfstring(L, "error %d: %s", abs(error), text);
  if (name)
    lua_pushstring(L, name);
  else
    lua_pushinteger(L, abs(error));
  return 3;
}

int bind_failure(lua_State *L, int error)
{
  const char *text = lt_errno_text(abs(error));
  return bind_failure_text(L, error, text ? text : "unknown error");
}

void bind_check_access(lua_State *L, const struct bind_thread *box, int error)
{
  if (error == -EBUSY)
    bind_raise(L, "thread %d is running; only a stopped thread's registers and memory can be used",
               (int)box->tid);
  if (error == -ESRCH) {
    bind_push_gone(L, "thread", box->tid, true);
    lua_error(L);
  }
}

/* ---- Gone --------------------------------------------------------------------------------- */

void bind_push_gone(lua_State *L, const char *what, pid_t id, bool quiet)
{
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, id);
  lua_setfield(L, -2, what[0] == 't' ? "tid" : "pid");
  lua_pushfstring(L, "%s %d is gone", what, (int)id);
  lua_setfield(L, -2, "message");
  lua_pushboolean(L, quiet);
  lua_setfield(L, -2, "quiet");
  push_where(L);
  lua_setfield(L, -2, "where");
  luaL_setmetatable(L, GONE);
}

/* __tostring: "thread 12 is gone" */
static int gone_tostring(lua_State *L)
{
  lua_getfield(L, 1, "message");
  return 1;
}

static const luaL_Reg gone_meta[] = {
    {"__tostring", gone_tostring},
    {NULL, NULL},
};

/* core.gone(tid) -> object: what a waiting handler gets when its thread ends. */
static int core_gone(lua_State *L)
{
  bind_push_gone(L, "thread", (pid_t)luaL_checkinteger(L, 1), true);
  return 1;
}

/* core.is_gone(value) -> whether it is such an object */
static int core_is_gone(lua_State *L)
{
  bool is = lua_istable(L, 1) && lua_getmetatable(L, 1);
  if (is) {
    luaL_getmetatable(L, GONE);
    is = lua_rawequal(L, -1, -2);
  }
  lua_pushboolean(L, is);
  return 1;
}

/* core.where() -> "script.lua:12: ", or "" outside of scripts */
static int core_where(lua_State *L)
{
  push_where(L);
  return 1;
}

/* core.raise(message): raises it with the position of the script's innermost line */
static int core_raise(lua_State *L)
{
  luaL_checkstring(L, 1);
  push_where(L);
  lua_pushvalue(L, 1);
  lua_concat(L, 2);
  return lua_error(L);
}

/* core.warn(message): writes "luatrace: MESSAGE" to stderr, harmless for a terminal */
static int core_warn(lua_State *L)
{
  bind_warn(luaL_checkstring(L, 1));
  return 0;
}

/* ---- The boundary ------------------------------------------------------------------------- */

/* The message handler: any error value as text with a traceback. */
static int traceback(lua_State *L)
{
  const char *message = lua_tostring(L, 1);
  if (!message && luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
    message = lua_tostring(L, -1);
  if (!message)
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  luaL_traceback(L, L, message, 1);
  return 1;
}

bool bind_protected(struct binding *binding, int arguments, int results)
{
  lua_State *L = binding->L;
  int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, traceback);
  lua_insert(L, base);
  int status = lua_pcall(L, arguments, results, base);
  lua_remove(L, base);
  if (status == LUA_OK)
    return true;
  const char *message = lua_tostring(L, -1);
  bind_warn(message ? message : "error without a message");
  lua_pop(L, 1);
  binding->end = (struct bind_ending){.decided = true, .code = 125};
  lt_interrupt(binding->session);
  return false;
}

void bind_warn(const char *text)
{
  size_t size = 0;
  char *line = bind_harmless(text, strlen(text), &size);
  fflush(stdout);
  fprintf(stderr, "luatrace: %s\n", line ? line : "out of memory");
  free(line);
}

void bind_warnf(const char *format, ...)
{
  char text[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  bind_warn(text);
}

void bind_open_errors(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"gone", core_gone},   {"is_gone", core_is_gone}, {"where", core_where},
      {"raise", core_raise}, {"warn", core_warn},       {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, GONE);
  luaL_setfuncs(L, gone_meta, 0);
  lua_pop(L, 1);
}
