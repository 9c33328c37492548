/* arguments.c - arguments of a function that has not run its first instruction.
 *
 * Code that is not optimised copies its arguments to the places that the debug information names;
 * before that, they are where the calling convention has them, which follows from their types. */
#include <errno.h>
#include <string.h>

#include "object.h"

#define ARGUMENTS_MAX 64
#define CHAIN_MAX 32
#define DEPTH_MAX 6
#define PARTS_MAX 64

/* The type below its names and qualifiers. */
static int get_plain(lt_thread *thread, struct lt_type_ref ref, struct lt_type **ret)
{
  for (int i = 0; i < CHAIN_MAX && ref.where; i++) {
    struct lt_type *type;
    int error = lt_type_get(thread, ref, &type);
    if (error)
      return error;
    if (type->kind < LT_TYPE_TYPEDEF || type->kind > LT_TYPE_QUALIFIED) {
      *ret = type;
      return 0;
    }
    ref = type->target;
    lt_type_free(type);
  }
  return -ENODATA;
}

static bool is_aggregate(const struct lt_type *type)
{
  return type->kind == LT_TYPE_STRUCT || type->kind == LT_TYPE_CLASS ||
         type->kind == LT_TYPE_UNION || type->kind == LT_TYPE_ARRAY ||
         type->kind == LT_TYPE_MEMBER_POINTER;
}

/* What of a struct is in its first and second eight bytes. */
struct halves {
  lt_thread *thread;
  bool any[2], integer[2];
  unsigned budget; /* members that are looked at */
};

static bool look_into(struct halves *halves, struct lt_type_ref ref, uint64_t at, unsigned depth);

static bool look_at_parts(struct halves *halves, const struct lt_type *type, uint64_t at,
                          unsigned depth)
{
  for (size_t i = 0; i < type->count; i++)
    if (!look_into(halves, type->parts[i].type, at + type->parts[i].value / 8, depth + 1))
      return false;
  return true;
}

static bool look_at_elements(struct halves *halves, const struct lt_type *type, uint64_t at,
                             unsigned depth)
{
  struct lt_type *element;
  if (type->count != 1 || get_plain(halves->thread, type->target, &element))
    return false;
  uint64_t size = element->size, count = type->parts[0].value;
  lt_type_free(element);
  if (!size || size > 16 || count > 16)
    return false;
  for (uint64_t i = 0; i < count; i++)
    if (!look_into(halves, type->target, at + i * size, depth + 1))
      return false;
  return true;
}

static bool look_at_scalar(struct halves *halves, const struct lt_type *type, uint64_t at,
                           unsigned word)
{
  uint64_t size = type->size == UINT64_MAX ? word : type->size;
  if (at >= 16 || !size || size > 8 || at % size)
    return false;
  halves->any[at / 8] = true;
  if (type->kind != LT_TYPE_BASE || type->encoding != LT_ENC_FLOAT)
    halves->integer[at / 8] = true;
  return type->kind != LT_TYPE_BASE || type->encoding != LT_ENC_OTHER;
}

/* False: it holds something that is not passed in such registers, or cannot be told. */
static bool look_into(struct halves *halves, struct lt_type_ref ref, uint64_t at, unsigned depth)
{
  struct lt_type *type;
  if (depth > DEPTH_MAX || !halves->budget-- || get_plain(halves->thread, ref, &type))
    return false;
  bool fine;
  if (type->kind == LT_TYPE_STRUCT || type->kind == LT_TYPE_UNION)
    fine = look_at_parts(halves, type, at, depth);
  else if (type->kind == LT_TYPE_ARRAY)
    fine = look_at_elements(halves, type, at, depth);
  else
    fine = look_at_scalar(halves, type, at, 8);
  lt_type_free(type);
  return fine;
}

/* A struct of C of 16 bytes at most. */
static bool classify_struct(lt_thread *thread, const struct lt_type *type, struct lt_arg_class *ret)
{
  struct halves halves = {.thread = thread, .budget = PARTS_MAX};
  if (!(type->flags & LT_TYPE_TAGGED) || type->kind == LT_TYPE_ARRAY ||
      !look_at_parts(&halves, type, 0, 0) || !halves.any[0])
    return false;
  ret->count = (uint8_t)(1 + halves.any[1]);
  for (int i = 0; i < 2; i++)
    ret->how[i] = halves.integer[i] ? LT_ARG_IN_INTEGER : LT_ARG_IN_FLOAT;
  return true;
}

