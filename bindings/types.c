/* types.c - types as tables, for the prelude (scripts/luatrace/types.lua, which says what is in
 * them). */
#include <errno.h>

#include "binding.h"

static const char *const kinds[] = {
    [LT_TYPE_BASE] = "base",
    [LT_TYPE_UNSPECIFIED] = "pointer",
    [LT_TYPE_POINTER] = "pointer",
    [LT_TYPE_REFERENCE] = "reference",
    [LT_TYPE_RVALUE_REFERENCE] = "reference",
    [LT_TYPE_MEMBER_POINTER] = "member pointer",
    [LT_TYPE_STRUCT] = "struct",
    [LT_TYPE_CLASS] = "class",
    [LT_TYPE_UNION] = "union",
    [LT_TYPE_ENUM] = "enum",
    [LT_TYPE_ARRAY] = "array",
    [LT_TYPE_TYPEDEF] = "typedef",
    [LT_TYPE_CONST] = "const",
    [LT_TYPE_VOLATILE] = "volatile",
    [LT_TYPE_QUALIFIED] = "qualified",
    [LT_TYPE_FUNCTION] = "function",
};

static const char *const encodings[] = {
    [LT_ENC_UNSIGNED] = "unsigned", [LT_ENC_SIGNED] = "signed", [LT_ENC_CHAR] = "char",
    [LT_ENC_UCHAR] = "uchar",       [LT_ENC_UTF] = "utf",       [LT_ENC_BOOL] = "bool",
    [LT_ENC_FLOAT] = "float",       [LT_ENC_OTHER] = "other",
};

static void set_text(lua_State *L, const char *key, const char *text)
{
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static void set_number(lua_State *L, const char *key, uint64_t number)
{
  compat_push_int64(L, (int64_t)number);
  lua_setfield(L, -2, key);
}

static void set_flag(lua_State *L, const char *key, bool flag)
{
  if (!flag)
    return;
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, key);
}

static void push_part(lua_State *L, const struct lt_part *part)
{
  lua_newtable(L);
  set_text(L, "name", part->name);
  if (part->value != UINT64_MAX)
    set_number(L, "value", part->value);
  if (part->type.where)
    set_number(L, "where", part->type.where);
  if (part->flags & LT_PART_BITS)
    set_number(L, "bits", part->bits);
  if (part->flags & LT_PART_VARIANT)
    set_number(L, "discriminant", part->discriminant);
  set_flag(L, "base", part->flags & LT_PART_BASE);
  set_flag(L, "elsewhere", part->flags & LT_PART_ELSEWHERE);
  set_flag(L, "variant", part->flags & LT_PART_VARIANT);
  set_flag(L, "otherwise", part->flags & LT_PART_OTHERWISE);
  set_flag(L, "chooses", part->flags & LT_PART_DISCRIMINANT);
  set_flag(L, "more", part->flags & LT_PART_MORE);
}

/* An enumerator's value is a number even if it is -1. */
static void push_parts(lua_State *L, const struct lt_type *type)
{
  lua_createtable(L, (int)type->count, 0);
  for (size_t i = 0; i < type->count; i++) {
    push_part(L, &type->parts[i]);
    if (type->kind == LT_TYPE_ENUM)
      set_number(L, "value", type->parts[i].value);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static int push_type(lua_State *L, const struct lt_type *type)
{
  lua_newtable(L);
  set_text(L, "kind", kinds[type->kind]);
  set_text(L, "encoding", encodings[type->encoding]);
  set_text(L, "name", type->name);
  set_number(L, "file", type->self.file);
  set_number(L, "where", type->self.where);
  if (type->target.where)
    set_number(L, "target", type->target.where);
  if (type->size != UINT64_MAX)
    set_number(L, "size", type->size);
  set_flag(L, "tagged", type->flags & LT_TYPE_TAGGED);
  set_flag(L, "incomplete", type->flags & LT_TYPE_INCOMPLETE);
  set_flag(L, "rvalue", type->kind == LT_TYPE_RVALUE_REFERENCE);
  set_flag(L, "unspecified", type->kind == LT_TYPE_UNSPECIFIED);
  push_parts(L, type);
  lua_setfield(L, -2, "parts");
  return 1;
}

/* Lua errors for lack of memory must not lose the type: it is freed when the userdata is. */
struct holder {
  struct lt_type *type;
};

static int free_holder(lua_State *L)
{
  struct holder *holder = lua_touserdata(L, 1);
  lt_type_free(holder->type);
  holder->type = NULL;
  return 0;
}

#define HOLDER "luatrace.type"

static struct holder *new_holder(lua_State *L)
{
  struct holder *holder = compat_new_userdata(L, sizeof *holder);
  holder->type = NULL;
  luaL_setmetatable(L, HOLDER);
  return holder;
}

static int finish(lua_State *L, struct bind_thread *box, struct holder *holder, int error)
{
  bind_check_access(L, box, error);
  if (error)
    return bind_failure_text(L, error, lt_error(bind_of(L)->session));
  push_type(L, holder->type);
  lt_type_free(holder->type);
  holder->type = NULL;
  return 1;
}

/* core.type_get(t, file, where) -> type | nil, message, code */
static int core_type_get(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  struct lt_type_ref ref = {(uint32_t)bind_check_int64(L, 2), (uint64_t)bind_check_int64(L, 3)};
  struct holder *holder = new_holder(L);
  return finish(L, box, holder, lt_type_get(thread, ref, &holder->type));
}

/* core.type_find(t, name) -> type | nil, message, code */
static int core_type_find(lua_State *L)
{
  struct bind_thread *box = bind_check(L, 1, BIND_THREAD);
  lt_thread *thread = bind_live_thread(L, box);
  const char *name = luaL_checkstring(L, 2);
  struct holder *holder = new_holder(L);
  return finish(L, box, holder, lt_type_find(thread, name, &holder->type));
}

void bind_open_types(lua_State *L)
{
  luaL_newmetatable(L, HOLDER);
  lua_pushcfunction(L, free_holder);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_pushcfunction(L, core_type_get);
  lua_setfield(L, -2, "type_get");
  lua_pushcfunction(L, core_type_find);
  lua_setfield(L, -2, "type_find");
}
