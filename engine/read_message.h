/* read_message.h - what goes over the socket between the tracer (reader.c) and the process that
 * reads object files (read_main.c).
 *
 *   tracer    lt_ask_head, `size` bytes     with LT_ASK_OPEN: descriptors of the file and, if there
 *                                           is one, of the tracee's root; no answer
 *   reader    lt_answer_head, `size` bytes  the first one, unasked, brings a pidfd of the reader */
#ifndef LT_READ_MESSAGE_H
#define LT_READ_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#define LT_ASK_OPEN 0x10000 /* beside enum lt_question. Bytes: debuginfod (u8), name */
#define LT_ASK_MAX ((uint64_t)1 << 20)
#define LT_ANSWER_MAX ((uint64_t)256 << 20)

struct lt_ask_head {
  uint32_t what; /* enum lt_question, LT_ASK_OPEN */
  uint32_t id;   /* of the file; the tracer gives them */
  uint64_t size;
};

struct lt_answer_head {
  int32_t error; /* negated errno; -ENOMEDIUM: the file is not open (any more), send LT_ASK_OPEN */
  uint32_t reserved;
  uint64_t size;
};

/* The reader's life, in a child of the tracer's child. Ends when the socket does. `debuginfod`: servers
 * may be asked. */
_Noreturn void lt_read_main(int socket, bool debuginfod);

#endif
