/* read_parts.c - what a type is made of: members, enumerators, dimensions, parameters. See
 * read_type.c for the message. */
#include <dwarf.h>

#include "read_die.h"
#include "read_parts.h"

#define PARTS_MAX 65536U

struct part {
  unsigned flags;
  const char *name;
  uint64_t value, type;
  uint32_t bits;
  uint64_t discriminant;
};

static bool put_part(struct lt_describe *describe, const struct part *part)
{
  struct lt_bytes *bytes = &describe->parts;
  if (describe->count >= PARTS_MAX)
    return false;
  lt_put_u8(bytes, (uint8_t)part->flags);
  lt_put_string(bytes, part->name);
  lt_put_u64(bytes, part->value);
  lt_put_u64(bytes, part->type);
  lt_put_u32(bytes, part->bits);
  lt_put_u64(bytes, part->discriminant);
  describe->count++;
  return !bytes->failed;
}

/* DW_AT_data_member_location: a number, or an expression that adds one. False: anything else, as
 * for a virtual base class. */
static bool member_offset(Dwarf_Die *die, uint64_t *ret)
{
  Dwarf_Attribute attribute;
  Dwarf_Op *ops;
  size_t count;
  *ret = 0;
  if (!dwarf_attr_integrate(die, DW_AT_data_member_location, &attribute))
    return true;
  if (lt_die_number(die, DW_AT_data_member_location, ret))
    return true;
  if (dwarf_getlocation(&attribute, &ops, &count) != 0 || count != 1 ||
      ops[0].atom != DW_OP_plus_uconst)
    return false;
  *ret = ops[0].number;
  return true;
}

/* The bytes of the storage that a bit-field of DWARF 2 and 3 counts its bits in. */
static uint64_t storage_size(Dwarf_Die *die)
{
  uint64_t size;
  Dwarf_Die type;
  if (lt_die_number(die, DW_AT_byte_size, &size))
    return size;
  for (int i = 0; i < 64 && lt_die_target(die, DW_AT_type, &type); i++, die = &type)
    if (lt_die_number(&type, DW_AT_byte_size, &size))
      return size;
  return 0;
}

/* Where it is, in bits from the start of what it is a part of. */
static uint64_t bit_offset(Dwarf_Die *die, uint64_t bytes, uint64_t bits)
{
  uint64_t offset;
  if (lt_die_number(die, DW_AT_data_bit_offset, &offset))
    return offset;
  if (bits && lt_die_number(die, DW_AT_bit_offset, &offset)) /* from the most significant bit */
    return bytes * 8 + storage_size(die) * 8 - offset - bits;
  return bytes * 8;
}

static bool put_member(struct lt_describe *describe, Dwarf_Die *die, struct part part)
{
  uint64_t bytes = 0, bits = 0;
  if (lt_die_has(die, DW_AT_declaration) && dwarf_tag(die) == DW_TAG_member)
    return true; /* static: a variable */
  if (!member_offset(die, &bytes))
    part.flags |= LT_PART_ELSEWHERE;
  if (lt_die_number(die, DW_AT_bit_size, &bits))
    part.flags |= LT_PART_BITS;
  if (bits > 128 || bytes > (uint64_t)1 << 48)
    return true;
  if (dwarf_tag(die) == DW_TAG_inheritance)
    part.flags |= LT_PART_BASE;
  part.name = lt_die_name(die);
  part.value = bit_offset(die, bytes, bits);
  part.type = lt_die_type(describe->dwarf, die);
  part.bits = (uint32_t)bits;
  return put_part(describe, &part);
}

static bool put_variant(struct lt_describe *describe, Dwarf_Die *variant)
{
  struct part part = {.flags = LT_PART_VARIANT};
  Dwarf_Die die;
  if (!lt_die_number(variant, DW_AT_discr_value, &part.discriminant))
    part.flags |= LT_PART_OTHERWISE;
  if (!lt_die_child(variant, &die, &describe->budget))
    return true;
  do
    if (dwarf_tag(&die) == DW_TAG_member && !put_member(describe, &die, part))
      return false;
  while (lt_die_next(&die, &describe->budget));
  return true;
}

/* An enum of Rust: one of several members, by the value of another. */
static bool put_variants(struct lt_describe *describe, Dwarf_Die *parent)
{
  struct part part = {.flags = LT_PART_DISCRIMINANT};
  Dwarf_Die die;
  if (lt_die_target(parent, DW_AT_discr, &die) && !put_member(describe, &die, part))
    return false;
  if (!lt_die_child(parent, &die, &describe->budget))
    return true;
  do
    if (dwarf_tag(&die) == DW_TAG_variant && !put_variant(describe, &die))
      return false;
  while (lt_die_next(&die, &describe->budget));
  return true;
}

static bool put_dimension(struct lt_describe *describe, Dwarf_Die *die)
{
  struct part part = {.value = UINT64_MAX};
  uint64_t low = 0, high;
  lt_die_number(die, DW_AT_lower_bound, &low);
  if (lt_die_number(die, DW_AT_count, &high))
    part.value = high;
  else if (lt_die_number(die, DW_AT_upper_bound, &high) && high + 1 >= low && high != UINT64_MAX &&
           high != UINT32_MAX)
    part.value = high + 1 - low;
  return put_part(describe, &part);
}

static bool put_enumerator(struct lt_describe *describe, Dwarf_Die *die)
{
  struct part part = {.name = lt_die_name(die)};
  return !lt_die_number(die, DW_AT_const_value, &part.value) || put_part(describe, &part);
}

static bool put_parameter(struct lt_describe *describe, Dwarf_Die *die)
{
  struct part part = {.name = lt_die_name(die), .type = lt_die_type(describe->dwarf, die)};
  if (dwarf_tag(die) == DW_TAG_unspecified_parameters)
    part.flags |= LT_PART_MORE;
  return put_part(describe, &part);
}

static bool put_child(struct lt_describe *describe, Dwarf_Die *die)
{
  switch (dwarf_tag(die)) {
  case DW_TAG_member:
  case DW_TAG_inheritance:
    return put_member(describe, die, (struct part){0});
  case DW_TAG_variant_part:
    return put_variants(describe, die);
  case DW_TAG_subrange_type:
  case DW_TAG_enumeration_type: /* the index of an array in some languages */
    return put_dimension(describe, die);
  case DW_TAG_enumerator:
    return put_enumerator(describe, die);
  case DW_TAG_formal_parameter:
  case DW_TAG_unspecified_parameters:
    return put_parameter(describe, die);
  default:
    return true;
  }
}

/* Types inside a class are parts of its name only. */
static bool is_part(enum lt_type_kind kind, Dwarf_Die *die)
{
  int tag = dwarf_tag(die);
  if (tag == DW_TAG_enumeration_type || tag == DW_TAG_subrange_type)
    return kind == LT_TYPE_ARRAY;
  return true;
}

void lt_read_put_parts(struct lt_describe *describe, enum lt_type_kind kind, Dwarf_Die *parent)
{
  Dwarf_Die die;
  if (!lt_die_child(parent, &die, &describe->budget))
    return;
  while ((!is_part(kind, &die) || put_child(describe, &die)) &&
         lt_die_next(&die, &describe->budget)) {
  }
}
