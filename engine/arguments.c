/* arguments.c - arguments of a function that has not run its first instruction.
 *
 * Code that is not optimised copies its arguments to the places that the debug information names;
 * before that, they are where the calling convention has them, which follows from their types. */
#include <errno.h>
#include <string.h>

#include "object.h"

#define ARGUMENTS_MAX 64
#define CHAIN_MAX 32

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

/* False: how it is passed depends on more than can be told here. */
static bool classify(const struct lt_type *type, unsigned word, struct lt_arg_class *ret)
{
  bool is_base = type->kind == LT_TYPE_BASE;
  uint64_t size = type->size == UINT64_MAX ? word : type->size;
  *ret = (struct lt_arg_class){.how = LT_ARG_IN_INTEGER, .size = (uint32_t)size};
  if (is_aggregate(type)) {
    ret->how = LT_ARG_ON_STACK;
    return word == 4 || (size > 16 && type->flags & LT_TYPE_TAGGED);
  }
  if (is_base && type->encoding == LT_ENC_FLOAT)
    ret->how = size > 8 ? LT_ARG_ON_STACK : LT_ARG_IN_FLOAT;
  else if (is_base && (type->encoding == LT_ENC_OTHER || size > 8))
    return word == 4;
  return size <= 1 << 20;
}

static int classify_ref(lt_thread *thread, struct lt_type_ref ref, unsigned word,
                        struct lt_arg_class *ret)
{
  struct lt_type *type;
  int error = get_plain(thread, ref, &type);
  if (error)
    return error;
  bool known = classify(type, word, ret);
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

static int location_of(struct lt_view *view, const struct lt_arg_place *place, lt_object **ret)
{
  const struct lt_dwarf_regs *dwarf = view->cursor.arch->dwarf;
  if (!place->reg)
    return lt_object_at(view, view->cursor.sp + place->offset, ret);
  for (unsigned i = 0; i < dwarf->names; i++) {
    if (dwarf->name[i] && strcmp(dwarf->name[i], place->reg) == 0) {
      struct lt_place found;
      found.count = 1;
      found.piece[0] = (struct lt_piece){.kind = LT_PIECE_REGISTER, .value = i};
      return lt_object_make(view, &found, ret);
    }
  }
  return -ENODATA;
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
    classes[count++] = (struct lt_arg_class){.how = LT_ARG_IN_INTEGER, .size = arch->word};
  for (size_t i = 0; !error && i <= index; i++)
    error = classify_ref(thread, types[i], arch->word, &classes[count++]);
  if (error)
    return lt_fail(
        thread->session, -ENODATA,
        "not available at this instruction: the function has not stored its arguments yet");
  arch->entry_argument(classes, count - 1, &place);
  return location_of(view, &place, ret);
}