/* False: how it is passed depends on more than can be told here. */
static bool classify(lt_thread *thread, const struct lt_type *type, unsigned word,
                     struct lt_arg_class *ret)
{
  bool is_base = type->kind == LT_TYPE_BASE;
  uint64_t size = type->size == UINT64_MAX ? word : type->size;
  *ret = (struct lt_arg_class){.count = 1, .size = (uint32_t)size};
  if (size > 1 << 20)
    return false;
  if (is_aggregate(type) && word == 8 && size <= 16)
    return classify_struct(thread, type, ret);
  if (is_aggregate(type)) {
    ret->count = 0;
    return word == 4 || type->flags & LT_TYPE_TAGGED;
  }
  if (is_base && type->encoding == LT_ENC_FLOAT) {
    ret->count = size <= 8;
    ret->how[0] = LT_ARG_IN_FLOAT;
  } else if (is_base && (type->encoding == LT_ENC_OTHER || size > 8)) {
    return word == 4;
  }
  return true;
}

static int classify_ref(lt_thread *thread, struct lt_type_ref ref, unsigned word,
                        struct lt_arg_class *ret)
{
  struct lt_type *type;
  int error = get_plain(thread, ref, &type);
  if (error)
    return error;
  bool known = classify(thread, type, word, ret);
  lt_type_free(type);
  return known ? 0 : -ENODATA;
}

/* A result in memory is one more argument: its address comes first. -ENODATA: it may be. */
static int has_hidden_argument(lt_thread *thread, struct lt_type_ref result, unsigned word)
{
  struct lt_type *type;
  if (!result.where)
    return 0;
  int error = get_plain(thread, result, &type);
  if (error)
    return error;
  bool small = type->size <= 16, is = is_aggregate(type), c = type->flags & LT_TYPE_TAGGED;
  lt_type_free(type);
  if (!is)
    return 0;
  return word == 4 || !small ? 1 : c ? 0 : -ENODATA;
}

static int number_of(const struct lt_view *view, const char *name)
{
  const struct lt_dwarf_regs *dwarf = view->cursor.arch->dwarf;
  for (unsigned i = 0; i < dwarf->names; i++)
    if (dwarf->name[i] && strcmp(dwarf->name[i], name) == 0)
      return (int)i;
  return -1;
}

/* One that is in two registers is in pieces. */
static int object_in(const struct lt_view *view, const struct lt_arg_place *place, uint32_t size,
                     lt_object **ret)
{
  struct lt_place found;
  if (!place->reg[0])
    return lt_object_at(view, view->cursor.sp + place->offset, ret);
  for (found.count = 0; found.count < 2 && place->reg[found.count]; found.count++) {
    int number = number_of(view, place->reg[found.count]);
    if (number < 0)
      return -ENODATA;
    uint32_t left = size * 8 - found.count * 64;
    found.piece[found.count] =
        (struct lt_piece){.kind = LT_PIECE_REGISTER, .value = (uint64_t)number};
    if (place->reg[1])
      found.piece[found.count].bits = left < 64 ? left : 64;
  }
  return lt_object_make(view, &found, ret);
}

int lt_argument_at_entry(struct lt_view *view, const struct lt_type_ref *types, size_t index,
                         struct lt_type_ref result, lt_object **ret)
{
  struct lt_arg_class classes[ARGUMENTS_MAX + 1];
  struct lt_arg_place place;
  lt_thread *thread = view->cursor.thread;
  const struct lt_arch *arch = view->cursor.arch;
  int hidden = has_hidden_argument(thread, result, arch->word);
  int error = hidden < 0 ? hidden : index >= ARGUMENTS_MAX ? -ENODATA : 0;
  size_t count = 0;
  if (hidden > 0)
    classes[count++] = (struct lt_arg_class){.count = 1, .size = arch->word};
  for (size_t i = 0; !error && i <= index; i++)
    error = classify_ref(thread, types[i], arch->word, &classes[count++]);
  if (error)
    return lt_fail(
        thread->session, -ENODATA,
        "not available at this instruction: the function has not stored its arguments yet");
  arch->entry_argument(classes, count - 1, &place);
  return object_in(view, &place, classes[count - 1].size, ret);
}
