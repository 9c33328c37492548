/* record.c - stop records as Lua tables, for on_stop, and what signals carry. */
#include <errno.h>
#include <string.h>

#include "binding.h"

static void set_int(lua_State *L, const char *name, int64_t value)
{
  compat_push_int64(L, value);
  lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *value)
{
  lua_pushstring(L, value); /* NULL pushes nil */
  lua_setfield(L, -2, name);
}

static void set_bool(lua_State *L, const char *name, bool value)
{
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

static void set_call(lua_State *L, const struct lt_call *call)
{
  bind_push_call_name(L, call->abi, call->nr);
  lua_setfield(L, -2, "name");
  set_int(L, "nr", (int64_t)call->nr);
  set_text(L, "abi", bind_abi_name(call->abi));
  lua_createtable(L, LT_CALL_ARGS, 0);
  for (int i = 0; i < LT_CALL_ARGS; i++) {
    compat_push_int64(L, (int64_t)call->args[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "args");
  if (call->done)
    set_int(L, "ret", call->ret);
}

static void set_details(lua_State *L, const struct lt_stop *stop)
{
  switch (stop->kind) {
  case LT_START:
  case LT_BIRTH:
    set_text(L, "how", bind_how_name(stop->u.start.how));
    if (stop->u.start.parent)
      set_int(L, "parent", stop->u.start.parent);
    break;
  case LT_SYSCALL_ENTRY:
  case LT_SYSCALL_EXIT:
    set_call(L, &stop->u.call);
    break;
  case LT_SIGNAL:
  case LT_GROUP_STOP:
    set_text(L, "signal", lt_signal_name(stop->u.signal.signo));
    break;
  case LT_CLONE:
    set_int(L, "child", stop->u.clone.child);
    set_text(L, "how", bind_how_name(stop->u.clone.how));
    set_int(L, "flags", (int64_t)stop->u.clone.flags);
    break;
  case LT_EXEC:
    set_int(L, "former_tid", stop->u.exec.former_tid);
    break;
  case LT_STEPPED:
    set_int(L, "count", (int64_t)stop->u.step.count);
    break;
  case LT_WATCH:
    set_int(L, "addr", (int64_t)stop->u.watch.addr);
    set_int(L, "pc", (int64_t)stop->u.watch.pc);
    set_int(L, "old", (int64_t)stop->u.watch.before);
    set_int(L, "new", (int64_t)stop->u.watch.after);
    set_int(L, "size", stop->u.watch.size);
    break;
  case LT_BREAK:
    set_int(L, "addr", (int64_t)stop->u.brk.addr);
    set_int(L, "id", stop->u.brk.id);
    set_bool(L, "hardware", stop->u.brk.hardware);
    break;
  case LT_RETURN:
    set_int(L, "addr", (int64_t)stop->u.ret.addr);
    break;
  case LT_EXITING:
  case LT_THREAD_EXIT:
  case LT_PROCESS_EXIT:
    set_bool(L, "known", stop->u.exit.known);
    set_bool(L, "core", stop->u.exit.core);
    if (stop->u.exit.signal)
      set_text(L, "signal", lt_signal_name(stop->u.exit.signal));
    else if (stop->u.exit.known)
      set_int(L, "code", stop->u.exit.code);
    break;
  default:
    break;
  }
}

/* core.record() -> table of the record that is being dispatched */
static int core_record(lua_State *L)
{
  const struct lt_stop *stop = bind_of(L)->stop;
  if (!stop)
    return luaL_error(L, "no record is being dispatched");
  lua_createtable(L, 0, 10);
  set_text(L, "kind", bind_kind_name(stop->kind));
  set_int(L, "seq", (int64_t)stop->seq);
  set_int(L, "status", stop->status);
  set_int(L, "tid", stop->tid);
  set_int(L, "pid", stop->pid);
  set_details(L, stop);
  return 1;
}

/* ---- Signals ------------------------------------------------------------------------------ */

static bool is_fault(int signo)
{
  return signo == SIGSEGV || signo == SIGBUS || signo == SIGFPE || signo == SIGILL ||
         signo == SIGTRAP;
}

/* core.signal_info(t) -> table { code, pid, uid, status, addr, value } of the signal that t is
 * about to get; without what does not apply to it */
static int core_signal_info(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  siginfo_t info;
  int error = lt_signal_info(bind_live_thread(L, box), &info);
  bind_check_access(L, box, error);
  lua_createtable(L, 0, 5);
  if (error)
    return 1;
  bool from_kernel = info.si_code > 0;
  set_int(L, "code", info.si_code);
  if (is_fault(info.si_signo) && from_kernel) {
    set_int(L, "addr", (int64_t)(uintptr_t)info.si_addr);
  } else if (!from_kernel || info.si_signo == SIGCHLD) {
    set_int(L, "pid", info.si_pid);
    set_int(L, "uid", info.si_uid);
  }
  if (info.si_signo == SIGCHLD && from_kernel)
    set_int(L, "status", info.si_status);
  if (info.si_code == SI_QUEUE || info.si_code == SI_TIMER || info.si_code == SI_MESGQ)
    set_int(L, "value", (int64_t)(uintptr_t)info.si_value.sival_ptr);
  return 1;
}

/* core.signal_replace(t, seq, signo) -> whether it was still time: t stands in stop number seq.
 * signo 0 suppresses the signal. */
static int core_signal_replace(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  bool in_time =
      lt_thread_stop(thread)->seq == (uint64_t)luaL_checkinteger(L, 2) && lt_thread_stopped(thread);
  lua_pushboolean(L, in_time && lt_signal_replace(thread, bind_check_signal(L, 3)) == 0);
  return 1;
}

/* What of siginfo applies to a signal; the others share their room. */
static bool applies(const siginfo_t *info, const char *field)
{
  bool from_kernel = info->si_code > 0;
  if (strcmp(field, "code") == 0)
    return true;
  if (strcmp(field, "addr") == 0)
    return is_fault(info->si_signo) && from_kernel;
  if (strcmp(field, "pid") == 0 || strcmp(field, "uid") == 0)
    return !from_kernel || info->si_signo == SIGCHLD;
  if (strcmp(field, "status") == 0)
    return info->si_signo == SIGCHLD && from_kernel;
  return info->si_code == SI_QUEUE || info->si_code == SI_TIMER || info->si_code == SI_MESGQ;
}

static void change_info(siginfo_t *info, const char *field, int64_t value)
{
  switch (field[0]) {
  case 'c':
    info->si_code = (int)value;
    break;
  case 'a':
    info->si_addr = (void *)(uintptr_t)value;
    break;
  case 'p':
    info->si_pid = (pid_t)value;
    break;
  case 'u':
    info->si_uid = (uid_t)value;
    break;
  case 's':
    info->si_status = (int)value;
    break;
  default:
    info->si_value.sival_ptr = (void *)(uintptr_t)value;
  }
}

/* The siginfo of the signal that t stands before, if it still stands in stop number `seq`. */
static lt_thread *check_signal_stop(lua_State *L, siginfo_t *ret)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = box->thread;
  bool in_time = thread && lt_thread_stopped(thread) &&
                 lt_thread_stop(thread)->seq == (uint64_t)luaL_checkinteger(L, 2);
  if (!in_time || lt_signal_info(thread, ret) != 0)
    bind_raise(L, "this signal is over");
  return thread;
}

/* core.signal_change(t, seq, field, value): what the program is to find in siginfo */
static int core_signal_change(lua_State *L)
{
  siginfo_t info;
  lt_thread *thread = check_signal_stop(L, &info);
  const char *field = luaL_checkstring(L, 3);
  int64_t value;
  if (!compat_to_int64(L, 4, &value))
    bind_raise(L, "sig.%s is an integer, not a %s", field, luaL_typename(L, 4));
  if (!applies(&info, field))
    bind_raise(L, "sig.%s: a %s with code %d has none (code decides what it carries)", field,
               lt_signal_name(info.si_signo), info.si_code);
  change_info(&info, field, value);
  if (lt_signal_set_info(thread, &info) != 0)
    bind_raise(L, "%s", lt_error(bind_of(L)->session));
  return 0;
}

/* core.signal_bytes(t, seq) -> the signal with its siginfo, for core.signal_resend */
static int core_signal_bytes(lua_State *L)
{
  siginfo_t info;
  check_signal_stop(L, &info);
  lua_pushlstring(L, (const char *)&info, sizeof info);
  return 1;
}

/* core.signal_resend(t, bytes): deliver such a signal now. -> true | nil, message, code */
static int core_signal_resend(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  size_t size;
  const char *bytes = luaL_checklstring(L, 2, &size);
  siginfo_t info;
  luaL_argcheck(L, size == sizeof info, 2, "siginfo expected");
  memcpy(&info, bytes, sizeof info);
  int error = lt_signal_resend(bind_live_thread(L, box), &info);
  if (error)
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  lua_pushboolean(L, 1);
  return 1;
}

void bind_open_records(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"record", core_record},
      {"signal_info", core_signal_info},
      {"signal_replace", core_signal_replace},
      {"signal_change", core_signal_change},
      {"signal_bytes", core_signal_bytes},
      {"signal_resend", core_signal_resend},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
