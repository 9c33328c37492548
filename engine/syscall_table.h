/* syscall_table.h - what the table of system calls offers to the rest of the engine.
 *
 * The rows are in syscall_table.def; calls that take other arguments on i386 have a second row in
 * syscall_table_i386.def, which wins there. */
#ifndef LT_SYSCALL_TABLE_H
#define LT_SYSCALL_TABLE_H

#include "luatrace.h"

/* Bits of lt_syscall.classes. `%%stat` of strace is "%stat" here: the stat family. */
enum {
  FILES = 1u << 0,
  DESC = 1u << 1,
  MEMORY = 1u << 2,
  PROCESS = 1u << 3,
  SIGNALS = 1u << 4,
  IPC = 1u << 5,
  NETWORK = 1u << 6,
  CREDS = 1u << 7,
  CLOCK = 1u << 8,
  PURE = 1u << 9,
  STATS = 1u << 10,
  STAT = 1u << 11,
  LSTAT = 1u << 12,
  FSTAT = 1u << 13,
  STATFSS = 1u << 14,
  STATFS = 1u << 15,
  FSTATFS = 1u << 16,
  NO_RETURN = 1u << 31, /* becomes lt_syscall.no_return */
};

#define LT_NR_LIMIT 512  /* all numbers are below */
#define LT_ROW_LIMIT 512 /* and there are fewer rows than this */

/* All rows, and the extra rows of i386, both in order of their names (strcmp). */
extern const struct lt_syscall lt_syscall_rows[];
extern const size_t lt_syscall_row_count;
extern const struct lt_syscall lt_syscall_rows_i386[];
extern const size_t lt_syscall_row_count_i386;

/* Row of each number plus 1; 0 where there is no such call. What lies beyond LT_NR_LIMIT is for the
 * compiler's check that no two rows have one number. */
extern const uint16_t lt_syscall_by_nr[LT_ABI_COUNT][LT_NR_LIMIT + LT_ROW_LIMIT];
extern const uint16_t lt_syscall_by_nr_i386[LT_NR_LIMIT];

#endif
