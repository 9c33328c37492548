/* variables.h - what variables.c and contents.c share. */
#ifndef LT_BINDING_VARIABLES_H
#define LT_BINDING_VARIABLES_H

#include "luatrace.h"

/* Where an object is that has no address, as a userdata of this name. */
#define BIND_LOCATION "luatrace.location"

struct bind_location {
  lt_object *object;
};

#endif
