/* types.h - what types.c and variables.c share. */
#ifndef LT_TYPES_H
#define LT_TYPES_H

#include "module.h"
#include "task.h"

/* The file with this number among those that the thread's process has mapped; NULL. */
struct lt_file *lt_file_with(lt_thread *thread, uint32_t id);

/* Visit the files that the process has mapped, that of the code at the program counter first, until
 * one is what is sought: the visit returns 0. -ENOENT: go on. */
typedef int lt_file_fn(void *data, struct lt_file *file, const struct lt_module *module);
int lt_each_file(lt_thread *thread, lt_file_fn *visit, void *data);

#endif
