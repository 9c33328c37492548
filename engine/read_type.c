/* read_type.c - what a type is: one level of it, with references to what it is made of.
 *
 * Question: u8 how; LT_TYPE_BY_REF: u64 reference; LT_TYPE_BY_NAME: string ("struct foo", "foo_t",
 * "unsigned long", "ns::Class"), without pointers and arrays.
 * Answer: u8 kind (enum lt_type_kind), u8 encoding (enum lt_encoding), u8 flags (LT_TYPE_*),
 * u64 reference of what was described, u64 size in bytes (~0: not known), u64 reference of the type
 * that it refers to, string name, u32 count, and as many parts: u8 flags (LT_PART_*), string name,
 * u64 value, u64 reference of its type, u32 size in bits (0: that of its type), u64 discriminant.
 * The value is the offset in bits of a member, the number of an enumerator, the length of a
 * dimension (~0: not known). */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "luatrace.h"
#include "read_die.h"
#include "read_parts.h"
#include "read_variables.h"

#define STEPS_MAX 1000000U
#define NAME_MAX_SIZE 1024

static const struct {
  unsigned tag;
  enum lt_type_kind kind;
} kinds[] = {
    {DW_TAG_base_type, LT_TYPE_BASE},
    {DW_TAG_unspecified_type, LT_TYPE_UNSPECIFIED},
    {DW_TAG_pointer_type, LT_TYPE_POINTER},
    {DW_TAG_reference_type, LT_TYPE_REFERENCE},
    {DW_TAG_rvalue_reference_type, LT_TYPE_RVALUE_REFERENCE},
    {DW_TAG_ptr_to_member_type, LT_TYPE_MEMBER_POINTER},
    {DW_TAG_structure_type, LT_TYPE_STRUCT},
    {DW_TAG_class_type, LT_TYPE_CLASS},
    {DW_TAG_interface_type, LT_TYPE_CLASS},
    {DW_TAG_union_type, LT_TYPE_UNION},
    {DW_TAG_enumeration_type, LT_TYPE_ENUM},
    {DW_TAG_array_type, LT_TYPE_ARRAY},
    {DW_TAG_string_type, LT_TYPE_ARRAY},
    {DW_TAG_typedef, LT_TYPE_TYPEDEF},
    {DW_TAG_template_alias, LT_TYPE_TYPEDEF},
    {DW_TAG_subrange_type, LT_TYPE_TYPEDEF},
    {DW_TAG_const_type, LT_TYPE_CONST},
    {DW_TAG_volatile_type, LT_TYPE_VOLATILE},
    {DW_TAG_restrict_type, LT_TYPE_QUALIFIED},
    {DW_TAG_atomic_type, LT_TYPE_QUALIFIED},
    {DW_TAG_immutable_type, LT_TYPE_QUALIFIED},
    {DW_TAG_packed_type, LT_TYPE_QUALIFIED},
    {DW_TAG_shared_type, LT_TYPE_QUALIFIED},
    {DW_TAG_subroutine_type, LT_TYPE_FUNCTION},
};

static int kind_of(Dwarf_Die *die)
{
  int tag = dwarf_tag(die);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if ((int)kinds[i].tag == tag)
      return (int)kinds[i].kind;
  return -1;
}

static enum lt_encoding encoding_of(Dwarf_Die *die)
{
  uint64_t value;
  if (!lt_die_number(die, DW_AT_encoding, &value))
    return LT_ENC_UNSIGNED;
  switch (value) {
  case DW_ATE_boolean:
    return LT_ENC_BOOL;
  case DW_ATE_float:
    return LT_ENC_FLOAT;
  case DW_ATE_signed:
  case DW_ATE_signed_fixed:
    return LT_ENC_SIGNED;
  case DW_ATE_signed_char:
    return LT_ENC_CHAR;
  case DW_ATE_unsigned_char:
    return LT_ENC_UCHAR;
  case DW_ATE_UTF:
    return LT_ENC_UTF;
  case DW_ATE_unsigned:
  case DW_ATE_unsigned_fixed:
  case DW_ATE_address:
    return LT_ENC_UNSIGNED;
  default: /* complex, decimal, imaginary: bytes */
    return LT_ENC_OTHER;
  }
}

/* ---- Types ---------------------------------------------------------------------------------- */

static unsigned names_as(enum lt_type_kind kind)
{
  switch (kind) {
  case LT_TYPE_STRUCT:
  case LT_TYPE_CLASS:
    return LT_NAMED_BIT(LT_NAMED_STRUCT);
  case LT_TYPE_UNION:
    return LT_NAMED_BIT(LT_NAMED_UNION);
  case LT_TYPE_ENUM:
    return LT_NAMED_BIT(LT_NAMED_ENUM);
  default:
    return 0;
  }
}

/* The name, in C++ and others with its name spaces. */
static void full_name(struct lt_describe *describe, Dwarf_Die *die, char *ret, size_t size)
{
  const char *own = lt_die_name(die);
  struct lt_declared *names = lt_die_is_c(die) || !*own ? NULL : lt_read_declared(describe->file);
  if (names)
    lt_declared_full(names, lt_die_ref(describe->dwarf, die), own, ret, size);
  else
    snprintf(ret, size, "%s", own);
}

