/* registers.h - what registers.c and memory.c tell people about a thread out of reach. */
#ifndef LT_REGISTERS_H
#define LT_REGISTERS_H

#include "task.h"

/* lt_thread_access() with a line for lt_error(). */
int lt_touch(lt_thread *thread);
/* lt_thread_failed() with a line that says what could not be done ("read its registers"). */
int lt_touch_failed(lt_thread *thread, int error, const char *what);

#endif
