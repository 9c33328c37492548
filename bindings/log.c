/* log.c - logs of system calls: the lines of the strace script, made without a string of Lua.
 *
 * A log stands where the function of an on_syscall handler would. At a call's entry it keeps the
 * line as far as it is known, at the exit it writes the whole one. Where another line comes in
 * between, the first ends in "<unfinished ...>" and is resumed later. A log that is live shows the
 * beginning at once, as people may be waiting for the end. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "binding.h"
#include "log.h"

#define LOG "luatrace.call_log" /* registry key of the metatable */
#define RESULT_COLUMN 39
#define LINE 1024

/* A call that has begun. */
struct log_call {
  char *text; /* of its line, up to the closing parenthesis */
  size_t room, length, shown;
  size_t column; /* at which what comes after `shown` bytes of it begins */
  uint64_t seq;  /* lt_thread_call_seq() */
  double began;
  bool in;
};

struct log_slot {
  struct log_call *call; /* NULL: never had one */
};

struct bind_log {
  FILE *out;
  bool tids, time, spent, live;
  pid_t first; /* the first thread that had a line */
  pid_t tid;   /* whose `id` is made */
  char id[32];
  bool several;
  struct log_slot *calls; /* by slot of the thread */
  unsigned count;
  unsigned open; /* slot from 1 of the call whose line has no end yet; 0: none */
  char *head;    /* of that line, which is not written yet unless the log is live */
  size_t head_room, head_length;
  char *line; /* being made */
  size_t line_room, line_length;
  time_t second;
  char clock[16];
};

/* ---- Text --------------------------------------------------------------------------------- */

static void add(lua_State *L, struct bind_log *log, const char *bytes, size_t size)
{
  if (!log->line || log->line_length + size > log->line_room) {
    size_t room = (log->line_length + size) * 2 + LINE;
    char *line = realloc(log->line, room);
    if (!line) {
      luaL_error(L, "not enough memory");
      return; /* it does not come here */
    }
    log->line = line;
    log->line_room = room;
  }
  memcpy(log->line + log->line_length, bytes, size);
  log->line_length += size;
}

static void add_text(lua_State *L, struct bind_log *log, const char *text)
{
  add(L, log, text, strlen(text));
}

/* What was written last is not flushed unless the log is live. */
static void write_out(struct bind_log *log, const char *bytes, size_t size)
{
  fwrite(bytes, 1, size, log->out);
}

static const char *clock_of(struct bind_log *log)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct tm parts;
  if (now.tv_sec != log->second && localtime_r(&now.tv_sec, &parts)) {
    log->second = now.tv_sec;
    strftime(log->clock, sizeof log->clock, "%H:%M:%S ", &parts);
  }
  return log->clock;
}

/* ---- Lines -------------------------------------------------------------------------------- */

/* The line that is open is left unfinished. */
static void interrupt(lua_State *L, struct bind_log *log)
{
  if (!log->open)
    return;
  const struct log_call *call = log->calls[log->open - 1].call;
  log->open = 0;
  log->line_length = 0;
  if (!log->live)
    add(L, log, log->head, log->head_length);
  add(L, log, call->text + call->shown, call->length - call->shown);
  add_text(L, log, " <unfinished ...>\n");
  write_out(log, log->line, log->line_length);
}

/* Begin a line of this thread in log->line. */
static void begin(lua_State *L, struct bind_log *log, pid_t tid)
{
  interrupt(L, log);
  log->several = log->several || (log->first && log->first != tid);
  log->first = log->first ? log->first : tid;
  if (log->tids && log->tid != tid)
    snprintf(log->id, sizeof log->id, "%-5d ", (int)tid);
  else if (log->several && !log->tids)
    snprintf(log->id, sizeof log->id, "[pid %5d] ", (int)tid);
  log->tid = tid;
  log->line_length = 0;
  add_text(L, log, log->id);
  if (log->time)
    add_text(L, log, clock_of(log));
}

/* Pad to the column of results and end the line. `rest` is what comes after the arguments. */
static void add_result(lua_State *L, struct bind_log *log, size_t column, const char *result,
                       size_t size, double began)
{
  char spaces[RESULT_COLUMN], spent[32];
  memset(spaces, ' ', sizeof spaces);
  if (column < RESULT_COLUMN)
    add(L, log, spaces, RESULT_COLUMN - column);
  add(L, log, " = ", 3);
  add(L, log, result, size);
  if (log->spent && !(size == 1 && *result == '?')) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double end = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    snprintf(spent, sizeof spent, " <%.6f>", end - began);
    add_text(L, log, spent);
  }
  add(L, log, "\n", 1);
  write_out(log, log->line, log->line_length);
}

