/* read_variables.h - what read_scope.c, read_type.c and the tracer's side (variables.c, types.c) tell
 * each other: see the messages there. */
#ifndef LT_READ_VARIABLES_H
#define LT_READ_VARIABLES_H

/* Where a variable is. */
enum {
  LT_AT_NOWHERE,    /* optimised out at this address */
  LT_AT_EXPRESSION, /* where its expression says */
  LT_AT_CONSTANT,   /* it has no place: these are its bytes */
  LT_AT_UNKNOWN,    /* what is written about it cannot be used */
};

/* How LT_ASK_TYPE names a type. */
enum { LT_TYPE_BY_REF, LT_TYPE_BY_NAME };

#endif
