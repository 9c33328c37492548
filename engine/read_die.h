/* read_die.h - what read_scope.c and read_type.c share: DIEs, how they are referred to between
 * questions, and the names that a file declares.
 *
 * A reference is the DIE's offset in .debug_info; the upper bits tell where else it is. 0 is none:
 * no DIE is there. References come back with later questions and are checked again then. */
#ifndef LT_READ_DIE_H
#define LT_READ_DIE_H

#include "read.h"

#define LT_REF_TYPES ((uint64_t)1 << 63) /* in .debug_types */
#define LT_REF_ALT ((uint64_t)1 << 62)   /* in the file that several debug files share */
#define LT_REF_BITS (LT_REF_TYPES | LT_REF_ALT)

uint64_t lt_die_ref(Dwarf *dwarf, Dwarf_Die *die);
bool lt_die_of(Dwarf *dwarf, uint64_t ref, Dwarf_Die *ret);

/* Walk a tree: to the first child, to the next sibling. Always forwards in the section; `budget`
 * counts down the steps, as hostile trees may overlap. False: there is none. */
bool lt_die_child(Dwarf_Die *die, Dwarf_Die *ret, unsigned *budget);
bool lt_die_next(Dwarf_Die *die, unsigned *budget);

/* Attributes, also those that the DIE has from the one it completes or is a copy of. */
bool lt_die_has(Dwarf_Die *die, unsigned attribute);
bool lt_die_flag(Dwarf_Die *die, unsigned attribute);
bool lt_die_number(Dwarf_Die *die, unsigned attribute, uint64_t *ret);
bool lt_die_target(Dwarf_Die *die, unsigned attribute, Dwarf_Die *ret);
/* The reference of its DW_AT_type; 0: void. */
uint64_t lt_die_type(Dwarf *dwarf, Dwarf_Die *die);
/* "" for one without a name. */
const char *lt_die_name(Dwarf_Die *die);
/* Whether struct, union and enum have name spaces of their own in its language. */
bool lt_die_is_c(Dwarf_Die *die);

/* What a name can mean. */
enum lt_named {
  LT_NAMED_STRUCT = 1, /* class and interface too */
  LT_NAMED_UNION,
  LT_NAMED_ENUM,
  LT_NAMED_TYPE, /* base types and typedefs */
  LT_NAMED_VARIABLE,
  LT_NAMED_FUNCTION,
};

#define LT_NAMED_BIT(what) (1U << (what))

struct lt_declared;

/* read_names.c: the names of the file, collected at first use; NULL: without debug information, or
 * out of memory. */
struct lt_declared *lt_read_declared(struct lt_read_file *file);
void lt_declared_free(struct lt_declared *names);

/* The DIE that "name" or "space::name" means: what is whole before what is only declared, the exact
 * name before one in another name space, external before local. `kinds` has LT_NAMED_BIT()s.
 * `unit`: only in the source file called so; NULL: any. `declared`: a mere declaration will do. */
bool lt_declared_find(struct lt_declared *names, Dwarf *dwarf, const char *name, unsigned kinds,
                      const char *unit, bool declared, Dwarf_Die *ret);
/* "ns::Type" for a DIE that was collected; else its own name. Bounded by `size`. */
void lt_declared_full(struct lt_declared *names, uint64_t ref, const char *own, char *ret,
                      size_t size);
/* Add up to `max` names (strings) that look a bit like the mistaken one. */
void lt_declared_near(struct lt_declared *names, const char *name, unsigned kinds, unsigned max,
                      struct lt_bytes *ret);
/* "long unsigned int" for "unsigned long": base types as gcc writes them. Names of other types are
 * returned as they are. */
const char *lt_base_name(const char *name);

#endif
