/* module.h - what is mapped as code into an address space: the program, its shared objects, the
 * vdso. Addresses of a process are the file's plus `bias`. */
#ifndef LT_MODULE_H
#define LT_MODULE_H

#include "reader.h"

/* maps.c: lt_maps() of a thread that may run. */
ssize_t lt_maps_read(pid_t tid, struct lt_map **ret);

struct lt_module {
  uint64_t from, to; /* first and past the last address that is mapped of it */
  uint64_t bias;
  struct lt_file *file;
  const char *path; /* as in /proc/PID/maps: "/usr/lib/x86_64-linux-gnu/libc.so.6", "[vdso]" */
  const char *name; /* its last part, without " (deleted)" */
  uint64_t map_to, map_offset, inode; /* of its first map, which begins at `from` */
};

/* The modules of the thread's space, sorted by address, as of the last lt_modules_update(); the first
 * use updates. They stay where they are until the next update, or exec. *count may be 0. */
const struct lt_module *lt_modules_of(lt_thread *thread, size_t *count);
/* Look at /proc/PID/maps again. True if modules came or went. */
bool lt_modules_update(lt_thread *thread);
/* The same by any thread of the process, which may run; a negated errno if they cannot be read. */
int lt_modules_read(lt_process *process, pid_t tid, bool *changed);
/* The module that has this address; NULL. Where none has it, the list is brought up to date first,
 * once per stop. */
const struct lt_module *lt_module_at(lt_thread *thread, uint64_t addr);

/* Of the file of a module. */
bool lt_file_is_64(const struct lt_file *file);
bool lt_file_is_go(const struct lt_file *file); /* made by Go's compiler: see returns.c */

#endif
