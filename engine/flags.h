/* flags.h - sets of flags and of constants, and how they are printed.
 *
 * To add a set: write its rows in the flags_*.c that fits and name it in the table at the end of
 * that file, in order of the names. AS("its name") in the table of system calls then prints an
 * argument with it. A row may name more than one bit; such rows stand before rows for the single
 * bits. A row for 0 is printed when no bit is set. Numbers are those of the x86 kernels. */
#ifndef LT_FLAGS_H
#define LT_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum lt_flags_kind { LT_BITS, LT_ONE };

struct lt_flag {
  uint64_t value;
  const char *name;
};

struct lt_flags {
  const char *name;
  uint8_t kind;        /* any number of LT_BITS, or LT_ONE of many constants */
  const char *unknown; /* comment after a value that nothing in the set names, or NULL */
  const struct lt_flag *rows;
  size_t count;
};

#define LT_ROWS(array) array, sizeof(array) / sizeof((array)[0])

/* The set with that name, or NULL. */
const struct lt_flags *lt_flags_find(const char *name);
/* The name of one constant of the set `name`, or NULL. */
const char *lt_flags_name(const char *name, uint64_t value);
/* Print a value as the set has it: "A|B|0x8", and "0x77" with a comment. */
void lt_flags_show(struct lt_text *text, const struct lt_flags *set, uint64_t value);
/* The same with the name of the set. */
void lt_flags_add(struct lt_text *text, const char *name, uint64_t value);
/* Print the known bits, each followed by "|", and return the others. */
uint64_t lt_flags_known(struct lt_text *text, const char *name, uint64_t value);

extern const struct lt_flags lt_flags_fs[], lt_flags_ioctl[], lt_flags_memory[], lt_flags_mount[],
    lt_flags_network[], lt_flags_process[], lt_flags_signal[], lt_flags_sockopt[],
    lt_flags_system[];
extern const size_t lt_flags_fs_count, lt_flags_ioctl_count, lt_flags_memory_count,
    lt_flags_mount_count, lt_flags_network_count, lt_flags_process_count, lt_flags_signal_count,
    lt_flags_sockopt_count, lt_flags_system_count;

#endif
