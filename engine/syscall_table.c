/* syscall_table.c - turns syscall_table.def and syscall_table_i386.def into arrays: the rows, and
 * the row of each number. All of it is built by the compiler; two rows with one number, or a number
 * beyond the limit, do not compile. */
#include "syscall_table.h"

/* What a row may say about an argument. Further members follow the name: AKA("...") is the manual
 * page's name, AS("...") how to print it (a set in flags_*.c or a decoder in decode*.c). */
#define AKA(n) .alias = n
#define AS(s) .shape = s
#define ARG(n, t, bytes, ...)                                               \
  {                                                                         \
    .name = n, .type = LT_ARG_##t, .size = bytes, .length = -1, __VA_ARGS__ \
  }
#define SIZED(n, t, index, ...)                                 \
  {                                                             \
    .name = n, .type = LT_ARG_##t, .length = index, __VA_ARGS__ \
  }

/* Integers by their declaration. LONG and ULONG have the size of a pointer on i386. */
#define INT(n, ...) ARG(n, INT, 4, __VA_ARGS__)
#define UINT(n, ...) ARG(n, UINT, 4, __VA_ARGS__)
#define LONG(n, ...) ARG(n, INT, 8, __VA_ARGS__)
#define ULONG(n, ...) ARG(n, UINT, 8, __VA_ARGS__)
#define SHORT(n, ...) ARG(n, INT, 2, __VA_ARGS__)
#define USHORT(n, ...) ARG(n, UINT, 2, __VA_ARGS__)
/* Descriptors; a directory's may be AT_FDCWD. */
#define FD(n, ...) ARG(n, FD, 4, __VA_ARGS__)
#define DIRFD(n, ...) ARG(n, FD, 4, AS("dirfd"), __VA_ARGS__)
/* Addresses: of nothing that we decode, of a string, of a file name (printed in full), of arrays of
 * strings, of `length` bytes (index of the argument that says how many; the result of the call says
 * how many of OUT_BYTES are filled), of something that a decoder knows. */
#define POINTER(n, ...) ARG(n, POINTER, 8, __VA_ARGS__)
#define STRING(n, ...) ARG(n, STRING, 8, .in = true, __VA_ARGS__)
#define PATH(n, ...) ARG(n, STRING, 8, .in = true, AS("path"), __VA_ARGS__)
#define ARGV(n, ...) ARG(n, STRINGS, 8, .in = true, __VA_ARGS__)
#define ENVP(n, ...) ARG(n, STRINGS, 8, .in = true, AS("environment"), __VA_ARGS__)
#define IN_BYTES(n, index, ...) SIZED(n, BUFFER, index, .in = true, .size = 8, __VA_ARGS__)
#define OUT_BYTES(n, index, ...) SIZED(n, BUFFER, index, .out = true, .size = 8, __VA_ARGS__)
#define IN(n, s, ...) ARG(n, STRUCT, 8, .in = true, AS(s), __VA_ARGS__)
#define OUT(n, s, ...) ARG(n, STRUCT, 8, .out = true, AS(s), __VA_ARGS__)
#define INOUT(n, s, ...) ARG(n, STRUCT, 8, .in = true, .out = true, AS(s), __VA_ARGS__)
#define NONE

#define COUNT(...) (sizeof((struct lt_arg[]){__VA_ARGS__}) / sizeof(struct lt_arg))
#define CALL(n, x86_64, i386, bits, ...) \
  {.name = #n,                           \
   .nr = {x86_64, i386},                 \
   .classes = (bits) & ~NO_RETURN,       \
   .count = COUNT(__VA_ARGS__),          \
   .known = true,                        \
   .no_return = ((bits)&NO_RETURN) != 0, \
   .args = {__VA_ARGS__}},
#define RAW_ARG(n) ARG(n, UINT, 8, AS("hex"))
#define RAW(n, x86_64, i386, bits)                                                               \
  {.name = #n,                                                                                   \
   .nr = {x86_64, i386},                                                                         \
   .classes = bits,                                                                              \
   .count = LT_CALL_ARGS,                                                                        \
   .args = {RAW_ARG("arg0"), RAW_ARG("arg1"), RAW_ARG("arg2"), RAW_ARG("arg3"), RAW_ARG("arg4"), \
            RAW_ARG("arg5")}},

const struct lt_syscall lt_syscall_rows[] = {
#include "syscall_table.def"
};
const size_t lt_syscall_row_count = sizeof(lt_syscall_rows) / sizeof(lt_syscall_rows[0]);

const struct lt_syscall lt_syscall_rows_i386[] = {
#include "syscall_table_i386.def"
};
const size_t lt_syscall_row_count_i386 =
    sizeof(lt_syscall_rows_i386) / sizeof(lt_syscall_rows_i386[0]);

/* The rows again, as names for their positions. */
#undef CALL
#undef RAW
#define CALL(n, ...) ROW_##n,
#define RAW(n, ...) ROW_##n,
enum {
#include "syscall_table.def"
  ROW_COUNT
};
#undef CALL
#define CALL(n, ...) ROW_I386_##n,
enum {
#include "syscall_table_i386.def"
  ROW_I386_COUNT
};

_Static_assert(ROW_COUNT <= LT_ROW_LIMIT, "LT_ROW_LIMIT is too small");

/* A row without a number gets a place of its own beyond the limit. */
#define PLACE(nr, row) [(nr) < 0 ? LT_NR_LIMIT + (row) : (nr)] = (row) + 1,
#undef CALL
#undef RAW

const uint16_t lt_syscall_by_nr[LT_ABI_COUNT][LT_NR_LIMIT + LT_ROW_LIMIT] = {
    [LT_ABI_X86_64] =
        {
#define CALL(n, x86_64, i386, ...) PLACE(x86_64, ROW_##n)
#define RAW(n, x86_64, i386, ...) PLACE(x86_64, ROW_##n)
#include "syscall_table.def"
#undef CALL
#undef RAW
        },
    [LT_ABI_I386] =
        {
#define CALL(n, x86_64, i386, ...) PLACE(i386, ROW_##n)
#define RAW(n, x86_64, i386, ...) PLACE(i386, ROW_##n)
#include "syscall_table.def"
#undef CALL
#undef RAW
        },
};

const uint16_t lt_syscall_by_nr_i386[LT_NR_LIMIT] = {
#define CALL(n, x86_64, i386, ...) PLACE(i386, ROW_I386_##n)
#include "syscall_table_i386.def"
};