/* ---- Calls -------------------------------------------------------------------------------- */

static struct log_call *call_of(lua_State *L, struct bind_log *log, unsigned slot)
{
  if (slot >= log->count) {
    unsigned count = slot + 16;
    struct log_slot *calls = realloc(log->calls, count * sizeof *calls);
    if (!calls) {
      luaL_error(L, "not enough memory");
      return NULL; /* it does not come here */
    }
    memset(calls + log->count, 0, (count - log->count) * sizeof *calls);
    log->calls = calls;
    log->count = count;
  }
  struct log_call **call = &log->calls[slot].call;
  if (!*call && !(*call = calloc(1, sizeof **call)))
    luaL_error(L, "not enough memory");
  return *call;
}

/* Make *text, which has room for *room, hold the whole line; returns its length. */
static size_t format(lua_State *L, lt_thread *thread, bool keep, char **text, size_t *room)
{
  for (;;) {
    size_t size = lt_call_line(thread, keep, *text, *room);
    if (size < *room)
      return size;
    char *more = realloc(*text, size + LINE);
    if (!more)
      luaL_error(L, "not enough memory");
    *text = more;
    *room = size + LINE;
  }
}

/* What is at an address may come with the result: the text is shown up to the first one. */
static size_t shown_part(const char *text, size_t length)
{
  for (size_t i = 0; i + 2 < length; i++)
    if (text[i + 1] == '0' && text[i + 2] == 'x' &&
        (text[i] == ' ' || text[i] == '(' || text[i] == '='))
      return i + 1;
  return length;
}

void bind_log_entry(lua_State *L, struct bind_log *log, const struct bind_thread *box)
{
  static const char end[] = ") = ?";
  struct log_call *call = call_of(L, log, box->slot);
  size_t length = format(L, box->thread, true, &call->text, &call->room);
  if (length >= sizeof end - 1 &&
      memcmp(call->text + length - sizeof end + 1, end, sizeof end) == 0)
    length -= sizeof end - 1;
  begin(L, log, lt_thread_tid(box->thread));
  call->length = length;
  call->shown = shown_part(call->text, length);
  add(L, log, call->text, call->shown);
  call->column = log->line_length;
  call->seq = lt_thread_call_seq(box->thread);
  call->in = true;
  if (log->spent) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    call->began = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
  }
  log->open = box->slot + 1;
  if (log->live) {
    write_out(log, log->line, log->line_length);
    return;
  }
  char *head = log->head;
  size_t room = log->head_room;
  log->head = log->line;
  log->head_room = log->line_room;
  log->head_length = log->line_length;
  log->line = head;
  log->line_room = room;
}

/* The name of the call that a line begins with. */
static size_t name_length(const struct log_call *call)
{
  const char *end = memchr(call->text, '(', call->length);
  return end ? (size_t)(end - call->text) : call->length;
}

/* The last " = " after a parenthesis: where the arguments end and the result begins. */
static size_t find_result(const char *whole, size_t length, size_t from)
{
  for (size_t i = length; i > from + 3; i--)
    if (memcmp(whole + i - 4, ") = ", 4) == 0)
      return i;
  return length;
}

static void finish(lua_State *L, struct bind_log *log, unsigned slot, pid_t tid, const char *whole,
                   size_t length)
{
  struct log_call *call = log->calls[slot].call;
  size_t from = 0, column = call->column;
  while (from < call->length && from < length && call->text[from] == whole[from])
    from++;
  bool goes_on = log->open == slot + 1 && from >= call->shown;
  if (goes_on) {
    from = call->shown;
    log->open = 0;
    log->line_length = 0;
    if (!log->live)
      add(L, log, log->head, log->head_length);
  } else {
    begin(L, log, tid);
    add_text(L, log, "<... ");
    add(L, log, call->text, name_length(call));
    add_text(L, log, " resumed>");
    column = log->line_length;
  }
  size_t result = find_result(whole, length, from), end = result == length ? length : result - 3;
  add(L, log, whole + from, end - from);
  add_result(L, log, column + end - from, whole + result, length - result, call->began);
  call->in = false;
}

void bind_log_exit(lua_State *L, struct bind_log *log, const struct bind_thread *box)
{
  char small[LINE], *whole = small;
  struct log_call *call = call_of(L, log, box->slot);
  if (!call->in || call->seq != lt_thread_call_seq(box->thread))
    return;
  size_t length = lt_call_line(box->thread, false, small, sizeof small);
  if (length >= sizeof small) {
    whole = lua_newuserdata(L, length + 1);
    size_t now = lt_call_line(box->thread, false, whole, length + 1);
    length = now < length ? now : length;
  }
  finish(L, log, box->slot, lt_thread_tid(box->thread), whole, length);
}

