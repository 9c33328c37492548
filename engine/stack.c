/* stack.c - the stack of a thread as a list of frames. */
#include <errno.h>
#include <stdlib.h>

#include "unwind.h"

#define FIRST_ROOM ((size_t)32)

static int add(struct lt_stack *stack, size_t *room)
{
  if (stack->count < *room)
    return 0;
  size_t more = *room ? *room * 2 : FIRST_ROOM;
  struct lt_stack_frame *frames = realloc(stack->frames, more * sizeof *frames);
  if (!frames)
    return -ENOMEM;
  stack->frames = frames;
  *room = more;
  return 0;
}

/* lt_cursor_up() finds out that a frame is a trampoline, and its CFA: the frame is complete after. */
static void fill(const struct lt_cursor *cursor, struct lt_stack_frame *ret)
{
  *ret = (struct lt_stack_frame){.pc = cursor->pc,
                                 .lookup = lt_cursor_lookup(cursor),
                                 .sp = cursor->sp,
                                 .guessed = cursor->guessed};
}

static int collect(struct lt_cursor *cursor, size_t limit, struct lt_stack *ret)
{
  size_t room = 0;
  bool more = true;
  while (more) {
    if (ret->count == limit) {
      cursor->end = LT_STACK_LIMIT;
      break;
    }
    int error = add(ret, &room);
    if (error)
      return error;
    struct lt_stack_frame *frame = &ret->frames[ret->count++];
    fill(cursor, frame);
    cursor->guessed = false;
    uint64_t pc = cursor->pc;
    more = lt_cursor_up(cursor);
    /* Only a trampoline is followed by a frame that was not calling. */
    frame->is_signal = more ? cursor->exact : cursor->trampoline;
    if (frame->is_signal)
      frame->lookup = pc;
  }
  ret->end = cursor->end;
  return 0;
}

int lt_backtrace(lt_thread *thread, size_t limit, struct lt_stack *ret)
{
  struct lt_cursor cursor;
  *ret = (struct lt_stack){0};
  if (!limit || limit > LT_STACK_MAX)
    return lt_fail(thread->session, -EINVAL, "a stack can have from 1 to %d frames", LT_STACK_MAX);
  int error = lt_cursor_start(thread, &cursor);
  if (!error)
    error = collect(&cursor, limit, ret);
  if (error)
    lt_stack_free(ret);
  return error;
}

void lt_stack_free(struct lt_stack *stack)
{
  free(stack->frames);
  *stack = (struct lt_stack){0};
}
