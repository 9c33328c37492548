/* read_die.c - see read_die.h: DIEs and their attributes. */
#include <dwarf.h>
#include <string.h>

#include "read_die.h"

/* Type units of DWARF 4 have a section of their own; those of DWARF 5 are among the others. */
static bool in_types_section(Dwarf_CU *cu)
{
  Dwarf_Half version = 0;
  uint8_t type = 0;
  return dwarf_cu_info(cu, &version, &type, NULL, NULL, NULL, NULL, NULL) == 0 &&
         type == DW_UT_type && version < 5;
}

uint64_t lt_die_ref(Dwarf *dwarf, Dwarf_Die *die)
{
  uint64_t ref = dwarf_dieoffset(die);
  if (ref & LT_REF_BITS || !ref)
    return 0;
  if (dwarf_cu_getdwarf(die->cu) != dwarf)
    ref |= LT_REF_ALT;
  if (in_types_section(die->cu))
    ref |= LT_REF_TYPES;
  return ref;
}

bool lt_die_of(Dwarf *dwarf, uint64_t ref, Dwarf_Die *ret)
{
  Dwarf *where = ref & LT_REF_ALT ? dwarf_getalt(dwarf) : dwarf;
  uint64_t offset = ref & ~LT_REF_BITS;
  if (!where || !offset)
    return false;
  return (ref & LT_REF_TYPES ? dwarf_offdie_types(where, offset, ret)
                             : dwarf_offdie(where, offset, ret)) != NULL &&
         dwarf_tag(ret) > 0;
}

bool lt_die_child(Dwarf_Die *die, Dwarf_Die *ret, unsigned *budget)
{
  if (*budget == 0 || dwarf_child(die, ret) != 0)
    return false;
  --*budget;
  return ret->addr > die->addr;
}

bool lt_die_next(Dwarf_Die *die, unsigned *budget)
{
  Dwarf_Die next;
  if (*budget == 0 || dwarf_siblingof(die, &next) != 0 || next.addr <= die->addr)
    return false;
  --*budget;
  *die = next;
  return true;
}

bool lt_die_has(Dwarf_Die *die, unsigned attribute)
{
  Dwarf_Attribute found;
  return dwarf_attr_integrate(die, attribute, &found) != NULL;
}

bool lt_die_flag(Dwarf_Die *die, unsigned attribute)
{
  Dwarf_Attribute found;
  bool value = false;
  return dwarf_attr_integrate(die, attribute, &found) && dwarf_formflag(&found, &value) == 0 &&
         value;
}

bool lt_die_number(Dwarf_Die *die, unsigned attribute, uint64_t *ret)
{
  Dwarf_Attribute found;
  Dwarf_Sword is_signed;
  Dwarf_Word value;
  if (!dwarf_attr_integrate(die, attribute, &found))
    return false;
  if (dwarf_whatform(&found) == DW_FORM_sdata || dwarf_whatform(&found) == DW_FORM_implicit_const) {
    if (dwarf_formsdata(&found, &is_signed) != 0)
      return false;
    *ret = (uint64_t)is_signed;
    return true;
  }
  if (dwarf_formudata(&found, &value) != 0)
    return false;
  *ret = value;
  return true;
}

bool lt_die_target(Dwarf_Die *die, unsigned attribute, Dwarf_Die *ret)
{
  Dwarf_Attribute found;
  return dwarf_attr_integrate(die, attribute, &found) && dwarf_formref_die(&found, ret) != NULL;
}

uint64_t lt_die_type(Dwarf *dwarf, Dwarf_Die *die)
{
  Dwarf_Die type;
  return lt_die_target(die, DW_AT_type, &type) ? lt_die_ref(dwarf, &type) : 0;
}

const char *lt_die_name(Dwarf_Die *die)
{
  Dwarf_Attribute found;
  const char *name = NULL;
  if (dwarf_attr_integrate(die, DW_AT_name, &found))
    name = dwarf_formstring(&found);
  return name ? name : "";
}

bool lt_die_is_c(Dwarf_Die *die)
{
  Dwarf_Die unit;
  Dwarf_Half version;
  uint8_t type;
  if (dwarf_cu_info(die->cu, &version, &type, &unit, NULL, NULL, NULL, NULL) != 0)
    return false;
  switch (dwarf_srclang(&unit)) {
  case DW_LANG_C:
  case DW_LANG_C89:
  case DW_LANG_C99:
  case DW_LANG_C11:
  case DW_LANG_ObjC:
    return true;
  default:
    return false;
  }
}