/* A type that is only declared here may be whole in a type unit or in another unit. */
static void complete(struct lt_describe *describe, Dwarf_Die *die)
{
  char name[NAME_MAX_SIZE];
  Dwarf_Die whole;
  unsigned named = names_as((enum lt_type_kind)kind_of(die));
  if (!named || !(lt_die_has(die, DW_AT_declaration) || lt_die_has(die, DW_AT_signature)))
    return;
  if (lt_die_target(die, DW_AT_signature, &whole) && kind_of(&whole) == kind_of(die)) {
    *die = whole;
    return;
  }
  struct lt_declared *names = lt_read_declared(describe->file);
  full_name(describe, die, name, sizeof name);
  if (names && *name && lt_declared_find(names, describe->dwarf, name, named, NULL, false, &whole))
    *die = whole;
}

static uint64_t size_of(Dwarf_Die *die)
{
  uint64_t size;
  if (lt_die_number(die, DW_AT_byte_size, &size))
    return size;
  if (lt_die_number(die, DW_AT_bit_size, &size) && size <= 1024)
    return (size + 7) / 8;
  return UINT64_MAX;
}

static unsigned flags_of(Dwarf_Die *die)
{
  unsigned flags = 0;
  if (lt_die_has(die, DW_AT_declaration))
    flags |= LT_TYPE_INCOMPLETE;
  if (lt_die_is_c(die))
    flags |= LT_TYPE_TAGGED;
  return flags;
}

static int describe_die(struct lt_describe *describe, Dwarf_Die *die, struct lt_bytes *ret)
{
  char name[NAME_MAX_SIZE];
  complete(describe, die);
  int kind = kind_of(die);
  if (kind < 0)
    return -EINVAL;
  lt_read_put_parts(describe, (enum lt_type_kind)kind, die);
  full_name(describe, die, name, sizeof name);
  lt_put_u8(ret, (uint8_t)kind);
  lt_put_u8(ret, (uint8_t)encoding_of(die));
  lt_put_u8(ret, (uint8_t)flags_of(die));
  lt_put_u64(ret, lt_die_ref(describe->dwarf, die));
  lt_put_u64(ret, size_of(die));
  lt_put_u64(ret, lt_die_type(describe->dwarf, die));
  lt_put_string(ret, name);
  lt_put_u32(ret, describe->count);
  lt_put(ret, describe->parts.at, describe->parts.size);
  if (describe->parts.failed)
    ret->failed = true;
  return ret->failed ? -ENOMEM : 0;
}

/* "struct " and the like say what kind is meant. */
static unsigned kinds_named(const char **name)
{
  static const struct {
    const char *word;
    unsigned kinds;
  } words[] = {
      {"struct ", LT_NAMED_BIT(LT_NAMED_STRUCT)},
      {"class ", LT_NAMED_BIT(LT_NAMED_STRUCT)},
      {"union ", LT_NAMED_BIT(LT_NAMED_UNION)},
      {"enum ", LT_NAMED_BIT(LT_NAMED_ENUM)},
  };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t size = strlen(words[i].word);
    if (strncmp(*name, words[i].word, size) == 0) {
      *name += size;
      return words[i].kinds;
    }
  }
  return 0;
}

static bool find_named(struct lt_describe *describe, const char *name, Dwarf_Die *ret)
{
  struct lt_declared *names = lt_read_declared(describe->file);
  unsigned wanted = kinds_named(&name);
  if (!names)
    return false;
  if (wanted)
    return lt_declared_find(names, describe->dwarf, name, wanted, NULL, true, ret);
  unsigned tagged =
      LT_NAMED_BIT(LT_NAMED_STRUCT) | LT_NAMED_BIT(LT_NAMED_UNION) | LT_NAMED_BIT(LT_NAMED_ENUM);
  return lt_declared_find(names, describe->dwarf, name, LT_NAMED_BIT(LT_NAMED_TYPE), NULL, false,
                          ret) ||
         lt_declared_find(names, describe->dwarf, name, tagged, NULL, true, ret);
}

int lt_read_type(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  Dwarf_Addr bias;
  Dwarf_Die die;
  struct lt_describe describe = {.file = file, .budget = STEPS_MAX};
  describe.dwarf = lt_read_dwarf(file, &bias);
  bool by_name = lt_get_u8(question) == LT_TYPE_BY_NAME;
  uint64_t ref = by_name ? 0 : lt_get_u64(question);
  const char *name = by_name ? lt_get_string(question) : NULL;
  if (question->failed)
    return -EINVAL;
  if (!describe.dwarf)
    return -ENOENT;
  bool found = name ? find_named(&describe, name, &die) : lt_die_of(describe.dwarf, ref, &die);
  int error = found ? describe_die(&describe, &die, ret) : -ENOENT;
  lt_bytes_free(&describe.parts);
  return error;
}