/* ---- What scripts see --------------------------------------------------------------------- */

struct bind_log *bind_log_test(lua_State *L, int index)
{
  return luaL_testudata(L, index, LOG);
}

static struct bind_log *check(lua_State *L)
{
  struct bind_log *log = bind_log_test(L, 1);
  if (!log)
    bind_raise(L, "call log expected, got %s (methods are called with a colon)",
               luaL_typename(L, 1));
  return log;
}

/* log:line(t, text): a line that is about the thread */
static int log_line(lua_State *L)
{
  struct bind_log *log = check(L);
  const struct bind_thread *box = bind_check(L, 2, BIND_THREAD);
  size_t size;
  const char *text = luaL_checklstring(L, 3, &size);
  begin(L, log, box->tid);
  add(L, log, text, size);
  add(L, log, "\n", 1);
  write_out(log, log->line, log->line_length);
  return 0;
}

/* log:lost(t): the thread is gone; the call that it was in will have no result */
static int log_lost(lua_State *L)
{
  struct bind_log *log = check(L);
  const struct bind_thread *box = bind_check(L, 2, BIND_THREAD);
  struct log_call *call = box->slot < log->count ? log->calls[box->slot].call : NULL;
  if (!call || !call->in)
    return 0;
  lua_pushlstring(L, call->text, call->length);
  lua_pushliteral(L, ") = ?");
  lua_concat(L, 2);
  size_t size;
  const char *whole = lua_tolstring(L, -1, &size);
  finish(L, log, box->slot, box->tid, whole, size);
  return 0;
}

/* log:close(): nothing more is traced; a line that is open ends */
static int log_close(lua_State *L)
{
  struct bind_log *log = check(L);
  if (log->open) {
    log->line_length = 0;
    if (!log->live)
      add(L, log, log->head, log->head_length);
    add_text(L, log, " <detached ...>\n");
    write_out(log, log->line, log->line_length);
    log->open = 0;
  }
  fflush(log->out);
  return 0;
}

static int log_free(lua_State *L)
{
  struct bind_log *log = check(L);
  for (unsigned i = 0; i < log->count; i++)
    if (log->calls[i].call) {
      free(log->calls[i].call->text);
      free(log->calls[i].call);
    }
  free(log->calls);
  free(log->head);
  free(log->line);
  *log = (struct bind_log){.out = NULL};
  return 0;
}

static bool option(lua_State *L, const char *name)
{
  lua_getfield(L, 2, name);
  bool on = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return on;
}

/* core.call_log(file, options) -> log */
static int core_call_log(lua_State *L)
{
  luaL_Stream *file = luaL_testudata(L, 1, LUA_FILEHANDLE);
  if (!file || !file->f)
    bind_raise(L, "call_log needs an open file, not a %s", luaL_typename(L, 1));
  luaL_checktype(L, 2, LUA_TTABLE);
  struct bind_log *log = compat_new_userdata(L, sizeof *log);
  *log = (struct bind_log){
      .out = file->f,
      .tids = option(L, "tids"),
      .time = option(L, "time"),
      .spent = option(L, "spent"),
      .live = option(L, "live"),
  };
  luaL_setmetatable(L, LOG);
  lua_pushvalue(L, -1);
  luaL_ref(L, LUA_REGISTRYINDEX); /* a call that began in it may still end */
  lua_pushvalue(L, 1);            /* keeps the file open */
  compat_set_reference(L, -2);
  return 1;
}

/* core.is_call_log(value) */
static int core_is_call_log(lua_State *L)
{
  lua_pushboolean(L, bind_log_test(L, 1) != NULL);
  return 1;
}

/* core.log_entry(log, t), core.log_exit(log, t): of the call that t is in */
static int core_log_entry(lua_State *L)
{
  bind_log_entry(L, check(L), bind_check(L, 2, BIND_THREAD));
  return 0;
}

static int core_log_exit(lua_State *L)
{
  bind_log_exit(L, check(L), bind_check(L, 2, BIND_THREAD));
  return 0;
}

void bind_open_logs(lua_State *L)
{
  static const luaL_Reg functions[] = {
      {"call_log", core_call_log},
      {"is_call_log", core_is_call_log},
      {"log_entry", core_log_entry},
      {"log_exit", core_log_exit},
      {NULL, NULL},
  };
  static const luaL_Reg methods[] = {
      {"line", log_line},
      {"lost", log_lost},
      {"close", log_close},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, LOG);
  lua_pushcfunction(L, log_free);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pushliteral(L, "call log");
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}
